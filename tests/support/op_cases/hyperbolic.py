"""Hyperbolic functions and their inverses."""

from __future__ import annotations

from typing import Any

import mpmath
from mpmath import mpf

from support import operands
from support.formulas import (
    PHI,
    always,
    by_tag,
    over,
    recip,
    rounded,
    sech2,
    sign_of,
)
from support.op_case import (
    DROP,
    MASK,
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

TANH = OpCase(
    name="tanh",
    # Past 40 the value rounds to ±1, and mpmath would carry the digits of 1 − 2e^(−2a).
    value=by_tag(
        lambda a: a if a == 0 else sign_of(a) if abs(a) > 40 else rounded(mpmath.tanh(a)),
        pinf=1.0,
        ninf=-1.0,
    ),
    rounding=ONE_ULP,
    partials=lambda a: (sech2(a),),
    slope=Slope.MODERATE,
    pole=None,
    accuracy=Accuracy(mpmath.tanh, 0.58, operands.hyperbolic),
    landmarks=at(0.0, 0.5, 19.061547465398498, -354.2, -372.6),
    bad_points=(phi_at(NAN), BadPoint((-INF,), -1.0, [ZERO], [ZERO])),
)

#: Where sinh and cosh overflow.
OVERFLOW = 710.4758600739439

SINH = OpCase(
    name="sinh",
    value=by_tag(lambda a: a if a == 0 else rounded(mpmath.sinh(a)), pinf=INF, ninf=-INF),
    rounding=ONE_ULP,
    partials=lambda a: (mpmath.cosh(a),),
    slope=Slope.STEEP,
    pole=None,
    accuracy=Accuracy(mpmath.sinh, 0.57, operands.growing),
    landmarks=at(0.0, 1.0, OVERFLOW, -OVERFLOW),
    bad_points=(
        BadPoint((INF,), INF, [MASK], [DROP]),
        BadPoint((-INF,), -INF, [MASK], [DROP]),
        BadPoint((-800.0,), -INF, [MASK], [DROP]),
    ),
)

COSH = OpCase(
    name="cosh",
    value=by_tag(lambda a: rounded(mpmath.cosh(a)), pinf=INF, ninf=INF),
    rounding=ONE_ULP,
    partials=lambda a: (mpmath.sinh(a),),
    slope=Slope.STEEP,
    pole=None,
    accuracy=Accuracy(mpmath.cosh, 0.53, operands.growing),
    landmarks=at(0.0, 1.0, OVERFLOW, -OVERFLOW),
    bad_points=(
        BadPoint((0.0,), 1.0, [ZERO], [ZERO]),
        BadPoint((-INF,), INF, [MASK], [DROP]),
        BadPoint((800.0,), INF, [MASK], [DROP]),
    ),
)

ASINH = OpCase(
    name="asinh",
    value=by_tag(lambda a: a if a == 0 else rounded(mpmath.asinh(a)), pinf=INF, ninf=-INF),
    rounding=ONE_ULP,
    partials=lambda a: (1 / mpmath.sqrt(1 + mpf(a) ** 2),),
    slope=Slope.MODERATE,
    pole=None,
    accuracy=Accuracy(mpmath.asinh, 0.66, operands.numbers),
    landmarks=at(0.0, 1.0, -1.0, 1e154, -LARGEST),
    bad_points=(phi_at(NAN), BadPoint((-INF,), -INF, [MASK], [ZERO])),
)


def _acosh(a: Any) -> Any:
    """ln(a + √(a² − 1)) by the distance from 1, so that nothing cancels."""
    rest = mpf(a) - 1
    return mpmath.log1p(rest + mpmath.sqrt(rest * (rest + 2)))


def _rise(a: Any) -> Any:
    """√(a² − 1)."""
    return mpmath.sqrt((mpf(a) - 1) * (mpf(a) + 1))


ACOSH = OpCase(
    name="acosh",
    value=by_tag(lambda a: rounded(_acosh(a)) if a >= 1 else PHI, pinf=INF, ninf=PHI),
    rounding=ONE_ULP,
    partials=lambda a: (over(1, _rise(a)),),
    slope=Slope.STEEP,
    pole=Pole(always, lambda bound, a: (recip(_rise(a), bound),)),
    accuracy=Accuracy(_acosh, 0.68, operands.above_one),
    landmarks=at(1.0, 2.0, 2.0**28, 1e154, LARGEST),
    bad_points=(
        BadPoint((1.0,), 0.0, [DROP], [SAT]),
        phi_at(0.5),
        phi_at(-INF),
        BadPoint((INF,), INF, [MASK], [SAT]),
    ),
)


def _gap(a: Any) -> Any:
    """1 − a²."""
    return (1 - mpf(a)) * (1 + mpf(a))


ATANH = OpCase(
    name="atanh",
    value=lambda a: a if a == 0 else rounded(mpmath.atanh(a)) if abs(a) < 1 else PHI,
    rounding=ONE_ULP,
    partials=lambda a: (1 / _gap(a),),
    slope=Slope.STEEP,
    pole=Pole(always, lambda bound, a: (recip(_gap(a), bound),)),
    accuracy=Accuracy(mpmath.atanh, 0.55, operands.sines),
    landmarks=at(0.0, 0.5, 1.0, -1.0),
    bad_points=(phi_at(1.0), phi_at(-1.0), phi_at(1.5), phi_at(INF), phi_at(-INF)),
)
