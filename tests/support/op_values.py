"""The values of every op, written from the tables of the contract and from nothing else.

Values are doubles that stand for TR values (NaN is Φ). Arithmetic cells that the tables call REAL
are Python's correctly rounded float operations; elementary functions come from mpmath.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import mpmath

DIGITS = 40
INF = math.inf
PHI = math.nan
LARGEST = 1.7976931348623157e308


def in_many_digits(value: Callable[..., float]) -> Callable[..., float]:
    """The function with a working precision at which one rounding is left."""

    @functools.wraps(value)
    def careful(*operands: float) -> float:
        with mpmath.workdps(DIGITS):
            return value(*operands)

    return careful


def tag(x: float) -> str:
    """The class of a double."""
    if math.isfinite(x):
        return "REAL"
    return "PHI" if math.isnan(x) else "PINF" if x > 0 else "NINF"


def _sign(x: float) -> float:
    """±1 by the sign bit."""
    return math.copysign(1.0, x)


_ADD = {
    ("REAL", "PINF"): INF, ("REAL", "NINF"): -INF, ("REAL", "PHI"): PHI,
    ("PINF", "REAL"): INF, ("PINF", "PINF"): INF, ("PINF", "NINF"): PHI, ("PINF", "PHI"): PHI,
    ("NINF", "REAL"): -INF, ("NINF", "PINF"): PHI, ("NINF", "NINF"): -INF, ("NINF", "PHI"): PHI,
    ("PHI", "REAL"): PHI, ("PHI", "PINF"): PHI, ("PHI", "NINF"): PHI, ("PHI", "PHI"): PHI,
}  # fmt: skip


def add(a: float, b: float) -> float:
    cell = _ADD.get((tag(a), tag(b)))
    return a + b if cell is None else cell


def sub(a: float, b: float) -> float:
    return add(a, neg(b))


def mul(a: float, b: float) -> float:
    if "PHI" in (tag(a), tag(b)):
        return PHI
    if tag(a) == tag(b) == "REAL":
        return a * b
    return PHI if a == 0 or b == 0 else _sign(a) * _sign(b) * INF


def div(a: float, b: float) -> float:
    if "PHI" in (tag(a), tag(b)):
        return PHI
    sign = _sign(a) * _sign(b)
    if tag(b) != "REAL":
        return sign * 0.0 if tag(a) == "REAL" else PHI
    if b == 0:
        return PHI if a == 0 else sign * INF
    return a / b if tag(a) == "REAL" else sign * INF


def minimum(a: float, b: float) -> float:
    return PHI if "PHI" in (tag(a), tag(b)) else b if b < a else a


def maximum(a: float, b: float) -> float:
    return PHI if "PHI" in (tag(a), tag(b)) else b if b > a else a


def neg(a: float) -> float:
    return -a


def abs_(a: float) -> float:
    return math.fabs(a)


def sign(a: float) -> float:
    return PHI if tag(a) == "PHI" else 0.0 if a == 0 else _sign(a)


def log(a: float) -> float:
    if tag(a) == "PINF":
        return INF
    return rounded(mpmath.log(a)) if tag(a) == "REAL" and a > 0 else PHI


def sqrt(a: float) -> float:
    if tag(a) == "PINF":
        return INF
    return math.sqrt(a) if tag(a) == "REAL" and a >= 0 else PHI


def exp(a: float) -> float:
    if tag(a) == "REAL":
        return rounded(mpmath.exp(a))
    return {"PINF": INF, "NINF": 0.0, "PHI": PHI}[tag(a)]


def sin(a: float) -> float:
    return a if a == 0 else rounded(mpmath.sin(a)) if tag(a) == "REAL" else PHI


def cos(a: float) -> float:
    return rounded(mpmath.cos(a)) if tag(a) == "REAL" else PHI


def tanh(a: float) -> float:
    if tag(a) == "REAL":
        # Past 40 the value rounds to ±1, and mpmath would carry the digits of 1 − 2e^(−2a).
        return a if a == 0 else _sign(a) if abs(a) > 40 else rounded(mpmath.tanh(a))
    return {"PINF": 1.0, "NINF": -1.0, "PHI": PHI}[tag(a)]


def pow_int(x: float, n: int) -> float:
    if n == 0:
        return 1.0 if tag(x) == "REAL" and x != 0 else PHI
    if n < 0:
        return div(1.0, pow_int(x, -n))
    result, base = 1.0, x
    while n:
        if n & 1:
            result = mul(result, base)
        base = mul(base, base)
        n >>= 1
    return result


def sinc(a: float) -> float:
    if tag(a) != "REAL":
        return PHI if tag(a) == "PHI" else 0.0
    return rounded(mpmath.sincpi(a))


def hypot(a: float, b: float) -> float:
    if "PHI" in (tag(a), tag(b)):
        return PHI
    return rounded(mpmath.hypot(a, b)) if tag(a) == tag(b) == "REAL" else INF


def atan2(a: float, b: float) -> float:
    if "PHI" in (tag(a), tag(b)) or (a == 0 and b == 0):
        return PHI
    if tag(a) == tag(b) == "REAL":
        return math.atan2(a, b) if a == 0 else rounded(mpmath.atan2(a, b))
    return math.atan2(a, b) if "REAL" in (tag(a), tag(b)) else PHI


def xlogy(a: float, b: float) -> float:
    if a == 0 and tag(b) != "PHI" and b >= 0:
        return 0.0
    return mul(a, log(b))


def expm1(a: float) -> float:
    if tag(a) == "REAL":
        return a if a == 0 else -1.0 if a < -100 else rounded(mpmath.expm1(a))
    return {"PINF": INF, "NINF": -1.0, "PHI": PHI}[tag(a)]


def log1p(a: float) -> float:
    if tag(a) == "REAL" and a > -1:
        return a if a == 0 else rounded(mpmath.log1p(a))
    return INF if tag(a) == "PINF" else PHI


def asin(a: float) -> float:
    return a if a == 0 else rounded(mpmath.asin(a)) if abs(a) <= 1 else PHI


def acos(a: float) -> float:
    return rounded(mpmath.acos(a)) if abs(a) <= 1 else PHI


def tan(a: float) -> float:
    return a if a == 0 else rounded(mpmath.tan(a)) if tag(a) == "REAL" else PHI


def sigmoid(a: float) -> float:
    if tag(a) == "REAL":
        return rounded(1 / (1 + mpmath.exp(-mpmath.mpf(a))))
    return {"PINF": 1.0, "NINF": 0.0, "PHI": PHI}[tag(a)]


def softplus(a: float) -> float:
    if tag(a) == "REAL":
        return rounded(mpmath.log1p(mpmath.exp(a)))
    return {"PINF": INF, "NINF": 0.0, "PHI": PHI}[tag(a)]


def pow_(a: float, b: float) -> float:
    """Row by row: the exponent's kind, then the base's."""
    if "PHI" in (tag(a), tag(b)):
        return PHI
    if tag(b) != "REAL":
        if a < 0 or a == 1:
            return PHI
        return INF if (a > 1) == (tag(b) == "PINF") else 0.0
    is_integer, is_odd = b == math.floor(b), math.fmod(b, 2.0) in (1.0, -1.0)
    if b == 0:
        return 1.0 if tag(a) == "REAL" and a != 0 else PHI
    if a < 0 and not is_integer:
        return PHI
    sign = _sign(a) if is_odd else 1.0
    if a == 0 or tag(a) != "REAL":
        return sign * (0.0 if (a == 0) == (b > 0) else INF)
    return sign * rounded(mpmath.power(abs(a), b))


def rounded(x: mpmath.mpf) -> float:
    """The nearest double of a high-precision number, ±∞ past the range."""
    return float(x)


_VALUE = {
    "add": add, "sub": sub, "mul": mul, "div": div, "minimum": minimum, "maximum": maximum,
    "neg": neg, "abs": abs_, "sign": sign, "log": log, "sqrt": sqrt, "exp": exp, "sin": sin,
    "cos": cos, "tanh": tanh, "pow_int": pow_int, "sinc": sinc, "hypot": hypot, "atan2": atan2,
    "xlogy": xlogy, "expm1": expm1, "log1p": log1p, "pow": pow_, "asin": asin, "acos": acos,
    "tan": tan, "sigmoid": sigmoid, "softplus": softplus,
}  # fmt: skip
VALUE = {name: in_many_digits(value) for name, value in _VALUE.items()}

#: Elementary functions are allowed an ulp; this one is a logarithm and a product.
ULPS = {**dict.fromkeys(VALUE, 1.0), "xlogy": 2.0}

#: Ops whose value the contract pins to the bit; the others are within an ulp of the reference.
CORRECTLY_ROUNDED = {
    "add", "sub", "mul", "div", "minimum", "maximum", "neg", "abs", "sign", "sqrt", "pow_int",
}  # fmt: skip
