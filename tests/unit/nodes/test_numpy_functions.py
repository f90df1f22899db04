"""NumPy's universal functions of nodes and TR scalars are the operations, to the bit."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import zeroproof as zp
from support.gradients import gradient_of
from support.numpy_functions import (
    ALL,
    BINARY,
    CLASSES,
    COMPARISONS,
    KNOWN,
    LOGIC,
    REFUSED,
    UNARY,
    of,
)
from support.values import SPECIALS, same
from zeroproof import GradientMode, TRNode, TRScalar, gradient_mode, phi, pinf, real

VALUES = [*SPECIALS, -0.5, 0.3, 2.5, -3.7]
PAIRS = list(itertools.product(VALUES, repeat=2))
KINDS = [TRScalar, TRNode.parameter, TRNode.input, TRNode.constant]


@pytest.fixture(autouse=True)
def raising() -> Iterator[None]:
    """NumPy and Python raise for what they would warn of."""
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def agree(found: Any, expected: Any) -> bool:
    """Whether type, operation and bits are the same."""
    if isinstance(expected, TRNode) and found.op is not expected.op:
        return False
    return type(found) is type(expected) and same(found, expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", UNARY)
def test_unary(name: str, kind: Any) -> None:
    for x in map(kind, VALUES):
        assert agree(of(name)(x), UNARY[name](x))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", BINARY)
def test_binary(name: str, kind: Any) -> None:
    function, expected = of(name), BINARY[name]
    for a, b in PAIRS:
        for x, y in (kind(a), kind(b)), (kind(a), b), (a, kind(b)), (kind(a), TRScalar(b)):
            assert agree(function(x, y), expected(x, y)), (a, b)
        for x, y in (kind(a), np.float64(b)), (np.float64(a), kind(b)):
            assert agree(function(x, y), expected(x, y)), (a, b)


@pytest.mark.parametrize("name", [*UNARY, *BINARY])
@pytest.mark.parametrize("mode", GradientMode)
def test_gradients_and_statuses(mode: GradientMode, name: str) -> None:
    def results(function: Any, point: tuple[float, ...]) -> list[Any]:
        nodes = [TRNode.parameter(x) for x in point]
        with gradient_mode(mode):
            result = function(*nodes)
            if result.requires_grad:
                result.backward()
        return [gradient_of(node) for node in nodes if node.gradient is not None]

    is_unary = name in UNARY
    expected = UNARY[name] if is_unary else BINARY[name]
    for point in [(x,) for x in VALUES] if is_unary else PAIRS:
        found = results(of(name), point)
        assert repr(found) == repr(results(expected, point)), point
    assert len(found) > 0


def test_log_of_zero_warns_of_nothing() -> None:
    for x in TRScalar(0.0), TRNode.parameter(0.0), TRNode.constant(-1.0):
        assert np.log(x) == phi()
        assert np.arctanh(x + 1.0 if x == 0.0 else x) == phi()
    assert np.divide(1.0, TRNode.parameter(0.0)) == np.reciprocal(real(0.0)) == pinf()
    assert np.exp(TRNode.parameter(1e4)) == np.square(real(1e300)) == pinf()


class TestPowers:
    @pytest.mark.parametrize("kind", KINDS)
    def test_as_the_operator(self, kind: Any) -> None:
        for a, n in itertools.product(VALUES, [-2, 0, 1, 3, np.int64(2), 0.5, 2.0, real(2.0)]):
            assert agree(np.power(kind(a), n), kind(a) ** n)
        for base in (2.0, 3, np.float64(2.0), np.int64(2)):
            assert agree(np.power(base, kind(0.5)), zp.tr_pow(base, kind(0.5)))

    def test_lists(self) -> None:
        x = TRNode.parameter(2.0)
        assert [node.op.name for node in np.power(x, [2, 2.0])] == ["POW_INT", "POW"]
        assert [node.item() for node in np.power([1.0, 3.0], x)] == [1.0, 9.0]


class TestConditions:
    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("name", CLASSES)
    def test_classes(self, name: str, kind: Any) -> None:
        for x in VALUES:
            found = of(name)(kind(x))
            assert type(found) is np.bool_  # ~ of a bool would be an int, and true
            assert found == CLASSES[name](kind(x))
            if not np.isnan(x):
                assert found == of(name)(x)

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("name", COMPARISONS)
    def test_comparisons(self, name: str, kind: Any) -> None:
        for a, b in PAIRS:
            expected = COMPARISONS[name](a, b)
            for x, y in (kind(a), kind(b)), (kind(a), b), (a, kind(b)), (np.float64(a), kind(b)):
                found = of(name)(x, y)
                assert type(found) is np.bool_
                assert found == expected

    def test_classes_of_python_functions_made_of_them(self) -> None:
        for x in pinf(), TRNode.parameter(pinf()):
            assert np.isposinf(x)
            assert not np.isneginf(x)
            assert np.isneginf(-x)
            assert not np.isposinf(-x)

    def test_comparisons_are_exact(self) -> None:
        big = np.int64(2**53 + 1)
        for number in big, int(big):
            assert np.less(real(2.0**53), number)
            assert np.greater(number, real(2.0**53))
            assert np.not_equal(number, TRNode.parameter(2.0**53))
            assert number > real(2.0**53)

    def test_what_is_no_number_differs(self) -> None:
        x = TRNode.parameter(1.0)
        assert not np.equal(x, "1")
        assert np.not_equal("1", x)
        assert not np.str_("1") == x  # noqa: SIM201
        with pytest.raises(TypeError):
            np.less(x, "1")

    @pytest.mark.parametrize("name", LOGIC)
    def test_nodes_are_no_conditions(self, name: str) -> None:
        function = of(name)
        for x in TRNode.parameter(1.0), real(0.0):
            with pytest.raises(TypeError, match=r"expected a condition.*tr_less.*tr_not"):
                function(*[x] * function.nin)


class TestClip:
    @pytest.mark.parametrize("kind", KINDS)
    def test_values_and_bounds(self, kind: Any) -> None:
        for a, low, high in itertools.product(VALUES, [-1.0, 0.5], [0.5, np.inf, np.nan]):
            expected = zp.tr_clip(kind(a), low, high)
            assert agree(np.clip(kind(a), low, high), expected)
            assert agree(of("clip")(kind(a), low, high), expected)
            assert agree(of("clip")(a, kind(low), high), zp.tr_clip(a, kind(low), high))
        assert agree(np.clip(kind(2.0), None, 1.0), zp.tr_clip(kind(2.0), None, 1.0))
        assert agree(np.clip(kind(0.0), 1.0, None), zp.tr_clip(kind(0.0), 1.0, None))

    def test_an_array_between_nodes(self) -> None:
        low = TRNode.parameter(1.0)
        found = np.clip(np.array([0.0, 2.0, np.nan]), low, 1.5)
        assert [str(z.value) for z in found] == ["1.0", "1.5", "Φ"]
        found[0].backward()
        assert low.gradient == 1.0


@pytest.mark.parametrize("kind", KINDS)
def test_rounding_to_decimals(kind: Any) -> None:
    for x in [1234.5678, -0.25, 0.5, 1e300, 0.0, -0.0]:
        for decimals in (0, 2, -2, 5):
            if abs(x) < 1e10:
                assert same(np.round(kind(x), decimals), np.round(x, decimals))
    assert np.round(kind(np.nan), 2) == phi()
    assert agree(np.round(kind(2.5)), zp.tr_round(kind(2.5)))


class TestOneNumberInPlaceOfMany:
    """A function written for arrays gets one number."""

    @pytest.mark.parametrize("kind", KINDS)
    def test_reductions(self, kind: Any) -> None:
        x = kind(2.0)
        for function in np.sum, np.prod, np.max, np.min:
            assert function(x) is x
            assert function(x, axis=0) is x
        assert agree(np.sum(x, initial=1.0), 1.0 + x)
        assert agree(np.max(x, initial=3.0), zp.tr_maximum(3.0, x))
        assert agree(np.add.reduce(x), x)
        assert same(np.mean(x), 2.0)
        assert same(np.dot(x, 3.0), 6.0)

    def test_what_is_refused(self) -> None:
        x = TRNode.parameter(2.0)
        with pytest.raises(ValueError, match="out of bounds"):
            np.sum(x, axis=1)
        with pytest.raises(TypeError, match="tr_where"):
            np.sum(x, where=False)
        for reduce in np.any, np.all, np.subtract.reduce, np.hypot.reduce:
            with pytest.raises(TypeError, match="tr_sum"):
                reduce(x)
        for method in np.add.accumulate, lambda x: np.add.reduceat(x, [0]):
            with pytest.raises(TypeError, match="array of dtype=object"):
                method(x)


class TestNoMeaning:
    def test_every_function_is_known_or_refused(self) -> None:
        assert len(KNOWN) > 70
        assert len(REFUSED) > 10
        assert set(ALL) >= KNOWN
        x = TRNode.parameter(1.5)
        for name in REFUSED:
            function = of(name)
            with pytest.raises(TypeError, match=rf"{name} of NumPy has no meaning") as caught:
                function(*[x] * function.nin)
            assert any(way in str(caught.value) for way in ("tr_", "multiply by", "np.trunc"))

    def test_the_advice(self) -> None:
        x = real(7.0)
        for function, advice in (
            (np.floor_divide, "tr_floor"),
            (np.fmod, "tr_remainder"),
            (np.divmod, "tr_remainder"),
            (np.logaddexp2, "tr_logsumexp"),
            (np.matmul, "tr_mul"),
        ):
            with pytest.raises(TypeError, match=advice):
                function(x, x)
        with pytest.raises(TypeError, match="matmul"):
            np.ones(2) @ x

    @pytest.mark.parametrize("bad", ["1", None, 1j, object(), {1.0}])
    def test_operands_that_are_no_numbers(self, bad: Any) -> None:
        x = TRNode.parameter(1.0)
        for name in BINARY:
            for operands in (x, bad), (bad, x):
                with pytest.raises(TypeError):
                    of(name)(*operands)

    def test_options(self) -> None:
        x = TRNode.parameter(2.0)
        assert same(np.add(x, 1.0, dtype=object), 3.0)
        assert same(np.add(x, 1.0, casting="unsafe", order="C"), 3.0)
        with pytest.raises(TypeError, match="leave dtype= out"):
            np.sin(x, dtype=float)
        with pytest.raises(TypeError, match="tr_where"):
            np.multiply(x, 1.0, where=False)


class Foreign:
    """A type that says itself what NumPy's functions are of it."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> str:
        return f"{ufunc.__name__} {method}"


def test_other_types_have_their_say() -> None:
    x = TRNode.parameter(1.0)
    for operands in (x, Foreign()), (Foreign(), x):
        for function in np.maximum, np.add, np.power, np.less, np.equal, np.fmod, np.logaddexp:
            assert function(*operands) == f"{function.__name__} __call__"
        assert np.hypot(*operands, casting="no") == "hypot __call__"


def test_functions_of_users() -> None:
    function = np.frompyfunc(lambda a, b: a * b + 1.0, 2, 1)
    x = TRNode.parameter(3.0)
    function(x, 2.0).backward()
    assert x.gradient == 2.0
    assert [z.item() for z in function(x, [1.0, 2.0])] == [4.0, 7.0]


def test_functions_of_scipy() -> None:
    special = pytest.importorskip("scipy.special")
    for x in TRNode.parameter(0.5), real(0.5):
        for name, op in (
            ("expit", zp.tr_sigmoid),
            ("erf", zp.tr_erf),
            ("erfc", zp.tr_erfc),
            ("log_expit", zp.tr_log_sigmoid),
            ("log_ndtr", zp.tr_log_ndtr),
            ("exprel", zp.tr_exprel),
            ("log1p", zp.tr_log1p),
            ("expm1", zp.tr_expm1),
            ("cbrt", zp.tr_cbrt),
        ):
            assert agree(getattr(special, name)(x), op(x))
        assert agree(special.xlogy(x, 2.0), zp.tr_xlogy(x, 2.0))
        with pytest.raises(TypeError, match="no meaning"):
            special.j0(x)
