"""Levenberg-Marquardt steps: one decomposition for all damping parameters."""

from __future__ import annotations

import numpy as np

from .._arrays import Array

__all__ = ["DampedSteps"]


class DampedSteps:
    """The steps s that minimise ``‖J·s + r‖² + λ‖D·s‖²``, D the column norms of J.

    With ``J·D⁻¹ = Q·R`` and ``R = U·Σ·Vᵀ`` a step is ``−D⁻¹·V·Σ/(Σ² + λ)·Uᵀ·Qᵀr``. J is never
    squared, so that small singular values, such as those of poles close to each other, keep their
    digits. Directions with no singular value above the rounding errors are left alone: multiplying
    P and Q by a number is one.

    Args:
        jacobian: J, finite.
        residuals: r.

    Raises:
        LinAlgError: if the decomposition fails.
    """

    def __init__(self, jacobian: Array, residuals: Array) -> None:
        # In descending order of the rows, so that the reflections do not mix the rounding errors
        # of rows next to a pole, which may be 1e12 times as long, into the others.
        order = np.argsort(-np.abs(jacobian).max(axis=1), kind="stable")
        norms = np.sqrt(np.einsum("ij,ij->j", jacobian, jacobian))
        norms[norms == 0.0] = 1.0
        rows = np.concatenate([jacobian[order] / norms, residuals[order, None]], axis=1)
        triangle = np.asarray(np.linalg.qr(rows, mode="r"))
        left, sizes, right = np.linalg.svd(triangle[:, :-1], full_matrices=False)
        kept = sizes > sizes[0] * np.finfo(np.float64).eps * len(sizes)
        self._sizes = sizes[kept]
        self._downhill = -(left.T @ triangle[:, -1])[kept]
        self._directions = (right.T / norms[:, None])[:, kept]

    def step(self, damping: float) -> Array:
        """The step for λ = ``damping``."""
        sizes = self._sizes
        step: Array = self._directions @ (sizes / (sizes * sizes + damping) * self._downhill)
        return step
