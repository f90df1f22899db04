"""What NumPy's functions other than universal ones are of arrays of transreal values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _array_ufuncs
from ._array_calls import doubles_of, wrapped
from ._array_ufuncs import RECORDS, operand_of
from ._folds import is_true
from ._native import TRScalar
from .bridge import to_ieee

__all__ = ["function"]

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

#: Functions that ask for the truth of their first argument, by which Φ is false.
OF_TRUTH = {np.where, np.nonzero, np.flatnonzero, np.count_nonzero, np.argwhere}

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


def function(
    cls: type[Any],
    called: Callable[..., Any],
    types: Iterable[type],
    args: Sequence[Any],
    keywords: Mapping[str, Any],
) -> Any:
    """A function of NumPy for arguments among which there are TRArrays."""
    if not all(issubclass(each, (cls, np.ndarray, TRScalar, *RECORDS)) for each in types):
        return NotImplemented
    method = METHODS.get(called)
    if method is not None:
        named = dict(keywords)
        array, *rest = args or [named.pop("a", None)]
        if isinstance(array, cls) or (called is np.dot and rest):
            return getattr(cls(array), method)(*rest, **named)
    if called is np.array_equal:
        return _array_equal(cls, *args, **keywords)
    if called in OF_TRUTH and args and isinstance(args[0], cls):
        args = [is_true(doubles_of(cls, args[0])), *args[1:]]
    if called is np.polyval:
        return _polyval(cls, *args, **keywords)
    plain = [_plain(cls, item) for item in args]
    named = {name: _plain(cls, item) for name, item in keywords.items()}
    with np.errstate(all="ignore"):  # nothing transreal warns
        result = called(*plain, **named)
    return _arranged(cls, result) if called in ARRANGING else result


def _polyval(cls: type[Any], p: Any, x: Any) -> Any:
    """The polynomial by the operations that NumPy does on an array of objects."""
    value = cls(np.zeros(np.shape(x)))
    points = cls(x)
    for coefficient in cls(p):
        value = value * points + coefficient
    return value


def _plain(cls: type[Any], item: Any) -> Any:
    """An argument with doubles in place of TRArrays, also in lists and tuples."""
    if isinstance(item, cls):
        return doubles_of(cls, item)
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
    a, b = (operand_of(doubles_of(cls, item)) for item in (a, b))
    if a.shape != b.shape:
        return False
    equal: npt.NDArray[np.bool_] = _array_ufuncs.call(np.equal, [a, b])
    return bool(equal.all() if equal_nan else (equal & ~np.isnan(a)).all())
