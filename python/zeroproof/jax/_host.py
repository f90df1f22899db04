"""A batched function called by JAX on the host: values, gradients and products with Hessians."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from .._bridging import engine_in, sum_of_rows
from ..autodiff._batch_pullback import Pullback, PullbackRequest
from ..autodiff._batch_requests import readable
from ..autodiff.batched import BatchedFunction, tr_vmap
from ..autodiff.grad_mode import GradientMode
from ..replay import Mode

__all__ = ["Host"]

Arrays = list[npt.NDArray[Any]]


class Host:
    """The engine as functions of NumPy arrays, with axes of samples in any number.

    Args:
        function: takes an array of nodes for each argument, and returns a list of nodes.
        recorded: the same without the user's function, for backward passes.
        per_sample: whether each argument has an axis of samples.
        shapes: the shapes that one sample sees.
        outputs: how many nodes the function returns.
        coordinate: the place of the argument that exploration regions refer to, if there is one.
    """

    def __init__(
        self,
        function: Callable[..., list[Any]],
        recorded: Callable[..., list[Any]],
        per_sample: Sequence[bool],
        shapes: Sequence[tuple[int, ...]],
        outputs: int,
        coordinate: Any,
    ) -> None:
        self._function, self._recorded, self._coordinate = function, recorded, coordinate
        self.per_sample, self.shapes = list(per_sample), list(shapes)
        self.outputs = outputs
        self._batched: dict[Any, BatchedFunction] = {}

    def values(self, *arrays: Any) -> npt.NDArray[Any]:
        """The values, a column for each output."""
        calls = _Calls(self, arrays)
        found = [self._all(calls)(*each).to_ieee() for each in calls]
        values: npt.NDArray[Any] = calls.joined(found, (calls.samples, self.outputs))
        return values

    def pulled(self, mode: Mode, *arrays: Any) -> tuple[Arrays, Arrays]:
        """Gradients and statuses; the last array has the adjoints of the outputs."""
        *arguments, adjoints = arrays
        calls = _Calls(self, arguments, adjoints)
        gradients: list[Arrays] = []
        statuses: list[Arrays] = []
        for each, seeds in zip(calls, calls.adjoints):
            with engine_in(mode, "device=True"):
                pullback = self._pullback(calls, each)
                found, flags = self._summed(calls, pullback, seeds, mode)
            gradients.append(found)
            statuses.append(flags)
        return calls.by_argument(gradients), calls.by_argument(statuses)

    def products(self, mode: Mode, *arrays: Any) -> tuple[Arrays, npt.NDArray[Any]]:
        """How the gradients change with the arguments and with the adjoints.

        Args:
            mode: the gradient mode.
            *arrays: the arguments, the adjoints, and a weight for each gradient.

        Returns:
            The derivatives of the weighted sum of the gradients by each argument, and by the
            adjoints.
        """
        count = len(self.shapes)
        arguments, adjoints, weights = arrays[:count], arrays[count], arrays[count + 1 :]
        calls = _Calls(self, arguments, adjoints, weights)
        by_arguments: list[Arrays] = []
        by_adjoints = []
        for each, seeds, along in zip(calls, calls.adjoints, calls.weights):
            direction = [np.where(np.isfinite(v), v, 0.0) for v in along]
            with engine_in(mode, "device=True"):
                moved = self._all(calls).jvp(each, direction)[1]
                total = [np.zeros((calls.samples, *shape)) for shape in self.shapes]
                for output in range(self.outputs):
                    products = self._one(calls, output).hvp(
                        # As a pass goes back; the two differ where partials are bounded.
                        each,
                        direction,
                        argnums=tuple(range(count)),
                        transposed=True,
                    )
                    for place, product in enumerate(products):
                        _add(total[place], seeds[:, output], product)
            by_arguments.append(
                [v if own else sum_of_rows(v) for v, own in zip(total, calls.per_sample)]
            )
            # What first order leaves out is a constant.
            is_left = ~np.isfinite(seeds).reshape(np.shape(moved))
            by_adjoints.append(np.where(is_left, 0.0, moved))
        joined = calls.joined(by_adjoints, (calls.samples, self.outputs))
        return calls.by_argument(by_arguments), joined

    def _pullback(self, calls: _Calls, arguments: Arrays) -> Pullback:
        """That of ``vjp``, without the values, which nobody asks for here."""
        batched, numbers = self._all(calls), tuple(range(len(arguments)))
        request, inputs, samples = batched._request(
            "vjp", "vjp", PullbackRequest, tuple(arguments), {}, numbers, None
        )
        return Pullback(request, readable(inputs), samples, repr(batched))

    def _summed(
        self, calls: _Calls, pullback: Any, seeds: npt.NDArray[Any], mode: Mode
    ) -> tuple[Arrays, Arrays]:
        """Gradients of shared arguments summed over the samples."""
        own = calls.per_sample
        seeds = seeds[:, 0] if self.outputs == 1 else seeds
        if self.outputs == 1 and mode.mode is GradientMode.MASK_REAL and not all(own):
            # The engine's own sum, whose bits depend on no block and no thread.
            summed: tuple[Arrays, Arrays] = pullback(seeds, reduce="sum", with_status=True)
            return summed
        gradients, statuses = pullback(seeds, with_status=True)
        return (
            [g if each else sum_of_rows(g) for g, each in zip(gradients, own)],
            [s if each else np.bitwise_or.reduce(s, axis=0) for s, each in zip(statuses, own)],
        )

    def _all(self, calls: _Calls) -> BatchedFunction:
        return self._made(calls, None)

    def _one(self, calls: _Calls, output: int) -> BatchedFunction:
        return self._made(calls, output)

    def _made(self, calls: _Calls, output: Any) -> BatchedFunction:
        """The function of all outputs, or of one, batched over what has an axis of samples."""
        key = (calls.per_sample, output)
        if key not in self._batched:
            axes = tuple(0 if own else None for own in calls.per_sample)
            # Of the user's function are the places that logs name.
            function = self._function if output is None else self._recorded

            def of_nodes(*arrays: Any) -> Any:
                nodes = function(*arrays)
                if output is not None or len(nodes) == 1:
                    return nodes[output or 0]
                joined = np.empty(len(nodes), dtype=object)
                joined[:] = nodes
                return joined

            coordinate = self._coordinate
            self._batched[key] = tr_vmap(of_nodes, axes, coordinate=coordinate)
        return self._batched[key]


def _add(total: npt.NDArray[Any], seeds: npt.NDArray[Any], product: npt.NDArray[Any]) -> None:
    """Adds what an output contributes; what is not finite is left out."""
    with np.errstate(all="ignore"):
        seeds = np.where(np.isfinite(seeds), seeds, 0.0)
        terms = seeds.reshape(-1, *[1] * (product.ndim - 1)) * product
        total += np.where(np.isfinite(terms), terms, 0.0)


class _Calls:
    """The calls of the engine that one call by JAX comes to, if it is itself a batch of calls.

    Under ``jax.vmap`` each array has further axes in front, of extent 1 where it is the same for
    all. They become one axis together with the samples; an argument that samples share then has a
    value for each of them, and a call for each value.
    """

    def __init__(
        self,
        host: Host,
        arguments: Sequence[Any],
        adjoints: Any = None,
        weights: Sequence[Any] = (),
    ) -> None:
        shapes, own = host.shapes, host.per_sample
        self.per_sample = tuple(own)
        self._shapes = shapes
        given = [np.asarray(array) for array in arguments]
        inner = [len(shape) + each for shape, each in zip(shapes, own)]
        self.samples = next(
            (array.shape[array.ndim - n] for array, n, each in zip(given, inner, own) if each), 1
        )
        own_shapes = [
            (*([self.samples] if each else []), *shape) for shape, each in zip(shapes, own)
        ]
        with_adjoints = [] if adjoints is None else [np.asarray(adjoints)]
        weighted = [np.asarray(weight) for weight in weights]
        everything = [*given, *with_adjoints, *weighted]
        inners = [*inner, *[2] * len(with_adjoints), *inner[: len(weighted)]]
        leading = [array.shape[: array.ndim - n] for array, n in zip(everything, inners)]
        self._outer = np.broadcast_shapes(*leading)
        self._count = prod(self._outer)

        def spread(array: npt.NDArray[Any], shape: tuple[int, ...]) -> npt.NDArray[Any]:
            wide = np.broadcast_to(array, (*self._outer, *shape))
            return np.ascontiguousarray(wide, np.float64).reshape((self._count, *shape))

        self._arguments = [spread(array, shape) for array, shape in zip(given, own_shapes)]
        columns = (self.samples, host.outputs)
        self.adjoints = [each for array in with_adjoints for each in spread(array, columns)]
        spread_weights = [spread(array, shape) for array, shape in zip(weighted, own_shapes)]
        self.weights = [[weight[call] for weight in spread_weights] for call in range(self._count)]

    def __iter__(self) -> Iterator[Arrays]:
        for call in range(self._count):
            yield [argument[call] for argument in self._arguments]

    def joined(self, found: Sequence[npt.NDArray[Any]], shape: tuple[int, ...]) -> Any:
        """What the calls found, with the further axes in front."""
        if not found:
            return np.empty((*self._outer, *shape))
        return np.stack(found).reshape((*self._outer, *shape))

    def by_argument(self, found: Sequence[Arrays]) -> Arrays:
        """The same for each argument."""
        shapes = [
            (*([self.samples] if each else []), *shape)
            for shape, each in zip(self._shapes, self.per_sample)
        ]
        return [
            self.joined([each[place] for each in found], shape)
            for place, shape in enumerate(shapes)
        ]
