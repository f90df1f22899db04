"""The reverse pass of regular samples: all is REAL, and no product leaves the normal range.

There each operation has one formula, nothing is silenced or dropped, and a status follows from the
structure of the program. So the pass has no selections, and products are plain ones. What it meets
that is not so makes the sample *doubtful*; all of its results are then to be computed anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional

from ..autodiff.grad_mode import GradientMode
from ._forward import Forward
from ._kit import Kit, Scaled
from ._program import Element, FoldNode, Operation, Program, Select
from ._rules import is_bounded, kept_inputs
from .mode import Mode
from .namespace import Concrete, Elements

__all__ = ["Doubts", "PlainKit", "Regular", "has_regular_samples"]


class Doubts:
    """What makes samples doubtful, gathered.

    Args:
        namespace: the functions.
        zero: zeros, one for each sample.
        smallest_normal: of the type of the numbers.
    """

    def __init__(self, namespace: Concrete, zero: Elements, smallest_normal: float) -> None:
        self._xp, self._smallest = namespace, smallest_normal
        self._total, self._least = zero + 0.0, zero + 1.0
        self._found: Optional[Elements] = None
        self._known: dict[int, Elements] = {}

    def finite(self, x: Elements) -> Elements:
        """Notes numbers that must be finite, and returns them."""
        if id(x) not in self._known:
            self._known[id(x)] = x  # kept, so that no other array gets its id
            self._total = self._xp.spoiled(self._total, x)
        return x

    def normal(self, x: Elements) -> Elements:
        """Notes numbers that must not be too small to have all their digits, and returns them."""
        self._least = self._xp.least(self._least, x)
        return x

    def where(self, condition: Elements) -> None:
        """Notes samples for which a condition holds."""
        self._found = condition if self._found is None else self._found | condition

    def samples(self) -> Elements:
        """Where a sample is doubtful."""
        found = ~((self._total == 0) & (self._least >= self._smallest))
        return found if self._found is None else found | self._found


class PlainKit(Kit):
    """The same functions with plain products, and what these lose noted.

    A scaled number is here a number of any size, usually with the exponent 0.
    """

    is_plain = True

    def __init__(self, namespace: Any, format_name: str, doubts: Doubts) -> None:
        super().__init__(namespace, format_name)
        self.doubts = doubts

    def noted(self, x: Elements) -> Elements:
        """A number on the way; where it is not normal the sample is doubtful."""
        return self.doubts.normal(x)

    def split(self, x: Elements) -> Scaled:
        """The number as it is."""
        return Scaled(x, 0.0)

    def join(self, number: Scaled) -> Elements:
        """The number."""
        mantissa, exponent = number
        if isinstance(exponent, float):
            return mantissa if exponent == 0.0 else self.noted(mantissa * 2.0**exponent)
        self.doubts.where(self.xp.abs(exponent) > self.format.step)
        return self.noted(super().join(number))

    def combine(self, above: Sequence[Scaled], below: Sequence[Scaled] = ()) -> Scaled:
        """The product of numbers divided by others."""
        exponent = above[0].exponent
        for factor in above[1:]:
            exponent = exponent + factor.exponent
        for factor in below:
            exponent = exponent - factor.exponent
        mantissa = self._multiplied([factor.mantissa for factor in above])
        if below:
            under = self._multiplied([factor.mantissa for factor in below])
            mantissa = self.noted(mantissa / under)
        return Scaled(mantissa, exponent)

    def _multiplied(self, factors: Sequence[Elements]) -> Elements:
        product = factors[0]
        for factor in factors[1:]:
            product = self.noted(product * factor)
        return product

    def scaled_length(self, y: Scaled, bound: float) -> Scaled:
        """√(y² + s²)."""
        number = self.join(y)
        return Scaled(self.noted(self.length(number, bound + self.zero(number))), 0.0)

    def scaled_exp(self, x: Elements, rest: Elements = 0.0) -> Scaled:
        """``e^(x + rest)`` for a small rest."""
        power = self.noted(self.xp.exp(x))
        is_exact = isinstance(rest, float) and rest == 0.0
        return Scaled(power if is_exact else power * self.xp.exp(rest), 0.0)


def has_regular_samples(program: Program, mode: Mode) -> bool:
    """Whether the regular pass may be taken: statuses then follow from the structure.

    They do not where partials are bounded depending on operands, or contributions go by a choice.
    """
    if mode.decides and mode.saturates:
        return False
    if mode.mode is not GradientMode.SATURATING:
        return True
    return not any(
        isinstance(node, Select)
        or (isinstance(node, Operation) and node.row.pole and node.row.pole.is_there)
        for node in program.nodes
    )


class Regular:
    """Regular passes from all outputs, added up.

    Args:
        forward: the values; its kit is a :class:`PlainKit`.
        mode: the gradient mode.
        active: the nodes that lead to what is asked for.
    """

    def __init__(self, forward: Forward, mode: Mode, active: set[int]) -> None:
        kit = forward.kit
        assert isinstance(kit, PlainKit)
        self._forward, self._mode, self._active = forward, mode, active
        self._kit, self._doubts = kit, kit.doubts
        #: What arrives at nodes, and those at which some of it comes by a bounded partial.
        self.adjoints: dict[int, Elements] = {}
        self.saturated: set[int] = set()

    def run(self, root: int, seed: Elements) -> None:
        """Adds the pass from an output."""
        program = self._forward.program
        adjoints = {root: self._doubts.finite(seed)} if root in self._active else {}
        saturated: set[int] = set()
        for node in program.below(root, self._active):
            if isinstance(program.nodes[node], Element):
                continue
            g = adjoints.pop(node)
            contributions, bounds = self._contributions(node, g)
            for operand, contribution in zip(program.differentiable(node), contributions):
                if operand not in self._active:
                    continue
                self._doubts.finite(contribution)
                own = adjoints.get(operand)
                adjoints[operand] = contribution if own is None else own + contribution
                if bounds or node in saturated:
                    saturated.add(operand)
        for element, adjoint in adjoints.items():
            own = self.adjoints.get(element)
            total = adjoint if own is None else own + adjoint
            self.adjoints[element] = self._doubts.finite(total)
        self.saturated |= saturated

    def _contributions(self, node: int, g: Elements) -> tuple[Sequence[Elements], bool]:
        """What a node passes on, and whether its partials are bounded."""
        kit, forward, doubts = self._kit, self._forward, self._doubts
        kind, z = forward.program.nodes[node], forward.values[node]
        for each in (node, *forward.program.differentiable(node)):
            doubts.finite(forward.values[each])
        operands = forward.operands(node)
        if isinstance(kind, Select):
            holds = forward.truth(kind.operands[0])
            return (kit.xp.where(holds, g, 0.0), kit.xp.where(holds, 0.0, g)), False
        if isinstance(kind, FoldNode):
            return kind.fold.shares(
                kit, g, operands, kept_inputs(kit, "strict", operands), z
            ), False
        assert isinstance(kind, Operation)
        row, pole = kind.row, kind.row.pole
        if pole is not None and self._mode.mode is GradientMode.SATURATING:
            if pole.holds is not None:
                doubts.where(~pole.holds(kit, *operands))
            return pole.bounded(kit, g, *operands, z, self._mode.bound), True
        if pole is not None and self._mode.decides:
            near = is_bounded(kit, self._mode, row, operands, z, forward.explored[node])
            if near is not None:
                doubts.where(near)
        if row.holds is not None:
            doubts.where(~row.holds(kit, *operands))
        return row.classical(kit, g, *operands, z), False
