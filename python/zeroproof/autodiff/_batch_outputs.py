"""The arrays for the results of a batched call: new ones, or those of ``out``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._arrays import Array
from ..array import TRArray
from ._batch_arguments import FLOAT64, Shape
from ._batch_trace import Structure


class Values:
    """Arrays for the values of all outputs, one for each result of the function."""

    def __init__(self, structure: Structure, samples: int, out: Any) -> None:
        self._structure = structure
        self.arrays: list[Array] = []
        for place, (array, shape) in enumerate(zip(_per_result(out, structure), structure.shapes)):
            name = "out" if structure.container is None else f"out[{place}]"
            self.arrays.append(allocate(array, (samples, *shape), name))

    def results(self) -> Any:
        """The return value of the call, once the arrays are written."""
        return self._structure.pack([TRArray(array) for array in self.arrays])


def _per_result(out: Any, structure: Structure) -> Sequence[Any]:
    count = len(structure.shapes)
    if structure.container is None:
        return [out]
    if out is None:
        return [None] * count
    return expect_items(out, count, "out")


def expect_items(out: Any, count: int, name: str) -> Sequence[Any]:
    """The items of a tuple or list that is given as ``out``."""
    if not isinstance(out, (tuple, list)):
        raise TypeError(
            f"{name} must be a tuple or list of {count} arrays or None, not {type(out).__name__}"
        )
    if len(out) != count:
        raise ValueError(f"{name} must have {count} items, not {len(out)}")
    return out


def gradient_arrays(shapes: Sequence[Shape], out: Any, single: bool, name: str) -> list[Array]:
    """Arrays for gradients of these shapes.

    Args:
        shapes: one for each gradient.
        out: the arrays given, a sequence unless ``single``; None for new ones.
        single: whether a single gradient is requested rather than a tuple.
        name: of ``out``, for errors.
    """
    if out is None:
        return [np.empty(shape) for shape in shapes]
    if single:
        return [allocate(out, shapes[0], name)]
    given = expect_items(out, len(shapes), name)
    return [
        allocate(array, shape, f"{name}[{place}]")
        for place, (array, shape) in enumerate(zip(given, shapes))
    ]


def allocate(out: Any, shape: Shape, name: str) -> Array:
    """The array given, or a new one."""
    if out is None:
        return np.empty(shape)
    if not isinstance(out, np.ndarray):
        raise TypeError(f"{name} must be a NumPy array, not {type(out).__name__}")
    if out.dtype != FLOAT64:
        raise TypeError(f"{name} must be an array of float64, not of {out.dtype}")
    if out.shape != shape:
        raise ValueError(f"{name} must have the shape {shape}, not {out.shape}")
    if not (out.flags.c_contiguous and out.flags.aligned):
        raise ValueError(f"{name} must be C-contiguous and aligned; numpy.empty makes such arrays")
    if not out.flags.writeable:
        raise ValueError(f"{name} is read-only")
    return out
