"""A value assigned to a parameter or input, and in-place operators."""

from __future__ import annotations

import copy
import operator
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from support.gradients import EXACT, MASKED
from support.values import INF, NAN, SPECIALS, same
from zeroproof import _native
from zeroproof.autodiff import tr_grad
from zeroproof.autodiff.grad_mode import GradientMode, gradient_mode
from zeroproof.autodiff.gradient_tape import gradient_tape
from zeroproof.autodiff.tr_node import OpType, TRNode
from zeroproof.autodiff.tr_ops_grad import tr_exp, tr_sin, tr_tanh
from zeroproof.core import TRScalar, phi, real

LEAVES = [TRNode.parameter, TRNode.input]


def by_method(node: TRNode, value: Any) -> None:
    assert node.assign(value) is None  # type: ignore[func-returns-value]


def by_attribute(node: TRNode, value: Any) -> None:
    node.value = value


both_ways = pytest.mark.parametrize("assign", [by_method, by_attribute])
Assign = Callable[[TRNode, Any], None]


@both_ways
@pytest.mark.parametrize("make", LEAVES)
class TestAssignment:
    @pytest.mark.parametrize("value", SPECIALS)
    def test_every_value_of_every_kind(
        self, make: Callable[..., TRNode], assign: Assign, value: float
    ) -> None:
        for given in (value, TRScalar(value), np.float64(value), TRNode.constant(value) * 1.0):
            w = make(1.0)
            y = w * 2.0
            assign(w, given)
            assert same(w.value, value)
            assert w.tag is TRScalar(value).tag
            assert same((w * 1.0).value, value)
            assert y.value == 2.0

    def test_what_stays(self, make: Callable[..., TRNode], assign: Assign) -> None:
        w = make(3.0, "w")
        (w * w).backward()
        before = (hash(w), w.op, w.name, w.gradient, w.gradient_status, w.requires_grad, w.is_leaf)
        kept = w * w
        assign(w, 5)
        after = (hash(w), w.op, w.name, w.gradient, w.gradient_status, w.requires_grad, w.is_leaf)
        assert before == after
        assert kept.value == 9.0

    def test_history_is_kept(self, make: Callable[..., TRNode], assign: Assign) -> None:
        w = make(3.0)
        y = w * w
        assign(w, 5.0)
        z = w * w
        assert gradient_tape().gradient(y, w) == 6.0
        assert gradient_tape().gradient(y + z, w) == 16.0
        y.backward()
        assert w.gradient == 6.0
        z.backward()
        assert w.gradient == 16.0
        assign(w, -1.0)
        assert w.gradient == 16.0
        assert (w.value, y.value, z.value) == (-1.0, 9.0, 25.0)

    def test_an_array_of_one_node(self, make: Callable[..., TRNode], assign: Assign) -> None:
        w = make(1.0)
        assign(w, np.array(TRNode.parameter(4.0)))
        assert w.value == 4.0

    @pytest.mark.parametrize("value", ["1.0", None, 1j, [1.0], np.array([1.0])])
    def test_what_is_no_number(
        self, make: Callable[..., TRNode], assign: Assign, value: Any
    ) -> None:
        w = make(1.5)
        with pytest.raises(TypeError, match="expected a TRNode, a TRScalar or a number"):
            assign(w, value)
        assert w.value == 1.5


@pytest.mark.parametrize(
    ("assign", "error"), [(by_method, TypeError), (by_attribute, AttributeError)]
)
class TestRefusals:
    def test_a_constant(self, assign: Assign, error: type[Exception]) -> None:
        c = TRNode.constant(1.0)
        with pytest.raises(error, match=r"a constant cannot be assigned.*make another constant"):
            assign(c, 2.0)
        assert c.value == 1.0

    def test_what_an_operation_made(self, assign: Assign, error: type[Exception]) -> None:
        y = tr_sin(TRNode.parameter(1.0))
        with pytest.raises(error, match=r"made by sin; assign to the parameters"):
            assign(y, 2.0)

    def test_an_earlier_version(self, assign: Assign, error: type[Exception]) -> None:
        w = TRNode.parameter(3.0, "w")
        y = tr_exp(w)
        assert hash(y.inputs[0]) == hash(w)
        w.value = 4.0
        (old,) = y.inputs
        assert (old.value, old.name, hash(old) == hash(w)) == (3.0, "w", False)
        with pytest.raises(
            error, match=r"what the parameter was before .* assign to the parameter"
        ):
            assign(old, 2.0)
        y.backward()
        assert old.gradient == w.gradient == y.value


def test_arguments() -> None:
    w = TRNode.parameter(1.0)
    w.assign(value=2.0)
    assert w.value == 2.0
    for wrong in (lambda: w.assign(), lambda: w.assign(1.0, 2.0), lambda: w.assign(x=1.0)):
        with pytest.raises(TypeError, match="assign"):
            wrong()
    with pytest.raises(AttributeError, match="cannot be deleted"):
        del w.value
    assert w.value == 2.0


def test_copies_take_the_new_value() -> None:
    w = TRNode.parameter(1.0, "w")
    y = w * 2.0
    w.value = 3.0
    for clone in (copy.copy(w), copy.deepcopy(w), pickle.loads(pickle.dumps(w))):
        assert (clone.value, clone.name, clone.op) == (3.0, "w", OpType.PARAMETER)
        clone.value = 4.0
    assert (w.value, y.value) == (3.0, 2.0)


def test_a_zero_gradient_by_way_of_an_earlier_version_has_its_status() -> None:
    w = TRNode.parameter(0.0)
    y = tr_tanh(1.0 / w)
    w.value = 2.0
    for root in (y, y + w * 0.0):
        found = gradient_tape().gradient(root, w)
        assert (found, found.gradient_status) == (0.0, MASKED)
    unrelated = gradient_tape().gradient(TRNode.parameter(1.0) * 2.0, w)
    assert (unrelated, unrelated.gradient_status) == (0.0, EXACT)


def test_explanations_speak_of_the_leaf() -> None:
    w = TRNode.parameter(0.0)
    y = tr_tanh(1.0 / w)
    w.value = 2.0
    y.backward()
    told = y.explain(wrt=w)
    assert told.depends
    (masked,) = told.masked_at
    assert [hash(leaf) for leaf in masked.leaves] == [hash(w)]
    for explained in (y, w):
        assert "the gradient to w" in str(explained.explain())


def test_where_a_value_that_is_not_real_was_assigned() -> None:
    w = TRNode.parameter(1.0)
    kept = w * 2.0
    w.value = phi()
    assert "Φ was given as a parameter at test_assignment.py:" in str((w + 1.0).explain())
    w.value = 1.0
    assert (w + 1.0).explain().origins == ()
    assert kept.value == 2.0


@pytest.mark.parametrize("mode", list(GradientMode))
def test_an_input_has_the_coordinate_of_its_version(mode: GradientMode) -> None:
    with gradient_mode(mode):
        x = TRNode.input(0.5)
        y = 1.0 / x
        x.value = 2.0
        z = 1.0 / x
        fresh = [TRNode.input(v) for v in (0.5, 2.0)]
        expected = [gradient_tape().gradient(1.0 / each, each) for each in fresh]
        assert [gradient_tape().gradient(root, x) for root in (y, z)] == expected


class TestMemory:
    def test_a_training_loop_runs_in_flat_memory(self) -> None:
        before = _native.arena_usage()[0]
        weights = [TRNode.parameter(0.1 * k, f"w{k}") for k in range(5)]
        sizes = []
        for k in range(100_000):
            loss = weights[0] * weights[1] + weights[2] * weights[3] - weights[4]
            loss.backward()
            del loss
            for w in weights:
                w.value = w.value - 1e-6 * w.gradient
                w.zero_grad()
            if k in (1000, 99_999):
                sizes.append(_native.arena_usage())
        assert [count - before for count, _ in sizes] == [5, 5]
        assert sizes[1][1] <= sizes[0][1] + 2**14, sizes
        assert [w.name for w in weights] == [f"w{k}" for k in range(5)]

    def test_earlier_versions_go_with_what_was_recorded_from_them(self) -> None:
        before = _native.arena_usage()[0]
        w = TRNode.parameter(1.0)
        graph = []
        for k in range(1000):
            graph.append(w * w)
            w.value = float(k)
        assert _native.arena_usage()[0] == before + 2001
        del graph
        assert _native.arena_usage()[0] == before + 1
        assert w.value == 999.0


IN_PLACE: list[tuple[str, Callable[[Any, Any], Any], Callable[[Any, Any], Any]]] = [
    ("+=", operator.iadd, operator.add),
    ("-=", operator.isub, operator.sub),
    ("*=", operator.imul, operator.mul),
    ("/=", operator.itruediv, operator.truediv),
    ("**=", operator.ipow, operator.pow),
]
every_operator = pytest.mark.parametrize(
    ("sign", "in_place", "plain"), IN_PLACE, ids=[sign for sign, *_ in IN_PLACE]
)


@every_operator
class TestInPlaceOperators:
    @pytest.mark.parametrize("make", LEAVES)
    def test_a_leaf_that_holds_a_gradient(
        self, make: Callable[..., TRNode], sign: str, in_place: Any, plain: Any
    ) -> None:
        for value in (3.0, 0.0, INF, NAN):
            w = make(value)
            (w * 2.0).backward()
            for other in (2, 2.0, real(2.0), TRNode.parameter(2.0), np.float64(2.0)):
                with pytest.raises(TypeError) as refused:
                    in_place(w, other)
                told = str(refused.value)
                assert told.startswith(f"{sign} gives a new node")
                assert "w.assign(w.value - lr * w.gradient)" in told
                assert f"y = w {sign[:-1]} x" in told
            assert same(w.value, value)
            assert w.is_leaf

    def test_all_other_nodes(self, sign: str, in_place: Any, plain: Any) -> None:
        used = TRNode.parameter(3.0)
        inner = used * 2.0
        inner.backward()
        nodes = [TRNode.parameter(3.0), TRNode.input(3.0), TRNode.constant(3.0), inner]
        for node in nodes:
            for other in (2, 2.5, real(2.0), used, np.float64(2.0)):
                found, expected = in_place(node, other), plain(node, other)
                assert hash(found) not in (hash(node), hash(expected))
                assert same(found.value, expected.value)
                assert found.op is expected.op

    def test_a_function_that_rebinds_its_argument(
        self, sign: str, in_place: Any, plain: Any
    ) -> None:
        assert tr_grad(lambda x: in_place(x, 3))(2.0) == tr_grad(lambda x: plain(x, 3))(2.0)

    def test_what_is_no_operand(self, sign: str, in_place: Any, plain: Any) -> None:
        with pytest.raises(TypeError):
            in_place(TRNode.parameter(1.0), "a")

    def test_arrays_of_nodes(self, sign: str, in_place: Any, plain: Any) -> None:
        w = TRNode.parameter(3.0)
        found = in_place(w, np.array([1.0, 2.0]))
        assert [x.value for x in found] == [x.value for x in plain(w, np.array([1.0, 2.0]))]


def test_gradient_descent_reads_as_the_message_says() -> None:
    w = TRNode.parameter(0.0)
    for _ in range(60):
        ((w - 3.0) * (w - 3.0)).backward()
        w.assign(w.value - 0.25 * w.gradient)
        w.zero_grad()
    assert same(w.value, 3.0)
