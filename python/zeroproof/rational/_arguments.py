"""Checks of what is fitted, and how."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np

from .._arrays import Array
from ._fixed_degree import Fitter
from ._noise import NAMES, Noise
from ._problem import SMALLEST_SIGMA, Point, Samples
from ._rows import Rows
from .model import Rational

__all__ = ["check_loss", "checked_degree", "noise_of", "start_of"]


def check_loss(loss: str, f_scale: Optional[float]) -> None:
    if loss not in NAMES:
        raise ValueError(f"loss must be one of {', '.join(NAMES)}, not {loss!r}")
    if f_scale is not None:
        if not Noise(loss).robust:
            raise ValueError(f"f_scale has no meaning for loss={loss!r}")
        if not (np.isfinite(float(f_scale)) and float(f_scale) > 0.0):
            raise ValueError(f"f_scale must be a positive number, not {f_scale}")


def noise_of(loss: str, f_scale: Optional[float], rows: Rows, samples: Samples) -> Noise:
    """The noise in the unit of the residuals of the samples."""
    known = None if rows.sigma is None or loss == "chordal" else samples.sigma_scale
    if f_scale is None:
        return Noise(loss, known)
    scale = float(f_scale) * samples.sigma_scale if known else float(f_scale) / samples.y_scale
    return Noise(loss, known, min(max(scale, SMALLEST_SIGMA), 1.0 / SMALLEST_SIGMA))


def checked_degree(degree: Any, rows: Rows) -> tuple[int, int]:
    try:
        n, m = (int(each) for each in degree)
        whole = (n, m) == tuple(degree)
    except (TypeError, ValueError):
        whole, n, m = False, 0, 0
    if not whole or n < 0 or m < 0:
        raise ValueError(
            f'degree must be "auto" or a pair (n, m) of whole numbers from 0, not {degree!r}'
        )
    marks = len(rows.marks)
    if m < marks:
        raise ValueError(
            f"degree ({n}, {m}) has {m} poles, but y is ±inf at {marks} different x: "
            f"give a denominator of degree {marks} or more, or NaN for values that are unknown"
        )
    distinct = len(np.unique(rows.x))
    if distinct < n + m + 1 - marks:
        raise ValueError(
            f"x has {distinct} different values with a finite y, but degree ({n}, {m}) has "
            f"{n + m + 1 - marks} parameters: give more rows or a lower degree"
        )
    return n, m


def start_of(init: Any, fitter: Fitter, degree: tuple[int, int]) -> Point:
    if not isinstance(init, Rational):
        raise TypeError(f"init must be a Rational, not {type(init).__name__}")
    if init.order != 1 or init.degree[0] > degree[0] or init.degree[1] > degree[1]:
        raise ValueError(f"init has degree {init.degree}, which is more than {degree}")
    units, old = fitter.samples.interval, init._units

    def moved(coefficients: Array, length: int) -> Array:
        nodes = np.cos(np.pi * (np.arange(length) + 0.5) / length)
        values = np.polynomial.chebyshev.chebval(old.to_u(units.to_x(nodes)), coefficients)
        return np.asarray(np.polynomial.chebyshev.chebfit(nodes, values, length - 1), np.float64)

    problem = fitter.problem(degree)
    p = moved(init.numerator, degree[0] + 1) / fitter.samples.y_scale
    z = problem.coordinates(moved(init.denominator, degree[1] + 1))
    norm = float(np.linalg.norm(z))
    if norm == 0.0:
        raise ValueError("init has none of the poles that y = ±inf states")
    return problem.at(p / norm, z / norm, fitter.plain)
