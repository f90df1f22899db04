"""Hysteresis: thresholds, the active policy of the process, state changes and flips."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any, Optional

import pytest

from support.values import INF, NAN
from zeroproof.autodiff.grad_mode import GradientMode, GradientModeConfig
from zeroproof.autodiff.hybrid_gradient import HybridGradientContext, HybridGradientSchedule
from zeroproof.autodiff.tr_node import TRNode
from zeroproof.policy import TRPolicy, TRPolicyConfig

Context = HybridGradientContext


@pytest.mark.parametrize(
    "thresholds",
    [(0.2, 0.1), (0.1, 0.1), (-1.0, 0.1), (NAN, 0.1), (0.1, NAN), (0.1, INF),
     (0.1, 0.2, -1.0), (0.1, 0.2, NAN), (0.1, 0.2, 5.0, 10.0)],
)  # fmt: skip
def test_thresholds_out_of_order_are_refused(thresholds: Any) -> None:
    with pytest.raises(ValueError):
        TRPolicy(*thresholds)


def test_a_policy_is_a_value() -> None:
    policy = TRPolicy(0.1, 0.2, g_on=20.0)
    assert policy == TRPolicy(tau_Q_on=0.1, tau_Q_off=0.2, g_on=20.0, g_off=None)
    for other in (pickle.loads(pickle.dumps(policy)), copy.copy(policy), copy.deepcopy(policy)):
        assert other == policy
    assert hash(policy) == hash(TRPolicy(0.1, 0.2, 20.0))
    with pytest.raises(dataclasses.FrozenInstanceError):
        policy.tau_Q_on = 0.5  # type: ignore[misc]


def test_the_active_policy() -> None:
    assert TRPolicyConfig.get_policy() is None
    policy = TRPolicy(0.1, 0.2)
    TRPolicyConfig.set_policy(policy)
    assert TRPolicyConfig.get_policy() == policy
    with pytest.raises(TypeError):
        TRPolicyConfig.set_policy((0.1, 0.2))  # type: ignore[arg-type]
    assert TRPolicyConfig.get_policy() == policy
    TRPolicyConfig.set_policy(None)
    assert TRPolicyConfig.get_policy() is None


def batch(distances: list[float]) -> Optional[str]:
    """Feeds a batch and returns the state after it."""
    for q in distances:
        Context.update_q_value(q)
    Context.end_batch_policy_update()
    state: Optional[str] = Context.get_statistics()["policy_mode"]
    return state


@pytest.fixture
def hybrid() -> None:
    GradientModeConfig.set_mode(GradientMode.HYBRID)


def begin(policy: Optional[TRPolicy]) -> None:
    TRPolicyConfig.set_policy(policy)
    Context.update_epoch(0)


@pytest.mark.usefixtures("hybrid")
class TestHysteresis:
    def test_enters_at_on_and_leaves_at_off(self) -> None:
        begin(TRPolicy(0.1, 0.5))
        tenths = [0.2, 0.1, 0.11, 0.49, 0.5, 0.11, 0.05]
        states = [batch([q]) for q in tenths]
        assert states == ["MR", "SAT", "SAT", "SAT", "MR", "MR", "SAT"]
        stats = Context.get_statistics()
        assert stats["policy_flip_count"] == 3
        assert stats["flip_rate"] == 3 / 7
        assert (stats["tau_q_on"], stats["tau_q_off"]) == (0.1, 0.5)

    def test_reads_the_tenth_percentile(self) -> None:
        begin(TRPolicy(0.1, 0.5))
        # Of 0.0, 0.2, …, 2.0 the tenth percentile is 0.2; one value near the pole is no reason.
        assert batch([0.2 * k for k in range(11)]) == "MR"
        assert batch([0.05, 0.05] + [1.0] * 9) == "SAT"

    def test_g_enters_and_holds(self) -> None:
        begin(TRPolicy(1e-9, 0.5, g_on=100.0, g_off=10.0))
        assert batch([1.0, 1.0]) == "MR"
        assert batch([0.01, 0.01]) == "SAT"  # g_p90 = 100
        # q_p10 = 0.5 would leave; g_p90 stays at most g_off, so it does.
        assert batch([0.5, 0.5]) == "MR"
        begin(TRPolicy(1e-9, 0.05, g_on=100.0, g_off=10.0))
        assert batch([0.01]) == "SAT"
        assert batch([0.0625]) == "SAT"  # q_p10 ≥ tau_Q_off, but g_p90 = 16 > g_off
        assert batch([0.1]) == "MR"  # g_p90 = 10 is not above g_off

    def test_an_empty_batch_changes_nothing(self) -> None:
        begin(TRPolicy(0.1, 0.5))
        assert batch([0.01]) == "SAT"
        assert batch([]) == "SAT"
        assert Context.get_statistics()["policy_flip_count"] == 1

    def test_without_a_policy_there_is_no_state(self) -> None:
        begin(None)
        assert batch([0.01]) is None
        stats = Context.get_statistics()
        assert (stats["tau_q_on"], stats["tau_q_off"], stats["flip_rate"]) == (None, None, None)
        assert stats["policy_flip_count"] == 0

    def test_the_state_outlives_an_epoch_but_not_the_policy(self) -> None:
        begin(TRPolicy(0.1, 0.5))
        batch([0.01])
        Context.update_epoch(1)
        assert Context.get_statistics()["policy_mode"] == "SAT"
        TRPolicyConfig.set_policy(None)
        Context.update_epoch(2)
        assert Context.get_statistics()["policy_mode"] is None
        assert not Context.should_use_saturating(0.001)

    def test_backward_follows_the_state(self) -> None:
        begin(TRPolicy(0.1, 0.5))
        found = []
        for q in (4.0, 0.05, 4.0, 4.0):
            x = TRNode.parameter(q)
            (1.0 / x).backward()
            found.append(x.gradient_status.name)
            Context.end_batch_policy_update()
        assert [str(name) for name in found] == ["EXACT", "EXACT", "SATURATED", "EXACT"]


def test_apply_takes_the_policy_over() -> None:
    TRPolicyConfig.set_policy(TRPolicy(0.1, 0.5))
    schedule = HybridGradientSchedule(warmup_epochs=10)
    with schedule.apply(0):
        x = TRNode.parameter(0.05)
        (1.0 / x).backward()
        assert x.gradient_status == 0
        Context.end_batch_policy_update()
        x = TRNode.parameter(3.0)
        (1.0 / x).backward()
        assert x.gradient == pytest.approx(-0.1, rel=1e-15)
        assert Context.get_statistics()["policy_mode"] == "SAT"
