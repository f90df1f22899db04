"""NumPy's universal functions by the rules of transreal values, on arrays of doubles."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _ops
from ._arrays import Array
from ._elementwise import elementwise
from ._enums import ReductionMode
from ._folds import is_true
from ._native import TracedCondition, Tracer, TRNode, TRScalar
from .bridge import from_ieee, to_ieee

__all__ = ["Unknown", "call", "operand_of"]

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


def _minimum_of_numbers(a: Any, b: Any) -> Any:
    return _ops.tr_min([a, b], ReductionMode.DROP_NULL)


def _maximum_of_numbers(a: Any, b: Any) -> Any:
    return _ops.tr_max([a, b], ReductionMode.DROP_NULL)


def _logaddexp(a: Any, b: Any) -> Any:
    return _ops.tr_logsumexp([a, b])


def _reciprocal(a: Any) -> Any:
    return _ops.tr_div(1.0, a)


def _exp2(a: Any) -> Any:
    return _ops.tr_pow(2.0, a)


def _trunc(a: Any) -> Any:
    return _ops.tr_copysign(_ops.tr_floor(_ops.tr_abs(a)), a)


#: These are one IEEE operation each, so NumPy's own loops give the bits of the engine.
IEEE: dict[np.ufunc, Callable[..., Any]] = {
    np.add: _ops.tr_add,
    np.subtract: _ops.tr_sub,
    np.multiply: _ops.tr_mul,
    np.divide: _ops.tr_div,
    np.negative: _ops.tr_neg,
    np.positive: operator.pos,
    np.absolute: _ops.tr_abs,
    np.fabs: _ops.tr_abs,
    np.sqrt: _ops.tr_sqrt,
}

#: These are computed by the engine.
ENGINE: dict[np.ufunc, Callable[..., Any]] = {
    np.float_power: _ops.tr_pow,
    np.square: _ops.tr_square,
    np.reciprocal: _reciprocal,
    np.sign: _ops.tr_sign,
    np.remainder: _ops.tr_remainder,
    np.exp: _ops.tr_exp,
    np.exp2: _exp2,
    np.expm1: _ops.tr_expm1,
    np.log: _ops.tr_log,
    np.log1p: _ops.tr_log1p,
    np.log2: _ops.tr_log2,
    np.log10: _ops.tr_log10,
    np.logaddexp: _logaddexp,
    np.cbrt: _ops.tr_cbrt,
    np.hypot: _ops.tr_hypot,
    np.sin: _ops.tr_sin,
    np.cos: _ops.tr_cos,
    np.tan: _ops.tr_tan,
    np.arcsin: _ops.tr_asin,
    np.arccos: _ops.tr_acos,
    np.arctan: _ops.tr_atan,
    np.arctan2: _ops.tr_atan2,
    np.sinh: _ops.tr_sinh,
    np.cosh: _ops.tr_cosh,
    np.tanh: _ops.tr_tanh,
    np.arcsinh: _ops.tr_asinh,
    np.arccosh: _ops.tr_acosh,
    np.arctanh: _ops.tr_atanh,
    np.floor: _ops.tr_floor,
    np.ceil: _ops.tr_ceil,
    np.trunc: _trunc,
    np.rint: _ops.tr_round,
    np.copysign: _ops.tr_copysign,
    np.minimum: _ops.tr_minimum,
    np.maximum: _ops.tr_maximum,
    np.fmin: _minimum_of_numbers,
    np.fmax: _maximum_of_numbers,
}

#: Of two numbers each; ``!=`` of doubles is not that of tags.
COMPARISONS: dict[np.ufunc, Callable[[Any, Any], Any]] = {
    np.less: operator.lt,
    np.less_equal: operator.le,
    np.greater: operator.gt,
    np.greater_equal: operator.ge,
    np.equal: operator.eq,
    np.not_equal: operator.ne,
}

#: Questions to the doubles, whose class is the tag.
CLASSES = {np.isnan, np.isinf, np.isfinite, np.signbit}

LOGICAL = {np.logical_and, np.logical_or, np.logical_xor, np.logical_not}


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
    if ufunc in ENGINE:
        if records:
            return _over_objects(ENGINE[ufunc], operands)
        return elementwise(ENGINE[ufunc], *operands)
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
