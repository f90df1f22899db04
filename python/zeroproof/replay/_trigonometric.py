"""Sines and their inverses; sin πa ÷ πa and (1 − cos a) ÷ a²."""

from __future__ import annotations

import math

from ._kit import Kit, Scaled
from ._logarithms import series
from ._row import Factors, Pole, Row
from .namespace import Elements

__all__ = ["ROWS"]

_NAN = float("nan")

#: (y·cos y − sin y)/y² = −y·Σ cₖ·y²ᵏ, up to ½π.
_BEND = [(-1) ** k * (2 * k + 2) / math.factorial(2 * k + 3) for k in range(16)]


def _half_turns(kit: Kit, x: Elements) -> tuple[Elements, Elements]:
    """Sin πx and cos πx for finite x."""
    xp = kit.xp
    own = xp.constant(x)
    # Reduced exactly to a half turn, then to a quarter. Large numbers are even.
    whole = xp.round(own * 0.5) * 2.0
    turn = x - xp.where(xp.abs(own) >= kit.format.integers_from, own, whole)
    magnitude = xp.abs(turn)
    is_far = xp.constant(magnitude) > 0.5
    near = xp.where(is_far, 1.0 - magnitude, magnitude)
    sine = xp.sin(math.pi * near)
    sine = xp.where(xp.constant(turn) < 0, -sine, sine)
    # cos πt = sin π(½ − t), exact near its root.
    cosine = xp.sin(math.pi * (0.5 - near))
    return sine, xp.where(is_far, -cosine, cosine)


def _sinc(kit: Kit, a: Elements) -> Elements:
    xp = kit.xp
    is_finite, is_tiny = xp.isfinite(a), xp.abs(a) < 2.0**-40
    x = xp.where(is_finite & ~is_tiny, a, 1.0)
    value = xp.where(is_tiny, 1.0, (_half_turns(kit, x)[0] / x) / math.pi)
    value = xp.where(value == 0.0, 0.0, value)  # +0 at the roots on either side, as the engine's
    return xp.where(is_finite, value, xp.where(xp.isnan(a), a, 0.0))


def _sinc_slope(kit: Kit, g: Elements, a: Elements, z: Elements) -> tuple[Elements, ...]:
    xp = kit.xp
    is_near = xp.abs(xp.constant(a)) < 0.5
    near = xp.where(is_near, math.pi * a, 0.0)
    bend = -series(_BEND, near * near) * (math.pi * math.pi)
    far = xp.where(is_near, 1.0, a)
    sine, cosine = _half_turns(kit, far)
    difference = cosine - (sine / far) / math.pi
    near_result = kit.product([g, a, bend])
    return (xp.where(is_near, near_result, kit.product([g, difference], [far])),)


def _cosc(kit: Kit, a: Elements) -> Elements:
    xp = kit.xp
    is_finite, is_tiny = xp.isfinite(a), xp.abs(a) < 2.0**-28
    half = xp.where(is_finite & ~is_tiny, a, 1.0) * 0.5
    ratio = xp.sin(half) / half
    value = xp.where(is_tiny, 0.5, 0.5 * (ratio * ratio))
    return xp.where(is_finite, value, xp.where(xp.isnan(a), a, 0.0))


def _cosc_slope(kit: Kit, g: Elements, a: Elements, z: Elements) -> tuple[Elements, ...]:
    """½·r(h)·r′(h) with r(h) = sin h/h at half the angle."""
    xp = kit.xp
    half = 0.5 * a
    is_near = xp.abs(xp.constant(half)) < 1.5
    near = xp.where(is_near, half, 0.0)
    is_zero = xp.constant(near) == 0
    divisor = xp.where(is_zero, 1.0, near)
    ratio = xp.where(is_zero, 1.0, xp.sin(divisor) / divisor)
    near_result = kit.product([g, a, -0.25 * ratio * series(_BEND, near * near)])
    far = xp.where(is_near, 2.0, half)
    sine = xp.sin(far)
    difference = xp.cos(far) - sine / far
    far_result = kit.product([g, sine, 0.5 * difference], [far, far])
    return (xp.where(is_near, near_result, far_result),)


def _leg(kit: Kit, a: Elements) -> Elements:
    """√(1 − a²), the other leg of the triangle with hypotenuse 1."""
    return kit.xp.sqrt((1.0 - a) * (1.0 + a))


def _inside(kit: Kit, a: Elements) -> Elements:
    return kit.xp.abs(a) < 1.0


def _ends(kit: Kit, a: Elements) -> Factors:
    return (kit.zero(a) + _NAN,)


def _arc_row(function: str, sign: float) -> Row:
    """Arc sine or arc cosine."""

    def value(kit: Kit, a: Elements) -> Elements:
        inside = kit.xp.abs(a) <= 1.0
        return kit.xp.where(inside, getattr(kit.xp, function)(kit.xp.where(inside, a, 0.0)), _NAN)

    return Row(
        value=value,
        classical=lambda kit, g, a, z: (sign * g / _leg(kit, a),),
        safe=(0.5,),
        at=_ends,
        holds=_inside,
        pole=Pole(
            distance=lambda kit, a: 1.0 - kit.xp.abs(a),
            bounded=lambda kit, g, a, z, s: (kit.times_recip(sign * g, _leg(kit, a), s),),
            holds=_inside,
        ),
    )


def _atan_slope(kit: Kit, g: Elements, a: Elements, z: Elements) -> tuple[Elements, ...]:
    xp = kit.xp
    is_far = xp.abs(xp.constant(a)) > kit.format.integers_from
    near = xp.where(is_far, 1.0, a)
    far = xp.where(is_far, a, 1.0)
    return (xp.where(is_far, kit.product([g], [far, far]), g / (1.0 + near * near)),)


# The angle of the point (b, a).


def _atan2(kit: Kit, a: Elements, b: Elements) -> Elements:
    xp = kit.xp
    at_origin = (a == 0) & (b == 0)
    at_corner = kit.is_infinite(a) & kit.is_infinite(b)
    undefined = at_origin | at_corner | xp.isnan(a) | xp.isnan(b)
    angle = xp.atan2(xp.where(undefined, 1.0, a), xp.where(undefined, 1.0, b))
    return xp.where(undefined, _NAN, angle)


def _scaled_radius(kit: Kit, a: Elements, b: Elements) -> Scaled:
    """√(a² + b²), which may overflow; the point is not the origin."""
    xp = kit.xp
    if kit.is_plain:
        return kit.split(kit.noted(kit.length(a, b)))
    own_a, own_b = xp.abs(xp.constant(a)), xp.abs(xp.constant(b))
    top = kit.split(xp.where(own_a < own_b, own_b, own_a)).exponent
    parts = [kit.split(x) for x in (a, b)]
    x, y = (kit.join(Scaled(m, xp.where(m == 0, 0.0, e - top))) for m, e in parts)
    return Scaled(kit.length(x, y), top)


def _radius(kit: Kit, a: Elements, b: Elements) -> Elements:
    """The distance to the origin; of a REAL point it is REAL."""
    xp = kit.xp
    is_real = xp.isfinite(a) & xp.isfinite(b)
    length = kit.length(xp.where(is_real, a, 1.0), xp.where(is_real, b, 1.0))
    length = xp.where(xp.isfinite(length), length, kit.format.largest)
    return xp.where(is_real, length, _NAN)


def _turn(kit: Kit, g: Elements, a: Elements, b: Elements, h: Scaled) -> tuple[Elements, ...]:
    across = [kit.split(x) for x in (g, b, -a)]
    return tuple(kit.join(kit.combine([across[0], across[place]], [h, h])) for place in (1, 2))


def _bounded_turn(
    kit: Kit, g: Elements, a: Elements, b: Elements, z: Elements, s: float
) -> tuple[Elements, ...]:
    return _turn(kit, g, a, b, kit.scaled_length(_scaled_radius(kit, a, b), s))


def _has_direction(kit: Kit, a: Elements, b: Elements) -> Elements:
    return (a != 0) | (b != 0)


ROWS = {
    "sin": Row(
        value=lambda kit, a: kit.xp.sin(kit.xp.where(kit.xp.isfinite(a), a, _NAN)),
        classical=lambda kit, g, a, z: (g * kit.xp.cos(a),),
        safe=(1.0,),
    ),
    "cos": Row(
        value=lambda kit, a: kit.xp.cos(kit.xp.where(kit.xp.isfinite(a), a, _NAN)),
        classical=lambda kit, g, a, z: (-g * kit.xp.sin(a),),
        safe=(1.0,),
    ),
    "tan": Row(
        value=lambda kit, a: kit.xp.tan(kit.xp.where(kit.xp.isfinite(a), a, _NAN)),
        classical=lambda kit, g, a, z: (g * (1.0 + z * z),),
        safe=(1.0,),
        pole=Pole(
            distance=lambda kit, a: kit.xp.cos(kit.xp.where(kit.xp.isfinite(a), a, _NAN)),
            bounded=lambda kit, g, a, z, s: (kit.over_smoothed([g], kit.xp.cos(a), s, 2),),
        ),
    ),
    "sinc": Row(value=_sinc, classical=_sinc_slope, safe=(0.25,)),
    "cosc": Row(value=_cosc, classical=_cosc_slope, safe=(1.0,)),
    "asin": _arc_row("asin", 1.0),
    "acos": _arc_row("acos", -1.0),
    "atan": Row(value=lambda kit, a: kit.xp.atan(a), classical=_atan_slope, safe=(1.0,)),
    "atan2": Row(
        value=_atan2,
        classical=lambda kit, g, a, b, z: _turn(kit, g, a, b, _scaled_radius(kit, a, b)),
        safe=(1.0, 1.0),
        holds=_has_direction,
        pole=Pole(distance=_radius, bounded=_bounded_turn, holds=_has_direction),
    ),
}
