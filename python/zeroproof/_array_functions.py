"""What NumPy asks of an array class: universal functions with all they take, and functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from operator import index
from typing import Any, Optional, SupportsIndex, Union

import numpy as np
import numpy.typing as npt

from . import _array_ufuncs, _folds, _ops
from ._array_ufuncs import RECORDS, operand_of
from ._arrays import Array
from ._elementwise import elementwise
from ._enums import ReductionMode
from ._native import TRScalar
from .bridge import to_ieee

__all__ = [
    "accumulate",
    "check_dtype",
    "clip",
    "function",
    "into",
    "reduce",
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

#: Functions that only arrange elements, or choose among them by something else than their values.
ARRANGING = {
    np.append,
    np.array_split,
    np.atleast_1d,
    np.atleast_2d,
    np.atleast_3d,
    np.block,
    np.broadcast_arrays,
    np.broadcast_to,
    np.choose,
    np.column_stack,
    np.compress,
    np.concatenate,
    np.copy,
    np.delete,
    np.diag,
    np.diagflat,
    np.diagonal,
    np.dsplit,
    np.dstack,
    np.expand_dims,
    np.extract,
    np.flip,
    np.fliplr,
    np.flipud,
    np.full_like,
    np.hsplit,
    np.hstack,
    np.insert,
    np.moveaxis,
    np.ones_like,
    np.pad,
    np.ravel,
    np.repeat,
    np.reshape,
    np.resize,
    np.roll,
    np.rollaxis,
    np.rot90,
    np.select,
    np.split,
    np.squeeze,
    np.stack,
    np.swapaxes,
    np.take,
    np.take_along_axis,
    np.tile,
    np.transpose,
    np.tril,
    np.triu,
    np.vsplit,
    np.vstack,
    np.where,
    np.zeros_like,
    np.empty_like,
}

#: Functions that a method answers.
METHODS = {
    np.sum: "sum",
    np.prod: "prod",
    np.mean: "mean",
    np.var: "var",
    np.std: "std",
    np.min: "min",
    np.max: "max",
    np.amin: "min",
    np.amax: "max",
    np.any: "any",
    np.all: "all",
    np.argmin: "argmin",
    np.argmax: "argmax",
    np.cumsum: "cumsum",
    np.cumprod: "cumprod",
    np.clip: "clip",
    np.round: "round",
    np.around: "round",
    np.dot: "dot",
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


def _doubles(cls: type[Any], item: Any) -> Any:
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
    x = _doubles(cls, array)
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
    result = _doubles(cls, array)
    for bound, operation in ((low, _ops.tr_clip_min), (high, _ops.tr_clip_max)):
        if bound is not None:
            numbers = operand_of(_doubles(cls, bound))
            if numbers.dtype.kind == "O":
                raise TypeError("a bound of an array is no node: take its value")
            result = elementwise(operation, result, numbers)
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
    arrays = [_doubles(cls, item) for item in inputs]
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
        result = np.where(where, result, _doubles(cls, target))
    return into(target, wrapped(cls, result))


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


def function(
    cls: type[Any], called: Callable[..., Any], args: Sequence[Any], keywords: Mapping[str, Any]
) -> Any:
    """A function of NumPy for arguments among which there are TRArrays."""
    method = METHODS.get(called)
    if method is not None:
        named = dict(keywords)
        array, *rest = args or [named.pop("a", None)]
        if isinstance(array, cls) or (called is np.dot and rest):
            return getattr(cls(array), method)(*rest, **named)
    if called is np.array_equal:
        return _array_equal(cls, *args, **keywords)
    plain = [_plain(cls, item) for item in args]
    named = {name: _plain(cls, item) for name, item in keywords.items()}
    result = called(*plain, **named)
    return _arranged(cls, result) if called in ARRANGING else result


def _plain(cls: type[Any], item: Any) -> Any:
    """An argument with doubles in place of TRArrays, also in lists and tuples."""
    if isinstance(item, cls):
        return _doubles(cls, item)
    if type(item) in (list, tuple):
        return type(item)(_plain(cls, each) for each in item)
    return item


def _arranged(cls: type[Any], result: Any) -> Any:
    """Arrays of numbers as TRArrays, also in lists and tuples; nodes stay objects."""
    if type(result) in (list, tuple):
        return type(result)(_arranged(cls, each) for each in result)
    if isinstance(result, np.ndarray) and result.dtype.kind == "O":
        if any(isinstance(item, RECORDS) for item in result.flat):
            return result
        result = to_ieee(result)
    return wrapped(cls, np.asarray(result), keep_axes=True)


def _array_equal(cls: type[Any], a: Any, b: Any, equal_nan: bool = True) -> bool:
    """Whether shapes and values are the same; Φ equals Φ unless ``equal_nan`` is false."""
    a, b = (operand_of(_doubles(cls, item)) for item in (a, b))
    if a.shape != b.shape:
        return False
    equal: npt.NDArray[np.bool_] = _array_ufuncs.call(np.equal, [a, b])
    return bool(equal.all() if equal_nan else (equal & ~np.isnan(a)).all())
