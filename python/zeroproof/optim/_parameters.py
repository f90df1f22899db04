"""The parameters of an optimizer as one vector of elements.

An element is a node, or a number of an array. The elements stand in the order of the leaves of the
structure, so that a rule is a few operations on vectors, however the parameters are arranged.
"""

from __future__ import annotations

from collections.abc import Iterator, ValuesView
from typing import Any, Optional

import numpy as np
import numpy.typing as npt

from .._arrays import Array
from .._enums import OpType
from .._native import TRNode
from .._trees import flatten

__all__ = ["Leaf", "Parameters"]

#: The name of the whole structure in errors.
ROOT = "parameters"

#: How hard to try to tell whether two interleaved arrays overlap.
_WORK: Any = 100_000


class Leaf:
    """A leaf of the structure: a node, an array of numbers, or an object array of nodes.

    Args:
        value: the leaf.
        path: where it stands.
        start: its first element.
    """

    def __init__(self, value: Any, path: str, start: int) -> None:
        self.path = path
        self.is_array = isinstance(value, np.ndarray)
        self.shape: tuple[int, ...] = value.shape if self.is_array else ()
        self.size: int = value.size if self.is_array else 1
        self.elements = slice(start, start + self.size)
        self.nodes: list[TRNode] = []
        self.numbers: Optional[Array] = None
        if isinstance(value, np.ndarray) and value.dtype.kind != "O":
            self.numbers = _writeable(value, path)
        else:
            self.nodes = [
                _parameter(item, name) for item, name in zip(_items(value), self._names())
            ]

    def name_of(self, element: int) -> str:
        """The name of an element, by its place in the vector."""
        if not self.is_array:
            return self.path
        place = np.unravel_index(element - self.elements.start, self.shape)
        return self._indexed(tuple(map(int, place)))

    def description(self) -> str:
        """What stands where, as a state records it."""
        return f"{'array ' + str(self.shape) if self.is_array else 'node'} at {self.path}"

    def _names(self) -> Iterator[str]:
        if not self.is_array:
            return iter([self.path])
        return (self._indexed(place) for place in np.ndindex(self.shape))

    def _indexed(self, place: tuple[int, ...]) -> str:
        return f"{self.path}[{', '.join(map(str, place))}]" if place else self.path


class Parameters:
    """The structure taken apart.

    Args:
        tree: nodes, arrays, or a structure of them.

    Raises:
        TypeError: for a leaf that cannot be updated.
        ValueError: without any element, and for a leaf that occurs twice or shares memory.
    """

    def __init__(self, tree: Any) -> None:
        tree = _listed(tree)
        if isinstance(tree, (list, tuple)) and any(_is_group(item) for item in tree):
            raise TypeError(
                "parameter groups with settings of their own are not supported: make an optimizer "
                "for each group"
            )
        values, self.structure = flatten(tree, ROOT)
        self.leaves: list[Leaf] = []
        self.size = 0
        for value, path in zip(values, self.structure.paths(ROOT)):
            leaf = Leaf(value, path, self.size)
            self.leaves.append(leaf)
            self.size += leaf.size
        if not self.size:
            raise ValueError("the optimizer was given no parameters: the structure is empty")
        self.nodes = [node for leaf in self.leaves for node in leaf.nodes]
        self._places = np.array(
            [
                place
                for leaf in self.leaves
                if leaf.nodes
                for place in range(leaf.elements.start, leaf.elements.stop)
            ],
            dtype=np.intp,
        )
        self._arrays = [
            (leaf.numbers, leaf.elements) for leaf in self.leaves if leaf.numbers is not None
        ]
        self._refuse_shared()

    def values(self) -> Array:
        """The values now, as a new vector; NaN for Φ."""
        values = np.empty(self.size)
        if self.nodes:
            values[self._places] = [node.item() for node in self.nodes]
        for array, elements in self._arrays:
            values[elements] = array.ravel()
        return values

    def write(self, values: Array) -> None:
        """Gives every element its value of the vector, or none of them.

        Raises:
            TypeError: if an array was made read-only since the optimizer was made.
        """
        for leaf in self.leaves:
            if leaf.numbers is not None:
                _writeable(leaf.numbers, leaf.path)
        for array, elements in self._arrays:
            array[...] = values[elements].reshape(array.shape)
        for node, value in zip(self.nodes, values[self._places].tolist()):
            node.assign(value)

    def name_of(self, element: int) -> str:
        """The name of an element, by its place in the vector."""
        leaf = next(leaf for leaf in self.leaves if element < leaf.elements.stop)
        return leaf.name_of(element)

    def description(self) -> list[str]:
        """The leaves in words, in order."""
        return [leaf.description() for leaf in self.leaves]

    def _refuse_shared(self) -> None:
        """Raises for leaves that are the same: a step would update them twice."""
        seen: dict[int, int] = {}
        for node, place in zip(self.nodes, self._places.tolist()):
            if id(node) in seen:
                first, second = self.name_of(seen[id(node)]), self.name_of(place)
                raise ValueError(f"{first} and {second} are the same parameter: list it once")
            seen[id(node)] = place
        leaves = [leaf for leaf in self.leaves if leaf.numbers is not None]
        for number, leaf in enumerate(leaves):
            for other in leaves[:number]:
                if _overlap(leaf.numbers, other.numbers):
                    raise ValueError(
                        f"{other.path} and {leaf.path} share memory: list the array once"
                    )


def _listed(tree: Any) -> Any:
    """A generator of parameters, or the values of a dict, as a list."""
    return list(tree) if isinstance(tree, (Iterator, ValuesView)) else tree


def _items(value: Any) -> list[Any]:
    return value.ravel().tolist() if isinstance(value, np.ndarray) else [value]


def _is_group(item: Any) -> bool:
    """Whether it is what PyTorch calls a parameter group."""
    return isinstance(item, dict) and "params" in item and len(item) > 1


def _parameter(value: Any, name: str) -> TRNode:
    if isinstance(value, TRNode):
        if value.op in (OpType.PARAMETER, OpType.INPUT):
            return value
        raise TypeError(
            f"{name} is a node of the operation {value.op.name.lower()}: only those made by "
            "TRNode.parameter or TRNode.input can be updated"
        )
    raise TypeError(
        f"{name} is of type {type(value).__name__}, which cannot be updated in place: use "
        "TRNode.parameter(value), or numpy.array(value, dtype=float) for batches"
    )


def _writeable(array: npt.NDArray[Any], path: str) -> Array:
    if isinstance(array, np.ma.MaskedArray):
        raise TypeError(
            f"{path} is a masked array, whose mask an update would ignore: use an array"
        )
    if array.dtype != np.float64 or not array.dtype.isnative:
        raise TypeError(f"{path} is an array of {array.dtype}: parameters are arrays of float64")
    if not array.flags.writeable:
        raise TypeError(f"{path} is a read-only array: pass a copy, which can be updated")
    return array


def _overlap(a: Any, b: Any) -> bool:
    """Whether two arrays share memory; those that are too interleaved to tell count as apart."""
    if not np.may_share_memory(a, b):
        return False
    try:
        return bool(np.shares_memory(a, b, max_work=_WORK))
    except RuntimeError:  # numpy.exceptions.TooHardError, which older versions keep elsewhere
        return False
