"""Monitoring singularities: a log of where they occur in a block of code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from operator import index
from threading import RLock
from types import TracebackType
from typing import Any, NamedTuple, Optional, TextIO, Union

from . import _native
from ._arrays import Array, at_least_1d
from ._blocks import enter, leave
from ._enums import OpType, TRTag
from ._native import BatchPlan, TracedProgram, TRScalar
from .explanation import Location, SingularEvent, location

__all__ = ["Occurrence", "SingularityError", "SingularityLog", "watch_singularities"]

#: What ``raise_on`` may name.
KINDS = ("phi", "inf", "dropped")
#: The number of samples of a batch that are listed for each place.
_SAMPLES = 10


class SingularityError(ArithmeticError):
    """A singularity of a kind in ``watch_singularities(raise_on=...)``.

    Args:
        event: the singularity. It holds no nodes.

    Examples:
        >>> from zeroproof import SingularityError, TRNode, watch_singularities
        >>> try:
        ...     with watch_singularities(raise_on="phi"):
        ...         TRNode.parameter(0.0) / 0.0
        ... except SingularityError as error:
        ...     print(error.event.op.name, error.event.value)
        DIV Φ
    """

    def __init__(self, event: SingularEvent) -> None:
        super().__init__(str(event))
        self.event = event

    def __reduce__(self) -> Any:
        return type(self), (self.event,), self.__dict__


@dataclass(frozen=True)
class Occurrence:
    """A kind of singularity at one place.

    Args:
        kind: ``"phi"``, ``"inf"`` (of either sign) or ``"dropped"``.
        first: the first event.
        count: the number of events; for ``"dropped"`` one for each pass and each input of the
            operation, in a pass of second order one for each term.
        distance: the smallest distance to the operation's pole; None for an operation without one.
        samples: the indices of the samples, within their batch, in which it occurred: in a log the
            first 10 of them; empty outside of batches.

    Examples:
        >>> from zeroproof import TRNode, watch_singularities
        >>> x = TRNode.parameter(0.0)
        >>> with watch_singularities() as log:
        ...     results = [1.0 / x for _ in range(3)]
        >>> [occurrence] = log.occurrences
        >>> occurrence.kind, occurrence.count, occurrence.distance, occurrence.op.name
        ('inf', 3, 0.0, 'DIV')
    """

    kind: str
    first: SingularEvent
    count: int
    distance: Optional[float]
    samples: tuple[int, ...] = ()

    @property
    def location(self) -> Optional[Location]:
        """The place; None if it is unknown."""
        return self.first.location

    @property
    def op(self) -> OpType:
        """The operation."""
        return self.first.op

    def __str__(self) -> str:
        return f"{self.count} × {self.first}"


class Detection(NamedTuple):
    """What the engine detected at a place: the fields of an event and an occurrence."""

    what: str
    op: OpType
    operands: tuple[TRScalar, ...]
    value: TRScalar
    place: Any
    input: Optional[int] = None
    times: int = 1
    samples: Sequence[int] = ()
    distance: Optional[float] = None

    @property
    def kind(self) -> str:
        """The kind of the occurrence."""
        if self.what == "dropped":
            return self.what
        return "phi" if self.value.tag is TRTag.PHI else "inf"

    def event(self) -> SingularEvent:
        """The first event. It holds no nodes, which would keep their graph alive."""
        return SingularEvent(
            self.what,
            self.op,
            self.operands,
            self.value,
            location(self.place),
            input=self.input,
            sample=self.samples[0] if self.samples else None,
        )


class _Tally:
    """An occurrence that is still being counted."""

    def __init__(self, found: Detection) -> None:
        self.kind = found.kind
        self.first = found.event()
        self.count = 0
        self.distance: Optional[float] = None
        self._samples: list[int] = []  # one more than are listed

    def add(self, found: Detection) -> None:
        self.count += found.times
        if found.distance is not None and (self.distance is None or found.distance < self.distance):
            self.distance = found.distance
        for sample in found.samples:
            if len(self._samples) <= _SAMPLES and sample not in self._samples:
                self._samples.append(sample)

    def occurrence(self) -> Occurrence:
        samples = tuple(self._samples[:_SAMPLES])
        return Occurrence(self.kind, self.first, self.count, self.distance, samples)

    def row(self) -> tuple[str, ...]:
        """Its line in the table of a log."""
        source = self.first.expression
        samples = [str(sample) for sample in self._samples]
        return (
            str(self.count),
            self.kind,
            str(self.first.location or "?"),
            source.text if source else self.first.op.name.lower(),
            self.first.formula,
            "" if self.distance is None else f"{self.distance:.3g}",
            ", ".join(samples[:_SAMPLES] + ["…"] * (len(samples) > _SAMPLES)),
        )


class SingularityLog:
    """The log of a ``watch_singularities`` block. Its ``len()`` is the total number of events.

    The log is bounded: it keeps one :class:`Occurrence` for each place, operation and kind, up to
    ``limit`` of them, and only counts the events elsewhere.

    Examples:
        >>> from zeroproof import TRNode, watch_singularities
        >>> x = TRNode.parameter(0.0)
        >>> with watch_singularities() as log:
        ...     results = 1.0 / x, x / x
        >>> len(log), log.counts, log.first.value
        (2, {'phi': 1, 'inf': 1, 'dropped': 0}, TRScalar(+∞))
        >>> from io import StringIO
        >>> table = StringIO()
        >>> log.summary(file=table)
        >>> table.getvalue().split()[:2]
        ['count', 'kind']
    """

    def __init__(self, raise_on: frozenset[str], limit: int) -> None:
        self._raise_on = raise_on
        self._limit = limit
        self._first: Optional[SingularEvent] = None
        self._found: dict[tuple[Any, ...], _Tally] = {}
        self._counts = dict.fromkeys(KINDS, 0)
        self._blocks = 0
        self._lock = RLock()  # finalizers and signal handlers may add to the log meanwhile

    @property
    def occurrences(self) -> tuple[Occurrence, ...]:
        """The occurrences, in the order of their first events."""
        with self._lock:
            return tuple(tally.occurrence() for tally in self._found.values())

    @property
    def first(self) -> Optional[SingularEvent]:
        """The first event; None if there is none."""
        return self._first

    @property
    def counts(self) -> dict[str, int]:
        """The number of events of each kind, also beyond ``limit``."""
        return dict(self._counts)

    def __len__(self) -> int:
        return sum(self._counts.values())

    def summary(self, file: Optional[TextIO] = None) -> None:
        """Prints a table with a line for each place.

        Args:
            file: where to print; by default standard output.
        """
        print(self, file=file)

    def __str__(self) -> str:
        if not len(self):
            return "no singularities"
        head = ("count", "kind", "place", "operation", "first", "distance", "samples")
        with self._lock:
            tallies, total = list(self._found.values()), len(self)
        rows = [head, *(tally.row() for tally in tallies)]
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
        listed = sum(tally.count for tally in tallies)
        if listed < total:
            lines.append(f"and {total - listed} more at other places")
        return "\n".join(lines)

    def __repr__(self) -> str:
        counts = ", ".join(f"{kind}={count}" for kind, count in self._counts.items())
        return f"SingularityLog({counts}, places={len(self._found)})"

    def __enter__(self) -> SingularityLog:
        _native.begin_watching()
        with self._lock:
            self._blocks += 1
        enter(_WATCHING, self)
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        with self._lock:
            if self._blocks == 0:
                raise RuntimeError("this log was exited more often than it was entered")
            self._blocks -= 1
        _native.end_watching()
        leave(_WATCHING, self)

    def _add(self, found: Detection) -> None:
        key = (found.kind, found.op, found.place)
        with self._lock:
            self._counts[found.kind] += found.times
            if self._first is None:
                self._first = found.event()
            tally = self._found.get(key)
            if tally is None:
                if len(self._found) >= self._limit:
                    return
                tally = self._found[key] = _Tally(found)
            tally.add(found)


#: The logs of the enclosing blocks, the outermost first. A task or generator started in a block may
#: outlive it, so some may have ended.
_WATCHING: ContextVar[tuple[SingularityLog, ...]] = ContextVar("zeroproof_watching", default=())


def watch_singularities(
    *, raise_on: Union[str, Iterable[str]] = (), limit: int = 1000
) -> SingularityLog:
    """A ``with`` block that logs where values stop being REAL and contributions are dropped.

    It logs origins, operations on nodes and in batched calls whose value is not REAL although the
    operands are, or is Φ although they are infinities, and the contributions that backward passes
    drop because they are not REAL; those of second order and forward passes likewise. A block
    covers its own thread or async task and prints nothing. Within a block, batched
    calls and backward passes are computed twice.

    Args:
        raise_on: the kinds that raise a :class:`SingularityError`: any of ``"phi"``, ``"inf"`` and
            ``"dropped"``. The operation, backward pass or batched call that raises has no effect:
            graph, gradients, statistics and the arrays of ``out`` are unchanged.
        limit: the largest number of places to list.

    Returns:
        A :class:`SingularityLog`, readable in the block and after it.

    Raises:
        TypeError: if ``raise_on`` is not a name or names, or ``limit`` not an integer.
        ValueError: for an unknown name in ``raise_on``, or a negative ``limit``.

    Examples:
        >>> from zeroproof import TRNode, watch_singularities
        >>> with watch_singularities() as log:
        ...     y = 1.0 / TRNode.parameter(0.0)
        >>> print(log.counts)
        {'phi': 0, 'inf': 1, 'dropped': 0}
    """
    try:
        wanted = [raise_on] if isinstance(raise_on, str) else list(raise_on)
    except TypeError:
        kinds = ", ".join(map(repr, KINDS))
        raise TypeError(f"raise_on takes any of {kinds}, not {raise_on!r}") from None
    for kind in wanted:
        if kind not in KINDS:
            raise ValueError(f"raise_on takes {', '.join(map(repr, KINDS))}, not {kind!r}")
    try:
        most = index(limit)
    except TypeError:
        raise TypeError(f"limit must be an integer, not {limit!r}") from None
    if most < 0:
        raise ValueError(f"limit must not be negative, not {limit}")
    return SingularityLog(frozenset(wanted), most)


def before_batch(
    program: TracedProgram, plan: Optional[BatchPlan], samples: int, inputs: Sequence[Array]
) -> None:
    """Logs the origins of a batched call that is about to run.

    If a dropped contribution may raise, these are logged before it runs as well, so that a call
    either has all of its effects or none.

    Args:
        program: the traced function.
        plan: what is to run; None if it computes no gradients.
        samples: the number of samples.
        inputs: the arguments.
    """
    if not _watches_here():
        return
    _log_all(map(Detection._make, program.origins(samples, at_least_1d(inputs), _SAMPLES + 1)))
    if plan is not None and _raises("dropped"):
        _log_all(map(Detection._make, plan.dropped(samples, at_least_1d(inputs), _SAMPLES + 1)))


def after_batch(plan: BatchPlan, samples: int, inputs: Sequence[Array]) -> None:
    """Logs the contributions that a batched call dropped, unless that was done before."""
    if _watches_here() and not _raises("dropped"):
        _log_all(map(Detection._make, plan.dropped(samples, at_least_1d(inputs), _SAMPLES + 1)))


def _watches_here() -> bool:
    """Whether a block is active in this context; called by the engine."""
    return bool(_WATCHING.get()) and bool(_active())


def _origin(
    op: OpType,
    operands: tuple[TRScalar, ...],
    value: TRScalar,
    place: Any,
    distance: Optional[float],
) -> None:
    """Logs an origin; called by the engine."""
    if _WATCHING.get():
        _log_all([Detection("born", op, operands, value, place, distance=distance)])


def _left_out(found: list[tuple[Any, ...]]) -> None:
    """Logs the contributions that a backward pass is about to drop; called by the engine."""
    _log_all(
        Detection("dropped", op, operands, value, place, of, distance=distance)
        for op, operands, value, place, of, distance in found
    )


def _active() -> list[SingularityLog]:
    """The logs of the active blocks in this context, each once."""
    return [log for log in dict.fromkeys(_WATCHING.get()) if log._blocks]


def _raises(kind: str) -> bool:
    """Whether an active block raises for this kind."""
    return any(kind in log._raise_on for log in _active())


def _log_all(found: Iterable[Detection]) -> None:
    """Adds to the logs of the active blocks.

    Raises:
        SingularityError: if one of them raises for such a kind.
    """
    logs = _active()
    stop = None
    for each in found:
        for log in logs:
            log._add(each)
            if stop is None and each.kind in log._raise_on:
                stop = each
    if stop is not None:
        raise SingularityError(stop.event())


_native.set_watcher(_watches_here, _origin, _left_out)
