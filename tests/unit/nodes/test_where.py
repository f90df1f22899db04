"""``tr_where`` on nodes: what a result depends on never depends on a value."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from support.gradients import DROPPED, EXACT, MASKED, gradient_of, mode_block
from support.values import INF, NAN, SPECIALS, same
from zeroproof import (
    OpType,
    ReductionMode,
    TRNode,
    _native,
    tr_equal,
    tr_grad,
    tr_greater,
    tr_is_real,
    tr_log,
    tr_sin,
    tr_sqrt,
    tr_sum,
    tr_value_and_grad,
    tr_vmap,
    tr_where,
)
from zeroproof.autodiff.backward import compute_input_gradients, topological_sort
from zeroproof.autodiff.grad_mode import GradientMode
from zeroproof.autodiff.gradient_tape import gradient_tape
from zeroproof.autodiff.hybrid_gradient import HybridGradientContext

MODES = [(mode, delta) for mode in GradientMode for delta in (None, 10.0)]
mode = pytest.mark.parametrize(("mode", "delta"), MODES)


def zero_below_zero(x: TRNode) -> TRNode:
    return tr_where(tr_greater(x, 0.0), tr_sqrt(x), 0.0)


@mode
@pytest.mark.parametrize("x", [-1.0, -0.0, 0.0, -INF, NAN])
def test_the_gradient_of_a_number_that_was_chosen_is_zero(
    x: float, mode: GradientMode, delta: float
) -> None:
    with mode_block(mode, 1.0, delta):
        HybridGradientContext.reset_statistics()
        p = TRNode.parameter(x)
        y = zero_below_zero(p)
        assert y.requires_grad
        y.backward()
        assert gradient_of(p) == (0.0, EXACT)
        (1.0 / (y + 0.0)).backward()
        tr_log(y * 2.0 - 1.0).backward()
        assert gradient_of(p) == (0.0, EXACT)
        counted = HybridGradientContext.get_statistics()
    for count in ("total_gradient_calls", "masked_nodes", "dropped_contributions"):
        assert counted[count] == 0, count


@mode
def test_scalar_and_batched_agree_there(mode: GradientMode, delta: float) -> None:
    points = [-INF, -1.0, -0.0, 0.0, 1e-320, 4.0, INF, NAN]

    def f(x: Any) -> Any:
        return 1.0 / (zero_below_zero(x) + x * 0.0) + tr_where(tr_is_real(x), x, 2.0)

    with mode_block(mode, 0.5, delta):
        batched = tr_vmap(f).value_and_grad(points, with_status=True)
        for x, value, gradient, status in zip(points, np.asarray(batched[0]), *batched[1:]):
            p = TRNode.parameter(x)
            f(p).backward()
            assert same(f(p).item(), value)
            assert gradient_of(p) == (gradient, status)
            once = tr_grad(f)(x)
            assert (once.item(), once.gradient_status) == (gradient, status)


def test_parameters_of_the_branch_not_taken_have_gradient_zero() -> None:
    p, q, r, c = *map(TRNode.parameter, (0.0, 3.0, 4.0)), TRNode.constant(2.0)
    dead = tr_where(False, r, 1.0 / p) * q * c
    tr_where(tr_equal(p, 0.0), p * 5.0, dead).backward()
    assert gradient_of(p) == (5.0, EXACT)
    assert gradient_of(q) == gradient_of(r) == (0.0, EXACT)
    assert (c.gradient, dead.gradient) == (None, None)


def test_what_has_a_gradient_keeps_it_to_the_bit() -> None:
    p, q = TRNode.parameter(1.0), TRNode.parameter(1.0)
    tr_sum([INF, 2.0 * q], ReductionMode.DROP_NONREAL).backward(-0.0)
    before = gradient_of(q)
    assert math.copysign(1.0, before[0]) == -1.0
    tr_where(True, p, q).backward()
    assert gradient_of(q) == before
    assert math.copysign(1.0, gradient_of(q)[0]) == -1.0


def test_reached_by_both_branches() -> None:
    p = TRNode.parameter(2.0)
    tr_where(True, p * 3.0, p * 7.0).backward()
    assert gradient_of(p) == (3.0, EXACT)


def test_below_a_node_that_depends_on_the_dead_branch_alone() -> None:
    p, q = TRNode.parameter(2.0), TRNode.parameter(3.0)
    chosen = tr_where(True, 0.0, q)
    (p * 2.0 + 1.0 / chosen).backward()
    # The sum is not REAL, so it is silenced; what follows is not.
    assert gradient_of(p) == (0.0, MASKED)
    assert gradient_of(q) == (0.0, EXACT)


def test_a_masked_path_still_leads_to_the_choice() -> None:
    p, q = TRNode.parameter(0.0), TRNode.parameter(3.0)
    (1.0 / tr_where(True, p, q)).backward()
    assert gradient_of(p) == (0.0, MASKED)
    assert gradient_of(q) == (0.0, EXACT)


def test_the_choice_is_the_node_chosen() -> None:
    p, q = TRNode.parameter(2.0, "p"), TRNode.parameter(3.0)
    product = p * q
    chosen = tr_where(True, product, q)
    assert chosen.op is OpType.WHERE
    assert [hash(node) for node in chosen.inputs] == [hash(product), hash(q)]
    assert chosen.gradient is None
    (chosen * 5.0).backward()
    assert gradient_of(chosen) == gradient_of(product) == (5.0, EXACT)
    chosen.zero_grad()
    assert product.gradient == 0.0
    assert repr(chosen) == "TRNode(6.0, REAL, op=where, gradient=0.0)"
    assert not chosen.is_leaf
    with pytest.raises(TypeError, match="only leaves"):
        copy.copy(chosen)
    with pytest.raises(TypeError, match="not turned into a number"):
        float(tr_where(True, 1.0, p))


@pytest.mark.parametrize("seed", [1.0, INF, NAN])
def test_a_root_that_is_a_choice(seed: float) -> None:
    p, q = TRNode.parameter(2.0), TRNode.parameter(3.0)
    tr_where(True, tr_where(False, q, p), q).backward(seed)
    assert gradient_of(p) == ((seed, EXACT) if math.isfinite(seed) else (0.0, DROPPED))
    assert gradient_of(q) == (0.0, EXACT)


def test_restricted_passes() -> None:
    p, q, other = map(TRNode.parameter, (2.0, 3.0, 4.0))
    chosen = tr_where(True, p * 1.0, q)
    y = chosen * chosen
    tape = gradient_tape(persistent=True)
    found = tape.gradient(y, [p, q, chosen, other])
    assert [gradient.item() for gradient in found] == [4.0, 0.0, 4.0, 0.0]
    assert _native.gradients_of(y, [other, q], None) == [None, (0.0, EXACT)]
    # A number that was chosen is a source as well.
    number = tr_where(True, 5.0, q)
    assert _native.gradients_of(number * number, [number, q], None) == [(10.0, EXACT), (0.0, EXACT)]
    watched = TRNode.constant(7.0)
    tape.watch(watched)
    y = tr_where(False, watched, p)
    assert y.requires_grad
    assert _native.gradients_of(y, [watched], None) == [(0.0, EXACT)]
    assert p.gradient is None


def test_a_parameter_assigned_since_is_met_in_the_branch_not_taken() -> None:
    p, q = TRNode.parameter(2.0), TRNode.parameter(3.0)
    y = tr_where(True, p, q * 2.0) * p
    p.value, q.value = 7.0, 8.0
    assert _native.gradients_of(y, [q, p, q], None) == [(0.0, EXACT), (4.0, EXACT), (0.0, EXACT)]
    assert y.explain(wrt=q).depends
    newer = TRNode.parameter(1.0)
    assert _native.gradients_of(y, [newer, q], None) == [None, (0.0, EXACT)]
    assert not y.explain(wrt=newer).depends
    y.backward()
    assert gradient_of(q) == (0.0, EXACT)


@pytest.mark.parametrize("value", SPECIALS)
def test_explanations_name_what_the_chosen_node_began_with(value: float) -> None:
    p = TRNode.parameter(0.0)
    infinite, dead = 1.0 / p, tr_log(p)
    told = (tr_where(True, infinite, dead * value) + 1.0).explain()
    assert [hash(event.node) for event in told.origins] == [hash(infinite)]
    assert [event.op for event in told.masked_at] == [OpType.ADD]
    assert tr_where(True, infinite, dead).explain().origins[0].op is OpType.DIV
    q = TRNode.parameter(1.0)
    y = tr_where(True, q, p) * 2.0
    y.backward()
    told = p.explain()
    assert told.depends
    assert told.gradient == 0.0
    assert (told.masked_at, told.dropped_at, told.saturated_at) == ((), (), ())
    assert not y.explain(wrt=infinite).depends


def test_events_behind_a_choice_are_told() -> None:
    p, q = TRNode.parameter(0.0), TRNode.parameter(1.0)
    y = tr_where(True, tr_where(True, tr_sqrt(p), q), 0.0) * 3.0
    y.backward()
    assert [event.op for event in p.explain().dropped_at] == [OpType.SQRT]
    assert gradient_of(p) == (0.0, DROPPED)


def test_a_number_that_is_not_real_begins_where_it_was_chosen() -> None:
    p = TRNode.parameter(1.0)
    told = (tr_where(True, INF, p) + p).explain()
    assert [event.op for event in told.origins] == [OpType.CONSTANT]
    assert told.origins[0].location is not None


def test_graphs_and_orders_show_it() -> None:
    p, q = TRNode.parameter(2.0, "p"), TRNode.parameter(3.0, "q")
    chosen = tr_where(True, tr_sin(p), q)
    y = chosen * 2.0
    assert [node.op.name for node in topological_sort(y)] == ["MUL", "WHERE", "SIN", "PARAMETER"]
    assert compute_input_gradients(chosen, 3.0) == [3.0, 0.0]
    assert _native.input_gradients(chosen, INF) == [(0.0, DROPPED), (0.0, EXACT)]
    text = y.to_dot()
    assert r"where\n0.909297" in text
    assert text.count("->") == 5


def steps(count: int, step: Callable[[TRNode, int], TRNode]) -> tuple[TRNode, TRNode, float]:
    """A long program, and how long its pass took."""
    p = TRNode.parameter(1.0)
    y = p
    for k in range(count):
        y = step(y, k)
    start = time.perf_counter()
    y.backward()
    return p, y, time.perf_counter() - start


@pytest.mark.parametrize(
    "step",
    [
        lambda y, k: tr_where(True, y, 2.0),
        lambda y, k: tr_where(k % 2 == 0, y + 1.0, y),
        lambda y, k: y + tr_where(False, y * 2.0, 0.0),
    ],
)
def test_long_programs(step: Callable[[TRNode, int], TRNode]) -> None:
    p, _, _ = steps(300_000, step)
    assert gradient_of(p) == (1.0, EXACT)


def test_a_long_row_of_choices_is_gone_through_once() -> None:
    p = TRNode.parameter(1.0)
    best, total = p, p * 0.0
    for _ in range(20_000):
        best = tr_where(True, best, 0.0)
        total = total + best
    start = time.perf_counter()
    total.backward()
    assert time.perf_counter() - start < 2.0, "20,000² steps take longer"
    assert gradient_of(p) == (20_000.0, EXACT)
    assert float(tr_grad(lambda v: sum([tr_where(True, v, 0.0)] * 3, v))(1.0)) == 4.0


def test_the_graph_is_reclaimed_with_its_branches() -> None:
    before = _native.arena_usage()[0]
    p = TRNode.parameter(1.0)
    chosen = tr_where(True, p, tr_sin(p) * 2.0)
    assert _native.arena_usage()[0] == before + 5
    del chosen
    assert _native.arena_usage()[0] == before + 1


def test_values_stay_with_the_node_that_was_given() -> None:
    x, q = TRNode.parameter(3.0), TRNode.parameter(1.0)
    value, gradient = tr_value_and_grad(lambda v: tr_where(tr_greater(v, 0.0), v * v, q))(x)
    assert gradient.item() == 6.0
    assert x.gradient is None
    value.backward()
    assert gradient_of(x) == (6.0, EXACT)
    assert gradient_of(q) == (0.0, EXACT)
