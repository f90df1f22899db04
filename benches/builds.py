"""Compares builds of the package, such as two wheels, on the scalar path from Python.

python benches/builds.py DIRECTORY DIRECTORY ... [--rounds N]

Each directory holds a build: pip install --no-deps --target DIRECTORY WHEEL. Each is measured in a
process of its own. The builds take turns of less than a millisecond, so that a slow phase of the
machine hits all of them and that some turns have a core for themselves.

  loop      make a parameter, divide by it, backward: nanoseconds an iteration, at 2 and at the pole
  record    one operation of a chain, by the functions and by the operators
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter_ns
from typing import Callable

from machine import processor

#: Operations of a chain.
CHAIN = 40


def loop(at: float) -> Callable[[], object]:
    """One iteration."""
    from zeroproof import TRNode, real
    from zeroproof.autodiff.tr_ops_grad import tr_div

    value, one = real(at), real(1.0)

    def iteration() -> None:
        x = TRNode.parameter(value)
        tr_div(one, x).backward()

    return iteration


def chains() -> Iterator[Callable[[], object]]:
    """A chain by functions, and one by operators."""
    from zeroproof import TRNode, real
    from zeroproof.autodiff.tr_ops_grad import tr_add, tr_mul

    x, c = TRNode.parameter(real(0.5)), real(0.999)

    def by_functions() -> object:
        y = x
        for _ in range(CHAIN // 2):
            y = tr_add(tr_mul(y, c), x)
        return y

    def by_operators() -> object:
        y = x
        for _ in range(CHAIN // 2):
            y = y * c + x
        return y

    yield by_functions
    yield by_operators


def work() -> None:
    """The worker: measures once per line that it reads."""
    by_functions, by_operators = chains()
    works: dict[str, tuple[Callable[[], object], int, int]] = {
        "loop": (loop(2.0), 300, 1),
        "loop at the pole": (loop(0.0), 60, 1),
        "record by functions": (by_functions, 15, CHAIN),
        "record by operators": (by_operators, 15, CHAIN),
    }
    gc.disable()
    for _ in sys.stdin:
        found = {}
        for name, (run, times, units) in works.items():
            start = perf_counter_ns()
            for _ in range(times):
                run()
            found[name] = (perf_counter_ns() - start) / (times * units)
        print(json.dumps(found), flush=True)


def start(directory: Path) -> subprocess.Popen[str]:
    """A worker for the build in a directory."""
    environment = {**os.environ, "PYTHONPATH": str(directory.resolve())}
    command = [sys.executable, str(Path(__file__).resolve()), "--worker"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, env=environment, text=True)


def turn(worker: subprocess.Popen[str]) -> dict[str, float]:
    """One round of a worker."""
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write("\n")
    worker.stdin.flush()
    line = worker.stdout.readline()
    if not line:
        raise SystemExit(f"a worker died with {worker.wait()}: is there a build in its directory?")
    found: dict[str, float] = json.loads(line)
    return found


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("builds", nargs="*", type=Path, metavar="DIRECTORY")
    parser.add_argument("--rounds", type=int, default=2000)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        work()
        return
    if not arguments.builds or arguments.rounds < 1:
        parser.error("name at least one directory, and at least 1 round")
    workers = [start(directory) for directory in arguments.builds]
    for worker in workers:
        turn(worker)
    rounds = [[turn(worker) for worker in workers] for _ in range(arguments.rounds)]
    for worker in workers:
        worker.communicate()
    print(f"{processor()}, Python {sys.version.split()[0]}; {arguments.rounds} rounds")
    print(f"{'ns, least / median':24}" + "".join(f"{path.name:>30}" for path in arguments.builds))
    for name in rounds[0][0]:
        line, first = f"{name:24}", min(found[0][name] for found in rounds)
        for place in range(len(workers)):
            times = [found[place][name] for found in rounds]
            cell = f"{min(times):.1f} / {statistics.median(times):.1f}"
            line += f"{f'{cell} ({min(times) / first:.2f}x)':>30}"
        print(line)


if __name__ == "__main__":
    main()
