"""Exponentials, logarithms, and functions made of them."""

from __future__ import annotations

from typing import Any

import mpmath
from mpmath import mpf

from support import operands
from support.formulas import (
    INFINITE,
    PHI,
    always,
    by_tag,
    has_phi,
    log,
    mul,
    recip,
    rounded,
    sech2,
    sign_of,
)
from support.op_case import (
    DROP,
    MASK,
    ONE,
    ONE_ULP,
    SAT,
    SAT_DROP,
    ZERO,
    Accuracy,
    BadPoint,
    OpCase,
    Pole,
    Rounding,
    Slope,
    phi_at,
)
from support.values import INF, NAN

LOG = OpCase(
    name="log",
    value=log,
    rounding=ONE_ULP,
    partials=lambda a: (1 / a,),
    slope=Slope.STEEP,
    pole=Pole(always, lambda bound, a: (recip(a, bound),)),
    accuracy=Accuracy(mpmath.log, 0.70, operands.positives),
    bad_points=(phi_at(0.0), phi_at(-1.0), BadPoint((INF,), INF, [MASK], [SAT])),
)

EXP = OpCase(
    name="exp",
    value=by_tag(lambda a: rounded(mpmath.exp(a)), pinf=INF, ninf=0.0),
    rounding=ONE_ULP,
    partials=lambda a: (mpmath.exp(a),),
    slope=Slope.STEEP,
    pole=None,
    accuracy=Accuracy(mpmath.exp, 0.78, operands.exponents),
    bad_points=(
        BadPoint((-INF,), 0.0, [ZERO], [ZERO]),
        BadPoint((INF,), INF, [MASK], [DROP]),
        BadPoint((800.0,), INF, [MASK], [DROP]),
    ),
)

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
    bad_points=(phi_at(NAN), BadPoint((-INF,), -1.0, [ZERO], [ZERO])),
)


def _xlogy(a: float, b: float) -> float:
    if a == 0 and not has_phi(b) and b >= 0:
        return 0.0
    return mul(a, log(b))


def _log_or_pole(b: Any) -> Any:
    return mpmath.log(b) if b else -INFINITE


XLOGY = OpCase(
    name="xlogy",
    value=_xlogy,
    # of a logarithm and a product
    rounding=Rounding(2, None, None),
    partials=lambda a, b: (_log_or_pole(b), a / b if a else mpf(0)),
    slope=Slope.STEEP,
    pole=Pole(always, lambda bound, a, b: (_log_or_pole(b), a * recip(b, bound))),
    # The error of log, at most doubled by the product, and its rounding.
    accuracy=Accuracy(lambda a, b: a * mpmath.log(b), 1.9, operands.with_positives),
    bad_points=(
        BadPoint((0.0, 0.0), 0.0, [DROP, ZERO], [SAT_DROP, SAT]),
        BadPoint((0.0, INF), 0.0, [DROP, ZERO], [SAT_DROP, SAT]),
        phi_at(0.0, -1.0),
        phi_at(2.0, 0.0),
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
    bad_points=(BadPoint((-INF,), -1.0, [ZERO], [ZERO]), BadPoint((INF,), INF, [MASK], [DROP])),
)

LOG1P = OpCase(
    name="log1p",
    value=by_tag(
        lambda a: a if a == 0 else rounded(mpmath.log1p(a)) if a > -1 else PHI,
        pinf=INF,
        ninf=PHI,
    ),
    rounding=ONE_ULP,
    partials=lambda a: (1 / (1 + a),),
    slope=Slope.STEEP,
    pole=Pole(always, lambda bound, a: (recip(1 + a, bound),)),
    accuracy=Accuracy(mpmath.log1p, 0.6, operands.above_minus_one),
    bad_points=(phi_at(-1.0), BadPoint((INF,), INF, [MASK], [SAT])),
)

SIGMOID = OpCase(
    name="sigmoid",
    value=by_tag(lambda a: rounded(1 / (1 + mpmath.exp(-mpf(a)))), pinf=1.0, ninf=0.0),
    rounding=ONE_ULP,
    partials=lambda a: (sech2(a / 2) / 4,),
    slope=Slope.MODERATE,
    pole=None,
    accuracy=Accuracy(lambda a: 1 / (1 + mpmath.exp(-a)), 0.75, operands.far_exponents),
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
    bad_points=(BadPoint((-INF,), 0.0, [ZERO], [ZERO]), BadPoint((INF,), INF, [MASK], [ONE])),
)
