"""Gradients: every op on REAL paths, statuses, graphs, subgradients, and the two first snippets."""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Callable

import mpmath
import pytest

from support.gradients import DROPPED, EXACT, MASKED, gradients
from support.op_case import DIGITS, OpCase
from support.op_cases import cases
from support.ops import EXPONENTS
from support.values import INF, NAN, same, ulps
from zeroproof.autodiff.tr_node import TRNode
from zeroproof.autodiff.tr_ops_grad import (
    ReductionMode,
    tr_abs,
    tr_add,
    tr_div,
    tr_exp,
    tr_log,
    tr_maximum,
    tr_mean,
    tr_minimum,
    tr_mul,
    tr_neg,
    tr_sign,
    tr_sin,
    tr_sqrt,
    tr_sub,
    tr_sum,
    tr_tanh,
)
from zeroproof.core import pinf, real

FIRST_SNIPPET = """
from zeroproof.autodiff.tr_node import TRNode
from zeroproof.autodiff.tr_ops_grad import tr_div
from zeroproof.core import real
x = TRNode.parameter(real(0.0))
y = tr_div(real(1.0), x)      # +∞
y.backward()
print(x.gradient)             # 0.0, and x.gradient_status is MASKED
"""

SECOND_SNIPPET = """
from zeroproof.autodiff.hybrid_gradient import HybridGradientContext, create_default_schedule
schedule = create_default_schedule(aggressive=False, warmup_epochs=5, force_exploration=True)
for epoch in range(50):
    with schedule.apply(epoch):
        x = TRNode.parameter(real(1e-6))
        y = tr_div(real(1.0), x)
        y.backward()          # −1e12 in warm-up, about −1 after it
    gradients.append(float(x.gradient))
stats = HybridGradientContext.get_statistics()   # of the last epoch: 1 call, q_min 1e-6, ratios 1.0
"""


def test_the_first_snippet() -> None:
    shown, names = io.StringIO(), {}
    with contextlib.redirect_stdout(shown):
        exec(FIRST_SNIPPET, names)
    assert shown.getvalue() == "0.0\n"
    assert names["y"].value == pinf()
    assert names["x"].gradient_status is MASKED


def test_the_second_snippet() -> None:
    found: list[float] = []
    names = {"TRNode": TRNode, "tr_div": tr_div, "real": real, "gradients": found}
    exec(SECOND_SNIPPET, names)
    assert found[:5] == pytest.approx([-1e12] * 5, rel=1e-15)
    assert found[5:] == pytest.approx([-1.0] * 45, rel=1e-11)
    stats = names["stats"]
    assert stats["total_gradient_calls"] == 1
    assert stats["q_min_batch"] == stats["q_min_epoch"] == 1e-6
    assert stats["saturating_ratio"] == stats["near_pole_ratio"] == 1.0


#: Ordinary operands on both sides of 0.
OPERANDS: dict[str, list[tuple[float, ...]]] = {
    "unary": [(0.3,), (1.0,), (1.5,), (2.75,), (-0.3,), (-2.75,)],
    "binary": [(0.7, 2.5), (2.5, 0.7), (-3.0, 1.25), (3.0, -2.0)],
    "power": [(x, n) for x in (0.5, -1.25, 2.0) for n in EXPONENTS],
    "variadic": [(0.5,), (0.7, 2.5), (-3.0, 1.25, 0.25)],
}


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
@pytest.mark.parametrize("seed", [1.0, -3.0])
def test_gradients_of_every_op(case: OpCase, seed: float) -> None:
    compared = 0
    for operands in OPERANDS[case.arity]:
        if not math.isfinite(case.value(*operands)):
            continue
        with mpmath.workdps(DIGITS):
            partials = case.partials(*map(mpmath.mpf, operands))
        if not all(map(mpmath.isfinite, partials)):
            continue
        function, values = case.on_nodes(operands)
        found = gradients(function, values, seed)
        assert len(found) == len(partials)
        for (gradient, status), partial in zip(found, partials):
            assert ulps(gradient, float(seed * partial)) <= 4, operands
            assert status is EXACT
        compared += 1
    assert compared >= 2


def test_both_sides_of_a_pole_have_the_right_sign() -> None:
    assert gradients(lambda x: 1.0 / x, [-2.0]) == [(-0.25, EXACT)]
    assert gradients(lambda x: 1.0 / x, [2.0]) == [(-0.25, EXACT)]


def test_no_avoidable_overflow_or_underflow() -> None:
    [(gradient, status)] = gradients(lambda x: 1e-200 / x, [1e-200])
    assert gradient == pytest.approx(-1e200, rel=1e-15)
    assert status is EXACT


class TestGraphs:
    def test_chain(self) -> None:
        [(gradient, status)] = gradients(lambda x: tr_exp(tr_sin(tr_mul(x, x))), [0.7])
        expected = math.exp(math.sin(0.49)) * math.cos(0.49) * 1.4
        assert gradient == pytest.approx(expected, rel=1e-15)
        assert status is EXACT

    def test_diamond(self) -> None:
        def f(x: TRNode) -> TRNode:
            y = x * x
            return tr_sin(y) * tr_exp(y)

        [(gradient, _)] = gradients(f, [0.5])
        expected = 1.0 * math.exp(0.25) * (math.sin(0.25) + math.cos(0.25))
        assert gradient == pytest.approx(expected, rel=1e-15)

    def test_one_node_as_both_operands(self) -> None:
        assert gradients(lambda x: x * x, [3.0]) == [(6.0, EXACT)]
        assert gradients(lambda x: x - x, [3.0]) == [(0.0, EXACT)]
        assert gradients(lambda x: x / x, [4.0]) == [(0.0, EXACT)]
        assert gradients(lambda x: tr_sum([x, x, x]), [4.0]) == [(3.0, EXACT)]

    def test_a_deep_diamond_visits_each_node_once(self) -> None:
        def f(x: TRNode) -> TRNode:
            for _ in range(200):
                x = (x + x) * 0.5
            return x

        assert gradients(f, [1.5]) == [(1.0, EXACT)]

    def test_contributions_are_added_in_reverse_of_recording(self) -> None:
        # 1 + 1 + 2⁵³ keeps the ones only if they are added first.
        for factors, expected in (
            ((1.0, 1.0, 2.0**53), 2.0**53),
            ((2.0**53, 1.0, 1.0), 2.0**53 + 2.0),
        ):
            x = TRNode.parameter(1.0)
            first, second, third = (x * factor for factor in factors)
            (first + (second + third)).backward()
            assert x.gradient == expected

    def test_a_sum_begins_with_its_first_contribution(self) -> None:
        x = TRNode.parameter(2.0)
        (x * -0.0).backward()
        assert x.gradient is not None
        assert same(x.gradient, -0.0)


class TestStatus:
    def test_a_true_zero_is_exact(self) -> None:
        assert gradients(lambda x: x * 0.0, [3.0]) == [(0.0, EXACT)]

    def test_a_masked_path_stays_masked_when_later_nodes_are_real(self) -> None:
        x = TRNode.parameter(0.0)
        y = 1.0 / (1.0 / x + 1.0)
        assert y.value == 0.0
        y.backward()
        assert (x.gradient, x.gradient_status) == (0.0, MASKED)

    def test_other_paths_keep_their_gradient(self) -> None:
        def f(x: TRNode) -> TRNode:
            return tr_add(tr_minimum(1.0 / x, 5.0), x * 3.0)

        assert gradients(f, [0.0]) == [(3.0, MASKED)]

    def test_a_contribution_that_is_not_real_is_dropped(self) -> None:
        assert gradients(tr_sqrt, [0.0]) == [(0.0, DROPPED)]
        assert gradients(lambda x: tr_sqrt(x) + x, [0.0]) == [(1.0, DROPPED)]
        assert gradients(lambda x: x * 1e200, [1.0], 1e200) == [(0.0, DROPPED)]
        assert gradients(lambda x: x * INF, [1.0]) == [(0.0, MASKED)]

    def test_with_a_zero_adjoint_nothing_is_dropped(self) -> None:
        assert gradients(lambda x: tr_sqrt(x) * 0.0, [0.0]) == [(0.0, EXACT)]
        assert gradients(tr_sqrt, [0.0], 0.0) == [(0.0, EXACT)]

    def test_silencing_counts_whatever_the_adjoint_is(self) -> None:
        assert gradients(lambda x: 1.0 / x, [0.0], 0.0) == [(0.0, MASKED)]

    def test_flags_are_handed_on_and_joined(self) -> None:
        x, y = TRNode.parameter(0.0), TRNode.parameter(1.0)
        (tr_sqrt(x * 2.0) + tr_minimum(1.0 / x, y)).backward()
        assert x.gradient_status == DROPPED | MASKED
        assert y.gradient_status is EXACT

    @pytest.mark.parametrize("seed", [INF, -INF, NAN])
    def test_an_adjoint_that_is_not_real_is_dropped(self, seed: float) -> None:
        assert gradients(lambda x: x * 2.0, [1.0], seed) == [(0.0, DROPPED)]

    def test_only_an_overflowing_sum_is_infinite(self) -> None:
        def f(x: TRNode) -> TRNode:
            return x * 1e308 + x * 1e308

        assert gradients(f, [0.5]) == [(INF, EXACT)]
        assert gradients(f, [0.5], -1.0) == [(-INF, EXACT)]

    def test_no_gradient_is_phi_even_over_several_passes(self) -> None:
        x = TRNode.parameter(0.5)
        y = x * 1e308 + x * 1e308
        y.backward()
        y.backward(-1.0)
        assert x.gradient == pinf()


class TestSubgradients:
    def test_abs_and_sign(self) -> None:
        for zero in (0.0, -0.0):
            assert gradients(tr_abs, [zero]) == [(0.0, EXACT)]
            assert gradients(tr_sign, [zero]) == [(0.0, EXACT)]
        assert gradients(tr_sign, [INF]) == [(0.0, EXACT)]

    @pytest.mark.parametrize("op", [tr_minimum, tr_maximum])
    @pytest.mark.parametrize(("a", "b"), [(2.0, 2.0), (0.0, -0.0), (-0.0, 0.0)])
    def test_ties_share(self, op: Callable[..., TRNode], a: float, b: float) -> None:
        assert gradients(op, [a, b], 3.0) == [(1.5, EXACT), (1.5, EXACT)]

    def test_a_winner_takes_all(self) -> None:
        assert gradients(tr_minimum, [1.0, INF]) == [(1.0, EXACT), (0.0, EXACT)]
        assert gradients(tr_maximum, [-INF, 1.0]) == [(0.0, EXACT), (1.0, EXACT)]
        assert gradients(tr_minimum, [1.0, NAN]) == [(0.0, MASKED), (0.0, MASKED)]

    def test_the_power_zero(self) -> None:
        assert gradients(lambda x: x**0, [3.0]) == [(0.0, EXACT)]
        assert gradients(lambda x: x**0, [0.0]) == [(0.0, MASKED)]
        assert gradients(lambda x: x**1, [0.0]) == [(1.0, EXACT)]


class TestReductions:
    def test_sum_and_mean_over_nodes_and_numbers(self) -> None:
        def sum3(a: TRNode, b: TRNode) -> TRNode:
            return tr_sum([a, 2.0, b])

        def mean3(a: TRNode, b: TRNode) -> TRNode:
            return tr_mean([a, real(2.0), b])

        assert sum3(TRNode.constant(1.0), TRNode.constant(3.0)).value == 6.0
        assert mean3(TRNode.constant(1.0), TRNode.constant(3.0)).value == 2.0
        assert gradients(sum3, [1.0, 3.0], 6.0) == [(6.0, EXACT)] * 2
        assert gradients(mean3, [1.0, 3.0], 6.0) == [(2.0, EXACT)] * 2

    def test_one_sample_at_a_pole_need_not_silence_a_batch(self) -> None:
        w = TRNode.parameter(2.0)
        samples = [w / x for x in (1.0, 0.0, 4.0)]
        strict = tr_mean(samples)
        strict.backward()
        assert (strict.value, w.gradient, w.gradient_status) == (pinf(), 0.0, MASKED)
        w.zero_grad()
        kept = tr_mean(samples, ReductionMode.DROP_NONREAL)
        kept.backward()
        assert kept.value == (2.0 + 0.5) / 2
        assert w.gradient == (1.0 + 0.25) / 2
        assert w.gradient_status is MASKED

    def test_drop_null_keeps_infinities(self) -> None:
        values = [1.0, NAN, 3.0]
        assert gradients(lambda *x: tr_mean(x, ReductionMode.DROP_NULL), values) == [
            (0.5, EXACT),
            (0.0, MASKED),
            (0.5, EXACT),
        ]
        infinite = tr_sum([TRNode.parameter(v) for v in (1.0, INF)], ReductionMode.DROP_NULL)
        assert infinite.value == pinf()

    def test_nothing_kept(self) -> None:
        assert gradients(lambda x: tr_sum([x], ReductionMode.DROP_NONREAL), [INF]) == [
            (0.0, MASKED)
        ]
        assert gradients(lambda x: tr_mean([x], ReductionMode.DROP_NONREAL), [INF]) == [
            (0.0, MASKED)
        ]


def test_names_that_lift_scalars_to_nodes() -> None:
    for node in (tr_sub(2, 1), tr_neg(-1.0), tr_log(math.e), tr_tanh(INF), tr_sum([0.5, 0.5])):
        assert isinstance(node, TRNode)
        assert float(node) == 1.0
        assert not node.requires_grad
