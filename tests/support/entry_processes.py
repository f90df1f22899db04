"""Runs every entry of ``public_entries`` in a process of its own, under a condition.

    python -m support.entry_processes profile finalizers handler memory

Each process is a fork that has used nothing of the engine yet. What an entry leaves in ``result``
is compared with what it does in a process where nothing else happens. Prints, as JSON, by condition
how many processes ran, how often something came back or was refused, and what failed.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import resource
import select
import signal
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Optional

import numpy as np

import zeroproof as zp
from support.public_entries import distinct, public_names
from support.slowdown import SLOWDOWN
from zeroproof import HybridGradientContext, TRNode, gradient_mode

#: An entry that takes longer waits for itself.
SECONDS = 60.0 * SLOWDOWN
#: Mebibytes beyond what the process has: from nothing at all to enough for most.
ROOM = (0, 1, 2, 4, 8, 16, 32, 64)
#: They start a thread of Python's, and CPython waits for ever for one without memory to begin; or
#: they draw with matplotlib, which has errors of its own.
NOT_IN_LITTLE = {"check_gradient", "modes"}
UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


class Visitor:
    """Code that comes back: it records values that are not REAL, and differentiates."""

    def __init__(self) -> None:
        self.seen = 0
        self.zero, self.one = TRNode.parameter(0.0), TRNode.parameter(1.0)
        self.kept: list[TRNode] = []
        self.busy = False

    def use(self, block: bool = True) -> None:
        if self.busy:
            return
        self.busy = True
        self.seen += 1
        y = 1.0 / self.zero + float("inf") * self.one
        self.kept[:] = [*self.kept[-30:], y, y.detach(), TRNode.constant(float("inf"))]
        HybridGradientContext.get_statistics()
        # Refused while a function is being differentiated.
        with suppress(NotImplementedError):
            (self.one / (y + self.one)).backward()
            if block:
                with gradient_mode(zp.GradientMode.HYBRID):
                    (self.one / y).backward()
        self.busy = False

    def now_and_then(self, block: bool = True) -> None:
        """Comes back at each of the first events, then at one of many: there are thousands."""
        self.events = getattr(self, "events", 0) + 1
        if self.events < 150 or self.events % 211 == 0:
            self.use(block)


@contextmanager
def profiled(visitor: Visitor) -> Iterator[None]:
    def hook(frame: Any, event: str, argument: Any) -> None:
        visitor.now_and_then()

    sys.setprofile(hook)
    threading.setprofile(hook)
    try:
        yield
    finally:
        sys.setprofile(None)


@contextmanager
def finalized(visitor: Visitor) -> Iterator[None]:
    class Cycle:
        def __init__(self) -> None:
            self.own = self
            self.node = 1.0 / visitor.one

        def __del__(self) -> None:
            # Up to 3.11 CPython itself crashes when a finalizer sets a context variable, as blocks
            # do, while a context is being copied.
            visitor.now_and_then(block=False)

    def litter(phase: str, info: Any) -> None:
        if phase == "stop":
            Cycle()

    gc.callbacks.append(litter)
    Cycle()
    gc.set_threshold(1)
    try:
        yield
    finally:
        gc.set_threshold(700)
        gc.callbacks.clear()


@contextmanager
def signalled(visitor: Visitor) -> Iterator[None]:
    signal.signal(signal.SIGALRM, lambda number, frame: visitor.use())
    signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
    try:
        yield
        while not visitor.seen:
            time.sleep(0.0002)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)


CONDITIONS: dict[str, Callable[[Visitor], Any]] = {
    "profile": profiled,
    "finalizers": finalized,
    "handler": signalled,
}


def told(value: Any) -> Any:
    """What a result says, as text; numbers to the bit."""
    if isinstance(value, (list, tuple)):
        return [told(each) for each in value]
    if isinstance(value, dict):
        return {str(key): told(each) for key, each in value.items()}
    if isinstance(value, np.ndarray) and value.dtype != object:
        return [str(value.dtype), value.shape, value.tobytes().hex()]
    if isinstance(value, np.ndarray):
        return told(value.tolist())
    return repr(value)


def namespace(folder: str) -> dict[str, Any]:
    nodes = {"x": TRNode.parameter(0.5), "q": TRNode.parameter(0.0)}
    return {**public_names(), "np": np, "X": np.linspace(-1, 1, 7), "folder": folder, **nodes}


def work_under(text: str, condition: str, folder: str) -> dict[str, Any]:
    """Runs an entry under a condition, and once more after it."""
    names, visitor = namespace(folder), Visitor()
    code = compile(text, "<entry>", "exec")
    if condition in CONDITIONS:
        with CONDITIONS[condition](visitor):
            exec(code, names)
        visitor.use()
    else:
        exec(code, names)
    return {"told": told(names.get("result")), "seen": visitor.seen}


def used() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def work_in_little(text: str, room: int, folder: str) -> dict[str, Any]:
    """Runs an entry with so little memory to spare; whatever comes of it, the engine works on."""
    names, code = namespace(folder), compile(text, "<entry>", "exec")
    # Big enough that no allocator has it left from before.
    names["X"] = np.linspace(-1.0, 1.0, 200_001)
    threads, refused = zp.get_num_threads(), 0
    resource.setrlimit(resource.RLIMIT_AS, (used() + (room << 20), resource.RLIM_INFINITY))
    try:
        exec(code, names)
    except (MemoryError, RuntimeError, OSError, ImportError, ValueError) as error:
        # An import or a thread that cannot be made is a refusal of Python's or the system's own.
        refused = 1
        text = f"{type(error).__name__}: {error}"
        own = isinstance(error, MemoryError) or "memory" in text or "thread" in text
        if not own and not isinstance(error, (OSError, ImportError)):
            raise
    resource.setrlimit(resource.RLIMIT_AS, UNLIMITED)
    zp.set_num_threads(threads)
    x = TRNode.parameter(3.0)
    (x * x + 1.0 / x).backward()
    assert x.gradient == 6.0 - 1.0 / 9.0
    assert zp.tr_vmap(lambda a: a * a)(np.ones(3)).tolist() == [1.0] * 3
    return {"told": None, "seen": refused}


def answered(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return work()
    except BaseException as error:
        resource.setrlimit(resource.RLIMIT_AS, UNLIMITED)
        return {
            "failed": "".join(traceback.format_exception(None, error, error.__traceback__))[-1500:]
        }


def in_fork(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What work returns in a process of its own, or ``{"failed": why}``."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(read)
            answer = answered(work)
            with os.fdopen(write, "w") as pipe:
                json.dump(answer, pipe)
        finally:
            os._exit(0)
    os.close(write)
    text, end = b"", time.monotonic() + SECONDS
    with os.fdopen(read, "rb", 0) as pipe:
        while select.select([pipe], [], [], max(0.0, end - time.monotonic()))[0]:
            chunk = pipe.read(1 << 16)
            if not chunk:
                break
            text += chunk
        else:
            os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    if time.monotonic() >= end:
        return {"failed": "it waits for itself"}
    if status:
        return {"failed": f"the process ended with status {status}"}
    found: dict[str, Any] = json.loads(text) if text else {"failed": "the process said nothing"}
    return found


def failure_of(found: dict[str, Any], clean: dict[str, Any]) -> Optional[str]:
    """What is wrong with an entry that something came back into."""
    if "failed" in found:
        return str(found["failed"])
    if found["told"] != clean.get("told"):
        return f"{found['told']}, alone {clean}"
    return None if found["seen"] else "nothing came back"


def main(conditions: list[str], room: list[int]) -> None:
    warnings.simplefilter("ignore")
    counts = {each: {"runs": 0, "seen": 0, "failed": {}} for each in conditions}

    def note(condition: str, names: str, found: dict[str, Any], failure: Optional[str]) -> None:
        count: Any = counts[condition]
        count["runs"] += 1
        count["seen"] += found.get("seen", 0)
        if failure is not None:
            count["failed"][names] = failure

    public_names()
    # It takes longer to load than all else; without it the entries of plots do nothing.
    with suppress(ImportError):
        importlib.import_module("matplotlib.figure")
    with tempfile.TemporaryDirectory() as folder:
        for names, text in distinct().items():
            clean = in_fork(lambda t=text: work_under(t, "alone", folder))
            for condition in conditions:
                if condition != "memory":
                    found = in_fork(lambda t=text, c=condition: work_under(t, c, folder))
                    note(condition, names, found, failure_of(found, clean))
                    continue
                for mebibytes in [] if NOT_IN_LITTLE & {*names.split()} else room:
                    found = in_fork(lambda t=text, r=mebibytes: work_in_little(t, r, folder))
                    note(condition, f"{names}, {mebibytes} MiB", found, found.get("failed"))
    print(json.dumps(counts))


if __name__ == "__main__":
    chosen = sys.argv[1:]
    main(
        [each for each in chosen if not each.isdigit()],
        [int(each) for each in chosen if each.isdigit()] or list(ROOM),
    )
