"""``jax.numpy`` as an array library of the replay: numbers, and what XLA must not simplify."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from support.jax_values import with_64_bits
from support.ops import NAMES, node_op
from support.replays import FEW_ULPS, by_engine, operands_of_arities, tags, ulps
from support.slow import slow
from support.values import SPECIALS
from zeroproof import TRNode, replay, tr_vmap
from zeroproof.autodiff.grad_mode import GradientMode
from zeroproof.core import tr_exp, tr_log, tr_sqrt

jax = pytest.importorskip("jax", reason="JAX is not installed")

from zeroproof.jax import JaxNumpy  # noqa: E402

OPERANDS = operands_of_arities([x for x in SPECIALS if x != 5e-324])
#: XLA takes subnormal numbers for zeros.
SMALLEST_NORMAL = 2.0**-1022


@pytest.fixture(autouse=True)
def doubles() -> Iterator[None]:
    """All tests here are of float64."""
    with with_64_bits():
        yield


def _of_all(arity: str) -> Callable[..., Any]:
    """A function of the values of all operations."""

    def function(*operands: TRNode) -> list[Any]:
        if arity == "power":
            return [node_op("pow_int")(operands[0], n) for n in (-5, -2, -1, 0, 1, 2, 3, 7)]
        if arity == "variadic":
            return [node_op(name)([*operands, 0.5]) for name in NAMES[arity]]
        return [node_op(name)(*operands) for name in NAMES[arity]]

    return function


def _differ(found: Any, expected: Any) -> Any:
    near_zero = np.abs(expected) < SMALLEST_NORMAL
    return np.where(near_zero, np.abs(found) >= SMALLEST_NORMAL, ulps(found, expected) > FEW_ULPS)


#: The slow ones take XLA long to compile.
@pytest.mark.parametrize(
    "arity", ["power", *slow(*(arity for arity in OPERANDS if arity != "power"))]
)
def test_every_operation_agrees_with_the_engine(arity: str) -> None:
    operands = OPERANDS[arity]
    batched = tr_vmap(_of_all(arity))
    replayed = replay.compile(batched.program(*operands), JaxNumpy())
    values = np.asarray(jax.jit(replayed.forward)(operands))
    expected = np.stack([value.to_ieee() for value in batched(*operands)], axis=-1)
    assert np.argwhere(tags(values) != tags(expected)).tolist() == []
    assert np.argwhere(_differ(values, expected)).tolist() == []
    for mode in (replay.Mode(), replay.Mode(GradientMode.SATURATING, 1e-3)):

        def pulled(adjoints: Any, mode: replay.Mode = mode) -> Any:
            found = replayed.vjp(operands, adjoints, mode)
            return found.gradients, found.statuses

        compiled = jax.jit(pulled)
        for output, adjoint in itertools.product(range(values.shape[1]), (1.0, -1e-160)):
            columns = np.zeros(values.shape)
            columns[:, output] = adjoint
            seeds = [column.copy() for column in columns.T]
            gradients, statuses = by_engine(batched, operands, seeds, mode)
            found, flags = compiled(columns)
            for place in range(len(operands)):
                assert np.array_equal(flags[place], statuses[place]), (output, adjoint, mode)
                wrong = _differ(np.asarray(found[place]), gradients[place])
                assert np.flatnonzero(wrong).tolist() == [], (output, adjoint, mode)


@pytest.mark.parametrize(
    ("function", "operands", "expected"),
    [
        # Fused, a product would not be rounded before the difference.
        (lambda x, y, z: 1.0 / (x * y - z), (0.1, 0.7, 0.1 * 0.7), math.inf),
        (lambda x, y, z: 1.0 / (x * x - z), (0.1, 1.0, 0.1 * 0.1), math.inf),
        # 49 times the reciprocal of 49 is not 1.
        (lambda x, y, z: 1.0 / (x / 49.0 - 1.0), (49.0, 1.0, 1.0), math.inf),
        # 1e-20 is lost beside 1.
        (lambda x, y, z: 1.0 / ((x + 1.0) - 1.0), (1e-20, 1.0, 1.0), math.inf),
        (lambda x, y, z: tr_log(tr_exp(x)), (800.0, 1.0, 1.0), math.inf),
        (lambda x, y, z: tr_exp(x) / tr_exp(x), (800.0, 1.0, 1.0), math.nan),
        (lambda x, y, z: x * 0.0, (math.inf, 1.0, 1.0), math.nan),
        (lambda x, y, z: x / x, (0.0, 1.0, 1.0), math.nan),
        (lambda x, y, z: x / tr_sqrt(y) - z, (0.3, 0.7, 0.3 / math.sqrt(0.7)), 0.0),
        (lambda x, y, z: 1.0 / -(0.0 * x), (1.0, 1.0, 1.0), -math.inf),
    ],
)
def test_xla_simplifies_nothing_that_changes_a_tag(
    function: Callable[..., Any], operands: tuple[float, ...], expected: float
) -> None:
    arrays = [np.full(64, x) for x in operands]
    batched = tr_vmap(function)
    assert np.array_equal(batched(*arrays).to_ieee(), np.full(64, expected), equal_nan=True)
    replayed = replay.compile(batched.program(*arrays), JaxNumpy())
    for run in (replayed.forward, jax.jit(replayed.forward)):
        found = np.asarray(run(arrays))[:, 0]
        assert np.array_equal(found, np.full(64, expected), equal_nan=True)


def test_other_types_are_refused() -> None:
    x = np.ones(2)
    replayed = replay.compile(tr_vmap(lambda x: x + 1.0).program(x), JaxNumpy())
    with pytest.raises(TypeError, match="float64 or float32, not float16"):
        replayed.forward([jax.numpy.ones(2, jax.numpy.float16)])
