"""Reductions of TRArrays: the bits of those of TR scalars, along any axes and in any mode."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from support.values import HUGE, INF, NAN, same
from zeroproof import (
    ReductionMode,
    TRArray,
    TRScalar,
    ninf,
    phi,
    pinf,
    real,
    tr_max,
    tr_mean,
    tr_min,
    tr_norm,
    tr_prod,
    tr_std,
    tr_sum,
    tr_var,
)

#: A method and the function of a list, each with the mode of the reduction.
REDUCTIONS: list[tuple[str, Callable[..., Any]]] = [
    ("sum", tr_sum),
    ("prod", tr_prod),
    ("mean", tr_mean),
    ("min", tr_min),
    ("max", tr_max),
    ("norm", tr_norm),
    ("var", lambda values, mode: tr_var(values, 0, mode)),
    ("std", lambda values, mode: tr_std(values, 0, mode)),
]
with_reductions = pytest.mark.parametrize(
    ("method", "of_list"), REDUCTIONS, ids=lambda c: getattr(c, "__name__", str(c))
)
with_modes = pytest.mark.parametrize("mode", ReductionMode)

LISTS = [
    list(values)
    for length in range(4)
    for values in itertools.product([-INF, -1.0, -0.0, 0.0, HUGE, INF, NAN], repeat=length)
]


def reduce(array: TRArray, method: str, mode: ReductionMode, **keywords: Any) -> Any:
    return getattr(array, method)(mode=mode, **keywords)


@with_modes
@with_reductions
def test_every_list_of_special_values(
    method: str, of_list: Callable[..., Any], mode: ReductionMode
) -> None:
    for values in LISTS:
        found = reduce(TRArray(np.array(values)), method, mode)
        assert type(found) is TRScalar
        assert same(found, of_list(values, mode)), values
    for length in range(1, 4):
        rows = TRArray([values for values in LISTS if len(values) == length])
        for found, values in zip(reduce(rows, method, mode, axis=1), rows.to_ieee().tolist()):
            assert same(found, of_list(values, mode)), values


def doubles(shape: tuple[int, ...], seed: int) -> Any:
    random = np.random.default_rng(seed)
    x = random.normal(size=shape) * 10.0 ** random.integers(-9, 9, shape)
    odd = random.choice([INF, -INF, NAN, 0.0, -0.0, HUGE], shape)
    return np.where(random.random(shape) < 0.02, odd, x)


@with_modes
@with_reductions
@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 1), (2, 0), (), (0, 1, 2)], ids=str)
def test_axes(method: str, of_list: Callable[..., Any], mode: ReductionMode, axis: Any) -> None:
    x = doubles((3, 5, 4), 2)
    axes = tuple(range(3)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = tuple(sorted(a % 3 for a in axes))
    rest = [a for a in range(3) if a not in axes]
    columns = x.transpose(*rest, *axes).reshape([*[x.shape[a] for a in rest], -1])
    for given in (x, np.asfortranarray(x), x[::-1][::-1]):
        found = np.asarray(reduce(TRArray(given), method, mode, axis=axis))
        assert found.shape == columns.shape[:-1]
        for place in np.ndindex(found.shape):
            assert same(found[place], of_list(columns[place].tolist(), mode))
    kept = reduce(TRArray(x), method, mode, axis=axis, keepdims=True)
    assert kept.shape == tuple(1 if a in axes else x.shape[a] for a in range(3))
    assert same(np.ravel(np.asarray(kept))[0], found.ravel()[0])


@with_modes
@with_reductions
@pytest.mark.parametrize("shape", [(70_001, 1), (3000, 3), (1025, 4), (1024, 4), (2, 70_000)])
def test_long_columns_are_folded_in_order(
    method: str, of_list: Callable[..., Any], mode: ReductionMode, shape: tuple[int, int]
) -> None:
    x = np.random.default_rng(9).normal(size=shape)
    x[::11, 0] = NAN if mode is ReductionMode.DROP_NULL else 0.5
    found = reduce(TRArray(x), method, mode, axis=0)
    for column in {0, shape[1] // 2, shape[1] - 1}:
        assert same(found[column], of_list(x[:, column].tolist(), mode))


def test_numpy_calls_them() -> None:
    x = doubles((4, 3), 1)
    a = TRArray(x)
    for function, method in (
        (np.sum, a.sum),
        (np.prod, a.prod),
        (np.mean, a.mean),
        (np.min, a.min),
        (np.max, a.max),
        (np.amin, a.min),
        (np.var, a.var),
        (np.std, a.std),
        (np.cumsum, a.cumsum),
        (np.cumprod, a.cumprod),
        (np.argmin, a.argmin),
        (np.argmax, a.argmax),
        (np.any, a.any),
        (np.all, a.all),
    ):
        for axis in (None, 0, 1):
            found, expected = function(a, axis=axis), method(axis=axis)
            assert type(found) is type(expected)
            assert np.all(found == expected)
    assert (np.add.reduce(a) == a.sum(axis=0)).all()
    assert (np.multiply.reduce(a, axis=1) == a.prod(axis=1)).all()
    assert np.minimum.reduce(a, axis=None) == a.min()
    assert (np.maximum.reduce(a, keepdims=True) == a.max(axis=0, keepdims=True)).all()
    assert (np.add.accumulate(a, axis=1) == a.cumsum(axis=1)).all()
    assert np.sum(a=a) == a.sum()
    with pytest.raises(TypeError, match="does not support the method reduce"):
        np.subtract.reduce(a)
    with pytest.raises(TypeError, match="does not support initial"):
        np.add.reduce(a, initial=1.0)


def test_running_sums_and_products() -> None:
    a = TRArray([1.0, 2.0, 0.0, INF, -INF, 3.0])
    assert (a.cumsum() == [1.0, 3.0, 3.0, INF, NAN, NAN]).all()
    assert (a.cumprod() == [1.0, 2.0, 0.0, NAN, NAN, NAN]).all()
    x = np.random.default_rng(4).normal(size=(50, 3))
    found = TRArray(x).cumsum(axis=0)
    for k in range(50):
        assert same(found[k, 1], tr_sum(x[: k + 1, 1]))
    assert TRArray(x).cumsum().shape == (150,)


def test_places_of_extremes() -> None:
    a = TRArray([[2.0, -INF, 5.0], [1.0, NAN, 0.0], [-0.0, 0.0, -0.0]])
    assert a.argmin(axis=1).tolist() == [1, 1, 0]
    assert a.argmax(axis=1).tolist() == [2, 1, 0]
    assert a.argmax() == 4  # the Φ, which absorbs the maximum
    assert (a[range(3), a.argmin(axis=1)] == a.min(axis=1)).all()


def test_degrees_of_freedom() -> None:
    x = np.random.default_rng(6).normal(size=(7, 3))
    for ddof in (0, 1, 7, 8):
        for found, expected in ((TRArray(x).var, tr_var), (TRArray(x).std, tr_std)):
            for column in range(3):
                assert same(found(axis=0, ddof=ddof)[column], expected(x[:, column], ddof))
    assert np.std(TRArray(x), ddof=1) == TRArray(x).std(ddof=1)


def test_outputs() -> None:
    a, out = TRArray([[1.0, 2.0], [3.0, INF]]), np.zeros(2)
    assert a.sum(axis=1, out=out) is out
    assert out.tolist() == [3.0, INF]
    array = TRArray(np.zeros(2))
    assert np.cumprod(a[0], out=array) is array
    assert array.tolist() == [1.0, 2.0]
    zero = TRArray(0.0)
    assert a.max(out=zero) is zero
    assert zero[()] == pinf()


def test_a_single_value() -> None:
    assert TRArray(3.0).sum() == real(3.0)
    assert TRArray(NAN).sum(mode=ReductionMode.DROP_NONREAL) == real(0.0)
    assert TRArray(-INF).min() == ninf()
    assert TRArray([]).min() == TRArray([]).mean() == phi()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda a: a.sum(axis=2), ValueError, "axis 2 is out of bounds"),
        (lambda a: a.sum(axis=(0, -2)), ValueError, "duplicate"),
        (lambda a: a.sum(axis=0.5), TypeError, "integer"),
        (lambda a: a.sum(mode="strict"), TypeError, "must be a ReductionMode"),
        (lambda a: a.sum(dtype=np.float32), TypeError, "holds float64"),
        (lambda a: a.sum(out=[0.0]), TypeError, "out must be an array"),
        (lambda a: a.sum(axis=0, out=np.zeros(3)), ValueError, "shape"),
    ],
)
def test_refusals(call: Callable[[Any], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call(TRArray(np.zeros((2, 2))))
