"""Exponentials, logarithms, and functions made of them."""

from __future__ import annotations

from typing import Any

import mpmath
from mpmath import mpf

from support import operands
from support.formulas import (
    by_tag,
    rounded,
    sech2,
)
from support.op_case import (
    DROP,
    HALF,
    MASK,
    ONE,
    ONE_ULP,
    ZERO,
    Accuracy,
    BadPoint,
    OpCase,
    Slope,
    at,
)
from support.operands import LARGEST, OVERFLOW, UNDERFLOW
from support.values import INF

EXP = OpCase(
    name="exp",
    value=by_tag(lambda a: rounded(mpmath.exp(a)), pinf=INF, ninf=0.0),
    rounding=ONE_ULP,
    partials=lambda a: (mpmath.exp(a),),
    slope=Slope.STEEP,
    pole=None,
    accuracy=Accuracy(mpmath.exp, 0.78, operands.exponents),
    landmarks=at(0.0, OVERFLOW, -708.3964185322641, UNDERFLOW),
    bad_points=(
        BadPoint((-INF,), 0.0, [ZERO], [ZERO]),
        BadPoint((INF,), INF, [MASK], [DROP]),
        BadPoint((800.0,), INF, [MASK], [DROP]),
    ),
)

EXPM1 = OpCase(
    name="expm1",
    value=by_tag(
        lambda a: a if a == 0 else -1.0 if a < -100 else rounded(mpmath.expm1(a)),
        pinf=INF,
        ninf=-1.0,
    ),
    rounding=ONE_ULP,
    partials=lambda a: (mpmath.exp(a),),
    slope=Slope.STEEP,
    pole=None,
    accuracy=Accuracy(mpmath.expm1, 0.6, operands.far_exponents),
    landmarks=at(0.0, 1.0, -37.4, OVERFLOW, UNDERFLOW),
    bad_points=(BadPoint((-INF,), -1.0, [ZERO], [ZERO]), BadPoint((INF,), INF, [MASK], [DROP])),
)

SIGMOID = OpCase(
    name="sigmoid",
    value=by_tag(lambda a: rounded(1 / (1 + mpmath.exp(-mpf(a)))), pinf=1.0, ninf=0.0),
    rounding=ONE_ULP,
    partials=lambda a: (sech2(a / 2) / 4,),
    slope=Slope.MODERATE,
    pole=None,
    accuracy=Accuracy(lambda a: 1 / (1 + mpmath.exp(-a)), 0.75, operands.far_exponents),
    landmarks=at(0.0, -37.0, 37.0, -708.4, 745.1),
    bad_points=(BadPoint((-INF,), 0.0, [ZERO], [ZERO]), BadPoint((INF,), 1.0, [ZERO], [ZERO])),
)

SOFTPLUS = OpCase(
    name="softplus",
    value=by_tag(lambda a: rounded(mpmath.log1p(mpmath.exp(a))), pinf=INF, ninf=0.0),
    rounding=ONE_ULP,
    partials=lambda a: (1 / (1 + mpmath.exp(-a)),),
    slope=Slope.MODERATE,
    pole=None,
    accuracy=Accuracy(lambda a: mpmath.log1p(mpmath.exp(a)), 0.75, operands.far_exponents),
    landmarks=at(0.0, 37.0, -37.0, -600.0, -745.1, LARGEST),
    bad_points=(BadPoint((-INF,), 0.0, [ZERO], [ZERO]), BadPoint((INF,), INF, [MASK], [ONE])),
)


def _log_sigmoid(a: Any) -> Any:
    return -mpmath.log1p(mpmath.exp(-mpf(a)))


LOG_SIGMOID = OpCase(
    name="log_sigmoid",
    value=by_tag(lambda a: rounded(_log_sigmoid(a)), pinf=0.0, ninf=-INF),
    rounding=ONE_ULP,
    partials=lambda a: (1 / (1 + mpmath.exp(a)),),
    slope=Slope.MODERATE,
    pole=None,
    accuracy=Accuracy(_log_sigmoid, 0.77, operands.far_exponents),
    landmarks=at(0.0, -37.0, 37.0, 600.0, 708.4, 745.1, -LARGEST, LARGEST),
    bad_points=(BadPoint((-INF,), -INF, [MASK], [ONE]), BadPoint((INF,), 0.0, [ZERO], [ZERO])),
)


def _exprel(a: Any) -> Any:
    if a == 0:
        return mpf(1)
    return -1 / mpf(a) if a < -800 else mpmath.expm1(a) / a


def _exprel_slope(a: Any) -> Any:
    """(eᵃ·(a − 1) + 1)/a², near 0 by the first terms of its series."""
    if abs(a) < 1e-8:
        return mpf(1) / 2 + mpf(a) / 3 + mpf(a) ** 2 / 8 + mpf(a) ** 3 / 30
    return (mpmath.exp(a) * (a - 1) + 1) / a**2


EXPREL = OpCase(
    name="exprel",
    value=by_tag(lambda a: rounded(_exprel(a)), pinf=INF, ninf=0.0),
    rounding=ONE_ULP,
    partials=lambda a: (_exprel_slope(a),),
    slope=Slope.STEEP,
    pole=None,
    accuracy=Accuracy(_exprel, 0.59, operands.relative_exponents),
    # eᵃ overflows before the value does; to the left a² overflows.
    landmarks=at(0.0, 1.0, -37.0, 709.78, 716.35, 716.358, -745.0, -1e154, -LARGEST),
    bad_points=(
        BadPoint((0.0,), 1.0, [HALF], [HALF]),
        BadPoint((-0.0,), 1.0, [HALF], [HALF]),
        BadPoint((-INF,), 0.0, [ZERO], [ZERO]),
        BadPoint((INF,), INF, [MASK], [DROP]),
    ),
)
