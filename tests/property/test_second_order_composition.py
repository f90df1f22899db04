"""Hessians of random compositions of every op against the textbook in 50 digits, in all modes.

Every term of an entry is a product of a partial for each node on a path down, one slope of a
partial, and a partial for each node on a path up. Each factor is within ``FACTOR`` units in the
last place, or ``BOUNDED_FACTOR``, by the contract, and a product and a sum round once each. An
entry may be off by that much of the sum of the sizes of its terms, and no more.
"""

from __future__ import annotations

from typing import Optional

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from mpmath import mpf

from support.gradients import DROPPED, EXACT, MASKED, SATURATED, mode_block
from support.op_case import OpCase
from support.op_cases import cases
from support.random_programs import OPERATIONS, Program, Step, moderate, programs
from support.second_reference import jacobian
from zeroproof import _native
from zeroproof.autodiff.grad_mode import GradientMode
from zeroproof.autodiff.tr_node import TRNode
from zeroproof.autodiff.tr_ops_grad import ReductionMode

FACTOR, BOUNDED_FACTOR = 6, 10
EPSILON = mpf(2) ** -52
#: Below this, products are subnormal on the way.
SMALLEST = mpf(10) ** -280

#: Roots, stationary points and ties come as often as other numbers.
points = st.one_of(moderate, st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 1.5707963267948966]))
relaxed = settings(
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow], deadline=None
)


def check(
    program: Program, mode: GradientMode, bound: Optional[float], delta: Optional[float]
) -> bool:
    """Compares all entries; False where the reference has none."""
    expected = jacobian(program, bound)
    if expected is None:
        return False
    leaves = [TRNode.parameter(x) for x in program.values]
    with mode_block(mode, bound, delta):
        root = program.run(leaves)[-1]
        _, columns = _native.hessian(root, leaves, None)
    roundings = 2 * len(program.steps) * ((FACTOR if bound is None else BOUNDED_FACTOR) + 2)
    for i, row in enumerate(expected):
        for j, (number, size) in enumerate(row):
            found, status = columns[j][i] or (0.0, EXACT)
            assert not status & DROPPED
            assert not status & SATURATED or bound is not None
            error = abs(mpf(float(found)) - number)
            assert error <= roundings * EPSILON * size + SMALLEST, (
                i,
                j,
                float(found),
                number,
                status,
            )
    return True


@relaxed
@given(program=programs(values=points, operations=OPERATIONS, max_steps=8))
def test_any_composition(program: Program) -> None:
    assume(check(program, GradientMode.MASK_REAL, None, None))


@relaxed
@given(program=programs(values=points, operations=OPERATIONS, max_steps=8))
def test_hybrid_mode_far_from_poles(program: Program) -> None:
    assume(check(program, GradientMode.HYBRID, None, None))


@relaxed
@given(
    program=programs(values=points, operations=OPERATIONS, max_steps=6),
    bound=st.sampled_from([1.0, 0.3, 5.0, 1e-3]),
    hybrid=st.booleans(),
)
def test_any_composition_of_bounded_partials(program: Program, bound: float, hybrid: bool) -> None:
    # Within so large a threshold every singular op of Hybrid mode saturates.
    mode = GradientMode.HYBRID if hybrid else GradientMode.SATURATING
    assume(check(program, mode, bound, 1e300 if hybrid else None))


def around_an_op(name: str, x: float, arity: str) -> Program:
    """``(op(x²·u) + u)²`` and the like at x: each op inside of others."""
    operands = {"unary": (3,), "power": (3,), "binary": (3, 1), "variadic": (3, 1, 0)}[arity]
    extra = {"power": 3}.get(arity)
    steps = [Step("mul", (0, 1)), Step("add", (2, 0)), Step(name, operands, extra)]
    if arity == "variadic":
        steps[-1] = Step(name, operands, ReductionMode.STRICT)
    return Program((x, 0.75), (*steps, Step("mul", (4, 4)), Step("add", (5, 1))))


@pytest.mark.parametrize(
    "case", cases("unary", "binary", "power", "variadic"), ids=lambda c: c.name
)
def test_each_op_inside_of_others(case: OpCase) -> None:
    tried = [
        around_an_op(case.name, x, case.arity) for x in (0.3, -0.4, 0.55, 1.25, -1.5, 2.0, 0.0)
    ]
    checked = [check(program, GradientMode.MASK_REAL, None, None) for program in tried]
    assert sum(checked) >= 2
    bounded = [check(program, GradientMode.SATURATING, 0.5, None) for program in tried]
    assert sum(bounded) >= 2


def test_what_is_masked_is_left_out() -> None:
    # x₀² + min(x₀/(x₀ − x₀), x₀) + x₀: the quotient passes nothing.
    steps = (
        *(Step("sub", (0, 0)), Step("div", (0, 1)), Step("minimum", (2, 0))),
        *(Step("mul", (0, 0)), Step("add", (4, 3)), Step("add", (5, 0))),
    )
    program = Program((3.0,), steps)
    root = program.run([TRNode.parameter(3.0)])[-1]
    assert root.item() == 15.0
    leaf = TRNode.parameter(3.0)
    _, [[found]] = _native.hessian(program.run([leaf])[-1], [leaf], None)
    assert (float(found[0]), found[1] & ~MASKED) == (2.0, EXACT)
