"""Writes ``docs/performance.md`` from what the benchmarks print.

python docs/make_performance.py [--peer-python PATH]

The sizes are small, so that it takes a minute or two. Peers that are not installed are left out by
the benchmarks themselves; PATH is an interpreter that has PyTorch and HIPS autograd, for
``compare_peers.py``. Nothing is edited: the page holds what was printed, and on what.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).resolve().parents[1]
#: The command, and what a reader learns from it.
BENCHMARKS = {
    "compare_peers.py --rounds 9 --peer-python PATH": """\
## Single nodes

Nanoseconds of one iteration of a small loop (a parameter, a division, a backward pass), and of one
operation in the recording and in the backward pass of a chain of 300.
""",
    "batched.py --samples 100000 --rounds 9 --largest 100000": """\
## Batches

`tr_vmap` beside JAX, NumPy and a loop that is fused by hand in Rust, in values and gradients. The
lines at the end are the promises and whether this run keeps them: with other work on the machine,
or with batches as small as here, some do not hold.
""",
    "second_order.py --samples 20000 --rounds 9": """\
## Derivatives forward and second derivatives

What `tr_jvp`, `tr_hvp` and `tr_hessian` cost beside values and gradients.
""",
    "memory.py --nodes 200000 --steps 100000": """\
## Memory

Loops of training steps take the same memory at the end as at the start; then what a node takes.
""",
    "nist.py": """\
## Fits

Correct digits of `least_squares` on the nonlinear regression problems of NIST (11 are certified),
how often the model was evaluated, and how many of the fits from disturbed starts end in the
certified minimum.
""",
}
INTRODUCTION = """\
# Performance

Everything below was printed by the benchmarks in `benches/`, in the sizes named, and put here by
`python docs/make_performance.py`. Run it on your own machine: the ratios between the contenders of
one table, which take turns, say more than the times.

{load}

{table}
"""


def installed(name: str) -> str:
    """The version of a package."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def git(*arguments: str) -> str:
    """What git says of the checkout."""
    run = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return run.stdout.strip()


def facts() -> str:
    """A table of what the figures were measured on."""
    sys.path.insert(0, str(ROOT / "benches"))
    from machine import processor

    import zeroproof

    rows = {
        "machine": processor(),
        "Python": platform.python_version(),
        "zeroproof": f"{zeroproof.__version__}, commit {git('rev-parse', '--short', 'HEAD')}",
        "native code": zeroproof.native_code().vectors or "off",
        "NumPy": installed("numpy"),
        "JAX": installed("jax"),
    }
    lines = [f"| {name} | {value} |" for name, value in rows.items()]
    return "\n".join(["| measured on | |", "| --- | --- |", *lines])


def load() -> str:
    """A sentence on how busy the machine is."""
    if not hasattr(os, "getloadavg"):
        return ""
    return (
        f"The load average of the machine was {os.getloadavg()[1]:.1f} when this run began, so\n"
        "compare the least times rather than the medians if that is more than a few tenths."
    )


def section(command: str, text: str, peer: str) -> str:
    """What one benchmark prints."""
    before = perf_counter()
    words = [peer if word == "PATH" else word for word in command.split()]
    run = subprocess.run(
        [sys.executable, f"benches/{words[0]}", *words[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = perf_counter() - before
    if not run.stdout.strip():
        raise SystemExit(f"{command} printed nothing:\n{run.stderr}")
    lines = "\n".join(line.rstrip() for line in run.stdout.strip().splitlines())
    return f"{text}\n`python benches/{command}` ({seconds:.0f} s):\n\n```text\n{lines}\n```\n"


def main() -> None:
    """Runs the benchmarks and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer-python", default=sys.executable, metavar="PATH")
    peer = parser.parse_args().peer_python
    parts = [INTRODUCTION.format(load=load(), table=facts())]
    for command, text in BENCHMARKS.items():
        print(command, flush=True)
        parts.append(section(command, text, peer))
    (ROOT / "docs" / "performance.md").write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
