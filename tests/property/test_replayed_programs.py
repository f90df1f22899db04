"""Random programs replayed with NumPy, against the engine."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from support.batches import Batch
from support.random_functions import (
    ARITHMETIC,
    CHOICES,
    CONDITIONS,
    TEMPLATES,
    VECTORS,
    batches,
    functions,
    with_results,
)
from support.replays import FEW_ULPS, MODES, Noisy, by_engine, mode_name, tags, ulps
from zeroproof import replay

_FOLDS = ("sum", "mean", "prod", "max", "min")
_EXACT = ("abs", "sign", "sqrt", "square", "unit", "floor", "ceil", "round", "neg")
#: Operations whose values are one IEEE operation each, or several in a given order.
EXACT_TEMPLATES = [
    *ARITHMETIC * 6,
    *(f"ops.tr_{name}(N)" for name in _EXACT),
    *(f"ops.tr_{name}(N, X)" for name in ("minimum", "maximum", "clip_min", "clip_max")),
    *("ops.tr_copysign(N, X)", "ops.tr_remainder(N, X)", "N**-2", "N**-1", "N**3", "N**0", "-N"),
    *(f"ops.tr_{name}([N, X, X])" for name in _FOLDS),
    *(f"ops.tr_{name}(V, mode.DROP_NULL)" for name in _FOLDS),
    *(f"ops.tr_{name}(V, mode.DROP_NONREAL)" for name in _FOLDS),
    *(VECTORS + CONDITIONS + CHOICES * 3),
]
RUNS = 6
#: In each mode; an example is replayed as often as that.
few_examples = settings(max_examples=settings().max_examples // 2)


def _adjoints(batch: Batch, outputs: int) -> np.ndarray:
    """Adjoints of every kind."""
    random = np.random.default_rng(batch.seed)
    found = random.uniform(-3.0, 3.0, (batch.samples, outputs))
    odd = random.random(found.shape) < 0.2
    return np.where(odd, random.choice([0.0, math.inf, math.nan, 1e300], found.shape), found)


def _compare(batch: Batch, outputs: int, mode: replay.Mode, exact_values: bool) -> None:
    """Values and tags, gradients and statuses, wherever errors of a few ulp do not decide."""
    batched, arrays = batch.function.batched(), batch.arrays()
    program = batched.program(*arrays)
    adjoints = _adjoints(batch, outputs)
    gradients, statuses = by_engine(batched, arrays, _in_structure(adjoints), mode)
    expected = np.stack([np.asarray(v.to_ieee()) for v in batched(*arrays)], axis=-1)
    values, found = replay.compile(program).value_and_vjp(arrays, adjoints, mode)
    shaken = [
        replay.compile(program, Noisy(seed, not exact_values)).value_and_vjp(arrays, adjoints, mode)
        for seed in range(RUNS)
    ]
    stable = np.ones(batch.samples, bool)
    for other, pulled in shaken:
        stable &= (tags(other) == tags(values)).all(axis=1)
        for mine, theirs in zip(found.statuses, pulled.statuses):
            stable &= (mine == theirs).reshape(batch.samples, -1).all(axis=1)
    event(f"{10 * int(10 * stable.mean())} % of the samples are compared")
    if exact_values:
        same = (values == expected) | (np.isnan(values) & np.isnan(expected))
        assert same.all()
    assert np.array_equal(tags(values)[stable], tags(expected)[stable])
    spread = np.max([np.abs(other - values) for other, _ in shaken], axis=0)
    assert _close(values, expected, spread)[stable].all()
    for place in range(len(arrays)):
        mine, theirs = found.gradients[place], gradients[place]
        assert np.array_equal(found.statuses[place][stable], statuses[place][stable])
        spread = np.max([np.abs(p.gradients[place] - mine) for _, p in shaken], axis=0)
        close = _close(mine, theirs, spread)
        assert close[stable].all()


def _close(found: np.ndarray, expected: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Whether two results differ by a few ulp, or by what errors of few ulp on the way do."""
    moved = np.isnan(spread) | (np.abs(found - expected) <= FEW_ULPS * spread)
    return (ulps(found, expected) <= FEW_ULPS) | moved


def _in_structure(adjoints: np.ndarray) -> tuple[np.ndarray, ...]:
    return tuple(adjoints[:, column].copy() for column in range(adjoints.shape[1]))


@pytest.mark.parametrize("mode", MODES, ids=mode_name)
@few_examples
@given(batch=batches(functions(EXACT_TEMPLATES), samples=[7, 33]), data=st.data())
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_programs_of_exact_operations(mode: replay.Mode, batch: Batch, data: st.DataObject) -> None:
    function, outputs = data.draw(with_results(batch.function))
    function = function.returning(f"tuple({function.result})")
    _compare(Batch(function, batch.samples, batch.seed, batch.specials), outputs, mode, True)


@pytest.mark.parametrize("mode", MODES, ids=mode_name)
@few_examples
@given(batch=batches(functions(TEMPLATES, max_steps=8), samples=[7, 33]), data=st.data())
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_programs_of_all_operations(mode: replay.Mode, batch: Batch, data: st.DataObject) -> None:
    function, outputs = data.draw(with_results(batch.function))
    function = function.returning(f"tuple({function.result})")
    _compare(Batch(function, batch.samples, batch.seed, batch.specials), outputs, mode, False)
