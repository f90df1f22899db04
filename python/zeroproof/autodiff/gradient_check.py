"""A check of gradients by finite differences that takes poles into account.

Where a function is smooth, the gradient has to be its slope. At a pole there is no slope, and a
gradient of zero is correct if its status is MASKED. The check distinguishes these cases, and
removable singularities, where the function is smooth but its formula masks the gradient.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Union

from .. import _native
from .._enums import GradientMode, GradientStatus
from .._native import TRScalar
from ._check_point import Gradients, Point
from ._check_rows import GradientRow
from ._check_table import table
from ._check_verdicts import Seen, Verdict, judge
from ._differences import differences

__all__ = ["GradientCheck", "GradientRow", "Verdict", "assert_gradient", "check_gradient"]

_INCOMPLETE = GradientStatus.MASKED | GradientStatus.DROPPED


@dataclass(frozen=True, repr=False)
class GradientCheck:
    """The result of :func:`check_gradient`, true if it is ``ok``. Its repr is a table.

    The check of a function of one number unpacks as ``analytical, numerical, relative_error``; the
    latter two are NaN where there is no slope to compare with. The check of several numbers has
    ``rows`` instead, and iterating over it raises a TypeError.
    """

    value: TRScalar
    """The value of the function at the point."""
    mode: GradientMode
    """The mode of the gradients."""
    rows: tuple[GradientRow, ...]
    """One for each input."""

    @property
    def ok(self) -> bool:
        """Whether no gradient is wrong and none is masked where the function is smooth."""
        return not any(row.fails for row in self.rows)

    def __bool__(self) -> bool:
        return self.ok

    def __iter__(self) -> Iterator[float]:
        if len(self.rows) != 1:
            raise TypeError(
                f"a gradient check of {len(self.rows)} inputs does not unpack as one gradient: "
                "iterate over its rows"
            )
        [row] = self.rows
        numbers = (row.gradient, row.numerical, row.relative_error)
        return iter([math.nan if number is None else number for number in numbers])

    def __repr__(self) -> str:
        return table(self.value, self.mode, self.rows)


def check_gradient(
    f: Callable[..., Any],
    *xs: Any,
    mode: Union[GradientMode, str, None] = None,
    rtol: float = 1e-6,
    atol: float = 0.0,
) -> GradientCheck:
    """Compares the gradient of ``f`` by every input with finite differences.

    Differences are taken at a sequence of step sizes and extrapolated, with an error estimate. The
    comparison, the status of the gradient, and whether ``f`` is smooth, has a kink, a jump or a
    pole, or is REAL on one side only determine a :class:`Verdict` for each input:

    - ``ok``: the gradient is the slope; at a kink, it lies between the slopes of the two sides. If
      there is no slope to compare with and nothing was masked, a note says so.
    - ``wrong``: the gradient is not the slope, and its status does not indicate that. Where kinks
      cancel, as in ``max(x, min(x, y))`` at ``x = y``, subgradients may not give the slope; a note
      says so.
    - ``masked as it should be``: masked or dropped where there is no slope.
    - ``masked but the function is smooth here: removable singularity``: ``x·x/x`` at 0. There is
      a slope, which another formula can provide: an operation such as ``tr_sinc``, or a
      ``tr_where`` whose branch at the point is a series. A constant there has the slope 0.
    - ``one-sided only``: ``f`` is REAL on one side, like ``√x`` at 0.

    Saturated gradients are not slopes. They pass if with a bound near 0 they are. Terms of ``f``
    below the rounding error of the others cannot be checked.

    ``f`` is called about 50 times for each input. No node's ``gradient`` changes. Statistics are
    unchanged, except in Hybrid mode while a policy is in its saturating state, when they count the
    passes of the check.

    Args:
        f: takes a node for each of ``xs``, or an object array of nodes for an array, and returns a
            node or a number.
        xs: the point: each a number, a TR scalar or a node, or a list, tuple or array of these; or
            a structure of all that: a dict, list, tuple, named tuple or dataclass, nested in any
            way. A list or tuple without arrays and containers in it reaches ``f`` as an array.
        mode: the gradient mode or its name, such as ``"hybrid"``; by default the current one.
        rtol: the relative error allowed.
        atol: the absolute error allowed, in addition to the error estimate of the differences.

    Returns:
        A ``GradientCheck``: a table of one row for each input, named by its path, such as
        ``p['w'][0, 1]``. For a single number it also unpacks as ``analytical, numerical,
        relative_error``.

    Raises:
        TypeError: if ``f`` returns neither a node nor a number, or an input is not a number.
        ValueError: if there are no inputs or one is not finite, for an unknown mode, unless
            ``rtol`` is positive and finite, and unless ``atol`` is finite and not negative.
    """
    if not 0.0 < rtol < math.inf:
        raise ValueError(f"rtol must be a positive finite number, not {rtol}")
    if not 0.0 <= atol < math.inf:
        raise ValueError(f"atol must be a finite number that is not negative, not {atol}")
    block = nullcontext() if mode is None else _native.gradient_block(_mode(mode))
    with block:
        point = Point(f, xs)
        gradients = point.gradients()
        rows = tuple(
            _row(point, gradients, place, rtol, atol) for place in range(len(point.values))
        )
        return GradientCheck(gradients.value, _native.get_mode(), rows)


def assert_gradient(
    f: Callable[..., Any],
    *xs: Any,
    mode: Union[GradientMode, str, None] = None,
    rtol: float = 1e-6,
    atol: float = 0.0,
    allow: Iterable[Verdict] = (),
) -> None:
    """Asserts that :func:`check_gradient` finds no wrong gradient.

    Args:
        f: as for ``check_gradient``.
        xs: as for ``check_gradient``.
        mode: as for ``check_gradient``.
        rtol: as for ``check_gradient``.
        atol: as for ``check_gradient``.
        allow: further verdicts to accept, for instance ``{Verdict.REMOVABLE}``.

    Raises:
        AssertionError: with the table, if an input has a verdict ``wrong`` or ``removable
            singularity`` that is not allowed.
        TypeError: as for ``check_gradient``.
        ValueError: as for ``check_gradient``.
    """
    allowed = {Verdict(verdict) for verdict in allow}
    check = check_gradient(f, *xs, mode=mode, rtol=rtol, atol=atol)
    if any(row.fails and row.verdict not in allowed for row in check.rows):
        raise AssertionError(repr(check))


def _mode(mode: Union[GradientMode, str]) -> GradientMode:
    if isinstance(mode, GradientMode):
        return mode
    names = ", ".join(repr(known.name.lower()) for known in GradientMode)
    if not isinstance(mode, str):
        raise TypeError(f"mode must be a GradientMode or one of {names}, not {mode!r}")
    try:
        return GradientMode[mode.upper()]
    except KeyError:
        raise ValueError(f"mode must be one of {names}, not {mode!r}") from None


def _row(point: Point, found: Gradients, place: int, rtol: float, atol: float) -> GradientRow:
    """Checks the gradient by one input."""
    x = point.values[place]
    gradient, status = found.in_mode[place]
    unbounded = found.unbounded[place]
    incomplete = bool((status | found.classical[place][1]) & _INCOMPLETE)
    expected = math.inf if incomplete else max(abs(gradient), abs(unbounded))
    seen = Seen(
        value=float(found.value),
        graph=found.graph,
        rounding=found.rounding[place],
        gradient=gradient,
        classical=unbounded,
        status=status,
        incomplete=incomplete,
        around=differences(point.near(place), x, found.graph.noise, expected),
        rtol=rtol,
        atol=atol,
    )
    verdict, slope, note = judge(seen)
    relative = None
    if slope is not None:
        larger = max(abs(gradient), abs(slope.value))
        relative = abs(gradient - slope.value) / larger if larger else 0.0
    return GradientRow(
        name=point.names[place],
        x=x,
        gradient=gradient,
        numerical=None if slope is None else slope.value,
        error_estimate=None if slope is None else slope.error,
        relative_error=relative,
        status=status,
        verdict=verdict,
        note=note,
    )
