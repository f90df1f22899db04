"""The losses of a residual, as functions of nodes and as weights of least squares.

Each is ρ(z) of z = r², the squared residual in units of sigma, and close to z for small z.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._arrays import Array
from ..autodiff.conditions import tr_less_equal, tr_where
from ..autodiff.tr_ops_grad import tr_abs, tr_log1p, tr_sqrt
from ..fitting._losses import Loss

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
        return _of_arrays(loss).terms(residuals)


def slopes(residuals: Array, loss: str) -> Array:
    """ρ′(r²): the weights of the least squares problem with the same gradient."""
    with np.errstate(all="ignore"):
        return _of_arrays(loss).slopes(residuals)


def _of_arrays(loss: str) -> Loss:
    """The loss of ``zeroproof.least_squares``, whose "linear" is "squared" here."""
    return Loss("linear" if loss == "squared" else loss, 1.0)
