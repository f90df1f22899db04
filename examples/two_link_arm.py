"""Drives a two-link arm through its singular pose, with the derivatives of its inverse kinematics.

Both links have length 1. The hand follows a path that leaves the workspace for a while: at its edge
the arm is stretched, the pose is singular, and the joints would have to move infinitely fast. The
controller turns the hand's error into a step of the joints by the Jacobian of the inverse
kinematics, whose square root has a pole at the edge. Bounded partials there do what robotics calls
damping: the hand lags behind, and the joints keep to a speed.

Run: python examples/two_link_arm.py
"""

import math

import numpy as np

from zeroproof import GradientMode, GradientModeConfig, gradient_mode, tr_atan2, tr_sqrt, tr_vmap

STEPS = 200
REACH = 2.0
FARTHEST = 2.1  # the path goes this far from the base: out of reach


def joints(x, y, side):
    """The angles of shoulder and elbow that put the hand at (x, y); ``side`` of the elbow is ±1."""
    cos = (x * x + y * y) / 2.0 - 1.0
    sin = side * tr_sqrt(1.0 - cos * cos)  # 0 at the edge of the workspace, Φ beyond
    return tr_atan2(y, x) - tr_atan2(sin, 1.0 + cos), tr_atan2(sin, cos)


jacobian = tr_vmap(joints, in_axes=(0, 0, None)).jacobian


def hand(angles):
    shoulder, elbow = angles
    return np.array(
        [
            math.cos(shoulder) + math.cos(shoulder + elbow),
            math.sin(shoulder) + math.sin(shoulder + elbow),
        ]
    )


def path():
    """Out beyond the edge and back again, while turning."""
    t = np.linspace(0.0, 1.0, STEPS + 1)
    radius = 1.2 + (FARTHEST - 1.2) * np.sin(np.pi * t)
    angle = 0.5 + 0.6 * t
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


def follow(goals, delta):
    """The fastest joint, the largest and the last distance of the hand from its goal."""
    bend = 2.0 * math.acos(0.6)  # at distance 1.2 from the base
    angles = np.array([0.5 - bend / 2.0, bend])
    fastest = farthest = 0.0
    for goal in goals[1:]:
        at = hand(angles)
        side = math.copysign(1.0, angles[1])
        with gradient_mode(GradientMode.HYBRID, saturation_bound=2.0):
            GradientModeConfig.set_local_threshold(delta)  # None: classical everywhere
            # One sample: outputs are shoulder and elbow, inputs x and y.
            (derivatives,) = jacobian(at[:1], at[1:], side, argnums=(0, 1))
        step = derivatives @ (goal - at)
        angles = angles + step
        distance = float(np.linalg.norm(goal - hand(angles)))
        fastest = max(fastest, float(np.abs(step).max()) * STEPS)
        farthest = max(farthest, distance)
    return fastest, farthest, distance


def main():
    goals = path()
    print(f"goals up to {FARTHEST - REACH:.1f} beyond the edge")
    print(f"{'gradients':<22}{'fastest joint':>14}{'largest error':>15}{'last error':>12}")
    for name, delta in ("classical", None), ("bounded within 0.2", 0.2):
        fastest, farthest, last = follow(goals, delta)
        print(f"{name:<22}{fastest:>14.0f}{farthest:>15.3f}{last:>12.1e}")


if __name__ == "__main__":
    main()
