"""Intervals in which a function may have no pole, and the proof that it has none.

Whether Q has a root in an interval is decided by Sturm's theorem for the coefficients as they are
stored, in whole numbers, so it holds at every point and not only at the rows. Within the data Q is
also to be larger than the rounding errors of its values, so that no value that is computed is at a
pole either. A check in doubles, at the ends and at the extrema, is enough on the way to a fit.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev

from .._arrays import Array
from .._intervals import pairs_of_numbers
from ._chebyshev import Interval, in_powers, roots
from ._problem import Samples

__all__ = ["Intervals", "has_poles", "intervals_of", "vanishes"]

#: In units of u, ascending and apart: intervals in which there may be no pole.
Intervals = tuple[tuple[float, float], ...]

EPS = float(np.finfo(np.float64).eps)
#: Rounding errors of a value of Q, in units of its size and of the number of its coefficients.
ROUNDINGS = 16.0
OUTWARDS = 4.0
#: In units of u. Farther, ±1 has no digits left, and high powers leave the range of doubles.
FARTHEST = 1e15
IN_U = Interval(0.0, 1.0)


def intervals_of(given: Any, samples: Samples) -> Intervals:
    """The argument ``pole_free`` in units of u, with intervals that overlap joined.

    Raises:
        TypeError: for what is neither None nor a bool nor pairs of numbers.
        ValueError: for an empty interval, one too far from the data, and where the data state a
            pole.
    """
    if given is None or given is False:
        return ()
    if given is True:
        pairs = [samples.interval.ends]
    else:
        try:
            pairs = sorted(pairs_of_numbers(given))
        except (TypeError, ValueError):
            raise TypeError(
                "pole_free must be True, for the range of the data, or a list of intervals "
                f"[(low, high), …], not {given!r}"
            ) from None
    joined: list[tuple[float, float]] = []
    for low, high in pairs:
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(f"pole_free must have finite low < high, not ({low!r}, {high!r})")
        start, end = (float(samples.interval.to_u(place)) for place in (low, high))
        if not max(abs(start), abs(end)) < FARTHEST:
            raise ValueError(
                f"pole_free is too far from the data: ({low!r}, {high!r}) goes beyond {FARTHEST:g} "
                "times their range, so give a shorter interval"
            )
        # Outwards by more than the rounding errors of u.
        start -= OUTWARDS * EPS * max(abs(start), 1.0)
        end += OUTWARDS * EPS * max(abs(end), 1.0)
        for mark in samples.marks.tolist():
            if start <= mark <= end:
                place = samples.interval.to_x(mark)
                raise ValueError(
                    f"pole_free contains x = {place:.6g}, where y is ±inf, which states a pole"
                )
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def has_poles(q: Array, intervals: Intervals) -> bool:
    """Whether Q may vanish in one of the intervals, up to the rounding of its values.

    It does not if it has one sign at the ends and at all extrema between them. In doubles, so it is
    no proof.
    """
    if not intervals:
        return False
    if not np.isfinite(q).all():
        return True
    extrema = np.empty(0)
    if len(q) > 2:  # real parts of roots that are not real are harmless further points
        extrema = roots(np.asarray(chebyshev.chebder(q), np.float64)).real
    for low, high in intervals:
        inside = extrema[(extrema > low) & (extrema < high)]
        points = np.concatenate([[low, high], inside])
        values = np.asarray(chebyshev.chebval(points, q), np.float64)
        sizes = np.asarray(chebyshev.chebval(np.maximum(np.abs(points), 1.0), np.abs(q)))
        least = 2.0 * ROUNDINGS * EPS * len(q) * sizes
        if not ((values > least).all() or (values < -least).all()):
            return True
    return False


def vanishes(q: Array, intervals: Intervals) -> bool:
    """Whether Q has a root in one of the intervals, or within the data a value of rounding errors.

    Exact: for all points, and for the coefficients as they are.
    """
    exact = in_powers(q, IN_U)
    rounding = Fraction(ROUNDINGS * EPS * len(q) * float(np.abs(q).sum()))
    for low, high in intervals:
        ends = Fraction(low), Fraction(high)
        sign = 1 if _value(exact, ends[0]) > 0 else -1
        parts = [(ends, Fraction(0))]
        within = max(ends[0], Fraction(-1)), min(ends[1], Fraction(1))
        if within[0] < within[1]:
            parts.append((within, rounding))
        for part, least in parts:
            moved = [sign * each for each in exact]
            moved[0] -= least
            if _value(moved, part[0]) <= 0 or _count(moved, *part):
                return True
    return False


def _value(polynomial: list[Fraction], at: Fraction) -> Fraction:
    total = Fraction(0)
    for each in reversed(polynomial):
        total = total * at + each
    return total


def _count(polynomial: list[Fraction], low: Fraction, high: Fraction) -> int:
    """How many different roots are above low and not above high, by Sturm's theorem."""
    chain = [_whole(polynomial)]
    chain.append(_whole([Fraction(k * c) for k, c in enumerate(chain[0])][1:]))
    while len(chain[-1]) > 1:
        rest = _remainder(chain[-2], chain[-1])
        if not rest:
            break
        chain.append(_whole([Fraction(-c) for c in rest]))
    if not chain[-1]:
        chain.pop()
    return _changes(chain, low) - _changes(chain, high)


def _whole(polynomial: list[Fraction]) -> list[int]:
    """Whole numbers with the same signs and roots, without common factors and leading zeros."""
    found = list(polynomial)
    while found and found[-1] == 0:
        found.pop()
    if not found:
        return []
    common = math.lcm(*(each.denominator for each in found))
    whole = [int(each * common) for each in found]
    divisor = math.gcd(*whole)
    return [number // divisor for number in whole]


def _remainder(top: list[int], bottom: list[int]) -> list[int]:
    """A positive multiple of the remainder of a division."""
    rest, lead = list(top), bottom[-1]
    while len(rest) >= len(bottom):
        factor, shift = rest[-1], len(rest) - len(bottom)
        if lead < 0:
            factor = -factor
        rest = [abs(lead) * each for each in rest]
        for k, each in enumerate(bottom):
            rest[shift + k] -= factor * each
        while rest and rest[-1] == 0:
            rest.pop()
    return rest


def _changes(chain: list[list[int]], at: Fraction) -> int:
    """The changes of sign in the chain."""
    top, bottom = at.numerator, at.denominator
    signs = []
    for polynomial in chain:
        total, power = 0, 1
        for each in reversed(polynomial):  # times the power of the denominator, which is positive
            total = total * top + each * power
            power *= bottom
        if total:
            signs.append(total > 0)
    return sum(first != second for first, second in zip(signs, signs[1:]))
