"""The linearised start of a model."""

from __future__ import annotations

import numpy as np

from .._arrays import Array
from ._linearised import Linear, solve
from ._losses import slopes
from ._problem import Point, Problem

__all__ = ["linearised"]

#: The most solutions with new weights.
ROUNDS = 20
#: So many rounds in turn that do not lower the least loss by this share are the last.
IDLE_ROUNDS, LEAST_FALL = 3, 1e-3


def linearised(problem: Problem) -> Point:
    """The best of the linearised solutions, each with the weights that the one before gave.

    Outputs with a denominator of their own are solved by themselves.
    """
    samples, model = problem.samples, problem.model
    top, bottom = model.terms_at(samples.x)
    # Terms may be at poles themselves, those of the user's own functions.
    usable = np.isfinite(top).all(axis=1) & np.isfinite(bottom).all(axis=1)
    groups = [slice(None)]
    if not model.shared_denominator:
        groups = [slice(output, output + 1) for output in range(model.outputs)]
    linear = [
        Linear(
            top[usable], bottom[usable], samples.y[usable, group], samples.weights[usable, group]
        )
        for group in groups
    ]
    distances = [_first_distances(part.y) for part in linear]
    best = problem.evaluate(model.numerator, model.denominator)
    idle = 0
    for _ in range(ROUNDS):
        try:
            solved = [solve(part, distance) for part, distance in zip(linear, distances)]
        except np.linalg.LinAlgError:
            break
        numerator = np.concatenate([numerator for numerator, _ in solved])
        rows = np.array([denominator for _, denominator in solved])
        denominator = rows[0] if model.shared_denominator else rows
        if not (np.isfinite(numerator).all() and np.isfinite(denominator).all()):
            break
        tried = problem.evaluate(numerator, denominator)
        idle = 0 if tried.loss < best.loss * (1.0 - LEAST_FALL) else idle + 1
        best = tried if tried.loss < best.loss else best
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
    scale = float(np.median(size[size > 0])) if (size > 0).any() else 1.0
    found = 1.0 / np.hypot(1.0, size / scale)
    return np.repeat(found[:, None], y.shape[1], axis=1)


def _distances(part: Linear, denominator: Array) -> Array:
    """|Q|, which makes P − y·Q the residual; not less than at the samples that are REAL."""
    with np.errstate(all="ignore"):
        found = np.abs(part.bottom @ denominator)
    positive = found[found > 0]
    least = float(positive.min()) if positive.size else 1.0
    return np.repeat(np.maximum(found, least)[:, None], part.y.shape[1], axis=1)
