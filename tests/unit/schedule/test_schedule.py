"""The schedule of Hybrid mode: δ(t), adaptive δ, forced exploration, defaults, errors, pickling."""

from __future__ import annotations

import copy
import math
import pickle
from typing import Any, Optional

import mpmath
import pytest

from support.values import INF, NAN
from zeroproof import (
    GradientMode,
    GradientModeConfig,
    HybridGradientContext,
    TRNode,
    TRPolicy,
    TRPolicyConfig,
    gradient_mode,
)
from zeroproof.autodiff.hybrid_gradient import (
    HybridGradientSchedule,
    ScheduleType,
    create_default_schedule,
)

LINEAR, EXPONENTIAL, COSINE = ScheduleType

DEFAULTS: dict[str, Any] = {
    "warmup_epochs": 0,
    "transition_epochs": 20,
    "delta_init": 1e-2,
    "delta_final": 1e-6,
    "schedule_type": EXPONENTIAL,
    "enable": True,
    "saturating_bound": 1.0,
    "force_pole_exploration": True,
    "pole_exploration_radius": 0.05,
    "pole_exploration_epochs": 5,
    "pole_detection_threshold": 0.1,
    "adaptive_delta": True,
    "min_delta": 1e-8,
}


def fields(schedule: HybridGradientSchedule) -> dict[str, Any]:
    return {name: getattr(schedule, name) for name in DEFAULTS}


def expected_delta(kind: ScheduleType, first: float, last: float, p: float) -> float:
    if kind is LINEAR:
        return first + (last - first) * p
    if kind is EXPONENTIAL:
        return first * (last / first) ** p
    return last + 0.5 * (first - last) * (1.0 + math.cos(math.pi * p))


class TestDelta:
    @pytest.mark.parametrize("kind", list(ScheduleType))
    @pytest.mark.parametrize(("first", "last"), [(1e-2, 1e-6), (0.5, 0.1), (1e-3, 1e-1)])
    def test_formulas(self, kind: ScheduleType, first: float, last: float) -> None:
        schedule = HybridGradientSchedule(
            warmup_epochs=3,
            transition_epochs=10,
            delta_init=first,
            delta_final=last,
            schedule_type=kind,
        )
        for epoch in range(-2, 3):
            assert schedule.get_delta(epoch) is None
        for epoch in range(3, 30):
            p = min(max((epoch - 3) / 10, 0.0), 1.0)
            assert schedule.get_delta(epoch) == pytest.approx(
                expected_delta(kind, first, last, p), rel=1e-13
            )

    @pytest.mark.parametrize(
        ("first", "last"), [(1e300, 1e-300), (1e-300, 1e300), (1.0, 5e-324), (5e-324, 1.0)]
    )
    def test_a_ratio_beyond_the_range_of_a_double(self, first: float, last: float) -> None:
        schedule = HybridGradientSchedule(
            transition_epochs=4, delta_init=first, delta_final=last, min_delta=0.0
        )
        with mpmath.workdps(50):
            ratio = mpmath.mpf(last) / mpmath.mpf(first)
            expected = [float(first * ratio ** mpmath.mpf(p)) for p in (0, 0.25, 0.5, 0.75, 1)]
        found = [schedule.get_delta(epoch) for epoch in range(5)]
        assert found == pytest.approx(expected, rel=1e-13, abs=0.0)

    def test_no_transition_is_the_last_value_at_once(self) -> None:
        schedule = HybridGradientSchedule(warmup_epochs=2, transition_epochs=0)
        assert schedule.get_delta(1) is None
        assert schedule.get_delta(2) == pytest.approx(1e-6, rel=1e-15)

    def test_disabled_is_never_set(self) -> None:
        schedule = HybridGradientSchedule(enable=False)
        assert [schedule.get_delta(epoch, 0.01) for epoch in (0, 10, 100)] == [None] * 3

    def test_min_delta_is_the_floor(self) -> None:
        schedule = HybridGradientSchedule(delta_final=1e-12, min_delta=1e-5)
        assert schedule.get_delta(20) == 1e-5
        assert schedule.get_delta(0) == 1e-2

    def test_it_is_a_pure_function(self) -> None:
        schedule = HybridGradientSchedule()
        before = fields(schedule)
        assert [schedule.get_delta(7, 1e-3) for _ in range(3)] == [schedule.get_delta(7, 1e-3)] * 3
        assert schedule.get_delta(7) == schedule.get_delta(7, None)
        assert fields(schedule) == before


class TestZero:
    """δ = 0: only the pole itself is near."""

    @pytest.mark.parametrize("kind", list(ScheduleType))
    @pytest.mark.parametrize(("first", "last"), [(0.0, 0.0), (1e-2, 0.0), (0.0, 1e-2)])
    def test_formulas(self, kind: ScheduleType, first: float, last: float) -> None:
        schedule = HybridGradientSchedule(
            warmup_epochs=1,
            transition_epochs=4,
            delta_init=first,
            delta_final=last,
            schedule_type=kind,
            min_delta=0.0,
        )
        found = [schedule.get_delta(epoch) for epoch in range(8)]
        if kind is EXPONENTIAL:
            assert found == [None, first, *[last] * 6]
            return
        shares = [0.0, 0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
        expected = [expected_delta(kind, first, last, p) for p in shares]
        assert found[0] is None
        assert found[1:] == pytest.approx(expected, rel=1e-13, abs=1e-300)

    @pytest.mark.parametrize("kind", list(ScheduleType))
    def test_the_defaults_have_a_floor(self, kind: ScheduleType) -> None:
        schedule = HybridGradientSchedule(delta_init=0.0, delta_final=0.0, schedule_type=kind)
        assert {schedule.get_delta(epoch) for epoch in range(30)} == {1e-8}

    def test_without_a_transition(self) -> None:
        schedule = HybridGradientSchedule(
            transition_epochs=0, delta_init=0.5, delta_final=0.0, min_delta=0.0
        )
        assert schedule.get_delta(0) == 0.0

    @pytest.mark.parametrize("q_min", [1.0, 1e-3, 5e-324, 0.0, INF])
    def test_it_does_not_grow(self, q_min: float) -> None:
        schedule = HybridGradientSchedule(delta_final=0.0, min_delta=0.0)
        assert schedule.get_delta(20, q_min) == 0.0
        # At most twice the first δ, also of a schedule that grows.
        schedule = HybridGradientSchedule(delta_init=0.0, delta_final=1.0, min_delta=0.0)
        assert schedule.get_delta(20, q_min) == 0.0

    def test_only_the_pole_itself_is_near(self) -> None:
        schedule = HybridGradientSchedule(delta_init=0.0, delta_final=0.0, min_delta=0.0)
        with schedule.apply(0):
            assert GradientModeConfig.get_local_threshold() == 0.0
            found = []
            for a in (5e-324, 0.0, -0.0):
                x = TRNode.parameter(a)
                (1.0 / x).backward()
                found.append((x.gradient, x.gradient_status.name))
        assert found == [(0.0, "MASKED"), (-1.0, "SATURATED"), (-1.0, "SATURATED")]

    def test_it_is_pickled(self) -> None:
        schedule = HybridGradientSchedule(delta_init=0.0, delta_final=0.0)
        assert pickle.loads(pickle.dumps(schedule)) == schedule


class TestAdaptive:
    @pytest.mark.parametrize("q_min", [10.0, 0.2, 0.1, 0.05, 1e-3, 1e-9, 0.0])
    @pytest.mark.parametrize("epoch", [0, 5, 20, 100])
    def test_delta_grows_after_a_close_epoch(self, epoch: int, q_min: float) -> None:
        schedule = HybridGradientSchedule()
        plain = schedule.get_delta(epoch)
        assert plain is not None
        growth = max(1.0, 0.1 / q_min) if q_min else INF
        expected = max(min(plain * growth, 2 * 1e-2), 1e-8)
        assert schedule.get_delta(epoch, q_min) == pytest.approx(expected, rel=1e-15)

    def test_only_if_asked_for(self) -> None:
        schedule = HybridGradientSchedule(adaptive_delta=False)
        assert schedule.get_delta(5, 1e-6) == schedule.get_delta(5)

    def test_apply_uses_the_epoch_before(self) -> None:
        from zeroproof.autodiff.grad_mode import GradientModeConfig
        from zeroproof.autodiff.hybrid_gradient import HybridGradientContext

        schedule = HybridGradientSchedule()
        found: list[Optional[float]] = []
        for epoch, q in enumerate([1.0, 0.02, 0.5, None, 0.5]):
            with schedule.apply(epoch):
                found.append(GradientModeConfig.get_local_threshold())
                if q is not None:
                    HybridGradientContext.update_q_value(q)
        before = [None, 1.0, 0.02, 0.5, None]
        assert found == [schedule.get_delta(epoch, q) for epoch, q in enumerate(before)]
        assert found[2] != schedule.get_delta(2)


def test_phases() -> None:
    schedule = HybridGradientSchedule(warmup_epochs=2, transition_epochs=3)
    assert [schedule.is_warmup(e) for e in range(7)] == [True] * 2 + [False] * 5
    assert [schedule.is_transitioning(e) for e in range(7)] == [False] * 2 + [True] * 3 + [
        False
    ] * 2
    words = [schedule.get_mode_description(e).split(maxsplit=1)[0].rstrip(":") for e in range(7)]
    assert words == ["warmup"] * 2 + ["transitioning"] * 3 + ["converged"] * 2
    schedule.enable = False
    for epoch in (0, 3, 10):
        assert schedule.get_mode_description(epoch).startswith("disabled")
        assert not schedule.is_transitioning(epoch)


class TestExploration:
    def test_a_new_pole_is_explored_in_the_next_epochs(self) -> None:
        schedule = HybridGradientSchedule(pole_exploration_radius=0.25, pole_exploration_epochs=3)
        schedule.update_detected_poles([1.0], epoch=4)
        regions = [schedule.get_exploration_regions(epoch) for epoch in range(10)]
        assert regions == [[]] * 5 + [[(0.75, 1.25)]] * 3 + [[]] * 2
        assert schedule.detected_poles == [1.0]

    def test_a_pole_within_a_radius_of_a_known_one_is_not_new(self) -> None:
        schedule = HybridGradientSchedule(pole_exploration_radius=0.25)
        schedule.update_detected_poles([1.0, 1.2, 1.25, 0.75, 1.3], epoch=0)
        assert schedule.detected_poles == [1.0, 1.3]
        schedule.update_detected_poles([1.1, -1.0], epoch=1)
        assert schedule.detected_poles == [1.0, 1.3, -1.0]
        assert schedule.get_exploration_regions(2) == [
            (0.75, 1.25),
            (1.3 - 0.25, 1.3 + 0.25),
            (-1.25, -0.75),
        ]

    def test_not_past_the_transition(self) -> None:
        schedule = HybridGradientSchedule(warmup_epochs=1, transition_epochs=4)
        schedule.update_detected_poles([0.0], epoch=2)
        assert [bool(schedule.get_exploration_regions(e)) for e in (3, 4)] == [True, True]
        assert not any(schedule.get_exploration_regions(e) for e in range(6, 20))
        schedule.update_detected_poles([9.0], epoch=10)
        assert not any(schedule.get_exploration_regions(e) for e in range(11, 30))

    def test_only_if_asked_for(self) -> None:
        schedule = HybridGradientSchedule(force_pole_exploration=False)
        schedule.update_detected_poles([0.0], epoch=0)
        assert schedule.get_exploration_regions(1) == []

    def test_poles_that_are_not_finite_are_passed_over(self) -> None:
        schedule = HybridGradientSchedule()
        schedule.update_detected_poles([INF, NAN, -INF, 0.5], epoch=0)
        assert schedule.detected_poles == [0.5]


class TestConstruction:
    def test_defaults(self) -> None:
        assert fields(HybridGradientSchedule()) == DEFAULTS

    def test_positional_in_the_order_of_the_contract(self) -> None:
        assert fields(HybridGradientSchedule(*DEFAULTS.values())) == DEFAULTS

    def test_create_default_schedule(self) -> None:
        assert fields(create_default_schedule()) == DEFAULTS
        assert fields(create_default_schedule(warmup_epochs=3, force_exploration=False)) == {
            **DEFAULTS,
            "warmup_epochs": 3,
            "force_pole_exploration": False,
        }
        assert fields(create_default_schedule(aggressive=True)) == {
            **DEFAULTS,
            "delta_init": 1e-1,
            "delta_final": 1e-8,
            "saturating_bound": 0.1,
            "pole_exploration_radius": 0.1,
            "pole_exploration_epochs": 10,
            "min_delta": 1e-10,
        }

    @pytest.mark.parametrize(
        ("name", "bad"),
        [
            *((name, value) for name in ("saturating_bound", "pole_exploration_radius")
              for value in (0.0, -1.0, INF, NAN)),
            *((name, value) for name in ("delta_init", "delta_final", "min_delta",
              "pole_detection_threshold") for value in (-1.0, -5e-324, INF, NAN)),
            *((name, value) for name in ("warmup_epochs", "transition_epochs",
              "pole_exploration_epochs") for value in (-1, 2**40)),
            pytest.param("delta_init", 10**400, id="delta_init-huge"),
        ],
    )  # fmt: skip
    def test_a_field_out_of_range_is_named(self, name: str, bad: Any) -> None:
        with pytest.raises(ValueError, match=name):
            HybridGradientSchedule(**{name: bad})
        schedule = HybridGradientSchedule()
        with pytest.raises(ValueError, match=name):
            setattr(schedule, name, bad)
        assert fields(schedule) == DEFAULTS

    @pytest.mark.parametrize(
        ("name", "bad"),
        [("warmup_epochs", 1.5), ("delta_init", "x"), ("schedule_type", 1), ("enable", "yes")],
    )
    def test_a_field_of_another_type_is_refused(self, name: str, bad: Any) -> None:
        with pytest.raises(TypeError):
            HybridGradientSchedule(**{name: bad})

    def test_unknown_fields_are_refused(self) -> None:
        schedule = HybridGradientSchedule()
        with pytest.raises(AttributeError, match="delta"):
            schedule.delta = 1.0  # type: ignore[attr-defined]
        with pytest.raises(AttributeError):
            _ = schedule.delta  # type: ignore[attr-defined]
        with pytest.raises(TypeError):
            HybridGradientSchedule(delta=1.0)  # type: ignore[call-arg]

    def test_fields_can_be_set(self) -> None:
        schedule = HybridGradientSchedule()
        schedule.delta_init, schedule.schedule_type = 0.5, LINEAR
        assert schedule.get_delta(0) == 0.5


def test_pickle_copy_equality_and_repr() -> None:
    schedule = HybridGradientSchedule(warmup_epochs=2, schedule_type=COSINE, delta_init=0.3)
    schedule.update_detected_poles([0.5, -3.0], epoch=4)
    copies = [pickle.loads(pickle.dumps(schedule, p)) for p in range(pickle.HIGHEST_PROTOCOL + 1)]
    for other in [*copies, copy.copy(schedule), copy.deepcopy(schedule)]:
        assert other is not schedule
        assert other == schedule
        assert fields(other) == fields(schedule)
        assert other.detected_poles == [0.5, -3.0]
        assert other.get_exploration_regions(5) == schedule.get_exploration_regions(5) != []
        other.update_detected_poles([9.0], epoch=4)
        assert other != schedule
    assert schedule.detected_poles == [0.5, -3.0]
    for name in DEFAULTS:
        assert f"{name}=" in repr(schedule)


def test_repr_names_the_type_of_schedule() -> None:
    assert "COSINE" in repr(HybridGradientSchedule(schedule_type=COSINE))


def test_a_schedule_takes_nothing_over_from_the_epochs_of_another() -> None:
    first = HybridGradientSchedule()
    with first.apply(0):
        (TRNode.parameter(1.0) / TRNode.input(1e-3)).backward()
    second = HybridGradientSchedule()
    with second.apply(0):
        assert GradientModeConfig.get_local_threshold() == second.get_delta(0)
    assert second.detected_poles == []


def test_a_disabled_schedule_keeps_the_policy_out() -> None:
    TRPolicyConfig.set_policy(TRPolicy(tau_Q_on=1.0, tau_Q_off=2.0))
    schedule = HybridGradientSchedule(enable=False)
    for epoch in range(3):
        with schedule.apply(epoch):
            x = TRNode.parameter(0.5)
            (1.0 / x).backward()
            HybridGradientContext.end_batch_policy_update()
        assert x.gradient == -4.0


def test_a_mode_block_decorates_functions() -> None:
    @gradient_mode(GradientMode.SATURATING, saturation_bound=0.5)
    def differentiate(x: TRNode) -> float:
        """Differentiates 1/x."""
        (1.0 / x).backward()
        return float(x.gradient or 0.0)

    assert differentiate(TRNode.parameter(0.0)) == -4.0
    assert differentiate.__doc__ == "Differentiates 1/x."
    assert GradientModeConfig.is_mask_real()
