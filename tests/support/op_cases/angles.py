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
    at,
    phi_at,
)
from support.operands import LARGEST
from support.values import INF, NAN

HALF_PI = 1.5707963267948966

SIN = OpCase(
    name="sin",
    value=by_tag(lambda a: a if a == 0 else rounded(mpmath.sin(a)), pinf=PHI, ninf=PHI),
    rounding=ONE_ULP,
    partials=lambda a: (mpmath.cos(a),),
    slope=Slope.MODERATE,
    pole=None,
    accuracy=Accuracy(mpmath.sin, 0.75, operands.angles),
    landmarks=at(0.0, HALF_PI, math.pi, 100 * math.pi, 1e22),
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
    landmarks=at(0.0, HALF_PI, math.pi, 100 * math.pi, 1e22),
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
    landmarks=at(0.0, 0.5, 1.0, -2.0, 1.4302966531242027, -2.4590240325, 318309.8861837907),
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
    landmarks=((0.0, 0.0), (0.0, 1.0), (0.0, -1.0), (1.0, 0.0), (1.0, 1.0), (LARGEST, 5e-324)),
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
    landmarks=at(0.0, 0.5, 1.0, -1.0),
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
    landmarks=at(0.0, -0.5, 1.0, -1.0),
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
    landmarks=at(0.0, HALF_PI, math.pi, -201 * HALF_PI, 1e22),
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


ATAN = OpCase(
    name="atan",
    value=by_tag(lambda a: a if a == 0 else rounded(mpmath.atan(a)), pinf=HALF_PI, ninf=-HALF_PI),
    rounding=ONE_ULP,
    partials=lambda a: (1 / (1 + mpf(a) ** 2),),
    slope=Slope.MODERATE,
    pole=None,
    accuracy=Accuracy(mpmath.atan, 0.79, operands.numbers),
    # a² overflows from 1.3·10¹⁵⁴ on.
    landmarks=at(0.0, 1.0, -1.0, 1.3407807929942596e154, -LARGEST),
    bad_points=(
        phi_at(NAN),
        BadPoint((INF,), HALF_PI, [ZERO], [ZERO]),
        BadPoint((-INF,), -HALF_PI, [ZERO], [ZERO]),
    ),
)


def _cosc(a: Any) -> Any:
    """½·(sin ½a ÷ ½a)², which does not cancel."""
    half = mpf(a) / 2
    return (mpmath.sin(half) / half) ** 2 / 2 if a else mpf(1) / 2


def _cosc_slope(a: Any) -> Any:
    """(a·sin a + 2·cos a − 2)/a³ by half angles, near 0 by the first terms of its series."""
    if abs(a) < 1e-8:
        return -mpf(a) / 12 + mpf(a) ** 3 / 180
    half = mpf(a) / 2
    return 2 * mpmath.sin(half) * (a * mpmath.cos(half) - 2 * mpmath.sin(half)) / mpf(a) ** 3


COSC = OpCase(
    name="cosc",
    value=by_tag(lambda a: rounded(_cosc(a)), pinf=0.0, ninf=0.0),
    rounding=ONE_ULP,
    partials=lambda a: (_cosc_slope(a),),
    slope=Slope.MODERATE,
    pole=None,
    accuracy=Accuracy(_cosc, 0.75, operands.angles),
    # Value and slope vanish at multiples of 2π, the slope also where tan ½a = ½a.
    landmarks=at(
        *(0.0, math.pi, 2 * math.pi, -4 * math.pi, 628318.5307179586),
        *(8.986818915818128, 15.450503673875414, -21.808243318857798),
        *(1e22, 1e154, LARGEST),
    ),
    bad_points=(
        BadPoint((0.0,), 0.5, [ZERO], [ZERO]),
        BadPoint((-0.0,), 0.5, [ZERO], [ZERO]),
        BadPoint((INF,), 0.0, [ZERO], [ZERO]),
        BadPoint((-INF,), 0.0, [ZERO], [ZERO]),
    ),
)
