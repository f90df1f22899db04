"""The last digits: steps where the cost is flat to rounding.

The gradient still has digits there. It is measured as the step of Gauss and Newton in the space of
residuals, whose length must fall. Where residuals are large and the model is curved, these steps
converge slowly or not at all, so those of Newton follow, with second derivatives from differences
of the gradient.
"""

from __future__ import annotations

from typing import Optional

import numpy as np

from .._arrays import Array
from ._points import Point, Problem
from ._trust_region import Step

__all__ = ["FLAT", "polish"]

EPS = float(np.finfo(np.float64).eps)
#: Where a step is predicted to lower the cost by less than this share, rounding decides.
FLAT = 1e-9
MOST_STEPS = 200
#: A step below this share of the residuals has no digits of its own any more.
UNSEEN = 1e-13
#: Convergence is slow if a step leaves more than this of the gradient.
SLOW = 0.1
#: How often second derivatives are computed.
MOST_METRICS = 3
#: The change at which they are measured, in units of the noise.
PROBE = 1e-3
#: A longer last step, in units of all residuals, is no minimum.
MINIMAL = 1e-4
#: The rounding errors of a model in units of those of the data.
ROUNDINGS = 8.0


class _Newton:
    """The Hessian of the cost in units in which that of the linear model is one."""

    def __init__(self, step: Step, scale: Array, hessian: Array) -> None:
        self._free = step.free
        self._basis = _basis(step, scale)
        self._hessian = hessian

    def change(self, point: Point) -> Array:
        """Newton's step."""
        change = np.zeros(len(point.params))
        pull = self._basis.T @ point.gradient[self._free]
        change[self._free] = -(self._basis @ np.linalg.solve(self._hessian, pull))
        return change


def polish(problem: Problem, point: Point) -> tuple[Point, int, bool]:
    """The point to which further steps lead, their number, and whether it is a minimum."""
    scale = np.where(point.norms > 0.0, point.norms, 1.0)
    step = problem.step(point, scale, np.inf)
    newton: Optional[_Newton] = None
    steps, metrics = 0, 0
    for _ in range(MOST_STEPS):
        change = step.change if newton is None else newton.change(point)
        if np.all(np.abs(change) <= EPS * np.abs(point.params)):
            break
        trial = problem.trial(point, change)
        ratio = np.inf
        if trial is not None and trial.cost <= point.cost * (1.0 + FLAT) + problem.floor:
            following = problem.step(trial, scale, np.inf)
            ratio = following.size / step.size if step.size > 0.0 else np.inf
            if ratio < 1.0:
                point, step = trial, following
                steps += 1
        if ratio > SLOW and metrics < MOST_METRICS and not step.size < UNSEEN * _norm(point):
            metrics += 1
            newton = _newton(problem, point, step, scale)
            if newton is not None:
                continue
        if not ratio < 1.0:
            break
    rounding = ROUNDINGS * float(np.sqrt(problem.floor))
    is_minimum = step.size <= MINIMAL * _norm(point) + rounding
    return point, steps, bool(is_minimum)


def _norm(point: Point) -> float:
    """The norm of the residuals, or of what the loss makes of them."""
    return float(np.sqrt(2.0 * point.cost))


def _basis(step: Step, scale: Array) -> Array:
    """Columns of changes of the free parameters that change the residuals by one each."""
    model = step.model
    found: Array = (model.across.T / model.singular)[:, model.known] / scale[step.free, None]
    return found


def _newton(problem: Problem, point: Point, step: Step, scale: Array) -> Optional[_Newton]:
    """The Hessian at a point; None if it is not positive or cannot be measured."""
    basis = _basis(step, scale)
    tau = PROBE * float(np.sqrt(2.0 * point.cost / max(len(point.rows), 1)))
    if not tau > 0.0:
        return None
    low, high = problem.limits(point)
    columns = []
    for direction in basis.T:
        change = np.zeros(len(point.params))
        change[step.free] = tau * direction
        moved: Optional[Point] = None
        for sign in (1.0, -1.0):
            if np.all((sign * change >= low) & (sign * change <= high)):
                moved = problem.trial(point, sign * change)
            if moved is not None:
                difference = (moved.gradient - point.gradient)[step.free]
                columns.append(basis.T @ difference * (sign / tau))
                break
        if moved is None:
            return None
    if not columns:
        return None
    hessian = np.array(columns)
    hessian = 0.5 * (hessian + hessian.T)
    if not np.isfinite(hessian).all() or np.linalg.eigvalsh(hessian)[0] <= 0.0:
        return None
    return _Newton(step, scale, hessian)
