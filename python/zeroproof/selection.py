"""Elements by an index that may differ from sample to sample."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._native import phi, tr_equal, tr_or, tr_where
from ._object_arrays import Objects, element, in_kind, objects

__all__ = ["tr_take"]


def tr_take(values: Any, index: Any) -> Any:
    """``values[index]``, where the index may be a tracer, a node or a TR scalar.

    Negative indices count from the end, as in NumPy. Any other index that is not a whole number
    within the range, also ±∞ and Φ, gives Φ. The gradient goes to the element taken alone; the
    others and the index get 0, which is exact.

    An int picks the element at once. Any other index selects among all elements by ``tr_where``,
    at a cost proportional to their number.

    Args:
        values: a list or array of numbers, TR scalars, nodes or tracers, or a TRArray. Of an array
            with more axes the rows along the first are taken.
        index: an int, number, TR scalar, node or tracer; or an array or list of them.

    Returns:
        The element: a node or tracer if there are any among the values or if the index is a
        tracer, else a TR scalar. For rows, or an array of indices, an array of these, of shape
        ``index.shape + values.shape[1:]``; of numbers in a TRArray, a TRArray.

    Raises:
        ValueError: if the values have no axis.
        TypeError: for a bool as index, and for values or indices of other types.

    Examples:
        >>> from zeroproof import TRNode, tr_take
        >>> tr_take([1.0, 2.0, 3.0], 1), tr_take([1.0, 2.0, 3.0], 7)
        (TRScalar(2.0), TRScalar(Φ))
        >>> x = [TRNode.parameter(1.0), TRNode.parameter(2.0)]
        >>> tr_take(x, TRNode.constant(1.0)).backward()
        >>> print([node.gradient for node in x])
        [TRScalar(0.0), TRScalar(1.0)]
    """
    table = objects(values)
    if table.ndim == 0:
        raise ValueError("tr_take takes elements out of a list or an array, not of one value")
    many = isinstance(index, (list, tuple)) or getattr(index, "ndim", 0) > 0
    indices = _indices(index) if many else [index]
    taken = [_take(table, place) for place in indices]
    axes = np.shape(np.asarray(index, object)) if many else ()
    flat = np.empty(len(taken) * int(np.prod(table.shape[1:])), object)
    for place, item in enumerate(item for row in taken for item in row.flat):
        flat[place] = item
    results = in_kind(flat.reshape(axes + table.shape[1:]), [table, flat], [values])
    return results[()] if results.ndim == 0 else results


def _indices(index: Any) -> list[Any]:
    """The indices of an array or nested lists, in C order."""
    if isinstance(index, np.ndarray) and index.dtype.kind in "iu":
        return [*index.flat]
    return [*np.asarray(index, object).flat]


def _take(table: Objects, index: Any) -> Objects:
    """The row at an index, as an array; for values in one list an array without axes."""
    if isinstance(index, (bool, np.bool_)):
        raise TypeError("the index of tr_take is a number, not a bool: tr_where chooses by a bool")
    taken = np.empty(table.shape[1:], object)
    length = len(table)
    if isinstance(index, (int, np.integer)):
        if -length <= index < length:
            taken[...] = table[int(index)]
        else:
            taken[...] = phi()
        return taken
    place = element(index)
    matches: list[Any] = [
        tr_or(tr_equal(place, k), tr_equal(place, k - length)) for k in range(length)
    ]
    for position in np.ndindex(taken.shape):
        found: Any = phi()
        for k, match in enumerate(matches):
            found = tr_where(match, table[(k, *position)], found)
        taken[position] = found
    return taken
