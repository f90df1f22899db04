"""Statistics: every key, batch and epoch figures, percentiles, owners, and detected poles."""

from __future__ import annotations

import asyncio
import contextvars
import copy
import gc
import pickle
import threading
import weakref
from typing import Any

import numpy as np
import pytest

from support.gradients import SATURATED, mode_block
from support.values import INF, NAN
from zeroproof.autodiff.grad_mode import GradientMode, GradientModeConfig, gradient_mode
from zeroproof.autodiff.hybrid_gradient import HybridGradientContext, HybridGradientSchedule
from zeroproof.autodiff.tr_node import TRNode
from zeroproof.autodiff.tr_ops_grad import tr_log, tr_sqrt, tr_sum

Context = HybridGradientContext

KEYS = {
    "current_epoch", "local_threshold", "total_gradient_calls", "saturating_activations",
    "mask_real_activations", "saturating_ratio", "near_pole_ratio", "dropped_contributions",
    "masked_nodes", "q_min_batch", "q_min_epoch", "q_mean_batch", "q_median_batch", "q_p10",
    "q_p50", "q_p90", "g_p10", "g_p50", "g_p90", "exploration_regions", "policy_mode", "tau_q_on",
    "tau_q_off", "policy_flip_count", "flip_rate",
}  # fmt: skip
COUNTS = {
    "total_gradient_calls", "saturating_activations", "mask_real_activations",
    "dropped_contributions", "masked_nodes", "policy_flip_count",
}  # fmt: skip


def stats() -> dict[str, Any]:
    return Context.get_statistics()


def divide(q: float) -> TRNode:
    """A decision at distance ``|q|``; returns the denominator."""
    x = TRNode.parameter(q)
    (1.0 / x).backward()
    return x


def test_every_key_is_always_there() -> None:
    empty = stats()
    assert set(empty) == KEYS
    for key in KEYS:
        expected = 0 if key in COUNTS else [] if key == "exploration_regions" else None
        assert empty[key] == expected, key
    with mode_block(GradientMode.HYBRID, 1.0, 0.1):
        Context.update_epoch(3)
        divide(0.01)
        assert set(stats()) == KEYS


def test_counts_and_ratios() -> None:
    with mode_block(GradientMode.HYBRID, 1.0, 0.1):
        for q in (0.05, -0.1, 0.2, 3.0, 0.0):
            divide(q)
        found = stats()
    assert found["total_gradient_calls"] == 5
    assert found["saturating_activations"] == 3
    assert found["mask_real_activations"] == 2
    assert found["saturating_ratio"] == found["near_pole_ratio"] == 3 / 5
    assert found["local_threshold"] == 0.1
    assert found["masked_nodes"] == 0


def test_what_passes_silence_and_drop_is_counted_in_every_mode() -> None:
    for mode in GradientMode:
        Context.reset_statistics()
        with gradient_mode(mode):
            x = TRNode.parameter(-1.0)
            tr_sum([tr_log(x), tr_sqrt(x), x * 2.0]).backward()
            assert stats()["masked_nodes"] == 3, mode  # the sum, the log and the root are all Φ
            y = TRNode.parameter(1e300)
            (y * 1e-300).backward(INF)
            assert stats()["dropped_contributions"] == 1


@pytest.mark.parametrize("count", [1, 2, 3, 10, 1000])
def test_batch_figures_are_those_of_numpy(count: int) -> None:
    q = np.random.default_rng(count).lognormal(-3.0, 2.0, count)
    for value in q:
        Context.update_q_value(value)
    found = stats()
    assert found["q_min_batch"] == found["q_min_epoch"] == Context.get_q_min() == q.min()
    assert found["q_mean_batch"] == pytest.approx(q.mean(), rel=1e-13)
    assert found["q_median_batch"] == found["q_p50"] == pytest.approx(np.median(q), rel=1e-13)
    for percent in (10, 50, 90):
        for name, values in (("q", q), ("g", 1.0 / q)):
            expected = np.percentile(values, percent)
            assert found[f"{name}_p{percent}"] == pytest.approx(expected, rel=1e-13)
    assert found["total_gradient_calls"] == 0  # fed without a decision


def test_large_batches_stay_within_the_stated_error() -> None:
    q = np.random.default_rng(0).lognormal(0.0, 4.0, 30_000)
    for value in q.tolist():
        Context.update_q_value(value)
    found = stats()
    assert found["q_min_batch"] == q.min()
    assert found["q_mean_batch"] == pytest.approx(q.mean(), rel=1e-12)
    for percent in (10, 50, 90):
        assert found[f"q_p{percent}"] == pytest.approx(np.percentile(q, percent), rel=0.008)
        assert found[f"g_p{percent}"] == pytest.approx(np.percentile(1 / q, percent), rel=0.008)


def test_a_distance_of_zero_has_no_finite_reciprocal_and_no_nan() -> None:
    for q in (0.0, 0.0, 4.0):
        Context.update_q_value(q)
    found = stats()
    assert (found["q_min_batch"], found["q_p50"], found["g_p90"]) == (0.0, 0.0, INF)
    assert not any(value != value for value in found.values())


def test_batches_and_epochs() -> None:
    with mode_block(GradientMode.HYBRID, 1.0, 0.1):
        Context.update_epoch(1)
        divide(0.01)
        Context.end_batch_policy_update()
        found = stats()
        assert [found[k] for k in ("q_min_batch", "q_p10", "q_mean_batch")] == [None] * 3
        assert (found["q_min_epoch"], found["total_gradient_calls"]) == (0.01, 1)
        divide(0.5)
        found = stats()
        assert (found["q_min_batch"], found["q_min_epoch"]) == (0.5, 0.01)
        assert found["total_gradient_calls"] == 2
        assert Context.get_q_min_epoch() == 0.01
        Context.update_epoch(2)
        found = stats()
        assert found["current_epoch"] == 2
        assert (found["total_gradient_calls"], found["q_min_epoch"]) == (0, None)
        assert found["q_min_batch"] == 0.5
        Context.reset_statistics()
        assert stats()["q_min_batch"] is None


def test_decisions_by_hand() -> None:
    with mode_block(GradientMode.HYBRID, 1.0, 0.1):
        Context.set_exploration_regions([(2.0, 3.0)])
        assert Context.should_use_saturating(0.1) is True
        assert Context.should_use_saturating(0.2) is False
        assert Context.should_use_saturating(0.2, x_value=2.5) is True
        assert Context.should_use_saturating(0.2, 3.5) is False
        found = stats()
    assert (found["total_gradient_calls"], found["saturating_activations"]) == (4, 2)
    assert found["near_pole_ratio"] == 0.25
    for bad in (-1.0, NAN):
        with pytest.raises(ValueError, match="distance"):
            Context.should_use_saturating(bad)
        with pytest.raises(ValueError, match="distance"):
            Context.update_q_value(bad)


@pytest.mark.parametrize("bad", [(1.0, 0.0), (NAN, 1.0), (0.0, INF)])
def test_a_region_is_finite_and_in_order(bad: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="region"):
        Context.set_exploration_regions([bad])


def test_detect_poles_names_the_decisions_of_the_batch() -> None:
    for q in (0.5, 0.01, 0.1, 2.0, 0.0):
        Context.update_q_value(q)
    assert Context.detect_poles() == [1, 2, 4]
    assert Context.detect_poles(0.05) == [1, 4]
    Context.set_schedule(HybridGradientSchedule(pole_detection_threshold=1.0))
    assert Context.detect_poles() == [0, 1, 2, 4]


class TestDetectedPoles:
    def test_at_the_coordinate_of_an_input(self) -> None:
        with gradient_mode(GradientMode.HYBRID):
            for x in (-0.5, 0.11, 0.3, 0.31, 0.9):
                (1.0 / (TRNode.input(x) - 0.3)).backward()
        assert Context.detected_poles() == [0.3]

    def test_not_for_parameters(self) -> None:
        with gradient_mode(GradientMode.HYBRID):
            divide(0.001)
        assert Context.detected_poles() == []

    def test_parameters_alone_schedule_no_exploration(self) -> None:
        schedule = HybridGradientSchedule()
        for epoch in range(3):
            with schedule.apply(epoch):
                divide(0.001)
        assert schedule.detected_poles == []

    def test_not_for_two_different_inputs(self) -> None:
        with gradient_mode(GradientMode.HYBRID):
            (1.0 / (TRNode.input(0.5) - TRNode.input(0.499))).backward()
        assert Context.detected_poles() == []

    def test_the_loop_closes_through_apply(self) -> None:
        schedule = HybridGradientSchedule(
            delta_init=1e-9, delta_final=1e-9, adaptive_delta=False, pole_exploration_epochs=3
        )
        saturated = []
        for epoch in range(6):
            with schedule.apply(epoch):
                weight = TRNode.parameter(1.0)
                (weight / (TRNode.input(0.72) - 0.7)).backward()
                saturated.append(weight.gradient_status == SATURATED)
                regions = stats()["exploration_regions"]
                assert bool(regions) == saturated[-1]
        assert saturated == [False, True, True, True, False, False]
        assert schedule.detected_poles == [0.72]

    def test_the_loop_closes_by_hand_too(self) -> None:
        schedule = HybridGradientSchedule(
            delta_init=1e-9, delta_final=1e-9, adaptive_delta=False, pole_exploration_epochs=2
        )
        GradientModeConfig.set_mode(GradientMode.HYBRID)
        Context.set_schedule(schedule)
        saturated = []
        for epoch in range(4):
            Context.update_epoch(epoch)
            assert GradientModeConfig.get_local_threshold() == schedule.get_delta(epoch)
            x = TRNode.input(0.02)
            (1.0 / x).backward()
            Context.end_batch_policy_update()
            saturated.append(x.gradient_status == SATURATED)
        assert saturated == [False, True, True, False]


class TestOwners:
    def test_each_thread_has_its_own(self) -> None:
        GradientModeConfig.set_mode(GradientMode.HYBRID)
        divide(0.5)
        seen: list[dict[str, Any]] = []

        def work() -> None:
            divide(0.25)
            divide(0.125)
            seen.append(stats())

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert (seen[0]["total_gradient_calls"], seen[0]["q_min_batch"]) == (2, 0.125)
        assert (stats()["total_gradient_calls"], stats()["q_min_batch"]) == (1, 0.5)

    def test_each_task_has_its_own(self) -> None:
        GradientModeConfig.set_mode(GradientMode.HYBRID)
        divide(0.5)

        async def work(count: int) -> int:
            for _ in range(count):
                divide(0.25)
                await asyncio.sleep(0)
            return int(stats()["total_gradient_calls"])

        async def main() -> list[int]:
            divide(0.1)
            counts = await asyncio.gather(*(work(count) for count in (1, 5, 3)))
            return [*counts, int(stats()["total_gradient_calls"])]

        assert asyncio.run(main()) == [1, 5, 3, 1]
        assert stats()["total_gradient_calls"] == 1

    def test_a_finished_task_is_let_go(self) -> None:
        async def work() -> None:
            stats()

        async def main() -> weakref.ref[asyncio.Task[None]]:
            task = asyncio.ensure_future(work())
            await task
            return weakref.ref(task)

        finished = asyncio.run(main())
        gc.collect()
        assert finished() is None

    def test_a_copied_context_on_the_same_thread_counts_for_the_thread(self) -> None:
        GradientModeConfig.set_mode(GradientMode.HYBRID)
        counted: list[int] = []

        def work() -> None:
            # No statistics exist on this thread before the copied context makes some.
            contextvars.copy_context().run(divide, 0.5)
            counted.append(stats()["total_gradient_calls"])

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert counted == [1]


def test_statistics_are_plain_values() -> None:
    with mode_block(GradientMode.HYBRID, 1.0, 0.1):
        Context.set_exploration_regions([(0.0, 1.0)])
        divide(0.5)
        found = stats()
    assert pickle.loads(pickle.dumps(found)) == copy.deepcopy(found) == found
    found["total_gradient_calls"] = -1
    assert stats()["total_gradient_calls"] == 1


def test_reset_forgets_everything() -> None:
    empty = stats()
    GradientModeConfig.set_mode(GradientMode.HYBRID)
    Context.set_schedule(HybridGradientSchedule())
    Context.update_epoch(4)
    (1.0 / TRNode.input(0.001)).backward()
    assert Context.detected_poles() == [0.001]
    Context.reset()
    assert stats() == empty
    assert Context.get_schedule() is None
    assert Context.detected_poles() == []
    assert GradientModeConfig.get_local_threshold() is None
