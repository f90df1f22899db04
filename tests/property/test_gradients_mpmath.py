"""Gradients on REAL paths against 50 digits, for every op over the full range of doubles.

Wherever the true contribution is representable, the gradient is within ``ULPS`` units of its last
place (of the smallest subnormal below the normal range), a bounded one within ``BOUNDED_ULPS``.
Where it is larger than every double it is dropped. Operands are any doubles, and those at and next
to the landmarks of each op.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from support.landmarks import BOUNDS, SEEDS, around
from support.narrow_domains import few_examples
from support.op_case import OpCase
from support.op_cases import cases
from support.random_programs import finite
from support.truth import check_bounded, check_classical

bounds = st.one_of(st.floats(1e-3, 1e3), finite.map(abs).filter(bool))
#: Finite operands of every size, more of them where the elementary functions are not flat.
operand = st.one_of(finite, st.floats(-800.0, 800.0), st.floats(-1.0, 1.0))
#: More of them where powers are neither 0 nor beyond all doubles.
second = st.one_of(finite, st.floats(-4.0, 4.0))
bases = st.one_of(finite, st.floats(0.5, 2.0), st.floats(-1.1, -0.9))
exponents = st.one_of(
    st.integers(-8, 8), st.integers(-2000, 2000), st.integers(-(2**31) + 1, 2**31 - 1)
)


#: Of each op, whose landmarks are tried besides.


def each_of(*arities: str, singular: bool = False) -> Any:
    """Runs a test for each op of these arities, of those that may be singular if asked to."""
    chosen = [case for case in cases(*arities) if case.pole or not singular]
    return pytest.mark.parametrize("case", chosen, ids=[case.name for case in chosen])


@each_of("unary", "binary", "power", "variadic")
def test_landmarks(case: OpCase) -> None:
    checked = [check_classical(case, operands, *SEEDS) for operands in around(case)]
    assert sum(checked) >= 10


@each_of("unary", "binary", "power", singular=True)
def test_bounded_landmarks(case: OpCase) -> None:
    points = [operands for operands in around(case) if case.is_singular(*operands)]
    checked = [check_bounded(case, x, bound, *SEEDS) for x in points for bound in BOUNDS]
    assert sum(checked) >= 10 * len(BOUNDS)


@each_of("unary")
@few_examples
@given(x=operand, seed=finite)
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
@example(x=37.96617303351405, seed=34302614.13077141)  # the slope of log_ndtr is subnormal
@example(x=1.4302966531242027, seed=1.0)  # sinc is stationary next to these
@example(x=-2.4590240325, seed=-3.0)
@example(x=318309.8861837907, seed=1e10)
def test_unary_ops(case: OpCase, x: float, seed: float) -> None:
    assume(check_classical(case, (x,), seed))


@each_of("binary")
@few_examples
@given(a=finite, b=second, seed=finite)
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
def test_binary_ops(case: OpCase, a: float, b: float, seed: float) -> None:
    assume(check_classical(case, (a, b), seed))


@each_of("power")
@few_examples
@given(x=bases, n=exponents, seed=finite)
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
def test_powers(case: OpCase, x: float, n: int, seed: float) -> None:
    assume(check_classical(case, (x, n), seed))


@each_of("variadic")
@few_examples
@given(values=st.lists(operand, min_size=1, max_size=5), seed=finite)
@example(values=[5e-324, 1e-320], seed=1.0)
@example(values=[1.7e308, 1e-10], seed=1e-300)
@example(values=[0.0, -0.0], seed=-2.0)
@example(values=[0.1, 700.3], seed=1e10)
@example(values=[1e16, 1e16 + 2], seed=1.0)
@example(values=[-740.0, 0.0, -800.0], seed=1e300)
def test_reductions(case: OpCase, values: list[float], seed: float) -> None:
    assume(check_classical(case, tuple(values), seed))


@each_of("unary", singular=True)
@few_examples
@given(x=operand, seed=finite, bound=bounds)
@example(x=1.0, seed=1.0, bound=0.1)
@example(x=-1.0, seed=1.0, bound=0.1)
@example(x=-1.0 + 2.0**-53, seed=1e300, bound=1e-10)
@example(x=1.5707963267948966, seed=1.0, bound=1e-200)
def test_bounded_unary_ops(case: OpCase, x: float, seed: float, bound: float) -> None:
    assume(check_bounded(case, (x,), bound, seed))


@each_of("binary", singular=True)
@few_examples
@given(a=finite, b=second, seed=finite, bound=bounds)
@example(a=1e-200, b=1e-200, seed=1.0, bound=1e-200)
@example(a=1e300, b=1e300, seed=1e300, bound=1.0)
@example(a=1.0, b=1.7e308, seed=1e308, bound=1.7e308)
@example(a=1.0, b=5e-324, seed=1e-320, bound=5e-324)
@example(a=5e-324, b=0.0, seed=1e-300, bound=5e-324)
@example(a=1.7e308, b=1.7e308, seed=1e308, bound=1.7e308)
@example(a=0.0, b=0.5, seed=1.0, bound=1.0)
@example(a=1e-200, b=-1.5, seed=1.0, bound=1.0)
@example(a=1e-310, b=0.5, seed=1.0, bound=1e-3)
@example(a=0.5, b=5e-324, seed=1e300, bound=1e-3)
def test_bounded_binary_ops(case: OpCase, a: float, b: float, seed: float, bound: float) -> None:
    assume(check_bounded(case, (a, b), bound, seed))


@each_of("power", singular=True)
@few_examples
@given(
    x=finite, n=st.one_of(st.integers(-6, -1), st.integers(-2000, -1)), seed=finite, bound=bounds
)
@example(x=1e200, n=-1, seed=1e300, bound=1.0)
@example(x=-1e-200, n=-2, seed=1.0, bound=1.0)
def test_bounded_powers(case: OpCase, x: float, n: int, seed: float, bound: float) -> None:
    assume(check_bounded(case, (x, n), bound, seed))


def test_no_reduction_is_singular() -> None:
    assert [case.name for case in cases("variadic") if case.pole] == []
