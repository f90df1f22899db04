"""Where floats end: PyTorch's functions at overflows, in float32, checkpoints and policies."""

from __future__ import annotations

import math
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from torch.utils.checkpoint import checkpoint  # noqa: E402

import zeroproof.torch as zt  # noqa: E402
from zeroproof import (  # noqa: E402
    GradientMode,
    GradientModeConfig,
    HybridGradientContext,
    TRPolicy,
    TRPolicyConfig,
    gradient_mode,
    replay,
)

DEVICES = ["host", "replay"]


def number(value: float) -> Any:
    return torch.tensor(value, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("device", DEVICES)
def test_second_derivatives_too_large_for_float32_leave_no_nan(device: str) -> None:
    layer = zt.Rational(1, 1, degree=(1, 1), execution=device)
    with torch.no_grad():
        layer.denominator.copy_(torch.tensor([0.0, 1.0]))
        layer.numerator.copy_(torch.tensor([[1.0, 0.0]]))
    x = torch.tensor([[1e-10], [-1e-10], [0.5], [0.0]], requires_grad=True)
    (slope,) = torch.autograd.grad(layer(x).sum(), x, create_graph=True)
    (slope**2).mean().backward()
    for parameter in layer.parameters():
        assert torch.isfinite(parameter.grad).all()


@pytest.mark.parametrize("device", DEVICES)
def test_products_on_the_way_do_not_decide_a_second_derivative(device: str) -> None:
    square = zt.function(lambda x: x * x, nan_policy="fill", device=device)
    x = torch.tensor([1e100], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad((square(x) * 1e150).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(slope.sum(), x)
    assert second.item() == pytest.approx(2e150, rel=1e-15)


@pytest.mark.parametrize("device", DEVICES)
def test_weights_on_the_way_do_not_decide_a_second_derivative(device: str) -> None:
    function = zt.function(lambda a, b, c: 1.0 / (a * b + c), in_axes=None, nan_policy="fill")
    function._device = device
    a, b, c = number(1.0), number(0.0), number(1e-100)
    (slope,) = torch.autograd.grad(function(a, b, c), c, create_graph=True)  # −1/c²
    found = torch.autograd.grad(slope, (a, b, c), torch.tensor(1e10, dtype=torch.float64))
    assert all(torch.isfinite(each) for each in found)


@pytest.mark.parametrize("device", DEVICES)
def test_what_float32_does_not_hold_is_dropped_and_flagged_with_any_shape(device: str) -> None:
    function = zt.function(lambda x: 1.0 / x, in_axes=None, device=device)
    x = torch.tensor(1e-30)
    (gradient,), (status,) = function.pullback(torch.tensor(1.0), x)
    assert (gradient.item(), status.item()) == (0.0, 2)
    assert gradient.shape == status.shape == x.shape
    x = torch.tensor(2.0, dtype=torch.float64)
    _, (status,) = function.pullback(torch.tensor(1.0), x)
    assert status.shape == ()


@pytest.mark.parametrize("device", DEVICES)
def test_checkpoints(device: str) -> None:
    function = zt.function(lambda x: 1.0 / x, nan_policy="fill", device=device)
    x = torch.tensor([2.0, 0.0], dtype=torch.float64, requires_grad=True)
    checkpoint(lambda x: function(x), x, use_reentrant=False).sum().backward()
    assert x.grad.tolist() == [-0.25, 0.0]


@pytest.mark.parametrize("device", DEVICES)
def test_no_sum_of_gradients_is_nullity(device: str) -> None:
    pair = zt.function(
        lambda w, x: [w * x, w * -x], in_axes=(None, 0), nan_policy="fill", device=device
    )
    w, x = number(1.0), torch.full((4,), 1e308, dtype=torch.float64)
    sum(each.sum() for each in pair(w, x)).backward()
    assert not torch.isnan(w.grad)
    product = zt.function(lambda w, x: w * x, in_axes=(None, 0), nan_policy="fill", device=device)
    w = number(1.0)
    x = torch.cat([torch.full((40000,), sign * 1e308, dtype=torch.float64) for sign in (1, -1)])
    product(w, x).sum().backward()
    assert not torch.isnan(w.grad)


def test_a_policy_is_followed_or_refused_but_not_mixed_up() -> None:
    mode = replay.Mode(GradientMode.HYBRID, 1.0, 0.01)
    x = torch.tensor([0.5, 2.0], dtype=torch.float64)
    one = torch.ones(2, dtype=torch.float64)
    on_host = zt.function(lambda x: 1.0 / x, mode=mode, device="host")
    on_device = zt.function(lambda x: 1.0 / x, mode=mode, device="replay")
    TRPolicyConfig.set_policy(TRPolicy(tau_Q_on=10.0, tau_Q_off=20.0))
    HybridGradientContext.update_q_value(0.5)
    HybridGradientContext.end_batch_policy_update()
    assert HybridGradientContext.get_statistics()["policy_mode"] == "SAT"
    (want,), _ = on_device.pullback(one, x)
    assert want.tolist() == [-4.0, -0.25]
    with pytest.raises(NotImplementedError, match="in state SAT"):
        on_host.pullback(one, x)
    # A mode by its name is that of a block in which the policy decides.
    followed = [
        zt.function(lambda x: 1.0 / x, mode=GradientMode.HYBRID, device=device)
        for device in DEVICES
    ]
    with gradient_mode(GradientMode.HYBRID):
        GradientModeConfig.set_local_threshold(0.01)
        found = [each.pullback(one, x)[0][0].tolist() for each in followed]
    assert found == [pytest.approx([-0.8, -0.2], rel=1e-15)] * 2


def test_regions_are_pairs_in_order() -> None:
    for regions in [[(2.0, 1.0)], [(float("nan"), 1.0)], [(1.0,)]]:
        with pytest.raises(ValueError, match="a pair of numbers in order"):
            replay.Mode(GradientMode.HYBRID, regions=regions)  # type: ignore[arg-type]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.filterwarnings("ignore")  # those of PyTorch, of what it uses itself
def test_forward_mode_of_no_samples_and_of_empty_arguments(device: str) -> None:
    fn = zt.function(lambda w, x: x / 2.0, in_axes=(None, 0), nan_policy="fill", device=device)
    for size, samples in ((2, 0), (0, 3), (0, 0)):
        w, x = torch.ones(size), torch.ones(samples)
        by_w, by_x = torch.func.jacfwd(fn, argnums=(0, 1))(w, x)
        assert torch.equal(by_w, torch.zeros(samples, size))
        assert torch.equal(by_x, 0.5 * torch.eye(samples))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.filterwarnings("ignore")  # those of PyTorch, of what it uses itself
def test_a_sum_along_tangents_that_is_too_large_is_0(device: str) -> None:
    fn = zt.function(lambda a, b: a + b, nan_policy="fill", device=device)
    one, huge = torch.ones(1, dtype=torch.float64), torch.full((1,), 1.5e308, dtype=torch.float64)
    for tangents, expected in (((huge, huge), 0.0), ((-huge, huge), 0.0), ((huge, one), 1.5e308)):
        assert torch.func.jvp(fn, (one, one), tangents)[1].item() == expected


@pytest.mark.parametrize("device", DEVICES)
def test_sums_on_the_way_do_not_decide_a_gradient_in_a_batch_of_calls(device: str) -> None:
    fn = zt.function(lambda w, x: w * x, in_axes=(None, 0), nan_policy="fill", device=device)
    x = torch.tensor([1.5e308, 1.5e308, -1.5e308], dtype=torch.float64)
    gradient = torch.func.grad(lambda w: fn(w, x).sum())
    few = torch.tensor([1e-9, 2e-9], dtype=torch.float64)
    assert torch.func.vmap(gradient)(few).tolist() == [1.5e308, 1.5e308]
    assert gradient(few[0]).item() == 1.5e308


@pytest.mark.parametrize("device", DEVICES)
def test_constants_that_float32_does_not_hold(device: str) -> None:
    fn = zt.function(lambda x: [1e300 / x, -1e300 * x], nan_policy="ieee", device=device)
    values = fn(torch.tensor([1.0, -2.0]))
    assert [each.tolist() for each in values] == [[math.inf, -math.inf], [-math.inf, math.inf]]


def test_a_fill_that_the_type_does_not_hold_is_refused() -> None:
    fn = zt.function(lambda x: 1.0 / x, nan_policy="fill", fill=1e300)
    with pytest.raises(ValueError, match=r"fill=1e\+300 is too large for torch.float32"):
        fn(torch.zeros(2))
    assert fn(torch.zeros(2, dtype=torch.float64)).tolist() == [1e300, 1e300]
