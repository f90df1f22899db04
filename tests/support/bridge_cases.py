"""What the tests of PyTorch's bridge have in common: a function, its arguments, and modes."""

from __future__ import annotations

from typing import Any

import numpy as np

from zeroproof import replay, tr_log
from zeroproof.autodiff.grad_mode import GradientMode

X = np.array([0.0, 1.0, 2.0, 3.0, -1.0, np.inf, np.nan, 1.25])
W = np.array([2.0, 3.0])
MODES = [
    replay.Mode(),
    replay.Mode(GradientMode.SATURATING, 0.5),
    replay.Mode(GradientMode.HYBRID, 0.5, 0.75),
    replay.Mode(GradientMode.HYBRID, 0.5, None, ((0.5, 1.5),)),
]


def ratio(w: Any, x: Any) -> Any:
    """A pole at 1, and a logarithm."""
    return w[0] * x / (x - 1.0) + tr_log(x) * w[1]
