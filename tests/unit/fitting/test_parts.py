"""The parts of a fit by themselves: triangles, losses, rounding of a table."""

from __future__ import annotations

import numpy as np
import pytest

from zeroproof.fitting._losses import LOSSES, Loss
from zeroproof.fitting._summary import rounded
from zeroproof.fitting._triangle import BLOCK, triangle
from zeroproof.fitting._trust_region import bounded_step


@pytest.mark.parametrize("rows", [0, 1, 3, 4, BLOCK // 4, BLOCK // 4 + 1, 3 * BLOCK])
def test_triangles_of_blocks_are_those_of_the_whole(rows: int) -> None:
    matrix = np.random.default_rng(rows).standard_normal((rows, 4)) * [1.0, 1e-6, 1e3, 1.0]
    found = triangle(matrix)
    assert found.shape == (4, 4)
    norms = np.linalg.norm(matrix, axis=0)
    error = found.T @ found - matrix.T @ matrix
    assert np.all(np.abs(error) <= 1e-12 * np.outer(norms, norms))
    assert np.all(np.tril(found, -1) == 0.0)


@pytest.mark.parametrize("name", LOSSES)
def test_influence_is_the_derivative_of_the_cost(name: str) -> None:
    loss = Loss(name, 0.7)
    residuals = np.array([-3.0, -0.71, -0.1, 0.0, 0.2, 0.69, 5.0])
    influence, slope = loss.influence(residuals)
    h = 1e-5
    ends = [[loss.cost(np.array([r + s * h])) for r in residuals] for s in (-1, 0, 1)]
    low, middle, high = np.array(ends)
    np.testing.assert_allclose(influence, (high - low) / (2 * h), atol=1e-8)
    np.testing.assert_allclose(slope, (high - 2 * middle + low) / h**2, atol=1e-4)
    factors, rows = loss.weights(residuals)
    np.testing.assert_allclose(factors * rows * residuals, influence, rtol=1e-14)


@pytest.mark.parametrize("radius", [1e-3, 0.5, 1e3])
def test_a_step_is_the_best_within_its_radius(radius: float) -> None:
    rng = np.random.default_rng(1)
    matrix, target, scale = rng.standard_normal((4, 4)), rng.standard_normal(4), np.arange(1.0, 5.0)
    free = (np.full(4, -np.inf), np.full(4, np.inf))
    step = bounded_step(matrix, target, scale, radius, free)
    length = np.linalg.norm(scale * step.change)
    assert length <= 1.1 * radius * (1 + 1e-12)
    if step.damping:
        assert length >= 0.9 * radius
    normal = matrix.T @ matrix + step.damping * np.diag(scale**2)
    np.testing.assert_allclose(normal @ step.change, -matrix.T @ target, rtol=1e-8, atol=1e-12)


def test_a_bounded_step_is_the_minimum_within_the_bounds() -> None:
    matrix, target = np.array([[2.0, 1.0], [0.0, 1.0]]), np.array([-4.0, -3.0])
    step = bounded_step(
        matrix, target, np.ones(2), np.inf, (np.full(2, -9.0), np.array([9.0, 1.0]))
    )
    # Free: (0.5, 3); with the second at 1, the first is (4 − 1)/2.
    np.testing.assert_allclose(step.change, [1.5, 1.0], rtol=1e-14)
    assert step.free.tolist() == [True, False]


@pytest.mark.parametrize(
    ("value", "stderr", "expected"),
    [
        (238.94212918, 2.7070075241, ("238.9", "2.7")),
        (1.0, 0.0996, ("1.00", "0.10")),
        (-0.0001234567, 1.2e-6, ("-1.235e-04", "0.012e-04")),
        (12345.6, 251.0, ("1.235e+04", "0.025e+04")),
        (3.0, 0.0, ("3", "")),
        (3.0, float("inf"), ("3", "∞")),
        (0.0, 12.0, ("0", "12")),
        (4.0079e-320, 4.2e-322, ("4.008e-320", "0.042e-320")),
    ],
)
def test_values_end_where_their_standard_errors_do(
    value: float, stderr: float, expected: tuple[str, str]
) -> None:
    assert rounded(value, stderr) == expected
