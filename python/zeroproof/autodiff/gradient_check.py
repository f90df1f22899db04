"""A check of gradients by finite differences that takes poles into account.

Where a function is smooth, the gradient has to be its slope. At a pole there is no slope, and a
gradient of zero is correct if its status is MASKED. The check distinguishes these cases, and
removable singularities, where the function is smooth but its formula masks the gradient.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import product
from typing import Any, Union

from .. import _native
from .._enums import GradientMode
from .._native import TRScalar
from ._check_point import Gradients, Point
from ._check_rows import GradientRow
from ._check_second import SecondPoint
from ._check_table import ROWS, table
from ._check_verdicts import INCOMPLETE, Seen, Verdict, judge
from ._differences import differences

__all__ = ["GradientCheck", "GradientRow", "Verdict", "assert_gradient", "check_gradient"]


@dataclass(frozen=True, repr=False)
class GradientCheck:
    """The result of :func:`check_gradient`, true if it is ``ok``. Its repr is a table.

    The check of a function of one number unpacks as ``analytical, numerical, relative_error``; the
    latter two are NaN where there is no slope to compare with. The check of several numbers has
    ``rows`` instead, and iterating over it raises a TypeError.

    Examples:
        >>> from zeroproof.autodiff import check_gradient
        >>> check = check_gradient(lambda x, y: x / y, 3.0, 2.0)
        >>> check.ok, [row.verdict.name for row in check.rows]
        (True, ['OK', 'OK'])
    """

    value: TRScalar
    """The value of the function at the point."""
    mode: GradientMode
    """The mode of the gradients."""
    rows: tuple[GradientRow, ...]
    """One for each input, or each pair of inputs for second derivatives."""
    order: int = 1
    """1 for gradients, 2 for second derivatives."""

    @property
    def ok(self) -> bool:
        """Whether no gradient is wrong and none is masked where the function is smooth."""
        return not any(row.fails for row in self.rows)

    def __bool__(self) -> bool:
        return self.ok

    def __iter__(self) -> Iterator[float]:
        if len(self.rows) != 1:
            raise TypeError(
                f"a gradient check of {len(self.rows)} {ROWS[self.order]} does not unpack as one "
                "gradient: iterate over its rows"
            )
        [row] = self.rows
        numbers = (row.gradient, row.numerical, row.relative_error)
        return iter([math.nan if number is None else number for number in numbers])

    def __repr__(self) -> str:
        return table(self.value, self.mode, self.rows, self.order)


def check_gradient(
    f: Callable[..., Any],
    *xs: Any,
    order: int = 1,
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

    With ``order=2``, second derivatives are compared with differences of the gradients of the mode,
    bounded ones with those of bounded gradients. There is a row for each pair of inputs, such as
    ``(x[0], x[1])``: how the gradient by the first changes with the second. A gradient that is
    masked or dropped at the point only, or on one side, is treated as a value that is not REAL; one
    that is masked all around is compared as it is. The gradients themselves are not checked.

    ``f`` is called about 50 times for each input. No node's ``gradient`` changes. Statistics are
    unchanged, except in Hybrid mode while a policy is in its saturating state, when they count the
    passes of the check.

    Args:
        f: takes a node for each of ``xs``, or an object array of nodes for an array, and returns a
            node or a number.
        xs: the point: each a number, a TR scalar or a node, or a list, tuple or array of these; or
            a structure of all that: a dict, list, tuple, named tuple or dataclass, nested in any
            way. A list or tuple without arrays and containers in it reaches ``f`` as an array.
        order: 1 for gradients, 2 for second derivatives.
        mode: the gradient mode or its name, such as ``"hybrid"``; by default the current one.
        rtol: the relative error allowed.
        atol: the absolute error allowed, in addition to the error estimate of the differences.

    Returns:
        A ``GradientCheck``: a table of one row for each input, named by its path, such as
        ``p['w'][0, 1]``. For a single number it also unpacks as ``analytical, numerical,
        relative_error``.

    Raises:
        NotImplementedError: for ``order=2``, if ``f`` uses gradients that depend on the inputs.
        TypeError: if ``f`` returns neither a node nor a number, or an input is not a number.
        ValueError: if there are no inputs or one is not finite, for an unknown mode, unless
            ``order`` is 1 or 2, ``rtol`` is positive and finite, and ``atol`` is finite and not
            negative.

    Examples:
        >>> from zeroproof import check_gradient
        >>> check = check_gradient(lambda x: 1.0 / x, 0.0)
        >>> print(check.ok, check.rows[0].verdict.name)
        True MASKED
    """
    if isinstance(order, bool) or order not in ROWS:
        raise ValueError(
            f"order must be 1, for gradients, or 2, for second derivatives, not {order!r}"
        )
    if not 0.0 < rtol < math.inf:
        raise ValueError(f"rtol must be a positive finite number, not {rtol}")
    if not 0.0 <= atol < math.inf:
        raise ValueError(f"atol must be a finite number that is not negative, not {atol}")
    block = nullcontext() if mode is None else _native.gradient_block(_mode(mode))
    with block:
        if order == 2:
            return _second(f, xs, rtol, atol)
        point = Point(f, xs)
        gradients = point.gradients()
        rows = tuple(
            _row(point, gradients, place, rtol, atol) for place in range(len(point.values))
        )
        return GradientCheck(gradients.value, _native.get_mode(), rows)


def assert_gradient(
    f: Callable[..., Any],
    *xs: Any,
    order: int = 1,
    mode: Union[GradientMode, str, None] = None,
    rtol: float = 1e-6,
    atol: float = 0.0,
    allow: Iterable[Verdict] = (),
) -> None:
    """Asserts that :func:`check_gradient` finds no wrong gradient.

    Args:
        f: as for ``check_gradient``.
        xs: as for ``check_gradient``.
        order: as for ``check_gradient``.
        mode: as for ``check_gradient``.
        rtol: as for ``check_gradient``.
        atol: as for ``check_gradient``.
        allow: further verdicts to accept, for instance ``{Verdict.REMOVABLE}``.

    Raises:
        AssertionError: with the table, if an input has a verdict ``wrong`` or ``removable
            singularity`` that is not allowed.
        TypeError: as for ``check_gradient``.
        ValueError: as for ``check_gradient``.
        NotImplementedError: as for ``check_gradient``.

    Examples:
        >>> from zeroproof.autodiff import assert_gradient
        >>> assert_gradient(lambda x, y: x / y, 3.0, 2.0)
    """
    allowed = {Verdict(verdict) for verdict in allow}
    check = check_gradient(f, *xs, order=order, mode=mode, rtol=rtol, atol=atol)
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
    incomplete = bool((status | found.classical[place][1]) & INCOMPLETE)
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
    return _judged(seen, point.names[place], x)


def _second(f: Callable[..., Any], xs: Sequence[Any], rtol: float, atol: float) -> GradientCheck:
    """Checks how the gradient by each input changes with each."""
    point = SecondPoint(f, xs)
    pairs = product(point.names, zip(point.names, point.values))
    rows = tuple(
        _judged(seen, f"({of}, {along})", x)
        for seen, (of, (along, x)) in zip(point.entries(rtol, atol), pairs)
    )
    return GradientCheck(point.value, _native.get_mode(), rows, 2)


def _judged(seen: Seen, name: str, x: float) -> GradientRow:
    """The row of a gradient."""
    verdict, slope, note = judge(seen)
    relative = None
    if slope is not None:
        larger = max(abs(seen.gradient), abs(slope.value))
        relative = abs(seen.gradient - slope.value) / larger if larger else 0.0
    return GradientRow(
        name=name,
        x=x,
        gradient=seen.gradient,
        numerical=None if slope is None else slope.value,
        error_estimate=None if slope is None else slope.error,
        relative_error=relative,
        status=seen.status,
        verdict=verdict,
        note=note,
    )
