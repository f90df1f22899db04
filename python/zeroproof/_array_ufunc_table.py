"""What stands for NumPy's universal functions in arrays of transreal values."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from . import _ops
from ._enums import ReductionMode
from ._native import tr_equal, tr_where

__all__ = ["CLASSES", "COMPARISONS", "ENGINE", "IEEE", "LOGICAL", "SPECIAL"]


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


def _heaviside(a: Any, at_zero: Any) -> Any:
    step = _ops.tr_div(_ops.tr_add(_ops.tr_sign(a), 1.0), 2.0)
    return tr_where(tr_equal(a, 0.0), at_zero, step)


def _radians(a: Any) -> Any:
    return _ops.tr_mul(a, math.pi / 180.0)


def _degrees(a: Any) -> Any:
    return _ops.tr_mul(a, 180.0 / math.pi)


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
    np.conjugate: operator.pos,
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
    np.heaviside: _heaviside,
    np.deg2rad: _radians,
    np.radians: _radians,
    np.rad2deg: _degrees,
    np.degrees: _degrees,
}

#: Functions of ``scipy.special``, if that is imported, which are universal functions too.
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
