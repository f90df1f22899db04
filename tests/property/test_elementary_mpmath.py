"""Elementary functions over the whole range of doubles, against many digits of mpmath.

Errors are in ulp: units in the last place of the double below the true value (of the smallest
subnormal below the normal range). The bound is 1; ``EXPECTED`` is what long runs found, so that
a loss of accuracy does not hide below the bound.
"""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Any

import mpmath
import pytest
from mpmath import mpf

import zeroproof
from zeroproof import from_ieee, to_ieee

#: Bits of the reference. Angles need none beyond these: mpmath reduces them in as many as it takes.
PRECISION = 120
POINTS = 3000
LARGEST = 1.7976931348623157e308
SMALLEST_NORMAL = 2.0**-1022
#: exp is 0 from here down, and overflows above.
UNDERFLOW, OVERFLOW = -745.1332191019412, 709.782712893384
#: Up to here sin and cos are reduced by their fast form.
HOT_ANGLES = 1_647_099.0

EXPECTED = {"exp": 0.78, "log": 0.70, "sin": 0.75, "cos": 0.75, "tanh": 0.58}
#: Those with special values of their own, which test_totality.py has.
MORE = {
    "expm1": 0.6,
    "log1p": 0.6,
    "sinc": 0.7,
    "asin": 0.6,
    "acos": 0.6,
    "tan": 0.6,
    "sigmoid": 0.75,
    "softplus": 0.75,
}
OF_TWO = {"pow": 0.7, "hypot": 0.51, "atan2": 0.7}
REFERENCE: dict[str, Callable[..., Any]] = {
    "sinc": mpmath.sincpi,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "pow": mpmath.power,
}


def from_bits(bits: int) -> float:
    return float(struct.unpack("<d", struct.pack("<Q", bits))[0])


def to_bits(x: float) -> int:
    return int(struct.unpack("<Q", struct.pack("<d", x))[0])


def ulps(found: float, true: Any) -> Any:
    """The error of ``found``; one ulp beyond the largest double is as large as the one below it."""
    nearest = abs(float(true))
    if math.isinf(nearest):
        unit = math.ulp(LARGEST)
    elif mpf(nearest) > abs(true):
        unit = math.ulp(math.nextafter(nearest, 0.0))
    else:
        unit = math.ulp(nearest)
    if math.isinf(found):  # where 2^1024 would be, were there one more exponent
        assert found * true > 0
        return max(mpf(0), (mpf(2) ** 1024 - abs(true)) / unit)
    return abs(mpf(found) - true) / unit


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


def operands(name: str) -> Iterator[float]:
    points = Points(seed=2024)
    kinds: list[Iterator[float]]
    if name == "exp":
        special = [UNDERFLOW, OVERFLOW, 708.39, -708.39, 5e-324, 1.0, -1.0]
        kinds = [
            points.uniform(-745.2, 709.79),
            points.uniform(-1.0, 1.0),
            points.uniform(-745.2, -708.3),
            points.uniform(709.7, 709.79),
            points.both_signs(5e-324, 1.0),
            points.near(lambda: (points.random.randint(-1070, 1020) + 0.5) * math.log(2)),
            points.near(lambda: points.random.choice(special)),
        ]
    elif name == "log":
        special = [1.0, SMALLEST_NORMAL, 2.0**0.5, 2.0**-0.5, 2.0, 0.5]
        kinds = [
            points.magnitudes(5e-324, LARGEST),
            points.magnitudes(5e-324, SMALLEST_NORMAL),
            points.uniform(0.7, 1.42),
            points.uniform(0.999, 1.001),
            points.near(lambda: points.random.choice(special)),
        ]
    elif name == "log1p":
        kinds = [
            points.magnitudes(5e-324, LARGEST),
            points.uniform(-1.0, 1.0),
            points.both_signs(5e-324, 0.99),
            points.uniform(-0.3, 0.5),
            points.uniform(-1.0, -0.99),
        ]
    elif name in ("asin", "acos"):
        special = [-0.5, 0.5, -(0.5**0.5), 0.5**0.5]
        kinds = [
            points.uniform(-1.0, 1.0),
            points.both_signs(5e-324, 1.0),
            map(points.signed, points.uniform(0.99, 1.0)),
            (points.signed(1.0 - x) for x in points.magnitudes(2.0**-53, 0.5)),
            points.near(lambda: points.random.choice(special)),
        ]
    elif name == "sinc":
        kinds = [
            points.uniform(-4.0, 4.0),
            points.uniform(-1e6, 1e6),
            points.both_signs(5e-324, LARGEST),
            points.near(lambda: float(points.random.randint(-999, 999))),
            points.near(lambda: points.random.randint(-999, 999) / 4),
        ]
    elif name in ("expm1", "sigmoid", "softplus"):
        kinds = [
            points.uniform(-745.0, 709.0),
            points.uniform(-40.0, 40.0),
            points.uniform(-1.0, 1.0),
            points.both_signs(5e-324, 1.0),
            points.uniform(-745.0, -700.0),
            points.near(lambda: (points.random.randint(-1000, 1000) + 0.5) * math.log(2)),
        ]
    elif name == "tanh":
        kinds = [
            points.both_signs(5e-324, 25.0),
            points.uniform(-0.4, 0.4),
            points.uniform(-5.0, 5.0),
            points.uniform(16.0, 20.0),
            points.near(lambda: (points.random.randint(0, 54) + 0.5) * math.log(2) / 2),
        ]
    else:
        kinds = [
            points.uniform(-math.pi, math.pi),
            points.uniform(-HOT_ANGLES, HOT_ANGLES),
            points.both_signs(5e-324, HOT_ANGLES),
            points.both_signs(HOT_ANGLES, LARGEST),
            points.multiples_of_half_pi(),
            points.near(lambda: points.random.randint(-999, 999) * math.pi / 4),
            points.near(lambda: points.random.choice(worst_angles())),
        ]
    return chain(*(islice(kind, POINTS) for kind in kinds))


def reference_of(name: str) -> Callable[..., Any]:
    """The function of mpmath."""
    found = REFERENCE.get(name)
    return getattr(mpmath, name) if found is None else found


@pytest.mark.parametrize("name", [*EXPECTED, *MORE])
def test_errors_stay_below_one_ulp(name: str) -> None:
    function, reference = getattr(zeroproof, f"tr_{name}"), reference_of(name)
    worst, at, count = mpf(0), math.nan, 0
    with mpmath.workprec(PRECISION):
        for x in operands(name):
            error = ulps(to_ieee(function(from_ieee(x))), reference(mpf(x)))
            worst, at = max((worst, at), (error, x))
            count += 1
    print(f"{name}: {float(worst):.4f} ulp at {at!r}, of {count} operands")
    assert count >= 5 * POINTS
    assert worst <= 1, at
    assert worst <= {**EXPECTED, **MORE}[name], at


def pairs(name: str) -> Iterator[tuple[float, float]]:
    """Operands of a function of two, whose value is no zero and no infinity."""
    points = Points(seed=31)
    if name == "pow":
        near_one = (1.0 + x for x in points.both_signs(1e-15, 1e-2))
        bases = chain(
            islice(points.magnitudes(5e-324, LARGEST), POINTS),
            islice(points.uniform(0.5, 2.0), POINTS),
            islice(near_one, POINTS),
        )
        for base in bases:
            # The result is anywhere in the range, or subnormal.
            most = 745.0 / max(abs(math.log(base)), 1e-15)
            yield base, points.random.uniform(-most, most)
            yield base, points.random.choice([0.5, -0.5, 2.0, 3.0, -1.0, 1 / 3])
        return
    kinds = [
        (points.both_signs(1e-300, 1e300), points.both_signs(1e-300, 1e300)),
        (points.uniform(-2.0, 2.0), points.uniform(-2.0, 2.0)),
        (points.both_signs(5e-324, 1e-300), points.both_signs(5e-324, 1e-300)),
        (points.both_signs(1e300, LARGEST), points.both_signs(1e300, LARGEST)),
        (points.uniform(0.999, 1.001), points.both_signs(1e-9, 1.0)),
    ]
    for first, second in kinds:
        yield from islice(zip(first, second), POINTS)


@pytest.mark.parametrize("name", OF_TWO)
def test_errors_of_functions_of_two(name: str) -> None:
    function, reference = getattr(zeroproof, f"tr_{name}"), reference_of(name)
    worst, at, count = mpf(0), (math.nan, math.nan), 0
    with mpmath.workprec(PRECISION):
        for a, b in pairs(name):
            true = reference(mpf(a), mpf(b))
            if 2.0**-1074 <= abs(true) <= LARGEST:
                error = ulps(to_ieee(function(from_ieee(a), from_ieee(b))), true)
                worst, at = max((worst, at), (error, (a, b)))
                count += 1
    print(f"{name}: {float(worst):.4f} ulp at {at!r}, of {count} operands")
    assert count >= 4 * POINTS
    assert worst <= OF_TWO[name], at


@pytest.mark.parametrize("name", EXPECTED)
def test_any_bits(name: str) -> None:
    function, reference = getattr(zeroproof, f"tr_{name}"), getattr(mpmath, name)
    generator, finite = random.Random(7), 0
    with mpmath.workprec(PRECISION):
        for _ in range(3000):
            x = from_bits(generator.getrandbits(64))
            found = to_ieee(function(from_ieee(x)))
            if math.isnan(x) or (name == "log" and x < 0):
                assert math.isnan(found)
            elif name == "exp" and abs(x) > 800:
                assert found == (math.inf if x > 0 else 0.0)
            else:
                finite += 1
                assert ulps(found, reference(mpf(x))) <= 1, x
    assert finite > 1000


def test_the_reference_sees_a_wrong_last_bit() -> None:
    with mpmath.workprec(PRECISION):
        true = mpmath.sin(mpf(1e22))
        nearest = float(true)
        assert ulps(nearest, true) <= 0.5
        assert ulps(math.nextafter(math.nextafter(nearest, 1.0), 1.0), true) > 1
        assert ulps(math.inf, mpf(2) ** 1024) == 0
        assert ulps(math.inf, mpf(LARGEST)) == 1
