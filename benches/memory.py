"""Memory and deep graphs: bytes and time a node of a long chain, and training loops in flat memory.

python benches/memory.py [--nodes 2000000] [--steps 1000000]
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
from time import perf_counter
from typing import Callable

from machine import processor

import zeroproof
from zeroproof._native import arena_usage
from zeroproof.autodiff import TRNode
from zeroproof.autodiff.tr_ops_grad import tr_div, tr_mul


def resident_bytes() -> int:
    """The resident memory of this process now (Linux), or 0 where /proc does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def chain(nodes: int) -> None:
    """One chain of so many nodes, from its first node to its last byte."""
    gc.collect()
    before = resident_bytes()
    x, c = TRNode.parameter(1.0), TRNode.constant(1.0)
    start = perf_counter()
    y = x
    for _ in range(nodes):
        y = tr_mul(y, c)
    recorded = perf_counter()
    resident_recorded = resident_bytes()
    y.backward()
    swept = perf_counter()
    resident_swept = resident_bytes()
    live, occupied = arena_usage()
    dropping = perf_counter()
    del y
    dropped = perf_counter()
    print(f"a chain of {nodes:,} nodes")
    for what, seconds in (
        ("record", recorded - start),
        ("backward", swept - recorded),
        ("drop", dropped - dropping),
    ):
        print(f"  {what:<9}{seconds * 1e3:10.1f} ms {seconds / nodes * 1e9:8.1f} ns a node")
    print(f"  arena    {occupied / live:10.1f} bytes a node ({live:,} live)")
    recorded_rss, swept_rss = ((r - before) / nodes for r in (resident_recorded, resident_swept))
    print(f"  resident {recorded_rss:10.1f} bytes a node recorded, {swept_rss:.1f} differentiated")


def loops() -> dict[str, Callable[[int], None]]:
    """One step of each training loop, by the life of its parameters."""
    one, kept = TRNode.constant(1.0), TRNode.parameter(0.5)
    before = [TRNode.parameter(1.0)]

    def new(step: int) -> None:
        x = TRNode.parameter(step + 1.0)
        tr_div(one, x).backward()

    def forever(step: int) -> None:
        tr_div(TRNode.parameter(step + 1.0), kept).backward()
        kept.zero_grad()

    def alternating(step: int) -> None:
        x = TRNode.parameter(step + 1.0)
        tr_div(x, before[0]).backward()
        if step % 2:
            before[0] = x

    return {"new each step": new, "one kept for ever": forever, "alternating": alternating}


def train(name: str, step: Callable[[int], None], steps: int) -> None:
    """Runs the loop and shows its memory at ten moments."""
    gc.collect()
    shown = []
    start = perf_counter()
    for part in range(10):
        for k in range(part * steps // 10, (part + 1) * steps // 10):
            step(k)
        shown.append(resident_bytes() / 2**20)
    seconds = perf_counter() - start
    live, occupied = arena_usage()
    print(f"{steps:,} steps, parameters {name}: {seconds / steps * 1e9:.0f} ns a step")
    print("  resident MiB " + " ".join(f"{mib:.2f}" for mib in shown))
    print(f"  arena        {live:,} live nodes, {occupied:,} bytes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=2_000_000, help="length of the chain")
    parser.add_argument("--steps", type=int, default=1_000_000, help="steps of each training loop")
    arguments = parser.parse_args()
    print(f"zeroproof {zeroproof.__version__}, Python {platform.python_version()}, {processor()}")
    for name, step in loops().items():
        train(name, step, arguments.steps)
    chain(arguments.nodes)


if __name__ == "__main__":
    main()
