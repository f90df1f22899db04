"""Solutions, inverses and determinants of small matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

from support.every_path import assert_same_on_every_path
from support.gradients import EXACT, MASKED
from support.values import INF, NAN, same
from zeroproof import (
    GradientMode,
    TRArray,
    TRNode,
    TRScalar,
    TRTag,
    gradient_mode,
    phi,
    tr_det,
    tr_inv,
    tr_solve,
    tr_sum,
    tr_vmap,
)

EPS = 2.0**-52
RANDOM = np.random.default_rng(20)


def parameters(values: Any) -> Any:
    found = np.empty(np.shape(values), object)
    for place in np.ndindex(found.shape):
        found[place] = TRNode.parameter(np.asarray(values)[place])
    return found


def doubles(nodes: Any) -> Any:
    return np.array([float(getattr(x, "value", x)) for x in nodes.flat]).reshape(nodes.shape)


def scalars(results: Any) -> Any:
    return np.array([float(x) for x in results.flat]).reshape(results.shape)


def gradients(nodes: Any) -> Any:
    return np.array([float(x.gradient) for x in nodes.flat]).reshape(nodes.shape)


def random_matrices() -> list[Any]:
    return [RANDOM.normal(size=(n, n)) for n in range(1, 9) for _ in range(3)]


def graded_matrices() -> list[Any]:
    return [
        RANDOM.normal(size=(n, n)) * 10.0 ** RANDOM.uniform(-8, 8, size=(n, 1)) for n in (2, 5, 8)
    ]


def exact(matrix: Any, b: Any) -> Any:
    with mpmath.workdps(60):
        solution = mpmath.lu_solve(mpmath.matrix(matrix.tolist()), mpmath.matrix(b.tolist()))
        return np.array([float(x) for x in solution])


class TestSolve:
    @pytest.mark.parametrize("a", [*random_matrices(), *graded_matrices()], ids=len)
    def test_the_solution_is_backward_stable(self, a: Any) -> None:
        n = len(a)
        b = RANDOM.normal(size=n)
        x = scalars(tr_solve(a, b))
        # Of elimination with partial pivoting: |b − A x| ≤ growth · n ε |A| |x|.
        scale = np.abs(a).max(axis=1) * np.abs(x).max()
        assert (np.abs(b - a @ x) <= 8 * n * n * EPS * scale).all()
        condition = np.linalg.cond(a / np.abs(a).max(axis=1, keepdims=True))
        error = np.abs(x - exact(a, b)).max() / np.abs(x).max()
        assert error <= 8 * n * n * EPS * condition

    @pytest.mark.parametrize("n", range(1, 9))
    def test_gradients_are_those_of_the_inverse(self, n: int) -> None:
        a, b, w = RANDOM.normal(size=(n, n)), RANDOM.normal(size=n), RANDOM.normal(size=n)
        nodes, right = parameters(a), parameters(b)
        tr_sum(tr_solve(nodes, right) * w).backward()
        by_b = np.linalg.solve(a.T, w)
        x = np.linalg.solve(a, b)
        # Two solutions, each with a relative error of n ε κ.
        bound = 64 * n * EPS * np.linalg.cond(a)
        by_a = -np.outer(by_b, x)
        assert np.abs(gradients(right) - by_b).max() <= bound * np.abs(by_b).max()
        assert np.abs(gradients(nodes) - by_a).max() <= bound * np.abs(by_a).max()
        assert {node.gradient_status for node in [*nodes.flat, *right.flat]} == {EXACT}

    def test_a_small_pivot_is_avoided(self) -> None:
        x = scalars(tr_solve([[1e-20, 1.0], [1.0, 1.0]], [1.0, 2.0]))
        np.testing.assert_allclose(x, [1.0, 1.0], rtol=4 * EPS)
        assert scalars(tr_solve([[0.0, 2.0], [4.0, 0.0]], [6.0, 8.0])).tolist() == [2.0, 3.0]

    @pytest.mark.parametrize(
        ("a", "b", "expected"),
        [
            ([[0.0]], [1.0], [INF]),
            ([[0.0]], [0.0], [NAN]),
            ([[1.0, 1.0], [1.0, 1.0]], [1.0, 2.0], [-INF, INF]),
            ([[1.0, 1.0], [1.0, 1.0]], [1.0, 1.0], [NAN, NAN]),
            (np.zeros((3, 3)), [1.0, 2.0, 3.0], [NAN] * 3),
            ([[INF]], [1.0], [0.0]),
            ([[INF, 1.0], [1.0, 1.0]], [1.0, 2.0], [-0.0, 2.0]),  # −1 ÷ ∞
            ([[1.0, 0.0], [0.0, 1.0]], [INF, 1.0], [NAN, NAN]),  # 0 · ∞
        ],
    )
    def test_singular_points(self, a: Any, b: Any, expected: list[float]) -> None:
        found = tr_solve(a, b)
        assert [same(x, value) for x, value in zip(found, expected)] == [True] * len(expected)
        nodes = tr_solve(parameters(a), b)
        assert [same(x, value) for x, value in zip(nodes, expected)] == [True] * len(expected)

    @pytest.mark.parametrize("n", [1, 2, 3, 4])
    def test_a_nullity_spreads_to_all_unknowns(self, n: int) -> None:
        for place in np.ndindex(n, n):
            a = RANDOM.normal(size=(n, n)) * RANDOM.integers(0, 2, (n, n)) + np.eye(n)
            a[place] = NAN
            assert tr_solve(a, np.ones(n)).tolist() == [phi()] * n

    def test_a_singular_matrix_masks(self) -> None:
        a = parameters([[1.0, 1.0], [1.0, 1.0]])
        tr_solve(a, [1.0, 2.0])[0].backward()
        assert gradients(a).tolist() == [[0.0, 0.0], [0.0, 0.0]]
        assert {node.gradient_status for node in a.flat} == {MASKED}

    def test_matrices_on_the_right(self) -> None:
        a, b = RANDOM.normal(size=(3, 3)), RANDOM.normal(size=(3, 2))
        found = scalars(tr_solve(a, b))
        assert found.shape == (3, 2)
        for column in range(2):
            assert (found[:, column] == scalars(tr_solve(a, b[:, column]))).all()
        assert tr_solve(np.zeros((0, 0)), np.zeros(0)).shape == (0,)
        assert tr_solve(a, np.zeros((3, 0))).shape == (3, 0)


class TestInverse:
    @pytest.mark.parametrize("a", [*random_matrices(), *graded_matrices()], ids=len)
    def test_it_is_the_solution_for_the_identity(self, a: Any) -> None:
        n = len(a)
        found = scalars(tr_inv(a))
        assert (found == scalars(tr_solve(a, np.eye(n)))).all()
        condition = np.linalg.cond(a / np.abs(a).max(axis=1, keepdims=True))
        reference = np.array(
            [exact(a, column) for column in np.eye(n)],
        ).T
        error = np.abs(found - reference).max(axis=0) / np.abs(reference).max(axis=0)
        assert (error <= 8 * n * n * EPS * condition).all()

    def test_gradients(self) -> None:
        a = RANDOM.normal(size=(3, 3))
        inverse = np.linalg.inv(a)
        bound = 1e3 * EPS * np.linalg.cond(a)
        for i, j in np.ndindex(3, 3):
            nodes = parameters(a)
            tr_inv(nodes)[i, j].backward()
            expected = -np.outer(inverse[i], inverse[:, j])  # ∂B/∂A = −B E B
            np.testing.assert_allclose(
                gradients(nodes), expected, atol=bound * np.abs(expected).max()
            )

    def test_a_singular_matrix(self) -> None:
        found = tr_inv([[1.0, 2.0], [2.0, 4.0]])
        assert [x.tag for x in found.flat] == [TRTag.NINF, TRTag.PINF, TRTag.PINF, TRTag.NINF]
        assert {x.tag for x in tr_inv(np.zeros((3, 3))).flat} == {TRTag.PHI}


def leibniz(a: Any) -> tuple[Any, Any]:
    """The determinant and the sum of the absolute terms."""
    with mpmath.workdps(60):
        matrix = mpmath.matrix(a.tolist())
        sizes = np.ones(1 << len(a))
        for row in range(len(a)):
            for columns in range(1, 1 << len(a)):
                if bin(columns).count("1") == row + 1:
                    places = [j for j in range(len(a)) if columns >> j & 1]
                    sizes[columns] = sum(abs(a[row, j]) * sizes[columns ^ (1 << j)] for j in places)
        return mpmath.det(matrix), sizes[-1]


class TestDeterminant:
    @pytest.mark.parametrize("a", [*random_matrices(), *graded_matrices()], ids=len)
    def test_values(self, a: Any) -> None:
        expected, scale = leibniz(a)
        assert abs(float(tr_det(a)) - expected) <= 2 * len(a) * EPS * scale

    def test_small_ones_are_the_formulas(self) -> None:
        assert tr_det(np.zeros((0, 0))) == 1.0
        assert tr_det([[3.0]]) == 3.0
        assert tr_det([[1.0, 2.0], [3.0, 5.0]]) == -1.0
        assert tr_det([[2, 0, 1], [0, 3, 0], [1, 0, 4]]) == 21.0
        permutation = np.eye(7)[[1, 2, 3, 4, 5, 6, 0]]
        assert tr_det(permutation) == 1.0
        assert tr_det(np.eye(4)[[1, 0, 2, 3]]) == -1.0

    @pytest.mark.parametrize("rank", [1, 2])
    def test_the_gradient_at_a_singular_matrix_is_the_cofactors(self, rank: int) -> None:
        rows = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])[:rank]
        a = np.array([[1, 0], [0, 1], [1, 1]])[:, :rank] @ rows
        nodes = parameters(a)
        value = tr_det(nodes)
        value.backward()
        assert value.value == 0.0
        for i, j in np.ndindex(3, 3):
            (p, q), (r, s) = np.delete(np.delete(a, i, 0), j, 1)
            assert nodes[i, j].gradient == (-1) ** (i + j) * (p * s - q * r)
            assert nodes[i, j].gradient_status is EXACT

    def test_the_same_in_every_mode(self) -> None:
        for mode in GradientMode:
            nodes = parameters([[1.0, 2.0], [2.0, 4.0]])
            with gradient_mode(mode):
                tr_det(nodes).backward()
            assert gradients(nodes).tolist() == [[4.0, -2.0], [-2.0, 1.0]]

    def test_values_that_are_not_real(self) -> None:
        assert tr_det([[INF, 1.0], [1.0, 1.0]]) == INF
        assert tr_det([[INF, 1.0], [1.0, 0.0]]) == phi()
        assert tr_det([[NAN, 1.0], [1.0, 0.0]]) == phi()
        node = TRNode.parameter(INF)
        tr_det([[node, 1.0], [1.0, 1.0]]).backward()
        assert (node.gradient, node.gradient_status) == (0.0, MASKED)

    def test_the_largest_size(self) -> None:
        assert tr_det(np.diag(np.full(10, 2.0))) == 1024.0
        with pytest.raises(ValueError, match="at most 10 rows, not 11"):
            tr_det(np.eye(11))


def samples(n: int, extra: int) -> Any:
    rows = RANDOM.normal(size=(40, n * n + extra))
    rows[1] = 1.0
    rows[2] = 0.0
    rows[3, : n * n] = np.outer(np.arange(1, n + 1), np.arange(2, n + 2)).ravel()
    rows[4:20] = RANDOM.integers(-1, 2, size=rows[4:20].shape)
    for row in rows[20:30]:
        row[RANDOM.integers(0, len(row))] = RANDOM.choice([INF, -INF, NAN, 0.0, 1e-300, 1e300])
    rows[30] *= 1e-200
    return rows


@pytest.mark.parametrize("n", [1, 2, 3])
def test_every_path_gives_the_same_bits(n: int) -> None:
    def on_list(x: Any, function: Callable[..., Any]) -> Any:
        x = np.asarray(x, object)
        return function(x[: n * n].reshape(n, n), *([x[n * n :]] if len(x) > n * n else []))

    assert_same_on_every_path(lambda x: on_list(x, tr_solve), samples(n, n))
    assert_same_on_every_path(lambda x: on_list(x, tr_det), samples(n, 0))
    if n < 3:
        assert_same_on_every_path(lambda x: on_list(x, tr_inv), samples(n, 0))


def test_a_matrix_of_numbers_in_a_traced_function() -> None:
    a, b = RANDOM.normal(size=(4, 4)), RANDOM.normal(size=(5, 4))
    found = tr_vmap(lambda x: tr_solve(a, x))(b)
    assert isinstance(found, TRArray)
    for row, right in zip(found, b):
        assert (row == tr_solve(a, right)).all()
    inverse = tr_vmap(lambda x: tr_inv(a) * x)(np.ones(1))
    assert (inverse[0] == tr_inv(a)).all()


class TestArguments:
    def test_kinds(self) -> None:
        a = [[1.0, 2.0], [3, TRScalar(4.0)]]
        assert {type(x) for x in tr_inv(a).flat} == {TRScalar}
        assert type(tr_det(a)) is TRScalar
        assert isinstance(tr_inv(TRArray(a)), TRArray)
        assert isinstance(tr_solve(a, TRArray([1.0, 2.0])), TRArray)
        assert isinstance(tr_det(TRArray(a)), TRScalar)
        node = TRNode.parameter(1.0)
        assert {type(x) for x in tr_solve(a, [1.0, node]).flat} == {TRNode}
        mixed = tr_solve(a, [[node, 1.0], [2.0, 0.0]])
        assert {type(x) for x in mixed.flat} == {TRNode}
        assert {x.requires_grad for x in mixed[:, 1]} == {False}

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            (lambda: tr_inv([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), r"square .* shape \(2, 3\)"),
            (lambda: tr_det([1.0]), r"square matrix, not an array of shape \(1,\)"),
            (lambda: tr_det([[1.0], [1.0, 2.0]]), "different lengths"),
            (lambda: tr_solve(np.eye(2), [1.0]), r"\(2,\) or \(2, k\), not \(1,\)"),
            (lambda: tr_solve(np.eye(2), np.ones((2, 1, 1))), "right side"),
            (lambda: tr_solve(np.eye(2), 1.0), "expected an array or list of values, not float"),
        ],
    )
    def test_wrong_shapes(self, call: Callable[[], Any], message: str) -> None:
        with pytest.raises((ValueError, TypeError), match=message):
            call()

    @pytest.mark.parametrize("bad", [[["a"]], [[None]], [[1j]], "text", None])
    def test_wrong_types(self, bad: Any) -> None:
        for function in tr_det, tr_inv:
            with pytest.raises(TypeError):
                function(bad)
        with pytest.raises(TypeError, match="masked array"):
            tr_det(np.ma.masked_invalid(np.eye(2)))
