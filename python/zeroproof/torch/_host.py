"""The engine on the host: tensors are read in place where they are float64 on the CPU."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, Optional

import numpy as np
import numpy.typing as npt
import torch

from .._bridging import engine_in, held, representable, sum_of_rows
from ..autodiff._batch_pullback import PullbackRequest
from ..autodiff._batch_requests import readable
from ..autodiff.batched import BatchedFunction, tr_vmap
from ..autodiff.grad_mode import GradientMode
from ..replay import Mode
from ..replay.finite import finite
from ._autograd import Own, Tensors

__all__ = ["Host"]

Array = npt.NDArray[Any]

_LARGEST = float(np.finfo(np.float64).max)
#: Rows of several outputs are pulled back in blocks of so many numbers.
_BLOCK = 1 << 22


class Host:
    """The engine as functions of tensors: computed in float64, rounded once to their type.

    Args:
        function: takes an array of nodes for each argument, and returns a list of nodes.
        recorded: the same without the user's function, for backward passes.
        outputs: how many nodes it returns.
        coordinate: the place of the argument that exploration regions refer to, if there is one.
    """

    def __init__(
        self,
        function: Callable[..., list[Any]],
        recorded: Callable[..., list[Any]],
        outputs: int,
        coordinate: Optional[int],
    ) -> None:
        self._function, self._recorded = function, recorded
        self._outputs, self._coordinate = outputs, coordinate
        self._batched: dict[Any, BatchedFunction] = {}

    def values(self, own: Own, tensors: Tensors) -> torch.Tensor:
        """The values, a column for each output."""
        own, arrays = _rows(own, tensors)
        return _tensor(self._values(own, arrays), tensors[0])

    def pull(
        self,
        mode: Mode,
        own: Own,
        wanted: tuple[int, ...],
        cotangents: torch.Tensor,
        tensors: Tensors,
        with_status: bool = True,
    ) -> tuple[Tensors, Tensors]:
        """Gradients and statuses; a gradient too large for the type is dropped, and flagged."""
        given = own
        own, arrays = _rows(own, tensors)
        seeds, kind = _array(cotangents), _kind(cotangents)
        with engine_in(mode, 'device="replay"'):
            found, flags = self._pulled(mode, own, wanted, arrays, seeds)
        gradients, statuses = [], []
        for place, gradient, status in zip(wanted, found, flags):
            if own[place] and not given[place] and not any(given):
                gradient, status = gradient[0], status[0]
            gradient, status = representable(gradient, status, kind)
            gradients.append(_tensor(gradient, cotangents))
            statuses.append(torch.from_numpy(np.array(status)).to(cotangents.device))
        return gradients, statuses

    def push(self, mode: Mode, own: Own, tensors: Tensors, tangents: Tensors) -> torch.Tensor:
        """How the values change along tangents; 0 where the type does not hold it."""
        own, arrays = _rows(own, tensors)
        along = [
            finite(np, _array(tangent)).reshape(array.shape)
            for tangent, array in zip(tangents, arrays)
        ]
        with engine_in(mode, 'device="replay"'):
            moved = np.asarray(self._made(own, None).jvp(arrays, along)[1])
        return _tensor(
            held(moved.reshape(len(moved), self._outputs), _kind(tensors[0])), tensors[0]
        )

    def products(
        self,
        mode: Mode,
        own: Own,
        wanted: tuple[int, ...],
        cotangents: torch.Tensor,
        tensors: Tensors,
        weights: Tensors,
    ) -> tuple[torch.Tensor, Tensors]:
        """The derivatives of the weighted sum of the gradients."""
        given = own
        own, arrays = _rows(own, tensors)
        seeds, kind = _array(cotangents), _kind(cotangents)
        along = [np.zeros_like(array) for array in arrays]
        for place, weight in zip(wanted, weights):
            along[place] = finite(np, _array(weight)).reshape(arrays[place].shape)
        with engine_in(mode, 'device="replay"'):
            # Where a value times its seed is not REAL, the product has no derivative.
            with np.errstate(all="ignore"):
                left = ~np.isfinite(finite(np, seeds) * self._values(own, arrays))
            regular = np.where(left, 0.0, seeds)
            by_seeds, found = self._products(own, arrays, regular, along)
            self._add_products(own, arrays, seeds, along, left, by_seeds, found)
        by_seeds[~np.isfinite(seeds)] = 0.0  # what first order leaves out is a constant
        if not any(given):
            found = [product[0] for product in found]
        by_seeds, *found = (held(each, kind) for each in (by_seeds, *found))
        return _tensor(by_seeds, cotangents), [_tensor(each, cotangents) for each in found]

    def _values(self, own: Own, arrays: Sequence[Array]) -> Array:
        found: Array = self._made(own, None)(*arrays).to_ieee()
        return found.reshape(len(found), self._outputs)

    def _pulled(
        self,
        mode: Mode,
        own: Own,
        wanted: tuple[int, ...],
        arrays: Sequence[Array],
        seeds: Array,
    ) -> tuple[list[Array], list[Array]]:
        """Gradients and statuses, those of shared arguments summed."""
        if all(own[k] for k in wanted):
            return self._each(own, wanted, arrays, seeds)
        if mode.mode is GradientMode.MASK_REAL:
            return self._summed(own, wanted, arrays, seeds)
        # Where partials are bounded, samples whose value is not REAL contribute, but the engine's
        # sums leave them out.
        is_real = np.isfinite(self._values(own, arrays)).all(axis=1)
        if is_real.all():
            return self._summed(own, wanted, arrays, seeds)
        parts = []
        for rows, work in ((is_real, self._summed), (~is_real, self._each)):
            some = [array[rows] if each else array for array, each in zip(arrays, own)]
            parts.append((rows, *work(own, wanted, some, seeds[rows])))
        gradients, statuses = [], []
        for place, k in enumerate(wanted):
            if own[k]:
                gradient, status = np.empty_like(arrays[k]), np.empty(arrays[k].shape, np.uint8)
                for rows, some, flags in parts:
                    gradient[rows], status[rows] = some[place], flags[place]
            else:
                (_, total, flags), (_, each, more) = parts
                with np.errstate(all="ignore"):
                    rest = sum_of_rows(each[place])
                    gradient = np.where(np.isfinite(rest), total[place] + rest, rest)
                status = np.asarray(flags[place] | np.bitwise_or.reduce(more[place], axis=0))
            gradients.append(gradient)
            statuses.append(status)
        return gradients, statuses

    def _summed(
        self, own: Own, wanted: tuple[int, ...], arrays: Sequence[Array], seeds: Array
    ) -> tuple[list[Array], list[Array]]:
        """The same by the engine's sums over samples whose values are REAL."""
        if self._outputs == 1:
            return self._run(self._made(own, None), wanted, arrays, seeds[:, 0], "sum")
        found = [
            self._run(self._made(own, output), wanted, arrays, seeds[:, output], "sum")
            for output in range(self._outputs)
        ]
        gradients, statuses = found[0]
        for more, flags in found[1:]:
            with np.errstate(all="ignore"):
                # A sum that has overflowed stays: an infinity of the other sign would make it Φ.
                sums = [np.where(np.isfinite(a), a + b, a) for a, b in zip(gradients, more)]
            gradients = [np.asarray(each) for each in sums]
            statuses = [np.asarray(a | b) for a, b in zip(statuses, flags)]
        return gradients, statuses

    def _each(
        self, own: Own, wanted: tuple[int, ...], arrays: Sequence[Array], seeds: Array
    ) -> tuple[list[Array], list[Array]]:
        """Gradients of every sample, in blocks that bound the memory of several outputs."""
        batched = self._made(own, None)
        if self._outputs == 1:
            return self._run(batched, wanted, arrays, seeds[:, 0], None)
        samples = len(seeds)
        width = self._outputs * max(1, sum(_size(arrays[k], own[k]) for k in wanted))
        step = max(1, _BLOCK // width)
        parts = []
        for first in range(0, max(samples, 1), step):
            rows = slice(first, first + step)
            block = [array[rows] if each else array for array, each in zip(arrays, own)]
            parts.append(self._run(batched, wanted, block, seeds[rows], None))
        if len(parts) == 1:
            return parts[0]
        return (
            [np.concatenate([part[0][k] for part in parts]) for k in range(len(wanted))],
            [np.concatenate([part[1][k] for part in parts]) for k in range(len(wanted))],
        )

    def _run(
        self,
        batched: BatchedFunction,
        wanted: tuple[int, ...],
        arrays: Sequence[Array],
        seeds: Array,
        reduce: Optional[str],
    ) -> tuple[list[Array], list[Array]]:
        """A backward pass, without the values that ``vjp`` computes first."""
        request, inputs, samples = batched._request(
            "vjp", "vjp", PullbackRequest, tuple(arrays), {}, wanted, None
        )
        columns = seeds if seeds.ndim == 2 else seeds[:, None]
        adjoints = np.ascontiguousarray(columns)
        return request.run(readable(inputs), samples, adjoints, reduce, True, None)

    def _products(
        self, own: Own, arrays: Sequence[Array], seeds: Array, along: Sequence[Array]
    ) -> tuple[Array, list[Array]]:
        """Second derivatives at samples whose values are REAL, those of shared arguments summed."""
        count = len(arrays)
        by_seeds = np.zeros_like(seeds)
        total = [np.zeros_like(array) for array in arrays]
        reduce = None if all(own) else "sum"
        for output in range(self._outputs):
            column = finite(np, seeds[:, output])
            by_column, *found = self._made(own, output, weighted=True).hvp(
                (column, *arrays),
                (np.zeros_like(column), *along),
                argnums=tuple(range(count + 1)),
                transposed=True,
                reduce=reduce,
            )
            by_seeds[:, output] = by_column
            _add(total, found)
        return by_seeds, total

    def _add_products(
        self,
        own: Own,
        arrays: Sequence[Array],
        seeds: Array,
        along: Sequence[Array],
        left: npt.NDArray[np.bool_],
        by_seeds: Array,
        total: list[Array],
    ) -> None:
        """The same at the samples and outputs that are left, from the function without the seeds.

        These are left out of sums, and a product with a seed there has no derivative; nor has one
        that overflows.
        """
        rows = np.flatnonzero(left.any(axis=1))
        if not rows.size:
            return
        few = [array[rows] if each else array for array, each in zip(arrays, own)]
        v = [array[rows] if each else array for array, each in zip(along, own)]
        for output in range(self._outputs):
            column = np.where(left[rows, output], finite(np, seeds[rows, output]), 0.0)
            batched = self._made(own, output)
            moved = np.asarray(batched.jvp(few, v)[1])
            at = left[rows, output]
            by_seeds[rows[at], output] = moved[at]
            found = batched.hvp(few, v, argnums=tuple(range(len(few))), transposed=True)
            for place, (product, each) in enumerate(zip(found, own)):
                with np.errstate(all="ignore"):
                    terms = column.reshape(-1, *[1] * (product.ndim - 1)) * product
                terms = finite(np, terms)
                if each:
                    total[place][rows] += terms
                else:
                    total[place] += sum_of_rows(terms)

    def _made(self, own: Own, output: Optional[int], weighted: bool = False) -> BatchedFunction:
        """The function of all outputs, or of one, perhaps times an argument in front."""
        key = (own, output, weighted)
        batched = self._batched.get(key)
        if batched is None:
            # Of the user's function are the places that logs name.
            is_whole = output is None and not weighted
            function = self._function if is_whole else self._recorded
            count = self._outputs

            def of_nodes(*arrays: Any) -> Any:
                nodes = function(*(arrays[1:] if weighted else arrays))
                if output is not None or count == 1:
                    node = nodes[output or 0]
                    return arrays[0] * node if weighted else node
                joined = np.empty(count, dtype=object)
                joined[:] = nodes
                return joined

            axes = [0 if each else None for each in own]
            place = self._coordinate
            if weighted:
                axes.insert(0, 0)
                place = None if place is None else place + 1
            made = tr_vmap(of_nodes, tuple(axes), coordinate=place)
            batched = self._batched.setdefault(key, made)
        return batched


def _rows(own: Own, tensors: Tensors) -> tuple[Own, list[Array]]:
    """The arguments as arrays; if the samples share all of them, one sample that shares none."""
    arrays = [_array(tensor) for tensor in tensors]
    if any(own):
        return own, arrays
    return (True,) * len(own), [array[None] for array in arrays]


def _array(tensor: torch.Tensor) -> Array:
    found: Array = np.ascontiguousarray(tensor.detach().cpu().to(torch.float64).numpy(), np.float64)
    return found.reshape(tensor.shape)


def _kind(tensor: torch.Tensor) -> type[np.floating[Any]]:
    """NumPy's name of its type."""
    return np.float32 if tensor.dtype is torch.float32 else np.float64


def _tensor(array: Array, like: torch.Tensor) -> torch.Tensor:
    whole = torch.from_numpy(np.ascontiguousarray(array).reshape(np.shape(array)))
    return whole.to(device=like.device, dtype=like.dtype)


def _add(total: Sequence[Array], found: Sequence[Array]) -> None:
    """Adds what an output contributes; what is not finite is left out."""
    for own, more in zip(total, found):
        own += finite(np, more)


def _size(array: Array, own: bool) -> int:
    return prod(array.shape[1:] if own else array.shape)
