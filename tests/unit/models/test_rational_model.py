"""Values, terms, normalisation and saving of rational models."""

from __future__ import annotations

import json
import pickle
from itertools import product
from math import comb, cos, pi, sin
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zeroproof import RationalModel, TRArray, TRNode, TRTag, tr_exp, tr_vmap
from zeroproof.optim import SGD, Adam

POINTS = np.array([[0.3, -0.7], [1.1, 0.4], [-0.2, 0.9]])


def model(**settings: Any) -> RationalModel:
    return RationalModel(2, 2, (3, 2), **settings)


class TestTerms:
    @pytest.mark.parametrize(("inputs", "degree"), [(1, 5), (2, 3), (3, 4), (5, 2)])
    def test_monomials_up_to_the_total_degree(self, inputs: int, degree: int) -> None:
        x = np.random.default_rng(0).normal(size=(1, inputs))
        top, bottom = RationalModel(inputs, 1, (degree, 1)).terms_at(x)
        powers = [p for p in product(range(degree + 1), repeat=inputs) if sum(p) <= degree]
        assert top.shape == (1, comb(inputs + degree, degree))
        expected = sorted(float(np.prod(x[0] ** np.array(p))) for p in powers)
        np.testing.assert_allclose(sorted(top[0]), expected, rtol=1e-14)
        assert sorted(bottom[0]) == sorted([1.0, *x[0]])
        assert top[0, 0] == 1.0

    def test_chebyshev_polynomials(self) -> None:
        u = np.linspace(-1, 1, 7)
        top, _ = RationalModel(1, 1, (4, 0), features="chebyshev").terms_at(u[:, None])
        expected = np.cos(np.arange(5) * np.arccos(u)[:, None])
        np.testing.assert_allclose(top, expected, atol=1e-14)

    def test_trigonometric_terms_have_no_redundancy(self) -> None:
        x = np.random.default_rng(0).uniform(-pi, pi, (400, 2))
        top, _ = RationalModel(2, 1, (2, 0), features="trigonometric").terms_at(x)
        assert top.shape[1] == 1 + 4 + 4 + 4  # constant, first order, cos 2x and sin 2x, products
        assert np.linalg.matrix_rank(top) == top.shape[1]
        a, b = x[0]
        for term in (cos(a), sin(b), cos(2 * a), sin(2 * b), cos(a) * sin(b)):
            assert np.isclose(top[0], term, rtol=1e-14).sum() == 1

    def test_a_family_for_each_input(self) -> None:
        made = RationalModel(2, 1, (1, 0), features=["trigonometric", "polynomial"])
        np.testing.assert_array_equal(made.terms_at([[0.5, 7.0]])[0], [[1, cos(0.5), sin(0.5), 7]])

    def test_functions_of_the_user(self) -> None:
        one = RationalModel(2, 1, (2, 1), features=lambda a, b: [tr_exp(a), a * b])
        many = RationalModel(2, 1, (2, 1), features=[lambda a, b: tr_exp(a), lambda a, b: a * b])
        top, bottom = one.terms_at(POINTS)
        f, g = np.array(tr_exp(TRNode.constant(0.3)).item()), 0.3 * -0.7
        np.testing.assert_allclose(top[0], [1, f, g, f * f, f * g, g * g], rtol=1e-15)
        np.testing.assert_array_equal(bottom, top[:, :3])
        np.testing.assert_array_equal(many.terms_at(POINTS)[0], top)

    def test_denominator_inputs(self) -> None:
        made = RationalModel(3, 1, (1, 2), denominator_inputs=[2])
        x = np.array([[2.0, 3.0, 5.0]])
        np.testing.assert_array_equal(made.terms_at(x)[1], [[1, 5, 25]])

    def test_scaling_by_the_domain(self) -> None:
        made = RationalModel(2, 1, (1, 0), domain=[(0, 4), (-1, 1)])
        np.testing.assert_array_equal(made.terms_at([[3.0, 0.5]])[0], [[1, 0.5, 0.5]])
        made.set_domain([(2, 4), (0, 1)])
        np.testing.assert_array_equal(made.terms_at([[3.0, 0.5]])[0], [[1, 0, 0]])


class TestValues:
    @pytest.mark.parametrize("shared", [True, False])
    @pytest.mark.parametrize("features", ["polynomial", "chebyshev", "trigonometric"])
    def test_arrays_nodes_and_tracers_agree_to_the_bit(self, features: str, shared: bool) -> None:
        made = model(features=features, shared_denominator=shared, domain=[(-1, 3), (0, 2)])
        values = made(POINTS)
        assert isinstance(values, TRArray)
        assert values.shape == (3, 2)
        np.testing.assert_array_equal(values.to_ieee(), made.predict(POINTS))
        np.testing.assert_array_equal(values.to_ieee(), tr_vmap(made)(POINTS).to_ieee())
        for row, expected in zip(POINTS, made.predict(POINTS)):
            nodes = made([TRNode.input(value) for value in row])
            assert [node.item() for node in nodes] == expected.tolist()

    def test_the_quotient_of_the_combinations(self) -> None:
        for shared in (True, False):
            made = model(shared_denominator=shared)
            top, bottom = made.terms_at(POINTS)
            expected = top @ made.numerator.T / (bottom @ np.atleast_2d(made.denominator).T)
            np.testing.assert_allclose(made.predict(POINTS), expected, rtol=1e-13)
            np.testing.assert_allclose(
                made.denominator_at(POINTS), bottom @ np.atleast_2d(made.denominator).T
            )

    def test_at_a_pole(self) -> None:
        made = RationalModel(1, 2, (1, 1))
        made.numerator[...] = [[1.0, 0.0], [0.0, 1.0]]
        made.denominator[...] = [0.0, 1.0]
        values = made([[0.0], [2.0]])
        assert values.tags.tolist() == [[TRTag.PINF, TRTag.PHI], [TRTag.REAL, TRTag.REAL]]
        predicted = made.predict([0.0, 2.0])
        np.testing.assert_array_equal(predicted, [[np.inf, np.nan], [0.5, 1.0]])

    def test_leading_axes(self) -> None:
        made = model()
        stacked = made(POINTS.reshape(3, 1, 2))
        assert stacked.shape == (3, 1, 2)
        assert made(POINTS[0]).shape == (2,)
        np.testing.assert_array_equal(made(POINTS[0]).to_ieee(), made.predict(POINTS)[0])

    def test_gradients_with_respect_to_inputs_are_those_of_differences(self) -> None:
        made = model(features="trigonometric")
        jacobian = tr_vmap(made).jacobian(POINTS)
        for place in range(2):
            step = np.zeros(2)
            step[place] = 1e-6
            slope = (made.predict(POINTS + step) - made.predict(POINTS - step)) / 2e-6
            np.testing.assert_allclose(jacobian[:, :, place], slope, rtol=1e-6, atol=1e-8)

    def test_the_seed(self) -> None:
        first, same, other = model(seed=1), model(seed=1), model(seed=2)
        np.testing.assert_array_equal(first.numerator, same.numerator)
        assert (first.numerator != other.numerator).all()


class TestTrainingLoops:
    def test_with_arrays(self) -> None:
        made = RationalModel(1, 1, (1, 1))
        x = np.linspace(-1, 1, 50)[:, None]
        y = 2 / (3 + x)
        loss = tr_vmap(
            lambda p, x, y: (made.apply(p, x)[0] - y[0]) ** 2, in_axes=(None, 0, 0)
        ).value_and_grad
        optimizer = Adam(made.parameters(), lr=0.05)
        for _ in range(500):
            value, gradients, statuses = loss(
                made.parameters(), x, y, reduce="mean", with_status=True
            )
            optimizer.step(gradients, statuses)
        assert value.value < 1e-6
        assert np.square(made.predict(x) - y).mean() < 1e-6

    def test_with_nodes(self) -> None:
        made = RationalModel(1, 1, (1, 1))
        nodes = {
            name: [TRNode.parameter(value) for value in array.ravel()]
            for name, array in made.parameters().items()
        }
        before = made.predict([0.5]).item()
        [value] = made.apply({**nodes, "numerator": [nodes["numerator"]]}, [0.5])
        assert value.item() == before
        ((value - before - 1.0) ** 2).backward()
        SGD(nodes, lr=0.01).step()
        [value] = made.apply({**nodes, "numerator": [nodes["numerator"]]}, [0.5])
        assert before < value.item() < before + 1.0


class TestNormalisation:
    @pytest.mark.parametrize("shared", [True, False])
    def test_the_function_stays(self, shared: bool) -> None:
        made = model(shared_denominator=shared)
        made.denominator *= -7.0
        made.numerator *= 3.0
        before = made.predict(POINTS)
        made.normalize()
        np.testing.assert_allclose(made.predict(POINTS), before, rtol=1e-14)
        rows = np.atleast_2d(made.denominator)
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, rtol=1e-15)
        assert (rows[np.arange(len(rows)), np.abs(rows).argmax(axis=1)] > 0).all()

    def test_zero_is_left(self) -> None:
        made = model()
        made.denominator[...] = 0.0
        made.normalize()
        assert not made.denominator.any()
        assert np.isfinite(made.numerator).all()


class TestSaving:
    @pytest.mark.parametrize(
        "settings",
        [
            {},
            {"features": "trigonometric", "shared_denominator": False},
            {"features": ["chebyshev", "polynomial"], "domain": [(0.1, 0.7), (-3, 1)]},
            {"denominator_inputs": [1], "seed": 5},
        ],
    )
    def test_the_same_bits_come_back(self, settings: Any, tmp_path: Path) -> None:
        made = model(**settings)
        made.save(tmp_path / "model.json")
        loaded = RationalModel.load(tmp_path / "model.json")
        np.testing.assert_array_equal(loaded.predict(POINTS), made.predict(POINTS))
        assert repr(loaded) == repr(made)

    def test_pickle_after_use(self) -> None:
        made = model()
        before = made.predict(POINTS)
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(made)).predict(POINTS), before)

    def test_functions_are_passed_again(self, tmp_path: Path) -> None:
        def features(a: Any, b: Any) -> Any:
            return [a, a * b]

        made, path = model(features=features), tmp_path / "model.json"
        made.save(path)
        loaded = RationalModel.load(path, features=features)
        np.testing.assert_array_equal(loaded.predict(POINTS), made.predict(POINTS))
        with pytest.raises(ValueError, match=r"pass them, load\(path, features"):
            RationalModel.load(path)
        with pytest.raises(ValueError, match="damaged RationalModel: numerator"):
            RationalModel.load(path, features=lambda a, b: [a])

    def test_what_is_no_model(self, tmp_path: Path) -> None:
        path = tmp_path / "model.json"
        model().save(path)
        content = json.loads(path.read_text())
        for change, message in [
            ({"version": 2}, "of version 2, but this release reads version 1"),
            ({"format": "other"}, "not a saved RationalModel"),
            ({"numerator": [[1.0]]}, "damaged RationalModel: numerator"),
            ({"degree": None}, "damaged RationalModel"),
        ]:
            path.write_text(json.dumps({**content, **change}))
            with pytest.raises(ValueError, match=message):
                RationalModel.load(path)
        path.write_text("{")
        with pytest.raises(ValueError, match="not JSON"):
            RationalModel.load(path)
        del content["degree"]
        path.write_text(json.dumps(content))
        with pytest.raises(ValueError, match="damaged RationalModel: 'degree'"):
            RationalModel.load(path)

    def test_coefficients_that_are_not_finite(self, tmp_path: Path) -> None:
        made = model()
        made.numerator[0, 0] = np.nan
        with pytest.raises(ValueError, match="not all finite"):
            made.save(tmp_path / "model.json")
        assert not (tmp_path / "model.json").exists()


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"inputs": 0}, ValueError, "inputs must be at least 1, not 0"),
        ({"inputs": 1.5}, TypeError, "inputs must be a whole number, not 1.5"),
        ({"outputs": True}, TypeError, "outputs must be a whole number"),
        ({"degree": 3}, ValueError, "degree must be a pair"),
        ({"degree": (3, -1)}, ValueError, r"degree\[1\] must be at least 0"),
        ({"degree": (300, 2), "inputs": 9}, ValueError, "more than 100000 terms"),
        ({"features": "fourier"}, ValueError, "features must be one of 'polynomial'"),
        ({"features": ["polynomial"]}, ValueError, "features has 1 names for 2 inputs"),
        ({"features": 3}, TypeError, "features must be one of"),
        ({"features": []}, TypeError, "features must have a name"),
        ({"features": lambda a, b: a}, TypeError, "features must return a sequence"),
        ({"domain": [(0, 1)]}, ValueError, "domain has 1 pairs for 2 inputs"),
        ({"domain": [(0, 1), (2, 1)]}, ValueError, r"domain\[1\] must be finite with low < high"),
        ({"domain": 3}, ValueError, "domain must have a pair"),
        ({"shared_denominator": 1}, TypeError, "shared_denominator must be a bool"),
        ({"denominator_inputs": [2]}, ValueError, "denominator_inputs must be different"),
        ({"denominator_inputs": []}, ValueError, "denominator_inputs must be different"),
        ({"seed": -1}, ValueError, "seed must be at least 0"),
    ],
)
def test_bad_settings(settings: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        RationalModel(**{"inputs": 2, **settings})


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        ([[1.0]], ValueError, r"x must have the shape \(…, 2\), not \(1, 1\)"),
        ("ab", TypeError, "x must be real numbers"),
        ([[1j, 2]], TypeError, "x must be real numbers, not complex128"),
        (np.ma.array([[1.0, 2.0]]), TypeError, "x must be real numbers, not a masked array"),
    ],
)
def test_bad_points(x: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        model()(x)
