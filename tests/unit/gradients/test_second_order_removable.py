"""Second derivatives at removable singularities, by hand and against 50 digits next to them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mpf

import zeroproof as zp
from zeroproof import tr_hessian

ULPS = 6
NEXT_TO = [5e-324, 1e-310, 1e-200, 1e-154, 1e-100, 1e-20, 1e-9, 1e-5, 1e-3, 0.02, 0.3]

Number = Callable[[Any], Any]

#: Function, the point, its second derivative there, and the function in mpmath.
ONE: list[tuple[str, float, Any, Number]] = [
    ("sinc", 0.0, -(mpmath.pi**2) / 3, lambda x: mpmath.sin(mpmath.pi * x) / (mpmath.pi * x)),
    ("exprel", 0.0, mpf(1) / 3, lambda x: mpmath.expm1(x) / x),
    ("log1prel", 0.0, mpf(2) / 3, lambda x: mpmath.log1p(x) / x),
    ("cosc", 0.0, mpf(-1) / 12, lambda x: 2 * (mpmath.sin(x / 2) / x) ** 2),
    ("softplus", 0.0, mpf(1) / 4, lambda x: mpmath.log1p(mpmath.exp(x))),
    ("sigmoid", 0.0, mpf(0), lambda x: 1 / (1 + mpmath.exp(-x))),
    ("expm1", 0.0, mpf(1), mpmath.expm1),
    ("log1p", 0.0, mpf(-1), mpmath.log1p),
    ("tanh", 0.0, mpf(0), mpmath.tanh),
]


def ulps(found: float, true: Any) -> float:
    """How far a double is from a number."""
    with mpmath.workdps(50):
        return float(abs(mpf(found) - true) / mpf(math.ulp(float(abs(true)))))


@pytest.mark.parametrize(("name", "x", "second", "_"), ONE, ids=[row[0] for row in ONE])
def test_at_the_point(name: str, x: float, second: Any, _: Number) -> None:
    found, status = tr_hessian(getattr(zp, f"tr_{name}"), with_status=True)(x)
    assert status.name == "EXACT"
    assert ulps(float(found), second) <= ULPS


@pytest.mark.parametrize(("name", "x", "_", "function"), ONE, ids=[row[0] for row in ONE])
def test_next_to_the_point(name: str, x: float, _: Any, function: Number) -> None:
    for step in NEXT_TO:
        for at in (step, -step):
            found = float(tr_hessian(getattr(zp, f"tr_{name}"))(at))
            # Differences cancel about twice the digits between 1 and the point, and 40 of a step.
            with mpmath.workdps(200 + int(8 * -math.log10(step))):
                h = min(mpf(abs(at)), mpf(1)) * mpf(10) ** -40
                y = mpf(at)
                true = (function(y + h) - 2 * function(y) + function(y - h)) / h**2
                assert ulps(found, true) <= ULPS, at


def hessian(f: Callable[..., Any], *x: float) -> tuple[Any, Any]:
    found, statuses = tr_hessian(f, with_status=True)(np.array(x))
    return found, statuses


class TestOfSeveralNumbers:
    def test_norms_at_zero_do_not_bend(self) -> None:
        for f in (lambda x: zp.tr_hypot(x[0], x[1]), lambda x: zp.tr_norm(list(x))):
            found, statuses = hessian(f, 0.0, 0.0)
            assert not found.any()
            assert not statuses.any()

    @pytest.mark.parametrize("scale", [1.0, 1e-150, 1e150])
    def test_norms_at_one_zero(self, scale: float) -> None:
        for f in (lambda x: zp.tr_hypot(x[0], x[1]), lambda x: zp.tr_norm(list(x))):
            found, statuses = hessian(f, 0.0, -3.0 * scale)
            assert not statuses.any()
            assert (found[0, 1], found[1, 0], found[1, 1]) == (0.0, 0.0, 0.0)
            assert ulps(found[0, 0], 1 / (3 * mpf(scale))) <= ULPS

    @pytest.mark.parametrize(("y", "x"), [(0.0, 2.0), (0.0, -2.0), (2.0, 0.0), (-2.0, 0.0)])
    def test_atan2_on_the_axes(self, y: float, x: float) -> None:
        found, statuses = hessian(lambda p: zp.tr_atan2(p[0], p[1]), y, x)
        assert not statuses.any()
        mixed = (y * y - x * x) / 16.0
        np.testing.assert_array_equal(found, [[0.0, mixed], [mixed, 0.0]])

    def test_atan2_at_zero_is_masked_or_dropped(self) -> None:
        found, statuses = hessian(lambda p: zp.tr_atan2(p[0], p[1]), 0.0, 0.0)
        assert not found.any()
        assert statuses.all()

    @pytest.mark.parametrize("y", [1.0, 0.5, 3.0, 1e-300])
    def test_xlogy_where_its_factor_is_zero(self, y: float) -> None:
        found, statuses = hessian(lambda p: zp.tr_xlogy(p[0], p[1]), 0.0, y)
        assert not statuses.any()
        assert (found[0, 0], found[1, 1]) == (0.0, 0.0)
        with mpmath.workdps(50):
            assert ulps(found[0, 1], 1 / mpf(y)) <= ULPS
            assert ulps(found[1, 0], 1 / mpf(y)) <= ULPS

    def test_xlogy_at_zero_is_no_silent_zero(self) -> None:
        found, statuses = hessian(lambda p: zp.tr_xlogy(p[0], p[1]), 0.0, 0.0)
        assert not found.any()
        assert statuses.any()

    @pytest.mark.parametrize("x", [0.0, 5.0, -700.0, 1e300])
    @pytest.mark.parametrize("count", [2, 3, 7])
    def test_logsumexp_of_equal_numbers(self, x: float, count: int) -> None:
        found, statuses = hessian(lambda p: zp.tr_logsumexp(list(p)), *[x] * count)
        assert not statuses.any()
        with mpmath.workdps(50):
            share = mpf(1) / count
            for i in range(count):
                for j in range(count):
                    true = share * (1 - share) if i == j else -share * share
                    assert ulps(found[i, j], true) <= ULPS

    def test_logsumexp_beside_one_that_is_minus_infinity_in_effect(self) -> None:
        found, statuses = hessian(lambda p: zp.tr_logsumexp(list(p)), 0.0, -800.0)
        assert not found.any()
        assert not statuses.any()
