"""The backward pass as functions: the pass, one node's step, and the order of the pass."""

from __future__ import annotations

from typing import Any

import pytest

from support.gradients import MASKED, SATURATED, mode_block
from support.values import INF, NAN
from zeroproof.autodiff.backward import backward_pass, compute_input_gradients, topological_sort
from zeroproof.autodiff.grad_mode import GradientMode
from zeroproof.autodiff.hybrid_gradient import HybridGradientContext
from zeroproof.autodiff.tr_node import OpType, TRNode
from zeroproof.autodiff.tr_ops_grad import ReductionMode, tr_div, tr_log, tr_mean, tr_sin, tr_sqrt
from zeroproof.core import TRScalar


def test_backward_pass_is_backward() -> None:
    x = TRNode.parameter(3.0)
    y = x * x
    backward_pass(y)
    assert x.gradient == 6.0
    backward_pass(y, 10)
    assert x.gradient == 66.0
    with pytest.raises(RuntimeError, match="depends on no parameter"):
        backward_pass(TRNode.constant(1.0))


class TestInputGradients:
    def test_one_per_input_in_operand_order(self) -> None:
        a, b = TRNode.parameter(6.0), TRNode.parameter(2.0)
        found = compute_input_gradients(a / b, 1.0)
        assert all(isinstance(g, TRScalar) for g in found)
        assert [float(g) for g in found] == [0.5, -1.5]
        assert [float(g) for g in compute_input_gradients(a * a, 10.0)] == [60.0, 60.0]
        assert compute_input_gradients(a, 1.0) == []
        assert [float(g) for g in compute_input_gradients(a**3, 1.0)] == [108.0]

    def test_reductions(self) -> None:
        values = [TRNode.parameter(v) for v in (1.0, NAN, 3.0)]
        node = tr_mean(values, ReductionMode.DROP_NULL)
        assert [float(g) for g in compute_input_gradients(node, 4.0)] == [2.0, 0.0, 2.0]

    @pytest.mark.parametrize("seed", [1.0, -3.0, 0.0, INF, NAN])
    @pytest.mark.parametrize("mode", list(GradientMode))
    def test_they_are_what_backward_passes(self, mode: GradientMode, seed: float) -> None:
        with mode_block(mode, 0.5, 0.1):
            for a in (-1.0, 0.0, 0.05, 2.0, INF, NAN):
                for b in (-0.05, -0.0, 0.0, 0.3, INF, NAN):
                    x, y = TRNode.parameter(a), TRNode.parameter(b)
                    node = tr_div(x, y)
                    node.backward(seed)
                    assert compute_input_gradients(node, seed) == [x.gradient, y.gradient]
                for op in (tr_log, tr_sqrt, lambda v: v**-2):
                    x = TRNode.parameter(a)
                    node = op(x)
                    node.backward(seed)
                    assert compute_input_gradients(node, seed) == [x.gradient]

    def test_an_exploration_region_counts_through_the_nodes_between(self) -> None:
        with mode_block(GradientMode.HYBRID):
            HybridGradientContext.set_exploration_regions([(0.0, 1.0)])
            x = TRNode.input(0.5)
            between = x * 4.0
            node = 1.0 / between
            node.backward()
            assert between.gradient_status == SATURATED
            assert compute_input_gradients(node, 1.0)[1] == between.gradient

    def test_nothing_is_recorded_or_counted(self) -> None:
        with mode_block(GradientMode.HYBRID, 1.0, 0.1):
            x = TRNode.parameter(0.01)
            node = 1.0 / x
            compute_input_gradients(node, 1.0)
            assert HybridGradientContext.get_statistics()["total_gradient_calls"] == 0
        assert (x.gradient, node.gradient) == (None, None)


class TestTopologicalSort:
    def test_root_first_and_inputs_after_their_users(self) -> None:
        x = TRNode.parameter(2.0)
        y = x * x
        z = tr_sin(y) + y * x
        order = topological_sort(z)
        assert [n.op for n in order] == [
            OpType.ADD,
            OpType.MUL,
            OpType.SIN,
            OpType.MUL,
            OpType.PARAMETER,
        ]
        place = {hash(node): k for k, node in enumerate(order)}
        assert len(place) == 5
        for node in order:
            for operand in node.inputs:
                assert place[hash(operand)] > place[hash(node)]

    def test_constants_are_left_out(self) -> None:
        x = TRNode.parameter(2.0)
        order = topological_sort(x * TRNode.constant(3.0) + 1.0)
        assert OpType.CONSTANT not in [n.op for n in order]
        assert len(order) == 3

    def test_a_leaf_alone(self) -> None:
        x = TRNode.parameter(2.0)
        assert [hash(n) for n in topological_sort(x)] == [hash(x)]

    def test_steps_in_this_order_are_a_backward_pass(self) -> None:
        x, w = TRNode.parameter(0.7), TRNode.parameter(-1.3)
        root = tr_sin(x * w) / (x + 2.0) + x**3 * w
        adjoints: dict[int, Any] = {hash(root): TRScalar(1.0)}
        for node in topological_sort(root):
            for operand, found in zip(
                node.inputs, compute_input_gradients(node, adjoints[hash(node)])
            ):
                before = adjoints.get(hash(operand))
                adjoints[hash(operand)] = found if before is None else before + found
        root.backward()
        assert adjoints[hash(x)] == x.gradient
        assert adjoints[hash(w)] == w.gradient

    def test_a_silenced_node_is_still_in_the_order(self) -> None:
        x = TRNode.parameter(0.0)
        root = 1.0 / (1.0 / x + 1.0)
        root.backward()
        assert x.gradient_status == MASKED
        assert len(topological_sort(root)) == 4
