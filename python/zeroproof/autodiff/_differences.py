"""The slope of a function at a point by finite differences.

The function is sampled at ``x ± h`` for a sequence of steps, each a quarter of the one before.
Central differences, one-sided differences and the values themselves are then extrapolated to
``h = 0`` as polynomials in ``h`` (Richardson's extrapolation in Neville's tableau, as Ridders
proposed for derivatives), and of all extrapolants the one with the smallest error is kept, if it is
consistent with smaller steps. The value at ``x`` itself is not used, so it need not be REAL.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Optional

EPSILON = 2.0**-52
#: The largest step, relative to max(1, |x|). It is no power of two, so that a function whose period
#: is one does not look flat.
_FIRST = 0.0437
_RATIO = 4.0
#: The smallest step in units of the last place of x; below it, h is too inexact.
_LAST_IN_ULPS = 16.0
#: Below this, steps relative to 1 end, and steps relative to |x| go on.
_LAST_OF_UNIT_SCALE = 1e-14
#: The number of terms of the expansion in h that an extrapolant may remove.
_TERMS = 5
#: A side is used if f is REAL at this many of the smallest steps.
_ENOUGH = 4
#: A limit has converged if its error is this small relative to it or to the entries it came from.
_CONVERGED = 1e-3
#: A limit of 0 has converged if its error is at most this multiple of the rounding error ...
_ROUNDING = 8.0
#: ... or below the normal range.
_SMALLEST_NORMAL = 2.0**-1022
#: The allowed relative difference from the entries of smaller steps.
_SLACK = 1e-7


class Estimate(NamedTuple):
    """An extrapolated number, and a bound on its error that holds in all but odd cases."""

    value: float
    error: float


@dataclass(frozen=True)
class Side:
    """The function on one side of the point."""

    real: bool
    """Whether it is REAL at the smallest steps."""
    limit: Optional[Estimate] = None
    """The limit of its value; None if that does not converge."""
    slope: Optional[Estimate] = None
    """The limit of its slope; None if that does not converge."""


@dataclass(frozen=True)
class Differences:
    """The limits around a point."""

    left: Side
    right: Side
    centre: Optional[Estimate]
    """The limit of central differences; None if it does not converge or a side is not REAL."""


def differences(
    f: Callable[[float], float], x: float, noise: float, gradient: float
) -> Differences:
    """Samples a function around a point.

    Args:
        f: returns the IEEE double of a transreal value.
        x: the point.
        noise: a bound on the rounding error of values near the point.
        gradient: the expected slope. Steps at which the rounding error exceeds both it and the
            measured slope are left out.
    """
    steps: list[float] = []
    above: list[float] = []
    below: list[float] = []
    for step in _step_sizes(x):
        steps.append(step)
        above.append(f(x + step))
        below.append(f(x - step))
        slope = max(abs(above[-1] - below[-1]) / (2.0 * step), abs(gradient))
        if math.isfinite(slope) and noise / step > slope and len(steps) > 2 * _TERMS:
            break
    shared = min(_real_at_the_end(above), _real_at_the_end(below))
    centre = None
    if shared >= _ENOUGH:
        h, upper, lower = steps[-shared:], above[-shared:], below[-shared:]
        values = [max(abs(u), abs(v)) for u, v in zip(upper, lower)]
        slopes = [(u - v) / (2.0 * step) for u, v, step in zip(upper, lower, h)]
        rounding = [(noise + EPSILON * value) / step for value, step in zip(values, h)]
        centre = _extrapolate(h, slopes, rounding, values, even=True)
    return Differences(
        left=_side([-step for step in steps], below, noise),
        right=_side(steps, above, noise),
        centre=centre,
    )


def _step_sizes(x: float) -> list[float]:
    """The steps, falling. ``x ± step`` is exact unless x is far below the step."""
    ulp, size = math.ulp(x), abs(x)
    smallest = _LAST_IN_ULPS * ulp
    if size >= _LAST_OF_UNIT_SCALE:
        scales = [(max(1.0, size), smallest)]
    else:
        scales = [(1.0, _LAST_OF_UNIT_SCALE)] + ([(size, smallest)] if size > 0.0 else [])
    steps = []
    for scale, last in scales:
        step = _FIRST * scale
        while step >= last:
            taken = (x + step) - x if step <= size else step
            if math.isfinite(x + taken) and math.isfinite(x - taken):
                steps.append(taken)
            step /= _RATIO
    return steps


def _real_at_the_end(values: Sequence[float]) -> int:
    """How many values are REAL, counted from the smallest step."""
    count = 0
    for value in reversed(values):
        if not math.isfinite(value):
            break
        count += 1
    return count


def _side(offsets: Sequence[float], values: Sequence[float], noise: float) -> Side:
    """Limit and slope of a side; offsets have its sign."""
    count = _real_at_the_end(values)
    if count < _ENOUGH:
        return Side(real=False)
    h, values = list(offsets[-count:]), list(values[-count:])
    rounding = [noise + EPSILON * abs(value) for value in values]
    slopes = [(values[k] - values[k + 1]) / (h[k] - h[k + 1]) for k in range(count - 1)]
    of_slopes = [2.0 * rounding[k] / abs(h[k] - h[k + 1]) for k in range(count - 1)]
    return Side(
        real=True,
        limit=_extrapolate(h, values, rounding),
        slope=_extrapolate(h[1:], slopes, of_slopes, [abs(value) for value in values]),
    )


class _Candidate(NamedTuple):
    error: float
    level: int
    value: float


def _extrapolate(
    steps: Sequence[float],
    entries: Sequence[float],
    rounding: Sequence[float],
    values: Sequence[float] = (),
    even: bool = False,
) -> Optional[Estimate]:
    """The limit of the entries as the step goes to 0; None if it does not converge.

    Args:
        steps: falling in size.
        entries: polynomials in the step, or even ones, but for rounding.
        rounding: the rounding error of each entry.
        values: if the entries are slopes, the sizes of the function values, which distinguish a
            slope of 0 from one below the rounding error.
        even: whether only even powers of the step occur.
    """
    best = _best_of_each_level(steps, entries, rounding, even)
    candidates = []
    for candidate, smaller in zip(best, [*best[1:], None]):
        # Noise may agree by chance once; the next level has to agree as well.
        spread = 0.0 if smaller is None else abs(smaller.value - candidate.value)
        candidates.append(candidate._replace(error=max(candidate.error, spread)))
    for error, level, value in sorted(candidates):
        scale = max(abs(value), *map(abs, entries[: level + 1]))
        flat = _CONVERGED * max(values[: level + 1]) / abs(steps[0]) if values else math.inf
        of_zero = max(_SMALLEST_NORMAL, min(flat, _ROUNDING * rounding[level]))
        if error > max(_CONVERGED * scale, of_zero):
            continue
        # Smaller steps must not be further off than this one, except by rounding. This detects
        # steps that are too large to resolve the function near the point.
        allowed = 2.0 * max(abs(entries[level] - value), error) + _SLACK * abs(value)
        if all(
            abs(entries[k] - value) <= allowed + 4.0 * rounding[k]
            for k in range(level + 1, len(entries))
        ):
            return Estimate(value, error)
    return None


def _best_of_each_level(
    steps: Sequence[float], entries: Sequence[float], rounding: Sequence[float], even: bool
) -> list[_Candidate]:
    """Of each row of the tableau, the extrapolant that differs least from those it came from."""
    best = []
    row: list[float] = []
    for level, entry in enumerate(entries):
        above, row = row, [entry]
        found = []
        for k in range(1, min(level, _TERMS) + 1):
            ratio = steps[level - k] / steps[level]
            weight = (ratio * ratio if even else ratio) - 1.0
            refined = row[-1] + (row[-1] - above[k - 1]) / weight
            change = max(abs(refined - row[-1]), abs(refined - above[k - 1]))
            row.append(refined)
            error = change + 2.0 * rounding[level]
            if math.isfinite(error):
                found.append(_Candidate(error, level, refined))
        if found:
            best.append(min(found))
    return best
