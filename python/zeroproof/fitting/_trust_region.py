"""Steps that minimize a linear model of the residuals within a radius and within bounds.

The model is ‖c + R p‖ with a small triangle R. The singular values of R with scaled columns give
the step for every damping at once, so that the damping for a radius is found by iteration on
numbers alone (M. D. Hebden, Atomic Energy Research Establishment report TP 515, 1973).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._arrays import Array

__all__ = ["Model", "Step", "bounded_step"]

EPS = float(np.finfo(np.float64).eps)
TINY = float(np.finfo(np.float64).tiny)


class Model:
    """‖c + M p‖ by p/scale, through the singular values of M with scaled columns.

    Args:
        matrix: M, shape (rows, columns).
        scale: the columns are divided by it.
    """

    def __init__(self, matrix: Array, scale: Array) -> None:
        self.scale = scale
        self.left, self.singular, self.across = np.linalg.svd(matrix / scale, full_matrices=False)
        largest = self.singular[0] if len(self.singular) else 0.0
        #: Directions that the samples do not determine take no part.
        self.known = self.singular > largest * EPS * max(matrix.shape, default=0)

    def step(self, target: Array, radius: float, damping: float = 0.0) -> tuple[Array, float]:
        """The step that minimizes the model within the radius, and its damping.

        Args:
            target: c.
            radius: the most that the norm of the scaled step may be, to a tenth.
            damping: the least damping.
        """
        part = np.where(self.known, self.left.T @ target, 0.0)
        square = np.where(self.known, self.singular**2, 1.0)
        lean = self.singular * part
        for _ in range(60):
            scaled = lean / (square + damping)
            largest = float(np.max(np.abs(scaled), initial=0.0))
            if not largest > 0.0:
                break
            shares = scaled / largest  # squares of these do not underflow
            size = float(np.sqrt(shares @ shares))
            if not size * largest > 1.1 * radius:
                break
            slope = float(np.sum(shares**2 / (square + damping)))
            damping += (size * (largest / max(radius, TINY)) - 1.0) * size**2 / slope
        return -(self.across.T @ scaled) / self.scale, damping

    def response(self, gradient: Array, damping: float) -> Array:
        """−(MᵀM + damping·scale²)⁻¹ times a gradient."""
        square = np.where(self.known, self.singular**2, np.inf)
        inner = (self.across @ (gradient / self.scale)) / (square + damping)
        return -(self.across.T @ inner) / self.scale


class Step(NamedTuple):
    """A step of a bounded model.

    Args:
        change: of the unknowns.
        free: which unknowns no bound holds.
        model: that of the free unknowns.
        damping: added to the squares of the singular values.
        size: by how much the step without damping would change the residuals: the norm of their
            part in the range of the model.
    """

    change: Array
    free: npt.NDArray[np.bool_]
    model: Model
    damping: float
    size: float


def bounded_step(
    matrix: Array,
    target: Array,
    scale: Array,
    radius: float,
    limits: tuple[Array, Array],
    damping: float = 0.0,
) -> Step:
    """A step within a radius that keeps to limits.

    Unknowns that would leave are set to their limit, and the others solved for again.

    Args:
        matrix: R.
        target: c.
        scale: of each unknown.
        radius: the most that the norm of scale times step may be, to a tenth.
        limits: the least and the greatest change of each unknown.
        damping: the least damping.
    """
    low, high = limits
    change = np.zeros(len(scale))
    gradient = matrix.T @ target
    # A limit that the gradient presses against holds from the start.
    free = ~(((low >= 0.0) & (gradient > 0.0)) | ((high <= 0.0) & (gradient < 0.0)))
    while True:
        rest = target + matrix[:, ~free] @ change[~free]
        model = Model(matrix[:, free], scale[free])
        used = float(np.linalg.norm(scale[~free] * change[~free]))
        left = max(radius - used, 0.1 * radius)
        found, strength = model.step(rest, left, damping) if free.any() else (change[free], damping)
        change[free] = np.clip(found, low[free], high[free])
        outside = np.zeros(len(scale), bool)
        outside[free] = change[free] != found
        if not outside.any():
            size = float(np.linalg.norm((model.left.T @ rest)[model.known]))
            return Step(change, free, model, strength, size)
        free &= ~outside
