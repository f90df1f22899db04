"""What the replay knows about an operation: one row for each operation of the table.

Notation: ``g`` is the adjoint ḡ that arrives, a finite number; ``a`` and ``b`` are the operands,
``z`` the value, ``s`` the saturation bound. A contribution that comes out as ±∞ or NaN is dropped
by the reverse pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Optional

from ._kit import Kit
from .namespace import Elements

__all__ = ["Fold", "Pole", "Row", "flat", "nothing"]

#: What an adjoint is multiplied by, NaN for a contribution that is not REAL; or a function of it.
Factors = tuple[Any, ...]


def nothing(kit: Kit, *operands: Elements) -> Factors:
    """Nothing passes to any operand."""
    return tuple(kit.zero(operand) for operand in operands)


@dataclass(frozen=True)
class Pole:
    """What makes an operation singular.

    Args:
        distance: operands to a number whose magnitude is the distance to the pole.
        bounded: ``kit, g, *operands, z, s`` to the bounded contributions.
        at: what an adjoint is multiplied by where the formula does not hold; operands of any kind.
        holds: where the formula holds and has derivatives, for finite operands.
        is_there: the operands with which it is singular at all; None for all.
    """

    distance: Callable[..., Elements]
    bounded: Callable[..., tuple[Elements, ...]]
    at: Callable[..., Factors] = nothing
    holds: Optional[Callable[..., Elements]] = None
    is_there: Optional[Callable[..., Elements]] = None


@dataclass(frozen=True)
class Row:
    """An operation of one or two operands.

    Args:
        value: ``kit, *operands`` to the value; total.
        classical: ``kit, g, *operands, z`` to the contributions, for finite operands.
        safe: operands at which every formula here is smooth.
        at: what an adjoint is multiplied by where the formula does not hold, NaN for a contribution
            that is not REAL; operands of any kind whose value is not Φ.
        holds: where the formula holds and has derivatives, for finite operands; None for all.
        pole: None for an operation that is never singular.
    """

    value: Callable[..., Elements]
    classical: Callable[..., tuple[Elements, ...]]
    safe: tuple[float, ...]
    at: Callable[..., Factors] = nothing
    holds: Optional[Callable[..., Elements]] = None
    pole: Optional[Pole] = None


@dataclass(frozen=True)
class Fold:
    """An operation of any number of inputs, of which some are kept.

    Args:
        value: ``kit, inputs, kept`` to the value, where kept is a boolean array for each input.
        shares: ``kit, g, inputs, kept, z`` to the contributions to all inputs, of which those to
            inputs that are not kept mean nothing.
    """

    value: Callable[..., Elements]
    shares: Callable[..., list[Elements]]


def flat(kit: Kit, g: Elements, *rest: Elements) -> tuple[Elements, ...]:
    """The contributions of a piecewise constant operation: 0."""
    return tuple(g * 0.0 for _ in rest[:-1])
