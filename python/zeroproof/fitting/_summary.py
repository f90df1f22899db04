"""The table of a fit's parameters."""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

__all__ = ["Row", "rounded", "table"]

#: Decimal exponents of values between these are written out.
PLAIN = (-4, 6)


class Row(NamedTuple):
    """A parameter: its name, value, standard error, and what else there is to say."""

    name: str
    value: float
    stderr: float
    note: str


def rounded(value: float, stderr: float) -> tuple[str, str]:
    """A value and its standard error, of two digits, with the same last place.

    Both have the same power of ten, if any. Without a standard error that is positive and finite
    the value has eight digits.
    """
    if not (math.isfinite(stderr) and stderr > 0.0 and math.isfinite(value)):
        return f"{value:.8g}", "∞" if math.isinf(stderr) else ""
    # Rounding may carry: 0.0996 has the digits 0.10.
    last = int(f"{stderr:.1e}".split("e")[1]) - 1
    size = max(abs(value), stderr)
    power = int(f"{size:.1e}".split("e")[1])
    if PLAIN[0] < power < PLAIN[1] and last <= 0:
        return f"{value:.{-last}f}", f"{stderr:.{-last}f}"
    digits = max(power - last, 0)
    # The power of ten may be no double.
    scaled = [Decimal(number).scaleb(-power) for number in (value, stderr)]
    return f"{scaled[0]:.{digits}f}e{power:+03d}", f"{scaled[1]:.{digits}f}e{power:+03d}"


def table(rows: Iterable[Row]) -> str:
    """A line for each parameter: name, value ± standard error, and the error in percent."""
    lines = []
    for row in rows:
        value, error = rounded(row.value, row.stderr)
        note = row.note
        if not note and error and row.value != 0.0 and math.isfinite(row.stderr):
            note = f"{abs(row.stderr / row.value):.2%}"
        lines.append((row.name, value, f"± {error}" if error else "", note))
    heads = ("parameter", "value", "standard error", "")
    widths = [max(len(line[place]) for line in [heads, *lines]) for place in range(3)]
    return "\n".join(
        f"{name:<{widths[0]}}  {value:>{widths[1]}}  {error:<{widths[2]}}  {note}".rstrip()
        for name, value, error, note in [heads, *lines]
    )
