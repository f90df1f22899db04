"""Requests to a traced function, each compiled once."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, Optional, Union

import numpy as np
import numpy.typing as npt

from .._arrays import Array, at_least_1d
from .._native import BatchPlan, TracedProgram, TRScalar, is_watching
from ..array import TRArray
from ..sample_mask import MaskBuilder, has_active_alarms, warn_if_too_many_masked
from ..threads import get_num_threads
from ..watching import after_batch, before_batch
from ._batch_arguments import Numbers, Parameters, Shape
from ._batch_outputs import Values, allocate, expect_items, gradient_arrays
from ._batch_trace import Traced


def check_reduction(reduce: Optional[str]) -> None:
    """Raises for an unknown ``reduce``."""
    if reduce is None or (isinstance(reduce, str) and reduce in ("mean", "sum")):
        return
    error = ValueError if isinstance(reduce, str) else TypeError
    raise error(f"reduce must be None, 'mean' or 'sum', not {reduce!r}")


def _watch(
    program: TracedProgram, plan: Optional[BatchPlan], samples: int, inputs: Sequence[Array]
) -> None:
    """Logs the origins of a call for active logs; without a plan it has no gradients."""
    if is_watching():
        before_batch(program, plan, samples, inputs)


def _watch_dropped(plan: BatchPlan, samples: int, inputs: Sequence[Array], dropped: int) -> None:
    """Logs the contributions that a call dropped, for active logs."""
    if dropped and is_watching():
        after_batch(plan, samples, inputs)


class ValuesRequest:
    """The values of all outputs."""

    def __init__(self, traced: Traced) -> None:
        self._structure = traced.structure
        self._program = traced.program
        self._plan = traced.program.values()

    def run(self, inputs: Sequence[Array], samples: int, out: Any) -> Any:
        """The values in the structure that the function returns."""
        values = Values(self._structure, samples, out)
        _watch(self._program, None, samples, inputs)
        self._plan.run(samples, get_num_threads(), at_least_1d(inputs), values.arrays, [], [])
        return values.results()


class Sources:
    """The arguments to differentiate with respect to: ``argnums`` resolved."""

    def __init__(self, parameters: Parameters, traced: Traced, argnums: Numbers) -> None:
        self.single = isinstance(argnums, int)
        numbers = (argnums,) if isinstance(argnums, int) else argnums
        count = len(traced.shapes)
        places = [parameters.place(number, count, "argnums") for number in numbers]
        self.distinct = list(dict.fromkeys(places))
        self.order = [self.distinct.index(place) for place in places]
        self.shapes = [traced.shapes[place] for place in self.distinct]

    @property
    def repeats(self) -> bool:
        """Whether an argument is named twice."""
        return len(self.order) > len(self.distinct)

    def refuse_repeats(self, out: Any) -> None:
        """Raises if ``out`` is given and an argument is named twice."""
        if out is not None and self.repeats:
            raise ValueError("with out, argnums must not name an argument twice")

    def pack(self, results: Sequence[npt.NDArray[Any]]) -> Any:
        """The results of the distinct arguments in the structure of ``argnums``."""
        return results[0] if self.single else tuple(results[place] for place in self.order)


class GradientRequest:
    """The value of the single output and its gradients, for each sample or reduced."""

    def __init__(
        self,
        parameters: Parameters,
        traced: Traced,
        argnums: Numbers,
        coordinate: Optional[int],
        reduce: Optional[str],
    ) -> None:
        if not traced.structure.is_node:
            raise TypeError(
                f"value_and_grad needs a function that returns one node, but {parameters.label} "
                "returns several; jacobian differentiates them all"
            )
        self._sources = sources = Sources(parameters, traced, argnums)
        self._program = traced.program
        self._plan: BatchPlan = traced.program.gradient(sources.distinct, coordinate, reduce)
        self._per_sample = traced.per_sample
        self._builder: Optional[MaskBuilder] = None
        self._reduces = reduce is not None
        summed = [self._reduces and not traced.per_sample[place] for place in sources.distinct]
        self._shapes = list(zip(sources.shapes, summed))

    def run(
        self,
        inputs: Sequence[Array],
        samples: int,
        with_status: bool,
        with_mask: bool,
        out: Any,
    ) -> Any:
        """Value and gradients, and statuses and the mask if requested."""
        shapes = [shape if summed else (samples, *shape) for shape, summed in self._shapes]
        sources = self._sources
        sources.refuse_repeats(out)
        if self._reduces:
            values = []
            gradients = gradient_arrays(shapes, out, sources.single, "out")
        else:
            value_out, gradient_out = (None, None) if out is None else expect_items(out, 2, "out")
            values = [allocate(value_out, (samples,), "out[0]")]
            gradients = gradient_arrays(shapes, gradient_out, sources.single, "out[1]")
        statuses = [np.empty(shape, np.uint8) for shape in shapes] if with_status else []
        _watch(self._program, self._plan, samples, inputs)
        total, kept, dropped = self._plan.run(
            samples,
            get_num_threads(),
            at_least_1d(inputs),
            values,
            at_least_1d(gradients),
            at_least_1d(statuses),
        )
        _watch_dropped(self._plan, samples, inputs, dropped)
        own_values = values[0] if values else None
        if has_active_alarms():
            real = kept if own_values is None else int(np.count_nonzero(np.isfinite(own_values)))
            warn_if_too_many_masked(
                self._mask_builder, samples, inputs, own_values, samples - (real or 0)
            )
        value: Union[TRScalar, TRArray] = TRArray(values[0]) if total is None else TRScalar(total)
        results = [value, sources.pack(gradients)]
        if with_status:
            results.append(sources.pack(statuses))
        if with_mask:
            results.append(self._mask_builder.mask(samples, inputs, own_values, dropped))
        return tuple(results)

    @property
    def _mask_builder(self) -> MaskBuilder:
        """Created at the first request."""
        if self._builder is None:
            self._builder = MaskBuilder(self._program, self._plan, self._per_sample)
        return self._builder


class JacobianRequest:
    """The derivatives of all outputs."""

    def __init__(
        self,
        parameters: Parameters,
        traced: Traced,
        argnums: Numbers,
        coordinate: Optional[int],
    ) -> None:
        self._sources = sources = Sources(parameters, traced, argnums)
        self._program = traced.program
        self._plan: BatchPlan = traced.program.jacobian(sources.distinct, coordinate)
        self._outputs = traced.structure.count
        sizes = [prod(shape) for shape in sources.shapes]
        starts = np.cumsum([0, *sizes])
        self._inputs = int(starts[-1])
        self._columns = [
            column for place in sources.order for column in range(starts[place], starts[place + 1])
        ]

    def run(self, inputs: Sequence[Array], samples: int, with_status: bool, out: Any) -> Any:
        """The Jacobian, and statuses if requested."""
        self._sources.refuse_repeats(out)
        shape: Shape = (samples, self._outputs, self._inputs)
        jacobian = allocate(out, shape, "out")
        statuses = [np.empty(shape, np.uint8)] if with_status else []
        _watch(self._program, self._plan, samples, inputs)
        *_, dropped = self._plan.run(
            samples, get_num_threads(), at_least_1d(inputs), [], [jacobian], statuses
        )
        _watch_dropped(self._plan, samples, inputs, dropped)
        results: list[npt.NDArray[Any]] = [jacobian, *statuses]
        if self._sources.repeats:
            results = [np.take(result, self._columns, axis=2) for result in results]
        return tuple(results) if with_status else results[0]
