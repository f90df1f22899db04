"""Gradients on REAL paths against 50 digits, for every op over the full range of doubles.

Wherever the true contribution is representable, the gradient is within ``ULPS`` units of its last
place (of the smallest subnormal below the normal range), a bounded one within ``BOUNDED_ULPS``.
Where it is larger than every double it is dropped.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import mpmath
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from mpmath import mpf
from tr_programs import finite
from tr_support import DROPPED, EXACT, NAMES, SATURATED, gradients, node_op

from zeroproof.autodiff.grad_mode import GradientMode
from zeroproof.autodiff.tr_node import GradientStatus, TRNode

# Two correctly rounded factors and a product give 1.5, an elementary function up to 1 more.
ULPS = 4
# √(y² + b²) is within 1.5, and enters the partial of a denominator twice.
BOUNDED_ULPS = 6
DIGITS = 50
LARGEST = mpf(1.7976931348623157e308)
#: Between the largest double and this, whether a result rounds to it is a matter of the last ulp.
BEYOND = LARGEST * (1 + mpf(2) ** -50)


def sech2(x: Any) -> Any:
    """1/cosh² x, which mpmath computes without cancelling."""
    e = mpmath.exp(-2 * abs(x))
    return 4 * e / (1 + e) ** 2


UNARY: dict[str, Callable[[Any], Any]] = {
    "neg": lambda x: mpf(-1),
    "abs": lambda x: mpmath.sign(x),
    "sign": lambda x: mpf(0),
    "log": lambda x: 1 / x,
    "sqrt": lambda x: 1 / (2 * mpmath.sqrt(x)),
    "exp": mpmath.exp,
    "sin": mpmath.cos,
    "cos": lambda x: -mpmath.sin(x),
    "tanh": sech2,
}
BINARY: dict[str, Callable[[Any, Any], tuple[Any, Any]]] = {
    "add": lambda a, b: (mpf(1), mpf(1)),
    "sub": lambda a, b: (mpf(1), mpf(-1)),
    "mul": lambda a, b: (b, a),
    "div": lambda a, b: (1 / b, -a / b**2),
    "minimum": lambda a, b: share(a <= b, b <= a),
    "maximum": lambda a, b: share(a >= b, b >= a),
}


def share(a_wins: bool, b_wins: bool) -> tuple[Any, Any]:
    total = int(a_wins) + int(b_wins)
    return mpf(int(a_wins)) / total, mpf(int(b_wins)) / total


def check(found: tuple[float, GradientStatus], true: Any, usual: GradientStatus = EXACT) -> None:
    """One contribution against its true value."""
    gradient, status = found
    if abs(true) > BEYOND:
        assert (gradient, status) == (0.0, usual | DROPPED)
    elif abs(true) <= LARGEST * (1 - mpf(2) ** -50):
        assert status == usual, true
        unit = math.ulp(float(true))
        limit = BOUNDED_ULPS if usual == SATURATED else ULPS
        assert abs(mpf(gradient) - true) <= limit * mpf(unit), (gradient, float(true))


def values_are_real(f: Callable[..., TRNode], values: Sequence[float]) -> bool:
    return math.isfinite(float(f(*map(TRNode.constant, values))))


def test_the_formulas_cover_the_table() -> None:
    assert set(UNARY) == set(NAMES["unary"])
    assert set(BINARY) == set(NAMES["binary"])


@pytest.mark.parametrize("name", sorted(UNARY))
@given(x=st.one_of(finite, st.floats(-800.0, 800.0)), seed=finite)
@example(x=-750.0, seed=1e300)
@example(x=-740.5, seed=1.0)
@example(x=-708.5, seed=-1e-5)
@example(x=20.0, seed=1.0)
@example(x=400.0, seed=1.0)
@example(x=-400.0, seed=1e308)
@example(x=354.5, seed=-1.7e308)
@example(x=372.0, seed=1e10)
@example(x=709.7, seed=1e-300)
@example(x=5e-324, seed=5e-324)
@example(x=5e-324, seed=1e-162)
@example(x=1.7e308, seed=1.7e308)
@example(x=1e22, seed=3.0)
def test_unary_ops(name: str, x: float, seed: float) -> None:
    op = node_op(name)
    assume(values_are_real(op, [x]))
    with mpmath.workdps(DIGITS):
        if x == 0 and name == "sqrt":
            assume(seed != 0)
            true = mpf("inf")
        else:
            true = mpf(seed) * UNARY[name](mpf(x))
        check(gradients(op, [x], seed)[0], true)


@pytest.mark.parametrize("name", sorted(BINARY))
@given(a=finite, b=finite, seed=finite)
@example(a=1e-200, b=1e-200, seed=1.0)
@example(a=1e200, b=1e200, seed=1e-200)
@example(a=1e-300, b=1e300, seed=1e308)
@example(a=5e-324, b=5e-324, seed=5e-324)
@example(a=1.7e308, b=2.0, seed=1e-300)
@example(a=1e-308, b=3.0, seed=1e-308)
@example(a=0.0, b=1e-300, seed=1e300)
@example(a=-0.0, b=0.0, seed=1.0)
@example(a=3.0, b=3.0, seed=5e-324)
def test_binary_ops(name: str, a: float, b: float, seed: float) -> None:
    op = node_op(name)
    assume(values_are_real(op, [a, b]))
    with mpmath.workdps(DIGITS):
        partials = BINARY[name](mpf(a), mpf(b))
        for found, partial in zip(gradients(op, [a, b], seed), partials):
            check(found, mpf(seed) * partial)


@given(
    x=st.one_of(finite, st.floats(0.5, 2.0), st.floats(-1.1, -0.9)),
    n=st.one_of(st.integers(-8, 8), st.integers(-2000, 2000), st.integers(-(2**31) + 1, 2**31 - 1)),
    seed=finite,
)
@example(x=1e-150, n=3, seed=1e200)
@example(x=1e-150, n=3, seed=1.0)
@example(x=1e-200, n=-1, seed=1e-200)
@example(x=1e200, n=-2, seed=1e300)
@example(x=1e160, n=2, seed=1e-300)
@example(x=1.0 + 2.0**-30, n=2**30, seed=1.0)
@example(x=0.5, n=1075, seed=1e300)
@example(x=-5e-324, n=1, seed=2.0)
@example(x=0.0, n=1, seed=5.0)
@example(x=0.0, n=2, seed=1e308)
@example(x=2.0, n=3, seed=1e308)
def test_powers(x: float, n: int, seed: float) -> None:
    def op(v: TRNode) -> TRNode:
        return v**n

    assume(values_are_real(op, [x]))
    with mpmath.workdps(DIGITS):
        true = mpf(0) if n == 0 else mpf(seed) * n * mpf(x) ** (n - 1)
        check(gradients(op, [x], seed)[0], true)


bounds = st.one_of(st.floats(1e-3, 1e3), finite.map(abs).filter(bool))


@given(a=finite, y=finite, seed=finite, b=bounds)
@example(a=1e-200, y=1e-200, seed=1.0, b=1e-200)
@example(a=1e300, y=1e300, seed=1e300, b=1.0)
@example(a=1.0, y=1.7e308, seed=1e308, b=1.7e308)
@example(a=1.0, y=5e-324, seed=1e-320, b=5e-324)
def test_bounded_division(a: float, y: float, seed: float, b: float) -> None:
    assume(a != 0 or y != 0)
    with mpmath.workdps(DIGITS):
        square = mpf(y) ** 2 + mpf(b) ** 2
        reciprocal = mpmath.sign(y) / mpmath.sqrt(square)
        found = gradients(node_op("div"), [a, y], seed, GradientMode.SATURATING, b)
        check(found[0], mpf(seed) * reciprocal, SATURATED)
        check(found[1], -mpf(seed) * mpf(a) / square, SATURATED)


@pytest.mark.parametrize("name", ["log", "sqrt"])
@given(x=finite.map(abs), seed=finite, b=bounds)
def test_bounded_log_and_sqrt(name: str, x: float, seed: float, b: float) -> None:
    assume(x > 0 or name == "sqrt")
    with mpmath.workdps(DIGITS):
        y = mpf(x) if name == "log" else 2 * mpmath.sqrt(x)
        true = mpf(seed) * mpmath.sign(y) / mpmath.sqrt(y**2 + mpf(b) ** 2)
        found = gradients(node_op(name), [x], seed, GradientMode.SATURATING, b)
        check(found[0], true, SATURATED)


@given(x=finite, n=st.one_of(st.integers(-6, -1), st.integers(-2000, -1)), seed=finite, b=bounds)
@example(x=1e200, n=-1, seed=1e300, b=1.0)
@example(x=-1e-200, n=-2, seed=1.0, b=1.0)
def test_bounded_powers(x: float, n: int, seed: float, b: float) -> None:
    with mpmath.workdps(DIGITS):
        y = mpf(x) ** (1 - n)
        true = mpf(seed) * n * mpmath.sign(y) / mpmath.sqrt(y**2 + mpf(b) ** 2)
        found = gradients(lambda v: v**n, [x], seed, GradientMode.SATURATING, b)
        check(found[0], true, SATURATED)
