"""Replays against the engine: how far numbers may differ, and where nothing can be compared."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, Optional

import numpy as np
import numpy.typing as npt

from zeroproof import replay
from zeroproof.autodiff.grad_mode import GradientMode, GradientModeConfig, gradient_mode
from zeroproof.autodiff.hybrid_gradient import HybridGradientContext

Doubles = npt.NDArray[np.float64]

#: A few ulp: a contribution is a product of up to eight rounded factors, of which some are powers
#: or functions of the library, each off by one or two.
FEW_ULPS = 16.0

MODES = [
    replay.Mode(),
    replay.Mode(GradientMode.SATURATING),
    replay.Mode(GradientMode.SATURATING, bound=1e-3),
    replay.Mode(GradientMode.HYBRID),
    replay.Mode(GradientMode.HYBRID, bound=0.5, delta=0.3),
    replay.Mode(GradientMode.HYBRID, delta=0.0),
]


def mode_name(mode: replay.Mode) -> str:
    """A name for a test's case."""
    return f"{mode.mode.name.lower()}-{mode.bound:g}-{mode.delta}"


def tags(values: Any) -> npt.NDArray[np.uint8]:
    """The codes of the tags of doubles."""
    values = np.asarray(values)
    infinite = np.where(values > 0, 1, 2)
    real = np.isfinite(values)
    return np.where(real, 0, np.where(np.isnan(values), 3, infinite)).astype(np.uint8)


def ulps(found: Any, expected: Any, scale: Any = 0.0) -> Doubles:
    """The distances in units of the last place of the larger of result and scale."""
    with np.errstate(all="ignore"):
        size = np.where(np.isfinite(scale), scale, 0.0)
        unit = np.spacing(np.maximum(np.abs(expected), size))
        distance = np.abs(np.asarray(found) - expected) / unit
    same = (found == expected) | (np.isnan(found) & np.isnan(expected))
    return np.where(same, 0.0, np.where(np.isnan(distance), np.inf, distance))


def in_mode(mode: replay.Mode, work: Callable[[], Any]) -> Any:
    """What work returns in a mode of the engine."""
    with gradient_mode(mode.mode, mode.bound):
        GradientModeConfig.set_local_threshold(mode.delta)
        HybridGradientContext.set_exploration_regions(list(mode.regions))
        return work()


def by_engine(
    batched: Any,
    arrays: Sequence[Doubles],
    adjoints: Any,
    mode: replay.Mode,
    coordinate: Optional[int] = None,
) -> tuple[list[Doubles], list[npt.NDArray[np.uint8]]]:
    """Gradients and statuses by the engine, for a column of adjoints for each output."""
    _, pullback = batched.vjp(*arrays, coordinate=coordinate)
    found: tuple[list[Doubles], list[npt.NDArray[np.uint8]]] = in_mode(
        mode, lambda: pullback(adjoints, with_status=True)
    )
    return found


class Careful(replay.NumPy):
    """NumPy without a look at the numbers: what a library on a device computes."""

    @staticmethod
    def is_concrete(arrays: Sequence[Any]) -> bool:
        """No."""
        return False


class Noisy(Careful):
    """NumPy with an error of a few ulp in each contribution, and if asked for in each value.

    Where such errors change a result by much, or a status, two correct replays need not agree.
    """

    def __init__(self, seed: int, in_values: bool) -> None:
        self._random = np.random.default_rng(seed)
        self._in_values = in_values

    def _shaken(self, x: Any) -> Any:
        return x * (1.0 + 2.0**-51 * self._random.integers(-2, 3, np.shape(x)))

    def rounded(self, x: Any) -> Any:
        """A value."""
        return self._shaken(x) if self._in_values else x

    def local(self, results: Any, function: Any, safe: Any, *operands: Any) -> Any:
        """Contributions."""
        return tuple(self._shaken(result) for result in results)


def operands_of_arities(specials: Sequence[float]) -> dict[str, list[Doubles]]:
    """Operands to try the operations of each arity at: special numbers and ordinary ones."""
    numbers = [
        *specials,
        *(0.5, -0.5, 2.0, -2.0, 3.0, math.pi, 1e-9, -1e-9, 0.3, -0.3, 26.0, -26.0, 700.0, -700.0),
        *(1e-160, -1e160, 1e16, 1 - 2.0**-53, 1 + 2.0**-52, -1.7e308),
        *np.random.default_rng(3).uniform(-4.0, 4.0, 12).tolist(),
    ]
    pairs = np.array(list(itertools.product(numbers[:28], numbers[:28])))
    both = [pairs[:, 0].copy(), pairs[:, 1].copy()]
    return {
        "unary": [np.array(numbers)],
        "binary": both,
        "power": [np.array(numbers)],
        "variadic": both,
    }
