"""Closes the op table: native table, OpType, both function modules and the enumerations agree."""

from __future__ import annotations

import inspect
import re
from dataclasses import MISSING, fields
from enum import IntEnum
from pathlib import Path
from typing import Any

import pytest

import zeroproof
from support.op_case import Accuracy, BadPoint, OpCase, Pole, Rounding
from support.op_cases import CASES
from support.ops import NAMES, node_op, scalar_op
from support.values import same
from zeroproof import _enums, _native, core, tr_grad
from zeroproof.autodiff import tr_ops_grad
from zeroproof.autodiff.grad_mode import GradientMode, GradientModeConfig
from zeroproof.autodiff.hybrid_gradient import HybridGradientSchedule, ScheduleType
from zeroproof.autodiff.tr_node import GradientStatus, OpType, TRNode
from zeroproof.core import ReductionMode, TRScalar, TRTag, tr_sum

Row = dict[str, Any]
TABLE = _native.op_table()
PARAMETERS = {
    "unary": ["a"],
    "power": ["a", "n"],
    "binary": ["a", "b"],
    "variadic": ["values", "mode"],
}
PACKAGE = Path(zeroproof.__file__).parent


def functions(module: object) -> set[str]:
    return {name for name in vars(module) if name.startswith("tr_")}


def test_op_type_is_the_table() -> None:
    assert len(TABLE) >= 35
    assert [row["name"] for row in TABLE] == [op.name.lower() for op in OpType]
    assert [row["code"] for row in TABLE] == [op.value for op in OpType]
    assert [op.value for op in OpType] == list(range(len(TABLE)))


def test_functions_are_the_table() -> None:
    elementwise = {f"tr_{name}" for arity in ("unary", "binary", "power") for name in NAMES[arity]}
    variadic = {f"tr_{name}" for name in NAMES["variadic"]}
    assert functions(tr_ops_grad) == elementwise | variadic
    assert functions(core) == elementwise | variadic | {"tr_clip", "tr_polyval"}
    assert set(NAMES) == {"leaf", "unary", "binary", "power", "variadic"}
    assert NAMES["leaf"] == ["constant", "parameter", "input"]


def test_the_cases_of_the_tests_are_the_table() -> None:
    operations = [row["name"] for row in TABLE if row["domain"] is not None]
    assert sorted(CASES) == sorted(operations)
    poles = {row["name"] for row in TABLE if row["pole"]}
    assert {name for name, case in CASES.items() if case.pole} == poles
    assert all(case.bad_points for case in CASES.values())
    for case in CASES.values():
        # What is not exact is measured, but for reductions, which come down to other ops.
        assert (case.rounding.ulps == 0) == (case.accuracy is None) or case.arity == "variadic"


def test_no_fact_of_an_op_has_a_default() -> None:
    for kind in (OpCase, BadPoint, Accuracy, Pole, Rounding):
        for field in fields(kind):
            assert field.default is field.default_factory is MISSING, (kind, field.name)


@pytest.mark.parametrize("row", TABLE, ids=[row["name"] for row in TABLE])
def test_each_row_names_itself(row: Row) -> None:
    name, arity, formula = row["name"], row["arity"], row["formula"]
    assert formula
    for fact in ("domain", "partials", "reason", "notation", "smooth_on"):
        assert (row[fact] is None) is (arity in ("leaf", "alias", "gradients", "gradient")), fact
    if row["domain"] is not None:
        low, high = row["smooth_on"]
        assert low < high
        assert row["notation"][0] in ("infix", "prefix", "call")
        for function in (scalar_op(name), node_op(name)):
            told = [row[fact] for fact in ("formula", "domain", "units", "partials", "reason")]
            told += [row["pole"][fact] for fact in ("distance", "bounded")] if row["pole"] else []
            doc = " ".join((function.__doc__ or "").split())
            assert [fact for fact in told if fact and " ".join(fact.split()) not in doc] == []
            assert list(inspect.signature(function).parameters) == PARAMETERS[arity]
    operands = {"unary": 1, "power": 1, "binary": 2}.get(arity)
    x = TRNode.parameter(1.5)
    if arity == "leaf":
        node = getattr(TRNode, name)(1.5)
    elif arity == "alias":
        node = getattr(zeroproof, f"tr_{name}")(True, x, 2.0)
        assert [float(operand.value) for operand in node.inputs] == [1.5, 2.0]
    elif arity in ("gradients", "gradient"):
        gradient = tr_grad(lambda v: v * v)(x)
        node = gradient if arity == "gradient" else gradient.inputs[0]
    elif arity == "variadic":
        node = node_op(name)([x, 2.0])
        assert same(node.value, scalar_op(name)([1.5, 2.0]))
    else:
        arguments = [x] * (operands or 0) + ([3] if arity == "power" else [])
        values = [1.5] * (operands or 0) + ([3] if arity == "power" else [])
        node = node_op(name)(*arguments)
        assert len(node.inputs) == operands
        assert same(node.value, scalar_op(name)(*values))
        assert isinstance(scalar_op(name)(*values), TRScalar)
        assert isinstance(scalar_op(name)(*arguments), TRNode)
    assert node.op is OpType[name.upper()]
    assert name in repr(node)


def test_every_native_name_is_used_by_the_package() -> None:
    sources = "".join(path.read_text() for path in PACKAGE.rglob("*.py"))
    native = {name for name in dir(_native) if not name.startswith("__")}
    assert len(native) > 50
    # Two are for tests, one brings pickled leaves back, and blocks are made by functions only.
    for_others = {"op_table", "arena_usage", "make_leaf", "GradientBlock"}
    unused = {n for n in native - for_others if not re.search(rf"\b{n}\b", sources)}
    assert unused == set()


def test_every_native_name_has_a_docstring() -> None:
    public = [n for n in dir(_native) if n.startswith(("_op_", "_node_")) or n[0].isupper()]
    assert len(public) > 30
    assert [n for n in public if not getattr(_native, n).__doc__] == []


class TestEnumerations:
    def test_codes(self) -> None:
        expected: dict[type[IntEnum], list[str]] = {
            TRTag: ["REAL", "PINF", "NINF", "PHI"],
            GradientMode: ["MASK_REAL", "SATURATING", "HYBRID"],
            ScheduleType: ["LINEAR", "EXPONENTIAL", "COSINE"],
            ReductionMode: ["STRICT", "DROP_NULL", "DROP_NONREAL"],
        }
        for enumeration, names in expected.items():
            assert [(m.name, m.value) for m in enumeration] == list(zip(names, range(9)))
        flags = {flag.name: flag.value for flag in GradientStatus if flag}
        assert flags == {"MASKED": 1, "DROPPED": 2, "SATURATED": 4}
        assert GradientStatus.EXACT == 0
        assert set(_enums.__all__) == {e.__name__ for e in expected} | {"GradientStatus", "OpType"}

    def test_members_come_back_from_the_native_module(self) -> None:
        for mode in GradientMode:
            GradientModeConfig.set_mode(mode)
            assert GradientModeConfig.get_mode() is mode
        for kind in ScheduleType:
            assert HybridGradientSchedule(schedule_type=kind).schedule_type is kind
        tags = [TRScalar(x).tag for x in (1.0, float("inf"), float("-inf"), float("nan"))]
        assert all(a is b for a, b in zip(tags, TRTag))
        assert isinstance(TRNode.parameter(1.0).gradient_status, GradientStatus)

    def test_one_that_lacks_a_member_is_refused(self) -> None:
        known = (TRTag, GradientStatus, GradientMode, ScheduleType, ReductionMode)
        with pytest.raises(ValueError, match="1 is not a valid Short"):
            _native.set_enumerations(*known, IntEnum("Short", ["CONSTANT"], start=0))
        assert TRNode.parameter(1.0).op is OpType.PARAMETER

    def test_each_reduction_mode_means_what_it_says(self) -> None:
        values = [1.0, float("inf"), float("nan")]
        tags = [tr_sum(values, mode).tag for mode in ReductionMode]
        assert tags == [TRTag.PHI, TRTag.PINF, TRTag.REAL]

    def test_each_schedule_type_means_what_it_says(self) -> None:
        at_half = {
            kind: HybridGradientSchedule(
                transition_epochs=4, delta_init=1.0, delta_final=0.25, schedule_type=kind
            ).get_delta(1)
            for kind in ScheduleType
        }
        assert at_half[ScheduleType.LINEAR] == pytest.approx(0.8125)
        assert at_half[ScheduleType.EXPONENTIAL] == pytest.approx(0.25**0.25)
        assert at_half[ScheduleType.COSINE] == pytest.approx(0.25 + 0.375 * (1 + 2**-0.5))
