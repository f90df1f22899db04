"""Nodes: constructors, properties, operators, gradients as state, text, pickling, threads."""

from __future__ import annotations

import copy
import math
import operator
import pickle
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from support.formulas import pow_int
from support.gradients import EXACT, MASKED
from support.op_cases import CASES
from support.values import INF, NAN, SPECIALS, same, ulps
from zeroproof.autodiff.tr_node import OpType, TRNode
from zeroproof.autodiff.tr_ops_grad import tr_add, tr_div, tr_pow, tr_pow_int, tr_sin
from zeroproof.core import TRScalar, TRTag, phi, pinf, real

OPERATORS: dict[str, tuple[Callable[[Any, Any], Any], OpType]] = {
    "add": (operator.add, OpType.ADD),
    "sub": (operator.sub, OpType.SUB),
    "mul": (operator.mul, OpType.MUL),
    "div": (operator.truediv, OpType.DIV),
    "remainder": (operator.mod, OpType.REMAINDER),
}


class TestLeaves:
    @pytest.mark.parametrize("x", SPECIALS)
    def test_every_value(self, x: float) -> None:
        for make in (TRNode.parameter, TRNode.constant, TRNode.input):
            for given in (x, TRScalar(x), np.float64(x)):
                node = make(given)
                assert isinstance(node.value, TRScalar)
                assert same(node.value, x)
                assert node.tag is TRScalar(x).tag
                assert node.is_leaf
                assert node.inputs == ()
                assert node.gradient is None
                assert node.gradient_status is EXACT

    def test_kinds(self) -> None:
        parameter, constant, coordinate = (
            TRNode.parameter(1.0, name="w"),
            TRNode.constant(1.0),
            TRNode.input(1.0, name="x"),
        )
        assert [n.op for n in (parameter, constant, coordinate)] == [
            OpType.PARAMETER,
            OpType.CONSTANT,
            OpType.INPUT,
        ]
        assert [n.requires_grad for n in (parameter, constant, coordinate)] == [True, False, True]
        assert [n.name for n in (parameter, constant, coordinate)] == ["w", None, "x"]

    @pytest.mark.parametrize("bad", ["1", None, 1j, [1.0], np.array([1.0])])
    def test_what_is_no_number_is_refused(self, bad: Any) -> None:
        for make in (TRNode.parameter, TRNode.constant, TRNode.input):
            with pytest.raises(TypeError):
                make(bad)

    def test_huge_integers_round_to_infinity(self) -> None:
        assert TRNode.parameter(10**400).value == pinf()

    def test_nodes_are_not_made_or_changed_directly(self) -> None:
        with pytest.raises(TypeError):
            TRNode(1.0)  # type: ignore[call-arg]
        for name in ("gradient", "name", "op", "other"):
            with pytest.raises(AttributeError):
                setattr(TRNode.parameter(1.0), name, 2.0)


@pytest.mark.parametrize("name", sorted(OPERATORS))
@pytest.mark.parametrize("b", [2.5, 0.0, -0.0, INF, NAN])
@pytest.mark.parametrize("a", [1.0, 0.0, -INF, NAN])
def test_operators_with_anything_on_either_side(name: str, a: float, b: float) -> None:
    apply, op = OPERATORS[name]
    x = TRNode.parameter(b)
    others: list[Any] = [a, TRScalar(a), np.float64(a), np.float32(a), np.float16(a), np.array(a)]
    others += [TRNode.constant(a), TRNode.parameter(a)]
    if a in (0.0, 1.0):
        others += [int(a), bool(a), np.int64(a), np.uint8(a), np.bool_(a)]
    for other in others:
        for node, expected, order in (
            (apply(x, other), CASES[name].value(b, a), 0),
            (apply(other, x), CASES[name].value(a, b), 1),
        ):
            assert isinstance(node, TRNode), type(other)
            assert same(node.value, expected), (type(other), order)
            assert node.op is op
            assert node.requires_grad
            assert not node.is_leaf
            assert node.inputs[order] == x
            assert [i.item() for i in node.inputs] == pytest.approx(
                [b, a] if order == 0 else [a, b], nan_ok=True
            )


def test_a_constant_on_the_left_of_a_division_has_the_right_gradient() -> None:
    for left in (3, 3.0, np.float64(3), real(3.0), TRNode.constant(3.0)):
        x = TRNode.parameter(2.0)
        (left / x).backward()
        assert x.gradient == -0.75
        x = TRNode.parameter(2.0)
        (left - x).backward()
        assert x.gradient == -1.0


def test_what_is_no_operand_is_refused() -> None:
    x = TRNode.parameter(1.0)
    for bad in ("1", None, 1j, [1.0], np.complex64(1j), np.array("2.5")):
        for apply, _ in OPERATORS.values():
            with pytest.raises(TypeError):
                apply(x, bad)
            with pytest.raises(TypeError):
                apply(bad, x)
    for apply in (operator.floordiv, operator.matmul):
        with pytest.raises(TypeError):
            apply(x, x)


def test_unary_operators() -> None:
    x = TRNode.parameter(-2.0)
    assert ((-x).value, (+x).value, abs(x).value) == (2.0, -2.0, 2.0)
    assert ((-x).op, abs(x).op) == (OpType.NEG, OpType.ABS)


class TestPower:
    @pytest.mark.parametrize("n", [-3, -1, 0, 1, 2, 7, np.int8(3), np.uint64(2), True])
    def test_by_integers(self, n: Any) -> None:
        node = TRNode.parameter(1.5) ** n
        assert node.op is (OpType.POW_INT if n else OpType.UNIT)
        assert same(node.value, pow_int(1.5, int(n)))
        assert same(tr_pow_int(1.5, n).value, node.value)

    @pytest.mark.parametrize("b", [2.0, 0.5, real(2.0), np.float64(0.5), TRNode.constant(1.5)])
    def test_by_other_numbers(self, b: Any) -> None:
        node = TRNode.parameter(1.5) ** b
        assert node.op is OpType.POW
        assert same(node.value, tr_pow(1.5, b).value)
        assert ulps(float(node.value), 1.5 ** float(b)) <= 1
        with pytest.raises(TypeError, match="exponent must be an int"):
            tr_pow_int(1.5, b)

    def test_of_nodes(self) -> None:
        x, y = TRNode.parameter(2.0), TRNode.parameter(3.0)
        for base, node in ((2.0, 2.0**y), (2, 2**y), (2.0, real(2.0) ** y), (2.0, x**y)):
            assert node.op is OpType.POW
            assert node.value == 8.0
            assert node.inputs[0].item() == base
        (x**y).backward()
        assert x.gradient == 12.0
        assert float(y.gradient) == pytest.approx(8.0 * math.log(2.0), rel=1e-15)

    def test_what_is_no_exponent(self) -> None:
        x = TRNode.parameter(2.0)
        for bad in ("2", None, 1j):
            with pytest.raises(TypeError, match="unsupported operand"):
                x**bad
        with pytest.raises(TypeError, match="modulus"):
            pow(x, 2, 3)

    def test_exponents_beyond_32_bits_are_refused(self) -> None:
        for n in (2**31, -(2**31), 10**30):
            with pytest.raises(OverflowError, match="2147483647"):
                TRNode.parameter(1.0) ** n


class TestGradientState:
    def test_none_before_then_accumulated_until_zeroed(self) -> None:
        x = TRNode.parameter(3.0)
        y = x * x
        assert x.gradient is None
        y.backward()
        assert x.gradient == 6.0
        y.backward()
        assert x.gradient == 12.0
        (x * 2.0).backward()
        assert x.gradient == 14.0
        x.zero_grad()
        assert x.gradient is not None
        assert same(x.gradient, 0.0)
        assert x.gradient.tag is TRTag.REAL
        y.backward()
        assert x.gradient == 6.0

    def test_status_accumulates_with_the_gradient(self) -> None:
        x = TRNode.parameter(0.0)
        (1.0 / x).backward()
        (x * 5.0).backward()
        assert (x.gradient, x.gradient_status) == (real(5.0), MASKED)
        x.zero_grad()
        assert x.gradient_status is EXACT
        (x * 5.0).backward()
        assert x.gradient_status is EXACT

    def test_zero_grad_before_any_backward(self) -> None:
        for node in (TRNode.parameter(1.0), TRNode.parameter(1.0) * 2.0, TRNode.constant(1.0)):
            node.zero_grad()
            assert node.gradient == 0.0

    def test_inputs_accumulate_and_constants_do_not(self) -> None:
        x, c = TRNode.input(2.0), TRNode.constant(5.0)
        y = x * c
        y.backward()
        y.backward()
        assert x.gradient == 10.0
        assert c.gradient is None

    def test_intermediate_nodes_show_the_last_pass(self) -> None:
        x = TRNode.parameter(2.0)
        y = x * 3.0
        z = y * y
        z.backward()
        assert (z.gradient, y.gradient, x.gradient) == (1.0, 12.0, 36.0)
        z.backward(10.0)
        assert (z.gradient, y.gradient, x.gradient) == (10.0, 120.0, 396.0)
        y.zero_grad()
        assert y.gradient == 0.0
        assert x.gradient == 396.0

    def test_intermediate_gradients_survive_reclaiming(self) -> None:
        x = TRNode.parameter(2.0)
        y = x * 3.0
        (y * y).backward()
        for k in range(10_000):
            kept = TRNode.parameter(float(k)) * 2.0
        assert kept.value == 19998.0
        assert (y.gradient, x.gradient) == (12.0, 36.0)

    @pytest.mark.parametrize("seed", [2.5, 3, real(2.5), np.float32(2.5), TRNode.constant(2.5)])
    def test_the_root_adjoint_is_any_number(self, seed: Any) -> None:
        x = TRNode.parameter(4.0)
        (x * 2.0).backward(seed)
        assert x.gradient == 2.0 * float(seed)
        with pytest.raises(TypeError):
            (x * 2.0).backward("1")  # type: ignore[arg-type]

    def test_a_leaf_may_be_the_root(self) -> None:
        x = TRNode.parameter(4.0)
        x.backward(3.0)
        assert x.gradient == 3.0

    @pytest.mark.parametrize("x", [4.0, 0.0, INF, NAN])
    def test_a_root_without_parameters_is_refused(self, x: float) -> None:
        c = TRNode.constant(x)
        for root in (c, c * 2.0, 1.0 / c, tr_sin(3.0), TRNode.parameter(x).detach() + 1):
            assert not root.requires_grad
            with pytest.raises(RuntimeError, match="depends on no parameter"):
                root.backward()


def test_detach_cuts_the_graph() -> None:
    x = TRNode.parameter(3.0)
    y = x * x
    cut = y.detach()
    assert cut.op is OpType.CONSTANT
    assert (cut.value, cut.is_leaf, cut.requires_grad, cut.inputs) == (9.0, True, False, ())
    (y * cut).backward()
    assert x.gradient == 54.0
    assert cut.gradient is None


def test_operations_on_constants_give_constants() -> None:
    node = tr_add(TRNode.constant(1.0), 2)
    assert (node.value, node.op, node.inputs) == (3.0, OpType.CONSTANT, ())


class TestText:
    def test_repr_shows_value_tag_name_op_and_gradient(self) -> None:
        w = TRNode.parameter(2.0, name="weight")
        y = tr_div(1.0, w)
        y.backward()
        for part in ("2.0", "REAL", "weight", "parameter", "-0.25"):
            assert part in repr(w)
        assert "div" in repr(y)
        assert "+∞" in repr(1.0 / TRNode.parameter(0.0))
        assert "PINF" in repr(1.0 / TRNode.parameter(0.0))

    def test_repr_tells_a_masked_zero_from_a_true_one(self) -> None:
        x = TRNode.parameter(0.0)
        (1.0 / x).backward()
        assert "MASKED" in repr(x)
        x.zero_grad()
        assert "MASKED" not in repr(x)

    def test_nodes_format_as_numbers(self) -> None:
        x = TRNode.parameter(1 / 3)
        assert f"{x:.3f}" == "0.333"
        assert f"{x.value:.3f}" == "0.333"
        assert f"{1.0 / TRNode.constant(0.0):>5.1f}" == "   +∞"
        assert f"{x}" == repr(x) == str(x)


class TestComparison:
    def test_by_value(self) -> None:
        x, y = TRNode.parameter(1.0), TRNode.parameter(2.0)
        assert x < y <= 2.0 < TRNode.constant(INF)
        assert x == 1.0 == x
        assert real(1.0) == x
        assert np.float64(1.0) == x
        assert x != y
        assert TRNode.constant(NAN) == phi()
        assert not TRNode.constant(NAN) <= TRNode.constant(NAN)
        assert (x == None) is False  # noqa: E711
        assert bool(x)
        assert not TRNode.constant(NAN)

    def test_hash_is_identity(self) -> None:
        x, y = TRNode.parameter(1.0), TRNode.parameter(1.0)
        assert hash(x) != hash(y)
        assert hash((x * 2.0).inputs[0]) == hash(x)
        assert {x: "x", y: "y"}[x] == "x"


class TestCopies:
    @pytest.mark.parametrize("value", [2.0, -0.0, INF, NAN])
    @pytest.mark.parametrize("kind", ["parameter", "input", "constant"])
    def test_a_leaf_round_trips_without_its_gradient(self, kind: str, value: float) -> None:
        named = {} if kind == "constant" else {"name": "w"}
        leaf = getattr(TRNode, kind)(value, **named)
        if kind != "constant":
            (leaf * 2.0).backward()
        copies = [pickle.loads(pickle.dumps(leaf, p)) for p in range(pickle.HIGHEST_PROTOCOL + 1)]
        for other in [*copies, copy.copy(leaf), copy.deepcopy({"w": leaf})["w"]]:
            assert same(other.value, value)
            assert (other.op, other.name, other.gradient) == (leaf.op, leaf.name, None)
            assert hash(other) != hash(leaf)

    def test_a_node_with_a_graph_refuses(self) -> None:
        y = TRNode.parameter(1.0) * 2.0
        for attempt in (lambda: pickle.dumps(y), lambda: copy.copy(y), lambda: copy.deepcopy([y])):
            with pytest.raises(TypeError, match="detach"):
                attempt()
        assert pickle.loads(pickle.dumps(y.detach())).value == 2.0


def test_nodes_made_in_one_thread_work_in_another() -> None:
    x = TRNode.parameter(3.0)
    y = x * x
    seen: list[Any] = []

    def work() -> None:
        z = y + x
        z.backward()
        seen.append((z.value, x.gradient))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(12.0, 7.0)]
    assert x.gradient == 7.0
