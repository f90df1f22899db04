"""Robust losses from starts, and for data, far beyond their scale."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from zeroproof import least_squares, tr_exp
from zeroproof.fitting._losses import Loss

X = np.linspace(0.0, 4.0, 30)
NOISE = np.random.default_rng(0).normal(size=30)
ROBUST = ["soft_l1", "huber", "cauchy"]


def decay(p: Any, x: Any) -> Any:
    return p[0] * tr_exp(-p[1] * x) + p[2]


@pytest.mark.parametrize("loss", ROBUST)
@pytest.mark.parametrize("size", [1e6, 1e9, 1e11, 1e13])
def test_a_start_far_beyond_the_scale_of_the_loss(loss: str, size: float) -> None:
    y = size * (3.0 * np.exp(-1.3 * X) + 1.0) + NOISE
    y[[4, 17]] += 1e3
    fit = least_squares(decay, X, y, [size, 1.0, 0.0], loss=loss)
    assert fit.success
    assert fit.params[1] == pytest.approx(1.3, abs=20.0 / size)
    near = least_squares(decay, X, y, fit.params, loss=loss)
    assert fit.cost == pytest.approx(near.cost, rel=1e-6)


@pytest.mark.parametrize("loss", ROBUST)
@pytest.mark.parametrize("size", [1e-300, 1e-160, 1e100, 1e160, 1e300])
def test_units_do_not_matter(loss: str, size: float) -> None:
    y = 3.0 * np.exp(-1.3 * X) + 1.0 + 0.1 * NOISE
    plain = least_squares(decay, X, y, [1.0, 1.0, 0.0], loss=loss, f_scale=0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit = least_squares(decay, X, size * y, [size, 1.0, 0.0], loss=loss, f_scale=0.1 * size)
    assert fit.success
    units = np.array([size, 1.0, size])
    np.testing.assert_allclose(np.array(fit.params) / units, plain.params, rtol=1e-6)
    np.testing.assert_allclose(np.array(fit.stderr) / units, plain.stderr, rtol=1e-6)


@pytest.mark.parametrize("loss", ROBUST)
@pytest.mark.parametrize("size", [1e6, 1e11, 1e17, 1e100, 1e160, 1e300])
def test_a_scale_far_below_the_noise_is_told(loss: str, size: float) -> None:
    y = size * (3.0 * np.exp(-1.3 * X) + 1.0 + 0.01 * NOISE)
    fit = least_squares(decay, X, y, [size, 1.0, 0.0], loss=loss)
    assert not fit.success
    assert "give an f_scale of about the noise" in fit.message
    assert np.isnan(fit.stderr).all()
    assert fit.params[1] == pytest.approx(1.3, abs=0.1)


def test_a_start_that_says_nothing_of_the_size_of_parameters() -> None:
    y = 1e160 * np.array([1.0, 3.0, 1.0, 2.0])
    fit = least_squares(
        lambda p, x: p[0] + p[1] * x, np.arange(4.0), y, [1.0, 0.0], loss="huber", f_scale=1e160
    )
    assert fit.success
    assert fit.params[1] == pytest.approx(1.4285714e159, rel=1e-6)


@pytest.mark.parametrize("loss", ROBUST)
def test_losses_against_their_definition(loss: str) -> None:
    rho = {
        "soft_l1": lambda z: 2.0 * (np.sqrt(1.0 + z) - 1.0),
        "huber": lambda z: np.where(z <= 1.0, z, 2.0 * np.sqrt(z) - 1.0),
        "cauchy": np.log1p,
    }[loss]
    r = np.array([0.0, 0.1, -0.5, 3.0, -40.0])
    scale = 0.7
    assert Loss(loss, scale).cost(r) == pytest.approx(
        0.5 * scale**2 * np.sum(rho((r / scale) ** 2)), rel=1e-14
    )
    step = 1e-5
    psi, slope = Loss(loss, scale).influence(r)

    def cost(values: Any) -> Any:
        return 0.5 * scale**2 * rho((values / scale) ** 2)

    np.testing.assert_allclose(psi, (cost(r + step) - cost(r - step)) / (2 * step), atol=1e-8)
    second = (cost(r + step) - 2.0 * cost(r) + cost(r - step)) / step**2
    np.testing.assert_allclose(slope, second, atol=1e-4)
    huge = Loss(loss, 1.0).influence(np.array([1e200, -1e300]))
    assert np.isfinite(huge[0]).all()
    assert np.isfinite(huge[1]).all()


def test_sums_of_squares_beyond_doubles_are_told() -> None:
    for size in (1e-300, 1e300):
        fit = least_squares(lambda p, x: p * x, [1.0, 2.0, 3.0], [size, 3 * size, size], 1.0)
        assert "sum of squares beyond the range of doubles" in fit.summary()
        assert fit.residual_std / size == pytest.approx(1.3887301, rel=1e-6)
        assert type(fit.success) is bool
