"""The error function and the normal distribution."""

from __future__ import annotations

from typing import Any

import mpmath
from mpmath import mpf

from support import operands
from support.formulas import (
    by_tag,
    rounded,
    sign_of,
)
from support.gradients import EXACT
from support.op_case import (
    DROP,
    MASK,
    ONE_ULP,
    ZERO,
    Accuracy,
    BadPoint,
    OpCase,
    Slope,
    at,
    phi_at,
)
from support.operands import LARGEST
from support.values import INF, NAN

# Past 40 they are constant to 600 digits, which mpmath would carry.


def _erf(a: Any) -> Any:
    return mpmath.erf(a) if abs(a) < 40 else mpf(sign_of(float(a)))


def _erfc(a: Any) -> Any:
    return mpmath.erfc(a) if abs(a) < 40 else mpf(0 if a > 0 else 2)


def _bell(a: Any) -> Any:
    return 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-(mpf(a) ** 2))


ERF = OpCase(
    name="erf",
    value=by_tag(lambda a: a if a == 0 else rounded(_erf(a)), pinf=1.0, ninf=-1.0),
    rounding=ONE_ULP,
    partials=lambda a: (_bell(a),),
    slope=Slope.MODERATE,
    pole=None,
    accuracy=Accuracy(_erf, 0.79, operands.bells),
    # The value becomes ±1, the slope subnormal.
    landmarks=at(0.0, 1.0, 5.921587195794507, 26.55, -26.64, LARGEST),
    bad_points=(
        phi_at(NAN),
        BadPoint((-INF,), -1.0, [ZERO], [ZERO]),
        BadPoint((30.0,), 1.0, [ZERO], [ZERO]),
    ),
)

ERFC = OpCase(
    name="erfc",
    value=by_tag(lambda a: rounded(_erfc(a)), pinf=0.0, ninf=2.0),
    rounding=ONE_ULP,
    partials=lambda a: (-_bell(a),),
    slope=Slope.MODERATE,
    pole=None,
    accuracy=Accuracy(_erfc, 0.79, operands.bells),
    # The value becomes 2, subnormal and 0.
    landmarks=at(0.0, -5.863584748755168, 26.543258454250982, 27.226017111108366),
    bad_points=(
        phi_at(NAN),
        BadPoint((INF,), 0.0, [ZERO], [ZERO]),
        BadPoint((-INF,), 2.0, [ZERO], [ZERO]),
    ),
)

#: From here to the left erfc is more work than its asymptotic series, which has 40 digits.
FAR_LEFT = -1e6


def _mills(a: Any) -> Any:
    """−a·Φ(a)/φ(a) far to the left, 1 and a little less."""
    return 1 - 1 / mpf(a) ** 2 + 3 / mpf(a) ** 4 - 15 / mpf(a) ** 6


def _log_ndtr(a: Any) -> Any:
    if a < FAR_LEFT:
        log_density = -(mpf(a) ** 2) / 2 - mpmath.log(2 * mpmath.pi) / 2
        return log_density - mpmath.log(-a) + mpmath.log(_mills(a))
    if a < 0:
        return mpmath.log(mpmath.ncdf(a))
    # e^(−10⁶) is less than every double, and 1 − e^(−10⁶) has too many digits.
    return mpmath.log1p(-mpmath.ncdf(-a)) if a < 1500 else mpf(0)


def _log_ndtr_slope(a: Any) -> Any:
    if a < FAR_LEFT:
        return -a / _mills(a)
    density = mpmath.exp(-(mpf(a) ** 2) / 2) / mpmath.sqrt(2 * mpmath.pi)
    return density / mpmath.ncdf(min(a, 1500))


LOG_NDTR = OpCase(
    name="log_ndtr",
    value=by_tag(lambda a: rounded(_log_ndtr(a)), pinf=0.0, ninf=-INF),
    rounding=ONE_ULP,
    partials=lambda a: (_log_ndtr_slope(a),),
    slope=Slope.MODERATE,
    pole=None,
    accuracy=Accuracy(_log_ndtr, 0.80, operands.normal_quantiles),
    # Φ becomes 1, the value subnormal and 0; to the left Φ underflows, then the value overflows.
    landmarks=at(0.0, 8.292361075813595, 37.51, 38.49, -37.5, -38.5, -1e8, -1.89e154, LARGEST),
    bad_points=(
        phi_at(NAN),
        BadPoint((INF,), 0.0, [ZERO], [ZERO]),
        BadPoint((-INF,), -INF, [MASK], [DROP]),
        BadPoint((-1e200,), -INF, [MASK], [(1e200, EXACT)]),
    ),
)
