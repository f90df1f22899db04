"""Arrays of doubles as the engine takes them, and arrays of nodes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from math import prod
from typing import Any, Optional

import numpy as np
import numpy.typing as npt

__all__ = ["Array", "Shape", "at_least_1d", "drawn", "shaped"]

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


def drawn(shape: Optional[Shape], values: Iterator[Any]) -> Any:
    """The next of some values, or as many as fill an object array of this shape."""
    return next(values) if shape is None else shaped(list(islice(values, prod(shape))), shape)
