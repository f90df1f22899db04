"""TRArray: an array of TR values held as doubles."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from zeroproof import TRArray, TRScalar, TRTag, from_ieee, phi, pinf, real

DOUBLES = np.array([1.5, np.inf, -np.inf, np.nan, -0.0])


def test_values_and_tags() -> None:
    a = TRArray(DOUBLES)
    assert a.tags.dtype == np.uint8
    assert a.tags.tolist() == [TRTag.REAL, TRTag.PINF, TRTag.NINF, TRTag.PHI, TRTag.REAL]
    assert a.tags.tolist() == [TRScalar(x).tag for x in DOUBLES]
    assert a.values.dtype == np.float64
    np.testing.assert_array_equal(a.values, [1.5, np.nan, np.nan, np.nan, -0.0])
    assert a.is_real.tolist() == [True, False, False, False, True]
    np.testing.assert_array_equal(DOUBLES, [1.5, np.inf, -np.inf, np.nan, -0.0])


def test_an_array_of_doubles_is_not_copied() -> None:
    doubles = np.array([1.0, 2.0])
    a = TRArray(doubles)
    assert a.to_ieee() is doubles
    assert a.values is doubles
    assert np.shares_memory(np.asarray(a), doubles)
    doubles[0] = np.inf  # a view shows what is written to the memory
    assert a.tags.tolist() == [1, 0]
    assert a[0] == pinf()


def test_other_numbers_are_converted() -> None:
    for given in ([1, 2], np.array([1, 2], np.int8), np.array([1, 2], ">f8"), TRArray([1.0, 2.0])):
        assert TRArray(given).to_ieee().dtype == np.dtype(float)
        assert (TRArray(given) == [1.0, 2.0]).all()
    assert (TRArray(from_ieee(DOUBLES)) == DOUBLES).all()
    assert (TRArray([real(1.0), phi()]) == np.array([1.0, np.nan])).all()


@pytest.mark.parametrize("bad", [["a"], [1j], None, np.array(["2020-01-01"], "M8[D]")])
def test_what_is_no_number_is_refused(bad: object) -> None:
    with pytest.raises(TypeError):
        TRArray(bad)  # type: ignore[arg-type]


def test_shape() -> None:
    a = TRArray(np.zeros((2, 3)))
    assert (a.shape, a.ndim, a.size, a.dtype, len(a)) == ((2, 3), 2, 6, np.dtype(float), 2)
    assert TRArray(2.0).shape == ()
    with pytest.raises(TypeError):
        len(TRArray(2.0))


def test_asarray() -> None:
    a = TRArray(DOUBLES)
    np.testing.assert_array_equal(np.asarray(a), DOUBLES)
    assert np.asarray(a, dtype=np.float32).dtype == np.float32
    copied = np.array(a)
    assert not np.shares_memory(copied, DOUBLES)
    assert np.isnan(np.asarray(a)).tolist() == [False, False, False, True, False]


def test_indexing_and_iteration() -> None:
    a = TRArray(DOUBLES)
    assert isinstance(a[1], TRScalar)
    assert (a[1], a[-2]) == (pinf(), phi())
    assert isinstance(a[1:3], TRArray)
    assert (a[a.is_real] == [1.5, 0.0]).all()
    assert [x.tag for x in a] == a.tags.tolist()
    assert all(isinstance(x, TRScalar) for x in a)
    rows = list(TRArray(DOUBLES[:4].reshape(2, 2)))
    assert all(isinstance(row, TRArray) for row in rows)
    assert rows[1][1] == phi()
    with pytest.raises(IndexError):
        a[9]
    with pytest.raises(TypeError):
        iter(TRArray(1.0))


def test_equality_is_by_tag_then_value() -> None:
    a = TRArray(DOUBLES)
    assert (a == a).tolist() == [True] * 5
    assert (a != a).tolist() == [False] * 5
    assert (a == phi()).tolist() == [False, False, False, True, False]
    assert (a == 0).tolist() == [False] * 4 + [True]
    assert (DOUBLES == a).tolist() == [True] * 5  # noqa: SIM300
    assert (np.float64(np.inf) == a).tolist() == [False, True, False, False, False]
    assert (from_ieee(DOUBLES) == a).tolist() == [True] * 5
    assert (a == TRArray([[1.5], [np.nan]])).shape == (2, 5)
    assert a != "text"
    assert not a == None  # noqa: E711, SIM201
    with pytest.raises(TypeError, match="unhashable"):
        hash(a)


def test_repr() -> None:
    assert repr(TRArray(DOUBLES)) == "TRArray([1.5, +∞, −∞, Φ, -0.0])"
    assert repr(TRArray(np.zeros((0,)))) == "TRArray([])"
    assert len(repr(TRArray(np.arange(1e5)))) < 500
    two_rows = repr(TRArray([[1.0, np.nan], [np.inf, 2.0]]))
    assert two_rows.splitlines()[1].startswith("         [+∞")


@pytest.mark.parametrize(
    "duplicate", [copy.copy, copy.deepcopy, lambda a: pickle.loads(pickle.dumps(a))]
)
def test_copies(duplicate: object) -> None:
    a = TRArray(DOUBLES)
    b = duplicate(a)  # type: ignore[operator]
    assert isinstance(b, TRArray)
    assert (a == b).all()
    assert np.signbit(b.to_ieee()[-1])
    b[0] = 7.0
    assert a[0] == 1.5
