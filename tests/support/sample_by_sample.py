"""A batched call by its definition: the function called on nodes, one sample after the other.

And gradient modes with what they measure, so that both can be seen in the same one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import prod
from typing import Any, Optional, TypeVar

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from support.batches import Batch, Doubles, Function
from support.gradients import mode_block
from zeroproof.autodiff.batched import BatchedFunction
from zeroproof.autodiff.grad_funcs import tr_value_and_grad
from zeroproof.autodiff.grad_mode import GradientMode
from zeroproof.autodiff.hybrid_gradient import (
    HybridGradientContext,
    HybridGradientSchedule,
    ScheduleType,
)
from zeroproof.autodiff.tr_node import TRNode
from zeroproof.policy import TRPolicy, TRPolicyConfig

R = TypeVar("R")
Results = tuple[Doubles, Doubles, npt.NDArray[np.uint8]]


def bits(values: Any) -> npt.NDArray[np.int64]:
    """The bits of doubles, with one NaN for Φ."""
    doubles = np.array(values, dtype=np.float64)
    doubles[np.isnan(doubles)] = np.nan
    return doubles.view(np.int64)


def same(found: Any, expected: Any) -> bool:
    """Whether two arrays of doubles have the same shape and the same bits."""
    return np.array_equal(bits(found), bits(expected))


def _shaped(nodes: Sequence[TRNode], shape: tuple[int, ...]) -> Any:
    """Nodes as the function takes them."""
    if shape == ():
        return nodes[0]
    array = np.empty(len(nodes), dtype=object)
    array[:] = nodes
    return array.reshape(shape)


@dataclass(frozen=True)
class Sample:
    """The function of nodes that stand for all elements of all arguments."""

    function: Function

    def places(self, argument: int) -> range:
        """The places of an argument's elements."""
        sizes = [len(each.elements) for each in self.function.arguments]
        return range(sum(sizes[:argument]), sum(sizes[: argument + 1]))

    def outputs(self, *nodes: TRNode) -> list[TRNode]:
        """Every result, TR scalars as constants."""
        shapes = enumerate(argument.shape for argument in self.function.arguments)
        arguments = [
            _shaped([nodes[place] for place in self.places(number)], shape)
            for number, shape in shapes
        ]
        # NumPy looks at the processor's flags after it has worked on an array of nodes.
        with np.errstate(all="ignore"):
            result = self.function.call(*arguments)
        results = np.ravel(result).tolist() if isinstance(result, np.ndarray) else result
        if not isinstance(results, (list, tuple)):
            results = [results]
        return [r if isinstance(r, TRNode) else TRNode.constant(r) for r in results]


def rows(batch: Batch) -> Doubles:
    """The numbers that each sample sees, one row for each."""
    columns = []
    for argument, array in zip(batch.function.arguments, batch.arrays()):
        own = array if argument.per_sample else array[np.newaxis]
        shape = (batch.samples, len(argument.elements))
        columns.append(np.broadcast_to(own.reshape(len(own), -1), shape))
    return np.concatenate(columns, axis=1)


def values_one_by_one(batch: Batch) -> Doubles:
    """The values of all outputs, a row for each sample."""
    sample = Sample(batch.function)
    found = [sample.outputs(*map(TRNode.constant, row)) for row in rows(batch).tolist()]
    return np.array([[node.item() for node in nodes] for nodes in found])


def gradients_one_by_one(
    batch: Batch, argnums: Sequence[int], coordinate: Optional[int] = None, outputs: int = 1
) -> Results:
    """Values (samples, outputs), gradients and statuses (samples, outputs, inputs).

    By ``tr_value_and_grad`` of each output, the coordinate's elements being inputs.
    """
    sample = Sample(batch.function)
    places = [place for argument in argnums for place in sample.places(argument)]
    on_coordinate = () if coordinate is None else sample.places(coordinate)
    functions = [
        tr_value_and_grad(lambda *nodes, k=k: sample.outputs(*nodes)[k], argnums=places)
        for k in range(outputs)
    ]
    shape = (batch.samples, outputs, len(places))
    values, gradients = np.empty(shape[:2]), np.empty(shape)
    statuses = np.empty(shape, np.uint8)
    for row, given in enumerate(rows(batch).tolist()):
        leaves = [
            (TRNode.input if place in on_coordinate else TRNode.constant)(number)
            for place, number in enumerate(given)
        ]
        for column, function in enumerate(functions):
            value, found = function(*leaves)
            values[row, column] = value.item()
            gradients[row, column] = [gradient.item() for gradient in found]
            statuses[row, column] = [gradient.gradient_status for gradient in found]
    return values, gradients, statuses


@dataclass(frozen=True)
class Setting:
    """A gradient mode, by a schedule or by hand, and how many epochs it is measured in."""

    mode: GradientMode = GradientMode.MASK_REAL
    bound: float = 1.0
    delta: Optional[float] = None
    regions: tuple[tuple[float, float], ...] = ()
    schedule: dict[str, Any] = field(default_factory=dict)
    epochs: tuple[int, ...] = (0,)
    policy: Optional[TRPolicy] = None

    def measure(self, work: Callable[[], R]) -> list[tuple[R, dict[str, Any]]]:
        """What the work returns in each epoch, and the statistics of it."""
        HybridGradientContext.reset()
        TRPolicyConfig.set_policy(self.policy)
        schedule = HybridGradientSchedule(**self.schedule) if self.schedule else None
        measured = []
        try:
            for epoch in self.epochs:
                with self._block(schedule, epoch):
                    measured.append((work(), self._statistics(schedule)))
                    HybridGradientContext.end_batch_policy_update()
        finally:
            HybridGradientContext.reset()
            TRPolicyConfig.set_policy(None)
        return measured

    @contextmanager
    def _block(self, schedule: Optional[HybridGradientSchedule], epoch: int) -> Iterator[None]:
        if schedule is not None:
            with schedule.apply(epoch):
                yield
            return
        with mode_block(self.mode, self.bound, self.delta):
            HybridGradientContext.set_exploration_regions(self.regions)
            yield

    def _statistics(self, schedule: Optional[HybridGradientSchedule]) -> dict[str, Any]:
        return {
            **HybridGradientContext.get_statistics(),
            "poles": HybridGradientContext.detected_poles(),
            "near": len(HybridGradientContext.detect_poles(0.5)),
            "known_poles": None if schedule is None else schedule.detected_poles,
        }


#: How many decisions ``detect_poles`` looks at.
KEPT_DECISIONS = 1024


def assert_same_statistics(found: dict[str, Any], expected: dict[str, Any]) -> None:
    """Every figure is the same, and how many decisions were near a pole while all are kept.

    Beyond that, a mean is a sum of rounded sums of blocks: the same within a few ulp.
    """
    assert found.keys() == expected.keys()
    kept = expected["total_gradient_calls"] <= KEPT_DECISIONS
    for name in expected:
        if name == "q_mean_batch" and not kept:
            assert math.isclose(found[name], expected[name], rel_tol=1e-14), name
        else:
            assert found[name] == expected[name] or (name == "near" and not kept), name


_BOUNDS = [1e-3, 0.1, 1.0, 30.0, 1e155]
_REGIONS: list[tuple[tuple[float, float], ...]] = [(), ((-0.5, 0.25),), ((-3.0, -1.0), (0.5, 4.0))]
_POLICIES = [None, None, TRPolicy(0.1, 0.2), TRPolicy(1e-3, 2.0, 50.0, 5.0)]

_SCHEDULES = st.fixed_dictionaries(
    {
        "warmup_epochs": st.sampled_from([0, 1]),
        "transition_epochs": st.sampled_from([4, 0]),
        "delta_init": st.sampled_from([1e-2, 1.0]),
        "schedule_type": st.sampled_from(list(ScheduleType)),
        "saturating_bound": st.sampled_from(_BOUNDS),
        "pole_exploration_radius": st.sampled_from([0.05, 0.75]),
        "pole_detection_threshold": st.sampled_from([0.1, 1.0]),
        "adaptive_delta": st.booleans(),
    }
)

mask_real = st.builds(Setting)
saturating = st.builds(
    Setting, mode=st.just(GradientMode.SATURATING), bound=st.sampled_from(_BOUNDS)
)
by_hand = st.builds(
    Setting,
    mode=st.just(GradientMode.HYBRID),
    bound=st.sampled_from(_BOUNDS),
    delta=st.sampled_from([None, 0.0, 1e-2, 1.0, 1e300]),
    regions=st.sampled_from(_REGIONS),
)
#: Poles found in an epoch are explored in the next.
scheduled = st.builds(
    Setting,
    mode=st.just(GradientMode.HYBRID),
    schedule=_SCHEDULES,
    epochs=st.sampled_from([(0, 1), (1, 2, 3)]),
    policy=st.sampled_from(_POLICIES),
)
settings = st.one_of(mask_real, saturating, by_hand, scheduled)


@dataclass(frozen=True)
class Request:
    """What derivatives are asked for; negative argnums count from the end."""

    argnums: tuple[int, ...]
    coordinate: Optional[int]

    def places(self, function: Function) -> list[int]:
        """The arguments to differentiate with respect to."""
        return [number % len(function.arguments) for number in self.argnums]

    def keywords(self, function: Function) -> dict[str, Any]:
        """The request as keyword arguments."""
        coordinate = self.coordinate
        name = None if coordinate is None else function.arguments[coordinate].name
        return {"argnums": self.argnums, "coordinate": name, "with_status": True}

    def of_samples(self, batch: Batch, outputs: int = 1) -> Results:
        """The derivatives of each sample, one after the other."""
        return gradients_one_by_one(batch, self.places(batch.function), self.coordinate, outputs)

    def of_batch(self, batched: BatchedFunction, function: Function, arrays: Any) -> Results:
        """The derivatives of a batched call in the form of the reference."""
        y, gradients, statuses = batched.value_and_grad(*arrays, **self.keywords(function))
        return np.asarray(y)[:, np.newaxis], _joined(gradients), _joined(statuses)


def _joined(by_argument: Sequence[npt.NDArray[Any]]) -> Any:
    """Arrays (samples, shape of an argument) as one (samples, 1, elements of all)."""
    sizes = [prod(array.shape[1:]) for array in by_argument]
    rows = [array.reshape(len(array), 1, size) for array, size in zip(by_argument, sizes)]
    return np.concatenate(rows, axis=2)


@st.composite
def requests(draw: st.DrawFn, function: Function) -> Request:
    """Some of the arguments, in some order, and perhaps a coordinate."""
    count = len(function.arguments)
    places = st.lists(st.integers(-count, count - 1), min_size=1, unique_by=lambda n: n % count)
    return Request(tuple(draw(places)), draw(st.sampled_from([None, *range(count)])))
