"""Powers, roots and lengths."""

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
    are_real,
    by_tag,
    direction,
    has_phi,
    mul,
    norm,
    over,
    pow_int,
    recip,
    rounded,
    sign_of,
    tag,
)
from support.gradients import EXACT
from support.op_case import (
    BITS,
    DROP,
    MASK,
    MINUS_ONE,
    ONE,
    ONE_ULP,
    SAT,
    SAT_DROP,
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

SQRT = OpCase(
    name="sqrt",
    value=by_tag(lambda a: math.sqrt(a) if a >= 0 else PHI, pinf=INF, ninf=PHI),
    rounding=BITS,
    partials=lambda a: (over(1, 2 * mpmath.sqrt(a)),),
    slope=Slope.STEEP,
    pole=Pole(always, lambda bound, a: (recip(2 * mpmath.sqrt(a), bound),)),
    accuracy=None,
    landmarks=at(0.0, 1.0, LARGEST),
    bad_points=(
        phi_at(-1.0),
        BadPoint((0.0,), 0.0, [DROP], [SAT]),
        BadPoint((INF,), INF, [MASK], [SAT]),
    ),
)

CBRT = OpCase(
    name="cbrt",
    value=by_tag(
        lambda a: math.copysign(rounded(mpmath.cbrt(abs(a))), a) if a else a, pinf=INF, ninf=-INF
    ),
    rounding=ONE_ULP,
    partials=lambda a: (over(1, 3 * mpmath.cbrt(abs(a)) ** 2),),
    slope=Slope.STEEP,
    pole=Pole(always, lambda bound, a: (recip(3 * mpmath.cbrt(abs(a)) ** 2, bound),)),
    accuracy=Accuracy(lambda a: mpmath.sign(a) * mpmath.cbrt(abs(a)), 0.501, operands.numbers),
    landmarks=at(0.0, 1.0, -8.0, 5e-324, LARGEST),
    bad_points=(
        BadPoint((0.0,), 0.0, [DROP], [SAT]),
        BadPoint((-INF,), -INF, [MASK], [SAT]),
    ),
)

POW_INT = OpCase(
    name="pow_int",
    value=pow_int,
    rounding=BITS,
    partials=lambda x, n: (n * mpf(x) ** (n - 1) if n else mpf(0),),
    slope=Slope.STEEP,
    pole=Pole(lambda x, n: n < 0, lambda bound, x, n: (n * recip(mpf(x) ** (1 - n), bound),)),
    accuracy=None,
    landmarks=(
        (0.0, 0),
        (0.0, 1),
        (0.0, 2),
        (0.0, 3),
        (0.0, -1),
        (1.0, 301),
        (-1.0, -301),
        (-1e-154, -2),
    ),
    bad_points=(
        BadPoint((0.0, 0), PHI, [MASK], [MASK]),
        BadPoint((INF, 0), PHI, [MASK], [MASK]),
        BadPoint((0.0, 1), 0.0, [ONE], [ONE]),
        BadPoint((0.0, -2), INF, [MASK], [SAT]),
        BadPoint((-0.0, -1), -INF, [MASK], [SAT]),
        BadPoint((INF, -1), 0.0, [ZERO], [SAT]),
    ),
)

HYPOT = OpCase(
    name="hypot",
    value=norm,
    rounding=ONE_ULP,
    partials=direction,
    slope=Slope.MODERATE,
    pole=None,
    accuracy=Accuracy(mpmath.hypot, 0.51, operands.pairs),
    landmarks=((0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (LARGEST, 1e154)),
    bad_points=(
        BadPoint((0.0, -0.0), 0.0, [ZERO, ZERO], [ZERO, ZERO]),
        BadPoint((-INF, 2.0), INF, [MASK, MASK], [MINUS_ONE, ZERO]),
        BadPoint((INF, -INF), INF, [MASK, MASK], [DROP, DROP]),
        phi_at(NAN, INF),
    ),
)


def _pow(a: float, b: float) -> float:
    """Row by row: the exponent's kind, then the base's."""
    if has_phi(a, b):
        return PHI
    if not are_real(b):
        if a < 0 or a == 1:
            return PHI
        return INF if (a > 1) == (tag(b) == "PINF") else 0.0
    if b == 0:
        return 1.0 if are_real(a) and a != 0 else PHI
    if a < 0 and b != math.floor(b):
        return PHI
    sign = sign_of(a) if math.fmod(b, 2.0) in (1.0, -1.0) else 1.0
    if a == 0 or not are_real(a):
        return sign * (0.0 if (a == 0) == (b > 0) else INF)
    return sign * rounded(mpmath.power(abs(a), b))


def _sign_of_slope(a: Any, b: Any) -> int:
    """The sign of a^(b−1), for a negative base of an integer exponent."""
    return -1 if a < 0 and mpmath.fmod(b, 2) == 0 else 1


def _pow_partials(a: Any, b: Any) -> tuple[Any, Any]:
    if a == 0:
        to_base = mpf(0) if b > 1 or b == 0 else mpf(1) if b == 1 else INFINITE
        return to_base, mpf(0)
    to_base = _sign_of_slope(a, b) * b * abs(a) ** (b - 1)
    return to_base, a**b * mpmath.log(a) if a > 0 else INFINITE


def _pow_bounded(bound: Any, a: Any, b: Any) -> tuple[Any, Any]:
    power = _sign_of_slope(a, b) * abs(a) ** (1 - b)
    to_base = b * recip(power, bound) if b < 0 else recip(power / b, bound)
    if a <= 0:  # toward the exponent there is a slope only from the left of 0 < b
        return to_base, mpf(0) if a == 0 and b > 0 else INFINITE
    to_exponent = recip(a**-b, bound) if b < 0 else a**b
    return to_base, to_exponent * mpmath.log(a)


POW = OpCase(
    name="pow",
    value=_pow,
    rounding=ONE_ULP,
    partials=_pow_partials,
    slope=Slope.STEEP,
    pole=Pole(lambda a, b: b < 1 and b != 0, _pow_bounded),
    accuracy=Accuracy(mpmath.power, 0.7, operands.powers),
    landmarks=(
        (0.0, 0.5),
        (0.0, 1.0),
        (0.0, 2.0),
        (1.0, 0.0),
        (1.0, 3.0),
        (2.0, 1024.0),
        (2.0, -1074.0),
        (-2.0, 3.0),
    ),
    bad_points=(
        BadPoint((0.0, 0.5), 0.0, [DROP, ZERO], [SAT, SAT]),
        BadPoint((0.0, -1.0), INF, [MASK, MASK], [SAT, SAT_DROP]),
        phi_at(0.0, 0.0),
        BadPoint((0.0, 1.0), 0.0, [ONE, ZERO], [ONE, ZERO]),
        BadPoint((0.0, 2.0), 0.0, [ZERO, ZERO], [ZERO, ZERO]),
        BadPoint((-8.0, 2.0), 64.0, [(-16.0, EXACT), DROP], [(-16.0, EXACT), DROP]),
        phi_at(-8.0, 0.5),
        phi_at(1.0, INF),
        BadPoint((0.5, INF), 0.0, [DROP, ZERO], [DROP, ZERO]),
    ),
)


SQUARE = OpCase(
    name="square",
    value=lambda a: mul(a, a),
    rounding=BITS,
    partials=lambda a: (2 * mpf(a),),
    slope=Slope.MODERATE,
    pole=None,
    accuracy=None,
    landmarks=at(0.0, 1e-162, 1.3407807929942596e154, -1.0),
    bad_points=(
        phi_at(NAN),
        BadPoint((0.0,), 0.0, [ZERO], [ZERO]),
        BadPoint((-INF,), INF, [MASK], [DROP]),
        BadPoint((-1e200,), INF, [MASK], [(-2e200, EXACT)]),
    ),
)
