"""Batched functions on several threads, and the threads they are called from."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import zeroproof as zp
from support.gradients import mode_block
from support.slow import slow
from support.slowdown import SLOWDOWN
from zeroproof import TRNode, tr_vmap
from zeroproof.autodiff import GradientMode, HybridGradientContext

RNG = np.random.default_rng(7)


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = zp.get_num_threads()
    yield
    zp.set_num_threads(before)


def wide(x: TRNode) -> TRNode:
    """Enough work for several threads and for a while."""
    for _ in range(60):
        x = zp.tr_tanh(x) + 1.0 / x
    return x


class TestThreads:
    def test_no_result_depends_on_their_number(self) -> None:
        x = RNG.normal(size=50_000)
        apply = tr_vmap(wide)
        results = []
        for threads in (1, 2, 5):
            zp.set_num_threads(threads)
            assert zp.get_num_threads() == threads
            y, gradient = apply.value_and_grad(x)
            total, _ = apply.value_and_grad(x, reduce="mean")
            results.append((y.to_ieee().tobytes(), gradient.tobytes(), float(total)))
        assert results[0] == results[1] == results[2]

    def test_calls_from_several_threads(self) -> None:
        calls = []

        def function(x: Any) -> Any:
            calls.append(x)
            time.sleep(0.05)  # so that the others come while it is traced
            return zp.tr_exp(x)

        apply = tr_vmap(function)
        inputs = [RNG.normal(size=n) for n in (10, 1000, 3000, 10)]
        found: dict[int, Any] = {}
        workers = [
            threading.Thread(target=lambda k=k: found.update({k: apply.value_and_grad(inputs[k])}))
            for k in range(4)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        traced = len(calls)
        assert 1 <= traced <= 4
        for place, x in enumerate(inputs):
            assert found[place][0].to_ieee().tobytes() == apply(x).to_ieee().tobytes()
            assert found[place][1].tobytes() == apply(x).to_ieee().tobytes()
        assert len(calls) == traced  # whoever was first, the rest use that trace

    def test_a_traced_function_may_wait_for_another_thread_that_traces(self) -> None:
        def function(v: Any) -> Any:
            if v.shape == (3,):
                thread = threading.Thread(target=lambda: apply(np.ones((1, 2))))
                thread.start()
                thread.join(timeout=20.0)
                assert not thread.is_alive()
            return v.sum()

        apply = tr_vmap(function)
        assert apply(np.ones((2, 3))).values.tolist() == [3.0, 3.0]

    def test_other_threads_go_on_meanwhile(self) -> None:
        x = RNG.normal(size=300_000)
        apply = tr_vmap(wide)
        apply(x[:1])
        ticks = []
        running = threading.Event()
        running.set()

        def tick() -> None:
            while running.is_set():
                ticks.append(time.perf_counter())
                time.sleep(0.001)

        ticker = threading.Thread(target=tick)
        ticker.start()
        begin = time.perf_counter()
        apply.value_and_grad(x)
        end = time.perf_counter()
        running.clear()
        ticker.join()
        assert sum(begin < t < end for t in ticks) >= 3

    @pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs interval timers")
    def test_a_signal_ends_a_run_within_a_second(self) -> None:
        class Rung(Exception):
            pass

        def ring(*_: object) -> None:
            raise Rung

        x = np.full(4_000_000, 0.5)  # minutes of work, were it not for the signal

        def long(x: TRNode) -> TRNode:
            for _ in range(40):
                x = wide(x)
            return x

        apply = tr_vmap(long)
        apply(x[:1])
        before = signal.signal(signal.SIGALRM, ring)
        try:
            with mode_block(GradientMode.HYBRID, delta=0.1):
                signal.setitimer(signal.ITIMER_REAL, 0.3)
                begin, used = time.perf_counter(), time.process_time()
                with pytest.raises(Rung):
                    apply.value_and_grad(x)
                # Other processes may leave this one little time: then what it used of it counts.
                took = time.perf_counter() - begin
                took = min(took, (time.process_time() - used) / zp.get_num_threads())
                assert took < 0.3 + SLOWDOWN
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            signal.signal(signal.SIGALRM, before)
        assert HybridGradientContext.get_statistics()["total_gradient_calls"] == 0
        y, _ = apply.value_and_grad(x[:5])
        assert y.shape == (5,)

    def test_statistics_are_those_of_the_caller(self) -> None:
        apply = tr_vmap(lambda x: 1.0 / x)
        x = np.array([0.05, 0.5, -0.2] * 1000)
        with mode_block(GradientMode.HYBRID, delta=0.1):
            apply.value_and_grad(x)
            other = threading.Thread(target=lambda: apply.value_and_grad(x))
            other.start()
            other.join()
            apply(x)  # values make no decision
            statistics = HybridGradientContext.get_statistics()
        assert statistics["total_gradient_calls"] == 3000
        assert statistics["saturating_activations"] == 1000
        assert statistics["q_min_batch"] == 0.05

    def test_what_is_silenced_is_counted_in_every_mode(self) -> None:
        apply = tr_vmap(lambda x: zp.tr_sqrt(x))
        apply.value_and_grad([0.0, 1.0, -1.0])
        statistics = HybridGradientContext.get_statistics()
        assert (statistics["masked_nodes"], statistics["dropped_contributions"]) == (1, 1)


class TestNumberOfThreads:
    @staticmethod
    def in_a_fresh_process(setting: str, statement: str = "") -> str:
        """What ``get_num_threads`` returns or raises there."""
        program = f"""
import zeroproof
try:
    {statement or "pass"}
    print(zeroproof.get_num_threads())
except ValueError as error:
    print(error)
"""
        environment = {**os.environ, "ZEROPROOF_NUM_THREADS": setting}
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def test_the_default_is_what_the_process_may_use(self) -> None:
        threads = int(self.in_a_fresh_process(""))
        assert 1 <= threads <= (os.cpu_count() or 1)

    @pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs affinity")
    def test_affinity_counts(self) -> None:
        one = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})"
        assert self.in_a_fresh_process("", one) == "1"

    def test_the_environment_variable(self) -> None:
        assert self.in_a_fresh_process("3") == "3"
        assert self.in_a_fresh_process("3", "zeroproof.set_num_threads(2)") == "2"

    @pytest.mark.parametrize(
        "huge", [1024, 1025, 2**31, 2**70, 10**5000], ids=lambda n: n.bit_length()
    )
    def test_more_than_1024_count_as_1024(self, huge: int) -> None:
        x = np.ones(20_000)
        zp.set_num_threads(huge)
        assert zp.get_num_threads() == 1024
        assert (tr_vmap(zp.tr_square)(x).to_ieee() == 1.0).all()

    @pytest.mark.parametrize("huge", ["1025", str(2**64), "9" * 5000, "0" * 5000 + "1025"], ids=len)
    def test_a_huge_variable_counts_as_1024(self, huge: str) -> None:
        call = "zeroproof.tr_vmap(zeroproof.tr_square)([2.0])"
        assert self.in_a_fresh_process(huge, call) == "1024"

    @pytest.mark.parametrize("bad", ["0", "²", *slow("-1", "two", "1.5", " 2", "00")])
    def test_a_bad_variable_is_named_at_the_first_use(self, bad: str) -> None:
        message = self.in_a_fresh_process(bad)
        assert "ZEROPROOF_NUM_THREADS must be an int from 1 up" in message
        assert repr(bad) in message
        assert self.in_a_fresh_process(bad, "zeroproof.set_num_threads(2)") == "2"

    @pytest.mark.parametrize("bad", [0, -3])
    def test_bad_numbers(self, bad: int) -> None:
        with pytest.raises(ValueError, match="at least 1"):
            zp.set_num_threads(bad)

    @pytest.mark.parametrize("bad", [1.0, "2", None])
    def test_what_is_no_number(self, bad: Any) -> None:
        with pytest.raises(TypeError):
            zp.set_num_threads(bad)
