"""PyTorch's tensors as an array library of the replay: every operation against the engine."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from support.ops import NAMES, node_op
from support.replays import FEW_ULPS, by_engine, operands_of_arities, tags, ulps
from support.values import SPECIALS
from zeroproof import replay, tr_vmap
from zeroproof.autodiff.grad_mode import GradientMode

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from zeroproof.torch import Torch  # noqa: E402

OPERANDS = operands_of_arities(SPECIALS)


def _functions(arity: str) -> dict[str, Callable[..., Any]]:
    """Each operation as a function of its operands."""
    if arity == "power":
        return {
            str(n): lambda a, n=n: node_op("pow_int")(a, n) for n in (-5, -2, -1, 0, 1, 2, 3, 7)
        }
    if arity == "variadic":
        return {
            name: lambda *operands, name=name: node_op(name)([*operands, 0.5])
            for name in NAMES[arity]
        }
    return {name: node_op(name) for name in NAMES[arity]}


@pytest.mark.parametrize("arity", OPERANDS)
def test_every_operation_agrees_with_the_engine(arity: str) -> None:
    operands = OPERANDS[arity]
    tensors = [torch.as_tensor(x) for x in operands]
    modes = (
        replay.Mode(),
        replay.Mode(GradientMode.SATURATING, 1e-3),
        replay.Mode(GradientMode.HYBRID, 0.5, 0.3),
    )
    for name, function in _functions(arity).items():
        batched = tr_vmap(lambda *given, function=function: function(*given))
        replayed = replay.compile(batched.program(*operands), Torch())
        values = replayed.forward(tensors)[:, 0].numpy(force=True)
        expected = batched(*operands).to_ieee()
        assert np.flatnonzero(tags(values) != tags(expected)).tolist() == [], name
        assert np.flatnonzero(ulps(values, expected) > FEW_ULPS).tolist() == [], name
        for mode, adjoint in itertools.product(modes, (1.0, -1e-160, math.nan)):
            seeds = np.full(len(operands[0]), adjoint)
            gradients, statuses = by_engine(batched, operands, seeds, mode)
            found = replayed.vjp(tensors, torch.as_tensor(seeds)[:, None], mode)
            for place in range(len(operands)):
                case = (name, adjoint, mode)
                assert np.array_equal(found.statuses[place].numpy(force=True), statuses[place]), (
                    case
                )
                wrong = ulps(found.gradients[place].numpy(force=True), gradients[place]) > FEW_ULPS
                assert np.flatnonzero(wrong).tolist() == [], case


@pytest.mark.parametrize("arity", OPERANDS)
def test_float32_stays_float32_for_batches_and_for_one_sample(arity: str) -> None:
    count = len(OPERANDS[arity])
    for function in _functions(arity).values():
        for axes, shape in ((0, (5,)), (None, ())):
            batched = tr_vmap(lambda *given, function=function: function(*given), axes)
            program = batched.program(*[np.ones(shape)] * count)
            replayed = replay.compile(program, Torch())
            given = [torch.full(shape, 1.25)] * count
            values = replayed.forward(given)
            assert values.dtype is torch.float32
            for mode in (replay.Mode(), replay.Mode(GradientMode.SATURATING)):
                found = replayed.vjp(given, torch.ones_like(values), mode)
                assert {g.dtype for g in found.gradients} == {torch.float32}
                assert {s.dtype for s in found.statuses} == {torch.uint8}


def test_other_types_are_refused() -> None:
    replayed = replay.compile(tr_vmap(lambda x: x + 1.0).program(np.ones(2)), Torch())
    with pytest.raises(TypeError, match=r"float64 or float32, not of torch\.float16"):
        replayed.forward([torch.ones(2, dtype=torch.float16)])
