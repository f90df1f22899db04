"""Units in which squares neither overflow nor underflow: powers of two, which round nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._arrays import Array

__all__ = ["Units", "exponent"]


def exponent(values: Array, axis: int = 0) -> npt.NDArray[np.int32]:
    """The binary exponents of the largest finite values along an axis; 0 for zeros."""
    sizes = np.where(np.isfinite(values), np.abs(values), 0.0)
    exponents = np.frexp(np.max(sizes, axis=axis, initial=0.0))[1]
    return np.asarray(exponents, np.int32)


@dataclass(frozen=True)
class Units:
    """Units of residuals and of parameters, as binary exponents.

    Args:
        residual: that of the residuals.
        params: those of the parameters, with which columns of the Jacobian are of the size of one.
    """

    residual: int
    params: npt.NDArray[np.int32]

    @staticmethod
    def of(residuals: Array, jacobian: Array) -> Units:
        """Units for residuals and a Jacobian of that size."""
        used = np.isfinite(residuals)
        residual = int(exponent(residuals[used]))
        return Units(residual, np.int32(residual) - exponent(jacobian[used]))

    def inner(self, params: Array) -> Array:
        """Parameters in their units."""
        return np.ldexp(params, -self.params)

    def outer(self, params: Array) -> Array:
        """The parameters that these are in their units."""
        return np.ldexp(params, self.params)

    def residuals(self, residuals: Array) -> Array:
        """Residuals in their unit."""
        return np.ldexp(residuals, -self.residual)

    def jacobian(self, jacobian: Array) -> Array:
        """Derivatives of residuals by parameters, all in their units."""
        found: Array = np.ldexp(jacobian, self.params - np.int32(self.residual))
        return found
