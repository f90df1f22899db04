"""PyTorch's tensors as an array library of the replay."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import torch
from torch.autograd import forward_ad

from ..replay.finite import finite
from ..replay.namespace import Elements

__all__ = ["Torch"]

_FORMATS = {
    torch.float64: ("float64", torch.int64, 52, 1023),
    torch.float32: ("float32", torch.int32, 23, 127),
}
#: Up to so many operands have the partials by each of them looked at.
_FEW = 3


class Torch:
    """The functions of PyTorch, for tensors of float64 and float32 on any device."""

    isfinite = staticmethod(torch.isfinite)
    isnan = staticmethod(torch.isnan)
    signbit = staticmethod(torch.signbit)
    abs = staticmethod(torch.abs)
    sqrt = staticmethod(torch.sqrt)
    floor = staticmethod(torch.floor)
    ceil = staticmethod(torch.ceil)
    round = staticmethod(torch.round)
    exp = staticmethod(torch.exp)
    expm1 = staticmethod(torch.expm1)
    log = staticmethod(torch.log)
    log1p = staticmethod(torch.log1p)
    log2 = staticmethod(torch.log2)
    log10 = staticmethod(torch.log10)
    sin = staticmethod(torch.sin)
    cos = staticmethod(torch.cos)
    tan = staticmethod(torch.tan)
    asin = staticmethod(torch.asin)
    acos = staticmethod(torch.acos)
    atan = staticmethod(torch.atan)
    atan2 = staticmethod(torch.atan2)
    sinh = staticmethod(torch.sinh)
    cosh = staticmethod(torch.cosh)
    tanh = staticmethod(torch.tanh)
    asinh = staticmethod(torch.asinh)
    acosh = staticmethod(torch.acosh)
    atanh = staticmethod(torch.atanh)
    zeros_like = staticmethod(torch.zeros_like)
    broadcast_to = staticmethod(torch.broadcast_to)

    @staticmethod
    def where(condition: Elements, a: Any, b: Any) -> Elements:
        """The elements of one or the other, in the type of the tensor among them."""
        if not isinstance(condition, torch.Tensor):
            condition = torch.tensor(bool(condition))
        if not isinstance(a, torch.Tensor) and not isinstance(b, torch.Tensor):
            # Two numbers have the default type of PyTorch, which may be too narrow for them.
            a = torch.tensor(a, dtype=torch.float64, device=condition.device)
        return torch.where(condition, a, b)

    @staticmethod
    def pow(x: Elements, y: Elements) -> Elements:
        """``x`` to the power of ``y``."""
        return torch.pow(x, y)

    @staticmethod
    def fmod(x: Elements, y: Elements) -> Elements:
        """The rest of the division, exact also where PyTorch's own is not.

        Its vectorised loops on the CPU give NaN where the quotient overflows.
        """
        if x.device.type != "cpu":
            return torch.fmod(x, y)
        with np.errstate(all="ignore"):
            return torch.from_numpy(np.asarray(np.fmod(x.detach().numpy(), y.detach().numpy())))

    @staticmethod
    def divide(a: Elements, b: Elements) -> Elements:
        """The quotient."""
        return a / b

    @staticmethod
    def is_concrete(arrays: Sequence[Elements]) -> bool:
        """Whether these are plain tensors on the CPU; elsewhere a look would wait."""
        return (
            not _is_recorded(arrays)
            and not is_compiling()
            and all(
                type(array) in (torch.Tensor, torch.nn.Parameter)
                and array.device.type == "cpu"
                and not is_wrapped(array)
                for array in arrays
            )
        )

    @staticmethod
    def spoiled(total: Elements, x: Elements) -> Elements:
        """The total, NaN where x is not finite."""
        return total.add_(x, alpha=0)

    @staticmethod
    def least(least: Elements, x: Elements) -> Elements:
        """The smaller magnitude."""
        return torch.minimum(least, x.abs(), out=least)

    @staticmethod
    def exponent(x: Elements) -> Elements:
        """⌊log₂|x|⌋ of normal numbers, from their bits."""
        _, integer, digits, bias = _FORMATS[x.dtype]
        mask = (1 << (8 if digits == 23 else 11)) - 1
        bits = x.detach().contiguous().view(integer)
        return (((bits >> digits) & mask) - bias).to(x.dtype)

    @staticmethod
    def power_of_two(n: Elements) -> Elements:
        """2ⁿ, from its bits."""
        _, integer, digits, bias = _FORMATS[n.dtype]
        bits = (n.detach().to(integer) + bias) << digits
        return bits.view(n.dtype)

    @staticmethod
    def constant(x: Elements) -> Elements:
        """The same numbers, detached."""
        return x.detach() if isinstance(x, torch.Tensor) else x

    @staticmethod
    def rounded(x: Elements) -> Elements:
        """The same numbers, which PyTorch rounds after each operation."""
        return x

    @staticmethod
    def stack(arrays: Sequence[Elements]) -> Elements:
        """Tensors side by side."""
        return torch.stack(list(arrays), dim=-1)

    @staticmethod
    def as_status(flags: Elements) -> Elements:
        """Booleans as uint8."""
        return flags.to(torch.uint8)

    @staticmethod
    def full(like: Elements, value: float) -> Elements:
        """A number of the type and on the device of a tensor."""
        return torch.full((), value, dtype=like.dtype, device=like.device)

    @staticmethod
    def numbers(like: Elements) -> str:
        """The type of the elements."""
        if like.dtype not in _FORMATS:
            raise TypeError(f"the replay takes tensors of float64 or float32, not of {like.dtype}")
        return _FORMATS[like.dtype][0]

    @staticmethod
    def local(
        results: tuple[Elements, ...],
        function: Callable[..., tuple[Elements, ...]],
        safe: Sequence[float],
        *operands: Elements,
    ) -> tuple[Elements, ...]:
        """Results whose derivatives are those of a function of the operands."""
        if not _is_recorded(operands):
            return results
        found: tuple[Elements, ...] = _Local.apply(
            function, tuple(safe), len(results), *results, *operands
        )
        return found

    @staticmethod
    def node(
        value: Elements, partials: Callable[[], tuple[Elements, ...]], *operands: Elements
    ) -> Elements:
        """A value whose derivatives by the operands are given."""
        if not _is_recorded(operands):
            return value.detach()
        factors = tuple(factor.detach() for factor in partials())
        return _Node.apply(len(factors), value.detach(), *factors, *operands)


def is_compiling() -> bool:
    """Whether a graph is being made by ``torch.compile``."""
    found: Callable[[], bool] = getattr(torch.compiler, "is_compiling", lambda: False)
    return bool(found())


def is_wrapped(tensor: torch.Tensor) -> bool:
    """Whether a tensor belongs to a transformation of ``torch.func`` and must not outlive it."""
    found: Callable[[Any], bool] = getattr(
        torch._C._functorch, "is_functorch_wrapped_tensor", lambda _: False
    )
    return bool(found(tensor))


def _is_recorded(operands: Sequence[Elements]) -> bool:
    return torch.is_grad_enabled() and any(operand.requires_grad for operand in operands)


class _Node(torch.autograd.Function):
    """A value with given partials."""

    @staticmethod
    def forward(ctx: Any, count: int, value: Elements, *rest: Elements) -> Elements:
        factors, operands = rest[:count], rest[count:]
        ctx.save_for_backward(*factors)
        ctx.shapes = [operand.shape for operand in operands]
        return value.clone()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, g: Elements) -> Any:
        # What is not finite is left out, here and below: an infinity would meet a 0.
        g, factors = finite(torch, g), ctx.saved_tensors
        found = [
            finite(torch, factor * g).sum_to_size(shape)
            for factor, shape in zip(factors, ctx.shapes)
        ]
        return (None, None, *(None for _ in factors), *found)


class _Local(torch.autograd.Function):
    """Results of functions element by element, differentiated forward.

    Forward, since a backward pass through ``where`` would multiply a 0 by what the branch that was
    not taken has for a derivative.
    """

    @staticmethod
    def forward(ctx: Any, function: Any, safe: Any, count: int, *rest: Elements) -> Any:
        results, operands = rest[:count], rest[count:]
        ctx.function, ctx.safe, ctx.count = function, safe, count
        ctx.save_for_backward(*rest)
        del operands
        return tuple(result.clone() for result in results)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *given: Elements) -> Any:
        results, operands = ctx.saved_tensors[: ctx.count], ctx.saved_tensors[ctx.count :]
        wide = torch.broadcast_shapes(*(x.shape for x in (*results, *operands)))
        is_safe = torch.ones(wide, dtype=torch.bool, device=operands[0].device)
        for x in (*results, *operands):
            is_safe = is_safe & torch.isfinite(x)
        inside = tuple(torch.where(is_safe, x, other) for x, other in zip(operands, ctx.safe))
        along = [torch.where(is_safe, finite(torch, g), 0.0) for g in given]
        if len(inside) <= _FEW:
            found = _by_each(ctx.function, inside, along)
        else:
            found = _by_all(ctx.function, inside, along)
        summed = [g.sum_to_size(x.shape) for g, x in zip(found, operands)]
        return (None, None, None, *(None for _ in results), *summed)


def _by_each(
    function: Any, inside: Sequence[Elements], along: Sequence[Elements]
) -> list[Elements]:
    """The derivatives by each operand, of which partials that are not finite are left out."""
    _load_forward_mode()
    found = []
    # Switched off in the forward pass of a Function, of which this may be a part.
    with forward_ad._set_fwd_grad_enabled(True):
        for place, operand in enumerate(inside):
            total = torch.zeros_like(operand)
            with forward_ad.dual_level():
                duals = list(inside)
                duals[place] = forward_ad.make_dual(operand, torch.ones_like(operand))
                partials = [forward_ad.unpack_dual(r).tangent for r in function(*duals)]
            for partial, g in zip(partials, along):
                if partial is not None:
                    total = total + finite(torch, finite(torch, partial) * g)
            found.append(total)
    return found


@cache
def _load_forward_mode() -> None:
    """Has PyTorch load its rules of forward mode, without its own warning of what it uses there."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with forward_ad.dual_level():
            forward_ad.make_dual(torch.zeros(()), torch.zeros(()))


def _by_all(function: Any, inside: Sequence[Elements], along: Sequence[Elements]) -> list[Elements]:
    """The same in one pass backward."""
    with torch.enable_grad():
        leaves = [x.detach().requires_grad_() for x in inside]
        results = function(*leaves)
        used = [(r, g.expand_as(r)) for r, g in zip(results, along) if r.requires_grad]
        if not used:
            return [torch.zeros_like(x) for x in inside]
        found = torch.autograd.grad(
            [r for r, _ in used], leaves, [g for _, g in used], allow_unused=True
        )
    return [torch.zeros_like(x) if g is None else finite(torch, g) for x, g in zip(inside, found)]
