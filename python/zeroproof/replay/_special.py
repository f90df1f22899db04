"""The error function and the normal distribution, all from one scaled function."""

from __future__ import annotations

import math

from ._kit import Kit, Scaled
from ._logarithms import series
from ._row import Factors, Row
from .namespace import Elements

__all__ = ["ROWS"]

_NAN = float("nan")
_TWO_OVER_ROOT_PI = 2.0 / math.sqrt(math.pi)
_CENTRE = 3.75

#: (1 + 2y)·e^(y²)·erfc y for y ≥ 0 as a polynomial in (y − 3.75)/(y + 3.75): the Chebyshev
#: series, cut where it is below 2⁻⁶⁰.
_SCALED = [
    1.2375126308378275,
    -0.14024059858554702,
    0.0035854154854636517,
    0.08227673849015112,
    -0.10880393014170497,
    0.09230432116019517,
    -0.05869339859061113,
    0.02836227742156851,
    -0.009746579546771305,
    0.0017556258319220233,
    0.0002937135880191652,
    -0.0002901539763460068,
    5.164944294209174e-05,
    2.2383900563041527e-05,
    -1.1445172788698129e-05,
    -9.728189861867202e-07,
    1.7537463991343404e-06,
    -5.831950342145813e-08,
    -2.6166980230658226e-07,
    2.4362700816477473e-08,
    4.160406053555421e-08,
    -4.453191645424103e-09,
    -7.071554920304646e-09,
    5.820899514310995e-10,
    1.1880816590690474e-09,
    -4.9656323099806433e-11,
    -1.6487239057649168e-10,
    1.79625782521633e-12,
    1.3068191498742328e-11,
]
#: erf x/x in x², up to 1.
_NEAR = [_TWO_OVER_ROOT_PI * (-1) ** k / (math.factorial(k) * (2 * k + 1)) for k in range(22)]


def _scaled(kit: Kit, y: Elements) -> Elements:
    """(1 + 2y)·e^(y²)·erfc y for finite y ≥ 0."""
    return series(_SCALED, (y - _CENTRE) / (y + _CENTRE))


def _tail(kit: Kit, a: Elements, y: Elements, weight: float) -> Elements:
    """Erfc y for y = √weight·a ≥ 0, to a few ulp wherever it is representable."""
    power = kit.scaled_gauss(a, weight)
    ratio = _scaled(kit, y) / (1.0 + 2.0 * y)
    return kit.join(Scaled(power.mantissa * ratio, power.exponent))


def _clamped(kit: Kit, x: Elements) -> Elements:
    """Finite; beyond the end tails are 0."""
    end = kit.format.gauss_end
    return kit.xp.where(x > end, end, kit.xp.where(x < -end, -end, x))


def _erf(kit: Kit, a: Elements) -> Elements:
    xp = kit.xp
    x = _clamped(kit, a)
    is_near = xp.abs(x) < 1.0
    near = xp.where(is_near, x, 0.5)
    far = xp.where(is_near, 1.0, xp.abs(x))
    above = 1.0 - _tail(kit, far, far, 1.0)
    return xp.where(is_near, near * series(_NEAR, near * near), xp.where(x < 0, -above, above))


def _erfc(kit: Kit, a: Elements) -> Elements:
    xp = kit.xp
    x = _clamped(kit, a)
    is_near = xp.abs(x) < 0.5
    near = xp.where(is_near, x, 0.25)
    far = xp.where(is_near, 1.0, xp.abs(x))
    tail = _tail(kit, far, far, 1.0)
    below = 1.0 - near * series(_NEAR, near * near)
    return xp.where(is_near, below, xp.where(x < 0, 2.0 - tail, tail))


def _times_bell(kit: Kit, g: Elements, a: Elements) -> tuple[Elements, ...]:
    power = kit.combine([kit.split(g), kit.scaled_gauss(a, 1.0)])
    return (kit.join(Scaled(power.mantissa * _TWO_OVER_ROOT_PI, power.exponent)),)


def _half_tail(kit: Kit, a: Elements) -> Elements:
    """1 − Φ(a) for a ≥ 0."""
    return 0.5 * _tail(kit, a, a * math.sqrt(0.5), 0.5)


def _log_ndtr(kit: Kit, a: Elements) -> Elements:
    xp = kit.xp
    is_far = a < -1.0
    x = _clamped(kit, xp.where(is_far, 0.0, a))
    tail = _half_tail(kit, xp.abs(x))
    near = xp.log1p(-xp.where(x < 0, 1.0 - tail, tail))
    left = xp.where(is_far & xp.isfinite(a), -a, 1.0)
    y = left * math.sqrt(0.5)
    ratio = _scaled(kit, y) / (0.5 + y)
    far = xp.log(0.25 * ratio) - 0.5 * left * left
    far = xp.where(xp.isfinite(a), far, a)
    # From below, −0 at last.
    return xp.where(is_far, far, xp.where(near == 0, -0.0, near))


def _log_ndtr_slope(kit: Kit, g: Elements, a: Elements, z: Elements) -> tuple[Elements, ...]:
    """``ḡ·φ(a)/Φ(a)``."""
    xp = kit.xp
    is_left = xp.constant(a) < 0
    left = xp.where(is_left, -a, 0.0)
    y = left * math.sqrt(0.5)
    mills = math.sqrt(8.0 / math.pi) / _scaled(kit, y)
    on_left = kit.product([g, 0.5 + y, mills])
    right = xp.where(is_left, 0.0, a)
    power = kit.scaled_gauss(right, 0.5)
    density = Scaled(power.mantissa / math.sqrt(2.0 * math.pi), power.exponent)
    distribution = kit.split(1.0 - _half_tail(kit, _clamped(kit, right)))
    on_right = kit.join(kit.combine([kit.split(g), density], [distribution]))
    return (xp.where(is_left, on_left, on_right),)


def _log_ndtr_at(kit: Kit, a: Elements) -> Factors:
    return (kit.xp.where(a < 0, _NAN, kit.zero(a)),)


ROWS = {
    "erf": Row(
        value=_erf,
        classical=lambda kit, g, a, z: _times_bell(kit, g, a),
        safe=(0.5,),
    ),
    "erfc": Row(
        value=_erfc,
        classical=lambda kit, g, a, z: _times_bell(kit, -g, a),
        safe=(0.5,),
    ),
    "log_ndtr": Row(value=_log_ndtr, classical=_log_ndtr_slope, safe=(0.5,), at=_log_ndtr_at),
}
