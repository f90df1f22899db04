"""Tables of numbers: columns chosen by name or number, and errors that say where.

A table that NumPy reads is read by it, which takes a second for a million rows; any other one is
read line by line, to say what is wrong, or since it has commas as decimal points or quotes.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Optional

import numpy as np
import numpy.typing as npt

from .text import InputError, content, name_of, text_of

__all__ = ["Choice", "FloatArray", "Table", "read_table"]

FloatArray = npt.NDArray[np.float64]

COLUMNS_HINT = "two columns are needed, x and y, separated by comma, semicolon, tab or space"
MOST_QUOTED = 30
MOST_NAMED = 8
STARTS_LIKE_A_NUMBER = re.compile(r'\s*"?\s*[-+.]?[.\d]')


class Choice(NamedTuple):
    """The columns wanted, by name or by number from 1; None where they were not given.

    Without a y to read, ``known`` has the names that x may have, and ``inputs`` their number.
    """

    x: Optional[Sequence[str]] = None
    y: Optional[Sequence[str]] = None
    sigma: Optional[str] = None
    needs_y: bool = True
    known: Optional[Sequence[str]] = None
    inputs: int = 1


@dataclass(frozen=True)
class Table:
    """The columns of a table.

    Args:
        name: of the file.
        x: shape (rows, columns), finite.
        y: shape (rows, columns), empty if not wanted.
        sigma: shape (rows,), positive, or None.
        x_names: of the columns, ``x`` and so on without a header.
        y_names: likewise.
    """

    name: str
    x: FloatArray
    y: FloatArray
    sigma: Optional[FloatArray]
    x_names: tuple[str, ...]
    y_names: tuple[str, ...]


@dataclass(frozen=True)
class _Layout:
    """Which columns are which, how they are separated, and how many there are."""

    delimiter: Optional[str]
    header: Optional[list[str]]
    width: int
    x: list[int]
    y: list[int]
    sigma: Optional[int]

    def names(self, places: Sequence[int], letter: str) -> tuple[str, ...]:
        if self.header is not None:
            return tuple(self.header[place] for place in places)
        if len(places) == 1:
            return (letter,)
        return tuple(f"{letter}{k + 1}" for k in range(len(places)))


def read_table(path: str, choice: Choice) -> Table:
    """Reads the columns of a table.

    A header is optional; empty lines and lines that begin with ``#`` are ignored. Columns are
    separated by semicolon, tab, comma or white space, whichever the first line of numbers has; with
    semicolons a comma may be the decimal point. Without a choice the columns are x and y, and with
    sigma alone the other two are.

    Args:
        path: a UTF-8 file, gzip or not, with or without byte order mark, with any line ends; ``-``
            for standard input.
        choice: the columns.

    Raises:
        InputError: with one line that names the file, the line or column, and what to do.
    """
    name = name_of(path)
    numbered = content(text_of(path))
    if not numbered:
        raise InputError(f"{name}: the file is empty; {COLUMNS_HINT}")
    delimiter = _delimiter(line for _, line in numbered)
    layout = _layout(name, numbered[0], delimiter, choice)
    if layout.header is not None:
        del numbered[0]
    if not numbered:
        raise InputError(f"{name}: there are no rows of numbers; {COLUMNS_HINT}")
    wanted = [*layout.x, *layout.y, *([] if layout.sigma is None else [layout.sigma])]
    numbers = _by_numpy([line for _, line in numbered], layout, wanted)
    if numbers is None or not _is_valid(numbers, layout):
        numbers = _by_line(name, numbered, layout, wanted)
    split = len(layout.x)
    end = split + len(layout.y)
    return Table(
        name,
        np.ascontiguousarray(numbers[:, :split]),
        np.ascontiguousarray(numbers[:, split:end]),
        None if layout.sigma is None else np.ascontiguousarray(numbers[:, end]),
        layout.names(layout.x, "x"),
        layout.names(layout.y, "y"),
    )


def _layout(name: str, first: tuple[int, str], delimiter: Optional[str], choice: Choice) -> _Layout:
    cells = _cells(first[1], delimiter)
    is_default = choice.x is None and choice.y is None and choice.sigma is None and choice.needs_y
    values = [_number(cell, delimiter == ";") for cell in cells]
    is_header = all(value is None for value in values) and (any if not is_default else all)(cells)
    header = cells if is_header else None
    width = len(cells)
    if is_default and width != 2:
        _refuse_width(f"{name}, line {first[0]}", width)
    taken: list[int] = []
    sigma = None
    if choice.sigma is not None:
        sigma = _place(name, "--sigma", choice.sigma, header, width)
        taken.append(sigma)
    x = None if choice.x is None else [_place(name, "--x", c, header, width) for c in choice.x]
    y = None if choice.y is None else [_place(name, "--y", c, header, width) for c in choice.y]
    taken += [*(x or []), *(y or [])]
    for place in taken:
        if taken.count(place) > 1:
            shown = header[place] if header is not None else str(place + 1)
            raise InputError(f"{name}: the column {shown!r} is chosen twice")
    rest = [place for place in range(width) if place not in taken]
    if x is None and not choice.needs_y:
        x = _inputs(name, choice, header, width)
    elif x is None:
        x, rest = _the_rest(name, "--x", rest, 1 if y is None else 0, header)
    if y is None:
        y = _the_rest(name, "--y", rest, 0, header)[0] if choice.needs_y else []
    return _Layout(delimiter, header, width, x, y, sigma)


def _inputs(name: str, choice: Choice, header: Optional[list[str]], width: int) -> list[int]:
    """The columns with the known names, or the first ones if there are no others or no names."""
    if header is not None and choice.known and all(header.count(c) == 1 for c in choice.known):
        return [header.index(column) for column in choice.known]
    if width == choice.inputs or (header is None and width > choice.inputs):
        return list(range(choice.inputs))
    raise InputError(
        f"{name}: the model has {choice.inputs} inputs, so name as many columns: --x COLUMN …; "
        f"{_columns(header, width)}"
    )


def _the_rest(
    name: str, option: str, rest: list[int], kept: int, header: Optional[list[str]]
) -> tuple[list[int], list[int]]:
    """The one column that is left, and those kept for others."""
    if len(rest) != 1 + kept:
        raise InputError(
            f"{name}: {len(rest)} columns are left for {option}, so name the one that is meant: "
            f"{option} COLUMN; {_columns(header, None)}"
        )
    return rest[:1], rest[1:]


def _place(name: str, option: str, column: str, header: Optional[list[str]], width: int) -> int:
    """The index of a column given by its name or by its number from 1."""
    if header is not None and column in header:
        if header.count(column) > 1:
            raise InputError(f"{name}: {option}: there are several columns {column!r}")
        return header.index(column)
    if re.fullmatch(r"\d{1,6}", column, re.ASCII) and 1 <= int(column) <= width:
        return int(column) - 1
    raise InputError(f"{name}: {option}: no column {_quoted(column)}; {_columns(header, width)}")


def _columns(header: Optional[list[str]], width: Optional[int]) -> str:
    if header is None:
        many = "" if width is None else f" from 1 to {width}"
        return f"there is no header, so give numbers{many}"
    shown = ", ".join(repr(cell[:MOST_QUOTED]) for cell in header[:MOST_NAMED])
    return f"the columns are {shown}" + (", …" if len(header) > MOST_NAMED else "")


def _refuse_width(where: str, width: int) -> None:
    found = f"{width} column{'s' if width > 1 else ''}"
    more = ", or choose them with --x and --y" if width > 2 else ""
    raise InputError(f"{where}: {found} found; {COLUMNS_HINT}{more}")


def _by_numpy(lines: list[str], layout: _Layout, wanted: list[int]) -> Optional[FloatArray]:
    """The columns, if NumPy can read them."""
    delimiter, last = layout.delimiter, layout.width - 1
    if delimiter == ";":
        return None  # there may be decimal commas
    if any("_" in line for line in lines):
        return None  # which NumPy before 1.23 leaves out of numbers
    others = len(wanted) < layout.width  # which may have text
    if others and (delimiter is None or any(line.count(delimiter) != last for line in lines)):
        return None
    try:
        found = np.loadtxt(
            lines, delimiter=delimiter, comments=None, ndmin=2, usecols=wanted if others else None
        )
    except ValueError:
        return None
    if others:
        return np.asarray(found, np.float64)
    return None if found.shape[1] != layout.width else np.asarray(found[:, wanted], np.float64)


def _is_valid(numbers: FloatArray, layout: _Layout) -> bool:
    if not np.isfinite(numbers[:, : len(layout.x)]).all():
        return False
    sigma = numbers[:, -1]
    return layout.sigma is None or bool(((sigma > 0.0) & np.isfinite(sigma)).all())


def _by_line(
    name: str, numbered: list[tuple[int, str]], layout: _Layout, wanted: list[int]
) -> FloatArray:
    """The columns, or what is wrong with the first line that is wrong."""
    kinds = ["x"] * len(layout.x) + ["y"] * len(layout.y) + ["sigma"]
    titles = [
        kind if len(wanted) == 2 or layout.header is None else f"{kind} ({layout.header[place]})"
        for kind, place in zip(kinds, wanted)
    ]
    rows = []
    for number, line in numbered:
        cells = _cells(line, layout.delimiter)
        if not any(cells):
            continue
        where = f"{name}, line {number}"
        if len(cells) != layout.width:
            if layout.width == 2:
                _refuse_width(where, len(cells))
            raise InputError(
                f"{where}: {len(cells)} columns found, but the first line has {layout.width}"
            )
        values = [_number(cells[place], layout.delimiter == ";") for place in wanted]
        for value, place, kind, title in zip(values, wanted, kinds, titles):
            _check_cell(where, cells[place], value, kind, title)
        rows.append(values)
    if not rows:
        raise InputError(f"{name}: there are no rows of numbers; {COLUMNS_HINT}")
    return np.array(rows, np.float64)


def _check_cell(where: str, cell: str, value: Optional[float], kind: str, title: str) -> None:
    if value is None:
        hint = "; write nan, inf or -inf for a target that is not finite" if kind == "y" else ""
        raise InputError(f"{where}: {title} is {_quoted(cell)}, which is not a number{hint}")
    if kind == "x" and not np.isfinite(value):
        raise InputError(
            f"{where}: {title} is {_quoted(cell)}, but x must be finite (only y may be nan or "
            "inf); correct or remove this row"
        )
    if kind == "sigma" and not (0.0 < value < np.inf):
        raise InputError(
            f"{where}: {title} is {_quoted(cell)}, but standard deviations must be positive and "
            "finite"
        )


def _delimiter(lines: Iterable[str]) -> Optional[str]:
    """The separator of the first line that begins with a number; None is white space."""
    first = None
    for line in lines:
        first = line if first is None else first
        if STARTS_LIKE_A_NUMBER.match(line):
            first = line
            break
    return next((d for d in (";", "\t", ",") if first is not None and d in first), None)


def _cells(line: str, delimiter: Optional[str]) -> list[str]:
    if delimiter is None:
        return [cell.strip('"') for cell in line.split()]
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]
    except csv.Error:
        return [line]  # longer than any number


def _number(cell: str, decimal_comma: bool) -> Optional[float]:
    if decimal_comma and "." not in cell:
        cell = cell.replace(",", ".")
    try:
        # Python would read 1_000 as a number; no table means that.
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


def _quoted(cell: Any) -> str:
    if not cell:
        return "empty"
    return repr(cell if len(cell) <= MOST_QUOTED else cell[:MOST_QUOTED] + "...")
