"""Second derivatives are refused, never silently 0."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from support.gradients import gradient_of
from zeroproof import ReductionMode, TRNode, tr_grad, tr_sin, tr_value_and_grad, tr_vmap, tr_where
from zeroproof._native import alias, arena_usage, gradients_of
from zeroproof.autodiff import tr_ops_grad
from zeroproof.autodiff.gradient_tape import gradient_tape

Use = Callable[[TRNode], TRNode]


def cube(x: TRNode) -> TRNode:
    return x * x * x


def refused() -> Any:
    return pytest.raises(NotImplementedError, match=r"second derivatives.*detach\(\)")


def by_tape(x: TRNode) -> TRNode:
    with gradient_tape() as tape:
        y = cube(x)
    found = tape.gradient(y, x)
    assert isinstance(found, TRNode)
    return found


def of_closure(x: TRNode) -> TRNode:
    return tr_grad(lambda v: v * v * x)(1.0)


def of_several_targets(x: TRNode) -> TRNode:
    found = gradient_tape().gradient([x * x, cube(x)], [x])[0]
    assert isinstance(found, TRNode)
    return found


GRADIENTS = [tr_grad(cube), by_tape, of_closure, of_several_targets]
USES: list[Use] = [
    lambda g: g,
    lambda g: g + 1.0,
    lambda g: 2.0 / (g * g),
    lambda g: -g,
    lambda g: g**3,
    lambda g: (g - 1.0) ** 2,
    lambda g: tr_sin(tr_sin(g)),
    lambda g: tr_ops_grad.tr_sum([1.0, g]),
    lambda g: tr_ops_grad.tr_max([g, 2.0], ReductionMode.DROP_NULL) * 2.0,
    lambda g: tr_where(True, g, 0.0),
    lambda g: tr_where(True, 0.0, g),
    lambda g: tr_where(True, g, TRNode.parameter(1.0)),
    lambda g: tr_where(False, g, TRNode.parameter(1.0)),
    lambda g: alias(g),
]


@pytest.mark.parametrize("gradient", GRADIENTS)
@pytest.mark.parametrize("use", USES)
def test_what_is_computed_from_a_gradient_is_not_differentiated(gradient: Use, use: Use) -> None:
    x, p = TRNode.parameter(2.0), TRNode.parameter(5.0)
    used = use(gradient(x))
    loss = used * p + cube(x)
    with refused():
        loss.backward()
    with refused():
        used.backward()
    for target in (used, loss):
        for sources in ([x], [p, x]):
            with refused():
                gradient_tape().gradient(target, sources)
    assert (x.gradient, p.gradient) == (None, None)


@pytest.mark.parametrize("gradient", GRADIENTS)
def test_nested_functions(gradient: Use) -> None:
    for argument in (2.0, TRNode.constant(2.0), TRNode.parameter(2.0), TRNode.input(2.0)):
        with refused():
            tr_grad(gradient)(argument)
        with refused():
            tr_value_and_grad(lambda v: (gradient(v) - 1.0) ** 2 + cube(v))(argument)


def test_nested_tapes() -> None:
    x = TRNode.constant(2.0)
    with gradient_tape() as outer:
        outer.watch(x)
        with gradient_tape() as inner:
            inner.watch(x)
            y = cube(x)
        slope = inner.gradient(y, x)
    assert slope == 12.0
    with refused():
        outer.gradient(slope, x)


@pytest.mark.parametrize(
    "clear",
    [TRNode.detach, TRNode.constant, lambda g: TRNode.constant(g.value), lambda g: g.item()],
)
def test_a_gradient_may_be_made_a_constant(clear: Callable[[TRNode], Any]) -> None:
    x = TRNode.parameter(2.0)
    loss = clear(tr_grad(cube)(x) * 1.0) * x
    loss.backward()
    assert gradient_of(x)[0] == 12.0
    for make in (TRNode.parameter, TRNode.input):
        fresh = make(tr_grad(cube)(x))
        (fresh * fresh).backward()
        assert fresh.gradient == 24.0


def test_a_gradient_that_depends_on_nothing_else_is_a_constant() -> None:
    p = TRNode.parameter(3.0)
    for argument in (2.0, TRNode.constant(2.0)):
        gradient = tr_grad(cube)(argument)
        (p * gradient).backward()
        assert gradient_tape().gradient(p * gradient, p) == 12.0
    assert p.gradient == 24.0
    # It is 0 whatever x is.
    x = TRNode.parameter(1.0)
    (p * tr_grad(lambda v, w: w * 2.0)(2.0, x)).backward()


def test_sources_that_are_newer_than_a_gradient_do_not_change_it() -> None:
    x = TRNode.parameter(2.0)
    gradient = tr_grad(cube)(x)
    assert tr_grad(lambda w: w * gradient)(5.0) == 12.0
    assert tr_grad(lambda w: w * (2.0 * gradient + 1.0))(5.0) == 25.0
    assert tr_grad(cube)(gradient) == 3 * 12.0**2
    newer = TRNode.parameter(1.0)
    assert gradient_tape().gradient(newer * gradient, newer) == 12.0
    # Through the gradient the result depends on x.
    with refused():
        (tr_grad(lambda w: w * w * gradient)(5.0) * x).backward()
    value, _ = tr_value_and_grad(cube)(gradient)
    with refused():
        value.backward()


def test_collections_keep_what_is_newer_than_a_gradient() -> None:
    x = TRNode.parameter(2.0)
    rubbish = [TRNode.constant(float(k)) for k in range(100)]
    older = TRNode.parameter(3.0)
    gradient = tr_grad(cube)(x)
    used = gradient * 2.0 + 1.0
    newer = TRNode.parameter(4.0)
    del rubbish, gradient
    arena_usage()  # collects
    assert gradients_of(used * newer, [newer], None)[0] == (25.0, 0)
    with refused():
        gradients_of(used * newer, [newer, older], None)


def test_the_gradient_of_a_node_is_a_number() -> None:
    x = TRNode.parameter(2.0)
    cube(x).backward()
    assert x.gradient is not None
    (x * x.gradient).backward()
    assert x.gradient == 24.0


def test_a_gradient_that_is_watched() -> None:
    x = TRNode.parameter(2.0)
    gradient = tr_grad(cube)(x)
    with gradient_tape(persistent=True) as tape:
        tape.watch(gradient)
        y = gradient * gradient
    assert tape.gradient(y, gradient) == 24.0
    with refused():
        tape.gradient(y, x)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_a_copy_of_a_gradient_is_one(duplicate: Callable[[Any], Any]) -> None:
    x = TRNode.parameter(2.0)
    slope = tr_grad(cube)(x)
    with pytest.raises(NotImplementedError):
        (duplicate(slope) * x).backward()
    with pytest.raises(NotImplementedError):
        (duplicate(np.array([slope], dtype=object))[0] * x).backward()
    leaf = duplicate(TRNode.parameter(3.0, "w"))
    assert (leaf.value, leaf.name, leaf.requires_grad) == (3.0, "w", True)
    with pytest.raises(TypeError, match="only leaves"):
        duplicate(x * x)


def test_a_gradient_is_no_number_where_it_is_differentiated() -> None:
    def stored(x: TRNode) -> TRNode:
        slopes = np.zeros(1)
        slopes[0] = tr_grad(cube)(x)
        return slopes[0] * x

    with pytest.raises(TypeError, match=r"g\.item\(\) or g\.detach\(\)"):
        tr_grad(stored)(2.0)
    assert tr_grad(lambda x: tr_grad(cube)(x).item() * x)(2.0) == 12.0
    # Elsewhere it converts, as constants do; also of numbers, which depend on nothing.
    assert float(tr_grad(cube)(TRNode.parameter(2.0))) == 12.0
    assert tr_grad(lambda x: float(tr_grad(cube)(2.0)) * x)(5.0) == 12.0


def test_a_traced_function_is_differentiated_as_a_whole() -> None:
    with pytest.raises(TypeError, match=r"tr_vmap\(f\)\.value_and_grad"):
        tr_vmap(tr_grad(cube))(np.ones(3))
