"""Why a value is not REAL, and why a gradient is zero, incomplete or bounded."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from operator import index
from os.path import basename
from types import FrameType
from typing import Any, Optional

from . import _native
from ._enums import GradientMode, GradientStatus, OpType, TRTag
from ._native import TRNode, TRScalar
from ._sources import Expression, Location, expression_at

__all__ = ["Explanation", "Location", "SingularEvent"]

#: Signs of the ops that have one.
SIGNS = {"ADD": "+", "SUB": "−", "MUL": "×", "DIV": "÷"}
#: Of an op with one operand to blame its place.
_POLE_OPERAND = {"DIV": (1,)}
#: So many events of a kind are told; the fields hold more of them.
_TOLD = 3
#: Longer lists of nodes are not looked through for names.
_LONGEST_LIST = 1000


@dataclass(frozen=True)
class SingularEvent:
    """Something that happened at a node.

    Args:
        what: ``"born"``: a value that is not REAL was made from REAL ones, or came in from outside;
            ``"masked"``: the node passed nothing on, although an adjoint arrived; ``"dropped"``: the
            contribution to an input was not REAL and was left out; ``"saturated"``: bounded
            partials were used.
        op: the operation; of a constant that was computed the one that computed it.
        operands: the values of its operands, at most 8; behind the base of an integer power the
            exponent.
        value: what it made: the value of the node, unless ``carried``.
        location: where the node was recorded, if that was noted: at births, and at REAL values at a
            pole such as √0. Recording a REAL value elsewhere notes nothing.
        node: the node itself; None in the log of a block.
        input: the place of the only input concerned, None for all of them.
        path: the nodes that lead from there to the node explained, nearest first, at most 32.
        steps: how many these are in full.
        leaves: the parameters and inputs whose gradients are concerned, at most 32; none at births.
        carried: whether the node is a constant that was computed from there on, by operations that
            left no nodes.
        sample: the number of the sample, in a batch.
        cause: the birth behind a masked node that is none itself.
    """

    what: str
    op: OpType
    operands: tuple[TRScalar, ...]
    value: TRScalar
    location: Optional[Location] = None
    node: Optional[TRNode] = field(default=None, repr=False)
    input: Optional[int] = None
    path: tuple[TRNode, ...] = field(default=(), repr=False)
    steps: int = 0
    leaves: tuple[TRNode, ...] = field(default=(), repr=False)
    carried: bool = False
    sample: Optional[int] = None
    cause: Optional[SingularEvent] = None

    @property
    def formula(self) -> str:
        """What was computed, such as ``1.0 ÷ 0.0 = +∞``; of what has no operands the value."""
        value = str(self.value)
        return f"{formula(self.op, self.operands)} = {value}" if self.operands else value

    @property
    def expression(self) -> Optional[Expression]:
        """The operation as the source has it, which is read for this; None if that is not certain."""
        return expression_at(self.location, self.op) if self.location else None

    def __str__(self) -> str:
        at = f" at {self.location}" if self.location else ""
        where = "" if self.sample is None else f" in sample {self.sample}"
        if not self.operands:
            return f"{self.value} came in as a {self.op.name.lower()}{at}"
        source = self.expression
        if source is None:
            return f"{self.formula}{at}{where}"
        return f"{source.text}{at} gave {self.formula}{where}{self._origins(source)}"

    def _origins(self, source: Expression) -> str:
        """Where the operands to blame come from: that of the pole, or all of them."""
        places = _POLE_OPERAND.get(self.op.name, range(len(source.names)))
        known = [
            f"{source.names[place]} from {basename(self.location.file)}:{source.origins[place]}"
            for place in places
            if self.location and place < len(source.origins) and source.origins[place]
        ]
        return f" ({', '.join(known)})" if known else ""


@dataclass(frozen=True)
class Explanation:
    """What ``node.explain()`` returns: ``str()`` tells it, the fields hold it.

    Args:
        name: what the node is called.
        value: its value.
        gradient: the gradient that is explained; None unless the node is a parameter or input.
        status: how that came about.
        mode: the gradient mode of the backward pass that is explained.
        root: the node from which that starts; None if there is none.
        births: where values that are not REAL began: those behind the value, or behind the nodes of
            ``masked_at``; in recording order.
        masked_at: the nodes that silenced gradients, the nearest to the root first.
        dropped_at: where contributions were left out since they were not REAL.
        saturated_at: where bounded partials were used.
        counts: how many there are of each, by the names of these fields, which hold at most ``limit``.
    """

    name: str
    value: TRScalar
    gradient: Optional[TRScalar]
    status: GradientStatus
    mode: GradientMode
    root: Optional[TRNode] = field(repr=False)
    births: tuple[SingularEvent, ...]
    masked_at: tuple[SingularEvent, ...]
    dropped_at: tuple[SingularEvent, ...]
    saturated_at: tuple[SingularEvent, ...]
    counts: dict[str, int]
    _leaf_names: dict[int, str] = field(repr=False, default_factory=dict)

    def __str__(self) -> str:
        lines = self._about_value()
        if self.gradient is not None and self.root is None:
            lines.append(
                f"{self._about_gradient()}; the graph of its last backward pass is gone, so ask "
                "while the root of that pass is alive"
            )
        elif self.gradient is not None:
            lines.append(self._about_gradient())
        lines += self._about("masked_at", "is silenced at", self.masked_at)
        lines += self._about("dropped_at", "lacks what was not REAL at", self.dropped_at)
        lines += self._about("saturated_at", "is bounded at", self.saturated_at)
        return "\n".join(lines)

    def _about_value(self) -> list[str]:
        if self.value.tag is TRTag.REAL or not self.births:
            return [f"{self.name} is {self.value}"]
        first, *others = self.births
        lines = [f"{self.name} is {self.value}: {first}{_carried_on(first)}"]
        lines += [f"  and {birth}" for birth in others[: _TOLD - 1]]
        return lines + self._more("births")

    def _about_gradient(self) -> str:
        how = self.status.name or " and ".join(flag.name or "" for flag in _flags(self.status))
        return f"its gradient is {self.gradient} [{how}]"

    def _about(self, kind: str, verb: str, events: tuple[SingularEvent, ...]) -> list[str]:
        # A birth behind the value has been told.
        told_causes = () if self.value.tag is TRTag.REAL else self.births[:_TOLD]
        told = []
        for event in events[:_TOLD]:
            where = str(event)
            if event.cause:
                known = any(event.cause is cause for cause in told_causes)
                where = (
                    event.formula if known else f"{event.formula}, carried on from {event.cause}"
                )
            told.append(f"the gradient of {self._leaves(event)} {verb} {where}")
        return told + self._more(kind)

    def _more(self, kind: str) -> list[str]:
        more = self.counts[kind] - _TOLD
        return [f"  and {more} more"] if more > 0 else []

    def _leaves(self, event: SingularEvent) -> str:
        names = [self._leaf_names.get(hash(leaf)) or leaf.name for leaf in event.leaves]
        known = [name for name in names if name]
        if len(known) > _TOLD + 1 or len(known) < len(names):
            rest = len(names) - len(known[:_TOLD])
            known = [
                *known[:_TOLD],
                f"{rest} {'more ' if known else ''}{'leaf' if rest == 1 else 'leaves'}",
            ]
        return ", ".join(known[:-1]) + (" and " if len(known) > 1 else "") + known[-1]


def explain(node: TRNode, wrt: Optional[TRNode] = None, *, limit: int = 20) -> Explanation:
    """Explains a node; see :meth:`TRNode.explain`.

    Raises:
        TypeError: for a ``wrt`` that is no node, or a ``limit`` that is no integer.
        ValueError: for a negative ``limit``.
    """
    limit = index(limit)
    if limit < 0:
        raise ValueError(f"limit must not be negative, not {limit}")
    root, mode, counts, found = _native.explain_node(node, wrt, limit)
    events: dict[str, list[SingularEvent]] = {
        "born": [],
        "masked": [],
        "dropped": [],
        "saturated": [],
    }
    for what, at, (op, operands, value, carried), place, of, path, steps, leaves in found:
        event = SingularEvent(
            what, op, operands, value, location(place), at, of, path, steps, leaves, carried
        )
        events[what].append(event)
    births = tuple(events["born"])
    names = _names_in(sys._getframe(1))
    is_leaf = node.op in (OpType.PARAMETER, OpType.INPUT)
    return Explanation(
        name=names.get(hash(node)) or node.name or "the node",
        value=node.value,
        gradient=node.gradient if is_leaf else None,
        status=node.gradient_status,
        mode=mode,
        root=root,
        births=births,
        masked_at=tuple(replace(event, cause=_cause(event, births)) for event in events["masked"]),
        dropped_at=tuple(events["dropped"]),
        saturated_at=tuple(events["saturated"]),
        counts=dict(zip(("births", "masked_at", "dropped_at", "saturated_at"), counts)),
        _leaf_names=names,
    )


def _carried_on(birth: SingularEvent) -> str:
    if birth.carried:
        return "; later ops on constants carried it on"
    if birth.steps:
        return f"; {birth.steps} later op{'s' if birth.steps > 1 else ''} carried it on"
    return ""


def location(place: Any) -> Optional[Location]:
    if place is None:
        return None
    file, function, line, first_line, span = place
    return Location(file, line, function, first_line, span)


def _cause(masked: SingularEvent, births: tuple[SingularEvent, ...]) -> Optional[SingularEvent]:
    """The birth behind a masked node, unless that is the birth itself."""
    silent = hash(masked.node)
    for birth in births:
        if hash(birth.node) == silent:
            return None
        if any(hash(node) == silent for node in birth.path):
            return birth
    return births[0] if len(births) == 1 else None


def _names_in(frame: FrameType) -> dict[int, str]:
    """What nodes are called in the code that asks: variables, and places in short lists of them."""
    names: dict[int, str] = {}
    for scope in (frame.f_locals, frame.f_globals):
        for name, value in list(scope.items()):
            if isinstance(value, TRNode):
                names.setdefault(hash(value), name)
            elif isinstance(value, (list, tuple)) and len(value) <= _LONGEST_LIST:
                for place, item in enumerate(value):
                    if isinstance(item, TRNode):
                        names.setdefault(hash(item), f"{name}[{place}]")
    return names


def formula(op: OpType, operands: tuple[TRScalar, ...]) -> str:
    """An op on values, such as ``1.0 ÷ 0.0``."""
    shown = [str(operand) for operand in operands]
    sign = SIGNS.get(op.name)
    if sign and len(shown) == 2:
        return f"{shown[0]} {sign} {shown[1]}"
    if op is OpType.POW_INT:
        shown[1] = str(int(operands[1].value))
    if len(shown) == _native.MOST_OPERANDS:
        shown.append("…")
    return f"{op.name.lower()}({', '.join(shown)})"


def _flags(status: GradientStatus) -> list[GradientStatus]:
    return [flag for flag in GradientStatus if flag & status]
