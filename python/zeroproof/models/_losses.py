"""The losses of a residual, as functions of nodes and as weights of least squares.

Each is ρ(z) of z = r², the squared residual in units of sigma, and close to z for small z.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._arrays import Array
from ..autodiff.conditions import tr_less_equal, tr_where
from ..autodiff.tr_ops_grad import tr_abs, tr_log1p, tr_sqrt

__all__ = ["LOSSES", "loss_of", "losses", "slopes"]

LOSSES = ("squared", "huber", "soft_l1", "cauchy")


def loss_of(residual: Any, loss: str) -> Any:
    """ρ of a node."""
    squared = residual * residual
    if loss == "huber":
        return tr_where(tr_less_equal(squared, 1.0), squared, 2.0 * tr_abs(residual) - 1.0)
    if loss == "soft_l1":
        return 2.0 * (tr_sqrt(1.0 + squared) - 1.0)
    return tr_log1p(squared) if loss == "cauchy" else squared


def losses(residuals: Array, loss: str) -> Array:
    """ρ of an array."""
    with np.errstate(all="ignore"):
        squared = residuals * residuals
        if loss == "huber":
            return np.where(squared <= 1.0, squared, 2.0 * np.abs(residuals) - 1.0)
        if loss == "soft_l1":
            return np.asarray(2.0 * (np.hypot(1.0, residuals) - 1.0))
        return np.log1p(squared) if loss == "cauchy" else squared


def slopes(residuals: Array, loss: str) -> Array:
    """ρ′(r²): the weights of the least squares problem with the same gradient."""
    with np.errstate(all="ignore"):
        size = np.abs(residuals)
        if loss == "huber":
            return 1.0 / np.maximum(size, 1.0)
        if loss == "soft_l1":
            return 1.0 / np.hypot(1.0, size)
        return 1.0 / (1.0 + size * size) if loss == "cauchy" else np.ones_like(size)
