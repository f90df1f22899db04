"""Second partials of an op, made from its first partials: by differences in many digits."""

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


def _atan2(y: Any, x: Any, bound: Any = 0) -> Matrix:
    """Of ``x/h²`` and ``−y/h²``, ``h² = x² + y² + bound²``."""
    power = (x**2 + y**2 + bound**2) ** 2
    mixed = [y**2 - x**2 + sign * bound**2 for sign in (1, -1)]
    return [[-2 * x * y / power, mixed[0] / power], [mixed[1] / power, 2 * x * y / power]]


#: Entries that are sums of terms without sign, and too small beside a partial for differences.
_EXPLICIT: dict[str, Callable[..., Matrix]] = {
    "norm": _norm,
    "hypot": _norm,
    "logsumexp": _logsumexp,
    "prod": _prod,
}


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
    sizes = [abs(x) for x in (*operands[:count], bound or 0.0) if x]
    spread = max((abs(math.log10(size)) for size in sizes), default=0.0)
    # A partial that is close to its limit, by so many digits.
    saturated = 0.45 * min(max(sizes, default=0.0), 1600.0)
    exponent = abs(operands[1]) if case.name in ("pow", "pow_int") else 0.0
    if bound is not None and exponent and operands[0]:
        saturated += 2 * (1 + exponent) * abs(math.log10(abs(operands[0])))
    if saturated > 20_000:
        return None  # too many
    with mpmath.workdps(2 * STEP + 2 * WANTED + int(4 * spread + saturated)):
        numbers = [mpf(x) for x in operands]
        if case.name in _EXPLICIT:
            return _EXPLICIT[case.name](*numbers)
        if case.name == "atan2":
            return _atan2(*numbers, mpf(bound or 0))

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
