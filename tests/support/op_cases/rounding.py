"""Rounding to integers, and the remainder of a division."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from mpmath import mpf

from support.formulas import (
    PHI,
    are_real,
    by_tag,
    has_phi,
)
from support.gradients import EXACT
from support.op_case import (
    BITS,
    MASK,
    ONE,
    ZERO,
    BadPoint,
    OpCase,
    Slope,
    at,
    phi_at,
)
from support.operands import LARGEST
from support.values import INF, NAN


def _to_integer(rounding: Callable[[float], int]) -> Callable[..., float]:
    """A zero keeps the sign of the operand."""
    return by_tag(lambda a: math.copysign(float(rounding(a)), a), pinf=INF, ninf=-INF)


FLOOR = OpCase(
    name="floor",
    value=_to_integer(math.floor),
    rounding=BITS,
    partials=lambda a: (mpf(0),),
    slope=Slope.FLAT,
    pole=None,
    accuracy=None,
    landmarks=at(0.0, 1.0, -1.0, 2.0**52, -LARGEST),
    bad_points=(
        phi_at(NAN),
        BadPoint((1.0,), 1.0, [ZERO], [ZERO]),
        BadPoint((-0.0,), -0.0, [ZERO], [ZERO]),
        BadPoint((-0.5,), -1.0, [ZERO], [ZERO]),
        BadPoint((INF,), INF, [MASK], [ZERO]),
    ),
)

CEIL = OpCase(
    name="ceil",
    value=_to_integer(math.ceil),
    rounding=BITS,
    partials=lambda a: (mpf(0),),
    slope=Slope.FLAT,
    pole=None,
    accuracy=None,
    landmarks=at(0.0, 1.0, -1.0, 2.0**52, -LARGEST),
    bad_points=(
        phi_at(NAN),
        BadPoint((1.0,), 1.0, [ZERO], [ZERO]),
        BadPoint((-0.5,), -0.0, [ZERO], [ZERO]),
        BadPoint((-INF,), -INF, [MASK], [ZERO]),
    ),
)

ROUND = OpCase(
    name="round",
    value=_to_integer(round),
    rounding=BITS,
    partials=lambda a: (mpf(0),),
    slope=Slope.FLAT,
    pole=None,
    accuracy=None,
    landmarks=at(0.0, 0.5, -1.5, 2.5, 2.0**51 + 0.5, 2.0**52 + 1, -LARGEST),
    bad_points=(
        phi_at(NAN),
        BadPoint((0.5,), 0.0, [ZERO], [ZERO]),
        BadPoint((1.5,), 2.0, [ZERO], [ZERO]),
        BadPoint((2.5,), 2.0, [ZERO], [ZERO]),
        BadPoint((-0.5,), -0.0, [ZERO], [ZERO]),
        BadPoint((INF,), INF, [MASK], [ZERO]),
    ),
)


def _remainder(a: float, b: float) -> float:
    return PHI if has_phi(a, b) or b == 0 or not are_real(a) else a % b


def _floor_quotient(a: Any, b: Any) -> Any:
    """⌊a/b⌋ of the exact quotient."""
    return mpf(Fraction(float(a)) // Fraction(float(b)))


REMAINDER = OpCase(
    name="remainder",
    value=_remainder,
    rounding=BITS,
    partials=lambda a, b: (mpf(1), -_floor_quotient(a, b)),
    slope=Slope.STEEP,
    pole=None,
    accuracy=None,
    landmarks=(
        (0.0, 1.0),
        (3.0, 1.0),
        (-3.0, 2.0),
        (0.3, 0.1),
        (1.0, -1e-300),
        (2.0**53, 3.0),
        (-LARGEST, 5e-324),
    ),
    bad_points=(
        phi_at(1.0, 0.0),
        phi_at(1.0, -0.0),
        phi_at(INF, 1.0),
        phi_at(INF, INF),
        BadPoint((6.0, 2.0), 0.0, [ONE, (-3.0, EXACT)], [ONE, (-3.0, EXACT)]),
        BadPoint((6.0, -2.0), -0.0, [ONE, (3.0, EXACT)], [ONE, (3.0, EXACT)]),
        BadPoint((-0.5, 2.0), 1.5, [ONE, ONE], [ONE, ONE]),
        BadPoint((1.0, INF), 1.0, [ONE, ZERO], [ONE, ZERO]),
        BadPoint((-1.0, INF), INF, [MASK, MASK], [ONE, ONE]),
    ),
)
