"""Second derivatives at a point, and the gradients nearby that they are compared with.

Entry (i, j) says how the gradient by number i, in the current mode, changes with number j. It is
compared with differences of that gradient, which is exact to rounding, in the same mode.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from .. import _native
from .._enums import GradientStatus
from .._native import TRNode, TRScalar
from ._check_point import Gradient, Point, examine, gradients_by
from ._check_verdicts import INCOMPLETE, Seen
from ._differences import EPSILON, differences

#: Second derivatives are taken at so many points on each side, to measure their rounding errors ...
_NEARBY = 5
#: ... which are so many units in the last place apart, or so far where a number is 0.
_APART, _APART_AT_ZERO = 16.0, 1e-14
#: Rounding errors may be this multiple of those measured, and of one for each term of a gradient.
_UNSEEN = 4.0
#: Of the terms of a gradient, the largest part that is taken for rounding.
_LARGEST_NOISE = 1e-7

_ZERO = (0.0, GradientStatus.EXACT)


class _Found(NamedTuple):
    """What a pass of second order found at a point."""

    value: TRScalar
    gradient: list[Gradient]
    columns: list[list[Gradient]]


class SecondPoint(Point):
    """A function and the arguments to check its second derivatives at."""

    def __init__(self, f: Callable[..., Any], xs: Sequence[Any]) -> None:
        super().__init__(f, xs)
        sources, root = self._at(self.values)
        # In the mode: gradients with bounded partials have no terms as large as classical ones.
        self._graph, sizes = _native.call_uncounted(examine, root)
        self._found = self._second(root, sources)
        self._rounding = [_UNSEEN * EPSILON * sizes.get(hash(each), 0.0) for each in sources]
        self._errors = [[16.0 * EPSILON * abs(x) for x, _ in col] for col in self._found.columns]
        self._masked = [bool(status & INCOMPLETE) for _, status in self._found.gradient]
        for side in (1.0, -1.0):
            self._look_around(side, sizes=[sizes.get(hash(each), 0.0) for each in sources])

    @property
    def value(self) -> TRScalar:
        """The value of the function."""
        return self._found.value

    def entries(self, rtol: float, atol: float) -> list[Seen]:
        """The data on each entry, row by row."""
        count = len(self.values)
        columns = [self._column(place, rtol, atol) for place in range(count)]
        return [columns[j][i] for i in range(count) for j in range(count)]

    def _column(self, place: int, rtol: float, atol: float) -> list[Seen]:
        """The data on how each gradient changes with one number."""
        x = self.values[place]
        known: dict[float, tuple[TRScalar, list[Gradient]]] = {}

        def gradient(i: int, at: float) -> float:
            if at not in known:
                known[at] = self._gradients([*self.values[:place], at, *self.values[place + 1 :]])
            value, found = known[at]
            return self._whole(i, value, found[i])

        seen = []
        for i, (entry, status) in enumerate(self._found.columns[place]):
            first = self._found.gradient[i]
            incomplete = bool((status | first[1]) & INCOMPLETE)
            expected = math.inf if incomplete else abs(entry)
            noise = self._rounding[i]
            seen.append(
                Seen(
                    value=self._whole(i, self.value, first),
                    graph=self._graph._replace(noise=noise),
                    rounding=self._errors[place][i],
                    gradient=entry,
                    classical=entry,
                    status=status,
                    incomplete=incomplete,
                    around=differences(partial(gradient, i), x, noise, expected),
                    rtol=rtol,
                    atol=atol,
                    bounded_is_slope=True,
                    subject="the gradient",
                    whole="complete",
                )
            )
        return seen

    def _whole(self, i: int, value: TRScalar, gradient: Gradient) -> float:
        """A gradient; NaN where it is masked or dropped, unless it is all around the point."""
        number, status = gradient
        if status & INCOMPLETE and not (self._masked[i] and math.isfinite(float(value))):
            return math.nan
        return number

    def _look_around(self, side: float, sizes: list[float]) -> None:
        """Measures rounding errors by the points on one side, and sees what is masked there."""
        found = []
        for k in range(1, _NEARBY + 1):
            near = [
                x + side * k * (_APART * math.ulp(x) if x else _APART_AT_ZERO) for x in self.values
            ]
            if all(map(math.isfinite, near)):
                sources, root = self._at(near)
                found.append(self._second(root, sources))
        for i in range(len(self.values)):
            rows = [each.gradient[i] for each in found]
            self._masked[i] &= all(bool(status & INCOMPLETE) for _, status in rows)
            numbers = [number for number, _ in rows]
            bends = [abs(a - 2.0 * b + c) for a, b, c in zip(numbers, numbers[1:], numbers[2:])]
            bend = max(bends, default=0.0)
            if bend <= _LARGEST_NOISE * sizes[i]:
                self._rounding[i] = max(self._rounding[i], _UNSEEN * bend)
            for j, errors in enumerate(self._errors):
                entries = [each.columns[j][i][0] for each in found]
                spread = max(entries) - min(entries) if entries else 0.0
                if math.isfinite(spread):
                    errors[i] = max(errors[i], spread)

    def _at(self, values: Sequence[float]) -> tuple[list[TRNode], TRNode]:
        sources = [kind(value) for kind, value in zip(self._kinds, values)]
        return sources, self._call(sources)

    def _gradients(self, values: Sequence[float]) -> tuple[TRScalar, list[Gradient]]:
        sources, root = self._at(values)
        return root.value, gradients_by(root, sources)

    def _second(self, root: TRNode, sources: list[TRNode]) -> _Found:
        gradient, columns = _native.call_uncounted(_native.hessian, root, sources, None)
        return _Found(root.value, _numbers(gradient), [_numbers(column) for column in columns])


def _numbers(found: Sequence[Any]) -> list[Gradient]:
    return [_ZERO if each is None else (float(each[0]), each[1]) for each in found]
