"""What a test must know about an op; the package ``op_cases`` has one for each."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Optional

import mpmath
from mpmath import mpf

from support.formulas import tag
from support.gradients import DROPPED, EXACT, MASKED, SATURATED, Gradient
from support.ops import NAMES, node_op
from support.values import same

#: Decimal digits of the reference: one rounding is left.
DIGITS = 50

_ARITY = {name: arity for arity, names in NAMES.items() for name in names}


@dataclass(frozen=True)
class BadPoint:
    """Operands at which an op has no ordinary derivative, or no ordinary value.

    Args:
        operands: doubles (NaN is Φ), and the exponent of an integer power.
        value: the value, as a double.
        mask_real: gradient and status by each operand in Mask-REAL mode.
        saturating: the same in Saturating mode with bound 1, and in Hybrid mode within δ = 0.5.
    """

    operands: tuple[float, ...]
    value: float
    mask_real: list[Gradient]
    saturating: list[Gradient]


def exact(x: float) -> Any:
    """The number in mpmath, but ±0 as it is: mpmath has no −0."""
    return mpf(x) if x else x


ZERO, ONE, MINUS_ONE, HALF = (0.0, EXACT), (1.0, EXACT), (-1.0, EXACT), (0.5, EXACT)
MASK, DROP = (0.0, MASKED), (0.0, DROPPED)
SAT, SAT_DROP = (0.0, SATURATED), (0.0, SATURATED | DROPPED)


def at(*points: float) -> tuple[tuple[float, ...], ...]:
    """Landmarks of an op of one operand."""
    return tuple((x,) for x in points)


def phi_at(*point: float) -> BadPoint:
    """A point whose value is Φ, so that nothing passes in any mode."""
    masked = [MASK] * len(point)
    return BadPoint(point, math.nan, masked, masked)


@dataclass(frozen=True)
class Accuracy:
    """How exact an elementary function was found to be.

    Args:
        exact: the function in mpmath.
        largest_error: in ulp, what long runs found; a loss of accuracy does not hide below 1.
        operands: operands of every kind, the same in each run.
    """

    exact: Callable[..., Any]
    largest_error: float
    operands: Callable[[], Iterator[tuple[float, ...]]]


class Slope(Enum):
    """How large values and slopes get for REAL operands of moderate size."""

    FLAT = "no slope anywhere"
    MODERATE = "values and slopes of moderate size"
    STEEP = "a pole, an infinite slope, or exponential growth"


@dataclass(frozen=True)
class Rounding:
    """The error allowed to the value, and what it is relative to.

    Args:
        ulps: in units of the last place; 0: the bits are given.
        value_scale: the size of what cancels in the value, if anything does.
    """

    ulps: float
    value_scale: Optional[Callable[..., Any]]


BITS, ONE_ULP = Rounding(0, None), Rounding(1, None)


@dataclass(frozen=True)
class Pole:
    """What makes an op singular.

    Args:
        is_there: operands to whether the op is singular with them.
        bounded: the bound and the operands to the partial derivatives of Saturating mode.
    """

    is_there: Callable[..., bool]
    bounded: Callable[..., tuple[Any, ...]]


@dataclass(frozen=True, repr=False)
class OpCase:
    """An op, written from the contract and from nothing else. Nothing here has a default.

    Operands are those of the op in order: for ``pow_int`` the base and the exponent, for a
    reduction the values that it keeps.

    Args:
        name: the row of the op table.
        value: doubles to a double, for any of them; computed with ``DIGITS`` digits.
        rounding: the error allowed to the value.
        partials: operands as :func:`exact` gives them to the partial derivative by each, wherever
            operands and value are REAL; ±∞ where the slope is infinite.
        slope: how large the partial derivatives get.
        pole: None for an op that is never singular.
        accuracy: None where the value is exact, or no elementary function of its own.
        landmarks: REAL operands at roots, stationary and removable points, jumps, the ends of
            domains and the edges of the range; tests go next to them too. At least one.
        bad_points: at least one.
    """

    name: str
    value: Callable[..., float]
    rounding: Rounding
    partials: Callable[..., tuple[Any, ...]]
    slope: Slope
    pole: Optional[Pole]
    accuracy: Optional[Accuracy]
    landmarks: tuple[tuple[float, ...], ...]
    bad_points: tuple[BadPoint, ...]

    def __post_init__(self) -> None:
        value = self.value

        @functools.wraps(value)
        def with_all_digits(*operands: float) -> float:
            with mpmath.workdps(DIGITS):
                return value(*operands)

        object.__setattr__(self, "value", with_all_digits)

    def __repr__(self) -> str:
        # Hypothesis writes down the arguments of every example that it is given.
        return f"<the case of {self.name}>"

    def assert_value(self, found: Any, *operands: float) -> None:
        """A TR scalar has the tag of the value, and its bits or what rounding allows."""
        expected = self.value(*operands)
        assert found.tag.name == tag(expected), (found, expected)
        if self.rounding.ulps == 0 or not math.isfinite(expected):
            assert same(found, expected), (found, expected)
            return
        scale = self.rounding.value_scale
        unit = math.ulp(max(abs(expected), scale(*operands) if scale else 0.0))
        assert abs(float(found) - expected) <= self.rounding.ulps * unit, (found, expected)

    def is_singular(self, *operands: float) -> bool:
        """Whether the op is singular with these operands."""
        return self.pole is not None and self.pole.is_there(*operands)

    @property
    def arity(self) -> str:
        """The arity, from the op table."""
        return _ARITY[self.name]

    def on_nodes(self, operands: tuple[float, ...]) -> tuple[Callable[..., Any], tuple[float, ...]]:
        """The op as a function of nodes alone, and the values for them."""
        op = node_op(self.name)
        if self.arity == "variadic":
            return (lambda *xs: op(xs)), operands
        if self.arity == "power":
            base, exponent = operands
            return (lambda x: op(x, exponent)), (base,)
        return op, operands
