"""Second partials of an op, made from its first partials: by differences in many digits.

A few ops have formulas instead: where an entry is too small beside a partial, and where differences
take thousands of digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Optional

import mpmath
from mpmath import mpf

from support.op_case import OpCase

#: The digits of a step, and those wanted besides.
STEP, WANTED = 30, 60

#: Ops whose partials are constant between their kinks and jumps, where they do not count.
STRAIGHT = frozenset(
    (
        *("add", "sub", "neg", "sum", "mean", "unit", "floor", "ceil", "round", "remainder"),
        *("abs", "sign", "minimum", "maximum", "clip_min", "clip_max", "copysign", "max", "min"),
    )
)

Matrix = list[list[Any]]


def _norm(*xs: Any) -> Matrix:
    size = mpmath.sqrt(mpmath.fsum(xs, squared=True))
    places = range(len(xs))
    if size == 0:
        return [[mpf(0)] * len(xs) for _ in places]
    rest = [mpmath.fsum((xs[k] for k in places if k != i), squared=True) for i in places]
    return [[(rest[i] if i == j else -xs[i] * xs[j]) / size**3 for j in places] for i in places]


def _logsumexp(*xs: Any) -> Matrix:
    largest, places = max(xs), range(len(xs))
    powers = [mpmath.exp(x - largest) for x in xs]
    weights = [power / mpmath.fsum(powers) for power in powers]
    rest = [mpmath.fsum(weights[k] for k in places if k != i) for i in places]
    return [[weights[i] * (rest[i] if i == j else -weights[j]) for j in places] for i in places]


def _prod(*xs: Any) -> Matrix:
    places = range(len(xs))
    others = [
        [mpmath.fprod(xs[k] for k in places if k not in (i, j)) for j in places] for i in places
    ]
    return [[mpf(0) if i == j else others[i][j] for j in places] for i in places]


def _atan2(y: Any, x: Any, bound: Any) -> Matrix:
    """Of ``x/h²`` and ``−y/h²``, ``h² = x² + y² + bound²``."""
    power = (x**2 + y**2 + bound**2) ** 2
    mixed = [y**2 - x**2 + sign * bound**2 for sign in (1, -1)]
    return [[-2 * x * y / power, mixed[0] / power], [mixed[1] / power, 2 * x * y / power]]


def _bounded(y: Any, bound: Any) -> tuple[Any, Any]:
    """``1/√(y² + bound²)`` of y > 0 and its derivative."""
    square = y**2 + bound**2
    return 1 / mpmath.sqrt(square), -y / square ** mpf(1.5)


def _pow(a: Any, b: Any, bound: Any) -> Matrix:
    """Of ``b·aᵇ⁻¹`` and ``aᵇ·ln a``, a > 0; with a bound, the powers below 1 are bounded."""
    log = mpmath.log(a)
    if not bound or b >= 1:
        slope = a ** (b - 1)
        mixed = slope * (1 + b * log)
        return [[b * (b - 1) * a ** (b - 2), mixed], [mixed, a**b * log**2]]
    # The first is b ÷ y, or 1 ÷ (y/b) for b > 0.
    y = a ** (1 - b)
    size, part = (mpf(1), b) if b < 0 else (b, mpf(1))
    value, slope = _bounded(y / size, bound)
    by_a = part * slope * (1 - b) * a**-b / size
    by_b = (value if b < 0 else 0) - part * slope * (y / size) * (log + (0 if b < 0 else 1 / b))
    if b > 0:
        return [[by_a, by_b], [a ** (b - 1) * (1 + b * log), a**b * log**2]]
    value, slope = _bounded(a**-b, bound)
    return [
        [by_a, by_b],
        [value / a - log * slope * b * a ** (-b - 1), -(log**2) * slope * a**-b],
    ]


def _xlogy(a: Any, b: Any, bound: Any) -> Matrix:
    """Of ``ln b`` and ``a/b``, b > 0."""
    value, slope = _bounded(b, bound)
    return [[mpf(0), 1 / b], [value, a * slope]]


#: By operands and bound, which is 0 where there is none.
_EXPLICIT: dict[str, Callable[..., Matrix]] = {
    "norm": lambda *xs: _norm(*xs[:-1]),
    "hypot": lambda *xs: _norm(*xs[:-1]),
    "logsumexp": lambda *xs: _logsumexp(*xs[:-1]),
    "prod": lambda *xs: _prod(*xs[:-1]),
    "atan2": _atan2,
    "pow": _pow,
    "xlogy": _xlogy,
}
#: The powers of operands are added there, of any size; elsewhere nothing cancels by many digits.
_ADDS_POWERS = ("norm", "hypot", "atan2")


def explicit_names() -> list[str]:
    """The ops with formulas of their own."""
    return list(_EXPLICIT)


def _is_edge(case: OpCase, operands: tuple[float, ...]) -> bool:
    """Whether partials end or jump here, or an infinite slope begins."""
    a = operands[0]
    at_edge = {
        "sqrt": a == 0,
        "cbrt": a == 0,
        "asin": abs(a) == 1,
        "acos": abs(a) == 1,
        "acosh": a == 1,
        "pow": a <= 0,
        "xlogy": operands[-1] == 0,
        "div": operands[-1] == 0,
        "pow_int": a == 0 and operands[-1] < 0,
        "atan2": a == 0 and operands[-1] == 0,
    }
    return at_edge.get(case.name, False)


def second_partials(
    case: OpCase, operands: tuple[float, ...], bound: Optional[float] = None
) -> Optional[Matrix]:
    """``∂pᵢ/∂xⱼ``, classical or bounded; None at an edge of the domain, or where it takes long."""
    count = 1 if case.arity == "power" else len(operands)
    if case.name in STRAIGHT:
        return [[mpf(0)] * count for _ in range(count)]
    if _is_edge(case, operands):
        return None
    if case.name in _EXPLICIT:
        digits = int(4 * _spread(operands, bound)) if case.name in _ADDS_POWERS else 0
        with mpmath.workdps(2 * WANTED + digits):
            return _EXPLICIT[case.name](*map(mpf, operands), mpf(bound or 0))
    return by_differences(case, operands, bound)


def _spread(numbers: tuple[float, ...], bound: Optional[float]) -> float:
    """The largest decimal exponent, of either sign."""
    sizes = (abs(x) for x in (*numbers, bound or 0.0) if x)
    return max((abs(math.log10(size)) for size in sizes), default=0.0)


def by_differences(
    case: OpCase, operands: tuple[float, ...], bound: Optional[float] = None
) -> Optional[Matrix]:
    """The same by differences of the first partials, which take long for some ops."""
    count = 1 if case.arity == "power" else len(operands)
    sizes = [abs(x) for x in (*operands[:count], bound or 0.0) if x]
    # A partial that is close to its limit, by so many digits.
    saturated = 0.45 * min(max(sizes, default=0.0), 1600.0)
    exponent = abs(operands[1]) if case.name in ("pow", "pow_int") else 0.0
    if bound is not None and exponent and operands[0]:
        saturated += 2 * (1 + exponent) * abs(math.log10(abs(operands[0])))
    if saturated > 20_000:
        return None  # too many
    spread = _spread(operands[:count], bound)
    with mpmath.workdps(2 * STEP + 2 * WANTED + int(4 * spread + saturated)):
        numbers = [mpf(x) for x in operands]

        def partials(*xs: Any) -> tuple[Any, ...]:
            if bound is None:
                return case.partials(*xs)
            assert case.pole is not None
            return case.pole.bounded(bound, *xs)

        matrix: Matrix = [[None] * count for _ in range(count)]
        for j in range(count):
            x = numbers[j]
            scale = min([mpf(1), abs(x)] if x else [mpf(1), *map(mpf, sizes)])
            step = scale * mpf(10) ** -STEP / max(1, exponent)
            above, below = (partials(*numbers[:j], x + h, *numbers[j + 1 :]) for h in (step, -step))
            for i in range(count):
                matrix[i][j] = (above[i] - below[i]) / (2 * step)
        return matrix
