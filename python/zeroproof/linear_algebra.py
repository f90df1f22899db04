"""Small systems of linear equations, inverses and determinants, with gradients.

The matrices hold numbers, TR scalars, nodes or tracers. The operations and their order depend on
the size alone, so that values, gradients and statuses are the same on nodes and in a traced
function, to the bit. The cost is that of recording each operation: these functions are for the
matrices of a few rows that occur within a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any, Union, overload

import numpy as np

from ._native import TRNode, TRScalar, tr_less, tr_where
from ._object_arrays import Objects, in_kind, matrix, objects
from ._ops import tr_abs
from .array import TRArray

__all__ = ["tr_det", "tr_inv", "tr_solve"]

#: The most rows of a determinant: it takes n·2ⁿ⁻¹ products.
MOST_ROWS = 10


def tr_solve(A: Any, b: Any) -> Any:
    """The solution ``x`` of ``A x = b``, by elimination with partial pivoting.

    For a singular matrix a pivot is 0, and the unknowns are ±∞ or Φ. A Φ anywhere in ``A`` makes
    every unknown Φ. The gradients are those of the operations: in Saturating mode the divisions by
    the pivots have bounded partials, and in Hybrid mode each of them is a decision. In a traced
    function the pivots are selected for each sample.

    Args:
        A: a square matrix: an array, TRArray or nested lists of numbers, TR scalars, nodes or
            tracers.
        b: a vector of the same length, or a matrix with as many rows, of the same kinds.

    Returns:
        An object array in the shape of ``b``: of nodes or tracers if there are any in ``A`` or
        ``b``, else of TR scalars. Of numbers, a TRArray if ``A`` or ``b`` is one.

    Raises:
        ValueError: if ``A`` is not square, or ``b`` does not have as many rows.
        TypeError: for elements of other types.

    Examples:
        >>> from zeroproof import tr_solve
        >>> print(tr_solve([[2.0, 0.0], [0.0, 4.0]], [1.0, 1.0]))
        [TRScalar(0.5) TRScalar(0.25)]
        >>> print(tr_solve([[2.0, 0.0], [0.0, 0.0]], [1.0, 1.0]))
        [TRScalar(Φ) TRScalar(+∞)]
    """
    left, right = matrix(A, "tr_solve"), objects(b)
    if right.ndim not in (1, 2) or len(right) != len(left):
        raise ValueError(
            f"tr_solve with a matrix of shape {left.shape} takes a right side of shape "
            f"({len(left)},) or ({len(left)}, k), not {right.shape}"
        )
    columns = right.reshape(len(right), -1) if right.size else np.empty((len(right), 0), object)
    return in_kind(_solve(left, columns).reshape(right.shape), [left, right], [A, b])


@overload
def tr_inv(A: TRArray) -> TRArray: ...
@overload
def tr_inv(A: Union[Objects, Sequence[Any]]) -> Objects: ...
@overload
def tr_inv(A: Any) -> Any: ...
def tr_inv(A: Any) -> Any:
    """The inverse of a matrix: what :func:`tr_solve` gives for the columns of the identity.

    Args:
        A: a square matrix, as for :func:`tr_solve`.

    Returns:
        An object array, or TRArray, of the same shape; for a singular matrix of ±∞ and Φ.

    Raises:
        ValueError: if ``A`` is not square.
        TypeError: for elements of other types.

    Examples:
        >>> from zeroproof import tr_inv
        >>> print(tr_inv([[2.0, 0.0], [0.0, 4.0]]))
        [[TRScalar(0.5) TRScalar(0.0)]
         [TRScalar(0.0) TRScalar(0.25)]]
    """
    given = matrix(A, "tr_inv")
    identity = objects(np.eye(len(given)))
    return in_kind(_solve(given, identity), [given], [A])


def tr_det(A: Any) -> Any:
    """The determinant of a matrix, by sums of products without a division.

    It is a polynomial of the elements, so its gradient, the cofactors, is REAL and right at a
    singular matrix too. Minors of the first rows are computed once for each choice of columns,
    which takes n·2ⁿ⁻¹ products. The rounding error is small beside the sum of the absolute values
    of all n! terms.

    Args:
        A: a square matrix of at most 10 rows, as for :func:`tr_solve`.

    Returns:
        A node or tracer if there are any in ``A``, else a TR scalar.

    Raises:
        ValueError: if ``A`` is not square, or has more than 10 rows.
        TypeError: for elements of other types.

    Examples:
        >>> from zeroproof import TRNode, tr_det
        >>> a = TRNode.parameter(1.0)
        >>> det = tr_det([[a, 2.0], [2.0, 4.0]])
        >>> det.backward()
        >>> print(det.value, a.gradient)
        0.0 4.0
    """
    given = matrix(A, "tr_det")
    size = len(given)
    if size > MOST_ROWS:
        raise ValueError(
            f"tr_det takes at most {MOST_ROWS} rows, not {size}, since its cost doubles with each: "
            "split the matrix into blocks, or use numpy.linalg.det where no gradient is needed"
        )
    minors: dict[tuple[int, ...], Any] = {(): TRScalar(1.0)}
    for row in range(size):
        minors = {
            columns: _expand(given[row], columns, minors)
            for columns in combinations(range(size), row + 1)
        }
    (determinant,) = minors.values()
    result = np.empty((), object)
    result[()] = determinant
    return in_kind(result, [given], [])[()]


def _expand(row: Objects, columns: tuple[int, ...], minors: dict[tuple[int, ...], Any]) -> Any:
    """The minor of the columns, by expansion along its last row, from the right."""
    if len(columns) == 1:
        return row[columns[0]]
    total = None
    for place in reversed(range(len(columns))):
        term = row[columns[place]] * minors[columns[:place] + columns[place + 1 :]]
        if total is None:
            total = term
        else:
            total = total - term if (len(columns) - place) % 2 == 0 else total + term
    return total


def _solve(left: Objects, right: Objects) -> Objects:
    """The solutions for each column of the right side."""
    size = len(left)
    rows = [[*left[place], *right[place]] for place in range(size)]
    for k in range(size):
        for below in range(k + 1, size):
            rows[k], rows[below] = _larger_first(rows[k], rows[below], k)
        for below in range(k + 1, size):
            factor = rows[below][k] / rows[k][k]
            rows[below][k + 1 :] = [
                mine - factor * pivots
                for mine, pivots in zip(rows[below][k + 1 :], rows[k][k + 1 :])
            ]
    found = np.empty(right.shape, object)
    for column in range(right.shape[1]):
        for k in reversed(range(size)):
            rest = rows[k][size + column]
            for later in range(k + 1, size):
                rest = rest - rows[k][later] * found[later, column]
            found[k, column] = rest / rows[k][k]
    return found


def _larger_first(upper: list[Any], lower: list[Any], k: int) -> tuple[list[Any], list[Any]]:
    """Two rows, the one with the larger element in column ``k`` first.

    A Φ is not moved: wherever it stands, elimination spreads it to all unknowns.
    """
    swap: Any = tr_less(_magnitude(upper[k]), _magnitude(lower[k]))
    if isinstance(swap, bool):
        return (lower, upper) if swap else (upper, lower)
    first, second = upper[:k], lower[:k]
    for a, b in zip(upper[k:], lower[k:]):
        first.append(tr_where(swap, b, a))
        second.append(tr_where(swap, a, b))
    return first, second


def _magnitude(item: Any) -> Any:
    """The absolute value; of a node that of its value, since a comparison records nothing."""
    return tr_abs(item.value if isinstance(item, TRNode) else item)
