"""Functions and conditions of arrays, lists and tuples, element by element."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import zeroproof as zp
from support.ops import NAMES, scalar_op
from support.values import SPECIALS, same
from zeroproof import GradientStatus, TRNode, TRScalar, phi, pinf, real, tr_vmap, tr_where

COMPARISONS = ["tr_less", "tr_less_equal", "tr_greater", "tr_greater_equal", "tr_equal"]
CLASSES = ["tr_is_real", "tr_is_infinite", "tr_is_phi"]


def of(name: str) -> Any:
    return getattr(zp, name)


@pytest.mark.parametrize("name", NAMES["unary"])
def test_lists_and_tuples_are_arrays(name: str) -> None:
    function, x = scalar_op(name), TRNode.parameter(0.5)
    items = [x, real(2.0), 3, np.float32(0.5)]
    for nested in items, tuple(items), [items[:2], tuple(items[2:])], [[items]]:
        found = function(nested)
        assert found.dtype == object
        assert found.shape == np.array(nested, dtype=object).shape
        for z, item in zip(found.flat, items):
            assert type(z) is type(function(item))
            assert same(z, function(item))
    assert function([]).shape == (0,)


@pytest.mark.parametrize("name", NAMES["binary"])
def test_two_operands(name: str) -> None:
    function, x = scalar_op(name), TRNode.parameter(0.5)
    found = function([[1.0], [x]], (2.0, real(3.0), x))
    assert found.shape == (2, 3)
    for (i, j), z in np.ndenumerate(found):
        assert same(z, function([1.0, x][i], (2.0, real(3.0), x)[j]))
    assert same(function(x, [2.0])[0], function(x, 2.0))
    assert same(function(np.array([2.0]), x)[0], function(2.0, x))


def test_exponents_and_compositions() -> None:
    x = TRNode.parameter(2.0)
    assert [z.item() for z in zp.tr_pow_int([x, 3.0 * x], (2, -1))] == [4.0, 1.0 / 6.0]
    assert [float(z) for z in zp.tr_clip([-1.0, 0.5, 2.0], 0.0, [1.0, 1.0, 1.5])] == [0.0, 0.5, 1.5]
    assert [float(z) for z in zp.tr_polyval([1.0, 0.0], [2.0, 3.0])] == [2.0, 3.0]


def test_a_list_may_hold_what_numpy_makes_of_a_node() -> None:
    x = TRNode.parameter(0.0)
    found = zp.tr_exp([np.where(True, x, 1.0), x])
    zp.tr_sum(found).backward()
    assert x.gradient == 2.0
    assert zp.tr_is_real([np.asarray(x, dtype=object), x]).tolist() == [True, True]


@pytest.mark.parametrize(
    "bad", ["1", ["1"], [None], [1j], [[1.0], [1.0, 2.0]], {1.0}, [{1.0}], b"1"]
)
def test_what_holds_no_numbers_is_refused(bad: Any) -> None:
    x = TRNode.parameter(1.0)
    for call in (
        lambda: zp.tr_sin(bad),
        lambda: zp.tr_mul(x, bad),
        lambda: zp.tr_less(bad, x),
        lambda: zp.tr_is_real(bad),
        lambda: tr_where(True, x, bad),
        lambda: tr_where(bad, x, 1.0),
    ):
        with pytest.raises((TypeError, ValueError)):
            call()


def test_masked_arrays_are_refused_in_lists_too() -> None:
    masked = np.ma.masked_array([1.0, 2.0], [True, False])
    for call in (
        lambda: zp.tr_sin([masked]),
        lambda: zp.tr_less(masked, 1.0),
        lambda: tr_where([True], [masked], 1.0),
    ):
        with pytest.raises(TypeError, match="masked array is no operand"):
            call()


def test_a_list_in_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises((TypeError, ValueError)):
        zp.tr_sin(endless)


class TestConditions:
    @pytest.mark.parametrize("form", [float, TRScalar, TRNode.parameter])
    @pytest.mark.parametrize("name", COMPARISONS)
    def test_comparisons(self, name: str, form: Any) -> None:
        items = [form(x) for x in SPECIALS]
        for other in SPECIALS:
            expected = [of(name)(x, other) for x in items]
            for given in items, tuple(items), np.array(items, dtype=object):
                found = of(name)(given, other)
                assert found.dtype == bool
                assert found.tolist() == expected
        assert of(name)([[1.0], [2.0]], items).shape == (2, len(items))
        assert of(name)(np.array(SPECIALS), np.array(SPECIALS)).tolist() == [
            of(name)(x, x) for x in SPECIALS
        ]

    @pytest.mark.parametrize("name", CLASSES)
    def test_classes(self, name: str) -> None:
        expected = [of(name)(x) for x in SPECIALS]
        for given in SPECIALS, np.array(SPECIALS), [TRNode.input(x) for x in SPECIALS]:
            assert of(name)(given).tolist() == expected
            assert of(name)(given).dtype == bool
        assert of(name)([]).dtype == bool

    def test_logic(self) -> None:
        a, b = np.array([True, True, False, False]), [True, False, True, False]
        assert zp.tr_and(a, b).tolist() == [True, False, False, False]
        assert zp.tr_or(a, tuple(b)).tolist() == [True, True, True, False]
        assert zp.tr_not(b).tolist() == [False, True, False, True]
        assert zp.tr_and(True, b).tolist() == b
        for bad in [1], np.array([0, 1]), [None], np.array([0.0]):
            with pytest.raises(TypeError, match="expected a condition"):
                zp.tr_not(bad)

    def test_shapes_that_do_not_go_together(self) -> None:
        with pytest.raises(ValueError, match="shape mismatch"):
            zp.tr_less([1.0, 2.0], [1.0, 2.0, 3.0])


class TestWhere:
    def test_element_by_element(self) -> None:
        x = TRNode.parameter(2.0)
        found = tr_where([True, False], x, [1.0, np.nan])
        assert [type(z) for z in found] == [TRNode, TRNode]
        assert found[0].value == 2.0
        assert found[1].value == phi()
        assert [type(z) for z in tr_where(np.array([True, False]), 1.0, 2.0)] == [TRScalar] * 2
        assert tr_where(zp.tr_less([[0.0], [3.0]], [1.0, 2.0]), [1.0, 2.0], pinf()).tolist() == [
            [real(1.0), real(2.0)],
            [pinf(), pinf()],
        ]
        assert tr_where(True, [1.0, x], 0.0)[1].value == 2.0

    def test_what_is_not_chosen_contributes_zero(self) -> None:
        x = [TRNode.parameter(0.0), TRNode.parameter(2.0)]
        inverse = np.divide(1.0, np.array(x))
        zp.tr_sum(tr_where(zp.tr_is_real(inverse), inverse, 0.0)).backward()
        assert [node.gradient for node in x] == [0.0, -0.25]
        assert x[0].gradient_status == GradientStatus.EXACT

    def test_nothing(self) -> None:
        assert tr_where([], 1.0, 2.0).dtype == object


class TestTraced:
    def test_conditions_and_choices(self) -> None:
        def function(row: Any) -> Any:
            small = zp.tr_less(row, [1.0, 2.0, 3.0])
            assert small.dtype == object
            known = zp.tr_less([0.0, 1.0, 2.0], 1.5)
            assert known.dtype == bool
            chosen = zp.tr_or(zp.tr_and(small, known), zp.tr_not(zp.tr_is_real(row)))
            return zp.tr_sum(tr_where(chosen, zp.tr_mul(row, [1.0, 10.0, 100.0]), -1.0))

        rows = np.array([[0.0, 1.0, 2.0], [1.0, 2.5, 0.0], [np.inf, np.nan, 1.0], [-np.inf, 1, 1]])
        found = tr_vmap(function)(rows)
        for z, row in zip(found, rows):
            expected = []
            for x, limit, is_known, factor in zip(
                row, [1.0, 2.0, 3.0], [True, True, False], [1.0, 10.0, 100.0]
            ):
                holds = (x < limit and is_known) or not np.isfinite(x)
                expected.append(TRScalar(x) * factor if holds else real(-1.0))
            assert same(z, zp.tr_sum(expected))

    def test_one_tracer_among_numbers(self) -> None:
        found = tr_vmap(lambda x: zp.tr_sum(tr_where([True, False], [x, 1.0], [2.0, x])))([3.0])
        assert found.values.tolist() == [6.0]
        found = tr_vmap(lambda x: tr_where(zp.tr_less(x, [1.0, 3.0]), x, 0.0))([0.5, 2.0])
        assert found.values.tolist() == [[0.5, 0.5], [0.0, 2.0]]

    @pytest.mark.parametrize("name", NAMES["unary"])
    def test_functions_of_lists(self, name: str) -> None:
        function = scalar_op(name)
        found = tr_vmap(lambda x: function([x, 0.5]))(np.array(SPECIALS))
        for row, x in zip(found, SPECIALS):
            assert [same(a, b) for a, b in zip(row, function([x, 0.5]))] == [True, True]
