"""The samples under a model: quotients, residuals and their derivatives.

**Residual.** ``(f − v) / (√(1 + f²)·√(1 + v²))`` with f = P/Q, the distance of f and v as points of
the projective line (the chord between them on a circle that ∞ belongs to). It lies in [−1, 1]
however close to a pole the sample is. With plain squares a single sample next to a pole dominates
the loss, and a pole of the model cannot move across a sample, where the loss is infinite.

**Chain rule.** It is split at the quotients. The operations after them have no pole and are
differentiated classically; their derivative is the adjoint of each quotient in a backward pass in
the gradient mode being trained. So each sample makes exactly one decision in Hybrid mode, and the
statistics are those of the distances |Q|. This takes three batched calls for any number of
samples.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..autodiff.batched import tr_vmap
from ..autodiff.grad_mode import GradientMode, gradient_mode
from ..autodiff.tr_node import GradientStatus
from ..autodiff.tr_ops_grad import tr_sqrt
from .data import Dataset, FloatArray
from .model import Frame, horner

__all__ = ["Evaluation", "Linearisation", "Samples", "residual"]

# As plain ints: NumPy takes three times as long to convert an enum.
MASKED, SATURATED = int(GradientStatus.MASKED), int(GradientStatus.SATURATED)


class Evaluation(NamedTuple):
    """Coefficients, those of P before those of Q, and the results for each sample.

    ``loss`` is the mean of the squared residuals that are ``real``, so that a sample at a pole does
    not mask the others; infinite if none is.
    """

    coefficients: FloatArray
    quotients: FloatArray
    residuals: FloatArray
    real: npt.NDArray[np.bool_]
    loss: float


class Linearisation(NamedTuple):
    """The REAL residuals to first order in the coefficients, in some gradient mode.

    ``jacobian`` has a row for each, its gradient by the coefficients. ``masked`` counts the samples
    that the loss or the mode masked, ``saturated`` those whose gradient has a bounded partial.
    """

    jacobian: FloatArray
    residuals: FloatArray
    masked: int
    saturated: int


def residual(f: Any, v: Any, weight: Any) -> Any:
    """The residual of f at a target v, with ``weight`` = 1/√(1 + v²).

    It is not REAL where f or v is not.
    """
    return (f - v) / tr_sqrt(f * f + 1.0) * weight


class Samples:
    """The samples in scaled coordinates u and v, for models of one degree.

    All rows of the data, including those with a target that is not REAL.
    """

    def __init__(self, data: Dataset, frame: Frame, degree: tuple[int, int]) -> None:
        self.u = frame.to_u(data.x)
        self.v = data.y / frame.y_scale
        self.weight = 1.0 / np.hypot(1.0, self.v)
        self._split = degree[0] + 1
        self._outcomes = tr_vmap(self._outcome, in_axes=(None, 0, 0, 0))
        self._slopes = tr_vmap(residual)
        self._rows = tr_vmap(self._scaled_quotient, in_axes=(None, 0, 0), coordinate="u")

    def quotient(self, coefficients: Any, u: Any) -> Any:
        """The value f = P/Q of the model; not REAL at a pole."""
        top, bottom = coefficients[: self._split], coefficients[self._split :]
        return horner(top, u) / horner(bottom, u)

    def _outcome(self, coefficients: Any, u: Any, v: Any, weight: Any) -> tuple[Any, Any]:
        f = self.quotient(coefficients, u)
        return f, residual(f, v, weight)

    def _scaled_quotient(self, coefficients: Any, u: Any, slope: Any) -> Any:
        """The quotient times its adjoint."""
        return self.quotient(coefficients, u) * slope

    def evaluate(self, coefficients: FloatArray) -> Evaluation:
        """The quotients, the residuals and the loss at these coefficients."""
        f, r = self._outcomes(coefficients, self.u, self.v, self.weight)
        residuals = r.to_ieee()
        real = np.isfinite(residuals)
        kept = residuals[real]
        # Not a dot product, whose order would depend on the number of threads that NumPy has.
        loss = float(np.add.reduce(kept * kept)) / len(kept) if len(kept) else np.inf
        return Evaluation(coefficients, f.to_ieee(), residuals, real, loss)

    def linearise(self, at: Evaluation) -> Linearisation:
        """The residuals around these coefficients, in the current gradient mode."""
        with gradient_mode(GradientMode.MASK_REAL):
            _, slopes = self._slopes.value_and_grad(at.quotients, self.v, self.weight)
        real = at.real
        residuals = at.residuals[real]
        _, jacobian, statuses = self._rows.value_and_grad(
            at.coefficients, self.u[real], slopes[real], with_status=True
        )
        # The path of Q's leading coefficient passes through the quotient and every node of Q, and
        # the nodes of P are REAL where f is: this one status has the flags of all.
        flags = statuses[:, -1]
        return Linearisation(
            jacobian,
            residuals,
            masked=len(real) - len(residuals) + int(np.count_nonzero(flags & MASKED)),
            saturated=int(np.count_nonzero(flags & SATURATED)),
        )
