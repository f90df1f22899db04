"""``zeroproof.torch.function``: values, gradients, second derivatives, and what surrounds it."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from support.bridge_cases import MODES, W, X, ratio
from support.replays import FEW_ULPS, in_mode, ulps
from zeroproof import TRNode, replay, tr_hvp, tr_sqrt, tr_vmap
from zeroproof.autodiff.grad_mode import GradientMode, gradient_mode
from zeroproof.autodiff.hybrid_gradient import HybridGradientContext


class TestMissingPackage:
    def test_the_error_says_what_to_install(self) -> None:
        code = "import sys; sys.modules['torch'] = None; import zeroproof.torch"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.returncode != 0
        assert 'pip install "zeroproof-autodiff[torch]"' in done.stderr

    def test_the_package_does_without(self) -> None:
        code = "import sys; import zeroproof; assert 'torch' not in sys.modules"
        subprocess.run([sys.executable, "-c", code], check=True)


torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from zeroproof import torch as bridge  # noqa: E402

DOUBLE = torch.float64
DEVICE = pytest.mark.parametrize("device", ["host", "replay"])
MODE = pytest.mark.parametrize("mode", MODES, ids=lambda m: f"{m.mode.name}-{m.delta}".lower())


def pair(w: Any, x: TRNode) -> dict[str, Any]:
    """A structure of results."""
    both = np.array([x / (x - w[0]), tr_sqrt(x)], dtype=object)
    return {"both": both, "one": w[1] / x}


def tensor(numbers: Any, grad: bool = False) -> Any:
    return torch.tensor(numbers, dtype=DOUBLE, requires_grad=grad)


class TestValues:
    @DEVICE
    def test_tags_masks_and_policies(self, device: str) -> None:
        w, x = tensor(W), tensor(X)
        expected = tr_vmap(ratio, (None, 0))(W, X)
        ieee = bridge.function(ratio, (None, 0), nan_policy="ieee", device=device)
        assert ulps(ieee(w, x).numpy(force=True), expected.to_ieee()).max() <= FEW_ULPS
        assert np.array_equal(ieee.tags(w, x).numpy(force=True), expected.tags)
        masked = expected.tags != 0
        tag = bridge.function(ratio, (None, 0), fill=-7.0, device=device)
        values, mask = tag(w, x)
        assert np.array_equal(mask.numpy(force=True), masked)
        assert np.array_equal(tag.masked.numpy(force=True), masked)
        assert (values.numpy(force=True)[masked] == -7.0).all()
        fill = bridge.function(ratio, (None, 0), nan_policy="fill", fill=-7.0, device=device)
        assert torch.equal(fill(w, x), values)

    def test_the_host_has_the_bits_of_the_engine(self) -> None:
        x = np.random.default_rng(0).normal(size=20_000)
        ieee = bridge.function(ratio, (None, 0), nan_policy="ieee", device="host")
        w, points = tensor(W, True), tensor(x, True)
        values = ieee(w, points)
        batched = tr_vmap(ratio, (None, 0))
        expected, pullback = batched.vjp(W, x)
        assert np.array_equal(values.numpy(force=True), expected.to_ieee(), equal_nan=True)
        seeds = np.random.default_rng(1).normal(size=x.size)
        values.backward(tensor(seeds))
        by_w, by_x = pullback(seeds, reduce="sum")
        assert np.array_equal(w.grad.numpy(force=True), by_w)
        assert np.array_equal(points.grad.numpy(force=True), by_x)

    @DEVICE
    def test_structures_of_arguments_and_results(self, device: str) -> None:
        def nested(p: Any, x: Any) -> dict[str, Any]:
            return pair([p["a"], p["b"]], x)

        fn = bridge.function(nested, ({"a": None, "b": None}, 0), nan_policy="fill", device=device)
        p = {"a": tensor(2.0, True), "b": tensor(3.0, True)}
        found = fn(p, tensor(X))
        expected = tr_vmap(pair, (None, 0))(W, X)
        assert list(found) == ["both", "one"]
        for name, values in expected.items():
            own, ieee = found[name].numpy(force=True), values.to_ieee()
            assert own.shape == ieee.shape
            assert ulps(own, np.where(np.isfinite(ieee), ieee, 0.0)).max() <= FEW_ULPS
        (found["both"].sum() + found["one"].sum()).backward()
        assert torch.isfinite(p["a"].grad)
        assert torch.isfinite(p["b"].grad)

    @DEVICE
    def test_one_sample_whose_arguments_are_all_shared(self, device: str) -> None:
        fn = bridge.function(ratio, None, device=device)
        w = tensor(W, True)
        value, mask = fn(w, tensor(2.0))
        assert (value.shape, mask.shape) == ((), ())
        (gradient,) = torch.autograd.grad(value, w)
        assert torch.allclose(gradient, tensor([2.0, np.log(2.0)]), rtol=1e-15)

    @DEVICE
    def test_no_samples(self, device: str) -> None:
        fn = bridge.function(pair, (None, 0), nan_policy="fill", device=device)
        w = tensor(W, True)
        found = fn(w, tensor(np.zeros(0)))
        assert found["both"].shape == (0, 2)
        found["both"].sum().backward()
        assert w.grad.tolist() == [0.0, 0.0]

    @DEVICE
    def test_float32(self, device: str) -> None:
        fn = bridge.function(ratio, (None, 0), nan_policy="fill", device=device)
        w, x = torch.tensor(W, dtype=torch.float32, requires_grad=True), torch.tensor([2.0, 1.0])
        values = fn(w, x)
        values.sum().backward()
        assert values.dtype is w.grad.dtype is torch.float32
        assert torch.allclose(w.grad, torch.tensor([2.0, float(np.log(2.0))]))

    def test_a_gradient_too_large_for_float32_is_dropped_and_flagged(self) -> None:
        fn = bridge.function(lambda x: 1.0 / x)
        x = torch.tensor([1e-30, 2.0])
        (gradient,), (status,) = fn.pullback(torch.ones(2), x)
        assert gradient.tolist() == [0.0, -0.25]
        assert status.tolist() == [2, 0]

    def test_types_are_promoted_and_numbers_are_tensors(self) -> None:
        fn = bridge.function(lambda a, b, x: a * x + b, (None, None, 0), nan_policy="fill")
        a = torch.tensor(2.0, requires_grad=True)
        values = fn(a, 1, tensor([1.0, 2.0]))
        values.sum().backward()
        assert (values.dtype, a.grad.dtype, a.grad.item()) == (DOUBLE, torch.float32, 3.0)


class TestGradients:
    def test_a_training_step_with_samples_on_poles_by_hand(self) -> None:
        """Loss Σ (s·y − 1)² over y = a/(x − p), one of the samples on the pole."""
        for device in ("host", "replay"):
            for policy in ("tag", "fill"):
                fn = bridge.function(
                    lambda a, p, x: a / (x - p), (None, None, 0), nan_policy=policy, device=device
                )
                scale = tensor(3.0, True)
                a, p = tensor(2.0, True), tensor(1.0, True)
                step = torch.optim.SGD([scale, a, p], lr=0.5)
                values = fn(a, p, tensor([1.0, 2.0, -1.0]))
                values = values[0] if policy == "tag" else values
                (torch.where(fn.masked, 0.0, (scale * values - 1.0) ** 2)).sum().backward()
                # REAL samples: y = 2, −1; r = s·y − 1 = 5, −4; d = x − p = 1, −2.
                # Σ 2r·y = 28; Σ 2r·s/d = 30 + 12 = 42; Σ 2r·s·a/d² = 60 − 12 = 48.
                assert [t.grad.item() for t in (scale, a, p)] == [28.0, 42.0, 48.0]
                step.step()
                assert [t.item() for t in (scale, a, p)] == [-11.0, -19.0, -23.0]

    @DEVICE
    def test_cotangents_that_are_not_real_reach_nothing(self, device: str) -> None:
        fn = bridge.function(lambda w, x: w / x, (None, 0), nan_policy="ieee", device=device)
        w, x = tensor(2.0, True), tensor([0.0, 1.0, 2.0, 4.0], True)
        values = fn(w, x)
        (values**2).sum().backward()  # ∞ at the pole, and the cotangent there is ∞
        assert w.grad.item() == 2 * (2.0 + 0.5 + 0.125)
        assert x.grad.tolist() == [0.0, -8.0, -1.0, -0.125]
        given = tensor([np.inf, np.nan, 1.0, -np.inf])
        gradients, statuses = fn.pullback(given, w, x)
        assert gradients[0].item() == 0.5
        assert statuses[0].item() == 3
        assert statuses[1].tolist() == [3, 2, 0, 2]

    @DEVICE
    @MODE
    def test_gradients_and_statuses_are_the_engines(self, device: str, mode: replay.Mode) -> None:
        self.check(device, mode, ratio)

    @DEVICE
    @MODE
    def test_those_of_several_results(self, device: str, mode: replay.Mode) -> None:
        self.check(device, mode, pair)

    def check(self, device: str, mode: replay.Mode, function: Callable[..., Any]) -> None:
        fn = bridge.function(function, (None, 0), mode=mode, device=device, coordinate=1)
        batched = tr_vmap(function, (None, 0), coordinate=1)
        values, pullback = batched.vjp(W, X)
        many = isinstance(values, dict)
        arrays = values if many else {"": values}
        seeds = {name: np.random.default_rng(2).normal(size=v.shape) for name, v in arrays.items()}
        for seed in seeds.values():
            seed[0], seed[-1] = np.inf, 0.0
        given: Any = seeds if many else seeds[""]
        expected, flags = in_mode(mode, lambda: pullback(given, with_status=True))
        as_tensors: Any = {name: tensor(seed) for name, seed in seeds.items()}
        gradients, statuses = fn.pullback(
            as_tensors if many else as_tensors[""], tensor(W), tensor(X)
        )
        assert ulps(gradients[1].numpy(force=True), expected[1]).max() <= FEW_ULPS
        assert np.array_equal(statuses[1].numpy(force=True), flags[1])
        size = np.abs(expected[0]).sum(axis=0)
        total = expected[0].sum(axis=0)
        assert ulps(gradients[0].numpy(force=True), total, size).max() <= FEW_ULPS
        assert np.array_equal(statuses[0].numpy(force=True), np.bitwise_or.reduce(flags[0], axis=0))

    @DEVICE
    def test_the_mode_of_the_forward_pass_holds_on_another_thread(self, device: str) -> None:
        fn = bridge.function(lambda x: 1.0 / x, nan_policy="fill", device=device)
        x = tensor([0.5], True)
        with gradient_mode(GradientMode.SATURATING, 2.0):
            value = fn(x)
        with gradient_mode(GradientMode.SATURATING, 100.0):
            thread = threading.Thread(target=value.backward, args=(torch.ones(1, dtype=DOUBLE),))
            thread.start()
            thread.join()
        assert x.grad.item() == pytest.approx(-1.0 / (0.25 + 4.0), rel=1e-15)

    def test_statistics_count_the_samples_of_a_backward_pass_on_the_cpu(self) -> None:
        mode = replay.Mode(GradientMode.HYBRID, 1.0, 0.1)
        fn = bridge.function(lambda x: 1.0 / x, mode=mode, nan_policy="fill")
        x = torch.tensor([0.05, 1.0, 2.0], dtype=DOUBLE, device="cpu", requires_grad=True)
        HybridGradientContext.reset_statistics()
        fn(x).sum().backward()
        statistics = HybridGradientContext.get_statistics()
        assert statistics["total_gradient_calls"] == 3
        assert statistics["saturating_activations"] == 1

    def test_arguments_changed_in_place_before_the_backward_pass_raise(self) -> None:
        x = tensor([1.0, 2.0], True)
        y = x * 1.0
        value = bridge.function(lambda x: 1.0 / x, nan_policy="fill")(y)
        y.mul_(2.0)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            value.sum().backward()


class TestSecondDerivatives:
    @DEVICE
    @pytest.mark.parametrize("function", [ratio, pair])
    def test_gradcheck_and_gradgradcheck_off_the_poles(
        self, device: str, function: Callable[..., Any]
    ) -> None:
        fn = bridge.function(function, (None, 0), nan_policy="fill", device=device)

        def flat(w: Any, x: Any) -> Any:
            found = fn(w, x)
            return tuple(found.values()) if isinstance(found, dict) else found

        w, x = tensor(W, True), tensor([0.4, 0.7, 3.0], True)
        assert torch.autograd.gradcheck(flat, (w, x))
        assert torch.autograd.gradgradcheck(flat, (w, x))

    @DEVICE
    def test_a_gradient_penalty_with_a_sample_on_a_pole_by_hand(self, device: str) -> None:
        fn = bridge.function(lambda w, x: w / x, (None, 0), nan_policy="fill", device=device)
        w, x = tensor(2.0, True), tensor([0.0, 1.0, -2.0], True)
        (slopes,) = torch.autograd.grad(fn(w, x).sum(), x, create_graph=True)
        assert slopes.tolist() == [0.0, -2.0, -0.5]
        (slopes**2).sum().backward()
        # Slopes are −w/x²: Σ w²/x⁴, by w 2w·Σ 1/x⁴, by x −4w²/x⁵.
        assert w.grad.item() == 4.0 * (1.0 + 1.0 / 16.0)
        assert x.grad.tolist() == [0.0, -16.0, 0.5]

    @DEVICE
    @MODE
    def test_they_are_the_engines_in_each_mode(self, device: str, mode: replay.Mode) -> None:
        def function(p: Any) -> TRNode:
            return p[0] / (p[1] - 1.0) + p[0] * tr_sqrt(p[1])

        points = np.array([[1.5, 1.25], [2.0, 1.0], [0.5, 4.0], [0.0, 0.25], [1.0, 0.0]])
        v = np.random.default_rng(5).normal(size=points.shape)
        fn = bridge.function(function, mode=mode, nan_policy="ieee", coordinate=0, device=device)
        p = tensor(points, True)
        seeds = tensor(np.ones(len(points)), True)
        (gradient,) = torch.autograd.grad(fn(p), p, seeds, create_graph=True)
        by_p, by_seeds = torch.autograd.grad(gradient, (p, seeds), tensor(v))
        batched = tr_vmap(function, coordinate=0)
        expected = in_mode(mode, lambda: batched.hvp((points,), v, transposed=True))
        first = in_mode(mode, lambda: batched.vjp(points)[1](np.ones(len(points)))[0])
        size = np.abs(expected).max(axis=1, keepdims=True) + np.abs(v).max()
        assert ulps(by_p.numpy(force=True), expected, size).max() <= FEW_ULPS
        along = (first * v).sum(axis=1)
        assert (
            ulps(by_seeds.numpy(force=True), along, np.abs(first * v).sum(axis=1)).max() <= FEW_ULPS
        )

    @DEVICE
    @pytest.mark.parametrize("mode", MODES[:3], ids=["mask", "saturating", "hybrid"])
    def test_sums_over_samples_in_each_mode(self, device: str, mode: replay.Mode) -> None:
        def function(w: Any, x: Any) -> TRNode:
            return w[0] / (x - w[1])

        w, x = np.array([1.5, 1.0]), np.array([0.5, 1.0, 1.25, 3.0])
        v = np.array([0.5, -2.0])
        fn = bridge.function(function, (None, 0), mode=mode, nan_policy="ieee", device=device)
        p = tensor(w, True)
        seeds = tensor([1.0, -2.0, 0.5, 3.0])
        (gradient,) = torch.autograd.grad(fn(p, tensor(x)), p, seeds, create_graph=True)
        (by_p,) = torch.autograd.grad(gradient, p, tensor(v))
        each = in_mode(
            mode,
            lambda: [
                seed * np.asarray(tr_hvp(lambda p, at=at: function(p, at), w, v, transposed=True))
                for seed, at in zip(seeds.tolist(), x)
            ],
        )
        assert np.allclose(by_p.numpy(force=True), np.sum(each, axis=0), rtol=1e-14)

    @DEVICE
    def test_third_derivatives_raise(self, device: str) -> None:
        fn = bridge.function(lambda x: 1.0 / x, nan_policy="fill", device=device)
        x = tensor([2.0], True)
        (first,) = torch.autograd.grad(fn(x).sum(), x, create_graph=True)
        (second,) = torch.autograd.grad(first.sum(), x, create_graph=True)
        assert second.item() == 0.25
        with pytest.raises(NotImplementedError, match="no third"):
            torch.autograd.grad(second.sum(), x)


class TestTransformations:
    @DEVICE
    def test_vmap_grad_and_jacrev(self, device: str) -> None:
        fn = bridge.function(ratio, (None, 0), nan_policy="fill", device=device)
        w, x = tensor(W), tensor([0.5, 1.0, 2.0])
        expected = tr_vmap(ratio, (None, 0)).value_and_grad(W, x.numpy(force=True), argnums=(0, 1))[
            1
        ]
        each = torch.func.vmap(
            torch.func.grad(lambda w, x: fn(w, x[None])[0], argnums=(0, 1)), (None, 0)
        )(w, x)
        for found, own in zip(each, expected):
            assert np.allclose(found.numpy(force=True), own, rtol=1e-14)
        by_w, by_x = torch.func.jacrev(fn, argnums=(0, 1))(w, x)
        assert np.allclose(by_w.numpy(force=True), expected[0], rtol=1e-14)
        assert np.allclose(by_x.numpy(force=True), np.diag(expected[1]), rtol=1e-14)
        assert fn.masked is None
        many = torch.func.vmap(fn, (0, None))(torch.stack([w, 2 * w]), x)
        assert torch.equal(many, torch.stack([fn(w, x), fn(2 * w, x)]))
        many = torch.func.vmap(fn, (None, 1))(w, torch.stack([x, 2 * x], dim=1))
        assert torch.equal(many, torch.stack([fn(w, x), fn(w, 2 * x)]))

    @DEVICE
    def test_hessians(self, device: str) -> None:
        fn = bridge.function(
            lambda w, x: w[0] / (x - w[1]), (None, 0), nan_policy="fill", device=device
        )
        w, x = tensor([1.5, 1.0]), tensor([0.5, 1.0, 3.0])
        found = torch.func.jacrev(torch.func.jacrev(lambda w: fn(w, x).sum()))(w)
        expected = tr_vmap(lambda w, x: w[0] / (x - w[1]), (None, 0)).hessian(
            w.numpy(force=True), x.numpy(force=True), reduce="sum"
        )
        assert np.allclose(found.numpy(force=True), expected, rtol=1e-14)

    @DEVICE
    @MODE
    @pytest.mark.filterwarnings("ignore")  # PyTorch's own, when it loads its forward mode
    def test_forward_mode_is_that_of_the_engine(self, device: str, mode: replay.Mode) -> None:
        fn = bridge.function(
            pair, (None, 0), mode=mode, nan_policy="ieee", device=device, coordinate=1
        )
        v = np.random.default_rng(7).normal(size=2), np.random.default_rng(8).normal(size=X.shape)
        points = tensor(W), tensor(X)
        moved = torch.func.jvp(fn, points, tuple(map(tensor, v)))[1]
        batched = tr_vmap(pair, (None, 0), coordinate=1)
        expected = in_mode(mode, lambda: batched.jvp((W, X), v)[1])
        for name, own in moved.items():
            found, engines = own.numpy(force=True), np.asarray(expected[name])
            # A term may be larger than their sum.
            assert ulps(found, engines, 4.0 * (np.abs(engines) + 1.0)).max() <= FEW_ULPS

    @DEVICE
    @pytest.mark.filterwarnings("ignore")
    def test_jacobians_in_each_way(self, device: str) -> None:
        fn = bridge.function(ratio, (None, 0), nan_policy="fill", device=device)
        x = tensor([0.5, 1.0, 2.0])
        by_w = tr_vmap(ratio, (None, 0)).value_and_grad(W, x.numpy(force=True), argnums=0)[1]

        def of_w(w: Any) -> Any:
            return fn(w, x)

        jacobian = torch.autograd.functional.jacobian
        for found in (
            torch.func.jacfwd(of_w)(tensor(W)),
            jacobian(of_w, tensor(W), vectorize=True),
            jacobian(of_w, tensor(W), vectorize=True, strategy="forward-mode"),
        ):
            assert np.allclose(found.numpy(force=True), by_w, rtol=1e-14, atol=0)

    @DEVICE
    @pytest.mark.filterwarnings("ignore")
    def test_hessians_in_each_way(self, device: str) -> None:
        fn = bridge.function(
            lambda w, x: w[0] / (x - w[1]), (None, 0), nan_policy="fill", device=device
        )
        w, x = tensor([1.5, 1.0]), tensor([0.5, 1.0, 3.0])
        expected = tr_vmap(lambda w, x: w[0] / (x - w[1]), (None, 0)).hessian(
            w.numpy(force=True), x.numpy(force=True), reduce="sum"
        )

        def total(w: Any) -> Any:
            return fn(w, x).sum()

        found = torch.func.jacrev(torch.func.jacfwd(total))(w)
        assert np.allclose(found.numpy(force=True), expected, rtol=1e-14)
        found = torch.autograd.functional.hessian(total, w, vectorize=True)
        assert np.allclose(found.numpy(force=True), expected, rtol=1e-14)
        with pytest.raises(NotImplementedError, match=r"as in jacrev\(jacrev\(f\)\)"):
            torch.func.hessian(total)(w)

    def test_copies_and_pickles_are_traced_anew(self) -> None:
        fn = bridge.function(ratio, (None, 0), nan_policy="fill")
        w, x = tensor(W), tensor([0.5, 2.0])
        expected = fn(w, x)
        for other in (copy.deepcopy(fn), pickle.loads(pickle.dumps(fn))):
            assert torch.equal(other(w, x), expected)


class TestDevices:
    def test_tensors_on_several_devices_are_refused(self) -> None:
        fn = bridge.function(ratio, (None, 0))
        w = tensor(W)
        with pytest.raises(ValueError, match=f"one device, not on {w.device} and meta"):
            fn(w, torch.ones(2, device="meta"))


class TestErrors:
    def test_of_the_function(self) -> None:
        with pytest.raises(TypeError, match="takes a function, not int"):
            bridge.function(3)
        with pytest.raises(ValueError, match="nan_policy must be one of tag, fill, ieee"):
            bridge.function(ratio, nan_policy="zero")
        with pytest.raises(ValueError, match="device must be one of auto, host, replay"):
            bridge.function(ratio, device="cuda")
        with pytest.raises(ValueError, match="fill must be a finite number"):
            bridge.function(ratio, fill=np.nan)
        with pytest.raises(TypeError, match="mode must be a GradientMode"):
            bridge.function(ratio, mode="saturating")

    def test_of_a_call(self) -> None:
        fn = bridge.function(ratio, (None, 0))
        w = tensor(W)
        with pytest.raises(TypeError, match="without any"):
            fn(W, X)
        with pytest.raises(ValueError, match="argument 1 has no axis of samples"):
            fn(w, tensor(1.0))
        with pytest.raises(ValueError, match="2 entries for 1 arguments"):
            fn(w)
        with pytest.raises(TypeError, match="argument 1 must be a tensor or a number, not str"):
            fn(w, "x")
        with pytest.raises(TypeError, match=r"float64 or float32, not torch\.float16"):
            fn(w, torch.ones(2, dtype=torch.float16))
        with pytest.raises(TypeError, match=r"real numbers, not of torch\.complex64"):
            fn(w, torch.ones(2, dtype=torch.complex64))
        both = bridge.function(lambda a, b: a / b)
        with pytest.raises(ValueError, match=r"different numbers of samples: \[2, 3\]"):
            both(torch.ones(2), torch.ones(3))
        with pytest.raises(ValueError, match=r"in_axes takes 0 and None, not 1"):
            bridge.function(ratio, (None, 1))(w, tensor(X))
        with pytest.raises(ValueError, match=r"must have the shape \(8,\), not \(3,\)"):
            fn.pullback(torch.ones(3), w, tensor(X))
        with pytest.raises(ValueError, match="the structure of the values"):
            fn.pullback([torch.ones(8)], w, tensor(X))
        with pytest.raises(ValueError, match="coordinate must be the place"):
            bridge.function(ratio, (None, 0), coordinate=2)(w, tensor(X))
