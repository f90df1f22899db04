"""Python code that comes back: hooks, signal handlers and finalizers that use the engine while it
works. Each program runs in a process of its own, and one that waits for itself runs out of time."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from support.slowdown import SLOWDOWN

SECONDS = 60.0 * SLOWDOWN

PREAMBLE = """
import asyncio, gc, os, signal, sys, threading
import numpy as np
from zeroproof import (
    GradientMode, HybridGradientContext, TRNode, gradient_mode, gradient_tape, tr_vmap, tr_where,
    watch_singularities, tr_less,
)

zero, one = TRNode.parameter(0.0), TRNode.parameter(1.0)
seen, kept, origins = 0, [], []

def use(block=True):
    '''Records values that are not REAL, and differentiates.'''
    global seen
    seen += 1
    y = 1.0 / zero + float("inf") * one
    kept[:] = [*kept[-30:], y, y.detach(), TRNode.constant(float("inf"))]
    (one / (y + one)).backward()
    HybridGradientContext.get_statistics()
    if block:
        with gradient_mode(GradientMode.HYBRID):
            (one / y).backward()

def work():
    '''What meets cells, locks and origins.'''
    for _ in range(20):
        a = 1.0 / zero
        b = TRNode.parameter(float("nan"))
        c = float("inf") / zero
        d = c.detach()
        origins.extend([a, b, d])
        with gradient_mode(GradientMode.HYBRID):
            (one / (one + a)).backward()
        HybridGradientContext.get_statistics()
    f = tr_vmap(lambda x: tr_where(tr_less(x, 1.0), 1.0 / x, x * x))
    f.value_and_grad(np.linspace(0.0, 2.0, 9000), reduce="sum")
    with watch_singularities() as log:
        f(np.zeros(3))
        1.0 / zero
    str(log)
def check():
    '''Every origin is told with its own line.'''
    for nodes, function, lines in (kept, use, (4, 4, 5)), (origins, work, (3, 4, 5)):
        assert nodes
        for number, node in enumerate(nodes):
            line = function.__code__.co_firstlineno + lines[number % 3]
            told = str(node.explain()).splitlines()[0]
            assert f" at <string>:{line}" in told, (number, told)

async def task():
    work()
    await asyncio.sleep(0)
    work()
"""

HOOK = """
busy = False

def hook(frame, event, argument):
    global busy
    if not busy:
        busy = True
        use()
        busy = False

sys.setprofile(hook)
threading.setprofile(hook)
try:
    RUN
finally:
    sys.setprofile(None)
"""

# Comes back first from what fills cells at their first use.
FIRST = """
def hook(frame, event, argument):
    if event == "call" and frame.f_globals.get("__name__") in ("posixpath", "ntpath", "weakref"):
        use()

seen += 100
sys.setprofile(hook)
try:
    RUN
finally:
    sys.setprofile(None)
use()
"""

TRACE = """
def trace(frame, event, argument):
    use()
    return trace

sys.settrace(trace)
try:
    RUN
finally:
    sys.settrace(None)
"""

FINALIZERS = """
class Cycle:
    def __init__(self):
        self.own = self
        self.node = 1.0 / one

    def __del__(self):
        # Up to 3.11 CPython itself crashes when a finalizer sets a context variable, as blocks do,
        # while a context is being copied.
        use(block=False)

def litter(phase, info):
    if phase == "start":
        return
    Cycle()

gc.callbacks.append(litter)
Cycle()
gc.set_threshold(1)
try:
    RUN
finally:
    gc.set_threshold(700)
    gc.callbacks.clear()
"""

HANDLER = """
def handler(number, frame):
    use()

signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
try:
    for _ in range(20):
        RUN
finally:
    signal.setitimer(signal.ITIMER_REAL, 0.0)
"""

INTERRUPTIONS = {
    "profile": HOOK,
    "first": FIRST,
    "trace": TRACE,
    "finalizers": FINALIZERS,
    "handler": HANDLER,
}
RUNS = {"work": "work()", "task": "asyncio.run(task())"}


def run(program: str) -> None:
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) > 0


@pytest.mark.parametrize("what", RUNS)
@pytest.mark.parametrize("interruption", INTERRUPTIONS)
def test_who_comes_back_waits_for_nobody(interruption: str, what: str) -> None:
    if interruption == "handler" and not hasattr(signal, "setitimer"):
        pytest.skip("no timers on this system")
    run(
        PREAMBLE
        + INTERRUPTIONS[interruption].replace("RUN", RUNS[what])
        + "\ncheck()\nprint(seen)\n"
    )


BATCHES = """
import sys
import numpy as np
from zeroproof import tr_vmap
from zeroproof.autodiff import batched

calls = 0
f = tr_vmap(lambda x: x.sum() if isinstance(x, np.ndarray) else x)
busy = False

def hook(frame, event, argument):
    global busy, calls
    if not busy and "batched.py" in frame.f_code.co_filename:
        busy, calls = True, calls + 1
        f(np.ones((2, 1 + calls % 200)))
        busy = False

sys.setprofile(hook)
for length in range(1, 150):
    f(np.ones((2, length)))
sys.setprofile(None)
assert 1 <= len(f._programs) <= batched.PROGRAMS
print(calls)
"""


def test_a_batched_function_that_is_called_while_it_traces() -> None:
    run(BATCHES)
