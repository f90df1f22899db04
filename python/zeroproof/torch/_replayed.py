"""The traced program replayed in tensor operations, on whatever device the tensors are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch

from ..replay import Mode, Replay
from ..replay.finite import finite, sum_of_samples
from ._autograd import Own, Tensors
from ._namespace import Torch

__all__ = ["Replayed"]


class Replayed:
    """A replay as functions of tensors, computed in their type.

    Args:
        compiled: gives the replay for the arguments that samples have their own of.
    """

    def __init__(self, compiled: Callable[[Own], Replay]) -> None:
        self._compiled = compiled
        self._replays: dict[Own, Replay] = {}

    def _replay(self, own: Own) -> Replay:
        if own not in self._replays:
            self._replays[own] = self._compiled(own)
        return self._replays[own]

    def values(self, own: Own, tensors: Tensors) -> torch.Tensor:
        """The values, a column for each output."""
        with torch.no_grad():
            found: torch.Tensor = self._replay(own).forward(list(tensors))
        return found if any(own) else found.unsqueeze(0)

    def pull(
        self,
        mode: Mode,
        own: Own,
        wanted: tuple[int, ...],
        cotangents: torch.Tensor,
        tensors: Tensors,
        with_status: bool = True,
    ) -> tuple[Tensors, Tensors]:
        """Gradients, those of shared arguments summed, and statuses."""
        with torch.no_grad():
            return self._pulled(mode, own, wanted, cotangents.contiguous(), tensors, with_status)

    def _pulled(
        self,
        mode: Mode,
        own: Own,
        wanted: tuple[int, ...],
        cotangents: torch.Tensor,
        tensors: Tensors,
        with_status: bool = True,
    ) -> tuple[Tensors, Tensors]:
        seeds = cotangents if any(own) else cotangents[0]
        replay, given = self._replay(own), list(tensors)
        pulled = replay.vjp(given, seeds, mode, wanted, with_status=with_status)
        is_summed = [any(own) and not own[place] for place in wanted]
        gradients = [
            _sum_of_samples(gradient) if summed else gradient
            for gradient, summed in zip(pulled.gradients, is_summed)
        ]
        statuses = [
            _union(status) if summed else status
            for status, summed in zip(pulled.statuses, is_summed)
        ]
        return gradients, statuses

    def push(self, mode: Mode, own: Own, tensors: Tensors, tangents: Tensors) -> torch.Tensor:
        """How the values change along tangents: the gradients of each output, times these."""
        replay, given = self._replay(own), list(tensors)
        shape = [t.shape[0] for t, each in zip(tensors, own) if each][:1]
        columns = []
        with torch.no_grad():
            along = [finite(torch, tangent) for tangent in tangents]
            for output in range(replay.outputs):
                seeds = tensors[0].new_zeros((*shape, replay.outputs))
                seeds[..., output] = 1.0
                pulled = replay.vjp(given, seeds, mode, with_status=False)
                moved = seeds[..., 0] * 0.0
                for gradient, tangent in zip(pulled.gradients, along):
                    terms = finite(torch, gradient * tangent).reshape(*shape, -1)
                    moved = moved + terms.sum(-1)
                columns.append(moved)
            found = torch.stack(columns, dim=-1)
        return found if any(own) else found.unsqueeze(0)

    def products(
        self,
        mode: Mode,
        own: Own,
        wanted: tuple[int, ...],
        cotangents: torch.Tensor,
        tensors: Tensors,
        weights: Tensors,
    ) -> tuple[torch.Tensor, Tensors]:
        """The derivatives of the weighted sum of the gradients, by PyTorch's backward pass."""
        with _recording(cotangents.device):
            seeds = cotangents.detach().requires_grad_()
            leaves = [tensor.detach().requires_grad_() for tensor in tensors]
            gradients, _ = self._pulled(mode, own, wanted, seeds, leaves, False)
            regular = [finite(torch, weight) for weight in weights]
            scale = _scale(regular)
            pairs = [
                (gradient, weight / scale)
                for gradient, weight in zip(gradients, regular)
                if gradient.requires_grad
            ]
            everything = [seeds, *leaves]
            found: list[torch.Tensor] = [torch.zeros_like(each) for each in everything]
            if pairs:
                given = torch.autograd.grad(
                    [gradient for gradient, _ in pairs],
                    everything,
                    [weight for _, weight in pairs],
                    allow_unused=True,
                )
                found = [zero if g is None else g for zero, g in zip(found, given)]
            found = [finite(torch, each * scale) for each in found]
        return found[0], found[1:]


@contextmanager
def _recording(device: torch.device) -> Iterator[None]:
    """A block in which PyTorch records gradients, inside of an operator of its own too.

    Raises:
        RuntimeError: if it records none, by which a derivative would be 0.
    """
    with torch.enable_grad(), _above_operators():
        if not torch.ones((), device=device, requires_grad=True).neg().requires_grad:
            raise RuntimeError(
                "PyTorch records no gradients here, as in torch.inference_mode: second derivatives "
                "of a replay need them"
            )
        yield


def _above_operators() -> AbstractContextManager[Any]:
    """Undoes that PyTorch switches autograd off inside of operators."""
    excluded = torch._C._dispatch_tls_local_exclude_set()
    for key in ("AutogradCPU", "AutogradCUDA", "AutogradOther", "ADInplaceOrView"):
        excluded = excluded.remove(getattr(torch._C.DispatchKey, key))
    included = torch._C._dispatch_tls_local_include_set()
    guard: AbstractContextManager[Any] = torch._C._ForceDispatchKeyGuard(included, excluded)
    return guard


def _sum_of_samples(rows: torch.Tensor) -> torch.Tensor:
    if Torch.is_concrete([rows]):
        total = rows.sum(0)
        if torch.isfinite(total).all():
            return total
    found: torch.Tensor = sum_of_samples(torch, rows)
    return found


def _scale(weights: Tensors) -> torch.Tensor:
    """A power of 2 by which weights become at most 1, so that no product on the way overflows."""
    largest = [weight.abs().max() for weight in weights if weight.numel()]
    if not largest:
        return torch.ones(())
    exponent = torch.frexp(torch.stack(largest).max()).exponent
    return torch.ldexp(torch.ones_like(largest[0]), exponent.clamp(min=0))


def _union(statuses: torch.Tensor) -> torch.Tensor:
    """The flags of all samples together."""
    total = torch.zeros(statuses.shape[1:], dtype=torch.uint8, device=statuses.device)
    for bit in range(3):
        total = total + ((statuses & (1 << bit)) != 0).any(0).to(torch.uint8) * (1 << bit)
    return total
