"""Loss functions as SciPy defines them: the cost is ½ Σ C² ρ((r/C)²) with the scale C.

ρ(z) = z for small z, so that small residuals count as in least squares; large ones count less.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .._arrays import Array

__all__ = ["LOSSES", "Loss", "check_loss"]

#: The least share of ρ' that counts as curvature. Where it is zero or negative, as at outliers, the
#: Hessian would not be positive; a much smaller share would make rounding errors of outliers large.
LEAST_CURVATURE = 0.01


def _linear(z: Array) -> tuple[Array, Array, Array]:
    return z, np.ones_like(z), np.zeros_like(z)


def _soft_l1(z: Array) -> tuple[Array, Array, Array]:
    root = np.sqrt(1.0 + z)
    # 2(√(1+z) − 1) without cancellation
    return 2.0 * z / (root + 1.0), 1.0 / root, -0.5 / root**3


def _huber(z: Array) -> tuple[Array, Array, Array]:
    root = np.sqrt(np.maximum(z, 1.0))
    inside = z <= 1.0
    curvature = np.where(inside, 0.0, -0.5 / root**3)
    return np.where(inside, z, 2.0 * root - 1.0), 1.0 / root, curvature


def _cauchy(z: Array) -> tuple[Array, Array, Array]:
    slope = 1.0 / (1.0 + z)
    return np.log1p(z), slope, -(slope**2)


#: ρ, ρ' and ρ'' by name.
LOSSES: dict[str, Callable[[Array], tuple[Array, Array, Array]]] = {
    "linear": _linear,
    "soft_l1": _soft_l1,
    "huber": _huber,
    "cauchy": _cauchy,
}


class Loss(NamedTuple):
    """A loss function.

    Args:
        name: one of ``LOSSES``.
        scale: C, the residual beyond which the loss grows more slowly; of no effect for
            ``"linear"``.
    """

    name: str = "linear"
    scale: float = 1.0

    def cost(self, residuals: Array) -> float:
        """½ Σ C² ρ((r/C)²)."""
        if self.name == "linear":
            return 0.5 * float(np.dot(residuals, residuals))
        rho = LOSSES[self.name]((residuals / self.scale) ** 2)[0]
        return 0.5 * self.scale**2 * float(np.sum(rho))

    def weights(self, residuals: Array) -> tuple[Array, Array]:
        """Factors for residuals and rows of the Jacobian.

        With them Jᵀr is the gradient of the cost, and JᵀJ its Hessian but for the curvature of the
        model (B. Triggs et al., Bundle adjustment: a modern synthesis, 2000, section 4.3). Where
        the loss has no positive curvature, a small one stands in for it.
        """
        z = (residuals / self.scale) ** 2
        _, slope, curvature = LOSSES[self.name](z)
        rows = np.sqrt(np.maximum(slope + 2.0 * curvature * z, LEAST_CURVATURE * slope))
        return slope / rows, rows

    def influence(self, residuals: Array) -> tuple[Array, Array]:
        """The derivative ψ of each sample's cost by its residual, and the derivative of ψ."""
        z = (residuals / self.scale) ** 2
        _, slope, curvature = LOSSES[self.name](z)
        return slope * residuals, slope + 2.0 * curvature * z


def check_loss(name: object, scale: object) -> Loss:
    """The loss of that name.

    Raises:
        TypeError: if the scale is no number.
        ValueError: for another name, or a scale that is not positive.
    """
    if not isinstance(name, str) or name not in LOSSES:
        raise ValueError(f"loss is one of {', '.join(map(repr, LOSSES))}, not {name!r}")
    try:
        value = float(scale)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise TypeError(f"f_scale is a number, not {scale!r}") from None
    if not 0.0 < value < float("inf"):
        raise ValueError(f"f_scale is positive and finite, not {value!r}")
    return Loss(name, value)
