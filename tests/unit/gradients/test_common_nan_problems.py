"""What people report of other libraries: a NaN in a gradient, and no word of where it came from.

Each is written as its reporters write it. Value, gradient, status and explanation say what
happened; where an operation removes the singularity, it stands beside.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.gradients import DROPPED, EXACT, MASKED, SATURATED
from zeroproof import (
    GradientMode,
    GradientStatus,
    TRNode,
    TRTag,
    Verdict,
    check_gradient,
    gradient_mode,
    tr_acos,
    tr_cos,
    tr_exp,
    tr_greater,
    tr_log,
    tr_logsumexp,
    tr_norm,
    tr_sin,
    tr_sinc,
    tr_sqrt,
    tr_vmap,
    tr_where,
    tr_xlogy,
    watch_singularities,
)
from zeroproof.explanation import SingularEvent


def differentiate(f: Callable[..., Any], *values: float) -> tuple[TRNode, list[TRNode]]:
    """The value of a function as a node, and the parameters with their gradients."""
    parameters = [TRNode.parameter(value, name=f"x{i}") for i, value in enumerate(values)]
    result = f(*parameters)
    result.backward()
    return result, parameters


def results(parameters: list[TRNode]) -> list[tuple[float, GradientStatus]]:
    return [(float(p.gradient), p.gradient_status) for p in parameters]


def place(f: Callable[..., Any], text: str) -> str:
    """Where this text stands in the function, as events tell places."""
    lines, first = inspect.getsourcelines(f)
    (line,) = [first + i for i, source in enumerate(lines) if text in source]
    return f"{Path(__file__).name}:{line}"


def only(events: tuple[SingularEvent, ...]) -> SingularEvent:
    (event,) = events
    return event


class TestRootOfASquare:
    """√x² at 0: 0·∞ is the NaN of other libraries."""

    def test_the_infinite_slope_is_left_out(self) -> None:
        def f(x: TRNode) -> TRNode:
            return tr_sqrt(x * x)

        y, (x,) = differentiate(f, 0.0)
        assert y.item() == 0.0
        assert results([x]) == [(0.0, DROPPED)]
        event = only(x.explain().dropped_at)
        assert str(event) == f"tr_sqrt(x * x) at {place(f, 'tr_sqrt')} gave sqrt(0.0) = 0.0"
        assert [hash(leaf) for leaf in event.leaves] == [hash(x)]
        assert str(event) in str(y.explain())

    def test_saturating_bounds_it(self) -> None:
        with gradient_mode(GradientMode.SATURATING):
            y, (x,) = differentiate(lambda x: tr_sqrt(x * x), 0.0)
            assert only(y.explain().saturated_at).formula == "sqrt(0.0) = 0.0"
        assert results([x]) == [(0.0, SATURATED)]

    def test_a_norm_has_the_subgradient(self) -> None:
        y, parameters = differentiate(lambda x: tr_norm([x]), 0.0)
        assert results(parameters) == [(0.0, EXACT)]
        explanation = y.explain()
        assert explanation.origins == explanation.masked_at == explanation.dropped_at == ()


class TestRemovableQuotient:
    """x·x/x at 0 is 0/0, although the function is x."""

    @staticmethod
    def f(x: TRNode) -> TRNode:
        return x * x / x

    def test_it_is_null_and_passes_nothing(self) -> None:
        y, (x,) = differentiate(self.f, 0.0)
        assert y.tag is TRTag.PHI
        assert results([x]) == [(0.0, MASKED)]
        origin = only(y.explain().origins)
        assert str(origin) == f"x * x / x at {place(self.f, 'x * x / x')} gave 0.0 ÷ 0.0 = Φ"
        assert str(y.explain()).startswith(f"y is Φ: {origin}")
        assert only(x.explain().masked_at).formula == "0.0 ÷ 0.0 = Φ"

    def test_the_check_knows_better(self) -> None:
        row = only(check_gradient(self.f, 0.0).rows)
        assert row.verdict is Verdict.REMOVABLE
        assert row.numerical == pytest.approx(1.0)


class TestBranchNotTaken:
    """A division in the branch not taken, which poisons the gradient of a `where` elsewhere."""

    @staticmethod
    def f(x: Any) -> Any:
        return tr_where(tr_greater(x, 0.0), 1.0 / x, 2.0 * x)

    def test_it_has_no_part_in_value_or_gradient(self) -> None:
        y, (x,) = differentiate(self.f, 0.0)
        assert y.item() == 0.0
        assert results([x]) == [(2.0, EXACT)]
        assert y.explain().origins == ()
        assert str(x.explain()) == "x is 0.0\nits gradient is 2.0 [EXACT]"

    def test_batched(self) -> None:
        values, gradients, statuses = tr_vmap(self.f).value_and_grad(
            np.array([0.0, 4.0, -1.0]), with_status=True
        )
        assert values.to_ieee().tolist() == [0.0, 0.25, -2.0]
        assert gradients.tolist() == [2.0, -0.0625, 2.0]
        assert statuses.tolist() == [0, 0, 0]

    @pytest.mark.parametrize("batched", [False, True])
    def test_a_log_shows_it_all_the_same(self, batched: bool) -> None:
        with watch_singularities() as log:
            if batched:
                tr_vmap(self.f)(np.array([1.0, 0.0]))
            else:
                self.f(TRNode.parameter(0.0))
        (found,) = log.occurrences
        assert str(found.location) == place(self.f, "1.0 / x")
        assert found.samples == ((1,) if batched else ())


class TestUnderflowInADenominator:
    """exp(−877) is 0, and one over it is no number."""

    @staticmethod
    def f(x: TRNode) -> TRNode:
        q = tr_exp(x)
        return 1.0 / q

    def test_the_quotient_is_told_and_where_its_denominator_was_made(self) -> None:
        loss, (x,) = differentiate(self.f, -877.0)
        assert loss.tag is TRTag.PINF
        assert results([x]) == [(0.0, MASKED)]
        at, made = place(self.f, "1.0 / q"), place(self.f, "q = ")
        told = f"1.0 / q at {at} gave 1.0 ÷ 0.0 = +∞ (q from {made})"
        assert str(loss.explain()).splitlines()[0] == f"loss is +∞: {told}"
        assert told in str(x.explain())

    def test_saturating(self) -> None:
        with gradient_mode(GradientMode.SATURATING):
            loss, (x,) = differentiate(self.f, -877.0)
            assert only(loss.explain().saturated_at).op.name == "DIV"
        assert results([x]) == [(0.0, SATURATED)]


class TestNormOfAZeroVector:
    def test_by_hand(self) -> None:
        def f(x: TRNode, y: TRNode, z: TRNode) -> TRNode:
            return tr_sqrt(x * x + y * y + z * z)

        r, parameters = differentiate(f, 0.0, 0.0, 0.0)
        assert r.item() == 0.0
        assert results(parameters) == [(0.0, DROPPED)] * 3
        event = only(r.explain().dropped_at)
        assert str(event.location) == place(f, "tr_sqrt")
        assert [leaf.name for leaf in event.leaves] == ["x0", "x1", "x2"]

    def test_as_one_operation(self) -> None:
        r, parameters = differentiate(lambda *v: tr_norm(v), 0.0, 0.0, 0.0)
        assert r.item() == 0.0
        assert results(parameters) == [(0.0, EXACT)] * 3
        assert check_gradient(lambda *v: tr_norm(v), 0.0, 0.0, 0.0).ok

    def test_a_direction_has_none(self) -> None:
        def unit(x: TRNode, y: TRNode) -> TRNode:
            r = tr_norm([x, y])
            return x / r

        u, parameters = differentiate(unit, 0.0, 0.0)
        assert u.tag is TRTag.PHI
        assert results(parameters) == [(0.0, MASKED)] * 2
        assert str(only(u.explain().origins)).endswith(f"(r from {place(unit, 'r = ')})")


class TestArcCosineJustPastOne:
    """A product of unit vectors that rounding carried past 1."""

    def test_the_operand_is_told_to_the_last_digit(self) -> None:
        def angle(a: TRNode) -> TRNode:
            cosine = a * 1.0
            return tr_acos(cosine)

        past = math.nextafter(1.0, 2.0) if hasattr(math, "nextafter") else 1.0 + 2.0**-52
        y, (a,) = differentiate(angle, past)
        assert y.tag is TRTag.PHI
        assert results([a]) == [(0.0, MASKED)]
        origin = only(y.explain().origins)
        assert origin.formula == "acos(1.0000000000000002) = Φ"
        assert str(origin.location) == place(angle, "tr_acos")

    def test_at_one_the_value_is_real_and_the_slope_is_not(self) -> None:
        y, (a,) = differentiate(tr_acos, 1.0)
        assert y.item() == 0.0
        assert results([a]) == [(0.0, DROPPED)]
        assert only(y.explain().dropped_at).formula == "acos(1.0) = 0.0"
        assert only(check_gradient(tr_acos, 1.0).rows).verdict is Verdict.ONE_SIDED


class TestLogOfAnUnderflow:
    def test_a_probability_that_is_zero_has_no_logarithm(self) -> None:
        def f(x: TRNode) -> TRNode:
            p = tr_exp(x)
            return tr_log(p)

        y, (x,) = differentiate(f, -800.0)
        assert y.tag is TRTag.PHI
        assert results([x]) == [(0.0, MASKED)]
        told = f"tr_log(p) at {place(f, 'tr_log')} gave log(0.0) = Φ (p from {place(f, 'p = ')})"
        assert told in str(y.explain())

    def test_in_the_log_domain_it_has(self) -> None:
        y, parameters = differentiate(lambda *v: tr_logsumexp(v), -800.0, -801.0)
        assert y.item() == pytest.approx(-800.0 + math.log1p(math.exp(-1.0)), rel=1e-15)
        share = 1.0 / (1.0 + math.exp(-1.0))
        gradients = [(pytest.approx(share), EXACT), (pytest.approx(1.0 - share), EXACT)]
        assert results(parameters) == gradients

    def test_entropy(self) -> None:
        y, (p,) = differentiate(lambda p: tr_xlogy(p, p), 0.0)
        assert y.item() == 0.0
        assert results([p]) == [(0.0, DROPPED)]  # the slope of p·ln p at 0 is −∞
        assert only(y.explain().dropped_at).op.name == "XLOGY"


class TestOneBadSample:
    """One division by zero among ten thousand samples."""

    @staticmethod
    def model(w: Any, x: Any) -> Any:
        p = w * x
        q = x - 2.0
        return p / q

    @pytest.mark.parametrize("mode", list(GradientMode))
    def test_it_is_left_out_named_and_explained(self, mode: GradientMode) -> None:
        x = np.linspace(3.0, 4.0, 10_000)
        x[4321] = 2.0
        batched = tr_vmap(self.model, in_axes=(None, 0))
        with gradient_mode(mode):
            loss, gradient, status, mask = batched.value_and_grad(
                1.5, x, reduce="mean", with_status=True, with_mask=True
            )
        good = np.delete(x, 4321)
        assert float(loss) == pytest.approx(np.mean(1.5 * good / (good - 2.0)), rel=1e-14)
        expected = np.mean(good / (good - 2.0))
        if mode is GradientMode.SATURATING:
            expected = np.mean(good / np.hypot(good - 2.0, 1.0))
        assert float(gradient) == pytest.approx(expected, rel=1e-14)
        assert int(status) & MASKED
        assert mask.left_out.tolist() == [4321]
        assert mask.tags[4321] == TRTag.PINF
        at, made = place(self.model, "p / q"), place(self.model, "q = ")
        why = f"p / q at {at} gave 3.0 ÷ 0.0 = +∞ in sample 4321 (q from {made})"
        assert mask.why(4321) == why
        assert mask.why(0) == ""


class TestRotationAtIdentity:
    """A rotation from an axis-angle vector, at the vector 0."""

    @staticmethod
    def entry(x: TRNode, y: TRNode, z: TRNode, sinc: Callable[[Any], Any]) -> TRNode:
        """R[1][0] by Rodrigues' formula."""
        angle = tr_norm([x, y, z])
        half = sinc(0.5 * angle)
        return sinc(angle) * z + 0.5 * half * half * x * y

    def test_by_hand_it_is_null(self) -> None:
        def by_hand(t: Any) -> Any:
            return tr_sin(t) / t

        r, parameters = differentiate(lambda *v: self.entry(*v, by_hand), 0.0, 0.0, 0.0)
        assert r.tag is TRTag.PHI
        assert results(parameters) == [(0.0, MASKED)] * 3
        origins = r.explain().origins
        assert {str(origin.location) for origin in origins} == {place(by_hand, "tr_sin")}
        assert {origin.formula for origin in origins} == {"0.0 ÷ 0.0 = Φ"}

    @pytest.mark.parametrize("mode", list(GradientMode))
    def test_by_sinc_it_is_exact(self, mode: GradientMode) -> None:
        def entry(x: TRNode, y: TRNode, z: TRNode) -> TRNode:
            return self.entry(x, y, z, lambda t: tr_sinc(t / math.pi))

        with gradient_mode(mode):
            r, parameters = differentiate(entry, 0.0, 0.0, 0.0)
            assert check_gradient(entry, 0.0, 0.0, 0.0).ok
        assert r.item() == 0.0
        bounded = mode is GradientMode.SATURATING  # t / π is a division, if a harmless one
        assert [g for g, _ in results(parameters)] == [0.0, 0.0, 1.0]
        assert all(bool(s & SATURATED) == bounded for _, s in results(parameters))
        assert r.explain().origins == r.explain().masked_at == ()


class TestDampedInverseAtASingularPose:
    """Joint speeds of a two-link arm by damped least squares, with the arm stretched out."""

    @staticmethod
    def speed(elbow: TRNode, damping: float) -> TRNode:
        # The Jacobian at shoulder angle 0 and links of length 1, and JJᵀ + λ²I.
        a, b = -tr_sin(elbow), -tr_sin(elbow)
        c, d = 1.0 + tr_cos(elbow), tr_cos(elbow)
        xx = a * a + b * b + damping**2
        xy = a * c + b * d
        yy = c * c + d * d + damping**2
        determinant = xx * yy - xy * xy
        # The second joint's speed for the velocity (1, 0): the second row of Jᵀ(JJᵀ + λ²I)⁻¹.
        return (b * yy - d * xy) / determinant

    def test_undamped_it_is_null_with_the_reason(self) -> None:
        speed, (elbow,) = differentiate(lambda e: self.speed(e, 0.0), 0.0)
        assert speed.tag is TRTag.PHI
        assert results([elbow]) == [(0.0, MASKED)]
        told = str(speed.explain())
        assert "(b * yy - d * xy) / determinant at" in told
        assert f"(determinant from {place(self.speed, 'determinant = ')})" in told
        assert only(elbow.explain().masked_at).op.name == "DIV"

    def test_damped_it_is_real_and_the_gradient_is_right(self) -> None:
        speed, (elbow,) = differentiate(lambda e: self.speed(e, 0.1), 0.0)
        assert speed.item() == 0.0
        ((gradient, status),) = results([elbow])
        # To first order a = b = −e, c = 2, d = 1: b·yy − d·xy = e(−yy + 3) over λ²·yy.
        yy = 5.0 + 0.01
        assert gradient == pytest.approx((3.0 - yy) / (0.01 * yy), rel=1e-12)
        assert status is EXACT
        assert check_gradient(lambda e: self.speed(e, 0.1), 0.0).ok
        assert speed.explain().origins == ()
