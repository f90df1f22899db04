"""Samples that a batch left out: which, why, and a warning when their share exceeds a limit."""

from __future__ import annotations

import sys
import warnings
from bisect import bisect_left
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from operator import index
from types import FrameType, TracebackType
from typing import Optional, SupportsIndex

import numpy as np
import numpy.typing as npt

from ._arrays import Array, at_least_1d
from ._blocks import enter, leave
from ._enums import TRTag
from ._native import BatchPlan, TracedProgram
from .array import TRArray
from .threads import get_num_threads
from .watching import Detection, Occurrence

__all__ = ["MaskedSamplesWarning", "SampleMask", "alarm"]


class MaskedSamplesWarning(UserWarning):
    """A batch left out more samples than an ``alarm`` block allows.

    Examples:
        >>> import warnings
        >>> from zeroproof import MaskedSamplesWarning, alarm, tr_vmap
        >>> with warnings.catch_warnings(record=True) as given:
        ...     warnings.simplefilter("always", MaskedSamplesWarning)
        ...     with alarm(0.25):
        ...         value = tr_vmap(lambda x: 1.0 / x).value_and_grad([1.0, 0.0], reduce="mean")
        >>> [each.category.__name__ for each in given]
        ['MaskedSamplesWarning']
    """


@dataclass(frozen=True, eq=False, repr=False)
class SampleMask:
    """The samples of a batch that were kept, and the reasons why the others were left out.

    Args:
        kept: shape (samples,), whether the value is REAL; means and sums are over these.
        tags: shape (samples,), the ``TRTag`` codes of the values, uint8.
        dropped: shape (samples,), whether a contribution to the sample's gradient was dropped.
        occurrences: the origins of the values that are not REAL, and the dropped contributions,
            with the indices of all samples concerned. Origins that do not affect the value of a
            sample, such as in a branch that ``tr_where`` does not take, are not included.

    Examples:
        >>> from zeroproof import tr_vmap
        >>> f = tr_vmap(lambda x: 1.0 / x)
        >>> *_, mask = f.value_and_grad([1.0, 0.0, 2.0], reduce="mean", with_mask=True)
        >>> mask.kept, mask.left_out
        (array([ True, False,  True]), array([1]))
        >>> [occurrence.kind for occurrence in mask.occurrences], mask.why(0)
        (['inf'], '')
    """

    kept: npt.NDArray[np.bool_]
    tags: npt.NDArray[np.uint8]
    dropped: npt.NDArray[np.bool_]
    occurrences: tuple[Occurrence, ...]

    @property
    def left_out(self) -> npt.NDArray[np.intp]:
        """The indices of the samples that are not kept."""
        return np.flatnonzero(~self.kept)

    def why(self, sample: SupportsIndex) -> str:
        """Why a sample is not kept or its gradient incomplete; empty if neither is the case.

        Args:
            sample: its index; negative ones count from the end.

        Raises:
            IndexError: if there is no such sample.
        """
        samples, place = len(self.kept), index(sample)
        if not -samples <= place < samples:
            raise IndexError(f"there is no sample {place} among {samples}")
        place %= samples
        if self.kept[place] and not self.dropped[place]:
            return ""
        for found in self.occurrences:
            if (found.kind == "dropped") == self.kept[place] and _holds(found.samples, place):
                return str(found.first if found.first.sample == place else _elsewhere(found))
        # There is no origin: an argument was not REAL.
        return f"its value is {TRTag(int(self.tags[place])).name} because an argument is not REAL"

    def __str__(self) -> str:
        return "\n".join([self._headline(), *(f"  {found}" for found in self.occurrences)])

    def __repr__(self) -> str:
        return f"<SampleMask: {self._headline()}>"

    def _headline(self) -> str:
        line = f"{len(self.left_out)} of {len(self.kept)} samples left out"
        if self.dropped.any():
            line += f", {np.count_nonzero(self.dropped)} with an incomplete gradient"
        return line


def _holds(samples: tuple[int, ...], sample: int) -> bool:
    """Whether a sample is among these, which ascend."""
    place = bisect_left(samples, sample)
    return place < len(samples) and samples[place] == sample


def _elsewhere(found: Occurrence) -> str:
    """An occurrence without the operands, which are those of another sample."""
    source = found.first.expression
    name = source.text if source else found.first.op.name.lower()
    at = f" at {found.location}" if found.location else ""
    if found.kind == "dropped":
        return f"{name}{at} dropped a contribution that was not REAL"
    return f"{name}{at} gave {'Φ' if found.kind == 'phi' else '±∞'}"


class MaskBuilder:
    """Computes the masks of a gradient request."""

    def __init__(self, program: TracedProgram, plan: BatchPlan, per_sample: Sequence[bool]) -> None:
        self._program = program
        self._plan = plan
        self._values = program.values()
        self._per_sample = per_sample

    def mask(
        self, samples: int, inputs: Sequence[Array], values: Optional[Array], dropped: int
    ) -> SampleMask:
        """The mask of a finished run.

        Args:
            samples: the number of samples.
            inputs: the arguments.
            values: those of the samples; None if the run reduced them.
            dropped: the number of contributions that the run dropped.
        """
        if values is None:
            values = np.empty(samples)
            self._values.run(samples, get_num_threads(), at_least_1d(inputs), [values], [], [])
        kept = np.isfinite(values)
        incomplete = np.zeros(samples, bool)
        found = self._causes(inputs, np.flatnonzero(~kept))
        if dropped:
            for left_out in self._plan.dropped(samples, at_least_1d(inputs), samples):
                lost = Detection._make(left_out)
                incomplete[lost.samples] = True
                found.append(_occurrence(lost, tuple(lost.samples)))
        return SampleMask(kept, TRArray(values).tags, incomplete, tuple(found))

    def _causes(self, inputs: Sequence[Array], chosen: npt.NDArray[np.intp]) -> list[Occurrence]:
        """The origins of the values of these samples."""
        if not len(chosen):
            return []
        rows = [
            np.ascontiguousarray(array[chosen]) if own else array
            for array, own in zip(inputs, self._per_sample)
        ]
        everyone = tuple(chosen.tolist())
        occurrences = []
        causes = self._program.origins(len(chosen), at_least_1d(rows), len(chosen), causes=True)
        for found in map(Detection._make, causes):
            concerns_all = len(found.samples) == len(everyone)
            samples = everyone if concerns_all else tuple(everyone[k] for k in found.samples)
            occurrences.append(_occurrence(found, samples))
        return occurrences


def _occurrence(found: Detection, samples: tuple[int, ...]) -> Occurrence:
    """An occurrence in these samples."""
    first = replace(found.event(), sample=samples[0])
    return Occurrence(found.kind, first, found.times, found.distance, samples)


class alarm:
    """A ``with`` block that warns when a batch leaves out too many of its samples.

    The block checks every ``value_and_grad`` call of a batched function in its thread or async
    task, and every ``Partial.finish``. The first call in which the share of samples whose value is
    not REAL exceeds the limit issues a :class:`MaskedSamplesWarning`; the block issues no further
    warning. If warnings are errors, the call raises it after it has finished: the arrays of ``out``
    are written and the statistics updated.

    Args:
        max_masked: the largest allowed share of left-out samples, between 0 and 1.

    Raises:
        TypeError: if ``max_masked`` is not a number.
        ValueError: if it is not between 0 and 1.

    Examples:
        >>> import warnings
        >>> import numpy as np
        >>> from zeroproof import alarm, tr_vmap
        >>> f = tr_vmap(lambda x: 1.0 / x)
        >>> with warnings.catch_warnings(record=True) as caught, alarm(max_masked=0.25):
        ...     warnings.simplefilter("always")
        ...     _ = f.value_and_grad(np.array([0.0, 1.0]), reduce="mean")
        >>> print(caught[0].category.__name__)
        MaskedSamplesWarning
    """

    def __init__(self, max_masked: float = 0.1) -> None:
        if isinstance(max_masked, (str, bytes)):
            raise TypeError(f"max_masked must be a number, not {max_masked!r}")
        limit = float(max_masked)
        if not 0.0 <= limit <= 1.0:
            raise ValueError(f"max_masked must be a share between 0 and 1, not {max_masked}")
        self.max_masked = limit
        self.warned = False
        self._blocks = 0

    def __enter__(self) -> alarm:
        self.warned = False
        self._blocks += 1
        enter(_ALARMS, self)
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self._blocks -= 1
        leave(_ALARMS, self)

    def __repr__(self) -> str:
        return f"alarm(max_masked={self.max_masked})"


#: The alarms of the enclosing blocks. A task started in a block may outlive it, so some may have
#: ended.
_ALARMS: ContextVar[tuple[alarm, ...]] = ContextVar("zeroproof_alarms", default=())

#: The same at a call; empty if no alarm needs to be asked.
alarm_blocks = _ALARMS.get


def _active_alarms() -> list[alarm]:
    """The alarms that have not warned yet."""
    return [each for each in _ALARMS.get() if each._blocks and not each.warned]


def has_active_alarms() -> bool:
    """Whether there is an active alarm in this thread or task."""
    return bool(_ALARMS.get()) and bool(_active_alarms())


def warn_if_too_many_masked(
    builder: MaskBuilder,
    samples: int,
    inputs: Sequence[Array],
    values: Optional[Array],
    left_out: int,
) -> None:
    """Warns if an active alarm allows fewer samples to be left out.

    Args:
        builder: makes the mask that gives the reasons.
        samples: the number of samples.
        inputs: the arguments.
        values: those of the samples; None if the run reduced them.
        left_out: the number of samples whose value is not REAL.
    """
    share = left_out / samples if samples else 0.0
    due = [each for each in _active_alarms() if share > each.max_masked]
    if due:
        causes = builder.mask(samples, inputs, values, 0).occurrences[:3]
        _warn(due, samples, left_out, "".join(f"; {cause}" for cause in causes))


def warn_if_too_many_left_out(samples: int, left_out: int) -> None:
    """The same where the arguments, and so the reasons, are elsewhere."""
    if has_active_alarms():
        share = left_out / samples if samples else 0.0
        due = [each for each in _active_alarms() if share > each.max_masked]
        if due:
            _warn(due, samples, left_out, "")


def _warn(due: list[alarm], samples: int, left_out: int, reasons: str) -> None:
    """Warns of the samples left out, for these alarms."""
    share = left_out / samples
    for each in due:
        each.warned = True
    warnings.warn(
        f"{left_out} of {samples} samples ({share:.0%}) are left out because their value is not "
        f"REAL{reasons}",
        MaskedSamplesWarning,
        stacklevel=_levels_of_the_package(),
    )


def _levels_of_the_package() -> int:
    """The stack level of the user's code."""
    package = __name__.partition(".")[0]
    level, frame = 1, sys._getframe(1)
    caller: Optional[FrameType] = frame
    while caller is not None and caller.f_globals.get("__name__", "").partition(".")[0] == package:
        level, caller = level + 1, caller.f_back
    return level
