"""NumPy's universal functions by the rules of transreal values, on arrays of doubles."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Optional

import numpy as np
import numpy.typing as npt

from . import _ops
from ._array_ufunc_table import CLASSES, COMPARISONS, ENGINE, IEEE, LOGICAL, SPECIAL
from ._arrays import Array
from ._elementwise import elementwise
from ._folds import is_true
from ._native import TracedCondition, Tracer, TRNode, TRScalar, tr_where
from .bridge import from_ieee, to_ieee

__all__ = ["RECORDS", "Unknown", "call", "named", "operand_of"]

#: What records an operation, and so cannot stand in an array of doubles.
RECORDS = (TRNode, Tracer)


class Unknown(TypeError):
    """An operand that is no number and no array of numbers."""


def operand_of(given: Any) -> npt.NDArray[Any]:
    """An operand as an array of doubles, or of objects if there is a node or tracer in it.

    Raises:
        Unknown: for what is no number and no array of numbers.
        TypeError: for a masked array, whose mask would be lost.
    """
    if type(given) is np.ndarray and given.dtype == np.float64:
        return given
    if isinstance(given, RECORDS):
        boxed = np.empty((), object)
        boxed[()] = given
        return boxed
    if isinstance(given, np.ma.MaskedArray):
        raise TypeError("a masked array is no operand: take its data, or fill what is masked")
    if isinstance(given, (np.ndarray, list, tuple)):
        return _array_of(given)
    try:
        return np.array(float(TRScalar(given)))
    except TypeError as error:
        raise Unknown(str(error)) from None


def _array_of(given: Any) -> npt.NDArray[Any]:
    array = np.asarray(given)
    if array.dtype == np.float64:
        return array
    if array.dtype.kind == "O":
        if any(isinstance(item, RECORDS) for item in array.flat):
            return array
        if any(isinstance(item, TracedCondition) for item in array.flat):
            raise TypeError("a condition is no operand: tr_where chooses by it")
    elif array.dtype.kind not in "fiub":
        raise Unknown(f"expected an array of real numbers, not of {array.dtype}")
    return to_ieee(array)


def _objects(operand: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return operand if operand.dtype.kind == "O" else np.asarray(from_ieee(operand), object)


def call(ufunc: np.ufunc, inputs: Sequence[Any]) -> npt.NDArray[Any]:
    """A universal function of arrays of doubles and of anything else that is an operand.

    Returns:
        An array of float64, of bool, or of objects if there is a node or tracer among the operands.

    Raises:
        Unknown: for an operand that is no number and no array of numbers.
        TypeError: for a function without a transreal counterpart.
        ValueError: if the shapes do not go together.
    """
    operands = [operand_of(given) for given in inputs]
    if ufunc in COMPARISONS:
        return _compare(ufunc, inputs, operands)
    records = any(operand.dtype.kind == "O" for operand in operands)
    if ufunc is np.matmul:
        return _matmul(*map(_objects, operands)) if records else _matmul(*operands)
    if ufunc is np.power:
        exponents = inputs[1]
        return _power_of_objects(operands) if records else _power(operands, exponents)
    if ufunc in IEEE:
        if records:
            return np.asarray(IEEE[ufunc](*map(_objects, operands)), object)
        with np.errstate(all="ignore"):
            return np.asarray(ufunc(*operands))
    function = ENGINE.get(ufunc) or _special(ufunc)
    if function is not None:
        return _over(function, operands)
    if records:
        raise TypeError(f"numpy.{ufunc.__name__} does not take nodes: take their values")
    if ufunc in CLASSES:
        return np.asarray(ufunc(*operands))
    if ufunc in LOGICAL:
        return np.asarray(ufunc(*[is_true(operand) for operand in operands]))
    raise TypeError(
        f"numpy.{ufunc.__name__} has no transreal counterpart; numpy.asarray(array) gives the "
        "doubles, for NumPy's rules"
    )


#: The universal functions that answer for conditions, by the names of these.
_CONDITIONS = {
    "less": np.less,
    "less_equal": np.less_equal,
    "equal": np.equal,
    "is_real": np.isfinite,
    "is_infinite": np.isinf,
    "is_phi": np.isnan,
}


def named(name: str, inputs: Sequence[Any]) -> npt.NDArray[Any]:
    """The function ``tr_NAME`` of arrays of doubles and of anything else that is an operand.

    Returns:
        As :func:`call`.

    Raises:
        TypeError: for operands that are no numbers, and where a condition is expected.
        ValueError: if the shapes do not go together.
    """
    if name in _CONDITIONS:
        return call(_CONDITIONS[name], inputs)
    if name == "where":
        return _where(*inputs)
    if name == "pow_int":
        return _over(_power_function(operator.index(inputs[1])), [operand_of(inputs[0])])
    function = getattr(_ops, f"tr_{name}", None)
    if function is None:
        raise TypeError(f"tr_{name} takes conditions, not a TRArray: compare its values first")
    return _over(function, [operand_of(given) for given in inputs])


def _over(function: Callable[..., Any], operands: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """A function of numbers by the engine, or of numbers and nodes one by one."""
    records = any(operand.dtype.kind == "O" for operand in operands)
    return _over_objects(function, operands) if records else elementwise(function, *operands)


def _where(condition: Any, *choices: Any) -> npt.NDArray[Any]:
    """``tr_where``, of whose conditions none is traced unless the choices are recorded."""
    conditions = np.asarray(condition)
    operands = [operand_of(given) for given in choices]
    if conditions.dtype.kind == "O" or any(operand.dtype.kind == "O" for operand in operands):
        together = np.broadcast(conditions, *map(_objects, operands))
        results = np.empty(together.size, object)
        for place, elements in enumerate(together):
            results[place] = tr_where(*elements)
        return results.reshape(together.shape)
    if conditions.dtype != np.bool_:
        raise TypeError(
            f"expected a condition, not an array of {conditions.dtype}: conditions are bools, as "
            "tr_less, tr_is_real and their like return"
        )
    return np.where(conditions, *operands)


@lru_cache(maxsize=256)
def _power_function(n: int) -> Callable[[Any], Any]:
    return lambda a: _ops.tr_pow_int(a, n)


def _special(ufunc: np.ufunc) -> Optional[Callable[..., Any]]:
    """What stands for a function of SciPy."""
    special = sys.modules.get("scipy.special")
    name = ufunc.__name__
    return SPECIAL.get(name) if getattr(special, name, None) is ufunc else None


def _over_objects(
    function: Callable[..., Any], operands: Sequence[npt.NDArray[Any]]
) -> npt.NDArray[Any]:
    """A function of numbers and nodes, element by element."""
    together = np.broadcast(*map(_objects, operands))
    results = np.empty(together.size, object)
    for place, elements in enumerate(together):
        results[place] = function(*elements)
    return results.reshape(together.shape)


def _power_of_objects(operands: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    return _over_objects(operator.pow, operands)


def _power(operands: Sequence[Array], exponents: Any) -> Array:
    """``a ** b`` as of scalars: an integer exponent multiplies out, another is ``tr_pow``."""
    if not _holds_integers(exponents):
        return elementwise(_ops.tr_pow, *operands)
    exponents = np.asarray(exponents)
    distinct = np.unique(exponents).tolist()
    if len(distinct) == 1:
        base = np.broadcast_to(operands[0], np.broadcast_shapes(operands[0].shape, exponents.shape))
        return elementwise(_power_by(distinct[0]), base)
    base, exponents = np.broadcast_arrays(operands[0], exponents)
    result = np.empty(base.shape)
    for n in distinct:
        chosen = exponents == n
        result[chosen] = elementwise(_power_by(n), base[chosen])
    return result


def _holds_integers(exponents: Any) -> bool:
    if isinstance(exponents, (int, np.integer)):
        return True
    return isinstance(exponents, (np.ndarray, list, tuple)) and (
        np.asarray(exponents).dtype.kind in "iub"
    )


@lru_cache(maxsize=256)
def _power_by(n: int) -> Callable[[Any], Any]:
    return lambda a: a ** int(n)


def _compare(
    ufunc: np.ufunc, inputs: Sequence[Any], operands: Sequence[npt.NDArray[Any]]
) -> npt.NDArray[np.bool_]:
    """A comparison in the transreal order, in which Φ is equal to Φ and else unordered."""
    exact = [isinstance(given, int) and float(TRScalar(given)) != given for given in inputs]
    if any(exact) or any(operand.dtype.kind == "O" for operand in operands):
        # A node, or an integer that no double holds: TR scalars know how.
        items = [
            np.array(given, object) if rounded else _objects(operand)
            for given, operand, rounded in zip(inputs, operands, exact)
        ]
        found = [COMPARISONS[ufunc](a, b) for a, b in np.broadcast(*items)]
        shape = np.broadcast_shapes(*[item.shape for item in items])
        return np.array(found, bool).reshape(shape)
    a, b = operands
    with np.errstate(all="ignore"):
        if ufunc is np.equal:
            return np.asarray((a == b) | (np.isnan(a) & np.isnan(b)))
        if ufunc is np.not_equal:
            return np.asarray((a != b) & ~(np.isnan(a) & np.isnan(b)))
        return np.asarray(ufunc(a, b))


def _matmul(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The matrix product, its sums folded in order as those of objects are."""
    if a.ndim == 0 or b.ndim == 0:
        raise ValueError("a matrix product takes vectors and matrices, not single numbers")
    left = a[np.newaxis] if a.ndim == 1 else a
    right = b[:, np.newaxis] if b.ndim == 1 else b
    if left.shape[-1] != right.shape[-2]:
        raise ValueError(
            f"matrices of shape {a.shape} and {b.shape} have no product: the last axis of the "
            "first must be as long as the second to last of the other"
        )
    with np.errstate(all="ignore"):
        terms = (
            left[..., :, k, np.newaxis] * right[..., np.newaxis, k, :]
            for k in range(left.shape[-1])
        )
        first = next(terms, None)
        if first is None:
            batch = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
            total: npt.NDArray[Any] = np.zeros((*batch, left.shape[-2], right.shape[-1]))
        else:
            total = first
            for term in terms:
                total = total + term
    if a.ndim == 1:
        total = total[..., 0, :]
    if b.ndim == 1:
        total = total[..., 0]
    return total
