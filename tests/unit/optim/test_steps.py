"""What a step does with gradients that are masked, dropped, saturated, missing or not REAL."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from support.values import INF, NAN
from zeroproof import GradientMode, GradientStatus, TRNode, gradient_mode, tr_sqrt, tr_vmap
from zeroproof.optim import SGD, Adam, Optimizer, StepReport

EXACT, MASKED, DROPPED, SATURATED = (
    GradientStatus.EXACT,
    GradientStatus.MASKED,
    GradientStatus.DROPPED,
    GradientStatus.SATURATED,
)
STATUSES = np.array([EXACT, MASKED, DROPPED, SATURATED, MASKED | SATURATED], dtype=np.uint8)


def momentum(parameters: Any, **settings: Any) -> Optimizer:
    return SGD(parameters, momentum=0.9, **settings)


RULES = [SGD, momentum, Adam]


def moments(optimizer: Optimizer) -> list[Any]:
    state = optimizer.state_dict()
    return [
        state[name].tolist() for name in ("velocity", "mean", "square", "updates") if name in state
    ]


class TestMasked:
    @pytest.mark.parametrize("rule", RULES)
    def test_apply_uses_every_gradient(self, rule: Any) -> None:
        p, plain = np.ones(5), np.ones(5)
        report = rule(p, lr=0.1).step(np.ones(5), STATUSES)
        rule(plain, lr=0.1).step(np.ones(5))
        assert np.array_equal(p, plain)
        assert report == StepReport(updated=5, masked=2, dropped=1, saturated=2)

    @pytest.mark.parametrize("rule", RULES)
    def test_skip_leaves_value_and_moments(self, rule: Any) -> None:
        p = np.ones(5)
        optimizer = rule(p, lr=0.1, masked="skip")
        optimizer.step(np.ones(5), np.zeros(5, np.uint8))
        before, before_moments = p.copy(), moments(optimizer)
        report = optimizer.step(np.ones(5), STATUSES)
        assert report == StepReport(updated=2, skipped=3, masked=2, dropped=1, saturated=2)
        assert (p != before).tolist() == [True, False, False, True, False]
        for old, new in zip(before_moments, moments(optimizer)):
            assert [a == b for a, b in zip(old, new)] == [False, True, True, False, True]

    @pytest.mark.parametrize("rule", RULES)
    def test_a_skipped_step_is_as_if_it_had_not_been(self, rule: Any) -> None:
        """Also for the bias correction of Adam, which counts the updates of each element."""
        rng = np.random.default_rng(1)
        gradients = rng.normal(size=(6, 2))
        p, alone = np.ones(2), np.ones(2)
        optimizer, reference = rule(p, lr=0.1, masked="skip"), rule(alone, lr=0.1)
        for step, g in enumerate(gradients):
            skips = step in (0, 3)
            optimizer.step(g, np.array([0, MASKED if skips else 0], dtype=np.uint8))
            if not skips:
                reference.step(g)
        assert p[1] == alone[1]
        assert p[0] != alone[0]

    @pytest.mark.parametrize("status", [MASKED, DROPPED, MASKED | DROPPED])
    def test_raise_names_the_parameter_and_does_nothing(self, status: GradientStatus) -> None:
        p = {"w": np.ones((2, 2)), "b": np.ones(())}
        optimizer = Adam(p, masked="raise")
        statuses = {"w": np.zeros((2, 2), np.uint8), "b": np.uint8(SATURATED)}
        optimizer.step({"w": np.ones((2, 2)), "b": 1.0}, statuses)
        before = p["w"].copy()
        statuses["w"][1, 0] = status
        with pytest.raises(FloatingPointError, match=r"parameters\['w'\]\[1, 0\] is (MASKED|DROP)"):
            optimizer.step({"w": np.ones((2, 2)), "b": 1.0}, statuses)
        assert np.array_equal(p["w"], before)
        assert (optimizer.steps, optimizer.last_step) == (1, StepReport(updated=5, saturated=1))

    @pytest.mark.parametrize("masked", ["skip", "raise"])
    def test_plain_numbers_do_not_say_whether_they_are_masked(self, masked: str) -> None:
        p = [np.ones(2), np.ones(1)]
        optimizer = SGD(p, masked=masked)
        with pytest.raises(
            ValueError, match=r"status of every gradient, but that of parameters\[1\]"
        ):
            optimizer.step([np.ones(2), np.ones(1)], [np.zeros(2, np.uint8), None])
        assert p[0].tolist() == [1.0, 1.0]
        assert SGD(p).step([np.ones(2), np.ones(1)]).unknown_status == 3

    def test_nodes_bring_their_statuses(self) -> None:
        x, y, z = (TRNode.parameter(value) for value in (0.0, 0.0, 2.0))
        optimizer = SGD([x, y, z], lr=1.0, masked="skip")
        (1.0 / x + z * z).backward()  # masks both
        (tr_sqrt(y) + 3.0 * y).backward()
        report = optimizer.step()
        assert report == StepReport(updated=0, skipped=3, masked=2, dropped=1)
        assert optimizer.last_step is report
        optimizer.zero_grad()
        (z * z).backward()
        assert optimizer.step() == StepReport(updated=3)
        assert [node.item() for node in (x, y, z)] == [0.0, 0.0, -2.0]

    def test_saturated_gradients_are_counted(self) -> None:
        x = TRNode.parameter(0.0)
        with gradient_mode(GradientMode.SATURATING):
            (1.0 / x).backward()
        assert SGD(x, lr=0.5).step() == StepReport(updated=1, saturated=1)
        assert x.item() == 0.5  # −1/b²

    def test_a_batch_brings_the_union_of_its_samples(self) -> None:
        """So with a single sample at a pole a parameter of all samples is skipped."""
        batched = tr_vmap(lambda a, b, x: a / x + b, in_axes=(None, None, 0))
        a, b = np.array(1.0), np.array(2.0)
        x = np.array([1.0, 0.0, 2.0])
        for masked, updated in ("apply", 2), ("skip", 0):
            optimizer = SGD((a, b), lr=1.0, masked=masked)
            _, gradients, statuses = batched.value_and_grad(
                a, b, x, argnums=(0, 1), reduce="mean", with_status=True
            )
            report = optimizer.step(gradients, statuses)
            assert (report.updated, report.masked) == (updated, 2)
        assert (float(a), float(b)) == (0.25, 1.0)  # over the two REAL samples


class TestNotReal:
    @pytest.mark.parametrize("rule", RULES)
    @pytest.mark.parametrize("bad", [INF, -INF, NAN])
    def test_gradients(self, rule: Any, bad: float) -> None:
        p = np.ones(3)
        optimizer = rule(p, lr=0.1)
        report = optimizer.step(np.array([1.0, bad, 1.0]), np.zeros(3, np.uint8))
        assert report == StepReport(updated=2, skipped=1, not_real=1)
        assert p[1] == 1.0
        assert all(moment[1] == 0.0 for moment in moments(optimizer))

    @pytest.mark.parametrize("rule", RULES)
    @pytest.mark.parametrize("bad", [INF, -INF, NAN])
    def test_parameters(self, rule: Any, bad: float) -> None:
        p = np.array([1.0, bad])
        nodes = [TRNode.parameter(1.0), TRNode.parameter(bad)]
        for parameters in (p, nodes):
            report = rule(parameters, lr=0.1).step(np.ones(2), EXACT)
            assert report == StepReport(updated=1, skipped=1, not_real=1)
        assert p[0] == nodes[0].item() < 1.0
        assert np.array_equal(p[1], bad, equal_nan=True)
        assert np.array_equal(nodes[1].item(), bad, equal_nan=True)

    def test_new_values(self) -> None:
        p = np.array([1.0, -1.7e308, 1.0])
        report = SGD(p, lr=10.0).step(np.array([1.0, 1.7e307, 1e308]), EXACT)
        assert report == StepReport(updated=1, skipped=2, not_real=2)
        assert p.tolist() == [-9.0, -1.7e308, 1.0]

    def test_new_moments(self) -> None:
        """A square of ∞ would stop the element for good, since it never decays."""
        p = np.ones(2)
        optimizer = Adam(p, lr=0.1)
        assert optimizer.step(np.array([1.0, 1e200]), EXACT).not_real == 1
        assert p[1] == 1.0
        assert optimizer.step(np.array([1.0, 1.0]), EXACT) == StepReport(updated=2)
        assert p[1] == pytest.approx(0.9)
        velocity = momentum(p, lr=0.0)
        for _ in range(3):
            velocity.step(np.array([0.0, 1.5e308]), EXACT)
        assert velocity.last_step == StepReport(updated=1, skipped=1, not_real=1)
        assert np.isfinite(moments(velocity)[0]).all()

    def test_adam_without_eps_skips_what_never_had_a_gradient(self) -> None:
        p = np.ones(2)
        report = Adam(p, eps=0.0).step(np.array([0.0, 1.0]), EXACT)
        assert report == StepReport(updated=1, skipped=1, not_real=1)
        assert p[0] == 1.0

    def test_an_overflowed_sum_of_contributions(self) -> None:
        x = TRNode.parameter(0.25)
        (x * 1e308 + x * 1e308).backward()
        assert x.gradient == INF
        assert SGD(x).step() == StepReport(skipped=1, not_real=1)
        assert x.item() == 0.25

    def test_masked_and_not_real_is_one_skip(self) -> None:
        p = np.ones(2)
        optimizer = SGD(p, masked="skip")
        report = optimizer.step(np.array([INF, 1.0]), np.array([MASKED, MASKED], dtype=np.uint8))
        assert report == StepReport(skipped=2, not_real=1, masked=2)


class TestMissing:
    def test_nodes_that_no_pass_has_reached(self) -> None:
        x, y = TRNode.parameter(1.0), TRNode.parameter(1.0)
        optimizer = Adam([x, y], lr=0.1, masked="skip")
        (x * x).backward()
        assert optimizer.step() == StepReport(updated=1, without_gradient=1)
        assert y.item() == 1.0

    def test_none_stands_for_a_leaf_or_a_structure(self) -> None:
        p = {"a": np.ones(2), "b": [np.ones(1), np.ones(1)]}
        optimizer = SGD(p, lr=1.0)
        report = optimizer.step({"a": np.ones(2), "b": None}, MASKED)
        assert report == StepReport(updated=2, without_gradient=2, masked=2)
        assert (p["a"].tolist(), p["b"][0].tolist()) == ([0.0, 0.0], [1.0])

    def test_a_missing_gradient_changes_no_moment(self) -> None:
        p = [np.ones(1), np.ones(1)]
        optimizer = Adam(p, lr=0.1, weight_decay=0.5)
        optimizer.step([np.ones(1), None])
        assert [moment[1] for moment in moments(optimizer)] == [0.0, 0.0, 0.0]


class TestReports:
    def test_the_counts_cover_every_element(self) -> None:
        rng = np.random.default_rng(2)
        n = 40_000
        p = np.where(rng.random(n) < 0.1, NAN, 1.0)
        g = np.where(rng.random(n) < 0.1, INF, 1.0)
        status = rng.integers(0, 8, n).astype(np.uint8)
        start = p.copy()
        report = SGD(p, lr=1.0, masked="skip").step(g, status)
        left_out = ~np.isfinite(start) | ~np.isfinite(g)
        incomplete = status & 3 != 0
        assert report.updated == np.sum(~left_out & ~incomplete) == np.sum(p == 0.0)
        assert report.updated + report.skipped == n
        assert report.not_real == np.sum(left_out)
        assert report.masked == np.sum(status & 1 != 0)
        assert report.dropped == np.sum(status & 2 != 0)
        assert report.saturated == np.sum(status & 4 != 0)

    def test_those_of_an_epoch_add_up(self) -> None:
        p = np.ones(2)
        optimizer = SGD(p)
        reports = [optimizer.step(np.array([1.0, g]), EXACT) for g in (1.0, INF, NAN)]
        assert sum(reports, StepReport()) == StepReport(updated=4, skipped=2, not_real=2)
        with pytest.raises(TypeError):
            StepReport() + 1  # type: ignore[operator]

    def test_text_lists_what_is_not_zero(self) -> None:
        report = StepReport(updated=3, skipped=1, not_real=1, unknown_status=4)
        assert str(report) == "3 updated, 1 skipped, 1 not real, 4 unknown status"
        assert str(StepReport()) == "nothing to update"

    def test_no_warning_and_no_floating_point_error(self) -> None:
        with np.errstate(all="raise"):
            p = np.array([1e308, INF, 1e-300, 1.0])
            report = Adam(p, lr=1e300).step(np.array([-1e160, 1.0, 1e-300, NAN]))
        assert report.skipped == 3
