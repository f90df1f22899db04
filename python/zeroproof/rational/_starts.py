"""Starts: solutions of the linearised problem ``P − v·Q ≈ 0``.

Sanathanan and Koerner's iteration: the residual ``f − v`` times Q is linear in the coefficients,
and dividing by the Q of the step before gives the weight back. For chords the divisor is
``√(P² + Q²)``, which has no poles. Each step is the smallest singular vector of a small matrix.

C. K. Sanathanan, J. Koerner, Transfer function synthesis as a ratio of two complex polynomials,
IEEE Transactions on Automatic Control 8 (1963) 56–58.
"""

from __future__ import annotations

from typing import Optional

import numpy as np

from .._arrays import Array
from ..fitting._triangle import triangle
from ._problem import Metric, Point, Problem
from ._products import product

__all__ = ["linearised", "random_start"]

STEPS = 12
#: An iteration that has stopped changing by more than this is done.
SETTLED = 1e-12


def linearised(
    problem: Problem, metric: Metric, first: Optional[Point] = None, steps: int = STEPS
) -> Point:
    """The best point of the iteration, in the metric of the iteration.

    Args:
        problem: the samples with a degree.
        metric: chords or differences.
        first: where the iteration begins; by default with Q = 1.
        steps: at most.
    """
    samples = problem.samples
    tops = problem.A.shape[1]
    both = np.concatenate([problem.A, problem.B * -samples.v[:, None]], axis=1)
    weight = metric.weight * samples.chord if metric.chordal else metric.weight
    divisor = np.ones(len(samples)) if first is None else _divisor(problem, first, metric)
    best = None if first is None else problem.at(first.p, first.z, metric)
    last = None
    for _ in range(steps):
        found = _smallest(both * (weight / divisor)[:, None], tops)
        if found is None:
            break
        p, z = found
        if metric.chordal:
            point = problem.at(p, z, metric)
        else:
            point = problem.with_best_numerator(z, metric)
        if best is None or not np.isfinite(best.sse) or point.sse < best.sse:
            best = point
        if last is not None and abs(float(z @ last)) > 1.0 - SETTLED:
            break
        last = z
        divisor = _divisor(problem, point, metric)
    if best is None:
        return problem.at(np.zeros(tops), np.eye(problem.B.shape[1])[0], metric)
    return best


def _divisor(problem: Problem, point: Point, metric: Metric) -> Array:
    bottom = np.abs(point.bottom)
    if metric.chordal:
        bottom = np.hypot(bottom, product(problem.A, point.p))
    size = float(bottom.max())
    if not np.isfinite(size) or size == 0.0:
        return np.ones_like(bottom)
    return np.maximum(bottom, size * 1e-13)


def _smallest(matrix: Array, tops: int) -> Optional[tuple[Array, Array]]:
    """The coefficients that minimise the norm of the product, z at norm 1; None on overflow."""
    R = triangle(matrix)
    if not np.isfinite(R).all():
        return None
    z = np.linalg.svd(R[tops:, tops:])[2][-1]
    upper = R[:tops, :tops]
    size = np.abs(np.diag(upper))
    right = -R[:tops, tops:] @ z
    if size.min() > size.max() * 1e-14:
        p = np.linalg.solve(upper, right)
    else:
        p = np.linalg.lstsq(upper, right, rcond=None)[0]
    return p, z


def random_start(problem: Problem, metric: Metric, rng: np.random.Generator) -> Point:
    """A point with random poles, most of them within the data or near to it, and the best P."""
    m = problem.degree[1]
    pairs = int(rng.integers(0, m // 2 + 1))
    centres = rng.uniform(-1.2, 1.2, pairs)
    heights = 10.0 ** rng.uniform(-2.0, 0.5, pairs)
    complex_roots = centres + 1j * heights
    # Outside as often as inside: 1/t of a uniform t is anywhere beyond ±1.
    t = rng.uniform(-1.0, 1.0, m - 2 * pairs)
    real_roots = np.where(rng.random(len(t)) < 0.5, t, 1.0 / np.where(t == 0.0, 1.0, t))
    found = np.concatenate([real_roots, complex_roots, complex_roots.conj()])
    q = np.real(np.polynomial.chebyshev.chebfromroots(found)) if m else np.ones(1)
    z = problem.coordinates(np.asarray(q, np.float64))
    z = z / np.linalg.norm(z)
    if metric.chordal:
        metric = Metric(False, metric.weight * problem.samples.chord)
    return problem.with_best_numerator(z, metric)
