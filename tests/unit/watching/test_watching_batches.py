"""Logs of singularities: what a block is told by batched calls."""

from __future__ import annotations

import signal
import time
from typing import Any

import numpy as np
import pytest

import zeroproof as zp
from support.gradients import mode_block
from support.values import INF, NAN
from zeroproof import SingularityError, TRNode, _native, tr_vmap, watch_singularities
from zeroproof.autodiff import GradientMode, HybridGradientContext


def quotient(w: Any, x: Any) -> Any:
    return w / x


def root_of(x: Any) -> Any:
    return zp.tr_sqrt(x)


def several(x: Any) -> Any:
    root = zp.tr_sqrt(x)
    return root, root + root, 1.0 / x


def place(function: Any, below: int = 1) -> str:
    return f"test_watching_batches.py:{function.__code__.co_firstlineno + below}"


def counts(phi: int = 0, inf: int = 0, dropped: int = 0) -> dict[str, int]:
    return {"phi": phi, "inf": inf, "dropped": dropped}


class TestOrigins:
    def test_samples_are_named_at_the_line_of_the_traced_function(self) -> None:
        apply = tr_vmap(quotient, in_axes=(None, 0))
        with watch_singularities() as log:
            apply(1.0, [2.0, 0.0, -0.0, INF, NAN, 0.0])
        (found,) = log.occurrences
        assert (found.kind, found.count, found.samples) == ("inf", 3, (1, 5, 2))
        assert str(found.location) == place(quotient)
        assert found.first.sample == 1
        assert str(found.first) == (f"w / x at {place(quotient)} gave 1.0 ÷ 0.0 = +∞ in sample 1")
        assert log.counts == counts(inf=3)

    def test_the_table_names_the_first_samples(self) -> None:
        apply = tr_vmap(quotient, in_axes=(None, 0))
        x = np.ones(40)
        x[3::3] = 0.0
        with watch_singularities() as log:
            apply(1.0, x)
        where = place(quotient)
        assert str(log) == (
            f"count  kind  place{' ' * (len(where) - 5)}  operation  first           distance"
            "  samples\n"
            f"   13  inf   {where}  w / x      1.0 ÷ 0.0 = +∞         0  "
            "3, 6, 9, 12, 15, 18, 21, 24, 27, 30, …"
        )

    def test_ten_samples_are_all_there_are(self) -> None:
        apply = tr_vmap(several)
        with watch_singularities() as log:
            apply.jacobian(np.zeros(10))
            apply.jacobian(np.zeros(10))
        samples = ", ".join(map(str, range(10)))
        assert [line.endswith(f"0  {samples}") for line in str(log).splitlines()[1:]] == [True] * 2

    def test_what_a_choice_does_not_take_is_computed_as_well(self) -> None:
        def safe(x: Any) -> Any:
            return zp.tr_where(zp.tr_equal(x, 0.0), 1.0, 1.0 / x)

        with watch_singularities() as log:
            y = tr_vmap(safe)([0.0, 2.0])
        assert y.to_ieee().tolist() == [1.0, 0.5]
        assert log.counts == counts(inf=1)

    @pytest.mark.parametrize("reduce", [None, "sum", "mean"])
    def test_every_request_tells_once(self, reduce: Any) -> None:
        apply = tr_vmap(quotient, in_axes=(None, 0))
        x = np.array([0.0, 1.0])
        with watch_singularities() as log:
            apply.value_and_grad(1.0, x, argnums=(0, 1), reduce=reduce, with_status=True)
            apply.value_and_grad(1.0, x, reduce=reduce, with_mask=True)
        assert log.counts == counts(inf=2)

    @pytest.mark.parametrize(
        "x",
        [
            np.zeros(0),
            np.zeros(1),
            np.zeros(12)[::3],
            np.zeros((2, 3)).T[:, 0],
            np.zeros(5, dtype=np.int64),
            zp.TRArray(np.zeros(7)),
            [0.0, 0],
        ],
        ids=["empty", "one", "strided", "column", "integers", "TRArray", "list"],
    )
    def test_inputs_of_every_kind(self, x: Any) -> None:
        apply = tr_vmap(quotient, in_axes=(None, 0))
        with watch_singularities() as log:
            apply(1.0, x)
        assert log.counts == counts(inf=len(x))

    def test_scalars_and_batches_tell_the_same(self) -> None:
        x = np.array([0.0, -0.0, 1.0, -1.0, INF, -INF, NAN, 5e-324, 1e308])
        functions: list[Any] = [
            lambda x: 1.0 / x - 1.0 / x,
            lambda x: zp.tr_log(x) + zp.tr_sqrt(x),
            lambda x: (x * 10.0) ** 3 / (x - x),
            lambda x: zp.tr_sin(x) * x**-1,
            lambda x: zp.tr_minimum(zp.tr_exp(x), 1.0 / x),
        ]
        for function in functions:
            with watch_singularities() as batched:
                tr_vmap(function).value_and_grad(x)
            with watch_singularities() as scalar:
                for value in x:
                    leaf = TRNode.parameter(zp.from_ieee(float(value)))
                    function(leaf).backward()
            assert batched.counts == scalar.counts
            assert len(batched) > 0

            def told(log: Any) -> set[Any]:
                # Which sign an infinity had first is a matter of the order of samples or of nodes.
                return {(o.kind, o.op, o.location, o.count, o.distance) for o in log.occurrences}

            with_place = {entry for entry in told(scalar) if entry[2] is not None}
            assert with_place
            assert with_place <= told(batched)


class TestDropped:
    def test_contributions_are_told_with_samples_and_distance(self) -> None:
        apply = tr_vmap(root_of)
        with watch_singularities() as log:
            apply.value_and_grad([1.0, 0.0, 4.0, 0.0])
        (found,) = log.occurrences
        assert (found.kind, found.count, found.samples) == ("dropped", 2, (1, 3))
        assert (found.distance, found.first.input) == (0.0, 0)
        assert str(found.location) == place(root_of)
        assert HybridGradientContext.get_statistics()["dropped_contributions"] == 2

    def test_every_output_of_a_jacobian_has_its_pass(self) -> None:
        with watch_singularities() as log:
            tr_vmap(several).jacobian([0.0, 1.0])
        dropped = next(found for found in log.occurrences if found.kind == "dropped")
        assert (dropped.count, dropped.samples) == (2, (0,))
        assert log.counts == counts(inf=1, dropped=2)

    @pytest.mark.parametrize(
        ("mode", "delta", "dropped"),
        [
            (GradientMode.MASK_REAL, None, 1),
            (GradientMode.SATURATING, None, 0),
            (GradientMode.HYBRID, None, 1),
            (GradientMode.HYBRID, 0.1, 0),
        ],
    )
    def test_every_mode_has_its_own(self, mode: Any, delta: Any, dropped: int) -> None:
        apply = tr_vmap(root_of)
        with mode_block(mode, 1.0, delta), watch_singularities() as log:
            apply.value_and_grad([0.0, 1.0])
            statistics = HybridGradientContext.get_statistics()
        assert log.counts == counts(dropped=dropped)
        assert statistics["dropped_contributions"] == dropped
        assert statistics["total_gradient_calls"] == (2 if mode is GradientMode.HYBRID else 0)


class TestRaising:
    @pytest.mark.parametrize(
        ("function", "kind"), [(root_of, "dropped"), (lambda x: 1.0 / x, "inf")]
    )
    def test_nothing_is_written_or_counted(self, function: Any, kind: str) -> None:
        apply = tr_vmap(function)
        x = np.array([1.0, 0.0])
        out = (np.full(2, 7.0), np.full(2, 7.0))
        calls: list[Any] = [
            lambda: apply.value_and_grad(x, out=out),
            lambda: apply.value_and_grad(x, reduce="mean", out=out[1], with_mask=True),
            lambda: apply.jacobian(x, out=out[1].reshape(2, 1, 1)),
        ]
        for call in calls:
            with mode_block(GradientMode.HYBRID), watch_singularities(raise_on=kind) as log:
                with pytest.raises(SingularityError, match=r"in sample 1$"):
                    call()
                statistics = HybridGradientContext.get_statistics()
            assert log.counts[kind] == 1
            assert statistics["total_gradient_calls"] == 0
            assert statistics["dropped_contributions"] == 0
            assert np.array(out).tolist() == [[7.0, 7.0]] * 2
        assert not _native.is_watching()

    def test_what_is_not_asked_for_passes(self) -> None:
        apply = tr_vmap(root_of)
        with watch_singularities(raise_on=("dropped", "phi", "inf")) as log:
            apply([0.0, 1.0])  # no gradients
            apply.value_and_grad([1.0, 2.0])
        assert len(log) == 0

    @pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs interval timers")
    def test_a_signal_ends_a_scan(self) -> None:
        class Rung(Exception):
            pass

        def ring(*_: object) -> None:
            raise Rung

        def long(x: Any) -> Any:
            for _ in range(500):
                x = zp.tr_tanh(x) + 1.0 / x
            return x

        apply = tr_vmap(long)
        apply([0.5])
        x = np.full(1_000_000, 0.5)
        before = signal.signal(signal.SIGALRM, ring)
        begin = time.perf_counter()
        try:
            with watch_singularities(raise_on="dropped") as log:
                signal.setitimer(signal.ITIMER_REAL, 0.2)
                with pytest.raises(Rung):
                    apply.value_and_grad(x)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            signal.signal(signal.SIGALRM, before)
        assert time.perf_counter() - begin < 3.0
        assert len(log) == 0
        assert not _native.is_watching()
        assert HybridGradientContext.get_statistics()["total_gradient_calls"] == 0
