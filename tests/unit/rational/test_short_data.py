"""Few rows: every degree that they allow is tried, and noise is not followed."""

from __future__ import annotations

import numpy as np
import pytest

from support.slow import slow
from zeroproof import fit_rational


@pytest.mark.parametrize(
    ("degree", "function"),
    [
        ((0, 0), lambda x: 0.0 * x + 2.0),
        ((1, 0), lambda x: 3.0 * x - 1.0),
        ((2, 0), lambda x: x**2),
        ((5, 0), lambda x: x**5 - x),
        ((0, 1), lambda x: 1.0 / (x + 2.5)),
        ((2, 1), lambda x: (x**2 + 3.0 * x + 1.0) / (x + 2.5)),
        ((0, 3), lambda x: 1.0 / (x**3 + x + 5.0)),
        ((2, 2), lambda x: (x**2 - 7.0) / (x**2 + x + 1.0)),
    ],
)
@pytest.mark.parametrize("spare", [1, 2, 3])
def test_exact_data_with_few_degrees_of_freedom(degree, function, spare):
    rows = sum(degree) + 1 + spare
    x = np.arange(float(rows))
    fit = fit_rational(x, function(x))
    assert fit.degree == degree
    assert fit.record.exact
    assert fit.dof == spare
    between = x[:-1] + 0.4
    np.testing.assert_allclose(fit(between), function(between), rtol=1e-8)


def test_smooth_data_get_a_degree_that_follows_them():
    x = np.linspace(-1.0, 1.0, 8)
    fit = fit_rational(x, np.exp(x))
    assert np.abs(fit(x + 0.0) - np.exp(x)).max() < 1e-3
    between = np.linspace(-0.9, 0.9, 31)
    assert np.abs(fit(between) - np.exp(between)).max() < 1e-3


@pytest.mark.parametrize("rows", [6, *slow(5, 8, 10, 12, 14)])
def test_noise_alone_is_not_followed(rows):
    wrong = 0
    for seed in range(20):
        rng = np.random.default_rng([rows, seed])
        fit = fit_rational(np.linspace(-1.0, 1.0, rows), 10.0 + rng.normal(size=rows))
        assert not fit.record.exact
        wrong += fit.record.parameters > rows // 2
    assert wrong <= 1


def test_a_degree_that_may_be_too_low_is_told():
    fit = fit_rational([0.0, 1.0], [1.0, 3.0])
    assert fit.degree == (0, 0)
    assert any("2 rows allow no higher degree" in warning for warning in fit.warnings)
    x = np.linspace(-1.0, 1.0, 8)
    fit = fit_rational(x, np.exp(5.0 * x), loss="huber")  # which allows three parameters
    assert fit.record.parameters == 3
    assert any("the degree is the highest that is tried" in each for each in fit.warnings)


def test_known_noise_says_which_of_the_degrees_are_enough():
    x = np.linspace(-1.0, 1.0, 9)
    y = np.exp(3.0 * x) / (x - 1.5) + np.random.default_rng(3).normal(size=9) * 1e-4
    fit = fit_rational(x, y, sigma=1e-4)
    assert fit.sse < 20.0
    assert fit.warnings == ()
    worse = fit_rational(x, np.abs(x), sigma=1e-9)
    assert any("a higher degree is likely" in each for each in worse.warnings)


@pytest.mark.parametrize("loss", ["soft_l1", "huber", "cauchy"])
def test_robust_losses_on_few_rows(loss):
    x = np.arange(9.0)
    fit = fit_rational(x, x**2, loss=loss)
    assert fit.degree == (2, 0)
    np.testing.assert_allclose(fit(x + 0.5), (x + 0.5) ** 2, rtol=1e-6)
