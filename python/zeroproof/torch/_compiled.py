"""Functions in graphs of ``torch.compile``: operators that PyTorch knows by name.

A graph holds numbers and tensors only, so the operators take the number of what computes them, and
the gradient mode of the forward pass goes to the backward pass as a tensor of one number. They are
opaque: traced into the graph, a replay would have its products fused with sums, which moves poles.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from threading import Lock
from typing import Any, Union
from weakref import WeakValueDictionary

import torch

from .. import replay
from .._bridging import mode_of_call
from ..autodiff.grad_mode import GradientMode
from ._autograd import Engine, Own, no_third_derivative

__all__ = ["IS_AVAILABLE", "Planned", "values"]

Tensors = Sequence[torch.Tensor]

#: Older versions break the graph around a call.
IS_AVAILABLE = hasattr(torch.library, "custom_op") and hasattr(torch.compiler, "nonstrict_trace")


class Planned:
    """What a graph computes by a number: an engine for arguments of which some have samples.

    Args:
        engine: computes it.
        mode: tells that of each call; None for the one that is current then.
        own: whether each argument has an axis of samples.
        outputs: how many values a sample has.
    """

    def __init__(
        self,
        engine: Engine,
        mode: Callable[[], Union[replay.Mode, GradientMode, None]],
        own: Own,
        outputs: int,
    ) -> None:
        self.engine, self.mode, self.own, self.outputs = engine, mode, own, outputs
        with _LOCK:
            self.number = next(_NUMBERS)
            _PLANS[self.number] = self


_LOCK = Lock()
_NUMBERS = count()
#: By their numbers, as long as their functions live.
_PLANS: WeakValueDictionary[int, Planned] = WeakValueDictionary()
#: The modes of forward passes and their numbers; a schedule has one for each epoch.
_MODES: list[replay.Mode] = []
_MODE_NUMBERS: dict[replay.Mode, int] = {}


def values(plan: Planned, tensors: Tensors) -> torch.Tensor:
    """The values as a step of the graph that is being made."""
    found: torch.Tensor = _values(plan.number, list(tensors))[0]
    return found


def _plan(number: int) -> Planned:
    plan = _PLANS.get(number)
    if plan is None:
        raise RuntimeError(
            "the zeroproof.torch.function that this graph was compiled with is gone, or belongs to "
            "another process: compile where it is called, and keep it as long as the graph"
        )
    return plan


def _number_of(mode: replay.Mode) -> int:
    with _LOCK:
        number = _MODE_NUMBERS.get(mode)
        if number is None:
            number = _MODE_NUMBERS[mode] = len(_MODES)
            _MODES.append(mode)
        return number


def _values_now(program: int, tensors: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    plan = _plan(program)
    mode = torch.tensor(_number_of(mode_of_call(plan.mode())))
    return plan.engine.values(plan.own, tensors), mode


def _values_shape(program: int, tensors: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    plan = _plan(program)
    samples = next((t.shape[0] for t, own in zip(tensors, plan.own) if own), 1)
    mode = torch.empty((), dtype=torch.int64, device="cpu")
    return tensors[0].new_empty((samples, plan.outputs)), mode


def _pull_now(
    program: int,
    wanted: list[int],
    mode: torch.Tensor,
    cotangents: torch.Tensor,
    tensors: list[torch.Tensor],
) -> list[torch.Tensor]:
    plan, places = _plan(program), tuple(wanted)
    found = plan.engine.pull(_MODES[int(mode)], plan.own, places, cotangents, tensors, False)[0]
    return list(found)


def _pull_shape(
    program: int,
    wanted: list[int],
    mode: torch.Tensor,
    cotangents: torch.Tensor,
    tensors: list[torch.Tensor],
) -> list[torch.Tensor]:
    return [tensors[place].new_empty(tensors[place].shape) for place in wanted]


def _second_now(
    program: int,
    wanted: list[int],
    mode: torch.Tensor,
    cotangents: torch.Tensor,
    tensors: list[torch.Tensor],
    weights: list[torch.Tensor],
) -> list[torch.Tensor]:
    plan = _plan(program)
    by_cotangents, found = plan.engine.products(
        _MODES[int(mode)], plan.own, tuple(wanted), cotangents, tensors, weights
    )
    return [by_cotangents, *found]


def _second_shape(
    program: int,
    wanted: list[int],
    mode: torch.Tensor,
    cotangents: torch.Tensor,
    tensors: list[torch.Tensor],
    weights: list[torch.Tensor],
) -> list[torch.Tensor]:
    return [each.new_empty(each.shape) for each in (cotangents, *tensors)]


def _keep_values(ctx: Any, inputs: Any, output: Any) -> None:
    ctx.program, tensors = inputs
    ctx.wanted = [place for place, tensor in enumerate(tensors) if tensor.requires_grad]
    ctx.save_for_backward(output[1], *tensors)


def _values_backward(ctx: Any, cotangents: torch.Tensor, _: Any) -> Any:
    mode, *tensors = ctx.saved_tensors
    gradients: list[Any] = [None] * len(tensors)
    for place, found in zip(ctx.wanted, _pull(ctx.program, ctx.wanted, mode, cotangents, tensors)):
        gradients[place] = found
    return None, gradients


def _keep_pull(ctx: Any, inputs: Any, output: Any) -> None:
    ctx.program, ctx.wanted, mode, cotangents, tensors = inputs
    ctx.save_for_backward(mode, cotangents, *tensors)


def _pull_backward(ctx: Any, weights: list[Any]) -> Any:
    mode, cotangents, *tensors = ctx.saved_tensors
    along = [
        torch.zeros_like(tensors[place]) if weight is None else weight
        for place, weight in zip(ctx.wanted, weights)
    ]
    by_cotangents, *found = _second(ctx.program, ctx.wanted, mode, cotangents, tensors, along)
    return None, None, None, by_cotangents, found


def _refuse(ctx: Any, *_: Any) -> Any:
    raise no_third_derivative()


if IS_AVAILABLE:

    def _operator(name: str, schema: str, now: Any, shape: Any) -> Any:
        made = torch.library.custom_op(f"zeroproof::{name}", now, mutates_args=(), schema=schema)
        made.register_fake(shape)
        return made

    _values = _operator(
        "values", "(int program, Tensor[] tensors) -> (Tensor, Tensor)", _values_now, _values_shape
    )
    _values.register_autograd(_values_backward, setup_context=_keep_values)
    _arguments = "int program, int[] wanted, Tensor mode, Tensor cotangents, Tensor[] tensors"
    _pull = _operator("pull", f"({_arguments}) -> Tensor[]", _pull_now, _pull_shape)
    _pull.register_autograd(_pull_backward, setup_context=_keep_pull)
    _second = _operator(
        "second", f"({_arguments}, Tensor[] weights) -> Tensor[]", _second_now, _second_shape
    )
    _second.register_autograd(_refuse, setup_context=lambda ctx, inputs, output: None)
