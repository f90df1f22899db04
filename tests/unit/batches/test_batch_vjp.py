"""Pullbacks of batches, beside the scalar function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from support.gradients import mode_block
from zeroproof import (
    GradientMode,
    HybridGradientContext,
    TRArray,
    TRNode,
    get_num_threads,
    gradient_mode,
    set_num_threads,
    to_ieee,
    tr_div,
    tr_exp,
    tr_greater,
    tr_log,
    tr_max,
    tr_sqrt,
    tr_vjp,
    tr_vmap,
    tr_where,
)

MODES = ["mask", "saturating", "hybrid"]
ADJOINTS = [1.0, -2.5, 0.0, -0.0, 1e308, 5e-324, np.inf, -np.inf, np.nan]
POINTS = [-2.0, -0.0, 0.0, 1e-200, 0.25, 1.0, 3.0, np.inf, -np.inf, np.nan]


def block(mode: str) -> Any:
    return {
        "mask": gradient_mode(GradientMode.MASK_REAL),
        "saturating": gradient_mode(GradientMode.SATURATING, 0.5),
        "hybrid": mode_block(GradientMode.HYBRID, delta=0.3),
    }[mode]


def quotient(x: Any, y: Any) -> Any:
    return tr_div(x * x + 1.0, y) + tr_sqrt(x) * y


def chosen(x: Any, y: Any) -> Any:
    return tr_where(tr_greater(x, y), tr_exp(x) / y, tr_log(y) * x)


def several(x: Any, y: Any) -> Any:
    return {"a": x / y, "b": [tr_max([x, y]) * 2.0, y * 1.0], "c": x}


def bits(array: Any) -> bytes:
    return np.ascontiguousarray(np.asarray(array, np.float64)).tobytes()


def grid(count: int, seed: int) -> tuple[Any, Any]:
    random = np.random.default_rng(seed)
    return random.choice(POINTS, count), random.choice(POINTS, count)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("f", [quotient, chosen])
def test_one_output(f: Callable[..., Any], mode: str) -> None:
    x, y = grid(400, 1)
    adjoints = np.random.default_rng(2).choice(ADJOINTS, 400)
    batched = tr_vmap(f)
    with block(mode):
        values, pullback = batched.vjp(x, y)
        HybridGradientContext.reset_statistics()
        (by_x, by_y), (of_x, of_y) = pullback(adjoints, with_status=True)
        counted = HybridGradientContext.get_statistics()
        HybridGradientContext.reset_statistics()
        for k in range(400):
            value, pull = tr_vjp(f, TRNode.constant(x[k]), TRNode.constant(y[k]))
            (wanted_x, wanted_y), (status_x, status_y) = pull(adjoints[k], with_status=True)
            np.testing.assert_array_equal(values.to_ieee()[k], to_ieee(value.value))
            assert bits(by_x[k]) == bits(wanted_x.item()), (x[k], y[k], adjoints[k])
            assert bits(by_y[k]) == bits(wanted_y.item()), (x[k], y[k], adjoints[k])
            assert (of_x[k], of_y[k]) == (status_x, status_y), (x[k], y[k], adjoints[k])
        scalar = HybridGradientContext.get_statistics()
    for key in ("total_gradient_calls", "saturating_activations", "dropped_contributions"):
        assert counted[key] == scalar[key], key
    assert counted["masked_nodes"] == scalar["masked_nodes"]


@pytest.mark.parametrize("mode", MODES)
def test_several_outputs(mode: str) -> None:
    x, y = grid(300, 3)
    random = np.random.default_rng(4)
    a, b0, b1, c = (random.choice(ADJOINTS, 300) for _ in range(4))
    with block(mode):
        values, pullback = tr_vmap(several).vjp(x, y)
        found, statuses = pullback({"a": a, "b": [b0, b1], "c": c}, with_status=True)
        assert isinstance(values["b"][0], TRArray)
        for k in range(300):
            _, pull = tr_vjp(several, TRNode.constant(x[k]), TRNode.constant(y[k]))
            wanted, flags = pull({"a": a[k], "b": [b0[k], b1[k]], "c": c[k]}, with_status=True)
            for place in range(2):
                assert bits(found[place][k]) == bits(wanted[place].item()), (x[k], y[k], k)
                assert statuses[place][k] == flags[place]


def test_with_the_adjoint_1_it_is_the_gradient() -> None:
    x, y = np.linspace(0.1, 2.0, 1000), np.linspace(3.0, -1.0, 1000)
    batched = tr_vmap(quotient)
    _, gradients = batched.value_and_grad(x, y, argnums=(0, 1))
    _, pullback = batched.vjp(x, y)
    for found, gradient in zip(pullback(np.ones(1000)), gradients):
        assert bits(found) == bits(gradient)


@pytest.mark.parametrize("threads", [1, 2])
def test_shared_arguments_and_totals(threads: int) -> None:
    def model(p: Any, x: Any) -> Any:
        return (p["a"][0] + p["a"][1] * x) / (1.0 + p["b"] * x)

    x = np.linspace(-3.0, 3.0, 20_001)
    p = {"a": np.array([1.0, 2.0]), "b": 1.0}  # a pole at −1
    batched = tr_vmap(model, in_axes=(None, 0))
    before = get_num_threads()
    set_num_threads(threads)
    try:
        _, pullback = batched.vjp(p, x, argnums=0)
        total = pullback(np.ones(20_001), reduce="sum")
        _, wanted = batched.value_and_grad(p, x, argnums=0, reduce="sum")
        mean = pullback(np.full(20_001, 1.0), reduce="mean")
        _, wanted_mean = batched.value_and_grad(p, x, argnums=0, reduce="mean")
    finally:
        set_num_threads(before)
    for found, right in ((total, wanted), (mean, wanted_mean)):
        assert (bits(found["a"]), bits(found["b"])) == (bits(right["a"]), bits(right["b"]))
    each = pullback(np.full(20_001, 2.0))
    assert (each["a"].shape, each["b"].shape) == ((20_001, 2), (20_001,))


@dataclass
class Point:
    x: Any
    v: Any


def test_structures_and_single_items() -> None:
    def f(p: Point, scale: Any) -> Any:
        return (p.v * p.x).sum() * scale

    v = np.arange(6.0).reshape(2, 3)
    value, pullback = tr_vmap(f).vjp(Point(np.array([1.0, 2.0]), v), np.array([1.0, 10.0]))
    point, by_scale = pullback(np.array([1.0, -1.0]))
    assert isinstance(point, Point)
    assert point.v.tolist() == [[1.0] * 3, [-20.0] * 3]
    assert (point.x.tolist(), by_scale.tolist()) == ([3.0, -120.0], [3.0, -24.0])
    assert value.to_ieee().tolist() == [3.0, 240.0]
    single = tr_vmap(lambda x: [x * x, 1 / x], in_axes=None)
    values, pullback = single.vjp(4.0)
    assert pullback([1.0, 16.0])[0] == 7.0
    assert [each.to_ieee() for each in values] == [16.0, 0.25]


def test_the_arguments_are_those_of_the_call() -> None:
    x = np.array([1.0, 2.0])
    _, pullback = tr_vmap(lambda x: x * x).vjp(x)
    x[:] = 100.0
    with gradient_mode(GradientMode.SATURATING, 1.0):
        assert pullback(np.ones(2))[0].tolist() == [2.0, 4.0]


def test_out() -> None:
    x = np.array([1.0, 2.0])
    _, pullback = tr_vmap(lambda x: x * x).vjp(x)
    out = np.empty(2)
    found = pullback(np.ones(2), out=(out,))
    assert found[0] is out
    assert out.tolist() == [2.0, 4.0]


@pytest.mark.parametrize(
    ("adjoints", "error", "text"),
    [
        (np.ones(3), ValueError, r"adjoints must have the shape \(2,\), not \(3,\)"),
        (1.0, ValueError, r"adjoints must have the shape \(2,\)"),
        ("a", TypeError, "adjoints"),
        (TRNode.constant(1.0), TypeError, "adjoints is a TRNode"),
    ],
)
def test_what_is_no_adjoint(adjoints: Any, error: type[Exception], text: str) -> None:
    _, pullback = tr_vmap(lambda x: x * x).vjp(np.ones(2))
    with pytest.raises(error, match=text):
        pullback(adjoints)


def test_bad_requests() -> None:
    _, pullback = tr_vmap(lambda x: {"a": x, "b": x}).vjp(np.ones(2))
    with pytest.raises(ValueError, match="structure of the values"):
        pullback([np.ones(2), np.ones(2)])
    with pytest.raises(TypeError, match="returns one node"):
        pullback({"a": np.ones(2), "b": np.ones(2)}, reduce="sum")
    with pytest.raises(ValueError, match="reduce must be"):
        pullback({"a": np.ones(2), "b": np.ones(2)}, reduce="max")
