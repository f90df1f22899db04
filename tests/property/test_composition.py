"""The composition lemma of Mask-REAL: silencing a node is removing its paths.

A random graph gets a node that is not REAL. Its gradient is then the classical gradient of the
graph in which every such node is cut off from its inputs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Optional

import mpmath
from hypothesis import assume, given
from hypothesis import strategies as st

from support.gradients import DROPPED, EXACT, MASKED, gradient_of
from support.op_case import DIGITS, Slope, exact
from support.op_cases import CASES, cases
from support.random_programs import OPERATIONS, Program, Step, doubles, moderate, programs
from support.values import same
from zeroproof.autodiff.tr_node import GradientStatus, TRNode

#: Ops that are REAL and not steep for REAL operands; poles come from the injected step.
SMOOTH = [case.name for case in cases("unary", "binary") if case.slope is Slope.MODERATE]

#: Steps that are not REAL for any REAL operand: x/0 or 0/0, log of a negative, and overflow.
INJECTED: list[Callable[[int], list[Step]]] = [
    lambda k: [Step("sub", (k, k)), Step("div", (k, -1))],
    lambda k: [Step("sub", (k, k)), Step("div", (-1, -1))],
    lambda k: [Step("sub", (k, k)), Step("pow_int", (-1,), -3)],
    lambda k: [Step("sub", (k, k)), Step("log", (-1,))],
    lambda k: [Step("sub", (k, k)), Step("pow_int", (-1,), 0)],
]


@st.composite
def injected_programs(draw: st.DrawFn) -> Program:
    """A program of smooth ops with a non-REAL node in it, and later steps that use it."""
    before = draw(programs(values=moderate, operations=SMOOTH, max_steps=6))
    steps = list(before.steps)
    count = len(before.values) + len(steps)
    for step in draw(st.sampled_from(INJECTED))(draw(st.integers(0, count - 1))):
        last = len(before.values) + len(steps) - 1
        steps.append(Step(step.op, tuple(last if k < 0 else k for k in step.operands), step.extra))
    pole = len(before.values) + len(steps) - 1
    # tanh and minimum make it REAL again, so that the gradient flows above it.
    steps.append(Step(draw(st.sampled_from(["tanh", "sign", "abs", "neg"])), (pole,)))
    for _ in range(draw(st.integers(1, 6))):
        count = len(before.values) + len(steps)
        name = draw(st.sampled_from(SMOOTH))
        size = 1 if CASES[name].arity == "unary" else 2
        operands = [draw(st.integers(0, count - 1)) for _ in range(size)]
        steps.append(Step(name, tuple(operands)))
    steps.append(Step("minimum", (len(before.values) + len(steps) - 1, 0)))
    return Program(before.values, tuple(steps))


def cut_at_poles(_: int, node: TRNode) -> TRNode:
    """The node, or a constant in its place if it is not REAL."""
    return node if math.isfinite(node.item()) else node.detach()


def gradients_with(
    program: Program, substitute: Optional[Callable[[int, TRNode], TRNode]]
) -> list[tuple[float, GradientStatus]]:
    leaves = [TRNode.parameter(v) for v in program.values]
    root = program.run(leaves, substitute)[-1]
    if not root.requires_grad:
        return [(0.0, EXACT)] * len(leaves)
    root.backward()
    return [(0.0, EXACT) if x.gradient is None else gradient_of(x) for x in leaves]


def same_but_for_masking(program: Program) -> None:
    silenced = gradients_with(program, None)
    removed = gradients_with(program, cut_at_poles)
    for value, (gradient, status), (expected, expected_status) in zip(
        program.values, silenced, removed
    ):
        # An empty sum is +0, so bits agree up to which zero.
        assert gradient == expected
        assert same(gradient, expected) or gradient == 0
        # A leaf that is not REAL stays, and a reduction may leave it out.
        assert not (expected_status & MASKED and math.isfinite(value))
        assert status & DROPPED == expected_status & DROPPED


@given(program=injected_programs())
def test_silencing_is_removing_the_paths(program: Program) -> None:
    same_but_for_masking(program)


@given(program=programs(values=doubles, operations=OPERATIONS[:-2]))
def test_silencing_is_removing_the_paths_for_any_program(program: Program) -> None:
    same_but_for_masking(program)


def reference_gradients(program: Program) -> list[tuple[float, float]]:
    """Reverse mode by the textbook in plain floats; poles pass nothing. With sums of magnitudes."""
    values = [float(n) for n in program.run([TRNode.constant(v) for v in program.values])]
    adjoints, sizes = [0.0] * len(values), [0.0] * len(values)
    adjoints[-1] = sizes[-1] = 1.0
    first = len(program.values)
    for k in reversed(range(first, len(values))):
        step, g, size = program.steps[k - first], adjoints[k], sizes[k]
        if not math.isfinite(values[k]):
            continue
        x = [values[i] for i in step.operands]
        with mpmath.workdps(DIGITS):
            partials = [float(slope) for slope in CASES[step.op].partials(*map(exact, x))]
        for i, partial in zip(step.operands, partials):
            adjoints[i] += g * partial if math.isfinite(partial) else 0.0
            sizes[i] += size * abs(partial) if math.isfinite(partial) else 0.0
    return list(zip(adjoints[:first], sizes[:first]))


@given(program=injected_programs())
def test_the_gradient_is_the_textbook_one_of_what_is_left(program: Program) -> None:
    expected = reference_gradients(program)
    assume(all(math.isfinite(size) and size < 1e250 for _, size in expected))
    for (gradient, _), (true, size) in zip(gradients_with(program, None), expected):
        assert abs(gradient - true) <= 1e-12 * size


@given(program=programs(values=moderate, operations=SMOOTH))
def test_without_poles_every_gradient_is_exact(program: Program) -> None:
    nodes = program.run([TRNode.constant(v) for v in program.values])
    assume(all(math.isfinite(n.item()) for n in nodes))
    for (gradient, status), (true, size) in zip(
        gradients_with(program, None), reference_gradients(program)
    ):
        assume(size < 1e250)
        assert status is EXACT
        assert abs(gradient - true) <= 1e-12 * size
