"""A function and its gradient at many points, in several gradient modes."""

from __future__ import annotations

import contextvars
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np
import numpy.typing as npt

from .._enums import GradientMode
from .._native import call_uncounted
from ..autodiff.batched import tr_vmap
from ..autodiff.grad_funcs import tr_value_and_grad
from ..autodiff.grad_mode import GradientModeConfig, gradient_mode
from ._figure import FloatArray
from ._poles import find_poles

__all__ = ["Curve", "Settings", "sample"]

#: A round number replaces points that are closer to it than this share of their spacing.
TOO_CLOSE = 1e-3


@dataclass(frozen=True)
class Settings:
    """A gradient mode with its saturation bound and its local threshold δ."""

    mode: GradientMode
    bound: float
    delta: Optional[float]


@dataclass(frozen=True)
class Curve:
    """A function at the sampled points, all arrays of one length: values as IEEE doubles."""

    values: FloatArray
    gradients: FloatArray
    statuses: npt.NDArray[np.uint8]


def sample(
    function: Callable[[Any], Any],
    low: float,
    high: float,
    points: int,
    settings: Sequence[Settings],
) -> tuple[FloatArray, FloatArray, list[Curve]]:
    """The sampled points, the poles found, and the curve in each of the settings.

    The caller's statistics and settings are unchanged.
    """
    in_context = contextvars.copy_context().run
    sampled: tuple[FloatArray, FloatArray, list[Curve]]
    sampled = call_uncounted(in_context, _sample, function, low, high, points, settings)
    return sampled


def _sample(
    function: Callable[[Any], Any],
    low: float,
    high: float,
    points: int,
    settings: Sequence[Settings],
) -> tuple[FloatArray, FloatArray, list[Curve]]:
    x = _grid(low, high, points)
    evaluate = _evaluator(function, x[:1])

    def values(x: FloatArray) -> FloatArray:
        return evaluate(x).values

    poles, hits = find_poles(values, x)
    x = np.union1d(x, hits)
    curves = []
    for each in settings:
        with gradient_mode(each.mode, each.bound):
            GradientModeConfig.set_local_threshold(each.delta)
            curves.append(evaluate(x))
    return x, poles, curves


def _grid(low: float, high: float, points: int) -> FloatArray:
    """Evenly spaced points and the round numbers in the range, which are likely poles."""
    even = np.linspace(low, high, points)
    round_numbers = _round_numbers(low, high)
    if len(round_numbers):
        after = np.searchsorted(round_numbers, even)
        below = round_numbers[np.maximum(after - 1, 0)]
        above = round_numbers[np.minimum(after, len(round_numbers) - 1)]
        gap = np.minimum(np.abs(even - below), np.abs(even - above))
        keep = gap > TOO_CLOSE * (high - low) / points
        keep[0] = keep[-1] = True
        even = even[keep]
    return np.union1d(even, round_numbers)


def _round_numbers(low: float, high: float) -> FloatArray:
    """The middle and the 10 to 100 decimal numbers with fewest digits, as they would be written."""
    width = high - low
    exponent = math.floor(math.log10(width)) - 1
    middle = low + width / 2.0
    if abs(exponent) > 300 or max(abs(low), abs(high)) > 1e15 * 10.0**exponent:
        return np.array([middle])
    # Dividing by a whole power of ten rounds once, as reading a decimal number does.
    scale = 10.0 ** abs(exponent)
    below, above = (low / scale, high / scale) if exponent > 0 else (low * scale, high * scale)
    steps = np.arange(math.ceil(below), math.floor(above) + 1.0)
    numbers = steps * scale if exponent > 0 else steps / scale
    return np.union1d(numbers[(numbers >= low) & (numbers <= high)], [middle])


def _evaluator(function: Callable[[Any], Any], first: FloatArray) -> Callable[[FloatArray], Curve]:
    """The function on arrays: traced if it can be, and called for each point otherwise."""
    batched = tr_vmap(function)
    differentiated = tr_value_and_grad(function)

    def replay(x: FloatArray) -> Curve:
        values, gradients, statuses = batched.value_and_grad(x, with_status=True)
        return Curve(values.to_ieee(), gradients, statuses)

    def call(x: FloatArray) -> Curve:
        pairs = [differentiated(each) for each in x.tolist()]
        return Curve(
            np.array([float(value) for value, _ in pairs]),
            np.array([gradient.item() for _, gradient in pairs]),
            np.array([gradient.gradient_status for _, gradient in pairs], np.uint8),
        )

    try:
        replay(first)
    except Exception:  # an error of the function itself is raised by calls as well
        return call
    return replay
