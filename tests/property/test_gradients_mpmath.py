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

from support.gradients import DROPPED, EXACT, SATURATED, gradients
from support.ops import NAMES, node_op
from support.random_programs import finite
from zeroproof.autodiff.grad_mode import GradientMode
from zeroproof.autodiff.tr_node import GradientStatus, TRNode
from zeroproof.autodiff.tr_ops_grad import tr_logsumexp, tr_norm

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


def sinc_slope(x: Any) -> Any:
    """(cos πx − sinc x)/x, near 0 by the first terms of its series."""
    if abs(x) > 1e-12:
        return (mpmath.cospi(x) - mpmath.sincpi(x)) / x
    square = (mpmath.pi * x) ** 2
    return -(mpmath.pi**2) * x * (1 - square / 10) / 3


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
    "sinc": lambda x: sinc_slope(x),
    "expm1": mpmath.exp,
    "log1p": lambda x: 1 / (1 + x),
    "asin": lambda x: 1 / arc(x),
    "acos": lambda x: -1 / arc(x),
    "tan": lambda x: 1 / mpmath.cos(x) ** 2,
    "sigmoid": lambda x: sech2(x / 2) / 4,
    "softplus": lambda x: 1 / (1 + mpmath.exp(-x)),
}
BINARY: dict[str, Callable[[Any, Any], tuple[Any, Any]]] = {
    "add": lambda a, b: (mpf(1), mpf(1)),
    "sub": lambda a, b: (mpf(1), mpf(-1)),
    "mul": lambda a, b: (b, a),
    "div": lambda a, b: (1 / b, -a / b**2),
    "minimum": lambda a, b: share(a <= b, b <= a),
    "maximum": lambda a, b: share(a >= b, b >= a),
    "hypot": lambda a, b: (a / length(a, b), b / length(a, b)),
    "atan2": lambda a, b: (b / (a**2 + b**2), -a / (a**2 + b**2)),
    "xlogy": lambda a, b: (mpmath.log(b) if b else -INF, a / b if a else mpf(0)),
    "pow": lambda a, b: (power_to_base(a, b), power_to_exponent(a, b)),
}
INF = mpf("inf")


def arc(x: Any) -> Any:
    """√(1 − x²)."""
    return mpmath.sqrt((1 - x) * (1 + x))


def length(*values: Any) -> Any:
    """√Σx², and 1 for the origin, where the subgradient is 0."""
    return mpmath.sqrt(mpmath.fsum(values, squared=True)) or mpf(1)


def power_to_base(a: Any, b: Any) -> Any:
    if b == 0:
        return mpf(0)
    if a == 0:
        return mpf(0) if b > 1 else mpf(1) if b == 1 else INF
    sign = -1 if a < 0 and mpmath.fmod(b, 2) == 0 else 1
    return sign * b * abs(a) ** (b - 1)


def power_to_exponent(a: Any, b: Any) -> Any:
    if a == 0:
        return mpf(0)
    return a**b * mpmath.log(a) if a > 0 else INF


def share(a_wins: bool, b_wins: bool) -> tuple[Any, Any]:
    total = int(a_wins) + int(b_wins)
    return mpf(int(a_wins)) / total, mpf(int(b_wins)) / total


def check(
    found: tuple[float, GradientStatus],
    true: Any,
    usual: GradientStatus = EXACT,
    scale: Any = 0,
) -> None:
    """One contribution against its true value, in units of that or of a larger scale."""
    gradient, status = found
    if abs(true) > BEYOND:
        assert (gradient, status) == (0.0, usual | DROPPED)
    elif abs(true) <= LARGEST * (1 - mpf(2) ** -50):
        assert status == usual, true
        unit = math.ulp(float(max(abs(true), min(scale, LARGEST))))
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
@example(x=1e-310, seed=1e300)
@example(x=1.7e308, seed=1e-10)
@example(x=-1.0 + 2.0**-53, seed=1.0)
@example(x=1.0, seed=2.0)
@example(x=-1.0, seed=2.0)
@example(x=11.0, seed=1.0)
@example(x=1.5707963267948966, seed=1e-20)
def test_unary_ops(name: str, x: float, seed: float) -> None:
    op = node_op(name)
    assume(values_are_real(op, [x]))
    with mpmath.workdps(DIGITS):
        if (x == 0 and name == "sqrt") or (abs(x) == 1 and name in ("asin", "acos")):
            assume(seed != 0)
            true = INF
        else:
            true = mpf(seed) * UNARY[name](mpf(x))
        # Where cos πx and sinc x cancel, the slope of sinc is right beside either.
        scale = abs(mpf(seed) / x) if name == "sinc" and abs(x) > 0.5 else 0
        check(gradients(op, [x], seed)[0], true, scale=scale)


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
@example(a=0.0, b=0.5, seed=1.0)
@example(a=0.0, b=1.0, seed=1.0)
@example(a=0.0, b=1.5, seed=1.0)
@example(a=2.0, b=-1074.0, seed=1e300)
@example(a=1e-300, b=1.1, seed=1e200)
@example(a=1e300, b=-1.1, seed=1e200)
@example(a=1e300, b=0.1, seed=1.0)
@example(a=-3.0, b=-5.0, seed=1.0)
@example(a=-5e-324, b=2.0, seed=1e308)
@example(a=1e-320, b=-1e-320, seed=1e-310)
def test_binary_ops(name: str, a: float, b: float, seed: float) -> None:
    op = node_op(name)
    assume(values_are_real(op, [a, b]))
    with mpmath.workdps(DIGITS):
        partials = BINARY[name](mpf(a), mpf(b))
        for found, partial in zip(gradients(op, [a, b], seed), partials):
            true = mpf(seed) * partial if seed else mpf(0)
            check(found, true)


@given(values=st.lists(finite, min_size=1, max_size=5), seed=finite)
@example(values=[5e-324, 1e-320], seed=1.0)
@example(values=[1.7e308, 1e-10], seed=1e-300)
@example(values=[0.0, -0.0], seed=-2.0)
def test_norms(values: list[float], seed: float) -> None:
    def norm(*xs: TRNode) -> TRNode:
        return tr_norm(xs)

    assume(values_are_real(norm, values))
    with mpmath.workdps(DIGITS):
        z = length(*map(mpf, values))
        for found, x in zip(gradients(norm, values, seed), values):
            check(found, mpf(seed) * x / z)


@given(
    values=st.lists(st.one_of(finite, st.floats(-800.0, 800.0)), min_size=1, max_size=5),
    seed=finite,
)
@example(values=[0.1, 700.3], seed=1e10)
@example(values=[1e16, 1e16 + 2], seed=1.0)
@example(values=[-740.0, 0.0, -800.0], seed=1e300)
def test_softmax(values: list[float], seed: float) -> None:
    def logsumexp(*xs: TRNode) -> TRNode:
        return tr_logsumexp(xs)

    with mpmath.workdps(DIGITS):
        largest = mpf(max(values))
        terms = [mpmath.exp(mpf(x) - largest) for x in values]
        for found, term in zip(gradients(logsumexp, values, seed), terms):
            check(found, mpf(seed) * term / mpmath.fsum(terms))


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


def bounded(name: str, bound: float, values: Sequence[float], seed: float) -> list[Any]:
    op = node_op(name)
    assume(values_are_real(op, values) and seed != 0)
    return gradients(op, values, seed, GradientMode.SATURATING, bound)


def reciprocal(y: Any, b: float) -> Any:
    return mpmath.sign(y) / mpmath.sqrt(y**2 + mpf(b) ** 2)


@pytest.mark.parametrize("name", ["log1p", "asin", "acos", "tan"])
@given(x=st.one_of(finite, st.floats(-1.0, 1.0)), seed=finite, b=bounds)
@example(x=1.0, seed=1.0, b=0.1)
@example(x=-1.0, seed=1.0, b=0.1)
@example(x=-1.0 + 2.0**-53, seed=1e300, b=1e-10)
@example(x=1.5707963267948966, seed=1.0, b=1e-200)
def test_bounded_unary_ops(name: str, x: float, seed: float, b: float) -> None:
    [found] = bounded(name, b, [x], seed)
    with mpmath.workdps(DIGITS):
        true = (
            mpf(seed)
            * {
                "log1p": lambda: reciprocal(1 + mpf(x), b),
                "asin": lambda: reciprocal(arc(mpf(x)), b),
                "acos": lambda: -reciprocal(arc(mpf(x)), b),
                "tan": lambda: 1 / (mpmath.cos(x) ** 2 + mpf(b) ** 2),
            }[name]()
        )
        check(found, true, SATURATED)


@given(a=finite, y=finite.map(abs), seed=finite, b=bounds)
def test_bounded_xlogy(a: float, y: float, seed: float, b: float) -> None:
    found = bounded("xlogy", b, [a, y], seed)
    with mpmath.workdps(DIGITS):
        check(found[0], mpf(seed) * (mpmath.log(y) if y else -INF), SATURATED)
        check(found[1], mpf(seed) * a * reciprocal(mpf(y), b), SATURATED)


@given(y=finite, x=finite, seed=finite, b=bounds)
@example(y=5e-324, x=0.0, seed=1e-300, b=5e-324)
@example(y=1.7e308, x=1.7e308, seed=1e308, b=1.7e308)
def test_bounded_atan2(y: float, x: float, seed: float, b: float) -> None:
    found = bounded("atan2", b, [y, x], seed)
    with mpmath.workdps(DIGITS):
        square = mpf(x) ** 2 + mpf(y) ** 2 + mpf(b) ** 2
        check(found[0], mpf(seed) * x / square, SATURATED)
        check(found[1], -mpf(seed) * y / square, SATURATED)


@given(
    a=finite.map(abs),
    y=st.one_of(st.floats(-4.0, 1.0), finite).filter(lambda y: y < 1 and y != 0),
    seed=finite,
    b=bounds,
)
@example(a=0.0, y=0.5, seed=1.0, b=1.0)
@example(a=1e-200, y=-1.5, seed=1.0, b=1.0)
@example(a=1e-310, y=0.5, seed=1.0, b=1e-3)
@example(a=0.5, y=5e-324, seed=1e300, b=1e-3)
def test_bounded_real_powers(a: float, y: float, seed: float, b: float) -> None:
    found = bounded("pow", b, [a, y], seed)
    with mpmath.workdps(DIGITS):
        power = mpf(a) ** (1 - mpf(y))
        inverse = reciprocal(power, b) * y if y < 0 else reciprocal(power / y, b)
        check(found[0], mpf(seed) * inverse, SATURATED)
        if y > 0:
            check(found[1], mpf(seed) * power_to_exponent(mpf(a), mpf(y)), SATURATED)
        else:
            true = reciprocal(mpf(a) ** -mpf(y), b) * mpmath.log(a)
            check(found[1], mpf(seed) * true, SATURATED)


@given(x=finite, n=st.one_of(st.integers(-6, -1), st.integers(-2000, -1)), seed=finite, b=bounds)
@example(x=1e200, n=-1, seed=1e300, b=1.0)
@example(x=-1e-200, n=-2, seed=1.0, b=1.0)
def test_bounded_powers(x: float, n: int, seed: float, b: float) -> None:
    with mpmath.workdps(DIGITS):
        y = mpf(x) ** (1 - n)
        true = mpf(seed) * n * mpmath.sign(y) / mpmath.sqrt(y**2 + mpf(b) ** 2)
        found = gradients(lambda v: v**n, [x], seed, GradientMode.SATURATING, b)
        check(found[0], true, SATURATED)
