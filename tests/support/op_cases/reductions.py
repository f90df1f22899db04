"""Reductions over the values that they keep."""

from __future__ import annotations

import functools
from typing import Any

import mpmath
from mpmath import mpf

from support.formulas import PHI, add, direction, div, has_phi, mul, norm, rounded, shares
from support.gradients import EXACT
from support.op_case import (
    BITS,
    DROP,
    HALF,
    MASK,
    ONE,
    ONE_ULP,
    ZERO,
    BadPoint,
    OpCase,
    Rounding,
    Slope,
    phi_at,
)
from support.operands import LARGEST
from support.values import INF, NAN


def _sum(*values: float) -> float:
    return functools.reduce(add, values) if values else 0.0


SUM = OpCase(
    name="sum",
    value=_sum,
    rounding=BITS,
    partials=lambda *xs: (mpf(1),) * len(xs),
    slope=Slope.MODERATE,
    pole=None,
    accuracy=None,
    landmarks=((1.0,), (0.0, 0.0), (1.0, -1.0, 1.0)),
    bad_points=(phi_at(INF, -INF), BadPoint((1.0, INF), INF, [MASK, MASK], [ONE, ONE])),
)

MEAN = OpCase(
    name="mean",
    value=lambda *xs: div(_sum(*xs), float(len(xs))),
    rounding=BITS,
    partials=lambda *xs: (mpf(1) / len(xs),) * len(xs),
    slope=Slope.MODERATE,
    pole=None,
    accuracy=None,
    landmarks=((1.0,), (0.0, 0.0), (1.0, -1.0, 1.0)),
    bad_points=(phi_at(NAN, 1.0), BadPoint((1.0, INF), INF, [MASK, MASK], [HALF, HALF])),
)

NORM = OpCase(
    name="norm",
    value=norm,
    rounding=ONE_ULP,
    partials=direction,
    slope=Slope.MODERATE,
    pole=None,
    accuracy=None,
    landmarks=((0.0,), (0.0, 0.0), (0.0, 1.0, 1.0), (LARGEST, 1e154)),
    bad_points=(
        BadPoint((0.0, 0.0), 0.0, [ZERO, ZERO], [ZERO, ZERO]),
        BadPoint((1.0, INF), INF, [MASK, MASK], [ZERO, ONE]),
        BadPoint((INF, INF), INF, [MASK, MASK], [DROP, DROP]),
        phi_at(NAN, INF),
    ),
)


def _logsumexp(*values: float) -> float:
    if has_phi(*values):
        return PHI
    finite = [x for x in values if x != -INF]
    if INF in finite:
        return INF
    if not finite:
        return -INF
    largest = mpf(max(finite))
    return rounded(largest + mpmath.log(mpmath.fsum(mpmath.exp(x - largest) for x in finite)))


def _softmax(*values: Any) -> tuple[Any, ...]:
    largest = mpf(max(values))
    terms = [mpmath.exp(x - largest) for x in values]
    return tuple(term / mpmath.fsum(terms) for term in terms)


LOGSUMEXP = OpCase(
    name="logsumexp",
    value=_logsumexp,
    # The terms e^(x−m) of up to nine inputs are off by less than 7 in 2⁵², their logarithm and
    # the sum m + ln Σ by 1½ more, which all count where the two cancel.
    rounding=Rounding(9, lambda *xs: max(1.0, *map(abs, xs))),
    partials=_softmax,
    slope=Slope.MODERATE,
    pole=None,
    accuracy=None,
    landmarks=(
        (0.0,),
        (0.0, 0.0),
        (0.5, -0.9327521295671886),
        (0.0, -700.0, -745.0),
        (LARGEST, LARGEST),
    ),
    bad_points=(
        BadPoint((-INF, 0.0), 0.0, [ZERO, ONE], [ZERO, ONE]),
        BadPoint((-INF, -INF), -INF, [MASK, MASK], [ZERO, ZERO]),
        BadPoint((INF, 1.0), INF, [MASK, MASK], [ONE, ZERO]),
        BadPoint((INF, INF), INF, [MASK, MASK], [DROP, DROP]),
    ),
)


MAX = OpCase(
    name="max",
    value=lambda *xs: PHI if has_phi(*xs) or not xs else max(xs),
    rounding=BITS,
    partials=lambda *xs: shares(*(x == max(xs) for x in xs)),
    slope=Slope.MODERATE,
    pole=None,
    accuracy=None,
    landmarks=((1.0,), (0.0, 0.0), (1.0, 1.0, 1.0), (-LARGEST, 2.0, 2.0)),
    bad_points=(
        phi_at(1.0, NAN),
        BadPoint((2.0, 2.0), 2.0, [HALF, HALF], [HALF, HALF]),
        BadPoint((0.0, -0.0), 0.0, [HALF, HALF], [HALF, HALF]),
        BadPoint((-INF, 1.0), 1.0, [ZERO, ONE], [ZERO, ONE]),
        BadPoint((1.0, INF), INF, [MASK, MASK], [ZERO, ONE]),
        BadPoint((INF, INF), INF, [MASK, MASK], [HALF, HALF]),
    ),
)

MIN = OpCase(
    name="min",
    value=lambda *xs: PHI if has_phi(*xs) or not xs else min(xs),
    rounding=BITS,
    partials=lambda *xs: shares(*(x == min(xs) for x in xs)),
    slope=Slope.MODERATE,
    pole=None,
    accuracy=None,
    landmarks=((1.0,), (0.0, 0.0), (1.0, 1.0, 1.0), (LARGEST, 2.0, 2.0)),
    bad_points=(
        phi_at(1.0, NAN),
        BadPoint((2.0, 2.0), 2.0, [HALF, HALF], [HALF, HALF]),
        BadPoint((-0.0, 0.0), -0.0, [HALF, HALF], [HALF, HALF]),
        BadPoint((INF, 1.0), 1.0, [ZERO, ONE], [ZERO, ONE]),
        BadPoint((1.0, -INF), -INF, [MASK, MASK], [ZERO, ONE]),
        BadPoint((-INF, -INF), -INF, [MASK, MASK], [HALF, HALF]),
    ),
)


def _product(*values: float) -> float:
    return functools.reduce(mul, values) if values else 1.0


PROD = OpCase(
    name="prod",
    value=_product,
    rounding=BITS,
    partials=lambda *xs: tuple(mpmath.fprod(xs[:k] + xs[k + 1 :]) for k in range(len(xs))),
    slope=Slope.STEEP,
    pole=None,
    accuracy=None,
    landmarks=(
        (3.0,),
        (0.0, 2.0),
        (0.0, 0.0),
        (0.0, 0.0, 1.0),
        (1e200, 1e-200, 1e200),
        (1e-200, 1e-200, 1e200),
        (-1e-160, 0.0, 1e-160),
    ),
    bad_points=(
        phi_at(0.0, INF),
        phi_at(NAN, 1.0),
        BadPoint((0.0, 2.0), 0.0, [(2.0, EXACT), ZERO], [(2.0, EXACT), ZERO]),
        BadPoint((0.0, 0.0), 0.0, [ZERO, ZERO], [ZERO, ZERO]),
        BadPoint((-INF, 2.0), -INF, [MASK, MASK], [(2.0, EXACT), DROP]),
        BadPoint((INF, -INF), -INF, [MASK, MASK], [DROP, DROP]),
        BadPoint((1e200, 1e200), INF, [MASK, MASK], [(1e200, EXACT), (1e200, EXACT)]),
    ),
)
