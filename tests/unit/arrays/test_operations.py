"""Operators and NumPy's functions of TRArrays: the bits of TR scalars, without a warning."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from support.values import HUGE, INF, NAN, SMALLEST, SPECIALS, same
from zeroproof import (
    ReductionMode,
    TRArray,
    TRNode,
    TRScalar,
    phi,
    pinf,
    real,
    tr_clip,
    tr_equal,
    tr_logsumexp,
    tr_max,
    tr_min,
    tr_vmap,
)
from zeroproof import core as tr

POINTS = np.array(
    [*SPECIALS, 0.5, -0.5, 2.0, -2.5, 3.0, 1e-310, -HUGE, -SMALLEST, 710.0, 1e17, 7.5]
)

#: A universal function, and what it is of TR scalars.
UNARY: list[tuple[np.ufunc, Callable[[Any], Any]]] = [
    (np.negative, operator.neg),
    (np.positive, operator.pos),
    (np.absolute, abs),
    (np.fabs, abs),
    (np.sqrt, tr.tr_sqrt),
    (np.square, tr.tr_square),
    (np.reciprocal, lambda a: 1.0 / a),
    (np.sign, tr.tr_sign),
    (np.exp, tr.tr_exp),
    (np.exp2, lambda a: tr.tr_pow(2.0, a)),
    (np.expm1, tr.tr_expm1),
    (np.log, tr.tr_log),
    (np.log1p, tr.tr_log1p),
    (np.log2, tr.tr_log2),
    (np.log10, tr.tr_log10),
    (np.cbrt, tr.tr_cbrt),
    (np.sin, tr.tr_sin),
    (np.cos, tr.tr_cos),
    (np.tan, tr.tr_tan),
    (np.arcsin, tr.tr_asin),
    (np.arccos, tr.tr_acos),
    (np.arctan, tr.tr_atan),
    (np.sinh, tr.tr_sinh),
    (np.cosh, tr.tr_cosh),
    (np.tanh, tr.tr_tanh),
    (np.arcsinh, tr.tr_asinh),
    (np.arccosh, tr.tr_acosh),
    (np.arctanh, tr.tr_atanh),
    (np.floor, tr.tr_floor),
    (np.ceil, tr.tr_ceil),
    (np.rint, tr.tr_round),
    (np.conjugate, operator.pos),
    (np.deg2rad, lambda a: a * (math.pi / 180)),
    (np.radians, lambda a: a * (math.pi / 180)),
    (np.rad2deg, lambda a: a * (180 / math.pi)),
    (np.degrees, lambda a: a * (180 / math.pi)),
    (np.trunc, lambda a: tr.tr_copysign(tr.tr_floor(abs(a)), a)),
]

BINARY: list[tuple[np.ufunc, Callable[[Any, Any], Any]]] = [
    (np.add, operator.add),
    (np.subtract, operator.sub),
    (np.multiply, operator.mul),
    (np.divide, operator.truediv),
    (np.remainder, tr.tr_remainder),
    (np.power, operator.pow),
    (np.float_power, tr.tr_pow),
    (np.hypot, tr.tr_hypot),
    (np.arctan2, tr.tr_atan2),
    (np.copysign, tr.tr_copysign),
    (np.minimum, tr.tr_minimum),
    (np.maximum, tr.tr_maximum),
    (np.fmin, lambda a, b: tr_min([a, b], ReductionMode.DROP_NULL)),
    (np.fmax, lambda a, b: tr_max([a, b], ReductionMode.DROP_NULL)),
    (np.heaviside, lambda a, b: b if a == 0 else (tr.tr_sign(a) + 1) / 2),
    (np.logaddexp, lambda a, b: tr_logsumexp([a, b])),
]

COMPARISONS: list[tuple[np.ufunc, Callable[[Any, Any], Any]]] = [
    (np.less, operator.lt),
    (np.less_equal, operator.le),
    (np.greater, operator.gt),
    (np.greater_equal, operator.ge),
    (np.equal, operator.eq),
    (np.not_equal, operator.ne),
]

OPERATORS = {
    operator.add,
    operator.sub,
    operator.mul,
    operator.truediv,
    operator.pow,
    operator.neg,
    operator.pos,
    abs,
    *[compare for _, compare in COMPARISONS],
}


def named(cases: list[Any]) -> list[Any]:
    return [pytest.param(*case, id=case[0].__name__) for case in cases]


def assert_elements(found: Any, expected: list[Any], shape: tuple[int, ...]) -> None:
    assert isinstance(found, TRArray)
    assert found.shape == shape
    for x, y in zip(found.ravel(), expected):
        assert same(x, y), (x, y)


@pytest.mark.parametrize(("ufunc", "of_scalar"), named(UNARY))
def test_functions_of_one_array(ufunc: np.ufunc, of_scalar: Callable[[Any], Any]) -> None:
    expected = [of_scalar(TRScalar(x)) for x in POINTS]
    assert_elements(ufunc(TRArray(POINTS)), expected, POINTS.shape)
    assert_elements(ufunc(TRArray(POINTS.reshape(2, -1).T)).T, expected, (2, len(POINTS) // 2))
    single = ufunc(TRArray(POINTS[3]))
    assert type(single) is TRScalar
    assert same(single, expected[3])
    if of_scalar in OPERATORS:
        assert_elements(of_scalar(TRArray(POINTS)), expected, POINTS.shape)
    out = TRArray(np.zeros(len(POINTS)))
    assert ufunc(TRArray(POINTS), out=out) is out
    assert_elements(out, expected, POINTS.shape)


@pytest.mark.parametrize(("ufunc", "of_scalars"), named(BINARY))
def test_functions_of_two_arrays(ufunc: np.ufunc, of_scalars: Callable[..., Any]) -> None:
    columns = TRArray(POINTS[:, np.newaxis])
    expected = [of_scalars(TRScalar(x), TRScalar(y)) for x in POINTS for y in POINTS]
    shape = (len(POINTS),) * 2
    objects = np.array([TRScalar(y) for y in POINTS], object)
    for row in (TRArray(POINTS), POINTS, objects):
        assert_elements(ufunc(columns, row), expected, shape)
    assert_elements(ufunc(POINTS[:, np.newaxis], TRArray(POINTS)), expected, shape)
    assert_elements(ufunc.outer(TRArray(POINTS), POINTS), expected, shape)
    if of_scalars in OPERATORS:
        for row in (TRArray(POINTS), POINTS, objects, POINTS.tolist()):
            assert_elements(of_scalars(columns, row), expected, shape)
        assert_elements(of_scalars(POINTS[:, np.newaxis], TRArray(POINTS)), expected, shape)
        assert_elements(of_scalars(objects[:, np.newaxis], TRArray(POINTS)), expected, shape)


@pytest.mark.parametrize("number", [2.0, np.float64(0.0), np.float32(-1.0), real(0.5), pinf(), NAN])
@pytest.mark.parametrize("apply", [operator.add, operator.sub, operator.mul, operator.truediv])
def test_numbers_on_either_side(apply: Callable[..., Any], number: Any) -> None:
    a = TRArray(POINTS)
    assert_elements(apply(a, number), [apply(x, number) for x in a], a.shape)
    assert_elements(apply(number, a), [apply(TRScalar(number), x) for x in a], a.shape)


@pytest.mark.parametrize(
    "exponent", [2, -1, 0, 3, np.int64(2), True, 0.5, 2.0, real(2.0), NAN, INF]
)
def test_powers(exponent: Any) -> None:
    a = TRArray(POINTS)
    assert_elements(a**exponent, [x**exponent for x in a], a.shape)
    if not isinstance(exponent, TRScalar):
        assert_elements(np.power(a, exponent), [x**exponent for x in a], a.shape)
    base = TRScalar(exponent)
    assert_elements(exponent**a, [base**x for x in a], a.shape)


def test_arrays_of_integer_exponents_multiply_out() -> None:
    n = np.array([[2], [-3], [0], [1]])
    a = TRArray(POINTS)
    expected = [x ** int(k) for k in n.ravel() for x in a]
    assert_elements(a**n, expected, (4, len(POINTS)))
    assert_elements(a ** n.tolist(), expected, (4, len(POINTS)))
    with pytest.raises(OverflowError, match="exponent must lie between"):
        a**2**40


@pytest.mark.parametrize(("ufunc", "compare"), named(COMPARISONS))
def test_comparisons(ufunc: np.ufunc, compare: Callable[..., bool]) -> None:
    columns, shape = TRArray(POINTS[:, np.newaxis]), (len(POINTS),) * 2
    expected = np.array([compare(TRScalar(x), TRScalar(y)) for x in POINTS for y in POINTS])
    for found in (
        ufunc(columns, TRArray(POINTS)),
        compare(columns, POINTS),
        compare(POINTS[:, np.newaxis], TRArray(POINTS)),
        compare(columns, [TRScalar(y) for y in POINTS]),
    ):
        assert found.dtype == bool
        np.testing.assert_array_equal(found, expected.reshape(shape))
    a = TRArray(POINTS)
    for number in (0, real(-1.0), np.float64(INF), phi(), TRNode.parameter(0.5)):
        other = number.value if isinstance(number, TRNode) else TRScalar(number)
        assert compare(a, number).tolist() == [compare(x, other) for x in a]
        assert compare(number, a).tolist() == [compare(other, x) for x in a]
    assert bool(ufunc(TRArray(1.0), 2.0)) is compare(1.0, 2.0)


def test_integers_that_a_double_does_not_hold_are_compared_exactly() -> None:
    a = TRArray([2.0**53, INF, NAN])
    for compare in (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne):
        for number in (2**53 + 1, 2**53 - 1, 10**400, -(10**400)):
            assert compare(a, number).tolist() == [compare(x, number) for x in a]
            assert compare(number, a).tolist() == [compare(number, x) for x in a]


def test_equality_agrees_with_conditions() -> None:
    for x in POINTS:
        assert (TRArray(POINTS) == x).tolist() == [tr_equal(x, y) for y in POINTS]


def test_classes_and_truth() -> None:
    a = TRArray(POINTS)
    assert np.isnan(a).tolist() == [x == phi() for x in a]
    assert np.isfinite(a).tolist() == a.is_real.tolist()
    assert np.isinf(a).tolist() == np.isinf(POINTS).tolist()
    assert np.signbit(a).tolist() == np.signbit(POINTS).tolist()
    assert np.logical_not(a).tolist() == [not x for x in a]
    assert np.logical_and(a, [1.0]).tolist() == [bool(x) for x in a]
    assert a.any()
    assert not a.all()
    assert (a[:, np.newaxis].any(axis=1) == [bool(x) for x in a]).all()
    assert not TRArray([NAN, 0.0]).any()
    assert bool(TRArray([[INF]])) is True
    assert bool(TRArray([NAN])) is bool(TRArray(-0.0)) is False
    with pytest.raises(ValueError, match="ambiguous"):
        bool(TRArray([1.0, 2.0]))
    with pytest.raises(ValueError, match="0 elements is ambiguous"):
        bool(TRArray([]))


def test_in_place() -> None:
    doubles = np.array([1.0, -2.0, 0.0])
    a = b = TRArray(doubles)
    a += 1
    a *= np.array([2.0, 1.0, 0.5])
    a -= TRArray([1.0])
    a /= 0
    assert a is b
    assert a.to_ieee() is doubles
    assert doubles.tolist() == [INF, -INF, -INF]
    a **= 2
    assert doubles.tolist() == [INF] * 3
    a %= 2.0
    assert a.tolist() == [phi()] * 3
    square = TRArray(np.arange(9.0).reshape(3, 3))
    square += square.T
    assert (
        square.tolist() == (np.arange(9.0).reshape(3, 3) + np.arange(9.0).reshape(3, 3).T).tolist()
    )
    with pytest.raises(ValueError, match="broadcast"):
        a += np.zeros((2, 3))
    with pytest.raises(TypeError, match="gradient would be lost"):
        a += TRNode.parameter(1.0)
    read_only = np.zeros(2)
    read_only.flags.writeable = False
    fixed = TRArray(read_only)
    with pytest.raises(ValueError, match="read-only"):
        fixed += 1.0


class TestNodes:
    def test_a_node_makes_nodes(self) -> None:
        x = TRNode.parameter(2.0)
        a = TRArray([3.0, 0.0, INF])
        for found, expected in (
            (a * x, [6.0, 0.0, INF]),
            (x * a, [6.0, 0.0, INF]),
            (x / a, [2 / 3, INF, 0.0]),
            (a**x, [9.0, 0.0, INF]),
            (a - np.array([x, 1.0, x]), [1.0, -1.0, INF]),
            (np.array([x, 1.0, x]) + a, [5.0, 1.0, INF]),
            (np.hypot(a, np.array([x] * 3)), [13.0**0.5, 2.0, INF]),
        ):
            assert found.dtype == object
            assert [type(item) for item in found if item is not None].count(TRNode) >= 2
            for item, value in zip(found, expected):
                assert abs(float(getattr(item, "value", item)) - value) <= 1e-15 or same(
                    item, value
                )
        (a * x)[0].backward()
        assert x.gradient == 3.0

    def test_tracers_and_constants(self) -> None:
        a = TRArray([1.0, 2.0, INF])
        found = tr_vmap(lambda t: a * t)(np.array([2.0, 0.0]))
        assert (found == TRArray([[2.0, 4.0, INF], [0.0, 0.0, NAN]])).all()
        assert (tr_vmap(lambda t: a[:2] @ t)(np.array([[3.0, 4.0]])) == [11.0]).all()

    def test_products_of_matrices(self) -> None:
        a = TRArray([[1.0, 2.0], [3.0, 4.0]])
        x = np.array([TRNode.parameter(1.0), TRNode.parameter(-1.0)])
        assert [node.item() for node in a @ x] == [-1.0, -1.0]
        assert [node.item() for node in x @ a] == [-2.0, -2.0]


class TestMatrixProducts:
    @pytest.mark.parametrize(
        ("left", "right"),
        [
            *[((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 2))],
            *[((5, 1, 3), (5, 3, 2)), ((2, 0), (0, 3)), ((0,), (0,)), ((0, 2), (2, 2))],
        ],
    )
    def test_sums_are_folded_in_order(self, left: Any, right: Any) -> None:
        random = np.random.default_rng(3)
        a, b = random.normal(size=left), random.normal(size=right)
        found = TRArray(a) @ b
        shape = np.matmul(a, b).shape
        assert isinstance(found, TRArray) == (shape != ())
        objects = np.matmul(tr_objects(a), tr_objects(b)) if a.size and b.size else np.zeros(shape)
        expected = np.asarray(objects, object)
        assert np.shape(found) == shape
        for x, y in zip(np.ravel(np.asarray(found)), expected.ravel()):
            assert same(x, y)
        assert np.array_equal(np.asarray(a @ TRArray(b)), np.asarray(found))
        assert np.array_equal(np.asarray(np.matmul(TRArray(a), b)), np.asarray(found))

    def test_values_that_are_not_real(self) -> None:
        assert (TRArray([[INF, 1.0], [0.0, 2.0]]) @ [0.0, 1.0] == [NAN, 2.0]).all()
        assert TRArray([1.0, INF]).dot([2.0, 1.0]) == pinf()
        assert (TRArray([1.0, INF]).dot(2.0) == [2.0, INF]).all()
        assert np.dot(np.array([1.0, 2.0]), TRArray([3.0, 4.0])) == real(11.0)

    def test_shapes_that_do_not_match(self) -> None:
        with pytest.raises(ValueError, match=r"\(2,\) and \(3,\) have no product"):
            TRArray([1.0, 2.0]) @ np.zeros(3)
        with pytest.raises(ValueError, match="single numbers"):
            TRArray([1.0, 2.0]) @ 3.0


def tr_objects(a: Any) -> Any:
    found = np.empty(a.shape, object)
    for place in np.ndindex(a.shape):
        found[place] = TRScalar(a[place])
    return found


def test_clip_and_round() -> None:
    a = TRArray(POINTS)
    assert_elements(a.clip(-1.0, 2.0), [tr_clip(x, -1.0, 2.0) for x in a], a.shape)
    assert_elements(np.clip(a, None, real(0.0)), [tr_clip(x, None, 0.0) for x in a], a.shape)
    assert_elements(a.clip(min=TRArray([NAN])), [phi()] * len(POINTS), a.shape)
    assert_elements(np.round(a), [tr.tr_round(x) for x in a], a.shape)
    with pytest.raises(ValueError, match="needs a bound"):
        a.clip()
    for decimals in (2, -1, 0, 30):
        scale = 10.0 ** abs(decimals)
        expected = [
            tr.tr_round(x * scale) / scale if decimals > 0 else tr.tr_round(x / scale) * scale
            for x in a
        ]
        assert_elements(np.round(a, decimals), expected, a.shape)
    with pytest.raises(TypeError, match="integer"):
        a.round(0.5)
    with pytest.raises(TypeError, match="take its value"):
        a.clip(TRNode.parameter(1.0))


def test_special_functions_of_scipy() -> None:
    special = pytest.importorskip("scipy.special")
    for name, of_scalar in (
        ("erf", tr.tr_erf),
        ("erfc", tr.tr_erfc),
        ("expit", tr.tr_sigmoid),
        ("log_expit", tr.tr_log_sigmoid),
        ("log_ndtr", tr.tr_log_ndtr),
        ("exprel", tr.tr_exprel),
        ("cbrt", tr.tr_cbrt),
    ):
        a = TRArray(POINTS)
        assert_elements(getattr(special, name)(a), [of_scalar(x) for x in a], a.shape)
    expected = [tr.tr_xlogy(x, 0.0) for x in POINTS]
    assert_elements(special.xlogy(TRArray(POINTS), 0.0), expected, POINTS.shape)
    with pytest.raises(TypeError, match="no transreal counterpart"):
        special.gamma(TRArray(POINTS))


def test_operations_at_some_elements() -> None:
    a = TRArray([1.0, 2.0, INF])
    np.add.at(a, [0, 0, 2], [1.0, 2.0, -INF])
    np.divide.at(a, [1], 0.0)
    assert (a == [4.0, INF, NAN]).all()
    np.negative.at(a, [0])
    assert a[0] == -4.0
    with pytest.raises(TypeError, match="only for"):
        np.power.at(a, [0], 2.0)


def test_empty_arrays() -> None:
    empty = TRArray(np.zeros((0, 3)))
    for found in (empty + 1.0, np.sin(empty), empty**2, empty * TRArray([1.0, 2.0, 3.0])):
        assert found.shape == (0, 3)
    assert (empty == 1.0).shape == (0, 3)


def test_large_arrays_agree_with_scalars() -> None:
    x = np.random.default_rng(1).normal(size=100_001) * 10
    found = np.exp(np.sin(TRArray(x)) / TRArray(x)[::-1])
    for place in range(0, len(x), 997):
        expected = tr.tr_exp(tr.tr_sin(x[place]) / x[-1 - place])
        assert same(found[place], expected)


class TestRefusals:
    def test_functions_without_a_counterpart(self) -> None:
        for call in (np.frexp, np.spacing, np.nextafter):
            with pytest.raises(TypeError, match=r"no transreal counterpart; numpy.asarray"):
                call(*[TRArray([1.0])] * call.nin)

    @pytest.mark.parametrize("other", ["text", None, 1j, object(), np.array(["a"]), np.array([1j])])
    def test_what_is_no_number(self, other: Any) -> None:
        a = TRArray([1.0, 2.0])
        for compute in (lambda: a + other, lambda: other - a, lambda: np.add(a, other)):
            with pytest.raises(TypeError):
                compute()
        with pytest.raises(TypeError):
            operator.lt(a, other)

    def test_equality_with_what_is_no_number(self) -> None:
        assert TRArray([1.0]) != "text"
        assert not TRArray([1.0]) == None  # noqa: E711, SIM201

    def test_masked_arrays(self) -> None:
        a, masked = TRArray([1.0, 2.0]), np.ma.masked_invalid([1.0, NAN])
        for compute in (
            lambda: a + masked,
            lambda: masked + a,
            lambda: np.add(a, masked),
            lambda: a == masked,
        ):
            with pytest.raises(TypeError, match="masked array is no operand"):
                compute()

    def test_shapes_and_keywords(self) -> None:
        a = TRArray([1.0, 2.0])
        with pytest.raises(ValueError, match="broadcast"):
            a + np.zeros(3)
        with pytest.raises(ValueError, match="shape"):
            np.sin(a, out=np.zeros(3))
        with pytest.raises(TypeError, match="holds float64"):
            np.add(a, 1.0, dtype=np.float32)
        with pytest.raises(TypeError, match="does not support casting"):
            np.add(a, 1.0, casting="unsafe")
        with pytest.raises(TypeError, match="does not support the method reduceat"):
            np.add.reduceat(a, [0])
        with pytest.raises(TypeError, match="where needs out"):
            np.add(a, 1.0, where=[True, False])
        assert np.add(a, 1.0, out=np.zeros(2), where=[True, False]).tolist() == [2.0, 0.0]
        with pytest.raises(TypeError, match="nodes cannot be written"):
            np.add(a, np.array([TRNode.parameter(1.0)]), out=np.zeros(2))


def test_numpy_polyval_stays_transreal() -> None:
    points = [0.5, -2.0, 1e200, float("inf"), float("nan")]
    with np.errstate(all="raise"):
        found = np.polyval([1.0, -2.0, 0.5], TRArray(points))
        objects = np.array(list(TRArray(points)), object)
        expected = TRArray(np.polyval([1.0, -2.0, 0.5], objects))
    assert isinstance(found, TRArray)
    assert np.array_equal(found, expected)
    assert isinstance(np.polyval(TRArray([1.0, 2.0]), TRArray([3.0])), TRArray)
