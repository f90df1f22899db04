"""NumPy's universal functions of tracers: what nodes give, sample by sample."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import zeroproof as zp
from support.numpy_functions import (
    BINARY,
    CLASSES,
    COMPARISONS,
    LOGIC,
    REFUSED,
    UNARY,
    of,
)
from support.values import SPECIALS, same
from zeroproof import TRNode, real, tr_vmap, tr_where

Function = Callable[..., Any]
SOME = [*SPECIALS, -0.5, 0.3, 2.5]


def columns(count: int) -> list[Any]:
    grid = np.meshgrid(*[np.array(SOME)] * count)
    return [column.ravel() for column in grid]


def check(function: Function, count: int = 1) -> None:
    """The replayed function has the bits of the function called on nodes, and its gradients."""
    arrays = columns(count)
    batched = tr_vmap(function)
    found, gradients, status = batched.value_and_grad(
        *arrays, argnums=tuple(range(count)), with_status=True
    )
    for place, sample in enumerate(zip(*arrays)):
        nodes = [TRNode.parameter(x) for x in sample]
        expected = function(*nodes)
        assert same(found[place], expected), sample
        expected.backward() if expected.requires_grad else None
        for node, gradient, flags in zip(nodes, gradients, status):
            if node.gradient is not None:
                assert same(gradient[place], node.gradient)
                assert flags[place] == node.gradient_status


@pytest.mark.parametrize("name", UNARY)
def test_unary(name: str) -> None:
    check(of(name))
    found = tr_vmap(of(name))(np.array(SOME))
    expected = tr_vmap(UNARY[name])(np.array(SOME))
    assert all(map(same, found, expected))


@pytest.mark.parametrize("name", BINARY)
def test_binary(name: str) -> None:
    function = of(name)
    check(function, 2)
    for constant in (2.0, np.float64(-0.5), 3, real(0.0), TRNode.constant(0.5)):
        check(lambda x, c=constant: function(x, c))
        check(lambda x, c=constant: function(c, x))


@pytest.mark.parametrize("n", [-2, 0, 1, 3, np.int64(2), 0.5])
def test_powers(n: Any) -> None:
    check(lambda x: np.power(x, n))
    assert str(tr_vmap(lambda x: np.power(x, n)).program([1.0])) == str(
        tr_vmap(lambda x: x**n).program([1.0])
    )


@pytest.mark.parametrize("name", [*CLASSES, *COMPARISONS])
def test_conditions(name: str) -> None:
    function = of(name)
    check(lambda *x: tr_where(function(*x), x[0], -1.0) + 0.0 * x[0], function.nin)
    if name in COMPARISONS:
        check(lambda x: tr_where(function(x, np.float64(0.3)), 1.0 * x, x + 2.0))
        check(lambda x: tr_where(function(np.float64(0.3), x), 1.0 * x, x + 2.0))


@pytest.mark.parametrize("name", LOGIC)
def test_logic(name: str) -> None:
    function, expected = of(name), LOGIC[name]
    x, y = columns(2)

    def decide(combine: Function) -> Function:
        def decided(x: Any, y: Any) -> Any:
            conditions = [zp.tr_less(x, y), np.isfinite(y)][: function.nin]
            return tr_where(combine(*conditions), 1.0, 0.0)

        return decided

    found = tr_vmap(decide(function))(x, y).values.tolist()
    assert found == tr_vmap(decide(expected))(x, y).values.tolist()
    assert set(found) == {0.0, 1.0}


def test_arrays_of_conditions() -> None:
    def function(x: Any) -> Any:
        small = np.less([1.0, 2.0], x)
        both = np.logical_and(small, np.isfinite(x))
        either = np.array([True, False]) | np.isnan(x)
        return tr_where(~both, x, -1.0) + tr_where(either, 1.0, 0.0)

    found = tr_vmap(function)([1.5, 3.0, -np.inf])
    assert found.to_ieee().tolist() == [[0.0, 1.5], [0.0, -1.0], [-np.inf, -np.inf]]


def test_clip_round_and_reductions_of_one_number() -> None:
    check(lambda x: np.clip(x, -0.5, 1.0))
    check(lambda x: np.clip(x, None, np.float64(1.0)))
    check(lambda x: of("clip")(0.3, x, 2.0))
    check(lambda x: np.round(x, 1) + np.round(x))
    check(lambda x: np.sum(x) + np.prod(x) * np.max(x) - np.min(x))
    check(lambda x: np.mean(x))
    holds = tr_vmap(lambda x: tr_where(np.any(np.isnan(x)), 1.0, 0.0))([np.nan, 1.0])
    assert holds.values.tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    "function", [np.linalg.norm, np.std, np.var, np.mean, np.sum, np.prod, np.hypot.reduce]
)
def test_arrays_of_tracers(function: Function) -> None:
    if function is np.hypot.reduce:

        def function(row: Any) -> Any:
            return np.hypot(np.sin(row), np.exp(row)).sum()

    rows = np.array([[3.0, 4.0, 0.5], [0.0, 0.0, 0.0], [np.inf, 1.0, 2.0], [1e-200, 1.0, -1.0]])
    found, gradients = tr_vmap(function).value_and_grad(rows)
    for z, row, gradient in zip(found, rows, gradients):
        nodes = [TRNode.parameter(x) for x in row]
        expected = function(np.array(nodes))
        assert same(z, expected)
        expected.backward()
        for g, node in zip(gradient, nodes):
            assert same(g, 0.0 if node.gradient is None else node.gradient)


def test_order_in_numpys_loops_is_refused() -> None:
    for function in np.max, np.sort, lambda row: np.maximum(row, 0.0), np.abs(1.0).__gt__:
        with pytest.raises(TypeError, match=r"traced once.*tr_maximum"):
            tr_vmap(lambda row, f=function: f(row))(np.ones((2, 3)))


def test_arrays_with_a_tracer() -> None:
    weights = np.array([0.5, 2.0, -1.0])
    for name in ("multiply", "maximum", "hypot", "arctan2", "power", "logaddexp", "remainder"):
        found = tr_vmap(lambda x, name=name: of(name)(weights, x))(np.array([2.0, 0.0]))
        for row, x in zip(found, (2.0, 0.0)):
            expected = of(name)(weights, TRNode.constant(x))
            assert all(map(same, row, expected))


def test_what_has_no_meaning_is_refused_as_of_nodes() -> None:
    assert len(REFUSED) > 10
    for name in REFUSED:
        with pytest.raises(TypeError, match=f"{name} of NumPy has no meaning"):
            tr_vmap(lambda x, name=name: of(name)(*[x] * of(name).nin))([1.0])


def test_a_tracer_is_no_condition_and_a_condition_no_number() -> None:
    with pytest.raises(TypeError, match="expected a condition"):
        tr_vmap(lambda x: np.logical_and(x, True))([1.0])
    for function in np.sin, np.negative, lambda c: np.add(c, 1.0), lambda c: np.float64(1.0) * c:
        with pytest.raises(TypeError, match=r"condition is no number.*tr_where"):
            tr_vmap(lambda x, f=function: f(np.isfinite(x)))([1.0])


def test_one_function_for_floats_nodes_and_tracers() -> None:
    def f(x: Any, y: Any) -> Any:
        r = np.hypot(x, y)
        angle = np.arctan2(y, x)
        return np.exp(-np.square(r)) * np.cos(angle) + np.maximum(x, 0.0) + np.log1p(r) % 0.5

    points = [(0.3, 0.7), (-1.5, 2.0), (3.0, -4.0)]
    batched = tr_vmap(f)(*np.array(points).T)
    for found, point in zip(batched, points):
        node = f(*map(TRNode.parameter, point))
        assert same(found, node)
        assert node.item() == pytest.approx(f(*point), rel=1e-14)


class TestPlaces:
    @pytest.mark.parametrize("container", [[1.0, 2.0], (1.0, 2.0), range(3), "abc"])
    def test_a_tracer_is_no_index(self, container: Any) -> None:
        for use in (lambda x: container[x], lambda x: container[:x], lambda x: range(x)):
            with pytest.raises(TypeError, match=r"traced once.*tr_take\(array, index\)"):
                tr_vmap(lambda x, f=use: f(x))([1.0])

    def test_nor_an_int_elsewhere(self) -> None:
        for use in operator.index, math.factorial, lambda x: [0] * x, lambda x: bin(x):
            with pytest.raises(TypeError):
                tr_vmap(lambda x, f=use: f(x))([1.0])
        assert tr_vmap(lambda x: 2.0**x)([3.0]).values.tolist() == [8.0]
