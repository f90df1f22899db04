"""Denominators that are positive in an interval whatever their coefficients are.

A polynomial is positive on [−1, 1] if and only if it is a sum of squares with weights that are
positive there: ``a(t)² + (1 − t²)·b(t)²`` at even degree and ``(1 + t)·a(t)² + (1 − t)·b(t)²`` at
odd degree, where a and b together have as many coefficients as it has (Markov and Lukács; G. Szegő,
Orthogonal Polynomials, 1939, theorem 1.21.1). Least squares in these coefficients, with a small
positive constant added to the sum, need no constraint.

Between several intervals Q may have roots, which are factors of their own: what is left has no root
from the first interval to the last. So has Q where the data state a pole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev

from .._arrays import Array

__all__ = ["Positive", "Roots"]

#: The constant that is added, in units of the size of the coefficients.
MARGIN = 1e-8
#: A root that is to be outside of the unit circle.
OUTSIDE = 1e-6
#: How near a root in a gap may be to the intervals, in lengths of the gap.
AT_THE_EDGE = 1e-4


@dataclass(frozen=True)
class Roots:
    """Where Q is to vanish: at places in gaps between intervals, and elsewhere."""

    gaps: tuple[tuple[float, float, float], ...]
    """The place, and the ends of the gap."""
    others: tuple[complex, ...]
    """As many as the degree leaves, conjugate pairs among them, none real in the hull."""


class Positive:
    """Q of some degree as a function of the coefficients of a and b and of the roots in gaps.

    Args:
        degree: of Q.
        hull: the ends of the interval in which a and b have positive weights, in units of u.
        marks: where Q vanishes in any case.
        gaps: the ends of the gap for each root in one.
    """

    def __init__(
        self,
        degree: int,
        hull: tuple[float, float],
        marks: Array,
        gaps: tuple[tuple[float, float], ...] = (),
    ) -> None:
        low, high = hull
        self.rest = degree - len(marks) - len(gaps)
        self._hull, self._half = hull, self.rest // 2
        angles = np.pi * (np.arange(degree + 1) + 0.5) / (degree + 1)
        self._nodes = nodes = np.cos(angles)
        # From values at the nodes to coefficients.
        table = np.cos(np.outer(angles, np.arange(degree + 1)))
        self._to_coefficients = table.T * (2.0 / (degree + 1))
        self._to_coefficients[0] /= 2.0
        self._fixed = np.prod(nodes[:, None] - marks[None, :], axis=1)
        length = high - low
        if self.rest % 2:
            self._weights = [(nodes - low) / length, (high - nodes) / length]
            sizes = (self._half + 1, self._half + 1)
        else:
            self._weights = [
                np.ones(degree + 1),
                (nodes - low) * (high - nodes) * (4.0 / length**2),
            ]
            sizes = (self._half + 1, self._half)
        # Weights of the size of one at the data.
        self._units = [float(np.abs(weight).max()) for weight in self._weights]
        self._weights = [weight / unit for weight, unit in zip(self._weights, self._units)]
        self._tables = [table[:, :size] for size in sizes]
        self._split = sizes[0]
        self.size = sum(sizes)
        self._margin = MARGIN
        edges = np.array(gaps, np.float64).reshape(-1, 2)
        inset = AT_THE_EDGE * (edges[:, 1] - edges[:, 0])
        #: The least and the greatest value of each unknown.
        self.lower = np.concatenate([np.full(self.size, -np.inf), edges[:, 0] + inset])
        self.upper = np.concatenate([np.full(self.size, np.inf), edges[:, 1] - inset])

    def value(self, unknowns: Array) -> Array:
        """The coefficients of Q."""
        w, places = unknowns[: self.size], unknowns[self.size :]
        total = np.full(len(self._nodes), self._margin * float(w @ w))
        for part, table, weight in self._parts(w):
            total += weight * (table @ part) ** 2
        factor = self._fixed * np.prod(self._nodes[:, None] - places[None, :], axis=1)
        return np.asarray(self._to_coefficients @ (factor * total), np.float64)

    def slopes(self, unknowns: Array) -> Array:
        """The derivatives of these, a column for each unknown."""
        w, places = unknowns[: self.size], unknowns[self.size :]
        distances = self._nodes[:, None] - places[None, :]
        factor = self._fixed * np.prod(distances, axis=1)
        total = np.full(len(self._nodes), self._margin * float(w @ w))
        columns = []
        for part, table, weight in self._parts(w):
            values = table @ part
            total += weight * values**2
            columns.append((2.0 * weight * values)[:, None] * table)
        by_w = (np.concatenate(columns, axis=1) + 2.0 * self._margin * w) * factor[:, None]
        by_place = np.empty((len(self._nodes), len(places)))
        for k in range(len(places)):
            others = np.prod(np.delete(distances, k, axis=1), axis=1)
            by_place[:, k] = -self._fixed * others * total
        return np.asarray(self._to_coefficients @ np.concatenate([by_w, by_place], axis=1))

    def _parts(self, w: Array) -> Any:
        return zip((w[: self._split], w[self._split :]), self._tables, self._weights)

    def at(self, roots: Roots) -> Array:
        """The unknowns with which Q has these roots, but for the constant.

        On the unit circle Q is the square of the absolute value of a polynomial h with the roots
        z = t ± √(t² − 1) (Fejér and Riesz), whose real and imaginary part are a and b.
        """
        low, high = self._hull
        t = (np.array(roots.others, np.complex128) - (low + high) / 2.0) / (high / 2.0 - low / 2.0)
        z = t + np.sqrt(t - 1.0) * np.sqrt(t + 1.0)
        z = np.where(np.abs(z) < 1.0, 1.0 / z, z)
        z = np.where(np.abs(z) < 1.0 + OUTSIDE, z * (1.0 + OUTSIDE), z)
        h = np.real(np.poly(z)) if len(z) else np.ones(1)
        h = np.concatenate([h, np.zeros(self.rest + 1 - len(h))])[::-1]
        h = h / np.linalg.norm(h)
        u = np.cos(np.pi * (np.arange(self._half + 1) + 0.5) / (self._half + 1))
        angle = np.arccos(np.asarray((u - (low + high) / 2.0) / (high / 2.0 - low / 2.0), complex))
        angle = np.where(np.abs(np.sin(angle)) < OUTSIDE, angle + OUTSIDE, angle)
        shifts = np.arange(self.rest + 1) - self.rest / 2.0
        both = np.cos(np.outer(angle, shifts)) @ h, np.sin(np.outer(angle, shifts)) @ h
        if self.rest % 2:
            values = [both[0] / np.cos(angle / 2.0), both[1] / np.sin(angle / 2.0)]
        else:
            values = [both[0], both[1] / np.sin(angle)]
        parts = []
        for value, table, unit in zip(values, self._tables, self._units):
            found = np.linalg.solve(chebyshev.chebvander(u, len(u) - 1), value.real)
            parts.append(found[: table.shape[1]] * np.sqrt(unit))
        w = np.concatenate(parts)
        norm = float(np.linalg.norm(w))
        places = np.clip(
            [place for place, _, _ in roots.gaps], self.lower[self.size :], self.upper[self.size :]
        )
        return np.concatenate([w / norm if norm > 0.0 else w, places])
