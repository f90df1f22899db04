"""The poles of a function of one number, by sampling and bisection."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ._figure import FloatArray

__all__ = ["find_poles"]

#: Enough to reach neighbouring doubles from the spacing of samples, unless close to 0.
HALVINGS = 100
#: A value that grows by this factor while its point comes closer by this one tends to infinity.
GROWTH, CLOSER = 16.0, 2.0**-20


def find_poles(
    values: Callable[[FloatArray], FloatArray], x: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The poles of a function that are visible in samples.

    A pole is a sample between REAL ones at which the function is infinite, or is Φ and grows
    towards it, or a change of sign that is neither a root nor a jump.

    Args:
        values: the function on arrays, as IEEE doubles.
        x: the samples, in increasing order.

    Returns:
        The poles in increasing order, and those points between the samples at which the function
        is not REAL.
    """
    y = values(x)
    real = np.isfinite(y)
    alone = 1 + np.flatnonzero(real[:-2] & ~real[1:-1] & real[2:])
    flips = np.flatnonzero(real[:-1] & real[1:] & (np.sign(y[:-1]) * np.sign(y[1:]) < 0.0))
    turns, hits = _bisect(values, x[flips], x[flips + 1], y[flips])
    candidates = np.concatenate([x[alone], turns])
    left, right = np.concatenate([alone - 1, flips]), np.concatenate([alone + 1, flips + 1])
    if not len(candidates):
        return candidates, hits
    step = (x[right] - x[left]) * CLOSER
    near = np.minimum(np.abs(values(candidates - step)), np.abs(values(candidates + step)))
    grows = near / GROWTH > np.maximum(np.abs(y[left]), np.abs(y[right]))
    return np.unique(candidates[grows | np.isinf(values(candidates))]), hits


def _bisect(
    values: Callable[[FloatArray], FloatArray],
    left: FloatArray,
    right: FloatArray,
    at_left: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """The change of sign between each left and right; and those of these that are not REAL."""
    left, right, sign = left.copy(), right.copy(), np.sign(at_left)
    middle = left + (right - left) / 2.0
    is_real = np.ones(len(middle), np.bool_)
    searching = np.arange(len(middle))
    for _ in range(HALVINGS):
        if not len(searching):
            break
        y = values(middle[searching])
        is_real[searching] = np.isfinite(y)
        go_right = np.sign(y) == sign[searching]
        left[searching[go_right]] = middle[searching[go_right]]
        right[searching[~go_right]] = middle[searching[~go_right]]
        searching = searching[np.isfinite(y) & (y != 0.0)]
        halves = left[searching] + (right[searching] - left[searching]) / 2.0
        inside = (left[searching] < halves) & (halves < right[searching])
        searching = searching[inside]
        middle[searching] = halves[inside]
    return middle, middle[~is_real]
