"""Derivatives along directions and second derivatives of batches, beside the scalar functions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from zeroproof import (
    GradientMode,
    GradientModeConfig,
    HybridGradientContext,
    MaskedSamplesWarning,
    TRArray,
    TRScalar,
    alarm,
    gradient_mode,
    tr_cos,
    tr_exp,
    tr_hessian,
    tr_hvp,
    tr_jvp,
    tr_less,
    tr_log,
    tr_prod,
    tr_sin,
    tr_sqrt,
    tr_vmap,
    tr_where,
    watch_singularities,
)

SAMPLES = 70


def f(x: Any, w: Any) -> Any:
    return (w[0] + w[1] * x * x) / (1.0 + x * w[2]) + tr_sin(x * w[1]) * tr_exp(x)


def chosen(x: Any, w: Any) -> Any:
    return tr_where(tr_less(0.5, x), tr_log(x) * w[0], w[1] * x**3) / (x - w[2])


def folded(x: Any, w: Any) -> Any:
    return tr_prod([x, w[0], x * w[1], tr_cos(w[2])])


FUNCTIONS = [f, chosen, folded]
W = np.array([0.3, -0.5, 0.7])
V = np.array([1.0, -2.0, 0.25])


def numbers() -> np.ndarray[Any, Any]:
    x = np.random.default_rng(5).normal(size=SAMPLES)
    x[:6] = [0.0, -1 / 0.7, np.inf, np.nan, 1e-200, 0.7]
    return x


X = numbers()
DX = np.random.default_rng(6).normal(size=SAMPLES)


def modes() -> list[Any]:
    return [
        pytest.param(lambda: nullcontext(), id="mask-real"),
        pytest.param(lambda: gradient_mode(GradientMode.SATURATING, 0.5), id="saturating"),
        pytest.param(hybrid, id="hybrid"),
    ]


class hybrid:
    """Hybrid mode with a threshold that some samples are within."""

    def __enter__(self) -> None:
        self._block = gradient_mode(GradientMode.HYBRID)
        self._block.__enter__()
        GradientModeConfig.set_local_threshold(0.3)

    def __exit__(self, *exception: Any) -> None:
        self._block.__exit__(*exception)


@pytest.fixture(autouse=True)
def _fresh_statistics() -> Iterator[None]:
    HybridGradientContext.reset()
    yield
    HybridGradientContext.reset()


def item(value: Any) -> float:
    return float(value.item() if hasattr(value, "item") else value)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("mode", modes())
def test_jvp_agrees_with_the_scalar_function(function: Any, mode: Any) -> None:
    batched = tr_vmap(function, in_axes=(0, None))
    with mode():
        values, found, statuses = batched.jvp((X, W), (DX, V), with_status=True)
        counted = HybridGradientContext.get_statistics()
        HybridGradientContext.reset_statistics()
        for i in range(SAMPLES):
            value, derivative, status = tr_jvp(function, (X[i], W), (DX[i], V), with_status=True)
            np.testing.assert_array_equal(values.to_ieee()[i], value.to_ieee())
            assert item(derivative) == found[i]
            assert int(status) == statuses[i]
        assert HybridGradientContext.get_statistics() == counted


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("mode", modes())
@pytest.mark.parametrize("transposed", [False, True])
def test_hvp_agrees_with_the_scalar_function(function: Any, mode: Any, transposed: bool) -> None:
    batched = tr_vmap(function, in_axes=(0, None))
    with mode():
        products, statuses = batched.hvp(
            (X, W), (DX, V), argnums=(0, 1), transposed=transposed, with_status=True
        )
        counted = HybridGradientContext.get_statistics()
        HybridGradientContext.reset_statistics()
        for i in range(SAMPLES):
            (of_x, of_w), (status_x, status_w) = tr_hvp(
                lambda args: function(*args),
                (X[i], W),
                (DX[i], V),
                transposed=transposed,
                with_status=True,
            )
            assert item(of_x) == products[0][i]
            np.testing.assert_array_equal(of_w, products[1][i])
            assert int(status_x) == statuses[0][i]
            np.testing.assert_array_equal(status_w, statuses[1][i])
        assert HybridGradientContext.get_statistics() == counted


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("mode", modes())
def test_hessian_agrees_with_the_scalar_function(function: Any, mode: Any) -> None:
    batched = tr_vmap(function, in_axes=(0, None))
    with mode():
        hessians, statuses = batched.hessian(X, W, argnums=(0, 1), with_status=True)
        counted = HybridGradientContext.get_statistics()
        HybridGradientContext.reset_statistics()
        of_one = tr_hessian(lambda p: function(p[0], p[1:]), with_status=True)
        for i in range(SAMPLES):
            hessian, status = of_one(np.concatenate([[X[i]], W]))
            np.testing.assert_array_equal(hessian, hessians[i])
            np.testing.assert_array_equal(status, statuses[i])
        assert HybridGradientContext.get_statistics() == counted
    assert hessians.shape == statuses.shape == (SAMPLES, 4, 4)


def test_a_classical_hessian_is_symmetric() -> None:
    x = np.random.default_rng(7).uniform(0.5, 2.0, (30, 3))
    hessians = tr_vmap(lambda p: p[0] * p[1] / p[2] + tr_sqrt(p[0]) * p[2]).hessian(x)
    np.testing.assert_allclose(hessians, np.swapaxes(hessians, 1, 2), rtol=1e-14)


@pytest.mark.parametrize("reduce", ["sum", "mean"])
def test_reduced_results_are_those_of_the_samples_that_are_real(reduce: str) -> None:
    batched = tr_vmap(f, in_axes=(0, None))
    kept = np.isfinite(batched(X, W).to_ieee())
    assert 0 < kept.sum() < SAMPLES
    scale = 1.0 if reduce == "sum" else 1.0 / kept.sum()

    hessian = batched.hessian(X, W, argnums=1, reduce=reduce)
    each = batched.hessian(X, W, argnums=1)
    assert hessian.shape == (3, 3)
    np.testing.assert_allclose(hessian, each[kept].sum(axis=0) * scale, rtol=1e-9)

    of_x, of_w = batched.hvp((X, W), (DX, V), argnums=(0, 1), reduce=reduce)
    rows, shared = batched.hvp((X, W), (DX, V), argnums=(0, 1))
    np.testing.assert_allclose(of_w, shared[kept].sum(axis=0) * scale, rtol=1e-9)
    np.testing.assert_allclose(of_x, np.where(kept, rows, 0.0) * scale, rtol=1e-12)

    value, derivative = batched.jvp((X, W), (DX, V), reduce=reduce)
    values, derivatives = batched.jvp((X, W), (DX, V))
    assert isinstance(value, TRScalar)
    assert derivative.shape == ()
    np.testing.assert_allclose(derivative, derivatives[kept].sum() * scale, rtol=1e-9)
    np.testing.assert_allclose(value.value, values.to_ieee()[kept].sum() * scale, rtol=1e-9)


@dataclass
class Parameters:
    a: Any
    b: Any


def test_structures_go_in_and_come_out() -> None:
    def of_structure(p: Any, x: Any) -> Any:
        return {"y": p.a[0] * x / p.b, "z": [p.a[1] * x]}

    batched = tr_vmap(of_structure, in_axes=(None, 0))
    p, dp = Parameters(np.array([1.0, 2.0]), 0.5), Parameters(np.array([0.25, -1.0]), 2.0)
    x = np.linspace(0.5, 1.5, 5)
    values, derivatives = batched.jvp((p, x), (dp, np.ones(5)))
    assert isinstance(values["y"], TRArray)
    expected = 0.25 * x / 0.5 - 2.0 * x / 0.25 + 2.0
    np.testing.assert_allclose(derivatives["y"], expected)
    np.testing.assert_allclose(derivatives["z"][0], -x + 2.0)

    only = tr_vmap(lambda p, x: p.a[0] * p.a[1] * x / p.b, in_axes=(None, 0))
    product = only.hvp((p, x), dp)
    assert isinstance(product, Parameters)
    assert product.a.shape == (5, 2)
    assert only.hessian(p, x).shape == (5, 3, 3)
    assert only.hessian(p, x, reduce="sum").shape == (3, 3)
    assert only.hvp((p, x), dp, reduce="mean").b.shape == ()


def test_keywords_and_single_samples() -> None:
    batched = tr_vmap(lambda x, scale: x**3 * scale, in_axes=0)
    x = np.array([1.0, 2.0])
    np.testing.assert_array_equal(batched.hessian(x, scale=np.ones(2)), [[[6.0]], [[12.0]]])
    _, derivative = batched.jvp((x,), (np.ones(2),), scale=np.array([1.0, 2.0]))
    np.testing.assert_array_equal(derivative, [3.0, 24.0])
    single = tr_vmap(lambda w: w[0] * w[1] ** 2, in_axes=None)
    w = np.array([2.0, 3.0])
    np.testing.assert_array_equal(single.hessian(w), [[0.0, 6.0], [6.0, 4.0]])
    np.testing.assert_array_equal(single.hvp((w,), np.array([1.0, 0.0])), [0.0, 6.0])


def test_out_is_written_to() -> None:
    batched = tr_vmap(f, in_axes=(0, None))
    value, derivative, hessian = np.empty(SAMPLES), np.empty(SAMPLES), np.empty((SAMPLES, 3, 3))
    values, found = batched.jvp((X, W), (DX, V), out=(value, derivative))
    assert found is derivative
    np.testing.assert_array_equal(values.to_ieee(), value)
    assert batched.hessian(X, W, argnums=1, out=hessian) is hessian
    product = np.empty((SAMPLES, 3))
    assert batched.hvp((X, W), V, argnums=1, out=product) is product
    reduced = np.empty(())
    assert batched.jvp((X, W), (DX, V), reduce="sum", out=reduced)[1] is reduced
    jacobian = np.empty((SAMPLES, 1, 3))
    values, found = batched.value_and_jacobian(X, W, argnums=1, out=(None, jacobian))
    assert found is jacobian
    np.testing.assert_array_equal(found, batched.jacobian(X, W, argnums=1))
    np.testing.assert_array_equal(values.to_ieee(), value)


def test_value_and_jacobian_has_values_and_statuses() -> None:
    batched = tr_vmap(lambda x: {"a": 1 / x, "b": [x * x]})
    values, jacobian, statuses = batched.value_and_jacobian(np.array([0.0, 2.0]), with_status=True)
    assert [str(value) for value in values["a"]] == ["+∞", "0.5"]
    np.testing.assert_array_equal(jacobian, [[[0.0], [0.0]], [[-0.25], [4.0]]])
    np.testing.assert_array_equal(statuses[:, :, 0], [[1, 0], [0, 0]])


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda b: b.jvp(X, (DX, V)), TypeError, "primals must be a tuple or list"),
        (lambda b: b.jvp((X, W), (DX,)), ValueError, "an item for each of 2 arguments, not 1"),
        (lambda b: b.jvp((X, W), DX), TypeError, "tangents must be a tuple or list"),
        (lambda b: b.hvp((X, W), DX[1:]), ValueError, r"v must have the shape \(70,\)"),
        (lambda b: b.hvp((X, W), X), ValueError, "must be finite"),
        (lambda b: b.hvp((X, W), V, argnums=(1, 1)), ValueError, "twice"),
        (lambda b: b.hvp((X, W), V, argnums=5), ValueError, "argnums names argument 5"),
        (lambda b: b.hvp((X, W), V, argnums=1, reduce="max"), ValueError, "reduce must be"),
        (lambda b: b.hessian(X, W, reduce="mean"), ValueError, "x has an axis of samples"),
        (lambda b: b.hessian(X, W, out=np.empty(3)), ValueError, "out must have the shape"),
        (lambda b: b.hvp((X, W), V, argnums=1, out=np.empty(3)), ValueError, "out must have"),
        (lambda b: b.jvp((X, W), (DX, V), out=np.empty(3)), TypeError, "out must be a tuple"),
    ],
)
def test_what_is_refused(call: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        call(tr_vmap(f, in_axes=(0, None)))


def test_several_results_have_no_hessian() -> None:
    batched = tr_vmap(lambda x: [x, x * x])
    for call in (
        lambda: batched.hessian(DX),
        lambda: batched.hvp((DX,), DX),
        lambda: batched.jvp((DX,), (DX,), reduce="sum"),
    ):
        with pytest.raises(TypeError, match="returns one node"):
            call()


def test_out_may_not_overlap_an_argument() -> None:
    batched = tr_vmap(lambda x: x * x)
    x = np.ones(5)
    with pytest.raises(ValueError, match="shares memory"):
        batched.hvp((x,), np.ones(5), out=x)


def test_logs_and_alarms_see_them_as_gradients() -> None:
    batched = tr_vmap(lambda x: 1 / x)
    x = np.array([0.0, 1.0, 2.0])
    with watch_singularities() as expected:
        batched.value_and_grad(x)
    calls = [
        lambda: batched.hvp((x,), np.ones(3)),
        lambda: batched.hessian(x),
        lambda: batched.jvp((x,), (np.ones(3),)),
    ]
    for call in calls:
        with watch_singularities() as log:
            call()
        assert str(log) == str(expected)
        assert len(log) == 1
        with alarm(0.1), pytest.warns(MaskedSamplesWarning, match="1 of 3 samples"):
            call()
