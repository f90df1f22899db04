"""Requests for derivatives along a direction and second derivatives, each compiled once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, Optional

import numpy as np
import numpy.typing as npt

from .._arrays import Array, Shape, at_least_1d
from .._native import BatchPlan, PreparedCall, TRScalar, are_finite, is_watching
from .._trees import LEAF, flatten
from ..array import TRArray
from ..sample_mask import MaskBuilder, has_active_alarms, warn_if_too_many_masked
from ..threads import get_num_threads
from ..watching import after_batch, before_batch
from ._batch_arguments import Inputs, Unconverted, is_ready, real_numbers
from ._batch_outputs import allocate, arrays_for, expect_items
from ._batch_prepared import Written, prepared
from ._batch_requests import readable, written
from ._batch_sources import Sources
from ._batch_trace import Traced


class Run:
    """What the requests have in common: how their plan is run, logged and looked at by alarms."""

    def __init__(
        self, traced: Traced, sources: Sources, coordinate: Optional[int], reduce: Optional[str]
    ) -> None:
        self.sources = sources
        self.traced = traced
        self.reduces = reduce is not None
        layout = traced.layout
        self.is_single = layout.is_single
        self._first_order: Callable[[], BatchPlan] = lambda: (
            traced.program.gradient(sources.leaves, coordinate, reduce)
            if traced.results.is_node
            else traced.program.jacobian(sources.leaves, coordinate)
        )
        self._logged: Optional[BatchPlan] = None
        self._builder: Optional[MaskBuilder] = None

    def leading(self, samples: int) -> Shape:
        """The axis of samples of what each sample has, if there is one."""
        return () if self.is_single else (samples,)

    def __call__(
        self,
        plan: BatchPlan,
        inputs: Inputs,
        samples: int,
        direction: Sequence[Array],
        arrays: tuple[list[Array], list[Array], list[npt.NDArray[Any]]],
    ) -> Optional[float]:
        """Runs a plan; values, derivatives and statuses go to the arrays.

        Returns:
            The total of the values, if the plan makes one.
        """
        values, derivatives, statuses = arrays
        ready = readable(inputs)
        watches, alarms = is_watching(), has_active_alarms()
        if watches:
            before_batch(self.traced.program, self._gradient_plan, samples, ready)
        if alarms and not values and not self.reduces:
            values = [np.empty((samples, self.traced.results.count))]
        total, kept, dropped = plan.run(
            samples,
            get_num_threads(),
            [*ready, *at_least_1d(direction)],
            at_least_1d(values),
            at_least_1d(derivatives),
            at_least_1d(statuses),
        )
        if dropped and watches:
            after_batch(self._gradient_plan, samples, ready)
        if alarms and self.traced.results.is_node:
            own = None if self.reduces else at_least_1d(values)[0].reshape(-1)
            real = kept if own is None else int(np.count_nonzero(np.isfinite(own)))
            left_out = samples - (real or 0)
            warn_if_too_many_masked(self._mask_builder, samples, ready, own, left_out)
        return total

    @property
    def _gradient_plan(self) -> BatchPlan:
        """That of the gradient, by which logs and masks go. Compiled when it is first needed."""
        if self._logged is None:
            self._logged = self._first_order()
        return self._logged

    @property
    def _mask_builder(self) -> MaskBuilder:
        if self._builder is None:
            per_sample = self.traced.layout.per_sample
            self._builder = MaskBuilder(self.traced.program, self._gradient_plan, per_sample)
        return self._builder


def directions(
    traced: Traced, sources: Sources, samples: int, given: Any, name: str
) -> list[Array]:
    """The numbers of a direction, an array for each leaf of the sources.

    Args:
        traced: the function.
        sources: what the direction belongs to.
        samples: the number of samples.
        given: an item for each source, or the item itself for a single one.
        name: what it is called, for errors.

    Raises:
        TypeError: if it holds anything but real numbers. The error names the place.
        ValueError: if a number is not finite, or structures or shapes differ.
    """
    if sources.repeats:
        raise ValueError("with a direction, argnums must not name an argument twice")
    layout = traced.layout
    if sources.is_leaf and is_ready(given):
        leaf = sources.leaves[0]
        each = (samples,) if layout.per_sample[leaf] else ()
        if given.shape == (*each, *sources.shapes[0]):
            return _finite([given], sources, name)
    items = [(given, name)]
    if not sources.is_single:
        if not isinstance(given, (tuple, list)):
            kind = type(given).__name__
            raise TypeError(f"{name} must be a tuple or list of arguments, not {kind}")
        if len(given) != len(sources.structures):
            raise ValueError(
                f"{name} must have an item for each of {len(sources.structures)} arguments, not "
                f"{len(given)}"
            )
        items = [(item, f"{name}[{place}]") for place, item in enumerate(given)]
    found: list[npt.NDArray[Any]] = []
    for (item, path), structure in zip(items, sources.structures):
        leaves = [item]
        if not structure.is_leaf:
            leaves, own = flatten(item, path)
            if own != structure:
                raise ValueError(f"{path} must have the structure of what it belongs to")
        for leaf, place in zip(leaves, structure.paths(path)):
            number = sources.leaves[len(found)]
            axis = (samples,) if layout.per_sample[number] else ()
            array, shape = real_numbers(leaf, place), (*axis, *layout.shapes[number])
            if array.shape != shape:
                raise ValueError(f"{place} must have the shape {shape}, not {array.shape}")
            found.append(array)
    return _finite(Unconverted(found).converted(), sources, name)


def _finite(arrays: list[Array], sources: Sources, name: str) -> list[Array]:
    """The arrays, of which none may hold anything but finite numbers."""
    for place, array in enumerate(at_least_1d(arrays)):
        if not are_finite(array):
            path = _paths(sources, name)[place]
            raise ValueError(f"the numbers of a direction must be finite, but {path} has others")
    return arrays


def _paths(sources: Sources, name: str) -> list[str]:
    if sources.is_single:
        return sources.structures[0].paths(name)
    pairs = enumerate(sources.structures)
    return [path for place, each in pairs for path in each.paths(f"{name}[{place}]")]


class DerivativeRequest:
    """The values of all outputs, and their derivatives along a direction."""

    def __init__(
        self, traced: Traced, sources: Sources, coordinate: Optional[int], reduce: Optional[str]
    ) -> None:
        self._run = Run(traced, sources, coordinate, reduce)
        self._results = traced.results
        widths = list(map(prod, traced.results.shapes))
        self._plan = traced.program.along(sources.leaves, coordinate, reduce, widths)
        self.call: Optional[PreparedCall] = None
        """What the engine recognises; None if it cannot."""
        if not sources.repeats:
            reduces = self._run.reduces
            results = written(traced.results, not (reduces or self._run.is_single))
            values = None if reduces else results
            self.call = prepared(self._plan, traced, values, results, sources, reduces)

    def run(
        self, inputs: Inputs, samples: int, tangents: Any, with_status: bool, out: Any
    ) -> tuple[Any, ...]:
        """Values and derivatives, and statuses if requested."""
        run, results = self._run, self._results
        direction = directions(run.traced, run.sources, samples, tangents, "tangents")
        structure = results.structure
        axis = () if run.reduces else run.leading(samples)
        shapes = [(*axis, *shape) for shape in results.shapes]
        values: list[Array] = []
        if run.reduces:
            derivatives = [allocate(out, (), "out")]
        else:
            own, other = (None, None) if out is None else expect_items(out, 2, "out")
            values = arrays_for(structure, shapes, own, "out[0]")
            derivatives = arrays_for(structure, shapes, other, "out[1]")
        statuses = [np.empty(shape, np.uint8) for shape in shapes] if with_status else []
        total = run(self._plan, inputs, samples, direction, (values, derivatives, statuses))
        if total is not None:
            found: tuple[Any, ...] = (TRScalar(total), derivatives[0])
            return (*found, statuses[0]) if with_status else found
        found = (structure.unflatten(map(TRArray, values)), structure.unflatten(derivatives))
        return (*found, structure.unflatten(statuses)) if with_status else found


class ProductRequest:
    """The product of a direction with the Hessian of the single output."""

    def __init__(
        self,
        traced: Traced,
        sources: Sources,
        coordinate: Optional[int],
        reduce: Optional[str],
        transposed: bool,
    ) -> None:
        self._run = Run(traced, sources, coordinate, reduce)
        self._plan = traced.program.product(sources.leaves, coordinate, reduce, transposed)
        own = [traced.layout.per_sample[leaf] for leaf in sources.leaves]
        self._shapes = [
            (shape, self._run.reduces and not each) for shape, each in zip(sources.shapes, own)
        ]
        self.call: Optional[PreparedCall] = None
        """What the engine recognises; None if it cannot."""
        if not sources.repeats:
            have_samples = [not (self._run.is_single or summed) for _, summed in self._shapes]
            products = Written(sources.structure, sources.shapes, have_samples)
            self.call = prepared(self._plan, traced, None, products, sources)

    def run(self, inputs: Inputs, samples: int, v: Any, with_status: bool, out: Any) -> Any:
        """The product, and statuses if requested."""
        run = self._run
        direction = directions(run.traced, run.sources, samples, v, "v")
        axis = run.leading(samples)
        shapes = [shape if summed else (*axis, *shape) for shape, summed in self._shapes]
        products = run.sources.arrays(shapes, out, "out")
        statuses = [np.empty(shape, np.uint8) for shape in shapes] if with_status else []
        run(self._plan, inputs, samples, direction, ([], products, statuses))
        product = run.sources.pack(products)
        return (product, run.sources.pack(statuses)) if with_status else product


class HessianRequest:
    """The Hessian of the single output."""

    def __init__(
        self, traced: Traced, sources: Sources, coordinate: Optional[int], reduce: Optional[str]
    ) -> None:
        self._run = Run(traced, sources, coordinate, reduce)
        own = [leaf for leaf in sources.leaves if traced.layout.per_sample[leaf]]
        if reduce is not None and own:
            raise ValueError(
                f"hessian with reduce takes arguments that all samples share, but "
                f"{traced.layout.names[own[0]]} has an axis of samples: its Hessians are those of "
                "the samples, without reduce"
            )
        if sources.repeats:
            raise ValueError("the argnums of hessian must not name an argument twice")
        self._plan = traced.program.hessian(sources.leaves, coordinate, reduce)
        self._size = sum(map(prod, sources.shapes))
        own_axis = not (self._run.reduces or self._run.is_single)
        hessian = Written(LEAF, [(self._size, self._size)], [own_axis])
        self.call = prepared(self._plan, traced, None, hessian)
        """What the engine recognises; None if it cannot."""

    def run(self, inputs: Inputs, samples: int, with_status: bool, out: Any) -> Any:
        """The Hessian, and statuses if requested."""
        run, size = self._run, self._size
        axis = () if run.reduces else run.leading(samples)
        shape = (*axis, size, size)
        hessian = allocate(out, shape, "out")
        statuses = [np.empty(shape, np.uint8)] if with_status else []
        run(self._plan, inputs, samples, [], ([], [hessian], statuses))
        results: list[npt.NDArray[Any]] = [hessian, *statuses]
        return tuple(results) if with_status else results[0]
