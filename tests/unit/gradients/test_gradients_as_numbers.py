"""A gradient turns into a plain number, and is copied, only as other nodes are."""

from __future__ import annotations

import copy
import math
import pickle
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from support.nested import cube, third_is_refused
from zeroproof import (
    TRNode,
    gradient_tape,
    tr_grad,
    tr_hessian,
    tr_hvp,
    tr_jacobian,
    tr_jvp,
    tr_value_and_grad,
    tr_vjp,
    tr_where,
)

Use = Callable[[TRNode], TRNode]


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_gradient_is_copied_as_other_nodes_are(duplicate: Callable[[Any], Any]) -> None:
    x = TRNode.parameter(2.0)
    for node in (x * x, tr_grad(cube)(x), tr_hvp(cube, x, 1.0), tr_hvp(cube, x, 1.0) * 2.0):
        with pytest.raises(TypeError, match="only leaves"):
            duplicate(node)
    for constant in (tr_grad(cube)(2.0), tr_grad(cube)(x).detach()):
        assert pickle.loads(pickle.dumps(constant)) == copy.copy(constant) == 12.0


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_copies_of_leaves_and_of_what_a_tape_returns(duplicate: Callable[[Any], Any]) -> None:
    leaf = duplicate(TRNode.parameter(3.0, "w"))
    assert (leaf.value, leaf.name, leaf.requires_grad) == (3.0, "w", True)
    x = TRNode.parameter(2.0)
    slope = gradient_tape().gradient(cube(x), x)
    with third_is_refused():
        (duplicate(slope) * x).backward()
    assert pickle.loads(pickle.dumps(slope)) == 12.0


def by_tapes(x: TRNode) -> TRNode:
    with gradient_tape(), gradient_tape() as tape:
        found = tape.gradient(cube(x), x)
    assert isinstance(found, TRNode)
    return found


def twice_by_tapes(x: TRNode) -> TRNode:
    """A gradient of second order, which is not recorded."""
    with gradient_tape() as outer:
        outer.watch(x)
        with gradient_tape() as inner:
            y = cube(x)
        slope = inner.gradient(y, x)
        found = outer.gradient(slope, x)
    assert isinstance(found, TRNode)
    return found


#: What depends on a parameter, recorded or not.
DEPENDENT: dict[str, Use] = {
    "grad": tr_grad(cube),
    "tapes": by_tapes,
    "vjp": lambda x: tr_vjp(cube, x)[1](1.0)[0],
    "jacobian": lambda x: tr_jacobian(lambda v: [cube(v)])(x)[0],
    "a parameter that the function reads": lambda x: tr_grad(lambda v: v * x * x)(1.0),
    "value_and_grad": lambda x: tr_value_and_grad(cube)(x)[1],
    "second": tr_grad(tr_grad(cube)),
    "jvp": lambda x: tr_jvp(cube, (x,), (1.0,))[1],
    "hvp": lambda x: tr_hvp(cube, x, 1.0),
    "hessian": lambda x: tr_hessian(cube)(x),
    "hessian of an array": lambda x: tr_hessian(lambda v: cube(v[0]))(np.array([x]))[0, 0],
    "a parameter in a function of a number": lambda x: tr_hvp(lambda v: cube(v) * x, 1.0, 1.0),
    "second by tapes": twice_by_tapes,
    "computed from one": lambda x: tr_hvp(cube, x, 1.0) * 2.0 + 1.0,
    "chosen": lambda x: tr_where(True, tr_hvp(cube, x, 1.0), 0.0),
    "not chosen": lambda x: tr_where(False, tr_hvp(cube, x, 1.0), 0.0),
    "not chosen, beside a tape's": lambda x: tr_where(
        False, tr_hvp(cube, x, 1.0), gradient_tape().gradient(cube(x), x)
    ),
}


@pytest.mark.parametrize("gradient", DEPENDENT.values(), ids=DEPENDENT.keys())
@pytest.mark.parametrize(
    "convert",
    [
        float,
        int,
        complex,
        math.sin,
        lambda g: np.asarray([g], float),
        lambda g: np.full(2, g, float),
    ],
    ids=["float", "int", "complex", "math", "array", "full"],
)
def test_a_gradient_is_a_number_only_as_other_nodes_are(
    gradient: Use, convert: Callable[[Any], Any]
) -> None:
    def converts(x: TRNode) -> None:
        with pytest.raises(TypeError, match=r"tr_sin.* x\.value, x\.item\(\) or x\.detach\(\)"):
            convert(gradient(x))

    x = TRNode.parameter(2.0)
    converts(x)
    with gradient_tape():
        converts(x)
    thread = threading.Thread(target=converts, args=(x,))
    failures = []
    before, threading.excepthook = threading.excepthook, lambda failed: failures.append(failed)
    try:
        thread.start()
        thread.join()
    finally:
        threading.excepthook = before
    assert not failures
    tr_grad(lambda v: converts(v) or v)(2.0)
    assert convert(gradient(x).detach()) is not None


def test_constant_gradients_convert() -> None:
    x = TRNode.parameter(2.0)
    for argument in (2.0, TRNode.constant(2.0)):
        assert float(tr_grad(cube)(argument)) == float(tr_hvp(cube, argument, 1.0)) == 12.0
        assert tr_grad(lambda v, a=argument: float(tr_grad(cube)(a)) * v)(5.0) == 12.0
        with gradient_tape():
            assert math.sqrt(tr_grad(cube)(argument) * 3.0) == 6.0
    with gradient_tape() as tape:
        y = cube(x)
    slope = tape.gradient(y, x)
    assert float(slope) == float(slope * 1.0) == 12.0
    assert float(tr_where(True, slope, 1.0)) == 12.0
    cube(x).backward()
    assert math.sqrt(x.gradient * 3.0) == 6.0  # type: ignore[operator]


def test_a_gradient_as_a_number_in_a_loss() -> None:
    x = TRNode.parameter(2.0)
    with pytest.raises(TypeError, match="requires a gradient"):
        _ = cube(x) + math.pow(tr_grad(cube)(x), 2)
    loss = cube(x) + tr_grad(cube)(x) ** 2
    loss.backward()
    assert x.gradient == 12.0 + 2 * 12.0 * 12.0


def test_a_gradient_in_an_array_of_a_differentiated_function() -> None:
    def stored(x: TRNode) -> TRNode:
        slopes = np.zeros(1)
        slopes[0] = tr_grad(cube)(x)
        return slopes[0] * x

    with pytest.raises(TypeError, match=r"x\.item\(\) or x\.detach\(\)"):
        tr_grad(stored)(2.0)
    assert tr_grad(lambda x: tr_grad(cube)(x).item() * x)(2.0) == 12.0
