"""Reductions over the values that they keep."""

from __future__ import annotations

import functools
from typing import Any

import mpmath
from mpmath import mpf

from support.formulas import PHI, add, direction, div, has_phi, norm, rounded
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
    rounding=Rounding(9, lambda *xs: max(1.0, *map(abs, xs)), None),
    partials=_softmax,
    slope=Slope.MODERATE,
    pole=None,
    accuracy=None,
    bad_points=(
        BadPoint((-INF, 0.0), 0.0, [ZERO, ONE], [ZERO, ONE]),
        BadPoint((-INF, -INF), -INF, [MASK, MASK], [ZERO, ZERO]),
        BadPoint((INF, 1.0), INF, [MASK, MASK], [ONE, ZERO]),
        BadPoint((INF, INF), INF, [MASK, MASK], [DROP, DROP]),
    ),
)
