"""Sums, products, quotients, signs and extremes."""

from __future__ import annotations

from mpmath import mpf

from support.formulas import add, always, div, mul, recip
from support.gradients import EXACT, SATURATED
from support.op_case import (
    BITS,
    DROP,
    MASK,
    MINUS_ONE,
    ONE,
    SAT,
    ZERO,
    BadPoint,
    OpCase,
    Pole,
    Slope,
    at,
    phi_at,
)
from support.operands import LARGEST
from support.values import INF, NAN

ADD = OpCase(
    name="add",
    value=add,
    rounding=BITS,
    partials=lambda a, b: (mpf(1), mpf(1)),
    slope=Slope.MODERATE,
    pole=None,
    accuracy=None,
    landmarks=((0.0, 0.0), (1.0, -1.0), (LARGEST, LARGEST)),
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
    landmarks=((0.0, 0.0), (1.0, 1.0), (LARGEST, -LARGEST)),
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
    landmarks=(
        (0.0, 0.0),
        (0.0, 1.0),
        (1e-162, -1e-162),
        (1.3407807929942596e154, 1.3407807929942596e154),
    ),
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
    landmarks=((0.0, 1.0), (1.0, 0.0), (1.0, 5e-324), (-1e-200, 1e-200), (1.0, LARGEST)),
    bad_points=(
        phi_at(0.0, 0.0),
        BadPoint((1.0, 0.0), INF, [MASK, MASK], [SAT, (-1.0, SATURATED)]),
        BadPoint((1.0, -0.0), -INF, [MASK, MASK], [SAT, (-1.0, SATURATED)]),
        BadPoint((1.0, INF), 0.0, [ZERO, ZERO], [SAT, SAT]),
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
    landmarks=at(0.0, LARGEST),
    bad_points=(phi_at(NAN), BadPoint((INF,), -INF, [MASK], [MINUS_ONE])),
)
