"""Losses: those of SciPy at its minima, outliers, the scale, and chords."""

from __future__ import annotations

import numpy as np
import pytest

from support.slow import slow
from zeroproof import fit_rational

optimize = pytest.importorskip("scipy.optimize")
ROBUST = ["soft_l1", "huber", "cauchy"]


def with_outliers(seed, rows=400):
    rng = np.random.default_rng(seed)
    x = np.sort(rng.uniform(-1.0, 1.0, rows))
    y = 1.0 / (x - 0.3) + rng.normal(0.0, 1e-3, rows)
    wrong = rng.random(rows) < 0.05
    return x, y + wrong * rng.normal(0.0, 5.0, rows)


def model(b, x):
    return (b[0] + b[1] * x) / (1.0 + b[2] * x)


@pytest.mark.parametrize("loss", ["linear", *ROBUST])
@pytest.mark.parametrize("sigma", [None, 0.02])
def test_the_minimum_is_that_of_scipy(loss, sigma):
    rng = np.random.default_rng(4)
    x = np.linspace(0.0, 3.0, 80)
    y = (1.0 + 2.0 * x) / (1.0 + x) + rng.normal(0.0, 0.02, 80)
    y[::16] += 0.5
    f_scale = {} if loss == "linear" else {"f_scale": 0.03 if sigma is None else 1.5}
    fit = fit_rational(x, y, (1, 1), loss=loss, sigma=sigma, **f_scale)
    unit = 1.0 if sigma is None else sigma
    theirs = optimize.least_squares(
        lambda b: (model(b, x) - y) / unit,
        [1.0, 2.0, 1.0],
        loss=loss,
        xtol=1e-15,
        ftol=1e-15,
        gtol=1e-15,
        **f_scale,
    )
    found = np.append(fit.coefficients.numerator, fit.coefficients.denominator[1])
    np.testing.assert_allclose(found, theirs.x, rtol=1e-6)
    np.testing.assert_allclose(fit(x), model(theirs.x, x), rtol=1e-7)


@pytest.mark.parametrize("seed", [0, *slow(1, 2, 3, 4)])
def test_outliers(seed):
    x, y = with_outliers(seed)
    fit = fit_rational(x, y, loss="cauchy")
    assert fit.degree == (0, 1)
    assert abs(fit.real_poles[0] - 0.3) < 1e-7
    assert abs(fit.real_poles[0] - 0.3) < 6.0 * fit.stderr.poles[0].real
    assert 0.5e-3 < fit.record.scale < 2e-3  # plain squares give about 1


@pytest.mark.parametrize("loss", ROBUST)
def test_robust_losses_are_closer_than_squares(loss):
    x, y = with_outliers(1)
    at = np.linspace(-1.0, 0.2, 50)

    def error(fit):
        return np.abs(fit(at) - 1.0 / (at - 0.3)).max()

    robust, plain = fit_rational(x, y, (0, 1), loss=loss), fit_rational(x, y, (0, 1))
    assert error(robust) < error(plain)
    assert any('loss="cauchy"' in each for each in plain.warnings)


@pytest.mark.slow
def test_robust_standard_errors_are_those_of_repeated_measurements():
    scores = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        x = np.linspace(-1.0, 1.0, 150)
        y = 1.0 / (x - 0.305) + rng.standard_t(3, 150) * 0.05
        fit = fit_rational(x, y, (0, 1), loss="cauchy")
        scores.append((fit.residues[0].real - 1.0) / fit.stderr.residues[0].real)
    # Five deviations of the root of a mean of 40 squares: 5/√80.
    assert np.sqrt(np.mean(np.square(scores))) == pytest.approx(1.0, abs=0.56)


def test_the_scale_of_normal_noise_is_its_standard_deviation():
    rng = np.random.default_rng(0)
    x = np.linspace(0.0, 1.0, 4000)
    y = 1.0 / (x + 0.5) + rng.normal(0.0, 0.01, 4000)
    for loss in ROBUST:
        fit = fit_rational(x, y, (0, 1), loss=loss)
        assert fit.record.scale == pytest.approx(0.01, rel=0.1)


def test_chords_are_at_their_minimum():
    rng = np.random.default_rng(1)
    x = np.linspace(-1.0, 1.0, 101) + 0.003
    y = 1.0 / (x - 0.3) + rng.normal(0.0, 0.05, 101)
    fit = fit_rational(x, y, (1, 1), loss="chordal")
    s = np.median(np.abs(y))

    def cost(b):
        f = model(b, x)
        return np.sum((f - y) ** 2 / (1.0 + (f / s) ** 2) / (1.0 + (y / s) ** 2))

    b = np.append(fit.coefficients.numerator, fit.coefficients.denominator[1])
    least = cost(b)
    for k in range(3):
        for step in (-1e-4, 1e-4):
            moved = b.copy()
            moved[k] *= 1.0 + step
            assert cost(moved) > least


def test_exact_data_with_outliers():
    x = np.linspace(-1.0, 1.0, 50)
    y = 1.0 / (x - 0.31)
    y[10] = 99.0
    fit = fit_rational(x, y, (0, 1), loss="cauchy")
    assert fit.real_poles == pytest.approx([0.31], abs=1e-12)
