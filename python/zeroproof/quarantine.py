"""Samples that a batch had to leave out: which, why, and a warning when they are too many."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from types import FrameType, TracebackType
from typing import Optional

import numpy as np
import numpy.typing as npt

from ._enums import TRTag
from ._native import BatchPlan, TracedProgram
from .array import TRArray
from .autodiff._batch_arguments import Array
from .autodiff._batch_outputs import flat
from .watching import Occurrence, batch_occurrences

__all__ = ["MaskedSamplesWarning", "SampleMask", "alarm"]


class MaskedSamplesWarning(UserWarning):
    """More samples of a batch are left out than an ``alarm`` block allows."""


@dataclass(frozen=True, eq=False)
class SampleMask:
    """Which samples of a batch count, and why the others do not.

    Args:
        kept: shape (samples,), whether the value is REAL; a mean or sum is made of these.
        tags: shape (samples,), the ``TRTag`` codes of the values, uint8.
        dropped: shape (samples,), whether a contribution to the sample's gradient was not REAL and
            left out.
        occurrences: what happened where in the samples that are not kept, or dropped something;
            with the numbers of all samples concerned.
    """

    kept: npt.NDArray[np.bool_]
    tags: npt.NDArray[np.uint8]
    dropped: npt.NDArray[np.bool_]
    occurrences: tuple[Occurrence, ...] = field(repr=False)

    @property
    def left_out(self) -> npt.NDArray[np.intp]:
        """The numbers of the samples that are not kept."""
        return np.flatnonzero(~self.kept)

    def why(self, sample: int) -> str:
        """Why a sample is not kept, or what its gradient lacks; empty if neither is the case.

        Raises:
            IndexError: if there is no such sample.
        """
        place = range(len(self.kept))[sample]
        if self.kept[place] and not self.dropped[place]:
            return ""
        for found in self.occurrences:
            if place in found.samples:
                return str(found.first if found.first.sample == place else _elsewhere(found))
        # Nothing began here: what came in was not REAL.
        return f"its value is {TRTag(int(self.tags[place])).name} because of what came in"

    def __str__(self) -> str:
        samples, left_out = len(self.kept), len(self.left_out)
        lines = [f"{left_out} of {samples} samples left out"]
        if self.dropped.any():
            lines[0] += f", {np.count_nonzero(self.dropped)} with an incomplete gradient"
        lines += [f"  {found.count} × {found.first}" for found in self.occurrences]
        return "\n".join(lines)


def _elsewhere(found: Occurrence) -> str:
    """What happened, without the operands, which are those of another sample."""
    source = found.first.expression
    name = source.text if source else found.first.op.name.lower()
    at = f" at {found.location}" if found.location else ""
    if found.kind == "dropped":
        return f"{name}{at} passed on a contribution that was not REAL"
    return f"{name}{at} gave {'Φ' if found.kind == 'phi' else '±∞'}"


class Quarantine:
    """Makes the masks of a gradient request."""

    def __init__(self, program: TracedProgram, plan: BatchPlan, per_sample: Sequence[bool]) -> None:
        self._program = program
        self._plan = plan
        self._values = program.values()
        self._per_sample = per_sample

    def mask(self, samples: int, threads: int, inputs: Sequence[Array], dropped: int) -> SampleMask:
        """The mask of a run that left out so many contributions."""
        values = np.empty(samples)
        self._values.run(samples, threads, flat(inputs), [values], [], [])
        kept = np.isfinite(values)
        incomplete = np.zeros(samples, bool)
        found = self.births(inputs, np.flatnonzero(~kept))
        if dropped:
            lost = batch_occurrences(self._plan.dropped(samples, flat(inputs), samples))
            for occurrence in lost:
                incomplete[list(occurrence.samples)] = True
            found += lost
        return SampleMask(kept, TRArray(values).tags, incomplete, tuple(found))

    def births(self, inputs: Sequence[Array], chosen: npt.NDArray[np.intp]) -> list[Occurrence]:
        """What began in these samples."""
        rows = [
            np.ascontiguousarray(array[chosen]) if own else array
            for array, own in zip(inputs, self._per_sample)
        ]
        if not len(chosen):
            return []
        found = batch_occurrences(self._program.births(len(chosen), flat(rows), len(chosen)))
        for occurrence in found:
            occurrence.samples = tuple(chosen[list(occurrence.samples)].tolist())
            occurrence.first = replace(occurrence.first, sample=occurrence.samples[0])
        return found


class alarm:
    """A ``with`` block that warns when a batch leaves out too many of its samples.

    Every ``value_and_grad`` of a batched function in the block is looked at, in the block's thread
    or async task. The first one in which the share of samples whose value is not REAL passes the
    limit gives a :class:`MaskedSamplesWarning`; there are no more warnings in the same block.

    Args:
        max_masked: the largest share of samples that may be left out, between 0 and 1.

    Raises:
        TypeError: for a ``max_masked`` that is no number.
        ValueError: for one that is not between 0 and 1.
    """

    def __init__(self, max_masked: float = 0.1) -> None:
        limit = float(max_masked)
        if not 0.0 <= limit <= 1.0:
            raise ValueError(f"max_masked must be a share between 0 and 1, not {max_masked}")
        self.max_masked = limit
        self.warned = False

    def __enter__(self) -> alarm:
        self.warned = False
        _ALARMS.set((*_ALARMS.get(), self))
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        active = list(_ALARMS.get())
        if self in active:
            active.remove(self)
            _ALARMS.set(tuple(active))

    def __repr__(self) -> str:
        return f"alarm(max_masked={self.max_masked})"


#: The alarms that are set here.
_ALARMS: ContextVar[tuple[alarm, ...]] = ContextVar("zeroproof_alarms", default=())


def alarms_are_set() -> bool:
    """Whether any alarm waits in this thread or task."""
    return any(not waiting.warned for waiting in _ALARMS.get())


def sound_alarms(
    quarantine: Quarantine, samples: int, threads: int, inputs: Sequence[Array], left_out: int
) -> None:
    """Warns if so many samples left out are too many."""
    share = left_out / samples if samples else 0.0
    due = [
        waiting for waiting in _ALARMS.get() if not waiting.warned and share > waiting.max_masked
    ]
    if not due:
        return
    for waiting in due:
        waiting.warned = True
    found = quarantine.mask(samples, threads, inputs, 0).occurrences
    causes = "".join(f"; {cause.count} × {cause.first}" for cause in found[:3])
    warnings.warn(
        f"{left_out} of {samples} samples ({share:.0%}) are left out, since their value is not REAL"
        f"{causes}",
        MaskedSamplesWarning,
        stacklevel=_levels_of_the_package(),
    )


def _levels_of_the_package() -> int:
    """How far up the stack the user's code is."""
    package = __name__.partition(".")[0]
    level, frame = 1, sys._getframe(1)
    caller: Optional[FrameType] = frame
    while caller is not None and caller.f_globals.get("__name__", "").partition(".")[0] == package:
        level, caller = level + 1, caller.f_back
    return level
