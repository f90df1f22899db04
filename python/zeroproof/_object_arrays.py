"""Operands of composed functions: arrays of nodes, tracers and TR scalars."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from ._native import Tracer, TRNode, TRScalar, tr_where
from .array import TRArray
from .bridge import from_ieee

__all__ = ["Objects", "element", "in_kind", "matrix", "objects", "vector"]

Objects = npt.NDArray[np.object_]


def element(item: Any) -> Any:
    """A node or tracer as it is, a number as a TR scalar.

    Raises:
        TypeError: for anything else.
    """
    if isinstance(item, (TRNode, Tracer, TRScalar)):
        return item
    if isinstance(item, np.ndarray) and item.ndim == 0 and item.dtype.kind == "O":
        return element(item[()])
    return TRScalar(item)


def objects(values: Any) -> Objects:
    """Numbers, nodes and tracers in an array of objects, numbers as TR scalars.

    Raises:
        TypeError: for elements that are none of these, and a masked array.
    """
    if isinstance(values, TRArray):
        return np.asarray(from_ieee(values.to_ieee()), object)
    if isinstance(values, np.ma.MaskedArray):
        raise TypeError("a masked array is no operand: take its data, or fill what is masked")
    if not isinstance(values, (np.ndarray, list, tuple)):
        if not isinstance(values, Iterable) or isinstance(values, (str, bytes, Tracer)):
            raise TypeError(f"expected an array or list of values, not {type(values).__name__}")
        values = list(values)
    given = values if isinstance(values, np.ndarray) else np.array(values, object)
    found = np.empty(given.size, object)
    for place, item in enumerate(given.flat):
        if isinstance(item, (list, tuple)):
            raise ValueError("the rows have different lengths, so they make no array")
        found[place] = element(item)
    return found.reshape(given.shape)


def vector(values: Any, name: str) -> Objects:
    """The values of a function of one list.

    Raises:
        ValueError: for an array with another number of axes.
    """
    found = objects(values)
    if found.ndim != 1:
        raise ValueError(
            f"{name} takes one list of values, not an array of shape {found.shape}: apply it to "
            f"each row, as in [{name}(row) for row in values]"
        )
    return found


def matrix(values: Any, name: str) -> Objects:
    """A square matrix.

    Raises:
        ValueError: for any other shape.
    """
    found = objects(values)
    if found.ndim != 2 or found.shape[0] != found.shape[1]:
        raise ValueError(f"{name} takes a square matrix, not an array of shape {found.shape}")
    return found


def in_kind(results: Objects, operands: Iterable[Objects], given: Iterable[Any]) -> Any:
    """Results in the kind of the operands: nodes if there is a node among these.

    Args:
        results: nodes, tracers and TR scalars.
        operands: the operands as objects.
        given: the operands as they were given: a TRArray among numbers makes a TRArray.
    """
    records = (
        item for array in operands for item in array.flat if isinstance(item, (TRNode, Tracer))
    )
    witness: Any = next(records, None)
    if witness is None:
        return TRArray(results) if any(isinstance(each, TRArray) for each in given) else results
    found = np.empty(results.size, object)
    for place, item in enumerate(results.ravel().tolist()):
        if isinstance(item, TRScalar):
            # In a trace a choice that is known leaves nothing of what was not chosen.
            is_traced = isinstance(witness, Tracer)
            item = tr_where(True, item, witness) if is_traced else TRNode.constant(item)
        found[place] = item
    return found.reshape(results.shape)
