"""Logarithms, which have a pole where their argument is 0."""

from __future__ import annotations

import math
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
)
from support.op_case import (
    DROP,
    MASK,
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
    at,
    phi_at,
)
from support.operands import LARGEST, SMALLEST_NORMAL
from support.values import INF

LOG = OpCase(
    name="log",
    value=log,
    rounding=ONE_ULP,
    partials=lambda a: (1 / a,),
    slope=Slope.STEEP,
    pole=Pole(always, lambda bound, a: (recip(a, bound),)),
    accuracy=Accuracy(mpmath.log, 0.70, operands.positives),
    landmarks=at(1.0, 5e-324, SMALLEST_NORMAL, LARGEST),
    bad_points=(phi_at(0.0), phi_at(-1.0), BadPoint((INF,), INF, [MASK], [SAT])),
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
    landmarks=at(0.0, -1.0, LARGEST),
    bad_points=(phi_at(-1.0), BadPoint((INF,), INF, [MASK], [SAT])),
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
    rounding=Rounding(2, None),
    partials=lambda a, b: (_log_or_pole(b), a / b if a else mpf(0)),
    slope=Slope.STEEP,
    pole=Pole(always, lambda bound, a, b: (_log_or_pole(b), a * recip(b, bound))),
    # The error of log, at most doubled by the product, and its rounding.
    accuracy=Accuracy(lambda a, b: a * mpmath.log(b), 1.9, operands.with_positives),
    landmarks=((0.0, 1.0), (0.0, 0.0), (1.0, 1.0), (-2.0, 5e-324), (1e300, LARGEST)),
    bad_points=(
        BadPoint((0.0, 0.0), 0.0, [DROP, ZERO], [SAT_DROP, SAT]),
        BadPoint((0.0, INF), 0.0, [DROP, ZERO], [SAT_DROP, SAT]),
        phi_at(0.0, -1.0),
        phi_at(2.0, 0.0),
    ),
)


def _log2(a: Any) -> Any:
    return mpmath.log(a) / mpmath.ln2


def _log10(a: Any) -> Any:
    return mpmath.log(a) / mpmath.ln10


LOG2 = OpCase(
    name="log2",
    value=by_tag(lambda a: rounded(_log2(a)) if a > 0 else PHI, pinf=INF, ninf=PHI),
    rounding=ONE_ULP,
    partials=lambda a: (1 / (a * mpmath.ln2),),
    slope=Slope.STEEP,
    pole=Pole(always, lambda bound, a: (recip(a * mpmath.ln2, bound),)),
    accuracy=Accuracy(_log2, 0.75, operands.positives),
    landmarks=at(1.0, 2.0, 0.5, 5e-324, SMALLEST_NORMAL, LARGEST),
    bad_points=(phi_at(0.0), phi_at(-0.0), phi_at(-1.0), BadPoint((INF,), INF, [MASK], [SAT])),
)

LOG10 = OpCase(
    name="log10",
    value=by_tag(lambda a: rounded(_log10(a)) if a > 0 else PHI, pinf=INF, ninf=PHI),
    rounding=ONE_ULP,
    partials=lambda a: (1 / (a * mpmath.ln10),),
    slope=Slope.STEEP,
    pole=Pole(always, lambda bound, a: (recip(a * mpmath.ln10, bound),)),
    accuracy=Accuracy(_log10, 0.65, operands.positives),
    landmarks=at(1.0, 10.0, 0.1, 1e22, 5e-324, SMALLEST_NORMAL, LARGEST),
    bad_points=(phi_at(0.0), phi_at(-0.0), phi_at(-1.0), BadPoint((INF,), INF, [MASK], [SAT])),
)


def _log1prel(a: Any) -> Any:
    return mpmath.log1p(a) / a if a else mpf(1)


def _log1prel_slope(a: Any) -> Any:
    """(a/(1 + a) − ln(1 + a))/a², near 0 by the first terms of its series."""
    if abs(a) < 1e-12:
        return mpmath.fsum(k * (-mpf(a)) ** (k - 1) / -(k + 1) for k in range(1, 9))
    return (a / (1 + a) - mpmath.log1p(a)) / a**2


def _log1prel_bounded(bound: Any, a: Any) -> Any:
    """m·recip(1 + a), m = (a − (1 + a)·ln(1 + a))/a², near 0 by the first terms of its series."""
    if abs(a) < 1e-12:
        m = mpmath.fsum((-mpf(a)) ** (k - 2) / -(k * (k - 1)) for k in range(2, 10))
    else:
        m = (a - (1 + a) * mpmath.log1p(a)) / a**2
    return m * recip(1 + a, bound)


LOG1PREL = OpCase(
    name="log1prel",
    value=by_tag(lambda a: rounded(_log1prel(a)) if a > -1 else PHI, pinf=0.0, ninf=PHI),
    rounding=ONE_ULP,
    partials=lambda a: (_log1prel_slope(a),),
    slope=Slope.STEEP,
    pole=Pole(always, lambda bound, a: (_log1prel_bounded(bound, a),)),
    accuracy=Accuracy(_log1prel, 0.67, operands.above_minus_one),
    # ln(1 + a) = 1 at e − 1, and a² overflows from 10¹⁵⁴ on.
    landmarks=at(0.0, -1.0, math.e - 1, 1e154, LARGEST),
    bad_points=(phi_at(-1.0), phi_at(-2.0), BadPoint((INF,), 0.0, [ZERO], [SAT])),
)
