"""An array of no dimensions that holds a node is that node: NumPy makes such arrays in passing."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import zeroproof
from zeroproof import (
    GradientStatus,
    ReductionMode,
    TRNode,
    phi,
    real,
    tr_and,
    tr_equal,
    tr_grad,
    tr_is_phi,
    tr_is_real,
    tr_less,
    tr_not,
    tr_or,
    tr_vmap,
    tr_where,
)
from zeroproof.autodiff import tr_ops_grad

Function = Callable[[Any], Any]


def boxed(x: Any) -> Any:
    """The object in an array of no dimensions."""
    array = np.empty((), dtype=object)
    array[()] = x
    return array


#: By name, a function of one number and its derivative at 3.
FUNCTIONS: dict[str, tuple[Function, float]] = {
    "polyval": (lambda x: np.polyval([1.0, 2.0, 3.0], x), 8.0),
    "quotient of polyvals": (
        lambda x: np.polyval([1.0, 0.0], x) / np.polyval([1.0, -1.0], x),
        -0.25,
    ),
    "where": (lambda x: x * np.where(True, x, 0.0), 6.0),
    "select": (lambda x: x * np.select([True], [x]), 6.0),
    "squeeze": (lambda x: x * np.squeeze(np.array([x], dtype=object)), 6.0),
    "x + [x]": (lambda x: x + boxed(x), 2.0),
    "[x] + x": (lambda x: boxed(x) + x, 2.0),
    "x - [2 x]": (lambda x: x - boxed(2.0 * x), -1.0),
    "[2 x] - x": (lambda x: boxed(2.0 * x) - x, 1.0),
    "x * [x]": (lambda x: x * boxed(x), 6.0),
    "[x] * x": (lambda x: boxed(x) * x, 6.0),
    "1 / [x] * x * x": (lambda x: (x * x) / boxed(x), 1.0),
    "real * [x]": (lambda x: real(2.0) * boxed(x), 2.0),
    "[x] * real": (lambda x: boxed(x) * real(2.0), 2.0),
    "x ** [2.0]": (lambda x: x ** boxed(2.0), 6.0),
    "2.0 ** [x]": (lambda x: real(2.0) ** boxed(x), 8.0 * np.log(2.0)),
    "-[x]": (lambda x: -boxed(x) + 0.0 * x, -1.0),
    "tr_log": (lambda x: zeroproof.tr_log(boxed(x)), 1.0 / 3.0),
    "tr_pow_int": (lambda x: zeroproof.tr_pow_int(boxed(x), 2), 6.0),
    "tr_mul, left": (lambda x: zeroproof.tr_mul(boxed(x), x), 6.0),
    "tr_mul, right": (lambda x: zeroproof.tr_mul(x, boxed(x)), 6.0),
    "tr_div of a number": (lambda x: zeroproof.tr_div(9.0, boxed(x)), -1.0),
    "lifted tr_log": (lambda x: tr_ops_grad.tr_log(boxed(x)), 1.0 / 3.0),
    "lifted tr_mul": (lambda x: tr_ops_grad.tr_mul(boxed(2.0), boxed(x)), 2.0),
    "lifted tr_pow_int": (lambda x: tr_ops_grad.tr_pow_int(boxed(x), 2), 6.0),
    "tr_sum": (lambda x: zeroproof.tr_sum([x, boxed(x)]), 2.0),
    "tr_prod": (lambda x: zeroproof.tr_prod([boxed(x), x, boxed(2.0)]), 12.0),
    "tr_norm": (lambda x: zeroproof.tr_norm([x, boxed(x)]), 2.0**0.5),
    "tr_max": (lambda x: zeroproof.tr_maximum(1.0, boxed(x)), 1.0),
    "lifted tr_sum": (lambda x: tr_ops_grad.tr_sum([boxed(x), 1.0]), 1.0),
    "tr_sum without Φ": (
        lambda x: zeroproof.tr_sum([boxed(x), boxed(phi())], ReductionMode.DROP_NULL),
        1.0,
    ),
    "tr_where, taken": (lambda x: tr_where(True, boxed(x), 0.0) * x, 6.0),
    "tr_where, not taken": (lambda x: tr_where(boxed(False), 0.0, boxed(x)) * x, 6.0),
    "tr_where by a comparison": (lambda x: tr_where(tr_less(boxed(x), 5.0), x, boxed(0.0)), 1.0),
    "tr_where by conditions": (
        lambda x: tr_where(
            tr_and(boxed(tr_is_real(boxed(x))), tr_not(boxed(tr_is_phi(x)))), boxed(x), 0.0
        ),
        1.0,
    ),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_gradient_flows(name: str) -> None:
    f, expected = FUNCTIONS[name]
    x = TRNode.parameter(3.0)
    y = f(x)
    assert isinstance(y, TRNode)
    y.backward()
    assert x.gradient is not None
    assert x.gradient.value == pytest.approx(expected, rel=1e-15)
    assert x.gradient_status == GradientStatus.EXACT


@pytest.mark.parametrize("name", FUNCTIONS)
def test_batches_give_the_same_bits(name: str) -> None:
    f, _ = FUNCTIONS[name]
    x = TRNode.parameter(3.0)
    y = f(x)
    y.backward()
    values, gradients = tr_vmap(f).value_and_grad(np.array([3.0]))[:2]
    assert x.gradient is not None
    assert (values.to_ieee()[0], gradients[0]) == (y.item(), x.gradient.value)


@pytest.mark.parametrize(
    "compare",
    [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge],
)
@pytest.mark.parametrize("other", [2.0, 3.0, 4.0])
def test_comparisons(compare: Callable[..., Any], other: float) -> None:
    x, y = TRNode.parameter(3.0), TRNode.parameter(other)
    expected = compare(3.0, other)
    for a, b in (x, boxed(y)), (boxed(x), y), (x, boxed(other)), (real(3.0), boxed(y)):
        found = compare(a, b)
        assert isinstance(found, (bool, np.bool_))
        assert found == expected
    assert tr_equal(boxed(x), boxed(other)) is (other == 3.0)


def test_conditions() -> None:
    for yes in boxed(True), np.asarray(True), boxed(np.True_), np.True_:
        assert tr_or(False, yes) is True
        assert tr_where(yes, 1.0, 2.0) == 1.0
    for no_condition in boxed(1), np.asarray(1), np.array([1.0]), boxed(TRNode.constant(1.0)):
        with pytest.raises(TypeError, match="expected a condition"):
            tr_not(no_condition)


def test_seeds_and_leaves() -> None:
    x, two = TRNode.parameter(3.0), TRNode.parameter(2.0)
    (x * x).backward(boxed(two))
    assert x.gradient == 12.0
    for make in TRNode.parameter, TRNode.input, TRNode.constant:
        assert make(boxed(two)).value == 2.0
        assert make(boxed(two)) is not two


def test_derivatives_of_derivatives() -> None:
    assert tr_grad(lambda x: boxed(x) * x * boxed(x))(TRNode.parameter(3.0)) == 27.0


def test_a_node_in_an_array_is_no_number() -> None:
    for function in real, zeroproof.TRScalar, zeroproof.from_ieee:
        with pytest.raises(TypeError):
            function(boxed(TRNode.parameter(3.0)))


@pytest.mark.parametrize(
    "array",
    [
        boxed(boxed(TRNode.constant(1.0))),
        np.ma.masked_array(boxed(TRNode.constant(1.0)), True),
        boxed("1"),
        boxed(None),
        boxed(1j),
    ],
    ids=["array in an array", "masked", "text", "None", "complex"],
)
def test_what_holds_no_operand_is_refused(array: Any) -> None:
    x = TRNode.parameter(3.0)
    for function in (
        lambda: zeroproof.tr_mul(x, array),
        lambda: tr_ops_grad.tr_mul(x, array),
        lambda: zeroproof.tr_sum([x, array]),
        lambda: tr_where(True, array, x),
        lambda: tr_less(x, array),
        lambda: x.backward(array),
        lambda: TRNode.parameter(array),
    ):
        with pytest.raises(TypeError):
            function()


class Number:
    """A number that, when it is asked for, has an array hold something else."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __float__(self) -> float:
        self.array[()] = None
        for _ in range(100):
            TRNode.parameter(7.0)
        return 2.0


@pytest.mark.parametrize(
    "apply", [zeroproof.tr_mul, tr_ops_grad.tr_mul, lambda a, b: zeroproof.tr_prod([a, b])]
)
def test_what_an_array_held_lives_as_long_as_it_is_used(apply: Callable[..., Any]) -> None:
    array = boxed(TRNode.parameter(3.0))
    assert apply(array, Number(array)) == 6.0
    assert array[()] is None
