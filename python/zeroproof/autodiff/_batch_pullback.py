"""Backward passes of batches with adjoints of their own, as a pair of values and a function."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, Optional

import numpy as np
import numpy.typing as npt

from .._arrays import Array, Shape
from .._native import BatchPlan
from .._trees import flatten
from ._batch_arguments import Inputs, real_numbers
from ._batch_directional import Run
from ._batch_requests import ValuesRequest, check_reduction, readable
from ._batch_sources import Sources
from ._batch_trace import Traced


class PullbackRequest:
    """The gradients of all outputs, each multiplied by an adjoint."""

    def __init__(self, traced: Traced, sources: Sources, coordinate: Optional[int]) -> None:
        self.traced, self.sources = traced, sources
        self._coordinate = coordinate
        self._values = ValuesRequest(traced)
        self._plans: dict[Optional[str], tuple[Run, BatchPlan]] = {}

    def bound(self, inputs: Inputs, samples: int, label: str) -> tuple[Any, Pullback]:
        """The values, and the function that pulls adjoints back, for arguments that are copied."""
        copies = [np.array(array) for array in readable(inputs)]
        return self._values.run(copies, samples, None), Pullback(self, copies, samples, label)

    def _planned(self, reduce: Optional[str]) -> tuple[Run, BatchPlan]:
        if reduce not in self._plans:
            traced, sources, coordinate = self.traced, self.sources, self._coordinate
            plan = traced.program.pullback(sources.leaves, coordinate, reduce)
            self._plans[reduce] = (Run(traced, sources, coordinate, reduce), plan)
        return self._plans[reduce]

    def run(
        self,
        inputs: list[Array],
        samples: int,
        adjoints: Array,
        reduce: Optional[str],
        with_status: bool,
        out: Any,
    ) -> tuple[list[npt.NDArray[Any]], list[npt.NDArray[Any]]]:
        """The gradients by the leaves of the sources, and their statuses if requested."""
        sources, (run, plan) = self.sources, self._planned(reduce)
        axis = run.leading(samples)
        per_sample = self.traced.layout.per_sample
        shapes = [
            shape if reduce and not per_sample[leaf] else (*axis, *shape)
            for leaf, shape in zip(sources.leaves, sources.shapes)
        ]
        gradients = sources.arrays(shapes, out, "out")
        count = self.traced.results.count
        if count == 1:
            statuses = [np.empty(shape, np.uint8) for shape in shapes] if with_status else []
            run(plan, inputs, samples, [adjoints], ([], gradients, statuses))
            return gradients, statuses
        rows = (*axis, count, sum(map(prod, sources.shapes)))
        by_output = np.empty(rows)
        flags = [np.empty(rows, np.uint8)] if with_status else []
        run(plan, inputs, samples, [adjoints], ([], [by_output], flags))
        total = _added(by_output, np.reshape(plan.paths(), rows[-2:]))
        shapes = [gradient.shape for gradient in gradients]
        for gradient, found in zip(gradients, self._by_leaf(total, shapes)):
            gradient[...] = found
        joined = [np.bitwise_or.reduce(flag, axis=-2) for flag in flags]
        return gradients, self._by_leaf(joined[0], shapes) if joined else []

    def _by_leaf(self, joined: npt.NDArray[Any], shapes: Sequence[Shape]) -> list[npt.NDArray[Any]]:
        """What stands in one row for all sources, as an array of its own for each."""
        ends = np.cumsum([prod(shape) for shape in self.sources.shapes])[:-1]
        return [part.reshape(shape) for part, shape in zip(np.split(joined, ends, axis=-1), shapes)]


def _added(gradients: npt.NDArray[Any], paths: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The sums over the outputs in their order.

    Outputs that no path leads from are left out, and an overflowed sum keeps its value, as on the
    scalar path.
    """
    total = np.zeros((*gradients.shape[:-2], gradients.shape[-1]))
    begun = np.zeros(gradients.shape[-1], bool)
    with np.errstate(all="ignore"):
        for output, has_path in enumerate(paths):
            more = gradients[..., output, :]
            sums = np.where(np.isfinite(total), total + more, total)
            total = np.where(has_path, np.where(begun, sums, more), total)
            begun |= has_path
    return total


class Pullback:
    """Pulls adjoints of the values of a batched call back to its arguments.

    Each call is a backward pass in the gradient mode that is then current, for the arguments as
    they were when the values were computed.
    """

    def __init__(
        self, request: PullbackRequest, inputs: list[Array], samples: int, label: str
    ) -> None:
        self._request = request
        self._inputs = inputs
        self._samples = samples
        self._label = label

    def __call__(
        self,
        adjoints: Any,
        *,
        reduce: Optional[str] = None,
        with_status: bool = False,
        out: Any = None,
    ) -> Any:
        """The gradients.

        Args:
            adjoints: numbers in the structure and shapes of the values, or a ``TRArray``. One that
                is not finite is left out, as on the scalar path, and the status says DROPPED.
            reduce: None for each sample's gradients; ``"sum"`` or ``"mean"`` for what the samples
                whose value is REAL add to the gradients of shared arguments, as
                ``value_and_grad`` has it. The function must return one node.
            with_status: whether to return the ``GradientStatus`` flags as well.
            out: the arrays to write to, in the structure of the gradients; None for new ones.

        Returns:
            The gradients, as those of ``value_and_grad``; with ``with_status`` a pair of that and
            the statuses.

        Raises:
            TypeError: if ``adjoints`` holds anything but numbers, or with ``reduce`` the function
                returns several nodes.
            ValueError: if its structure or shapes differ from those of the values.
        """
        request, results = self._request, self._request.traced.results
        check_reduction(reduce)
        if reduce is not None and not results.is_node:
            raise TypeError(
                f"a pullback with reduce needs a function that returns one node, but {self._label} "
                "returns several"
            )
        gathered = self._gathered(adjoints)
        sources = request.sources
        gradients, statuses = request.run(
            self._inputs, self._samples, gathered, reduce, with_status, out
        )
        found = sources.pack(gradients)
        return (found, sources.pack(statuses)) if with_status else found

    def _gathered(self, adjoints: Any) -> Array:
        """The adjoints of all outputs, a row for each sample."""
        results, is_single = self._request.traced.results, self._request.traced.layout.is_single
        structure = results.structure
        leaves = [adjoints]
        if not structure.is_leaf:
            leaves, own = flatten(adjoints, "adjoints")
            if own != structure:
                raise ValueError("adjoints must have the structure of the values")
        rows = 1 if is_single else self._samples
        gathered = np.empty((rows, results.count))
        first = 0
        for leaf, shape, place in zip(leaves, results.shapes, structure.paths("adjoints")):
            given = real_numbers(leaf, place)
            with np.errstate(all="ignore"):  # narrowing a long double may overflow to an infinity
                array = given.astype(np.float64)
            expected = shape if is_single else (self._samples, *shape)
            if array.shape != expected:
                raise ValueError(f"{place} must have the shape {expected}, not {array.shape}")
            gathered[:, first : first + prod(shape)] = array.reshape(rows, prod(shape))
            first += prod(shape)
        return gathered.reshape(-1) if is_single else gathered
