"""Derivatives along a direction, Hessians and their products, Jacobians."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, NamedTuple

import numpy as np
import pytest

from support.gradients import DROPPED, EXACT, MASKED, SATURATED, mode_block
from zeroproof import (
    GradientMode,
    HybridGradientContext,
    TRArray,
    TRNode,
    TRScalar,
    tr_cos,
    tr_exp,
    tr_grad,
    tr_hessian,
    tr_hvp,
    tr_jacobian,
    tr_jvp,
    tr_norm,
    tr_sin,
    tr_sqrt,
    tr_tanh,
    tr_vjp,
    tr_where,
)
from zeroproof.core import real


def rational(x: Any) -> Any:
    """x₀·x₁² ÷ (1 + x₂), with Hessian by hand below."""
    return x[0] * x[1] ** 2 / (1.0 + x[2])


X = np.array([2.0, -3.0, 0.5])
HESSIAN = np.array(
    [
        [0.0, -6.0 / 1.5, -9.0 / 1.5**2],
        [-6.0 / 1.5, 4.0 / 1.5, 12.0 / 1.5**2],
        [-9.0 / 1.5**2, 12.0 / 1.5**2, 36.0 / 1.5**3],
    ]
)


class TestHessian:
    def test_of_an_array(self) -> None:
        found = tr_hessian(rational)(X)
        assert found.dtype == np.float64
        np.testing.assert_allclose(found, HESSIAN, rtol=1e-15)
        assert (found == found.T).all()

    def test_of_a_matrix_has_both_shapes(self) -> None:
        found = tr_hessian(lambda x: x[0, 0] * x[1, 2] ** 2)(np.ones((2, 3)))
        assert found.shape == (2, 3, 2, 3)
        assert found[0, 0, 1, 2] == found[1, 2, 0, 0] == 2.0
        assert found[1, 2, 1, 2] == 2.0
        assert np.count_nonzero(found) == 3

    @pytest.mark.parametrize("make", [float, real, TRNode.parameter, TRNode.constant])
    def test_of_a_number(self, make: Any) -> None:
        found = tr_hessian(lambda x: x**3)(make(2.0))
        assert isinstance(found, TRNode)
        assert not found.requires_grad
        assert (float(found.value), found.gradient_status) == (12.0, EXACT)

    def test_of_a_structure(self) -> None:
        found = tr_hessian(lambda p: p["a"] * tr_exp(p["b"][0]) * p["b"][1])(
            {"a": 2.0, "b": np.array([0.0, 1.0])}
        )
        assert float(found["a"]["a"]) == 0.0
        np.testing.assert_array_equal(found["a"]["b"], [1.0, 1.0])
        np.testing.assert_array_equal(found["b"]["a"], [1.0, 1.0])
        np.testing.assert_array_equal(found["b"]["b"], [[2.0, 2.0], [2.0, 0.0]])

    def test_columns_are_products_to_the_bit(self) -> None:
        def f(x: Any) -> Any:
            return tr_norm(list(x)) * tr_sin(x[0] / x[1]) + tr_exp(x[2] * x[5]) / (x[3] - x[4])

        x = np.linspace(0.3, 1.8, 6)
        matrix, statuses = tr_hessian(f, with_status=True)(x)
        assert statuses.shape == (6, 6)
        for j in range(6):
            np.testing.assert_array_equal(matrix[:, j], tr_hvp(f, x, np.eye(6)[j]))

    def test_further_arguments_are_constants(self) -> None:
        found = tr_hessian(lambda x, scale: scale * x * x)(3.0, 5.0)
        assert float(found) == 10.0

    def test_a_function_of_nothing(self) -> None:
        assert float(tr_hessian(lambda x: 3.0)(1.0)) == 0.0
        assert tr_hessian(lambda x: 3.0)(np.zeros(0)).shape == (0, 0)


class TestProducts:
    def test_is_the_matrix_times_the_direction(self) -> None:
        v = np.array([0.5, -1.0, 2.0])
        for transposed in (False, True):
            found = tr_hvp(rational, X, v, transposed=transposed)
            np.testing.assert_allclose(found, HESSIAN @ v, rtol=1e-14)

    def test_directions_are_given_in_the_structure(self) -> None:
        class Point(NamedTuple):
            x: Any
            y: Any

        @dataclasses.dataclass
        class Model:
            point: Point
            scale: Any

        def f(model: Model) -> Any:
            return model.point.x[0] * model.point.x[1] * model.point.y * model.scale

        model = Model(Point(np.array([1.0, 2.0]), 3.0), real(4.0))
        along = Model(Point(TRArray([1.0, 0.0]), 0), real(0.0))
        found = tr_hvp(f, model, along)
        np.testing.assert_array_equal(found.point.x, [0.0, 12.0])
        assert (float(found.point.y), float(found.scale)) == (8.0, 6.0)

    def test_statuses(self) -> None:
        product, status = tr_hvp(lambda x: 1.0 / (1.0 / x + 1.0), 0.0, 1.0, with_status=True)
        assert (float(product), status) == (0.0, MASKED)
        product, status = tr_hvp(tr_sqrt, 0.0, 1.0, with_status=True)
        assert (float(product), status) == (0.0, DROPPED)
        product, status = tr_hvp(lambda x: 1.0 / x, 1e-160, 1.0, with_status=True)
        assert (float(product), status) == (0.0, DROPPED)
        product, status = tr_hvp(lambda x: 3.0 * x, 0.0, 1.0, with_status=True)
        assert (float(product), status) == (0.0, EXACT)

    def test_bounded_partials(self) -> None:
        def quotient(x: Any) -> Any:
            return x[0] / x[1]

        # The partials are recip b and −a ÷ (b² + 1), h² = b² + 1.
        a, b = 2.0, -0.5
        h = math.sqrt(b * b + 1.0)
        matrix = np.array([[0.0, -abs(b) / h**3], [-1 / h**2, 2 * a * b / h**4]])
        x = np.array([a, b])
        with mode_block(GradientMode.SATURATING, 1.0):
            found, statuses = tr_hessian(quotient, with_status=True)(x)
            transposed = tr_hvp(quotient, x, np.array([1.0, 0.0]), transposed=True)
        np.testing.assert_allclose(found, matrix, rtol=1e-14)
        np.testing.assert_allclose(transposed, matrix[0], rtol=1e-14)
        assert (statuses == SATURATED.value).all()

    def test_decisions_of_hybrid_mode_count_once(self) -> None:
        HybridGradientContext.reset_statistics()
        with mode_block(GradientMode.HYBRID, 1.0, 0.1):
            tr_hvp(lambda x: 1.0 / x + 1.0 / (x + 1.0), 0.05, 1.0)
        statistics = HybridGradientContext.get_statistics()
        assert statistics["saturating_activations"] == 1
        assert statistics["mask_real_activations"] == 1

    def test_no_gradient_of_a_node_changes(self) -> None:
        x, w = TRNode.parameter(2.0), TRNode.parameter(3.0)
        found = tr_hvp(lambda x: w * x * x, x, 1.0)
        assert float(found.value) == 6.0
        assert (x.gradient, w.gradient) == (None, None)

    def test_a_branch_not_taken_is_a_constant(self) -> None:
        def f(x: Any) -> Any:
            return tr_where(x[0] > 0.0, x[0] ** 2, x[1] ** 3)

        product, statuses = tr_hvp(f, X, np.ones(3), with_status=True)
        np.testing.assert_array_equal(product, [2.0, 0.0, 0.0])
        assert not statuses.any()
        chosen = tr_hvp(lambda x: tr_where(x > 0.0, x**2, x**3) * x, -2.0, 1.0)
        assert float(chosen) == 48.0

    def test_third_derivatives_raise(self) -> None:
        with pytest.raises(NotImplementedError, match="no third derivatives"):
            tr_hvp(lambda x: tr_grad(lambda y: y**3)(x), 2.0, 1.0)
        product = tr_hvp(lambda x: x**3, TRNode.parameter(2.0), 1.0)
        with pytest.raises(NotImplementedError, match="no third derivatives"):
            (product * 2.0).backward()

    @pytest.mark.parametrize(
        ("v", "error", "text"),
        [
            (math.inf, ValueError, "finite"),
            (math.nan, ValueError, "finite"),
            ([1.0], ValueError, "v must have the structure"),
            (np.ones(2), ValueError, r"v must have shape \(\), not \(2,\)"),
            ("a", TypeError, "v must hold numbers"),
        ],
    )
    def test_what_is_no_direction(self, v: Any, error: type[Exception], text: str) -> None:
        with pytest.raises(error, match=text):
            tr_hvp(lambda x: x * x, 2.0, v)


class TestForward:
    def test_values_and_derivatives_in_the_structure_of_the_result(self) -> None:
        (value, derivative, statuses) = tr_jvp(
            lambda x, y: {"product": x * y, "both": [x / y, 7.0]},
            (2.0, 4.0),
            (1.0, -1.0),
            with_status=True,
        )
        assert value["product"] == 8.0
        assert isinstance(value["product"], TRScalar)
        assert float(derivative["product"]) == 2.0
        assert [float(d) for d in derivative["both"]] == [0.375, 0.0]
        assert statuses == {"product": EXACT, "both": [EXACT, EXACT]}

    def test_is_the_gradient_times_the_tangents_in_every_mode(self) -> None:
        def f(x: Any) -> Any:
            return tr_tanh(1.0 / x[0]) + x[1] * tr_cos(x[0]) / x[2]

        for x in (np.array([0.0, 1.0, 2.0]), np.array([0.3, 1.0, -2.0])):
            for mode in GradientMode:
                with mode_block(mode, 0.5, 0.4 if mode is GradientMode.HYBRID else None):
                    v = np.array([0.7, -0.2, 1.5])
                    _, derivative, status = tr_jvp(f, (x,), (v,), with_status=True)
                    gradient, statuses = tr_grad(f, with_status=True)(x)
                assert float(derivative) == pytest.approx(gradient @ v, rel=1e-14)
                assert status.value == np.bitwise_or.reduce(statuses)

    def test_arrays(self) -> None:
        value, derivative = tr_jvp(lambda x: x * x, (np.array([1.0, 2.0]),), (np.ones(2),))
        assert [float(v) for v in value] == [1.0, 4.0]
        np.testing.assert_array_equal(derivative, [2.0, 4.0])

    def test_what_is_refused(self) -> None:
        with pytest.raises(TypeError, match="primals must be a tuple or list"):
            tr_jvp(lambda x: x, 1.0, (1.0,))
        with pytest.raises(ValueError, match="an item for each of 1 primals, not 2"):
            tr_jvp(lambda x: x, (1.0,), (1.0, 2.0))
        with pytest.raises(TypeError, match="must return"):
            tr_jvp(lambda x: "a", (1.0,), (1.0,))


class TestBackward:
    def test_pulls_adjoints_back(self) -> None:
        def f(x: Any, y: Any) -> Any:
            return {"array": x * y, "number": y * y}

        value, pullback = tr_vjp(f, np.array([1.0, 2.0]), 3.0)
        assert [float(v) for v in value["array"]] == [3.0, 6.0]
        by_x, by_y = pullback({"array": np.array([1.0, -1.0]), "number": 2.0})
        np.testing.assert_array_equal(by_x, [3.0, -3.0])
        assert float(by_y) == 11.0
        gradients, statuses = pullback(
            {"array": np.array([1.0, 0.0]), "number": 0.0}, with_status=True
        )
        np.testing.assert_array_equal(gradients[0], [3.0, 0.0])
        assert statuses[1] is EXACT

    def test_an_infinite_output_masks_itself_alone(self) -> None:
        _, pullback = tr_vjp(lambda x: [1.0 / x, 2.0 * x], 0.0)
        (gradient,), (status,) = pullback([1.0, 1.0], with_status=True)
        assert (float(gradient), status) == (2.0, MASKED)

    def test_adjoints_must_fit(self) -> None:
        _, pullback = tr_vjp(lambda x: [x, x], 1.0)
        with pytest.raises(ValueError, match="adjoints must have the structure"):
            pullback(1.0)


class TestJacobian:
    @pytest.mark.parametrize("outputs", [1, 2, 5])
    def test_forward_and_backward(self, outputs: int) -> None:
        weights = np.arange(3.0 * outputs).reshape(outputs, 3)

        def f(x: Any) -> Any:
            return np.array([(row * x * x).sum() for row in weights], dtype=object)

        found, statuses = tr_jacobian(f, with_status=True)(X)
        np.testing.assert_array_equal(found, 2 * weights * X)
        assert statuses.shape == (outputs, 3)

    def test_structures(self) -> None:
        found = tr_jacobian(lambda p: {"y": [p["a"] * p["b"][0], p["b"][1]]})(
            {"a": 2.0, "b": np.array([3.0, 4.0])}
        )
        assert float(found["y"][0]["a"]) == 3.0
        np.testing.assert_array_equal(found["y"][0]["b"], [2.0, 0.0])
        np.testing.assert_array_equal(found["y"][1]["b"], [0.0, 1.0])

    def test_names_are_kept(self) -> None:
        for transform in (tr_hessian, tr_jacobian):
            assert transform(rational).__name__ == "rational"


def test_the_jacobian_of_a_gradient_has_transposed_products_as_rows() -> None:
    """It is the Hessian, except in entries that first order dropped something of."""

    def overflows(x: Any) -> Any:
        return x[1] * tr_sin(x[0] * x[1])

    def divides(x: Any) -> Any:
        return x[0] / x[1] + tr_sin(x[1]) * x[0] ** 2

    for f, point, mode in (
        (overflows, [-1.0, 1e200], GradientMode.MASK_REAL),
        (divides, [1.5, 0.25], GradientMode.MASK_REAL),
        (divides, [1.5, 0.25], GradientMode.SATURATING),
        (divides, [1.5, 0.0], GradientMode.SATURATING),
    ):
        x = np.array(point)
        with mode_block(mode):
            rows, row_statuses = tr_jacobian(tr_grad(f), with_status=True)(x)
            for i, unit in enumerate(np.eye(2)):
                product, status = tr_hvp(f, x, unit, transposed=True, with_status=True)
                np.testing.assert_array_equal(rows[i], product)
                np.testing.assert_array_equal(row_statuses[i], status)
            hessian, statuses = tr_hessian(f, with_status=True)(x)
        differ = np.abs(rows - hessian) > 1e-14 * np.abs(hessian)
        dropped = (statuses & row_statuses & DROPPED) != 0
        assert not (differ & ~dropped).any()
        assert differ.any() == (f is overflows)
