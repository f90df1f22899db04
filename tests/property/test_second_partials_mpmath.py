"""Second derivatives of every op against 60 digits, over the full range of doubles.

Wherever an entry times adjoint and direction is representable, both products, with the Jacobian of
the gradient and with its transpose, are within ``ULPS`` units of the last place, with bounded
partials within ``BOUNDED_ULPS``. What is larger than every double is dropped, and the status says
so.
"""

from __future__ import annotations

import math
from typing import Any, Optional

import mpmath
import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from mpmath import mpf

from support.gradients import DROPPED, EXACT, SATURATED, mode_block
from support.landmarks import around
from support.narrow_domains import few_examples
from support.op_case import DIGITS, OpCase, exact
from support.op_cases import CASES, cases
from support.random_programs import finite
from support.second_partials import by_differences, explicit_names, second_partials
from support.truth import surely_within
from zeroproof import _native
from zeroproof.autodiff.grad_mode import GradientMode
from zeroproof.autodiff.tr_node import TRNode

# Four factors within an ulp, and a rounding for each of the two weights.
ULPS = 6
# √(y² + b²) is within 1.5, and enters up to four times.
BOUNDED_ULPS = 10
LARGEST = mpf(1.7976931348623157e308)
BELOW, BEYOND = LARGEST * (1 - mpf(2) ** -50), LARGEST * (1 + mpf(2) ** -50)

#: Adjoints and directions that take an entry to both ends of the range, and bring it back.
WEIGHTS = [(1.0, 1.0), (-3.0, 1.0), (1e160, -2.0), (1e-310, 1e300), (1e300, 1e308), (5e-324, 1.0)]
BOUNDS = [1.0, 1e-3, 1e3, 1e-160, 1e160]

bounds = st.one_of(st.floats(1e-3, 1e3), finite.map(abs).filter(bool))
operand = st.one_of(finite, st.floats(-800.0, 800.0), st.floats(-1.0, 1.0))
second = st.one_of(finite, st.floats(-4.0, 4.0))
bases = st.one_of(finite, st.floats(0.5, 2.0), st.floats(-1.1, -0.9))
exponents = st.one_of(st.integers(-8, 8), st.integers(-2000, 2000))


#: Of each op; an example is tried in every direction, for both products and all entries.


def each_of(*arities: str, singular: bool = False) -> Any:
    """Runs a test for each op of these arities, of those that may be singular if asked to."""
    chosen = [case for case in cases(*arities) if case.pole or not singular]
    return pytest.mark.parametrize("case", chosen, ids=[case.name for case in chosen])


def check(
    case: OpCase,
    operands: tuple[float, ...],
    weights: list[tuple[float, float]],
    bound: Optional[float] = None,
) -> bool:
    """Every entry at these operands; False unless operands and value are REAL and inside."""
    if not math.isfinite(case.value(*operands)):
        return False
    if bound is not None and not case.is_singular(*operands):
        return False
    matrix = second_partials(case, operands, bound)
    if matrix is None:
        return False
    with mpmath.workdps(DIGITS):
        numbers = map(exact, operands)
        if bound is None:
            partials = case.partials(*numbers)
        else:
            assert case.pole is not None
            partials = case.pole.bounded(bound, *numbers)
    function, values = case.on_nodes(operands)
    leaves = [TRNode.parameter(x) for x in values]
    mode = GradientMode.MASK_REAL if bound is None else GradientMode.SATURATING
    usual = EXACT if bound is None else SATURATED
    limit = ULPS if bound is None else BOUNDED_ULPS
    with mode_block(mode, bound):
        root = function(*leaves)
        for adjoint, tangent in weights:
            seed = TRNode.constant(adjoint)
            for place in range(len(values)):
                direction = [0.0] * len(values)
                direction[place] = tangent
                for transposed in (False, True):
                    _, found = _native.hvp(root, leaves, direction, transposed, seed)
                    for other in range(len(values)):
                        i, j = (place, other) if transposed else (other, place)
                        if abs(adjoint * partials[i]) > BELOW:
                            continue  # dropped by first order, and so a constant
                        entry = found[other]
                        assert entry is not None
                        true = mpf(adjoint) * mpf(tangent) * matrix[i][j]
                        number, status = float(entry[0]), entry[1]
                        if surely_within(number, true, limit):
                            assert status & ~DROPPED == usual
                        elif abs(true) > BEYOND:
                            assert (number, status) == (0.0, usual | DROPPED)
                        elif abs(true) <= BELOW:
                            assert status & ~DROPPED == usual
                            unit = mpf(math.ulp(float(abs(true))))
                            error = abs(mpf(number) - true)
                            assert error <= limit * unit, (i, j, number, float(true))
    return True


@pytest.mark.parametrize("name", explicit_names())
@pytest.mark.parametrize("bound", [None, 0.01, 2.0])
def test_formulas_of_the_reference_are_its_differences(name: str, bound: Optional[float]) -> None:
    case = CASES[name]
    points = [(a, b) for a in (0.3, 1.0, 7.0) for b in (-2.5, -0.75, 0.5, 3.0)]
    compared = 0
    for point in points if bound is None or case.pole else []:
        if bound is not None and not case.is_singular(*point):
            continue
        if not math.isfinite(case.value(*point)):
            continue
        found, expected = second_partials(case, point, bound), by_differences(case, point, bound)
        assert found is not None
        assert expected is not None
        for row, other in zip(found, expected):
            for mine, theirs in zip(row, other):
                assert abs(mine - theirs) <= 1e-40 * (1 + abs(theirs)), (point, row, other)
        compared += 1
    assert compared >= 6 or (bound is not None and not case.pole)


@each_of("unary", "binary", "power", "variadic")
def test_landmarks(case: OpCase) -> None:
    checked = [check(case, operands, WEIGHTS) for operands in around(case)]
    assert sum(checked) >= 10


@each_of("unary", "binary", "power", singular=True)
def test_bounded_landmarks(case: OpCase) -> None:
    points = list(around(case))[::3]
    checked = [check(case, x, WEIGHTS[:4], bound) for x in points for bound in BOUNDS]
    assert sum(checked) >= 10


@each_of("unary")
@few_examples
@given(x=operand, adjoint=finite, tangent=finite)
@example(x=-750.0, adjoint=1e300, tangent=1e20)
@example(x=-708.5, adjoint=-1e-5, tangent=1.0)
@example(x=400.0, adjoint=1.0, tangent=1.0)
@example(x=5e-324, adjoint=1e300, tangent=1e300)
@example(x=1.7e308, adjoint=1.7e308, tangent=1.7e308)
@example(x=1e-310, adjoint=1e300, tangent=1.0)
@example(x=-1.0 + 2.0**-53, adjoint=1.0, tangent=1.0)
@example(x=0.6626153715294118, adjoint=1.0, tangent=1.0)  # sinc does not bend next to these
@example(x=2.0815759778181, adjoint=1.0, tangent=1.0)  # and sin u ÷ u not next to these
@example(x=2.606083900, adjoint=1.0, tangent=1.0)
@example(x=318309.8861837907, adjoint=1e10, tangent=1.0)
@example(x=1e22, adjoint=3.0, tangent=1.0)
def test_unary_ops(case: OpCase, x: float, adjoint: float, tangent: float) -> None:
    assume(check(case, (x,), [(adjoint, tangent)]))


@each_of("binary")
@few_examples
@given(a=finite, b=second, adjoint=finite, tangent=finite)
@example(a=1e-200, b=1e-200, adjoint=1.0, tangent=1.0)
@example(a=1e200, b=1e200, adjoint=1e-200, tangent=1.0)
@example(a=1.7e308, b=2.0, adjoint=1e-300, tangent=1e300)
@example(a=0.36787944117144233, b=1.0, adjoint=1.0, tangent=1.0)  # 1 + b·ln a is all but 0
@example(a=1e-300, b=0.0014476482730108395, adjoint=1.0, tangent=1.0)
@example(a=1.0000001, b=-10000000.5, adjoint=1.0, tangent=1.0)
@example(a=2.0, b=-1074.0, adjoint=1e300, tangent=1.0)
@example(a=1e-320, b=-1e-320, adjoint=1e-310, tangent=1.0)
def test_binary_ops(case: OpCase, a: float, b: float, adjoint: float, tangent: float) -> None:
    assume(check(case, (a, b), [(adjoint, tangent)]))


@each_of("power")
@few_examples
@given(x=bases, n=exponents, adjoint=finite, tangent=finite)
@example(x=1e-150, n=4, adjoint=1e200, tangent=1e200)
@example(x=1e-200, n=-1, adjoint=1e-200, tangent=1e-200)
@example(x=0.5, n=1076, adjoint=1e300, tangent=1.0)
@example(x=0.0, n=2, adjoint=1.0, tangent=1.0)
@example(x=0.0, n=3, adjoint=1.0, tangent=1.0)
def test_powers(case: OpCase, x: float, n: int, adjoint: float, tangent: float) -> None:
    assume(check(case, (x, n), [(adjoint, tangent)]))


@each_of("variadic")
@few_examples
@given(values=st.lists(operand, min_size=1, max_size=4), adjoint=finite, tangent=finite)
@example(values=[1.7e308, 1e-10], adjoint=1e300, tangent=1e308)
@example(values=[5e-324, 1e-320], adjoint=1.0, tangent=1.0)
@example(values=[0.1, 700.3], adjoint=1e10, tangent=1e300)
@example(values=[1e16, 1e16 + 2], adjoint=1.0, tangent=1.0)
@example(values=[-740.0, 0.0, -800.0], adjoint=1e300, tangent=1e300)
@example(values=[0.0, 0.0, 3.0], adjoint=1.0, tangent=1.0)
def test_reductions(case: OpCase, values: list[float], adjoint: float, tangent: float) -> None:
    assume(check(case, tuple(values), [(adjoint, tangent)]))


@each_of("unary", "binary", singular=True)
@few_examples
@given(a=operand, b=second, adjoint=finite, tangent=finite, bound=bounds)
@example(a=1e-200, b=1e-200, adjoint=1.0, tangent=1.0, bound=1e-200)
@example(a=1e300, b=1e300, adjoint=1e300, tangent=1.0, bound=1.0)
@example(a=-1.0 + 2.0**-53, b=1.0, adjoint=1e300, tangent=1.0, bound=1e-10)
def test_bounded_ops(
    case: OpCase, a: float, b: float, adjoint: float, tangent: float, bound: float
) -> None:
    operands = (a,) if case.arity == "unary" else (a, b)
    assume(check(case, operands, [(adjoint, tangent)], bound))


@pytest.mark.parametrize("offset", [0.0, *(2.0**-k for k in (50, 40, 30, 20, 15, 10, 5, 2))])
@pytest.mark.parametrize("bound", [0.01, 0.3, 1.0, 40.0])
@pytest.mark.parametrize("b", [-0.25, -0.5, -1.7, -3.9])
def test_bounded_real_powers_next_to_roots_of_an_entry(
    b: float, bound: float, offset: float
) -> None:
    (case,) = [case for case in cases("binary") if case.name == "pow"]
    for exponent in (1 - b, -b):  # of y in the entries ab and ba

        def entry(a: mpf, exponent: float = exponent) -> mpf:
            y = a ** mpf(exponent)
            return 1 + b * mpmath.log(a) * y**2 / (y**2 + mpf(bound) ** 2)

        with mpmath.workdps(DIGITS):
            root = float(mpmath.findroot(entry, (1, mpf(10) ** 9), solver="anderson", tol=1e-60))
        assert check(case, (root * (1 + offset), b), [(1.0, 1.0), (1e300, 1e-200)], bound)


def root_of_mixed_entry(b: float, bound: float, n: int) -> Optional[float]:
    """The double next to where ``1 + b·ln a·y²/(y² + s²)`` is 0 for ``y = a^(n − b)``, b < 0."""
    with mpmath.workdps(60):

        def rises(a: Any) -> bool:
            y = a ** (n - mpf(b))
            return bool(1 + mpf(b) * mpmath.log(a) * y**2 / (y**2 + mpf(bound) ** 2) > 0)

        low, high = mpf(1), mpf(10) ** 300
        if rises(high):
            return None
        for _ in range(70):  # the range of exponents first
            middle = mpmath.sqrt(low * high)
            low, high = (middle, high) if rises(middle) else (low, middle)
        for _ in range(80):
            middle = (low + high) / 2
            low, high = (middle, high) if rises(middle) else (low, middle)
        return float(low)


#: Bases from next to 1 up to 1e300 have roots with these.
EXPONENTS = (-0.003, -0.04, -0.7, -1.5, -3.0, -40.0, -900.0)
DISTANCES = (0.0, *(2.0**-k for k in (50, 45, 40, 30, 20, 15, 10, 8, 6, 5, 4, 3, 2, 1)))


@pytest.mark.parametrize("n", [0, 1])
@pytest.mark.parametrize("bound", BOUNDS)
def test_roots_of_bounded_powers(bound: float, n: int) -> None:
    (pow_case,) = (case for case in cases("binary") if case.name == "pow")
    roots = [(b, root_of_mixed_entry(b, bound, n)) for b in EXPONENTS]
    # With a small exponent and a large bound they are out of range.
    assert sum(root is not None for _, root in roots) >= len(roots) - 2
    for b, root in roots:
        if root is None:
            continue
        near = {root * (1 + sign * d) for d in DISTANCES for sign in (1, -0.5)}
        near.add(float(np.nextafter(root, 0.0)))
        checked = [check(pow_case, (a, b), [(1.0, 1.0)], bound) for a in near]
        assert sum(checked) >= 10


@given(b=st.floats(-5.0, -0.01), bound=bounds, n=st.integers(0, 1), distance=st.floats(-0.5, 0.5))
def test_near_roots_of_bounded_powers(b: float, bound: float, n: int, distance: float) -> None:
    (pow_case,) = (case for case in cases("binary") if case.name == "pow")
    root = root_of_mixed_entry(b, bound, n)
    assume(root is not None)
    assert root is not None
    for near in (root, root * (1 + distance**3), root * (1 + distance**9)):
        assume(check(pow_case, (near, b), [(1.0, 1.0)], bound))


@each_of("power", singular=True)
@few_examples
@given(x=finite, n=st.integers(-20, -1), adjoint=finite, tangent=finite, bound=bounds)
@example(x=1e200, n=-1, adjoint=1e300, tangent=1.0, bound=1.0)
def test_bounded_powers(
    case: OpCase, x: float, n: int, adjoint: float, tangent: float, bound: float
) -> None:
    assume(check(case, (x, n), [(adjoint, tangent)], bound))
