"""Reading intervals from arguments."""

from __future__ import annotations

from typing import Any


def pairs_of_numbers(given: Any) -> list[tuple[float, float]]:
    """The pairs ``(low, high)`` of an argument.

    Raises:
        TypeError or ValueError: for what is no list of pairs of numbers. Text is none, though
            ``float`` would read it: ``"12"`` is no (1, 2).
    """
    rows = list(given)
    if any(isinstance(row, (str, bytes)) for row in rows):
        raise TypeError
    return [(_number(low), _number(high)) for low, high in rows]


def _number(end: Any) -> float:
    if isinstance(end, (str, bytes)):
        raise TypeError
    return float(end)
