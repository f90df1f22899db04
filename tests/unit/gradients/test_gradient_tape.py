"""The tape with TensorFlow's manners: watching, persistence, unconnected sources, structures."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from support.values import INF
from zeroproof.autodiff.grad_mode import GradientMode, gradient_mode
from zeroproof.autodiff.gradient_tape import TRGradientTape, gradient_tape
from zeroproof.autodiff.tr_node import OpType, TRNode
from zeroproof.autodiff.tr_ops_grad import tr_sin, tr_sum


def test_parameters_are_sources_anyway() -> None:
    x = TRNode.parameter(3.0)
    with gradient_tape() as tape:
        y = x * x
    gradient = tape.gradient(y, x)
    assert isinstance(gradient, TRNode)
    assert (gradient.value, gradient.op) == (6.0, OpType.CONSTANT)
    assert isinstance(tape, TRGradientTape)


class TestWatching:
    def test_a_watched_constant_is_a_source(self) -> None:
        c = TRNode.constant(3.0)
        with gradient_tape(persistent=True) as tape:
            tape.watch(c)
            y = c * c
            assert tape.gradient(y, c) == 6.0
        # TensorFlow's users ask after the block.
        assert tape.gradient(y, c) == 6.0

    def test_what_was_recorded_before_watching_does_not_count(self) -> None:
        c = TRNode.constant(3.0)
        with gradient_tape() as tape:
            y = c * c
            tape.watch(c)
            assert tape.gradient(y, c) == 0.0

    def test_a_constant_stays_watched_after_the_tape_is_left(self) -> None:
        c = TRNode.constant(3.0)
        with gradient_tape() as tape:
            tape.watch(c)
        assert tape.gradient(c * 2.0, c) == 2.0
        assert not c.requires_grad
        assert c.op is OpType.CONSTANT

    def test_several_at_once(self) -> None:
        a, b = TRNode.constant(2.0), TRNode.constant(5.0)
        with gradient_tape() as tape:
            tape.watch([a, b])
            y = a * b
        assert [float(g) for g in tape.gradient(y, [a, b])] == [5.0, 2.0]

    def test_overlapping_tapes_watch_for_themselves(self) -> None:
        c = TRNode.constant(3.0)
        with gradient_tape() as outer:
            with gradient_tape() as inner:
                inner.watch(c)
                outer.watch(c)
            y = c * c
        assert outer.gradient(y, c) == 6.0

    def test_a_parameter_may_be_watched(self) -> None:
        x = TRNode.parameter(3.0)
        with gradient_tape() as tape:
            tape.watch(x)
        assert x.requires_grad
        assert tape.gradient(x * 2.0, x) == 2.0

    def test_a_root_that_depends_on_no_parameter_is_still_refused(self) -> None:
        c = TRNode.constant(3.0)
        with gradient_tape() as tape:
            tape.watch(c)
            y = c * c
            with pytest.raises(RuntimeError, match="depends on no parameter"):
                y.backward()

    @pytest.mark.parametrize("bad", [1.0, [1.0], None, "x"])
    def test_nodes_only(self, bad: Any) -> None:
        with pytest.raises(TypeError):
            gradient_tape().watch(bad)


class TestPersistence:
    def test_a_second_gradient_is_refused(self) -> None:
        x = TRNode.parameter(3.0)
        with gradient_tape() as tape:
            y = x * x
        tape.gradient(y, x)
        with pytest.raises(RuntimeError, match="persistent"):
            tape.gradient(y, x)

    def test_unless_persistent_or_reset(self) -> None:
        x = TRNode.parameter(3.0)
        with gradient_tape(persistent=True) as tape:
            y = x * x
            z = y * x
        assert (tape.gradient(y, x), tape.gradient(z, x)) == (6.0, 27.0)
        single = TRGradientTape()
        single.gradient(y, x)
        single.reset()
        assert single.gradient(y, x) == 6.0

    def test_reset_forgets_what_was_watched(self) -> None:
        c, p = TRNode.constant(1.0), TRNode.parameter(2.0)
        with gradient_tape() as tape:
            tape.watch(c)
            tape.reset()
            assert tape.gradient(p * 2.0, c) is None


class TestUnconnected:
    def test_zero_or_none(self) -> None:
        x, y = TRNode.parameter(1.0), TRNode.parameter(2.0)
        watched, plain, coordinate = (
            TRNode.constant(3.0),
            TRNode.constant(4.0),
            TRNode.input(5.0),
        )
        with gradient_tape() as tape:
            tape.watch(watched)
            z = x * plain
            found = tape.gradient(z, [x, y, watched, plain, coordinate])
        assert [None if g is None else g.item() for g in found] == [4.0, 0.0, 0.0, None, 0.0]

    def test_a_constant_target(self) -> None:
        x, c = TRNode.parameter(1.0), TRNode.constant(2.0)
        found = gradient_tape().gradient(c * 2.0, [x, c])
        assert (float(found[0]), found[1]) == (0.0, None)


class TestSourcesAndTargets:
    def test_the_target_itself_and_nodes_between(self) -> None:
        x = TRNode.parameter(2.0)
        with gradient_tape(persistent=True) as tape:
            y = x * x
            z = tr_sin(y) + y * 3.0
        assert tape.gradient(y, y) == 1.0
        at_y, at_x = tape.gradient(z, [y, x])
        assert float(at_x) == pytest.approx(float(at_y) * 4.0, rel=1e-15)

    def test_a_source_twice(self) -> None:
        x = TRNode.parameter(2.0)
        assert [float(g) for g in gradient_tape().gradient(x * 3.0, (x, x))] == [3.0, 3.0]

    def test_structures(self) -> None:
        x, y = TRNode.parameter(2.0), TRNode.parameter(5.0)
        found = gradient_tape().gradient(x * y, {"x": x, "rest": [y, (x,)]})
        assert found["x"] == 5.0
        assert found["rest"][0] == 2.0
        assert isinstance(found["rest"][1], tuple)

    def test_output_gradients_and_several_targets(self) -> None:
        x = TRNode.parameter(2.0)
        with gradient_tape(persistent=True) as tape:
            y, z = x * x, x * 3.0
        assert tape.gradient(y, x, output_gradients=10.0) == 40.0
        assert tape.gradient([y, z], x) == 7.0
        assert tape.gradient([y, z], x, output_gradients=[1.0, TRNode.constant(100.0)]) == 304.0
        with pytest.raises(ValueError, match="output gradients"):
            tape.gradient([y, z], x, output_gradients=[1.0])

    def test_no_gradient_is_phi(self) -> None:
        # Each target's gradient overflows, to opposite infinities.
        x = TRNode.parameter(0.5)
        up, down = x * 1e308 + x * 1e308, x * -1e308 + x * -1e308
        found = gradient_tape().gradient([up, down], x)
        assert found.value != TRNode.constant(float("nan")).value
        assert abs(float(found)) in (0.0, INF)

    @pytest.mark.parametrize("bad", [1.0, None, "x"])
    def test_nodes_only(self, bad: Any) -> None:
        x = TRNode.parameter(1.0)
        with pytest.raises(TypeError):
            gradient_tape().gradient(x * 2.0, bad)
        with pytest.raises(TypeError):
            gradient_tape().gradient(bad, x)


def test_gradients_of_nodes_are_left_alone() -> None:
    x = TRNode.parameter(3.0)
    y = x * x
    z = tr_sum([y, x])
    gradient_tape().gradient(z, [x, y])
    assert (x.gradient, y.gradient, z.gradient) == (None, None, None)
    z.backward(2.0)
    gradient_tape().gradient(z, x)
    assert (x.gradient, y.gradient, z.gradient) == (14.0, 2.0, 2.0)


def test_gradients_are_those_of_the_mode_in_force() -> None:
    x = TRNode.parameter(0.0)
    y = 1.0 / x + x
    assert gradient_tape().gradient(y, x) == 0.0
    x = TRNode.parameter(0.5)
    with gradient_mode(GradientMode.SATURATING, saturation_bound=0.5):
        gradient = gradient_tape().gradient(1.0 / x, x)
    assert float(gradient) == pytest.approx(-2.0)


def test_what_was_recorded_before_watching_is_left_out() -> None:
    p, c = TRNode.parameter(3.0), TRNode.constant(5.0)
    before = p * c + c * c
    with gradient_tape(persistent=True) as tape:
        tape.watch(c)
        y = before + c
    assert tape.gradient(y, c) == 1.0
    assert tape.gradient(before, c) == 0.0
    assert tape.gradient(y, p) == 5.0


def test_sources_may_be_a_named_tuple() -> None:
    class Pair(NamedTuple):
        a: TRNode
        b: TRNode

    pair = Pair(TRNode.parameter(2.0), TRNode.parameter(3.0))
    found = gradient_tape().gradient(pair.a * pair.b, pair)
    assert isinstance(found, Pair)
    assert (found.a, found.b) == (3.0, 2.0)
