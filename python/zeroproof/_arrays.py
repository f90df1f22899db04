"""Arrays of doubles as the engine takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Array", "at_least_1d"]

Array = npt.NDArray[np.float64]


def at_least_1d(arrays: Sequence[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
    """The arrays, a single number as an array of one element; nothing is copied."""
    return [array if array.ndim else array.reshape(1) for array in arrays]
