"""Exponentials, the logistic functions and the hyperbolic functions."""

from __future__ import annotations

import math
from typing import Any

from ._kit import Kit, Scaled
from ._logarithms import series
from ._row import Factors, Pole, Row
from .namespace import Elements

__all__ = ["ROWS"]

_NAN = float("nan")


def _exp_end(kit: Kit) -> float:
    """Up to here eˣ does not overflow."""
    return 700.0 if kit.is_double else 85.0


def _times_power(kit: Kit, g: Elements, a: Elements, z: Elements) -> tuple[Elements, ...]:
    """ḡ·eᵃ; where eᵃ overflows so does this."""
    xp = kit.xp
    is_large = xp.constant(a) > 0
    below = kit.times_exp(kit.split(g), xp.where(is_large, 0.0, a))
    return (xp.where(is_large, g * xp.exp(xp.where(is_large, a, 0.0)), below),)


def _infinite_power_at(kit: Kit, a: Elements) -> Factors:
    """0 at −∞; what is not REAL at +∞."""
    return (kit.xp.where(a > 0, _NAN, kit.zero(a)),)


def _sigmoid(kit: Kit, a: Elements) -> Elements:
    e = kit.xp.exp(-kit.xp.abs(a))
    return kit.xp.where(a < 0, e / (1.0 + e), 1.0 / (1.0 + e))


def _bell(kit: Kit, g: Elements, height: float, x: Elements) -> tuple[Elements, ...]:
    """``ḡ·height·(1 − tanh² x)``, far out as ``4e/(1 + e)²`` with e = exp(−2|x|).

    Near 0 the first form has derivatives in which nothing cancels.
    """
    xp = kit.xp
    is_near = xp.abs(xp.constant(x)) < 0.5
    t = xp.tanh(xp.where(is_near, x, 0.0))
    far = -2.0 * xp.abs(xp.where(is_near, 1.0, x))
    one = 1.0 + xp.exp(far)
    number = kit.combine([kit.split(g), kit.scaled_exp(far)], [kit.split(one * one)])
    beyond = kit.join(Scaled(4.0 * height * number.mantissa, number.exponent))
    return (xp.where(is_near, g * (height * (1.0 - t * t)), beyond),)


def _softplus(kit: Kit, a: Elements) -> Elements:
    xp = kit.xp
    return xp.where(a > 0, a, 0.0) + xp.log1p(xp.exp(-xp.abs(a)))


def _times_sigmoid(kit: Kit, g: Elements, a: Elements) -> tuple[Elements, ...]:
    xp = kit.xp
    below = kit.xp.constant(a) < 0
    one = 1.0 + xp.exp(xp.where(below, a, -a))
    power = kit.scaled_exp(xp.where(below, a, 0.0))
    return (kit.join(kit.combine([kit.split(g), power], [kit.split(one)])),)


def _step(kit: Kit, is_one: Elements, like: Elements) -> Factors:
    return (kit.xp.where(is_one, 1.0, kit.zero(like)),)


# (eᵃ − 1)/a.

#: (k + 1)/(k + 2)!, for the slope up to 2.
_EXPREL_SLOPE = [(k + 1) / math.factorial(k + 2) for k in range(28)]


def _exprel(kit: Kit, a: Elements) -> Elements:
    xp, end = kit.xp, _exp_end(kit)
    is_tiny, is_large = xp.abs(a) < 2.0**-60, a > end
    divisor = xp.where(is_tiny | is_large, 1.0, a)
    large = xp.where(is_large & xp.isfinite(a), a, 1.0)
    value = xp.where(is_tiny, 1.0, xp.expm1(divisor) / divisor)
    above = kit.times_exp(kit.scaled_product([1.0 + kit.zero(large)], [large]), large)
    return xp.where(is_large, xp.where(xp.isfinite(a), above, a), value)


def _exprel_slope(kit: Kit, g: Elements, a: Elements, z: Elements) -> tuple[Elements, ...]:
    """(eᵃ·(a − 1) + 1)/a²: near 0 a series, on the right eᵃ·((a − 1) + e⁻ᵃ)/a²."""
    xp = kit.xp
    own = xp.constant(a)
    is_near, is_right = xp.abs(own) < 2.0, own > 0
    near = series(_EXPREL_SLOPE, xp.where(is_near, a, 0.0))
    right = xp.where(is_right & ~is_near, a, 2.0)
    left = xp.where(is_right | is_near, -2.0, a)
    on_right = (right - 1.0) + xp.exp(-right)
    on_left = 1.0 - xp.exp(left) * (1.0 - left)
    above = xp.where(is_near, near, xp.where(is_right, on_right, on_left))
    below = xp.where(is_near, 1.0, a)
    power = kit.scaled_exp(xp.where(is_right & ~is_near, a, 0.0))
    factors = [kit.split(g), kit.split(above), power]
    return (kit.join(kit.combine(factors, [kit.split(below)] * 2)),)


# Hyperbolic functions, of exponentials: libraries are not exact to a few ulp in all of them.


def _sinh(kit: Kit, a: Elements) -> Elements:
    xp, magnitude = kit.xp, kit.xp.abs(a)
    is_near, is_large = magnitude < 1.0, magnitude > _exp_end(kit)
    small = xp.expm1(xp.where(is_near, a, 0.5))
    near = 0.5 * (small + small / (1.0 + small))
    power = xp.exp(xp.where(is_near | is_large, 1.0, magnitude))
    beyond = xp.where(is_near | is_large, _half_exp(kit, magnitude), 0.5 * (power - 1.0 / power))
    return xp.where(is_near, near, xp.where(a < 0, -beyond, beyond))


def _cosh(kit: Kit, a: Elements) -> Elements:
    xp, magnitude = kit.xp, kit.xp.abs(a)
    is_large = magnitude > _exp_end(kit)
    power = xp.exp(xp.where(is_large, 1.0, magnitude))
    return xp.where(is_large, _half_exp(kit, magnitude), 0.5 * (power + 1.0 / power))


def _half_exp(kit: Kit, a: Elements) -> Elements:
    """½eᵃ, which overflows only with its value."""
    xp = kit.xp
    x = xp.where(xp.isfinite(a), a, kit.format.far_exponent[1])
    power = kit.scaled_exp(x)
    found = kit.join(Scaled(power.mantissa, power.exponent - 1.0))
    return xp.where(xp.isnan(a), a, found)


def _times_half_exp(
    kit: Kit, g: Elements, a: Elements, function: Any, odd: bool
) -> tuple[Elements, ...]:
    """ḡ times sinh or cosh a, also where these overflow."""
    xp = kit.xp
    own = xp.constant(a)
    is_large = xp.abs(own) > _exp_end(kit)
    plain = g * function(kit, xp.where(is_large, 0.0, a))
    signed = xp.where(own < 0, -g, g) if odd else g
    half = kit.split(signed)
    far = kit.times_exp(
        Scaled(half.mantissa, half.exponent - 1.0), xp.where(is_large, xp.abs(a), 0.0)
    )
    return (xp.where(is_large, far, plain),)


def _not_real(kit: Kit, a: Elements) -> Factors:
    return (kit.zero(a) + _NAN,)


def _rise(kit: Kit, a: Elements) -> Elements:
    """√(a² − 1), which does not overflow."""
    return kit.xp.sqrt(a - 1.0) * kit.xp.sqrt(a + 1.0)


def _acosh(kit: Kit, a: Elements) -> Elements:
    inside = a >= 1.0
    return kit.xp.where(inside, kit.xp.acosh(kit.xp.where(inside, a, 1.0)), _NAN)


def _acosh_at(kit: Kit, a: Elements) -> Factors:
    return (kit.xp.where(a == 1.0, _NAN, kit.zero(a)),)


def _atanh(kit: Kit, a: Elements) -> Elements:
    xp = kit.xp
    inside = xp.abs(a) < 1.0
    x = xp.where(inside, xp.abs(a), 0.0)
    value = 0.5 * xp.log1p(2.0 * x / (1.0 - x))
    value = xp.where(a < 0, -value, value)
    # With the sign of a zero: behind a pole it decides.
    return xp.where(inside, xp.where(x < 2.0**-30, a, value), _NAN)


def _inside(kit: Kit, a: Elements) -> Elements:
    return kit.xp.abs(a) < 1.0


ROWS = {
    "exp": Row(
        value=lambda kit, a: kit.xp.exp(a),
        classical=_times_power,
        safe=(0.0,),
        at=_infinite_power_at,
    ),
    "expm1": Row(
        value=lambda kit, a: kit.xp.expm1(a),
        classical=_times_power,
        safe=(0.0,),
        at=_infinite_power_at,
    ),
    "sigmoid": Row(
        value=_sigmoid,
        classical=lambda kit, g, a, z: _bell(kit, g, 0.25, 0.5 * a),
        safe=(1.0,),
    ),
    "softplus": Row(
        value=_softplus,
        classical=lambda kit, g, a, z: _times_sigmoid(kit, g, a),
        safe=(1.0,),
        at=lambda kit, a: _step(kit, a > 0, a),
    ),
    "log_sigmoid": Row(
        value=lambda kit, a: -_softplus(kit, -a),
        classical=lambda kit, g, a, z: _times_sigmoid(kit, g, -a),
        safe=(1.0,),
        at=lambda kit, a: _step(kit, a < 0, a),
    ),
    "exprel": Row(
        value=_exprel,
        classical=_exprel_slope,
        safe=(1.0,),
        at=_infinite_power_at,
    ),
    "tanh": Row(
        value=lambda kit, a: kit.xp.tanh(a),
        classical=lambda kit, g, a, z: _bell(kit, g, 1.0, a),
        safe=(1.0,),
    ),
    "sinh": Row(
        value=_sinh,
        classical=lambda kit, g, a, z: _times_half_exp(kit, g, a, _cosh, False),
        safe=(1.0,),
        at=_not_real,
    ),
    "cosh": Row(
        value=_cosh,
        classical=lambda kit, g, a, z: _times_half_exp(kit, g, a, _sinh, True),
        safe=(1.0,),
        at=_not_real,
    ),
    "asinh": Row(
        value=lambda kit, a: kit.xp.asinh(a),
        classical=lambda kit, g, a, z: (g / kit.length(1.0 + kit.zero(a), a),),
        safe=(1.0,),
    ),
    "acosh": Row(
        value=_acosh,
        classical=lambda kit, g, a, z: (g / _rise(kit, a),),
        safe=(2.0,),
        at=_acosh_at,
        holds=lambda kit, a: a > 1.0,
        pole=Pole(
            distance=lambda kit, a: a - 1.0,
            bounded=lambda kit, g, a, z, s: (kit.times_recip(g, _rise(kit, a), s),),
            holds=lambda kit, a: a > 1.0,
        ),
    ),
    "atanh": Row(
        value=_atanh,
        classical=lambda kit, g, a, z: (g / ((1.0 - a) * (1.0 + a)),),
        safe=(0.5,),
        holds=_inside,
        pole=Pole(
            distance=lambda kit, a: 1.0 - kit.xp.abs(a),
            bounded=lambda kit, g, a, z, s: (kit.times_recip(g, (1.0 - a) * (1.0 + a), s),),
            holds=_inside,
        ),
    ),
}
