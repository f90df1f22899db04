"""Elements by an index that may be a tracer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from support.every_path import assert_same_on_every_path
from support.gradients import EXACT
from support.values import INF, NAN, same
from zeroproof import TRArray, TRNode, TRScalar, phi, real, tr_take, tr_vmap

VALUES = [10.0, 20.0, 30.0]


def expected(index: float) -> float:
    """By NumPy's rule, for a whole number in range; else Φ."""
    in_range = np.isfinite(index) and index == int(index) and -3 <= index < 3
    return VALUES[int(index)] if in_range else NAN


INDICES = [-4.0, -3.0, -1.0, -0.0, 0.0, 0.5, 1.0, 2.0, 3.0, 1e300, INF, -INF, NAN, 5e-324]


@pytest.mark.parametrize("index", INDICES)
def test_every_kind_of_index(index: float) -> None:
    value = expected(index)
    assert same(tr_take(VALUES, index), value)
    assert same(tr_take(np.array(VALUES), np.float64(index)), value)
    assert same(tr_take(VALUES, TRScalar(index)), value)
    assert same(tr_take(VALUES, TRNode.parameter(index)), value)
    found = tr_vmap(tr_take)(np.array([VALUES]), np.array([index]))
    assert same(found.item(), value)
    if np.isfinite(index) and index == int(index):
        assert same(tr_take(VALUES, int(index)), value)
    if abs(index) < 10:
        assert same(tr_take(VALUES, np.int8(index)), expected(float(int(index))))


def test_indices_beyond_any_double() -> None:
    assert tr_take(VALUES, 10**400) == tr_take(VALUES, -(10**400)) == phi()
    assert tr_take([], 0) == tr_take([], 0.0) == phi()


@pytest.mark.parametrize("index", [1, 1.0, -2, real(1.0), TRNode.parameter(1.0)], ids=repr)
def test_the_gradient_goes_to_the_element_taken(index: Any) -> None:
    nodes = [TRNode.parameter(v) for v in VALUES]
    y = tr_take(nodes, index)
    (y * 3.0 + nodes[0] * 0.0 + nodes[2] * 0.0).backward()
    assert [node.gradient for node in nodes] == [0.0, 3.0, 0.0]
    assert {node.gradient_status for node in nodes} == {EXACT}


def test_batches_with_an_index_for_each_sample() -> None:
    table, index = np.array([1.0, 0.0, 4.0]), np.array([2.0, 1.0, -1.0, 7.0, NAN])
    batched = tr_vmap(lambda t, i: 1.0 / tr_take(t, i), in_axes=(None, 0))
    y, (by_table, by_index), (status, index_status) = batched.value_and_grad(
        table, index, argnums=(0, 1), with_status=True
    )
    np.testing.assert_array_equal(y.to_ieee(), [0.25, INF, 0.25, NAN, NAN])
    assert by_table.tolist() == [[0, 0, -1 / 16], [0, 0, 0], [0, 0, -1 / 16], [0] * 3, [0] * 3]
    assert status.tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 0], [0] * 3, [0] * 3]
    assert by_index.tolist() == index_status.tolist() == [0] * 5


def test_every_path_gives_the_same_bits() -> None:
    rows = np.random.default_rng(5).normal(size=(60, 4))
    rows[:, 3] = [*INDICES * 4, 0.0, 1.0, 2.0, 0.0]
    rows[::7, 1] = 0.0
    rows[::5, 2] = NAN
    assert_same_on_every_path(lambda x: [tr_take(x[:3], x[3])], rows)
    assert_same_on_every_path(lambda x: [1.0 / tr_take([x[0], 2.0, x[1]], x[3])], rows)
    assert_same_on_every_path(
        lambda x: tr_take(np.reshape([*x[:2], 1.0, x[2]], (2, 2)), x[3]), rows
    )


def test_rows() -> None:
    table = np.arange(12.0).reshape(3, 2, 2)
    for index in (1, -1, 2.0):
        found = tr_take(table, index)
        assert found.shape == (2, 2)
        assert found.tolist() == table[int(index)].tolist()
    assert tr_take(table, 3).tolist() == [[phi()] * 2] * 2
    taken = tr_vmap(tr_take, in_axes=(None, 0))(table, np.array([0.0, 2.0]))
    assert (taken == table[[0, 2]]).all()


def test_arrays_of_indices() -> None:
    assert tr_take(VALUES, [0, -1]).tolist() == [10.0, 30.0]
    found = tr_take(np.arange(6.0).reshape(3, 2), np.array([[0, 2, 1]]))
    assert found.shape == (1, 3, 2)
    assert found.tolist() == [[[0.0, 1.0], [4.0, 5.0], [2.0, 3.0]]]
    assert tr_take(VALUES, TRArray([1.0, NAN])).tolist() == [20.0, phi()]
    assert tr_take(VALUES, []).shape == (0,)


def test_kinds() -> None:
    assert type(tr_take(VALUES, 0)) is type(tr_take(TRArray(VALUES), 1.0)) is TRScalar
    assert isinstance(tr_take(TRArray(np.eye(2)), 0), TRArray)
    mixed = [TRNode.parameter(1.0), 2.0]
    for index in 0, 1, 1.0, 5, NAN:
        assert type(tr_take(mixed, index)) is TRNode
    table = TRArray([1.0, 2.0])
    assert tr_vmap(lambda i: tr_take(table, i))(np.array([1.0, 0.0])).tolist() == [2.0, 1.0]


@pytest.mark.parametrize("bad", [True, np.True_, "0", None, 1j, [True]])
def test_what_is_no_index(bad: Any) -> None:
    with pytest.raises(TypeError):
        tr_take(VALUES, bad)


def test_what_is_no_list() -> None:
    with pytest.raises(TypeError, match="array or list"):
        tr_take(1.0, 0)
    with pytest.raises(ValueError, match="not of one value"):
        tr_take(TRArray(1.0), 0)
    with pytest.raises(TypeError):
        tr_take(["a"], 0)
