"""Gradients inside functions that are differentiated."""

from __future__ import annotations

import random
import threading
from typing import Any

import mpmath
import numpy as np
import pytest

from support.gradients import EXACT, MASKED, gradient_of, mode_block
from zeroproof import (
    GradientMode,
    HybridGradientContext,
    TRNode,
    tr_cos,
    tr_exp,
    tr_grad,
    tr_hessian,
    tr_hvp,
    tr_jacobian,
    tr_jvp,
    tr_log,
    tr_sin,
    tr_sqrt,
    tr_tanh,
    tr_value_and_grad,
    tr_where,
)
from zeroproof._native import arena_usage
from zeroproof.autodiff import OpType
from zeroproof.autodiff.gradient_tape import gradient_tape

MODES = [GradientMode.MASK_REAL, GradientMode.SATURATING, GradientMode.HYBRID]


def cube(x: Any) -> Any:
    return x * x * x


def bent(x: Any) -> Any:
    return tr_exp(tr_sin(x)) / (1.0 + x * x) + tr_sqrt(x) * tr_log(x)


def pair(x: Any) -> Any:
    return tr_sin(x[0] * x[1]) / x[1] + x[0] ** 3 * tr_exp(x[1])


def bits(number: Any) -> bytes:
    return np.float64(float(number) + 0.0).tobytes()


def test_a_second_derivative() -> None:
    found = tr_grad(tr_grad(cube))(2.0)
    assert (found, found.gradient_status, found.requires_grad) == (12.0, EXACT, False)
    mpmath.mp.dps = 40
    exact = mpmath.diff(
        lambda x: mpmath.exp(mpmath.sin(x)) / (1 + x * x) + mpmath.sqrt(x) * mpmath.log(x), 0.7, 2
    )
    assert abs(float(tr_grad(tr_grad(bent))(0.7)) / float(exact) - 1) < 1e-14


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("x", [0.7, 2.5, 1e-3, 40.0])
def test_the_bits_of_a_hessian(mode: GradientMode, x: float) -> None:
    with mode_block(mode):
        nested = tr_grad(tr_grad(bent))(x)
        assert bits(nested) == bits(tr_hvp(bent, x, 1.0, transposed=True))
        along = tr_jvp(tr_grad(bent), (x,), (1.0,))[1]
        assert bits(along) == bits(tr_hessian(bent)(x))
        at = np.array([x, 1.5])
        rows = tr_jacobian(lambda v: tr_grad(pair)(v))(at)
        for place, unit in enumerate(np.eye(2)):
            np.testing.assert_array_equal(rows[place], tr_hvp(pair, at, unit, transposed=True))


def penalty(x: Any) -> Any:
    return cube(x) + (tr_grad(cube)(x) - 1.0) ** 2


def test_a_penalty_as_it_stands() -> None:
    x = TRNode.parameter(2.0)
    penalty(x).backward()
    assert gradient_of(x)[0] == 12.0 + 2 * (12.0 - 1.0) * 12.0
    assert tr_grad(penalty)(2.0) == 276.0


def test_a_penalty_by_tape() -> None:
    x = TRNode.parameter(2.0)
    with gradient_tape() as outer:
        with gradient_tape() as inner:
            y = cube(x)
        slope = inner.gradient(y, x)
        loss = y + (slope - 1.0) ** 2
    assert outer.gradient(loss, x) == 276.0
    c = TRNode.constant(2.0)
    with gradient_tape() as outer:
        outer.watch(c)
        with gradient_tape() as inner:
            inner.watch(c)
            y = cube(c)
        slope = inner.gradient(y, c)
    assert outer.gradient(slope, c) == 12.0


def test_parameters_from_outside_and_functions_of_them() -> None:
    w, u, x = TRNode.parameter(1.5), TRNode.parameter(-0.5), TRNode.parameter(0.8)
    a = tr_exp(w)  # a node that the inner function reads, and that depends on a parameter

    def f(v: Any) -> Any:
        return a * tr_sin(w * v) + u * v * v

    slope = tr_grad(f)(x)
    (slope * slope).backward()

    def by_hand(wv: float, uv: float, xv: float) -> Any:
        s = np.exp(wv) * wv * np.cos(wv * xv) + 2 * uv * xv
        dw = np.exp(wv) * (wv + 1) * np.cos(wv * xv) - np.exp(wv) * wv * xv * np.sin(wv * xv)
        return 2 * s * np.array([dw, 2 * xv, -np.exp(wv) * wv**2 * np.sin(wv * xv) + 2 * uv])

    found = [float(node.gradient) for node in (w, u, x)]
    np.testing.assert_allclose(found, by_hand(1.5, -0.5, 0.8), rtol=1e-14)


def test_of_an_array_and_a_structure() -> None:
    at = np.array([0.6, 1.4])

    def loss(x: Any) -> Any:
        slope = tr_grad(pair)(x)
        return pair(x) + slope[0] ** 2 + slope[1] ** 2

    found = tr_grad(loss)(at)
    slope, hessian = tr_grad(pair)(at), tr_hessian(pair)(at)
    np.testing.assert_allclose(found, slope + 2 * hessian @ slope, rtol=1e-13)
    both = tr_grad(lambda p: loss([p["a"], p["b"]]))({"a": 0.6, "b": 1.4})
    np.testing.assert_allclose([float(both["a"]), float(both["b"])], found, rtol=1e-15)


def test_an_argument_that_is_read_from_outside_as_well() -> None:
    # The inner function reads x both as its argument and from around it.
    assert tr_grad(lambda x: tr_grad(lambda v: v * v * x)(x))(3.0) == 4 * 3.0
    assert tr_grad(lambda x: tr_grad(lambda v: v * v * x)(1.0))(3.0) == 2.0
    x = TRNode.parameter(3.0)
    tr_grad(lambda v: v * v * x)(x * x).backward()  # 2x³
    assert x.gradient == 6 * 9.0


def test_sources_that_depend_on_one_another() -> None:
    x = TRNode.parameter(1.3)
    y = x * x
    with gradient_tape(persistent=True) as tape:
        z = y * y * x  # x⁵ in all
        by_x, by_y = tape.gradient(z, [x, y])
    assert by_x.item() == pytest.approx(5 * 1.3**4, rel=1e-14)
    with gradient_tape(persistent=True) as outer:
        pass
    assert float(outer.gradient(by_x, x)) == pytest.approx(20 * 1.3**3, rel=1e-14)
    assert float(outer.gradient(by_y, x)) == pytest.approx(6 * 1.3**2, rel=1e-14)  # 2yx = 2x³
    (by_x + by_y).backward()
    assert float(x.gradient) == pytest.approx(20 * 1.3**3 + 6 * 1.3**2, rel=1e-14)


def test_leaves_that_were_assigned_values() -> None:
    x = TRNode.parameter(2.0)
    y = cube(x)
    x.assign(5.0)
    with gradient_tape() as tape:
        slope = tape.gradient(y * x, x)  # 3·4·5 + 8
    assert slope == 68.0
    slope.backward()
    # Both versions are x: ∂/∂x of 3x²·x̂ + x³ by either.
    assert x.gradient == 60.0 + 12.0 + 12.0


def test_what_was_not_chosen_gets_zero() -> None:
    x, y = TRNode.parameter(2.0), TRNode.parameter(3.0)
    slope = tr_grad(lambda v: tr_where(v.value > 0, v * v, v * y))(x)
    slope.backward()
    assert (gradient_of(x)[0], gradient_of(y)) == (2.0, (0.0, EXACT))
    assert gradient_tape().gradient(slope, y) == 0.0


def test_statuses_at_a_pole() -> None:
    found = tr_grad(tr_grad(lambda x: 1 / (1 / x + 1)))(0.0)
    assert (found, found.gradient_status) == (0.0, MASKED)
    x = TRNode.parameter(0.0)
    (tr_grad(lambda v: 1 / (1 / v + 1))(x) * 2.0).backward()
    assert gradient_of(x) == (0.0, MASKED)


def third() -> Any:
    return pytest.raises(NotImplementedError, match=r"third.*detach\(\)")


def test_third_derivatives_are_refused() -> None:
    second = tr_grad(tr_grad(cube))
    x = TRNode.parameter(2.0)
    for ask in (
        lambda: tr_grad(second)(2.0),
        lambda: tr_value_and_grad(second)(2.0),
        lambda: second(x).backward(),
        lambda: (second(x) + x).backward(),
        lambda: tr_hvp(tr_grad(cube), 2.0, 1.0),
        lambda: tr_hvp(penalty, 2.0, 1.0),
        lambda: tr_hvp(penalty, 2.0, 1.0, transposed=True),
        lambda: tr_hessian(penalty)(2.0),
        lambda: tr_hessian(penalty)(x),
        lambda: tr_grad(tr_grad(penalty))(2.0),
        lambda: tr_jvp(second, (2.0,), (1.0,)),
        lambda: tr_jacobian(second)(2.0),
        lambda: gradient_tape().gradient(second(x), x),
        lambda: tr_grad(tr_hessian(cube))(2.0),
        lambda: tr_grad(lambda v: tr_hvp(cube, v, 1.0))(2.0),
        lambda: tr_grad(lambda v: tr_jvp(cube, (v,), (1.0,))[1])(2.0),
    ):
        with third():
            ask()
    assert x.gradient is None


def test_a_third_derivative_by_something_else_is_none() -> None:
    # The gradient by w of what is a gradient by x: second order in all.
    x, w = TRNode.parameter(2.0), TRNode.parameter(3.0)

    def f(v: Any) -> Any:
        return tr_grad(lambda u: u * u * u * w)(2.0) * v * v

    slope = tr_grad(f)(x)  # 2·12w·x
    slope.backward()
    assert (x.gradient, w.gradient) == (72.0, 48.0)


def test_output_gradients_that_are_nodes_are_refused() -> None:
    x, w = TRNode.parameter(2.0), TRNode.parameter(3.0)
    with gradient_tape() as tape:
        slope = tape.gradient(cube(x), x, output_gradients=w)
    assert slope == 36.0
    with third():
        slope.backward()


def test_several_targets_are_added() -> None:
    x = TRNode.parameter(2.0)
    with gradient_tape() as tape:
        slope = tape.gradient([x * x, cube(x)], [x])[0]
    slope.backward()
    assert (slope.item(), x.gradient) == (16.0, 14.0)


def test_gradients_as_sources() -> None:
    x, w = TRNode.parameter(2.0), TRNode.parameter(3.0)
    other = tr_grad(cube)(w)
    slope = tr_grad(cube)(x)
    tape = gradient_tape(persistent=True)
    product = slope * slope * other
    assert tape.gradient(product, slope) == 2 * 12.0 * 27.0
    by_slope, by_w = tape.gradient(product, [slope, w])
    assert (by_slope, by_w) == (2 * 12.0 * 27.0, 144.0 * 18.0)
    by_slope, by_x = tape.gradient(product, [slope, x])
    assert (by_slope, by_x) == (2 * 12.0 * 27.0, 2 * 12.0 * 27.0 * 12.0)


def test_unrolled_descent() -> None:
    def final(rate: Any) -> Any:
        x = TRNode.constant(1.0)
        for _ in range(20):
            x = x - rate * tr_grad(lambda v: v * v * v * v)(x)
        return x

    found = float(tr_grad(final)(0.01))
    x, by_rate = 1.0, 0.0
    for _ in range(20):
        x, by_rate = x - 0.01 * 4 * x**3, by_rate * (1 - 0.01 * 12 * x**2) - 4 * x**3
    assert found == pytest.approx(by_rate, rel=1e-13)


PIECES = [
    lambda a, b: a + b,
    lambda a, b: a * b,
    lambda a, b: a - b * 0.5,
    lambda a, b: a / (1.5 + b * b),
    lambda a, b: tr_sin(a) + b,
    lambda a, b: tr_tanh(a * b),
    lambda a, b: tr_cos(b) * a,
    lambda a, b: tr_exp(a * 0.1) - b,
    lambda a, b: tr_where(float(a.value) > 0, a * a, b * b * b),
]


def test_random_penalties_are_the_composition_of_products() -> None:
    draw = random.Random(7)
    for _ in range(1000):
        plan = [
            (draw.choice(PIECES), draw.randrange(10**6), draw.randrange(10**6)) for _ in range(8)
        ]

        def f(x: Any, plan: Any = plan) -> Any:
            nodes = [x[0], x[1], x[2]]
            for piece, a, b in plan:
                nodes.append(piece(nodes[a % len(nodes)], nodes[b % len(nodes)]))
            return nodes[-1]

        at = np.array([draw.uniform(-2, 2) for _ in range(3)])
        weights = np.array([draw.uniform(-1, 1) for _ in range(3)])
        with mode_block(draw.choice(MODES)):

            def weighted(x: Any, f: Any = f, weights: Any = weights) -> Any:
                slope = tr_grad(f)(x)
                return slope[0] * weights[0] + slope[1] * weights[1] + slope[2] * weights[2]

            found, status = tr_grad(weighted, with_status=True)(at)
            wanted, statuses = tr_hvp(f, at, weights, transposed=True, with_status=True)
        np.testing.assert_array_equal(found, wanted)
        np.testing.assert_array_equal(status, statuses)


def test_decisions_are_counted_once_a_pass() -> None:
    HybridGradientContext.reset_statistics()
    with mode_block(GradientMode.HYBRID, delta=0.5):
        slope = tr_grad(lambda x: 1 / x)(TRNode.parameter(0.25))
    # The pass of the gradient decides as it did, whatever the mode around it is.
    slope.backward()
    statistics = HybridGradientContext.get_statistics()
    assert statistics["total_gradient_calls"] == statistics["saturating_activations"] == 2


def test_memory_is_reclaimed() -> None:
    x = TRNode.parameter(0.3)

    def run(times: int) -> tuple[int, int]:
        for _ in range(times):
            penalty(x).backward()
        return arena_usage()

    before = run(100)
    after = run(10_000)
    assert after[0] <= before[0]
    assert after[1] <= before[1] * 2


def test_collections_keep_what_a_gradient_needs() -> None:
    x, w = TRNode.parameter(2.0), TRNode.parameter(3.0)
    rubbish = [w * float(k) for k in range(50)]
    first = tr_grad(cube)(w)
    slope = tr_grad(lambda v: v * v * v * w)(x)
    del rubbish, first
    arena_usage()  # collects
    more = [w * float(k) for k in range(5000)]
    slope.backward()
    assert (x.gradient, w.gradient) == (36.0, 12.0)
    assert len(more) == 5000


def test_a_gradient_as_a_node() -> None:
    x = TRNode.parameter(2.0)
    slope = tr_grad(cube)(x)
    assert slope.requires_grad
    assert slope.item() == 12.0
    assert [node.op for node in slope.inputs] == [OpType.GRADIENTS]
    assert "gradient" in repr(slope)
    assert slope.detach().requires_grad is False
    for computed in (slope, slope * 2.0, slope + x):
        with pytest.raises(TypeError):
            float(computed)
    assert "gradient" in (slope * x).to_dot()
    str((slope * x).explain())


def test_threads() -> None:
    wanted = float(tr_grad(penalty)(0.7))
    found: list[float] = []

    def work() -> None:
        for _ in range(200):
            found.append(float(tr_grad(penalty)(0.7)))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found) == {wanted}
    assert len(found) == 800


def test_deep_functions() -> None:
    def deep(x: Any) -> Any:
        for _ in range(50_000):
            x = x * 0.9999 + 0.0001 * x * x
        return x

    assert float(tr_grad(tr_grad(deep))(0.5)) == float(tr_hvp(deep, 0.5, 1.0, transposed=True))
