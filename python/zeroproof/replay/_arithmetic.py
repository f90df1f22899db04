"""Sum, difference, product, quotient, square, unit and rounding."""

from __future__ import annotations

from ._kit import Kit
from ._row import Factors, Pole, Row, flat
from .namespace import Elements

__all__ = ["ROWS", "finite_or_nan"]


def finite_or_nan(kit: Kit, x: Elements) -> Elements:
    """The number, or NaN for an infinity: what a product with it passes on."""
    return kit.xp.where(kit.xp.isfinite(x), x, float("nan"))


def _quotient_at(kit: Kit, a: Elements, b: Elements, s: float) -> Factors:
    """Beside an infinite a the bounded partial of it holds; from an infinite b nothing passes."""
    xp = kit.xp
    is_finite = xp.isfinite(b)
    divisor = xp.where(is_finite, b, 0.0)
    to_a = lambda g: kit.times_recip(g, divisor, s)  # noqa: E731
    return to_a, xp.where(is_finite, float("nan"), kit.zero(a))


def _square_slope(kit: Kit, g: Elements, a: Elements, z: Elements) -> tuple[Elements, ...]:
    return (2.0 * (g * a),)


def _remainder(kit: Kit, a: Elements, b: Elements) -> Elements:
    xp = kit.xp
    is_defined = xp.isfinite(a) & (b != 0) & ~xp.isnan(b)
    dividend = xp.where(is_defined, a, 1.0)
    divisor = xp.where(is_defined, b, 1.0)
    rest = xp.fmod(dividend, divisor)
    keeps = (rest < 0) == (divisor < 0)
    with_sign = kit.one_with_sign(divisor) * 0.0
    value = xp.where(rest == 0, with_sign, xp.where(keeps, rest, rest + divisor))
    return xp.where(is_defined, value, float("nan"))


def _floor_quotient(kit: Kit, a: Elements, b: Elements) -> Elements:
    """⌊a/b⌋ for finite a, finite b ≠ 0; it may overflow."""
    xp = kit.xp
    ratio = a / b
    rest = xp.fmod(a, b)
    whole = xp.round((a - rest) / b)
    whole = xp.where((rest != 0) & ((rest < 0) != (b < 0)), whole - 1.0, whole)
    return xp.where(xp.abs(ratio) > kit.format.integers_from, ratio, whole)


def _remainder_partials(
    kit: Kit, g: Elements, a: Elements, b: Elements, z: Elements
) -> tuple[Elements, ...]:
    xp = kit.xp
    a, b = xp.constant(a), xp.constant(b)
    quotient = _floor_quotient(kit, a, b)
    overflows = ~xp.isfinite(quotient)
    plain = -g * xp.where(overflows, 0.0, quotient)
    return g, xp.where(overflows, kit.product([-g, a], [b]), plain)


def _remainder_at(kit: Kit, a: Elements, b: Elements) -> Factors:
    """Beside an infinite b the quotient is −1 where the signs differ."""
    differ = (a != 0) & (kit.xp.signbit(a) != kit.xp.signbit(b))
    return 1.0 + kit.zero(a), kit.xp.where(differ, 1.0, kit.zero(a))


ROWS = {
    "add": Row(
        value=lambda kit, a, b: a + b,
        classical=lambda kit, g, a, b, z: (g, g),
        safe=(1.0, 1.0),
        at=lambda kit, a, b: (1.0 + kit.zero(a), 1.0 + kit.zero(b)),
    ),
    "sub": Row(
        value=lambda kit, a, b: a - b,
        classical=lambda kit, g, a, b, z: (g, -g),
        safe=(1.0, 1.0),
        at=lambda kit, a, b: (1.0 + kit.zero(a), -1.0 + kit.zero(b)),
    ),
    "mul": Row(
        value=lambda kit, a, b: a * b,
        classical=lambda kit, g, a, b, z: (g * b, g * a),
        safe=(1.0, 1.0),
        at=lambda kit, a, b: (finite_or_nan(kit, b), finite_or_nan(kit, a)),
    ),
    "div": Row(
        value=lambda kit, a, b: kit.xp.divide(a, b),
        classical=lambda kit, g, a, b, z: (g / b, kit.product([-g, a], [b, b])),
        safe=(1.0, 1.0),
        holds=lambda kit, a, b: b != 0,
        pole=Pole(
            distance=lambda kit, a, b: b,
            bounded=lambda kit, g, a, b, z, s: (
                kit.times_recip(g, b, s),
                kit.over_smoothed([-g, a], b, s, 2),
            ),
            at=_quotient_at,
        ),
    ),
    "neg": Row(
        value=lambda kit, a: -a,
        classical=lambda kit, g, a, z: (-g,),
        safe=(1.0,),
        at=lambda kit, a: (-1.0 + kit.zero(a),),
    ),
    "square": Row(
        value=lambda kit, a: a * a,
        classical=_square_slope,
        safe=(1.0,),
        at=lambda kit, a: (finite_or_nan(kit, a),),
    ),
    "unit": Row(
        value=lambda kit, a: kit.xp.where(kit.xp.isfinite(a), 1.0 + kit.zero(a), float("nan")),
        classical=flat,
        safe=(1.0,),
    ),
    "floor": Row(value=lambda kit, a: kit.xp.floor(a), classical=flat, safe=(0.5,)),
    "ceil": Row(value=lambda kit, a: kit.xp.ceil(a), classical=flat, safe=(0.5,)),
    "round": Row(value=lambda kit, a: kit.xp.round(a), classical=flat, safe=(0.5,)),
    "remainder": Row(
        value=_remainder,
        classical=_remainder_partials,
        safe=(0.5, 1.0),
        at=_remainder_at,
        holds=lambda kit, a, b: b != 0,
    ),
}
