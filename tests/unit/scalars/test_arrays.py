"""Operators between TR values and NumPy arrays work element by element, without a warning."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from zeroproof import TRNode, TRScalar, from_ieee, ninf, phi, pinf, real

ARITHMETIC = [operator.add, operator.sub, operator.mul, operator.truediv, operator.mod]
COMPARISONS = [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]
ARRAYS = [
    np.array([0.0, -1.0, np.inf, np.nan]),
    from_ieee(np.array([[0.0, 2.0], [np.nan, -np.inf]])),
]


@pytest.mark.parametrize("array", ARRAYS, ids=["doubles", "objects"])
@pytest.mark.parametrize("value", [real(2.0), real(0.0), pinf(), phi()], ids=str)
@pytest.mark.parametrize("apply", ARITHMETIC)
def test_arithmetic(apply: Callable[..., Any], value: TRScalar, array: Any) -> None:
    right, left = apply(value, array), apply(array, value)
    assert right.shape == left.shape == array.shape
    for element, a, b in zip(array.flat, right.flat, left.flat):
        assert a == apply(value, TRScalar(element))
        assert b == apply(TRScalar(element), value)


@pytest.mark.parametrize("array", ARRAYS, ids=["doubles", "objects"])
@pytest.mark.parametrize("apply", COMPARISONS)
def test_comparisons(apply: Callable[..., Any], array: Any) -> None:
    for value in real(0.0), phi(), ninf():
        expected = [bool(apply(value, TRScalar(element))) for element in array.flat]
        assert apply(value, array).ravel().tolist() == expected


def test_nodes() -> None:
    x = TRNode.parameter(2.0)
    products = np.array([3.0, 4.0]) * x
    assert [p.item() for p in products] == [6.0, 8.0]
    (products[0] * products[1]).backward()
    assert x.gradient == 48.0


def test_numbers_that_a_double_does_not_hold_are_compared_exactly() -> None:
    assert real(2.0**53) != 2**53 + 1
    assert real(2.0**53) < 2**53 + 1
    assert pinf() != 10**400
    assert pinf() > 10**400
    assert phi() == np.float32("nan")
