"""One function per operation, which answers in the kind of its operands."""

from __future__ import annotations

import pickle
import warnings
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import zeroproof
from support.ops import NAMES, node_op, scalar_op
from support.values import same
from zeroproof import TRNode, TRScalar, autodiff, core, phi, pinf, real, tr_vmap
from zeroproof.core import ReductionMode

OPERANDS = {"unary": 1, "power": 1, "binary": 2}
ELEMENTWISE = [(name, arity) for arity in OPERANDS for name in NAMES[arity]]
ALL = [name for name, _ in ELEMENTWISE] + NAMES["variadic"]
SPECIAL = [float("-inf"), -1.0, -0.0, 0.0, 0.5, 1.0, 2.0, float("inf"), float("nan")]


def arguments(arity: str, operand: Any) -> tuple[Any, ...]:
    return (operand,) * OPERANDS[arity] + ((3,) if arity == "power" else ())


@pytest.mark.parametrize("name", ALL)
def test_there_is_one_function(name: str) -> None:
    function = getattr(zeroproof, f"tr_{name}")
    assert function is getattr(core, f"tr_{name}") is getattr(autodiff, f"tr_{name}")
    assert function is not node_op(name)
    assert pickle.loads(pickle.dumps(function)) is function
    assert pickle.loads(pickle.dumps(node_op(name))) is node_op(name)


@pytest.mark.parametrize(("name", "arity"), ELEMENTWISE)
class TestElementwise:
    def test_numbers_give_a_scalar(self, name: str, arity: str) -> None:
        expected = scalar_op(name)(*arguments(arity, real(0.5)))
        for number in (0.5, real(0.5), np.float64(0.5), np.float32(0.5), Fraction(1, 2)):
            found = scalar_op(name)(*arguments(arity, number))
            assert type(found) is TRScalar
            assert same(found, expected)

    def test_a_node_gives_a_node(self, name: str, arity: str) -> None:
        x = TRNode.parameter(0.5)
        found = scalar_op(name)(*arguments(arity, x))
        assert type(found) is TRNode
        assert found.op.name.lower() == name
        assert same(found.value, scalar_op(name)(*arguments(arity, 0.5)))
        if arity == "binary":
            assert type(scalar_op(name)(0.5, x)) is type(scalar_op(name)(x, 0.5)) is TRNode

    def test_the_lifted_function_gives_a_node_of_numbers(self, name: str, arity: str) -> None:
        assert type(node_op(name)(*arguments(arity, 0.5))) is TRNode
        with pytest.raises(TypeError, match="ndarray"):
            node_op(name)(*arguments(arity, np.ones(2)))

    def test_an_array_gives_an_array_of_what_each_element_gives(
        self, name: str, arity: str
    ) -> None:
        numbers = np.array(SPECIAL).reshape(3, 3)
        mixed = np.empty(4, dtype=object)
        mixed[:] = [TRNode.parameter(0.5), real(0.5), 2, phi()]
        for array in (numbers, numbers.T, mixed, np.arange(3), np.empty((0, 2))):
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                found = scalar_op(name)(*arguments(arity, array))
            assert type(found) is np.ndarray
            assert (found.dtype, found.shape) == (np.dtype(object), array.shape)
            for place in np.ndindex(array.shape):
                expected = scalar_op(name)(*arguments(arity, array[place]))
                assert type(found[place]) is type(expected)
                assert same(_value(found[place]), _value(expected))


def _value(result: Any) -> TRScalar:
    return result.value if isinstance(result, TRNode) else result


class TestBroadcasting:
    def test_shapes_go_together_as_those_of_numpy(self) -> None:
        column, row = np.array([[1.0], [2.0], [0.0]]), np.array([0.0, -1.0])
        found = core.tr_div(column, row)
        assert found.shape == (3, 2)
        assert [str(x) for x in found.flat] == ["+∞", "-1.0", "+∞", "-2.0", "Φ", "-0.0"]

    @pytest.mark.parametrize("other", [2.0, real(2.0), np.float32(2.0), 2])
    def test_with_a_number_on_either_side(self, other: Any) -> None:
        assert core.tr_sub(np.array([1.0, 5.0]), other).tolist() == [real(-1.0), real(3.0)]
        assert core.tr_sub(other, np.array([1.0, 5.0])).tolist() == [real(1.0), real(-3.0)]

    def test_with_a_node_on_either_side(self) -> None:
        x = TRNode.parameter(2.0)
        for found in (core.tr_mul(np.array([1.0, 5.0]), x), core.tr_mul(x, np.array([1.0, 5.0]))):
            assert [type(z) for z in found] == [TRNode, TRNode]
            core.tr_sum(found).backward()
            assert x.gradient == 6.0
            x.zero_grad()

    def test_exponents_broadcast_too(self) -> None:
        found = core.tr_pow_int(np.array([[2.0], [0.0]]), np.array([-1, 2]))
        assert [float(x) for x in found.flat] == [0.5, 4.0, float("inf"), 0.0]
        assert core.tr_pow_int(3, np.array([2, 3])).tolist() == [real(9.0), real(27.0)]
        with pytest.raises(TypeError, match="the exponent must be an int"):
            core.tr_pow_int(np.ones(2), 0.5)

    def test_shapes_that_do_not_go_together(self) -> None:
        with pytest.raises(ValueError, match="shape mismatch"):
            core.tr_add(np.ones(2), np.ones(3))

    def test_no_dimensions_give_the_one_answer(self) -> None:
        boxed = np.empty((), dtype=object)
        boxed[()] = TRNode.parameter(1.0)
        assert type(core.tr_log(boxed)) is TRNode
        assert core.tr_log(boxed).requires_grad
        assert core.tr_log(np.array(0.0)) == phi()

    @pytest.mark.parametrize(
        "array", [np.array(["1"]), np.array([1j]), np.array([None]), np.ma.masked_array([1.0], [1])]
    )
    def test_what_holds_no_numbers_is_refused(self, array: Any) -> None:
        with pytest.raises(TypeError):
            core.tr_exp(array)

    def test_arrays_within_arrays_are_refused(self) -> None:
        nested = np.empty(1, dtype=object)
        nested[0] = nested
        with pytest.raises(TypeError, match="expected a TRNode, a TRScalar or a number"):
            core.tr_exp(nested)


class TestTracing:
    def test_arrays_of_tracers(self) -> None:
        def f(x: Any, y: Any) -> Any:
            return core.tr_sum(core.tr_div(core.tr_log(x), y))

        x, y = np.array([[1.0, 2.0], [0.0, 3.0]]), np.array([2.0, 0.5])
        found = tr_vmap(f)(x, y)
        for sample in range(2):
            assert same(real(0.0) + found[sample], f(x[sample], float(y[sample])))

    def test_a_tracer_with_an_array_of_numbers(self) -> None:
        weights = np.array([1.0, 2.0, 3.0])
        found = tr_vmap(lambda x: core.tr_sum(core.tr_mul(weights, x)))(np.array([1.0, -2.0]))
        assert found.values.tolist() == [6.0, -12.0]

    @pytest.mark.parametrize("name", ["sum", "mean", "norm", "logsumexp"])
    def test_reductions(self, name: str) -> None:
        function = scalar_op(name)
        found = tr_vmap(lambda x: function([x, 1.0, x]))(np.array([0.5, 2.0]))
        for sample, x in enumerate((0.5, 2.0)):
            assert same(real(0.0) + found[sample], function([x, 1.0, x]))


@pytest.mark.parametrize("name", NAMES["variadic"])
class TestReductions:
    def test_in_kind(self, name: str) -> None:
        function, x = scalar_op(name), TRNode.parameter(2.0)
        assert type(function([1.0, real(2.0), np.float32(3.0)])) is TRScalar
        assert type(function(np.array([1.0, 2.0]))) is TRScalar
        assert type(function([])) is TRScalar
        assert type(function([1.0, x])) is type(function(np.array([x, 1.0]))) is TRNode
        assert type(node_op(name)([1.0])) is type(node_op(name)([])) is TRNode

    def test_mode(self, name: str) -> None:
        function, values = scalar_op(name), [1.0, phi(), pinf()]
        for mode in ReductionMode:
            by_name = function(values=iter(values), mode=mode)
            assert same(by_name, function(values, mode))
            assert same(by_name, node_op(name)(values, mode).value)
        assert same(function([1.0, 2.0], None), function([1.0, 2.0]))

    def test_what_is_no_number(self, name: str) -> None:
        for wrong in ([1.0, "2"], [np.ones(2)], [None]):
            with pytest.raises(TypeError, match="expected a TRNode, a TRScalar or a number"):
                scalar_op(name)(wrong)
        with pytest.raises(TypeError, match="missing required argument 'values'"):
            scalar_op(name)()


def test_a_masked_array_is_refused_everywhere() -> None:
    masked = np.ma.masked_array([1.0, 2.0], mask=[False, True])
    x = TRNode.parameter(1.0)
    for refused in (
        lambda: zeroproof.tr_add(1.0, masked),
        lambda: zeroproof.tr_sum(masked),
        lambda: x + masked,
        lambda: real(1.0) * masked,
    ):
        with pytest.raises(TypeError, match="masked array is no operand"):
            refused()
