"""Gradients and second derivatives handed to SciPy as they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from zeroproof import (
    TRArray,
    tr_grad,
    tr_hessian,
    tr_hvp,
    tr_jacobian,
    tr_sum,
    tr_vmap,
)
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


class TestSecondDerivatives:
    @pytest.mark.parametrize(
        "method",
        ["trust-exact", "trust-ncg", "trust-krylov", "dogleg", "Newton-CG", "trust-constr"],
    )
    @pytest.mark.parametrize("products", [False, True])
    def test_minimize(self, method: str, products: bool) -> None:
        if products and method in ("trust-exact", "dogleg"):
            pytest.skip("the method takes a matrix")
        # A convex bowl for the dogleg, whose steps need a matrix that is positive definite.
        start = np.array([0.9, 0.8]) if method == "dogleg" else START
        own: dict[str, Any] = {"hess": tr_hessian(rosenbrock)}
        reference: dict[str, Any] = {"hess": optimize.rosen_hess}
        if products:
            own = {"hessp": lambda x, v: tr_hvp(rosenbrock, x, v)}
            reference = {"hessp": optimize.rosen_hess_prod}
        found = optimize.minimize(
            tr_value_and_grad(rosenbrock), start, jac=True, method=method, **own
        )
        expected = optimize.minimize(
            optimize.rosen, start, jac=optimize.rosen_der, method=method, **reference
        )
        assert found.success, found.message
        # Rounding alone differs from SciPy's own derivatives.
        assert abs(found.nit - expected.nit) <= 1
        assert np.abs(found.x - 1.0).max() <= max(2.0 * np.abs(expected.x - 1.0).max(), 1e-6)

    def test_matrices_of_more_variables(self) -> None:
        def chained(x: Any) -> Any:
            return tr_sum([rosenbrock(x[k : k + 2]) for k in range(len(x) - 1)])

        x = np.linspace(-1.2, 1.1, 6)
        # Sums of a few products of a few factors.
        np.testing.assert_allclose(tr_hessian(chained)(x), optimize.rosen_hess(x), rtol=1e-14)
        v = np.linspace(1.0, -2.0, 6)
        expected = optimize.rosen_hess_prod(x, v)
        size = np.abs(optimize.rosen_hess(x)) @ np.abs(v)
        assert (np.abs(tr_hvp(chained, x, v) - expected) <= 1e-14 * size).all()

    def test_further_arguments(self) -> None:
        x = np.linspace(0.0, 1.0, 5)
        y = 2.0 / (0.5 + x)
        found = optimize.minimize(
            tr_value_and_grad(with_data),
            np.ones(2),
            args=(x, y),
            jac=True,
            hess=tr_hessian(with_data),
            method="trust-exact",
            tol=1e-10,
        )
        assert found.success
        np.testing.assert_allclose(found.x, [2.0, 0.5], rtol=1e-6)

    def test_least_squares_with_a_jacobian(self) -> None:
        x = np.linspace(0.0, 1.0, 5)
        y = 2.0 / (0.5 + x)

        def residuals(p: Any) -> Any:
            return np.array([p[0] / (p[1] + a) - b for a, b in zip(x, y)])

        for method in ("trf", "lm"):
            found = optimize.least_squares(
                residuals, np.ones(2), jac=tr_jacobian(residuals), method=method
            )
            np.testing.assert_allclose(found.x, [2.0, 0.5], rtol=1e-6)

    def test_newtons_and_halleys_method_for_a_root(self) -> None:
        def f(x: Any) -> Any:
            return 1.0 / x - 3.0

        def number(derivative: Any) -> Any:
            return lambda x: derivative(float(x)).item()

        root = optimize.newton(
            f, 0.2, fprime=number(tr_grad(f)), fprime2=number(tr_hessian(f)), tol=1e-14
        )
        assert root == pytest.approx(1.0 / 3.0, rel=1e-14)
