"""Requests to a traced function, each compiled once."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, Optional

import numpy as np
import numpy.typing as npt

from .._arrays import Array, Shape, at_least_1d
from .._native import BatchPlan, PreparedCall, TracedProgram, TRScalar, is_watching
from .._trees import LEAF
from ..array import TRArray
from ..sample_mask import MaskBuilder, has_active_alarms, warn_if_too_many_masked
from ..threads import get_num_threads
from ..watching import after_batch, before_batch
from ._batch_arguments import Inputs, Unconverted
from ._batch_outputs import allocate, arrays_for, expect_items
from ._batch_prepared import Written, prepared
from ._batch_sources import Sources
from ._batch_trace import Results, Traced


def check_reduction(reduce: Optional[str]) -> None:
    """Raises for an unknown ``reduce``."""
    if reduce is None or (isinstance(reduce, str) and reduce in ("mean", "sum")):
        return
    error = ValueError if isinstance(reduce, str) else TypeError
    raise error(f"reduce must be None, 'mean' or 'sum', not {reduce!r}")


def readable(inputs: Inputs) -> list[Array]:
    """The inputs as the engine reads them. Nothing is converted before a request is in order."""
    return at_least_1d(inputs.converted() if isinstance(inputs, Unconverted) else inputs)


def watch(
    program: TracedProgram, plan: Optional[BatchPlan], samples: int, inputs: Sequence[Array]
) -> None:
    """Logs the origins of a call for active logs; without a plan it has no gradients."""
    if is_watching():
        before_batch(program, plan, samples, inputs)


def watch_dropped(plan: BatchPlan, samples: int, inputs: Sequence[Array], dropped: int) -> None:
    """Logs the contributions that a call dropped, for active logs."""
    if dropped and is_watching():
        after_batch(plan, samples, inputs)


def written(results: Results, have_samples: bool) -> Written:
    """An array for each leaf of the results."""
    return Written(results.structure, results.shapes, [have_samples] * len(results.shapes))


class ValuesRequest:
    """The values of all outputs."""

    def __init__(self, traced: Traced) -> None:
        self._results = traced.results
        self._program = traced.program
        self._plan = traced.program.values()
        self._is_single = traced.layout.is_single
        values = written(traced.results, not self._is_single)
        self.call = prepared(self._plan, traced, values)
        """What the engine recognises; None if it cannot."""

    def run(self, inputs: Inputs, samples: int, out: Any) -> Any:
        """The values in the structure that the function returns."""
        axis = () if self._is_single else (samples,)
        shapes = [(*axis, *shape) for shape in self._results.shapes]
        arrays = arrays_for(self._results.structure, shapes, out, "out")
        ready = readable(inputs)
        watch(self._program, None, samples, ready)
        return self._computed(ready, samples, arrays)

    def unwatched(self, ready: list[Array], samples: int) -> Any:
        """The values once more, of a call that is logged already."""
        axis = () if self._is_single else (samples,)
        arrays = [np.empty((*axis, *shape)) for shape in self._results.shapes]
        return self._computed(ready, samples, arrays)

    def _computed(self, ready: list[Array], samples: int, arrays: list[Array]) -> Any:
        values = at_least_1d(arrays) if self._is_single else arrays
        self._plan.run(samples, get_num_threads(), ready, values, [], [])
        structure = self._results.structure
        if structure.is_leaf:
            return TRArray(arrays[0])
        return structure.unflatten(map(TRArray, arrays))


class GradientRequest:
    """The value of the single output and its gradients, for each sample or reduced."""

    def __init__(
        self,
        traced: Traced,
        sources: Sources,
        coordinate: Optional[int],
        reduce: Optional[str],
        pair: Optional[Traced] = None,
    ) -> None:
        """Compiles it.

        Args:
            traced: the function, which returns one node.
            sources: the arguments to differentiate with respect to.
            coordinate: the leaf that exploration regions refer to.
            reduce: None, ``"sum"`` or ``"mean"``.
            pair: the function that returns this node and further results, if these are requested.
        """
        layout = traced.layout
        self._sources = sources
        self._program = traced.program
        self._plan: BatchPlan = traced.program.gradient(sources.leaves, coordinate, reduce)
        self._pair = None if pair is None else ValuesRequest(pair)
        self._watched = (pair or traced).program
        self._is_single = layout.is_single
        self._per_sample = layout.per_sample
        self._builder: Optional[MaskBuilder] = None
        self._reduces = reduce is not None
        summed = [self._reduces and not layout.per_sample[leaf] for leaf in sources.leaves]
        self._shapes = list(zip(sources.shapes, summed))
        self.call: Optional[PreparedCall] = None
        """What the engine recognises; None if it cannot, or if there are further results."""
        if pair is None and not sources.repeats:
            own = [not (self._is_single or each) for each in summed]
            self.call = prepared(
                self._plan,
                traced,
                None if self._reduces else written(traced.results, not self._is_single),
                Written(sources.structure, sources.shapes, own),
                has_total=self._reduces,
            )

    def run(
        self, inputs: Inputs, samples: int, with_status: bool, with_mask: bool, out: Any
    ) -> Any:
        """Value and gradients, and statuses and the mask if requested."""
        axis = () if self._is_single else (samples,)
        shapes = [shape if summed else (*axis, *shape) for shape, summed in self._shapes]
        sources = self._sources
        if self._reduces:
            values = []
            gradients = sources.arrays(shapes, out, "out")
        else:
            value_out, gradient_out = (None, None) if out is None else expect_items(out, 2, "out")
            values = [allocate(value_out, axis, "out[0]")]
            gradients = sources.arrays(shapes, gradient_out, "out[1]")
        statuses = [np.empty(shape, np.uint8) for shape in shapes] if with_status else []
        ready = readable(inputs)
        watch(self._watched, self._plan, samples, ready)
        total, kept, dropped = self._plan.run(
            samples,
            get_num_threads(),
            ready,
            at_least_1d(values) if self._is_single else values,
            at_least_1d(gradients),
            at_least_1d(statuses),
        )
        watch_dropped(self._plan, samples, ready, dropped)
        own_values = at_least_1d(values)[0] if values else None
        if has_active_alarms():
            real = kept if own_values is None else int(np.count_nonzero(np.isfinite(own_values)))
            warn_if_too_many_masked(
                self._mask_builder, samples, ready, own_values, samples - (real or 0)
            )
        value: Any = TRArray(values[0]) if total is None else TRScalar(total)
        if self._pair is not None:
            value = (value, self._pair.unwatched(ready, samples)[1])
        results = [value, sources.pack(gradients)]
        if with_status:
            results.append(sources.pack(statuses))
        if with_mask:
            results.append(self._mask_builder.mask(samples, ready, own_values, dropped))
        return tuple(results)

    @property
    def _mask_builder(self) -> MaskBuilder:
        """Created at the first request."""
        if self._builder is None:
            self._builder = MaskBuilder(self._program, self._plan, self._per_sample)
        return self._builder


class JacobianRequest:
    """The derivatives of all outputs."""

    def __init__(self, traced: Traced, sources: Sources, coordinate: Optional[int]) -> None:
        self._sources = sources
        self._program = traced.program
        self._plan: BatchPlan = traced.program.jacobian(sources.leaves, coordinate)
        self._is_single = traced.layout.is_single
        self._results = traced.results
        inputs = sum(map(prod, sources.shapes))
        self._shape: Shape = (traced.results.count, inputs)
        self.call: Optional[PreparedCall] = None
        self.call_with_values: Optional[PreparedCall] = None
        """What the engine recognises; None if it cannot."""
        if not sources.repeats:
            own = not self._is_single
            jacobian = Written(LEAF, [self._shape], [own])
            values = written(traced.results, own)
            self.call = prepared(self._plan, traced, None, jacobian)
            self.call_with_values = prepared(self._plan, traced, values, jacobian)

    def run(self, inputs: Inputs, samples: int, with_status: bool, out: Any) -> Any:
        """The Jacobian, and statuses if requested."""
        results = self._computed(inputs, samples, with_status, out, "out", [])
        return tuple(results) if with_status else results[0]

    def run_with_values(
        self, inputs: Inputs, samples: int, with_status: bool, out: Any
    ) -> tuple[Any, ...]:
        """The values and the Jacobian, and statuses if requested."""
        value_out, jacobian_out = (None, None) if out is None else expect_items(out, 2, "out")
        axis = () if self._is_single else (samples,)
        structure = self._results.structure
        shapes = [(*axis, *shape) for shape in self._results.shapes]
        values = arrays_for(structure, shapes, value_out, "out[0]")
        found = self._computed(inputs, samples, with_status, jacobian_out, "out[1]", values)
        return (structure.unflatten(map(TRArray, values)), *found)

    def _computed(
        self,
        inputs: Inputs,
        samples: int,
        with_status: bool,
        out: Any,
        name: str,
        values: list[Array],
    ) -> list[npt.NDArray[Any]]:
        self._sources.refuse_repeats(out)
        shape: Shape = self._shape if self._is_single else (samples, *self._shape)
        jacobian = allocate(out, shape, name)
        statuses = [np.empty(shape, np.uint8)] if with_status else []
        ready = readable(inputs)
        watch(self._program, self._plan, samples, ready)
        own = at_least_1d(values) if self._is_single else values
        *_, dropped = self._plan.run(samples, get_num_threads(), ready, own, [jacobian], statuses)
        watch_dropped(self._plan, samples, ready, dropped)
        results: list[npt.NDArray[Any]] = [jacobian, *statuses]
        if self._sources.repeats:
            results = [np.take(result, self._sources.columns(), axis=-1) for result in results]
        return results
