"""Tables of x and y: reading and validation, with errors of one line."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import numpy as np
import numpy.typing as npt

from ..array import TRArray
from ..core import TRTag

__all__ = ["Dataset", "FloatArray", "InputError", "read_csv"]

FloatArray = npt.NDArray[np.float64]

COLUMNS_HINT = "two columns are needed, x and y, separated by comma, semicolon, tab or space"
MOST_QUOTED = 30
MOST_BYTES = 64 * 2**20
STARTS_LIKE_A_NUMBER = re.compile(r'\s*"?\s*[-+.]?[.\d]')


class InputError(Exception):
    """Invalid input of the user; the text is one line with the remedy."""


@dataclass(frozen=True)
class Dataset:
    """Samples of a function with poles.

    ``y`` holds the IEEE image of the targets: ``inf``, ``-inf`` and ``nan`` stand for +∞, −∞ and Φ.
    """

    name: str
    x: FloatArray
    y: FloatArray
    true_poles: tuple[float, ...] = ()

    @property
    def usable(self) -> npt.NDArray[np.bool_]:
        """Which rows have a REAL target."""
        return np.isfinite(self.y)

    def targets_by_tag(self) -> dict[str, int]:
        """How many targets have each tag."""
        tags = TRArray(self.y).tags
        return {tag.name: int(np.count_nonzero(tags == tag)) for tag in TRTag}

    def require_rows(self, coefficients: int) -> None:
        """Raises InputError if the usable rows cannot determine this number of coefficients."""
        distinct = len(set(self.x[self.usable].tolist()))
        if distinct < coefficients:
            raise InputError(
                f"{self.name}: {distinct} usable rows with different x, but this degree has "
                f"{coefficients} free coefficients; give more rows or a lower --degree"
            )


def read_csv(path: str) -> Dataset:
    """Reads a table of two columns.

    A header is optional; empty lines and lines that begin with ``#`` are ignored. Columns are
    separated by semicolon, tab, comma or white space, whichever the first line of numbers has; with
    semicolons a comma may be the decimal point.

    Args:
        path: a UTF-8 file of at most 64 MiB, with or without byte order mark, with any line ends.

    Raises:
        InputError: with one line that names the file, the line and what to do.
    """
    lines = list(_content(_text(path)))
    if not lines:
        raise InputError(f"{path}: the file is empty; {COLUMNS_HINT}")
    delimiter = _delimiter(line for _, line in lines)
    xs, ys = [], []
    for position, (number, line) in enumerate(lines):
        where = f"{path}, line {number}"
        cells = _cells(line, delimiter)
        if not any(cells):
            continue
        if len(cells) != 2:
            found = f"{len(cells)} column{'s' if len(cells) > 1 else ''}"
            raise InputError(f"{where}: {found} found; {COLUMNS_HINT}")
        x, y = (_number(cell, decimal_comma=delimiter == ";") for cell in cells)
        if position == 0 and x is None and y is None and all(cells):
            continue
        if x is None:
            raise InputError(f"{where}: x is {_quoted(cells[0])}, which is not a number")
        if not math.isfinite(x):
            raise InputError(
                f"{where}: x is {_quoted(cells[0])}, but x must be finite (only y may be nan or "
                "inf); correct or remove this row"
            )
        if y is None:
            raise InputError(
                f"{where}: y is {_quoted(cells[1])}, which is not a number; write nan, inf or -inf "
                "for a target that is not finite"
            )
        xs.append(x)
        ys.append(y)
    if not xs:
        raise InputError(f"{path}: there are no rows of numbers; {COLUMNS_HINT}")
    return Dataset(path, np.array(xs), np.array(ys))


def _text(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            raw = file.read(MOST_BYTES + 1)  # a device may have no end
    except IsADirectoryError:
        raise InputError(f"{path}: is a directory; give a CSV file") from None
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{path!r}: cannot be read ({reason})") from None
    if len(raw) > MOST_BYTES:
        raise InputError(
            f"{path}: is longer than {MOST_BYTES // 2**20} MiB; give a table with fewer rows"
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: is not text in UTF-8 (byte {error.start}); save the table as a UTF-8 CSV file"
        ) from None
    if "\0" in text:
        raise InputError(f"{path}: is a binary file; save the table as a UTF-8 CSV file")
    return text


def _content(text: str) -> Iterator[tuple[int, str]]:
    """The lines that are neither empty nor comments, with their numbers from 1."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    for number, line in enumerate(unified.split("\n"), start=1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            yield number, line


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
