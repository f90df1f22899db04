"""``node.explain()``: what it says and costs, what its fields hold, and that nothing changes."""

from __future__ import annotations

import gc
import sys
import threading
import time
from collections.abc import Callable
from os.path import basename
from typing import Any

import numpy as np
import pytest

from support.gradients import mode_block
from support.values import INF, NAN
from zeroproof import (
    Explanation,
    GradientMode,
    GradientStatus,
    HybridGradientContext,
    OpType,
    ReductionMode,
    SingularEvent,
    TRNode,
    TRPolicy,
    TRPolicyConfig,
    TRTag,
    _native,
    gradient_tape,
    tr_div,
    tr_exp,
    tr_grad,
    tr_log,
    tr_mean,
    tr_sqrt,
    tr_sum,
    tr_tanh,
)
from zeroproof.autodiff import tr_ops_grad

FILE = basename(__file__)


def at(function: Callable[..., Any], line: int) -> str:
    """A place in a function of this file, by lines after its first."""
    return f"{FILE}:{function.__code__.co_firstlineno + line}"


def model(p, x):
    q = x - 1.0
    r = p / q
    return tr_exp(r) * 2.0 + p


def reciprocal(x):
    return 1.0 / x


def detached(y):
    return y.detach()


def times(a, b):
    return a * b


def leaf_of(kind, value):
    return getattr(TRNode, kind)(value)


def parameter(value=0.0, name=None):
    return TRNode.parameter(value, name)


def test_the_example_of_the_guide():
    p, x = parameter(1.0), TRNode.input(1.0)
    loss = model(p, x)
    assert str(loss.explain()) == (
        f"loss is +∞: p / q at {at(model, 2)} gave 1.0 ÷ 0.0 = +∞ (q from {at(model, 1)}); "
        "propagated by 3 later ops\n"
        "the gradient to p and x is masked at +∞ + 1.0 = +∞"
    )


def test_the_fields():
    p, x = parameter(1.0), TRNode.input(1.0)
    loss = model(p, x)
    found = loss.explain()
    assert isinstance(found, Explanation)
    assert (found.name, found.value.tag, found.gradient) == ("loss", TRTag.PINF, None)
    assert (found.status, found.mode) == (GradientStatus.EXACT, GradientMode.MASK_REAL)
    assert (found.wrt, found.depends) == (None, True)
    assert hash(found.root) == hash(loss)
    assert found.counts == {"origins": 1, "masked_at": 1, "dropped_at": 0, "saturated_at": 0}
    [origin], [masked] = found.origins, found.masked_at
    assert isinstance(origin, SingularEvent)
    assert (origin.what, origin.op, [float(v) for v in origin.operands]) == (
        "born",
        OpType.DIV,
        [1, 0],
    )
    assert (origin.value.tag, origin.node.op, origin.carried) == (TRTag.PINF, OpType.DIV, False)
    assert (origin.location.file, origin.location.function) == (__file__, "model")
    assert [node.op.name for node in origin.path] == ["EXP", "MUL", "ADD"]
    assert (origin.steps, origin.leaves, origin.input, origin.cause) == (3, (), None, None)
    assert (masked.what, masked.op, masked.location) == ("masked", OpType.ADD, None)
    assert [hash(leaf) for leaf in masked.leaves] == [hash(p), hash(x)]
    assert masked.cause == origin
    assert (found.dropped_at, found.saturated_at) == ((), ())


def test_one_leaf():
    p, x = parameter(1.0), TRNode.input(1.0)
    loss = model(p, x)
    found = loss.explain(wrt=p)
    assert str(found).endswith("the gradient to p is masked at +∞ + 1.0 = +∞")
    assert hash(found.wrt) == hash(p)


def test_a_leaf_tells_its_gradient_in_the_last_pass():
    p, x = parameter(1.0), TRNode.input(1.0)
    assert str(p.explain()) == ("p is 1.0\nit has no gradient yet: no backward pass has reached it")
    loss = model(p, x)
    loss.backward()
    found = p.explain()
    assert str(found) == (
        "p is 1.0\nits gradient is 0.0 [MASKED]\n"
        "the gradient to p is masked at +∞ + 1.0 = +∞, "
        f"because p / q at {at(model, 2)} gave 1.0 ÷ 0.0 = +∞ (q from {at(model, 1)})"
    )
    assert (found.gradient, found.status) == (p.gradient, GradientStatus.MASKED)


def test_a_leaf_whose_pass_is_gone_or_led_elsewhere():
    p, x = parameter(1.0), parameter(0.0)
    y = reciprocal(x)
    y.backward()
    z = p * 2.0
    z.backward()
    assert str(x.explain()) == (
        "x is 0.0\nits gradient is 0.0 [MASKED]; the last backward pass did not reach it"
    )
    del y, z
    gc.collect()
    assert str(p.explain()) == (
        "p is 1.0\nits gradient is 2.0 [EXACT]; the graph of its last backward pass no longer "
        "exists: call explain while the root of that pass is alive"
    )


def test_a_node_that_is_not_below():
    p, x = parameter(1.0), parameter(0.5)
    y = p * 2.0
    assert str(y.explain(wrt=x)) == ("y is 2.0\ny does not depend on x, so no gradient reaches it")
    constant = TRNode.constant(1.0)
    assert str(constant.explain(wrt=parameter())) == (
        "constant is 1.0\nconstant does not depend on the node wrt, so no gradient reaches it"
    )


def test_a_healthy_graph():
    p = parameter(2.0)
    y = reciprocal(p)
    assert str(y.explain()) == "y is 0.5"
    assert str(TRNode.constant(3.0).explain()) == "the node is 3.0"


def test_gradients_that_were_computed():
    x = parameter(0.0)
    gradient = tr_grad(reciprocal)(x)
    assert str(gradient.explain()) == (
        "gradient is 0.0\n"
        "it is a gradient [MASKED]\n"
        "through the gradient of the value +∞, computed in MASK_REAL mode:\n"
        f"  it is +∞: 1.0 / x at {at(reciprocal, 1)} gave 1.0 ÷ 0.0 = +∞\n"
        "  the gradient to x is masked at 1.0 ÷ 0.0 = +∞"
    )
    gradient = tr_grad(tr_grad(reciprocal))(0.0)
    assert str(gradient.explain()) == (
        "gradient is 0.0\n"
        "it is a gradient [MASKED]; call explain(wrt=...) on the differentiated node"
    )


def test_several_origins():
    zeros = [parameter() for _ in range(5)]
    total = tr_sum([reciprocal(x) for x in zeros])
    origin = f"1.0 / x at {at(reciprocal, 1)} gave 1.0 ÷ 0.0 = +∞"
    assert str(total.explain()) == (
        f"total is +∞: {origin}; propagated by 1 later op\n  and {origin}\n  and {origin}\n"
        "  and 2 more\n"
        "the gradient to zeros[0], zeros[1], zeros[2] and 2 more is masked at "
        "sum(+∞, +∞, +∞, +∞, +∞) = +∞"
    )


def test_phi_of_infinities_is_told_first():
    x = parameter()
    low = -1.0 / x
    high = 1.0 / x
    y = low + high
    line = at(test_phi_of_infinities_is_told_first, 4)
    first, *others = str(y.explain()).splitlines()
    above, here = (at(test_phi_of_infinities_is_told_first, line) for line in (2, 3))
    assert first == (
        f"y is Φ: low + high at {line} gave −∞ + +∞ = Φ (low from {above}, high from {here})"
    )
    assert others[:2] == [
        f"  and -1.0 / x at {above} gave -1.0 ÷ 0.0 = −∞ "
        f"(x from {at(test_phi_of_infinities_is_told_first, 1)})",
        f"  and 1.0 / x at {here} gave 1.0 ÷ 0.0 = +∞ "
        f"(x from {at(test_phi_of_infinities_is_told_first, 1)})",
    ]


def test_a_shared_node_is_one_origin():
    x = parameter()
    shared = reciprocal(x)
    y = shared * shared + shared
    found = y.explain()
    assert found.counts["origins"] == 1
    assert found.origins[0].steps in (1, 2)
    assert hash(found.origins[0].path[-1]) == hash(y)


def test_what_a_sum_leaves_out():
    x, w = parameter(0.0), parameter(2.0)
    y = tr_sum([w, -reciprocal(x)], ReductionMode.DROP_NONREAL)
    assert str(y.explain()) == (
        "y is 2.0\nthe gradient to x is masked at sum(2.0, −∞) = 2.0, where −∞ is left out, "
        f"because 1.0 / x at {at(reciprocal, 1)} gave 1.0 ÷ 0.0 = +∞"
    )
    nothing = tr_mean([reciprocal(x)], ReductionMode.DROP_NONREAL)
    assert nothing.explain().origins[0].op is OpType.MEAN


def test_a_long_sum_is_cut():
    x = parameter()
    y = tr_sum([parameter(1.0)] * 20 + [reciprocal(x)], ReductionMode.DROP_NONREAL)
    assert "sum(1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, …) = 20.0, where operand 20 is left out" in str(
        y.explain()
    )


def test_a_dropped_contribution():
    x = parameter()
    y = tr_sqrt(x) * 2.0
    line = at(test_a_dropped_contribution, 2)
    assert str(y.explain()) == (
        "y is 0.0\nthe gradient to x has a dropped contribution: "
        f"tr_sqrt(x) at {line} gave sqrt(0.0) = 0.0 (x from {at(test_a_dropped_contribution, 1)})"
    )
    y.backward(INF)
    assert "dropped contribution at 0.0 × 2.0 = 0.0" in str(x.explain())


def test_saturating():
    x = parameter()
    y = reciprocal(x)
    with mode_block(GradientMode.SATURATING):
        found = y.explain()
    assert found.mode is GradientMode.SATURATING
    assert str(found).splitlines()[1] == "the gradient to x is saturated at 1.0 ÷ 0.0 = +∞"
    phi = tr_log(parameter(-1.0))
    with mode_block(GradientMode.SATURATING):
        assert len(phi.explain().masked_at) == 1


@pytest.mark.parametrize(("delta", "bounded"), [(None, 0), (0.125, 0), (0.25, 1)])
def test_hybrid_by_its_threshold(delta, bounded):
    y = reciprocal(parameter(0.25))
    with mode_block(GradientMode.HYBRID, delta=delta):
        assert y.explain().counts["saturated_at"] == bounded


def test_hybrid_by_region_and_policy():
    y = reciprocal(TRNode.input(0.25))
    with mode_block(GradientMode.HYBRID):
        _native.set_exploration_regions([(0.2, 0.3)])
        assert y.explain().counts["saturated_at"] == 1
        _native.set_exploration_regions([])
        assert y.explain().counts["saturated_at"] == 0
        TRPolicyConfig.set_policy(TRPolicy(tau_Q_on=1.0, tau_Q_off=2.0))
        y.backward()
        HybridGradientContext.end_batch_policy_update()
        assert y.explain().counts["saturated_at"] == 1
        # Of a leaf, the pass is explained that was.
        assert y.inputs[1].explain().counts["saturated_at"] == 0
        TRPolicyConfig.set_policy(None)


def test_a_pass_is_explained_in_its_own_mode():
    x = parameter()
    y = reciprocal(x)
    with mode_block(GradientMode.SATURATING, bound=0.5):
        y.backward()
    assert x.explain().mode is GradientMode.SATURATING
    assert y.explain().mode is GradientMode.MASK_REAL


def test_constants_that_are_watched():
    c = TRNode.constant(0.0)
    with gradient_tape() as tape:
        tape.watch(c)
        y = reciprocal(c)
    assert str(y.explain()).splitlines()[1] == ("the gradient to c is masked at 1.0 ÷ 0.0 = +∞")
    assert y.explain(wrt=c).depends


def test_constants_carry_their_origin_on():
    c = reciprocal(TRNode.constant(0.0)) + 1.0
    origin = (
        f"1.0 / x at {at(reciprocal, 1)} gave 1.0 ÷ 0.0 = +∞; propagated by later ops on constants"
    )
    assert str(c.explain()) == f"c is +∞: {origin}"
    copy = c.detach()
    assert str(copy.explain()) == f"copy is +∞: {origin}"
    sums = parameter(1.0) + copy
    found = sums.explain().origins[0]
    assert (found.carried, found.op, found.node.op) == (True, OpType.DIV, OpType.CONSTANT)


def test_a_detached_copy_knows_what_began_further_down():
    y = tr_exp(reciprocal(parameter()))
    copy = y.detach()
    assert str(copy.explain()) == (
        f"copy is +∞: 1.0 / x at {at(reciprocal, 1)} gave 1.0 ÷ 0.0 = +∞; "
        "propagated by later ops on constants"
    )
    for _ in range(2000):
        y = y + 1.0
    far = detached(y)
    line = at(detached, 1)
    assert str(far.explain()) == f"far is +∞: +∞ was given as a constant at {line}"


@pytest.mark.parametrize("value", [INF, -INF, NAN])
@pytest.mark.parametrize("kind", ["parameter", "input", "constant"])
def test_leaves_that_are_not_real(kind, value):
    leaf = leaf_of(kind, value)
    article = "an" if kind == "input" else "a"
    came = f"{leaf.value} was given as {article} {kind} at {at(leaf_of, 1)}"
    assert str(leaf.explain()).splitlines()[0] == f"leaf is {leaf.value}: {came}"


def test_a_node_given_to_parameter():
    y = reciprocal(parameter())
    p = TRNode.parameter(y)
    line = at(test_a_node_given_to_parameter, 2)
    assert str(p.explain()).splitlines()[0] == f"p is +∞: +∞ was given as a parameter at {line}"


def test_bare_infinities():
    x = parameter(1.0)
    y = times(x, INF)
    assert str(y.explain()) == (
        f"y is +∞: +∞ was given as a constant at {at(times, 1)}; propagated by 1 later op\n"
        "the gradient to x is masked at 1.0 × +∞ = +∞"
    )


def test_a_bare_infinity_among_numbers():
    total = tr_sum([parameter(1.0), INF, 2.0, reciprocal(parameter()), -INF])
    origins = total.explain().origins
    made = [(origin.op.name, float(origin.value)) for origin in origins]
    assert made[1:] == [("DIV", INF), ("CONSTANT", INF), ("CONSTANT", -INF)]
    assert (origins[0].op, origins[0].value.tag) == (OpType.SUM, TRTag.PHI)
    assert all(origin.location for origin in origins)


def test_numbers_alone_give_a_constant():
    y = tr_ops_grad.tr_div(1.0, 0.0)
    line = at(test_numbers_alone_give_a_constant, 1)
    assert str(y.explain()).startswith(f"y is +∞: tr_ops_grad.tr_div(1.0, 0.0) at {line} gave")


class Model:
    """Holds a node as an attribute."""

    def __init__(self):
        self.w = parameter(0.0)

    def told(self):
        return str((1.0 / self.w).explain())


def test_nodes_are_called_what_they_are_called_here():
    weights = {"a": parameter(0.0), "b": [parameter(0.0)]}
    y = tr_div(1.0, weights["a"])
    assert "the gradient to weights['a'] is" in str(y.explain())
    assert "the gradient to 1 unnamed leaf is" in str(reciprocal(weights["b"][0]).explain())
    assert "the gradient to self.w is" in Model().told()
    assert "the gradient to speed is" in str(reciprocal(parameter(0.0, "speed")).explain())
    named = parameter(0.0, "speed")
    assert "the gradient to named is" in str(reciprocal(named).explain())
    many = [parameter(0.0) for _ in range(40)]
    total = reciprocal(tr_sum(many))
    told = str(total.explain())
    assert "many[0], many[1], many[2] and at least 29 more is masked" in told


def test_the_names_keep_nothing_alive():
    def ask(release):
        x = parameter(0.0)
        y = reciprocal(x)
        for _ in range(1000):
            y = y + 1.0
        str(y.explain())
        if release:
            del y
        return _native.arena_usage()[0]

    before = _native.arena_usage()[0]
    assert ask(release=True) == before + 1
    assert ask(release=False) > before + 1000


def test_a_dictionary_of_locals_stays_as_it_is():
    x = parameter(0.0)
    variables = locals()
    x.explain()
    assert "x" in variables


def test_the_limit():
    total = tr_sum([reciprocal(parameter()) for _ in range(2000)], ReductionMode.DROP_NONREAL)
    for limit in (0, 1, 5, 10**30):
        found = total.explain(limit=limit)
        assert found.counts["origins"] == found.counts["masked_at"] == 2000
        assert len(found.origins) == len(found.masked_at) == min(limit, 2000)
    assert str(total.explain(limit=1)).endswith("\n  and 1999 more")
    assert str(total.explain(limit=0)) == "total is 0.0\n  and 2000 more"
    strict = tr_sum([reciprocal(parameter()), 1.0])
    assert str(strict.explain(limit=0)) == "strict is +∞\n  and 1 more"


def test_bad_input():
    y = reciprocal(parameter())
    with pytest.raises(ValueError, match="limit must not be negative, not -1"):
        y.explain(limit=-1)
    with pytest.raises(TypeError, match="str"):
        y.explain(limit="3")
    with pytest.raises(TypeError, match="expected a TRNode, not float"):
        y.explain(wrt=1.0)
    with pytest.raises(TypeError):
        y.explain(None, 3)


@pytest.mark.parametrize("mode", [GradientMode.MASK_REAL, GradientMode.SATURATING])
def test_a_deep_chain(mode):
    def seconds(ops):
        y = reciprocal(parameter())
        for _ in range(ops):
            y = -y
        begin = time.perf_counter()
        with mode_block(mode):
            found = y.explain()
        assert found.origins[0].steps == ops
        assert len(found.origins[0].path) == 32
        assert str(found).startswith("y is ")
        return time.perf_counter() - begin

    seconds(1000)
    assert seconds(100_000) < 5.0


def test_many_dropped_bounded_and_born_are_told_in_full_in_linear_time():
    y = parameter(0.5)
    for _ in range(20_000):
        y = reciprocal(y)
    begin = time.perf_counter()
    with mode_block(GradientMode.SATURATING):
        found = y.explain(limit=sys.maxsize)
    assert len(found.saturated_at) == 20_000
    assert time.perf_counter() - begin < 10.0


def test_origins_follow_their_nodes_through_collections():
    kept = []
    for k in range(200):
        kept.append(reciprocal(parameter(0.0 if k % 2 else -0.0)))
        for _ in range(50):
            reciprocal(parameter())
    _native.arena_usage()  # collects
    for k, node in enumerate(kept):
        origin = node.explain().origins[0]
        assert origin.location.line == reciprocal.__code__.co_firstlineno + 1
        assert origin.value == (INF if k % 2 else -INF)


def test_nothing_changes_by_asking():
    x, w = parameter(0.0), parameter(2.0)
    y = tr_tanh(reciprocal(x)) * w + tr_sqrt(x)
    y.backward()
    HybridGradientContext.reset_statistics()

    def observed():
        gradients = [(n.gradient, n.gradient_status) for n in (x, w, y, *y.inputs)]
        return gradients, HybridGradientContext.get_statistics(), _native.arena_usage()[0]

    before = observed()
    for mode in GradientMode:
        with mode_block(mode, delta=0.5):
            str(y.explain())
            str(y.explain(wrt=x))
            str(x.explain())
    assert observed() == before


def test_threads():
    told = []

    def work():
        for _ in range(200):
            x = parameter()
            y = reciprocal(x)
            told.append(str(y.explain()))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(told) == {
        f"y is +∞: 1.0 / x at {at(reciprocal, 1)} gave 1.0 ÷ 0.0 = +∞\n"
        "the gradient to x is masked at 1.0 ÷ 0.0 = +∞"
    }
    assert len(told) == 800


def test_arithmetic_does_not_raise_at_the_recursion_limit():
    x = parameter()

    def descend():
        try:
            return descend()
        except RecursionError:
            return reciprocal(x)

    assert descend().value == INF
    names = {"x": x}
    exec("y = [1.0 / x for _ in 'ab'][1]", names)
    assert names["y"].explain().origins[0].location.file == "<string>"


def test_a_hot_loop_of_origins_keeps_memory():
    x, zero = parameter(), TRNode.constant(0.0)

    def loop(steps):
        running = TRNode.constant(0.0)
        for _ in range(steps):
            y = tr_sqrt(x) + reciprocal(x) * INF
            running = (running + reciprocal(zero) + y.detach()) * 0.5
        return running

    loop(5000)
    _, before = _native.arena_usage()
    loop(100_000)
    _, after = _native.arena_usage()
    assert after <= before + 100_000


def test_a_numpy_number_is_an_operand():
    y = np.float64(1.0) / parameter()
    assert y.explain().origins[0].formula == "1.0 ÷ 0.0 = +∞"
