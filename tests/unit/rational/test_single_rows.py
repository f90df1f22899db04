"""Single rows that are far off choose no degree, wherever they are; nor do rounding errors."""

from __future__ import annotations

import numpy as np
import pytest

from support.slow import slow
from zeroproof import fit_rational

ROBUST = ["soft_l1", "huber", "cauchy"]
X = np.linspace(-1.0, 1.0, 60)
EXACT = {
    (1, 0): 3.0 * X + 1.0,
    (0, 1): 1.0 / (X - 0.305),
    (2, 2): (X**2 - 7.0) / (X**2 + X + 1.0),
    (2, 0): X**2,
}


@pytest.mark.parametrize("place", [0, 10, -1])
@pytest.mark.parametrize("noise", [0.0, *slow(0.01)])
def test_a_spike_is_not_followed(place, noise):
    y = 5.0 + noise * np.random.default_rng(0).normal(size=40)
    y[place] += 1.0
    fit = fit_rational(np.arange(40.0), y)
    assert fit.degree == (0, 0)
    assert any("1 row lies more than 6 standard deviations off" in each for each in fit.warnings)


@pytest.mark.parametrize("pole", [1.01, 1.001])
def test_a_pole_beside_the_last_row_is(pole):
    y = 1.0 / (X - pole) + 0.01 * np.random.default_rng(0).normal(size=60)
    fit = fit_rational(X, y)
    assert fit.degree == (0, 1)
    assert abs(fit.real_poles[0] - pole) < 6.0 * fit.stderr.poles[0].real


@pytest.mark.parametrize("degree", EXACT)
@pytest.mark.parametrize("loss", ROBUST)
@pytest.mark.parametrize("given", [False, True])
def test_robust_losses_find_that_there_is_no_noise(degree, loss, given):
    fit = fit_rational(X, EXACT[degree], degree if given else "auto", loss=loss)
    assert fit.degree == degree
    assert fit.record.exact
    assert fit.warnings == ()
    plain = fit_rational(X, EXACT[degree], degree)
    np.testing.assert_array_equal(fit.numerator, plain.numerator)
    np.testing.assert_array_equal(fit.stderr.poles, plain.stderr.poles)


@pytest.mark.parametrize("degree", EXACT)
def test_outliers_among_rows_without_noise(degree):
    y = EXACT[degree].copy()
    y[[7, 31, 50]] += [4.0, -7.0, 11.0]
    fit = fit_rational(X, y, loss="cauchy")
    assert fit.degree == degree
    assert fit.record.exact
    assert fit.warnings == ("3 rows are off and left to the loss as outliers",)
    kept = np.delete(np.arange(60), [7, 31, 50])
    np.testing.assert_allclose(fit(X[kept]), y[kept], rtol=1e-11)


@pytest.mark.parametrize("sigma", [1e-16, 1e-18, 1e-300])
@pytest.mark.parametrize("degree", EXACT)
def test_a_sigma_below_rounding_errors(degree, sigma):
    fit = fit_rational(X, EXACT[degree], sigma=sigma)
    assert fit.degree == degree
    assert fit.record.exact
    assert all("sigma is below the rounding errors of y" in each for each in fit.warnings)
