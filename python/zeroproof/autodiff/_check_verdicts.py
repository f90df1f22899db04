"""The verdict on a gradient, from its value, its status and the finite differences.

The decision table, for each input; the first row that holds decides. A gradient is *incomplete* if
its status, or that in Mask-REAL mode, is MASKED or DROPPED.

=====================================  =========================================================
f around the point                     verdict
=====================================  =========================================================
REAL on no side                        masked as it should be; ok if complete
REAL on one side                       one-sided only; wrong if complete, not saturated, and
                                       different from the slope of that side
values do not converge (pole)          masked as it should be; ok if complete
values jump                            masked as it should be; if complete, ok for 0 or a slope
                                       between those of the sides, else wrong
slopes of the sides differ (kink)      ok for a slope between theirs; if incomplete, masked as
                                       it should be; else wrong
slopes do not converge (unbounded)     masked as it should be; ok if complete
smooth, f not REAL at the point        masked but the function is smooth here
smooth, the gradient agrees            ok, complete or not
smooth, incomplete                     masked but the function is smooth here
smooth, complete                       wrong
=====================================  =========================================================

A gradient with the status SATURATED is bounded on purpose and is not the slope. It is ok if there
is no slope. If there is one, it passes if the same gradient with a bound near 0, the limit in which
bounded partials become the classical ones, is that slope. An "ok" without a slope to compare with
comes with a note that says so.

A smooth function may be composed of functions with kinks that cancel: max(x, min(x, y)) is x. At
x = y its gradient, by the rule that ties share, is not its slope. That is "wrong" with a note.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, Optional

from .._enums import GradientStatus
from ._check_point import Graph
from ._differences import Differences, Estimate, Side

#: The error of an extrapolated number may be this multiple of its estimate.
_SAFETY = 8.0
#: The relative difference by rounding that is allowed between two equal limits.
_SAME = 1e-9

#: A note reports a tolerance above this relative error.
_COARSE = 2e-4

INCOMPLETE = GradientStatus.MASKED | GradientStatus.DROPPED


class Verdict(Enum):
    """The result of the check of the gradient by one input.

    Examples:
        >>> from zeroproof.autodiff import Verdict, check_gradient
        >>> check = check_gradient(lambda x, y: x / y + 2.0 * x, 3.0, 0.0)
        >>> [row.verdict is Verdict.MASKED for row in check.rows]
        [True, True]
    """

    OK = "ok"
    """The gradient is the slope, or lies between the slopes of the two sides."""
    WRONG = "wrong"
    """The gradient is not the slope, and its status does not indicate that."""
    MASKED = "masked as it should be"
    """There is no slope here, and the gradient was masked or dropped."""
    REMOVABLE = "masked but the function is smooth here: removable singularity"
    """There is a slope here, but the formula of f is not REAL."""
    ONE_SIDED = "one-sided only"
    """f is REAL on one side of the point only."""


class Finding(NamedTuple):
    """A verdict, the slope it is based on, and a note."""

    verdict: Verdict
    slope: Optional[Estimate] = None
    note: str = ""


@dataclass(frozen=True)
class Seen:
    """The data on the gradient by one input."""

    value: float
    """f at the point, as an IEEE double."""
    graph: Graph
    rounding: float
    """A bound on the rounding error of the gradient."""
    gradient: float
    classical: float
    """The gradient with a bound near 0; the same as ``gradient`` if that was not bounded."""
    status: GradientStatus
    incomplete: bool
    around: Differences
    rtol: float
    atol: float
    bounded_is_slope: bool = False
    """Whether what ``around`` was made from has bounded partials too."""
    subject: str = "f"
    """What the slope is of, for notes."""
    whole: str = "REAL"
    """What that is where it may be compared with."""

    @property
    def bounded(self) -> bool:
        """Whether the gradient is saturated and complete, and so is no slope."""
        saturated = bool(self.status & GradientStatus.SATURATED) and not self.bounded_is_slope
        return saturated and not self.status & INCOMPLETE

    def lies(self, gradient: float, low: Estimate, high: Estimate) -> bool:
        """Whether a gradient lies between two slopes."""
        if not math.isfinite(gradient):
            return False
        below, above = low.value - self.tolerance(low), high.value + self.tolerance(high)
        return below <= gradient <= above

    def tolerance(self, slope: Estimate) -> float:
        """How far the gradient may be from a slope."""
        uncertain = _SAFETY * slope.error + self.rounding
        return self.rtol * abs(slope.value) + uncertain + self.atol

    def tends_to(self, limit: Estimate) -> bool:
        """Whether a limit is the value at the point, if that is REAL."""
        if not math.isfinite(self.value):
            return True
        rounding = 4.0 * self.graph.noise + _SAME * abs(limit.value)
        return abs(self.value - limit.value) <= _SAFETY * limit.error + rounding


def judge(seen: Seen) -> Finding:
    """The verdict by the decision table."""
    finding = _compare(seen)
    if finding.verdict is not Verdict.WRONG:
        return finding
    if seen.graph.unresolved:
        return Finding(Verdict.OK, note="not compared: a part of f is too steep for doubles here")
    if seen.graph.kinked:
        remark = "a part of f has a kink here, and its subgradient is not the slope of the whole"
        return finding._replace(note=f"{finding.note}; {remark}" if finding.note else remark)
    return finding


def _compare(seen: Seen) -> Finding:
    left, right = seen.around.left, seen.around.right
    if not left.real and not right.real:
        return _no_slope(seen, f"{seen.subject} is not {seen.whole} on either side")
    if not left.real:
        return _one_sided(seen, right, "right")
    if not right.real:
        return _one_sided(seen, left, "left")
    if left.limit is None or right.limit is None:
        return _no_slope(seen, f"the values of {seen.subject} do not converge towards this point")
    if not (_same(left.limit, right.limit) and all(map(seen.tends_to, (left.limit, right.limit)))):
        return _jump(seen, left, right)
    if left.slope is not None and right.slope is not None:
        low, high = sorted((left.slope, right.slope))
        if not _same(low, high):
            return _kink(seen, low, high, f"{left.slope.value:.6g}", f"{right.slope.value:.6g}")
    elif seen.incomplete:
        return _no_slope(seen, f"the slope of {seen.subject} is unbounded or does not converge")
    centre = seen.around.centre
    settled = [slope for slope in (left.slope, right.slope) if slope is not None]
    if centre is None or not all(_same(slope, centre) for slope in settled):
        return _no_slope(seen, f"the differences of {seen.subject} do not converge")
    return _smooth(seen, centre)


def _same(a: Estimate, b: Estimate) -> bool:
    """Whether two limits are equal to within their errors."""
    rounding = _SAME * max(abs(a.value), abs(b.value))
    return abs(a.value - b.value) <= _SAFETY * (a.error + b.error) + rounding


def _no_slope(seen: Seen, why: str) -> Finding:
    """The verdict if there is no slope to compare with."""
    if seen.bounded:
        return Finding(Verdict.OK, note=f"saturated: {why}")
    if seen.incomplete:
        return Finding(Verdict.MASKED, note=why)
    return Finding(Verdict.OK, note=f"not compared: {why}")


def _one_sided(seen: Seen, side: Side, name: str) -> Finding:
    slope, note = side.slope, f"{seen.subject} is {seen.whole} on the {name} only"
    if slope is None:
        note += ", where its slope is unbounded or does not converge"
    elif (
        not (seen.incomplete or seen.bounded)
        and side.limit is not None
        and seen.tends_to(side.limit)
        and not seen.lies(seen.gradient, slope, slope)
    ):
        return Finding(Verdict.WRONG, slope, note)
    return Finding(Verdict.ONE_SIDED, slope, note)


def _jump(seen: Seen, left: Side, right: Side) -> Finding:
    why = f"{seen.subject} jumps here"
    if seen.incomplete or seen.bounded or left.slope is None or right.slope is None:
        return _no_slope(seen, why)
    low, high = sorted((left.slope, right.slope))
    if seen.gradient == 0.0 or seen.lies(seen.gradient, low, high):
        return Finding(Verdict.OK, note=why)
    return Finding(Verdict.WRONG, note=why)


def _kink(seen: Seen, low: Estimate, high: Estimate, left: str, right: str) -> Finding:
    note = f"kink: slope {left} on the left, {right} on the right"
    if seen.lies(seen.gradient, low, high):
        return Finding(Verdict.OK, note=note)
    if seen.incomplete or (seen.bounded and seen.lies(seen.classical, low, high)):
        return _no_slope(seen, note)
    return Finding(Verdict.WRONG, note=note)


def _smooth(seen: Seen, slope: Estimate) -> Finding:
    agrees = seen.lies(seen.gradient, slope, slope)
    if not math.isfinite(seen.value):
        # A zero that happens to equal the slope is still a masked one.
        return Finding(
            Verdict.REMOVABLE, slope, f"{seen.subject} is not {seen.whole} here" if agrees else ""
        )
    if agrees:
        return Finding(Verdict.OK, slope, _note_on_agreement(seen, slope))
    if seen.incomplete:
        return Finding(Verdict.REMOVABLE, slope)
    if seen.bounded and seen.lies(seen.classical, slope, slope):
        return Finding(Verdict.OK, slope, "saturated; with a bound near 0 it is the slope")
    return Finding(Verdict.WRONG, slope)


def _note_on_agreement(seen: Seen, slope: Estimate) -> str:
    """The note for a gradient that agrees with the slope."""
    if seen.status & INCOMPLETE:
        return "correct although a path was masked or dropped"
    tolerance = seen.tolerance(slope)
    if tolerance > _COARSE * max(abs(seen.gradient), abs(slope.value)) and seen.gradient != 0.0:
        return f"compared to within {tolerance:.1e} only, by rounding"
    return ""
