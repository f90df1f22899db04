"""Damped steps against a least-squares solver, and where the numbers end."""

from __future__ import annotations

import numpy as np
import pytest

from zeroproof.learn.step import LEAST_DAMPING, DampedSteps


def by_least_squares(jacobian, residuals, damping):
    norms = np.linalg.norm(jacobian, axis=0)
    ridge = np.diag(np.sqrt(damping) * np.where(norms > 0.0, norms, 1.0))
    target = np.concatenate([-residuals, np.zeros(len(norms))])
    return np.linalg.lstsq(np.vstack([jacobian, ridge]), target, rcond=None)[0]


def problem(rows=50, columns=5, seed=3):
    rng = np.random.default_rng(seed)
    scales = 10.0 ** rng.uniform(-6, 6, columns)
    return rng.normal(size=(rows, columns)) * scales, rng.normal(size=rows)


@pytest.mark.parametrize("damping", [LEAST_DAMPING, 1e-6, 1e-2, 1.0, 1e8])
def test_steps_are_those_of_the_damped_least_squares_problem(damping):
    jacobian, residuals = problem()
    step = DampedSteps(jacobian, residuals).step(damping)
    assert step == pytest.approx(by_least_squares(jacobian, residuals, damping), rel=1e-9)


def test_one_decomposition_serves_every_damping():
    steps = DampedSteps(*problem())
    sizes = [np.linalg.norm(steps.step(damping)) for damping in (1e-12, 1e-3, 1.0, 1e3)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < 1e-2 * sizes[0]


@pytest.mark.parametrize("small", [1e-3, 1e-5, 1e-7, 1e-9, 0.0])
def test_columns_that_nearly_depend_on_each_other(small):
    jacobian, residuals = problem(columns=3)
    jacobian = np.column_stack([jacobian, jacobian[:, 1] * (1.0 + small * residuals)])
    steps = DampedSteps(jacobian, residuals)
    for damping in (1e-2, 1e-6, LEAST_DAMPING):
        error = steps.step(damping) - by_least_squares(jacobian, residuals, damping)
        assert np.linalg.norm(jacobian @ error) < 1e-4 * np.linalg.norm(residuals)


def test_columns_of_zeros_and_fewer_rows_than_columns():
    jacobian, residuals = problem(rows=3)
    jacobian[:, 2] = 0.0
    step = DampedSteps(jacobian, residuals).step(1e-4)
    assert step == pytest.approx(by_least_squares(jacobian, residuals, 1e-4), rel=1e-9, abs=1e-10)
    nothing = DampedSteps(np.empty((0, 4)), np.empty(0)).step(1e-2)
    assert nothing.tolist() == [0.0] * 4


def test_rows_that_are_not_finite_are_left_out():
    jacobian, residuals = problem()
    alone = DampedSteps(jacobian[3:], residuals[3:]).step(1e-2)
    jacobian[0, 1], jacobian[1, 4], jacobian[2, 0] = np.inf, -np.inf, np.nan
    with np.errstate(invalid="ignore"):
        step = DampedSteps(jacobian, residuals).step(1e-2)
    assert np.array_equal(step, alone)


def test_norms_out_of_range_are_refused():
    jacobian, residuals = problem()
    jacobian[0, 1] = 1e200
    with np.errstate(over="ignore"), pytest.raises(np.linalg.LinAlgError, match="overflow"):
        DampedSteps(jacobian, residuals)
