"""``zeroproof.jax.function`` under ``jit``, ``vmap``, ``grad``, on the host and on the device."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from support.jax_values import with_64_bits
from support.replays import in_mode, ulps
from support.slow import slow
from zeroproof import TRNode, replay, tr_log, tr_sqrt, tr_vmap
from zeroproof.autodiff.grad_mode import GradientMode, gradient_mode

jax = pytest.importorskip("jax", reason="JAX is not installed")
jnp = jax.numpy

from zeroproof import jax as zeroproof_jax  # noqa: E402

DEVICE = pytest.mark.parametrize("device", [False, True], ids=["host", "device"])
X = np.array([0.0, 1.0, 2.0, 3.0, -1.0, np.inf, np.nan])
W = np.array([2.0, 3.0])
MODES = [
    replay.Mode(),
    replay.Mode(GradientMode.SATURATING, 0.5),
    replay.Mode(GradientMode.HYBRID, 0.5, 0.75),
]


@pytest.fixture(autouse=True)
def doubles() -> Iterator[None]:
    """All tests here are of float64 but where they say so."""
    with with_64_bits():
        yield


def ratio(x: TRNode, w: Any) -> TRNode:
    return w[0] * x / (x - 1.0) + tr_log(x) * w[1]


def pair(x: TRNode, w: Any) -> dict[str, Any]:
    """A structure of results."""
    both = np.array([x / (x - w[0]), tr_sqrt(x)], dtype=object)
    return {"both": both, "one": ratio(x, w)}


def real_loss(function: Any, x: Any, w: Any) -> Any:
    """The sum of squares over the samples whose value is REAL."""
    value, masked = function(x, w)
    return jnp.where(masked, 0.0, (value - 1.0) ** 2).sum()


class TestValues:
    def test_on_the_host_they_have_the_bits_of_the_engine(self) -> None:
        x = np.random.default_rng(0).normal(size=1000)
        function = zeroproof_jax.function(ratio, (0, None), nan_policy="ieee")
        expected = tr_vmap(ratio, (0, None))(x, W).to_ieee()
        for run in (function, jax.jit(function)):
            assert np.array_equal(np.asarray(run(x, W)), expected, equal_nan=True)

    def test_on_the_device_they_agree_to_a_few_ulp(self) -> None:
        x = np.random.default_rng(0).normal(size=1000)
        function = zeroproof_jax.function(ratio, (0, None), nan_policy="ieee", device=True)
        expected = tr_vmap(ratio, (0, None))(x, W).to_ieee()
        parts = np.abs(W[0] * x / (x - 1)) + np.abs(W[1] * np.log(np.abs(x)))
        found = np.asarray(jax.jit(function)(x, W))
        assert ulps(found, expected, parts).max() <= 8

    @DEVICE
    def test_policies(self, device: bool) -> None:
        masked = [True, True, False, False, True, True, True]
        tag = zeroproof_jax.function(ratio, (0, None), device=device, fill=7.0)
        value, mask = tag(X, W)
        assert mask.tolist() == masked
        assert value[0] == value[6] == 7.0
        assert tag.tags(X, W).tolist() == [3, 1, 0, 0, 3, 3, 3]
        fill = zeroproof_jax.function(ratio, (0, None), device=device, nan_policy="fill")
        assert (fill(X, W) == 0.0).tolist() == masked
        ieee = zeroproof_jax.function(ratio, (0, None), device=device, nan_policy="ieee")
        assert np.isfinite(ieee(X, W)).tolist() == [not each for each in masked]
        assert ieee(X, W)[1] == np.inf

    @DEVICE
    def test_structures_of_arguments_and_results(self, device: bool) -> None:
        def function(sample: dict[str, Any], w: tuple[Any, Any]) -> dict[str, Any]:
            return pair(sample["x"] + sample["v"][1], np.array(w, dtype=object))

        sample = {"x": X[1:4], "v": np.arange(6.0).reshape(3, 2)}
        made = zeroproof_jax.function(function, (0, None), device=device)
        values, masks = jax.jit(made)(sample, (1.0, 2.0))
        expected = tr_vmap(function, (0, None))(sample, (1.0, 2.0))
        assert values["both"].shape == masks["both"].shape == (3, 2)
        assert np.allclose(values["both"], np.asarray(expected["both"]), rtol=1e-15)
        assert np.allclose(values["one"], np.asarray(expected["one"]), rtol=1e-14)
        gradient = jax.grad(lambda s: made(s, (1.0, 2.0))[0]["both"].sum())(sample)
        assert gradient["v"].shape == (3, 2)
        assert not gradient["v"][:, 0].any()


class TestGradients:
    @DEVICE
    @pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.mode.name.lower())
    def test_gradients_and_statuses_are_those_of_the_engine(
        self, device: bool, mode: replay.Mode
    ) -> None:
        adjoints = np.array([1.0, 2.0, -3.0, np.inf, 0.5, 1.0, np.nan])
        made = zeroproof_jax.function(ratio, (0, None), device=device, mode=mode)
        batched = tr_vmap(ratio, (0, None))
        _, pullback = batched.vjp(X, W)
        expected, statuses = in_mode(mode, lambda: pullback(adjoints, with_status=True))
        for run in (made.pullback, jax.jit(made.pullback)):
            (by_x, by_w), flags = run(adjoints, X, W)
            assert np.array_equal(flags[0], statuses[0])
            assert np.array_equal(flags[1], np.bitwise_or.reduce(statuses[1], axis=0))
            # Two terms of up to 12 cancel.
            assert ulps(np.asarray(by_x), expected[0], 12.0).max() <= 8
            if not device:
                assert np.array_equal(by_x, expected[0])
            assert np.allclose(by_w, expected[1].sum(axis=0), rtol=1e-14)

    @DEVICE
    def test_a_training_step_with_samples_on_poles(self, device: bool) -> None:
        """s·w/(h − c) against targets, at h − c = 0, 2 and −1: worked out by hand."""
        made = zeroproof_jax.function(lambda x, w: w / x, (0, None), device=device)
        h, targets = jnp.array([4.0, 6.0, 3.0]), jnp.array([5.0, 1.0, -2.0])

        def loss(parameters: dict[str, Any]) -> Any:
            value, masked = made(h - parameters["c"], parameters["w"])
            squares = (parameters["s"] * value - targets) ** 2
            return jnp.where(masked, 0.0, squares).sum() / (~masked).sum()

        parameters = {"s": 1.0, "w": 3.0, "c": 4.0}
        # Values 1.5 and −3 of targets 1 and −2: the squares are ¼ and 1.
        value, gradient = jax.jit(jax.value_and_grad(loss))(parameters)
        assert float(value) == (0.25 + 1.0) / 2
        assert float(gradient["s"]) == (2 * 0.5 * 1.5 + 2 * -1.0 * -3.0) / 2
        assert float(gradient["w"]) == (2 * 0.5 * 0.5 + 2 * -1.0 * -1.0) / 2
        assert float(gradient["c"]) == (2 * 0.5 * 0.75 + 2 * -1.0 * 3.0) / 2
        stepped = {name: parameters[name] - 0.1 * gradient[name] for name in parameters}
        assert all(np.isfinite(number) for number in stepped.values())

    @DEVICE
    def test_an_adjoint_that_is_not_real_is_left_out(self, device: bool) -> None:
        made = zeroproof_jax.function(ratio, (0, None), device=device, nan_policy="ieee")
        gradient = jax.grad(lambda w: (made(jnp.array(X), w) ** 2).sum())(jnp.array(W))
        assert np.isfinite(gradient).all()
        real = jax.grad(lambda w: (made(jnp.array(X[2:4]), w) ** 2).sum())(jnp.array(W))
        assert np.allclose(gradient, real, rtol=1e-15)

    @DEVICE
    def test_the_mode_is_the_current_one_at_the_time_of_tracing(self, device: bool) -> None:
        made = zeroproof_jax.function(lambda x: 1.0 / x, device=device)
        ones = jnp.ones(2)
        x = jnp.array([0.0, 0.5])
        with gradient_mode(GradientMode.SATURATING, 0.5):
            compiled = jax.jit(lambda x: made.pullback(ones, x))
            (gradient,), (status,) = compiled(x)
        assert status.tolist() == [4, 4]
        assert np.allclose(gradient, [-4.0, -2.0], rtol=1e-15)
        assert compiled(x)[1][0].tolist() == [4, 4]
        assert made.pullback(ones, x)[1][0].tolist() == [1, 0]

    @DEVICE
    def test_vmap_over_parameters_and_over_samples(self, device: bool) -> None:
        made = zeroproof_jax.function(ratio, (0, None), device=device)
        several = jnp.stack([W, 2 * W, -W])
        x = jnp.array(X)
        batches = jnp.stack([x, x[::-1], x + 1.0])
        by_w = jax.jit(jax.grad(lambda w, x: real_loss(made, x, w)))
        for axes, w, samples in [
            ((0, None), several, x),
            ((None, 0), several[0], batches),
            ((0, 0), several, batches),
        ]:
            found = jax.jit(jax.vmap(by_w, axes))(w, samples)
            for row in range(3):
                own = w[row] if axes[0] == 0 else w
                each = samples[row] if axes[1] == 0 else samples
                assert np.allclose(found[row], by_w(own, each), rtol=1e-14)
        nested = jax.vmap(lambda w: jax.vmap(lambda x: made(x, w)[0])(batches))(several)
        assert nested.shape == (3, 3, 7)
        assert np.allclose(nested[1, 2], made(batches[2], several[1])[0], rtol=1e-15)


class TestSecondDerivatives:
    @DEVICE
    @pytest.mark.parametrize(
        "mode", [MODES[0], *slow(MODES[1])], ids=lambda mode: mode.mode.name.lower()
    )
    def test_products_with_the_hessian_are_those_of_the_engine(
        self, device: bool, mode: replay.Mode
    ) -> None:
        made = zeroproof_jax.function(ratio, (0, None), device=device, mode=mode)
        x = np.array([0.5, 1.0, 2.5, 1.25, 0.0, np.inf])
        v = np.linspace(1.0, 2.0, 6)
        batched = tr_vmap(ratio, (0, None))
        real = np.isfinite(batched(x, W).to_ieee())
        # A pass goes back through the transposed matrix, another one where partials are bounded.
        product = in_mode(mode, lambda: batched.hvp((x, W), v, transposed=True))
        assert 1 < real.sum() < 6

        def weighted(x: Any) -> Any:
            value, masked = made(x, jnp.array(W))
            return jnp.where(masked, 0.0, value).sum()

        found = jax.jit(jax.grad(lambda x: (jax.grad(weighted)(x) * v).sum()))(jnp.array(x))
        assert np.allclose(found, np.where(real, product, 0.0), rtol=1e-12, atol=0)

    @DEVICE
    def test_a_gradient_penalty(self, device: bool) -> None:
        """½(d/dx w/x)² = ½w²/x⁴, whose derivative by w is w/x⁴ and by x −2w²/x⁵."""
        made = zeroproof_jax.function(lambda x, w: w / x, (0, None), device=device)
        x = jnp.array([2.0, 0.0, -0.5])

        def penalty(x: Any, w: Any) -> Any:
            slope = jax.grad(lambda x: made(x, w)[0].sum())(x)
            return 0.5 * (slope**2).sum()

        by_x, by_w = jax.jit(jax.grad(penalty, (0, 1)))(x, 3.0)
        assert np.allclose(by_w, 3.0 / 16.0 + 3.0 * 16.0, rtol=1e-14)
        assert np.allclose(by_x, [-2 * 9.0 / 32.0, 0.0, 2 * 9.0 * 32.0], rtol=1e-14)

    @pytest.mark.slow
    @DEVICE
    def test_hessians_by_parameters(self, device: bool) -> None:
        made = zeroproof_jax.function(ratio, (0, None), device=device)
        x, w = jnp.array(X), jnp.array(W)
        hessian = jax.jit(jax.jacrev(jax.grad(lambda w: real_loss(made, x, w))))(w)
        slopes = np.array([[2.0, np.log(2.0)], [1.5, np.log(3.0)]])
        assert np.allclose(hessian, 2.0 * slopes.T @ slopes, rtol=1e-14)

    @DEVICE
    @pytest.mark.parametrize("outputs", [2, *slow(1)])
    def test_of_several_outputs(self, device: bool, outputs: int) -> None:
        def several(x: TRNode, w: Any) -> list[Any]:
            return [w * w / x, tr_sqrt(x) * w][:outputs]

        made = zeroproof_jax.function(several, (0, None), device=device)

        def by_hand(x: Any, w: Any) -> list[Any]:
            return [w * w / x, jnp.sqrt(x) * w][:outputs]

        def penalty(function: Any, x: Any, w: Any) -> Any:
            def total(x: Any, w: Any) -> Any:
                return sum((value**2).sum() for value in function(x, w))

            by_x, by_w = jax.grad(total, (0, 1))(x, w)
            return (by_x**2).sum() + by_w**2

        x = jnp.array([0.5, 2.0, 1.5])
        found = jax.grad(lambda *a: penalty(lambda x, w: made(x, w)[0], *a), (0, 1))(x, 1.25)
        expected = jax.grad(lambda *a: penalty(by_hand, *a), (0, 1))(x, 1.25)
        for mine, theirs in zip(found, expected):
            assert np.allclose(mine, theirs, rtol=1e-12)

    @DEVICE
    def test_third_derivatives_raise(self, device: bool) -> None:
        made = zeroproof_jax.function(lambda x: 1.0 / x, nan_policy="ieee", device=device)
        first = jax.grad(lambda x: made(x).sum())
        second = jax.grad(lambda x: first(x).sum())
        assert second(jnp.ones(2)).tolist() == [2.0, 2.0]
        with pytest.raises(NotImplementedError, match="asks for a third one"):
            jax.grad(lambda x: second(x).sum())(jnp.ones(2))


class TestTypes:
    @DEVICE
    def test_float32(self, device: bool) -> None:
        made = zeroproof_jax.function(ratio, (0, None), device=device)
        x = X.astype(np.float32)
        value, masked = made(x, W.astype(np.float32))
        assert value.dtype == jnp.float32
        exact = tr_vmap(ratio, (0, None))(x, W).to_ieee()
        assert masked.tolist() == (~np.isfinite(exact)).tolist()
        if device:
            assert np.allclose(value[2:4], exact[2:4], rtol=1e-6)
        else:  # rounded once
            assert value[2:4].tolist() == exact[2:4].astype(np.float32).tolist()
        gradient = jax.grad(lambda w: real_loss(made, x, w))(W.astype(np.float32))
        assert gradient.dtype == jnp.float32
        assert np.isfinite(gradient).all()

    def test_a_value_too_large_for_float32_is_masked_and_its_gradient_dropped(self) -> None:
        made = zeroproof_jax.function(lambda x: 1.0 / x / 1e30)
        x = jnp.array([1e-30, 1.0], jnp.float32)
        steep = zeroproof_jax.function(lambda x: 1.0 / x)
        (gradient,), (status,) = steep.pullback(jnp.ones(2, jnp.float32), x)
        assert gradient.tolist() == [0.0, -1.0]
        assert status.tolist() == [2, 0]
        assert made(x)[1].tolist() == [False, False]
        assert steep(1e-20 * x)[1].tolist() == [True, False]

    @DEVICE
    def test_without_64_bits(self, device: bool) -> None:
        with with_64_bits(False):
            made = zeroproof_jax.function(ratio, (0, None), device=device)
            value, masked = jax.jit(made)(X, W)
            assert value.dtype == jnp.float32
            assert masked.tolist() == [True, True, False, False, True, True, True]
            gradient = jax.grad(lambda w: real_loss(made, X, w))(jnp.array(W))
            assert gradient.dtype == jnp.float32
            assert np.isfinite(gradient).all()

    def test_integers_become_floating_point_numbers(self) -> None:
        made = zeroproof_jax.function(lambda x: 1.0 / x)
        value, masked = made(jnp.array([2, 0]))
        assert value.dtype == jnp.float64
        assert value[0] == 0.5
        assert masked.tolist() == [False, True]


class TestErrors:
    def test_arguments(self) -> None:
        made = zeroproof_jax.function(ratio, (0, None))
        with pytest.raises(ValueError, match="2 entries for 1 arguments"):
            made(X)
        with pytest.raises(ValueError, match="different numbers of samples: \\[2, 3\\]"):
            zeroproof_jax.function(lambda x, y: x + y)(jnp.ones(2), jnp.ones(3))
        with pytest.raises(ValueError, match="argument 0 has no axis of samples"):
            made(1.0, W)
        with pytest.raises(ValueError, match="no argument has an axis of samples"):
            zeroproof_jax.function(lambda x: x, None)(1.0)
        with pytest.raises(TypeError, match="argument 0 must be an array of real numbers"):
            made(X + 1j, W)
        with pytest.raises(TypeError, match="float32 or float64, not bfloat16"):
            made(jnp.ones(2, jnp.bfloat16), jnp.ones(2, jnp.bfloat16))
        with pytest.raises(ValueError, match="in_axes takes 0 and None, not 1"):
            zeroproof_jax.function(lambda x: x, 1)(X)

    def test_options(self) -> None:
        with pytest.raises(ValueError, match="nan_policy must be one of tag, fill, ieee"):
            zeroproof_jax.function(ratio, nan_policy="zero")
        with pytest.raises(ValueError, match="fill must be a finite number"):
            zeroproof_jax.function(ratio, fill=float("nan"))
        with pytest.raises(TypeError, match=r"GradientMode or a replay\.Mode, not str"):
            zeroproof_jax.function(ratio, mode="saturating")  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="coordinate must be the place"):
            zeroproof_jax.function(lambda x: x, coordinate=1)(X)

    def test_adjoints(self) -> None:
        made = zeroproof_jax.function(ratio, (0, None))
        with pytest.raises(ValueError, match=r"adjoints must have the shape \(7,\), not \(3,\)"):
            made.pullback(jnp.ones(3), X, W)
        with pytest.raises(ValueError, match="structure of the values"):
            made.pullback((jnp.ones(7),), X, W)


def test_the_device_path_is_sharded_over_devices() -> None:
    code = """
import jax, numpy as np
jax.config.update("jax_enable_x64", True)
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from zeroproof import jax as zeroproof_jax, tr_log
made = zeroproof_jax.function(lambda x, w: w / x + tr_log(x), (0, None), device=True)
def loss(w, x):
    value, masked = made(x, w)
    return jax.numpy.where(masked, 0.0, value).sum()
x = np.linspace(0.0, 3.0, 64)
mesh = Mesh(np.array(jax.devices()), "samples")
assert len(jax.devices()) == 2
spread = jax.device_put(x, NamedSharding(mesh, PartitionSpec("samples")))
values, _ = jax.jit(made)(spread, 2.0)
assert len(values.sharding.device_set) == 2
assert not values.sharding.is_fully_replicated
found = jax.jit(jax.grad(loss))(2.0, spread)
assert np.allclose(found, jax.grad(loss)(2.0, x), rtol=1e-14)
"""
    flags = {
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
    }
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, **flags})
