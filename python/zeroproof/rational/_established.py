"""Poles within the data that the data do not establish.

A pole with a zero next to it, a Froissart doublet, follows one row or two, whatever they are:
noise, an outlier, or a value at which P and Q are both zero up to rounding errors. A pole is
established if several rows see it above the noise, and if without the two that see it best a
function without this pole is a worse fit to the others.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numpy.polynomial import chebyshev

from .._arrays import Array
from ._candidate import ROUNDINGS, Candidate
from ._chebyshev import roots, slope
from ._problem import least_squares
from ._products import sum_of_squares

__all__ = ["unsupported_poles"]

#: So many rows must see a pole above the noise, which a pole between two rows does not reach.
SUPPORTING_ROWS = 3
ABOVE_NOISE = 3.0
#: A pole whose share of the other rows is that many times their residuals needs no fit without it.
CLEAR = 1e3
AT_A_MARK = 1e-9
#: Poles nearer to the data than half of the distance of neighbouring rows count as within.
BESIDE = 1.0
EPS = float(np.finfo(np.float64).eps)


def unsupported_poles(candidate: Candidate) -> int:
    """How many poles within the data are not established by them."""
    problem, point = candidate.problem, candidate.point
    known = problem.samples.marks
    q = problem.denominator(point.z)
    found = roots(q)
    reach = 1.0 + BESIDE / len(problem.samples)
    count = 0
    with np.errstate(all="ignore"):
        residues = chebyshev.chebval(found, point.p) / chebyshev.chebval(found, slope(q))
        for pole, residue in zip(found.tolist(), residues.tolist()):
            if pole.imag < 0.0 or abs(pole.real) > reach:
                continue
            if len(known) and abs(pole - known).min() < AT_A_MARK:
                continue
            count += not _is_established(candidate, q, pole, residue)
    return count


def _is_established(candidate: Candidate, q: Array, pole: complex, residue: complex) -> bool:
    samples = candidate.problem.samples
    weight = samples.weight
    noise = max(candidate.deviation, candidate.typical)
    if candidate.exact:
        weight = samples.chord / np.hypot(1.0, candidate.point.f)
        noise = ROUNDINGS * EPS
    share = np.abs(residue / (samples.u - pole)) * (2.0 if pole.imag else 1.0) * weight
    if np.count_nonzero(share > ABOVE_NOISE * noise) < SUPPORTING_ROWS:
        return False
    return _is_missed(candidate, q, pole, share, noise)


def _is_missed(candidate: Candidate, q: Array, pole: complex, share: Array, noise: float) -> bool:
    """Whether a function without the pole is a worse fit to the rows that see it less."""
    problem, point, metric = candidate.problem, candidate.point, candidate.metric
    samples = problem.samples
    n, m = problem.degree
    factor = (
        [-pole.real, 1.0] if pole.imag == 0.0 else [abs(pole) ** 2 + 0.5, -2.0 * pole.real, 0.5]
    )
    poles = len(factor) - 1
    top = max(n, m - poles)
    free = top + m - poles + 1
    left_out = min(SUPPORTING_ROWS - 1, len(samples) - free - 1)
    if left_out < 1:
        return True
    rows = np.argpartition(share, len(share) - left_out)[:-left_out]
    weight = metric.weight[rows]
    if metric.chordal:
        weight = weight * samples.chord[rows] / np.hypot(1.0, point.f[rows])
    with_pole = sum_of_squares(weight * (point.f[rows] - samples.v[rows]))
    parameters = problem.free + 1
    if sum_of_squares(share[rows]) > CLEAR * max(with_pole, parameters * noise * noise):
        return True
    return _without(samples.v[rows], samples.u[rows], weight, _quotient(q, factor), top) > max(
        with_pole + ABOVE_NOISE * noise * ABOVE_NOISE * noise, _rounding(samples.v[rows], weight)
    )


def _quotient(q: Array, factor: list[float]) -> Array:
    return np.asarray(chebyshev.chebdiv(q, factor)[0], np.float64)


def _without(v: Array, u: Array, weight: Array, bottom: Array, degree: int) -> float:
    """The sum of squares with this Q and the best P."""
    scale = weight / chebyshev.chebval(u, bottom)
    if not np.isfinite(scale).all():
        return np.inf
    matrix = np.asarray(chebyshev.chebvander(u, degree), np.float64) * scale[:, None]
    found = matrix @ least_squares(matrix, v * weight) - v * weight
    return sum_of_squares(found)


def _rounding(v: Array, weight: npt.NDArray[np.float64]) -> float:
    """The sum of squares that rounding errors leave."""
    return sum_of_squares(ROUNDINGS * EPS * weight * np.maximum(np.abs(v), 1.0))
