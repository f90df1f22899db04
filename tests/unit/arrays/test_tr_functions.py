"""The functions ``tr_NAME`` of arrays of TR values: what they are of each element, to the bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import zeroproof as zp
from zeroproof import TRArray, TRNode, TRScalar, tr_vmap
from zeroproof.autodiff import OpType

VALUES = [0.0, -0.0, 1.0, -2.5, 3.0, 1e300, 5e-324, np.inf, -np.inf, np.nan]
LEAVES = {"constant", "parameter", "input", "gradient", "gradients"}
NO_FUNCTIONS = LEAVES | {"where", "sum", "mean", "norm", "logsumexp"}
NAMES = [op.name.lower() for op in OpType]
ELEMENTWISE = [
    name for name in NAMES if name not in NO_FUNCTIONS | {"max", "min", "prod", "pow_int"}
]


def same(found: Any, expected: list[Any]) -> bool:
    """Whether an array has these elements to the bit, all NaNs being one."""
    doubles = np.array([float(item) for item in expected])
    return (
        isinstance(found, TRArray)
        and np.array_equal(
            found.to_ieee().ravel().view(np.int64)[~np.isnan(doubles)],
            doubles.view(np.int64)[~np.isnan(doubles)],
        )
        and np.array_equal(np.isnan(found.to_ieee().ravel()), np.isnan(doubles))
    )


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_each_operation(name: str) -> None:
    function: Callable[..., Any] = getattr(zp, f"tr_{name}")
    array = TRArray(VALUES)
    try:
        expected = [function(a) for a in VALUES]
    except TypeError:
        for other in VALUES:
            assert same(function(array, other), [function(a, other) for a in VALUES])
            assert same(function(other, array), [function(other, b) for b in VALUES])
    else:
        assert same(function(array), expected)


@pytest.mark.parametrize("n", [-3, 0, 2])
def test_powers(n: int) -> None:
    assert same(zp.tr_pow_int(TRArray(VALUES), n), [zp.tr_pow_int(a, n) for a in VALUES])


def test_shapes_are_broadcast() -> None:
    rows, column = TRArray([[1.0, 2.0, 3.0]]), [[0.0], [np.inf]]
    found = zp.tr_div(rows, column)
    assert found.shape == (2, 3)
    assert same(found, [zp.tr_div(a, b) for b in (0.0, np.inf) for a in (1.0, 2.0, 3.0)])
    with pytest.raises(ValueError, match="shape"):
        zp.tr_add(rows, [1.0, 2.0])


def test_composed_functions() -> None:
    array = TRArray(VALUES)
    assert same(zp.tr_clip(array, -1.0, 2.0), [zp.tr_clip(a, -1.0, 2.0) for a in VALUES])
    assert same(zp.tr_polyval([2.0, 1.0], array), [zp.tr_polyval([2.0, 1.0], a) for a in VALUES])


@pytest.mark.parametrize(
    "name", ["less", "less_equal", "greater", "greater_equal", "equal", "is_real", "is_phi"]
)
def test_conditions(name: str) -> None:
    function: Callable[..., Any] = getattr(zp, f"tr_{name}")
    others = () if name.startswith("is_") else (1.0,)
    found = function(TRArray(VALUES), *others)
    assert found.dtype == np.bool_
    assert found.tolist() == [function(a, *others) for a in VALUES]


def test_choices() -> None:
    array = TRArray(VALUES)
    holds = zp.tr_less(array, 1.0)
    assert same(zp.tr_where(holds, array, 7.0), [a if a < 1.0 else 7.0 for a in VALUES])
    assert same(zp.tr_where(True, array, 7.0), VALUES)


def test_nodes_among_the_operands_give_nodes() -> None:
    x = TRNode.parameter(2.0)
    found = zp.tr_mul(x, TRArray([1.0, np.inf]))
    assert [type(item) for item in found] == [TRNode, TRNode]
    zp.tr_where([True, False], found, TRArray([0.0, 3.0]))[0].backward()
    assert x.gradient == 1.0


def test_in_a_trace_the_array_is_a_constant() -> None:
    array = TRArray([1.0, 2.0])
    found = tr_vmap(lambda x: zp.tr_sum(zp.tr_mul(x, array)))(np.array([1.0, 5.0]))
    assert found.to_ieee().tolist() == [3.0, 15.0]


def test_what_is_no_operand() -> None:
    array = TRArray(VALUES)
    for call, match in [
        (lambda: zp.tr_add(array, "x"), "tr_add: .*not str"),
        (lambda: zp.tr_and(array, True), "takes conditions"),
        (lambda: zp.tr_where(array, 1.0, 2.0), "expected a condition"),
        (lambda: zp.tr_pow_int(array, 0.5), "integer"),
    ]:
        with pytest.raises(TypeError, match=match):
            call()


def test_without_axes_it_is_a_scalar() -> None:
    assert type(zp.tr_sqrt(TRArray(4.0))) is TRScalar
