"""Compares the scalar path with other automatic differentiation libraries, from Python.

python benches/compare_peers.py [--peer-python PATH ...] [--rounds N]

zeroproof is measured in the environment of this interpreter. `--peer-python` names the interpreter
of another environment; every peer importable there is measured: zeroproofml (whose import name is
`zeroproof` too, so it needs an environment of its own), PyTorch and HIPS autograd. Without the
option the peers of this environment are measured.

Each party runs in a process of its own, which measures when asked. The rounds go from party to
party, so that a slow phase of the machine hits all of them; medians and minima are over the rounds.

Three measurements, in nanoseconds:
  loop      make a parameter, divide by it, backward: one iteration
  record    y = tr_add(tr_mul(y, c), x) along a chain of 300 ops: one op
  backward  backward over that chain: one op
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import perf_counter_ns
from typing import Any, Callable, NamedTuple, Optional

from machine import processor

CHAIN = 300  # a recursive backward dies at depth 1000
MEASUREMENTS = ("loop", "record", "backward")
PARTY_NAMES = ("zeroproof", "zeroproofml", "torch", "autograd")


class Calls(NamedTuple):
    """What a party does in each measurement."""

    version: str
    loop: Callable[[], Any]
    record: Callable[[], Any]
    """Records the chain and returns its end."""
    backward: Callable[[Any], Any]
    """Differentiates the end of a chain."""


def zeroproof_calls(distribution: str) -> Calls:
    """This library, or the one that shares its import name."""
    from importlib.metadata import version

    node = importlib.import_module("zeroproof.autodiff.tr_node").TRNode
    ops = importlib.import_module("zeroproof.autodiff.tr_ops_grad")
    real = importlib.import_module("zeroproof.core").real
    add, mul, div = ops.tr_add, ops.tr_mul, ops.tr_div

    def loop() -> None:
        x = node.parameter(real(0.0))
        div(real(1.0), x).backward()

    x, c = node.parameter(real(0.5)), real(0.999)

    def record() -> Any:
        y = x
        for _ in range(CHAIN // 2):
            y = add(mul(y, c), x)
        return y

    return Calls(version(distribution), loop, record, lambda y: y.backward())


def torch_calls() -> Calls:
    torch = importlib.import_module("torch")
    torch.set_num_threads(1)

    def parameter(value: float) -> Any:
        return torch.tensor(value, dtype=torch.float64, requires_grad=True)

    def loop() -> None:
        x = parameter(0.0)
        (1.0 / x).backward()

    x = parameter(0.5)

    def record() -> Any:
        y = x
        for _ in range(CHAIN // 2):
            y = y * 0.999 + x
        return y

    return Calls(torch.__version__, loop, record, lambda y: y.backward())


def autograd_calls() -> Calls:
    from importlib.metadata import version

    core = importlib.import_module("autograd.core")
    importlib.import_module("autograd.numpy")  # registers the derivatives of the operators
    make_vjp = core.make_vjp

    def chain(x: Any) -> Any:
        y = x
        for _ in range(CHAIN // 2):
            y = y * 0.999 + x
        return y

    def loop() -> None:
        vjp, _ = make_vjp(lambda x: 1.0 / x, 0.25)  # at 0 a Python float raises
        vjp(1.0)

    return Calls(version("autograd"), loop, lambda: make_vjp(chain, 0.5), lambda end: end[0](1.0))


def calls_of(party: str) -> Calls:
    """The calls of a party; ImportError where it is not installed."""
    if party == "torch":
        return torch_calls()
    if party == "autograd":
        return autograd_calls()
    return zeroproof_calls("zeroproof-autodiff" if party == "zeroproof" else party)


def time_per(run: Callable[[], Any], count: int, units: int) -> float:
    """Nanoseconds per unit of `count` runs."""
    start = perf_counter_ns()
    for _ in range(count):
        run()
    return (perf_counter_ns() - start) / (count * units)


def measure_once(calls: Calls, count: int) -> dict[str, float]:
    """One value for each measurement, from about `count` loops."""
    chains = max(1, count // CHAIN)
    ends: list[Any] = []
    gc.collect()
    gc.disable()
    try:
        loop = time_per(calls.loop, count, 1)
        record = time_per(lambda: ends.append(calls.record()), chains, CHAIN)
        start = perf_counter_ns()
        for end in ends:
            calls.backward(end)
        backward = (perf_counter_ns() - start) / (chains * CHAIN)
    finally:
        gc.enable()
    return dict(zip(MEASUREMENTS, (loop, record, backward)))


def work(party: str) -> None:
    """The worker: says its version, then measures once per line that it reads."""
    try:
        calls = calls_of(party)
    except ImportError as error:  # includes PackageNotFoundError
        print(json.dumps({"missing": str(error)}), flush=True)
        return
    measure_once(calls, CHAIN)
    start = perf_counter_ns()
    calls.loop()
    # Enough loops to fill a twentieth of a second, chains included.
    count = min(30_000, max(CHAIN, 50_000_000 // (3 * max(1, perf_counter_ns() - start))))
    print(json.dumps({"version": calls.version, "python": platform.python_version()}), flush=True)
    for _ in sys.stdin:
        print(json.dumps(measure_once(calls, count)), flush=True)


@dataclass
class Party:
    """A worker process and what it measured."""

    name: str
    process: subprocess.Popen[str]
    title: str = ""
    rounds: dict[str, list[float]] = field(default_factory=dict)

    def read(self) -> dict[str, Any]:
        """The worker's next answer."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"the worker of {self.name} died with {self.process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def measure(self) -> None:
        """One round."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        for key, value in self.read().items():
            self.rounds.setdefault(key, []).append(value)

    def close(self) -> None:
        """Ends the worker, which stops at the end of its input."""
        self.process.communicate()


def start(name: str, python: str) -> Optional[Party]:
    """A party, or None if that interpreter cannot import it."""
    command = [python, os.path.abspath(__file__), "--worker", name]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
    party = Party(name, process)
    hello = party.read()
    if "missing" in hello:
        party.close()
        return None
    party.title = f"{name} {hello['version']} (Python {hello['python']})"
    return party


def parties(peers: list[str]) -> Iterator[Party]:
    """zeroproof first, then the peers found."""
    own = start("zeroproof", sys.executable)
    if own is None:
        raise SystemExit("zeroproof is not installed for this interpreter")
    yield own
    for python in peers or [sys.executable]:
        for name in PARTY_NAMES[1:]:
            party = start(name, python)
            if party is not None:
                yield party


def show(found: list[Party], rounds: int) -> None:
    """Prints the table; ratios are to zeroproof's median and to its minimum."""
    print(f"{processor()}; {rounds} interleaved rounds; ns, median / minimum")
    width = max(len(party.title) for party in found)
    columns = "".join(f"{name:>36}" for name in MEASUREMENTS)
    print(f"{'':{width}}{columns}")
    for party in found:
        line = f"{party.title:{width}}"
        for key in MEASUREMENTS:
            middle, least = statistics.median(party.rounds[key]), min(party.rounds[key])
            own = found[0].rounds[key]
            ratios = f"({middle / statistics.median(own):.0f}x / {least / min(own):.0f}x)"
            line += f"{f'{middle:.1f} / {least:.1f} {ratios}':>36}"
        print(line)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer-python", action="append", default=[], metavar="PATH")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--worker", choices=PARTY_NAMES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        work(arguments.worker)
        return
    if arguments.rounds < 1:
        parser.error("--rounds must be at least 1")
    found = list(parties(arguments.peer_python))
    for _ in range(arguments.rounds):
        for party in found:
            party.measure()
    for party in found:
        party.close()
    show(found, arguments.rounds)
    if len(found) == 1:
        print("no peer found; name an environment that has one with --peer-python")


if __name__ == "__main__":
    main()
