"""NumPy on arrays of nodes and TR scalars: loops over objects, arrays with nodes, ``out=``."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import zeroproof as zp
from support.numpy_functions import BINARY, UNARY, umath
from support.values import SPECIALS, same
from zeroproof import TRNode, TRScalar, from_ieee, phi, real

KINDS = [TRScalar, TRNode.parameter]
VALUES = [*SPECIALS, 0.3, -2.5]
#: NumPy's loops over objects call the functions of this name in the module math.
OF_MATH = ["floor", "ceil", "trunc"]


@pytest.fixture(autouse=True)
def raising() -> Iterator[None]:
    """NumPy raises for every flag."""
    with np.errstate(all="raise"):
        yield


def objects(items: list[Any]) -> Any:
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array


def value(x: Any) -> float:
    return x.item() if isinstance(x, TRNode) else float(x)


class Asked:
    """Notes which methods NumPy's loops call on the elements of arrays."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self.names.append(name)
        return lambda *_: self


def methods_of_loops() -> set[str]:
    names: set[str] = set()
    for found in vars(umath).values():
        if isinstance(found, np.ufunc) and any("O" in types for types in found.types):
            asked = Asked()
            try:
                found(*[objects([asked])] * found.nin)
            except (TypeError, ValueError):
                continue
            names |= set(asked.names)
    return names


class TestMethods:
    def test_they_are_those_that_numpy_calls(self) -> None:
        called = methods_of_loops()
        assert len(called) > 25
        # Integers, a function without a counterpart, and conditions.
        others = {"bit_count", "fmod", "logical_xor"}
        for kind in TRNode, TRScalar, zp._native.Tracer:
            assert {name for name in called - others if not hasattr(kind, name)} == set()
            assert not any(hasattr(kind, name) for name in others)

    @pytest.mark.parametrize("kind", KINDS)
    def test_each_is_the_function(self, kind: Any) -> None:
        names = [name for name in UNARY if hasattr(TRNode, name)]
        assert len(names) > 25
        for name in names:
            for x in map(kind, VALUES):
                found = getattr(x, name)()
                assert type(found) is kind if kind is TRScalar else TRNode
                assert same(found, UNARY[name](x)), name
        for name in "hypot", "arctan2":
            for x in map(kind, VALUES):
                assert same(getattr(x, name)(0.5), BINARY[name](x, 0.5))
                assert [same(z, BINARY[name](x, 0.5)) for z in getattr(x, name)([0.5])] == [True]

    def test_documented_and_counted(self) -> None:
        x = TRNode.parameter(0.5)
        assert "sin a" in (TRNode.sin.__doc__ or "")
        with pytest.raises(TypeError):
            x.sin(1.0)  # type: ignore[call-arg]
        with pytest.raises(TypeError):
            x.hypot()  # type: ignore[call-arg]

    def test_clip_and_round(self) -> None:
        x, out = TRNode.parameter(2.5), np.empty((), dtype=object)
        assert same(x.clip(0.0, 1.0), 1.0)
        assert same(x.clip(max=1.0), 1.0)
        assert x.clip() is x
        assert x.clip(0.0, 1.0, out) is out
        assert same(out[()], 1.0)
        assert same(x.round(), 2.0)
        assert same(x.round(1, out)[()], 2.5)


@pytest.mark.parametrize("kind", KINDS)
class TestLoops:
    @pytest.mark.parametrize("name", [n for n in UNARY if hasattr(TRNode, n) and n not in OF_MATH])
    def test_unary(self, kind: Any, name: str) -> None:
        array = objects([kind(x) for x in VALUES])
        found = getattr(np, name)(array)
        for z, x in zip(found, array):
            assert type(z) is type(x)
            assert same(z, UNARY[name](x))

    def test_binary(self, kind: Any) -> None:
        a, b = objects([kind(x) for x in VALUES]), objects([kind(x) for x in VALUES[::-1]])
        for name in "hypot", "arctan2", "add", "power", "remainder":
            for z, x, y in zip(getattr(np, name)(a, b), a, b):
                assert same(z, BINARY[name](x, y))

    def test_statistics(self, kind: Any) -> None:
        numbers = np.array([1.0, 2.0, 4.0, 8.0])
        array = objects([kind(x) for x in numbers])
        for function in np.sum, np.prod, np.mean, np.var, np.std, np.linalg.norm, np.ptp:
            assert value(function(array)) == pytest.approx(function(numbers), rel=1e-15)
        for function in np.mean, np.std, np.linalg.norm:
            found = function(array.reshape(2, 2), axis=0)
            expected = function(numbers.reshape(2, 2), axis=0)
            assert [*map(value, found)] == pytest.approx(expected.tolist(), rel=1e-15)

    def test_order_loses_phi_and_the_functions_here_keep_it(self, kind: Any) -> None:
        array = objects([kind(np.nan), kind(1.0)])
        assert value(np.maximum(array, 0.0)[0]) == 0.0  # as Φ >= 0 is false
        assert zp.tr_max(array) == phi()
        assert [zp.is_phi(z) for z in zp.tr_maximum(array, 0.0)] == [True, False]
        assert [zp.is_phi(z) for z in zp.tr_clip(array, 0.0, 0.5)] == [True, False]
        with pytest.raises(TypeError, match="unorderable"):
            np.sign(array)


@pytest.mark.parametrize("name", OF_MATH)
def test_what_numpy_gives_to_the_math_module_is_refused(name: str) -> None:
    with pytest.raises(TypeError):
        getattr(np, name)(objects([TRNode.parameter(1.5)]))


def test_gradients_through_loops() -> None:
    x = [TRNode.parameter(v) for v in (3.0, 4.0)]
    np.linalg.norm(x).backward()
    assert [value(node.gradient) for node in x] == pytest.approx([0.6, 0.8], rel=1e-15)
    y = TRNode.parameter(0.0)
    np.sum(np.sqrt(objects([y, y + 4.0]))).backward()
    assert (y.gradient, y.gradient_status) == (0.25, zp.GradientStatus.DROPPED)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", BINARY)
def test_arrays_of_numbers_and_of_objects(name: str, kind: Any) -> None:
    function, expected = getattr(np, name), BINARY[name]
    numbers = np.array([[-np.inf, -1.5, 0.0], [2.0, np.inf, np.nan]])
    x = kind(0.5)
    for array in numbers, from_ieee(numbers), numbers.T, numbers.tolist(), np.arange(3), 2.0:
        elements = np.asarray(array)
        for found, order in (function(array, x), False), (function(x, array), True):
            assert np.shape(found) == elements.shape
            for z, element in zip(np.ravel(found), elements.flat):
                a, b = (x, element) if order else (element, x)
                assert type(z) is (TRNode if kind is not TRScalar else TRScalar)
                assert same(z, expected(a, b)), (name, element)


COMPARISONS = [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("apply", COMPARISONS)
def test_comparisons_with_arrays(apply: Callable[..., Any], kind: Any) -> None:
    numbers, x = np.array([0.0, 0.5, np.nan]), kind(0.5)
    for array in numbers, from_ieee(numbers):
        expected = [bool(apply(TRScalar(element), 0.5)) for element in numbers]
        assert apply(array, x).tolist() == expected
        assert apply(array, x).dtype == bool
    assert np.less([0.0, 1.0], x).tolist() == [True, False]


class TestResultsInArrays:
    def test_in_place(self) -> None:
        x = TRNode.parameter(2.0)
        array = objects([1.0, x])
        same_array = array
        array += x
        array *= 3.0
        assert array is same_array
        assert [z.item() for z in array] == [9.0, 12.0]
        zp.tr_sum(array).backward()
        assert x.gradient == 9.0

    def test_out(self) -> None:
        x, out = TRNode.parameter(2.0), objects([None, None])
        assert np.multiply([1.0, 2.0], x, out=out) is out
        assert [z.item() for z in out] == [2.0, 4.0]
        holds = np.zeros(2, dtype=bool)
        assert np.less([1.0, 3.0], x, out=holds) is holds
        assert holds.tolist() == [True, False]
        assert np.isfinite(x, out=np.zeros((), dtype=bool))

    def test_arrays_of_numbers_hold_no_nodes(self) -> None:
        x, array = TRNode.parameter(2.0), np.ones(2)
        for fill in (
            lambda: operator.iadd(array, x),
            lambda: np.multiply(array, x, out=array),
            lambda: np.sin(x, out=array),
        ):
            with pytest.raises(TypeError, match="dtype=object"):
                fill()
        assert array.tolist() == [1.0, 1.0]
        with pytest.raises(TypeError, match="cannot write"):
            np.add(1.0, 2.0, out=x)

    def test_shapes_that_do_not_go_together(self) -> None:
        with pytest.raises(ValueError, match="broadcast"):
            np.add(np.ones(3), TRNode.parameter(1.0), out=objects([None, None]))


class TestMethodsOfFunctions:
    def test_outer(self) -> None:
        x = TRNode.parameter(2.0)
        for found in np.multiply.outer([1.0, 3.0], x), np.multiply.outer(x, [1.0, 3.0]):
            assert [z.item() for z in found] == [2.0, 6.0]
        assert np.maximum.outer(np.ones((2, 3)), x).shape == (2, 3)

    def test_at(self) -> None:
        x = TRNode.parameter(2.0)
        array = objects([real(1.0), real(2.0)])
        np.add.at(array, [0, 0, 1], x)
        np.multiply.at(array, 1, real(2.0))
        assert [float(z.value) for z in array] == [5.0, 8.0]
        with pytest.raises(TypeError, match="dtype=object"):
            np.add.at(np.ones(2), 0, x)
        for function in np.maximum, np.hypot, np.less:
            with pytest.raises(TypeError, match="add, subtract"):
                function.at(array, 0, x)
