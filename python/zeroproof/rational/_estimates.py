"""What follows from the coefficients: poles, residues, zeros, coefficients in x; standard errors.

The covariance of P's and Q's coefficients is known in the Chebyshev basis, as a product ``R·Rᵀ``.
That of anything that follows from them is by the delta method: its derivatives times R. A pole
may be known to far more digits than any coefficient, which R keeps and the product does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Optional

import numpy as np
import numpy.typing as npt
from numpy.polynomial import chebyshev

from .._arrays import Array
from ._chebyshev import Interval, in_powers, powers_matrix, roots, slope, vandermonde
from ._products import product

__all__ = [
    "Powers",
    "Roots",
    "lengths",
    "poles_and_residues",
    "powers",
    "value_errors",
    "zeros",
]

Complex = npt.NDArray[np.complex128]

#: The constant of Q is made 1 unless it is that small beside its other terms, at a pole at 0.
SMALLEST_CONSTANT = 1e-8


@dataclass(frozen=True)
class Roots:
    """Places, what the residue is there, and the standard errors of both.

    The real part of a standard error is that of the real part, the imaginary part likewise.
    """

    places: Complex
    residues: Complex
    place_errors: Complex
    residue_errors: Complex


def _values(at: Complex, degree: int) -> Complex:
    """T₀ … T_degree at complex points, a row for each point."""
    return np.asarray(chebyshev.chebvander(at, degree), np.complex128).reshape(len(at), degree + 1)


def _spread(slopes: Complex, root: Optional[Array]) -> Complex:
    """The standard errors of complex quantities with these derivatives, a row for each."""
    if root is None:
        return np.full(len(slopes), complex(np.nan, np.nan))
    return np.asarray(lengths(slopes.real @ root) + 1j * lengths(slopes.imag @ root))


def lengths(rows: Array) -> Array:
    """The lengths of the rows of a matrix, also where squares leave the range of a double."""
    with np.errstate(all="ignore"):
        largest = np.abs(rows).max(axis=1, initial=0.0)
        scale = np.where((largest > 0.0) & np.isfinite(largest), largest, 1.0)
        return np.asarray(np.linalg.norm(rows / scale[:, None], axis=1) * scale, np.float64)


def poles_and_residues(p: Array, q: Array, interval: Interval, root: Optional[Array]) -> Roots:
    """The roots of Q in x with the residues of P/Q.

    At a multiple root the residue is not finite, and neither are standard errors.
    """
    with np.errstate(all="ignore"):
        return _poles_and_residues(p, q, interval, root)


def _poles_and_residues(p: Array, q: Array, interval: Interval, root: Optional[Array]) -> Roots:
    at = roots(q)
    n, m = len(p) - 1, len(q) - 1
    top, top_slope = chebyshev.chebval(at, p), chebyshev.chebval(at, slope(p))
    first = slope(q)
    one, two = chebyshev.chebval(at, first), chebyshev.chebval(at, slope(first))
    T = _values(at, max(n, m))
    dT = _values(at, max(n, m)) @ _slopes_matrix(max(n, m))
    moves = -T[:, : m + 1] / one[:, None]
    residues = top / one
    by_p = T[:, : n + 1] / one[:, None]
    along = (top_slope - residues * two) / one
    by_q = along[:, None] * moves - (residues / one)[:, None] * dT[:, : m + 1]
    moves = np.concatenate([np.zeros((len(at), n + 1)), moves], axis=1)
    return Roots(
        np.asarray(interval.to_x(at), np.complex128),
        residues * interval.half,
        _spread(moves, root) * interval.half,
        _spread(np.concatenate([by_p, by_q], axis=1), root) * interval.half,
    )


def _slopes_matrix(degree: int) -> Array:
    """What takes the rows T₀ … T_degree to the rows of their derivatives."""
    matrix = np.zeros((degree + 1, degree + 1))
    for k in range(1, degree + 1):
        derivative = chebyshev.chebder(np.eye(degree + 1)[k])
        matrix[: len(derivative), k] = derivative
    return matrix


def zeros(p: Array, q: Array, interval: Interval, root: Optional[Array]) -> Roots:
    """The roots of P in x; the residues are those of Q/P and of no use."""
    if root is not None:
        root = np.concatenate([root[len(p) :], root[: len(p)]])
    return poles_and_residues(q, p, interval, root)


@dataclass(frozen=True)
class Powers:
    """Coefficients of 1, x, x², … of numerator and denominator.

    ``fixed`` is the place in the denominator of the coefficient that was made 1. ``root`` times its
    transpose is the covariance of all coefficients, the numerator's first; the fixed one's is 0.
    ``exact`` has the values of all before they are rounded to doubles.
    """

    numerator: Array
    denominator: Array
    fixed: int
    root: Optional[Array]
    exact: tuple[Fraction, ...] = ()


def powers(p: Array, q: Array, interval: Interval, root: Optional[Array]) -> Powers:
    """The coefficients in x, the constant of the denominator 1.

    With a pole at x = 0, where there is none to divide by, the largest term of Q on the interval is
    divided by. The sums are exact, and each coefficient is rounded once.
    """
    top, bottom = in_powers(p, interval), in_powers(q, interval)
    reach = Fraction(max(abs(each) for each in interval.ends))
    # As fractions: as doubles they may overflow.
    terms = [abs(c) * reach**k for k, c in enumerate(bottom)]
    largest = terms.index(max(terms))
    fixed = 0 if terms[0] > Fraction(SMALLEST_CONSTANT) * terms[largest] else largest
    divisor = bottom[fixed]
    a = np.array([_rounded(each / divisor) for each in top])
    b = np.array([_rounded(each / divisor) for each in bottom])
    exact = tuple(each / divisor for each in (*top, *bottom))
    return Powers(a, b, fixed, _in_powers(root, a, b, fixed, interval, divisor), exact)


def _in_powers(
    root: Optional[Array], a: Array, b: Array, fixed: int, interval: Interval, divisor: Fraction
) -> Optional[Array]:
    """The root of the covariance of coefficients in x."""
    if root is None:
        return None
    with np.errstate(all="ignore"):  # powers of x may leave the range of a double
        top = _divided(powers_matrix(interval, len(a) - 1), divisor) @ root[: len(a)]
        bottom = _divided(powers_matrix(interval, len(b) - 1), divisor) @ root[len(a) :]
        # c/b changes by dc/b − (c/b)·db/b
        changes = np.outer(np.concatenate([a, b]), bottom[fixed])
        found = np.concatenate([top, bottom]) - changes
    found[len(a) + fixed] = 0.0
    return np.asarray(found, np.float64)


def _divided(matrix: list[list[Fraction]], divisor: Fraction) -> Array:
    return np.array([[_rounded(each / divisor) for each in row] for row in matrix])


def _rounded(value: Fraction) -> float:
    """The nearest double; ±∞ beyond the range."""
    try:
        return float(value)
    except OverflowError:
        return np.inf if value > 0 else -np.inf


def value_errors(p: Array, q: Array, u: Array, root: Optional[Array]) -> Array:
    """The standard errors of P/Q at points."""
    if root is None:
        return np.full(len(u), np.nan)
    T = vandermonde(u, max(len(p), len(q)) - 1)
    with np.errstate(all="ignore"):
        bottom = product(T[:, : len(q)], q)
        f = product(T[:, : len(p)], p) / bottom
        changes = product(T[:, : len(p)], root[: len(p)])
        changes -= f[:, None] * product(T[:, : len(q)], root[len(p) :])
        return np.asarray(lengths(changes) / np.abs(bottom), np.float64)
