"""The bounded partials one by one: formulas, special values, and that they are backward's rules."""

from __future__ import annotations

import math
from typing import Any

import pytest

from support.gradients import gradients
from support.values import HUGE, INF, NAN, SMALLEST, same, ulps
from zeroproof.autodiff.grad_mode import GradientMode, GradientModeConfig, gradient_mode
from zeroproof.autodiff.saturating_ops import (
    saturate_value,
    saturating_div_grad,
    saturating_log_grad,
    saturating_pow_grad,
    saturating_reciprocal,
    saturating_sqrt_grad,
)
from zeroproof.autodiff.tr_node import TRNode
from zeroproof.autodiff.tr_ops_grad import tr_div, tr_log, tr_pow_int, tr_sqrt
from zeroproof.core import TRScalar, TRTag, real

BOUNDS = [1e-300, 1e-3, 1.0, 1e3, 1e300]
VALUES = [-INF, -HUGE, -1.5, -SMALLEST, -0.0, 0.0, SMALLEST, 1e-200, 1.5, 1e200, HUGE, INF, NAN]


@pytest.mark.parametrize("b", BOUNDS)
@pytest.mark.parametrize("x", VALUES)
def test_saturate_value(x: float, b: float) -> None:
    found = saturate_value(x, b)
    assert isinstance(found, TRScalar)
    assert found.tag is TRTag.REAL
    if math.isnan(x):
        assert found == 0.0
    elif math.isinf(x):
        assert found == math.copysign(1.0, x)
    else:
        scale = max(abs(x), b)
        assert ulps(float(found), (x / scale) / (abs(x) / scale + b / scale)) <= 3
        assert abs(float(found)) <= 1.0


@pytest.mark.parametrize("b", BOUNDS)
@pytest.mark.parametrize("y", VALUES)
def test_saturating_reciprocal(y: float, b: float) -> None:
    found = float(saturating_reciprocal(y, b))
    if y == 0 or not math.isfinite(y):
        assert found == 0.0
    else:
        assert ulps(found, math.copysign(1.0, y) / math.hypot(y, b)) <= 3
    assert abs(found) <= 1.0 / b


def test_the_bound_in_force_is_the_default() -> None:
    assert saturate_value(1.0) == 0.5
    with gradient_mode(GradientMode.MASK_REAL, saturation_bound=3.0):
        assert saturate_value(1.0) == 0.25
        assert saturating_reciprocal(4.0) == 0.2
        assert saturating_log_grad(4.0, 10.0) == 2.0
    GradientModeConfig.set_saturation_bound(7.0)
    assert saturate_value(1.0) == 0.125


@pytest.mark.parametrize("bad", [0.0, -1.0, INF, NAN, pytest.param(10**400, id="huge")])
def test_a_bound_is_positive_and_finite(bad: Any) -> None:
    for function in (saturate_value, saturating_reciprocal):
        with pytest.raises(ValueError, match="bound"):
            function(1.0, bad)


OPERANDS = [-INF, -2.5, -0.0, 0.0, 1e-200, 0.3, 4.0, 1e200, INF, NAN]


@pytest.mark.parametrize("b", [1e-3, 1.0])
@pytest.mark.parametrize("seed", [1.0, -2.5, 0.0, 1e300])
def test_they_are_the_rules_of_backward(seed: float, b: float) -> None:
    def by_backward(f: Any, *values: float) -> list[float]:
        return [g for g, _ in gradients(f, values, seed, GradientMode.SATURATING, b)]

    with gradient_mode(GradientMode.SATURATING, b):
        for x in OPERANDS:
            for y in OPERANDS:
                pairs = zip(saturating_div_grad(x, y, seed), by_backward(tr_div, x, y))
                assert all(a == g for a, g in pairs), (x, y)
            assert saturating_log_grad(x, seed) == by_backward(tr_log, x)[0]
            assert saturating_sqrt_grad(x, seed) == by_backward(tr_sqrt, x)[0]
            for n in (-5, -2, -1, 0, 1, 2, 3):
                expected = by_backward(lambda v, n=n: tr_pow_int(v, n), x)[0]
                assert saturating_pow_grad(x, n, seed) == expected, (x, n)


def test_operands_of_every_kind() -> None:
    expected = saturating_div_grad(3.0, 2.0, 1.0)
    for make in (real, TRNode.parameter, TRNode.constant, int):
        assert saturating_div_grad(make(3.0), make(2.0), make(1.0)) == expected
    assert same(expected[0], float(saturating_reciprocal(2.0)))
    for bad in ("1", None, 1j):
        with pytest.raises(TypeError):
            saturating_log_grad(bad, 1.0)  # type: ignore[arg-type]
    with pytest.raises(OverflowError, match="exponent"):
        saturating_pow_grad(1.0, 2**31, 1.0)


def test_an_exponent_is_an_integer() -> None:
    for bad in (2.5, "2", None):
        with pytest.raises(TypeError):
            saturating_pow_grad(2.0, bad, 1.0)  # type: ignore[arg-type]
