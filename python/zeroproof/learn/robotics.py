"""The built-in problem: the inverse Jacobian of a planar two-link arm near its singular pose.

With link lengths l₁ and l₂, shoulder angle θ and elbow angle x, the tip's Jacobian has determinant
``l₁·l₂·sin x``. It vanishes in the stretched pose x = 0, so every entry of the inverse has a simple
pole there. The entry learned is the first, ``l₂·cos(θ + x) / (l₁·l₂·sin x)``: how fast the shoulder
must turn for the tip to move along the first axis.
"""

from __future__ import annotations

import numpy as np

from ..bridge import to_ieee
from ..core import TRScalar, real, tr_add, tr_cos, tr_div, tr_mul, tr_sin
from .data import Dataset

__all__ = ["inverse_jacobian_entry", "two_link_arm"]

UPPER_ARM = 1.0
FOREARM = 0.8
SHOULDER = 0.7
ELBOW_RANGE = 0.6
NEAR_POLE = 0.01
PROBLEM_SEED = 2024


def inverse_jacobian_entry(elbow: float) -> TRScalar:
    """The entry at this elbow angle, in transreal arithmetic: not REAL in the singular pose."""
    x = real(elbow)
    numerator = tr_mul(real(FOREARM), tr_cos(tr_add(real(SHOULDER), x)))
    determinant = tr_mul(real(UPPER_ARM * FOREARM), tr_sin(x))
    return tr_div(numerator, determinant)


def two_link_arm(samples: int = 300) -> Dataset:
    """The samples: a tenth within 0.01 of the pole and one of these exactly on it.

    They do not depend on any seed that is given to the training.
    """
    rng = np.random.default_rng(PROBLEM_SEED)
    near = samples // 10
    sides = rng.choice([-1.0, 1.0], samples - near)
    elbow = np.concatenate(
        [
            sides * rng.uniform(NEAR_POLE, ELBOW_RANGE, samples - near),
            rng.uniform(-NEAR_POLE, NEAR_POLE, near - 1),
            [0.0],
        ]
    )
    elbow.sort()
    entries = np.array([to_ieee(inverse_jacobian_entry(x)) for x in elbow.tolist()])
    return Dataset("two-link arm near its singular pose", elbow, entries, true_poles=(0.0,))
