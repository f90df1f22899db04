"""A planar two-link arm: kinematics by sin and cos, all joints, and its singular pose.

The arm stretches out at elbow angle 0. There the Jacobian's determinant l₁·l₂·sin(elbow) is 0, and
the entries of its inverse have a pole.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from support.gradients import EXACT, MASKED, SATURATED, mode_block
from zeroproof.autodiff.grad_funcs import tr_grad, tr_value_and_grad
from zeroproof.autodiff.grad_mode import GradientMode
from zeroproof.autodiff.gradient_check import Verdict, assert_gradient, check_gradient
from zeroproof.autodiff.hybrid_gradient import HybridGradientContext, HybridGradientSchedule
from zeroproof.autodiff.tr_node import TRNode
from zeroproof.autodiff.tr_ops_grad import tr_add, tr_cos, tr_div, tr_mul, tr_sin, tr_sqrt, tr_sub
from zeroproof.core import TRTag

UPPER, FORE = 1.0, 0.8
POSES = [(0.3, 0.9), (-1.2, 2.0), (2.5, -0.4), (0.0, 1.5), (1.0, 1e-3)]

Joints = tuple[TRNode, TRNode]


def hand(shoulder: TRNode, elbow: TRNode) -> Joints:
    """Where the hand is, for these joint angles."""
    both = tr_add(shoulder, elbow)
    x = tr_add(tr_mul(UPPER, tr_cos(shoulder)), tr_mul(FORE, tr_cos(both)))
    y = tr_add(tr_mul(UPPER, tr_sin(shoulder)), tr_mul(FORE, tr_sin(both)))
    return x, y


def loss(shoulder: TRNode, elbow: TRNode, goal_x: TRNode, goal_y: TRNode) -> TRNode:
    """The squared distance of the hand from a goal."""
    x, y = hand(shoulder, elbow)
    return tr_sub(x, goal_x) ** 2 + tr_sub(y, goal_y) ** 2


def hand_x(shoulder: TRNode, elbow: TRNode) -> TRNode:
    return hand(shoulder, elbow)[0]


def hand_y(shoulder: TRNode, elbow: TRNode) -> TRNode:
    return hand(shoulder, elbow)[1]


def reach(shoulder: TRNode, elbow: TRNode) -> TRNode:
    """The distance of the hand from the shoulder."""
    x, y = hand(shoulder, elbow)
    return tr_sqrt(x * x + y * y)


@pytest.mark.parametrize("pose", POSES)
@pytest.mark.parametrize("f", [hand_x, hand_y, reach])
def test_kinematics(f: Callable[..., TRNode], pose: tuple[float, float]) -> None:
    check = check_gradient(f, *pose)
    assert check, check
    for row in check.rows:
        assert row.numerical is not None
        assert row.relative_error is not None
        # The reach does not depend on the shoulder: where the gradient is 0 the difference says.
        assert row.relative_error < 1e-6 or abs(row.gradient - row.numerical) < 1e-9


@pytest.mark.parametrize("pose", POSES)
def test_the_loss_in_all_inputs(pose: tuple[float, float]) -> None:
    check = check_gradient(loss, *pose, 1.1, -0.3)
    assert [row.name for row in check.rows] == ["shoulder", "elbow", "goal_x", "goal_y"]
    for row in check.rows:
        assert row.relative_error is not None
        assert row.relative_error < 1e-6, row.name


@pytest.mark.parametrize("pose", POSES)
def test_the_jacobian_is_the_textbook_one(pose: tuple[float, float]) -> None:
    shoulder, elbow = pose
    both = shoulder + elbow
    expected = {
        hand_x: (-UPPER * math.sin(shoulder) - FORE * math.sin(both), -FORE * math.sin(both)),
        hand_y: (UPPER * math.cos(shoulder) + FORE * math.cos(both), FORE * math.cos(both)),
    }
    for f, row in expected.items():
        found = tr_grad(f, argnums=(0, 1))(*pose)
        assert [float(g) for g in found] == pytest.approx(row, rel=1e-14, abs=1e-15)


def test_the_gradient_step_moves_the_hand_to_the_goal() -> None:
    angles = [0.3, 0.9]
    descend = tr_value_and_grad(loss, argnums=(0, 1))
    for _ in range(400):
        value, step = descend(*angles, 0.9, 1.0)
        angles = [angle - 0.15 * float(g) for angle, g in zip(angles, step)]
    assert value < 1e-12


def inverse_entry(shoulder: TRNode, elbow: TRNode) -> TRNode:
    """An entry of the inverse Jacobian: how fast the shoulder turns to move the hand along x."""
    determinant = tr_mul(UPPER * FORE, tr_sin(elbow))
    return tr_div(tr_mul(FORE, tr_cos(tr_add(shoulder, elbow))), determinant)


def expected_slope(shoulder: float, elbow: float) -> float:
    """The derivative of the entry by the elbow angle."""
    sine = math.sin(elbow)
    return -math.cos(shoulder) / (UPPER * sine * sine)


@pytest.mark.parametrize("elbow", [1.0, 0.1, 1e-2, -1e-2, -0.3, math.pi - 0.05])
@pytest.mark.parametrize("joint", [0, 1])
def test_the_inverse_jacobian_near_the_singular_pose(elbow: float, joint: int) -> None:
    row = check_gradient(inverse_entry, 0.4, elbow).rows[joint]
    assert row.relative_error is not None
    assert row.relative_error < 1e-5
    if joint == 1:
        assert row.gradient == pytest.approx(expected_slope(0.4, elbow), rel=1e-10)


@pytest.mark.parametrize("elbow", [1e-6, -1e-6, 1e-100, 1e-150])
def test_the_classical_gradient_however_close(elbow: float) -> None:
    slope = tr_grad(inverse_entry, argnums=1)(0.4, elbow)
    assert float(slope) == pytest.approx(expected_slope(0.4, elbow), rel=1e-9)


class TestSingularPose:
    def arm(self, mode: GradientMode, delta: float) -> tuple[TRNode, TRNode, TRNode]:
        shoulder, elbow = TRNode.parameter(0.4), TRNode.parameter(0.0)
        with mode_block(mode, 1.0, delta):
            entry = inverse_entry(shoulder, elbow)
            entry.backward()
        return entry, shoulder, elbow

    def test_the_entry_is_infinite_and_the_difference_has_no_value(self) -> None:
        assert inverse_entry(TRNode.constant(0.4), TRNode.constant(0.0)).tag is TRTag.PINF
        assert inverse_entry(TRNode.constant(0.4), TRNode.constant(-0.0)).tag is TRTag.NINF
        elbow = check_gradient(inverse_entry, 0.4, 0.0).rows[1]
        assert (elbow.numerical, elbow.relative_error) == (None, None)
        assert elbow.verdict is Verdict.MASKED
        assert_gradient(inverse_entry, 0.4, 0.0)

    def test_mask_real_silences_it(self) -> None:
        _, shoulder, elbow = self.arm(GradientMode.MASK_REAL, 0.1)
        for joint in (shoulder, elbow):
            assert (joint.gradient, joint.gradient_status) == (0.0, MASKED)

    @pytest.mark.parametrize("mode", [GradientMode.SATURATING, GradientMode.HYBRID])
    def test_a_bounded_gradient_points_away_from_it(self, mode: GradientMode) -> None:
        _, shoulder, elbow = self.arm(mode, 0.1)
        # To the denominator: −a/(0 + b²), times the slope l₁·l₂ of the determinant.
        assert float(elbow.gradient or 0) == pytest.approx(-FORE * math.cos(0.4) * UPPER * FORE)
        assert elbow.gradient_status == shoulder.gradient_status == SATURATED

    def test_hybrid_is_classical_away_from_it(self) -> None:
        elbow = TRNode.parameter(0.9)
        with mode_block(GradientMode.HYBRID, 1.0, 1e-3):
            inverse_entry(TRNode.constant(0.4), elbow).backward()
        assert elbow.gradient_status is EXACT

    def test_a_schedule_finds_the_pose_by_itself(self) -> None:
        schedule = HybridGradientSchedule(pole_detection_threshold=0.02)
        for epoch in range(3):
            with schedule.apply(epoch):
                for k in range(-50, 51):
                    angle = TRNode.input(k / 50 + 0.004)
                    inverse_entry(TRNode.constant(0.4), angle).backward()
        assert schedule.detected_poles == [pytest.approx(0.004)]
        assert HybridGradientContext.detected_poles() == [pytest.approx(0.004)]
