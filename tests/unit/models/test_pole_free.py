"""Boxes without a pole: Q has no zero there, which intervals prove."""

from __future__ import annotations

import numpy as np
import pytest

from support.slow import slow
from zeroproof import RationalModel
from zeroproof.models._bounds import least_value
from zeroproof.models._fit import kept_apart

RNG = np.random.default_rng(0)
X = RNG.uniform(-1.0, 1.0, (400, 2))
NOISE = 0.01 * RNG.normal(size=400)
POLE = 1.0 / (X[:, 0] - X[:, 1] ** 2 - 0.013)
SMOOTH = np.exp(X[:, 0]) * (1.0 + X[:, 1])


def smallest(model, box, many=201):
    """The least of |Q| on a fine grid and whether Q has one sign, for each Q."""
    axes = [np.linspace(low, high, many) for low, high in box]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(box))
    values = model.denominator_at(points)
    return np.abs(values).min(), (np.abs(np.sign(values).sum(axis=0)) == len(values)).all()


@pytest.mark.parametrize("features", ["polynomial", *slow("chebyshev", "trigonometric")])
@pytest.mark.parametrize("y", [POLE, SMOOTH + NOISE], ids=["pole", "smooth"])
@pytest.mark.parametrize(
    ("loss", "box"), [("squared", True), ("cauchy", [(0.1, 0.9), (-0.5, 0.5)])]
)
def test_there_is_none(features, y, loss, box):
    model = RationalModel(2, 1, (2, 2), features=features)
    history = model.fit(X, y, loss=loss, pole_free=box, validation=0.0)
    least, one_sign = smallest(model, model.domain if box is True else box)
    assert one_sign
    assert least > 0.0
    plain = RationalModel(2, 1, (2, 2), features=features)
    plain.fit(X, y, loss=loss, validation=0.0)
    if not history.moved:
        np.testing.assert_array_equal(model.numerator, plain.numerator)
        np.testing.assert_array_equal(model.denominator, plain.denominator)
    if y is POLE and not smallest(plain, model.domain if box is True else box)[1]:
        assert history.moved


def test_a_pole_elsewhere_is_kept():
    model = RationalModel(2, 1, (1, 2))
    history = model.fit(X, POLE, pole_free=[(-1.0, -0.1), (-1.0, 1.0)])
    assert not history.moved
    assert np.abs(model.predict(X)[:, 0] / POLE - 1.0).max() < 1e-6


@pytest.mark.parametrize("method", ["lm", "adam"])
@pytest.mark.parametrize("validation", [0.0, 0.25])
def test_the_history_tells_the_loss_of_the_model(method, validation):
    model = RationalModel(2, 1, (1, 2))
    history = model.fit(
        X, POLE, method=method, start="linearised", validation=validation, epochs=20, pole_free=True
    )
    assert history.moved
    kept = kept_apart(POLE[:, None], validation, np.random.default_rng(0))
    squares = (model.predict(X)[:, 0] - POLE) ** 2
    assert history.final_loss == pytest.approx(squares[~kept].mean(), rel=1e-6)
    told = f"moved out of pole_free: loss {history.final_loss:.3g}"
    if validation:
        assert history.final_validation_loss == pytest.approx(squares[kept].mean(), rel=1e-6)
        told += f", validation {history.final_validation_loss:.3g}"
    else:
        assert history.final_validation_loss is None
    assert str(history).endswith(told)


def test_a_fit_that_was_not_moved_has_the_loss_of_the_best_epoch():
    model = RationalModel(2, 1, (1, 2))
    history = model.fit(X, POLE, validation=0.25)
    assert not history.moved
    assert history.final_loss == history.loss[history.best_epoch]
    assert history.final_validation_loss == history.validation_loss[history.best_epoch]
    assert "moved" not in str(history)


def test_a_smooth_function_is_fitted_as_well():
    model = RationalModel(2, 1, (3, 2))
    model.fit(X, SMOOTH + NOISE, pole_free=True)
    assert np.sqrt(np.mean((model.predict(X)[:, 0] - SMOOTH) ** 2)) < 0.02


def test_a_denominator_for_each_output():
    model = RationalModel(2, 2, (1, 2), shared_denominator=False)
    model.fit(X, np.column_stack([POLE, SMOOTH]), pole_free=True)
    assert smallest(model, model.domain)[1]


@pytest.mark.parametrize("family", ["polynomial", "chebyshev", "trigonometric"])
def test_bounds_are_bounds(family):
    model = RationalModel(2, 1, (1, 4), features=family, domain=[(-1.0, 1.0)] * 2)
    for seed in range(5):
        rng = np.random.default_rng(seed)
        row = rng.normal(size=len(model._bottom))
        box = np.sort(rng.uniform(-1.5, 1.5, (2, 2)), axis=1)
        found = least_value(row, model._bottom, [family] * 2, box, np.inf, 1e-3)
        axes = [np.linspace(low, high, 301) for low, high in box]
        points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
        least = float((model.terms_at(points)[1] @ row).min())
        assert least - 0.01 < found <= least


@pytest.mark.parametrize(
    ("given", "error", "what"),
    [
        (3, TypeError, "pole_free must be True"),
        ([("0", "1"), (0.0, 1.0)], TypeError, "pole_free must be True"),
        (["01", "01"], TypeError, "pole_free must be True"),
        ([(0.0, 1.0)], ValueError, "pole_free has 1 pairs for 2 inputs"),
        ([(1.0, 0.0), (0.0, 1.0)], ValueError, "finite low < high"),
        ([(0.0, np.inf), (0.0, 1.0)], ValueError, "finite low < high"),
    ],
)
def test_boxes_that_are_none(given, error, what):
    with pytest.raises(error, match=what):
        RationalModel(2, 1, (1, 1)).fit(X, POLE, pole_free=given)


def test_many_inputs_are_refused():
    x = np.random.default_rng(1).uniform(-1.0, 1.0, (300, 16))
    with pytest.raises(ValueError, match="that Q has no zero there could not be proved"):
        RationalModel(16, 1, (1, 1)).fit(x, 1.0 / (x.sum(axis=1) + 0.01), pole_free=True)


def test_functions_of_your_own_have_no_range():
    model = RationalModel(2, 1, (1, 1), features=lambda a, b: [a, b])
    with pytest.raises(ValueError, match="pole_free takes features by name"):
        model.fit(X, POLE, pole_free=True)
