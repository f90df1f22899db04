"""Errors that name the argument, starts that are given, notes on fits that are not good."""

from __future__ import annotations

import numpy as np
import pytest

from zeroproof import Rational, fit_rational

X = np.linspace(-1.0, 1.0, 60)
Y = 1.0 / (X - 0.31) + np.random.default_rng(3).normal(0.0, 1e-3, 60)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((X, Y[1:]), {}, ValueError, "x and y have different lengths, 60 and 59"),
        ((np.where(X > 0.9, np.nan, X), Y), {}, ValueError, r"x\[\d+\] is nan, but x must be"),
        ((np.where(X > 0.9, np.inf, X), Y), {}, ValueError, r"x\[\d+\] is inf, but x must be"),
        ((np.ones(60), Y), {}, ValueError, "x is the same in all rows"),
        (([1.0], [1.0]), {}, ValueError, "x is the same in all rows"),
        (([], []), {}, ValueError, "y has no finite value"),
        ((X, np.full(60, np.inf)), {}, ValueError, "y has no finite value"),
        ((X[None], Y), {}, ValueError, "x must have one dimension"),
        ((X, Y + 1j), {}, TypeError, "y must be an array of real numbers"),
        ((["a"] * 60, Y), {}, TypeError, "x must be an array of real numbers"),
        ((np.ma.array(X), Y), {}, TypeError, "x is a masked array"),
        ((X, Y), {"sigma": 0.0}, ValueError, r"sigma\[0\] is 0.0, but standard deviations"),
        ((X, Y), {"sigma": -Y * Y}, ValueError, r"sigma\[0\] is -"),
        ((X, Y), {"sigma": np.nan}, ValueError, r"sigma\[0\] is nan"),
        ((X, Y), {"sigma": [1.0, 2.0]}, ValueError, "sigma has 2 elements, but x has 60"),
        ((X, Y), {"loss": "l1"}, ValueError, "loss must be one of linear, soft_l1, huber, cauchy"),
        ((X, Y), {"f_scale": 1.0}, ValueError, "f_scale has no meaning for loss='linear'"),
        ((X, Y), {"loss": "huber", "f_scale": 0.0}, ValueError, "f_scale must be a positive"),
        ((X, Y), {"criterion": "mdl"}, ValueError, "criterion must be one of bic, aic"),
        ((X, Y, "best"), {}, ValueError, 'degree must be "auto" or a pair'),
        ((X, Y, (1, 2, 3)), {}, ValueError, 'degree must be "auto" or a pair'),
        ((X, Y, (1.5, 2)), {}, ValueError, 'degree must be "auto" or a pair'),
        ((X, Y, (-1, 2)), {}, ValueError, 'degree must be "auto" or a pair'),
        ((X, Y, 4), {}, ValueError, 'degree must be "auto" or a pair'),
        ((X[:4], Y[:4], (2, 2)), {}, ValueError, "x has 4 different values .* 5 parameters"),
        (
            (np.repeat(X[:3], 9), np.arange(27.0), (2, 2)),
            {},
            ValueError,
            "x has 3 different values with a finite y, but degree .* has 5 parameters",
        ),
        ((X, Y), {"init": fit_rational(X, Y, (0, 1))}, ValueError, "init is for a degree"),
        ((X, Y, (0, 1)), {"init": [1.0]}, TypeError, "init must be a Rational, not list"),
        (
            (X, Y, (0, 1)),
            {"init": Rational([1.0], [1.0, 0.0, 1.0], (-1.0, 1.0))},
            ValueError,
            "init has degree",
        ),
    ],
)
def test_errors(arguments, options, error, message):
    with pytest.raises(error, match=message):
        fit_rational(*arguments, **options)


def test_a_start():
    true = Rational([1.0], [-0.7, 2.0], (-2.0, 2.0))  # on another interval
    fit = fit_rational(X, Y, (0, 1), init=true)
    plain = fit_rational(X, Y, (0, 1))
    assert fit.sse == pytest.approx(plain.sse, rel=1e-9)
    assert fit.real_poles == pytest.approx(plain.real_poles, abs=1e-12)
    assert fit_rational(X, Y, (1, 2), init=plain).sse < plain.sse


def test_the_same_seed_gives_the_same_bits():
    x = np.random.default_rng(0).uniform(-1.0, 1.0, 30_000)
    y = 1.0 / (x - 0.31) + np.random.default_rng(1).normal(0.0, 1e-2, 30_000)
    one, other = (fit_rational(x, y, (1, 2), seed=7) for _ in range(2))
    np.testing.assert_array_equal(one.numerator, other.numerator)
    np.testing.assert_array_equal(one.denominator, other.denominator)


def test_arguments_are_not_changed():
    x, y, sigma = X.copy(), Y.copy(), np.full(60, 1e-3)
    fit = fit_rational(x, y, sigma=sigma)
    np.testing.assert_array_equal((x, y, sigma), (X, Y, np.full(60, 1e-3)))
    with pytest.raises(ValueError, match="read-only"):
        fit.numerator[0] = 1.0


@pytest.mark.parametrize("rows", range(2, 9))
def test_few_rows(rows):
    x = np.linspace(-1.0, 1.0, rows)
    y = np.random.default_rng(rows).normal(size=rows)
    fit = fit_rational(x, y)
    assert fit.record.parameters <= max(rows // 3, 2)
    assert np.isfinite(fit(x)).all()
    full = fit_rational(x, y, (rows - 1, 0))
    np.testing.assert_allclose(full(x), y, atol=1e-9)
    assert full.dof == 0
    assert np.isnan(full.stderr.coefficients.numerator).all()
    assert any("as many parameters as rows" in each for each in full.warnings)


def test_notes():
    assert fit_rational(X, Y, (0, 1), sigma=1e-3).warnings == ()
    [note] = fit_rational(X, Y, (0, 1), sigma=1e-3 / 40.0).warnings
    assert "× σ: a higher degree is likely, or sigma is too small" in note
    size = float(note.split("are ")[1].split("×")[0])
    assert 30.0 < size < 50.0
    [note] = fit_rational(X, Y, (0, 1), sigma=1e-2).warnings
    assert "sigma is too large, or the degree too high" in note
    smooth = np.exp(X) + np.random.default_rng(0).normal(0.0, 1e-3, 60)
    notes = fit_rational(X, smooth, (1, 0)).warnings
    assert any("neighbouring rows have the same sign: a higher degree" in each for each in notes)
    spoiled = Y.copy()
    spoiled[50] += 0.5
    notes = fit_rational(X, spoiled).warnings
    assert any("more than 6 standard deviations off" in each for each in notes)
    high = fit_rational(X, Y, (6, 9))
    assert any("follow" in each and "lower degree" in each for each in high.warnings)


def test_the_summary():
    text = fit_rational(X, Y, (0, 1), sigma=1e-3).summary()
    lines = text.split("\n")
    assert lines[0] == "Rational function of degree 0/1 on [-1, 1]"
    assert lines[1] == "degree given"
    assert lines[2] == "60 rows; 2 parameters, 58 degrees of freedom"
    assert lines[3].startswith("χ² = ")
    assert [line.split()[0] for line in lines[5:]] == ["numerator", "denominator", "x", "poles"]
    assert "1 (fixed)" in text
    assert text.count("±") == 4
