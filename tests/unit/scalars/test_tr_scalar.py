"""TR scalars: the tag tables cell by cell, and equality, order, text, pickling and errors."""

from __future__ import annotations

import copy
import math
import operator
import pickle
import struct
from decimal import Decimal
from fractions import Fraction
from typing import Any, Callable

import numpy as np
import pytest

from support.formulas import pow_int, tag
from support.op_case import OpCase
from support.op_cases import CASES, cases
from support.ops import EXPONENTS, scalar_op
from support.values import INF, NAN, SPECIALS, bits, same
from zeroproof.core import (
    TRScalar,
    TRTag,
    is_finite,
    is_infinite,
    is_ninf,
    is_phi,
    is_pinf,
    is_real,
    ninf,
    phi,
    pinf,
    real,
    tr_pow,
)

PAIRS = [(a, b) for a in SPECIALS for b in SPECIALS]


@pytest.mark.parametrize("case", cases("binary"), ids=lambda case: case.name)
@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_binary_table(case: OpCase, a: float, b: float) -> None:
    case.assert_value(scalar_op(case.name)(TRScalar(a), TRScalar(b)), a, b)


@pytest.mark.parametrize("case", cases("unary"), ids=lambda case: case.name)
@pytest.mark.parametrize("a", SPECIALS)
def test_unary_table(case: OpCase, a: float) -> None:
    case.assert_value(scalar_op(case.name)(TRScalar(a)), a)


@pytest.mark.parametrize("n", EXPONENTS)
@pytest.mark.parametrize("a", [*SPECIALS, 2.0, -3.0, 1e-200, 1e200])
def test_pow_int_table(a: float, n: int) -> None:
    expected = pow_int(a, n)
    assert same(scalar_op("pow_int")(TRScalar(a), n), expected)
    if n == 0 and math.isfinite(a):
        expected = 1.0  # the operator's constant term, also at 0
    assert same(TRScalar(a) ** n, expected)
    assert same(TRScalar(a) ** np.int64(n), expected)


def test_cells_that_the_contract_spells_out() -> None:
    one, zero, minus_zero = real(1.0), real(0.0), real(-0.0)
    assert one / zero == pinf()
    assert one / minus_zero == ninf()
    assert zero / zero == phi()
    assert pinf() / zero == pinf()
    assert pinf() / minus_zero == ninf()
    assert ninf() / zero == ninf()
    assert same(one / ninf(), -0.0)
    assert pinf() / pinf() == phi()
    assert zero * pinf() == phi()
    assert pinf() + ninf() == phi()
    assert pinf() - pinf() == phi()
    assert scalar_op("pow_int")(zero, 0) == phi()
    assert zero**0 == 1.0
    assert pinf() ** 0 == phi()
    assert zero**-1 == pinf()
    assert same(scalar_op("exp")(ninf()), 0.0)
    assert scalar_op("log")(zero) == phi()
    assert same(scalar_op("sqrt")(minus_zero), -0.0)


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "remainder": operator.mod,
}


def numbers_like(x: float) -> list[Any]:
    """The same number as everything that Python and NumPy offer."""
    same_number: list[Any] = [x, np.float64(x), np.longdouble(x), np.array(x), TRScalar(x)]
    if abs(x) < 60000 or not math.isfinite(x):
        same_number += [np.float32(x), np.float16(x)]
    if x in (0.0, 1.0) and not same(x, -0.0):
        same_number += [int(x), bool(x), np.int32(x), np.uint8(x), np.bool_(x), Fraction(x)]
        same_number += [Decimal(x)]
    return same_number


@pytest.mark.parametrize("name", sorted(OPERATORS))
@pytest.mark.parametrize("a", [-INF, -1.0, -0.0, 0.0, 1.0, INF, NAN])
@pytest.mark.parametrize("b", [-2.5, 0.0, -0.0, INF, NAN])
def test_numbers_on_either_side(name: str, a: float, b: float) -> None:
    apply, table = OPERATORS[name], CASES[name].value
    for number in numbers_like(a):
        for result, expected in (
            (apply(number, TRScalar(b)), table(a, b)),
            (apply(TRScalar(b), number), table(b, a)),
        ):
            assert isinstance(result, TRScalar), type(number)
            assert same(result, expected), type(number)


@pytest.mark.parametrize(
    "other", ["1", None, 1j, [1.0], np.complex64(1j), np.complex128(1), np.array("2.5")]
)
@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_what_is_no_number_is_refused(name: str, other: Any) -> None:
    with pytest.raises(TypeError):
        OPERATORS[name](real(1.0), other)
    with pytest.raises(TypeError):
        OPERATORS[name](other, real(1.0))


def test_integers_beyond_doubles_round_to_infinity() -> None:
    huge = 10**400
    assert real(1.0) + huge == pinf()
    assert -huge + real(1.0) == ninf()
    assert real(1.0) / huge == 0.0
    assert TRScalar(huge) == pinf()
    assert TRScalar(2**1023) == 2.0**1023
    assert TRScalar(Fraction(10**400, 3)) == pinf()


def test_unary_operators() -> None:
    for x in SPECIALS:
        assert same(-TRScalar(x), -x)
        assert same(+TRScalar(x), x)
        assert same(abs(TRScalar(x)), abs(x))


class TestReal:
    @pytest.mark.parametrize("bad", [INF, -INF, NAN, np.float32("nan"), 10**400, pinf(), phi()])
    def test_takes_finite_numbers_only(self, bad: Any) -> None:
        with pytest.raises(ValueError, match="from_ieee"):
            real(bad)

    @pytest.mark.parametrize("bad", ["1.0", None, 1j, [1.0], np.array([1.0])])
    def test_takes_numbers_only(self, bad: Any) -> None:
        with pytest.raises(TypeError):
            real(bad)

    @pytest.mark.parametrize("good", [0.0, -0.0, 5e-324, 1.7e308, 3, np.float32(0.5), True])
    def test_keeps_the_number(self, good: Any) -> None:
        assert real(good).tag is TRTag.REAL
        assert same(real(good), float(good))
        assert same(real(good).value, float(good))


def test_tags_and_predicates() -> None:
    assert [tag.value for tag in (TRTag.REAL, TRTag.PINF, TRTag.NINF, TRTag.PHI)] == [0, 1, 2, 3]
    for x in SPECIALS:
        scalar = TRScalar(x)
        assert scalar.tag.name == tag(x)
        assert is_real(scalar) == is_finite(scalar) == math.isfinite(x)
        assert is_pinf(scalar) == (x == INF)
        assert is_ninf(scalar) == (x == -INF)
        assert is_phi(scalar) == math.isnan(x)
        assert is_infinite(scalar) == math.isinf(x)
        assert is_real(x) == is_real(scalar)
        assert same(scalar.value, x if math.isfinite(x) else NAN)
        assert same(float(scalar), x)


def test_equality_is_by_tag_then_value() -> None:
    for a, b in PAIRS:
        expected = (math.isnan(a) and math.isnan(b)) or a == b
        assert (TRScalar(a) == TRScalar(b)) is expected
        assert (TRScalar(a) != TRScalar(b)) is (not expected)
        assert (TRScalar(a) == b) is expected
        assert (a == TRScalar(b)) is expected
        assert bool(np.float64(a) == TRScalar(b)) is expected
        if expected:
            assert hash(TRScalar(a)) == hash(TRScalar(b))
    assert real(1.0) != "1.0"
    assert (real(1.0) == None) is False  # noqa: E711


@pytest.mark.parametrize("x", [0.0, 1.0, -2.5, 1e300, INF, -INF, 7])
def test_equal_numbers_have_equal_hashes(x: float) -> None:
    # A TR scalar equals the number, so a set or dict must find one by the other.
    assert TRScalar(x) == x
    assert hash(TRScalar(x)) == hash(x)
    assert TRScalar(x) in {x}


def test_order_is_the_transreal_order() -> None:
    for a, b in PAIRS:
        for compare in (operator.lt, operator.le, operator.gt, operator.ge):
            expected = compare(a, b)  # IEEE order is the transreal order, NaN unordered
            assert compare(TRScalar(a), TRScalar(b)) is expected
            assert compare(TRScalar(a), b) is expected
            assert bool(compare(np.float64(a), TRScalar(b))) is expected
    assert not phi() <= phi()
    assert not phi() >= phi()
    with pytest.raises(TypeError):
        _ = real(1.0) < "2"  # type: ignore[operator]


def test_truth() -> None:
    assert [bool(TRScalar(x)) for x in (-0.0, 0.0, NAN)] == [False] * 3
    assert [bool(TRScalar(x)) for x in (-1.0, 5e-324, INF, -INF)] == [True] * 4


def test_text() -> None:
    assert [str(TRScalar(x)) for x in (INF, -INF, NAN)] == ["+∞", "−∞", "Φ"]
    assert repr(phi()) == "TRScalar(Φ)"
    for x in (0.1, -0.0, 1e-5, 1e22, 5e-324, HUGE_TEXT):
        assert str(TRScalar(x)) == repr(x)
        assert repr(TRScalar(x)) == f"TRScalar({x!r})"


HUGE_TEXT = 1.7e308


@pytest.mark.parametrize("spec", ["", ".3f", ">12", "<12.2e", "^12.1g", "+.2f", "012.3f", ".1%"])
def test_numbers_format(spec: str) -> None:
    for x in (1.5, -0.0, 1e-7):
        assert format(real(x), spec) == format(x, spec)
    for x, symbol in ((INF, "+∞"), (-INF, "−∞"), (NAN, "Φ")):
        text = format(TRScalar(x), spec)
        assert text.strip() == symbol
        if "12" in spec:
            assert len(text) == 12


def test_a_format_that_makes_no_sense_is_refused() -> None:
    for x in (1.0, INF, NAN):
        with pytest.raises(ValueError):
            format(TRScalar(x), "d")


@pytest.mark.parametrize("x", SPECIALS)
def test_pickle_and_copy(x: float) -> None:
    scalar = TRScalar(x)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert bits(pickle.loads(pickle.dumps(scalar, protocol))) == bits(x)
    assert same(copy.copy(scalar), x)
    assert same(copy.deepcopy([scalar])[0], x)
    assert pickle.loads(pickle.dumps(scalar.tag)) is scalar.tag


def test_every_nan_is_the_same_phi() -> None:
    payloads = (0x7FF8000000000000, 0xFFF8000000000000, 0x7FF8DEADBEEF0001)
    made = [TRScalar(struct.unpack("<d", struct.pack("<Q", p))[0]) for p in payloads]
    made += [real(0.0) / 0.0, pinf() - pinf(), pinf() * 0.0]
    assert len({struct.pack("<d", float(x)) for x in made}) == 1
    assert len({hash(x) for x in made}) == 1


def test_scalars_are_immutable() -> None:
    for name in ("value", "tag", "anything"):
        with pytest.raises(AttributeError):
            setattr(real(1.0), name, 2.0)


def test_powers() -> None:
    for half in (0.5, real(0.5), np.float64(0.5), Fraction(1, 2), np.array(0.5)):
        assert real(4.0) ** half == 2.0
    for base in (2.0, 2, np.float64(2), Fraction(2)):
        assert same(base ** real(0.5), math.sqrt(2.0))
    # An int is an exponent of pow_int, a float of the same value one of pow: ulps may differ.
    assert same(real(1.1) ** 100, pow_int(1.1, 100))
    assert same(real(1.1) ** 100.0, tr_pow(1.1, 100.0))
    assert [float(x) for x in real(2.0) ** np.array([1, 0.5, -1])] == [2.0, math.sqrt(2.0), 0.5]
    for bad in ("2", None, 1j):
        with pytest.raises(TypeError):
            real(2.0) ** bad
    with pytest.raises(TypeError, match="modulus"):
        pow(real(2.0), 2, 3)
    for large in (2**40, -(2**31)):
        with pytest.raises(OverflowError, match="2147483647"):
            real(1.0) ** large
