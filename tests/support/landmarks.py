"""Operands at and next to the landmarks of an op: where a formula cancels, switches or ends."""

from __future__ import annotations

import math
from collections.abc import Iterator

from support.op_case import OpCase

#: How far from a number other than 0, relative to it: as far as cancelling costs digits.
_RELATIVE = [2.0**-k for k in (50, 45, 38, 31, 26, 20, 13, 7, 3)]
#: How far from 0.
_ABSOLUTE = [5e-324, 1e-310, 2.0**-1022, 1e-200, 1e-154, 1e-100, 1e-20, 1e-9, 1e-5, 1e-3, 0.1]

#: Adjoints that take a contribution to both ends of the range.
SEEDS = [1.0, -3.0, 5e-324, 1e-310, -1e-160, 1e-20, 1e160, -1e300, 1.7e308]
#: Saturation bounds of every size.
BOUNDS = [1.0, 1e-3, 1e3, 1e-160, 1e160, 5e-324, 1.7e308]


def beside(x: float) -> list[float]:
    """The number itself, the two doubles on either side of it, and others farther away."""
    steps = [d * abs(x) for d in _RELATIVE] if x else _ABSOLUTE
    found = [x, *(x + d for d in steps), *(x - d for d in steps)]
    for limit in (math.inf, -math.inf):
        step = math.nextafter(x, limit)
        found += [step, math.nextafter(step, limit)]
    return [y for y in found if math.isfinite(y)]


def around(case: OpCase) -> Iterator[tuple[float, ...]]:
    """The landmarks of an op, and operands that differ from one in a single place or in all."""
    for landmark in case.landmarks:
        yield landmark
        places = 1 if case.arity == "power" else len(landmark)
        near = [beside(x) for x in landmark[:places]]
        for place, operands in enumerate(near):
            for x in operands:
                yield (*landmark[:place], x, *landmark[place + 1 :])
        if places > 1:
            yield from zip(*near)
            yield from zip(near[0][::-1], *near[1:])
