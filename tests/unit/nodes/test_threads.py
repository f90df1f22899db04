"""Eight threads at once: each in its mode, with nodes of its own and with nodes of the others."""

from __future__ import annotations

import queue
import random
import threading
from typing import Any

from support.running import run_all
from support.values import bits
from zeroproof import _native
from zeroproof.autodiff.grad_mode import GradientMode, GradientModeConfig, gradient_mode
from zeroproof.autodiff.hybrid_gradient import HybridGradientContext
from zeroproof.autodiff.tr_node import TRNode
from zeroproof.autodiff.tr_ops_grad import tr_exp, tr_log, tr_sin, tr_sqrt, tr_tanh

THREADS = 8

#: A mode with its bound and threshold for each thread.
SETTINGS: list[tuple[GradientMode, float, Any]] = [
    (GradientMode.MASK_REAL, 1.0, None),
    (GradientMode.SATURATING, 1.0, None),
    (GradientMode.SATURATING, 0.1, None),
    (GradientMode.HYBRID, 1.0, None),
    (GradientMode.HYBRID, 1.0, 1e-3),
    (GradientMode.HYBRID, 0.1, 0.5),
    (GradientMode.MASK_REAL, 2.0, 0.5),
    (GradientMode.HYBRID, 1.0, 1e9),
]


def workload(number: int) -> list[Any]:
    """Gradients, statuses and statistics of a fixed series of graphs in this thread's mode."""
    mode, bound, delta = SETTINGS[number]
    series = random.Random(number)
    found: list[Any] = []
    with gradient_mode(mode, bound):
        HybridGradientContext.reset()
        GradientModeConfig.set_local_threshold(delta)
        for _ in range(300):
            q = series.choice([0.0, -0.0, 1e-6, -1e-4, 0.3, 2.0, -5.0, float("inf")])
            x, w = TRNode.parameter(q), TRNode.parameter(series.uniform(-2.0, 2.0))
            y = w / x + tr_sqrt(x) * tr_log(w) + tr_sin(w) * tr_tanh(x) + x**-2 + tr_exp(w)
            z = w / x * tr_tanh(w / x)
            y.backward()
            z.backward()
            for leaf in (x, w):
                assert leaf.gradient is not None
                found.append((bits(leaf.gradient), leaf.gradient_status))
        stats = HybridGradientContext.get_statistics()
        found.append({key: bits(v) if isinstance(v, float) else v for key, v in stats.items()})
    return found


def test_eight_modes_at_once_get_what_each_gets_alone() -> None:
    alone = [workload(number) for number in range(THREADS)]
    together: list[Any] = [None] * THREADS

    def work(number: int) -> None:
        together[number] = workload(number)

    run_all(work, THREADS)
    for number in range(THREADS):
        assert together[number] == alone[number], SETTINGS[number]
    assert len({str(result) for result in alone}) > 4  # the settings do differ


def test_nodes_made_in_one_thread_are_used_and_dropped_in_others() -> None:
    before = _native.arena_usage()[0]
    mailboxes: list[queue.Queue[TRNode]] = [queue.Queue() for _ in range(THREADS)]
    rounds = 300

    def work(number: int) -> None:
        following = mailboxes[(number + 1) % THREADS]
        for k in range(rounds):
            x = TRNode.parameter(2.0 + number)
            following.put(x * float(k) + 1.0)
            received = mailboxes[number].get(timeout=30)
            y = received * received
            y.backward()
            # The graph below belongs to the thread before; its value tells which round it is.
            sender = (number - 1) % THREADS
            value = (2.0 + sender) * k + 1.0
            assert received.value == value
            assert received.gradient == 2.0 * value
            [leaf] = [n for n in received.inputs[0].inputs if n.requires_grad]
            assert leaf.gradient == 2.0 * value * k

    run_all(work, THREADS)
    assert all(box.empty() for box in mailboxes)
    assert _native.arena_usage()[0] == before


def test_one_parameter_for_all_threads() -> None:
    shared = TRNode.parameter(1.0)
    shared.zero_grad()

    def work(number: int) -> None:
        for _ in range(500):
            (shared * float(number)).backward()

    run_all(work, THREADS)
    assert shared.gradient == 500.0 * sum(range(THREADS))


def test_graphs_of_a_finished_thread_live_on() -> None:
    made: list[TRNode] = []
    lock = threading.Lock()

    def work(number: int) -> None:
        x = TRNode.parameter(float(number))
        with lock:
            made.append(x * x)

    run_all(work, THREADS)
    total = sum(made, start=TRNode.constant(0.0))
    total.backward()
    assert total.value == sum(k * k for k in range(THREADS))
    assert sorted(float(y.inputs[0].gradient or 0) for y in made) == [2.0 * k for k in range(8)]
