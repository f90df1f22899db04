"""What knowing where singularities began costs: nothing while there are none.

python benches/provenance.py [--before DIRECTORY] [--rounds 15]

DIRECTORY holds another build of the package, such as an earlier one (it is put on PYTHONPATH). The
two are timed in turn, each in processes of its own; ratios are of the least and the median.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import Any, Callable

from machine import processor

HERE = Path(__file__).resolve()
#: By name, what is done so often in one measurement, and how many operations that is.
Works = dict[str, tuple[Callable[[], Any], int]]


def regular_works() -> Works:
    """Work in which everything is REAL."""
    import numpy as np

    from zeroproof import TRNode, tr_vmap
    from zeroproof.autodiff.tr_ops_grad import tr_exp, tr_sqrt

    x, y = TRNode.parameter(0.7), TRNode.parameter(1.3)

    def arithmetic() -> None:
        for _ in range(2000):
            a = x * y + x
            b = (a - y) * a
            c = (x + b) / y - x
            c * c + 1.0

    def functions() -> None:
        for _ in range(2000):
            tr_sqrt(tr_exp(x) / y)

    def backward() -> None:
        z = x
        for _ in range(2000):
            z = z * y
        for _ in range(20):
            z.backward()

    def rational(x: Any) -> Any:
        return (1.0 + 2.0 * x) / (3.0 + x * x)

    batched, few, many = tr_vmap(rational), np.linspace(0, 1, 300), np.linspace(0, 1, 100_000)
    return {
        "record arithmetic": (arithmetic, 2000 * 9),
        "record functions": (functions, 2000 * 3),
        "record and differentiate 20 times": (backward, 2000 * 20),
        "batch of 300": (lambda: [batched.value_and_grad(few) for _ in range(200)], 200 * 300),
        "batch of 100,000": (lambda: batched.value_and_grad(many), 100_000),
    }


def singular_works() -> Works:
    """Work in which there is something to tell, or somebody who watches."""
    import numpy as np

    from zeroproof import TRNode, tr_vmap, watch_singularities

    x, zero = TRNode.parameter(0.7), TRNode.parameter(0.0)
    infinite = x / zero
    deep = infinite
    for _ in range(1000):
        deep = deep + x

    def origins() -> None:
        for _ in range(500):
            x / zero

    def carried() -> None:
        for _ in range(2000):
            infinite + x

    def watched(work: Callable[[], Any]) -> Callable[[], None]:
        def run() -> None:
            with watch_singularities():
                work()

        return run

    def rational(x: Any) -> Any:
        return (1.0 + 2.0 * x) / (3.0 - x * x)

    batched, many = tr_vmap(rational), np.linspace(0, 1, 100_000)
    arithmetic, operations = regular_works()["record arithmetic"]
    return {
        "an origin": (origins, 500),
        "an operation that carries one on": (carried, 2000),
        "explain 1000 operations": (lambda: str(deep.explain()), 1000),
        "an origin, watched": (watched(origins), 500),
        "record arithmetic, watched": (watched(arithmetic), operations),
        "batch of 100,000, watched": (watched(lambda: batched.value_and_grad(many)), 100_000),
    }


def measure(works: Works) -> dict[str, float]:
    """The least of several measurements, nanoseconds an operation."""
    found = {}
    for name, (work, operations) in works.items():
        work()
        times = []
        for _ in range(15):
            start = perf_counter()
            work()
            times.append(perf_counter() - start)
        found[name] = min(times) / operations * 1e9
    return found


def in_process(directory: Path) -> dict[str, float]:
    """Measures the build in a directory in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(directory)}
    output = subprocess.check_output([sys.executable, HERE, "--child"], env=environment, text=True)
    result: dict[str, float] = json.loads(output)
    return result


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, metavar="DIRECTORY")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(measure(regular_works())))
        return
    import zeroproof

    print(f"{processor()}, Python {sys.version.split()[0]}")
    if options.before:
        builds = {"before": options.before, "now": Path(zeroproof.__file__).parents[1]}
        rounds: dict[str, list[dict[str, float]]] = {name: [] for name in builds}
        for _ in range(options.rounds):
            for name, directory in builds.items():
                rounds[name].append(in_process(directory))
        print(f"{'ns an operation':40} {'before':>8} {'now':>8} {'least':>8} {'median':>8}")
        for work in rounds["now"][0]:
            before, now = ([found[work] for found in rounds[name]] for name in builds)
            medians = [statistics.median(times) for times in (before, now)]
            print(
                f"{work:40} {medians[0]:8.2f} {medians[1]:8.2f} "
                f"{min(now) / min(before) - 1:+8.1%} {medians[1] / medians[0] - 1:+8.1%}"
            )
    print("ns an operation")
    for work, time in measure(singular_works()).items():
        print(f"{work:40} {time:8.1f}")


if __name__ == "__main__":
    main()
