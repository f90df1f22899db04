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
from ._losses import Loss
from ._triangle import triangle

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
    covariance = np.zeros((size, size))
    undetermined = np.zeros(size, bool)
    with np.errstate(all="ignore"):
        inner, undetermined[free], rank = _inverse(jacobian[:, free])
        variance = _variance(residuals, rank, loss, noise_is_known)
        covariance[np.ix_(free, free)] = variance * inner
        if at_bound is not None:
            bound = varied & at_bound
            covariance[bound, :] = covariance[:, bound] = np.nan
        stderr = np.sqrt(np.diag(covariance))
        correlation = covariance / np.outer(stderr, stderr)
    np.fill_diagonal(correlation, np.where(np.isfinite(stderr) & (stderr > 0.0), 1.0, np.nan))
    return Inference(covariance, stderr, correlation, variance, undetermined, rank)


def _variance(residuals: Array, rank: int, loss: Loss, noise_is_known: bool) -> float:
    dof = len(residuals) - rank
    if dof <= 0 and not noise_is_known:
        return float("nan")
    if loss.name == "linear":
        return 1.0 if noise_is_known else float(residuals @ residuals) / dof
    influence, slope = loss.influence(residuals)
    mean = float(np.mean(slope))
    # With few outliers this is positive; else the samples do not say how the minimum curves.
    return float(influence @ influence) / max(dof, 1) / mean**2 if mean > 0.0 else float("nan")


def _inverse(jacobian: Array) -> tuple[Array, npt.NDArray[np.bool_], int]:
    """(JᵀJ)⁻¹ by singular values of the scaled triangle, what it does not determine, and its rank."""
    reduced = triangle(jacobian)
    norms = np.sqrt(np.sum(reduced**2, axis=0))
    scale = np.where(norms > 0.0, norms, 1.0)
    size = len(scale)
    if not size:
        return np.zeros((0, 0)), np.zeros(0, bool), 0
    _, singular, across = np.linalg.svd(reduced / scale)
    known = singular > EPS * max(len(jacobian), size) * singular[0]
    basis = across[known].T / singular[known]
    found = (basis @ basis.T) / np.outer(scale, scale)
    # A parameter that takes part in a direction without effect can be anything.
    undetermined = np.any(np.abs(across[~known]) > np.sqrt(EPS), axis=0)
    found[undetermined, :] = found[:, undetermined] = np.nan
    np.fill_diagonal(found, np.where(undetermined, np.inf, np.diag(found)))
    return found, undetermined, int(known.sum())
