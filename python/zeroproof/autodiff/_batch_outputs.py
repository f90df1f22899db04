"""The arrays for the results of a batched call: new ones, or those of ``out``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .._arrays import Array, Shape
from .._trees import Kind, Structure
from ._batch_arguments import FLOAT64


def expect_items(out: Any, count: int, name: str) -> Sequence[Any]:
    """The items of a tuple or list that is given as ``out``."""
    if not isinstance(out, (tuple, list)):
        raise TypeError(
            f"{name} must be a tuple or list of {count} arrays or None, not {type(out).__name__}"
        )
    if len(out) != count:
        raise ValueError(f"{name} must have {count} items, not {len(out)}")
    return out


def arrays_for(structure: Structure, shapes: Sequence[Shape], out: Any, name: str) -> list[Array]:
    """An array for each leaf of a structure.

    Args:
        structure: that of the results.
        shapes: one for each leaf.
        out: the arrays given, in the same structure, in which None stands for new ones; a list or
            tuple stands for a named tuple, too.
        name: of ``out``, for errors.
    """
    if out is None:
        return [np.empty(shape) for shape in shapes]
    if structure.is_leaf:
        return [allocate(out, shapes[0], name)]
    arrays: list[Array] = []
    for key, child, item in zip(structure.keys, structure.children, _items(structure, out, name)):
        own = shapes[len(arrays) : len(arrays) + child.count]
        arrays.extend(arrays_for(child, own, item, name + structure.step(key)))
    return arrays


def _items(structure: Structure, out: Any, name: str) -> Sequence[Any]:
    """What ``out`` has for each child of a structure."""
    keys = structure.keys
    if structure.kind is Kind.MAPPING:
        if not isinstance(out, Mapping):
            raise TypeError(
                f"{name} must be a mapping with {len(keys)} items, not {type(out).__name__}"
            )
        if out.keys() != set(keys):
            raise ValueError(f"{name} must have the keys {list(keys)}, not {list(out)}")
        return [out[key] for key in keys]
    if structure.kind is Kind.DATACLASS:
        assert structure.container is not None
        if not isinstance(out, structure.container):
            wanted = structure.container.__name__
            raise TypeError(f"{name} must be a {wanted}, not {type(out).__name__}")
        return [getattr(out, key) for key in keys]
    return expect_items(out, len(keys), name)


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
