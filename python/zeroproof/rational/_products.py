"""Products of tall matrices, in blocks of rows, as their triangles are computed.

A block stays in the cache, and is below the size from which BLAS libraries start threads. For
matrices of a few columns threads gain nothing, and where other programs keep the processors busy
they wait for each other, for seconds.
"""

from __future__ import annotations

import numpy as np

from .._arrays import Array
from ..fitting._triangle import BLOCK

__all__ = ["product", "sum_of_squares"]


def product(matrix: Array, right: Array) -> Array:
    """The product with a vector or a matrix of few columns."""
    rows, step = len(matrix), max(BLOCK // max(matrix.shape[1], 1), 1)
    if rows <= step:
        return np.asarray(matrix @ right, np.float64)
    result = np.empty((rows, *right.shape[1:]))
    for k in range(0, rows, step):
        np.matmul(matrix[k : k + step], right, out=result[k : k + step])
    return result


def sum_of_squares(vector: Array) -> float:
    """The sum of the squares; not by BLAS, which adds in an order that depends on its threads."""
    return float(np.add.reduce(vector * vector))
