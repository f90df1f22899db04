"""Loss functions as SciPy defines them: the cost is ½ Σ C² ρ((r/C)²) with the scale C.

ρ(z) = z for small z, so that small residuals count as in least squares; large ones count less.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .._arrays import Array

__all__ = ["LOSSES", "SLOPES", "Loss", "check_loss", "middle", "takes_all_as_outliers"]

#: The least share of ρ' that counts as curvature. Where it is zero or negative, as at outliers, the
#: Hessian would not be positive; a much smaller share would make rounding errors of outliers large.
LEAST_CURVATURE = 0.01
#: With half of the residuals that many times C, most samples are outliers to the loss.
HOPELESS = 1000.0
#: The most that a residual counts in units of C, so that no weight is zero.
LARGEST = 1e300


def _soft_l1(z: Array) -> Array:
    return np.asarray(1.0 / np.sqrt(1.0 + z), np.float64)


def _huber(z: Array) -> Array:
    return np.asarray(1.0 / np.sqrt(np.maximum(z, 1.0)), np.float64)


def _cauchy(z: Array) -> Array:
    return np.asarray(1.0 / (1.0 + z), np.float64)


#: ρ' of z by name.
SLOPES: dict[str, Callable[[Array], Array]] = {
    "linear": np.ones_like,
    "soft_l1": _soft_l1,
    "huber": _huber,
    "cauchy": _cauchy,
}
LOSSES = tuple(SLOPES)


class Loss(NamedTuple):
    """A loss function.

    Its methods take residuals whose squares in units of C leave the range of doubles.

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
        return 0.5 * float(np.sum(self.terms(residuals)))

    def terms(self, residuals: Array) -> Array:
        """C² ρ((r/C)²) of each residual."""
        size, scale = np.abs(residuals), self.scale
        if self.name == "linear":
            return np.asarray(size * size, np.float64)
        if self.name == "soft_l1":
            # C²·ρ = 2r²/(1 + √(1 + (r/C)²)), with r/(C + …) first so that no square overflows
            return np.asarray(size * (2.0 * scale * (size / (scale + np.hypot(scale, size)))))
        if self.name == "huber":
            return np.where(size <= scale, size**2, scale * (2.0 * size - scale))
        return np.asarray(scale * (scale * _log1p_of_square(size / scale)), np.float64)

    def slopes(self, residuals: Array) -> Array:
        """ρ' of each residual: the weights of the least squares problem with the same gradient."""
        size = np.abs(residuals) / self.scale
        if self.name == "linear":
            return np.ones_like(size)
        if self.name == "huber":
            return 1.0 / np.maximum(size, 1.0)
        if self.name == "soft_l1":
            return 1.0 / np.hypot(1.0, size)
        return 1.0 / (1.0 + size * size)

    def weights(self, residuals: Array) -> tuple[Array, Array]:
        """Factors for residuals and rows of the Jacobian.

        With them Jᵀr is the gradient of the cost, and JᵀJ its Hessian but for the curvature of the
        model (B. Triggs et al., Bundle adjustment: a modern synthesis, 2000, section 4.3). Where
        the loss has no positive curvature, a small one stands in for it.
        """
        root, share = self._slopes(residuals)
        kept = np.sqrt(np.maximum(share, LEAST_CURVATURE))
        return root / kept, root * kept

    def influence(self, residuals: Array) -> tuple[Array, Array]:
        """The derivative ψ of each sample's cost by its residual, and the derivative of ψ."""
        root, share = self._slopes(residuals)
        return root * (root * residuals), root * (root * share)

    def _slopes(self, residuals: Array) -> tuple[Array, Array]:
        """√ρ', and the derivative of ψ divided by ρ'."""
        size = np.minimum(np.abs(residuals) / self.scale, LARGEST)
        ones = np.ones_like(size)
        if self.name == "linear":
            return ones, ones
        if self.name == "huber":
            return 1.0 / np.sqrt(np.maximum(size, 1.0)), np.where(size <= 1.0, 1.0, 0.0)
        length = np.hypot(1.0, size)
        if self.name == "soft_l1":
            return 1.0 / np.sqrt(length), (1.0 / length) ** 2
        return 1.0 / length, (1.0 / length - size / length) * (1.0 / length + size / length)


def middle(residuals: Array) -> float:
    """The median of the sizes; 0 of none."""
    return float(np.median(np.abs(residuals))) if len(residuals) else 0.0


def takes_all_as_outliers(loss: Loss, residuals: Array) -> bool:
    """Whether the loss scale is so small that it tells no outliers from other samples."""
    if loss.name == "linear":
        return False
    return middle(residuals[np.isfinite(residuals)]) / loss.scale > HOPELESS


def _log1p_of_square(size: Array) -> Array:
    """log(1 + size²)."""
    large = size > 1e8
    small = np.log1p(np.where(large, 0.0, size) ** 2)
    return np.where(large, 2.0 * np.log(np.maximum(size, 1.0)), small)


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
