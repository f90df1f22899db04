"""Matrices of derivatives: blocks by the structures of two sides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Optional

import numpy as np

from .._arrays import Shape, shaped
from .._enums import GradientStatus
from .._native import TRNode
from .._trees import Structure, flatten
from ..array import TRArray
from ._grad_arguments import Found, GradArgument, elements_of, node_of
from ._grad_results import as_node

#: What a derivative is that nothing leads to.
ZERO = (0.0, GradientStatus.EXACT)


@dataclass(frozen=True)
class Side:
    """The rows or the columns of a matrix: a structure of numbers and arrays."""

    structure: Structure
    shapes: tuple[Optional[Shape], ...]
    """Of each leaf; None for a number."""

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return sum(_count(shape) for shape in self.shapes)

    def parts(self, numbers: Sequence[Any]) -> Iterator[tuple[Optional[Shape], Sequence[Any]]]:
        """The shape of each leaf and its share of the numbers."""
        start = 0
        for shape in self.shapes:
            yield shape, numbers[start : start + _count(shape)]
            start += _count(shape)

    def numbers(self, given: Any, name: str) -> list[float]:
        """A number for each number of the side, given in its structure.

        Raises:
            TypeError: if something else is given. The error names the place.
            ValueError: if the structures or shapes differ.
        """
        leaves, structure = flatten(given, name)
        if structure != self.structure:
            raise ValueError(f"{name} must have the structure of what it belongs to")
        found: list[float] = []
        for path, leaf, shape in zip(structure.paths(name), leaves, self.shapes):
            array = np.asarray(leaf.to_ieee() if isinstance(leaf, TRArray) else leaf)
            if array.shape != (shape or ()):
                raise ValueError(f"{path} must have shape {shape or ()}, not {array.shape}")
            try:
                found += [float(element) for element in elements_of(array)]
            except (TypeError, ValueError):
                if any(isinstance(element, TRNode) for element in array.flat):
                    raise TypeError(
                        f"{path} must hold numbers, and no TRNode that requires a gradient, which "
                        "would be lost: pass its value, node.item()"
                    ) from None
                raise TypeError(f"{path} must hold numbers, not {array.dtype}") from None
        return found

    def filled(self, found: Sequence[Found], depends: bool) -> Any:
        """Derivatives in the structure."""
        leaves = [packed(part, shape, depends) for shape, part in self.parts(found)]
        return self.structure.unflatten(leaves)

    def statuses(self, found: Sequence[Found]) -> Any:
        """Their statuses."""
        leaves = [packed_statuses(part, shape) for shape, part in self.parts(found)]
        return self.structure.unflatten(leaves)


class Outputs:
    """What a function returned: a node or number, an array, or a structure of these."""

    def __init__(self, result: Any) -> None:
        """Takes it apart.

        Raises:
            TypeError: if it holds anything else. The error names the place.
        """
        leaves, structure = flatten(result, "the result")
        self.nodes: list[TRNode] = []
        shapes: list[Optional[Shape]] = []
        for place, leaf in enumerate(leaves):
            if isinstance(leaf, TRArray):
                leaf = leaf.to_ieee()
            try:
                if isinstance(leaf, np.ndarray) and leaf.shape != ():
                    self.nodes += [as_node(element) for element in elements_of(leaf)]
                    shapes.append(leaf.shape)
                else:
                    self.nodes.append(as_node(leaf))
                    shapes.append(None)
            except TypeError as error:
                if structure.is_leaf:
                    raise
                raise TypeError(f"{structure.paths('the result')[place]}: {error}") from None
        self.side = Side(structure, tuple(shapes))


def side_of(argument: GradArgument) -> Side:
    """The numbers of an argument."""
    return Side(argument.structure, argument.shapes)


def matrix(rows: Sequence[Sequence[Found]], above: Side, across: Side, depends: bool) -> Any:
    """A matrix in the structure of its rows, each leaf of which has that of the columns."""
    return _blocks(rows, above, across, lambda part, shape: packed(part, shape, depends))


def matrix_statuses(rows: Sequence[Sequence[Found]], above: Side, across: Side) -> Any:
    """The statuses of its entries, likewise."""
    return _blocks(rows, above, across, packed_statuses)


def _blocks(rows: Sequence[Sequence[Found]], above: Side, across: Side, pack: Any) -> Any:
    outer = []
    for shape, part in above.parts(rows):
        inner = []
        columns = [list(across.parts(row)) for row in part]
        for place, other in enumerate(across.shapes):
            entries = [entry for row in columns for entry in row[place][1]]
            whole = None if shape is None and other is None else (shape or ()) + (other or ())
            inner.append(pack(entries, whole))
        outer.append(across.structure.unflatten(inner))
    return above.structure.unflatten(outer)


def packed(found: Sequence[Found], shape: Optional[Shape], depends: bool) -> Any:
    """A derivative as a constant node, several as a float64 array.

    Where they may depend on nodes outside of the call, an array holds constant nodes, so that the
    dependence is not lost without a word.
    """
    if shape is not None and not depends:
        return np.array([float((each or ZERO)[0]) for each in found]).reshape(shape)
    nodes = [node_of(each, depends) for each in found]
    return nodes[0] if shape is None else shaped(nodes, shape)


def packed_statuses(found: Sequence[Found], shape: Optional[Shape]) -> Any:
    """The statuses of derivatives."""
    statuses = [(each or ZERO)[1] for each in found]
    if shape is None:
        return statuses[0]
    return np.array(statuses, np.uint8).reshape(shape)


def _count(shape: Optional[Shape]) -> int:
    return 1 if shape is None else prod(shape)
