"""Gradients that are computed in differentiated functions, and from nodes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from math import cos, exp, sin
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.gradients import gradient_of
from support.nested import OPERATIONS, Step, cube, function_of, steps, third_is_refused
from zeroproof import (
    GradientMode,
    GradientStatus,
    HybridGradientSchedule,
    OpType,
    ReductionMode,
    TRNode,
    gradient_mode,
    tr_exp,
    tr_grad,
    tr_hessian,
    tr_hvp,
    tr_jacobian,
    tr_jvp,
    tr_log,
    tr_sin,
    tr_sqrt,
    tr_sum,
    tr_tanh,
    tr_value_and_grad,
    tr_vjp,
    tr_vmap,
    tr_where,
)
from zeroproof._native import alias, arena_usage, gradients_of
from zeroproof.autodiff import tr_ops_grad
from zeroproof.autodiff.gradient_tape import gradient_tape

Use = Callable[[TRNode], TRNode]


def by_tape(x: TRNode) -> TRNode:
    with gradient_tape(), gradient_tape() as tape:
        found = tape.gradient(cube(x), x)
    assert isinstance(found, TRNode)
    return found


def by_vjp(x: TRNode) -> TRNode:
    gradient: TRNode = tr_vjp(cube, x)[1](1.0)[0]
    return gradient


def by_jacobian(x: TRNode) -> TRNode:
    row: TRNode = tr_jacobian(lambda v: [cube(v)])(x)[0]
    return row


def of_closure(x: TRNode) -> TRNode:
    return tr_grad(lambda v: v * x * x * 3.0)(1.0)


def of_several_targets(x: TRNode) -> TRNode:
    with gradient_tape():
        found = gradient_tape().gradient([x * x, cube(x) - x * x], [x])[0]
    assert isinstance(found, TRNode)
    return found


#: Each is 3x².
GRADIENTS = [tr_grad(cube), by_tape, by_vjp, by_jacobian, of_closure, of_several_targets]
#: Uses, and their derivatives by the gradient.
USES: list[tuple[Use, Callable[[float], float]]] = [
    (lambda g: g, lambda g: 1.0),
    (lambda g: g + 1.0, lambda g: 1.0),
    (lambda g: 2.0 / (g * g), lambda g: -4.0 / g**3),
    (lambda g: -g, lambda g: -1.0),
    (lambda g: g**3, lambda g: 3.0 * g * g),
    (lambda g: (g - 1.0) ** 2, lambda g: 2.0 * (g - 1.0)),
    (lambda g: tr_sin(tr_sin(g)), lambda g: cos(sin(g)) * cos(g)),
    (lambda g: tr_ops_grad.tr_sum([1.0, g]), lambda g: 1.0),
    (lambda g: tr_ops_grad.tr_max([g, 2.0], ReductionMode.DROP_NULL) * 2.0, lambda g: 2.0),
    (lambda g: tr_where(True, g, 0.0), lambda g: 1.0),
    (lambda g: tr_where(True, 0.0, g), lambda g: 0.0),
    (lambda g: tr_where(False, g, TRNode.parameter(1.0)), lambda g: 0.0),
    (lambda g: alias(g), lambda g: 1.0),
]


@pytest.mark.parametrize("gradient", GRADIENTS)
@pytest.mark.parametrize("use", range(len(USES)))
def test_what_is_computed_from_a_gradient_is_differentiated(gradient: Use, use: int) -> None:
    f, derivative = USES[use]
    x, p = TRNode.parameter(2.0), TRNode.parameter(5.0)
    slope = gradient(x)
    assert slope == 12.0
    loss = f(slope) * p + cube(x)
    loss.backward()
    expected = 5.0 * derivative(12.0) * 12.0 + 12.0
    assert gradient_of(x)[0] == pytest.approx(expected, rel=1e-14)
    assert gradient_of(p)[0] == f(slope).item()
    assert gradient_of(x)[1] == GradientStatus.EXACT
    again = gradient_tape().gradient(loss, [p, x])
    assert [each.value for each in again] == [p.gradient, x.gradient]


@pytest.mark.parametrize("gradient", GRADIENTS)
def test_nested_functions(gradient: Use) -> None:
    for argument in (2.0, TRNode.constant(2.0), TRNode.parameter(2.0), TRNode.input(2.0)):
        assert tr_grad(gradient)(argument) == 12.0
        value, slope = tr_value_and_grad(lambda v: (gradient(v) - 1.0) ** 2 + cube(v))(argument)
        assert (value, slope) == (129.0, 2 * 11.0 * 12.0 + 12.0)


@pytest.mark.parametrize("gradient", GRADIENTS)
def test_third_derivatives_are_refused(gradient: Use) -> None:
    twice = tr_grad(gradient)
    for ask in (tr_grad, tr_hessian, tr_jacobian):
        with third_is_refused():
            ask(twice)(2.0)
    with third_is_refused():
        tr_hessian(gradient)(2.0)
    with third_is_refused():
        tr_hvp(lambda x: gradient(x) * 2.0, 2.0, 1.0)
    with third_is_refused():
        tr_jvp(twice, (2.0,), (1.0,))
    x = TRNode.parameter(2.0)
    with third_is_refused():
        (twice(x) * x).backward()
    for function in (
        lambda v: tr_hvp(cube, v, 1.0),
        lambda v: tr_hessian(cube)(v),
        lambda v: tr_jvp(cube, (v,), (1.0,))[1],
    ):
        with third_is_refused():
            tr_grad(function)(2.0)
    assert x.gradient is None


def test_a_tape_by_itself_returns_constants() -> None:
    x = TRNode.parameter(2.0)
    with gradient_tape() as tape:
        y = cube(x)
    slope = tape.gradient(y, x)
    assert slope.op == OpType.CONSTANT
    with third_is_refused():
        (slope * x).backward()
    with third_is_refused():
        gradient_tape().gradient(slope, x)


def test_nested_tapes() -> None:
    x = TRNode.constant(2.0)
    with gradient_tape() as outer:
        outer.watch(x)
        with gradient_tape() as inner:
            inner.watch(x)
            y = cube(x)
        slope = inner.gradient(y, x)
    assert slope == 12.0
    assert outer.gradient(slope, x) == 12.0
    with gradient_tape(persistent=True) as tape:
        tape.watch(x)
        slope = tape.gradient(cube(x), x)
    assert tape.gradient(slope, x) == 12.0


def test_parameters_from_outside() -> None:
    x, w = TRNode.parameter(1.3), TRNode.parameter(0.7)
    scale = tr_exp(w)  # a function of a parameter, which goes on by the rules of the pass

    def model(u: TRNode) -> TRNode:
        return scale * tr_sin(u * w)

    loss = model(x) + (tr_grad(model)(x) - 1.0) ** 2
    loss.backward()

    def by_hand(x: float, w: float) -> float:
        slope = exp(w) * w * cos(x * w)
        return exp(w) * sin(x * w) + (slope - 1.0) ** 2

    h = 1e-5
    for node, difference in (
        (x, by_hand(1.3 + h, 0.7) - by_hand(1.3 - h, 0.7)),
        (w, by_hand(1.3, 0.7 + h) - by_hand(1.3, 0.7 - h)),
    ):
        assert gradient_of(node)[0] == pytest.approx(difference / (2 * h), rel=1e-8)


def test_arrays_and_structures() -> None:
    def f(p: dict[str, Any]) -> TRNode:
        a, b = p["a"], p["b"]
        return a[0] * a[0] * a[1] + tr_sin(a[1] * b)

    def squared(p: dict[str, Any]) -> TRNode:
        g = tr_grad(f)(p)
        return tr_sum([*(each**2 for each in g["a"]), g["b"] ** 2])

    point = {"a": np.array([1.2, -0.4]), "b": 0.9}
    penalty = tr_grad(squared)(point)
    slope = tr_grad(f)(point)
    twice = {"a": 2.0 * np.array([float(g) for g in slope["a"]]), "b": 2.0 * slope["b"].item()}
    product = tr_hvp(f, point, twice, transposed=True)
    assert [float(g) for g in penalty["a"]] == list(product["a"])
    assert penalty["b"] == product["b"]
    hessian = tr_jacobian(tr_grad(lambda v: v[0] ** 2 * v[1] + tr_sin(v[1])))(np.array([1.0, 2.0]))
    assert hessian.dtype == np.float64
    np.testing.assert_array_equal(hessian, [[4.0, 2.0], [2.0, -sin(2.0)]])


def test_directions() -> None:
    def f(x: Any) -> TRNode:
        return tr_exp(x[0] * x[1]) + tr_log(x[1]) * x[0]

    x, v = np.array([0.4, 1.5]), np.array([0.3, -2.0])
    value, derivative = tr_jvp(tr_grad(f), (x,), (v,))
    np.testing.assert_array_equal(derivative, tr_hvp(f, x, v))
    np.testing.assert_array_equal(
        np.array([node.item() for node in value]), np.asarray(tr_grad(f)(x))
    )


MODES = [
    (GradientMode.MASK_REAL, None),
    (GradientMode.SATURATING, None),
    (GradientMode.HYBRID, 0.5),
]


def g0(x: TRNode) -> TRNode:
    return 1 / (1 / x + 1)


def g1(x: TRNode) -> TRNode:
    return 1 / x + tr_log(x) * x


def g2(x: TRNode) -> TRNode:
    return tr_sqrt(x) / (x - 2.0) + tr_tanh(x)


@pytest.mark.parametrize("f", [cube, g0, g1, g2])
@pytest.mark.parametrize("x", [-1.5, -0.25, 0.0, 0.25, 1.0, 2.0, 1e-200])
@pytest.mark.parametrize("mode", ["mask", "saturating", "hybrid"])
def test_every_mode_as_in_second_order(f: Use, x: float, mode: str) -> None:
    schedule = HybridGradientSchedule(delta_init=0.3, delta_final=0.3, adaptive_delta=False)
    block = {
        "mask": gradient_mode(GradientMode.MASK_REAL),
        "saturating": gradient_mode(GradientMode.SATURATING, 0.5),
        "hybrid": schedule.apply(30),
    }[mode]
    with block:
        twice = tr_grad(tr_grad(f))(x)
        product, status = tr_hvp(f, x, 1.0, transposed=True, with_status=True)
        assert (twice, twice.gradient_status) == (product, status)
        _, forward = tr_jvp(tr_grad(f), (x,), (1.0,))
        product, status = tr_hvp(f, x, 1.0, with_status=True)
        assert (forward, forward.gradient_status) == (product, status)


def test_a_masked_zero_says_so() -> None:
    twice = tr_grad(tr_grad(g0))(0.0)
    assert (twice, twice.gradient_status) == (0.0, GradientStatus.MASKED)
    slope = tr_grad(g0)(TRNode.parameter(0.0))
    assert (slope, slope.gradient_status) == (0.0, GradientStatus.MASKED)


def test_the_mode_is_that_of_the_gradient() -> None:
    x = TRNode.parameter(0.5)
    with gradient_mode(GradientMode.SATURATING, 2.0):
        slope = tr_grad(lambda v: 1 / v)(x)
        expected = tr_hvp(lambda v: 1 / v, 0.5, 1.0, transposed=True)
    slope.backward()
    assert gradient_of(x) == (expected.item(), GradientStatus.SATURATED)


@pytest.mark.parametrize(
    "clear",
    [TRNode.detach, TRNode.constant, lambda g: TRNode.constant(g.value), lambda g: g.item()],
)
def test_a_gradient_may_be_made_a_constant(clear: Callable[[TRNode], Any]) -> None:
    x = TRNode.parameter(2.0)
    loss = clear(tr_grad(cube)(x) * 1.0) * x
    loss.backward()
    assert gradient_of(x)[0] == 12.0
    for make in (TRNode.parameter, TRNode.input):
        fresh = make(tr_grad(cube)(x))
        (fresh * fresh).backward()
        assert fresh.gradient == 24.0


def test_a_gradient_that_depends_on_nothing_else_is_a_constant() -> None:
    p = TRNode.parameter(3.0)
    for argument in (2.0, TRNode.constant(2.0)):
        gradient = tr_grad(cube)(argument)
        assert gradient.op == OpType.CONSTANT or argument != 2.0
        (p * gradient).backward()
        assert gradient_tape().gradient(p * gradient, p) == 12.0
    assert p.gradient == 24.0
    # It is 0 whatever x is.
    x = TRNode.parameter(1.0)
    (p * tr_grad(lambda v, w: w * 2.0)(2.0, x)).backward()
    # What was made inside of the functions is nobody's any more.
    assert type(tr_value_and_grad(tr_grad(cube))(2.0)[0]).__name__ == "TRScalar"


def test_sources_that_are_newer_than_a_gradient_do_not_change_it() -> None:
    x = TRNode.parameter(2.0)
    gradient = tr_grad(cube)(x)
    assert tr_grad(lambda w: w * gradient)(5.0) == 12.0
    assert tr_grad(lambda w: w * (2.0 * gradient + 1.0))(5.0) == 25.0
    assert tr_grad(cube)(gradient) == 3 * 12.0**2
    newer = TRNode.parameter(1.0)
    assert gradient_tape().gradient(newer * gradient, newer) == 12.0
    # Through the gradient the result depends on x.
    slope = tr_grad(lambda w: w * w * gradient)(5.0)
    (slope * x).backward()
    assert gradient_of(x)[0] == 10.0 * 12.0 + 2.0 * 10.0 * 12.0
    value, _ = tr_value_and_grad(cube)(gradient)
    x.zero_grad()
    value.backward()
    assert gradient_of(x)[0] == 3 * 12.0**2 * 12.0


def test_collections_move_recorded_gradients() -> None:
    x = TRNode.parameter(2.0)
    rubbish = [TRNode.constant(float(k)) for k in range(100)]
    y = TRNode.parameter(3.0)
    slopes = [tr_grad(lambda v: cube(v) * y)(x) for _ in range(50)]
    kept = slopes[::7]
    del rubbish, slopes
    arena_usage()  # collects
    for slope in kept:
        assert gradients_of(slope, [x, y], None) == [(36.0, 0), (12.0, 0)]


def test_recorded_gradients_are_reclaimed() -> None:
    x = TRNode.parameter(2.0)
    sizes = []
    for _ in range(4):
        for _ in range(500):
            ((tr_grad(cube)(x) - 1.0) ** 2).backward()
        sizes.append(arena_usage()[0])
    assert sizes[1] == sizes[-1]


def test_assigned_parameters_keep_their_history() -> None:
    x = TRNode.parameter(2.0)
    before = tr_grad(cube)(x)
    x.value = 5.0
    after = tr_grad(cube)(x)
    (before + after).backward()
    assert gradient_of(x)[0] == 6.0 * 2.0 + 6.0 * 5.0


def test_sources_that_depend_on_each_other() -> None:
    with gradient_tape() as outer:
        x = TRNode.parameter(1.5)
        inner = cube(x)
        with gradient_tape(persistent=True) as tape:
            y = inner * inner * x
        by_x, by_inner = tape.gradient(y, [x, inner])
    # y = x⁷ and dy/dinner = 2 x⁴; both are functions of x in the end.
    total = outer.gradient(by_x + by_inner, x)
    assert total.item() == pytest.approx(42.0 * 1.5**5 + 8.0 * 1.5**3, rel=1e-14)


def test_branches_that_were_not_taken() -> None:
    x, w = TRNode.parameter(2.0), TRNode.parameter(3.0)
    slope = tr_grad(lambda v: tr_where(v > 0.0, cube(v), w * v))(x)
    slope.backward()
    assert (gradient_of(x)[0], w.gradient) == (12.0, 0.0)
    assert tr_grad(tr_grad(lambda v: tr_where(v > 5.0, cube(v), 2.0 * v)))(1.0) == 0.0


def test_the_gradient_of_a_node_is_a_number() -> None:
    x = TRNode.parameter(2.0)
    cube(x).backward()
    assert x.gradient is not None
    (x * x.gradient).backward()
    assert x.gradient == 24.0


def test_a_gradient_as_a_source() -> None:
    x = TRNode.parameter(2.0)
    slope = tr_grad(cube)(x)
    y = slope * slope
    assert gradient_tape().gradient(y, slope) == 24.0
    assert [each.item() for each in gradient_tape().gradient(y, [slope, x])] == [24.0, 288.0]
    y.backward()
    assert (gradient_of(slope)[0], gradient_of(x)[0]) == (24.0, 288.0)


def test_a_traced_function_is_differentiated_as_a_whole() -> None:
    with pytest.raises(TypeError, match=r"tr_vmap\(f\)\.value_and_grad"):
        tr_vmap(tr_grad(cube))(np.ones(3))


def test_explanations_go_through_gradients() -> None:
    x, w = TRNode.parameter(0.0), TRNode.parameter(2.0)
    pole = 1 / x
    slope = tr_grad(lambda v: v * v * (w + 1 / (pole + 1)))(TRNode.constant(3.0))
    slope.backward()
    assert (x.gradient, w.gradient) == (0.0, 6.0)
    told = str(x.explain())
    assert "masked" in told
    assert "gradient" in slope.to_dot()


def test_an_overflowing_weight_is_dropped() -> None:
    x = TRNode.parameter(1.0)
    slope = tr_grad(cube)(x)
    huge = (slope - 3.0) * 1.7e308
    (huge + huge).backward()
    assert gradient_of(x) == (0.0, GradientStatus.DROPPED)


def test_threads() -> None:
    failures = []

    def work(seed: int) -> None:
        for k in range(200):
            x = 1.0 + seed + k / 100
            if (
                tr_grad(tr_grad(cube))(x) != 6.0 * x
                and abs(tr_grad(tr_grad(cube))(x).item() - 6.0 * x) > 1e-13 * x
            ):
                failures.append(x)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


OPS = [
    *OPERATIONS,
    lambda a, b: a**2,
    lambda a, b: tr_where(a > b, a, b * 1.5),
]


@settings(max_examples=300, deadline=None)
@given(
    steps=steps(OPS, longest=12, furthest=50),
    point=st.lists(st.sampled_from([-2.0, -1.0, 0.0, 0.3, 0.5, 1.0, 3.0]), min_size=2, max_size=2),
    v=st.lists(st.sampled_from([-1.0, 0.0, 0.5, 2.0]), min_size=2, max_size=2),
    mode=st.sampled_from(["mask", "saturating", "hybrid"]),
)
def test_random_functions_as_in_second_order(
    steps: list[Step], point: list[float], v: list[float], mode: str
) -> None:
    f = function_of(steps, OPS)

    def weighed(x: Any) -> Any:
        g = tr_grad(f)(x)
        return g[0] * v[0] + g[1] * v[1]

    schedule = HybridGradientSchedule(delta_init=0.4, delta_final=0.4, adaptive_delta=False)
    block = {
        "mask": gradient_mode(GradientMode.MASK_REAL),
        "saturating": gradient_mode(GradientMode.SATURATING, 0.5),
        "hybrid": schedule.apply(30),
    }[mode]
    x = np.array(point)
    with block:
        slope = np.asarray(tr_grad(f)(x), float)
        if not np.all(np.isfinite(slope)):
            return
        found = np.asarray(tr_grad(weighed)(x), float)
        np.testing.assert_array_equal(found, tr_hvp(f, x, np.array(v), transposed=True))
        _, forward = tr_jvp(tr_grad(f), (x,), (np.array(v),))
        np.testing.assert_array_equal(np.asarray(forward, float), tr_hvp(f, x, np.array(v)))
