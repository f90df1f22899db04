"""Polynomials in the Chebyshev basis of an interval: values, slopes, roots, coefficients in x.

A polynomial is its coefficients in ``T₀(u), T₁(u), …`` with ``u = (x − centre)/half``, which is in
[−1, 1] on the interval. In this basis neither values nor roots lose digits to the choice of units,
as they do with powers of x.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.polynomial import chebyshev

from .._arrays import Array

__all__ = ["Interval", "clenshaw", "in_powers", "powers_matrix", "roots", "slope", "vandermonde"]

#: Newton steps on a root of the colleague matrix: it has half the digits at once.
POLISHING_STEPS = 3
SMALLEST_HALF = 5e-324
EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Interval:
    """The interval on which u is in [−1, 1]."""

    centre: float
    half: float

    @classmethod
    def of(cls, x: Array) -> Interval:
        """The smallest interval that holds the points; of length > 0."""
        low, high = float(x.min()), float(x.max())
        return cls(low / 2.0 + high / 2.0, max(high / 2.0 - low / 2.0, SMALLEST_HALF))

    def to_u(self, x: Any) -> Any:
        """From x to u; of numbers, arrays, nodes and tracers."""
        return (x - self.centre) / self.half

    def to_x(self, u: Any) -> Any:
        """From u to x."""
        return self.centre + self.half * u

    @property
    def ends(self) -> tuple[float, float]:
        """The smallest and the largest x."""
        return self.centre - self.half, self.centre + self.half


def vandermonde(u: Array, degree: int) -> Array:
    """The columns ``T₀(u) … T_degree(u)``, each of them contiguous."""
    columns = np.empty((degree + 1, len(u)))
    columns[0] = 1.0
    if degree:
        columns[1] = u
    for k in range(2, degree + 1):
        np.multiply(u, columns[k - 1], out=columns[k])
        columns[k] *= 2.0
        columns[k] -= columns[k - 2]
    return columns.T


def clenshaw(coefficients: Array, u: Any) -> Any:
    """The value at a number, array, node or tracer, by Clenshaw's recurrence.

    The same sums and products in the same order for every kind, hence the same bits.
    """
    c = [float(each) for each in coefficients]
    if len(c) == 1:
        return 0.0 * u + c[0]
    if len(c) == 2:
        return u * c[1] + c[0]
    twice = u * 2.0
    above: Any = c[-1]
    here: Any = twice * c[-1] + c[-2]
    for k in range(len(c) - 3, 0, -1):
        here, above = twice * here - above + c[k], here
    return u * here - above + c[0]


def slope(coefficients: Array) -> Array:
    """The coefficients of the derivative by u."""
    return np.asarray(chebyshev.chebder(coefficients), np.float64)


def roots(coefficients: Array) -> npt.NDArray[np.complex128]:
    """The roots in u, conjugate pairs exactly so, real ones first, in ascending order.

    Leading coefficients of the size of rounding errors are roots at infinity and left out.
    """
    size = np.abs(coefficients).max(initial=0.0)
    kept = np.flatnonzero(np.abs(coefficients) > EPS * size)
    if not len(kept) or kept[-1] == 0:
        return np.empty(0, np.complex128)
    trimmed = coefficients[: kept[-1] + 1]
    found = np.asarray(chebyshev.chebroots(trimmed), np.complex128)
    found = _polished(trimmed, found)
    real = np.sort(found.real[found.imag == 0.0])
    upper = found[found.imag > 0.0]
    upper = upper[np.lexsort((upper.imag, upper.real))]
    pairs = np.stack([upper, upper.conj()], axis=1).reshape(-1)
    return np.concatenate([real.astype(np.complex128), pairs])


def _polished(coefficients: Array, found: npt.NDArray[np.complex128]) -> npt.NDArray[np.complex128]:
    """The roots after Newton steps, of which those are kept that reduce the value."""
    first = chebyshev.chebder(coefficients)
    value = np.abs(chebyshev.chebval(found, coefficients))
    with np.errstate(all="ignore"):
        for _ in range(POLISHING_STEPS):
            moved = found - chebyshev.chebval(found, coefficients) / chebyshev.chebval(found, first)
            there = np.abs(chebyshev.chebval(moved, coefficients))
            better = np.isfinite(moved) & (there < value)
            found = np.where(better, moved, found)
            value = np.where(better, there, value)
    return found


def powers_matrix(interval: Interval, degree: int) -> list[list[Fraction]]:
    """What takes coefficients of T₀ … T_degree to those of 1, x, x², …; exact.

    ``matrix[j][k]`` is the coefficient of ``xʲ`` in ``T_k(u(x))``.
    """
    centre, half = Fraction(interval.centre), Fraction(interval.half)
    constant, factor = -centre / half, 1 / half
    columns = [[Fraction(1)], [constant, factor]]
    for _ in range(2, degree + 1):
        last, before = columns[-1], columns[-2]
        new = [2 * constant * each for each in last] + [Fraction(0)]
        for j, each in enumerate(last):
            new[j + 1] += 2 * factor * each
        for j, each in enumerate(before):
            new[j] -= each
        columns.append(new)
    size = degree + 1
    zero = Fraction(0)
    padded = [column + [zero] * (size - len(column)) for column in columns[:size]]
    return [[padded[k][j] for k in range(size)] for j in range(size)]


def in_powers(coefficients: Array, interval: Interval) -> list[Fraction]:
    """The coefficients of 1, x, x², …, exact, since their sums may cancel."""
    exact = [Fraction(float(each)) for each in coefficients]
    matrix = powers_matrix(interval, len(exact) - 1)
    return [sum((m * c for m, c in zip(row, exact)), Fraction(0)) for row in matrix]
