"""A fit of one degree, to be compared with others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._arrays import Array
from ._noise import MAD_OF_NORMAL
from ._problem import Metric, Point, Problem

__all__ = ["ROUNDINGS", "Candidate"]

#: A chordal residual of that many rounding errors, as a root of the mean square, is no noise.
ROUNDINGS = 16.0


@dataclass(frozen=True)
class Candidate:
    """A fit of one degree.

    ``point`` is in the metric ``metric``, whose weights are those of the loss; ``residuals`` are
    those of the data in the unit of the noise, ``s`` their scale, ``deviation`` the standard
    deviation of normal noise with this scale, and ``surprise`` −2·log likelihood. ``exact``: the
    data are fitted up to their rounding errors. ``moved``: the best fit has poles where there may
    be none, and this is the best without; ``held``: it is no minimum but for that condition.
    """

    problem: Problem
    point: Point
    metric: Metric
    residuals: Array
    s: float
    deviation: float
    surprise: float
    exact: bool = False
    moved: bool = False
    held: bool = False

    @property
    def typical(self) -> float:
        """The standard deviation of the residuals, from their median."""
        return float(np.median(np.abs(self.residuals))) / MAD_OF_NORMAL

    @property
    def degree(self) -> tuple[int, int]:
        """Of numerator and denominator."""
        return self.problem.degree
