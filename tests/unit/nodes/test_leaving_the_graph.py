"""A node turns into a plain number only where the program says so."""

from __future__ import annotations

import cmath
import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from zeroproof import TRNode, ninf, phi, pinf, real, tr_vmap

#: By name, what would take the number of a node and lose its gradient.
CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "float": float,
    "int": int,
    "complex": complex,
    "math.sin": math.sin,
    "math.floor": math.floor,
    "math.isnan": math.isnan,
    "math.hypot": lambda x: math.hypot(1.0, x),
    "math.fsum": lambda x: math.fsum([1.0, x]),
    "cmath.exp": cmath.exp,
    "np.float64": np.float64,
    "np.array": lambda x: np.array([x], dtype=float),
    "np.array of float32": lambda x: np.array([x], dtype=np.float32),
    "np.array of int": lambda x: np.array([x], dtype=int),
    "np.array of complex": lambda x: np.array([x], dtype=complex),
    "np.asarray": lambda x: np.asarray(x, dtype=float),
    "astype": lambda x: np.array([x, x], dtype=object).astype(float),
    "np.interp": lambda x: np.interp(x, [0.0, 4.0], [0.0, 4.0]),
    "assignment": lambda x: np.zeros(2).__setitem__(0, x),
    "slice assignment": lambda x: np.zeros(2).__setitem__(slice(None), [x, x]),
    "fill": lambda x: np.zeros(2).fill(x),
    "np.full": lambda x: np.full(2, x, dtype=float),
}


@pytest.mark.parametrize("name", CONVERSIONS)
@pytest.mark.parametrize("make", [TRNode.parameter, TRNode.input])
def test_leaves_that_require_a_gradient_refuse(make: Callable[[float], TRNode], name: str) -> None:
    convert, x = CONVERSIONS[name], make(2.0)
    for node in x, x * x, x - x:
        with pytest.raises(TypeError) as raised:
            convert(node)
        for way_out in "x.value", "x.item()", "x.detach()", "tr_sin":
            assert way_out in str(raised.value)


@pytest.mark.parametrize("name", CONVERSIONS)
def test_constants_convert(name: str) -> None:
    convert, x = CONVERSIONS[name], TRNode.parameter(2.0)
    expected = convert(2.0)
    for node in TRNode.constant(2.0), x.detach(), TRNode.constant(1.0) + 1.0:
        np.testing.assert_array_equal(convert(node), expected)


def test_a_conversion_raises_what_that_of_the_float_raises() -> None:
    for node, error in (pinf(), OverflowError), (phi(), ValueError):
        with pytest.raises(error):
            int(TRNode.constant(node))
    assert int(TRNode.constant(-2.75)) == -2


@pytest.mark.parametrize("value", [real(2.5), real(-0.0), pinf(), ninf(), phi()], ids=str)
def test_ways_out(value: Any) -> None:
    x = TRNode.parameter(value)
    item = x.item()
    assert type(item) is float
    np.testing.assert_equal(item, float(value))
    assert math.copysign(1.0, item) == math.copysign(1.0, float(value))
    assert x.value == value
    np.testing.assert_equal(float(x.value), float(value))
    np.testing.assert_equal(float(x.detach()), float(value))
    with pytest.raises(TypeError, match="takes 0 arguments"):
        x.item(0)  # type: ignore[call-arg]


def test_tracers_have_no_item() -> None:
    with pytest.raises(TypeError, match="the item of a tracer is not known"):
        tr_vmap(lambda x: x * x.item())(np.array([1.0]))


def test_what_leaves_no_graph_works() -> None:
    x = TRNode.parameter(2.0)
    assert f"{x:.1f}" == "2.0"
    assert "TRNode(2.0" in f"{x}" == str(x) == repr(x)
    assert x
    assert [x == 2.0, x > 1, x <= real(1.0), x != TRNode.constant(3.0)] == [True, True, False, True]
    assert max(x, 1.0) is x
    assert sorted([x, 1.0])[0] == 1.0
    assert hash(x) == hash(x)
    assert copy.copy(x) == x
    assert np.array([x, 1.0]).dtype == object
    assert np.sign(np.array([x], dtype=object))[0] == 1


def test_a_watched_constant_refuses() -> None:
    from zeroproof import gradient_tape

    x = TRNode.constant(2.0)
    assert float(x) == 2.0
    with gradient_tape() as tape:
        tape.watch(x)
        y = x * x
    with pytest.raises(TypeError, match="requires a gradient"):
        float(y)
