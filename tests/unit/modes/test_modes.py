"""The three modes: Mask-REAL, the Saturating formulas of each singular op, Hybrid decisions."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from support.gradients import DROPPED, EXACT, MASKED, SATURATED, gradient_of, gradients, mode_block
from support.values import INF, NAN, ulps
from zeroproof.autodiff.grad_mode import GradientMode, GradientModeConfig
from zeroproof.autodiff.hybrid_gradient import HybridGradientContext
from zeroproof.autodiff.tr_node import TRNode
from zeroproof.autodiff.tr_ops_grad import (
    ReductionMode,
    tr_div,
    tr_exp,
    tr_log,
    tr_mul,
    tr_pow_int,
    tr_sqrt,
    tr_sum,
    tr_tanh,
)
from zeroproof.policy import TRPolicy, TRPolicyConfig

MASK_REAL, SATURATING, HYBRID = GradientMode

POINTS = [-3.0, -1.0, -0.1, -1e-6, -1e-160, -0.0, 0.0, 1e-160, 1e-6, 0.1, 1.0, 3.0, 1e200, -1e200]
BOUNDS = [1e-8, 0.1, 1.0, 50.0]


def recip(y: float, b: float) -> float:
    """``sign(y)/√(y² + b²)``, as the contract writes it."""
    return 0.0 if y == 0 or not math.isfinite(y) else math.copysign(1.0, y) / math.hypot(y, b)


class TestSaturatingFormulas:
    @pytest.mark.parametrize("b", BOUNDS)
    @pytest.mark.parametrize("y", POINTS)
    def test_division(self, y: float, b: float) -> None:
        a, seed = 1.75, 2.0
        (to_a, a_status), (to_y, y_status) = gradients(tr_div, [a, y], seed, SATURATING, b)
        assert ulps(to_a, seed * recip(y, b)) <= 4
        hypot = math.hypot(y, b)
        assert ulps(to_y, -(seed / hypot) * (a / hypot)) <= 6
        assert a_status == y_status == SATURATED

    @pytest.mark.parametrize("b", BOUNDS)
    @pytest.mark.parametrize("x", [p for p in POINTS if p > 0])
    def test_log(self, x: float, b: float) -> None:
        [(gradient, status)] = gradients(tr_log, [x], -3.0, SATURATING, b)
        assert ulps(gradient, -3.0 * recip(x, b)) <= 4
        assert status == SATURATED

    @pytest.mark.parametrize("b", BOUNDS)
    @pytest.mark.parametrize("x", [p for p in POINTS if p >= 0])
    def test_sqrt(self, x: float, b: float) -> None:
        [(gradient, status)] = gradients(tr_sqrt, [x], -3.0, SATURATING, b)
        assert ulps(gradient, -3.0 * recip(2.0 * math.sqrt(x), b)) <= 4
        assert status == SATURATED

    @pytest.mark.parametrize("b", BOUNDS)
    @pytest.mark.parametrize("n", [-1, -2, -3, -4, -7])
    @pytest.mark.parametrize("x", [p for p in POINTS if p == 0 or 1e-9 < abs(p) < 1e9])
    def test_pow(self, x: float, n: int, b: float) -> None:
        [(gradient, status)] = gradients(lambda v: tr_pow_int(v, n), [x], 0.5, SATURATING, b)
        assert gradient == pytest.approx(0.5 * n * recip(x ** (1 - n), b), rel=4e-15)
        assert status == SATURATED

    def test_powers_that_are_not_singular_are_classical(self) -> None:
        assert gradients(lambda x: x**3, [2.0], None, SATURATING) == [(12.0, EXACT)]
        assert gradients(lambda x: x**0, [2.0], None, SATURATING) == [(0.0, EXACT)]

    def test_phi_is_silenced(self) -> None:
        for f, x in ((tr_log, -1.0), (tr_log, 0.0), (tr_sqrt, -1.0), (lambda v: v / v, 0.0)):
            assert gradients(f, [x], None, SATURATING) == [(0.0, MASKED)]

    def test_infinities_pass(self) -> None:
        # Mask-REAL would silence the ±∞ nodes; here only Φ is.
        assert gradients(lambda x: 1.0 / x + x, [0.0], None, SATURATING) == [(0.0, SATURATED)]
        assert gradients(lambda x: tr_mul(x, 1.0), [INF], None, SATURATING) == [(1.0, EXACT)]
        assert gradients(lambda x: tr_exp(x) + 0.0, [800.0], None, SATURATING) == [(0.0, DROPPED)]
        assert gradients(lambda *x: tr_sum(x), [1.0, INF], None, SATURATING) == [(1.0, EXACT)] * 2

    def test_infinite_operands(self) -> None:
        assert gradients(tr_log, [INF], None, SATURATING) == [(0.0, SATURATED)]
        assert gradients(tr_sqrt, [INF], None, SATURATING) == [(0.0, SATURATED)]
        assert gradients(tr_div, [1.0, INF], None, SATURATING) == [(0.0, SATURATED)] * 2
        # −ḡ·a/(y² + b²) is infinite for a = +∞, and so dropped.
        assert gradients(tr_div, [INF, 2.0], None, SATURATING, 1.0) == [
            (pytest.approx(1 / math.sqrt(5), rel=1e-15), SATURATED),
            (0.0, SATURATED | DROPPED),
        ]

    @pytest.mark.parametrize("y", [INF, -INF])
    def test_a_zero_contribution_is_not_dropped_for_its_factors(self, y: float) -> None:
        # −ḡ·a/(y² + b²) is 0 at y = ±∞, however large ḡ·a.
        assert gradients(tr_div, [1e300, y], 1e300, SATURATING) == [(0.0, SATURATED)] * 2

    def test_bounded_whatever_the_adjoint(self) -> None:
        assert gradients(lambda x: 1.0 / x, [2.0], 0.0, SATURATING)[0][1] == SATURATED

    def test_no_avoidable_overflow(self) -> None:
        [_, (to_y, _)] = gradients(tr_div, [1e-200, 1e-200], None, SATURATING, 1e-200)
        assert to_y == pytest.approx(-0.5e200, rel=1e-15)
        [(to_a, _), (to_y, _)] = gradients(tr_div, [1e300, 1e300], 1e300, SATURATING, 1.0)
        assert (to_a, to_y) == pytest.approx((1.0, -1.0), rel=1e-15)
        # Above √max the square of y overflows; the classical gradient does not.
        [(gradient, _)] = gradients(lambda x: 1.0 / x, [1e160], 1e20, SATURATING, 1.0)
        assert gradient == pytest.approx(-1e-300, rel=1e-15)


class TestMaskReal:
    @pytest.mark.parametrize(
        ("f", "x"),
        [
            (lambda v: 1.0 / v, 0.0),
            (lambda v: 1.0 / v, -0.0),
            (lambda v: v / v, 0.0),
            (tr_log, 0.0),
            (tr_log, -1.0),
            (tr_sqrt, -1.0),
            (lambda v: v**-2, 0.0),
            (tr_exp, 800.0),
            (lambda v: v * 2.0, 1e308),
            (lambda v: v + 1.0, INF),
            (tr_tanh, NAN),
            (lambda v: 1.0 / (1.0 / v + 1.0), 0.0),
        ],
    )
    def test_a_node_that_is_not_real_passes_exactly_zero(
        self, f: Callable[[TRNode], TRNode], x: float
    ) -> None:
        assert gradients(f, [x]) == [(0.0, MASKED)]

    def test_bound_and_threshold_do_not_matter(self) -> None:
        assert gradients(lambda x: 1.0 / x, [0.25], None, MASK_REAL, 0.1, 10.0) == [(-16.0, EXACT)]


class TestHybrid:
    @pytest.mark.parametrize("delta", [1e-3, 0.5])
    def test_within_delta_of_the_pole_saturates(self, delta: float) -> None:
        cases: list[tuple[Callable[..., TRNode], float]] = [
            (lambda v: 1.0 / v, 1.0),
            (lambda v: 1.0 / v, -1.0),
            (tr_log, 1.0),
            (tr_sqrt, 1.0),
            (lambda v: v**-2, -1.0),
        ]
        for f, side in cases:
            for distance in (delta * 0.5, delta, math.nextafter(delta, 1.0), delta * 2):
                x = side * distance
                near = distance <= delta
                expected = gradients(f, [x], None, SATURATING if near else MASK_REAL, 0.3)
                assert gradients(f, [x], None, HYBRID, 0.3, delta) == expected
                assert expected[0][1] == (SATURATED if near else EXACT)

    def test_division_measures_the_denominator(self) -> None:
        assert gradients(tr_div, [1e-9, 2.0], None, HYBRID, 1.0, 0.1)[1][1] is EXACT
        assert gradients(tr_div, [1e9, 0.05], None, HYBRID, 1.0, 0.1)[1][1] == SATURATED

    def test_positive_powers_have_no_pole(self) -> None:
        assert gradients(lambda v: v**2, [0.01], None, HYBRID, 1.0, 0.1) == [(0.02, EXACT)]

    def test_an_infinite_node_that_is_not_singular(self) -> None:
        def f(x: TRNode) -> TRNode:
            return tr_mul(x, 1e308)

        assert gradients(f, [10.0], None, HYBRID, 1.0, None) == [(0.0, MASKED)]
        assert gradients(f, [10.0], 1e-300, HYBRID, 1.0, 1e-3) == [
            (pytest.approx(1e8, rel=1e-15), EXACT)
        ]

    def test_phi_is_silenced_at_any_threshold(self) -> None:
        assert gradients(tr_log, [-0.01], None, HYBRID, 1.0, 0.1) == [(0.0, MASKED)]
        assert gradients(lambda x: x / x, [0.0], None, HYBRID, 1.0, 0.1) == [(0.0, MASKED)]

    def test_without_threshold_it_is_mask_real(self) -> None:
        for x in (0.0, 1e-300, 0.5):
            for f in (lambda v: 1.0 / v, tr_sqrt, tr_log, lambda v: v**-1):
                assert gradients(f, [x], None, HYBRID) == gradients(f, [x])

    def test_a_region_saturates_what_depends_on_an_input_in_it(self) -> None:
        with mode_block(HYBRID):
            HybridGradientContext.set_exploration_regions([(0.4, 0.6), (2.0, 2.0)])
            for x, inside in ((0.4, True), (0.5, True), (0.6, True), (0.61, False), (2.0, True)):
                coordinate, weight = TRNode.input(x), TRNode.parameter(5.0)
                (weight / (coordinate * 7.0 + 1.0)).backward()
                expected = SATURATED if inside else EXACT
                assert weight.gradient_status == coordinate.gradient_status == expected, x
            parameter = TRNode.parameter(0.5)
            (1.0 / parameter).backward()
            assert gradient_of(parameter) == (-4.0, EXACT)

    def test_the_policy_saturates(self) -> None:
        TRPolicyConfig.set_policy(TRPolicy(tau_Q_on=0.1, tau_Q_off=0.5))
        with mode_block(HYBRID):
            HybridGradientContext.update_epoch(0)
            HybridGradientContext.update_q_value(0.01)
            HybridGradientContext.end_batch_policy_update()
            x = TRNode.parameter(4.0)
            (1.0 / x).backward()
        assert gradient_of(x) == (pytest.approx(-1 / 17, rel=1e-15), SATURATED)

    def test_every_singular_op_reached_counts_once(self) -> None:
        with mode_block(HYBRID, 1.0, 1e-3):
            HybridGradientContext.reset_statistics()
            x = TRNode.parameter(0.0)
            y = TRNode.parameter(2.0)
            blocked = 1.0 / (1.0 / x)  # = 0: the pole inside is reached all the same
            unused = (1.0 / y) * 0.0  # counts although its adjoint is 0
            tr_sum([blocked, unused, tr_sqrt(y), y**-3, tr_log(y), y**3]).backward()
            stats = HybridGradientContext.get_statistics()
        # Of the outer 1/(1/x) the denominator is +∞, so it is not at a distance: not counted.
        assert stats["total_gradient_calls"] == 5
        assert stats["saturating_activations"] == 1

    def test_dropped_samples_count_too(self) -> None:
        with mode_block(HYBRID, 1.0, 1e-3):
            HybridGradientContext.reset_statistics()
            x = TRNode.parameter(0.0)
            tr_sum([1.0 / x, x + 1.0], ReductionMode.DROP_NONREAL).backward()
            assert HybridGradientContext.get_statistics()["total_gradient_calls"] == 1


@pytest.mark.parametrize("bad", [0.0, -0.0, -1.0, INF, -INF, NAN, pytest.param(10**400, id="huge")])
def test_a_bound_must_be_positive_and_finite(bad: float) -> None:
    for attempt in (
        lambda: GradientModeConfig.set_saturation_bound(bad),
        lambda: mode_block(SATURATING, bad).__enter__(),
    ):
        with pytest.raises(ValueError):
            attempt()
    assert GradientModeConfig.get_saturation_bound() == 1.0


@pytest.mark.parametrize("bad", [-1e-9, INF, NAN])
def test_a_threshold_must_be_finite_and_not_negative(bad: float) -> None:
    with pytest.raises(ValueError, match="threshold"):
        GradientModeConfig.set_local_threshold(bad)
