"""What a replay takes and gives: shapes, types, modes, statuses of whole programs, errors."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

import zeroproof
from support.replays import Careful, by_engine, in_mode, tags, ulps
from zeroproof import TRNode, replay, tr_log
from zeroproof.autodiff.batched import tr_vmap
from zeroproof.autodiff.conditions import tr_less, tr_where
from zeroproof.autodiff.grad_mode import GradientMode, GradientModeConfig, gradient_mode
from zeroproof.autodiff.hybrid_gradient import HybridGradientContext

POLE = np.array([1.0, 2.0, -1.0, 0.0])


def ratio(x: TRNode, w: Any) -> TRNode:
    """A pole at 1 and a logarithm of a parameter."""
    return w[0] * x / (x - 1.0) + tr_log(w[1])


def compiled(w: Any) -> replay.Replay:
    return replay.compile(tr_vmap(ratio, (0, None)).program(POLE, w))


def test_gradients_of_shared_arguments_have_a_row_for_each_sample() -> None:
    w = np.array([2.0, 3.0])
    values, pulled = compiled(w).value_and_vjp([POLE, w], mode=replay.Mode())
    assert values.shape == (4, 1)
    assert [g.shape for g in pulled.gradients] == [(4,), (4, 2)]
    assert pulled.gradients[1][1].tolist() == [2.0, 1 / 3.0]
    assert pulled.statuses[1].dtype == np.uint8
    # The value is +∞ at x = 1: a masked zero.
    assert pulled.gradients[0][0] == 0.0
    assert pulled.statuses[0].tolist() == [1, 0, 0, 0]


def test_axes_of_samples_in_any_number() -> None:
    w = np.array([2.0, 3.0])
    program = compiled(w)
    flat = program.value_and_vjp([POLE, w], mode=replay.Mode())
    square = program.value_and_vjp([POLE.reshape(2, 2), w], mode=replay.Mode())
    assert np.array_equal(square[0].reshape(4, 1), flat[0])
    assert np.array_equal(square[1].gradients[1].reshape(4, 2), flat[1].gradients[1])
    single = program.value_and_vjp([POLE[1], w], mode=replay.Mode())
    assert single[0].shape == (1,)
    assert single[1].gradients[0].shape == ()
    assert single[1].gradients[0] == flat[1].gradients[0][1]


def test_float32_is_computed_in_float32() -> None:
    w = np.array([2.0, 3.0], np.float32)
    x = POLE.astype(np.float32)
    values, pulled = compiled(w).value_and_vjp([x, w], mode=replay.Mode(GradientMode.SATURATING))
    expected, wide = compiled(w).value_and_vjp(
        [POLE, w.astype(float)], mode=replay.Mode(GradientMode.SATURATING)
    )
    assert values.dtype == np.float32
    assert [g.dtype for g in pulled.gradients] == [np.float32, np.float32]
    assert np.array_equal(tags(values), tags(expected))
    for mine, theirs in zip(pulled.gradients, wide.gradients):
        assert np.allclose(mine, theirs, rtol=1e-6, atol=0)
    for mine, theirs in zip(pulled.statuses, wide.statuses):
        assert np.array_equal(mine, theirs)


def test_exploration_regions_refer_to_the_coordinate() -> None:
    mode = replay.Mode(GradientMode.HYBRID, regions=((0.9, 1.1),))

    def function(x: TRNode, y: TRNode) -> TRNode:
        return 1.0 / (x - 1.0) + 1.0 / (y - 1.0) + tr_where(tr_less(y, 0.0), x, y) ** -1

    x = np.array([1.0, 1.05, 2.0, 1.0, 1.05])
    y = np.array([1.0, 2.0, 1.0, -1.0, -3.0])
    batched = tr_vmap(function)
    replayed = replay.compile(batched.program(x, y), coordinate=0)
    ones = np.ones(5)
    gradients, statuses = by_engine(batched, [x, y], ones, mode, coordinate=0)
    found = replayed.vjp([x, y], ones[:, None], mode)
    for place in range(2):
        assert found.statuses[place].tolist() == statuses[place].tolist()
        assert ulps(found.gradients[place], gradients[place]).max() <= 4
    assert 4 in {int(s) & 4 for s in found.statuses[0]}


def test_a_policy_in_state_sat_saturates_everywhere() -> None:
    mode = replay.Mode(GradientMode.HYBRID, delta=1e-9, saturates=True)
    w = np.array([2.0, 3.0])
    found = compiled(w).vjp([POLE, w], np.ones((4, 1)), mode)
    expected = compiled(w).vjp([POLE, w], np.ones((4, 1)), replay.Mode(GradientMode.SATURATING))
    for mine, theirs in zip(found.gradients, expected.gradients):
        assert np.array_equal(mine, theirs)


def test_the_current_mode_is_that_of_the_block() -> None:
    assert replay.Mode.current() == replay.Mode()
    with gradient_mode(GradientMode.SATURATING, 0.25):
        assert replay.Mode.current() == replay.Mode(GradientMode.SATURATING, 0.25)
    with gradient_mode(GradientMode.HYBRID):
        GradientModeConfig.set_local_threshold(0.125)
        HybridGradientContext.set_exploration_regions([(0.0, 1.0)])
        expected = replay.Mode(GradientMode.HYBRID, 1.0, 0.125, ((0.0, 1.0),))
        assert replay.Mode.current() == expected
    assert in_mode(expected, replay.Mode.current) == expected


def test_outputs_that_nothing_leads_to_and_arguments_that_nothing_uses() -> None:
    def function(x: TRNode, unused: TRNode) -> list[Any]:
        return [x * 2.0, 3.0]

    x = np.array([1.0, np.nan])
    replayed = replay.compile(tr_vmap(function).program(x, x))
    values, pulled = replayed.value_and_vjp([x, x], mode=replay.Mode())
    assert values[:, 1].tolist() == [3.0, 3.0]
    assert pulled.gradients[1].tolist() == [0.0, 0.0]
    assert pulled.statuses[1].tolist() == [0, 0]
    assert pulled.statuses[0].tolist() == [0, 1]


def test_an_argument_may_be_empty() -> None:
    def function(x: TRNode, w: Any) -> TRNode:
        assert w.shape == (0,)
        return x + 1.0

    x, w = np.ones(3), np.empty(0)
    replayed = replay.compile(tr_vmap(function, (0, None)).program(x, w))
    pulled = replayed.vjp([x, w], np.ones((3, 1)), replay.Mode())
    assert pulled.gradients[1].shape == pulled.statuses[1].shape == (3, 0)
    swapped = replay.compile(tr_vmap(lambda w, x: function(x, w), None).program(w, x[0]))
    alone = swapped.vjp([w, x[0]], np.ones(1), replay.Mode())
    assert [gradient.shape for gradient in alone.gradients] == [(0,), ()]
    assert alone.gradients[1] == 1.0


def test_a_look_at_the_numbers_keeps_no_adjoints() -> None:
    def function(x: TRNode, y: TRNode) -> TRNode:
        z = x
        for _ in range(50):
            z = zeroproof.tr_sin(z) * y + x
        return z

    x = np.linspace(1.0, 2.0, 4096)
    program = tr_vmap(function).program(x, x)
    peaks = []
    for namespace in (replay.NumPy(), Careful()):
        replayed = replay.compile(program, namespace)
        tracemalloc.start()
        replayed.vjp([x, x], np.ones((4096, 1)), replay.Mode())
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[0] < 1.1 * peaks[1]


class Foreign:
    """A program with an operation that no one knows."""

    def __init__(self, step: tuple[Any, ...]) -> None:
        self._step = step

    def arguments(self) -> list[tuple[str, tuple[int, ...], bool]]:
        return [("x", (), True)]

    def steps(self) -> list[tuple[Any, ...]]:
        return [self._step]

    def outputs(self) -> list[int]:
        return [1]


@pytest.mark.parametrize(
    "step",
    [
        ("op", "bessel", (0,)),
        ("fold", "median", "strict", (0,)),
        ("fold", "sum", "drop_some", (0,)),
        ("condition", "is_even", (0,)),
        ("loop", (0,)),
    ],
)
def test_what_the_replay_does_not_know_is_named(step: tuple[Any, ...]) -> None:
    name = step[1] if len(step) > 2 else step[0]
    with pytest.raises(NotImplementedError, match=f"no rule for '{name}'.*tr_vmap"):
        replay.compile(Foreign(step))


def test_errors_of_arguments() -> None:
    w = np.array([2.0, 3.0])
    program = compiled(w)
    with pytest.raises(ValueError, match="takes 2 arguments, but 1 were given"):
        program.forward([POLE])
    with pytest.raises(ValueError, match=r"w must have the shape \(2,\), not \(3,\)"):
        program.forward([POLE, np.ones(3)])
    with pytest.raises(TypeError, match="float64 or float32, not int64"):
        program.forward([np.array([1, 2]), w])
    with pytest.raises(TypeError, match="one type, not float32 and float64"):
        program.forward([POLE.astype(np.float32), w])
    with pytest.raises(ValueError, match=r"cotangents must have the shape \(4, 1\), not \(4,\)"):
        program.vjp([POLE, w], np.ones(4))
    with pytest.raises(ValueError, match="no argument 2"):
        replay.compile(tr_vmap(ratio, (0, None)).program(POLE, w), coordinate=2)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("saturating",), TypeError, "GradientMode, not str"),
        ((GradientMode.SATURATING, 0.0), ValueError, "bound must be positive"),
        ((GradientMode.SATURATING, float("inf")), ValueError, "bound must be positive"),
        ((GradientMode.HYBRID, 1.0, -1.0), ValueError, "δ must be finite"),
    ],
)
def test_errors_of_modes(arguments: tuple[Any, ...], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        replay.Mode(*arguments)


def test_zeros_have_the_signs_of_the_engine() -> None:
    """Behind a pole the sign of a zero is the sign of an infinity."""
    halves = np.arange(-9.0, 9.5, 0.5)
    x = np.array([*halves, -0.0, -355.0, 1e17, -1e17, 1e300, -1e300, 5e-324, -5e-324])
    covered = 0
    for name in (name for name in dir(zeroproof) if name.startswith("tr_")):
        batched = tr_vmap(getattr(zeroproof, name))
        try:
            program = batched.program(x)
        except (TypeError, ValueError):
            continue  # not of one number
        engine = np.asarray(batched(x).to_ieee())
        ours = replay.compile(program).forward([x])[:, 0]
        zeros = engine == 0.0
        assert (ours == 0.0).tolist() == zeros.tolist(), name
        assert np.signbit(ours[zeros]).tolist() == np.signbit(engine[zeros]).tolist(), name
        covered += 1
    assert covered >= 35
