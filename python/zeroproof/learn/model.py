"""The model y = P(x)/Q(x), its coordinates and its poles.

**Coordinates.** The data are mapped to u = (x − center)/half_range, which lies in [−1, 1], and
v = y/y_scale with the median of |y| as scale, so that the training does not depend on units.

**Normalisation.** Every coefficient of P and of Q is free, and P/Q does not change if both are
multiplied by the same number; so Q is kept at norm 1. A constant term fixed at 1 could not
represent a pole at u = 0, nor a fixed leading one fewer poles than the degree; this normalisation
represents poles anywhere. It also gives |Q(u)|, the distance to the pole in Hybrid mode, the same
scale for all data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .data import Dataset, FloatArray

__all__ = ["Frame", "Pole", "Rational", "horner"]

# Roots of Q with a smaller imaginary part, in u, are real: the eigenvalue
# problem gives double roots with an error of about the square root of the machine precision.
REAL_ROOT = 1e-6
# A pole whose residue is smaller than this, in scaled units, is cancelled by a zero of P.
CANCELLED = 1e-6
# Keeps the scaled targets within range of their squares.
LARGEST_TARGET = 1e150


@dataclass(frozen=True)
class Frame:
    """The scaled coordinates u and v of a data set."""

    center: float
    half_range: float
    y_scale: float

    @classmethod
    def of(cls, data: Dataset) -> Frame:
        """The frame in which the usable rows fill u in [−1, 1] and |v| is about 1."""
        x, size = data.x[data.usable], np.abs(data.y[data.usable])
        low, high = float(x.min()), float(x.max())
        scale = max(float(np.median(size)), float(size.max()) / LARGEST_TARGET)
        half_range = max(high / 2 - low / 2, float(np.finfo(np.float64).tiny))
        return cls(low / 2 + high / 2, half_range, scale if scale > 0 else 1.0)

    def to_u(self, x: FloatArray) -> FloatArray:
        """From x to u."""
        with np.errstate(over="ignore"):
            return np.asarray((x - self.center) / self.half_range, dtype=np.float64)

    def to_x(self, u: float) -> float:
        """From u to x."""
        return self.center + self.half_range * u


def horner(coefficients: Any, at: Any) -> Any:
    """The polynomial with these coefficients, constant first, at a number, an array or a node."""
    value = coefficients[-1]
    for coefficient in coefficients[-2::-1]:
        value = value * at + coefficient
    return value


@dataclass(frozen=True)
class Pole:
    """A real pole of the model, in the coordinate of the data."""

    x: float
    residue: float
    inside: bool
    cancelled: bool


@dataclass(frozen=True)
class Rational:
    """A learned function: coefficients in u, constant first, and the frame they belong to."""

    numerator: FloatArray
    denominator: FloatArray
    frame: Frame

    def __call__(self, x: FloatArray) -> FloatArray:
        """The values at x; ±∞ and NaN (Φ) at poles."""
        u = self.frame.to_u(x)
        with np.errstate(all="ignore"):
            quotient = horner(self.numerator, u) / horner(self.denominator, u)
            return np.asarray(quotient * self.frame.y_scale, dtype=np.float64)

    def roots(self) -> npt.NDArray[np.complex128]:
        """The zeros of Q in u."""
        return np.asarray(np.roots(self.denominator[::-1]), dtype=np.complex128)

    def poles(self) -> list[Pole]:
        """The real poles, in ascending order."""
        found = []
        slope = np.arange(1, len(self.denominator)) * self.denominator[1:]
        for u in sorted(root.real for root in self.roots() if abs(root.imag) <= REAL_ROOT):
            with np.errstate(all="ignore"):
                residue = horner(self.numerator, np.float64(u)) / horner(slope, np.float64(u))
            found.append(
                Pole(
                    x=float(self.frame.to_x(u)),
                    residue=float(residue * self.frame.half_range * self.frame.y_scale),
                    inside=bool(abs(u) <= 1.0),
                    cancelled=bool(abs(residue) < CANCELLED),
                )
            )
        return found

    def complex_poles(self) -> list[complex]:
        """One of each conjugate pair of poles off the real axis, the one above it."""
        frame = self.frame
        return [
            complex(frame.to_x(root.real), frame.half_range * root.imag)
            for root in self.roots()
            if root.imag > REAL_ROOT
        ]
