"""Universal functions of NumPy with all they take, and reductions along axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from operator import index
from typing import Any, Optional, SupportsIndex, Union

import numpy as np

from . import _array_ufuncs, _folds, _ops
from ._array_ufunc_table import IEEE
from ._array_ufuncs import RECORDS, Unknown, operand_of
from ._arrays import Array
from ._elementwise import elementwise
from ._enums import ReductionMode
from ._native import TRScalar

__all__ = [
    "accumulate",
    "check_dtype",
    "clip",
    "doubles_of",
    "into",
    "named",
    "reduce",
    "rounded",
    "universal",
    "wrapped",
]

#: The reductions of universal functions that have one here.
REDUCTIONS: dict[np.ufunc, str] = {
    np.add: "sum",
    np.multiply: "prod",
    np.minimum: "min",
    np.maximum: "max",
}


def wrapped(cls: Callable[[Any], Any], result: Any, keep_axes: bool = False) -> Any:
    """Doubles as a TRArray, or as a TRScalar without axes; anything else as it is.

    Args:
        cls: the class of arrays.
        result: what was computed.
        keep_axes: whether an array without axes stays one, as for an index ``...``.
    """
    if isinstance(result, np.ndarray):
        if result.dtype != np.float64:
            return result[()] if result.ndim == 0 else result
        return cls(result) if result.ndim or keep_axes else TRScalar(result.item())
    return TRScalar(result) if isinstance(result, np.float64) else result


def doubles_of(cls: type[Any], item: Any) -> Any:
    """The doubles of an array of the class; anything else as it is."""
    return item.to_ieee() if isinstance(item, cls) else item


def check_dtype(dtype: Any) -> None:
    """Raises a TypeError for a type of results other than float64."""
    if dtype is not None and np.dtype(dtype) != np.float64:
        raise TypeError(f"a TRArray holds float64, so dtype cannot be {np.dtype(dtype)}")


def into(out: Any, result: Any) -> Any:
    """The result, written to ``out`` if there is one, which is returned then.

    Raises:
        TypeError: if ``out`` is no array, or the result nodes, whose gradients would be lost.
        ValueError: if the shapes do not go together.
    """
    if out is None:
        return result
    target = out.to_ieee() if hasattr(out, "to_ieee") else out
    if not isinstance(target, np.ndarray):
        raise TypeError(f"out must be an array, not {type(out).__name__}")
    numbers = np.asarray(result)
    if numbers.dtype.kind == "O" and target.dtype.kind != "O":
        numbers = operand_of(numbers)
        if numbers.dtype.kind == "O":
            raise TypeError("nodes cannot be written into an array of numbers")
    np.copyto(target, numbers, casting="same_kind")
    return out


def _places(ndim: int, axis: Any) -> tuple[int, ...]:
    """The axes to reduce, in order."""
    if axis is None:
        return tuple(range(ndim))
    given = [index(place) for place in (axis if isinstance(axis, (tuple, list)) else [axis])]
    for place in given:
        if not -ndim <= place < ndim:
            raise ValueError(f"axis {place} is out of bounds for array of dimension {ndim}")
    places = sorted({place % ndim for place in given})
    if len(places) < len(given):
        raise ValueError("duplicate value in 'axis'")
    return tuple(places)


def reduce(
    x: Array,
    fold: _folds.Fold,
    axis: Union[SupportsIndex, Sequence[SupportsIndex], None],
    keepdims: bool,
    mode: ReductionMode,
) -> Array:
    """A reduction along one axis, or along several in C order.

    Raises:
        ValueError: for an axis that does not exist or is named twice.
    """
    places = _places(x.ndim, axis)
    rest = [place for place in range(x.ndim) if place not in places]
    kept = tuple(x.shape[place] for place in rest)
    count = prod([x.shape[place] for place in places])
    columns = x.transpose(*places, *rest).reshape(count, *kept)
    with np.errstate(all="ignore"):
        found = np.asarray(fold(columns, mode))
    if keepdims:
        found = found.reshape([1 if k in places else n for k, n in enumerate(x.shape)])
    return found


def accumulate(cls: type[Any], ufunc: np.ufunc, array: Any, axis: Any, dtype: Any, out: Any) -> Any:
    """The fold of a sum or product with what it has come to at each element."""
    check_dtype(dtype)
    x = doubles_of(cls, array)
    if axis is None:
        x, axis = x.reshape(-1), 0
    with np.errstate(all="ignore"):
        return into(out, wrapped(cls, ufunc.accumulate(x, axis)))


def clip(cls: type[Any], array: Any, low: Any, high: Any, out: Any) -> Any:
    """The elements of an array between bounds.

    Raises:
        ValueError: without any bound.
    """
    if low is None and high is None:
        raise ValueError("clip needs a bound: min, max or both")
    result = doubles_of(cls, array)
    for bound, operation in ((low, _ops.tr_clip_min), (high, _ops.tr_clip_max)):
        if bound is not None:
            numbers = operand_of(doubles_of(cls, bound))
            if numbers.dtype.kind == "O":
                raise TypeError("a bound of an array is no node: take its value")
            result = elementwise(operation, result, numbers)
    return into(out, wrapped(cls, result))


def rounded(cls: type[Any], array: Any, decimals: SupportsIndex, out: Any) -> Any:
    """The nearest numbers with so many decimals, halves to the even one."""
    places = index(decimals)
    scale = 10.0 ** abs(places)
    x = doubles_of(cls, array)
    with np.errstate(all="ignore"):
        shifted = x * scale if places > 0 else x / scale
        whole = elementwise(_ops.tr_round, shifted)
        result = whole / scale if places > 0 else whole * scale
    return into(out, wrapped(cls, result))


def universal(
    cls: type[Any],
    ufunc: np.ufunc,
    method: str,
    inputs: Sequence[Any],
    out: Optional[tuple[Any, ...]],
    keywords: dict[str, Any],
) -> Any:
    """Calls a universal function, or its method ``reduce``, ``accumulate`` or ``outer``."""
    for item in (*inputs, *(out or ())):
        foreign = getattr(type(item), "__array_ufunc__", None)
        own = isinstance(item, (cls, TRScalar, *RECORDS))
        if not own and foreign not in (None, np.ndarray.__array_ufunc__):
            return NotImplemented
    target = out[0] if out else None
    arrays = [doubles_of(cls, item) for item in inputs]
    if method == "at":
        return _at(ufunc, *arrays, **keywords)
    if method in ("reduce", "accumulate"):
        return _fold_of(cls, ufunc, method, arrays, target, keywords)
    where = keywords.pop("where", True)
    check_dtype(keywords.pop("dtype", None))
    if method not in ("__call__", "outer") or keywords:
        what = f"the method {method}" if method not in ("__call__", "outer") else min(keywords)
        raise TypeError(f"numpy.{ufunc.__name__} of a TRArray does not support {what}")
    if method == "outer":
        first, second = map(operand_of, arrays)
        arrays = [first.reshape(first.shape + (1,) * second.ndim), second]
    result = _array_ufuncs.call(ufunc, arrays)
    if where is not True:
        if target is None:
            raise TypeError("where needs out, which says what stands elsewhere")
        result = np.where(where, result, doubles_of(cls, target))
    return into(target, wrapped(cls, result))


def named(cls: type[Any], name: str, operands: Sequence[Any]) -> Any:
    """The function ``tr_NAME``: an operation, a condition or the choice by one.

    Raises:
        TypeError: for operands that are no numbers, and where a condition is expected.
        ValueError: if the shapes do not go together.
    """
    arrays = [doubles_of(cls, item) for item in operands]
    try:
        return wrapped(cls, _array_ufuncs.named(name, arrays))
    except Unknown as error:
        raise TypeError(f"tr_{name}: {error}") from None


def _at(ufunc: np.ufunc, target: Any, indices: Any, *values: Any) -> None:
    """An operation in place at some elements, once for each time that an index is given."""
    numbers = [operand_of(value) for value in values]
    if ufunc not in IEEE or any(each.dtype.kind == "O" for each in numbers):
        raise TypeError(
            f"numpy.{ufunc.__name__}.at writes to a TRArray only for + − × ÷ √ and numbers"
        )
    with np.errstate(all="ignore"):
        ufunc.at(target, indices, *numbers)


def _fold_of(
    cls: type[Any],
    ufunc: np.ufunc,
    method: str,
    inputs: Sequence[Any],
    out: Any,
    keywords: dict[str, Any],
) -> Any:
    name = REDUCTIONS.get(ufunc)
    check_dtype(keywords.pop("dtype", None))
    axis, keepdims = keywords.pop("axis", 0), keywords.pop("keepdims", False)
    known = name is not None if method == "reduce" else ufunc in (np.add, np.multiply)
    if not known or keywords:
        what = min(keywords) if known else f"the method {method}"
        raise TypeError(f"numpy.{ufunc.__name__} of a TRArray does not support {what}")
    x = operand_of(inputs[0])
    if method == "accumulate":
        return accumulate(cls, ufunc, x, axis, None, out)
    fold = _folds.FOLDS[str(name)]
    return into(out, wrapped(cls, reduce(x, fold, axis, keepdims, ReductionMode.STRICT)))
