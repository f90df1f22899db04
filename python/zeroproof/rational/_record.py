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
    """Coefficients of numerator and denominator, those of the lowest degree first.

    Examples:
        >>> from zeroproof.rational import Rational
        >>> f = Rational([1.0], [0.0, 1.0], (-1.0, 1.0))
        >>> f.coefficients
        Coefficients(numerator=array([1.]), denominator=array([0., 1.]))
    """

    numerator: Array
    denominator: Array


class StandardErrors(NamedTuple):
    """The standard errors of what has the same name; NaN where there are none.

    Examples:
        >>> import numpy as np
        >>> from zeroproof import fit_rational
        >>> x = np.linspace(1.0, 2.0, 40)
        >>> fit = fit_rational(x, 1.0 / x + 1e-3 * np.cos(40.0 * x), degree=(0, 1))
        >>> fit.poles.shape, fit.stderr.poles.shape
        ((1,), (1,))
    """

    coefficients: Coefficients
    chebyshev: Coefficients
    poles: Complex
    residues: Complex
    zeros: Complex


@dataclass(frozen=True)
class FitRecord:
    """How a fit came about.

    ``refused`` counts the degrees whose poles the data do not establish.

    Examples:
        >>> import numpy as np
        >>> from zeroproof import fit_rational
        >>> x = np.linspace(1.0, 2.0, 40)
        >>> fit = fit_rational(x, 1.0 / x, degree=(0, 1))
        >>> fit.record.dof
        38
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
