"""Gradients handed to SciPy as they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from zeroproof import TRArray, tr_sum, tr_vmap
from zeroproof.autodiff import tr_value_and_grad

optimize = pytest.importorskip("scipy.optimize")

#: The standard starting point of Rosenbrock's function in the plane, whose minimum is at (1, 1).
START = np.array([-1.2, 1.0])


def rosenbrock(p: Any) -> Any:
    return (1.0 - p[0]) ** 2 + 100.0 * (p[1] - p[0] ** 2) ** 2


def with_data(p: Any, x: Any, y: Any) -> Any:
    return tr_sum([(p[0] / (p[1] + a) - b) ** 2 for a, b in zip(x, y)])


@pytest.mark.parametrize(
    "method", ["BFGS", "L-BFGS-B", "trust-constr", "CG", "TNC", "SLSQP", "Newton-CG"]
)
def test_minimize(method: str) -> None:
    options = {"TNC": {"maxfun": 2000}, "trust-constr": {"maxiter": 5000}}.get(method, {})
    found = optimize.minimize(
        tr_value_and_grad(rosenbrock), START, jac=True, method=method, options=options
    )
    assert found.success, found.message
    assert isinstance(found.fun, float)
    assert found.x.dtype == np.float64
    # What SciPy's own derivative of this function gets to, by each method with its defaults.
    reference = optimize.minimize(
        optimize.rosen, START, jac=optimize.rosen_der, method=method, options=options
    )
    assert np.abs(found.x - 1.0).max() <= max(2.0 * np.abs(reference.x - 1.0).max(), 1e-6)


def test_further_arguments() -> None:
    x = np.linspace(0.0, 1.0, 5)
    y = 2.0 / (0.5 + x)
    found = optimize.minimize(
        tr_value_and_grad(with_data), np.ones(2), args=(x, y), jac=True, method="BFGS"
    )
    np.testing.assert_allclose(found.x, [2.0, 0.5], rtol=1e-4)


def test_roots_and_least_squares_of_a_jacobian() -> None:
    batched = tr_vmap(lambda p: [p[0] ** 2 + p[1] ** 2 - 4.0, p[0] * p[1] - 1.0], None)

    def residuals(p: Any) -> Any:
        return np.array([np.asarray(value) for value in batched(p)])

    for solve in (optimize.root, optimize.least_squares):
        found = solve(residuals, np.array([2.0, 0.5]), jac=batched.jacobian)
        assert found.success
        assert np.abs(residuals(found.x)).max() < 1e-8


def test_a_pole_is_an_infinity_and_no_error() -> None:
    value, gradient = tr_value_and_grad(lambda p: 1.0 / p[0])(np.zeros(1))
    assert isinstance(value, TRArray)
    assert (np.asarray(value).item(), gradient.tolist()) == (np.inf, [0.0])
