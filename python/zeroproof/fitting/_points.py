"""Residuals and their linear model at a point, and the problem that gives them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Optional

import numpy as np

from .._arrays import Array
from ._losses import Loss
from ._triangle import triangle
from ._trust_region import Step, bounded_step

__all__ = ["Point", "Problem", "Residuals", "ResidualsAndJacobian"]

Residuals = Callable[[Array], Array]
ResidualsAndJacobian = Callable[[Array], "tuple[Array, Array]"]


class Point:
    """Residuals and their linear model at some parameters."""

    def __init__(self, params: Array, residuals: Array, jacobian: Array, loss: Loss) -> None:
        self.params = params
        self.residuals = residuals
        self.jacobian = jacobian
        self.used = np.isfinite(residuals)
        kept = residuals[self.used]
        self.rows = jacobian[self.used]
        self.cost = loss.cost(kept)
        self.weights = np.ones_like(kept)
        if loss.name != "linear":
            factors, self.weights = loss.weights(kept)
            kept = kept * factors
            self.rows = self.rows * self.weights[:, None]
        reduced = triangle(np.column_stack([self.rows, kept]))
        self.matrix, self.target = reduced[:-1, :-1], reduced[:-1, -1]
        self.norms = np.sqrt(np.sum(self.matrix**2, axis=0))
        self.gradient = self.matrix.T @ self.target

    def predicted(self, change: Array) -> float:
        """By how much the linear model says that the cost falls."""
        moved = self.matrix @ change
        return -float(moved @ self.target + 0.5 * (moved @ moved))


class Problem:
    """The cost to minimize, and how often it was asked for.

    Args:
        residuals_and_jacobian: of parameters.
        residuals: these alone, or None.
        lower: the bounds, or None.
        upper: the bounds, or None.
        loss: the loss function.
        roundoff: the norm of the residuals' rounding errors.
        size: the number of parameters.
    """

    def __init__(
        self,
        residuals_and_jacobian: ResidualsAndJacobian,
        residuals: Optional[Residuals],
        lower: Optional[Array],
        upper: Optional[Array],
        loss: Loss,
        roundoff: float,
        size: int,
    ) -> None:
        self._both = residuals_and_jacobian
        self._alone = residuals
        self._lower = np.full(size, -np.inf) if lower is None else lower
        self._upper = np.full(size, np.inf) if upper is None else upper
        self.loss = loss
        #: Costs and their differences below this are rounding errors.
        self.floor = roundoff**2
        self.nfev = self.njev = 0

    def point(self, params: Array) -> Point:
        """The residuals and their model there."""
        self.nfev += 1
        self.njev += 1
        return Point(params, *self._both(params), self.loss)

    def residuals(self, params: Array) -> Array:
        """The residuals alone."""
        if self._alone is None:
            self.njev += 1
        self.nfev += 1
        return self._both(params)[0] if self._alone is None else self._alone(params)

    def limits(self, point: Point) -> tuple[Array, Array]:
        """The least and greatest changes within the bounds."""
        return self._lower - point.params, self._upper - point.params

    def step(self, point: Point, scale: Array, radius: float) -> Step:
        """The step from a point within a radius of scaled parameters and within the bounds."""
        return bounded_step(point.matrix, point.target, scale, radius, self.limits(point))

    def trial(self, point: Point, change: Array) -> Optional[Point]:
        """The point that a step leads to; None where a sample that took part drops out."""
        params = np.clip(point.params + change, self._lower, self._upper)
        if not np.isfinite(params).all():
            return None
        trial = self.point(params)
        return trial if trial.used[point.used].all() and np.isfinite(trial.cost) else None
