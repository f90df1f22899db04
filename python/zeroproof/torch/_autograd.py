"""Values, gradients and second derivatives as functions that PyTorch differentiates.

Each is the backward pass of the one before. All take numbers in columns, ``(samples, outputs)`` for
values and cotangents, and the function itself knows how it is computed: an :class:`Engine`, on the
host or on the device of the tensors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import torch

from ..replay import Mode

__all__ = ["Engine", "Values", "no_third_derivative"]

Tensors = Sequence[torch.Tensor]
#: For each argument, whether every sample has its own.
Own = tuple[bool, ...]


class Engine(Protocol):
    """How a function is computed. Tensors have one type and lie on one device."""

    def values(self, own: Own, tensors: Tensors) -> torch.Tensor:
        """The values, a column for each output; one row if all arguments are shared."""

    def pull(
        self,
        mode: Mode,
        own: Own,
        wanted: tuple[int, ...],
        cotangents: torch.Tensor,
        tensors: Tensors,
        with_status: bool = True,
    ) -> tuple[Tensors, Tensors]:
        """Gradients by the arguments wanted, those of shared ones summed, and statuses if asked."""

    def push(self, mode: Mode, own: Own, tensors: Tensors, tangents: Tensors) -> torch.Tensor:
        """How the values change along tangents, by the rules that gradients go by."""

    def products(
        self,
        mode: Mode,
        own: Own,
        wanted: tuple[int, ...],
        cotangents: torch.Tensor,
        tensors: Tensors,
        weights: Tensors,
    ) -> tuple[torch.Tensor, Tensors]:
        """How the sum of the gradients, each times its weight, changes with everything.

        Returns:
            The derivatives by the cotangents, and those by all arguments.
        """


class Values(torch.autograd.Function):
    """The values."""

    @staticmethod
    def forward(engine: Engine, mode: Mode, own: Own, *tensors: torch.Tensor) -> torch.Tensor:
        return engine.values(own, tensors)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.given = inputs[:3]
        ctx.save_for_backward(*inputs[3:])
        ctx.save_for_forward(*inputs[3:])

    @staticmethod
    def backward(ctx: Any, cotangents: torch.Tensor) -> Any:
        wanted = tuple(k for k, needed in enumerate(ctx.needs_input_grad[3:]) if needed)
        saved = ctx.saved_tensors  # once: hooks unpack them at each look
        gradients: list[Any] = [None] * len(saved)
        found = _applied(_Pull, (*ctx.given, wanted), cotangents, *saved)
        for place, gradient in zip(wanted, found):
            gradients[place] = gradient
        return (None, None, None, *gradients)

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        saved = ctx.saved_tensors
        along = [
            torch.zeros_like(x) if tangent is None else tangent
            for x, tangent in zip(saved, tangents[3:])
        ]
        return _applied(_Push, ctx.given, *saved, *along)

    @staticmethod
    def vmap(info: Any, in_dims: Any, engine: Engine, mode: Mode, own: Own, *tensors: Any) -> Any:
        fold = _Fold(info.batch_size, own, tensors, in_dims[3:])
        values = Values.apply(engine, mode, *fold.arguments(()))
        return fold.unfolded(values), 0


class _Push(torch.autograd.Function):
    """How the values change along tangents, which come behind the arguments."""

    @staticmethod
    def forward(engine: Engine, mode: Mode, own: Own, *both: torch.Tensor) -> torch.Tensor:
        count = len(own)
        return engine.push(mode, own, both[:count], both[count:])

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.given = inputs[:3]
        ctx.save_for_backward(*inputs[3:])

    @staticmethod
    def backward(ctx: Any, cotangents: torch.Tensor) -> Any:
        both, count = ctx.saved_tensors, len(ctx.given[2])
        wanted = tuple(range(count))
        # With the cotangents c it is the sum of the gradients for c, each times its tangent.
        second = (*ctx.given, wanted, count)
        by_arguments = _applied(_Second, second, cotangents, *both)[1:]
        by_tangents = _applied(_Pull, (*ctx.given, wanted), cotangents, *both[:count])
        return (None, None, None, *by_arguments, *by_tangents)

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        raise _no_forward_mode()

    @staticmethod
    def vmap(info: Any, in_dims: Any, engine: Engine, mode: Mode, own: Own, *both: Any) -> Any:
        tensors, tangents, dims = both[: len(own)], both[len(own) :], in_dims[3:]
        fold = _Fold(info.batch_size, own, tensors, dims[: len(own)])
        new_own, *folded = fold.arguments(tuple(range(len(own))))
        along = [fold.folded(t, dim, each) for t, dim, each in zip(tangents, dims[len(own) :], own)]
        return fold.unfolded(_Push.apply(engine, mode, new_own, *folded, *along)), 0


class _Pull(torch.autograd.Function):
    """The gradients."""

    @staticmethod
    def forward(
        engine: Engine,
        mode: Mode,
        own: Own,
        wanted: tuple[int, ...],
        cotangents: torch.Tensor,
        *tensors: torch.Tensor,
    ) -> tuple[torch.Tensor, ...]:
        return tuple(engine.pull(mode, own, wanted, cotangents, tensors, False)[0])

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.given = inputs[:4]
        ctx.save_for_backward(*inputs[4:])

    @staticmethod
    def backward(ctx: Any, *weights: torch.Tensor) -> Any:
        given = (*ctx.given, len(weights))
        found = _applied(_Second, given, *ctx.saved_tensors, *weights)
        needed = zip(found, ctx.needs_input_grad[4:])
        return (None, None, None, None, *(each if want else None for each, want in needed))

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        raise _no_forward_mode()

    @staticmethod
    def vmap(
        info: Any,
        in_dims: Any,
        engine: Engine,
        mode: Mode,
        own: Own,
        wanted: tuple[int, ...],
        cotangents: Any,
        *tensors: Any,
    ) -> Any:
        fold = _Fold(info.batch_size, own, tensors, in_dims[5:], cotangents, in_dims[4])
        new_own, *folded = fold.arguments(wanted)
        found = _Pull.apply(engine, mode, new_own, wanted, fold.cotangents(), *folded)
        return tuple(fold.by_argument(each, k) for each, k in zip(found, wanted)), (0,) * len(
            wanted
        )


class _Second(torch.autograd.Function):
    """The derivatives of the gradients, which have none themselves."""

    @staticmethod
    def forward(
        engine: Engine,
        mode: Mode,
        own: Own,
        wanted: tuple[int, ...],
        count: int,
        cotangents: torch.Tensor,
        *rest: torch.Tensor,
    ) -> tuple[torch.Tensor, ...]:
        tensors, weights = rest[:-count], rest[-count:]
        by_cotangents, found = engine.products(mode, own, wanted, cotangents, tensors, weights)
        return (by_cotangents, *found)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, *_: torch.Tensor) -> Any:
        raise no_third_derivative()

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        raise _no_forward_mode()

    @staticmethod
    def vmap(
        info: Any,
        in_dims: Any,
        engine: Engine,
        mode: Mode,
        own: Own,
        wanted: tuple[int, ...],
        count: int,
        cotangents: Any,
        *rest: Any,
    ) -> Any:
        tensors, weights = rest[:-count], rest[-count:]
        dims = in_dims[6:]
        fold = _Fold(info.batch_size, own, tensors, dims[:-count], cotangents, in_dims[5])
        everything = tuple(range(len(tensors)))
        new_own, *folded = fold.arguments(everything)
        along = [
            fold.folded(weight, dim, own[k])
            for weight, dim, k in zip(weights, dims[-count:], wanted)
        ]
        by_cotangents, *found = _Second.apply(
            engine, mode, new_own, wanted, count, fold.cotangents(), *folded, *along
        )
        by_arguments = [fold.by_argument(each, k) for k, each in enumerate(found)]
        return (fold.unfolded(by_cotangents), *by_arguments), (0,) * (1 + len(found))


class _Fold:
    """A batch of calls as one call: the calls' axis and that of the samples become one.

    An argument that the samples of a call share, of which the calls have different ones, then has a
    row for each sample.
    """

    def __init__(
        self,
        calls: int,
        own: Own,
        tensors: Sequence[Any],
        dims: Sequence[Any],
        cotangents: Any = None,
        cotangents_dim: Any = None,
    ) -> None:
        self._calls, self._own, self._dims = calls, own, dims
        self._tensors = tensors
        self._cotangents, self._cotangents_dim = cotangents, cotangents_dim
        self._samples = 1
        for tensor, dim, each in zip(tensors, dims, own):
            if each:
                shape = list(tensor.shape)
                if dim is not None:
                    del shape[dim]
                self._samples = shape[0]

    def folded(self, tensor: Any, dim: Any, own: bool) -> Any:
        """A tensor with a row for each sample of each call."""
        tensor = tensor.unsqueeze(0) if dim is None else tensor.movedim(dim, 0)
        if not own:
            tensor = tensor.unsqueeze(1)
        inner = tensor.shape[2:]
        return tensor.expand(self._calls, self._samples, *inner).reshape(-1, *inner)

    def arguments(self, apart: Sequence[int]) -> tuple[Any, ...]:
        """Which arguments have rows, and the arguments; those named here have."""
        stays = [
            dim is None and not own and k not in apart
            for k, (dim, own) in enumerate(zip(self._dims, self._own))
        ]
        given = zip(self._tensors, self._dims, self._own, stays)
        return (
            tuple(not stay for stay in stays),
            *(
                tensor if stay else self.folded(tensor, dim, own)
                for tensor, dim, own, stay in given
            ),
        )

    def cotangents(self) -> Any:
        """The cotangents."""
        return self.folded(self._cotangents, self._cotangents_dim, True)

    def unfolded(self, found: Any) -> Any:
        """What the calls found, the first axis that of the calls."""
        return found.reshape(self._calls, self._samples, *found.shape[1:])

    def by_argument(self, found: Any, place: int) -> Any:
        """The same for the gradient by an argument, added up if the samples share it."""
        apart = self.unfolded(found)
        return apart if self._own[place] else apart.sum(1)


def _applied(function: Any, given: tuple[Any, ...], *tensors: torch.Tensor) -> Any:
    """What ``function.apply`` gives, where ``is_grads_batched`` batches the tensors too.

    That is an older ``vmap``, which does not know the rules of functions.
    """
    is_batched = getattr(torch._C._functorch, "is_legacy_batchedtensor", lambda _: False)
    batched = [is_batched(tensor) for tensor in tensors]
    if not any(batched):
        return function.apply(*given, *tensors)
    level = max(1, torch._C._vmapmode_increment_nesting() - 1)
    torch._C._vmapmode_decrement_nesting()
    plain = [
        torch._remove_batch_dim(tensor, level, 0, 0) if each else tensor
        for tensor, each in zip(tensors, batched)
    ]
    calls = next(tensor.shape[0] for tensor, each in zip(plain, batched) if each)
    dims = (*(None for _ in given), *(0 if each else None for each in batched))
    found, out_dims = function.vmap(_Calls(calls), dims, *given, *plain)
    if isinstance(out_dims, int):
        return torch._add_batch_dim(found, out_dims, level)
    return tuple(torch._add_batch_dim(each, dim, level) for each, dim in zip(found, out_dims))


class _Calls(NamedTuple):
    """What a rule for batches is told."""

    batch_size: int


def no_third_derivative() -> NotImplementedError:
    """What is raised where one would be needed."""
    return NotImplementedError(
        "zeroproof.torch gives first and second derivatives, but no third: what is computed "
        "from a second derivative cannot be differentiated"
    )


def _no_forward_mode() -> NotImplementedError:
    return NotImplementedError(
        "zeroproof.torch has forward mode for values only: torch.func.jvp and jacfwd cannot go "
        "through a gradient or twice; use vjp or jacrev for the inner or the outer one, as in "
        "jacrev(jacrev(f)) or jacrev(jacfwd(f))"
    )
