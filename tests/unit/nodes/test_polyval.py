"""``tr_polyval``: Horner's rule on every path."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from support.gradients import EXACT
from support.values import INF, NAN, same
from zeroproof import TRNode, TRScalar, tr_polyval, tr_vmap

POLYNOMIALS: list[Sequence[float]] = [
    [2.0],
    [2.0, -3.0],
    [1.0, 0.0, -2.0],
    [0.5, -1.0, 0.25, 3.0, -7.0],
    [0.0, 0.0, 4.0],
]


def horner(coefficients: Sequence[float], x: float) -> float:
    """With floats of Python, for a REAL x."""
    result, *rest = coefficients
    for c in rest:
        result = result * x + c
    return result


def slope(coefficients: Sequence[float], x: float) -> float:
    n = len(coefficients) - 1
    return sum(c * (n - k) * x ** (n - k - 1) for k, c in enumerate(coefficients[:-1]))


class TestPolyval:
    @pytest.mark.parametrize("coefficients", POLYNOMIALS, ids=len)
    @pytest.mark.parametrize("x", [0.0, 1.0, -2.0, 0.5])
    def test_value_and_slope(self, coefficients: Sequence[float], x: float) -> None:
        # Exact in doubles, so every order of the sums is.
        value, by_x = horner(coefficients, x), slope(coefficients, x)
        assert value == np.polyval(coefficients, x)
        assert isinstance(tr_polyval(coefficients, x), TRScalar)
        assert tr_polyval(coefficients, x) == value
        assert tr_polyval(np.array(coefficients), TRScalar(x)) == value
        node = TRNode.parameter(x)
        y = tr_polyval(coefficients, node)
        y.backward()
        assert (y.value, node.gradient, node.gradient_status) == (value, by_x, EXACT)

        def f(x: Any) -> Any:
            return tr_polyval(coefficients, x)

        values, slopes = tr_vmap(f).value_and_grad(np.array([x, 1.0]))
        assert values.to_ieee().tolist() == [value, horner(coefficients, 1.0)]
        assert slopes.tolist() == [by_x, slope(coefficients, 1.0)]

    @pytest.mark.parametrize("count", range(1, 5))
    def test_coefficients_have_gradients(self, count: int) -> None:
        powers = [2.0 ** (count - 1 - k) for k in range(count)]
        nodes = [TRNode.parameter(float(k)) for k in range(count)]
        y = tr_polyval(nodes, 2.0)
        y.backward()
        assert isinstance(y, TRNode)
        assert [node.gradient for node in nodes] == powers
        coefficients = np.arange(count, dtype=float)
        [found], [gradient] = tr_vmap(tr_polyval).value_and_grad(
            coefficients[None], np.array([2.0]), argnums=0
        )
        assert float(found) == y.value
        assert gradient.tolist() == powers

    def test_a_coefficient_that_is_a_node_makes_a_node(self) -> None:
        c = TRNode.parameter(5.0)
        assert tr_polyval([1.0, c], 3.0).value == 8.0
        assert tr_polyval([c, TRScalar(1.0)], 3.0).value == 16.0
        assert tr_polyval([c], 3.0).value == 5.0

    @pytest.mark.parametrize(
        "empty", [[], (), np.array([]), iter([])], ids=lambda empty: type(empty).__name__
    )
    def test_no_coefficients(self, empty: Any) -> None:
        assert same(tr_polyval(empty, 3.0), 0.0)

    def test_no_coefficients_on_every_path(self) -> None:
        x = TRNode.parameter(3.0)
        y = tr_polyval([], x)
        y.backward()
        assert (y.value, x.gradient, x.gradient_status) == (0.0, 0.0, EXACT)
        assert tr_polyval([], np.ones((2, 3))).tolist() == [[TRScalar(0.0)] * 3] * 2
        values, slopes = tr_vmap(lambda x: tr_polyval([], x)).value_and_grad(np.ones(2))
        assert (values.to_ieee().tolist(), slopes.tolist()) == ([0.0, 0.0], [0.0, 0.0])

    @pytest.mark.parametrize(
        ("coefficients", "x", "value"),
        [
            ([1.0, 5.0], INF, INF),
            ([1.0, 5.0], -INF, -INF),
            ([-2.0, 1.0, 5.0], -INF, -INF),
            ([1.0, 0.0, 0.0], -INF, INF),
            ([5.0], INF, NAN),
            ([], INF, NAN),
            ([0.0, 5.0], INF, NAN),
            ([1.0, 5.0], NAN, NAN),
            ([5.0], NAN, NAN),
            ([], NAN, NAN),
            ([INF, 1.0], 2.0, INF),
            ([INF, 1.0], 0.0, NAN),
            ([NAN], 2.0, NAN),
        ],
    )
    def test_values_that_are_not_real(
        self, coefficients: Sequence[float], x: float, value: float
    ) -> None:
        assert same(tr_polyval(coefficients, x), value)
        node = TRNode.parameter(x)
        assert same(tr_polyval(coefficients, node).value, value)
        found = tr_vmap(lambda x: tr_polyval(coefficients, x))(np.array([x])).to_ieee()
        assert same(found.item(), value)

    def test_every_path_gives_the_same_bits(self) -> None:
        rng = np.random.default_rng(11)
        coefficients, x = rng.normal(size=7), rng.normal(size=500)
        batched, slopes = tr_vmap(lambda x: tr_polyval(coefficients, x)).value_and_grad(x)
        for k, z in enumerate(x):
            node = TRNode.parameter(z)
            y = tr_polyval(coefficients, node)
            y.backward()
            assert same(y.value, batched.to_ieee()[k])
            assert same(y.value, horner(coefficients, z))
            assert node.gradient == slopes[k]

    def test_arrays_broadcast(self) -> None:
        x = TRNode.parameter(2.0)
        found = tr_polyval([1.0, 3.0], np.array([[0.0, x, -1.0]], dtype=object))
        assert found.shape == (1, 3)
        assert [float(z.value) for z in found[0]] == [3.0, 5.0, 2.0]
        assert isinstance(found[0, 1], TRNode)
        columns = np.array([[1.0, 2.0], [3.0, 4.0]])  # two polynomials, as for numpy.polyval
        assert tr_polyval(columns, 2.0).tolist() == [TRScalar(5.0), TRScalar(8.0)]
        assert tr_polyval([7.0], np.zeros(2)).tolist() == [TRScalar(7.0)] * 2

    @pytest.mark.parametrize(
        "call",
        [
            lambda: tr_polyval(1.0, 2.0),
            lambda: tr_polyval(["1"], 2.0),
            lambda: tr_polyval([1.0, 2.0], "2"),
            lambda: tr_polyval([], None),
        ],
    )
    def test_what_is_no_number(self, call: Callable[[], Any]) -> None:
        with pytest.raises(TypeError):
            call()
