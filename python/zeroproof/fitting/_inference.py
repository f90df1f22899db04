"""What the residuals at a minimum say about the parameters: covariance and standard errors.

The linear theory: the covariance is s²(JᵀJ)⁻¹ with s² the variance of the noise, estimated as
SSE/dof unless the noise is known. For robust losses, P. J. Huber, Robust Statistics (1981), section
7.6: s² is Σψ²/dof over the square of the mean of ψ', where ψ is the derivative of a sample's loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

import numpy as np
import numpy.typing as npt

from .._arrays import Array
from ._losses import Loss, takes_all_as_outliers
from ._triangle import triangle
from ._units import exponent

__all__ = ["Inference", "inference"]

EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Inference:
    """Covariance and what follows from it.

    Args:
        covariance: shape (parameters, parameters).
        stderr: its diagonal's square roots. 0 for parameters that are fixed, inf for those that the
            samples do not determine, NaN for those at a bound, and without degrees of freedom.
        correlation: NaN where a standard error is zero or not finite.
        variance: s², of a residual in units of its sigma.
        undetermined: which parameters the samples do not determine.
        rank: the number of directions in the space of free parameters that they determine.
    """

    covariance: Array
    stderr: Array
    correlation: Array
    variance: float
    undetermined: npt.NDArray[np.bool_]
    rank: int


def inference(
    jacobian: Array,
    residuals: Array,
    *,
    varied: Optional[npt.NDArray[np.bool_]] = None,
    at_bound: Optional[npt.NDArray[np.bool_]] = None,
    loss: Loss = Loss(),  # noqa: B008 - immutable
    noise_is_known: bool = False,
) -> Inference:
    """The covariance of the parameters.

    Args:
        jacobian: of the residuals at the minimum, shape (samples, parameters).
        residuals: in units of their sigma, shape (samples,).
        varied: which parameters were not fixed; None for all.
        at_bound: which parameters a bound holds; None for none.
        loss: the loss function.
        noise_is_known: whether s² is 1 instead of estimated.
    """
    size = jacobian.shape[1]
    varied = np.ones(size, bool) if varied is None else varied
    free = varied if at_bound is None else varied & ~at_bound
    undetermined = np.zeros(size, bool)
    spread = np.zeros(size)
    correlation = np.full((size, size), np.nan)
    with np.errstate(all="ignore"):
        correlation[np.ix_(free, free)], spread[free], undetermined[free], rank = _spread(
            jacobian[:, free]
        )
        unit = int(exponent(residuals))
        scaled = Loss(loss.name, float(np.ldexp(loss.scale, -unit)))
        variance = _variance(np.ldexp(residuals, -unit), rank, scaled, noise_is_known)
        noise = np.ldexp(np.sqrt(variance), unit)
        if noise_is_known and loss.name == "linear":
            noise = np.float64(1.0)
        stderr = np.where(free, noise * spread, 0.0)
        if at_bound is not None:
            stderr[varied & at_bound] = np.nan
        stderr[undetermined] = np.inf
        variance_of_noise = float(noise * noise)
        covariance = np.where(np.isnan(correlation), 0.0, correlation) * np.outer(stderr, stderr)
        covariance[undetermined, :] = covariance[:, undetermined] = np.nan
        np.fill_diagonal(covariance, stderr**2)
        has_error = np.isfinite(stderr) & (stderr > 0.0)
        correlation[~np.outer(has_error, has_error)] = np.nan
    return Inference(covariance, stderr, correlation, variance_of_noise, undetermined, rank)


def _variance(residuals: Array, rank: int, loss: Loss, noise_is_known: bool) -> float:
    dof = len(residuals) - rank
    if dof <= 0 and not noise_is_known:
        return float("nan")
    if loss.name == "linear":
        return float(residuals @ residuals) / max(dof, 1)
    influence, slope = loss.influence(residuals)
    mean = float(np.mean(slope))
    # With few outliers this is positive; else the samples do not say how the minimum curves.
    if not mean > 0.0 or takes_all_as_outliers(loss, residuals):
        return float("nan")
    return float(np.sum((influence / mean) ** 2)) / max(dof, 1)


def _spread(jacobian: Array) -> tuple[Array, Array, npt.NDArray[np.bool_], int]:
    """The correlations and square roots of the diagonal of (JᵀJ)⁻¹, what J lacks, and its rank."""
    powers = exponent(jacobian)
    reduced = triangle(np.ldexp(jacobian, -powers))
    norms = np.sqrt(np.sum(reduced**2, axis=0))
    scale = np.where(norms > 0.0, norms, 1.0)
    size = len(scale)
    if not size:
        return np.zeros((0, 0)), np.zeros(0), np.zeros(0, bool), 0
    _, singular, across = np.linalg.svd(reduced / scale)
    known = singular > EPS * max(len(jacobian), size) * singular[0]
    basis = across[known].T / singular[known]
    lengths = np.sqrt(np.sum(basis**2, axis=1))
    # A parameter that takes part in a direction without effect can be anything.
    undetermined = np.any(np.abs(across[~known]) > np.sqrt(EPS), axis=0)
    directions = basis / lengths[:, None]
    correlation = np.clip(directions @ directions.T, -1.0, 1.0)
    np.fill_diagonal(correlation, 1.0)
    spread = np.ldexp(lengths / scale, -powers)
    return correlation, spread, undetermined, int(known.sum())
