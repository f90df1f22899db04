"""The reverse pass: adjoints of all samples at once, with the rules of the gradient modes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from ._forward import Forward, contributions
from ._program import Element, Select
from .mode import Mode
from .namespace import Elements

__all__ = ["Adjoint", "reverse"]

#: An array of booleans, None for nowhere.
Flags = Optional[Elements]


@dataclass
class Adjoint:
    """What arrived at a node.

    Args:
        value: the sum of the contributions.
        masked, dropped, saturated: where these flags are set, None for nowhere.
        reached: where anything arrived at all, None for everywhere.
    """

    value: Elements
    masked: Flags = None
    dropped: Flags = None
    saturated: Flags = None
    reached: Flags = None


def either(a: Flags, b: Flags) -> Flags:
    """Where one or the other is set."""
    return b if a is None else a if b is None else a | b


def both(a: Flags, b: Elements) -> Flags:
    """Where both are set."""
    return None if a is None else a & b


class _Sweep:
    def __init__(self, forward: Forward, mode: Mode, active: set[int]) -> None:
        self.forward, self.mode, self.active = forward, mode, active
        self.xp = forward.kit.xp
        self.adjoints: dict[int, Adjoint] = {}

    def run(self, root: int, seed: Elements) -> None:
        xp = self.xp
        is_real = xp.isfinite(seed)
        if root in self.active:
            self.adjoints[root] = Adjoint(xp.where(is_real, seed, 0.0), dropped=~is_real)
        for node in self.forward.program.below(root, self.active):
            kind = self.forward.program.nodes[node]
            if isinstance(kind, Select):
                self._choose(node, self.adjoints.pop(node))
            elif not isinstance(kind, Element):
                self._pass(node, self.adjoints.pop(node))

    def _choose(self, node: int, arrived: Adjoint) -> None:
        """All that arrived goes to what was chosen."""
        condition, a, b = self.forward.program.nodes[node].operands
        holds = self.forward.truth(condition)
        for operand, chosen in ((a, holds), (b, ~holds)):
            if operand in self.active:
                self._merge(
                    operand,
                    Adjoint(
                        self.xp.where(chosen, arrived.value, 0.0),
                        both(arrived.masked, chosen),
                        both(arrived.dropped, chosen),
                        both(arrived.saturated, chosen),
                        chosen if arrived.reached is None else arrived.reached & chosen,
                    ),
                )

    def _pass(self, node: int, arrived: Adjoint) -> None:
        """The reverse step of an operation."""
        xp, forward = self.xp, self.forward
        g = arrived.value
        is_finite = xp.isfinite(g)
        finite = xp.where(is_finite, g, 0.0)
        passed = contributions(
            forward,
            node,
            self.mode,
            finite,
            forward.operands(node),
            forward.values[node],
            forward.explored[node],
        )
        reached = arrived.reached
        operands = forward.program.nodes[node].operands
        for place, operand in enumerate(operands):
            if operand not in self.active:
                continue
            contribution = passed.contributions[place]
            silenced = passed.silenced
            if passed.kept is not None:
                silenced = silenced | ~passed.kept[place]
            is_real = xp.isfinite(contribution) & is_finite
            dropped = ~silenced & ~is_real & (g != 0)
            bounded = passed.bounded
            if reached is not None:
                silenced_here, dropped = silenced & reached, dropped & reached
                bounded = both(bounded, reached)
            else:
                silenced_here = silenced
            self._merge(
                operand,
                Adjoint(
                    xp.where(is_real & ~silenced, contribution, 0.0),
                    either(arrived.masked, silenced_here),
                    either(arrived.dropped, dropped),
                    either(arrived.saturated, bounded),
                    reached,
                ),
            )

    def _merge(self, node: int, more: Adjoint) -> None:
        """Adds what arrives; an overflowed sum keeps its value."""
        own = self.adjoints.get(node)
        if own is None:
            self.adjoints[node] = more
            return
        total = self.xp.where(self.xp.isfinite(own.value), own.value + more.value, own.value)
        everywhere = own.reached is None or more.reached is None
        self.adjoints[node] = Adjoint(
            total,
            either(own.masked, more.masked),
            either(own.dropped, more.dropped),
            either(own.saturated, more.saturated),
            None if everywhere else either(own.reached, more.reached),
        )


def reverse(
    forward: Forward, mode: Mode, active: set[int], root: int, seed: Elements
) -> dict[int, Adjoint]:
    """One pass from a root; what arrived at the elements that a path leads to.

    Args:
        forward: the values.
        mode: the gradient mode.
        active: the nodes that lead to what is asked for.
        root: the output.
        seed: its adjoint in each sample.
    """
    sweep = _Sweep(forward, mode, active)
    sweep.run(root, seed)
    return sweep.adjoints
