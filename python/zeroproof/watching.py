"""Watching for singularities: a log of where they happen in a block of code."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from operator import index
from threading import Lock
from types import TracebackType
from typing import Any, Optional, TextIO, Union

from . import _native
from ._enums import OpType, TRTag
from ._native import BatchPlan, TracedProgram, TRNode, TRScalar
from .autodiff._batch_arguments import Array
from .autodiff._batch_outputs import flat
from .explanation import Location, SingularEvent, location

__all__ = ["Occurrence", "SingularityError", "SingularityLog", "watch_singularities"]

#: What ``raise_on`` may name.
KINDS = ("phi", "inf", "dropped")
#: So many samples of a batch are named at each place.
_SAMPLES = 10


class SingularityError(ArithmeticError):
    """A singularity that ``watch_singularities(raise_on=...)`` was asked to stop at.

    Args:
        event: what happened.
    """

    def __init__(self, event: SingularEvent) -> None:
        super().__init__(str(event))
        self.event = event

    def __reduce__(self) -> Any:
        # The event refers to nodes of this process.
        return type(self), (replace(self.event, node=None, path=(), leaves=(), cause=None),)


@dataclass
class Occurrence:
    """The same thing happening at the same place.

    Args:
        kind: ``"phi"``, ``"inf"`` (of either sign) or ``"dropped"``.
        first: the first time it happened.
        count: how often.
        distance: the least distance from the operation's pole; None for an operation without one.
        samples: the first samples of batches in which it happened, as they are numbered in their
            batch; empty outside of batches.
    """

    kind: str
    first: SingularEvent
    count: int
    distance: Optional[float]
    samples: tuple[int, ...] = ()

    @property
    def location(self) -> Optional[Location]:
        """The place; None where nothing was noted."""
        return self.first.location

    @property
    def op(self) -> OpType:
        """The operation."""
        return self.first.op

    def _add(self, other: Occurrence) -> None:
        self.count += other.count
        known = [d for d in (self.distance, other.distance) if d is not None and d == d]
        self.distance = min(known, default=self.distance)
        new = tuple(sample for sample in other.samples if sample not in self.samples)
        self.samples = (*self.samples, *new)[:_SAMPLES]


class SingularityLog:
    """What ``watch_singularities`` collects. Its ``len()`` counts all that happened.

    The log is bounded: it keeps one :class:`Occurrence` for each place, operation and kind, up to
    ``limit`` of them, and counts the rest.
    """

    def __init__(self, raise_on: frozenset[str], limit: int) -> None:
        self._raise_on = raise_on
        self._limit = limit
        self._found: dict[tuple[Any, ...], Occurrence] = {}
        self._counts = dict.fromkeys(KINDS, 0)
        self._lock = Lock()

    @property
    def occurrences(self) -> tuple[Occurrence, ...]:
        """What happened where, in the order of the first times."""
        return tuple(self._found.values())

    @property
    def first(self) -> Optional[SingularEvent]:
        """The very first thing that happened; None if nothing did."""
        return next((found.first for found in self.occurrences), None)

    @property
    def counts(self) -> dict[str, int]:
        """How often each kind happened, also beyond ``limit``."""
        return dict(self._counts)

    def __len__(self) -> int:
        return sum(self._counts.values())

    def summary(self, file: Optional[TextIO] = None) -> None:
        """Prints a table with a line for each place.

        Args:
            file: where to print; standard output unless given.
        """
        print(self, file=file)

    def __str__(self) -> str:
        if not len(self):
            return "no singularities"
        head = ("count", "kind", "place", "operation", "first", "distance", "samples")
        rows = [head, *map(_row, self.occurrences)]
        used = [i for i in range(len(head)) if any(row[i] for row in rows[1:])]
        widths = [max(len(row[i]) for row in rows) for i in used]
        right = (0, 5)  # numbers
        lines = [
            "  ".join(
                row[i].rjust(width) if i in right else row[i].ljust(width)
                for i, width in zip(used, widths)
            ).rstrip()
            for row in rows
        ]
        listed = sum(found.count for found in self.occurrences)
        if listed < len(self):
            lines.append(f"and {len(self) - listed} more at other places")
        return "\n".join(lines)

    def __repr__(self) -> str:
        counts = ", ".join(f"{kind}={count}" for kind, count in self._counts.items())
        return f"SingularityLog({counts}, places={len(self._found)})"

    def __enter__(self) -> SingularityLog:
        _WATCHING.set((*_WATCHING.get(), self))
        _native.begin_watching()
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        _native.end_watching()
        active = list(_WATCHING.get())
        if self in active:
            active.reverse()
            active.remove(self)
            _WATCHING.set(tuple(reversed(active)))

    def _add(self, found: Occurrence) -> None:
        key = (found.kind, found.op, found.location)
        with self._lock:
            self._counts[found.kind] += found.count
            known = self._found.get(key)
            if known is not None:
                known._add(found)
            elif len(self._found) < self._limit:
                samples = found.samples[:_SAMPLES]
                self._found[key] = replace(found, first=_forgetful(found.first), samples=samples)


#: The logs of the blocks that run here, the outermost first.
_WATCHING: ContextVar[tuple[SingularityLog, ...]] = ContextVar("zeroproof_watching", default=())


def watch_singularities(
    *, raise_on: Union[str, Iterable[str]] = (), limit: int = 1000
) -> SingularityLog:
    """A ``with`` block that logs where values stop being REAL and gradients lose contributions.

    Births count: operations on nodes and in batched calls that make a value that is not REAL from
    REAL ones, or Φ from infinities. So do the contributions that backward passes leave out since
    they are not REAL. A block watches its own thread or async task. Nothing is printed. While a
    block runs, batched calls and backward passes are worked out twice.

    Args:
        raise_on: what to stop at with a :class:`SingularityError`: any of ``"phi"``, ``"inf"`` and
            ``"dropped"``. It is raised by the operation, before the backward pass changes any
            gradient, or by the batched call.
        limit: at how many places, at most, to tell what happened.

    Returns:
        A :class:`SingularityLog`, readable in the block and after it.

    Raises:
        TypeError: for a ``limit`` that is no integer.
        ValueError: for another ``raise_on``, or a negative ``limit``.
    """
    wanted = frozenset([raise_on] if isinstance(raise_on, str) else raise_on)
    unknown = sorted(str(kind) for kind in wanted if kind not in KINDS)
    if unknown:
        raise ValueError(f"raise_on takes {', '.join(map(repr, KINDS))}, not {unknown[0]!r}")
    if index(limit) < 0:
        raise ValueError(f"limit must not be negative, not {limit}")
    return SingularityLog(wanted, index(limit))


def batch_occurrences(found: Iterable[tuple[Any, ...]]) -> list[Occurrence]:
    """What the engine found in a batch."""
    occurrences = []
    for what, op, operands, value, place, of, count, samples, distance in found:
        first = SingularEvent(
            what, op, operands, value, location(place), input=of, sample=samples[0]
        )
        kind = "dropped" if what == "dropped" else _kind(value)
        occurrences.append(Occurrence(kind, first, count, distance, tuple(samples)))
    return occurrences


def before_batch(program: TracedProgram, samples: int, inputs: Sequence[Array]) -> None:
    """Logs the births of a batched call that is about to run."""
    if _WATCHING.get():
        _tell(batch_occurrences(program.births(samples, flat(inputs), _SAMPLES)))


def after_batch(plan: BatchPlan, samples: int, inputs: Sequence[Array]) -> None:
    """Logs the contributions that a batched call left out."""
    if _WATCHING.get():
        _tell(batch_occurrences(plan.dropped(samples, flat(inputs), _SAMPLES)))


def _born(
    op: OpType,
    operands: tuple[TRScalar, ...],
    value: TRScalar,
    place: Any,
    distance: Optional[float],
) -> None:
    """Logs a birth; called by the engine."""
    if _WATCHING.get():
        event = SingularEvent("born", op, operands, value, location(place))
        _tell([Occurrence(_kind(value), event, 1, distance)])


def _before_backward(root: TRNode, sources: Optional[list[TRNode]]) -> None:
    """Logs what a backward pass will leave out; called by the engine."""
    if not _WATCHING.get():
        return
    found: dict[tuple[int, Optional[int]], Occurrence] = {}
    for source in [None] if sources is None else sources:
        if source is None and root.is_leaf:
            continue
        for what, node, (op, operands, value, _), place, of, *_ in _native.explain_node(
            root, source, sys.maxsize
        )[3]:
            if what == "dropped":
                event = SingularEvent(what, op, operands, value, location(place), input=of)
                found[hash(node), of] = Occurrence("dropped", event, 1, None)
    _tell(list(found.values()))


def _tell(found: list[Occurrence]) -> None:
    """Adds to the logs of the blocks that run here.

    Raises:
        SingularityError: if one of them wants the first such thing raised.
    """
    logs = _WATCHING.get()
    for occurrence in found:
        for log in logs:
            log._add(occurrence)
    for occurrence in found:
        if any(occurrence.kind in log._raise_on for log in logs):
            raise SingularityError(_forgetful(occurrence.first))


def _kind(value: TRScalar) -> str:
    return "phi" if value.tag is TRTag.PHI else "inf"


def _forgetful(event: SingularEvent) -> SingularEvent:
    """The event without nodes, which would keep their graph alive."""
    return replace(event, node=None, path=(), leaves=(), cause=None)


def _row(found: Occurrence) -> tuple[str, ...]:
    source = found.first.expression
    return (
        str(found.count),
        found.kind,
        str(found.location or "?"),
        source.text if source else found.op.name.lower(),
        found.first.formula,
        "" if found.distance is None else f"{found.distance:.3g}",
        ", ".join(map(str, found.samples)) + (", …" if _has_more_samples(found) else ""),
    )


def _has_more_samples(found: Occurrence) -> bool:
    return bool(found.samples) and found.count > len(found.samples)
