"""Elementary functions over the whole range of doubles, against many digits of mpmath.

Errors are in ulp: units in the last place of the double below the true value (of the smallest
subnormal below the normal range). The bound is 1 but for what is made of several functions; what
long runs found stands with each op, so that a loss of accuracy does not hide below the bound. The
landmarks of each op are among the operands.
"""

from __future__ import annotations

import math
import random
from itertools import chain
from typing import Any

import mpmath
import pytest
from mpmath import mpf

from support.landmarks import around
from support.op_case import Accuracy, OpCase
from support.op_cases import cases
from support.operands import LARGEST, POINTS, PRECISION, from_bits
from support.ops import scalar_op
from zeroproof import from_ieee, to_ieee

MEASURED = [case for case in cases() if case.accuracy]


#: Below it the difference of a double from the truth may itself be beyond the doubles.
NO_SMALLER = 2.0**-900


def ulps(found: float, true: Any) -> float:
    """The error of ``found``; one ulp beyond the largest double is as large as the one below it."""
    nearest = float(true)
    if not NO_SMALLER < abs(nearest) < LARGEST or math.isinf(found):
        return _ulps_at_an_end(found, true)
    # Half a million times, so in doubles: the first difference is exact for a double close by.
    rest = float(true - nearest)
    beyond = rest and (rest > 0) != (nearest > 0)
    below = math.nextafter(abs(nearest), 0.0) if beyond else abs(nearest)
    return abs((found - nearest) - rest) / math.ulp(below)


def _ulps_at_an_end(found: float, true: Any) -> float:
    nearest = abs(float(true))
    if math.isinf(nearest):
        unit = math.ulp(LARGEST)
    elif mpf(nearest) > abs(true):
        unit = math.ulp(math.nextafter(nearest, 0.0))
    else:
        unit = math.ulp(nearest)
    if math.isinf(found):  # where 2^1024 would be, were there one more exponent
        assert found * true > 0
        return float(max(mpf(0), (mpf(2) ** 1024 - abs(true)) / unit))
    return float(abs(mpf(found) - true) / unit)


def accuracy_of(case: OpCase) -> Accuracy:
    assert case.accuracy is not None
    return case.accuracy


def is_measured(case: OpCase, true: Any) -> bool:
    """Operands of two are chosen blindly, and the result may be beyond the range."""
    return case.arity == "unary" or 2.0**-1074 <= abs(true) <= LARGEST


@pytest.mark.slow
@pytest.mark.parametrize("case", MEASURED, ids=lambda case: case.name)
def test_errors_stay_below_what_long_runs_found(case: OpCase) -> None:
    accuracy, function = accuracy_of(case), scalar_op(case.name)
    worst, at, count = 0.0, (math.nan,), 0
    landmarks = [x for x in around(case) if math.isfinite(case.value(*x))]
    with mpmath.workprec(PRECISION):
        for operands in chain(landmarks, accuracy.operands()):
            true = accuracy.exact(*map(mpf, operands))
            if is_measured(case, true):
                error = ulps(to_ieee(function(*map(from_ieee, operands))), true)
                worst, at = max((worst, at), (error, operands))
                count += 1
    print(f"{case.name}: {worst:.4f} ulp at {at!r}, of {count} operands")
    assert len(landmarks) >= 10
    assert count >= 4 * POINTS
    assert worst <= accuracy.largest_error <= case.rounding.ulps, at


@pytest.mark.parametrize(
    "case", [case for case in MEASURED if case.arity == "unary"], ids=lambda case: case.name
)
def test_any_bits(case: OpCase) -> None:
    exact, function = accuracy_of(case).exact, scalar_op(case.name)
    generator, finite = random.Random(7), 0
    with mpmath.workprec(PRECISION):
        for _ in range(3000):
            x = from_bits(generator.getrandbits(64))
            found, expected = function(from_ieee(x)), case.value(x)
            if not math.isfinite(expected) or (abs(x) > 800 and expected in (-1.0, 0.0, 1.0)):
                case.assert_value(
                    found, x
                )  # no need of digits, which mpmath would have too many of
            else:
                finite += 1
                assert ulps(to_ieee(found), exact(mpf(x))) <= 1, x
    assert finite > 700


def test_the_reference_sees_a_wrong_last_bit() -> None:
    with mpmath.workprec(PRECISION):
        true = mpmath.sin(mpf(1e22))
        nearest = float(true)
        assert ulps(nearest, true) <= 0.5
        assert ulps(math.nextafter(math.nextafter(nearest, 1.0), 1.0), true) > 1
        assert ulps(math.inf, mpf(2) ** 1024) == 0
        assert ulps(math.inf, mpf(LARGEST)) == 1
