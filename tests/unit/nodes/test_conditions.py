"""Conditions and tr_where: on values, on nodes, and traced."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import zeroproof as zp
from support.gradients import EXACT, MASKED, gradient_of
from support.values import INF, NAN, SPECIALS, same
from zeroproof import TRNode, TRScalar, phi, pinf, real, tr_vmap, tr_where
from zeroproof.autodiff import conditions

Condition = Callable[..., Any]

#: The rule of each comparison and class, in terms of the order and the classes of TR scalars.
COMPARISONS: dict[str, Condition] = {
    "tr_less": operator.lt,
    "tr_less_equal": operator.le,
    "tr_greater": operator.gt,
    "tr_greater_equal": operator.ge,
    "tr_equal": operator.eq,
}
CLASSES: dict[str, Condition] = {
    "tr_is_real": zp.is_real,
    "tr_is_infinite": zp.is_infinite,
    "tr_is_phi": zp.is_phi,
}
LOGIC: dict[str, Condition] = {
    "tr_and": lambda a, b: a and b,
    "tr_or": lambda a, b: a or b,
    "tr_not": lambda a: not a,
}
PAIRS = [(a, b) for a in SPECIALS for b in SPECIALS]
FORMS = [float, TRScalar, TRNode.constant, TRNode.parameter]


def of(name: str) -> Condition:
    return getattr(conditions, name)


def test_all_are_tested() -> None:
    tested = {*COMPARISONS, *CLASSES, *LOGIC, "tr_where"}
    assert tested == set(conditions.__all__)


class TestOnValues:
    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize("name", COMPARISONS)
    def test_comparisons(self, name: str, form: Condition) -> None:
        for a, b in PAIRS:
            expected = COMPARISONS[name](TRScalar(a), TRScalar(b))
            assert of(name)(form(a), form(b)) is bool(expected)
            assert of(name)(form(a), b) is bool(expected)

    def test_phi_is_unordered_and_equals_itself(self) -> None:
        for name in COMPARISONS:
            expected = name == "tr_equal"
            assert of(name)(phi(), NAN) is expected
            assert of(name)(phi(), pinf()) is False
        assert zp.tr_equal(0.0, -0.0) is True
        assert zp.tr_less_equal(INF, pinf()) is True

    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize("name", CLASSES)
    def test_classes(self, name: str, form: Condition) -> None:
        for a in SPECIALS:
            assert of(name)(form(a)) is CLASSES[name](a)

    @pytest.mark.parametrize("form", [bool, np.bool_])
    @pytest.mark.parametrize("name", LOGIC)
    def test_logic(self, name: str, form: Condition) -> None:
        for a in (True, False):
            for b in (True, False):
                given = (a,) if name == "tr_not" else (a, b)
                assert of(name)(*map(form, given)) is LOGIC[name](*given)

    @pytest.mark.parametrize("bad", ["1", None, 1j, np.array(["1"]), ["1"], {1.0}])
    def test_only_numbers_are_compared(self, bad: Any) -> None:
        for name in COMPARISONS:
            with pytest.raises(TypeError, match="expected a TRNode, a TRScalar or a number"):
                of(name)(1.0, bad)

    # -2 is what ~True gives; Python says so with a warning from 3.12 on.
    @pytest.mark.parametrize("bad", [-2, 1, 0.0, real(1.0), TRNode.constant(1.0), None, "yes"])
    def test_only_conditions_are_combined(self, bad: Any) -> None:
        calls = [
            lambda: zp.tr_not(bad),
            lambda: zp.tr_and(True, bad),
            lambda: zp.tr_or(bad, False),
            lambda: tr_where(bad, 1.0, 2.0),
        ]
        for call in calls:
            with pytest.raises(TypeError, match=r"tr_less.*tr_not") as caught:
                call()
            assert type(bad).__name__ in str(caught.value)


class TestWhere:
    @pytest.mark.parametrize("value", SPECIALS)
    def test_of_numbers_it_is_the_scalar_chosen(self, value: float) -> None:
        for chosen in (tr_where(True, value, 2.0), tr_where(np.bool_(False), 2, TRScalar(value))):
            assert isinstance(chosen, TRScalar)
            assert same(chosen, value)

    def test_of_nodes_it_is_the_node_chosen(self) -> None:
        a, b = TRNode.parameter(1.0), TRNode.parameter(2.0)
        assert [float(node.value) for node in tr_where(True, a, b).inputs] == [1.0, 2.0]
        assert [float(node.value) for node in tr_where(False, a, b).inputs] == [2.0, 1.0]
        assert tr_where(False, b, a) == a
        assert tr_where(True, a, a) is a
        c, d = TRNode.constant(1.0), TRNode.constant(2.0)
        assert tr_where(True, c, d) is c
        assert tr_where(False, c, 2.0) == 2.0

    @pytest.mark.parametrize("make", [TRNode.constant, TRNode.parameter, TRNode.input])
    def test_a_number_beside_a_node_is_a_node_that_requires_what_that_does(
        self, make: Condition
    ) -> None:
        a = make(1.0)
        for chosen in (tr_where(False, a, -0.0), tr_where(True, real(-0.0), a)):
            assert isinstance(chosen, TRNode)
            assert chosen.requires_grad is a.requires_grad
            assert same(chosen.value, -0.0)

    def test_the_branch_not_taken_contributes_nothing(self) -> None:
        x = TRNode.parameter(0.0)
        tr_where(zp.tr_equal(x, 0.0), x + 1.0, 1.0 / x).backward()
        assert gradient_of(x) == (1.0, EXACT)

    def test_the_branch_taken_is_what_it_is(self) -> None:
        x = TRNode.parameter(0.0)
        tr_where(zp.tr_is_infinite(1.0 / x), 1.0 / x, x).backward()
        assert gradient_of(x) == (0.0, MASKED)

    def test_both_operands_are_checked(self) -> None:
        for call in (lambda: tr_where(True, 1.0, "b"), lambda: tr_where(False, None, 1.0)):
            with pytest.raises(TypeError, match="expected a TRNode, a TRScalar or a number"):
                call()


class TestTraced:
    @pytest.mark.parametrize("name", [*COMPARISONS, *CLASSES])
    def test_a_condition_decides_as_on_values(self, name: str) -> None:
        count = 2 if name in COMPARISONS else 1
        columns = np.array(PAIRS).T[:count]
        batched = tr_vmap(lambda *x: tr_where(of(name)(*x), 1.0, 0.0))
        expected = [float(of(name)(*sample)) for sample in zip(*columns)]
        assert batched(*columns).values.tolist() == expected
        assert set(expected) == {0.0, 1.0}

    def test_a_constant_on_either_side(self) -> None:
        columns = np.array(SPECIALS)
        for name in COMPARISONS:
            for order in (lambda x: (x, 1.0), lambda x: (TRNode.constant(1.0), x)):
                found = tr_vmap(lambda x, n=name, o=order: tr_where(of(n)(*o(x)), 1.0, 0.0))
                expected = [float(of(name)(*order(x))) for x in SPECIALS]
                assert found(columns).values.tolist() == expected

    def test_logic(self) -> None:
        def function(x: Any, y: Any) -> list[Any]:
            a, b = zp.tr_less(x, 0.0), zp.tr_is_phi(y)
            combined = [
                zp.tr_and(a, b),
                zp.tr_or(a, b),
                zp.tr_not(a),
                zp.tr_and(True, a),
                zp.tr_or(b, False),
                a & b,
                a | b,
                ~a,
                True & a,
                b | np.bool_(False),
            ]
            return [tr_where(c, 1.0, 0.0) for c in combined]

        x, y = np.array([[-1.0, -1.0, 1.0, 1.0], [NAN, 0.0, NAN, 0.0]])
        found = np.array([column.values for column in tr_vmap(function)(x, y)])
        a, b = x < 0, np.isnan(y)
        expected = [a & b, a | b, ~a, a, b, a & b, a | b, ~a, a, b]
        assert found.tolist() == np.array(expected, dtype=float).tolist()

    def test_arrays_of_conditions_combine_element_by_element(self) -> None:
        def function(row: Any) -> Any:
            small = np.array([zp.tr_less(x, 1.0) for x in row])
            real_ = np.array([zp.tr_is_real(x) for x in row])
            both = small & real_ & np.array([True, True, False])
            both = both | zp.tr_less(row[0], -1.0)
            return zp.autodiff.tr_sum([tr_where(c, 1.0, 0.0) for c in ~both])

        rows = np.array([[0.0, 2.0, 0.0], [-2.0, NAN, 5.0], [0.0, -INF, 0.0]])
        assert tr_vmap(function)(rows).values.tolist() == [2.0, 0.0, 2.0]

    def test_a_known_condition_is_decided_at_once(self) -> None:
        batched = tr_vmap(lambda x: (tr_where(True, x, 1 / x), tr_where(False, x, 3.0)))
        assert "where" not in str(batched.program([1.0]))
        first, second = batched([0.0, 4.0])
        assert first.values.tolist() == [0.0, 4.0]
        assert second.values.tolist() == [3.0, 3.0]

    def test_the_branch_not_taken_contributes_nothing(self) -> None:
        def function(x: Any) -> Any:
            return tr_where(zp.tr_equal(x, 0.0), x + 1.0, 1.0 / x)

        x = [0.0, 2.0]
        y, gradient, status = tr_vmap(function).value_and_grad(x, with_status=True)
        assert y.values.tolist() == [1.0, 0.5]
        assert gradient.tolist() == [1.0, -0.25]
        assert status.tolist() == [0, 0]

    @pytest.mark.parametrize(
        "use",
        [
            lambda c, x: c + 1.0,
            lambda c, x: x * c,
            lambda c, x: -c,
            lambda c, x: abs(c),
            lambda c, x: zp.tr_sin(c),
            lambda c, x: zp.tr_maximum(x, c),
            lambda c, x: zp.autodiff.tr_sum([x, c]),
            lambda c, x: zp.tr_sum([x, c]),
            lambda c, x: tr_where(c, c, x),
            lambda c, x: tr_where(True, c, x),
            lambda c, x: zp.tr_less(c, x),
            lambda c, x: x**c,
            lambda c, x: float(c),
        ],
    )
    def test_a_condition_is_no_number(self, use: Condition) -> None:
        with pytest.raises(TypeError):
            tr_vmap(lambda x: use(zp.tr_less(x, 1.0), x))([1.0])

    def test_the_reason_names_tr_where(self) -> None:
        for use in (zp.tr_sin, lambda c: zp.tr_sum([c]), lambda c: tr_where(c, c, 1.0)):
            with pytest.raises(TypeError, match="tr_where"):
                tr_vmap(lambda x, f=use: f(zp.tr_less(x, 1.0)) and x)([1.0])

    @pytest.mark.parametrize(
        "ask",
        [bool, lambda c: c and True, lambda c: not c, lambda c: c == True],  # noqa: E712
    )
    def test_whether_it_holds_is_not_known(self, ask: Condition) -> None:
        def function(x: Any) -> Any:
            return ask(zp.tr_less(x, 1.0))

        with pytest.raises(TypeError, match=r"traced once.*&, \| and ~.*tr_not"):
            tr_vmap(function)([1.0])

    @pytest.mark.parametrize("bad", [1, -2, 0.0, "a", None])
    def test_only_conditions_are_combined(self, bad: Any) -> None:
        uses: list[Condition] = [
            lambda c: c & bad,
            lambda c: bad | c,
            lambda c: zp.tr_and(c, bad),
        ]
        for use in uses:
            with pytest.raises(TypeError, match="expected a condition"):
                tr_vmap(lambda x, f=use: f(zp.tr_less(x, 1.0)))([1.0])

    def test_a_tracer_is_no_condition(self) -> None:
        with pytest.raises(TypeError, match="expected a condition, not Tracer"):
            tr_vmap(lambda x: tr_where(x, 1.0, 2.0))([1.0])

    def test_a_condition_is_no_result(self) -> None:
        with pytest.raises(TypeError, match=r"not TracedCondition.*tr_where"):
            tr_vmap(lambda x: zp.tr_less(x, 1.0))([1.0])
