"""Operations that compare: extrema, bounds, magnitude and sign."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._kit import Kit
from ._row import Factors, Row, flat
from .namespace import Elements

__all__ = ["ROWS", "larger", "smaller"]


def larger(kit: Kit, a: Elements, b: Elements) -> Elements:
    """The larger value; Φ absorbs."""
    return kit.xp.where((b > a) | kit.xp.isnan(b), b, a)


def smaller(kit: Kit, a: Elements, b: Elements) -> Elements:
    """The smaller value; Φ absorbs."""
    return kit.xp.where((b < a) | kit.xp.isnan(b), b, a)


def _shares(kit: Kit, a_wins: Elements, b_wins: Elements, like: Elements) -> Factors:
    """1 to the operand that won, ½ to each of two that tie, else 0."""
    xp, one = kit.xp, 1.0 + kit.zero(like)
    to_a = xp.where(a_wins, xp.where(b_wins, 0.5 * one, one), 0.0)
    return to_a, one - to_a


def _choosing(value: Callable[..., Elements], factors: Callable[..., Factors]) -> Row:
    """An operation whose partials are piecewise constant."""

    def classical(kit: Kit, g: Elements, *rest: Any) -> tuple[Elements, ...]:
        own = [kit.xp.constant(x) for x in rest[:-1]]
        return tuple(g * factor for factor in factors(kit, *own))

    def arity(kit: Kit, *operands: Elements) -> Factors:
        return factors(kit, *operands)

    return Row(value=value, classical=classical, safe=(1.0, 0.5), at=arity)


def _one(value: Callable[..., Elements], factors: Callable[..., Factors]) -> Row:
    row = _choosing(value, factors)
    return Row(row.value, row.classical, (1.0,), row.at)


def _copysign(kit: Kit, a: Elements, b: Elements) -> Elements:
    xp = kit.xp
    signed = xp.where(xp.signbit(a) == xp.signbit(b), a, -a)
    return xp.where(xp.isnan(b), b, signed)


def _copysign_factors(kit: Kit, a: Elements, b: Elements) -> Factors:
    return kit.sign(a) * kit.one_with_sign(b), kit.zero(b)


ROWS = {
    "minimum": _choosing(smaller, lambda kit, a, b: _shares(kit, a <= b, b <= a, a + b)),
    "maximum": _choosing(larger, lambda kit, a, b: _shares(kit, a >= b, b >= a, a + b)),
    "clip_min": _choosing(larger, lambda kit, a, b: _shares(kit, a >= b, b > a, a + b)),
    "clip_max": _choosing(smaller, lambda kit, a, b: _shares(kit, a <= b, b < a, a + b)),
    "copysign": _choosing(_copysign, _copysign_factors),
    "abs": _one(lambda kit, a: kit.xp.abs(a), lambda kit, a: (kit.sign(a),)),
    "sign": Row(value=lambda kit, a: kit.sign(a), classical=flat, safe=(1.0,)),
}
