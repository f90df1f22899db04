"""Values and gradients where they vanish: roots, stationary points and points of inflection.

They are searched for, between doubles where the sign of the value or of a derivative changes. There
relative errors are largest, and samples drawn from a range never meet them. The tolerance is the
contract's: as many units in the last place as an operation may be off, 4 for a gradient.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import mpmath
import pytest
from mpmath import mpf

from support.landmarks import SEEDS, beside
from support.op_case import DIGITS, OpCase, Slope
from support.op_cases import cases
from support.operands import PRECISION
from support.ops import scalar_op
from support.truth import check_classical
from zeroproof import from_ieee, to_ieee

#: The ends of steps that a sign change is looked for in, unevenly spaced.
GRID = [0.3719 * k + 0.0217 for k in range(-40, 41)]
#: How far from a point of inflection slopes are compared.
STEP = 2.0**-20
#: What the second operand of a binary operation is meanwhile.
OTHERS = (-2.5, 0.75, 3.0)
#: Operations without a root or an extremum of value or slope inside of the grid and the domain.
NONE = {
    *("abs", "sqrt", "acosh", "exp", "softplus", "log_sigmoid"),
    *("exprel", "log1prel", "log_ndtr"),
}

Real = Callable[[float], float]


def changes(f: Real) -> Iterator[float]:
    """Neighbours of each place in the grid where a function changes its sign."""
    for low, high in zip(GRID, GRID[1:]):
        below, above = f(low), f(high)
        if not below * above < 0.0:
            continue
        while True:
            middle = low + (high - low) / 2.0
            if middle in (low, high):
                break
            value = f(middle)
            if not math.isfinite(value):
                break
            if value * below > 0.0:
                low = middle
            else:
                high = middle
        # At a pole the sign changes too.
        if math.isfinite(value) and abs(f(low)) < 1.0:
            yield low


def functions_of(case: OpCase) -> Iterator[tuple[Callable[[float], tuple[float, ...]], int]]:
    """How an operand is completed, and its place."""
    if case.arity == "unary":
        yield lambda x: (x,), 0
        return
    for other in OTHERS:
        yield lambda x, other=other: (x, other), 0
        yield lambda x, other=other: (other, x), 1


def special_points(case: OpCase) -> Iterator[tuple[float, ...]]:
    """Operands at which the value or one of the partials vanishes."""

    def partial(operands: tuple[float, ...], place: int) -> float:
        if not math.isfinite(case.value(*operands)):
            return math.nan
        with mpmath.workdps(DIGITS):
            found = case.partials(*(mpf(x) if x else x for x in operands))[place]
            return math.nan if mpmath.isnan(found) else float(found)

    for complete, place in functions_of(case):
        slope = lambda x, c=complete, p=place: partial(c(x), p)  # noqa: E731
        found = [
            *changes(lambda x, c=complete: case.value(*c(x))),
            *changes(slope),
            *changes(lambda x, s=slope: s(x + STEP) - s(x - STEP)),
        ]
        yield from (complete(x) for x in found)


def check_value(case: OpCase, operands: tuple[float, ...]) -> None:
    if case.accuracy is None:
        return  # its bits are given, and compared elsewhere
    with mpmath.workprec(PRECISION):
        true = case.accuracy.exact(*map(mpf, operands))
        found = to_ieee(scalar_op(case.name)(*map(from_ieee, operands)))
        if not math.isfinite(found):
            return
        unit = math.ulp(float(abs(true)))
        assert abs(mpf(found) - true) <= case.rounding.ulps * mpf(unit), (operands, found)


SMOOTH = [case for case in cases("unary", "binary") if case.slope is not Slope.FLAT]


@pytest.mark.parametrize("case", SMOOTH, ids=[case.name for case in SMOOTH])
def test_where_values_and_slopes_vanish(case: OpCase) -> None:
    points = dict.fromkeys(special_points(case))
    checked = 0
    for operands in points:
        for place, x in enumerate(operands):
            for y in beside(x)[:8]:
                moved = (*operands[:place], y, *operands[place + 1 :])
                if math.isfinite(case.value(*moved)):
                    check_value(case, moved)
                    checked += check_classical(case, moved, *SEEDS[:2])
    print(f"{case.name}: {len(points)} points, {checked} operands")
    assert (checked > 0) != (case.name in NONE), sorted(points)
