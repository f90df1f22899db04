"""Intervals without a pole: for certain, at every point, whatever the data say."""

from __future__ import annotations

import functools
from fractions import Fraction

import numpy as np
import pytest

from support.slow import slow
from zeroproof import fit_rational
from zeroproof.fitting._losses import Loss
from zeroproof.rational._pole_free import has_poles, vanishes

X = np.linspace(-1.0, 1.0, 80)
NOISE = 0.01 * np.random.default_rng(0).normal(size=80)


def sign_changes(sequence, at):
    values = [sum(c * at**k for k, c in enumerate(p)) for p in sequence]
    signs = [value > 0 for value in values if value != 0]
    return sum(a != b for a, b in zip(signs, signs[1:]))


def roots_between(fit, low, high):
    """How many different real roots Q has there, by Sturm's theorem in exact arithmetic."""
    first = in_powers_of_u(fit.denominator)
    sequence = [first, [k * c for k, c in enumerate(first)][1:]]
    while len(sequence[-1]) > 1:
        rest = remainder(sequence[-2], sequence[-1])
        if not rest:
            break
        sequence.append([-c for c in rest])
    centre, half = (Fraction(each) for each in (fit._units.centre, fit._units.half))
    ends = [(Fraction(end) - centre) / half for end in (low, high)]
    return sign_changes(sequence, ends[0]) - sign_changes(sequence, ends[1])


def in_powers_of_u(coefficients):
    exact = [Fraction(float(c)) for c in coefficients]
    basis = [[Fraction(1)], [Fraction(0), Fraction(1)]]
    while len(basis) < len(exact):
        twice = [Fraction(0), *(2 * c for c in basis[-1])]
        for k, c in enumerate(basis[-2]):
            twice[k] -= c
        basis.append(twice)
    total = [Fraction(0)] * len(exact)
    for c, polynomial in zip(exact, basis):
        for k, each in enumerate(polynomial):
            total[k] += c * each
    while len(total) > 1 and total[-1] == 0:
        total.pop()
    return total


def remainder(top, bottom):
    top = list(top)
    while len(top) >= len(bottom):
        factor = top[-1] / bottom[-1]
        shift = len(top) - len(bottom)
        for k, c in enumerate(bottom):
            top[shift + k] -= factor * c
        top.pop()
    while top and top[-1] == 0:
        top.pop()
    return top


FUNCTIONS = {
    "exp": np.exp(X) + NOISE,
    "pole": 1.0 / (X - 0.303) + NOISE,
    "poles": 1.0 / (X - 0.303) + 1.0 / (X + 0.505) + NOISE,
    "step": np.sign(X) + NOISE,
    "noise": NOISE,
}
USUAL = ["exp", "poles"]


def test_the_test_finds_roots():
    fit = fit_rational(X, 1.0 / (X - 0.303), (0, 1))
    assert roots_between(fit, -1.0, 1.0) == 1
    assert roots_between(fit, 0.31, 1.0) == 0


@functools.cache
def unrestricted(name, degree):
    return fit_rational(X, FUNCTIONS[name], degree)


@pytest.mark.parametrize(
    "name", [*USUAL, *slow(*(each for each in FUNCTIONS if each not in USUAL))]
)
@pytest.mark.parametrize("degree", [(1, 1), (2, 2), pytest.param((3, 5), marks=pytest.mark.slow)])
@pytest.mark.parametrize("intervals", [[(-1.0, 1.0)], [(-0.6, -0.4), (0.2, 0.4)], [(0.0, 3.0)]])
def test_there_is_none(name, degree, intervals):
    fit = fit_rational(X, FUNCTIONS[name], degree, pole_free=intervals)
    assert fit.degree == degree
    for low, high in intervals:
        assert roots_between(fit, low, high) == 0
    told = [each for each in fit.warnings if "the best fit has a pole in pole_free" in each]
    plain = unrestricted(name, degree)
    had_some = any(roots_between(plain, low, high) for low, high in intervals)
    assert bool(told) == had_some
    if not told:
        assert fit.sse == plain.sse
    has_errors = np.isfinite(fit.stderr.chebyshev.numerator).all()
    assert has_errors == (not any("no standard errors" in each for each in told))


def cost(fit, y, loss, scale):
    residuals = fit(X) - y
    if loss == "chordal":
        s = np.median(np.abs(y))
        return np.sum(residuals**2 / (1.0 + (fit(X) / s) ** 2) / (1.0 + (y / s) ** 2))
    return Loss(loss, scale).cost(residuals)


@pytest.mark.parametrize("loss", ["linear", "cauchy", "chordal", *slow("soft_l1", "huber")])
def test_losses(loss):
    """A polynomial of the degree of the numerator has no pole, so it is no better."""
    y = FUNCTIONS["exp"].copy()
    y[::10] += 3.0
    f_scale = {} if loss in ("linear", "chordal") else {"f_scale": 0.03}
    fit = fit_rational(X, y, (3, 3), loss=loss, pole_free=True, **f_scale)
    assert roots_between(fit, -1.0, 1.0) == 0
    assert any("the best fit has a pole in pole_free" in each for each in fit.warnings)
    polynomial = fit_rational(X, y, (3, 0), loss=loss, **f_scale)
    assert cost(fit, y, loss, 0.03) <= cost(polynomial, y, loss, 0.03)


def test_outliers_make_no_pole():
    y = FUNCTIONS["exp"].copy()
    y[::10] += 3.0
    fit = fit_rational(X, y, (3, 3), loss="cauchy", pole_free=True)
    assert roots_between(fit, -1.0, 1.0) == 0
    assert np.median(np.abs(fit(X) - np.exp(X))) < 0.01  # the noise


@pytest.mark.slow
def test_outliers_make_no_pole_in_a_search():
    rng = np.random.default_rng(3)
    x = np.sort(rng.uniform(-1.0, 1.0, 200))
    true = 1.0 / (1.0 + 25.0 * x**2)
    y = true + 0.01 * rng.normal(size=200) + (rng.random(200) < 0.05) * rng.normal(0.0, 5.0, 200)
    fit = fit_rational(x, y, loss="cauchy", pole_free=True)
    assert roots_between(fit, x[0], x[-1]) == 0
    assert np.abs(fit(x) - true).max() < 0.01


def test_a_pole_outside_is_kept_and_one_inside_becomes_a_pair():
    fit = fit_rational(X, FUNCTIONS["poles"] - NOISE, (3, 3), pole_free=[(0.0, 1.0)])
    assert fit.real_poles == pytest.approx([-0.505], abs=1e-3)
    pair = fit.poles[fit.poles.imag != 0.0]
    assert pair.real == pytest.approx([0.303, 0.303], abs=1e-3)
    assert fit.sse < 1.0


def test_the_search_refuses_degrees_with_a_pole_there():
    y = np.exp(X) + NOISE
    fit = fit_rational(X, y, pole_free=[(-1.0, 1.0)])
    assert roots_between(fit, -1.0, 1.0) == 0
    assert np.abs(fit(X) - np.exp(X)).max() < 0.02


@pytest.mark.slow
def test_the_search_refuses_degrees_of_exact_data_too():
    fit = fit_rational(X, 1.0 / (X - 0.303), pole_free=[(-1.0, 1.0)])
    assert roots_between(fit, -1.0, 1.0) == 0
    assert not fit.record.exact
    assert fit.warnings


def test_poles_that_the_data_state():
    x, y = np.append(X, 0.303), np.append(FUNCTIONS["poles"], np.inf)
    fit = fit_rational(x, y, (3, 3), pole_free=[(-1.0, 0.0)])
    assert roots_between(fit, -1.0, 0.0) == 0
    assert np.abs(fit.real_poles - 0.303).min() < 1e-12
    with pytest.raises(ValueError, match=r"pole_free contains x = 0.303, where y is ±inf"):
        fit_rational(x, y, (3, 3), pole_free=[(0.0, 1.0)])


def test_the_range_of_the_data():
    x = np.array([0.1, 0.4, 0.5, 0.8, 1.3, 2.7])
    y = np.array([1.0, -3.0, 2.0, 0.5, -7.0, 1.0])
    fit = fit_rational(x, y, (1, 2), pole_free=True)
    assert roots_between(fit, 0.1, 2.7) == 0
    assert roots_between(fit_rational(x, y, (1, 2)), 0.1, 2.7) > 0
    for nothing in (None, False, []):
        assert fit_rational(x, y, (1, 2), pole_free=nothing).real_poles.size


def test_intervals_far_from_the_units_of_x():
    x = np.linspace(1e6, 1e6 + 1.0, 50)
    y = 1.0 / (x - 1e6 - 0.303)
    fit = fit_rational(x, y, (2, 2), pole_free=[(1e6 + 0.2, 1e6 + 0.4), (1e6 + 0.3, 1e6 + 0.6)])
    assert roots_between(fit, 1e6 + 0.2, 1e6 + 0.6) == 0
    far = fit_rational(x, y, (2, 2), pole_free=[(0.0, 1e6 - 5.0)])
    assert roots_between(far, 0.0, 1e6 - 5.0) == 0
    assert np.abs(far.real_poles - 1e6 - 0.303).min() < 1e-9


@pytest.mark.parametrize(
    "given", [(-1e300, 1e300), (0.0, 1e300), (-1e299, 0.0), (0.0, 1.7e308), (0.0, 1e6)]
)
def test_intervals_too_far_from_the_data(given):
    x = np.linspace(0.0, 1e-10, 50)
    with pytest.raises(ValueError, match="pole_free is too far from the data"):
        fit_rational(x, np.exp(1e10 * x), (1, 1), pole_free=[given])


def test_an_interval_far_from_the_data():
    x = np.linspace(0.0, 1e-10, 50)
    fit = fit_rational(x, np.exp(1e10 * x), (1, 1), pole_free=[(-1.0, 1e4)])
    assert roots_between(fit, -1.0, 1e4) == 0


def test_a_pole_in_the_gap_is_kept():
    y = FUNCTIONS["pole"]
    fit = fit_rational(X, y, (1, 3), pole_free=[(-1.0, 0.2), (0.4, 1.0)])
    assert np.abs(fit.real_poles - 0.303).min() < 1e-4
    assert roots_between(fit, -1.0, 0.2) == roots_between(fit, 0.4, 1.0) == 0


@pytest.mark.slow
def test_many_rows():
    x = np.linspace(-1.0, 1.0, 30_000)
    y = np.exp(x) + np.random.default_rng(1).normal(0.0, 0.01, len(x))
    fit = fit_rational(x, y, (3, 3), pole_free=True)
    assert roots_between(fit, -1.0, 1.0) == 0
    assert fit.sse / fit.dof == pytest.approx(1e-4, rel=5.0 * np.sqrt(2.0 / len(x)))


def test_a_degree_that_must_have_a_pole_there():
    x = np.array([0.0, 1.0, 2.0, 3.0, 4.0, np.pi])
    y = np.array([1.0, 2.0, -3.0, 5.0, 1.0, np.inf])
    with pytest.raises(ValueError, match=r"pole_free contains x = 3.14159, where y is ±inf"):
        fit_rational(x, y, (1, 1), pole_free=True)


def test_the_exact_count():
    whole = ((-1.0, 1.0),)
    assert vanishes(np.array([0.0, 1.0]), whole)
    assert not vanishes(np.array([0.0, 1.0]), ((1e-9, 1.0),))
    assert vanishes(np.array([0.5, 0.0, 0.5]), whole)  # u², a double root
    assert not vanishes(np.array([0.5 + 1e-9, 0.0, 0.5]), whole)
    assert vanishes(np.array([0.5 + 1e-16, 0.0, 0.5]), whole)  # values are rounding errors there
    assert not vanishes(np.array([-2.0]), whole)
    between = np.polynomial.chebyshev.chebfromroots([0.5, 0.5000001])
    assert vanishes(between, whole)
    assert not vanishes(between, ((-1.0, 0.4999), (0.5001, 3.0)))


def test_values_at_extrema_find_roots():
    assert has_poles(np.array([0.0, 1.0]), ((-1.0, 1.0),))
    assert not has_poles(np.array([0.0, 1.0]), ((0.1, 1.0),))
    assert has_poles(np.array([0.5, 0.0, 0.5]), ((-1.0, 1.0),))  # u², which touches zero
    assert not has_poles(np.array([0.5 + 1e-9, 0.0, 0.5]), ((-1.0, 1.0),))
    assert not has_poles(np.array([2.0]), ((-1.0, 1.0),))


@pytest.mark.parametrize(
    ("given", "error", "what"),
    [
        (3, TypeError, "pole_free must be True"),
        ((0.0, 1.0), TypeError, "pole_free must be True"),
        ([("a", "b")], TypeError, "pole_free must be True"),
        ([("0", "1")], TypeError, "pole_free must be True"),
        (["12"], TypeError, r"pole_free must be True.* not \['12'\]"),
        ([b"12"], TypeError, "pole_free must be True"),
        ("12", TypeError, "pole_free must be True"),
        ([(1.0, 0.0)], ValueError, "finite low < high"),
        ([(0.0, np.inf)], ValueError, "finite low < high"),
    ],
)
def test_intervals_that_are_none(given, error, what):
    with pytest.raises(error, match=what):
        fit_rational(X, FUNCTIONS["exp"], (2, 2), pole_free=given)
