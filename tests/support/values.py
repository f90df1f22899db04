"""Special values, and comparison by bits and by units of the last place."""

from __future__ import annotations

import math
import struct
from typing import Any

from zeroproof import TRNode

INF = math.inf
NAN = math.nan
SMALLEST = 5e-324
HUGE = 1.7e308

#: One of each kind of double; NaN stands for Φ.
SPECIALS = [-INF, -1.0, -0.0, 0.0, 1.0, INF, NAN, SMALLEST, HUGE]


def bits(x: Any) -> bytes:
    """The bits of a double; every NaN has the same."""
    value = x.item() if isinstance(x, TRNode) else float(x)
    return b"nan" if math.isnan(value) else struct.pack("<d", value)


def same(x: Any, y: Any) -> bool:
    """Whether two values have the same bits: tags, values and the sign of zero."""
    return bits(x) == bits(y)


def ulps(x: float, y: float) -> float:
    """The distance of two doubles in units of the last place of ``y``."""
    if x == y:
        return 0.0
    if not (math.isfinite(x) and math.isfinite(y)):
        return INF
    return abs(x - y) / math.ulp(y)
