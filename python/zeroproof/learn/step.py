"""Levenberg-Marquardt steps: one decomposition for all damping parameters."""

from __future__ import annotations

import numpy as np

from .data import FloatArray

__all__ = ["LEAST_DAMPING", "DampedSteps"]

# Below it the rounding errors of the normal equations become visible.
LEAST_DAMPING = 1e-12


class DampedSteps:
    """The steps s that minimise ``‖J·s + r‖² + λ‖D·s‖²``, D the column norms of J.

    With ``(J·D⁻¹)ᵀ(J·D⁻¹) = V·Σ·Vᵀ`` a step is ``−D⁻¹·V·(Σ + λ)⁻¹·Vᵀ·D⁻¹·Jᵀr``. These are the
    normal equations, which square the condition number of J. With columns of norm 1 and λ of at
    least 1e-12 this is harmless: the rounding of Σ, some 1e-15, is small against λ, and that of
    Jᵀr, some 1e-16 of ‖r‖, changes the residuals by 1e-16·‖r‖·σ/(σ² + λ) along a singular value σ,
    which is less than 1e-10 of their size. Each step is accepted or rejected by the loss itself.

    Args:
        jacobian: the rows of J, (samples, coefficients). Those that are not finite are left out.
        residuals: r.

    Raises:
        LinAlgError: if the column norms are out of range.
    """

    def __init__(self, jacobian: FloatArray, residuals: FloatArray) -> None:
        products = jacobian.T @ jacobian
        if not np.isfinite(products).all():
            finite = np.isfinite(jacobian).all(axis=1)
            jacobian, residuals = jacobian[finite], residuals[finite]
            products = jacobian.T @ jacobian
            if not np.isfinite(products).all():
                raise np.linalg.LinAlgError("the squares of the Jacobian overflow")
        norms = np.sqrt(products.diagonal())
        norms += norms == 0.0  # a column of zeros stays one
        self._squares, vectors = np.linalg.eigh(products / norms / norms[:, None])
        self._directions = vectors / norms[:, None]
        self._downhill = -(residuals @ jacobian) @ self._directions

    def step(self, damping: float) -> FloatArray:
        """The step for λ = ``damping``, which is at least ``LEAST_DAMPING``."""
        step: FloatArray = self._directions @ (self._downhill / (self._squares + damping))
        return step
