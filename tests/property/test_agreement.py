"""Functions that overlap agree: powers and roots, lengths, exponentials and logarithms."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from support.random_programs import doubles, finite, moderate
from support.values import SPECIALS, same, ulps
from zeroproof.bridge import from_ieee
from zeroproof.core import (
    ReductionMode,
    TRTag,
    tr_acos,
    tr_asin,
    tr_exp,
    tr_expm1,
    tr_hypot,
    tr_log,
    tr_log1p,
    tr_logsumexp,
    tr_norm,
    tr_pow,
    tr_pow_int,
    tr_sigmoid,
    tr_softplus,
    tr_sqrt,
    tr_xlogy,
)


@pytest.mark.parametrize("a", [*SPECIALS, 0.5, -0.5, 2.0, -2.0])
def test_tags_of_real_and_of_integer_powers(a: float) -> None:
    for n in range(-5, 6):
        found, expected = tr_pow(a, float(n)), tr_pow_int(a, n)
        assert found.tag is expected.tag, n
        if found.tag is TRTag.REAL and float(expected) == 0.0:
            assert same(found, expected), n
    assert tr_pow(a, 0.5).tag is tr_sqrt(a).tag


@given(a=finite, n=st.integers(-4, 4))
def test_real_powers_are_integer_powers(a: float, n: int) -> None:
    by_squaring = tr_pow_int(a, n)
    inverse = tr_pow_int(a, -n)
    normal = [2.0**-1022 <= abs(float(x)) < math.inf for x in (by_squaring, inverse)]
    assume(all(normal))
    assert ulps(float(tr_pow(a, float(n))), float(by_squaring)) <= 2


@given(a=finite.map(abs))
def test_a_power_of_a_half_is_a_root(a: float) -> None:
    assert ulps(float(tr_pow(a, 0.5)), float(tr_sqrt(a))) <= 1


@given(a=doubles, b=doubles)
def test_a_hypotenuse_is_a_norm(a: float, b: float) -> None:
    assert same(tr_norm([a, b]), tr_hypot(a, b))
    assert same(tr_hypot(a, b), tr_hypot(b, a))
    assert same(tr_norm([a]), abs(from_ieee(a)))
    finite_ones = [x for x in (a, b) if math.isfinite(x)]
    assert same(tr_norm([a, b], ReductionMode.DROP_NONREAL), tr_norm(finite_ones))


@given(x=st.floats(-700.0, 700.0))
def test_exponentials_and_logarithms(x: float) -> None:
    assert ulps(float(tr_expm1(x)), float(tr_exp(x) - 1)) <= 2 or abs(x) < 1
    assert float(tr_log1p(tr_expm1(x))) == pytest.approx(x, rel=1e-14) or x < -1
    assert float(tr_softplus(x)) == pytest.approx(float(tr_logsumexp([x, 0.0])), rel=1e-14)
    assert float(tr_sigmoid(x)) == pytest.approx(float(tr_exp(x - tr_softplus(x))), rel=1e-12)


@given(x=st.floats(-1.0, 1.0))
def test_arcs_add_up(x: float) -> None:
    assert float(tr_asin(x) + tr_acos(x)) == pytest.approx(math.pi / 2, rel=1e-15)


@given(a=doubles, b=doubles)
def test_xlogy_is_a_product_but_at_zero(a: float, b: float) -> None:
    if a != 0:
        assert same(tr_xlogy(a, b), from_ieee(a) * tr_log(b))
    else:
        assert same(tr_xlogy(a, b), 0.0) is (b >= 0)


@given(values=st.lists(moderate, min_size=1, max_size=6), shift=moderate)
def test_logsumexp_moves_with_its_inputs(values: list[float], shift: float) -> None:
    total = float(tr_logsumexp(values))
    assert max(values) <= total <= max(values) + math.log(len(values)) + 1e-14
    moved = float(tr_logsumexp([x + shift for x in values]))
    assert moved == pytest.approx(total + shift, rel=1e-13, abs=1e-13)
    assert same(tr_logsumexp([*values, -math.inf]), total)
