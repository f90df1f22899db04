"""Elements of TRArrays, writing to them, their shapes, and NumPy's functions that arrange them."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from support.values import INF, NAN
from zeroproof import (
    TRArray,
    TRNode,
    TRScalar,
    ninf,
    phi,
    pinf,
    real,
    tr_erf,
    tr_sin,
    tr_vmap,
)

DOUBLES = np.array([[1.5, INF, -INF], [NAN, -0.0, 2.0]])


class TestElements:
    @pytest.mark.parametrize(
        "index",
        [
            0,
            -1,
            slice(None, None, -1),
            (slice(None), 1),
            ...,
            None,
            [1, 0, 1],
            np.array([[0], [1]]),
            np.array([True, False]),
            (np.array([0, 1]), np.array([2, 0])),
            DOUBLES > 0,
            (..., np.newaxis, 0),
        ],
        ids=str,
    )
    def test_every_index_of_numpy(self, index: Any) -> None:
        found = TRArray(DOUBLES)[index]
        assert isinstance(found, TRArray)
        np.testing.assert_array_equal(found.to_ieee(), DOUBLES[index])

    def test_single_elements(self) -> None:
        a = TRArray(DOUBLES)
        assert type(a[0, 1]) is TRScalar
        assert a[1, 0] == phi()
        assert TRArray(2.0)[()] == real(2.0)
        assert (a.item(0, 2), a.item(0)) == (-INF, 1.5)
        assert TRArray([3.0]).item() == 3.0
        with pytest.raises(ValueError, match="size 1"):
            a.item()
        assert float(TRArray(2.5)) == 2.5
        assert tr_sin(TRArray(0.0)) == 0.0
        with pytest.raises(TypeError, match="only an array without axes"):
            float(TRArray([2.5]))

    def test_lists(self) -> None:
        found = TRArray(DOUBLES).tolist()
        assert found == [[real(1.5), pinf(), ninf()], [phi(), real(-0.0), real(2.0)]]
        assert {type(x) for row in found for x in row} == {TRScalar}
        assert TRArray(1.0).tolist() == real(1.0)

    def test_membership(self) -> None:
        a = TRArray(DOUBLES)
        assert phi() in a
        assert 2 in a
        assert 3.0 not in a
        assert "text" not in a

    def test_a_slice_is_a_view(self) -> None:
        doubles = DOUBLES.copy()
        a = TRArray(doubles)
        a[0][1:] = 7.0
        assert doubles[0].tolist() == [1.5, 7.0, 7.0]


class TestWriting:
    @pytest.mark.parametrize(
        ("index", "value", "expected"),
        [
            ((0, 0), phi(), [[NAN, 1.0], [2.0, 3.0]]),
            (1, 5, [[0.0, 1.0], [5.0, 5.0]]),
            (slice(None), TRArray([INF, -1.0]), [[INF, -1.0], [INF, -1.0]]),
            (np.eye(2) > 0, [real(4.0), pinf()], [[4.0, 1.0], [2.0, INF]]),
            ((..., 1), np.array([9, 8], np.int8), [[0.0, 9.0], [2.0, 8.0]]),
        ],
    )
    def test_values(self, index: Any, value: Any, expected: Any) -> None:
        a = TRArray(np.arange(4.0).reshape(2, 2))
        a[index] = value
        assert (a == np.array(expected)).all()

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            (TRNode.parameter(1.0), "gradient would be lost"),
            ([1.0, TRNode.parameter(1.0)], "gradient would be lost"),
            ("1.0", "expected"),
            (None, "expected"),
            (np.ma.masked_invalid([1.0, NAN]), "masked array"),
        ],
    )
    def test_what_cannot_be_written(self, value: Any, message: str) -> None:
        a = TRArray([1.0, 2.0])
        with pytest.raises(TypeError, match=message):
            a[:] = value
        assert a.tolist() == [1.0, 2.0]

    def test_errors_of_numpy(self) -> None:
        a = TRArray([1.0, 2.0])
        with pytest.raises(ValueError, match="broadcast"):
            a[:] = [1.0, 2.0, 3.0]
        with pytest.raises(IndexError):
            a[2] = 1.0


class TestShapes:
    def test_arranging_methods(self) -> None:
        a = TRArray(DOUBLES)
        for found, expected in (
            (a.T, DOUBLES.T),
            (a.transpose(1, 0), DOUBLES.T),
            (a.reshape(3, 2), DOUBLES.reshape(3, 2)),
            (a.reshape((-1,)), DOUBLES.reshape(-1)),
            (a.reshape(3, 2, order="F"), DOUBLES.reshape(3, 2, order="F")),
            (a.ravel(), DOUBLES.ravel()),
            (a.flatten("F"), DOUBLES.flatten("F")),
            (a[np.newaxis].squeeze(), DOUBLES),
            (a[np.newaxis].squeeze(0), DOUBLES),
            (a.copy(), DOUBLES),
        ):
            assert isinstance(found, TRArray)
            np.testing.assert_array_equal(found.to_ieee(), expected)

    def test_views_and_copies(self) -> None:
        a = TRArray(DOUBLES)
        for view in (a.T, a.reshape(-1), a.ravel(), a[0]):
            assert np.shares_memory(view.to_ieee(), DOUBLES)
        for copied in (a.copy(), a.flatten(), np.copy(a), a + 0.0):
            assert not np.shares_memory(copied.to_ieee(), DOUBLES)


ARRANGED: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
    (np.ravel, ()),
    (np.reshape, ((3, 2),)),
    (np.transpose, ()),
    (np.squeeze, ()),
    (np.expand_dims, (0,)),
    (np.moveaxis, (0, 1)),
    (np.broadcast_to, ((4, 2, 3),)),
    (np.flip, ()),
    (np.roll, (1,)),
    (np.repeat, (2,)),
    (np.tile, (2,)),
    (np.take, ([1, 0],)),
    (np.diagonal, ()),
    (np.tril, ()),
    (np.pad, (1,)),
    (np.zeros_like, ()),
    (np.full_like, (INF,)),
]


class TestFunctionsOfNumpy:
    @pytest.mark.parametrize(
        ("function", "rest"), ARRANGED, ids=lambda c: getattr(c, "__name__", "")
    )
    def test_what_arranges_gives_arrays(self, function: Any, rest: tuple[Any, ...]) -> None:
        found = function(TRArray(DOUBLES), *rest)
        assert isinstance(found, TRArray)
        np.testing.assert_array_equal(found.to_ieee(), function(DOUBLES, *rest))

    def test_putting_together_and_taking_apart(self) -> None:
        a = TRArray(DOUBLES)
        for function in (np.concatenate, np.vstack, np.hstack, np.stack):
            found = function([a, DOUBLES, a])
            assert isinstance(found, TRArray)
            np.testing.assert_array_equal(found.to_ieee(), function([DOUBLES] * 3))
        parts = np.split(a, 3, axis=1)
        assert [type(part) for part in parts] == [TRArray] * 3
        assert (parts[1] == [[INF], [-0.0]]).all()

    def test_where(self) -> None:
        a = TRArray([1.0, NAN, -INF])
        chosen = np.where(a.is_real, a, 0.0)
        assert isinstance(chosen, TRArray)
        assert chosen.tolist() == [1.0, 0.0, 0.0]
        assert (np.where([True, False, True], a, phi()) == [1.0, NAN, -INF]).all()
        x = TRNode.parameter(2.0)
        assert np.where([True, False, True], a, np.array([x] * 3, object))[1] is x

    def test_a_nullity_is_false(self) -> None:
        a = TRArray([NAN, 1.0, 0.0, -INF])
        assert np.where(a, 1.0, 2.0).tolist() == [2.0, 1.0, 2.0, 1.0]
        for (found,) in (np.where(a), np.nonzero(a), (np.flatnonzero(a),)):
            assert found.tolist() == [1, 3]
        assert np.count_nonzero(a) == 2
        assert np.argwhere(a).tolist() == [[1], [3]]

    def test_equality_of_arrays(self) -> None:
        a = TRArray(DOUBLES)
        assert np.array_equal(a, DOUBLES)
        assert not np.array_equal(a, DOUBLES, equal_nan=False)
        assert not np.array_equal(a, DOUBLES[0])
        assert not np.array_equal(a, a + 1)

    def test_others_follow_the_rules_of_numpy(self) -> None:
        assert type(np.median(TRArray([1.0, 3.0]))) is np.float64
        found = np.sort(TRArray([2.0, 1.0]))
        assert type(found) is np.ndarray
        np.testing.assert_array_equal(TRArray(DOUBLES), DOUBLES)
        np.testing.assert_allclose(TRArray([1.0]), [1.0])

    def test_other_classes_of_arrays_answer_themselves(self) -> None:
        class Other:
            def __array_function__(self, *_: Any) -> str:
                return "other"

            def __array_ufunc__(self, *_: Any) -> str:
                return "other"

        a = TRArray(DOUBLES)
        assert np.concatenate([a, Other()]) == "other"
        assert np.add(a, Other()) == "other"

    def test_functions_of_the_table_by_batches(self) -> None:
        a = TRArray(DOUBLES)
        found = tr_vmap(tr_erf)(a)
        assert found.shape == (2, 3)
        assert (found == [[tr_erf(x) for x in row] for row in a]).all()


class _Text(HTMLParser):
    """The cells of a table, and whether its elements are closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.cells: list[list[str]] = []
        self.titles: list[str] = []
        self.scopes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.open.append(tag)
        if tag == "tr":
            self.cells.append([])
        elif tag in ("td", "th"):
            self.cells[-1].append("")
            self.scopes |= {value for name, value in attrs if name == "scope"}
        self.titles += [value for name, value in attrs if name == "title"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1] != "caption":
            self.cells[-1][-1] += data


def parsed(a: TRArray) -> _Text:
    parser = _Text()
    parser.feed(a._repr_html_())
    parser.close()
    assert parser.open == []
    return parser


class TestTables:
    def test_a_matrix(self) -> None:
        table = parsed(TRArray(DOUBLES))
        assert table.cells == [
            ["", "0", "1", "2"],
            ["0", "1.5", "+∞", "−∞"],
            ["1", "Φ", "-0.0", "2.0"],
        ]
        assert table.titles == ["plus infinity", "minus infinity", "nullity"]
        assert table.scopes == {"row", "col"}
        assert "TRArray, 2×3" in TRArray(DOUBLES)._repr_html_()

    def test_other_shapes(self) -> None:
        assert parsed(TRArray([1.0, NAN])).cells == [["", "0", "1"], ["0", "1.0", "Φ"]]
        assert parsed(TRArray(INF)).cells == [["", "0"], ["0", "+∞"]]
        assert parsed(TRArray([])).cells == [[""], ["0"]]
        assert parsed(TRArray(np.zeros((0, 2)))).cells == [["", "0", "1"]]
        cells = parsed(TRArray(np.arange(8.0).reshape(2, 2, 2))).cells
        assert [row[0] for row in cells] == ["", "[0]", "0", "1", "[1]", "0", "1"]

    def test_large_arrays_are_abbreviated(self) -> None:
        for shape in ((1000, 1000), (10**6,), (50, 50, 50), (3, 10**5, 1)):
            text = TRArray(np.zeros(shape))._repr_html_()
            assert len(text) < 40_000
            assert "…" in text
            assert parsed(TRArray(np.zeros(shape))).cells


def test_formats() -> None:
    a = TRArray([1.0, 0.125, INF, NAN])
    assert f"{a:.2f}" == "[1.00, 0.12, +∞, Φ]"
    assert f"{a}" == str(a) == "TRArray([1.0, 0.125, +∞, Φ])"
    with pytest.raises(ValueError, match=r"[Ii]nvalid format|Unknown format"):
        f"{a:nonsense}"
