"""Parts of a batch: the request, and the method of batched functions that makes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional, SupportsIndex

import numpy as np

from .._arrays import at_least_1d
from .._native import BatchPlan, ModeSnapshot
from ..threads import get_num_threads
from ._batch_arguments import Inputs
from ._batch_methods import DirectionalMethods
from ._batch_requests import readable, watch, watch_dropped
from ._batch_sources import Sources
from ._batch_trace import Traced
from ._leaves import MOST, first_sample
from ._parameters import ArgNum, ArgNums, argument_numbers
from .partial import Computed, Partial, rows_of


class PartialRequest:
    """The value and gradients of a part of the samples, as sums."""

    def __init__(self, traced: Traced, sources: Sources, coordinate: Optional[int]) -> None:
        self._program = traced.program
        self._plan: BatchPlan = traced.program.gradient(sources.leaves, coordinate, "sum")
        self._layout = traced.layout
        self._sources = sources

    def run(
        self,
        inputs: Inputs,
        samples: int,
        start: int,
        mode: Optional[ModeSnapshot],
        threads: int,
        label: str,
    ) -> Partial:
        """The part of these samples, of which ``start`` is the first.

        Raises:
            ValueError: if no argument has values for each sample.
        """
        if self._layout.is_single:
            raise ValueError(
                f"no argument of {label} has an axis of samples, so there are no parts: "
                "value_and_grad computes the one sample"
            )
        if start > MOST - samples:
            raise ValueError(
                f"start is too large: samples are numbered below {MOST}, not up to "
                f"{start + samples}"
            )
        ready = readable(inputs)
        computed = Computed.of(label, self._layout, self._sources, ready)
        shapes = [
            (0,) if summed else (samples, *shape)
            for summed, shape in zip(computed.summed, self._sources.shapes)
        ]
        gradients = [np.empty(shape) for shape in shapes]
        statuses = [np.empty(shape, np.uint8) for shape in shapes]
        watch(self._program, self._plan, samples, ready)
        totals = self._plan.part(
            start, samples, threads, ready, at_least_1d(gradients), at_least_1d(statuses), mode
        )
        watch_dropped(self._plan, samples, ready, totals.counts[0])
        own = [place for place, summed in enumerate(computed.summed) if not summed]
        rows = rows_of(start, [gradients[k] for k in own], [statuses[k] for k in own])
        return Partial._of(totals, computed, rows)


class PartialMethods(DirectionalMethods):
    """The method of a batched function that computes parts of a batch."""

    def partial(
        self,
        *args: Any,
        start: SupportsIndex,
        argnums: ArgNums = 0,
        coordinate: Optional[ArgNum] = None,
        mode: Optional[ModeSnapshot] = None,
        **keywords: Any,
    ) -> Partial:
        """The values and gradients of a part of the samples, to be merged with those of the others.

        Args:
            *args: the arguments of the function, which must return one node: of arguments with a
                value for each sample those of the part.
            start: the number of the first sample of the part among all samples, a multiple of 8192.
                A part has any number of samples if it is the last, else a multiple of 8192.
            argnums: as for ``value_and_grad``.
            coordinate: as for ``value_and_grad``.
            mode: the gradient mode to compute in, from ``GradientModeConfig.snapshot``; None for
                the current one. All parts must have the same.
            **keywords: further arguments of the function.

        Returns:
            A :class:`Partial`. The statistics of the calling thread or async task do not count its
            samples: they are counted where it is finished.

        Raises:
            TypeError: if the function returns several nodes, and for ``start``, ``argnums``,
                ``coordinate`` or ``mode`` of another type.
            ValueError: if ``start`` is no multiple of 8192 or too large, no argument has values for
                each sample, or ``argnums`` or ``coordinate`` names no argument.
        """
        return self._part(args, keywords, start, argnums, coordinate, mode, get_num_threads())

    def _part(
        self,
        args: tuple[Any, ...],
        keywords: Mapping[str, Any],
        start: SupportsIndex,
        argnums: ArgNums,
        coordinate: Optional[ArgNum],
        mode: Optional[ModeSnapshot],
        threads: int,
    ) -> Partial:
        """The same on so many threads."""
        first = first_sample(start)
        if mode is not None and not isinstance(mode, ModeSnapshot):
            raise TypeError(
                "mode must be what GradientModeConfig.snapshot() returns or None, not "
                f"{type(mode).__name__}"
            )

        def make(traced: Traced, sources: Sources, leaf: Optional[int]) -> PartialRequest:
            self._expect_node(traced, "partial")
            return PartialRequest(traced, sources, leaf)

        request, inputs, samples = self._request(
            "partial", "partial", make, args, keywords, argument_numbers(argnums), coordinate
        )
        return request.run(inputs, samples, first, mode, threads, self._parameters.label)
