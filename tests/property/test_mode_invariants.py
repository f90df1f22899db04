"""What holds in every mode, on random programs over every op and every double."""

from __future__ import annotations

import math
import sys

from hypothesis import example, given
from hypothesis import strategies as st

from support.gradients import DROPPED, EXACT, MASKED, SATURATED, gradient_of, mode_block
from support.op_cases import CASES
from support.random_programs import Program, Step, doubles, finite, moderate, programs
from support.values import INF, bits
from zeroproof.autodiff.grad_mode import GradientMode
from zeroproof.autodiff.gradient_tape import gradient_tape
from zeroproof.autodiff.hybrid_gradient import HybridGradientContext
from zeroproof.autodiff.saturating_ops import saturate_value, saturating_reciprocal
from zeroproof.autodiff.tr_node import TRNode
from zeroproof.core import TRScalar, TRTag

MASK_REAL, SATURATING, HYBRID = GradientMode

bounds = st.one_of(st.floats(1e-6, 1e6), finite.map(abs).filter(bool))
deltas = st.one_of(st.none(), st.sampled_from([0.0, 1e-3, 1.0, 1e300]))
modes = st.sampled_from(list(GradientMode))

#: A graph whose adjoint overflows to +∞ before it meets the other ops.
OVERFLOWING = Program(
    (0.25, 1e308),
    (Step("mul", (0, 1)), Step("mul", (0, 1)), Step("mul", (0, 1)), Step("sum", (2, 3, 4)),
     Step("add", (5, 0))),
)  # fmt: skip


def is_singular(step: Step, nodes: list[TRNode]) -> bool:
    """Whether the step is a singular op, with the operands that it has."""
    case = CASES[step.op]
    operands = [nodes[k].item() for k in step.operands]
    return case.is_singular(*operands, *([step.extra] if case.arity == "power" else []))


def fingerprint(found: list[tuple[float, int]]) -> list[tuple[bytes, int]]:
    return [(bits(gradient), int(status)) for gradient, status in found]


@given(program=programs(), seed=doubles, mode=modes, bound=bounds, delta=deltas)
@example(program=OVERFLOWING, seed=8.0, mode=MASK_REAL, bound=1.0, delta=None)
def test_no_gradient_is_phi_and_none_is_infinite_but_by_a_sum(
    program: Program, seed: float, mode: GradientMode, bound: float, delta: float
) -> None:
    leaves = [TRNode.parameter(v) for v in program.values]
    with mode_block(mode, bound, delta):
        nodes = program.run(leaves)
        nodes[-1].backward(seed)
    uses = [0] * len(nodes)
    for step in program.steps:
        for operand in step.operands:
            uses[operand] += 1
    for node, count in zip(nodes, uses):
        if node.gradient is not None:
            assert node.gradient.tag is not TRTag.PHI
            if count <= 1:
                assert node.gradient.tag is TRTag.REAL


@given(program=programs(), seed=doubles, mode=modes, bound=bounds, delta=deltas)
def test_results_are_bit_reproducible(
    program: Program, seed: float, mode: GradientMode, bound: float, delta: float
) -> None:
    runs = [fingerprint(program.gradients(seed, mode, bound, delta)) for _ in range(3)]
    assert runs[0] == runs[1] == runs[2]
    # Other nodes in the arena, before and between, change nothing.
    clutter = [TRNode.parameter(1.0) * k for k in range(7)]
    again = program.gradients(seed, mode, bound, delta)
    assert fingerprint(again) == runs[0]
    assert len(clutter) == 7


@given(program=programs(), seed=doubles, bound=bounds)
def test_hybrid_without_threshold_is_mask_real_bit_for_bit(
    program: Program, seed: float, bound: float
) -> None:
    hybrid = program.gradients(seed, HYBRID, bound, None)
    mask = program.gradients(seed, MASK_REAL, bound, None)
    assert fingerprint(hybrid) == fingerprint(mask)


@given(program=programs(), seed=doubles, bound=bounds)
def test_hybrid_within_any_distance_is_saturating(
    program: Program, seed: float, bound: float
) -> None:
    # With every REAL operand within δ, only singular ops without one may differ.
    leaves = [TRNode.constant(v) for v in program.values]
    if all(math.isfinite(node.item()) for node in program.run(leaves)):
        hybrid = program.gradients(seed, HYBRID, bound, sys.float_info.max)
        saturating = program.gradients(seed, SATURATING, bound)
        assert fingerprint(hybrid) == fingerprint(saturating)


@given(program=programs(values=moderate), seed=moderate, mode=modes, bound=bounds, delta=deltas)
def test_exact_means_equal_to_the_classical_gradient(
    program: Program, seed: float, mode: GradientMode, bound: float, delta: float
) -> None:
    classical = program.gradients(seed)
    found = program.gradients(seed, mode, bound, delta)
    for (gradient, status), (expected, usual) in zip(found, classical):
        if status == EXACT and usual == EXACT:
            assert bits(gradient) == bits(expected)


@given(program=programs(), seed=doubles, mode=modes, bound=bounds, delta=deltas)
def test_flags_have_a_cause(
    program: Program, seed: float, mode: GradientMode, bound: float, delta: float
) -> None:
    nodes = program.run([TRNode.constant(v) for v in program.values])
    singular = any(is_singular(step, nodes) for step in program.steps)
    flags = 0
    for _, status in program.gradients(seed, mode, bound, delta):
        flags |= int(status)
    if flags & MASKED:
        assert not all(math.isfinite(node.item()) for node in nodes)
    if flags & SATURATED:
        assert singular
        assert mode is not MASK_REAL
    if flags & DROPPED:
        assert seed != 0


@given(program=programs(), mode=modes, bound=bounds, delta=deltas)
def test_a_zero_adjoint_drops_nothing_and_gives_zeros(
    program: Program, mode: GradientMode, bound: float, delta: float
) -> None:
    for gradient, status in program.gradients(0.0, mode, bound, delta):
        assert gradient == 0.0
        assert not status & DROPPED


@given(program=programs(), seed=doubles, mode=modes, bound=bounds, delta=deltas)
def test_the_tape_computes_what_backward_computes(
    program: Program, seed: float, mode: GradientMode, bound: float, delta: float
) -> None:
    leaves = [TRNode.parameter(v) for v in program.values]
    with mode_block(mode, bound, delta):
        root = program.root(*leaves)
        found = gradient_tape().gradient(root, leaves, seed)
        assert all(leaf.gradient is None for leaf in leaves)
        root.backward(seed)
    for leaf, gradient in zip(leaves, found):
        expected = TRScalar(0.0) if leaf.gradient is None else leaf.gradient
        assert bits(gradient) == bits(expected)


@given(program=programs(), seed=doubles, bound=bounds, delta=deltas)
def test_every_reached_decision_counts_once_whatever_the_adjoint(
    program: Program, seed: float, bound: float, delta: float
) -> None:
    counts = []
    for adjoint in (seed, 0.0, 1.0):
        with mode_block(HYBRID, bound, delta):
            HybridGradientContext.reset_statistics()
            root = program.root(*[TRNode.parameter(v) for v in program.values])
            root.backward(adjoint)
            found = HybridGradientContext.get_statistics()
        counts.append(found["total_gradient_calls"])
        parts = found["saturating_activations"] + found["mask_real_activations"]
        assert parts == found["total_gradient_calls"]
    assert len(set(counts)) == 1


@given(y=doubles, b=bounds)
def test_bounded_partials_stay_in_their_bounds(y: float, b: float) -> None:
    slack = 1.0 + 2.0**-50
    reciprocal = float(saturating_reciprocal(y, b))
    assert abs(reciprocal) <= (1.0 / b) * slack
    assert reciprocal == 0.0 or (reciprocal > 0) == (y > 0)
    assert abs(float(saturate_value(y, b))) <= 1.0
    numerator, denominator = TRNode.parameter(1.0), TRNode.parameter(y)
    with mode_block(SATURATING, b):
        (numerator / denominator).backward()
    assert abs(gradient_of(numerator)[0]) <= (1.0 / b) * slack
    largest = 1.0 / b / b
    assert abs(gradient_of(denominator)[0]) <= (largest * slack if largest < INF else INF)


@given(y=finite.filter(bool), b=bounds, smaller=bounds)
def test_a_smaller_bound_is_closer_to_the_classical_gradient(
    y: float, b: float, smaller: float
) -> None:
    smaller, b = sorted((b, smaller))
    near, far = (abs(float(saturating_reciprocal(y, bound))) for bound in (smaller, b))
    assert far <= near * (1.0 + 2.0**-50)
    assert near <= abs(1.0 / y) * (1.0 + 2.0**-50)
