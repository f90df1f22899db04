"""Numbers near the ends of the range of doubles: results or a sentence, no warning of NumPy."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from support.slow import slow
from zeroproof import Rational, fit_rational

X = np.linspace(-1.0, 1.0, 40)
NOISE = 0.1 * np.random.default_rng(0).normal(size=40)
Y = 1.0 / (X - 0.303) + NOISE


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.parametrize("scale", [1e-320, 1e306, *slow(1e-308, 1e-200, 1e200)])
def test_y(scale):
    fit = fit_rational(X, scale * Y)
    assert fit.real_poles == pytest.approx([0.303], abs=1e-3)
    assert "sum of squares beyond the range of doubles" in fit.summary()
    deviation = np.std(Y - fit_rational(X, Y)(X))
    if scale > 1e-320:
        assert fit.record.scale / scale == pytest.approx(deviation, rel=1e-2)


@pytest.mark.parametrize("loss", ["soft_l1", "huber", "cauchy", "chordal"])
@pytest.mark.parametrize("scale", [1e-300, 1e17, 1e160, 1e300])
def test_losses(loss, scale):
    fit = fit_rational(X, scale * Y, (0, 1), loss=loss)
    plain = fit_rational(X, Y, (0, 1), loss=loss)
    assert fit.poles == pytest.approx(plain.poles, rel=1e-9)
    assert fit.stderr.poles == pytest.approx(plain.stderr.poles, rel=1e-6)


@pytest.mark.parametrize("scale", [1e-308, 1e-200, 1e200, 1e307])
def test_x(scale):
    fit = fit_rational(scale * X, 1.0 / (X - 0.303))
    assert fit.degree == (0, 1)
    assert fit.real_poles / scale == pytest.approx([0.303], abs=1e-12)
    assert "poles" in fit.summary()


def test_x_without_digits_is_told():
    fit = fit_rational(1e-320 * X, 1.0 / (X - 0.303))
    assert any("give x in another unit" in warning for warning in fit.warnings)
    with pytest.raises(OverflowError, match="fit x in another unit"):
        fit.derivative()


@pytest.mark.parametrize("sigma", [1e-320, 1e-300, 1e-20])
def test_sigma_below_rounding_errors_is_told(sigma):
    fit = fit_rational(X, 1.0 / (X - 0.303), (0, 1), sigma=sigma)
    assert fit.real_poles == pytest.approx([0.303], abs=1e-12)
    assert any("sigma is below the rounding errors of y in 40 rows" in w for w in fit.warnings)


def test_a_large_sigma():
    fit = fit_rational(X, Y, (0, 1), sigma=1e300)
    plain = fit_rational(X, Y, (0, 1), sigma=1.0)
    assert fit.real_poles == pytest.approx(plain.real_poles, rel=1e-12)
    error = plain.stderr.residues.real * 1e300
    assert fit.stderr.residues.real == pytest.approx(error, rel=1e-9)


@pytest.mark.slow
def test_functions_that_no_rational_is():
    fit_rational(X, (np.abs(X) < 0.4) * 1.0).summary()
    y = np.full(60, 1e-3)
    y[[3, 20, 44]] = 1e3
    fit_rational(np.linspace(-1.0, 1.0, 60), y).summary()


def test_no_degrees_of_freedom_are_told():
    fit = fit_rational([0.0, 1.0, 2.0], [1.0, 2.0, 5.0], (1, 1))
    assert np.isnan(fit.stderr.poles.real).all()
    assert "nothing is known of the errors" in fit.summary()


@pytest.mark.parametrize("degree", ["auto", (0, 0), (1, 0), (1, 1)])
def test_tables_of_subnormal_numbers(degree):
    x = np.linspace(-2.0, 2.0, 60)
    found = fit_rational(x, 5e-324 * np.round(4.0 * x), degree=degree)
    assert "numerator" in found.summary()


@pytest.mark.parametrize(("unit", "word"), [(1e200, "small"), (1e-160, "large")])
def test_coefficients_that_are_no_doubles_are_shown(unit, word):
    x = np.linspace(1.0, 2.0, 30)
    y = x**3 / (x - 1.3) + 1e-3 * np.random.default_rng(0).normal(size=30)
    plain, scaled = fit_rational(x, y, (3, 1)), fit_rational(unit * x, y, (3, 1))
    line = next(each for each in scaled.summary().splitlines() if each.lstrip().startswith("x³"))
    assert line.endswith(f"(no double is so {word})")
    digits, exponent = line.split()[1].split("e")
    power = -3 * round(np.log10(unit))
    expected = float(digits) * 10.0 ** (int(exponent) - power)
    assert expected == pytest.approx(plain.coefficients.numerator[3], rel=1e-4)
    assert "inf" not in scaled.summary()


def test_coefficients_at_the_end_of_the_range_of_doubles():
    function = Rational([1.0, 2.0], [1e308, 1e308, 1.0, 13.0], (0.0, 2.0))
    bottom = function.coefficients.denominator
    assert bottom[0] == 1.0 or np.abs(bottom).max() == 1.0
    assert function.summary()


def test_a_power_of_the_denominator_that_overflows_is_named():
    function = Rational([7.0], [1.0, 0.5, 1e308], (0.0, 2.0), order=3)
    with pytest.raises(OverflowError, match="the power of Q leaves the range of doubles"):
        function.summary()
