"""Arithmetic that the rows of the table share: numbers with an exponent that cannot overflow.

A contribution must be right wherever it is representable, also where a factor of it is not. The
engine multiplies plain doubles and looks whether they lost anything; where every element takes the
same way, as here, products are always made of mantissas and exponents apart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .namespace import Elements, Namespace

__all__ = ["FORMATS", "Format", "Kit", "Scaled"]


@dataclass(frozen=True)
class Format:
    """A binary floating-point format."""

    largest: float
    smallest_normal: float
    step: int
    """Powers of two up to this one, and down to its inverse, are normal."""
    ln_2: tuple[float, float]
    """ln 2 in two parts; products of the first with exponents are exact."""
    far_exponent: tuple[float, float]
    """Beyond these eˣ is 0 or +∞, whatever normal numbers it is multiplied by."""
    grid: float
    """Multiples of its inverse up to ``gauss_end`` have exact squares."""
    gauss_end: float
    """From here on exp(−½a²) is 0, whatever normal number it is multiplied by."""
    integers_from: float
    """From here on all numbers are integers."""


FORMATS = {
    "float64": Format(
        largest=1.7976931348623157e308,
        smallest_normal=2.0**-1022,
        step=1020,
        ln_2=(float.fromhex("0x1.62e42feep-1"), 1.9082149292705877e-10),
        far_exponent=(-2900.0, 2800.0),
        grid=2.0**16,
        gauss_end=100.0,
        integers_from=2.0**53,
    ),
    "float32": Format(
        largest=3.4028234663852886e38,
        smallest_normal=2.0**-126,
        step=124,
        ln_2=(0.693359375, -2.12194440054690581e-4),
        far_exponent=(-420.0, 360.0),
        grid=2.0**6,
        gauss_end=32.0,
        integers_from=2.0**24,
    ),
}

_LOG2_E = 1.0 / math.log(2.0)


class Scaled(NamedTuple):
    """``mantissa·2^exponent``; of a zero or a normal mantissa."""

    mantissa: Elements
    exponent: Elements


class Kit:
    """The functions of an array library, for numbers of one format."""

    is_plain = False
    """Whether products are plain ones, for samples of which nothing leaves the normal range."""

    def __init__(self, namespace: Namespace, format_name: str) -> None:
        self.xp = namespace
        self.format = FORMATS[format_name]
        self.is_double = format_name == "float64"

    def is_infinite(self, x: Elements) -> Elements:
        """Whether each element is ±∞."""
        return self.xp.abs(x) > self.format.largest

    def sign(self, x: Elements) -> Elements:
        """−1, 0 or 1; NaN for NaN."""
        xp = self.xp
        zero = self.zero(x)
        signs = xp.where(x > 0, 1.0, xp.where(x < 0, -1.0, zero))
        return xp.where(xp.isnan(x), x, signs)

    def one_with_sign(self, x: Elements) -> Elements:
        """1 with the sign of x, which a zero has too."""
        return self.xp.where(self.xp.signbit(x), -1.0, 1.0 + self.zero(x))

    def zero(self, x: Elements) -> Elements:
        """A zero of the type of x."""
        return self.xp.zeros_like(x)

    def noted(self, x: Elements) -> Elements:
        """A number on the way that must be normal where products are plain ones."""
        return x

    # Scaled numbers.

    def split(self, x: Elements) -> Scaled:
        """A finite number as a mantissa in [1, 2), up to sign, or 0, and an exponent."""
        xp = self.xp
        own = xp.constant(x)
        lift = 2.0**64 if self.is_double else 2.0**32
        is_zero = own == 0
        # A zero keeps its scale, by which its derivative goes.
        is_small = ~is_zero & (xp.abs(own) < self.format.smallest_normal * 2.0)
        up = xp.where(is_small, lift, 1.0 + self.zero(own))
        exponent = xp.where(is_zero, 0.0, xp.exponent(xp.where(is_zero, 1.0, own * up)))
        half = xp.floor(exponent / 2)
        mantissa = (x * up) * xp.power_of_two(-half) * xp.power_of_two(half - exponent)
        lifted = xp.where(is_small, math.log2(lift), self.zero(own))
        return Scaled(mantissa, exponent - lifted)

    def join(self, number: Scaled) -> Elements:
        """The nearest number: rounded once, ±∞ past the range, ±0 below it."""
        xp, step = self.xp, self.format.step
        exponent = xp.constant(number.exponent)
        exponent = xp.where(exponent > 2 * step, 2.0 * step, exponent)
        exponent = xp.where(exponent < -2 * step, -2.0 * step, exponent)
        half = xp.floor(exponent / 2)
        return number.mantissa * xp.power_of_two(half) * xp.power_of_two(exponent - half)

    def product(self, factors: Sequence[Elements], divisors: Sequence[Elements] = ()) -> Elements:
        """The product of up to five numbers, divided by up to four, all finite, no divisor 0."""
        return self.join(self.scaled_product(factors, divisors))

    def scaled_product(
        self, factors: Sequence[Elements], divisors: Sequence[Elements] = ()
    ) -> Scaled:
        """The same with any exponent."""
        above = [self.split(x) for x in factors]
        below = [self.split(x) for x in divisors]
        return self.combine(above, below)

    def combine(self, above: Sequence[Scaled], below: Sequence[Scaled] = ()) -> Scaled:
        """The product of scaled numbers divided by others."""
        mantissa, exponent = above[0]
        for factor in above[1:]:
            mantissa, exponent = mantissa * factor.mantissa, exponent + factor.exponent
        if below:
            under, down = below[0]
            for factor in below[1:]:
                under, down = under * factor.mantissa, down + factor.exponent
            mantissa, exponent = mantissa / under, exponent - down
        return Scaled(mantissa, exponent)

    # Lengths and the bounded reciprocal.

    def length(self, x: Elements, y: Elements) -> Elements:
        """√(x² + y²) of finite numbers, which overflows only with its value; 0 for two zeros."""
        xp = self.xp
        a, b = xp.abs(x), xp.abs(y)
        swaps = xp.constant(a) < xp.constant(b)
        large, small = xp.where(swaps, b, a), xp.where(swaps, a, b)
        is_zero = xp.constant(large) == 0
        ratio = small / xp.where(is_zero, 1.0, large)
        return xp.where(is_zero, 0.0, large * xp.sqrt(1.0 + ratio * ratio))

    def smoothed(self, y: Elements, bound: float) -> Scaled:
        """√(y² + s²) for finite y and s > 0, a scaled number: it may overflow."""
        return self.scaled_length(self.split(y), bound)

    def scaled_length(self, y: Scaled, bound: float) -> Scaled:
        """The same for a scaled y."""
        xp = self.xp
        mantissa, exponent = math.frexp(bound)
        m, e = 2.0 * mantissa, float(exponent - 1)
        y_mantissa = xp.abs(y.mantissa)
        y_is_zero = xp.constant(y_mantissa) == 0
        # Both as multiples of the power of two of the larger one.
        top = xp.where(y_is_zero, e, xp.where(y.exponent > e, y.exponent, e))
        a = self.join(Scaled(y_mantissa, xp.where(y_is_zero, 0.0, y.exponent - top)))
        b = self.join(Scaled(m + self.zero(y_mantissa), e - top))
        return Scaled(self.length(a, b), top)

    def over_smoothed(
        self, factors: Sequence[Elements], y: Elements, bound: float, times: int = 1
    ) -> Elements:
        """The product of numbers divided by √(y² + s²), or by its square."""
        return self.join(
            self.combine([self.split(x) for x in factors], [self.smoothed(y, bound)] * times)
        )

    def times_recip(self, g: Elements, y: Elements, bound: float) -> Elements:
        """``g·sign(y)/√(y² + s²)`` for finite g and y; 0 where y is."""
        xp = self.xp
        own = xp.constant(y)
        signed = xp.where(own < 0, -g, g)
        return xp.where(own == 0, 0.0, self.over_smoothed([signed], y, bound))

    # Exponentials.

    def scaled_exp(self, x: Elements, rest: Elements = 0.0) -> Scaled:
        """``e^(x + rest)`` for finite x and a small rest, whatever its size."""
        xp, (high, low) = self.xp, self.format.ln_2
        first, last = self.format.far_exponent
        own = xp.constant(x)
        x = xp.where(own < first, first, xp.where(own > last, last, x))
        rest = xp.where((own < first) | (own > last), 0.0, rest + 0.0 * x)
        k = xp.round(xp.constant(x) * _LOG2_E)
        return Scaled(xp.exp((x - k * high) + (rest - k * low)), k)

    def times_exp(self, factor: Scaled, x: Elements, rest: Elements = 0.0) -> Elements:
        """``factor·e^(x + rest)``, right wherever it is representable."""
        return self.join(self.combine([factor, self.scaled_exp(x, rest)]))

    def scaled_gauss(self, a: Elements, weight: float) -> Scaled:
        """``exp(−weight·a²)`` for finite a; what rounding takes from a² would matter."""
        xp, end, grid = self.xp, self.format.gauss_end, self.format.grid
        a = xp.abs(a)
        a = xp.where(xp.constant(a) > end, end, a)
        high = xp.floor(xp.constant(a) * grid) / grid
        low = a - high
        return self.scaled_exp(-weight * (high * high), -weight * (low * (a + high)))
