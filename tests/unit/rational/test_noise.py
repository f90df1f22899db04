"""Noisy data: degrees, poles within their standard errors, calibration, comparison with AAA."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from support.slow import slow
from zeroproof import fit_rational


def noisy(function, low, high, rows, sigma, seed):
    rng = np.random.default_rng(seed)
    x = np.sort(rng.uniform(low, high, rows))
    return x, function(x) + rng.normal(0.0, sigma, rows)


SETS = {
    "simple pole": (lambda x: 1.0 / (x - 0.3), -1.0, 1.0, 1e-3, [0.3]),
    "tan": (np.tan, -4.0, 4.0, 1e-3, [-np.pi / 2, np.pi / 2]),
    "arm": (lambda x: np.cos(0.7 + x) / np.sin(x), -0.6, 0.6, 1e-3, [0.0]),
    "damped": (lambda x: np.sin(x) / (np.sin(x) ** 2 + 0.05**2), -0.6, 0.6, 1e-2, []),
    "coth": (lambda x: 1.0 / np.tanh(5.0 * x), -1.0, 1.0, 1e-2, [0.0]),
    "runge": (lambda x: 1.0 / (1.0 + 25.0 * x * x), -1.0, 1.0, 1e-2, []),
}


@pytest.mark.parametrize("name", SETS)
def test_poles_without_a_spurious_one(name):
    function, low, high, sigma, poles = SETS[name]
    x, y = noisy(function, low, high, 400, sigma, 0)
    fit = fit_rational(x, y)
    assert not fit.record.exact
    inside = (fit.poles.imag == 0.0) & (fit.poles.real > low) & (fit.poles.real < high)
    assert np.count_nonzero(inside) == len(poles)
    off = np.abs(fit.poles.real[inside] - poles)
    assert (off <= 6.0 * fit.stderr.poles.real[inside]).all()
    at = np.random.default_rng(9).uniform(low, high, 500)
    true = function(at)
    size = np.maximum(np.abs(true), np.median(np.abs(true)))
    assert np.sqrt(np.mean(((fit(at) - true) / size) ** 2)) < sigma


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_no_worse_than_aaa_with_the_best_tolerance(name):
    interpolate = pytest.importorskip("scipy.interpolate")
    if not hasattr(interpolate, "AAA"):
        pytest.skip("SciPy before 1.15 has no AAA")
    function, low, high, sigma, _ = SETS[name]
    x, y = noisy(function, low, high, 150, sigma, 3)
    at = np.random.default_rng(10).uniform(low, high, 500)
    true = function(at)
    size = np.maximum(np.abs(true), np.median(np.abs(true)))

    def error(found):
        return np.sqrt(np.mean(((found - true) / size) ** 2))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = min(
            error(interpolate.AAA(x, y, rtol=t, clean_up=c, max_terms=40)(at))
            for t in 10.0 ** np.arange(-7.0, 0.0)
            for c in (True, False)
        )
    assert error(fit_rational(x, y)(at)) <= theirs


@pytest.mark.parametrize(
    ("degree", "function"),
    [
        ((0, 1), lambda x: 1.0 / (x - 0.31)),
        *slow(
            ((1, 0), lambda x: 1.0 + x),
            ((0, 2), lambda x: 1.0 / ((x - 0.2) ** 2 + 0.04)),
            ((2, 2), lambda x: x * x / ((x - 0.2) * (x + 2.0))),
        ),
    ],
)
def test_the_true_degree_is_found(degree, function):
    found = [fit_rational(*noisy(function, -1.0, 1.0, 150, 1e-3, seed)).degree for seed in range(8)]
    # BIC is right with a probability that is near 1 but not 1.
    assert found.count(degree) >= 7


def test_aic_allows_more_parameters():
    x, y = noisy(np.exp, -1.0, 1.0, 100, 1e-2, 0)
    bic, aic = fit_rational(x, y), fit_rational(x, y, criterion="aic")
    assert bic.record.parameters <= aic.record.parameters
    assert "smallest BIC" in bic.record.choice
    assert "smallest AIC" in aic.record.choice


@pytest.mark.slow
def test_pole_standard_errors_are_those_of_repeated_measurements():
    x = np.linspace(-1.0, 1.0, 100)
    true = (1.0 + x) / ((x - 0.315) * (x * x + 0.5))
    scores = []
    for seed in range(60):
        y = true + np.random.default_rng(seed).normal(0.0, 0.1, len(x))
        fit = fit_rational(x, y, (1, 3))
        k = np.argmin(np.abs(fit.poles - 0.315))
        pair = np.argmin(np.abs(fit.poles - 1j * np.sqrt(0.5)))
        errors, residues = fit.stderr.poles, fit.stderr.residues
        scores.append(
            [
                (fit.poles[k].real - 0.315) / errors[k].real,
                (fit.residues[k].real - 1.315 / (0.315**2 + 0.5)) / residues[k].real,
                fit.poles[pair].real / errors[pair].real,
                (fit.poles[pair].imag - np.sqrt(0.5)) / errors[pair].imag,
                (fit(0.1) - 1.1 / (-0.215 * 0.51)) / fit.standard_error(0.1),
            ]
        )
    spread = np.sqrt(np.mean(np.square(scores), axis=0))
    # Five deviations of the root of a mean of 60 squares of normal numbers: 5/√120.
    assert np.abs(spread - 1.0).max() < 0.46


def test_sigma_weights_rows_and_gives_absolute_errors():
    x = np.linspace(-1.0, 1.0, 200)
    sigma = np.where(x < 0.0, 1e-1, 1e-4)
    y = 1.0 / (x - 0.315) + np.random.default_rng(0).normal(0.0, sigma)
    fit = fit_rational(x, y, (0, 1), sigma=sigma)
    double = fit_rational(x, y, (0, 1), sigma=2.0 * sigma)
    assert fit.sse == pytest.approx(fit.dof, abs=5.0 * np.sqrt(2.0 * fit.dof))
    assert double.sse == pytest.approx(fit.sse / 4.0, rel=1e-9)
    np.testing.assert_allclose(double.covariance, 4.0 * fit.covariance, rtol=1e-6)
    free = fit_rational(x, y, (0, 1))
    assert fit.stderr.poles[0].real < free.stderr.poles[0].real


@pytest.mark.slow
def test_very_many_rows():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1.0, 1.0, 200_000)
    y = (x**3 + 1.0) / ((x - 0.3) * (x + 2.0)) + rng.normal(0.0, 1e-2, len(x))
    fit = fit_rational(x, y, (3, 2))
    assert fit.sse / fit.dof == pytest.approx(1e-4, rel=0.02)
    off = np.abs(fit.poles.real - [-2.0, 0.3])
    assert (off < 6.0 * fit.stderr.poles.real).all()
    auto = fit_rational(x, y)
    assert "on 5000 of the rows" in auto.record.choice
    assert auto.record.rows == len(x)


def test_the_result_does_not_depend_on_the_order_of_rows():
    x, y = noisy(np.tan, -4.0, 4.0, 200, 1e-3, 1)
    order = np.random.default_rng(2).permutation(len(x))
    one, other = fit_rational(x, y), fit_rational(x[order], y[order])
    assert one.degree == other.degree
    np.testing.assert_allclose(one.sse, other.sse, rtol=1e-9)


def test_repeated_x():
    x, y = noisy(lambda x: 1.0 / (x - 0.3), -1.0, 1.0, 100, 1e-3, 1)
    fit = fit_rational(np.repeat(x, 2), np.concatenate([y, y]).reshape(2, -1).T.ravel())
    assert fit.degree[1] >= 1
    assert np.abs(fit.real_poles - 0.3).min() < 1e-4
