"""The noise that a loss stands for: its scale, the weights of residuals, and the likelihood.

A loss ρ of SciPy's, with residuals r and the scale C, is the negative logarithm of a density:
``C²·ρ((r/C)²)/(2s²)`` with ``C = k·s``, where the tuning constant k makes the estimate 95 %
efficient for normal noise of standard deviation s. So s has a maximum likelihood estimate, which
outliers move little, and information criteria follow for every loss in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

import numpy as np

from .._arrays import Array
from ._products import sum_of_squares

__all__ = ["LOSSES", "Noise"]

LOSSES = ("linear", "soft_l1", "huber", "cauchy", "chordal")
TUNING = {"soft_l1": 1.345, "huber": 1.345, "cauchy": 2.385}
MAD_OF_NORMAL = 0.6744897501960817
SCALE_STEPS = 60
TINY = 1e-290


@dataclass(frozen=True)
class Noise:
    """The loss, and what is known of the scale of the residuals that it is given.

    ``known`` is s if σ was given (then 1), else None; ``f_scale`` is C if that was given.
    """

    loss: str
    known: Optional[float] = None
    f_scale: Optional[float] = None

    @property
    def robust(self) -> bool:
        """Whether large residuals count less than their squares."""
        return self.loss in TUNING

    def scale(self, residuals: Array) -> float:
        """s: given, from C, or the most likely for these residuals."""
        if self.known is not None:
            return self.known
        if not self.robust:
            return max(float(np.sqrt(np.mean(residuals * residuals))), TINY)
        tuning = TUNING[self.loss]
        if self.f_scale is not None:
            return self.f_scale / tuning
        square = residuals * residuals
        guess = float(np.median(np.abs(residuals))) / MAD_OF_NORMAL
        s = max(guess, float(np.sqrt(np.mean(square))) * 1e-12, TINY)
        for _ in range(SCALE_STEPS):
            # The likelihood is stationary where s² is the weighted mean of the squares.
            new = float(np.sqrt(np.mean(self._slope(square / (tuning * s) ** 2) * square)))
            new = max(new, TINY)
            if abs(new - s) <= 1e-13 * s:
                break
            s = new
        return s

    def loss_scale(self, s: float) -> float:
        """C for this s; 1 where there is none."""
        if self.f_scale is not None:
            return self.f_scale
        return TUNING[self.loss] * s if self.robust else 1.0

    def weights(self, residuals: Array, s: float) -> Array:
        """What each squared residual counts, 1 for small ones."""
        if not self.robust:
            return np.ones_like(residuals)
        return self._slope((residuals / self.loss_scale(s)) ** 2)

    def cost(self, residuals: Array, s: float) -> float:
        """``C²·Σρ((r/C)²)``: the sum of squares for linear loss, twice SciPy's cost."""
        if not self.robust:
            return sum_of_squares(residuals)
        C = self.loss_scale(s)
        return float(C * C * np.sum(self._rho((residuals / C) ** 2)))

    def surprise(self, residuals: Array) -> float:
        """−2·log likelihood, without the constant; smaller is better."""
        s = self.scale(residuals)
        return float(2.0 * len(residuals) * np.log(s) + self.cost(residuals, s) / (s * s))

    def variance(self, residuals: Array, s: float, parameters: int) -> float:
        """What takes the inverse of the Jacobian's square to the covariance of an estimate.

        1 for known normal noise, else the mean square, and for a robust loss Huber's
        ``Σψ²/(rows − parameters)/(mean ψ′)²``.
        """
        dof = len(residuals) - parameters
        if not self.robust:
            return 1.0 if self.known is not None else sum_of_squares(residuals) / dof
        z = (residuals / self.loss_scale(s)) ** 2
        influence = residuals * self._slope(z)
        steepness = float(np.mean(self._influence_slope(z)))
        if dof <= 0 or steepness <= 0.0:
            return float("nan")
        return sum_of_squares(influence) / dof / steepness**2

    def _influence_slope(self, z: Array) -> Array:
        """ψ′, of ψ = r·ρ′(z)."""
        if self.loss == "cauchy":
            return (1.0 - z) / (1.0 + z) ** 2
        if self.loss == "huber":
            return (z <= 1.0).astype(np.float64)
        return (1.0 + z) ** -1.5

    def _rho(self, z: Array) -> Array:
        if self.loss == "cauchy":
            return np.log1p(z)
        if self.loss == "huber":
            return np.where(z <= 1.0, z, 2.0 * np.sqrt(z) - 1.0)
        return 2.0 * z / (np.sqrt(1.0 + z) + 1.0)

    def _slope(self, z: Array) -> Array:
        if self.loss == "cauchy":
            return 1.0 / (1.0 + z)
        if self.loss == "huber":
            return 1.0 / np.sqrt(np.maximum(z, 1.0))
        return 1.0 / np.sqrt(1.0 + z)
