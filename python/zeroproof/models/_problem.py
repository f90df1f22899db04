"""The samples of a fit, the loss on them, and the coefficients as one vector."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Optional, Protocol

import numpy as np

from .._arrays import Array
from .._enums import GradientMode, GradientStatus
from ..autodiff.batched import BatchedFunction
from ..autodiff.grad_mode import gradient_mode
from ..autodiff.hybrid_gradient import HybridGradientSchedule
from ._arguments import Samples
from ._losses import losses, slopes

__all__ = ["MODES", "Model", "Modes", "Point", "Problem"]

MODES = {
    "mask-real": GradientMode.MASK_REAL,
    "saturating": GradientMode.SATURATING,
    "hybrid": GradientMode.HYBRID,
}

# With Q at norm 1 the distances to poles are below about 1; partials bounded at a tenth of that
# stay close to the classical ones for most samples.
BOUND = 0.1


class Model(Protocol):
    """What a fit needs of the model."""

    inputs: int
    outputs: int
    shared_denominator: bool
    numerator: Array
    denominator: Array

    @property
    def batched(self) -> BatchedFunction:
        """The function of (numerator, denominator, x)."""

    def terms_at(self, x: Any) -> tuple[Array, Array]:
        """The terms of P and Q."""

    def apply(self, parameters: Any, x: Any) -> Any:
        """The function on nodes."""

    def normalize(self) -> None:
        """Gives Q norm 1."""


class Modes:
    """The gradient mode of each epoch.

    Args:
        mode: a key of ``MODES``.
        schedule: of Hybrid mode; its bound is that of Saturating too.
        transition: the epochs in which δ of the default schedule decays.
    """

    def __init__(
        self, mode: str, schedule: Optional[HybridGradientSchedule], transition: int
    ) -> None:
        self.mode = mode
        if schedule is None:
            schedule = HybridGradientSchedule(
                transition_epochs=transition, saturating_bound=BOUND, adaptive_delta=False
            )
        self._schedule = schedule

    def block(self, epoch: int) -> AbstractContextManager[Any]:
        """The block to differentiate in."""
        if self.mode == "hybrid":
            return self._schedule.apply(epoch)
        return gradient_mode(MODES[self.mode], saturation_bound=self._schedule.saturating_bound)

    def is_changing(self, epoch: int) -> bool:
        """Whether δ still has to decay, so that more epochs may help where one did not."""
        return self.mode == "hybrid" and (
            self._schedule.is_warmup(epoch) or self._schedule.is_transitioning(epoch)
        )


@dataclass(frozen=True)
class Point:
    """Coefficients, and the loss there."""

    numerator: Array
    denominator: Array
    residuals: Array
    """(f(x) − y)/sigma, of the shape of y; not finite where it is masked."""
    loss: float
    masked: int

    def written_to(self, model: Model) -> None:
        """Gives the model these coefficients."""
        model.numerator[...] = self.numerator
        model.denominator[...] = self.denominator


class Problem:
    """The loss of a model on some samples.

    Args:
        model: whose function it is; its coefficients do not matter.
        samples: of the data.
        loss: a key of ``LOSSES``.
    """

    def __init__(self, model: Model, samples: Samples, loss: str) -> None:
        self.model, self.samples, self.loss = model, samples, loss

    def evaluate(self, numerator: Array, denominator: Array) -> Point:
        """The point with these coefficients, Q at norm 1."""
        with np.errstate(all="ignore"):
            norms = np.linalg.norm(denominator, axis=-1, keepdims=True)
            if (norms > 0).all() and np.isfinite(norms).all():
                denominator = denominator / norms
                numerator = numerator / (norms if norms.ndim == 2 else norms[0])
            x, y, weights = self.samples
            values = np.asarray(self.model.batched(numerator, denominator, x).to_ieee())
            residuals = (values - y) * weights
            each = losses(residuals, self.loss)
        kept = np.isfinite(each)
        count = int(np.count_nonzero(kept))
        total = float(each[kept].sum() / count) if count else np.inf
        return Point(numerator, denominator, residuals, total, kept.size - count)

    def scale(self) -> float:
        """The mean square of the targets that are REAL, in units of sigma."""
        squares = losses(self.samples.y * self.samples.weights, "squared")
        return float(squares[np.isfinite(squares)].mean())

    def linearise(self, point: Point) -> tuple[Array, Array, int]:
        """The rows of the Jacobian and the residuals that are finite, in the current mode.

        They are those of the least squares problem that has the same gradient as the loss. The
        third is the number of rows with a bounded partial.
        """
        jacobian, statuses = self.model.batched.jacobian(
            point.numerator,
            point.denominator,
            self.samples.x,
            argnums=(0, 1),
            with_status=True,
            coordinate=2 if self.model.inputs == 1 else None,
        )
        with np.errstate(all="ignore"):
            factors = np.sqrt(slopes(point.residuals, self.loss))
            rows = jacobian * (factors * self.samples.weights)[..., None]
            right = point.residuals * factors
        rows, right = rows.reshape(-1, rows.shape[-1]), right.ravel()
        # A row longer than the root of the largest number has no finite norm.
        kept = (np.abs(rows).max(axis=1) < 1e150) & np.isfinite(losses(right, "squared"))
        saturated = (statuses & int(GradientStatus.SATURATED)).any(axis=-1).ravel()
        return rows[kept], right[kept], int(np.count_nonzero(saturated & kept))

    def moved(self, point: Point, step: Array) -> Point:
        """The point a step away."""
        split = point.numerator.size
        return self.evaluate(
            point.numerator + step[:split].reshape(point.numerator.shape),
            point.denominator + step[split:].reshape(point.denominator.shape),
        )
