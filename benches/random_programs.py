"""Random programs: zeroproof beside JAX and C code of derivatives emitted by CasADi.

python benches/random_programs.py [--programs N] [--samples N] [--rounds N] [--threads N]
                                  [--first SEED] [--kind KIND]

Programs of 20 to 300 operations with a value and all its gradients for every sample, half of them
arithmetic alone, half with elementary functions. A program follows from its seed. All in float64
and one process, contenders interleaved round by round; times are medians and minima over the
rounds. Results are compared before they are timed. The emitted C code is compiled by the system's
compiler with ``-O3 -march=native``, in one loop over the samples on as many threads; numbers go
from and to columns as they do in the other contenders, and its results have given arrays. A peer
that is not installed is left out.
"""

from __future__ import annotations

import argparse
import ctypes
import platform
import shutil
import statistics
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from batched_parties import Array, Call, numbers
from machine import processor
from racing import Contender, Goal, race, ratio
from random_recipes import ELEMENTARY, Namespace, RandomProgram, sample_columns
from settings import confine, parse

import zeroproof
from zeroproof.autodiff import tr_cos, tr_exp, tr_log, tr_sin, tr_sqrt, tr_tanh, tr_vmap

OWN = Namespace(tr_exp, tr_log, tr_sqrt, tr_sin, tr_cos, tr_tanh)


class Zeroproof:
    name = f"zeroproof {zeroproof.__version__}"

    def call(self, program: RandomProgram, columns: Array) -> Call:
        batched = tr_vmap(program.function(OWN))
        all_of_them = tuple(range(program.arguments))
        return lambda: batched.value_and_grad(*columns, argnums=all_of_them)


class Jax:
    def __init__(self) -> None:
        import jax

        jax.config.update("jax_platforms", "cpu")
        jax.config.update("jax_enable_x64", True)
        self._jax = jax
        self.name = f"JAX {jax.__version__}"

    def call(self, program: RandomProgram, columns: Array) -> Call:
        jax, np_of_jax = self._jax, self._jax.numpy
        of = Namespace(**{name: getattr(np_of_jax, name) for name in ELEMENTARY})
        both = jax.value_and_grad(program.function(of), tuple(range(program.arguments)))
        compiled = jax.jit(jax.vmap(both))
        args = [jax.block_until_ready(np_of_jax.asarray(column)) for column in columns]
        return lambda: jax.block_until_ready(compiled(*args))


LOOP = """
#include <stddef.h>
void loop(size_t from, size_t to, double *const *columns, double *const *results) {{
  for (size_t i = from; i < to; ++i) {{
    double in[{arguments}], out[{results}];
    for (int k = 0; k < {arguments}; ++k) in[k] = columns[k][i];
    const double *arg[1] = {{in}};
    double *res[1] = {{out}};
    derivatives(arg, res, 0, 0, 0);
    for (int k = 0; k < {results}; ++k) results[k][i] = out[k];
  }}
}}
"""


class Casadi:
    """Emitted C code, compiled into a directory."""

    def __init__(self, directory: Path, threads: int) -> None:
        import casadi

        if shutil.which("cc") is None:
            raise ImportError("no C compiler found")
        self._casadi, self._directory, self._threads = casadi, directory, threads
        self._pool = ThreadPoolExecutor(max(1, threads - 1))
        self.name = f"CasADi {casadi.__version__}, cc -O3 -march=native"

    def call(self, program: RandomProgram, columns: Array) -> Call:
        loop = self._compiled(program)
        samples, count = columns.shape[1], program.arguments
        results = [np.empty(samples) for _ in range(count + 1)]

        def pointers(arrays: Any) -> Any:
            return (ctypes.c_void_p * len(arrays))(*(array.ctypes.data for array in arrays))

        given, wanted = pointers(list(columns)), pointers(results)
        edges = [samples * k // self._threads for k in range(self._threads + 1)]
        parts = [
            (ctypes.c_size_t(a), ctypes.c_size_t(b), given, wanted)
            for a, b in zip(edges, edges[1:])
        ]

        def run() -> list[Array]:
            others = [self._pool.submit(loop, *part) for part in parts[1:]]
            loop(*parts[0])
            for other in others:
                other.result()
            return results

        return run

    def _compiled(self, program: RandomProgram) -> Any:
        casadi = self._casadi
        of = Namespace(**{name: getattr(casadi, name) for name in ELEMENTARY})
        x = casadi.SX.sym("x", program.arguments)
        value = program.function(of)(*casadi.vertsplit(x))
        both = casadi.cse([casadi.vertcat(value, casadi.gradient(value, x))])
        function = casadi.Function("derivatives", [x], both)
        source = self._directory / "program.c"
        library = Path(tempfile.mkdtemp(dir=self._directory)) / "program.so"
        code = casadi.CodeGenerator("emitted")
        code.add(function)
        emitted = code.dump().replace(
            "CASADI_SYMBOL_EXPORT int derivatives", "static inline int derivatives"
        )
        loop = LOOP.format(arguments=program.arguments, results=program.arguments + 1)
        source.write_text(emitted + loop, encoding="utf-8")
        options = [
            "-O3",
            "-march=native",
            "-fPIC",
            "-shared",
            "-o",
            str(library),
            str(source),
            "-lm",
        ]
        subprocess.run(["cc", *options], check=True, capture_output=True)
        return ctypes.CDLL(str(library)).loop


def contest(kind: str, peers: list[Any], settings: argparse.Namespace) -> list[Goal]:
    """All programs of a kind; a line for each, and what they come to."""
    print(
        f"\n{kind}, {settings.samples:,} samples, threads: {settings.threads}, ms: median (least)"
    )
    ratios: dict[str, list[float]] = {peer.name: [] for peer in peers[1:]}
    for number in range(settings.programs):
        seed = settings.first + number
        program = RandomProgram.of_seed(seed, elementary=kind != "arithmetic")
        columns = sample_columns(program.arguments, settings.samples, seed)
        calls = {peer.name: peer.call(program, columns) for peer in peers}
        check(calls, seed)
        racers = {name: Contender(call) for name, call in calls.items()}
        race(racers, settings.rounds)
        own, *others = racers.items()
        line = f"  seed {seed:3} {len(program.operations):4} ops {program.arguments} args"
        line += f"  {own[1].median * 1e3:8.3f} ({own[1].least * 1e3:.3f})"
        for name, racer in others:
            measured = ratio(racer, own[1]) or 0.0
            ratios[name].append(measured)
            times = f"{racer.median * 1e3:8.3f} ({racer.least * 1e3:.3f})"
            line += f"  {name.split(',')[0]} {times} {measured:6.2f}x"
        print(line, flush=True)
    goals = []
    for name, found in ratios.items():
        is_c = name.startswith("CasADi")
        least, middle = min(found), statistics.median(found)
        text = f"{kind}: {name} / zeroproof"
        goals.append(
            Goal(f"{text}, the least of {len(found)}", least, 1 / 1.5 if is_c else 1, True)
        )
        goals.append(Goal(f"{text}, median", middle, 1 / 1.5 if is_c else 2, True))
    return goals


def check(calls: dict[str, Call], seed: int) -> None:
    """All must come to the same numbers, where they are not close to a pole."""
    expected, *others = [(name, numbers(list(call()))) for name, call in calls.items()]
    for name, found in others:
        close = np.isclose(found, expected[1], rtol=1e-7, atol=1e-7, equal_nan=True)
        if close.mean() < 0.99:
            raise SystemExit(f"{name} disagrees with {expected[0]} on the program of seed {seed}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--programs", type=int, default=25, help="of each kind")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--samples", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--kind", choices=("arithmetic", "elementary", "both"), default="both")
    settings = parse(parser, programs=1, first=0, samples=1, rounds=1, threads=1)
    confine(settings)
    versions = f"zeroproof {zeroproof.__version__}, Python {platform.python_version()}"
    print(f"{versions}, {processor()}; {settings.rounds} rounds")
    kinds = {"arithmetic": "arithmetic", "elementary": "with elementary functions"}
    goals: list[Goal] = []
    with tempfile.TemporaryDirectory() as directory:
        peers: list[Any] = [Zeroproof()]
        for peer in (Jax, lambda: Casadi(Path(directory), settings.threads)):
            try:
                peers.append(peer())
            except ImportError as missing:
                print(f"left out: {missing}")
        for kind, title in kinds.items():
            if settings.kind in (kind, "both"):
                goals += contest(title, peers, settings)
    print("\ngoals")
    for goal in goals:
        print(goal)


if __name__ == "__main__":
    main()
