"""The linearised start of a model."""

from __future__ import annotations

from typing import Optional

import numpy as np
import numpy.typing as npt

from .._arrays import Array
from ._linearised import Linear, solve
from ._losses import slopes
from ._problem import Point, Problem

__all__ = ["linearised"]

#: The most solutions with new weights.
ROUNDS = 20
#: So many rounds in turn that do not lower the least loss by this share are the last.
IDLE_ROUNDS, LEAST_FALL = 3, 1e-3
#: The ridges to try: none, to fit exact data to rounding errors, and two for noise.
RIDGES = (0.0, 1e-10, 1e-6)
#: At this share of the mean square of y no ridge would be any better.
ROUNDING = 1e-24
#: y below this quantile does not count as being next to a pole.
FAR = 0.02


def linearised(problem: Problem) -> Point:
    """The best of the linearised solutions, each with the weights that the one before gave.

    Outputs with a denominator of their own are solved by themselves.
    """
    samples, model = problem.samples, problem.model
    top, bottom = model.terms_at(samples.x)
    # Terms may be at poles themselves, those of the user's own functions.
    usable = np.flatnonzero(np.isfinite(top).all(axis=1) & np.isfinite(bottom).all(axis=1))
    groups = [slice(None)]
    if not model.shared_denominator:
        groups = [slice(output, output + 1) for output in range(model.outputs)]
    linear = [
        Linear(
            top[usable], bottom[usable], samples.y[usable, group], samples.weights[usable, group]
        )
        for group in groups
    ]
    best = problem.evaluate(model.numerator, model.denominator)
    for ridge in RIDGES:
        found = _iterated(problem, groups, linear, usable, ridge)
        if found is not None and found.loss < best.loss:
            best = found
        if best.loss <= ROUNDING * problem.scale():
            break
    return best


def _iterated(
    problem: Problem,
    groups: list[slice],
    linear: list[Linear],
    usable: npt.NDArray[np.intp],
    ridge: float,
) -> Optional[Point]:
    """The best of the solutions with one ridge; None if there is none."""
    distances = [_first_distances(part.y) for part in linear]
    best, idle = None, 0
    for _ in range(ROUNDS):
        try:
            solved = [solve(part, near, ridge) for part, near in zip(linear, distances)]
        except np.linalg.LinAlgError:
            break
        numerator = np.concatenate([numerator for numerator, _ in solved])
        rows = np.array([denominator for _, denominator in solved])
        denominator = rows[0] if problem.model.shared_denominator else rows
        if not (np.isfinite(numerator).all() and np.isfinite(denominator).all()):
            break
        tried = problem.evaluate(numerator, denominator)
        is_lower = best is None or tried.loss < best.loss * (1.0 - LEAST_FALL)
        idle = 0 if is_lower else idle + 1
        if best is None or tried.loss < best.loss:
            best = tried
        if idle == IDLE_ROUNDS:
            break
        # A robust loss weighs by the residuals of the last round as well.
        weights = np.sqrt(slopes(tried.residuals[usable], problem.loss))
        weights[~(weights > 0)] = 1.0
        distances = [
            _distances(part, denominator) / weights[:, group]
            for group, part, (_, denominator) in zip(groups, linear, solved)
        ]
    return best


def _first_distances(y: Array) -> Array:
    """1/√(1 + (y/scale)²), what |Q| is up to a factor where P does not vanish."""
    size = np.abs(np.where(np.isfinite(y), y, 0.0)).max(axis=1)
    scale = float(np.quantile(size[size > 0], FAR)) if (size > 0).any() else 1.0
    found = 1.0 / np.hypot(1.0, size / scale)
    return np.repeat(found[:, None], y.shape[1], axis=1)


def _distances(part: Linear, denominator: Array) -> Array:
    """|Q|, which makes P − y·Q the residual; not less than at the samples that are REAL."""
    with np.errstate(all="ignore"):
        found = np.abs(part.bottom @ denominator)
    positive = found[found > 0]
    least = float(positive.min()) if positive.size else 1.0
    return np.repeat(np.maximum(found, least)[:, None], part.y.shape[1], axis=1)
