"""The functions that stand for NumPy's universal functions, and the methods made of them."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from . import _ops
from ._enums import ReductionMode
from ._native import (
    Tracer,
    TRNode,
    TRScalar,
    tr_and,
    tr_equal,
    tr_greater,
    tr_greater_equal,
    tr_is_infinite,
    tr_is_phi,
    tr_is_real,
    tr_less,
    tr_less_equal,
    tr_not,
    tr_or,
    tr_where,
)
from .core import tr_clip

__all__ = ["ADVICE", "FUNCTIONS", "METHODS", "NUMBERS", "OPERATORS", "SPECIAL", "boxed", "stored"]

#: The classes of operands.
NUMBERS = (TRNode, TRScalar, Tracer)


def boxed(operand: Any) -> Any:
    """An operand as NumPy's loops over objects take it."""
    if isinstance(operand, (np.ndarray, list, tuple)):
        return operand
    box = np.empty((), dtype=object)
    box[()] = operand
    return box


def stored(name: str, result: Any, outputs: tuple[Any, ...]) -> Any:
    """The result of a function, put into an array that was given as ``out=``."""
    (target,) = outputs
    holds = {np.dtype(object)}
    if isinstance(result, np.bool_) or getattr(result, "dtype", None) == np.dtype(bool):
        holds.add(np.dtype(bool))
    if not isinstance(target, np.ndarray) or target.dtype not in holds:
        raise TypeError(
            f"np.{name} of nodes has results that only an array of dtype=object holds: give one "
            "as out=, or write a = a + x for a += x"
        )
    target[...] = boxed(result)
    return target


def _by_elements(function: Callable[..., Any], *operands: Any) -> Any:
    """A function of numbers, also of arrays, lists and tuples of them."""
    if any(isinstance(operand, (np.ndarray, list, tuple)) for operand in operands):
        return np.frompyfunc(function, len(operands), 1)(*map(boxed, operands))
    return function(*operands)


def _itself(a: Any, /) -> Any:
    """The operand."""
    return a


def _power(a: Any, b: Any, /) -> Any:
    # The operator tells an int exponent from others. NumPy numbers would come back here.
    if isinstance(a, (list, tuple)):
        return np.array(a, dtype=object) ** b
    if isinstance(a, NUMBERS):
        return a ** (np.array(b, dtype=object) if isinstance(b, (list, tuple)) else b)
    return _ops.tr_pow(a, b)


def _exp2(a: Any, /) -> Any:
    """2ᵃ, as ``tr_pow`` has it."""
    return _ops.tr_pow(2.0, a)


def _logaddexp(a: Any, b: Any, /) -> Any:
    return _by_elements(lambda a, b: _ops.tr_logsumexp([a, b]), a, b)


def _reciprocal(a: Any, /) -> Any:
    return _ops.tr_div(1.0, a)


def _radians(a: Any, /) -> Any:
    """The angle ``a`` degrees in radians, a × (π ÷ 180)."""
    return _ops.tr_mul(a, math.pi / 180.0)


def _degrees(a: Any, /) -> Any:
    """The angle ``a`` radians in degrees, a × (180 ÷ π)."""
    return _ops.tr_mul(a, 180.0 / math.pi)


def _trunc(a: Any, /) -> Any:
    """The integer next to ``a`` towards 0; gradient 0."""
    return _ops.tr_copysign(_ops.tr_floor(_ops.tr_abs(a)), a)


def _fmax(a: Any, b: Any, /) -> Any:
    return _by_elements(lambda a, b: _ops.tr_max([a, b], ReductionMode.DROP_NULL), a, b)


def _fmin(a: Any, b: Any, /) -> Any:
    return _by_elements(lambda a, b: _ops.tr_min([a, b], ReductionMode.DROP_NULL), a, b)


def _heaviside(a: Any, at_zero: Any, /) -> Any:
    step = _ops.tr_div(_ops.tr_add(_ops.tr_sign(a), 1.0), 2.0)
    return tr_where(tr_equal(a, 0.0), at_zero, step)


def _not_equal(a: Any, b: Any, /) -> Any:
    return tr_not(tr_equal(a, b))


def _signbit(a: Any, /) -> Any:
    return tr_less(_ops.tr_copysign(1.0, a), 0.0)


def _xor(a: Any, b: Any, /) -> Any:
    return tr_or(tr_and(a, tr_not(b)), tr_and(tr_not(a), b))


#: By name of a universal function of NumPy, the function that stands for it.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add": _ops.tr_add,
    "subtract": _ops.tr_sub,
    "multiply": _ops.tr_mul,
    "divide": _ops.tr_div,
    "remainder": _ops.tr_remainder,
    "power": _power,
    "float_power": _ops.tr_pow,
    "negative": _ops.tr_neg,
    "positive": _itself,
    "conjugate": _itself,
    "absolute": _ops.tr_abs,
    "fabs": _ops.tr_abs,
    "sign": _ops.tr_sign,
    "copysign": _ops.tr_copysign,
    "heaviside": _heaviside,
    "reciprocal": _reciprocal,
    "square": _ops.tr_square,
    "sqrt": _ops.tr_sqrt,
    "cbrt": _ops.tr_cbrt,
    "hypot": _ops.tr_hypot,
    "exp": _ops.tr_exp,
    "exp2": _exp2,
    "expm1": _ops.tr_expm1,
    "log": _ops.tr_log,
    "log2": _ops.tr_log2,
    "log10": _ops.tr_log10,
    "log1p": _ops.tr_log1p,
    "logaddexp": _logaddexp,
    "sin": _ops.tr_sin,
    "cos": _ops.tr_cos,
    "tan": _ops.tr_tan,
    "arcsin": _ops.tr_asin,
    "arccos": _ops.tr_acos,
    "arctan": _ops.tr_atan,
    "arctan2": _ops.tr_atan2,
    "sinh": _ops.tr_sinh,
    "cosh": _ops.tr_cosh,
    "tanh": _ops.tr_tanh,
    "arcsinh": _ops.tr_asinh,
    "arccosh": _ops.tr_acosh,
    "arctanh": _ops.tr_atanh,
    "deg2rad": _radians,
    "radians": _radians,
    "rad2deg": _degrees,
    "degrees": _degrees,
    "floor": _ops.tr_floor,
    "ceil": _ops.tr_ceil,
    "rint": _ops.tr_round,
    "trunc": _trunc,
    "maximum": _ops.tr_maximum,
    "minimum": _ops.tr_minimum,
    "fmax": _fmax,
    "fmin": _fmin,
    "clip": tr_clip,
    "equal": tr_equal,
    "not_equal": _not_equal,
    "less": tr_less,
    "less_equal": tr_less_equal,
    "greater": tr_greater,
    "greater_equal": tr_greater_equal,
    "isfinite": tr_is_real,
    "isinf": tr_is_infinite,
    "isnan": tr_is_phi,
    "signbit": _signbit,
    "logical_and": tr_and,
    "logical_or": tr_or,
    "logical_xor": _xor,
    "logical_not": tr_not,
    "bitwise_and": tr_and,
    "bitwise_or": tr_or,
    "bitwise_xor": _xor,
    "invert": tr_not,
}

#: The operators that NumPy calls some of them for, by their names in the module ``operator``.
OPERATORS = {
    "add": "add",
    "subtract": "sub",
    "multiply": "mul",
    "divide": "truediv",
    "remainder": "mod",
    "power": "pow",
    "equal": "eq",
    "not_equal": "ne",
    "less": "lt",
    "less_equal": "le",
    "greater": "gt",
    "greater_equal": "ge",
}

#: Functions of ``scipy.special``, which are universal functions too.
SPECIAL: dict[str, Callable[..., Any]] = {
    "cbrt": _ops.tr_cbrt,
    "erf": _ops.tr_erf,
    "erfc": _ops.tr_erfc,
    "exp2": _exp2,
    "expit": _ops.tr_sigmoid,
    "expm1": _ops.tr_expm1,
    "exprel": _ops.tr_exprel,
    "log1p": _ops.tr_log1p,
    "log_expit": _ops.tr_log_sigmoid,
    "log_ndtr": _ops.tr_log_ndtr,
    "xlogy": _ops.tr_xlogy,
}

#: What to use for functions that have no counterpart.
ADVICE = {
    "divmod": "use tr_remainder(a, b) for the remainder, and tr_floor(a / b) for the quotient",
    "floor_divide": "use tr_floor(a / b), which rounds the quotient first",
    "fmod": "use tr_remainder(a, b), whose sign is that of b",
    "frexp": "use tr_log2 and tr_floor",
    "ldexp": "multiply by a power of 2",
    "logaddexp2": "use tr_logsumexp, for natural logarithms",
    "matmul": "multiply by a single number with *, or tr_mul",
    "modf": "use np.trunc(x) and x - np.trunc(x)",
}


def _clip(a: Any, /, min: Any = None, max: Any = None, out: Any = None) -> Any:
    """``tr_clip(a, min, max)``, which ``np.clip`` calls."""
    result = a if min is None and max is None else tr_clip(a, min, max)
    return result if out is None else stored("clip", result, (out,))


def _round(a: Any, /, decimals: int = 0, out: Any = None) -> Any:
    """``tr_round(a)``, or that of so many decimals, which ``np.round`` calls; gradient 0."""
    places = operator.index(decimals)
    scale = 10.0 ** abs(places)
    if places == 0:
        result = _ops.tr_round(a)
    elif places > 0:
        result = _ops.tr_div(_ops.tr_round(_ops.tr_mul(a, scale)), scale)
    else:
        result = _ops.tr_mul(_ops.tr_round(_ops.tr_div(a, scale)), scale)
    return result if out is None else stored("round", result, (out,))


#: The methods that NumPy looks for in the elements of arrays of objects, and their like.
METHODS: dict[str, Callable[..., Any]] = {
    "clip": _clip,
    "round": _round,
    **{
        name: FUNCTIONS[name]
        for name in (
            *("sin", "cos", "tan", "arcsin", "arccos", "arctan", "arctan2", "hypot"),
            *("sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh"),
            *("deg2rad", "radians", "rad2deg", "degrees"),
            *("exp", "exp2", "expm1", "log", "log2", "log10", "log1p"),
            *("sqrt", "cbrt", "square", "fabs", "conjugate"),
            *("floor", "ceil", "rint", "trunc"),
        )
    },
}
