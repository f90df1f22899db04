"""Deep chains, flat memory over long loops, and a backward pass that costs what it reaches.

The unit of memory is the arena's node count after reclaiming, which no allocator blurs.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from zeroproof import _native
from zeroproof.autodiff.backward import topological_sort
from zeroproof.autodiff.grad_mode import GradientMode, gradient_mode
from zeroproof.autodiff.gradient_tape import gradient_tape
from zeroproof.autodiff.tr_node import TRNode
from zeroproof.autodiff.tr_ops_grad import tr_sin, tr_sum

DEPTH = 200_000
STEPS = 100_000


@pytest.fixture(autouse=True)
def collect_garbage() -> None:
    """Frees nodes that other tests left in cycles, so that none vanishes while one counts."""
    gc.collect()


def nodes() -> int:
    """How many nodes are alive."""
    return _native.arena_usage()[0]


def allocated() -> int:
    """How many bytes the arena occupies."""
    return _native.arena_usage()[1]


def chain(depth: int) -> tuple[TRNode, TRNode]:
    x = TRNode.parameter(1.0)
    y = x
    for _ in range(depth):
        y = y + x
    return x, y


def record_differentiate_drop(depth: int) -> None:
    before = nodes()
    x, y = chain(depth)
    assert nodes() == before + depth + 1
    y.backward()
    assert x.gradient == depth + 1.0
    assert gradient_tape().gradient(y, x) == depth + 1.0
    assert len(topological_sort(y)) == depth + 1
    del y
    assert nodes() == before + 1
    del x
    assert nodes() == before


def test_a_deep_chain() -> None:
    record_differentiate_drop(DEPTH)


def test_a_deep_chain_on_a_small_stack() -> None:
    failed: list[BaseException] = []

    def work() -> None:
        try:
            record_differentiate_drop(DEPTH)
        except BaseException as error:
            failed.append(error)

    before = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=work)
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()
    assert failed == []


def test_a_node_takes_less_than_64_bytes() -> None:
    before = nodes()
    x, y = chain(DEPTH)
    y.backward()
    count, size = _native.arena_usage()
    assert count - before == DEPTH + 1
    # The arena keeps room for as many rows again, and has columns for the adjoints.
    assert size / count < 2 * 64
    del x, y


def test_every_shape_of_graph_is_reclaimed() -> None:
    before = nodes()
    x = TRNode.parameter(0.5)
    wide = tr_sum([tr_sin(x) for _ in range(1000)])
    ladder = x
    for _ in range(1000):
        ladder = ladder * ladder - ladder
    kept = ladder.inputs[0]
    wide.backward()
    ladder.backward()
    assert nodes() == before + 1 + 1001 + 2000
    del wide
    assert nodes() == before + 1 + 2000
    del ladder
    assert nodes() == before + 1 + 1999
    del kept, x
    assert nodes() == before


def new_parameters(step: int, kept: TRNode) -> Any:
    x = TRNode.parameter(0.5 + step)
    y = 1.0 / x
    y.backward()
    return x


def kept_parameter(step: int, kept: TRNode) -> Any:
    (1.0 / (kept + float(step))).backward()
    kept.zero_grad()


def alternating(step: int, kept: TRNode) -> Any:
    x = kept if step % 2 else TRNode.parameter(2.0)
    y = x * kept
    y.backward()
    return y


@pytest.mark.parametrize("step", [new_parameters, kept_parameter, alternating])
def test_training_loops_run_in_flat_memory(step: Callable[[int, TRNode], Any]) -> None:
    before = nodes()
    kept = TRNode.parameter(1.5)
    alive: Any = None
    sizes = []
    for k in range(STEPS):
        alive = step(k, kept)
        if k in (100, 1_000, 10_000, STEPS - 1):
            sizes.append((nodes() - before, allocated()))
    assert all(count <= 6 for count, _ in sizes), sizes
    assert sizes[-1][1] <= sizes[1][1] + 2**16, sizes
    del alive, kept
    assert nodes() == before


def fastest(work: Callable[[], None], repeats: int = 7, calls: int = 200) -> float:
    """Seconds a call in the fastest of several rounds."""

    def once() -> float:
        start = time.perf_counter()
        for _ in range(calls):
            work()
        return (time.perf_counter() - start) / calls

    return min(once() for _ in range(repeats))


def test_memory_of_a_burst_is_given_back() -> None:
    x, y = chain(500_000)
    y.backward()
    peak = allocated()
    del x, y
    for _ in range(30):
        nodes()
    assert allocated() < peak / 3


BURST = """
import sys, time
from zeroproof import _native
from zeroproof.autodiff.tr_node import TRNode

def fastest():
    times = []
    newest = kept = TRNode.parameter(1.5)
    for _ in range(7):
        start = time.perf_counter()
        for _ in range(5000):
            newest = kept * 2.0  # the newest has a handle, so rows are reclaimed by collecting
        times.append(time.perf_counter() - start)
    return min(times)

before = fastest()
burst = [TRNode.constant(1.0) for _ in range(1_000_000)]
peak = _native.arena_usage()[1]
del burst
for _ in range(30):
    _native.arena_usage()
print(_native.arena_usage()[1] / peak, fastest() / before)
"""


def test_a_burst_of_handles_leaves_nothing_behind() -> None:
    # In an interpreter of its own, since other tests have had their bursts in this one.
    done = subprocess.run([sys.executable, "-c", BURST], capture_output=True, text=True, check=True)
    memory, slowdown = map(float, done.stdout.split())
    assert memory < 1 / 3
    assert slowdown < 4


def test_a_running_average_of_constants_holds_no_history() -> None:
    before = nodes()
    average = TRNode.constant(0.0)
    for k in range(10_000):
        average = average * 0.9 + float(k)
    assert nodes() == before + 1


def small_pass(leaf: TRNode) -> Callable[[], None]:
    def work() -> None:
        (1.0 / leaf).backward()

    return work


@pytest.mark.parametrize("mode", list(GradientMode))
def test_a_small_backward_beside_a_million_nodes(mode: GradientMode) -> None:
    parameter, coordinate = TRNode.parameter(0.5), TRNode.input(0.5)
    by_parameter, by_coordinate = small_pass(parameter), small_pass(coordinate)

    def by_turns() -> None:
        by_parameter()
        by_coordinate()

    def by_tape() -> None:
        gradient_tape().gradient(1.0 / parameter, parameter)

    works = [by_parameter, by_coordinate, by_turns, by_tape]
    with gradient_mode(mode):
        alone = [fastest(work) for work in works]
        x, y = chain(1_000_000)
        y.backward()
        gradient_tape().gradient(y, x)
        for work, before in zip(works, alone):
            work()
            # Milliseconds if it looked at the million, microseconds for what it reaches.
            assert fastest(work) < 10 * before + 5e-6, work.__name__
