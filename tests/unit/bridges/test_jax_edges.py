"""Where floats end: JAX's functions at overflows; arguments that are not what they seem."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax")

import jax.numpy as jnp  # noqa: E402

import zeroproof.jax as zj  # noqa: E402
from zeroproof import GradientMode, gradient_mode  # noqa: E402

jax.config.update("jax_enable_x64", True)
DEVICES = [False, True]


@pytest.mark.parametrize("device", DEVICES)
def test_second_derivatives_too_large_for_float32_leave_no_nan(device: bool) -> None:
    function = zj.function(
        lambda a, b, c, x: 1.0 / (a * b * x + x - c),
        (None, None, None, 0),
        nan_policy="fill",
        device=device,
    )
    x = jnp.asarray([1e-10, -1e-10, 0.5, 0.0], jnp.float32)

    def penalty(parameters: Any) -> Any:
        slope = jax.grad(lambda x: function(*parameters, x).sum())(x)
        return (slope**2).mean()

    zero, one = jnp.float32(0.0), jnp.float32(1.0)
    found = jax.grad(penalty)((one, zero, zero))
    assert all(bool(jnp.isfinite(each)) for each in found)


@pytest.mark.parametrize("device", DEVICES)
def test_products_on_the_way_do_not_decide_a_second_derivative(device: bool) -> None:
    square = zj.function(lambda x: x * x, nan_policy="fill", device=device)
    slope = jax.grad(lambda x: (square(x) * 1e150).sum())
    second = jax.grad(lambda x: slope(x).sum())(jnp.asarray([1e100]))
    assert float(second[0]) == pytest.approx(2e150, rel=1e-15)


@pytest.mark.parametrize("device", DEVICES)
def test_no_sum_of_gradients_is_nullity(device: bool) -> None:
    product = zj.function(lambda w, x: w * x, (None, 0), nan_policy="fill", device=device)
    x = jnp.concatenate([jnp.full(40000, 1e308), jnp.full(40000, -1e308)])
    assert not np.isnan(jax.grad(lambda w: product(w, x).sum())(1.0))
    pair = zj.function(lambda w, x: [w * x, w * -x], (None, 0), nan_policy="fill", device=device)
    x = jnp.full(4, 1e308)
    assert not np.isnan(jax.grad(lambda w: sum(each.sum() for each in pair(w, x)))(1.0))


@pytest.mark.parametrize("device", DEVICES)
def test_a_dropped_adjoint_is_a_constant(device: bool) -> None:
    square = zj.function(lambda x: x * x, nan_policy="fill", device=device)
    x = jnp.asarray([3.0, 4.0])

    def slopes(adjoints: Any) -> Any:
        return jax.vjp(square, x)[1](adjoints)[0]

    _, back = jax.vjp(slopes, jnp.asarray([1.0, jnp.inf]))
    assert back(jnp.ones(2))[0].tolist() == [6.0, 0.0]


def test_attributes_of_a_function_hide_no_setting() -> None:
    def reciprocal(x: Any) -> Any:
        return 1.0 / x

    reciprocal._fill, reciprocal._policy = 7.0, "ieee"  # type: ignore[attr-defined]
    value, masked = zj.function(reciprocal)(jnp.asarray([0.0, 2.0]))
    assert (value.tolist(), masked.tolist()) == ([0.0, 0.5], [True, False])


def test_what_is_no_function_and_no_device_is_refused() -> None:
    with pytest.raises(TypeError, match="takes a function, not int"):
        zj.function(3)  # type: ignore[arg-type]
    for device in "host", "cpu", 1:
        with pytest.raises(TypeError, match="True or False"):
            zj.function(lambda x: x, device=device)  # type: ignore[arg-type]


def test_few_modes_are_kept() -> None:
    function = zj.function(lambda x: 1.0 / x)
    for bound in range(1, 30):
        with gradient_mode(GradientMode.SATURATING, float(bound)):
            function(jnp.asarray([2.0]))
    [traced] = function._traced.values()
    assert len(traced._by_mode) <= 8


def test_a_fill_that_the_type_does_not_hold_is_refused() -> None:
    function = zj.function(lambda x: 1.0 / x, nan_policy="fill", fill=1e300)
    with pytest.raises(ValueError, match=r"fill=1e\+300 is too large for float32"):
        function(jnp.zeros(2, jnp.float32))
    assert function(jnp.zeros(2)).tolist() == [1e300, 1e300]
