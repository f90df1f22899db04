"""A problem of fixed degree in scaled coordinates: unknowns, quotients and residuals.

The unknowns are the coefficients ``p`` of P and ``z`` of Q = B·z, in Chebyshev polynomials of u
and with v = y/scale as targets. P/Q does not change if both are multiplied by a number, so ``z`` is
kept at norm 1: a constant or leading coefficient fixed at 1 would exclude poles somewhere. Where
data say "a pole is here", Q is 0: the columns of B then span the polynomials that vanish there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Optional

import numpy as np
import numpy.typing as npt

from .._arrays import Array
from ..fitting._triangle import triangle
from ._chebyshev import Interval, vandermonde
from ._products import product, sum_of_squares
from ._rows import Rows

__all__ = ["SMALLEST_SIGMA", "Metric", "Point", "Problem", "Samples"]

LARGEST_TARGET = 1e150  # keeps squares in range
SMALLEST_SIGMA = 1e-300
FEW_ROUNDINGS = 4.0
EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Samples:
    """The rows in scaled coordinates, with the Chebyshev polynomials of all degrees tried."""

    u: Array
    v: Array
    weight: Array
    marks: Array
    y_scale: float
    sigma_scale: float
    interval: Interval
    sigma_is_rounding: bool = False
    _tables: dict[str, Array] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, rows: Rows, interval: Interval) -> Samples:
        """The samples; weights are 1/σ, in units in which the largest is 1, and 1 without σ.

        A σ below the rounding errors of y would give weights to these: it counts as they do.
        ``sigma_scale`` is the smallest σ in the unit of v, and ``sigma_is_rounding`` whether every
        σ is no more than a few rounding errors.
        """
        size = np.abs(rows.y)
        middle, largest = float(np.median(size)), float(size.max())
        scale = max(middle, largest / LARGEST_TARGET, float(np.finfo(np.float64).tiny))
        if largest == 0.0:
            scale = 1.0
        weight, sigma_scale, is_rounding = np.ones(len(rows)), 1.0, False
        if rows.sigma is not None:
            is_rounding = bool((rows.sigma < FEW_ROUNDINGS * EPS * np.maximum(size, scale)).all())
            sigma = np.maximum(rows.sigma, EPS * np.maximum(size, scale))
            least = float(sigma.min())
            with np.errstate(under="ignore", over="ignore"):
                weight = least / sigma
                sigma_scale = float(np.clip(least / scale, SMALLEST_SIGMA, 1.0 / SMALLEST_SIGMA))
        return cls(
            u=np.asarray(interval.to_u(rows.x), np.float64),
            v=rows.y / scale,
            weight=weight,
            marks=np.asarray(interval.to_u(rows.marks), np.float64),
            y_scale=scale,
            sigma_scale=sigma_scale,
            interval=interval,
            sigma_is_rounding=is_rounding,
        )

    def __len__(self) -> int:
        return len(self.u)

    def some(self, chosen: npt.NDArray[np.int64]) -> Samples:
        """These samples alone."""
        u, v, weight = self.u[chosen], self.v[chosen], self.weight[chosen]
        marks, scales = self.marks, (self.y_scale, self.sigma_scale)
        return Samples(u, v, weight, marks, *scales, self.interval, self.sigma_is_rounding)

    def table(self, degree: int) -> Array:
        """The Chebyshev polynomials up to a degree at the samples, and those to come."""
        known = self._tables.get("T")
        if known is None or known.shape[1] <= degree:
            known = vandermonde(self.u, max(degree, 2 if known is None else 2 * known.shape[1]))
            self._tables["T"] = known
        return known[:, : degree + 1]

    @cached_property
    def chord(self) -> Array:
        """1/√(1 + v²): what makes the difference of two points a chord of a circle."""
        return 1.0 / np.hypot(1.0, self.v)


@dataclass(frozen=True)
class Metric:
    """How residuals are measured.

    ``chordal``: as chords ``(f − v)/(√(1 + f²)·√(1 + v²))`` instead of differences. ``weight`` is a
    factor of each residual.
    """

    chordal: bool
    weight: Array


@dataclass(frozen=True)
class Point:
    """Coefficients, the quotients there, the residuals and the sum of their squares."""

    p: Array
    z: Array
    f: Array
    bottom: Array
    residuals: Array
    sse: float


class Problem:
    """The samples with a degree (n, m)."""

    def __init__(self, samples: Samples, degree: tuple[int, int]) -> None:
        self.samples = samples
        self.degree = degree
        n, m = degree
        self.A = samples.table(max(n, m))[:, : n + 1]
        table = samples.table(max(n, m))[:, : m + 1]
        self.basis: Optional[Array] = None
        marks = len(samples.marks)
        self.B = table
        if marks:
            at_marks = vandermonde(samples.marks, m)
            self.basis = np.linalg.svd(at_marks)[2][marks:].T
            self.B = product(table, self.basis)

    @property
    def free(self) -> int:
        """The number of coefficients that data determine."""
        return int(self.A.shape[1] + self.B.shape[1] - 1)

    def denominator(self, z: Array) -> Array:
        """The coefficients of Q."""
        return z if self.basis is None else self.basis @ z

    def coordinates(self, denominator: Array) -> Array:
        """The z of a Q, or of the nearest that has the poles that the data say."""
        return denominator if self.basis is None else self.basis.T @ denominator

    def at(self, p: Array, z: Array, metric: Metric) -> Point:
        """The point with these coefficients."""
        top, bottom = product(self.A, p), product(self.B, z)
        with np.errstate(all="ignore"):
            f = top / bottom
            residuals = self._residuals(f, metric)
            sse = sum_of_squares(residuals)
        return Point(p, z, f, bottom, residuals, sse if np.isfinite(sse) else np.inf)

    def _residuals(self, f: Array, metric: Metric) -> Array:
        r = (f - self.samples.v) * metric.weight
        if metric.chordal:
            r *= self.samples.chord
            r /= np.hypot(1.0, f)
        return r

    def slopes(self, point: Point, metric: Metric) -> Array:
        """The derivatives of the residuals by the quotients, divided by Q."""
        if not metric.chordal:
            return metric.weight / point.bottom
        size = np.hypot(1.0, point.f)
        slope = (1.0 / size / size + (point.f / size) * (self.samples.v / size)) / size
        return metric.weight * self.samples.chord * slope / point.bottom

    def with_best_numerator(self, z: Array, metric: Metric) -> Point:
        """The point with this Q and the P that is best for it; of differences, not chords."""
        bottom = product(self.B, z)
        with np.errstate(all="ignore"):
            scale = metric.weight / bottom
        if not np.isfinite(scale).all():
            return Point(np.zeros(self.A.shape[1]), z, bottom, bottom, bottom, np.inf)
        p = least_squares(self.A * scale[:, None], self.samples.v * metric.weight)
        return self.at(p, z, metric)


def least_squares(matrix: Array, right: Array) -> Array:
    """The solution by QR, columns scaled; by singular values if the matrix has not full rank."""
    size = np.sqrt(np.einsum("ij,ij->j", matrix, matrix))
    size[size == 0.0] = 1.0
    columns = matrix.shape[1]
    R = triangle(np.column_stack([matrix / size, right]))
    if not np.isfinite(R).all():
        return np.full(matrix.shape[1], np.nan)
    left, singular, across = np.linalg.svd(R[:columns, :columns])
    kept = singular > singular[0] * 1e-15
    part = left.T @ R[:columns, columns]
    solution = across.T @ np.where(kept, part / np.where(kept, singular, 1.0), 0.0)
    return np.asarray(solution / size, np.float64)
