"""Least squares in the metric of the noise, from a start.

Levenberg and Marquardt's method on the coefficients of P and Q together. Columns are scaled and
the matrix of a step reduced to a small triangle by QR, so the normal equations, which square the
condition number, are never formed. For differences P is replaced after each step by the best one
for the new Q (variable projection): only the poles are then found by iteration.

G. H. Golub, V. Pereyra, Separable nonlinear least squares: the variable projection method and its
applications, Inverse Problems 19 (2003) R1–R26.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._arrays import Array
from ..fitting._triangle import triangle
from ._estimates import lengths
from ._problem import Metric, Point, Problem
from ._products import product

__all__ = ["Linearisation", "linearise", "refine"]

MOST_STEPS = 200
#: Below this relative prediction the sum of squares no longer shows an improvement.
UNSEEN = 1e-13
#: Large residuals that bend make convergence linear, with a factor that may be near 1.
SETTLING_STEPS, STILL_SHRINKING = 100, 0.95
EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Linearisation:
    """The residuals to first order, in scaled unknowns of a chart around a point.

    ``left.T @ residuals`` is ``part``; the matrix of the first order is ``left·singular·across``
    with orthonormal ``left``, in unknowns divided by ``size``. ``chart`` takes the unknowns to
    changes of (p, z) that keep the norm of z to first order. All is NaN where squares overflow.
    """

    part: Array
    singular: Array
    across: Array
    size: Array
    chart: Array

    def step(self, damping: float) -> tuple[Array, float]:
        """The change of (p, z), and the reduction of the sum of squares that it promises."""
        s = self.singular
        kept = s > s[0] * EPS
        factor = np.where(kept, s / (s * s + damping), 0.0) * self.part
        predicted = float(np.sum(s * factor * (2.0 * self.part - s * factor)))
        return self.chart @ (self.across.T @ -factor / self.size), predicted


def linearise(problem: Problem, point: Point, metric: Metric) -> Linearisation:
    """The residuals around a point to first order."""
    slopes = problem.slopes(point, metric)
    tops, bottoms = problem.A.shape[1], problem.B.shape[1]
    tangent = np.linalg.svd(point.z[None, :])[2][1:].T
    rows = len(slopes)
    matrix = np.empty((rows, tops + bottoms))
    np.multiply(problem.A, slopes[:, None], out=matrix[:, :tops])
    if bottoms > 1:
        np.multiply(
            product(problem.B, tangent), (-slopes * point.f)[:, None], out=matrix[:, tops:-1]
        )
    matrix[:, -1] = point.residuals
    R = triangle(matrix)
    count = tops + bottoms - 1
    upper, right = R[:count, :count], R[:count, count]
    size = lengths(upper.T)
    size[size == 0.0] = 1.0
    scaled = upper / size
    if not np.isfinite(scaled).all():  # next to a pole at a row: there is no step
        nothing = np.full(count, np.nan)
        return Linearisation(nothing, nothing, np.eye(count), size, np.eye(tops + bottoms, count))
    left, singular, across = np.linalg.svd(scaled)
    chart = np.zeros((tops + bottoms, count))
    chart[:tops, :tops] = np.eye(tops)
    chart[tops:, tops:] = tangent
    return Linearisation(left.T @ right, singular, across, size, chart)


def refine(
    problem: Problem,
    start: Point,
    metric: Metric,
    steps: int = MOST_STEPS,
    unseen: float = UNSEEN,
) -> Point:
    """The point at which the sum of squares stops changing, from a start.

    The sum never increases, except for steps within its rounding error, which go on until the
    coefficients stop changing.

    Args:
        problem: the samples with a degree.
        start: where to begin.
        metric: chords or differences, with weights.
        steps: at most.
        unseen: the relative reduction of the sum that is not worth a step. If it is more than the
            default the coefficients are not settled.
    """
    point = _retracted(problem, start.p, start.z, metric)
    if not point.sse <= problem.at(start.p, start.z, metric).sse:
        point = problem.at(start.p, start.z, metric)
    if not np.isfinite(point.sse):
        return point
    damping, factor = 1e-3, 2.0
    tops = problem.A.shape[1]
    for _ in range(steps):
        if point.sse == 0.0:
            break
        first_order = linearise(problem, point, metric)
        if not np.isfinite(first_order.part).all():
            break
        if first_order.step(0.0)[1] <= unseen * point.sse:
            return _settled(problem, point, metric) if unseen <= UNSEEN else point
        moved = False
        while damping < 1e16:
            change, predicted = first_order.step(damping)
            trial = _retracted(problem, point.p + change[:tops], point.z + change[tops:], metric)
            gain = (point.sse - trial.sse) / predicted if predicted > 0.0 else -1.0
            if trial.sse < point.sse and gain > 1e-4:
                # A step that does as it promised is followed by a longer one.
                damping *= max(1.0 / 10.0, 1.0 - (2.0 * gain - 1.0) ** 3)
                damping, factor = max(damping, 1e-16), 2.0
                point, moved = trial, True
                break
            damping *= factor
            factor *= 2.0
        if not moved:
            break
    return point


def _retracted(problem: Problem, p: Array, z: Array, metric: Metric) -> Point:
    """The point after a step: z at norm 1, and for differences the best P."""
    norm = float(np.linalg.norm(z))
    if not np.isfinite(norm) or norm == 0.0:
        return Point(p, z, p, p, p, np.inf)
    if not metric.chordal:
        return problem.with_best_numerator(z / norm, metric)
    return problem.at(p / norm, z / norm, metric)


def _settled(problem: Problem, point: Point, metric: Metric) -> Point:
    """The point after undamped steps, as long as they become shorter."""
    tops = problem.A.shape[1]
    last = np.inf
    for _ in range(SETTLING_STEPS):
        first_order = linearise(problem, point, metric)
        change, _ = first_order.step(0.0)
        length = float(np.linalg.norm(change[tops:]))
        if not length < STILL_SHRINKING * last:
            break
        trial = _retracted(problem, point.p + change[:tops], point.z + change[tops:], metric)
        if not trial.sse <= point.sse * (1.0 + 1e-10):
            break
        point, last = trial, length
        if length <= 4.0 * EPS:
            break
    return point
