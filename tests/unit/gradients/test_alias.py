"""Aliases: nodes equal to another one that are sources of their own."""

from __future__ import annotations

import math
from typing import Any

import pytest

from support.gradients import DROPPED, EXACT, MASKED, gradient_of, mode_block
from support.values import INF, NAN, SPECIALS, same
from zeroproof import TRNode, tr_exp, tr_log, tr_sin
from zeroproof._native import alias, gradients_of
from zeroproof.autodiff.grad_mode import GradientMode
from zeroproof.autodiff.hybrid_gradient import HybridGradientContext

MAKERS = [TRNode.parameter, TRNode.input, TRNode.constant]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("value", SPECIALS)
def test_it_is_equal_and_requires_a_gradient(make: Any, value: float) -> None:
    node = make(value)
    copy = alias(node)
    assert same(copy.item(), value)
    assert copy.requires_grad
    assert [hash(operand) for operand in copy.inputs] == [hash(node)]
    assert gradients_of(copy, [copy], None) == [(1.0, EXACT)]


@pytest.mark.parametrize("make", MAKERS)
def test_it_is_a_source_of_its_own(make: Any) -> None:
    x = make(2.0)
    copy = alias(x)
    y = copy * x * copy
    assert gradients_of(y, [copy], None) == [(8.0, EXACT)]
    assert x.gradient is None


def test_the_node_below_receives_the_sum() -> None:
    x = TRNode.parameter(2.0)
    copy = alias(x)
    y = copy * x * copy
    assert gradients_of(y, [copy, x], None) == [(8.0, EXACT), (12.0, EXACT)]
    assert gradients_of(y, [x], None) == [(12.0, EXACT)]
    second = alias(alias(x))
    assert gradients_of(second * second, [x, second], None) == [(4.0, EXACT), (4.0, EXACT)]
    lower = TRNode.parameter(3.0)
    above = alias(lower * lower)
    assert gradients_of(above * 5.0, [lower, above], None) == [(30.0, EXACT), (5.0, EXACT)]


def test_gradients_flow_on_through_it() -> None:
    x = TRNode.parameter(2.0)
    copy = alias(tr_sin(x))
    (copy * copy).backward()
    assert gradient_of(x)[0] == pytest.approx(2 * math.sin(2.0) * math.cos(2.0), rel=1e-15)
    assert copy.gradient == 2 * math.sin(2.0)
    copy.zero_grad()
    assert copy.inputs[0].gradient == 0.0


def test_a_sum_that_is_not_real_is_dropped_once() -> None:
    # The two contributions are REAL, and so are those to x when each goes on by itself.
    x = TRNode.parameter(0.0)
    small = x * 1e-200
    copy = alias(small)
    y = copy * 1.5e308 + copy * 1.5e308
    assert gradients_of(y, [small], None) == [(INF, EXACT)]
    assert gradients_of(y, [copy, x], None) == [(INF, EXACT), (0.0, DROPPED)]


def test_statuses_go_on_from_it() -> None:
    x = TRNode.parameter(0.0)
    copy = alias(x)
    y = 1.0 / copy
    assert gradients_of(y, [copy, x], None) == [(0.0, MASKED), (0.0, MASKED)]
    assert gradients_of(tr_exp(copy * 2.0) + 1.0 / copy, [copy], None) == [(0.0, MASKED)]


def test_an_alias_of_a_constant_leads_to_nothing() -> None:
    copy = alias(TRNode.constant(3.0))
    y = copy * copy
    assert y.requires_grad
    with pytest.raises(RuntimeError, match="depends on no parameter"):
        y.backward()
    p = TRNode.parameter(2.0)
    (p * copy).backward()
    assert gradient_of(p) == (3.0, EXACT)
    assert (copy.gradient, copy.inputs[0].gradient) == (None, None)


def test_it_depends_on_the_same_coordinate() -> None:
    found = {}
    for kind in MAKERS:
        with mode_block(GradientMode.HYBRID, 0.5):
            HybridGradientContext.set_exploration_regions([(0.0, 1.0)])
            x = kind(0.5)
            copy = alias(x)
            found[kind] = gradients_of(1.0 / copy + tr_log(copy), [copy], None)
            if kind is not TRNode.constant:
                (1.0 / x + tr_log(x)).backward()
                assert gradient_of(x) == found[kind][0]
    assert found[TRNode.parameter] == found[TRNode.constant] != found[TRNode.input]


@pytest.mark.parametrize("bad", [1.0, None, "x", NAN])
def test_nodes_only(bad: Any) -> None:
    with pytest.raises(TypeError):
        alias(bad)
