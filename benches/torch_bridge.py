"""What ``zeroproof.torch`` costs beside the engine called directly: per call and per sample.

    python benches/torch_bridge.py

Times are the best of several runs, in microseconds per call at 1 sample, and in nanoseconds per
sample at 10⁵; the function has a pole and a logarithm, and no sample lies on a pole.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from zeroproof import torch as zeroproof_torch
from zeroproof import tr_log, tr_vmap

SAMPLES = 100_000


def ratio(x: Any, w: Any) -> Any:
    """A pole at 1 and a logarithm."""
    return w[0] * x / (x - 1.0) + tr_log(x) * w[1]


def best(work: Callable[[], Any], runs: int) -> float:
    """The shortest time of some runs, in seconds; the first one traces."""
    work()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def cases(x: np.ndarray, w: np.ndarray) -> dict[str, Callable[[], Any]]:
    """The calls to compare."""
    batched = tr_vmap(ratio, (0, None))
    found: dict[str, Callable[[], Any]] = {
        "values, engine": lambda: batched(x, w),
        "gradients, engine": lambda: batched.value_and_grad(
            x, w, argnums=(0, 1), reduce="sum", with_status=True
        ),
    }
    inputs = torch.from_numpy(x).requires_grad_(), torch.from_numpy(w).requires_grad_()
    for where in ("host", "replay"):
        function = zeroproof_torch.function(ratio, (0, None), nan_policy="fill", device=where)

        def values(function: Any = function) -> Any:
            with torch.no_grad():
                return function(*inputs)

        def gradients(function: Any = function) -> Any:
            return torch.autograd.grad(function(*inputs).sum(), inputs)

        found[f"values, {where}"] = values
        found[f"gradients, {where}"] = gradients
    return found


def main() -> None:
    """Prints the table."""
    random = np.random.default_rng(0)
    w = np.array([2.0, 3.0])
    one = cases(random.uniform(2.0, 3.0, 1), w)
    many = cases(random.uniform(2.0, 3.0, SAMPLES), w)
    print(f"{'':20} {'per call (µs)':>14} {'per sample (ns)':>16}")
    for name in sorted(one):
        call, batch = best(one[name], 200), best(many[name], 3)
        print(f"{name:20} {call * 1e6:14.1f} {batch / SAMPLES * 1e9:16.2f}")


if __name__ == "__main__":
    main()
