"""The forward pass: the value of every node, as an array over the samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Optional

from ._kit import Kit
from ._program import Condition, Constant, Element, FoldNode, Operation, Program, Select
from ._rules import Passed, fold_contributions, kept_inputs, row_contributions
from .mode import Mode
from .namespace import Elements

__all__ = ["Forward", "contributions"]


class Forward:
    """The values of a program's nodes for given arguments.

    Args:
        kit: the functions.
        program: the program.
        inputs: an array for each argument.
        mode: the mode in which values are to be differentiated; None if they are not.
        coordinate: the argument that exploration regions refer to.
    """

    def __init__(
        self,
        kit: Kit,
        program: Program,
        inputs: Sequence[Elements],
        mode: Optional[Mode] = None,
        coordinate: Optional[int] = None,
    ) -> None:
        self.kit, self.program = kit, program
        self.values: list[Elements] = []
        self.explored: list[Optional[Elements]] = []
        like = inputs[0]
        for place, node in enumerate(program.nodes):
            if isinstance(node, Element):
                value = inputs[node.argument][(..., *node.index)]
            elif isinstance(node, Constant):
                value = kit.xp.full(like, node.value)
            else:
                value = self._computed(node)
            self.values.append(value)
            if mode is not None:
                self.explored.append(self._exploration(place, node, mode, coordinate))
                if isinstance(node, (Operation, FoldNode)):
                    self.values[-1] = self._differentiable(place)

    def operands(self, node: int) -> list[Elements]:
        """The values of the operands of a node."""
        return [self.values[operand] for operand in self.program.nodes[node].operands]

    def truth(self, node: int) -> Elements:
        """A condition as booleans; one that is known beforehand stands as 1 or 0."""
        value = self.values[node]
        return value if isinstance(self.program.nodes[node], Condition) else value != 0

    def _computed(self, node: Any) -> Elements:
        kit, xp = self.kit, self.kit.xp
        operands = [self.values[operand] for operand in node.operands]
        if isinstance(node, Select):
            return xp.where(self.truth(node.operands[0]), *operands[1:])
        if isinstance(node, Condition) and node.predicate in LOGICAL:
            return combined(node.predicate, *map(self.truth, node.operands))
        operands = [xp.constant(operand) for operand in operands]
        if isinstance(node, Operation):
            return xp.rounded(node.row.value(kit, *operands))
        if isinstance(node, Condition):
            return holds(kit, node.predicate, *operands)
        kept = kept_inputs(kit, node.how, operands)
        value = node.fold.value(kit, operands, kept)
        if node.how == "drop_null":
            some = kept[0]
            for keep in kept[1:]:
                some = some | keep
            value = xp.where(some, value, float("nan"))
        return xp.rounded(value)

    def _exploration(
        self, place: int, node: Any, mode: Mode, coordinate: Optional[int]
    ) -> Optional[Elements]:
        """Where the node depends on a coordinate in an exploration region."""
        if not (mode.decides and mode.regions) or coordinate is None:
            return None
        if isinstance(node, Element):
            if node.argument != coordinate:
                return None
            value = self.kit.xp.constant(self.values[place])
            found = [(value >= low) & (value <= high) for low, high in mode.regions]
            return _union(found)
        if isinstance(node, Select):
            condition, a, b = node.operands
            chosen, other = self.explored[a], self.explored[b]
            holds = self.truth(condition)
            return _union(
                [
                    None if chosen is None else chosen & holds,
                    None if other is None else other & ~holds,
                ]
            )
        return _union([self.explored[operand] for operand in self.program.differentiable(place)])

    def _differentiable(self, place: int) -> Elements:
        """The value with its classical derivatives, whatever the mode; 0 where it is not REAL.

        Second derivatives are those of the gradient as it is computed, and the values that it is
        computed from are what they are: only contributions are bounded.
        """
        xp, value = self.kit.xp, self.values[place]
        operands = self.operands(place)

        def partials() -> tuple[Elements, ...]:
            own = [xp.constant(operand) for operand in operands]
            one = 1.0 + xp.zeros_like(value)
            passed = contributions(self, place, Mode(), one, own, value, None)
            return tuple(
                xp.where(xp.isfinite(found) & ~passed.silenced & kept, found, 0.0)
                for found, kept in zip(passed.contributions, passed.kept or [True] * len(own))
            )

        return xp.node(value, partials, *operands)


def contributions(
    forward: Forward,
    place: int,
    mode: Mode,
    g: Elements,
    operands: list[Elements],
    z: Elements,
    explored: Optional[Elements],
) -> Passed:
    """What a node passes on for a finite adjoint."""
    node, kit = forward.program.nodes[place], forward.kit
    if isinstance(node, FoldNode):
        return fold_contributions(kit, mode, node.fold, node.how, g, operands, z)
    assert isinstance(node, Operation)
    return row_contributions(kit, mode, node.row, g, operands, z, explored)


def _union(found: Sequence[Optional[Elements]]) -> Optional[Elements]:
    total = None
    for flags in found:
        if flags is not None:
            total = flags if total is None else total | flags
    return total


#: The predicates of conditions.
LOGICAL = ("and", "or", "not")


def combined(predicate: str, a: Elements, *others: Elements) -> Elements:
    """What conditions are together."""
    if predicate == "not":
        return ~a
    (b,) = others
    return a & b if predicate == "and" else a | b


def holds(kit: Kit, predicate: str, a: Elements, *others: Elements) -> Elements:
    """Whether a predicate of values holds, as booleans."""
    xp = kit.xp
    unary: dict[str, Callable[[Elements], Elements]] = {
        "is_real": xp.isfinite,
        "is_infinite": kit.is_infinite,
        "is_phi": xp.isnan,
    }
    if predicate in unary:
        return unary[predicate](a)
    (b,) = others
    if predicate == "less":
        return a < b
    if predicate == "less_equal":
        return a <= b
    return (a == b) | (xp.isnan(a) & xp.isnan(b))
