"""Identities between functions: bit for bit where one is made of the other, else to a few ulp."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import reduce
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from support.ops import scalar_op
from support.random_programs import doubles, finite
from support.values import same, ulps
from zeroproof.bridge import from_ieee
from zeroproof.core import (
    ReductionMode,
    tr_abs,
    tr_atan2,
    tr_cos,
    tr_exp,
    tr_expm1,
    tr_log,
    tr_log1p,
    tr_maximum,
    tr_minimum,
    tr_softplus,
    tr_tanh,
)


def of(name: str, *operands: Any) -> Any:
    return scalar_op(name)(*operands)


def number(name: str, *operands: Any) -> float:
    return float(of(name, *operands))


class TestBitForBit:
    @given(a=doubles)
    def test_functions_of_one(self, a: float) -> None:
        x = from_ieee(a)
        assert same(of("square", a), x * x)
        assert same(of("log_sigmoid", a), -tr_softplus(-x))
        assert same(of("atan", a), tr_atan2(a, 1.0))
        assert same(of("floor", a), -of("ceil", -a))
        for odd in ("sinh", "asinh", "atanh", "erf", "atan", "round"):
            assert same(of(odd, -a), -of(odd, a)), odd
        for even in ("cosh", "cosc"):
            assert same(of(even, -a), of(even, a)), even

    @given(a=doubles, b=doubles)
    def test_functions_of_two(self, a: float, b: float) -> None:
        assert same(of("clip_min", a, b), tr_maximum(a, b))
        assert same(of("clip_max", a, b), tr_minimum(a, b))
        assert same(of("copysign", a, a), a)
        if not math.isnan(b):
            assert same(tr_abs(of("copysign", a, b)), tr_abs(a))
            assert same(of("copysign", of("copysign", a, b), a), a)

    @given(values=st.lists(doubles, min_size=1, max_size=6), mode=st.sampled_from(ReductionMode))
    def test_reductions_are_folds(self, values: list[float], mode: ReductionMode) -> None:
        kept = [x for x in values if mode is ReductionMode.STRICT or not math.isnan(x)]
        if mode is ReductionMode.DROP_NONREAL:
            kept = [x for x in kept if math.isfinite(x)]
        assume(kept)
        folds = {"max": tr_maximum, "min": tr_minimum, "prod": lambda p, x: p * x}
        for name, fold in folds.items():
            assert same(of(name, values, mode), reduce(fold, map(from_ieee, kept))), name

    @pytest.mark.parametrize("mode", ReductionMode)
    def test_reductions_of_nothing(self, mode: ReductionMode) -> None:
        nothing = [math.nan, math.inf] if mode is ReductionMode.DROP_NONREAL else []
        assert same(of("max", nothing, mode), math.nan)
        assert same(of("min", nothing, mode), math.nan)
        assert same(of("prod", nothing, mode), 1.0)

    def test_powers_of_the_base(self) -> None:
        for k in range(-1074, 1024):
            assert same(of("log2", math.ldexp(1.0, k)), float(k))
        for k in range(23):
            assert same(of("log10", 10.0**k), float(k))


@given(a=finite, b=finite.filter(bool))
def test_a_remainder_is_what_a_multiple_leaves(a: float, b: float) -> None:
    found = number("remainder", a, b)
    true = Fraction(a) - Fraction(b) * (Fraction(a) // Fraction(b))
    assert abs(Fraction(found) - true) <= Fraction(math.ulp(found)) / 2
    assert math.copysign(1.0, found) == math.copysign(1.0, b)
    assert abs(found) <= abs(b)


@given(a=finite)
def test_roundings(a: float) -> None:
    low, near, high = (number(name, a) for name in ("floor", "round", "ceil"))
    assert low <= a <= high
    assert low == math.floor(a)
    assert high == math.ceil(a)
    assert near == round(a)


@given(x=st.floats(-700.0, 700.0))
def test_hyperbolic_functions(x: float) -> None:
    sinh, cosh = number("sinh", x), number("cosh", x)
    # Of the two terms that are added, none is larger than the sum.
    assert abs(abs(sinh) + cosh - float(tr_exp(abs(x)))) <= 3 * math.ulp(float(tr_exp(abs(x))))
    assert sinh / cosh == pytest.approx(float(tr_tanh(x)), rel=1e-15)
    assert number("asinh", sinh) == pytest.approx(x, rel=1e-15)
    # cosh is flat at 0 and tanh far out, where one ulp is much of the operand.
    if abs(x) > 0.5:
        assert number("acosh", cosh) == pytest.approx(abs(x), rel=1e-15)
    if abs(x) < 1.0:
        assert number("atanh", tr_tanh(x)) == pytest.approx(x, rel=2e-15)


@given(x=st.floats(-40.0, 40.0))
def test_the_error_function_and_the_normal_distribution(x: float) -> None:
    assert number("erf", x) + number("erfc", x) == pytest.approx(1.0, rel=1e-15)
    assert number("erfc", x) + number("erfc", -x) == pytest.approx(2.0, rel=1e-15)
    share = number("erfc", -x / math.sqrt(2)) / 2
    if -35 < x < -1:
        # Rounding x/√2 moves the logarithm by x² times as much.
        expected = float(tr_log(share))
        assert number("log_ndtr", x) == pytest.approx(expected, rel=1e-15, abs=2e-16 * x * x)
    assert math.exp(number("log_ndtr", x)) == pytest.approx(share, rel=2e-16 * (x * x + 4))


@given(x=finite)
def test_relative_functions(x: float) -> None:
    for name, function in (("exprel", tr_expm1), ("log1prel", tr_log1p)):
        quotient, whole = of(name, x), function(x)
        if math.isfinite(float(quotient)) and 2.0**-1000 < abs(float(whole)) < math.inf:
            assert ulps(float(quotient) * x, float(whole)) <= 3, name


@given(x=st.one_of(st.floats(-1e6, 1e6), st.floats(-4.0, 4.0)))
def test_a_versine(x: float) -> None:
    assert number("cosc", x) * x * x == pytest.approx(1 - float(tr_cos(x)), rel=1e-15, abs=3e-16)


@given(x=finite.map(abs).filter(bool))
def test_logarithms_to_other_bases(x: float) -> None:
    log = float(tr_log(x))
    assert ulps(number("log2", x), log / math.log(2)) <= 3
    assert ulps(number("log10", x), log / math.log(10)) <= 3
