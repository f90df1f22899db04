"""Scalar throughput of one thread and of several, each with nodes of its own.

On a free-threaded interpreter they work in parallel; with a GIL they take turns. The last line is
of threads that all use one parameter, whose nodes are in one arena: their operations take turns.

    python benches/threads.py [threads] [rounds]
"""

from __future__ import annotations

import statistics
import sys
import threading
from time import perf_counter
from typing import Callable, Optional

from zeroproof.autodiff.tr_node import TRNode
from zeroproof.autodiff.tr_ops_grad import tr_sin

STEPS = 4000
#: Operations of a step, backward passes not counted: two leaves, ten ops.
OPERATIONS = 12


def train(shared: Optional[TRNode]) -> None:
    """A loop of small graphs, each recorded, differentiated and dropped."""
    w = TRNode.parameter(0.5) if shared is None else shared
    for k in range(STEPS):
        x = TRNode.input(0.001 * k)
        y = w * x + 1.0
        z = tr_sin(y) / (y * y + 2.0) - w * 0.25
        (z * z + y).backward()


def rate(threads: int, work: Callable[[], None]) -> float:
    """Operations a second of so many threads at once."""
    start = threading.Barrier(threads + 1)

    def run() -> None:
        start.wait()
        work()

    running = [threading.Thread(target=run) for _ in range(threads)]
    for thread in running:
        thread.start()
    start.wait()
    began = perf_counter()
    for thread in running:
        thread.join()
    return threads * STEPS * OPERATIONS / (perf_counter() - began)


def main() -> None:
    threads = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 15
    shared = TRNode.parameter(0.5)
    ways: dict[str, Callable[[], float]] = {
        "1 thread": lambda: rate(1, lambda: train(None)),
        f"{threads} threads, nodes of their own": lambda: rate(threads, lambda: train(None)),
        f"{threads} threads, one parameter": lambda: rate(threads, lambda: train(shared)),
    }
    found: dict[str, list[float]] = {way: [] for way in ways}
    for measure in ways.values():
        measure()
    for _ in range(rounds):
        for way, measure in ways.items():
            found[way].append(measure())
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    print(f"Python {sys.version.split()[0]}, GIL {'on' if gil else 'off'}, {rounds} rounds")
    one = found["1 thread"]
    for way, rates in found.items():
        ratios = [rate / single for rate, single in zip(rates, one)]
        print(
            f"  {way:<34}{statistics.median(rates) / 1e6:7.2f} million operations a second"
            f"{statistics.median(ratios):7.2f}x median{max(ratios):7.2f}x best"
        )


if __name__ == "__main__":
    main()
