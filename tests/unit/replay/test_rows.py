"""Every operation of the replay against the engine, in each mode and at every kind of double."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from support.landmarks import BOUNDS, SEEDS
from support.op_cases import cases
from support.ops import NAMES, node_op
from support.replays import FEW_ULPS, Careful, by_engine, tags, ulps
from support.slow import slow
from support.values import SPECIALS
from zeroproof import replay
from zeroproof.autodiff.batched import tr_vmap
from zeroproof.autodiff.grad_mode import GradientMode
from zeroproof.autodiff.tr_ops_grad import ReductionMode
from zeroproof.replay._table import FOLDS, ROWS

_RANDOM = np.random.default_rng(14)
#: Ends of ranges, domains and branches, and numbers between.
OPERANDS = [
    *SPECIALS,
    *(-5e-324, 1e-310, 2.0**-1022, 1e-160, -1e-160, 1e160, -1e155, -1.7e308, 2.0**53, 1e16),
    *(0.5, -0.5, 2.0, -2.0, 3.0, math.pi, math.pi / 2, 1e-9, -1e-9, 1e-20),
    *(1 + 2.0**-52, 1 - 2.0**-53, -1 + 2.0**-53, 0.99, 1.01, 1.9, -1.9, 0.3, -0.3, 1e8, -1e8),
    *(26.0, -26.0, 38.0, -38.0, 100.5, -3.7, 700.0, -700.0, 720.0, -740.0, 750.0, -800.0),
    *_RANDOM.uniform(-4.0, 4.0, 24).tolist(),
]
ADJOINTS = [*SEEDS, 0.0, math.inf, math.nan]
USUAL_MODES = [
    replay.Mode(),
    replay.Mode(GradientMode.SATURATING, BOUNDS[0]),
    replay.Mode(GradientMode.HYBRID, delta=0.3),
]
OTHER_MODES = [
    *(replay.Mode(GradientMode.SATURATING, bound) for bound in BOUNDS[1:]),
    replay.Mode(GradientMode.HYBRID, bound=1e-160, delta=0.3),
    replay.Mode(GradientMode.HYBRID, delta=0.0),
    replay.Mode(GradientMode.HYBRID),
]
in_modes = pytest.mark.parametrize(
    "modes", [USUAL_MODES, *slow(OTHER_MODES)], ids=["usual modes", "other modes"]
)
Modes = list[replay.Mode]


def _cancelling(name: str, adjoint: float, x: Any) -> Any:
    """The size of what cancels in a contribution, to which its error is relative."""
    with np.errstate(all="ignore"):
        if name == "sinc":
            return np.abs(adjoint / x)
        if name == "cosc":
            return np.abs(adjoint / x) / np.maximum(np.abs(x), 1.0)
    return 0.0


def _check(name: str, function: Callable[..., Any], operands: list[Any], modes: Modes) -> None:
    batched = tr_vmap(function)
    program = batched.program(*operands)
    replayed = replay.compile(program, Careful())
    # Most of what a look at the numbers takes another way for is here.
    looking = replay.compile(program)
    values = replayed.forward(operands)[:, 0]
    expected = batched(*operands).to_ieee()
    assert np.array_equal(tags(values), tags(expected))
    assert ulps(values, expected).max() <= FEW_ULPS
    for mode, adjoint in itertools.product(modes, ADJOINTS):
        column = np.full(len(operands[0]), adjoint)
        gradients, statuses = by_engine(batched, operands, column, mode)
        for each in (replayed, looking):
            found = each.vjp(operands, column[:, None], mode)
            for place, x in enumerate(operands):
                wrong = np.flatnonzero(found.statuses[place] != statuses[place])
                assert wrong.size == 0, (mode, adjoint, [o[wrong[:5]] for o in operands])
                scale = _cancelling(name, adjoint, x)
                error = ulps(found.gradients[place], gradients[place], scale)
                worst = int(error.argmax())
                assert error[worst] <= FEW_ULPS, (mode, adjoint, [o[worst] for o in operands])


def test_the_rows_are_those_of_the_op_table() -> None:
    assert set(ROWS) == {*NAMES["unary"], *NAMES["binary"]}
    assert set(FOLDS) == set(NAMES["variadic"])
    assert NAMES["power"] == ["pow_int"]
    assert len(ROWS) > 50


@in_modes
@pytest.mark.parametrize("name", NAMES["unary"])
def test_operations_of_one_operand(name: str, modes: Modes) -> None:
    (case,) = [each for each in cases("unary") if each.name == name]
    own = [x for point in case.landmarks for x in point]
    _check(name, lambda a: node_op(name)(a), [np.array([*OPERANDS, *own])], modes)


@in_modes
@pytest.mark.parametrize("name", NAMES["binary"])
def test_operations_of_two_operands(name: str, modes: Modes) -> None:
    pairs = np.array(list(itertools.product(OPERANDS, OPERANDS)))
    operands = [pairs[:, 0].copy(), pairs[:, 1].copy()]
    _check(name, lambda a, b: node_op(name)(a, b), operands, modes)


@in_modes
@pytest.mark.parametrize("n", [*range(-5, 10), -301, 64, 301])
def test_integer_powers(n: int, modes: Modes) -> None:
    _check("pow_int", lambda a: node_op("pow_int")(a, n), [np.array(OPERANDS)], modes)


@in_modes
@pytest.mark.parametrize("how", ReductionMode, ids=lambda how: how.name.lower())
@pytest.mark.parametrize("name", NAMES["variadic"])
def test_folds(name: str, how: ReductionMode, modes: Modes) -> None:
    few = OPERANDS[:22]
    triples = np.array(list(itertools.product(few, few, [*few[::3], few[6]])))
    operands = [triples[:, place].copy() for place in range(3)]
    _check(name, lambda *inputs: node_op(name)(list(inputs), how), operands, modes)


@in_modes
@pytest.mark.parametrize("name", NAMES["variadic"])
def test_folds_of_nothing_and_of_one(name: str, modes: Modes) -> None:
    x = np.array(OPERANDS)
    for function in (
        lambda a: node_op(name)([]) + a,
        lambda a: node_op(name)([a]),
        lambda a: node_op(name)([a], ReductionMode.DROP_NULL),
    ):
        _check(name, function, [x], modes)
