"""Where the gradient mode lives: a default of the process, and blocks local to a thread or task."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any

import pytest

from support.gradients import EXACT, SATURATED, gradient_of
from zeroproof.autodiff.grad_mode import (
    GradientMode,
    GradientModeConfig,
    gradient_mode,
    use_mask_real,
    use_saturating,
)
from zeroproof.autodiff.hybrid_gradient import HybridGradientContext, HybridGradientSchedule
from zeroproof.autodiff.tr_node import TRNode

MASK_REAL, SATURATING, HYBRID = GradientMode
Config = GradientModeConfig


def in_thread(work: Callable[[], Any]) -> Any:
    """What ``work`` returns in a thread of its own."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    thread.join()
    return results[0]


def state() -> tuple[Any, ...]:
    return Config.get_mode(), Config.get_saturation_bound(), Config.get_local_threshold()


INITIAL = (MASK_REAL, 1.0, None)


def test_the_initial_state() -> None:
    assert state() == INITIAL
    assert (Config.is_mask_real(), Config.is_saturating(), Config.is_hybrid()) == (1, 0, 0)


def test_setters_change_the_default_of_every_thread() -> None:
    Config.set_mode(HYBRID)
    Config.set_saturation_bound(0.25)
    Config.set_local_threshold(0.5)
    assert state() == in_thread(state) == (HYBRID, 0.25, 0.5)
    in_thread(lambda: Config.set_mode(SATURATING))
    assert state() == (SATURATING, 0.25, 0.5)
    assert Config.is_saturating()
    Config.set_local_threshold(None)
    assert Config.get_local_threshold() is None
    Config.reset()
    assert state() == in_thread(state) == INITIAL


@pytest.mark.parametrize("bad", [0, "HYBRID", None])
def test_a_mode_is_a_gradient_mode(bad: Any) -> None:
    for attempt in (lambda: Config.set_mode(bad), lambda: gradient_mode(bad)):
        with pytest.raises(TypeError, match="GradientMode"):
            attempt()


def test_blocks_nest_and_restore() -> None:
    with gradient_mode(SATURATING, saturation_bound=0.1):
        assert state() == (SATURATING, 0.1, None)
        with gradient_mode(HYBRID):
            assert state() == (HYBRID, 0.1, None)
            Config.set_local_threshold(0.3)
            Config.set_mode(MASK_REAL)
            assert state() == (MASK_REAL, 0.1, 0.3)
        assert state() == (SATURATING, 0.1, None)
    assert state() == INITIAL


def test_an_exception_restores() -> None:
    schedule = HybridGradientSchedule()
    for make in (
        lambda: gradient_mode(SATURATING, 0.5),
        lambda: schedule.apply(0),
        lambda: use_saturating(0.5),
    ):
        with contextlib.suppress(KeyError), make():
            changed = state() != INITIAL
            raise KeyError
        assert changed
        assert state() == INITIAL


def test_a_block_takes_the_bound_in_force_around_it() -> None:
    block = gradient_mode(SATURATING)
    Config.set_saturation_bound(0.5)
    with block:
        assert Config.get_saturation_bound() == 0.5


def test_a_refused_block_changes_nothing() -> None:
    with pytest.raises(ValueError, match="bound"):
        gradient_mode(SATURATING, saturation_bound=-1.0)
    with pytest.raises(ValueError, match="bound"):
        use_saturating(0.0)
    assert state() == INITIAL


def test_use_functions_set_and_as_blocks_restore() -> None:
    use_saturating(0.5)
    assert state() == (SATURATING, 0.5, None)
    with use_mask_real():
        assert Config.is_mask_real()
    assert state() == (SATURATING, 0.5, None)
    use_mask_real()
    assert Config.is_mask_real()
    with use_saturating():
        assert state() == (SATURATING, 1.0, None)


def test_a_block_is_local_to_its_thread() -> None:
    with gradient_mode(SATURATING, 0.1):
        assert in_thread(state) == INITIAL
        in_thread(lambda: Config.set_mode(HYBRID))  # outside any block: the default
        assert Config.get_mode() is SATURATING
        Config.set_mode(MASK_REAL)  # inside: this block's value
        assert in_thread(Config.get_mode) is HYBRID
    assert Config.get_mode() is HYBRID


def test_one_block_object_used_by_two_threads() -> None:
    block = gradient_mode(SATURATING)
    entered, left = threading.Event(), threading.Event()
    second_entered = threading.Event()
    after: dict[str, GradientMode] = {}

    def first() -> None:
        with gradient_mode(HYBRID):
            with block:
                entered.set()
                second_entered.wait(10)
            after["first"] = Config.get_mode()
        left.set()

    def second() -> None:
        entered.wait(10)
        with block:
            second_entered.set()
            left.wait(10)
        after["second"] = Config.get_mode()

    threads = [threading.Thread(target=work) for work in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert after == {"first": HYBRID, "second": MASK_REAL}


def test_one_block_object_may_be_entered_again() -> None:
    block = gradient_mode(SATURATING)
    for _ in range(2):
        with block, gradient_mode(HYBRID), block:
            assert Config.is_saturating()
        assert Config.is_mask_real()


def test_blocks_are_local_to_async_tasks() -> None:
    async def worker(mode: GradientMode, bound: float, log: list[Any]) -> None:
        for _ in range(5):
            with gradient_mode(mode, bound):
                await asyncio.sleep(0)
                log.append(state()[:2] == (mode, bound))
                x = TRNode.parameter(0.5)
                (1.0 / x).backward()
                log.append((x.gradient == -4.0) == (mode is MASK_REAL))
            await asyncio.sleep(0)
            log.append(state() == INITIAL)

    async def main() -> list[Any]:
        log: list[Any] = []
        settings = [(MASK_REAL, 1.0), (SATURATING, 0.1), (SATURATING, 2.0), (MASK_REAL, 3.0)]
        await asyncio.gather(*(worker(mode, bound, log) for mode, bound in settings))
        return log

    log = asyncio.run(main())
    assert len(log) == 60
    assert all(log)


def test_a_task_never_changes_the_block_of_its_parent() -> None:
    async def child() -> None:
        Config.set_mode(SATURATING)

    async def main() -> GradientMode:
        with gradient_mode(HYBRID):
            await asyncio.ensure_future(child())
            return Config.get_mode()

    assert asyncio.run(main()) is HYBRID


def test_apply_sets_everything_and_puts_it_back() -> None:
    Config.set_mode(SATURATING)
    Config.set_saturation_bound(2.0)
    Config.set_local_threshold(0.7)
    HybridGradientContext.set_exploration_regions([(5.0, 6.0)])
    schedule = HybridGradientSchedule(saturating_bound=0.25, delta_init=0.1)
    schedule.update_detected_poles([1.0], epoch=-1)
    with schedule.apply(0) as entered:
        assert entered is schedule
        assert state() == (HYBRID, 0.25, 0.1)
        stats = HybridGradientContext.get_statistics()
        assert stats["exploration_regions"] == [(0.95, 1.05)]
        assert HybridGradientContext.get_schedule() is schedule
    assert state() == (SATURATING, 2.0, 0.7)
    assert HybridGradientContext.get_statistics()["exploration_regions"] == [(5.0, 6.0)]
    assert HybridGradientContext.get_schedule() is None


def test_the_mode_counts_at_backward_and_not_at_recording() -> None:
    x = TRNode.parameter(0.5)
    with gradient_mode(SATURATING):
        y = 1.0 / x
    y.backward()
    assert gradient_of(x) == (-4.0, EXACT)
    x.zero_grad()
    with gradient_mode(SATURATING):
        y.backward()
    assert x.gradient_status == SATURATED
