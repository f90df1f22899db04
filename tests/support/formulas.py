"""What the entries of ``op_cases`` have in common: tags, rounding, and formulas in mpmath."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
from mpmath import mpf

INF, PHI = math.inf, math.nan
INFINITE = mpf("inf")


def tag(x: float) -> str:
    """The class of a double."""
    if math.isfinite(x):
        return "REAL"
    return "PHI" if math.isnan(x) else "PINF" if x > 0 else "NINF"


def has_phi(*values: float) -> bool:
    """Whether one of them is Φ."""
    return any(math.isnan(x) for x in values)


def are_real(*values: float) -> bool:
    """Whether all of them are REAL."""
    return all(math.isfinite(x) for x in values)


def sign_of(x: float) -> float:
    """±1 by the sign bit."""
    return math.copysign(1.0, x)


def rounded(x: Any) -> float:
    """The nearest double of a number in many digits, ±∞ past the range."""
    return float(x)


def always(*_: float) -> bool:
    """For ops that are singular whatever the operands."""
    return True


def by_tag(real: Callable[[float], float], pinf: float, ninf: float) -> Callable[..., float]:
    """A function by the tag of its operand; Φ stays Φ."""

    def value(a: float) -> float:
        return real(a) if are_real(a) else {"PINF": pinf, "NINF": ninf, "PHI": PHI}[tag(a)]

    return value


def over(a: Any, b: Any) -> Any:
    """``a/b``, and +∞ at a pole."""
    return mpf(a) / b if b else INFINITE


def recip(y: Any, bound: Any) -> Any:
    """The bounded reciprocal ``sign(y)/√(y² + b²)``."""
    return mpmath.sign(y) / mpmath.sqrt(mpf(y) ** 2 + mpf(bound) ** 2)


def sech2(x: Any) -> Any:
    """1/cosh² x, which mpmath computes without cancelling."""
    e = mpmath.exp(-2 * abs(x))
    return 4 * e / (1 + e) ** 2


def arc(x: Any) -> Any:
    """√(1 − x²)."""
    return mpmath.sqrt((1 - x) * (1 + x))


def length(*values: Any) -> Any:
    """√Σx²."""
    return mpmath.sqrt(mpmath.fsum(values, squared=True))


def direction(*values: Any) -> tuple[Any, ...]:
    """x/√Σx² of each, 0 at the origin."""
    size = length(*values)
    return tuple(mpf(x) / size if size else mpf(0) for x in values)


def shares(*wins: bool) -> tuple[Any, ...]:
    """Equal parts for those that win."""
    return tuple(mpf(int(each)) / sum(wins) for each in wins)


_ADD = {
    ("REAL", "PINF"): INF, ("REAL", "NINF"): -INF, ("REAL", "PHI"): PHI,
    ("PINF", "REAL"): INF, ("PINF", "PINF"): INF, ("PINF", "NINF"): PHI, ("PINF", "PHI"): PHI,
    ("NINF", "REAL"): -INF, ("NINF", "PINF"): PHI, ("NINF", "NINF"): -INF, ("NINF", "PHI"): PHI,
    ("PHI", "REAL"): PHI, ("PHI", "PINF"): PHI, ("PHI", "NINF"): PHI, ("PHI", "PHI"): PHI,
}  # fmt: skip


def add(a: float, b: float) -> float:
    """The table of +."""
    cell = _ADD.get((tag(a), tag(b)))
    return a + b if cell is None else cell


def mul(a: float, b: float) -> float:
    """The table of ×."""
    if has_phi(a, b):
        return PHI
    if are_real(a, b):
        return a * b
    return PHI if a == 0 or b == 0 else sign_of(a) * sign_of(b) * INF


def div(a: float, b: float) -> float:
    """The table of ÷."""
    if has_phi(a, b):
        return PHI
    sign = sign_of(a) * sign_of(b)
    if not are_real(b):
        return sign * 0.0 if are_real(a) else PHI
    if b == 0:
        return PHI if a == 0 else sign * INF
    return a / b if are_real(a) else sign * INF


def pow_int(x: float, n: float) -> float:
    """The table of pow_int: by squaring, low bit first."""
    bits = int(n)
    if bits == 0:
        return 1.0 if are_real(x) and x != 0 else PHI
    if bits < 0:
        return div(1.0, pow_int(x, -bits))
    result, base = 1.0, x
    while bits:
        if bits & 1:
            result = mul(result, base)
        base = mul(base, base)
        bits >>= 1
    return result


def log(a: float) -> float:
    """The table of log."""
    if tag(a) == "PINF":
        return INF
    return rounded(mpmath.log(a)) if are_real(a) and a > 0 else PHI


def norm(*values: float) -> float:
    """√Σx², +∞ beside an infinite value."""
    if has_phi(*values):
        return PHI
    return rounded(length(*values)) if are_real(*values) else INF
