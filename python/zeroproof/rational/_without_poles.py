"""The best fit of a degree without poles in some intervals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Optional

import numpy as np
from numpy.polynomial import chebyshev

from .._arrays import Array
from ..fitting._levenberg_marquardt import levenberg_marquardt
from ..fitting._losses import Loss
from ._chebyshev import roots, slope
from ._pole_free import Intervals, has_poles
from ._positive import Positive, Roots
from ._problem import Metric, Point, Problem
from ._products import product

__all__ = ["without_poles"]

#: How far poles are moved out of the hull, and off the axis, to start from, in its lengths.
MOVED, HEIGHTS = 0.05, (0.05, 1e-3)
#: Where poles that are not wanted go, in lengths of the hull.
FAR_AWAY = 2.0
MOST_PAIRS = 3
AT_A_MARK = 1e-9


def without_poles(
    problem: Problem,
    point: Point,
    metric: Metric,
    loss: Loss,
    intervals: Intervals,
    steps: int,
) -> Optional[Point]:
    """The best point without poles in the intervals, from one that may have some there.

    Args:
        problem: the samples with a degree.
        point: whose poles are moved for starts, or kept if they are elsewhere.
        metric: of the residuals, without the weights of the loss.
        loss: in the unit of these residuals.
        intervals: in units of u.
        steps: at most, from each start.

    Returns:
        The point in the metric, or None if no start leads to one.
    """
    best: Optional[Point] = None
    least = np.inf
    q = problem.denominator(point.z)
    needy = tuple(each for each in intervals if has_poles(q, (each,)))
    hull = ((intervals[0][0], intervals[-1][1]),)
    for some in dict.fromkeys([needy or intervals, intervals, hull]):
        for start in _starts(problem, point, some):
            found = _fitted(problem, start, metric, loss, some, steps)
            if found is None or has_poles(problem.denominator(found.z), intervals):
                continue
            cost = loss.cost(found.residuals)
            if cost < least:
                best, least = found, cost
    return best


def _fitted(
    problem: Problem,
    start: Roots,
    metric: Metric,
    loss: Loss,
    intervals: Intervals,
    steps: int,
) -> Optional[Point]:
    """The minimum that a start leads to."""
    hull = (intervals[0][0], intervals[-1][1])
    gaps = tuple((low, high) for _, low, high in start.gaps)
    positive = Positive(problem.degree[1], hull, problem.samples.marks, gaps)
    tops = problem.A.shape[1]
    unknowns = positive.at(start)

    def at(theta: Array) -> Point:
        return problem.at(theta[:tops], problem.coordinates(positive.value(theta[tops:])), metric)

    def both(theta: Array) -> tuple[Array, Array]:
        here = at(theta)
        slopes = problem.slopes(here, metric)
        by_z = problem.coordinates(positive.slopes(theta[tops:]))
        jacobian = np.empty((len(slopes), len(theta)))
        np.multiply(problem.A, slopes[:, None], out=jacobian[:, :tops])
        np.multiply(product(problem.B, by_z), (-slopes * here.f)[:, None], out=jacobian[:, tops:])
        return here.residuals, jacobian

    z = problem.coordinates(positive.value(unknowns))
    first = problem.with_best_numerator(z, Metric(False, metric.weight))
    if not np.isfinite(first.sse):
        return None
    free = np.full(tops, np.inf)
    found = levenberg_marquardt(
        both,
        np.concatenate([first.p, unknowns]),
        residuals=lambda theta: at(theta).residuals,
        lower=np.concatenate([-free, positive.lower]),
        upper=np.concatenate([free, positive.upper]),
        loss=loss,
        max_iterations=steps,
    )
    reached = at(found.params)
    norm = float(np.linalg.norm(reached.z))
    if not (np.isfinite(reached.sse) and norm > 0.0):
        return None
    return problem.at(reached.p / norm, reached.z / norm, metric)


@dataclass(frozen=True)
class _Places:
    """The roots of Q without those at marks, by where they are."""

    inside: list[float]
    """In the intervals."""
    gaps: list[tuple[float, float, float]]
    others: list[complex]


def _sorted(q: Array, marks: Array, intervals: Intervals) -> _Places:
    places = _Places([], [], [])
    left = sorted(roots(q).tolist(), key=lambda root: root.real)
    for mark in marks.tolist():
        if left:
            left.remove(min(left, key=lambda root: abs(root - mark)))
    ends = [end for _, end in intervals[:-1]]
    gaps = list(zip(ends, (start for start, _ in intervals[1:])))
    for root in left:
        gap = next(((low, high) for low, high in gaps if low < root.real < high), None)
        if root.imag == 0.0 and gap is not None:
            places.gaps.append((root.real, *gap))
        elif root.imag == 0.0 and intervals[0][0] <= root.real <= intervals[-1][1]:
            places.inside.append(root.real)
        else:
            places.others.append(root)
    return places


def _starts(problem: Problem, point: Point, intervals: Intervals) -> Iterator[Roots]:
    """Roots to start from: those of Q, with those in the intervals moved.

    They become pairs beside the axis, two of them or one with a root from elsewhere. The others go
    out of the intervals.
    """
    low, high = intervals[0][0], intervals[-1][1]
    length = high - low
    reach = MOVED * length
    degree = problem.degree[1] - len(problem.samples.marks)
    q = problem.denominator(point.z)
    places = _sorted(q, problem.samples.marks, intervals)
    inside, others = places.inside, places.others

    def out(place: float) -> complex:
        return complex(low - reach if place - low < high - place else high + reach, 0.0)

    def completed(found: list[complex], gaps: list[tuple[float, float, float]]) -> Roots:
        missing = degree - len(gaps) - len(found)
        far = [complex(high + FAR_AWAY * length * (1 + k)) for k in range(missing)]
        return Roots(tuple(gaps), (*found, *far))

    if not inside:
        yield completed(others, places.gaps)
        return
    strong = _strongest(inside, point.p, q)[:MOST_PAIRS]
    spare = [root for root in others if root.imag == 0.0]
    lacks = degree > len(places.gaps) + len(inside) + len(others)
    for height in HEIGHTS:
        moved = [*others, *(out(place) for place in inside[len(inside) // 2 * 2 :])]
        for first, second in zip(inside[::2], inside[1::2]):
            middle, half = (first + second) / 2.0, (second - first) / 2.0
            moved += _pair(middle, max(half, height * length))
        yield completed(moved, places.gaps)
        for many in range(2, min(len(strong), degree // 2) + 1):
            pairs = [root for place in strong[:many] for root in _pair(place, height * length)]
            yield completed(*_kept(pairs, others, places.gaps, degree))
        for place in strong:
            rest, gaps = list(others), places.gaps
            left = [each for each in inside if each != place]
            if left:
                left.pop(0)
            elif spare:
                rest.remove(max(spare, key=lambda root: abs(root.real - place)))
            elif gaps and not lacks:
                gaps = gaps[1:]
            elif not lacks:
                continue
            pair = _pair(place, height * length)
            yield completed([*rest, *map(out, left), *pair], gaps)
    yield completed([], [])


def _strongest(places: list[float], p: Array, q: Array) -> list[float]:
    """In the order of the residues, the largest first."""
    at = np.array(places)
    residues = np.abs(chebyshev.chebval(at, p) / chebyshev.chebval(at, slope(q)))
    return at[np.argsort(-np.nan_to_num(residues))].tolist()  # type: ignore[no-any-return]


def _kept(
    wanted: list[complex],
    others: list[complex],
    gaps: list[tuple[float, float, float]],
    degree: int,
) -> tuple[list[complex], list[tuple[float, float, float]]]:
    """The roots that are wanted, and of the others what the degree allows, near ones first."""
    gaps = gaps[: degree - len(wanted)]
    left = degree - len(wanted) - len(gaps)
    for root in sorted((root for root in others if root.imag >= 0.0), key=abs):
        some = [root] if root.imag == 0.0 else [root, root.conjugate()]
        if len(some) <= left:
            wanted, left = wanted + some, left - len(some)
    return wanted, gaps


def _pair(centre: float, height: float) -> list[complex]:
    return [complex(centre, height), complex(centre, -height)]
