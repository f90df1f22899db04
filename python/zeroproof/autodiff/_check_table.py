"""The table that a check of gradients is shown as."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

from .._enums import GradientMode, GradientStatus
from .._native import TRScalar
from ._check_rows import GradientRow

#: With more inputs than this, only those that fail are shown, and no more of them than this.
_MOST = 40

#: What rows are about, by the order of the derivatives, and how a check is called.
ROWS = {1: "inputs", 2: "entries"}
_TITLES = {1: "gradient check", 2: "second-derivative check"}
_FIRST = {1: ("input", "x", "gradient"), 2: ("entry", "x", "derivative")}
_OTHERS = ("status", "numerical", "± error", "relative", "verdict")
_RIGHT = {"x", "gradient", "derivative", "numerical", "± error", "relative"}


def table(value: TRScalar, mode: GradientMode, rows: Sequence[GradientRow], order: int = 1) -> str:
    """The value, the mode and a line for each input or entry."""
    what, headings = ROWS[order], (*_FIRST[order], *_OTHERS)
    failing = [row for row in rows if row.fails]
    count = len(rows)
    shown: Sequence[GradientRow] = rows if count <= _MOST else failing[:_MOST]
    outcome = f"{len(failing)} of {count} {what} failed" if failing else f"all {count} {what} ok"
    if count == 1:
        outcome = "failed" if failing else "ok"
    lines = [
        f"{_TITLES[order]}: {outcome}",
        f"f = {value} ({value.tag.name}), mode {mode.name}",
    ]
    if shown:
        lines += _aligned([headings, *map(_cells, shown)])
    if count > len(shown):
        rest = len(failing) - len(shown)
        passed = f"{count - len(failing)} {what} that passed"
        lines.append(f"not shown: {passed}" + (f", {rest} that failed" if rest else ""))
    return "\n".join(lines)


def status_name(status: GradientStatus) -> str:
    """The flags of a status by name."""
    names = [flag.name or "" for flag in GradientStatus if flag and status & flag]
    return "|".join(names) or "EXACT"


def _cells(row: GradientRow) -> tuple[str, ...]:
    verdict = row.verdict.value + (f" ({row.note})" if row.note else "")
    return (
        row.name,
        f"{row.x:.6g}",
        f"{row.gradient:.9g}",
        status_name(row.status),
        _number(row.numerical, ".9g"),
        _number(row.error_estimate, ".1e"),
        _number(row.relative_error, ".1e"),
        verdict,
    )


def _number(value: Optional[float], spec: str) -> str:
    return "—" if value is None else format(value, spec)


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows)]
    return [
        "  ".join(
            cell.rjust(width) if heading in _RIGHT else cell.ljust(width)
            for cell, width, heading in zip(row, widths, rows[0])
        ).rstrip()
        for row in rows
    ]
