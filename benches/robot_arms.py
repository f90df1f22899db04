"""Inverse kinematics of planar arms near their singular poses: arms, samples, exact solutions.

The inputs of a sample are the joint angles and a velocity of the tip, the targets the velocities of
the joints. The 2R arm moves its tip in the plane; the 3R arm also turns it. Both Jacobians have the
determinant l₁·l₂·sin θ₂, which vanishes where the elbow is stretched.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: The bounds of the buckets of |det J|; samples lie in five, each as often.
BOUNDS = (1e-5, 1e-4, 1e-3, 1e-2)
NEAREST = 1e-6
DAMPING = 0.01
LARGEST_VELOCITY = 0.1


@dataclass(frozen=True)
class Arm:
    """A planar arm of revolute joints."""

    name: str
    lengths: tuple[float, ...]

    @property
    def joints(self) -> int:
        return len(self.lengths)

    @property
    def inputs(self) -> int:
        return 2 * self.joints

    def tip(self, angles: np.ndarray) -> np.ndarray:
        """Position, and with three joints the direction, of shape (samples, joints)."""
        absolute = np.cumsum(angles, axis=1)
        lengths = np.array(self.lengths)
        position = [(lengths * np.cos(absolute)).sum(1), (lengths * np.sin(absolute)).sum(1)]
        return np.stack([*position, absolute[:, -1]][: self.joints], axis=1)

    def jacobian(self, angles: np.ndarray) -> np.ndarray:
        """dtip/dangles, (samples, joints, joints)."""
        absolute = np.cumsum(angles, axis=1)
        lengths = np.array(self.lengths)
        from_here = [(lengths * -np.sin(absolute)), (lengths * np.cos(absolute))]
        rows = [np.cumsum(part[:, ::-1], axis=1)[:, ::-1] for part in from_here]
        return np.stack([*rows, np.ones_like(angles)][: self.joints], axis=1)

    def determinant(self, angles: np.ndarray) -> np.ndarray:
        return self.lengths[0] * self.lengths[1] * np.sin(angles[:, 1])

    def exact(self, x: np.ndarray) -> np.ndarray:
        """J⁻¹v in closed form, which loses no digits near the pole."""
        first, second, *third = self.lengths
        absolute = np.cumsum(x[:, : self.joints], axis=1)
        vx, vy = x[:, self.joints], x[:, self.joints + 1]
        if third:  # the velocity of the wrist
            spin = third[0] * x[:, -1]
            vx, vy = vx + spin * np.sin(absolute[:, 2]), vy - spin * np.cos(absolute[:, 2])
        along = [np.cos(absolute[:, i]) * vx + np.sin(absolute[:, i]) * vy for i in (0, 1)]
        shoulder = second * along[1] / self.determinant(x)
        elbow = -(first * along[0] + second * along[1]) / self.determinant(x)
        rates = [shoulder, elbow]
        if third:
            rates.append(x[:, -1] - shoulder - elbow)
        return np.stack(rates, axis=1)

    def inverse(self, x: np.ndarray) -> np.ndarray:
        """J⁻¹v by a solver, as a controller computes it."""
        jacobian = self.jacobian(x[:, : self.joints])
        return np.linalg.solve(jacobian, x[:, self.joints :, None])[..., 0]

    def damped(self, x: np.ndarray) -> np.ndarray:
        """Damped least squares, Jᵀ(JJᵀ + λ²)⁻¹v."""
        jacobian = self.jacobian(x[:, : self.joints])
        across = jacobian.transpose(0, 2, 1)
        gram = jacobian @ across + DAMPING**2 * np.eye(self.joints)
        return (across @ np.linalg.solve(gram, x[:, self.joints :, None]))[..., 0]

    def samples(self, count: int, seed: int) -> np.ndarray:
        """Inputs (count, inputs), with |det J| log-uniform within each bucket."""
        rng = np.random.default_rng(seed)
        edges = np.log([NEAREST, *BOUNDS, 0.95 * self.lengths[0] * self.lengths[1]])
        bucket = rng.integers(0, len(edges) - 1, count)
        determinant = np.exp(rng.uniform(edges[bucket], edges[bucket + 1]))
        angles = rng.uniform(-np.pi, np.pi, (count, self.joints))
        elbow = np.arcsin(determinant / (self.lengths[0] * self.lengths[1]))
        angles[:, 1] = elbow * rng.choice([-1.0, 1.0], count)
        velocity = rng.uniform(-LARGEST_VELOCITY, LARGEST_VELOCITY, (count, self.joints))
        return np.concatenate([angles, velocity], axis=1)

    def buckets(self, x: np.ndarray) -> np.ndarray:
        """The bucket of each sample."""
        return np.digitize(np.abs(self.determinant(x)), BOUNDS)


ARMS = {"2R": Arm("2R", (1.0, 0.8)), "3R": Arm("3R", (1.0, 0.8, 0.5))}
