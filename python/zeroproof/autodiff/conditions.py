"""Total conditions, and ``tr_where``, which selects one of two operands by a condition.

Conditions are those of the transreal order −∞ < REAL < +∞, in which Φ is unordered. They never
raise for a value. For nodes, TR scalars and numbers they return a bool; in a function traced for
``tr_vmap`` they record a condition, which ``tr_where`` accepts as well.
"""

from .._native import (
    tr_and,
    tr_equal,
    tr_greater,
    tr_greater_equal,
    tr_is_infinite,
    tr_is_phi,
    tr_is_real,
    tr_less,
    tr_less_equal,
    tr_not,
    tr_or,
    tr_where,
)

__all__ = [
    "tr_and",
    "tr_equal",
    "tr_greater",
    "tr_greater_equal",
    "tr_is_infinite",
    "tr_is_phi",
    "tr_is_real",
    "tr_less",
    "tr_less_equal",
    "tr_not",
    "tr_or",
    "tr_where",
]
