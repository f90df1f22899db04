"""Every op takes every double: no exception, no warning, the tag and value of the tables."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support import op_values as reference
from support.ops import NAMES, node_op, scalar_op
from support.random_programs import Program, doubles, exponents, programs
from support.values import same, ulps
from zeroproof.autodiff.grad_mode import GradientMode
from zeroproof.autodiff.tr_node import TRNode
from zeroproof.core import TRScalar, TRTag


def check(name: str, found: TRScalar, expected: float) -> None:
    assert found.tag.name == reference.tag(expected)
    if name in reference.CORRECTLY_ROUNDED or not math.isfinite(expected):
        assert same(found, expected)
    else:
        assert ulps(float(found), expected) <= reference.ULPS[name]


@pytest.mark.parametrize("name", NAMES["binary"])
@given(a=doubles, b=doubles)
def test_binary_ops_follow_the_tables(name: str, a: float, b: float) -> None:
    expected = reference.VALUE[name](a, b)
    check(name, scalar_op(name)(a, b), expected)
    assert same(node_op(name)(TRNode.parameter(a), b).value, scalar_op(name)(a, b))


@pytest.mark.parametrize("name", NAMES["unary"])
@given(a=doubles)
def test_unary_ops_follow_the_tables(name: str, a: float) -> None:
    check(name, scalar_op(name)(a), reference.VALUE[name](a))
    assert same(node_op(name)(TRNode.parameter(a)).value, scalar_op(name)(a))


@given(a=doubles, n=st.one_of(exponents, st.integers(-(2**31) + 1, 2**31 - 1)))
def test_powers_follow_the_tables(a: float, n: int) -> None:
    check("pow_int", scalar_op("pow_int")(a, n), reference.pow_int(a, n))
    assert same(node_op("pow_int")(TRNode.parameter(a), n).value, scalar_op("pow_int")(a, n))


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
