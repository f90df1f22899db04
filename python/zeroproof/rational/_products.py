"""Products and decompositions of tall matrices, in blocks of rows.

A block stays in the cache, and is below the size from which BLAS libraries start threads. For
matrices of a few columns threads gain nothing, and where other programs keep the processors busy
they wait for each other, for seconds.
"""

from __future__ import annotations

import numpy as np

from .._arrays import Array

__all__ = ["product", "sum_of_squares", "triangle"]

#: OpenBLAS starts threads for a product with a vector from 9216 elements.
ELEMENTS = 8192


def _rows(columns: int) -> int:
    """How many rows a block has: more than it has columns in any case."""
    return max(ELEMENTS // max(columns, 1), 4 * columns)


def product(matrix: Array, right: Array) -> Array:
    """The product with a vector or a matrix of few columns."""
    rows, step = len(matrix), _rows(matrix.shape[1])
    if rows <= step:
        return np.asarray(matrix @ right, np.float64)
    result = np.empty((rows, *right.shape[1:]))
    for k in range(0, rows, step):
        np.matmul(matrix[k : k + step], right, out=result[k : k + step])
    return result


def triangle(matrix: Array) -> Array:
    """R of the QR decomposition."""
    step = _rows(matrix.shape[1])
    while len(matrix) > step:
        blocks = range(0, len(matrix), step)
        matrix = np.concatenate([np.linalg.qr(matrix[k : k + step], mode="r") for k in blocks])
    return np.asarray(np.linalg.qr(matrix, mode="r"), np.float64)


def sum_of_squares(vector: Array) -> float:
    """The sum of the squares; not by BLAS, which adds in an order that depends on its threads."""
    return float(np.add.reduce(vector * vector))
