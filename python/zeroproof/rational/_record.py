"""What is told of a rational function and of the fit it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Optional

import numpy as np
import numpy.typing as npt

from .._arrays import Array

__all__ = ["Coefficients", "Complex", "FitRecord", "StandardErrors"]

Complex = npt.NDArray[np.complex128]


class Coefficients(NamedTuple):
    """Coefficients of numerator and denominator, those of the lowest degree first."""

    numerator: Array
    denominator: Array


class StandardErrors(NamedTuple):
    """The standard errors of what has the same name; NaN where there are none."""

    coefficients: Coefficients
    chebyshev: Coefficients
    poles: Complex
    residues: Complex
    zeros: Complex


@dataclass(frozen=True)
class FitRecord:
    """How a fit came about.

    ``refused`` counts the degrees whose poles the data do not establish.
    """

    rows: int
    left_out: int
    marked: int
    parameters: int
    loss: str
    loss_scale: Optional[float]
    sigma_given: bool
    sse: float
    scale: float
    exact: bool
    choice: str
    criterion: Optional[float]
    warnings: tuple[str, ...] = ()
    refused: int = 0

    @property
    def dof(self) -> int:
        """Rows less parameters."""
        return self.rows - self.parameters
