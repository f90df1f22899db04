"""Batches: zeroproof's batched functions beside JAX, NumPy and a loop fused by hand in Rust.

python benches/batched.py [--samples N] [--rounds N] [--threads N] [--largest N]

Prints one table for each promise and at the end whether it is kept. All in float64 and one process,
contenders interleaved round by round; times are medians and minima over the rounds.

Threads: the process is confined to ``--threads`` cores before JAX is imported, by which JAX
sizes its pool; zeroproof and the Rust loops are told the number. JAX is compiled beforehand, its
arrays are on the device and its results waited for. Like JAX, ``zeroproof`` makes new arrays for
its results; like the Rust loops, ``zeroproof, out=`` writes to given ones. ``hand_fused.rs`` is
compiled twice, for the baseline of the target and for the processor at hand: the latter has the
vectors that zeroproof chooses at run time. A peer that is not installed is left out.
"""

from __future__ import annotations

import argparse
import platform
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Optional

import numpy as np
from batched_parties import (
    ARM,
    DELTA,
    MEAN,
    PER_SAMPLE,
    Call,
    HandFused,
    Inputs,
    Jax,
    Party,
    Zeroproof,
    check,
    make_inputs,
    numpy_party,
    rational,
)
from machine import processor
from racing import Contender, Goal, race, ratio
from settings import confine, parse

import zeroproof
from zeroproof.autodiff import (
    GradientMode,
    GradientModeConfig,
    HybridGradientContext,
    gradient_mode,
)

FUSED = {
    "hand-fused Rust": ("-O",),
    "hand-fused Rust, native": ("-O", "-C", "target-cpu=native"),
}
SMALL = 300
"""A batch of a training loop, in samples."""


def show(title: str, contenders: dict[str, Contender], samples: int = 0, unit: str = "ms") -> None:
    """A table; ratios are those of the medians to the first one."""
    scale = {"ms": 1e3, "µs": 1e6}[unit]
    print(f"\n{title}")
    for name, contender in contenders.items():
        line = f"  {name:34} {contender.median * scale:9.3f} {unit} median"
        line += f" {contender.least * scale:9.3f} least"
        if samples:
            line += f" {contender.median / samples * 1e9:7.3f} ns a sample"
        first = next(iter(contenders.values()))
        print(f"{line} {contender.median / first.median:8.2f}x")


def compare(parties: list[Party], workload: str, settings: argparse.Namespace) -> Iterator[Goal]:
    """One workload, all parties."""
    check(parties, workload)
    racers = {p.name: Contender(p.calls[workload]) for p in parties if workload in p.calls}
    race(racers, settings.rounds)
    show(f"{workload}, threads: {settings.threads}", racers, settings.samples)
    for party in parties:
        if party.missing:
            print(f"  {party.name:34} {party.missing}")
    jax = next((racer for name, racer in racers.items() if name.startswith("JAX")), None)
    own = racers["zeroproof"]
    limit = 2 if workload == PER_SAMPLE else 4
    yield Goal(f"{workload}: JAX / zeroproof", ratio(jax, own), limit, True)
    if workload != ARM:
        own = racers.get("zeroproof, out=", own)
        for name in FUSED:
            measured = ratio(own, racers.get(name))
            yield Goal(f"{workload}: zeroproof / {name}", measured, 2, False)


def in_hybrid_mode(call: Call) -> Call:
    """The call in Hybrid mode, as one batch of a training."""

    def run() -> None:
        with gradient_mode(GradientMode.HYBRID):
            GradientModeConfig.set_local_threshold(DELTA)
            call()
        HybridGradientContext.end_batch_policy_update()

    return run


def hybrid(settings: argparse.Namespace) -> Iterator[Goal]:
    """Hybrid against Mask-REAL on the same numbers, one sample in a hundred near the pole."""
    inputs = make_inputs(settings.samples, near=0.01)
    plain, named = Zeroproof(inputs), Zeroproof(inputs, coordinate="x")
    value, gradient = np.empty(settings.samples), np.empty(settings.samples)
    out = (value, gradient)
    calls: dict[str, tuple[Call, Call]] = {
        PER_SAMPLE: (lambda: plain.per_sample(out), lambda: named.per_sample(out)),
        MEAN: (plain.mean, named.mean),
    }
    for workload, (call, call_named) in calls.items():
        racers = {
            "Mask-REAL": Contender(call),
            "Hybrid": Contender(in_hybrid_mode(call)),
            "Hybrid, coordinate named": Contender(in_hybrid_mode(call_named)),
        }
        race(racers, settings.rounds)
        show(f"{workload}, 1 % within δ of the pole", racers, settings.samples)
        for name in list(racers)[1:]:
            measured = ratio(racers[name], racers["Mask-REAL"])
            yield Goal(f"{workload}: {name} / Mask-REAL", measured, 1.3, False)
    HybridGradientContext.reset()


def irregular(settings: argparse.Namespace) -> Iterator[Goal]:
    """One sample in a hundred whose value is not REAL, against none, in Mask-REAL."""
    regular, given = make_inputs(settings.samples), make_inputs(settings.samples)
    chosen = np.random.default_rng(1).random(settings.samples) < 0.01
    given.x[chosen] = -1.0  # the pole
    out = (np.empty(settings.samples), np.empty(settings.samples))

    def calls(inputs: Inputs) -> dict[str, Call]:
        own = Zeroproof(inputs)
        return {PER_SAMPLE: lambda: own.per_sample(out), MEAN: own.mean}

    of_regular, of_given = calls(regular), calls(given)
    for workload, call in of_regular.items():
        racers = {"all REAL": Contender(call), "1 % not REAL": Contender(of_given[workload])}
        race(racers, settings.rounds)
        show(f"{workload}, samples that are not REAL", racers, settings.samples)
        none, some = racers.values()
        yield Goal(f"{workload}: 1 % not REAL / none", ratio(some, none), 1.5, False)


def trace_and_run(inputs: Inputs) -> Call:
    return lambda: rational().value_and_grad(*inputs.rational, argnums=2)


def first_call(jax: Optional[Jax], settings: argparse.Namespace) -> Iterator[Goal]:
    """Tracing and running against compiling and running."""
    for samples in (settings.samples, 1000):
        inputs = make_inputs(samples)
        racers = {"zeroproof": Contender(trace_and_run(inputs))}
        if jax is not None:
            prepare, call = jax.first_call(inputs, PER_SAMPLE)
            racers["JAX"] = Contender(call, prepare)
        race(racers, settings.rounds)
        show(f"first call, {PER_SAMPLE}, {samples:,} samples", racers)
        measured = ratio(racers.get("JAX"), racers["zeroproof"])
        yield Goal(f"first call, {samples:,} samples: JAX / zeroproof", measured, 20, True)


def two_threads(fused: HandFused, settings: argparse.Namespace) -> Iterator[Goal]:
    """One thread against two; the Rust loop shows what the machine's memory allows."""
    inputs = make_inputs(settings.samples)
    own, into_given = Zeroproof(inputs).parties()
    for workload in (PER_SAMPLE, MEAN, ARM):
        goal = Goal(f"{workload}: 1 thread / 2 threads", None, 1.8, True)
        if settings.threads > 1:
            call = into_given.calls.get(workload) or own.calls[workload]
            one, two = (Contender(call, threads_setter(threads)) for threads in (1, 2))
            racers = {"zeroproof, 1 thread": one, "zeroproof, 2 threads": two}
            for threads, suffix in ((1, "1 thread"), (2, "2 threads")):
                party = fused.party(inputs, threads)
                if workload in party.calls:
                    racers[f"{party.name}, {suffix}"] = Contender(party.calls[workload])
            race(racers, settings.rounds)
            show(workload, racers, settings.samples)
            goal.measured = ratio(one, two)
        yield goal
    zeroproof.set_num_threads(settings.threads)


def threads_setter(threads: int) -> Call:
    return lambda: zeroproof.set_num_threads(threads)


def peak_growth(call: Call) -> Optional[int]:
    """By how many bytes resident memory grows while the call runs (Linux)."""

    def field(name: str) -> int:
        with open("/proc/self/status", encoding="ascii") as status:
            line = next(line for line in status if line.startswith(name))
        return int(line.split()[1]) << 10

    call()  # from now on inputs and outputs are resident
    try:
        with open("/proc/self/clear_refs", "w", encoding="ascii") as clear:
            clear.write("5")  # the peak so far is forgotten
        before = field("VmRSS:")
        call()
        return field("VmHWM:") - before
    except OSError:
        return None


def sizes(settings: argparse.Namespace) -> Iterator[Goal]:
    """Batches of all sizes on memory-mapped files, on one thread and on all."""
    largest, step = settings.largest, 1 << 20
    with tempfile.TemporaryDirectory() as directory:

        def column(name: str) -> np.memmap[Any, np.dtype[np.float64]]:
            return np.memmap(Path(directory, name), np.float64, "w+", shape=(largest,))

        x, t, value, gradient = (column(name) for name in ("x", "t", "value", "gradient"))
        for start in range(0, largest, step):
            part = make_inputs(min(step, largest - start))
            x[start : start + step], t[start : start + step] = part.x, part.t
        theta, phi, batched = part.theta, part.phi, rational()

        def per_sample(n: int) -> Call:
            args, out = (theta, phi, x[:n], t[:n]), (value[:n], gradient[:n])
            return lambda: batched.value_and_grad(*args, argnums=2, out=out)

        def mean(n: int) -> Call:
            args = theta, phi, x[:n], t[:n]
            return lambda: batched.value_and_grad(*args, argnums=(0, 1), reduce="mean")

        counts = [10**k for k in range(3, 9) if 10**k <= largest]
        for workload, on in ((PER_SAMPLE, per_sample), (MEAN, mean)):
            for threads in sorted({1, settings.threads}):
                racers = {
                    f"{n:,} samples": Contender(on(n), threads_setter(threads), 1_000_000 // n or 1)
                    for n in counts
                }
                race(racers, settings.rounds)
                print(f"\n{workload}, memory-mapped, threads: {threads}")
                times = [racer.median / n * 1e9 for n, racer in zip(counts, racers.values())]
                for n, time, (name, racer) in zip(counts, times, racers.items()):
                    growth = peak_growth(on(n))
                    memory = "" if growth is None else f"   peak memory +{growth / 2**20:.2f} MiB"
                    least = racer.least / n * 1e9
                    print(f"  {name:>20} {time:9.3f} ns a sample, least {least:.3f}{memory}")
                flat = [time for n, time in zip(counts, times) if n >= 100_000]
                spread = max(flat) / min(flat) if len(flat) > 1 else None
                text = f"{workload}: slowest N / fastest from 10⁵, threads: {threads}"
                yield Goal(text, spread, 1.2, False)
    zeroproof.set_num_threads(settings.threads)


def small_calls(inputs: Inputs) -> dict[str, Call]:
    """Calls by workload."""
    own, batched, args = Zeroproof(inputs), rational(), inputs.rational
    direction = np.ones(len(inputs.x))
    return {
        MEAN: own.mean,
        PER_SAMPLE: own.per_sample,
        "rational, jvp along x": lambda: batched.jvp(args, direction, argnums=2),
        "rational, hvp along x": lambda: batched.hvp(args, direction, argnums=2),
    }


def small_batches(jax: Optional[Jax], settings: argparse.Namespace) -> Iterator[Goal]:
    """What a call costs of which the work is little, everything included."""
    for samples in (SMALL, 1):
        inputs = make_inputs(samples)
        calls = small_calls(inputs)
        racers = {name: Contender(call, repeats=1000) for name, call in calls.items()}
        if jax is not None:
            for name, call in jax.party(inputs).calls.items():
                if name in calls:
                    racers[f"JAX: {name}"] = Contender(call, repeats=1000)
        race(racers, settings.rounds)
        show(f"batches of {samples}", racers, unit="µs")
        for name in calls:
            measured = racers[name].median * 1e6
            yield Goal(f"{name}: a call of {samples}", measured, 10, False, " µs")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--largest", type=int, default=10**7, help="10⁸ needs 3.2 GB of files")
    return parse(parser, samples=1, rounds=9, threads=1, largest=1000)


def main() -> None:
    settings = arguments()
    confine(settings)
    try:
        jax = Jax()
    except ImportError:
        jax = None
    versions = f"zeroproof {zeroproof.__version__}, Python {platform.python_version()}"
    print(f"{versions}, {processor()}; {settings.samples:,} samples, {settings.rounds} rounds")
    inputs = make_inputs(settings.samples)
    goals: list[Goal] = []
    with tempfile.TemporaryDirectory() as directory:
        fused = [HandFused.compiled(name, Path(directory), *FUSED[name]) for name in FUSED]
        parties = [
            *Zeroproof(inputs).parties(),
            Party("JAX", missing="not installed") if jax is None else jax.party(inputs),
            numpy_party(inputs),
            *(loops.party(inputs, settings.threads) for loops in fused),
        ]
        for workload in (PER_SAMPLE, MEAN, ARM):
            goals += compare(parties, workload, settings)
        goals += hybrid(settings)
        goals += irregular(settings)
        goals += first_call(jax, settings)
        goals += two_threads(fused[1], settings)
        goals += sizes(settings)
        goals += small_batches(jax, settings)
    print("\ngoals")
    for goal in goals:
        print(goal)


if __name__ == "__main__":
    main()
