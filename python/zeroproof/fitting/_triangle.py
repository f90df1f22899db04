"""The triangle R of a QR factorization of tall matrices, in blocks of rows.

Products with Q are not needed: the right-hand side is one more column. A linear algebra library
starts threads for matrices above a size, and for matrices that are tall and narrow waiting for the
threads takes longer than the work. Blocks stay below that size; the triangles of the blocks, one
below the other, are factorized in turn. That is as stable as one factorization.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._arrays import Array

__all__ = ["triangle"]

#: The most elements of a block. OpenBLAS uses one thread below 9216.
BLOCK = 8192


def triangle(matrix: Array) -> Array:
    """The upper triangle R with RᵀR = AᵀA.

    Args:
        matrix: A, shape (rows, columns).

    Returns:
        Shape (columns, columns): rows of zeros stand for those that A lacks.
    """
    columns = matrix.shape[1]
    height = max(BLOCK // max(columns, 1), 2 * columns)
    while len(matrix) > height:
        blocks, rest = divmod(len(matrix), height)
        whole = matrix[: blocks * height].reshape(blocks, height, columns)
        tops = _r(whole).reshape(blocks * columns, columns)
        matrix = np.concatenate([tops, matrix[len(matrix) - rest :]])
    found = _r(matrix)
    missing = columns - len(found)
    return found if missing == 0 else np.concatenate([found, np.zeros((missing, columns))])


def _r(matrices: Array) -> Array:
    found: Any = np.linalg.qr(matrices, mode="r")
    return np.asarray(found, float)
