"""The check of second derivatives: it accepts right ones, rejects wrong ones, and knows a pole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional

import numpy as np
import pytest

from support.gradients import DROPPED, EXACT, MASKED, SATURATED, mode_block
from support.ops import NAMES, node_op
from zeroproof import (
    GradientMode,
    HybridGradientContext,
    ReductionMode,
    TRNode,
    Verdict,
    _native,
    assert_gradient,
    check_gradient,
    tr_abs,
    tr_cos,
    tr_exp,
    tr_grad,
    tr_log,
    tr_maximum,
    tr_norm,
    tr_sin,
    tr_sinc,
    tr_sqrt,
    tr_sum,
)
from zeroproof.autodiff.gradient_check import GradientRow

Function = Callable[..., Any]
MODES = ("mask_real", "saturating", "hybrid")
POINT = np.array([2.0, -3.0, 0.5])


def mixed(x: Any) -> Any:
    """A function whose entries differ in size."""
    return x[0] * x[1] ** 2 / (1.0 + x[2]) + tr_exp(x[0] * x[2]) + tr_norm(list(x))


def only_row(f: Function, x: float, mode: Optional[str] = None) -> GradientRow:
    """The entry of a function of one input."""
    (row,) = check_gradient(f, x, order=2, mode=mode).rows
    return row


def falsified(monkeypatch: pytest.MonkeyPatch, row: int, column: int, factor: float) -> None:
    """Makes one entry of every matrix wrong."""
    right = _native.hessian

    def wrong(*arguments: Any) -> Any:
        gradient, columns = right(*arguments)
        entry, status = columns[column][row]
        columns[column][row] = (entry * factor, status)
        return gradient, columns

    monkeypatch.setattr(_native, "hessian", wrong)


class TestRightAndWrong:
    @pytest.mark.parametrize("mode", MODES)
    def test_right_ones_pass(self, mode: str) -> None:
        check = check_gradient(mixed, POINT, order=2, mode=mode)
        assert len(check.rows) == 9
        assert check.order == 2
        for row in check.rows:
            assert (row.verdict, row.note) == (Verdict.OK, "")
            assert row.numerical == pytest.approx(row.gradient, rel=1e-8)

    @pytest.mark.parametrize("mode", MODES)
    @pytest.mark.parametrize("wrong", [5e-4, -5e-4])
    @pytest.mark.parametrize(("row", "column"), [(0, 0), (0, 1), (1, 0), (2, 1)])
    def test_an_entry_that_is_wrong_by_half_a_permille_fails(
        self, row: int, column: int, wrong: float, mode: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        falsified(monkeypatch, row, column, 1.0 + wrong)
        check = check_gradient(mixed, POINT, order=2, mode=mode)
        [failing] = [each for each in check.rows if each.fails]
        assert failing.name == f"(x[{row}], x[{column}])"
        assert failing.verdict is Verdict.WRONG
        assert failing.relative_error == pytest.approx(abs(wrong), rel=0.01)

    @pytest.mark.parametrize("distance", [1e-3, 1e-6, 1e-9])
    def test_a_pole_close_by(self, distance: float, monkeypatch: pytest.MonkeyPatch) -> None:
        def f(x: Any) -> Any:
            return 1.0 / (x - 1.0)

        assert only_row(f, 1.0 + distance).note == ""
        falsified(monkeypatch, 0, 0, 1.0005)
        assert only_row(f, 1.0 + distance).verdict is Verdict.WRONG

    def test_a_zero_that_should_not_be_one_fails(self, monkeypatch: pytest.MonkeyPatch) -> None:
        falsified(monkeypatch, 0, 0, 0.0)
        for f in (tr_exp, tr_cos, lambda x: x**3):
            assert only_row(f, 1.0).verdict is Verdict.WRONG

    def test_bounded_ones_are_compared_with_bounded_gradients(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with mode_block(GradientMode.SATURATING, 0.5):
            row = only_row(lambda x: 1.0 / x, 0.3)
            assert (row.verdict, row.status, row.note) == (Verdict.OK, SATURATED, "")
            assert row.gradient == pytest.approx(0.6 / 0.34**2, rel=1e-14)
            falsified(monkeypatch, 0, 0, 1.0005)
            assert only_row(lambda x: 1.0 / x, 0.3).verdict is Verdict.WRONG

    def test_matrices_that_are_not_symmetric(self) -> None:
        check = check_gradient(lambda a, b: a / b, 2.0, -0.5, order=2, mode="saturating")
        assert check.ok
        upper, lower = check.rows[1], check.rows[2]
        assert (upper.name, lower.name) == ("(a, b)", "(b, a)")
        assert upper.gradient != lower.gradient

    @pytest.mark.parametrize("mode", MODES)
    @pytest.mark.parametrize("name", NAMES["unary"])
    @pytest.mark.parametrize("x", [0.0, 0.3, -0.7, 1.0, 1.7, 40.0, 1e-9])
    def test_no_right_entry_of_an_op_is_wrong(self, name: str, x: float, mode: str) -> None:
        assert only_row(node_op(name), x, mode).verdict is not Verdict.WRONG


class TestSingularPoints:
    def test_a_pole(self) -> None:
        row = only_row(lambda x: 1.0 / x, 0.0)
        assert (row.verdict, row.status) == (Verdict.MASKED, MASKED)
        row = only_row(lambda x: 1.0 / x, 0.0, "saturating")
        assert (row.verdict, row.status, row.note) == (Verdict.OK, SATURATED, "")

    def test_a_removable_singularity(self) -> None:
        row = only_row(lambda x: 1.0 / (1.0 / x + 1.0), 0.0)  # x ÷ (1 + x)
        assert (row.verdict, row.gradient, row.status) == (Verdict.REMOVABLE, 0.0, MASKED)
        assert row.numerical == pytest.approx(-2.0, rel=1e-9)
        assert only_row(lambda x: x * x / x, 0.0).verdict is Verdict.REMOVABLE
        assert only_row(tr_sinc, 0.0).verdict is Verdict.OK

    def test_one_side_only(self) -> None:
        row = only_row(tr_sqrt, 0.0)
        assert (row.verdict, row.status) == (Verdict.ONE_SIDED, DROPPED)
        assert row.note.startswith("the gradient is complete on the right only")

    def test_kinks_and_jumps_of_the_gradient(self) -> None:
        row = only_row(tr_abs, 0.0)
        assert (row.verdict, row.note) == (Verdict.OK, "the gradient jumps here")
        row = only_row(lambda x: tr_abs(x) * x, 0.0)
        assert row.note == "kink: slope -2 on the left, 2 on the right"
        row = only_row(lambda x: tr_maximum(x, 0.0) ** 2, 0.0)
        assert (row.verdict, row.gradient) == (Verdict.OK, 0.5)

    def test_too_large_for_a_double(self) -> None:
        row = only_row(tr_log, 1e-300)
        assert (row.verdict, row.status) == (Verdict.MASKED, DROPPED)

    def test_no_number_anywhere(self) -> None:
        row = only_row(lambda x: 1.0 / (0.0 * x) + x, 1.0)
        assert (row.verdict, row.status) == (Verdict.MASKED, MASKED)
        assert row.note == "the gradient is not complete on either side"

    def test_what_is_masked_all_around_is_compared_as_it_is(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def f(x: Any) -> Any:
            return tr_sum([x**3, 1.0 / (0.0 * x)], ReductionMode.DROP_NONREAL)

        row = only_row(f, 2.0)
        assert (row.verdict, row.gradient) == (Verdict.OK, 12.0)
        assert row.note == "correct although a path was masked or dropped"
        falsified(monkeypatch, 0, 0, 1.0005)
        assert only_row(f, 2.0).fails

    def test_only_the_entries_of_a_pole_are_masked(self) -> None:
        check = check_gradient(lambda x, y: tr_exp(x), 1.0, 0.0, order=2)
        assert [row.status for row in check.rows] == [EXACT] * 4
        check = check_gradient(
            lambda x, y: tr_sum([x * x, 1.0 / y], ReductionMode.DROP_NONREAL), 1.0, 0.0, order=2
        )
        assert [row.verdict for row in check.rows[:1]] == [Verdict.OK]
        assert check.rows[3].verdict is Verdict.MASKED


class TestTheCheckItself:
    def test_the_table(self) -> None:
        check = check_gradient(lambda a, b: a * b, 2.0, 3.0, order=2)
        lines = str(check).splitlines()
        assert lines[0] == "second-derivative check: all 4 entries ok"
        assert lines[2].split()[:3] == ["entry", "x", "derivative"]
        assert lines[4].startswith("(a, b)  3")

    def test_one_number_unpacks(self) -> None:
        second, numerical, error = check_gradient(lambda x: x**3, 2.0, order=2)
        assert second == 12.0
        assert numerical == pytest.approx(12.0, rel=1e-9)
        assert error < 1e-9
        with pytest.raises(TypeError, match="4 entries does not unpack"):
            iter(check_gradient(lambda a, b: a * b, 1.0, 1.0, order=2))

    def test_assertion(self) -> None:
        assert_gradient(mixed, POINT, order=2)
        with pytest.raises(AssertionError, match="second-derivative check: failed"):
            assert_gradient(lambda x: x * x / x, 0.0, order=2)
        assert_gradient(lambda x: x * x / x, 0.0, order=2, allow={Verdict.REMOVABLE})

    def test_structures(self) -> None:
        check = check_gradient(lambda p: p["a"] * p["w"][1], {"a": 1.0, "w": [1.0, 2.0]}, order=2)
        assert check.rows[2].name == "(p['a'], p['w'][1])"
        assert check.rows[2].gradient == 1.0

    @pytest.mark.parametrize("order", [0, 3, -1, True, "2", None, 1.5])
    def test_other_orders_raise(self, order: Any) -> None:
        for check in (check_gradient, assert_gradient):
            with pytest.raises(ValueError, match="order must be 1, for gradients, or 2"):
                check(tr_sin, 1.0, order=order)

    def test_what_has_no_second_derivatives_here_raises(self) -> None:
        with pytest.raises(TypeError, match="must return"):
            check_gradient(lambda x: "text", 1.0, order=2)
        with pytest.raises(NotImplementedError, match="no third derivatives"):
            check_gradient(lambda x: tr_grad(tr_exp)(x) * x, 1.0, order=2)

    def test_statistics_and_gradients_are_unchanged(self) -> None:
        node = TRNode.parameter(0.05)
        HybridGradientContext.reset_statistics()
        before = HybridGradientContext.get_statistics()
        with mode_block(GradientMode.HYBRID, 1.0, 0.1):
            assert check_gradient(lambda x: 1.0 / x, node, order=2)
        assert HybridGradientContext.get_statistics() == before
        assert node.gradient is None
