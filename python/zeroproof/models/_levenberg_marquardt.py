"""Levenberg-Marquardt on the Jacobian of all residuals."""

from __future__ import annotations

from typing import Optional

import numpy as np

from .._arrays import Array
from ._problem import Modes, Point, Problem
from ._progress import Progress
from ._steps import DampedSteps

__all__ = ["descend"]

#: So many epochs in turn that lower the loss by less than this share end the fit.
SETTLED_EPOCHS, SETTLED_FALL = 3, 1e-9
FIRST_DAMPING, LEAST_DAMPING, MOST_DAMPING = 1e-4, 1e-30, 1e8
TRIALS = 16


def descend(problem: Problem, modes: Modes, epochs: int, progress: Progress) -> None:
    """Steps from the model's coefficients until none lowers the loss, or patience ends.

    An epoch is one Jacobian, in the gradient mode of the epoch, and the first of a few steps, each
    more damped than the last, that lowers the loss and masks no more samples. Trials compute values
    only.
    """
    model = problem.model
    point = problem.evaluate(model.numerator, model.denominator)
    progress.add(point, 0)
    damping, settled = FIRST_DAMPING, 0
    for epoch in range(epochs):
        with modes.block(epoch):
            rows, residuals, saturated = problem.linearise(point)
        tried, damping = _improved(problem, point, rows, residuals, damping)
        if tried is None and not modes.is_changing(epoch):
            progress.history.stopped_by = "converged"
            return
        before, point = point.loss, point if tried is None else tried
        progress.add(point, saturated)
        fell = point.loss < before * (1.0 - SETTLED_FALL)
        settled = 0 if fell or modes.is_changing(epoch) else settled + 1
        if settled == SETTLED_EPOCHS or point.loss == 0.0:
            progress.history.stopped_by = "converged"
            return
        if progress.is_exhausted():
            return


def _improved(
    problem: Problem, point: Point, rows: Array, residuals: Array, damping: float
) -> tuple[Optional[Point], float]:
    """The point after the epoch's step and the next damping; None if no step is any better."""
    if not len(rows):
        return None, damping
    try:
        steps = DampedSteps(rows, residuals)
    except np.linalg.LinAlgError:
        return None, damping
    factor = 2.0  # grows too: the damping that helps may be many powers of ten away
    for _ in range(TRIALS):
        tried = problem.moved(point, steps.step(damping))
        if tried.loss < point.loss and tried.masked <= point.masked:
            return tried, max(damping / 10.0, LEAST_DAMPING)
        damping = min(damping * factor, MOST_DAMPING)
        factor *= 2.0
    return None, damping
