"""A long run: scalar steps and batched calls, while the memory of the process stays as it is.

    python tests/soak.py                    # 10⁸ steps and 10⁶ calls: a quarter of an hour
    python tests/soak.py --steps 1e6 --calls 1e4

A step records an operation; every hundredth differentiates what the last hundred recorded. Among
them are poles, modes, tapes, functions of second order, assignments and logs; among the calls are
shapes that come back and shapes that are new. The memory is that of the process, looked at a
hundred times. The run fails if it grows after the first tenth.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import zeroproof as zp
from zeroproof import HybridGradientContext, TRNode, tr_sin, tr_vmap

LOOKS = 100
#: What the allocator may keep beyond the largest size of the first tenth.
SLACK = 4 << 20


def resident() -> int:
    """The bytes of the process that are in memory."""
    import resource

    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def scalar_steps() -> Iterator[None]:
    """Each step records one operation."""
    w, pole = TRNode.parameter(0.5, name="w"), TRNode.parameter(0.0)
    modes = itertools.cycle(zp.GradientMode)
    schedule = zp.HybridGradientSchedule(warmup_epochs=0, transition_epochs=1000)
    for number in itertools.count():
        y = w
        for k in range(98):
            y = y + w if k % 3 else y * 0.5
            yield
        z = tr_sin(y) / (pole + 0.25 * (number % 2))
        yield
        with zp.gradient_mode(next(modes)):
            z.backward()
        w.zero_grad()
        pole.zero_grad()
        w.value = 0.25 + 1e-3 * (number % 100)
        occasional(number, w, z, schedule)
        yield


def occasional(number: int, w: TRNode, z: TRNode, schedule: zp.HybridGradientSchedule) -> None:
    """What costs more, now and then."""
    if number % 50 == 0:
        with zp.gradient_tape() as tape:
            y = w / (w - 0.25)
        tape.gradient(y, w)
    if number % 100 == 1:
        zp.tr_hvp(lambda v: v[0] / v[1], [0.5, 2.0 + 1e-6 * number], [1.0, 0.0])
        str(z.explain())
    if number % 100 == 2:
        with schedule.apply(number // 100 % 1200):
            (1.0 / (TRNode.input(1e-3 * (number % 1000)) + w)).backward()
        HybridGradientContext.end_batch_policy_update()
    if number % 100 == 3:
        with zp.watch_singularities(limit=10) as log:
            1.0 / TRNode.parameter(0.0)
        str(log)


def batched_calls() -> Iterator[None]:
    """Each step is one call."""
    functions: list[Callable[..., Any]] = [
        tr_vmap(lambda x: 1.0 / x),
        tr_vmap(lambda x: zp.tr_where(zp.tr_less(x, 0.0), zp.tr_log(x), x**-2)),
        tr_vmap(lambda x: zp.tr_softmax([x, 1.0 / x, 0.0])[0]),
    ]
    batches = [np.linspace(-1.0, 1.0, 2 * k + 1) for k in (0, 3, 20, 64)]
    large = np.linspace(-1.0, 1.0, 20_001)
    for number in itertools.count():
        function, batch = functions[number % 3], batches[number % 4]
        if number % 7 == 0:
            function.jacobian(batch, with_status=True)
        elif number % 7 == 1:
            function.value_and_grad(batch, reduce="mean")
        elif number % 7 == 2:
            function.hvp((batch,), batch)
        elif number % 1000 == 3:
            function.value_and_grad(large, reduce="sum")
        elif number % 100 == 4:
            # A function and a shape of its own, traced and compiled anew.
            tr_vmap(lambda v, n=number: v[0] / v[-1] + n)(np.ones((2, 2 + number % 50)))
        else:
            function(batch)
        yield


def run(name: str, steps: Iterator[None], count: int) -> bool:
    """Whether memory stayed as it was."""
    begun, sizes = time.monotonic(), []
    for look in range(LOOKS):
        for _ in range(count * (look + 1) // LOOKS - count * look // LOOKS):
            next(steps)
        sizes.append(resident())
    first, last = max(sizes[: LOOKS // 10]), max(sizes[LOOKS // 10 :])
    is_flat = last <= first + SLACK
    print(
        f"{name}: {count:,} in {time.monotonic() - begun:.0f} s; resident at most "
        f"{first / 2**20:.1f} MiB in the first tenth, {last / 2**20:.1f} MiB after it, "
        f"{sizes[-1] / 2**20:.1f} MiB at the end: {'flat' if is_flat else 'it grows'}",
        flush=True,
    )
    return is_flat


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=float, default=1e8, help="scalar steps, 1e8 by default")
    parser.add_argument("--calls", type=float, default=1e6, help="batched calls, 1e6 by default")
    given = parser.parse_args()
    if not Path("/proc/self/statm").exists():
        parser.error("the memory of a process is read from /proc, which this system does not have")
    flat = [
        run("scalar steps", scalar_steps(), int(given.steps)),
        run("batched calls", batched_calls(), int(given.calls)),
    ]
    return 0 if all(flat) else 1


if __name__ == "__main__":
    sys.exit(main())
