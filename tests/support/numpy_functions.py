"""NumPy's universal functions by name, each with what it is of nodes, TR scalars and tracers."""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

import zeroproof as zp
from zeroproof import ReductionMode

try:
    umath: Any = import_module("numpy._core.umath")
except ModuleNotFoundError:
    umath = import_module("numpy.core.umath")

#: All of them but those on strings and NumPy's own.
ALL = sorted(
    name
    for name, found in vars(umath).items()
    if isinstance(found, np.ufunc)
    and not name.startswith("_")
    and any(set(types) & set("dO?") for types in found.types)
)

#: One operation, for these; its function has the same bits.
UNARY: dict[str, Callable[[Any], Any]] = {
    "absolute": zp.tr_abs,
    "arccos": zp.tr_acos,
    "arccosh": zp.tr_acosh,
    "arcsin": zp.tr_asin,
    "arcsinh": zp.tr_asinh,
    "arctan": zp.tr_atan,
    "arctanh": zp.tr_atanh,
    "cbrt": zp.tr_cbrt,
    "ceil": zp.tr_ceil,
    "conjugate": lambda x: x,
    "cos": zp.tr_cos,
    "cosh": zp.tr_cosh,
    "deg2rad": lambda x: x * (math.pi / 180.0),
    "degrees": lambda x: x * (180.0 / math.pi),
    "exp": zp.tr_exp,
    "exp2": lambda x: zp.tr_pow(2.0, x),
    "expm1": zp.tr_expm1,
    "fabs": zp.tr_abs,
    "floor": zp.tr_floor,
    "log": zp.tr_log,
    "log10": zp.tr_log10,
    "log1p": zp.tr_log1p,
    "log2": zp.tr_log2,
    "negative": zp.tr_neg,
    "positive": lambda x: x,
    "rad2deg": lambda x: x * (180.0 / math.pi),
    "radians": lambda x: x * (math.pi / 180.0),
    "reciprocal": lambda x: 1.0 / x,
    "rint": zp.tr_round,
    "sign": zp.tr_sign,
    "sin": zp.tr_sin,
    "sinh": zp.tr_sinh,
    "sqrt": zp.tr_sqrt,
    "square": zp.tr_square,
    "tan": zp.tr_tan,
    "tanh": zp.tr_tanh,
    "trunc": lambda x: zp.tr_copysign(zp.tr_floor(zp.tr_abs(x)), x),
}
BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "add": zp.tr_add,
    "arctan2": zp.tr_atan2,
    "copysign": zp.tr_copysign,
    "divide": zp.tr_div,
    "float_power": zp.tr_pow,
    "fmax": lambda a, b: zp.tr_max([a, b], ReductionMode.DROP_NULL),
    "fmin": lambda a, b: zp.tr_min([a, b], ReductionMode.DROP_NULL),
    "heaviside": lambda a, b: zp.tr_where(zp.tr_equal(a, 0.0), b, (zp.tr_sign(a) + 1.0) / 2.0),
    "hypot": zp.tr_hypot,
    "logaddexp": lambda a, b: zp.tr_logsumexp([a, b]),
    "maximum": zp.tr_maximum,
    "minimum": zp.tr_minimum,
    "multiply": zp.tr_mul,
    "power": zp.tr_pow,
    "remainder": zp.tr_remainder,
    "subtract": zp.tr_sub,
}
#: Conditions on numbers.
CLASSES: dict[str, Callable[[Any], Any]] = {
    "isfinite": zp.tr_is_real,
    "isinf": zp.tr_is_infinite,
    "isnan": zp.tr_is_phi,
    "signbit": lambda a: zp.tr_less(zp.tr_copysign(1.0, a), 0.0),
}
COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "equal": zp.tr_equal,
    "greater": zp.tr_greater,
    "greater_equal": zp.tr_greater_equal,
    "less": zp.tr_less,
    "less_equal": zp.tr_less_equal,
    "not_equal": lambda a, b: zp.tr_not(zp.tr_equal(a, b)),
}
#: Conditions on conditions.
LOGIC: dict[str, Callable[..., Any]] = {
    "bitwise_and": zp.tr_and,
    "bitwise_or": zp.tr_or,
    "bitwise_xor": lambda a, b: zp.tr_or(zp.tr_and(a, zp.tr_not(b)), zp.tr_and(zp.tr_not(a), b)),
    "invert": zp.tr_not,
    "logical_and": zp.tr_and,
    "logical_not": zp.tr_not,
    "logical_or": zp.tr_or,
    "logical_xor": lambda a, b: zp.tr_or(zp.tr_and(a, zp.tr_not(b)), zp.tr_and(zp.tr_not(a), b)),
}
KNOWN = {*UNARY, *BINARY, *CLASSES, *COMPARISONS, *LOGIC, "clip"}
#: The others, but for second names.
REFUSED = [name for name in ALL if vars(umath)[name] not in [vars(umath)[k] for k in KNOWN]]


def of(name: str) -> Any:
    """The function of NumPy."""
    return getattr(umath, name)
