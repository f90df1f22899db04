"""Ops that compare: extrema, bounds, magnitude and sign."""

from __future__ import annotations

import math

import mpmath
from mpmath import mpf

from support.formulas import (
    PHI,
    has_phi,
    shares,
    sign_of,
)
from support.op_case import (
    BITS,
    HALF,
    MASK,
    MINUS_ONE,
    ONE,
    ZERO,
    BadPoint,
    OpCase,
    Slope,
    at,
    phi_at,
)
from support.operands import LARGEST
from support.values import INF, NAN

MINIMUM = OpCase(
    name="minimum",
    value=lambda a, b: PHI if has_phi(a, b) else b if b < a else a,
    rounding=BITS,
    partials=lambda a, b: shares(a <= b, b <= a),
    slope=Slope.MODERATE,
    pole=None,
    accuracy=None,
    landmarks=((0.0, 0.0), (2.0, 2.0)),
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
    landmarks=((0.0, 0.0), (2.0, 2.0)),
    bad_points=(
        phi_at(1.0, NAN),
        BadPoint((2.0, 2.0), 2.0, [HALF, HALF], [HALF, HALF]),
        BadPoint((-INF, 1.0), 1.0, [ZERO, ONE], [ZERO, ONE]),
    ),
)

ABS = OpCase(
    name="abs",
    value=math.fabs,
    rounding=BITS,
    partials=lambda a: (mpmath.sign(a),),
    slope=Slope.MODERATE,
    pole=None,
    accuracy=None,
    landmarks=at(0.0, -LARGEST),
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
    landmarks=at(0.0, -1.0),
    bad_points=(
        phi_at(NAN),
        BadPoint((0.0,), 0.0, [ZERO], [ZERO]),
        BadPoint((INF,), 1.0, [ZERO], [ZERO]),
    ),
)


CLIP_MIN = OpCase(
    name="clip_min",
    value=lambda a, b: PHI if has_phi(a, b) else b if b > a else a,
    rounding=BITS,
    partials=lambda a, b: shares(a >= b, b > a),
    slope=Slope.MODERATE,
    pole=None,
    accuracy=None,
    landmarks=((0.0, 0.0), (2.0, 2.0), (-LARGEST, 1.0)),
    bad_points=(
        phi_at(1.0, NAN),
        phi_at(NAN, 1.0),
        BadPoint((2.0, 2.0), 2.0, [ONE, ZERO], [ONE, ZERO]),
        BadPoint((-0.0, 0.0), -0.0, [ONE, ZERO], [ONE, ZERO]),
        BadPoint((-INF, 1.0), 1.0, [ZERO, ONE], [ZERO, ONE]),
        BadPoint((INF, INF), INF, [MASK, MASK], [ONE, ZERO]),
    ),
)

CLIP_MAX = OpCase(
    name="clip_max",
    value=lambda a, b: PHI if has_phi(a, b) else b if b < a else a,
    rounding=BITS,
    partials=lambda a, b: shares(a <= b, b < a),
    slope=Slope.MODERATE,
    pole=None,
    accuracy=None,
    landmarks=((0.0, 0.0), (2.0, 2.0), (-LARGEST, 1.0)),
    bad_points=(
        phi_at(1.0, NAN),
        phi_at(NAN, 1.0),
        BadPoint((2.0, 2.0), 2.0, [ONE, ZERO], [ONE, ZERO]),
        BadPoint((0.0, -0.0), 0.0, [ONE, ZERO], [ONE, ZERO]),
        BadPoint((INF, 1.0), 1.0, [ZERO, ONE], [ZERO, ONE]),
        BadPoint((-INF, 1.0), -INF, [MASK, MASK], [ONE, ZERO]),
    ),
)

COPYSIGN = OpCase(
    name="copysign",
    value=lambda a, b: PHI if has_phi(a, b) else math.copysign(a, b),
    rounding=BITS,
    # b is a double where it is 0, with its sign.
    partials=lambda a, b: (mpmath.sign(a) * mpf(sign_of(float(b))), mpf(0)),
    slope=Slope.MODERATE,
    pole=None,
    accuracy=None,
    landmarks=((0.0, 1.0), (1.0, 0.0), (1.0, -0.0), (0.0, -0.0), (-LARGEST, 5e-324)),
    bad_points=(
        phi_at(1.0, NAN),
        phi_at(NAN, 1.0),
        BadPoint((0.0, -1.0), -0.0, [ZERO, ZERO], [ZERO, ZERO]),
        BadPoint((2.0, -0.0), -2.0, [MINUS_ONE, ZERO], [MINUS_ONE, ZERO]),
        BadPoint((-2.0, 0.0), 2.0, [MINUS_ONE, ZERO], [MINUS_ONE, ZERO]),
        BadPoint((2.0, -INF), -2.0, [MINUS_ONE, ZERO], [MINUS_ONE, ZERO]),
        BadPoint((-INF, 1.0), INF, [MASK, MASK], [MINUS_ONE, ZERO]),
    ),
)
