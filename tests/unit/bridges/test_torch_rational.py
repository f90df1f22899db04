"""``zeroproof.torch.Rational``: a rational function as a layer."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from support.replays import FEW_ULPS, ulps
from zeroproof import HybridGradientSchedule, tr_exp
from zeroproof.autodiff.grad_mode import GradientMode
from zeroproof.autodiff.hybrid_gradient import HybridGradientContext
from zeroproof.models import RationalModel

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from zeroproof.torch import Rational  # noqa: E402

DOUBLE = torch.float64


@pytest.fixture(autouse=True)
def statistics() -> None:
    HybridGradientContext.reset()


@pytest.fixture
def _on_the_cpu() -> Iterator[None]:
    """Where statistics are counted."""
    with torch.device("cpu"):
        yield


@pytest.mark.parametrize("features", ["polynomial", "chebyshev", "trigonometric"])
@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("execution", ["host", "replay"])
def test_the_function_is_that_of_the_model(features: str, shared: bool, execution: str) -> None:
    options: dict[str, Any] = {"features": features, "shared_denominator": shared, "seed": 3}
    layer = Rational(2, 3, (3, 2), execution=execution, dtype=DOUBLE, **options)
    model = RationalModel(2, 3, (3, 2), **options)
    x = np.random.default_rng(0).uniform(-1, 1, (4, 5, 2))
    found = layer(torch.as_tensor(x))
    assert found.shape == layer.masked.shape == (4, 5, 3)
    assert ulps(found.numpy(force=True), model(x).to_ieee()).max() <= 4 * FEW_ULPS


def test_features_of_the_users_and_a_domain() -> None:
    layer = Rational(1, 1, (1, 1), features=[lambda x: tr_exp(x)], dtype=DOUBLE, seed=0)
    x = torch.tensor([[0.5]], dtype=DOUBLE)
    p, q = layer.numerator[0], layer.denominator
    e = np.exp(0.5)
    assert layer(x).item() == pytest.approx(((p[0] + p[1] * e) / (q[0] + q[1] * e)).item())
    scaled = Rational(1, 1, (1, 1), domain=[(0.0, 10.0)], dtype=DOUBLE, seed=0)
    p, q = scaled.numerator[0], scaled.denominator
    assert scaled(10 * x).item() == pytest.approx((p[0] / q[0]).item())


def test_samples_on_a_pole_are_filled_and_leave_no_nan() -> None:
    layer = Rational(1, 1, (1, 1), fill=5.0, dtype=DOUBLE)
    with torch.no_grad():
        layer.numerator.copy_(torch.tensor([[1.0, 0.0]]))
        layer.denominator.copy_(torch.tensor([0.0, 1.0]))
    x = torch.tensor([[0.0], [2.0]], dtype=DOUBLE, requires_grad=True)
    values = layer(x)
    assert values[:, 0].tolist() == [5.0, 0.5]
    assert layer.masked[:, 0].tolist() == [True, False]
    (values**2).sum().backward()
    # y = 1/2 of p = (1, 0), q = (0, 1) at 2: 2y·(1/Q, x/Q) and −2y·P/Q²·(1, x).
    assert layer.numerator.grad.tolist() == [[0.5, 1.0]]
    assert layer.denominator.grad.tolist() == [-0.25, -0.5]
    assert x.grad.tolist() == [[0.0], [-0.25]]


@pytest.mark.parametrize("dtype", [torch.float32, DOUBLE])
def test_it_trains_inside_of_a_sequential(dtype: Any) -> None:
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Linear(2, 3), torch.nn.Tanh(), Rational(3, 2, (2, 2)), torch.nn.Linear(2, 1)
    ).to(dtype)
    x = torch.rand(256, 2, dtype=dtype) * 2 - 1
    y = (1.0 / (1.5 + x[:, :1])) * x[:, 1:]
    step = torch.optim.Adam(net.parameters(), lr=0.02)
    losses = []
    for _ in range(300):
        step.zero_grad()
        loss = torch.nn.functional.mse_loss(net(x), y)
        loss.backward()
        step.step()
        losses.append(loss.item())
    assert all(torch.isfinite(p).all() for p in net.parameters())
    assert losses[-1] < 0.01 * losses[0]


def test_a_pole_outside_of_the_data_is_learned() -> None:
    layer = Rational(1, 1, (1, 1), seed=1, dtype=DOUBLE)
    x = torch.linspace(-1.0, 1.0, 101, dtype=DOUBLE)[:, None]
    y = 1.0 / (1.25 - x)
    step = torch.optim.LBFGS(layer.parameters(), max_iter=300, line_search_fn="strong_wolfe")

    def loss() -> Any:
        step.zero_grad()
        value = torch.nn.functional.mse_loss(layer(x), y)
        value.backward()
        return value

    step.step(loss)
    layer.normalize()
    pole = -(layer.denominator[0] / layer.denominator[1]).item()
    assert pole == pytest.approx(1.25, abs=1e-2)


@pytest.mark.usefixtures("_on_the_cpu")
def test_the_state_goes_to_another_layer_and_through_a_file() -> None:
    schedule = HybridGradientSchedule(delta_init=0.1, transition_epochs=4)
    layer = Rational(1, 1, schedule=schedule, seed=1)
    layer.step_epoch()
    layer.step_epoch()
    file = io.BytesIO()
    torch.save(torch.nn.Sequential(layer).state_dict(), file)
    file.seek(0)
    other = Rational(1, 1, schedule=HybridGradientSchedule(delta_init=0.1, transition_epochs=4))
    torch.nn.Sequential(other).load_state_dict(torch.load(file, weights_only=True))
    x = torch.tensor([[0.25], [0.5]])
    assert torch.equal(other(x), layer(x))
    assert other.epoch == 2
    assert other.mode == layer.mode
    assert other.mode.delta == schedule.get_delta(2)


@pytest.mark.usefixtures("_on_the_cpu")
def test_the_schedule_moves_once_per_epoch_and_explores_what_was_met() -> None:
    schedule = HybridGradientSchedule(delta_init=0.1, pole_exploration_radius=0.05)
    layer = Rational(1, 1, (1, 1), schedule=schedule, dtype=DOUBLE)
    with torch.no_grad():
        layer.denominator.copy_(torch.tensor([0.0, 1.0]))
    x = torch.tensor([[0.02], [0.75]], dtype=DOUBLE)
    assert layer.mode.delta == schedule.get_delta(0)
    for _ in range(3):  # batches do not move it
        layer(x).sum().backward()
    assert layer.epoch == 0
    assert HybridGradientContext.get_statistics()["saturating_activations"] == 3
    layer.step_epoch()
    assert layer.mode.mode is GradientMode.HYBRID
    assert layer.mode.delta == schedule.get_delta(1, 0.02)
    [(low, high)] = layer.mode.regions
    assert low < 0.02 < high
    assert HybridGradientContext.get_statistics()["total_gradient_calls"] == 0


def test_a_schedule_that_would_go_by_statistics_warns_where_nothing_is_counted() -> None:
    adaptive = HybridGradientSchedule(force_pole_exploration=False)
    by_epoch = HybridGradientSchedule(adaptive_delta=False, force_pole_exploration=False)
    layer = Rational(1, 1, schedule=adaptive, execution="replay")
    with pytest.warns(RuntimeWarning, match="nothing is counted where this layer is computed"):
        layer.step_epoch()
    assert layer.epoch == 1
    Rational(1, 1, schedule=by_epoch, execution="replay").step_epoch()
    Rational(1, 1, schedule=adaptive, device="cpu").step_epoch()


@pytest.mark.parametrize("shared", [True, False])
def test_normalize_keeps_the_function(shared: bool) -> None:
    layer = Rational(1, 2, (2, 2), shared_denominator=shared, dtype=DOUBLE, seed=0)
    x = torch.linspace(-1, 1, 9, dtype=DOUBLE)[:, None]
    with torch.no_grad():
        layer.numerator.mul_(-3.0)
        layer.denominator.mul_(-3.0)
    before = layer(x).detach()
    layer.normalize()
    norms = torch.linalg.vector_norm(layer.denominator, dim=-1)
    assert torch.allclose(norms, torch.ones_like(norms))
    assert torch.allclose(layer(x), before, rtol=1e-14)


def test_errors() -> None:
    with pytest.raises(TypeError, match="mode or schedule, not both"):
        Rational(1, mode=GradientMode.MASK_REAL, schedule=HybridGradientSchedule())
    with pytest.raises(ValueError, match="nan_policy must be fill or ieee"):
        Rational(1, nan_policy="tag")
    with pytest.raises(TypeError, match="dtype must be float64 or float32"):
        Rational(1, dtype=torch.float16)
    with pytest.raises(ValueError, match=r"the shape \(…, 2\), not \(4, 3\)"):
        Rational(2)(torch.ones(4, 3))
    with pytest.raises(RuntimeError, match="needs a schedule"):
        Rational(1).step_epoch()
