"""Tracers: what a function traced for batches sees, and what it must not ask."""

from __future__ import annotations

import copy
import functools
import math
import operator
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import zeroproof
from support.ops import NAMES, node_op, scalar_op
from support.values import SPECIALS, same
from zeroproof import TRNode, TRScalar, phi, real, tr_vmap
from zeroproof.autodiff import tr_ops_grad
from zeroproof.core import ReductionMode

Function = Callable[..., Any]


def listing(function: Function, *args: Any) -> list[str]:
    """The operations of a function as the program lists them."""
    lines = str(tr_vmap(function).program(*args)).splitlines()
    return [line for line in lines if not line.endswith("per sample")]


def check(function: Function, *columns: Any) -> None:
    """The replayed function has the bits of the function called on nodes, sample by sample."""
    arrays = [np.array(column, dtype=float) for column in columns]
    found = tr_vmap(function)(*arrays)
    assert len(found) == len(arrays[0]) > 0
    for place, sample in enumerate(zip(*arrays)):
        expected = function(*[TRNode.constant(x) for x in sample])
        assert same(found[place], expected), sample


def pairs() -> tuple[list[float], list[float]]:
    crossed = [(a, b) for a in SPECIALS for b in SPECIALS]
    return [a for a, _ in crossed], [b for _, b in crossed]


class TestOperations:
    @pytest.mark.parametrize("family", [scalar_op, node_op])
    @pytest.mark.parametrize("name", NAMES["unary"])
    def test_unary(self, family: Callable[[str], Function], name: str) -> None:
        check(family(name), SPECIALS)

    @pytest.mark.parametrize("family", [scalar_op, node_op])
    @pytest.mark.parametrize("name", NAMES["binary"])
    def test_binary(self, family: Callable[[str], Function], name: str) -> None:
        apply = family(name)
        check(apply, *pairs())
        for constant in (2.0, real(-0.0), phi(), TRNode.constant(3.0), np.float32(0.1), 2, True):
            check(lambda x, c=constant: apply(x, c), SPECIALS)
            check(lambda x, c=constant: apply(c, x), SPECIALS)

    @pytest.mark.parametrize("family", [scalar_op, node_op])
    @pytest.mark.parametrize("n", [-3, -1, 0, 1, 2, 5, np.int64(3)])
    def test_powers(self, family: Callable[[str], Function], n: int) -> None:
        check(lambda x: family("pow_int")(x, n), SPECIALS)

    @pytest.mark.parametrize("mode", [None, *ReductionMode])
    @pytest.mark.parametrize("family", [scalar_op, node_op])
    @pytest.mark.parametrize("name", NAMES["variadic"])
    def test_reductions(self, name: str, family: Callable[[str], Function], mode: Any) -> None:
        apply = family(name)
        check(lambda a, b: apply([a, 1.0, b, real(2.0), TRNode.constant(0.5)], mode), *pairs())
        check(lambda a: apply(iter([a]), mode), SPECIALS)

    def test_operators(self) -> None:
        operators = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]
        for apply in [*operators, operator.mod]:
            check(apply, *pairs())
            for constant in (2.0, 3, real(0.0), TRNode.constant(-1.0), np.float64(2.0)):
                check(lambda x, f=apply, c=constant: f(x, c), SPECIALS)
                check(lambda x, f=apply, c=constant: f(c, x), SPECIALS)
        check(lambda x: -(abs(+x) ** 3) + x**-2, SPECIALS)

    def test_each_operation_is_recorded_once_and_in_order(self) -> None:
        def function(x: TRNode) -> TRNode:
            return (x + x) * x - 0.0 * x

        assert listing(function, [1.0]) == [
            "%0 = x + x",
            "%1 = %0 × x",
            "%2 = 0 × x",
            "%3 = %1 − %2",
            "return %3",
        ]

    def test_nothing_is_simplified(self) -> None:
        # x/x is Φ at 0 and 0·x is Φ at ∞.
        check(lambda x: x / x, SPECIALS)
        check(lambda x: 0.0 * x, SPECIALS)

    def test_arrays_of_numbers_meet_a_tracer_element_by_element(self) -> None:
        numbers = np.array([1.0, 0.0, np.inf, np.nan])

        def left(x: TRNode) -> Any:
            return x / numbers

        def right(x: TRNode) -> Any:
            return numbers / x

        for function in (left, right):
            found = tr_vmap(function)(np.array([0.0, -2.0]))
            assert found.shape == (2, 4)
            for row, x in zip(found, (0.0, -2.0)):
                expected = function(TRNode.constant(x))
                assert all(same(a, b) for a, b in zip(row, expected))

    def test_arrays_of_tracers_work_as_arrays_of_nodes(self) -> None:
        def function(a: Any, b: Any) -> Any:
            first, *rest = a
            return a @ b + a[1:].sum() * b[0] - sum(rest, first) + (2.0 * a - b / 3.0)[::-1].sum()

        a, b = np.random.default_rng(0).normal(size=(2, 5, 3))
        found = tr_vmap(function)(a, b)
        for place in range(5):
            nodes = [np.array([TRNode.constant(x) for x in row]) for row in (a[place], b[place])]
            assert same(found[place], function(*nodes))

    def test_a_matrix_is_indexed_as_it_lies(self) -> None:
        matrix = np.arange(6.0).reshape(2, 3)
        apply = tr_vmap(lambda m, x: m[1, 2] * x + m[0][1], in_axes=(None, 0))
        assert "m[1, 2] × x" in str(apply.program(matrix, [1.0]))
        assert apply(matrix, [1.0, 2.0]) == pytest.approx([6.0, 11.0])


class TestUnknown:
    @pytest.mark.parametrize(
        "ask",
        [
            bool,
            float,
            int,
            complex,
            math.sin,
            lambda x: x if x else -x,
            lambda x: x and 1.0,
            lambda x: x.value,
            lambda x: x.tag,
            lambda x: x < 1.0,
            lambda x: x <= x,
            lambda x: real(1.0) > x,
            lambda x: x == 1.0,
            lambda x: x != 1.0,
            lambda x: real(1.0) == x,
            lambda x: TRNode.constant(1.0) == x,
            lambda x: bool(np.float64(1.0) != x),
            pytest.param(
                lambda x: np.array([1.0]) == np.array([x]),
                marks=pytest.mark.skipif(
                    np.lib.NumpyVersion(np.__version__) < "1.25.0",
                    reason="older NumPy answers False where a comparison raises",
                ),
            ),
            lambda x: x in [1.0],
            lambda x: max(x, 0.0),
            lambda x: TRScalar(x),
            TRNode.parameter,
            zeroproof.is_real,
        ],
    )
    def test_values_are_refused_with_the_reason_and_the_way_out(self, ask: Function) -> None:
        with pytest.raises(TypeError) as caught:
            tr_vmap(ask)([1.0])
        message = str(caught.value)
        for part in ("traced once", "replayed", "tr_where", "tr_minimum", "tr_maximum"):
            assert part in message

    @pytest.mark.parametrize(
        ("whole", "pair"),
        [
            (zeroproof.tr_prod, tr_ops_grad.tr_mul),
            (zeroproof.tr_min, tr_ops_grad.tr_minimum),
            (zeroproof.tr_max, tr_ops_grad.tr_maximum),
        ],
    )
    def test_reductions_and_folds_of_pairs(self, whole: Function, pair: Function) -> None:
        check(lambda a, b: whole([a, b, 2.0]), *pairs())
        check(lambda a, b: functools.reduce(pair, [a, b, 2.0]), *pairs())
        with pytest.raises(TypeError, match="str"):
            tr_vmap(lambda x: whole([x, "2"]))([1.0])

    @pytest.mark.parametrize("name", ["gradient", "backward", "requires_grad", "detach"])
    def test_the_graph_is_refused_with_the_way_out(self, name: str) -> None:
        with pytest.raises(TypeError, match=rf"no {name}.*value_and_grad"):
            tr_vmap(lambda x: getattr(x, name))([1.0])

    def test_what_no_node_has_a_tracer_has_not(self) -> None:
        seen = []

        def function(x: TRNode) -> TRNode:
            seen.append(hasattr(x, "imag"))
            with pytest.raises(TypeError, match="no length"):
                len(x)  # type: ignore[arg-type]
            with pytest.raises(TypeError, match="no elements"):
                iter(x)  # type: ignore[call-overload]
            with pytest.raises(TypeError):
                x[0]  # type: ignore[index]
            return x

        tr_vmap(function)([1.0])
        assert seen == [False]

    def test_identity_and_hash(self) -> None:
        def function(x: TRNode, y: TRNode) -> TRNode:
            names = {x: "x", y: "y"}
            assert (names[x], names[y]) == ("x", "y")
            assert x in [x]
            assert "Tracer" in repr(x)
            return x

        assert tr_vmap(function)([1.0], [2.0]) == 1.0

    @pytest.mark.parametrize("make", [copy.deepcopy, pickle.dumps])
    def test_no_copy(self, make: Function) -> None:
        with pytest.raises(TypeError, match="Tracer"):
            tr_vmap(make)([1.0])


class TestForeignOperands:
    @pytest.mark.parametrize("other", ["1", None, 1j, {1.0}, object()])
    def test_what_is_no_number(self, other: Any) -> None:
        for apply in (operator.add, operator.truediv, tr_ops_grad.tr_mul, zeroproof.tr_maximum):
            with pytest.raises(TypeError, match=type(other).__name__):
                tr_vmap(lambda x, f=apply: f(x, other))([1.0])

    @pytest.mark.parametrize("n", [0.5, 2.0, "2", real(2.0)])
    def test_exponents_of_pow_int_are_ints(self, n: Any) -> None:
        for apply in (zeroproof.tr_pow_int, tr_ops_grad.tr_pow_int):
            with pytest.raises(TypeError, match="exponent must be an int"):
                tr_vmap(lambda x, f=apply: f(x, n))([1.0])

    def test_exponents_are_numbers(self) -> None:
        for bad in ("2", None):
            with pytest.raises(TypeError, match="unsupported operand"):
                tr_vmap(lambda x, n=bad: x**n)([1.0])
        with pytest.raises(TypeError, match="modulus"):
            tr_vmap(lambda x: pow(x, 2, 3))([1.0])

    def test_as_many_operands_as_the_operation_has(self) -> None:
        for call in (
            lambda x: zeroproof.tr_sin(x, x),
            lambda x: zeroproof.tr_add(x),
            lambda x: tr_ops_grad.tr_pow_int(x),
            lambda x: tr_ops_grad.tr_sin(),
        ):
            with pytest.raises(TypeError, match=r"takes . argument"):
                tr_vmap(call)([1.0])
        with pytest.raises(TypeError, match="keyword"):
            tr_vmap(lambda x: zeroproof.tr_add(x, b=x))([1.0])  # type: ignore[call-overload]

    def test_a_parameter_must_be_an_argument(self) -> None:
        weight = TRNode.parameter(2.0)
        for function in (
            lambda x: weight * x,
            lambda x: tr_ops_grad.tr_mul(weight, x),
            lambda x: tr_ops_grad.tr_sum([weight, x]),
            lambda x: (x, weight),
        ):
            with pytest.raises(TypeError, match=r"pass it as an argument.*detach"):
                tr_vmap(function)([1.0])
        assert tr_vmap(lambda x: weight.detach() * x)([1.0, 3.0]) == pytest.approx([2.0, 6.0])

    def test_arrays_are_refused_by_lifted_functions_as_for_nodes(self) -> None:
        with pytest.raises(TypeError, match="one by one"):
            tr_vmap(tr_ops_grad.tr_sin)(np.ones((2, 3)))
        assert tr_vmap(zeroproof.tr_exp)(np.zeros((2, 3))).values.tolist() == [[1.0] * 3] * 2


class TestLeaks:
    def test_a_tracer_kept_for_later_is_refused(self) -> None:
        kept = []

        def keep(x: TRNode) -> TRNode:
            kept.append(x)
            return x

        tr_vmap(keep)([1.0])
        leak = kept[0]
        for use in (
            lambda: leak + 1.0,
            lambda: zeroproof.tr_sin(leak),
            lambda: zeroproof.tr_less(leak, 1.0),
            lambda: tr_vmap(lambda x: x + leak)([1.0]),
            lambda: tr_vmap(lambda x: leak)([1.0]),
            lambda: tr_vmap(lambda x: (x, leak))([1.0]),
            lambda: tr_vmap(lambda x: zeroproof.tr_where(zeroproof.tr_less(x, 0), x, leak))([1.0]),
        ):
            with pytest.raises(TypeError, match="outside the call"):
                use()

    def test_also_after_a_trace_that_failed(self) -> None:
        kept = []

        def fail(x: TRNode) -> TRNode:
            kept.append(x)
            raise RuntimeError("mine")

        with pytest.raises(RuntimeError, match="mine"):
            tr_vmap(fail)([1.0])
        with pytest.raises(TypeError, match="outside the call"):
            kept[0] * 2.0

    def test_traces_do_not_mix(self) -> None:
        def outer(x: TRNode) -> Any:
            return tr_vmap(lambda y: y + x)([1.0])

        with pytest.raises(TypeError, match="outside the call"):
            tr_vmap(outer)([1.0])

    def test_a_batched_call_takes_no_tracers(self) -> None:
        inner = tr_vmap(lambda y: y)
        for given, holds in [
            (lambda x: x, "is"),
            (lambda x: [x, 1.0], "holds"),
            (lambda x: np.array([[1.0, x]]), "holds"),
            (lambda x: zeroproof.tr_is_real(x), "is"),
        ]:
            message = rf"argument 0 \(y\) of <lambda> {holds} a tracer: .*call the function itself"
            with pytest.raises(TypeError, match=message):
                tr_vmap(lambda x, given=given: inner(given(x)))([1.0])
        assert tr_vmap(lambda x: inner.__wrapped__(x))([1.0]) == 1.0
