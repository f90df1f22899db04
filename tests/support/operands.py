"""Operands of every kind for the elementary functions, the same in every run."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Callable, Iterator
from itertools import chain, islice

import mpmath
from mpmath import mpf

#: So many of each kind.
POINTS = 3000
#: Bits of the reference. Angles need none beyond these: mpmath reduces them in as many as it takes.
PRECISION = 120
LARGEST = 1.7976931348623157e308
SMALLEST_NORMAL = 2.0**-1022
#: exp is 0 from here down, and overflows above.
UNDERFLOW, OVERFLOW = -745.1332191019412, 709.782712893384
#: Up to here sin and cos are reduced by their fast form.
HOT_ANGLES = 1_647_099.0

Kinds = list[Iterator[float]]
Operands = Callable[[], Iterator[tuple[float, ...]]]


def from_bits(bits: int) -> float:
    """The double with these bits."""
    return float(struct.unpack("<d", struct.pack("<Q", bits))[0])


def to_bits(x: float) -> int:
    """The bits of a double."""
    return int(struct.unpack("<Q", struct.pack("<d", x))[0])


class Points:
    """Endless operands of one kind each, the same in every run."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def signed(self, x: float) -> float:
        return x if self.random.random() < 0.5 else -x

    def uniform(self, low: float, high: float) -> Iterator[float]:
        while True:
            yield self.random.uniform(low, high)

    def magnitudes(self, low: float, high: float) -> Iterator[float]:
        """Positive, every binade alike."""
        while True:
            yield from_bits(self.random.randint(to_bits(low), to_bits(high)))

    def both_signs(self, low: float, high: float) -> Iterator[float]:
        return map(self.signed, self.magnitudes(low, high))

    def near(self, centres: Callable[[], float]) -> Iterator[float]:
        """A few doubles to the left and to the right."""
        while True:
            x = centres()
            for _ in range(self.random.randint(0, 3)):
                x = math.nextafter(x, self.signed(math.inf))
            yield x

    def multiples_of_half_pi(self) -> Iterator[float]:
        """Of both signs; half of the factors are below 2^20, the others have any size."""

        def centre() -> float:
            with mpmath.workprec(PRECISION + 1100):
                limit = self.random.choice([20, 1023])
                factor = self.random.getrandbits(self.random.randint(1, limit))
                return self.signed(float(min(factor * mpmath.pi / 2, mpf(LARGEST))))

        return self.near(centre)


def worst_angles() -> list[float]:
    """Close to multiples of pi/2: first the closest of all doubles, then of those in fast form."""
    return [6381956970095103 * 2.0**797, 29 * math.pi / 2, 1e22, HOT_ANGLES, LARGEST]


def of_one(kinds: Callable[[Points], Kinds]) -> Operands:
    """Operands of a function of one, the same number of each kind."""

    def operands() -> Iterator[tuple[float, ...]]:
        points = Points(seed=2024)
        return ((x,) for x in chain(*(islice(kind, POINTS) for kind in kinds(points))))

    return operands


@of_one
def exponents(points: Points) -> Kinds:
    """Of exp."""
    special = [UNDERFLOW, OVERFLOW, 708.39, -708.39, 5e-324, 1.0, -1.0]
    return [
        points.uniform(-745.2, 709.79),
        points.uniform(-1.0, 1.0),
        points.uniform(-745.2, -708.3),
        points.uniform(709.7, 709.79),
        points.both_signs(5e-324, 1.0),
        points.near(lambda: (points.random.randint(-1070, 1020) + 0.5) * math.log(2)),
        points.near(lambda: points.random.choice(special)),
    ]


@of_one
def positives(points: Points) -> Kinds:
    """Of log."""
    special = [1.0, SMALLEST_NORMAL, 2.0**0.5, 2.0**-0.5, 2.0, 0.5]
    return [
        points.magnitudes(5e-324, LARGEST),
        points.magnitudes(5e-324, SMALLEST_NORMAL),
        points.uniform(0.7, 1.42),
        points.uniform(0.999, 1.001),
        points.near(lambda: points.random.choice(special)),
    ]


@of_one
def above_minus_one(points: Points) -> Kinds:
    """Of log1p."""
    return [
        points.magnitudes(5e-324, LARGEST),
        points.uniform(-1.0, 1.0),
        points.both_signs(5e-324, 0.99),
        points.uniform(-0.3, 0.5),
        points.uniform(-1.0, -0.99),
    ]


@of_one
def sines(points: Points) -> Kinds:
    """Of asin and acos."""
    special = [-0.5, 0.5, -(0.5**0.5), 0.5**0.5]
    return [
        points.uniform(-1.0, 1.0),
        points.both_signs(5e-324, 1.0),
        map(points.signed, points.uniform(0.99, 1.0)),
        (points.signed(1.0 - x) for x in points.magnitudes(2.0**-53, 0.5)),
        points.near(lambda: points.random.choice(special)),
    ]


@of_one
def half_turns(points: Points) -> Kinds:
    """Of sinc."""
    return [
        points.uniform(-4.0, 4.0),
        points.uniform(-1e6, 1e6),
        points.both_signs(5e-324, LARGEST),
        points.near(lambda: float(points.random.randint(-999, 999))),
        points.near(lambda: points.random.randint(-999, 999) / 4),
    ]


@of_one
def far_exponents(points: Points) -> Kinds:
    """Of expm1, sigmoid and softplus."""
    return [
        points.uniform(-745.0, 709.0),
        points.uniform(-40.0, 40.0),
        points.uniform(-1.0, 1.0),
        points.both_signs(5e-324, 1.0),
        points.uniform(-745.0, -700.0),
        points.near(lambda: (points.random.randint(-1000, 1000) + 0.5) * math.log(2)),
    ]


@of_one
def hyperbolic(points: Points) -> Kinds:
    """Of tanh."""
    return [
        points.both_signs(5e-324, 25.0),
        points.uniform(-0.4, 0.4),
        points.uniform(-5.0, 5.0),
        points.uniform(16.0, 20.0),
        points.near(lambda: (points.random.randint(0, 54) + 0.5) * math.log(2) / 2),
    ]


@of_one
def growing(points: Points) -> Kinds:
    """Of sinh and cosh."""
    return [
        points.uniform(-710.5, 710.5),
        points.uniform(-25.0, 25.0),
        points.uniform(-1.0, 1.0),
        points.both_signs(5e-324, 1.0),
        map(points.signed, points.uniform(709.0, 710.4758600739439)),
        points.near(lambda: (points.random.randint(-1024, 1024) + 0.5) * math.log(2)),
    ]


@of_one
def numbers(points: Points) -> Kinds:
    """Of both signs and every size."""
    special = [7 / 16, 11 / 16, 19 / 16, 39 / 16, 1.0, 2.0**27, 2.0**28]
    return [
        points.both_signs(5e-324, LARGEST),
        points.both_signs(2.0**-30, 2.0**30),
        points.uniform(-4.0, 4.0),
        points.uniform(-1.0, 1.0),
        points.near(lambda: points.signed(points.random.choice(special))),
    ]


@of_one
def above_one(points: Points) -> Kinds:
    """Of acosh."""
    special = [1.25, 2.0, 2.0**26, 2.0**27, 2.0**28, LARGEST]
    return [
        points.magnitudes(1.0, LARGEST),
        points.magnitudes(1.0, 2.0**30),
        points.uniform(1.0, 2.0),
        (1.0 + x for x in points.magnitudes(2.0**-52, 0.5)),
        points.near(lambda: points.random.choice(special)),
    ]


@of_one
def bells(points: Points) -> Kinds:
    """Of erf and erfc."""
    special = [0.25, 0.5, 0.84375, 1.0, 1.25, 2.0, 1 / 0.35, 4.0, 6.0]
    return [
        points.uniform(-6.0, 6.0),
        points.uniform(-1.0, 1.0),
        points.both_signs(5e-324, 1.0),
        points.uniform(4.0, 26.6),
        points.uniform(26.5, 27.3),
        points.near(lambda: points.signed(points.random.choice(special))),
    ]


@of_one
def normal_quantiles(points: Points) -> Kinds:
    """Of log_ndtr."""
    special = [-20.0, -10.0, -5.0, -2.0, -1.0, 1.0, 2.0, 5.0, 8.0]
    return [
        points.uniform(-40.0, 38.5),
        points.uniform(-6.0, 8.0),
        points.uniform(-1.0, 1.0),
        points.both_signs(5e-324, 1.0),
        (-x for x in points.magnitudes(1.0, 1.89e154)),
        points.uniform(37.0, 38.6),
        points.near(lambda: points.random.choice(special)),
    ]


@of_one
def relative_exponents(points: Points) -> Kinds:
    """Of exprel."""
    return [
        points.uniform(-745.0, 716.35),
        points.uniform(-40.0, 40.0),
        points.uniform(-1.0, 1.0),
        points.both_signs(5e-324, 1.0),
        points.uniform(708.0, 716.358),
        (-x for x in points.magnitudes(1.0, LARGEST)),
        points.near(lambda: (points.random.randint(-1000, 1030) + 0.5) * math.log(2)),
    ]


@of_one
def angles(points: Points) -> Kinds:
    """Of sin, cos and tan."""
    return [
        points.uniform(-math.pi, math.pi),
        points.uniform(-HOT_ANGLES, HOT_ANGLES),
        points.both_signs(5e-324, HOT_ANGLES),
        points.both_signs(HOT_ANGLES, LARGEST),
        points.multiples_of_half_pi(),
        points.near(lambda: points.random.randint(-999, 999) * math.pi / 4),
        points.near(lambda: points.random.choice(worst_angles())),
    ]


def powers() -> Iterator[tuple[float, ...]]:
    """Of pow: the result is anywhere in the range, or subnormal."""
    points = Points(seed=31)
    near_one = (1.0 + x for x in points.both_signs(1e-15, 1e-2))
    bases = chain(
        islice(points.magnitudes(5e-324, LARGEST), POINTS),
        islice(points.uniform(0.5, 2.0), POINTS),
        islice(near_one, POINTS),
    )
    for base in bases:
        most = 745.0 / max(abs(math.log(base)), 1e-15)
        yield base, points.random.uniform(-most, most)
        yield base, points.random.choice([0.5, -0.5, 2.0, 3.0, -1.0, 1 / 3])


def _pairs(sign: Callable[[float], float]) -> Iterator[tuple[float, ...]]:
    points = Points(seed=31)
    kinds = [
        (points.both_signs(1e-300, 1e300), points.both_signs(1e-300, 1e300)),
        (points.uniform(-2.0, 2.0), points.uniform(-2.0, 2.0)),
        (points.both_signs(5e-324, 1e-300), points.both_signs(5e-324, 1e-300)),
        (points.both_signs(1e300, LARGEST), points.both_signs(1e300, LARGEST)),
        (points.uniform(0.999, 1.001), points.both_signs(1e-9, 1.0)),
    ]
    for first, second in kinds:
        for a, b in islice(zip(first, second), POINTS):
            yield a, sign(b)


def pairs() -> Iterator[tuple[float, ...]]:
    """Of hypot and atan2: any two numbers."""
    return _pairs(float)


def with_positives() -> Iterator[tuple[float, ...]]:
    """Of xlogy: any number and a positive one."""
    return _pairs(abs)
