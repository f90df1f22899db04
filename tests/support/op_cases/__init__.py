"""One entry per op: values, slopes, bounded slopes and bad points, written from the contract.

Every test that runs over the op table takes its cases from here. An op that is added to the table
needs an entry in the file of its family, with the functions that it alone needs above it, and
nothing else in the tests.

Doubles stand for TR values (NaN is Φ). Arithmetic that the tables call REAL is Python's correctly
rounded float arithmetic; elementary functions and all slopes come from mpmath.
"""

from __future__ import annotations

from support.op_case import OpCase
from support.op_cases import (
    angles,
    arithmetic,
    exponentials,
    hyperbolic,
    logarithms,
    order,
    powers,
    reductions,
    rounding,
    special,
)

_FAMILIES = (
    arithmetic,
    order,
    rounding,
    exponentials,
    logarithms,
    hyperbolic,
    angles,
    powers,
    special,
    reductions,
)

_ENTRIES = [
    entry for family in _FAMILIES for entry in vars(family).values() if isinstance(entry, OpCase)
]
#: Every op but the leaves, by its name in the op table.
CASES = {entry.name: entry for entry in _ENTRIES}
assert len(CASES) == len(_ENTRIES), "an op has two entries"


def cases(*arities: str) -> list[OpCase]:
    """The cases of these arities, all of them if none is named."""
    return [case for case in CASES.values() if not arities or case.arity in arities]
