"""What a fit minimizes, what it reports, and what it does at poles."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy import optimize

from zeroproof import (
    GradientMode,
    GradientModeConfig,
    gradient_mode,
    least_squares,
    tr_log,
    tr_vmap,
)

RNG = np.random.default_rng(7)
X = np.linspace(0.0, 4.0, 41)
NOISE = 0.05 * RNG.standard_normal(41)
Y = 2.5 * np.exp(-0.7 * X) + 0.3 + NOISE
#: Of (amplitude, rate, offset).
START = [1.0, 1.0, 0.0]
OUTLIERS = Y + np.where(np.arange(41) % 10 == 3, 4.0, 0.0)


def decay(p: Any, x: Any) -> Any:
    return p[0] * np.exp(-p[1] * x) + p[2]


def reference(y: Any = Y, **settings: Any) -> Any:
    """SciPy's minimum, with its tightest tolerances."""

    def residuals(p: Any) -> Any:
        return decay(p, X) - y

    def jacobian(p: Any) -> Any:
        bell = np.exp(-p[1] * X)
        return np.stack([bell, -p[0] * X * bell, np.ones_like(X)], axis=1)

    tight = {"xtol": 1e-15, "ftol": 1e-15, "gtol": 1e-15, "x_scale": "jac"}
    return optimize.least_squares(residuals, START, jacobian, **tight, **settings)


class Decay(NamedTuple):
    amplitude: Any
    rate: Any
    offset: Any


@dataclasses.dataclass
class Field:
    amplitude: Any
    shape: Any
    label: str = dataclasses.field(default="kept", metadata={"static": True})


class TestStructures:
    plain = least_squares(decay, X, Y, START)

    def test_a_list_gives_a_list(self) -> None:
        assert isinstance(self.plain.params, list)
        assert isinstance(self.plain.stderr, list)
        assert self.plain.names == ("p[0]", "p[1]", "p[2]")

    def test_array(self) -> None:
        fit = least_squares(decay, X, Y, np.array(START))
        assert isinstance(fit.params, np.ndarray)
        assert fit.params.tolist() == self.plain.params
        assert fit.stderr.tolist() == self.plain.stderr

    def test_named_tuple_and_dict(self) -> None:
        def model(p: Any, x: Any) -> Any:
            return decay((p.amplitude, p.rate, p.offset), x)

        fit = least_squares(model, X, Y, Decay(*START))
        assert isinstance(fit.params, Decay)
        assert list(fit.params) == self.plain.params
        assert fit.names == ("amplitude", "rate", "offset")

    def test_dataclass_with_an_array_keeps_static_fields(self) -> None:
        def model(p: Any, x: Any) -> Any:
            return p.amplitude * np.exp(-p.shape[0] * x) + p.shape[1]

        fit = least_squares(model, X, Y, Field(1.0, np.array([1.0, 0.0])))
        assert fit.params.label == "kept"
        assert [fit.params.amplitude, *fit.params.shape] == self.plain.params
        assert fit.names == ("amplitude", "shape[0]", "shape[1]")

    def test_rows_of_x(self) -> None:
        rows = np.stack([np.ones_like(X), X, X**2], axis=1)
        fit = least_squares(lambda p, x: x @ p["w"], rows, Y, {"w": np.zeros(3)})
        expected = np.linalg.lstsq(rows, Y, rcond=None)[0]
        np.testing.assert_allclose(fit.params["w"], expected, rtol=1e-11)


class TestInference:
    def test_linear_model_has_the_covariance_of_linear_regression(self) -> None:
        sigma = np.linspace(0.5, 2.0, 41)
        rows = np.stack([np.ones_like(X), X], axis=1) / sigma[:, None]
        fit = least_squares(lambda p, x: p[0] + p[1] * x, X, Y, [0.0, 0.0], sigma=sigma)
        expected = np.linalg.lstsq(rows, Y / sigma, rcond=None)[0]
        sse = np.sum((Y / sigma - rows @ expected) ** 2)
        np.testing.assert_allclose(fit.params, expected, rtol=1e-11)
        np.testing.assert_allclose(fit.sse, sse, rtol=1e-12)
        inverse = np.linalg.inv(rows.T @ rows)
        np.testing.assert_allclose(fit.covariance, inverse * sse / 39, rtol=1e-11)
        np.testing.assert_allclose(np.square(fit.stderr), np.diag(fit.covariance), rtol=1e-14)
        assert fit.correlation[0, 1] == pytest.approx(
            inverse[0, 1] / np.sqrt(inverse[0, 0] * inverse[1, 1])
        )
        np.testing.assert_allclose(fit.residuals, Y - rows @ expected * sigma, atol=1e-12)
        known = least_squares(
            lambda p, x: p[0] + p[1] * x, X, Y, [0.0, 0.0], sigma=sigma, absolute_sigma=True
        )
        np.testing.assert_allclose(known.covariance, inverse, rtol=1e-11)

    def test_nonlinear_model_agrees_with_curve_fit(self) -> None:
        def function(x: Any, *p: Any) -> Any:
            return decay(p, x)

        params, covariance = optimize.curve_fit(function, X, Y, START, ftol=1e-15, xtol=1e-15)
        fit = least_squares(decay, X, Y, START)
        np.testing.assert_allclose(fit.params, params, rtol=1e-6)
        np.testing.assert_allclose(fit.covariance, covariance, rtol=1e-5)

    def test_no_degrees_of_freedom(self) -> None:
        fit = least_squares(decay, X[:3], Y[:3], START)
        assert fit.dof == 0
        assert np.isnan(fit.stderr).all()
        assert np.isnan(fit.residual_std)
        assert "no degrees of freedom" in fit.summary()

    def test_undetermined_parameters_are_named(self) -> None:
        fit = least_squares(
            lambda p, x: p["a"] * x + p["b"] + p["c"], X, Y, {"a": 1, "b": 0, "c": 0}
        )
        assert fit.undetermined == ("b", "c")
        assert np.isinf([fit.stderr["b"], fit.stderr["c"]]).all()
        assert np.isfinite(fit.stderr["a"])
        assert fit.dof == 39
        assert "not determined" in fit.summary()

    def test_standard_errors_of_a_robust_fit_cover_the_scatter(self) -> None:
        rng = np.random.default_rng(3)
        found, errors = [], []
        for _ in range(200):
            y = 1.0 + 2.0 * X + rng.standard_normal(41)
            y[rng.integers(0, 41, 3)] += 15.0
            fit = least_squares(lambda p, x: p[0] + p[1] * x, X, y, [0.0, 0.0], loss="huber")
            found.append(fit.params[1])
            errors.append(fit.stderr[1])
        # The standard deviation of 200 is known to 5 %: three times that.
        assert np.mean(errors) / np.std(found) == pytest.approx(1.0, abs=0.15)


class TestMinimum:
    @pytest.mark.parametrize("loss", ["soft_l1", "huber", "cauchy"])
    def test_losses_are_those_of_scipy(self, loss: str) -> None:
        expected = reference(OUTLIERS, loss=loss, f_scale=0.1)
        fit = least_squares(decay, X, OUTLIERS, START, loss=loss, f_scale=0.1)
        assert fit.success
        assert fit.cost <= expected.cost * (1 + 1e-12)
        np.testing.assert_allclose(fit.params, expected.x, rtol=1e-5)

    def test_bounds_by_name_and_by_structure(self) -> None:
        expected = reference(bounds=([-np.inf, 0.9, -np.inf], np.inf))
        fit = least_squares(decay, X, Y, START, bounds={"p[1]": (0.9, None)})
        np.testing.assert_allclose(fit.params, expected.x, rtol=1e-6)
        assert fit.params[1] == 0.9
        assert fit.at_bound == ("p[1]",)
        assert np.isnan(fit.stderr[1])
        assert fit.dof == 39
        assert "at bound" in fit.summary()
        same = least_squares(decay, X, Y, START, bounds=([None, 0.9, -np.inf], np.inf))
        assert same.params == fit.params

    def test_a_start_at_a_bound_leaves_it(self) -> None:
        fit = least_squares(decay, X, Y, START, bounds=([1.0, -5.0, 0.0], [9.0, 1.0, 9.0]))
        np.testing.assert_allclose(fit.params, least_squares(decay, X, Y, START).params, rtol=1e-9)
        assert fit.at_bound == ()

    def test_fixed_parameters_keep_their_value(self) -> None:
        fit = least_squares(decay, X, Y, [1.0, 0.7, 0.0], fixed="p[1]")
        rows = np.stack([np.exp(-0.7 * X), np.ones_like(X)], axis=1)
        expected = np.linalg.lstsq(rows, Y, rcond=None)[0]
        np.testing.assert_allclose([fit.params[0], fit.params[2]], expected, rtol=1e-11)
        assert fit.params[1] == 0.7
        assert fit.stderr[1] == 0.0
        assert np.isnan(fit.correlation[1]).all()
        assert fit.dof == 39
        assert least_squares(decay, X, Y, [1.0, 0.7, 0.0], fixed=(-2,)).params == fit.params

    def test_the_gradient_mode_of_the_caller_does_not_matter(self) -> None:
        plain = least_squares(decay, X, Y, START)
        with gradient_mode(GradientMode.SATURATING, 0.01):
            fit = least_squares(decay, X, Y, START)
            assert GradientModeConfig.get_mode() is GradientMode.SATURATING
        assert fit.params == plain.params

    @pytest.mark.parametrize("unit", [1e-200, 1e-30, 1e30, 1e200])
    def test_units_do_not_matter(self, unit: float) -> None:
        plain = least_squares(decay, X, Y, START)
        fit = least_squares(decay, X, unit * Y, [unit, 1.0, 0.0])
        np.testing.assert_allclose(
            np.array(fit.params) / [unit, 1.0, unit], plain.params, rtol=1e-9
        )
        np.testing.assert_allclose(
            np.array(fit.stderr) / [unit, 1.0, unit], plain.stderr, rtol=1e-9
        )
        assert fit.success

    def test_residuals_may_fall_by_hundreds_of_orders_of_magnitude(self) -> None:
        fit = least_squares(lambda p, x: p[0] + p[1] * x, X, Y, [1e300, 1.0])
        np.testing.assert_allclose(fit.params, np.polyfit(X, Y, 1)[::-1], rtol=1e-11)
        assert fit.success

    def test_many_samples(self) -> None:
        x = np.linspace(0.0, 4.0, 20_001)
        y = decay([2.5, 0.7, 0.3], x) + 0.05 * np.sin(37.0 * x)
        fit = least_squares(decay, x, y, START)
        gradients = tr_vmap(decay, in_axes=(None, 0)).value_and_grad(np.array(fit.params), x)[1]
        pull = gradients.T @ fit.residuals
        scale = np.linalg.norm(gradients, axis=0) * np.linalg.norm(fit.residuals)
        assert np.all(np.abs(pull) < 1e-11 * scale)

    def test_the_limit_of_iterations_is_told(self) -> None:
        fit = least_squares(decay, X, Y, START, max_iterations=1)
        assert not fit.success
        assert "limit of 1 iterations" in fit.message
        assert "NOT CONVERGED" in fit.summary()


class TestPoles:
    def test_a_sample_at_a_pole_is_masked_and_told(self) -> None:
        x = np.linspace(-2.0, 2.0, 41)
        y = np.where(np.arange(41) == 20, 77.0, 3.0 / np.where(x == 0.0, 1.0, x) + 1.0)
        x[20] = 0.0
        fit = least_squares(lambda p, x: p["a"] / x + p["b"], x, y, {"a": 1.0, "b": 0.0})
        np.testing.assert_allclose([fit.params["a"], fit.params["b"]], [3.0, 1.0], rtol=1e-13)
        assert fit.masked.tolist() == [20]
        assert np.flatnonzero(np.isnan(fit.residuals)).tolist() == [20]
        assert fit.dof == 38
        assert "masked: 20" in fit.summary()

    def test_a_start_whose_pole_is_at_a_sample_leaves_it(self) -> None:
        y = 1.5 / (X + 0.55)
        fit = least_squares(lambda p, x: p[0] / (x + p[1]), X, y, [1.0, 0.0])
        np.testing.assert_allclose(fit.params, [1.5, 0.55], rtol=1e-12)
        assert len(fit.masked) == 0

    def test_a_step_out_of_the_domain_is_shortened(self) -> None:
        # From this start the step of Gauss and Newton leads to b < 0, where the logarithm is Φ.
        y = 2.0 * np.log(1.0 + 0.05 * X)
        fit = least_squares(lambda p, x: p[0] * tr_log(1.0 + p[1] * x), X, y, [1.0, 30.0])
        np.testing.assert_allclose(fit.params, [2.0, 0.05], rtol=1e-9)
        assert len(fit.masked) == 0

    def test_a_minimum_at_the_edge_of_the_domain_is_no_success(self) -> None:
        # The best p is −1, but for p < 0.5 the logarithm is Φ.
        def model(p: Any, x: Any) -> Any:
            return p[0] * x + 0.0 * tr_log(p[0] - 0.5)

        fit = least_squares(model, X, -X, [3.0])
        assert not fit.success
        assert len(fit.masked) == 0
        assert fit.params[0] == pytest.approx(0.5, abs=1e-6)
        assert fit.params[0] > 0.5

    def test_dropped_contributions_are_told(self) -> None:
        x = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
        fit = least_squares(lambda p, x: p[0] * x ** p[1], x, 2.0 * x**1.5, [1.0, 1.0])
        np.testing.assert_allclose(fit.params, [2.0, 1.5], rtol=1e-12)
        assert len(fit.masked) == 0
        assert set(fit.incomplete) <= {0}
