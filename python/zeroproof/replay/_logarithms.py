"""Logarithms and what is made of them; the pole lies where the argument of the logarithm is 0."""

from __future__ import annotations

import math
from typing import Any

from ._kit import Kit
from ._row import Factors, Pole, Row
from .namespace import Elements

__all__ = ["ROWS", "series"]

_NAN = float("nan")


def series(coefficients: list[float], x: Elements) -> Elements:
    """The polynomial with these coefficients, the constant one first."""
    total = coefficients[-1] + x * 0.0
    for coefficient in reversed(coefficients[:-1]):
        total = total * x + coefficient
    return total


def _within(kit: Kit, function: Any, a: Elements, inside: Elements) -> Elements:
    """A function inside of its domain, Φ outside."""
    xp = kit.xp
    return xp.where(inside, function(xp.where(inside, a, 1.0)), _NAN)


def _log_row(function: str, ln_base: float) -> Row:
    """The logarithm to a base."""

    def divisors(kit: Kit, a: Elements) -> list[Elements]:
        return [a] if ln_base == 1.0 else [a, ln_base + kit.zero(a)]

    def bounded(kit: Kit, g: Elements, a: Elements, z: Elements, s: float) -> tuple[Elements, ...]:
        product = kit.scaled_product(divisors(kit, a))
        return (kit.join(kit.combine([kit.split(g)], [kit.scaled_length(product, s)])),)

    return Row(
        value=lambda kit, a: _within(kit, getattr(kit.xp, function), a, a > 0),
        classical=lambda kit, g, a, z: (kit.product([g], divisors(kit, a)),),
        safe=(1.0,),
        holds=lambda kit, a: a > 0,
        pole=Pole(distance=lambda kit, a: a, bounded=bounded, holds=lambda kit, a: a > 0),
    )


# ln(1 + a)/a and its slope.

#: (artanh s/s − 1)/s² = Σ s²ᵏ/(2k + 3); enough for |s| ≤ ⅓.
_ARTANH_REST = [1.0 / (2 * k + 3) for k in range(18)]


def _log1prel(kit: Kit, a: Elements) -> Elements:
    xp = kit.xp
    inside = a > -1.0
    is_tiny = xp.abs(a) < 2.0**-60
    divisor = xp.where(inside & ~is_tiny & xp.isfinite(a), a, 1.0)
    value = xp.where(is_tiny, 1.0, xp.log1p(divisor) / divisor)
    return xp.where(inside, xp.where(a > kit.format.largest, 0.0, value), _NAN)


def _log1prel_slope(kit: Kit, a: Elements) -> tuple[Elements, Elements, Elements]:
    """Numerator and divisor of the slope times 1 + a, and 1 + a: near 0 nothing cancels in it."""
    xp = kit.xp
    own = xp.constant(a)
    is_near = (own > -0.5) & (own < 1.0)
    u = 1.0 + a
    near = xp.where(is_near, a, 0.5)
    d = 2.0 + near
    ratio = near / d
    rest = series(_ARTANH_REST, ratio * ratio)
    near_above = -(d * d + 2.0 * near * (1.0 + near) * rest) / (d * d * d)
    far = xp.where(is_near, 2.0, a)
    far_above = far / (1.0 + far) - xp.log1p(far)
    above = xp.where(is_near, near_above, far_above)
    return above, xp.where(is_near, 1.0, a), xp.where(is_near, 1.0, u)


def _log1prel_classical(kit: Kit, g: Elements, a: Elements, z: Elements) -> tuple[Elements, ...]:
    # Near 0 the numerator is the slope times 1 + a, far out the slope times a².
    above, below, _ = _log1prel_slope(kit, a)
    own = kit.xp.constant(a)
    is_near = (own > -0.5) & (own < 1.0)
    over = kit.xp.where(is_near, 1.0 + a, 1.0)
    return (kit.product([g, above], [below, below, over]),)


def _log1prel_bounded(
    kit: Kit, g: Elements, a: Elements, z: Elements, s: float
) -> tuple[Elements, ...]:
    above, below, times = _log1prel_slope(kit, a)
    factors = [kit.split(x) for x in (g, above, times)]
    under = [kit.split(below), kit.split(below), kit.smoothed(1.0 + a, s)]
    return (kit.join(kit.combine(factors, under)),)


# a·ln b.


def _xlogy(kit: Kit, a: Elements, b: Elements) -> Elements:
    xp = kit.xp
    product = xp.rounded(a * _within(kit, xp.log, b, b > 0))
    return xp.where((a == 0) & (b >= 0), 0.0, product)


def _xlogy_at(kit: Kit, a: Elements, b: Elements, *bound: float) -> Factors:
    xp = kit.xp
    inside = (b > 0) & xp.isfinite(b)
    log = xp.log(xp.where(inside, b, 1.0))
    zero = kit.zero(a + b)
    return xp.where(inside, log + zero, _NAN), xp.where(xp.isfinite(a), zero, _NAN)


ROWS = {
    "log": _log_row("log", 1.0),
    "log2": _log_row("log2", math.log(2.0)),
    "log10": _log_row("log10", math.log(10.0)),
    "log1p": Row(
        value=lambda kit, a: _within(kit, kit.xp.log1p, a, a > -1.0),
        classical=lambda kit, g, a, z: (g / (1.0 + a),),
        safe=(1.0,),
        holds=lambda kit, a: a > -1.0,
        pole=Pole(
            distance=lambda kit, a: 1.0 + a,
            bounded=lambda kit, g, a, z, s: (kit.times_recip(g, 1.0 + a, s),),
            holds=lambda kit, a: a > -1.0,
        ),
    ),
    "log1prel": Row(
        value=_log1prel,
        classical=_log1prel_classical,
        safe=(0.5,),
        holds=lambda kit, a: a > -1.0,
        pole=Pole(
            distance=lambda kit, a: 1.0 + a,
            bounded=_log1prel_bounded,
            holds=lambda kit, a: a > -1.0,
        ),
    ),
    "xlogy": Row(
        value=_xlogy,
        classical=lambda kit, g, a, b, z: (g * kit.xp.log(b), kit.product([g, a], [b])),
        safe=(1.0, 1.0),
        at=_xlogy_at,
        holds=lambda kit, a, b: b > 0,
        pole=Pole(
            distance=lambda kit, a, b: b,
            bounded=lambda kit, g, a, b, z, s: (
                g * kit.xp.log(b),
                kit.over_smoothed([g, a], b, s),
            ),
            at=_xlogy_at,
            holds=lambda kit, a, b: b > 0,
        ),
    ),
}
