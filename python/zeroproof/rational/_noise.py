"""The noise that a loss stands for: its scale, the weights of residuals, and the likelihood.

A loss ρ of SciPy's, with residuals r and the scale C, is the negative logarithm of a density:
``C²·ρ((r/C)²)/(2s²)``. For a fixed ratio C/s the scale s has a maximum likelihood estimate, which
outliers move little, and information criteria follow for every loss in the same way. The ratio is
such that for normal noise C is that many standard deviations for which estimates are about 95 %
efficient.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Optional

import numpy as np

from .._arrays import Array
from ..fitting._losses import LOSSES, SLOPES, Loss
from ._products import sum_of_squares

__all__ = ["NAMES", "Noise"]

NAMES = (*LOSSES, "chordal")
#: C in standard deviations of normal noise, and C/s: s² is then the mean of ρ′(r²/C²)·r².
TUNING = {"soft_l1": 1.345, "huber": 1.345, "cauchy": 2.385}
RATIO = {
    "soft_l1": 1.345 / 0.8152224742590106,
    "huber": 1.345 / 0.9062972831424169,
    "cauchy": 2.385 / 0.8351004093377212,
}
MAD_OF_NORMAL = 0.6744897501960817
SCALE_STEPS = 60
#: A smaller scale than the rounding errors of values of size 1 would be one of these.
SMALLEST = 16.0 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Noise:
    """The loss, and what is known of the scale of the residuals that it is given.

    ``known`` is the standard deviation if σ was given, else None; ``f_scale`` is C if that was
    given.
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
        if self.known is not None and self.f_scale is None and self.robust:
            return self.known * TUNING[self.loss] / RATIO[self.loss]
        if self.known is not None:
            return self.known
        if not self.robust or self.f_scale is not None:
            return max(math.sqrt(self.cost(residuals, 1.0) / len(residuals)), SMALLEST)
        tuning = RATIO[self.loss]
        square = residuals * residuals
        guess = float(np.median(np.abs(residuals))) / MAD_OF_NORMAL
        guess = max(guess, float(np.sqrt(np.mean(square))) * 1e-12, SMALLEST)
        return max(math.exp(self._log_scale(square, tuning, math.log(guess))), SMALLEST)

    def _log_scale(self, square: Array, tuning: float, log_s: float) -> float:
        """The log of s where the likelihood is stationary: s² is the weighted mean of the squares.

        The weights depend on s. Putting s in again and again converges; Steffensen's rule makes
        that quadratic.
        """
        slope = SLOPES[self.loss]

        def again(value: float) -> float:
            s = max(math.exp(value), SMALLEST)
            mean = float(np.mean(slope(square / (tuning * s) ** 2) * square))
            return 0.5 * math.log(max(mean, SMALLEST * SMALLEST))

        for _ in range(SCALE_STEPS):
            once = again(log_s)
            if abs(once - log_s) <= 1e-14:
                return once
            twice = again(once)
            bend = twice - 2.0 * once + log_s
            ratio = (twice - once) / (once - log_s)
            # Away from the solution, where the rule may jump anywhere, the plain step is taken.
            straight = 0.0 < ratio < 0.95
            log_s = log_s - (once - log_s) ** 2 / bend if straight else twice
        return log_s

    def loss_scale(self, s: float) -> float:
        """C for this s; 1 where there is none."""
        if self.f_scale is not None:
            return self.f_scale
        return RATIO[self.loss] * s if self.robust else 1.0

    def deviation(self, s: float) -> float:
        """The standard deviation of normal noise with this s."""
        if not self.robust or self.f_scale is not None:
            return s
        return self.loss_scale(s) / TUNING[self.loss]

    def weights(self, residuals: Array, s: float) -> Array:
        """What each squared residual counts, 1 for small ones."""
        if not self.robust:
            return np.ones_like(residuals)
        return SLOPES[self.loss]((residuals / self.loss_scale(s)) ** 2)

    def cost(self, residuals: Array, s: float) -> float:
        """``C²·Σρ((r/C)²)``: the sum of squares for linear loss, twice SciPy's cost."""
        if not self.robust:
            return sum_of_squares(residuals)
        return 2.0 * Loss(self.loss, self.loss_scale(s)).cost(residuals)

    def surprise(self, residuals: Array, s: float) -> float:
        """−2·log likelihood, without the constant; smaller is better."""
        return float(2.0 * len(residuals) * np.log(s) + self.cost(residuals, s) / s / s)

    def spread(self, residuals: Array, s: float, parameters: int) -> float:
        """What takes the inverse of the Jacobian's square to the covariance, as a root.

        The square is that of known normal noise, else the mean square, and for a robust loss
        Huber's ``Σψ²/(rows − parameters)/(mean ψ′)²``.
        """
        dof = len(residuals) - parameters
        if not self.robust:
            return self.known or math.sqrt(sum_of_squares(residuals) / dof)
        influence, slope = Loss(self.loss, self.loss_scale(s)).influence(residuals)
        steepness = float(np.mean(slope))
        if dof <= 0 or steepness <= 0.0:
            return float("nan")
        return math.sqrt(sum_of_squares(influence) / dof) / steepness
