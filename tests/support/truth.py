"""One contribution against its true value: within ``ULPS`` units of its last place wherever that is
representable, and dropped where it is larger than every double."""

from __future__ import annotations

import math
from typing import Any

import mpmath
from mpmath import mpf

from support.gradients import DROPPED, EXACT, SATURATED, gradients
from support.op_case import DIGITS, OpCase, exact
from zeroproof.autodiff.grad_mode import GradientMode
from zeroproof.autodiff.tr_node import GradientStatus

# Two correctly rounded factors and a product give 1.5, an elementary function up to 1 more.
ULPS = 4
# √(y² + b²) is within 1.5, and enters the partial of a denominator twice.
BOUNDED_ULPS = 6
LARGEST = mpf(1.7976931348623157e308)
#: Around the largest double, whether a result rounds to it is a matter of the last ulp.
BELOW, BEYOND = LARGEST * (1 - mpf(2) ** -50), LARGEST * (1 + mpf(2) ** -50)


def surely_within(found: float, true: Any, limit: int) -> bool:
    """Whether doubles alone show that the error is at most so many units of the last place.

    Half a unit at most is between the truth and the double nearest to it.
    """
    nearest = float(true)
    return abs(nearest) < 1.7e308 and abs(found - nearest) <= (limit - 1) * math.ulp(nearest)


def check(
    found: tuple[float, GradientStatus], true: Any, usual: GradientStatus, limit: int
) -> None:
    """One contribution against its true value."""
    gradient, status = found
    if surely_within(gradient, true, limit):
        assert status == usual, true
    elif mpmath.isnan(true) or abs(true) > BEYOND:
        assert (gradient, status) == (0.0, usual | DROPPED)
    elif abs(true) <= BELOW:
        assert status == usual, true
        unit = math.ulp(float(abs(true)))
        assert abs(mpf(gradient) - true) <= limit * mpf(unit), (gradient, float(true))


def check_classical(case: OpCase, operands: tuple[float, ...], *seeds: float) -> bool:
    """The gradient by each operand in Mask-REAL mode; False unless operands and value are REAL."""
    if not math.isfinite(case.value(*operands)):
        return False
    function, values = case.on_nodes(operands)
    with mpmath.workdps(DIGITS):
        partials = case.partials(*map(exact, operands))
        for seed in seeds:
            found = gradients(function, values, seed)
            assert len(found) == len(partials)
            for mine, partial in zip(found, partials):
                check(mine, mpf(seed) * partial if seed else mpf(0), EXACT, ULPS)
    return True


def check_bounded(case: OpCase, operands: tuple[float, ...], bound: float, *seeds: float) -> bool:
    """The gradient by each operand in Saturating mode; False unless singular there, and not Φ."""
    assert case.pole is not None
    if not case.is_singular(*operands) or math.isnan(case.value(*operands)):
        return False
    function, values = case.on_nodes(operands)
    with mpmath.workdps(DIGITS):
        partials = case.pole.bounded(bound, *map(exact, operands))
        for seed in seeds:
            found = gradients(function, values, seed, GradientMode.SATURATING, bound)
            assert len(found) == len(partials)
            for mine, partial in zip(found, partials):
                true = mpf(seed) * partial if seed else mpf(0)
                check(mine, true, SATURATED, BOUNDED_ULPS)
    return True
