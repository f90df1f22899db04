"""The gradient checker: it accepts right rules, rejects wrong ones, and knows a pole."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Optional

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.gradients import DROPPED, EXACT, MASKED, SATURATED, mode_block
from support.op_case import Slope
from support.op_cases import CASES
from support.ops import NAMES, node_op
from support.random_programs import Program, moderate, programs
from support.slow import slow
from support.values import INF, NAN
from zeroproof import _native
from zeroproof.array import TRArray
from zeroproof.autodiff.conditions import tr_equal, tr_less, tr_where
from zeroproof.autodiff.grad_mode import GradientMode
from zeroproof.autodiff.gradient_check import (
    GradientRow,
    Verdict,
    assert_gradient,
    check_gradient,
)
from zeroproof.autodiff.hybrid_gradient import HybridGradientContext
from zeroproof.autodiff.tr_node import TRNode
from zeroproof.autodiff.tr_ops_grad import (
    tr_abs,
    tr_cos,
    tr_exp,
    tr_log,
    tr_maximum,
    tr_sign,
    tr_sin,
    tr_sqrt,
)
from zeroproof.bridge import from_ieee
from zeroproof.core import TRScalar, TRTag, real
from zeroproof.policy import TRPolicy, TRPolicyConfig

Function = Callable[..., TRNode]
WRONG = [5e-4, -5e-4]


def falsified(f: Function, wrong: float) -> Function:
    """The same values, with a gradient that is off by a factor 1 + wrong."""

    def biased(*nodes: TRNode) -> TRNode:
        # The detached copy cancels in the value and not in the gradient.
        node = f(*nodes)
        return node + (node - node.detach()) * wrong

    return biased


def only_row(f: Function, x: float, mode: Optional[str] = None) -> GradientRow:
    """The row of a function of one input."""
    (row,) = check_gradient(f, x, mode=mode).rows
    return row


def rational(x: TRNode) -> TRNode:
    """(1 + x²) / (x − 2), with a pole at 2."""
    return (1.0 + x * x) / (x - 2.0)


class TestSlopes:
    @pytest.mark.parametrize("x", [0.0, 1.5, -3.0, 2.25, 100.0, real(1.5), np.float64(1.5)])
    def test_a_right_rule_passes(self, x: Any) -> None:
        check = check_gradient(rational, x)
        (row,) = check.rows
        expected = (float(x) ** 2 - 4 * float(x) - 1) / (float(x) - 2) ** 2
        assert row.gradient == pytest.approx(expected, rel=1e-13)
        assert row.numerical == pytest.approx(expected, rel=1e-9)
        assert (row.verdict, row.note, row.status) == (Verdict.OK, "", EXACT)
        assert check.ok
        assert bool(check)

    @pytest.mark.parametrize("wrong", WRONG)
    @pytest.mark.parametrize("x", [0.25, 1.5, -3.0])
    @pytest.mark.parametrize("f", [tr_exp, tr_sin, rational, lambda v: tr_log(v * v) * v])
    def test_a_rule_that_is_wrong_by_half_a_permille_fails(
        self, f: Function, x: float, wrong: float
    ) -> None:
        assert falsified(f, wrong)(TRNode.constant(x)).value == f(TRNode.constant(x)).value
        assert check_gradient(f, x)
        row = only_row(falsified(f, wrong), x)
        assert row.verdict is Verdict.WRONG
        assert row.relative_error == pytest.approx(abs(wrong), rel=0.01)

    def test_a_gradient_of_zero(self) -> None:
        row = only_row(lambda x: tr_cos(x) * 0.0, 1.0)
        assert (row.gradient, row.numerical, row.relative_error) == (0.0, 0.0, 0.0)
        assert (row.verdict, row.status) == (Verdict.OK, EXACT)

    @pytest.mark.parametrize(
        "f", [lambda x: x * x, tr_cos, lambda x: TRNode.constant(3.0), lambda x: 0.0 * x]
    )
    def test_a_true_zero_is_not_taken_for_a_masked_one(self, f: Function) -> None:
        row = only_row(f, 0.0)
        assert (row.verdict, row.note, row.status) == (Verdict.OK, "", EXACT)

    def test_an_input_that_a_pole_does_not_depend_on(self) -> None:
        row = only_row(lambda x: TRNode.constant(1.0) / 0.0, 2.0)
        assert (row.verdict, row.status) == (Verdict.OK, EXACT)
        assert row.note == "not compared: f is not REAL on either side"

    def test_cancelling_and_oscillating_functions(self) -> None:
        assert check_gradient(lambda x: (1e8 + x) - 1e8, 1.0)
        assert not check_gradient(falsified(lambda x: (1e8 + x) - 1e8, 5e-4), 1.0)
        assert check_gradient(lambda x: tr_sin(1e6 * x), 1.0)
        assert not check_gradient(falsified(lambda x: tr_sin(1e6 * x), 5e-4), 1.0)
        # Its period is a power of two, so differences at such steps would see a line.
        assert check_gradient(lambda x: x + tr_sin(16 * math.pi * x), 1.0)

    def test_a_pole_close_by(self) -> None:
        for distance in (1e-3, 1e-6, 1e-9):
            assert check_gradient(lambda x: 1.0 / (x - 1.0), 1.0 + distance)
            assert not check_gradient(falsified(lambda x: 1.0 / (x - 1.0), 5e-4), 1.0 + distance)
        # Large steps see a slope of 1, and only small ones that it is 0.
        assert only_row(lambda x: x + 1e-12 / (x - 1e-6), 0.0).verdict is Verdict.OK

    def test_what_rounding_swallows_is_said(self) -> None:
        row = only_row(tr_cos, 1e-20)
        assert row.verdict is Verdict.OK
        assert row.note.startswith("compared to within ")
        for part in (tr_sin, node_op("floor")):
            row = only_row(lambda x, part=part: part(x) + x, 1e17)
            assert row.note == "not compared: a part of f is too steep for doubles here"

    @pytest.mark.parametrize("x", [1e17, -1e17, 1e14 + 0.3])
    @pytest.mark.parametrize("name", NAMES["unary"])
    def test_no_right_gradient_is_wrong_far_from_zero(self, name: str, x: float) -> None:
        op = node_op(name)
        for f in (op, lambda v: op(v) + v, lambda v: op(v) * x + v):
            assert not only_row(f, x).fails


#: What takes one node from the functions of each row of the op table.
FORMS: dict[str, dict[str, Callable[..., Function]]] = {
    "unary": {"": lambda op: op},
    "power": {f" {n}": lambda op, n=n: lambda x: op(x, n) for n in (-5, -2, -1, 1, 2, 3, 7)},
    "binary": {
        " left": lambda op: lambda x: op(x, 1.3),
        " right": lambda op: lambda x: op(1.3, x),
    },
    "variadic": {"": lambda op: lambda x: op([x, x, 1.0])},
}
OPS: dict[str, Function] = {
    name + form: make(node_op(name))
    for arity, forms in FORMS.items()
    for name in NAMES[arity]
    for form, make in forms.items()
}


#: Of an op that has a slope elsewhere, what has none: the sign that copysign takes.
FLAT_FORMS = ["copysign right"]


@pytest.mark.parametrize("scale", [1.0, *slow(1e-12, 1e200, 1e-200)])
@pytest.mark.parametrize("name", OPS)
def test_every_op_at_several_scales(name: str, scale: float) -> None:
    def f(x: TRNode) -> TRNode:
        return OPS[name](x) * scale

    compared = 0
    for x in (1e-8, -1e-8, 1e-3, 0.3, -0.4, 1.7, -2.5, 30.0, 1e8):
        row = only_row(f, x)
        assert not row.fails, row
        if row.status or row.gradient == 0.0 or row.note:
            continue  # Not smooth, or so flat that its note says that rounding hides it.
        for wrong in WRONG:
            assert only_row(falsified(f, wrong), x).verdict is Verdict.WRONG, (x, wrong)
        compared += 1
    assert compared >= 2 or name in FLAT_FORMS or CASES[name.split()[0]].slope is Slope.FLAT


def distinct(program: Program) -> bool:
    return len(set(program.values)) == len(program.values)


#: Some 60 evaluations of a program for each input, so fewer examples than elsewhere.
@settings(max_examples=100)
@given(
    program=programs(moderate).filter(distinct),
    mode=st.sampled_from(list(GradientMode)),
    delta=st.sampled_from([None, 0.1, 1.0]),
)
def test_compositions_of_right_rules_are_never_wrong(
    program: Program, mode: GradientMode, delta: Optional[float]
) -> None:
    with mode_block(mode, delta=delta):
        check = check_gradient(program.root, *program.values)
    for row in check.rows:
        assert row.verdict is not Verdict.WRONG or "subgradient" in row.note, check


REMOVABLE, ONE_SIDED = Verdict.REMOVABLE, Verdict.ONE_SIDED
OK, POLE = Verdict.OK, Verdict.MASKED


class TestVerdicts:
    """Verdict, status and the slope found, in Mask-REAL mode."""

    @pytest.mark.parametrize(
        ("f", "x", "verdict", "status", "slope", "note"),
        [
            (lambda x: tr_sqrt(x * x), 0.0, OK, DROPPED, None, "kink: slope -1 on the left, 1"),
            (lambda x: x * x / x, 0.0, REMOVABLE, MASKED, 1.0, ""),
            (lambda x: 1.0 / (1.0 / x + 1.0), 0.0, REMOVABLE, MASKED, 1.0, ""),
            (lambda x: tr_sin(x) / x, 0.0, REMOVABLE, MASKED, 0.0, "f is not REAL here"),
            (lambda x: 1.0 / x, 0.0, POLE, MASKED, None, "the values of f do not converge"),
            (lambda x: 1.0 / (x * x), 0.0, POLE, MASKED, None, "the values of f do not converge"),
            (lambda x: tr_log(abs(x)), 0.0, POLE, MASKED, None, "the values of f do not converge"),
            (lambda x: x / abs(x), 0.0, POLE, MASKED, None, "f jumps here"),
            (lambda x: tr_sqrt(abs(x)), 0.0, POLE, DROPPED, None, "the slope of f is unbounded"),
            (rational, 2.0, POLE, MASKED, None, ""),
            (tr_abs, 0.0, OK, EXACT, None, "kink: slope -1 on the left, 1 on the right"),
            (lambda x: tr_maximum(x, 2.0 * x), 0.0, OK, EXACT, None, "kink: slope 1 on the left"),
            (tr_sign, 0.0, OK, EXACT, None, "f jumps here"),
            (tr_log, 0.0, ONE_SIDED, MASKED, None, "f is REAL on the right only, where its slope"),
            (tr_log, -1.0, POLE, MASKED, None, "f is not REAL on either side"),
            (tr_sqrt, 0.0, ONE_SIDED, DROPPED, None, "f is REAL on the right only, where its"),
            (lambda x: tr_sqrt(-x), 0.0, ONE_SIDED, DROPPED, None, "f is REAL on the left only"),
            (lambda x: x * tr_sqrt(x), 0.0, ONE_SIDED, EXACT, 0.0, "f is REAL on the right only"),
            (lambda x: x**200, 1e10, POLE, MASKED, None, "f is not REAL on either side"),
            (lambda x: 1.0 / x, 1e-200, POLE, DROPPED, None, "the slope of f is unbounded"),
            (tr_exp, 709.0, OK, EXACT, math.exp(709.0), ""),
        ],
    )
    def test_in_mask_real(
        self, f: Function, x: float, verdict: Verdict, status: Any, slope: Any, note: str
    ) -> None:
        row = only_row(f, x)
        assert (row.verdict, row.status) == (verdict, status)
        assert row.numerical == (
            None if slope is None else pytest.approx(slope, rel=1e-9, abs=1e-6)
        )
        assert row.note.startswith(note)
        assert row.fails == (verdict is REMOVABLE)

    def test_the_texts(self) -> None:
        assert [verdict.value for verdict in Verdict] == [
            "ok",
            "wrong",
            "masked as it should be",
            "masked but the function is smooth here: removable singularity",
            "one-sided only",
        ]

    def test_a_branch_that_is_not_taken(self) -> None:
        def f(x: TRNode) -> TRNode:
            return tr_where(tr_less(1.0, x), 1.0 / x, 3.0 * x)

        row = only_row(f, 0.0)
        assert (row.verdict, row.status, row.note) == (OK, EXACT, "")
        assert only_row(falsified(f, 5e-4), 0.0).verdict is Verdict.WRONG
        # A value filled in at the point is right, its gradient of 0 is not.
        filled = only_row(lambda x: tr_where(tr_equal(x, 0.0), 0.0 * x, x * x / x), 0.0)
        assert (filled.verdict, filled.numerical) == (Verdict.WRONG, 1.0)

    def test_a_subgradient_outside_of_a_kink_is_wrong(self) -> None:
        row = only_row(lambda x: abs(x) + 3.0 * (x - x.detach()), 0.0)
        assert row.verdict is Verdict.WRONG
        assert "kink: slope -1 on the left, 1 on the right" in row.note

    def test_kinks_of_parts_that_cancel_are_wrong_and_say_why(self) -> None:
        def first(x: TRNode, y: TRNode) -> TRNode:
            return tr_maximum(x, node_op("minimum")(x, y))

        row = check_gradient(first, 1.0, 1.0).rows[0]
        assert (row.gradient, row.verdict) == (0.75, Verdict.WRONG)
        assert row.note.startswith("a part of f has a kink here")

    def test_a_wrong_slope_on_one_side(self) -> None:
        def inside(x: TRNode) -> TRNode:
            return tr_where(tr_less(x, 0.0), x / 0.0 - x / 0.0, tr_sin(x))

        assert only_row(inside, 0.0).verdict is ONE_SIDED
        assert only_row(inside, 0.0).numerical == pytest.approx(1.0)
        assert only_row(falsified(inside, 5e-4), 0.0).verdict is Verdict.WRONG


class TestModes:
    @pytest.mark.parametrize("mode", ["saturating", "hybrid"])
    def test_bounded_gradients(self, mode: str) -> None:
        with mode_block(GradientMode.MASK_REAL, 1.0, delta=1.0):
            row = only_row(lambda x: 1.0 / x + 3.0 * x, 0.5, mode)
            assert (row.status, row.verdict) == (SATURATED, OK)
            assert row.gradient == pytest.approx(2.2)
            assert row.numerical == pytest.approx(-1.0)
            assert row.note == "saturated; with a bound near 0 it is the slope"
            row = only_row(falsified(lambda x: 1.0 / x + 3.0 * x, 5e-4), 0.5, mode)
            assert row.verdict is Verdict.WRONG

    @pytest.mark.parametrize("mode", ["saturating", "hybrid"])
    def test_at_singularities(self, mode: str) -> None:
        with mode_block(GradientMode.MASK_REAL, 1.0, delta=1.0):
            row = only_row(lambda x: 1.0 / x, 0.0, mode)
            assert (row.gradient, row.status, row.verdict) == (-1.0, SATURATED, OK)
            assert row.note.startswith("saturated: the values of f do not converge")
            assert only_row(lambda x: x * x / x, 0.0, mode).verdict is REMOVABLE
            assert only_row(lambda x: 1.0 / (1.0 / x), 0.0, mode).verdict is REMOVABLE
            assert only_row(lambda x: tr_sqrt(x * x), 0.0, mode).verdict is OK
            assert only_row(tr_sqrt, 0.0, mode).verdict is ONE_SIDED

    def test_the_mode_in_force_or_another(self) -> None:
        assert check_gradient(tr_sin, 1.0).mode is GradientMode.MASK_REAL
        with mode_block(GradientMode.SATURATING):
            assert check_gradient(tr_sin, 1.0).mode is GradientMode.SATURATING
            assert check_gradient(tr_sin, 1.0, mode="hybrid").mode is GradientMode.HYBRID
            assert _native.get_mode() is GradientMode.SATURATING

    def test_a_coordinate_stays_one(self) -> None:
        with mode_block(GradientMode.HYBRID):
            HybridGradientContext.set_exploration_regions([(0.0, 1.0)])
            check = check_gradient(lambda x: 1.0 / x, TRNode.input(0.5))
            assert check.rows[0].status is SATURATED
            assert check.rows[0].verdict is OK

    @pytest.mark.parametrize("mode", list(GradientMode))
    def test_nothing_is_counted(self, mode: GradientMode) -> None:
        with mode_block(mode, delta=0.1):
            before = HybridGradientContext.get_statistics()
            check_gradient(lambda x: 1.0 / x + tr_sqrt(x), 0.0)
            assert HybridGradientContext.get_statistics() == before

    def test_the_state_of_a_policy_is_followed(self) -> None:
        TRPolicyConfig.set_policy(TRPolicy(tau_Q_on=0.1, tau_Q_off=10.0))
        with mode_block(GradientMode.HYBRID):
            HybridGradientContext.update_epoch(0)
            HybridGradientContext.update_q_value(0.01)
            HybridGradientContext.end_batch_policy_update()
            before = HybridGradientContext.get_statistics()
            row = only_row(lambda x: 1.0 / x, 0.5)
            assert HybridGradientContext.get_statistics() == before
        assert (row.status, row.verdict) == (SATURATED, OK)


class TestArguments:
    def test_arrays_and_several_arguments(self) -> None:
        def f(w: Any, x: TRNode, *rest: Any) -> TRNode:
            return w[0, 1] * x + w[1, 0] ** 2 * rest[0][0] + 0.0 * w[0, 0]

        check = check_gradient(f, [[1.0, 2.0], [3.0, 4.0]], 0.5, (real(7.0),))
        names = ["w[0, 0]", "w[0, 1]", "w[1, 0]", "w[1, 1]", "x", "arg2[0]"]
        assert [row.name for row in check.rows] == names
        assert [row.gradient for row in check.rows] == [0.0, 0.5, 42.0, 0.0, 2.0, 9.0]
        assert [row.x for row in check.rows] == [1.0, 2.0, 3.0, 4.0, 0.5, 7.0]
        assert check

    @pytest.mark.parametrize(
        "array", [np.array([1.0, 2.0]), np.array([1, 2]), from_ieee(np.array([1.0, 2.0]))]
    )
    def test_arrays_of_every_kind(self, array: Any) -> None:
        assert isinstance(array, (np.ndarray, TRArray))
        check = check_gradient(lambda v: v[0] * v[1], array)
        assert [row.gradient for row in check.rows] == [2.0, 1.0]

    def test_nodes_are_left_alone(self) -> None:
        x = TRNode.parameter(TRScalar(0.5))
        assert check_gradient(lambda a, b: a * b[0], x, [x])
        assert x.gradient is None

    @pytest.mark.parametrize(
        ("f", "xs", "options", "error", "message"),
        [
            (tr_sin, [], {}, ValueError, "nothing to check: pass the point"),
            (lambda v: tr_sin(1.0), [[]], {}, ValueError, "nothing to check"),
            (tr_sin, [INF], {}, ValueError, "is inf.*pass a finite number"),
            (lambda v: v[0], [[NAN]], {}, ValueError, r"v\[0\] is nan"),
            (tr_sin, ["1"], {}, TypeError, "must be a number, a TRScalar or a TRNode, not str"),
            (lambda x: "1", [1.0], {}, TypeError, "must return a TRNode or a number, not str: c"),
            (tr_sin, [1.0], {"rtol": 0.0}, ValueError, "rtol must be a positive finite"),
            (tr_sin, [1.0], {"rtol": NAN}, ValueError, "rtol must be a positive finite"),
            (tr_sin, [1.0], {"atol": -1.0}, ValueError, "atol must be"),
            (tr_sin, [1.0], {"mode": "real"}, ValueError, "'mask_real', 'saturating', 'hybrid'"),
            (tr_sin, [1.0], {"mode": 1}, TypeError, "mode must be a GradientMode"),
        ],
    )
    def test_what_is_refused(
        self, f: Any, xs: list[Any], options: dict[str, Any], error: Any, message: str
    ) -> None:
        for check in (check_gradient, assert_gradient):
            with pytest.raises(error, match=message):
                check(f, *xs, **options)

    def test_tolerances(self) -> None:
        biased = falsified(tr_sin, 5e-4)
        assert check_gradient(biased, 1.0, rtol=1e-3)
        assert check_gradient(biased, 1.0, atol=1e-3)
        assert not check_gradient(falsified(tr_sin, 1e-5), 1.0)


class TestTable:
    def test_a_table(self) -> None:
        check = check_gradient(lambda a, b: a * a / a + 2.0 * b * a, 0.0, -3.0)
        assert check.value.tag is TRTag.PHI
        assert repr(check).splitlines() == [
            "gradient check: 1 of 2 inputs failed",
            "f = Φ (PHI), mode MASK_REAL",
            "input   x  gradient  status  numerical  ± error  relative  verdict",
            "a       0         0  MASKED         -5  2.2e-15   1.0e+00  "
            "masked but the function is smooth here: removable singularity",
            "b      -3         0  MASKED          —        —         —  "
            "masked as it should be (f is not REAL on either side)",
        ]

    def test_many_inputs_show_what_failed(self) -> None:
        def f(v: Any) -> TRNode:
            return sum(x * x / x for x in v)  # type: ignore[no-any-return]

        lines = repr(check_gradient(f, np.arange(1.0, 51.0))).splitlines()
        assert lines[0] == "gradient check: all 50 inputs ok"
        assert lines[2:] == ["not shown: 50 inputs that passed"]

        def g(v: Any) -> TRNode:
            return v[7] + 1e-2 * (v[7] - v[7].detach()) + v[8]  # type: ignore[no-any-return]

        lines = repr(check_gradient(g, np.ones(50))).splitlines()
        assert lines[0] == "gradient check: 1 of 50 inputs failed"
        assert [line.split()[0] for line in lines[3:]] == ["v[7]", "not"]
        assert lines[-1] == "not shown: 49 inputs that passed"

    def test_many_failing_inputs(self) -> None:
        def f(v: Any) -> TRNode:
            return falsified(lambda: sum(v), 0.1)()

        lines = repr(check_gradient(f, np.ones(45))).splitlines()
        assert len(lines) == 3 + 40 + 1
        assert lines[-1] == "not shown: 0 inputs that passed, 5 that failed"

    def test_an_assertion(self) -> None:
        biased = falsified(tr_sin, 5e-4)
        assert_gradient(tr_sin, 1.0)
        with pytest.raises(AssertionError) as caught:
            assert_gradient(biased, 1.0)
        assert str(caught.value) == repr(check_gradient(biased, 1.0))
        assert str(caught.value).startswith("gradient check: failed\nf = 0.8414709848")

    def test_what_an_assertion_allows(self) -> None:
        def f(x: TRNode) -> TRNode:
            return x * x / x

        assert_gradient(lambda x: 1.0 / x, 0.0)
        assert_gradient(f, 0.0, allow={Verdict.REMOVABLE})
        with pytest.raises(AssertionError, match="removable singularity"):
            assert_gradient(f, 0.0, allow=[Verdict.WRONG])
        with pytest.raises(ValueError, match="valid Verdict"):
            assert_gradient(f, 0.0, allow=["fine"])  # type: ignore[list-item]


class TestUnpacking:
    """The check of one number as ``analytical, numerical, relative_error``."""

    def test_one_number(self) -> None:
        from zeroproof.autodiff.grad_funcs import check_gradient as documented

        check = documented(lambda x: x * x, 3.0)
        analytical, numerical, relative_error = check
        [row] = check.rows
        assert (analytical, numerical, relative_error) == (
            row.gradient,
            row.numerical,
            row.relative_error,
        )
        assert analytical == 6.0
        assert numerical == pytest.approx(6.0, rel=1e-9)
        assert 0.0 <= relative_error <= 1e-9
        assert [type(number) for number in check] == [float] * 3
        assert check.ok

    def test_a_wrong_gradient(self) -> None:
        analytical, numerical, relative_error = check_gradient(falsified(tr_sin, 5e-4), 1.0)
        assert analytical == pytest.approx(math.cos(1.0) * (1 + 5e-4), rel=1e-12)
        assert numerical == pytest.approx(math.cos(1.0), rel=1e-9)
        assert relative_error == pytest.approx(5e-4 / (1 + 5e-4), rel=1e-5)

    def test_without_a_slope(self) -> None:
        analytical, numerical, relative_error = check_gradient(lambda x: 1.0 / x, 0.0)
        assert analytical == 0.0
        assert math.isnan(numerical)
        assert math.isnan(relative_error)

    @pytest.mark.parametrize("one", [[2.0], np.array(2.0), TRNode.parameter(2.0), real(2.0)])
    def test_one_number_however_given(self, one: Any) -> None:
        analytical, *_ = check_gradient(
            lambda x: tr_exp(x[0] if isinstance(one, list) else x) * 0.5, one
        )
        assert analytical == pytest.approx(0.5 * math.exp(2.0), rel=1e-15)

    @pytest.mark.parametrize("points", [(1.0, 2.0), ([1.0, 2.0],), (1.0, [1.0, 2.0])])
    def test_several_numbers_have_rows(self, points: tuple[Any, ...]) -> None:
        check = check_gradient(
            lambda *xs: sum((x if isinstance(x, TRNode) else x[0] * x[1]) for x in xs), *points
        )
        with pytest.raises(TypeError, match=r"inputs does not unpack.*iterate over its rows"):
            iter(check)
        with pytest.raises(TypeError, match=f"check of {len(check.rows)} inputs"):
            _, _, _ = check
        assert check.ok
