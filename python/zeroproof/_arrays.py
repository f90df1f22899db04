"""Arrays of doubles as the engine takes them, and arrays of nodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Array", "Shape", "at_least_1d", "shaped"]

Array = npt.NDArray[np.float64]
Shape = tuple[int, ...]


def at_least_1d(arrays: Sequence[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
    """The arrays, a single number as an array of one element; nothing is copied."""
    return [array if array.ndim else array.reshape(1) for array in arrays]


def shaped(elements: Sequence[Any], shape: Shape) -> Any:
    """An object array of the elements, in row-major order; for shape () the element."""
    if shape == ():
        return elements[0]
    array = np.empty(len(elements), dtype=object)
    array[:] = elements
    return array.reshape(shape)
