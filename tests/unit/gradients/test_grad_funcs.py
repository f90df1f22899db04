"""Gradients of functions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from support.gradients import mode_block
from zeroproof.autodiff.grad_funcs import tr_grad, tr_value_and_grad
from zeroproof.autodiff.grad_mode import GradientMode
from zeroproof.autodiff.hybrid_gradient import HybridGradientContext
from zeroproof.autodiff.tr_node import GradientStatus, TRNode
from zeroproof.autodiff.tr_ops_grad import tr_sin
from zeroproof.core import TRScalar, real

X = np.array([1.0, -2.0, 0.5])


def product(x: TRNode, y: TRNode, scale: Any = 1.0) -> TRNode:
    """x·sin(y), scaled."""
    return x * tr_sin(y) * scale


class TestGrad:
    @pytest.mark.parametrize("make", [float, real, TRNode.parameter, TRNode.constant, np.float64])
    def test_arguments_of_every_kind(self, make: Any) -> None:
        value, gradient = tr_value_and_grad(product)(make(2.0), make(0.5))
        is_node = isinstance(make(2.0), TRNode)
        assert type(value) is (TRNode if is_node else TRScalar)
        assert isinstance(gradient, TRNode)
        # By a parameter it depends on what other gradients may be asked for.
        assert gradient.requires_grad is (is_node and make(2.0).requires_grad)
        assert (value.value if is_node else value) == product(2.0, 0.5)
        assert gradient.item() == math.sin(0.5)
        assert gradient.gradient_status is GradientStatus.EXACT

    def test_argnums(self) -> None:
        by_y = tr_grad(product, argnums=1)(2.0, 0.5)
        assert float(by_y) == pytest.approx(2.0 * math.cos(0.5))
        both = tr_grad(product, argnums=(1, 0))(2.0, 0.5)
        assert isinstance(both, tuple)
        assert [float(g) for g in both] == [float(by_y), math.sin(0.5)]
        assert float(tr_grad(product, argnums=-1)(2.0, 0.5)) == float(by_y)

    def test_an_argument_named_twice_has_its_gradient_twice(self) -> None:
        assert [float(g) for g in tr_grad(lambda x: x * x, argnums=(0, -1))(3.0)] == [6.0, 6.0]

    def test_keywords_pass_through(self) -> None:
        assert float(tr_grad(product)(2.0, 0.5, scale=10.0)) == pytest.approx(10 * math.sin(0.5))

    def test_a_function_that_ignores_its_argument(self) -> None:
        for f in (lambda x: TRNode.constant(1.0), lambda x: TRNode.parameter(1.0) * 2.0):
            assert float(tr_grad(f)(1.0)) == 0.0

    def test_names_and_docstrings_are_kept(self) -> None:
        assert tr_grad(product).__name__ == "product"
        assert tr_value_and_grad(product).__doc__ == product.__doc__

    def test_gradients_of_nodes_are_left_alone(self) -> None:
        x = TRNode.parameter(2.0)
        tr_grad(product, argnums=(0, 1))(x, x)
        assert x.gradient is None

    def test_what_is_refused(self) -> None:
        results = (
            None,
            "1",
            (1.0, 2.0),
            [1.0],
            1j,
            True,
            np.ones(2),
            np.bool_(True),
            X.astype("O"),
        )
        for result in results:
            with pytest.raises(TypeError, match="must return a TRNode or a number, not"):
                tr_grad(lambda x, result=result: result)(2.0)
        with pytest.raises(ValueError, match="argnums"):
            tr_grad(product, argnums=2)(2.0, 0.5)
        with pytest.raises(TypeError, match=r"x cannot be differentiated by: .* not str"):
            tr_grad(product)("1", 0.5)

    def test_an_input_stays_a_coordinate(self) -> None:
        # Hybrid's exploration regions refer to inputs, and every path gives the same gradient.
        with mode_block(GradientMode.HYBRID):
            HybridGradientContext.set_exploration_regions([(0.0, 1.0)])
            x = TRNode.input(0.5)
            (1.0 / x).backward()
            assert tr_grad(lambda v: 1.0 / v)(TRNode.input(0.5)).value == x.gradient
