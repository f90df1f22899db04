"""Why a value is not REAL, and why a gradient is zero, incomplete or bounded."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from operator import index
from os.path import basename
from typing import Any, Optional, SupportsIndex

from . import _native
from ._deprecation import warn_renamed
from ._enums import GradientMode, GradientStatus, OpType, TRTag
from ._names import names_in
from ._native import TRNode, TRScalar
from ._op_facts import INFIX, POLE_OPERANDS
from ._sources import Expression, Location, expression_at

__all__ = ["Explanation", "Location", "SingularEvent"]

_KINDS = {
    OpType.CONSTANT: "a constant",
    OpType.PARAMETER: "a parameter",
    OpType.INPUT: "an input",
}
#: What events do to a gradient, by the fields that hold them.
_VERBS = {
    "masked_at": "is silenced",
    "dropped_at": "lacks a contribution that was not REAL",
    "saturated_at": "is bounded",
}
#: The text shows at most so many events of a kind; the fields hold more of them.
_MOST_SHOWN = 3
#: An event names so many leaves at most.
_MOST_LEAVES = 32


@dataclass(frozen=True)
class SingularEvent:
    """Something that happened at a node.

    Args:
        what: ``"born"``: a value that is not REAL was made from REAL ones, Φ from infinities, or
            came in from outside; ``"masked"``: the node passed nothing on, or nothing to an input
            that it left out, although an adjoint arrived; ``"dropped"``: the contribution to an
            input was not REAL and was left out; ``"saturated"``: bounded partials were used.
        op: the operation; of a constant that was computed the one that computed it.
        operands: the values of its operands, at most 8; behind the base of an integer power the
            exponent.
        value: what it made: the value of the node, unless ``carried``.
        location: where the node was recorded, if that was noted: at origins, and where a REAL value
            is at a pole, such as √0. Recording a REAL value elsewhere notes nothing.
        node: the node itself; None in the log of a block.
        input: the place of the only input concerned, None for all of them.
        path: the nodes that lead from there to the node explained, nearest first, at most 32.
        steps: how many these are in full.
        leaves: the parameters and inputs whose gradients are concerned, at most 32; none for
            origins.
        carried: whether the node is a constant that was computed from there on, by operations that
            left no nodes.
        sample: the number of the sample, in a batch.
        cause: the origin behind a masked node that is none itself.
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
        """The operation as the source has it, which is read for this; None if uncertain."""
        return expression_at(self.location, self.op) if self.location else None

    def __str__(self) -> str:
        at = f" at {self.location}" if self.location else ""
        where = "" if self.sample is None else f" in sample {self.sample}"
        if not self.operands:
            return f"{self.value} came in as {_KINDS[self.op]}{at}"
        source = self.expression
        if source is None:
            return f"{self.formula}{at}{where}"
        return f"{source.text}{at} gave {self.formula}{where}{self._assignments(source)}"

    def _assignments(self, source: Expression) -> str:
        """Where the operands to blame come from: that of the pole, or all of them."""
        pole = POLE_OPERANDS.get(self.op)
        places = range(len(source.names)) if pole is None else (pole,)
        known = [
            f"{source.names[place]} from {basename(self.location.file)}:{source.assigned_at[place]}"
            for place in places
            if self.location and place < len(source.assigned_at) and source.assigned_at[place]
        ]
        return f" ({', '.join(known)})" if known else ""


class _Counts(dict[str, int]):
    """The counts of an explanation, also by the old name of one."""

    def __missing__(self, key: str) -> int:
        if key != "births":
            raise KeyError(key)
        warn_renamed("Explanation.counts['births']", "counts['origins']")
        return self["origins"]


@dataclass(frozen=True)
class Explanation:
    """What ``node.explain()`` returns: ``str()`` tells it, the fields hold it.

    The nodes in it keep the graph alive.

    Args:
        name: what the node is called.
        value: its value.
        gradient: the gradient that is explained; None unless the node is a parameter or input.
        status: how the node's gradient came about.
        mode: the gradient mode of the backward pass that is explained.
        root: the node from which that starts; None if there is none.
        origins: where values that are not REAL began: the one behind the value first, then the
            others behind the value or behind what was silenced at ``masked_at``, as recorded.
        masked_at: the nodes that silenced gradients, the nearest to the root first.
        dropped_at: where contributions were left out since they were not REAL.
        saturated_at: where bounded partials were used.
        counts: how many there are of each, by the names of these fields, which hold at most
            ``limit``.
        wrt: the node whose gradient was asked about; None for all parameters and inputs.
        depends: whether the root depends on what was asked about.
    """

    name: str
    value: TRScalar
    gradient: Optional[TRScalar]
    status: GradientStatus
    mode: GradientMode
    root: Optional[TRNode] = field(repr=False)
    origins: tuple[SingularEvent, ...]
    masked_at: tuple[SingularEvent, ...]
    dropped_at: tuple[SingularEvent, ...]
    saturated_at: tuple[SingularEvent, ...]
    counts: dict[str, int]
    wrt: Optional[TRNode] = field(default=None, repr=False)
    depends: bool = True
    _is_leaf: bool = field(default=False, repr=False)
    _names: dict[int, str] = field(default_factory=dict, repr=False)

    @property
    def births(self) -> tuple[SingularEvent, ...]:
        """The old name of ``origins``, deprecated."""
        warn_renamed("Explanation.births", "origins")
        return self.origins

    def __str__(self) -> str:
        lines = [*self._about_value(), *self._about_gradient()]
        for kind in _VERBS:
            lines += self._about(kind, getattr(self, kind))
        return "\n".join(lines)

    def _about_value(self) -> list[str]:
        if self.value.tag is TRTag.REAL or not self.origins:
            return [f"{self.name} is {self.value}"]
        first, *others = self.origins
        lines = [f"{self.name} is {self.value}: {first}{_carried_on(first)}"]
        lines += [f"  and {origin}" for origin in others[: _MOST_SHOWN - 1]]
        return lines + self._more("origins", self.origins)

    def _about_gradient(self) -> list[str]:
        flags = [flag.name for flag in GradientStatus if flag & self.status]
        how = " and ".join(filter(None, flags)) or "EXACT"
        if self.wrt is not None:
            asked = _name(self.wrt, self._names) or "the node asked about"
            independent = f"{self.name} does not depend on {asked}, so no gradient flows to it"
            return [] if self.depends else [independent]
        if not self._is_leaf:
            # A constant that has a status is a gradient.
            told = f"it is a gradient [{how}]; ask explain(wrt=...) of the node differentiated"
            return [told] if self.root is None and self.status else []
        if self.gradient is None:
            return ["it has no gradient yet: no backward pass has led to it"]
        gradient = f"its gradient is {self.gradient} [{how}]"
        if self.root is None:
            gradient += (
                "; the graph of its last backward pass is gone, so ask while the root of that pass "
                "is alive"
            )
        elif not self.depends:
            gradient += "; the last backward pass did not lead to it"
        return [gradient]

    def _about(self, kind: str, events: tuple[SingularEvent, ...]) -> list[str]:
        # Origins behind the value have been told.
        origins = () if self.value.tag is TRTag.REAL else self.origins[:_MOST_SHOWN]
        told = {hash(origin.node) for origin in origins}
        lines = []
        for event in events[:_MOST_SHOWN]:
            short = hash(event.node) in told or event.location is None
            where = f" at {event.formula}" if short else f": {event}"
            if event.input is not None and kind == "masked_at":
                where += f", where {_operand(event, event.input)} is left out"
            if event.cause and hash(event.cause.node) not in told:
                where += f", since {event.cause}"
            lines.append(f"the gradient to {self._leaves(event)} {_VERBS[kind]}{where}")
        return lines + self._more(kind, events)

    def _more(self, kind: str, events: tuple[SingularEvent, ...]) -> list[str]:
        more = self.counts[kind] - len(events[:_MOST_SHOWN])
        return [f"  and {more} more"] if more else []

    def _leaves(self, event: SingularEvent) -> str:
        names = [_name(leaf, self._names) for leaf in event.leaves]
        told = [name for name in names if name]
        if len(told) < len(names) or len(told) > _MOST_SHOWN + 1:
            del told[_MOST_SHOWN:]
            rest = len(names) - len(told)
            count = f"at least {rest}" if len(names) == _MOST_LEAVES else str(rest)
            unnamed = "unnamed leaf" if rest == 1 else "unnamed leaves"
            told.append(f"{count} {'more' if told else unnamed}")
        return ", ".join(told[:-1]) + (" and " if len(told) > 1 else "") + told[-1]


def explain(
    node: TRNode, wrt: Optional[TRNode] = None, *, limit: SupportsIndex = 20
) -> Explanation:
    """Explains a node; see :meth:`TRNode.explain`.

    Raises:
        TypeError: for a ``wrt`` that is no node, or a ``limit`` that is no integer.
        ValueError: for a negative ``limit``.
    """
    most = index(limit)
    if most < 0:
        raise ValueError(f"limit must not be negative, not {most}")
    told = min(most, sys.maxsize)
    root, mode, counts, found, depends = _native.explain_node(node, wrt, told)
    events: dict[str, list[SingularEvent]] = {}
    for event in map(_event, found):
        events.setdefault(event.what, []).append(event)
    names = names_in(sys._getframe(1))
    is_leaf = node.op in (OpType.PARAMETER, OpType.INPUT)
    return Explanation(
        name=_name(node, names) or "the node",
        value=node.value,
        gradient=node.gradient if is_leaf and wrt is None else None,
        status=node.gradient_status,
        mode=mode,
        root=root,
        origins=tuple(events.get("born", ())),
        masked_at=tuple(events.get("masked", ())),
        dropped_at=tuple(events.get("dropped", ())),
        saturated_at=tuple(events.get("saturated", ())),
        counts=_Counts(zip(("origins", "masked_at", "dropped_at", "saturated_at"), counts)),
        wrt=wrt,
        depends=depends,
        _is_leaf=is_leaf,
        _names=names,
    )


def _event(found: tuple[Any, ...]) -> SingularEvent:
    """An event as the engine tells it."""
    what, node, (op, operands, value, carried), place, of, path, steps, leaves, cause = found
    return SingularEvent(
        what=what,
        op=op,
        operands=operands,
        value=value,
        location=location(place),
        node=node,
        input=of,
        path=path,
        steps=steps,
        leaves=leaves,
        carried=carried,
        cause=None if cause is None else _event(cause),
    )


def _name(node: TRNode, names: dict[int, str]) -> Optional[str]:
    """The name of a variable that holds the node, or else the one given to it."""
    return names.get(hash(node)) or node.name


def _operand(event: SingularEvent, place: int) -> str:
    """An operand by its value, if that is remembered, or else by its number."""
    return str(event.operands[place]) if place < len(event.operands) else f"operand {place}"


def _carried_on(origin: SingularEvent) -> str:
    if origin.carried:
        return "; later ops on constants carried it on"
    if origin.steps:
        return f"; {origin.steps} later op{'s' if origin.steps > 1 else ''} carried it on"
    return ""


def location(place: Any) -> Optional[Location]:
    if place is None:
        return None
    file, function, line, first_line, span = place
    return Location(file, line, function, first_line, span)


def formula(op: OpType, operands: tuple[TRScalar, ...]) -> str:
    """An op on values, such as ``1.0 ÷ 0.0``."""
    shown = [str(operand) for operand in operands]
    sign = INFIX.get(op)
    if sign and len(shown) == 2:
        return f"{shown[0]} {sign} {shown[1]}"
    if op is OpType.POW_INT:
        shown[1] = str(int(operands[1].value))
    if len(shown) == _native.MOST_OPERANDS:
        shown[-1] = "…"  # there may be more than are remembered
    return f"{op.name.lower()}({', '.join(shown)})"


_native.set_explainer(explain)
