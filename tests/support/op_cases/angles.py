"""Trigonometric functions and their inverses."""

from __future__ import annotations

import math
from typing import Any

import mpmath
from mpmath import mpf

from support import operands
from support.formulas import PHI, always, arc, are_real, by_tag, has_phi, over, recip, rounded
from support.gradients import EXACT, SATURATED
from support.op_case import (
    DROP,
    ONE_ULP,
    SAT,
    ZERO,
    Accuracy,
    BadPoint,
    OpCase,
    Pole,
    Slope,
    phi_at,
)
from support.values import INF

HALF_PI = 1.5707963267948966

SIN = OpCase(
    name="sin",
    value=by_tag(lambda a: a if a == 0 else rounded(mpmath.sin(a)), pinf=PHI, ninf=PHI),
    rounding=ONE_ULP,
    partials=lambda a: (mpmath.cos(a),),
    slope=Slope.MODERATE,
    pole=None,
    accuracy=Accuracy(mpmath.sin, 0.75, operands.angles),
    bad_points=(phi_at(INF),),
)

COS = OpCase(
    name="cos",
    value=by_tag(lambda a: rounded(mpmath.cos(a)), pinf=PHI, ninf=PHI),
    rounding=ONE_ULP,
    partials=lambda a: (-mpmath.sin(a),),
    slope=Slope.MODERATE,
    pole=None,
    accuracy=Accuracy(mpmath.cos, 0.75, operands.angles),
    bad_points=(phi_at(-INF),),
)


def _sinc_slope(x: Any) -> Any:
    """(cos πx − sinc x)/x, near 0 by the first terms of its series."""
    if abs(x) > 1e-12:
        return (mpmath.cospi(x) - mpmath.sincpi(x)) / x
    square = (mpmath.pi * x) ** 2
    return -(mpmath.pi**2) * x * (1 - square / 10) / 3


SINC = OpCase(
    name="sinc",
    value=by_tag(lambda a: rounded(mpmath.sincpi(a)), pinf=0.0, ninf=0.0),
    rounding=ONE_ULP,
    partials=lambda a: (_sinc_slope(a),),
    slope=Slope.STEEP,
    pole=None,
    accuracy=Accuracy(mpmath.sincpi, 0.7, operands.half_turns),
    bad_points=(
        BadPoint((0.0,), 1.0, [ZERO], [ZERO]),
        BadPoint((-0.0,), 1.0, [ZERO], [ZERO]),
        BadPoint((3.0,), 0.0, [(-1.0 / 3.0, EXACT)], [(-1.0 / 3.0, EXACT)]),
        BadPoint((-INF,), 0.0, [ZERO], [ZERO]),
    ),
)


def _atan2(a: float, b: float) -> float:
    if has_phi(a, b) or (a == 0 and b == 0):
        return PHI
    if are_real(a, b):
        return math.atan2(a, b) if a == 0 else rounded(mpmath.atan2(a, b))
    return math.atan2(a, b) if are_real(a) or are_real(b) else PHI


def _atan2_bounded(bound: Any, a: Any, b: Any) -> tuple[Any, Any]:
    square = a**2 + b**2 + mpf(bound) ** 2
    return b / square, -a / square


ATAN2 = OpCase(
    name="atan2",
    value=_atan2,
    rounding=ONE_ULP,
    partials=lambda a, b: (b / (a**2 + b**2), -a / (a**2 + b**2)),
    slope=Slope.STEEP,
    pole=Pole(always, _atan2_bounded),
    accuracy=Accuracy(mpmath.atan2, 0.7, operands.pairs),
    bad_points=(
        phi_at(0.0, 0.0),
        phi_at(INF, -INF),
        BadPoint((1.0, INF), 0.0, [ZERO, ZERO], [SAT, SAT]),
    ),
)

ASIN = OpCase(
    name="asin",
    value=lambda a: a if a == 0 else rounded(mpmath.asin(a)) if abs(a) <= 1 else PHI,
    rounding=ONE_ULP,
    partials=lambda a: (over(1, arc(a)),),
    slope=Slope.STEEP,
    pole=Pole(always, lambda bound, a: (recip(arc(a), bound),)),
    accuracy=Accuracy(mpmath.asin, 0.6, operands.sines),
    bad_points=(
        BadPoint((1.0,), HALF_PI, [DROP], [SAT]),
        BadPoint((-1.0,), -HALF_PI, [DROP], [SAT]),
        phi_at(1.5),
    ),
)

ACOS = OpCase(
    name="acos",
    value=lambda a: rounded(mpmath.acos(a)) if abs(a) <= 1 else PHI,
    rounding=ONE_ULP,
    partials=lambda a: (over(-1, arc(a)),),
    slope=Slope.STEEP,
    pole=Pole(always, lambda bound, a: (-recip(arc(a), bound),)),
    accuracy=Accuracy(mpmath.acos, 0.6, operands.sines),
    bad_points=(BadPoint((-1.0,), math.pi, [DROP], [SAT]), phi_at(INF)),
)

TAN = OpCase(
    name="tan",
    value=by_tag(lambda a: a if a == 0 else rounded(mpmath.tan(a)), pinf=PHI, ninf=PHI),
    rounding=ONE_ULP,
    partials=lambda a: (1 / mpmath.cos(a) ** 2,),
    slope=Slope.STEEP,
    pole=Pole(always, lambda bound, a: (1 / (mpmath.cos(a) ** 2 + mpf(bound) ** 2),)),
    accuracy=Accuracy(mpmath.tan, 0.6, operands.angles),
    bad_points=(
        # No double is a pole; this one is the closest to the first.
        BadPoint(
            (HALF_PI,),
            1.633123935319537e16,
            [(1.0 / math.cos(HALF_PI) ** 2, EXACT)],
            [(1.0, SATURATED)],
        ),
        phi_at(INF),
    ),
)
