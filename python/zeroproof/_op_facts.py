"""What the package asks of the op table: how operations are written, where they are singular."""

from __future__ import annotations

from typing import Any

from . import _native
from ._enums import OpType

__all__ = ["INFIX", "PERIODIC", "POLE_OPERANDS", "SIGNS"]

_TABLE: dict[OpType, dict[str, Any]] = {OpType(row["code"]): row for row in _native.op_table()}


def _signs(*kinds: str) -> dict[OpType, str]:
    """The signs of the operations that are written so."""
    notations = {op: row["notation"] for op, row in _TABLE.items() if row["notation"]}
    return {op: sign for op, (kind, sign) in notations.items() if kind in kinds}


#: The signs that stand between operands.
INFIX = _signs("infix")
#: The signs by which a graph shows operations; that before an operand together with it.
SIGNS = {**_signs("infix", "call"), **{op: f"{sign}a" for op, sign in _signs("prefix").items()}}
#: Of an operation whose pole lies where one operand is 0 the place of that.
POLE_OPERANDS: dict[OpType, int] = {
    op: row["pole"]["at"]
    for op, row in _TABLE.items()
    if row["pole"] and isinstance(row["pole"]["at"], int)
}
#: The operations whose value or partials oscillate in the first operand.
PERIODIC = frozenset(op for op, row in _TABLE.items() if row["period"] is not None)
