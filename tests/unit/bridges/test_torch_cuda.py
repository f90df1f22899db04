"""What only a CUDA device shows: no waiting for it, its streams, and its graphs.

That results are those of the engine, ``pytest tests/unit/bridges --torch-device cuda`` shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.bridge_cases import MODES, W, X, ratio
from support.replays import FEW_ULPS, ulps
from zeroproof import replay, tr_vmap

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from zeroproof import torch as bridge  # noqa: E402

pytestmark = [
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device is available"),
    # PyTorch says so of set_sync_debug_mode.
    pytest.mark.filterwarnings("ignore:Synchronization debug mode is a prototype"),
]

DOUBLE = torch.float64


def on(device: str, numbers: Any, grad: bool = True) -> Any:
    return torch.tensor(numbers, dtype=DOUBLE, device=device, requires_grad=grad)


@contextmanager
def waits_raise() -> Iterator[None]:
    """Raises where the host waits for the device."""
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("mode", MODES[:3], ids=["mask", "saturating", "hybrid"])
def test_the_host_does_not_wait_for_the_device(mode: replay.Mode) -> None:
    def second(fn: Any, w: Any, x: Any) -> Any:
        (slopes,) = torch.autograd.grad(fn(w, x).sum(), x, create_graph=True)
        (slopes**2).sum().backward()
        return w.grad, x.grad

    options: dict[str, Any] = {"in_axes": (None, 0), "nan_policy": "fill", "mode": mode}
    fn = bridge.function(ratio, **options)
    own = on("cuda", W), on("cuda", X)
    second(fn, *own)  # traced, with its constants brought there
    for each in own:
        each.grad = None
    with waits_raise():
        values = fn(*own)
        found = second(fn, *own)
    of_host = bridge.function(ratio, device="host", **options)
    on_host = on("cpu", W), on("cpu", X)
    expected = (of_host(*on_host), *second(of_host, *on_host))
    for ours, theirs in zip((values, *found), expected):
        assert np.allclose(ours.numpy(force=True), theirs.numpy(force=True), rtol=1e-13, atol=0)


def test_many_samples_have_the_values_gradients_and_statuses_of_the_engine() -> None:
    x = np.random.default_rng(0).normal(size=1_000_000)
    x[::1000] = 1.0
    fn = bridge.function(ratio, (None, 0), nan_policy="ieee")
    w, points = on("cuda", W), on("cuda", x)
    batched = tr_vmap(ratio, (None, 0))
    values, pullback = batched.vjp(W, x)
    found = fn(w, points).numpy(force=True)
    with np.errstate(all="ignore"):  # a term may be larger than their sum
        size = np.abs(W[0] * x / (x - 1.0)) + np.abs(W[1] * np.log(x))
    assert ulps(found, values.to_ieee(), size).max() <= FEW_ULPS
    seeds = np.ones(x.size)
    expected, flags = pullback(seeds, reduce="sum", with_status=True)
    gradients, statuses = fn.pullback(on("cuda", seeds, False), w, points)
    with np.errstate(all="ignore"):
        size = np.abs(W[0] / (x - 1.0)) + np.abs(W[0] * x / (x - 1.0) ** 2) + np.abs(W[1] / x)
    assert ulps(gradients[1].numpy(force=True), expected[1], size).max() <= FEW_ULPS
    assert np.array_equal(statuses[1].numpy(force=True), flags[1])
    terms = np.abs(pullback(seeds)[0]).sum(axis=0)
    assert ulps(gradients[0].numpy(force=True), expected[0], terms).max() <= FEW_ULPS
    assert np.array_equal(statuses[0].numpy(force=True), flags[0])


def test_work_goes_to_the_current_stream() -> None:
    fn = bridge.function(ratio, (None, 0), nan_policy="fill")
    w, x = on("cuda", W), on("cuda", np.linspace(-2.0, 3.0, 100_001))
    fn(w, x).sum().backward()
    expected = w.grad.clone(), x.grad.clone()
    w.grad = x.grad = None
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        fn(w, x).sum().backward()
    torch.cuda.current_stream().wait_stream(aside)
    assert torch.equal(w.grad, expected[0])
    assert torch.equal(x.grad, expected[1])


def test_a_training_step_is_captured_in_a_graph() -> None:
    """Replayed with other samples, of which others lie on the pole."""
    fn = bridge.function(lambda w, x: w / x, (None, 0), nan_policy="fill")
    w, x = on("cuda", 2.0), on("cuda", [1.0, 2.0, 4.0])

    def step() -> Any:
        w.grad = x.grad = None
        total = fn(w, x).sum()
        total.backward()
        return total

    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        total = step()
    with torch.no_grad():
        x.copy_(on("cuda", [0.0, -2.0, 0.5], False))
    graph.replay()
    assert total.item() == -1.0 + 4.0
    assert w.grad.item() == -0.5 + 2.0
    assert x.grad.tolist() == [0.0, -0.5, -8.0]
    assert fn.masked.tolist() == [True, False, False]


def test_the_example_of_the_guide(capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[3] / "docs" / "torch.md").read_text(encoding="utf-8")
    [(code, output)] = re.findall(
        r"```python cuda_graph\.py\n(.*?)```\n\n```text\n(.*?)```", page, re.DOTALL
    )
    exec(compile(code, "cuda_graph.py", "exec"), {"__name__": "example"})
    assert capsys.readouterr().out == output


def test_a_layer_trains_there() -> None:
    torch.manual_seed(0)
    layer = bridge.Rational(1, 1, (2, 2), seed=1).to("cuda")
    x = torch.linspace(-1.0, 1.0, 4096, device="cuda")[:, None]
    y = 1.0 / (1.25 - x)
    step = torch.optim.Adam(layer.parameters(), lr=0.02)
    losses = []
    for _ in range(400):
        step.zero_grad()
        loss = torch.nn.functional.mse_loss(layer(x), y)
        loss.backward()
        step.step()
        losses.append(loss.item())
    assert layer.masked.device.type == "cuda"
    assert losses[-1] < 0.01 * losses[0]
