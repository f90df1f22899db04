"""What a saved rational function holds, checked place by place: the file need not be trusted."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any, NamedTuple, Optional

import numpy as np

from .._arrays import Array
from ._chebyshev import SMALLEST_HALF, Interval
from ._record import FitRecord

__all__ = ["Fields", "fields_of"]

#: How often a function that is read may have been differentiated.
_MOST_ORDER = 1000
_MOST_COUNT = 2**53
#: How the numbers are written that JSON does not have.
_SPECIAL = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}


class Fields(NamedTuple):
    """The arguments of a rational function."""

    numerator: Array
    denominator: Array
    interval: tuple[float, float]
    frame: Interval
    order: int
    spread: Optional[Array]
    record: Optional[FitRecord]


def fields_of(content: dict[str, Any]) -> Fields:
    """The arguments that are written in a file.

    Raises:
        ValueError: for a field that is missing or is not what it should be; the message names it.
    """
    numerator = _array(_field(content, "numerator"), "numerator", 1)
    denominator = _array(_field(content, "denominator"), "denominator", 1)
    ends = _array(_field(content, "interval"), "interval", 1)
    if len(ends) != 2:
        raise ValueError(f"interval: expected two numbers, not {len(ends)}")
    centre = _finite(_field(content, "centre"), "centre")
    half = _finite(_field(content, "half"), "half")
    if half < SMALLEST_HALF:
        raise ValueError(f"half: expected a number of at least {SMALLEST_HALF!r}, not {half!r}")
    order = _whole(_field(content, "order"), "order")
    if not 1 <= order <= _MOST_ORDER:
        raise ValueError(f"order: expected a number from 1 to {_MOST_ORDER}, not {order}")
    spread, fit = _field(content, "spread"), _field(content, "fit")
    if spread is not None:
        spread = _array(spread, "spread", 2)
        if len(spread) != len(numerator) + len(denominator):
            raise ValueError("spread: expected a row for each coefficient")
        if order > 1:
            raise ValueError("spread: expected null, as the order is more than 1")
    low, high = map(float, ends)
    frame = Interval(centre, half)
    record = None if fit is None else _record(fit)
    return Fields(numerator, denominator, (low, high), frame, order, spread, record)


def _record(content: Any) -> FitRecord:
    if type(content) is not dict:
        raise ValueError("fit: expected an object or null")
    unknown = sorted(set(content) - set(_RECORD))
    if unknown:
        raise ValueError(f"fit: {unknown[0]!r} is not known here")
    read = {
        name: check(_field(content, name, "fit."), f"fit.{name}")
        for name, check in _RECORD.items()
        if name in content or name not in _OPTIONAL
    }
    return FitRecord(**read)


def _field(content: dict[str, Any], name: str, above: str = "") -> Any:
    if name not in content:
        raise ValueError(f"{above}{name} is missing")
    return content[name]


def _finite(value: Any, place: str) -> float:
    found = _number(value, place)
    if not math.isfinite(found):
        raise ValueError(f"{place}: expected a finite number, not {value!r}")
    return found


def _number(value: Any, place: str) -> float:
    """A double; those that JSON does not have are strings."""
    if isinstance(value, str) and value in _SPECIAL:
        return _SPECIAL[value]
    if type(value) not in (int, float):
        raise ValueError(f"{place}: expected a number, not {_shown(value)}")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{place}: the number is too large for a double") from None


def _size(value: Any, place: str) -> float:
    """A number that is not negative, or NaN."""
    found = _number(value, place)
    if found < 0.0:
        raise ValueError(f"{place}: expected a number that is not negative, not {value!r}")
    return found


def _number_or_none(value: Any, place: str) -> Optional[float]:
    return None if value is None else _number(value, place)


def _whole(value: Any, place: str) -> int:
    if type(value) is not int or abs(value) > _MOST_COUNT:
        raise ValueError(f"{place}: expected a whole number, not {_shown(value)}")
    return value


def _count(value: Any, place: str) -> int:
    if _whole(value, place) < 0:
        raise ValueError(f"{place}: expected a count, not {value}")
    return int(value)


def _truth(value: Any, place: str) -> bool:
    if type(value) is not bool:
        raise ValueError(f"{place}: expected true or false, not {_shown(value)}")
    return value


def _text(value: Any, place: str) -> str:
    if type(value) is not str:
        raise ValueError(f"{place}: expected a string, not {_shown(value)}")
    return value


def _texts(value: Any, place: str) -> tuple[str, ...]:
    if type(value) is not list:
        raise ValueError(f"{place}: expected an array of strings, not {_shown(value)}")
    return tuple(_text(each, place) for each in value)


def _array(value: Any, place: str, axes: int) -> Array:
    """Finite numbers, in lists that are nested this deep and of one length."""
    if type(value) is not list:
        raise ValueError(f"{place}: expected an array of numbers, not {_shown(value)}")
    if axes == 1:
        return np.array([_finite(each, place) for each in value], np.float64)
    rows = [_array(each, place, axes - 1) for each in value]
    if len({len(row) for row in rows}) > 1:
        raise ValueError(f"{place}: its rows are not of one length")
    return np.array(rows, np.float64).reshape(len(rows), -1 if rows and len(rows[0]) else 0)


def _shown(value: Any) -> str:
    """A value as errors quote it: an array or object may be long."""
    return type(value).__name__ if isinstance(value, (list, dict)) else repr(value)[:40]


_RECORD: dict[str, Callable[[Any, str], Any]] = {
    "rows": _count,
    "left_out": _count,
    "marked": _count,
    "parameters": _count,
    "loss": _text,
    "loss_scale": _number_or_none,
    "sigma_given": _truth,
    "sse": _size,
    "scale": _size,
    "exact": _truth,
    "choice": _text,
    "criterion": _number_or_none,
    "warnings": _texts,
    "refused": _count,
}
_OPTIONAL = {
    each.name for each in dataclasses.fields(FitRecord) if each.default is not dataclasses.MISSING
}
