"""Powers, roots and lengths."""

from __future__ import annotations

from typing import Any

from ._kit import Kit, Scaled
from ._row import Factors, Pole, Row
from .namespace import Elements

__all__ = ["ROWS", "power_row", "scaled_radius"]

_NAN = float("nan")
#: Powers that a plain product gives to a few ulp.
_FEW = 4


# Roots.


def _cbrt(kit: Kit, a: Elements) -> Elements:
    """The root of the mantissa by Newton's method, with the exponent divided by 3."""
    xp = kit.xp
    is_plain = xp.isfinite(a) & (a != 0)
    mantissa, exponent = kit.split(xp.where(is_plain, xp.abs(a), 1.0))
    third = xp.floor(exponent / 3.0)
    x = mantissa * xp.power_of_two(exponent - 3.0 * third)
    root = xp.exp(xp.log(x) / 3.0)
    root = root - (root * root * root - x) / (3.0 * (root * root))
    root = root * xp.power_of_two(third)
    return xp.where(is_plain, xp.where(a < 0, -root, root), a)


def _not_0(kit: Kit, a: Elements) -> Elements:
    return a != 0


def _drop_at_0(kit: Kit, a: Elements) -> Factors:
    return (kit.xp.where(a == 0, _NAN, kit.zero(a)),)


# Integer powers.


def pow_int(kit: Kit, x: Elements, n: int) -> Elements:
    """``xⁿ`` by squaring, low bit first; ``1 ÷ x⁻ⁿ`` for negative n."""
    xp = kit.xp
    if n == 0:
        return xp.where((x != 0) & xp.isfinite(x), 1.0 + kit.zero(x), _NAN)
    result, base, bits = None, x, abs(n)
    while True:
        if bits & 1:
            result = base if result is None else xp.rounded(result * base)
        bits >>= 1
        if not bits:
            break
        base = xp.rounded(base * base)
    assert result is not None
    return 1.0 / result if n < 0 else result


class _Pair:
    """A number as an unevaluated sum of two, in [1, 2) up to sign, and an exponent."""

    def __init__(self, high: Elements, low: Elements, exponent: Elements) -> None:
        self.high, self.low, self.exponent = high, low, exponent

    def times(self, other: _Pair, kit: Kit) -> _Pair:
        """The product."""
        xp = kit.xp
        splitter = 134217729.0 if kit.is_double else 4097.0

        def halves(x: Elements) -> tuple[Elements, Elements]:
            scaled = xp.rounded(splitter * x)
            head = scaled - (scaled - x)
            return head, x - head

        a, b = self.high, other.high
        product = xp.rounded(a * b)
        (ah, al), (bh, bl) = halves(a), halves(b)
        error = ((xp.rounded(ah * bh) - product) + ah * bl + al * bh) + al * bl
        error = error + (a * other.low + self.low * b)
        high = product + error
        low = (product - high) + error
        # Mantissas stay below 4, so that they need no split.
        halve = xp.where(xp.abs(xp.constant(high)) >= 2.0, 0.5, 1.0 + kit.zero(high))
        exponent = self.exponent + other.exponent + xp.where(halve == 0.5, 1.0, kit.zero(high))
        return _Pair(high * halve, low * halve, exponent)


def _scaled_power(kit: Kit, x: Elements, m: int) -> Scaled:
    """``xᵐ`` for m > 0 and finite x, to an ulp."""
    if kit.is_plain and m <= _FEW:
        return kit.combine([kit.split(x)] * m)
    mantissa, exponent = Kit.split(kit, x)
    base, result = _Pair(mantissa, kit.zero(mantissa), exponent), None
    while m:
        if m & 1:
            result = base if result is None else result.times(base, kit)
        m >>= 1
        if m:
            base = base.times(base, kit)
    assert result is not None
    return Scaled(result.high + result.low, result.exponent)


def power_row(n: int) -> Row:
    """The power with an integer exponent."""

    def classical(kit: Kit, g: Elements, a: Elements, z: Elements) -> tuple[Elements, ...]:
        if n == 0:
            return (g * 0.0,)
        if n == 1:
            return (g,)
        factors = [kit.split(g), kit.split(float(n) + kit.zero(a))]
        power = _scaled_power(kit, a, abs(n - 1))
        return (kit.join(kit.combine([*factors, *([power] if n > 0 else [])], [power] * (n < 0))),)

    def at(kit: Kit, a: Elements) -> Factors:
        factor = 1.0 if n == 1 else _NAN if n > 1 else 0.0
        return (kit.zero(a) + factor,)

    def bounded(kit: Kit, g: Elements, a: Elements, z: Elements, s: float) -> tuple[Elements, ...]:
        m = 1 - n
        signed = kit.xp.where(kit.xp.constant(a) < 0, -g, g) if m % 2 else g
        length = kit.scaled_length(_scaled_power(kit, kit.xp.abs(a), m), s)
        factors = [kit.split(signed), kit.split(float(n) + kit.zero(a))]
        return (kit.join(kit.combine(factors, [length])),)

    pole = Pole(distance=lambda kit, a: a, bounded=bounded, holds=_not_0) if n < 0 else None
    return Row(
        value=lambda kit, a: pow_int(kit, a, n),
        classical=classical,
        safe=(1.0,),
        at=at,
        holds=_not_0 if n < 0 else None,
        pole=pole,
    )


# Real powers.


def _has_power(kit: Kit, a: Elements, b: Elements) -> Elements:
    """Where C99 has a power that is a limit here too."""
    xp = kit.xp
    b_finite, a_finite = xp.isfinite(b), xp.isfinite(a)
    is_whole = xp.floor(b) == b
    beside_infinite_b = (a >= 0) & (a != 1.0)
    beside_infinite_a = (b != 0) & ((a > 0) | is_whole)
    among_finite = ((a != 0) | (b != 0)) & ((a >= 0) | is_whole)
    exists = xp.where(
        ~b_finite, beside_infinite_b, xp.where(~a_finite, beside_infinite_a, among_finite)
    )
    return exists & ~xp.isnan(a) & ~xp.isnan(b)


def _is_odd(kit: Kit, b: Elements) -> Elements:
    xp = kit.xp
    finite = xp.where(xp.isfinite(b), b, 0.0)
    return xp.abs(xp.fmod(finite, 2.0 + kit.zero(finite))) == 1.0


def _pow(kit: Kit, a: Elements, b: Elements) -> Elements:
    xp = kit.xp
    exists = _has_power(kit, a, b)
    power = xp.pow(xp.where(exists, a, 1.0), xp.where(exists, b, 1.0))
    return xp.where(exists, power, _NAN)


def _magnitude(kit: Kit, a: Elements, b: Elements) -> Scaled:
    """|a|ᵇ where it may be outside of the range, for finite a ≠ 0 and b."""
    xp = kit.xp
    magnitude = xp.abs(a)
    power = xp.pow(magnitude, b)
    if kit.is_plain:
        return kit.split(kit.noted(power))
    own = xp.constant(power)
    is_normal = (own >= kit.format.smallest_normal) & (own <= kit.format.largest)
    beyond = xp.where(is_normal, 1.0, magnitude)
    quarter = xp.pow(beyond, 0.25 * b)
    own = xp.constant(quarter)
    is_hopeless = ~((own >= kit.format.smallest_normal) & (own <= kit.format.largest))
    is_huge = own > 1.0
    root = kit.split(xp.where(is_hopeless, 1.0, quarter))
    far = xp.where(is_huge, 8192.0, -8192.0 + kit.zero(own))
    plain = kit.split(xp.where(is_normal, power, 1.0))
    fourth = kit.combine([root] * 4)
    exponent = xp.where(is_hopeless, far, fourth.exponent)
    return Scaled(
        xp.where(is_normal, plain.mantissa, fourth.mantissa),
        xp.where(is_normal, plain.exponent, exponent),
    )


def _to_base(kit: Kit, g: Elements, a: Elements, b: Elements) -> Elements:
    """``ḡ·b·aᵇ/a`` for finite a ≠ 0 and b."""
    xp = kit.xp
    negative = (xp.constant(a) < 0) & _is_odd(kit, xp.constant(b))
    signed = xp.where(negative, -g, g)
    factors = [kit.split(signed), kit.split(b), _magnitude(kit, a, b)]
    result = kit.join(kit.combine(factors, [kit.split(a)]))
    own = xp.constant(b)
    return xp.where(own == 0, 0.0, xp.where(own == 1.0, g, result))


def _to_exponent(kit: Kit, g: Elements, a: Elements, b: Elements) -> Elements:
    """``ḡ·aᵇ·ln a`` for finite a > 0 and b; NaN for a negative base."""
    xp = kit.xp
    is_positive = xp.constant(a) > 0
    base = xp.where(is_positive, a, 1.0)
    factors = [kit.split(g), kit.split(xp.log(base)), _magnitude(kit, base, b)]
    return xp.where(is_positive, kit.join(kit.combine(factors)), _NAN)


def _pow_at(kit: Kit, a: Elements, b: Elements) -> Factors:
    xp = kit.xp
    zero = kit.zero(a + b)
    falls = xp.where(a == 0, b > 1.0, b < 0)
    to_base = xp.where(falls & xp.isfinite(b), zero, _NAN)
    to_base = xp.where(b == 0, 0.0, xp.where(b == 1.0, 1.0, to_base))
    # aᵇ is 0 or ±∞ and constant in b, or ln a is not REAL.
    is_constant = ((a == 0) & (b > 0)) | (
        ~xp.isfinite(b) & (a > 0) & xp.isfinite(a) & ((a < 1.0) == (b > 0))
    )
    return to_base, xp.where(is_constant, zero, _NAN)


def _pow_bounded(
    kit: Kit, g: Elements, a: Elements, b: Elements, z: Elements, s: float
) -> tuple[Elements, ...]:
    """For b < 1 and b ≠ 0: ``ḡ·b·recip(a^(1−b))`` for b < 0, ``ḡ·recip(a^(1−b)/b)`` else."""
    xp = kit.xp
    falls = xp.constant(b) < 0
    power = _magnitude(kit, a, b)
    inverse = kit.combine([kit.split(xp.abs(a))], [power])
    negative = (xp.constant(a) < 0) & ~_is_odd(kit, xp.constant(b))
    signed = kit.split(xp.where(negative, -g, g))
    exponent = kit.split(b)
    steep = kit.combine([signed, exponent], [kit.scaled_length(inverse, s)])
    flat = kit.combine([signed], [kit.scaled_length(kit.combine([inverse], [exponent]), s)])
    to_base = xp.where(falls, kit.join(steep), kit.join(flat))
    is_positive = xp.constant(a) > 0
    base = xp.where(is_positive, a, 1.0)
    one = kit.split(1.0 + kit.zero(power.mantissa))
    length = kit.scaled_length(kit.combine([one], [power]), s)
    bounded = kit.combine([kit.split(g), kit.split(xp.log(base))], [length])
    to_exponent = xp.where(falls, kit.join(bounded), _to_exponent(kit, g, a, b))
    return to_base, xp.where(is_positive, to_exponent, _NAN)


def _pow_bounded_at(kit: Kit, a: Elements, b: Elements, s: float) -> Factors:
    """Nothing to the base; to the exponent only from 0ᵇ, which is constant for 0 < b."""
    zero = kit.zero(a + b)
    return zero, kit.xp.where((a == 0) & (b > 0), zero, _NAN)


def _pow_holds(kit: Kit, a: Elements, b: Elements) -> Elements:
    return a != 0


# Lengths.


def scaled_radius(kit: Kit, inputs: list[Elements]) -> Scaled:
    """√Σx² of finite numbers, which may overflow; of nothing but zeros a 0."""
    xp = kit.xp
    if kit.is_plain:
        squares = inputs[0] * inputs[0]
        for x in inputs[1:]:
            squares = squares + x * x
        return kit.split(xp.sqrt(kit.noted(squares)))
    largest = xp.abs(inputs[0])
    for x in inputs[1:]:
        magnitude = xp.abs(x)
        largest = xp.where(xp.constant(magnitude) > xp.constant(largest), magnitude, largest)
    top = kit.split(xp.constant(largest)).exponent
    total: Any = None
    for x in inputs:
        mantissa, exponent = kit.split(x)
        part = kit.join(Scaled(mantissa, xp.where(mantissa == 0, 0.0, exponent - top)))
        total = part * part if total is None else total + part * part
    is_zero = xp.constant(total) == 0
    return Scaled(xp.where(is_zero, 0.0, xp.sqrt(xp.where(is_zero, 1.0, total))), top)


def _hypot(kit: Kit, a: Elements, b: Elements) -> Elements:
    xp = kit.xp
    is_real = xp.isfinite(a) & xp.isfinite(b)
    length = kit.length(xp.where(is_real, a, 1.0), xp.where(is_real, b, 1.0))
    beyond = xp.where(xp.isnan(a) | xp.isnan(b), _NAN, xp.abs(a) + xp.abs(b))
    return xp.where(is_real, length, beyond)


def _hypot_partials(
    kit: Kit, g: Elements, a: Elements, b: Elements, z: Elements
) -> tuple[Elements, ...]:
    length, adjoint = scaled_radius(kit, [a, b]), kit.split(g)
    return tuple(kit.join(kit.combine([adjoint, kit.split(x)], [length])) for x in (a, b))


def _hypot_at(kit: Kit, a: Elements, b: Elements) -> Factors:
    """Only a single infinite operand has a direction; the origin passes 0."""
    xp = kit.xp
    infinite = [kit.is_infinite(x) for x in (a, b)]
    both = infinite[0] & infinite[1]
    return tuple(
        xp.where(both, _NAN, xp.where(own, kit.sign(x), kit.zero(x)))
        for x, own in zip((a, b), infinite)
    )


ROWS = {
    "sqrt": Row(
        value=lambda kit, a: kit.xp.sqrt(a),
        classical=lambda kit, g, a, z: (g / (2.0 * z),),
        safe=(1.0,),
        at=_drop_at_0,
        holds=lambda kit, a: a > 0,
        pole=Pole(
            distance=lambda kit, a: a,
            bounded=lambda kit, g, a, z, s: (kit.times_recip(g, 2.0 * z, s),),
            holds=lambda kit, a: a > 0,
        ),
    ),
    "cbrt": Row(
        value=_cbrt,
        classical=lambda kit, g, a, z: (g / (3.0 * (z * z)),),
        safe=(1.0,),
        at=_drop_at_0,
        holds=_not_0,
        pole=Pole(
            distance=lambda kit, a: a,
            bounded=lambda kit, g, a, z, s: (kit.times_recip(g, 3.0 * (z * z), s),),
            holds=_not_0,
        ),
    ),
    "pow": Row(
        value=_pow,
        classical=lambda kit, g, a, b, z: (
            _to_base(kit, g, a, b),
            _to_exponent(kit, g, a, b),
        ),
        safe=(1.0, 1.0),
        at=_pow_at,
        holds=_pow_holds,
        pole=Pole(
            distance=lambda kit, a, b: a,
            bounded=_pow_bounded,
            at=_pow_bounded_at,
            holds=_pow_holds,
            is_there=lambda kit, a, b: (b < 1.0) & (b != 0) & kit.xp.isfinite(b),
        ),
    ),
    "hypot": Row(
        value=_hypot,
        classical=_hypot_partials,
        safe=(1.0, 1.0),
        at=_hypot_at,
        holds=lambda kit, a, b: (a != 0) | (b != 0),
    ),
}
