"""Every op takes every double: no exception, no warning, the tag and value of the tables."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.op_case import OpCase
from support.op_cases import cases
from support.ops import node_op, scalar_op
from support.random_programs import Program, doubles, exponents, programs
from support.values import same
from zeroproof.autodiff.grad_mode import GradientMode
from zeroproof.autodiff.tr_node import TRNode
from zeroproof.core import TRScalar, TRTag


def names(case: OpCase) -> str:
    return case.name


@pytest.mark.parametrize("case", cases("binary"), ids=names)
@given(a=doubles, b=doubles)
def test_binary_ops_follow_the_tables(case: OpCase, a: float, b: float) -> None:
    value = scalar_op(case.name)(a, b)
    case.assert_value(value, a, b)
    assert same(node_op(case.name)(TRNode.parameter(a), b).value, value)


@pytest.mark.parametrize("case", cases("unary"), ids=names)
@given(a=doubles)
def test_unary_ops_follow_the_tables(case: OpCase, a: float) -> None:
    value = scalar_op(case.name)(a)
    case.assert_value(value, a)
    assert same(node_op(case.name)(TRNode.parameter(a)).value, value)


@pytest.mark.parametrize("case", cases("power"), ids=names)
@given(a=doubles, n=st.one_of(exponents, st.integers(-(2**31) + 1, 2**31 - 1)))
def test_powers_follow_the_tables(case: OpCase, a: float, n: int) -> None:
    value = scalar_op(case.name)(a, n)
    case.assert_value(value, a, n)
    assert same(node_op(case.name)(TRNode.parameter(a), n).value, value)


@pytest.mark.parametrize("case", cases("variadic"), ids=names)
@given(values=st.lists(doubles, max_size=9))
def test_reductions_follow_the_tables(case: OpCase, values: list[float]) -> None:
    value = scalar_op(case.name)(values)
    case.assert_value(value, *values)
    assert same(node_op(case.name)([TRNode.parameter(x) for x in values]).value, value)


@given(program=programs(), seed=doubles, bound=st.floats(5e-324, 1.7e308))
def test_any_program_runs_backward_in_every_mode(
    program: Program, seed: float, bound: float
) -> None:
    for mode in GradientMode:
        for delta in (None, 0.0, 0.5, 1e308):
            for gradient, _ in program.gradients(seed, mode, bound, delta):
                assert not math.isnan(gradient)


@given(a=doubles, b=doubles)
def test_order_and_equality_agree(a: float, b: float) -> None:
    x, y = TRScalar(a), TRScalar(b)
    assert (x == y) is not (x != y)
    if x == y:
        assert hash(x) == hash(y)
    ordered = x.tag is not TRTag.PHI and y.tag is not TRTag.PHI
    assert [x < y, x == y, x > y].count(True) == (1 if ordered else int(x == y))
    assert (x <= y) is (ordered and (x < y or x == y))
    assert (x >= y) is (ordered and (x > y or x == y))
