"""``zeroproof.torch`` in graphs of ``torch.compile``: one graph, with the results of a call."""

from __future__ import annotations

import gc
import shutil
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from support.bridge_cases import ratio
from zeroproof import GradientMode, gradient_mode, replay

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from zeroproof import torch as bridge  # noqa: E402
from zeroproof.torch import _compiled  # noqa: E402

pytestmark = [
    pytest.mark.skipif(
        not _compiled.IS_AVAILABLE, reason="this PyTorch breaks its graph around a call"
    ),
    pytest.mark.filterwarnings("ignore"),  # those of PyTorch's compiler
]

DOUBLE = torch.float64
DEVICE = pytest.mark.parametrize("device", ["host", "replay"])
HAS_COMPILER = sys.platform == "linux" and shutil.which("g++") is not None
BACKEND = pytest.mark.parametrize(
    "backend",
    [
        "eager",
        "aot_eager",
        pytest.param(
            "inductor",
            marks=pytest.mark.skipif(not HAS_COMPILER, reason="there is no C++ compiler"),
        ),
    ],
)


@pytest.fixture(autouse=True)
def _anew() -> Iterator[None]:
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def tensor(numbers: Any, grad: bool = False) -> Any:
    return torch.tensor(numbers, dtype=DOUBLE, requires_grad=grad)


def in_one_graph(function: Callable[..., Any], backend: str = "aot_eager") -> Any:
    return torch.compile(function, fullgraph=True, backend=backend)


@DEVICE
@BACKEND
def test_one_graph_has_the_values_gradients_and_masks_of_a_call(device: str, backend: str) -> None:
    fn = bridge.function(ratio, (None, 0), device=device)

    def loss(w: Any, x: Any) -> Any:
        values, mask = fn(w * 2.0, x)
        return torch.where(mask, 0.0, values).sum(), mask

    compiled = in_one_graph(loss, backend)
    for samples in (3, 6, 11):  # from the second on any number
        found = []
        for run in (loss, compiled):
            w, x = tensor([2.0, 3.0], True), tensor(np.arange(samples) / 2.0, True)
            value, mask = run(w, x)
            value.backward()
            assert torch.equal(mask, fn.masked)
            found.append((mask.tolist(), value.item(), w.grad.tolist(), x.grad.tolist()))
        assert found[0] == found[1]
        assert found[0][0][:3] == [True, False, True]


@DEVICE
@pytest.mark.parametrize("policy", ["fill", "ieee"])
def test_policies(device: str, policy: str) -> None:
    fn = bridge.function(ratio, (None, 0), device=device, nan_policy=policy, fill=-7.0)
    w, x = tensor([2.0, 3.0]), tensor([1.0, 0.5, -1.0])
    found = in_one_graph(lambda w, x: fn(w, x))(w, x)
    assert torch.equal(found.nan_to_num(), fn(w, x).nan_to_num())


def test_structures_and_arguments_that_all_samples_share() -> None:
    fn = bridge.function(lambda p: {"one": p["a"] / p["b"], "both": [p["a"], p["b"]]}, None)
    p = {"a": tensor(3.0, True), "b": tensor(0.0, True)}
    (values, masks), (expected, others) = in_one_graph(lambda p: fn(p))(p), fn(p)
    assert values["one"].item() == expected["one"].item() == 0.0
    assert masks["one"].item() is others["one"].item() is True
    assert [each.item() for each in values["both"]] == [3.0, 0.0]


@DEVICE
def test_the_mode_is_that_of_each_call(device: str) -> None:
    fn = bridge.function(lambda x: 1.0 / x, nan_policy="fill", device=device)
    compiled = in_one_graph(lambda x: fn(x).sum())

    def gradient() -> Any:
        x = tensor([0.5, 0.0], True)
        value = compiled(x)
        with gradient_mode(GradientMode.SATURATING, 100.0):
            value.backward()
        return x.grad.tolist()

    assert gradient() == [-4.0, 0.0]
    with gradient_mode(GradientMode.SATURATING, 2.0):
        assert gradient()[0] == pytest.approx(-1.0 / 4.25, rel=1e-15)
    fn.mode = replay.Mode(GradientMode.HYBRID, 1.0, 0.75)
    assert gradient()[0] == pytest.approx(-1.0 / 1.25, rel=1e-15)


@DEVICE
def test_second_derivatives_inside_of_a_graph(device: str) -> None:
    fn = bridge.function(lambda w, x: w / x, (None, 0), nan_policy="fill", device=device)

    def penalty(w: Any, x: Any) -> Any:
        (slopes,) = torch.autograd.grad(fn(w, x).sum(), x, create_graph=True)
        return (slopes**2).sum()

    if not hasattr(torch._dynamo.config, "trace_autograd_ops"):
        pytest.skip("this PyTorch does not trace autograd.grad")
    w, x = tensor(2.0, True), tensor([0.0, 1.0, -2.0], True)
    with torch._dynamo.config.patch(trace_autograd_ops=True):
        value = in_one_graph(penalty)(w, x)
    assert value.item() == 4.25
    by_w, by_x = torch.autograd.grad(value, (w, x))
    assert by_w.item() == 4.25
    assert by_x.tolist() == [0.0, -16.0, 0.5]


@DEVICE
def test_second_derivatives_of_a_graph_and_no_third(device: str) -> None:
    fn = bridge.function(lambda x: 1.0 / x, nan_policy="fill", device=device)
    compiled = in_one_graph(lambda x: fn(x), "eager")
    x = tensor([2.0, 0.0], True)
    (first,) = torch.autograd.grad(compiled(x).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x, create_graph=True)
    assert second.tolist() == [0.25, 0.0]
    with pytest.raises(NotImplementedError, match="no third"):
        torch.autograd.grad(second.sum(), x)


def test_a_rational_layer_in_a_model() -> None:
    layer = bridge.Rational(2, 1, degree=(2, 2), seed=1, dtype=DOUBLE)
    x = tensor(np.random.default_rng(0).normal(size=(7, 2)))
    found = []
    for run in (layer, in_one_graph(layer)):
        layer.zero_grad()
        layer.masked = None
        value = run(x).sum()
        value.backward()
        assert layer.masked.shape == (7, 1)
        found.append((value.item(), *(p.grad.tolist() for p in layer.parameters())))
    assert found[0] == found[1]


def test_the_operators_keep_the_rules_of_pytorch() -> None:
    fn = bridge.function(ratio, (None, 0), nan_policy="fill")
    w, x = tensor([2.0, 3.0], True), tensor([0.5, 3.0], True)
    in_one_graph(lambda w, x: fn(w, x))(w, x)
    (plan,) = fn._plans.values()
    seeds = torch.ones(2, 1, dtype=DOUBLE, requires_grad=True)
    mode = torch.tensor(0)
    torch.library.opcheck(torch.ops.zeroproof.values, (plan.number, [w, x]))
    torch.library.opcheck(torch.ops.zeroproof.pull, (plan.number, [0, 1], mode, seeds, [w, x]))
    plain = [w.detach(), x.detach()]
    torch.library.opcheck(
        torch.ops.zeroproof.second, (plan.number, [1], mode, seeds.detach(), plain, plain[1:])
    )


def test_a_function_that_is_gone_is_named() -> None:
    number = _compiled.Planned(None, lambda: None, (True,), 1).number
    gc.collect()
    with pytest.raises(RuntimeError, match=r"zeroproof\.torch\.function .* is gone"):
        torch.ops.zeroproof.values(number, [tensor([1.0])])


@pytest.mark.parametrize("transform", ["grad", "vmap"])
def test_transformations_break_the_graph(transform: str) -> None:
    fn = bridge.function(ratio, (None, 0), nan_policy="fill")
    w, x = tensor([2.0, 3.0]), tensor([0.5, 1.0, 2.0])

    def gradient(w: Any, x: Any) -> Any:
        return torch.func.grad(lambda w: fn(w, x).sum())(w)

    def many(w: Any, x: Any) -> Any:
        return torch.func.vmap(lambda w: fn(w, x))(torch.stack([w, 2.0 * w]))

    function = gradient if transform == "grad" else many
    assert torch.equal(torch.compile(function, backend="aot_eager")(w, x), function(w, x))
