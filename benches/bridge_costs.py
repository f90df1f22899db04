"""What the benchmarks of bridges share: the function, the engine called directly, and the table."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from zeroproof import tr_log, tr_vmap

Cases = dict[str, Callable[[], Any]]


def ratio(x: Any, w: Any) -> Any:
    """A pole at 1 and a logarithm."""
    return w[0] * x / (x - 1.0) + tr_log(x) * w[1]


def of_engine(x: np.ndarray, w: np.ndarray) -> Cases:
    """The engine called directly."""
    batched = tr_vmap(ratio, (0, None))
    return {
        "values, engine": lambda: batched(x, w),
        "gradients, engine": lambda: batched.value_and_grad(
            x, w, argnums=(0, 1), reduce="sum", with_status=True
        ),
    }


def best(work: Callable[[], Any], runs: int) -> float:
    """The shortest time of some runs, in seconds; the first one traces and compiles."""
    work()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def print_table(
    cases: Callable[[np.ndarray, np.ndarray], Cases], samples: int, runs: tuple[int, int]
) -> None:
    """The times of all cases at one sample and at many, with so many runs of each."""
    random = np.random.default_rng(0)
    w = np.array([2.0, 3.0])
    one = cases(random.uniform(2.0, 3.0, 1), w)
    many = cases(random.uniform(2.0, 3.0, samples), w)
    print(f"{'':20} {'per call (µs)':>14} {'per sample (ns)':>16}")
    for name in sorted(one):
        call, batch = best(one[name], runs[0]), best(many[name], runs[1])
        print(f"{name:20} {call * 1e6:14.1f} {batch / samples * 1e9:16.2f}")
