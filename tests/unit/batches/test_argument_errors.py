"""Errors of gradient functions and batched methods name what was wrong and what to pass."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
import pytest

from zeroproof import (
    TRNode,
    tr_grad,
    tr_hvp,
    tr_jvp,
    tr_value_and_grad,
    tr_vjp,
    tr_vmap,
)

ONES = np.ones(2)
NODES = np.array([TRNode.parameter(1.0), TRNode.parameter(2.0)], dtype=object)


def product(x: Any, y: Any) -> Any:
    return x * y


batched = tr_vmap(product)
shared = tr_vmap(product, in_axes=(None, 0))

METHODS: dict[str, Callable[..., Any]] = {
    "value_and_grad": lambda **keywords: batched.value_and_grad(ONES, ONES, **keywords),
    "jacobian": lambda **keywords: batched.jacobian(ONES, ONES, **keywords),
    "value_and_jacobian": lambda **keywords: batched.value_and_jacobian(ONES, ONES, **keywords),
    "jvp": lambda **keywords: batched.jvp((ONES, ONES), (ONES, ONES), **keywords),
    "vjp": lambda **keywords: batched.vjp(ONES, ONES, **keywords),
    "hvp": lambda **keywords: batched.hvp((ONES, ONES), ONES, **keywords),
    "hessian": lambda **keywords: batched.hessian(ONES, ONES, **keywords),
}
each_method = pytest.mark.parametrize("method", METHODS)


class TestArgnums:
    @each_method
    @pytest.mark.parametrize("argnums", [True, False, (True,), [0, True], np.True_])
    def test_a_bool_is_no_place(self, method: str, argnums: Any) -> None:
        with pytest.raises(TypeError, match="argnums must be the place or the name"):
            METHODS[method](argnums=argnums)
        with pytest.raises(TypeError, match="argnums must be the place or the name"):
            tr_value_and_grad(product, argnums=argnums)

    def test_nor_is_it_a_coordinate(self) -> None:
        with pytest.raises(TypeError, match="coordinate must be the place or the name"):
            batched.value_and_grad(ONES, ONES, coordinate=True)
        with pytest.raises(TypeError, match="coordinate must be the place or the name"):
            tr_vmap(product, coordinate=True).value_and_grad(ONES, ONES)

    @pytest.mark.parametrize("argnums", [(0, 0), (0, -2), ("x", 0)])
    def test_second_derivatives_name_no_argument_twice(self, argnums: Any) -> None:
        with pytest.raises(ValueError, match="must not name an argument twice"):
            METHODS["hvp"](argnums=argnums)
        with pytest.raises(ValueError, match="must not name an argument twice"):
            METHODS["hessian"](argnums=argnums)
        with pytest.raises(ValueError, match="must not name an argument twice"):
            shared.hessian(2.0, ONES, argnums=argnums, reduce="sum")
        # First derivatives may.
        assert METHODS["jacobian"](argnums=argnums).shape == (2, 1, 2)


class TestNodes:
    def test_directions_of_batches(self) -> None:
        for given in (NODES, NODES.tolist()):
            with pytest.raises(TypeError, match=r"tangents\[0\] holds TRNodes.*node\.item\(\)"):
                batched.jvp((ONES, ONES), (given, ONES))
            with pytest.raises(TypeError, match=r"v holds TRNodes.*node\.item\(\)"):
                batched.hvp((ONES, ONES), given)
            with pytest.raises(TypeError, match=r"adjoints holds TRNodes.*node\.item\(\)"):
                batched.vjp(ONES, ONES)[1](given)
            with pytest.raises(TypeError, match=r"holds TRNodes.*node\.item\(\)"):
                batched(given, ONES)
        with pytest.raises(TypeError, match=r"tangents\[0\] is a TRNode.*node\.item\(\)"):
            shared.jvp((1.0, ONES), (NODES[0], ONES))

    def test_directions_of_scalar_functions(self) -> None:
        x = NODES[0]
        with pytest.raises(TypeError, match=r"tangents\[0\] must .* no TRNode .*node\.item\(\)"):
            tr_jvp(lambda v: v * v, (1.0,), (x,))
        with pytest.raises(TypeError, match=r"v must .* no TRNode .*node\.item\(\)"):
            tr_hvp(lambda v: v[0] * v[1], ONES, NODES)
        with pytest.raises(TypeError, match=r"adjoints must .* no TRNode .*node\.item\(\)"):
            tr_vjp(lambda v: v * v, 1.0)[1](x)
        with pytest.raises(TypeError, match="v must hold numbers, not object"):
            tr_hvp(lambda v: v[0] * v[1], ONES, np.array(["a", "b"], dtype=object))
        assert tr_hvp(lambda v: v * v, 1.0, x.detach()) == 2.0


class TestKeywords:
    @each_method
    def test_an_unknown_one_is_told_with_those_that_there_are(self, method: str) -> None:
        with pytest.raises(
            TypeError,
            match=rf"product got .* 'foo', which {method} does not have either: it has .*argnums",
        ):
            METHODS[method](foo=1)
        if method != "value_and_grad":
            with pytest.raises(TypeError, match="'has_aux', which"):
                METHODS[method](has_aux=True)

    def test_calls(self) -> None:
        with pytest.raises(TypeError, match="'foo', which a call does not have either: it has out"):
            batched(ONES, ONES, foo=ONES)
        with pytest.raises(TypeError, match=r"'foo', which program does not .*: it has native"):
            batched.program(ONES, ONES, foo=ONES)

    def test_what_the_function_takes_goes_on_to_it(self) -> None:
        def scaled(x: Any, *, scale: Any) -> Any:
            return x * scale

        @wraps(product)
        def decorated(*args: Any, scale: Any = 1.0) -> Any:
            return product(*args) * scale

        def anything(x: Any, **others: Any) -> Any:
            return x * others["scale"]

        two = np.full(2, 2.0)
        for _ in range(2):
            assert tr_vmap(scaled)(ONES, scale=two).tolist() == [2.0, 2.0]
            assert tr_vmap(decorated)(ONES, ONES, scale=two).tolist() == [2.0, 2.0]
            assert tr_vmap(anything)(ONES, scale=two).tolist() == [2.0, 2.0]
            assert batched(ONES, y=two).tolist() == [2.0, 2.0]
        with pytest.raises(TypeError, match="'scale'"):
            tr_vmap(product)(ONES, ONES, scale=two)


def test_a_gradient_penalty_is_no_batched_function() -> None:
    def penalty(w: Any, u: Any) -> Any:
        return (tr_grad(lambda v: w * v**3)(u) - 1.0) ** 2

    with pytest.raises(TypeError, match="only the traced function as a whole is differentiated"):
        tr_vmap(penalty, in_axes=(None, 0)).value_and_grad(0.5, ONES)
    # As the guide has it, by a product with the Hessians.
    model = tr_vmap(lambda w, u: w * u**3, in_axes=(None, 0))
    w, u = 0.5, np.array([1.5, 1.0, -0.5])
    v = (0.0, 2.0 * (model.value_and_grad(w, u, argnums=1)[1] - 1.0))
    by_w, by_u = model.hvp((w, u), v, argnums=(0, 1), transposed=True, reduce="sum")
    expected = [tr_grad(penalty, argnums=(0, 1))(w, each) for each in u.tolist()]
    np.testing.assert_allclose(by_w, sum(by.item() for by, _ in expected), rtol=1e-14)
    np.testing.assert_allclose(by_u, [by.item() for _, by in expected], rtol=1e-14)
