"""Why a value is not REAL, and why a gradient was masked, dropped or saturated."""

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
    OpType.GRADIENT: "a gradient",
}
#: What events do to a gradient, by the fields that hold them.
_VERBS = {
    "masked_at": "is masked",
    "dropped_at": "has a dropped contribution",
    "saturated_at": "is saturated",
}
#: The largest number of events of a kind in the text; the fields hold more of them.
_MOST_SHOWN = 3
#: The largest number of leaves of an event.
_MOST_LEAVES = 32


@dataclass(frozen=True)
class SingularEvent:
    """An event at a node.

    Args:
        what: ``"born"``: an origin, where a value is not REAL although the operands are, is Φ
            although they are infinities, or was given from outside; ``"masked"``: the node
            propagated no gradient, or none to an input that a reduction left out; ``"dropped"``:
            the contribution to an input was not REAL; ``"saturated"``: bounded partials were used.
        op: the operation; for a computed constant the operation that computed it.
        operands: the values of its operands, at most 8; for an integer power the base and the
            exponent.
        value: the result: the value of the node, unless ``carried``.
        location: where the node was recorded. Known for origins, and for REAL values at a pole,
            such as √0; None for all others.
        node: the node itself; None in the log of a block.
        input: the index of the input concerned, None for all of them, or for any of them where a
            pass of second order dropped a term.
        path: the nodes from the event to the explained node, nearest to the event first, at most
            32.
        steps: the total number of these nodes.
        leaves: the parameters and inputs whose gradients are affected, at most 32; empty for
            origins.
        carried: whether the node is a constant computed from the origin by operations on constants,
            which record no nodes.
        sample: the index of the sample in a batch.
        cause: the origin that made a masked node not REAL, unless that node is the origin.

    Examples:
        >>> from zeroproof import TRNode
        >>> x = TRNode.parameter(0.0)
        >>> event = (1.0 / x).explain().origins[0]
        >>> event.what, event.op.name, event.operands, event.value
        ('born', 'DIV', (TRScalar(1.0), TRScalar(0.0)), TRScalar(+∞))
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
        """The computation, such as ``1.0 ÷ 0.0 = +∞``; the value alone if there are no operands."""
        value = str(self.value)
        return f"{formula(self.op, self.operands)} = {value}" if self.operands else value

    @property
    def expression(self) -> Optional[Expression]:
        """The operation in the source, which is read at each access; None if ambiguous."""
        return expression_at(self.location, self.op) if self.location else None

    def __str__(self) -> str:
        at = f" at {self.location}" if self.location else ""
        where = "" if self.sample is None else f" in sample {self.sample}"
        if not self.operands:
            return f"{self.value} was given as {_KINDS[self.op]}{at}"
        source = self.expression
        if source is None:
            return f"{self.formula}{at}{where}"
        return f"{source.text}{at} gave {self.formula}{where}{self._assignments(source)}"

    def _assignments(self, source: Expression) -> str:
        """The assignments of the operand that determines the pole, or else of all operands."""
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
    """The result of ``node.explain()``: ``str()`` gives the text, the fields hold the data.

    The nodes in it keep the graph alive.

    Args:
        name: the name of the node.
        value: its value.
        gradient: the explained gradient; None unless the node is a parameter or input.
        status: the gradient status of the node.
        mode: the gradient mode of the explained backward pass.
        root: the root of that pass; None if there is none.
        origins: where values became not REAL: first the origin of the node's value, then the other
            origins that affect the value or the nodes of ``masked_at``, in the order of recording.
        masked_at: the nodes at which gradients were masked, the nearest to the root first.
        dropped_at: where contributions were dropped because they were not REAL.
        saturated_at: where bounded partials were used.
        counts: the total number of each, by the names of these fields, which hold at most
            ``limit``.
        wrt: the node whose gradient was requested; None for all parameters and inputs.
        depends: whether the root depends on that node.
        inner: where gradients flow through gradients that were computed before, the explanations of
            those passes, at most ``limit``, the nearest to the root first: of the node that was
            differentiated, its root, in its mode. What was masked there is a constant in the
            second derivative; what a second derivative drops itself is in ``dropped_at``.

    Examples:
        >>> from zeroproof import TRNode
        >>> x = TRNode.parameter(0.0, name="x")
        >>> y = 1.0 / x
        >>> y.backward()
        >>> why = x.explain()
        >>> why.gradient, why.status.name, why.counts["masked_at"]
        (TRScalar(0.0), 'MASKED', 1)
        >>> [event.op.name for event in why.masked_at]
        ['DIV']
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
    inner: tuple[Explanation, ...] = field(default=(), repr=False)
    _is_leaf: bool = field(default=False, repr=False)
    _is_gradient: bool = field(default=False, repr=False)
    _names: dict[int, str] = field(default_factory=dict, repr=False)

    @property
    def births(self) -> tuple[SingularEvent, ...]:
        """The old name of ``origins``, deprecated."""
        warn_renamed("Explanation.births", "origins")
        return self.origins

    def __str__(self) -> str:
        lines = [*self._about_value(self.name), *self._about_gradient(), *self._about_pass()]
        for inner in self.inner:
            told = inner._about_pass()
            if told:
                lines.append(
                    f"through the gradient of {inner.name}, computed in {inner.mode.name} mode:"
                )
                if inner.value.tag is not TRTag.REAL:
                    told = [*inner._about_value("it"), *told]
                lines += [f"  {line}" for line in told]
        return "\n".join(lines)

    def _about_pass(self) -> list[str]:
        return [line for kind in _VERBS for line in self._about(kind, getattr(self, kind))]

    def _about_value(self, name: str) -> list[str]:
        if self.value.tag is TRTag.REAL or not self.origins:
            return [f"{name} is {self.value}"]
        first, *others = self.origins
        lines = [f"{name} is {self.value}: {first}{_propagation(first)}"]
        lines += [f"  and {origin}" for origin in others[: _MOST_SHOWN - 1]]
        return lines + self._more("origins", self.origins)

    def _about_gradient(self) -> list[str]:
        flags = [flag.name for flag in GradientStatus if flag & self.status]
        how = " and ".join(filter(None, flags)) or "EXACT"
        if self.wrt is not None:
            leaf = _name(self.wrt, self._names) or "the node wrt"
            independent = f"{self.name} does not depend on {leaf}, so no gradient reaches it"
            return [] if self.depends else [independent]
        if not self._is_leaf:
            # A constant that has a status is a gradient as well.
            text = f"it is a gradient [{how}]"
            if not self.inner:
                text += "; call explain(wrt=...) on the differentiated node"
            return [text] if (self.root is None or self._is_gradient) and self.status else []
        if self.gradient is None:
            return ["it has no gradient yet: no backward pass has reached it"]
        gradient = f"its gradient is {self.gradient} [{how}]"
        if self.root is None:
            gradient += (
                "; the graph of its last backward pass no longer exists: call explain while the "
                "root of that pass is alive"
            )
        elif not self.depends:
            gradient += "; the last backward pass did not reach it"
        return [gradient]

    def _about(self, kind: str, events: tuple[SingularEvent, ...]) -> list[str]:
        # The origins of the value are in the lines above.
        origins = () if self.value.tag is TRTag.REAL else self.origins[:_MOST_SHOWN]
        shown = {hash(origin.node) for origin in origins}
        lines = []
        for event in events[:_MOST_SHOWN]:
            short = hash(event.node) in shown or event.location is None
            where = f" at {event.formula}" if short else f": {event}"
            if event.input is not None and kind == "masked_at":
                where += f", where {_operand(event, event.input)} is left out"
            if event.cause and hash(event.cause.node) not in shown:
                where += f", because {event.cause}"
            lines.append(f"the gradient to {self._leaves(event)} {_VERBS[kind]}{where}")
        return lines + self._more(kind, events)

    def _more(self, kind: str, events: tuple[SingularEvent, ...]) -> list[str]:
        more = self.counts[kind] - len(events[:_MOST_SHOWN])
        return [f"  and {more} more"] if more else []

    def _leaves(self, event: SingularEvent) -> str:
        names = [_name(leaf, self._names) for leaf in event.leaves]
        named = [name for name in names if name]
        if len(named) < len(names) or len(named) > _MOST_SHOWN + 1:
            del named[_MOST_SHOWN:]
            rest = len(names) - len(named)
            count = f"at least {rest}" if len(names) == _MOST_LEAVES else str(rest)
            unnamed = "unnamed leaf" if rest == 1 else "unnamed leaves"
            named.append(f"{count} {'more' if named else unnamed}")
        return ", ".join(named[:-1]) + (" and " if len(named) > 1 else "") + named[-1]


def explain(
    node: TRNode, wrt: Optional[TRNode] = None, *, limit: SupportsIndex = 20
) -> Explanation:
    """Explains a node; see :meth:`TRNode.explain`.

    Raises:
        TypeError: if ``wrt`` is not a node or ``limit`` not an integer.
        ValueError: if ``limit`` is negative.
    """
    most = index(limit)
    if most < 0:
        raise ValueError(f"limit must not be negative, not {most}")
    most = min(most, sys.maxsize)
    found = _native.explain_node(node, wrt, most)
    names = names_in(sys._getframe(1))
    is_leaf = node.op in (OpType.PARAMETER, OpType.INPUT)
    return Explanation(
        name=_name(node, names) or "the node",
        value=node.value,
        gradient=node.gradient if is_leaf and wrt is None else None,
        status=node.gradient_status,
        wrt=wrt,
        _is_leaf=is_leaf,
        _is_gradient=node.op is OpType.GRADIENT and node.gradient is None,
        **_about_pass(found, names),
    )


def _about_pass(found: _native._Explanation, names: dict[int, str]) -> dict[str, Any]:
    """The fields that say what a pass did, from the engine's tuple."""
    root, mode, counts, happened, depends, inner = found
    events: dict[str, list[SingularEvent]] = {}
    for event in map(_event, happened):
        events.setdefault(event.what, []).append(event)
    return {
        "mode": mode,
        "root": root,
        "origins": tuple(events.get("born", ())),
        "masked_at": tuple(events.get("masked", ())),
        "dropped_at": tuple(events.get("dropped", ())),
        "saturated_at": tuple(events.get("saturated", ())),
        "counts": _Counts(zip(("origins", "masked_at", "dropped_at", "saturated_at"), counts)),
        "depends": depends,
        "inner": tuple([_inner(each, names) for each in inner]),
        "_names": names,
    }


def _inner(found: _native._Explanation, names: dict[int, str]) -> Explanation:
    """The explanation of a pass whose gradients were recorded."""
    root = found[0]
    assert root is not None
    return Explanation(
        name=_name(root, names) or f"the value {root.value}",
        value=root.value,
        gradient=None,
        status=root.gradient_status,
        **_about_pass(found, names),
    )


def _event(found: tuple[Any, ...]) -> SingularEvent:
    """An event from the engine's tuple."""
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
    """An operand by its value, if that was recorded, or else by its index."""
    return str(event.operands[place]) if place < len(event.operands) else f"operand {place}"


def _propagation(origin: SingularEvent) -> str:
    if origin.carried:
        return "; propagated by later ops on constants"
    if origin.steps:
        return f"; propagated by {origin.steps} later op{'s' if origin.steps > 1 else ''}"
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
        shown[-1] = "…"  # there may be more than are recorded
    return f"{op.name.lower()}({', '.join(shown)})"


_native.set_explainer(explain)
