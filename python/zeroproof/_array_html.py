"""Arrays of transreal values as HTML tables, for notebooks."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Optional

import numpy as np

from ._arrays import Array
from ._native import TRScalar

__all__ = ["table"]

#: Longer axes show so many elements at each end.
EDGE = 5
NAMES = {"+∞": "plus infinity", "−∞": "minus infinity", "Φ": "nullity"}


def table(array: Array) -> str:
    """A table of a vector or matrix, or of the matrices of an array with more axes.

    Long axes are abbreviated. The symbols of values that are not REAL have names for readers that
    speak; nothing is told by a color alone.
    """
    shape = "×".join(map(str, array.shape)) or "one value"
    caption = f"TRArray, {shape}" if array.ndim != 1 else f"TRArray, {shape} elements"
    matrices = array.reshape(1, -1) if array.ndim < 2 else array
    body = "".join(_bodies(matrices))
    return f"<table><caption>{escape(caption)}</caption>{body}</table>"


def _bodies(array: Array) -> Iterator[str]:
    """One group of rows for each matrix."""
    outer = array.shape[:-2]
    count = int(np.prod(outer)) if outer else 1
    columns = _shown(array.shape[-1])
    heads = "".join(_head("col", place) for place in columns)
    yield f"<thead><tr><td></td>{heads}</tr></thead>"
    for number in _shown(count):
        if number is None:
            yield f'<tbody><tr><td colspan="{len(columns) + 1}">⋮</td></tr></tbody>'
            continue
        place = np.unravel_index(number, outer) if outer else ()
        label = f"[{', '.join(map(str, place))}]"
        title = f'<tr><th scope="rowgroup" colspan="{len(columns) + 1}">{label}</th></tr>'
        rows = "".join(_row(array[place], row, columns) for row in _shown(array.shape[-2]))
        yield f"<tbody>{title if outer else ''}{rows}</tbody>"


def _shown(length: int) -> list[Optional[int]]:
    """The places shown of an axis, None for those left out."""
    if length <= 2 * EDGE + 1:
        return [*range(length)]
    return [*range(EDGE), None, *range(length - EDGE, length)]


def _head(scope: str, place: Optional[int]) -> str:
    return f'<th scope="{scope}">{"…" if place is None else place}</th>'


def _row(matrix: Array, row: Optional[int], columns: list[Optional[int]]) -> str:
    if row is None:
        return f"<tr>{_head('row', None)}{'<td>⋮</td>' * len(columns)}</tr>"
    cells = ["<td>…</td>" if place is None else _cell(matrix[row, place]) for place in columns]
    return f"<tr>{_head('row', row)}{''.join(cells)}</tr>"


def _cell(number: float) -> str:
    text = str(TRScalar(number))
    name = NAMES.get(text)
    if name is None:
        return f"<td>{escape(text)}</td>"
    return f'<td><abbr title="{name}">{escape(text)}</abbr></td>'
