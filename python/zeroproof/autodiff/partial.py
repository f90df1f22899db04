"""What some of the samples of a batch come to, to be merged with what the others do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import prod
from operator import attrgetter
from typing import Any, Literal, NamedTuple, SupportsIndex, overload

import numpy as np
import numpy.typing as npt

from .._arrays import Array
from .._native import HybridStatistics, ModeSnapshot, PartialTotals, TRScalar
from ..sample_mask import warn_if_too_many_left_out
from ._batch_layout import Layout
from ._batch_sources import Sources
from ._leaves import LEAF, cuts

__all__ = ["MaskTotals", "Partial"]

#: Of what is pickled. The engine's part has a version of its own.
_VERSION = 1


@dataclass(frozen=True)
class MaskTotals:
    """How many samples were kept, and how many were left out for which value.

    Args:
        samples: all samples.
        kept: those whose value is REAL; means and sums are over these.
        plus_infinity: those whose value is +∞.
        minus_infinity: those whose value is −∞.
        nullity: those whose value is Φ.
        incomplete: those with a dropped contribution to their gradient, kept or not.

    Examples:
        >>> from zeroproof import tr_vmap
        >>> masks = tr_vmap(lambda x: 1.0 / x).partial([1.0, 0.0, 2.0], start=0).masks
        >>> masks.samples, masks.kept, masks.left_out, masks.plus_infinity
        (3, 2, 1, 1)
    """

    samples: int
    kept: int
    plus_infinity: int
    minus_infinity: int
    nullity: int
    incomplete: int

    @property
    def left_out(self) -> int:
        """The number of samples that are not kept."""
        return self.samples - self.kept


def check_total(reduce: Any) -> None:
    """Raises unless ``reduce`` names a sum or a mean."""
    if not isinstance(reduce, str):
        raise TypeError(f"reduce must be 'mean' or 'sum', not {reduce!r}")
    if reduce not in ("mean", "sum"):
        raise ValueError(f"reduce must be 'mean' or 'sum', not {reduce!r}")


class Computed(NamedTuple):
    """What a part was computed of: the same for all parts of a call."""

    label: str
    """The name of the function."""
    arguments: tuple[tuple[str, tuple[int, ...], bool], ...]
    """Name, shape and whether every sample has its own, of each array."""
    sources: Sources
    """The arguments to differentiate with respect to."""
    shared: tuple[tuple[str, bytes], ...]
    """Name and digest of each array that the samples share."""

    @classmethod
    def of(
        cls, label: str, layout: Layout, sources: Sources, arrays: Sequence[npt.NDArray[Any]]
    ) -> Computed:
        """That of a traced function for these arrays."""
        arguments = tuple(zip(layout.names, layout.shapes, layout.per_sample))
        shared = tuple(
            (name, blake2b(array.data, digest_size=16).digest())
            for (name, _, own), array in zip(arguments, arrays)
            if not own
        )
        return cls(label, arguments, sources, shared)

    def __str__(self) -> str:
        def shape(of_sample: tuple[int, ...], per_sample: bool) -> str:
            axes = [*(["samples"] if per_sample else []), *map(str, of_sample)]
            return f"({', '.join(axes)})"

        listed = [f"{name}: {shape(size, own)}" for name, size, own in self.arguments]
        return f"{self.label}({', '.join(listed)})"

    @property
    def summed(self) -> list[bool]:
        """For each source whether it is shared, so that its gradient is summed."""
        return [not self.arguments[leaf][2] for leaf in self.sources.leaves]


class Rows(NamedTuple):
    """Gradients of arguments of samples, for samples in a row."""

    start: int
    gradients: list[Array]
    statuses: list[npt.NDArray[np.uint8]]


class Partial:
    """What samples ``start`` to ``stop - 1`` of a batch come to.

    ``BatchedFunction.partial`` makes it. It holds sums, statuses, counts and the statistics of
    Hybrid mode, of a size that hardly depends on the number of samples, and can be pickled. Parts
    whose samples are neighbours merge by ``a + b``, in any grouping, and :meth:`merge` takes all
    parts at once, in any order. What was merged of all samples is finished to what a single call
    over all of them gives, bit for bit.

    Of arguments with a value for each sample that gradients are requested for it also holds the
    gradients of its samples.

    Examples:
        >>> import numpy as np
        >>> from zeroproof import tr_vmap
        >>> from zeroproof.autodiff import Partial
        >>> f = tr_vmap(lambda x, w: w / x, in_axes=(0, None))
        >>> x = np.linspace(0.0, 1.0, 20_000)
        >>> cuts = Partial.cuts(len(x), 2)
        >>> parts = [f.partial(x[cut], 2.0, start=cut.start, argnums=1) for cut in cuts]
        >>> value, gradient = Partial.merge(parts).finish()
        >>> whole = f.value_and_grad(x, 2.0, argnums=1, reduce="mean")
        >>> (value, gradient) == whole
        True
    """

    #: Parts begin at multiples of this many samples: these are the leaves of the tree of sums.
    leaf_samples = LEAF

    _totals: PartialTotals
    _computed: Computed
    _rows: tuple[Rows, ...]

    def __init__(self) -> None:
        raise TypeError("a Partial is made by the method partial of a function from tr_vmap")

    @classmethod
    def _of(cls, totals: PartialTotals, computed: Computed, rows: tuple[Rows, ...]) -> Partial:
        part = object.__new__(cls)
        part._totals, part._computed, part._rows = totals, computed, rows
        return part

    @staticmethod
    def cuts(samples: SupportsIndex, parts: SupportsIndex) -> list[slice]:
        """Where to cut samples into parts of about the same size.

        Args:
            samples: how many there are.
            parts: how many parts, at most; there are fewer if that many do not have 8192 samples
                each.

        Returns:
            A slice for each part, in order: each begins at a multiple of 8192.

        Raises:
            ValueError: for fewer than 0 samples or 1 part.
        """
        return cuts(samples, parts)

    @classmethod
    def merge(cls, parts: Iterable[Partial]) -> Partial:
        """The parts as one: neighbours of the same call, which may come in any order.

        Raises:
            TypeError: for anything but parts.
            ValueError: without parts, if samples between them are missing or in two of them, and if
                they were computed with different functions, shapes, gradient modes or values
                of an argument that all samples share.
        """
        given = list(parts)
        for part in given:
            if not isinstance(part, Partial):
                raise TypeError(f"parts must be Partials, not {type(part).__name__}")
        if not given:
            raise ValueError("there are no parts to merge")
        given.sort(key=attrgetter("start", "stop"))
        first = given[0]
        for part in given[1:]:
            first._check_same(part)
        totals = PartialTotals.merged_all([part._totals for part in given])
        rows = tuple([rows for part in given for rows in part._rows])
        return cls._of(totals, first._computed, rows)

    def __add__(self, other: Partial) -> Partial:
        """Both, if their samples are neighbours.

        Raises:
            ValueError: as :meth:`merge`.
        """
        if not isinstance(other, Partial):
            return NotImplemented
        self._check_same(other)
        totals = self._totals.merged(other._totals)
        rows = sorted([*self._rows, *other._rows], key=attrgetter("start"))
        return self._of(totals, self._computed, tuple(rows))

    def __radd__(self, other: Any) -> Partial:
        # What ``sum`` begins with.
        return self if type(other) is int and other == 0 else NotImplemented

    @overload
    def finish(
        self, reduce: str = "mean", *, with_status: Literal[False] = False
    ) -> tuple[TRScalar, Any]: ...
    @overload
    def finish(
        self, reduce: str = "mean", *, with_status: Literal[True]
    ) -> tuple[TRScalar, Any, Any]: ...
    @overload
    def finish(self, reduce: str = "mean", *, with_status: bool = False) -> tuple[Any, ...]: ...
    def finish(self, reduce: str = "mean", *, with_status: bool = False) -> tuple[Any, ...]:
        """What ``value_and_grad`` with this ``reduce`` gives for all samples, bit for bit.

        The statistics of the calling thread or async task count the samples, as they do in a call.

        Args:
            reduce: ``"mean"`` or ``"sum"``.
            with_status: whether to return the gradients' ``GradientStatus`` flags as well.

        Returns:
            ``(value, gradients)``, then statuses if requested, as ``value_and_grad`` returns them.

        Raises:
            TypeError: for another ``reduce`` that is no string.
            ValueError: for another ``reduce``, and if the part does not begin at sample 0.
        """
        check_total(reduce)
        value, flat, flags = self._totals.finish(reduce)
        shared, shared_flags = np.array(flat), np.frombuffer(flags, np.uint8)
        kept, done = self.kept, 0
        rows = iter(range(len(self._computed.summed)))
        gradients: list[Array] = []
        statuses: list[npt.NDArray[np.uint8]] = []
        sources = self._computed.sources
        for summed, shape in zip(self._computed.summed, sources.shapes):
            if summed:
                end = done + prod(shape)
                gradients.append(shared[done:end].reshape(shape))
                statuses.append(shared_flags[done:end].reshape(shape).copy())
                done = end
                continue
            number = next(rows)
            own = np.concatenate([each.gradients[number] for each in self._rows])
            if reduce == "mean" and kept:
                with np.errstate(all="ignore"):  # as the engine divides
                    own /= float(kept)
            gradients.append(own)
            statuses.append(np.concatenate([each.statuses[number] for each in self._rows]))
        masks = self.masks
        warn_if_too_many_left_out(masks.samples, masks.left_out)
        results = [TRScalar(value), sources.pack(gradients)]
        if with_status:
            results.append(sources.pack(statuses))
        return tuple(results)

    @property
    def start(self) -> int:
        """The number of its first sample."""
        return self._totals.samples[0]

    @property
    def stop(self) -> int:
        """The number of the sample behind its last one."""
        return self._totals.samples[1]

    @property
    def samples(self) -> int:
        """The number of its samples."""
        return self.stop - self.start

    @property
    def kept(self) -> int:
        """The number of samples whose value is REAL."""
        return self._totals.kept

    @property
    def masks(self) -> MaskTotals:
        """How many samples were kept and left out."""
        return MaskTotals(self.samples, self.kept, *self._totals.left_out)

    @property
    def dropped_contributions(self) -> int:
        """The number of contributions that were not REAL and left out."""
        return self._totals.counts[0]

    @property
    def masked_nodes(self) -> int:
        """The number of nodes that were silenced."""
        return self._totals.counts[1]

    @property
    def statistics(self) -> HybridStatistics:
        """What its samples measured, for ``HybridGradientContext.merge``."""
        return self._totals.statistics

    @property
    def mode(self) -> ModeSnapshot:
        """The gradient mode that it was computed in."""
        return self._totals.mode

    @property
    def nbytes(self) -> int:
        """About the number of bytes that it takes to send it."""
        size = len(self._totals.to_bytes())
        for rows in self._rows:
            size += sum([array.nbytes for array in rows.gradients])
            size += sum([array.nbytes for array in rows.statuses])
        return size

    def _check_same(self, other: Partial) -> None:
        """Raises if another part is not of the same function, shapes, ``argnums`` and values."""
        mine, theirs = self._totals.fingerprint, other._totals.fingerprint
        if mine == theirs and self._computed.arguments == other._computed.arguments:
            pairs = zip(self._computed.shared, other._computed.shared)
            differing = [name for (name, digest), (_, another) in pairs if digest != another]
            if not differing:
                return
            raise ValueError(
                "parts cannot be merged that were computed with different values of "
                f"{differing[0]}, which all samples share"
            )
        a, b = str(self._computed), str(other._computed)
        what = f"{a} and {b}" if a != b else f"{a} with other operations, argnums or coordinates"
        raise ValueError(f"parts of different functions or shapes cannot be merged: {what}")

    def __reduce__(self) -> tuple[Any, ...]:
        # The version comes before the rest, so that it is read before the rest is.
        return _restored, (_VERSION,), (self._totals.to_bytes(), self._computed, self._rows)

    def __setstate__(self, state: tuple[bytes, Computed, tuple[Rows, ...]]) -> None:
        record, self._computed, self._rows = state
        self._totals = PartialTotals(record)

    def __repr__(self) -> str:
        return (
            f"<Partial of {self._computed.label}: samples {self.start} to {self.stop - 1}, "
            f"{self.kept} kept>"
            if self.samples
            else f"<Partial of {self._computed.label}: no samples, at {self.start}>"
        )


def _restored(version: int) -> Partial:
    """An empty part, whose state follows.

    Raises:
        ValueError: for another version of the format.
    """
    if version != _VERSION:
        raise ValueError(
            f"this Partial is of version {version} of its format, but this version of zeroproof "
            f"reads version {_VERSION}: install the same zeroproof in every process"
        )
    return object.__new__(Partial)


def rows_of(start: int, gradients: Sequence[Array], statuses: Sequence[Any]) -> tuple[Rows, ...]:
    """The rows of the sources that have any; nothing if none has."""
    return (Rows(start, list(gradients), list(statuses)),) if gradients else ()
