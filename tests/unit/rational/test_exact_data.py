"""Data without noise: poles to rounding errors, and the smallest degree that gives them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from zeroproof import fit_rational
from zeroproof.learn.robotics import two_link_arm

#: What was asked of these fits.
POLE_ERROR = 1e-12


def real_poles_within(fit, x):
    return fit.real_poles[(fit.real_poles > x.min()) & (fit.real_poles < x.max())]


def gamma(x):
    return np.array([math.gamma(each) for each in x.tolist()])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("function", "low", "high", "poles"),
    [
        (np.tan, -4.0, 4.0, [-np.pi / 2, np.pi / 2]),
        (gamma, -3.5, 4.5, [-3.0, -2.0, -1.0, 0.0]),
        (lambda x: 1.0 / (x - 0.3), -1.0, 1.0, [0.3]),
        (lambda x: np.exp(x) / (x - 1e-3), -1.0, 1.0, [1e-3]),
    ],
)
def test_poles(function, low, high, poles, seed):
    x = np.random.default_rng(seed).uniform(low, high, 400)
    fit = fit_rational(x, function(x))
    assert fit.record.exact
    found = real_poles_within(fit, x)
    assert len(found) == len(poles)
    assert np.abs(found - poles).max() <= POLE_ERROR


def test_the_arm():
    data = two_link_arm()
    fit = fit_rational(data.x, data.y)
    assert fit.record.exact
    assert fit.record.marked == 1  # the sample in the singular pose
    [pole] = real_poles_within(fit, data.x)
    assert abs(pole) <= POLE_ERROR
    usable = data.usable
    without = fit_rational(data.x[usable], data.y[usable])
    [pole] = real_poles_within(without, data.x)
    assert abs(pole) <= POLE_ERROR


@pytest.mark.parametrize(
    ("degree", "function"),
    [
        ((0, 0), lambda x: np.full_like(x, 7.0)),
        ((0, 0), lambda x: np.zeros_like(x)),
        ((1, 0), lambda x: 3.0 * x - 1.0),
        ((4, 0), lambda x: x**4 - x),
        ((0, 1), lambda x: 1.0 / (x - 0.3)),
        ((0, 2), lambda x: 1.0 / (x * x + 0.25)),
        ((1, 3), lambda x: (x - 2.0) / ((x - 0.1) * (x - 3.0) * (x + 1.5))),
        ((3, 2), lambda x: (x**3 + 1.0) / (x * x - 0.04)),
    ],
)
def test_the_smallest_degree(degree, function):
    x = np.random.default_rng(1).uniform(-1.0, 1.0, 60)
    y = function(x)
    fit = fit_rational(x, y)
    assert fit.record.exact
    assert fit.degree == degree
    assert fit.warnings == ()
    assert np.abs((fit(x) - y) / np.hypot(1.0, y) / np.hypot(1.0, fit(x))).max() < 1e-14


@pytest.mark.parametrize("scale", [1e-300, 1e-20, 1e20, 1e300])
def test_any_scale(scale):
    x = np.linspace(-1.0, 1.0, 50)
    fit = fit_rational(x, scale / (x - 0.31))
    assert fit.degree == (0, 1)
    assert fit.poles == pytest.approx([0.31], abs=1e-12)
    assert fit.residues.real == pytest.approx([scale], rel=1e-12)
    fit = fit_rational(x / scale, 1.0 / (x - 0.31))
    assert fit.poles.real * scale == pytest.approx([0.31], abs=1e-12)
    assert "poles" in fit.summary()


def test_far_from_zero():
    x = np.linspace(1e6, 1e6 + 1.0, 50)
    fit = fit_rational(x, 1.0 / (x - 1e6 - 0.25))
    assert fit.real_poles == pytest.approx([1e6 + 0.25], abs=1e-9)


def test_a_double_pole_is_a_pair_close_together():
    x = np.linspace(-1.0, 1.0, 50)
    fit = fit_rational(x, 1.0 / (x - 0.31) ** 2)
    assert fit.degree == (0, 2)
    assert np.abs(fit.poles - 0.31).max() < 1e-7  # the root of the rounding error


def test_a_row_that_the_search_left_out():
    """Only some of many rows choose the degree, and a wrong one among the others is no news."""
    x = np.linspace(-1.0, 1.0, 20_000)
    y = 1.0 / (x - 0.3037)
    assert fit_rational(x, y).record.choice.endswith("that fits up to rounding errors")
    y[1] += 0.1
    fit = fit_rational(x, y)
    assert not fit.record.exact
    assert fit.record.choice.endswith("that fits 5000 of the rows up to rounding errors")
