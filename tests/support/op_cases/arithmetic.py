"""Sums, products, quotients, signs and extremes."""

from __future__ import annotations

import math

import mpmath
from mpmath import mpf

from support.formulas import PHI, add, always, div, has_phi, mul, recip, shares, sign_of
from support.gradients import EXACT, SATURATED
from support.op_case import (
    BITS,
    DROP,
    HALF,
    MASK,
    MINUS_ONE,
    ONE,
    SAT,
    ZERO,
    BadPoint,
    OpCase,
    Pole,
    Slope,
    phi_at,
)
from support.values import INF, NAN

ADD = OpCase(
    name="add",
    value=add,
    rounding=BITS,
    partials=lambda a, b: (mpf(1), mpf(1)),
    slope=Slope.MODERATE,
    pole=None,
    accuracy=None,
    bad_points=(phi_at(INF, -INF), BadPoint((INF, 1.0), INF, [MASK, MASK], [ONE, ONE])),
)

SUB = OpCase(
    name="sub",
    value=lambda a, b: add(a, -b),
    rounding=BITS,
    partials=lambda a, b: (mpf(1), mpf(-1)),
    slope=Slope.MODERATE,
    pole=None,
    accuracy=None,
    bad_points=(phi_at(INF, INF), BadPoint((1.0, INF), -INF, [MASK, MASK], [ONE, MINUS_ONE])),
)

MUL = OpCase(
    name="mul",
    value=mul,
    rounding=BITS,
    partials=lambda a, b: (b, a),
    slope=Slope.MODERATE,
    pole=None,
    accuracy=None,
    bad_points=(phi_at(0.0, INF), BadPoint((2.0, INF), INF, [MASK, MASK], [DROP, (2.0, EXACT)])),
)

DIV = OpCase(
    name="div",
    value=div,
    rounding=BITS,
    partials=lambda a, b: (1 / b, -a / b**2),
    slope=Slope.STEEP,
    pole=Pole(always, lambda bound, a, b: (recip(b, bound), -a / (b**2 + mpf(bound) ** 2))),
    accuracy=None,
    bad_points=(
        phi_at(0.0, 0.0),
        BadPoint((1.0, 0.0), INF, [MASK, MASK], [SAT, (-1.0, SATURATED)]),
        BadPoint((1.0, -0.0), -INF, [MASK, MASK], [SAT, (-1.0, SATURATED)]),
        BadPoint((1.0, INF), 0.0, [ZERO, ZERO], [SAT, SAT]),
    ),
)

MINIMUM = OpCase(
    name="minimum",
    value=lambda a, b: PHI if has_phi(a, b) else b if b < a else a,
    rounding=BITS,
    partials=lambda a, b: shares(a <= b, b <= a),
    slope=Slope.MODERATE,
    pole=None,
    accuracy=None,
    bad_points=(
        phi_at(1.0, NAN),
        BadPoint((2.0, 2.0), 2.0, [HALF, HALF], [HALF, HALF]),
        BadPoint((1.0, INF), 1.0, [ONE, ZERO], [ONE, ZERO]),
    ),
)

MAXIMUM = OpCase(
    name="maximum",
    value=lambda a, b: PHI if has_phi(a, b) else b if b > a else a,
    rounding=BITS,
    partials=lambda a, b: shares(a >= b, b >= a),
    slope=Slope.MODERATE,
    pole=None,
    accuracy=None,
    bad_points=(
        phi_at(1.0, NAN),
        BadPoint((2.0, 2.0), 2.0, [HALF, HALF], [HALF, HALF]),
        BadPoint((-INF, 1.0), 1.0, [ZERO, ONE], [ZERO, ONE]),
    ),
)

NEG = OpCase(
    name="neg",
    value=lambda a: -a,
    rounding=BITS,
    partials=lambda a: (mpf(-1),),
    slope=Slope.MODERATE,
    pole=None,
    accuracy=None,
    bad_points=(phi_at(NAN), BadPoint((INF,), -INF, [MASK], [MINUS_ONE])),
)

ABS = OpCase(
    name="abs",
    value=math.fabs,
    rounding=BITS,
    partials=lambda a: (mpmath.sign(a),),
    slope=Slope.MODERATE,
    pole=None,
    accuracy=None,
    bad_points=(
        phi_at(NAN),
        BadPoint((0.0,), 0.0, [ZERO], [ZERO]),
        BadPoint((-INF,), INF, [MASK], [MINUS_ONE]),
    ),
)

SIGN = OpCase(
    name="sign",
    value=lambda a: PHI if has_phi(a) else 0.0 if a == 0 else sign_of(a),
    rounding=BITS,
    partials=lambda a: (mpf(0),),
    slope=Slope.FLAT,
    pole=None,
    accuracy=None,
    bad_points=(
        phi_at(NAN),
        BadPoint((0.0,), 0.0, [ZERO], [ZERO]),
        BadPoint((INF,), 1.0, [ZERO], [ZERO]),
    ),
)
