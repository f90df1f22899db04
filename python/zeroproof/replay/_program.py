"""A traced program as nodes that can be replayed: what each computes, and from what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Protocol, Union

import numpy as np

from ._folds import EMPTY, FOLDS
from ._powers import power_row
from ._row import Fold, Row
from ._table import ROWS

__all__ = [
    "Argument",
    "Condition",
    "Constant",
    "Element",
    "FoldNode",
    "Node",
    "Operation",
    "Program",
    "Select",
    "Source",
]


class Source(Protocol):
    """What tells a program as plain data, as ``TracedProgram`` does."""

    def arguments(self) -> Sequence[tuple[str, Sequence[int], bool]]:
        """Name, shape and whether every sample has its own, for each argument."""

    def steps(self) -> Sequence[tuple[Any, ...]]:
        """What the nodes after the elements of the arguments compute, in order."""

    def outputs(self) -> Sequence[int]:
        """The nodes that are the results."""


@dataclass(frozen=True)
class Argument:
    """An argument: the shape that one sample sees, and the nodes of its elements."""

    name: str
    shape: tuple[int, ...]
    per_sample: bool
    first: int

    @property
    def nodes(self) -> range:
        """The nodes of the elements, in order."""
        return range(self.first, self.first + prod(self.shape))


@dataclass(frozen=True)
class Element:
    """An element of an argument, by its index."""

    argument: int
    index: tuple[int, ...]
    operands: tuple[int, ...] = ()


@dataclass(frozen=True)
class Constant:
    """A number."""

    value: float
    operands: tuple[int, ...] = ()


@dataclass(frozen=True)
class Operation:
    """An operation of one or two operands."""

    row: Row
    operands: tuple[int, ...]


@dataclass(frozen=True)
class FoldNode:
    """A fold over its inputs."""

    fold: Fold
    how: str
    operands: tuple[int, ...]


@dataclass(frozen=True)
class Condition:
    """A predicate, as an array of booleans."""

    predicate: str
    operands: tuple[int, ...]


@dataclass(frozen=True)
class Select:
    """The second operand where the first, a condition, holds, else the third."""

    operands: tuple[int, ...]


Node = Union[Element, Constant, Operation, FoldNode, Condition, Select]

PREDICATES = (
    *("less", "less_equal", "equal", "is_real", "is_infinite", "is_phi"),
    *("and", "or", "not"),
)


class Program:
    """The nodes of a program, all of which the replay knows.

    Raises:
        NotImplementedError: for an operation that the replay has no row for; it names it.
    """

    def __init__(self, source: Source) -> None:
        self.arguments: list[Argument] = []
        self.nodes: list[Node] = []
        for place, (name, shape, per_sample) in enumerate(source.arguments()):
            own = tuple(int(extent) for extent in shape)
            self.arguments.append(Argument(str(name), own, bool(per_sample), len(self.nodes)))
            self.nodes += [Element(place, index) for index in np.ndindex(own)]
        for step in source.steps():
            self.nodes.append(_node(step))
        self.outputs = [int(output) for output in source.outputs()]

    def differentiable(self, node: int) -> tuple[int, ...]:
        """The operands that gradients may go to: all but conditions."""
        kind = self.nodes[node]
        if isinstance(kind, Select):
            return kind.operands[1:]
        return kind.operands if isinstance(kind, (Operation, FoldNode)) else ()

    def leading_to(self, elements: set[int]) -> set[int]:
        """The nodes from which a path of gradients leads to one of these elements."""
        found = set(elements)
        for node in range(len(self.nodes)):
            if any(operand in found for operand in self.differentiable(node)):
                found.add(node)
        return found

    def below(self, root: int, among: set[int]) -> Iterator[int]:
        """The nodes among some that the root reaches, from the root down in order."""
        reached = {root} & among
        for node in range(root, -1, -1):
            if node in reached:
                yield node
                reached.update(o for o in self.differentiable(node) if o in among)


def _node(step: tuple[Any, ...]) -> Node:
    kind = step[0]
    if kind == "constant":
        return Constant(float(step[1]))
    operands = tuple(int(operand) for operand in step[-1])
    if kind == "op" and step[1] in ROWS:
        return Operation(ROWS[step[1]], operands)
    if kind == "power":
        return Operation(power_row(int(step[1])), operands)
    if kind == "fold" and step[1] in FOLDS and step[2] in ("strict", "drop_null", "drop_nonreal"):
        return FoldNode(FOLDS[step[1]], step[2], operands) if operands else Constant(EMPTY[step[1]])
    if kind == "condition" and step[1] in PREDICATES:
        return Condition(step[1], operands)
    if kind == "select":
        return Select(operands)
    name = step[1] if len(step) > 2 else kind
    raise NotImplementedError(
        f"the replay has no rule for {name!r}; call the function on the host, by tr_vmap"
    )
