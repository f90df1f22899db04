"""What parts of a batch cost: bytes, merges, and Dask beside a single call.

    python benches/cluster.py [--samples N] [--processes N] [--rounds N]

The mean of a rational loss and its seven gradients, over samples that lie on the workers already.
Without Dask the parts of one process alone are measured.
"""

from __future__ import annotations

import argparse
import pickle
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Callable, Optional

import numpy as np
from machine import processor
from racing import Contender, race
from settings import parse

import zeroproof
from zeroproof import GradientMode, GradientModeConfig, Partial, gradient_mode, tr_vmap

try:
    import cloudpickle
    import dask
    import dask.array as da
    import distributed

    import zeroproof.dask as over_dask
except ImportError:
    over_dask = None  # type: ignore[assignment]

#: The samples of a part: 16 leaves.
PART = 16 * Partial.leaf_samples
ARGNUMS = (0, 1)


def loss(theta: Any, phi: Any, x: Any, t: Any) -> Any:
    p = theta[0] + x * (theta[1] + x * (theta[2] + x * theta[3]))
    q = 1.0 + x * (phi[0] + x * (phi[1] + x * phi[2]))
    return (p / q - t) ** 2


batched = tr_vmap(loss, (None, None, 0, 0))
THETA, PHI = np.array([0.5, -1.0, 0.25, 2.0]), np.array([0.1, -0.7, 0.3])


def columns(numbers: Any) -> tuple[Any, Any]:
    """Samples of these numbers, the same in any chunk."""
    x = (numbers * 0.6180339887498949) % 1.0 * 2.0 - 1.0
    return x, x * 0.3 + 0.1


def data(samples: int) -> tuple[Any, Any]:
    return columns(np.arange(samples, dtype=float))


def one_call(x: Any, t: Any) -> Any:
    return batched.value_and_grad(THETA, PHI, x, t, argnums=ARGNUMS, reduce="mean")


def parts(x: Any, t: Any, size: int = PART) -> list[Partial]:
    return [
        batched.partial(THETA, PHI, x[k : k + size], t[k : k + size], start=k, argnums=ARGNUMS)
        for k in range(0, len(x), size)
    ]


def same(found: Any, expected: Any) -> bool:
    flat = [[float(each[0]), *each[1][0], *each[1][1]] for each in (found, expected)]
    return bool(np.array_equal(*flat))


@contextmanager
def processes(count: int) -> Iterator[Any]:
    with (
        distributed.LocalCluster(
            n_workers=count, threads_per_worker=1, dashboard_address=None, silence_logs=50
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def on_dask(samples: int, client: Any, chunk: int = PART) -> Contender:
    """Dask on samples that lie on its workers."""
    arrays = client.persist(list(columns(da.arange(samples, chunks=chunk, dtype=float))))
    distributed.wait(arrays)

    def call() -> Any:
        return over_dask.value_and_grad(
            batched, THETA, PHI, *arrays, argnums=ARGNUMS, reduce="mean", scheduler=client
        )

    return Contender(call)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(head, *rows)]
    for row in (head, *rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    print()


def sizes() -> None:
    """The bytes of a part and what it takes to pickle and to merge it."""
    rows = []
    for parameters in (7, 1000, 100_000):
        f = tr_vmap(lambda x, w: w.sum() / (x - 0.3), (0, None))
        w = np.ones(parameters)
        for mode in (GradientMode.MASK_REAL, GradientMode.HYBRID):
            if mode is GradientMode.HYBRID and parameters > 7:
                continue
            leaves = 16 if parameters < 10_000 else 2
            with gradient_mode(mode):
                GradientModeConfig.set_local_threshold(0.01)
                x, _ = data(2 * leaves * Partial.leaf_samples)
                half = len(x) // 2
                a = f.partial(x[:half], w, start=0, argnums="w", coordinate="x")
                b = f.partial(x[half:], w, start=half, argnums="w", coordinate="x")
            record = cloudpickle.dumps(a) if over_dask else pickle.dumps(a)
            contenders = {
                "pickle": Contender(lambda a=a: pickle.dumps(a), repeats=20),
                "unpickle": Contender(lambda record=record: pickle.loads(record), repeats=20),
                "merge": Contender(lambda a=a, b=b: a + b, repeats=20),
            }
            race(contenders, 5)
            micros = [f"{1e6 * each.median:.0f}" for each in contenders.values()]
            rows.append([str(parameters), mode.name, str(a.nbytes), str(len(record)), *micros])
    table(["parameters", "mode", "nbytes", "pickled", "pickle µs", "unpickle µs", "merge µs"], rows)


def overhead(settings: argparse.Namespace) -> None:
    """A single call, parts of one process, and Dask, on one and on more cores."""
    x, t = data(settings.samples)
    rows = []
    for threads in dict.fromkeys((1, settings.processes)):
        zeroproof.set_num_threads(threads)
        contenders: dict[str, Contender] = {
            "one call": Contender(lambda: one_call(x, t)),
            "parts": Contender(lambda: Partial.merge(parts(x, t)).finish("mean")),
        }

        large = -(-settings.samples // PART // threads) * PART

        def measured(
            client: Optional[Any],
            contenders: dict[str, Contender] = contenders,
            large: int = large,
        ) -> None:
            if client is not None:
                contenders["Dask"] = on_dask(settings.samples, client)
                contenders["Dask, a chunk per process"] = on_dask(settings.samples, client, large)
            for contender in contenders.values():
                assert same(contender.call(), one_call(x, t))
            race(contenders, settings.rounds)

        run(measured, threads)
        base = contenders["one call"].least
        rows += [
            [str(threads), name, f"{1e3 * each.least:.1f}", f"{each.least / base:.2f}"]
            for name, each in contenders.items()
        ]
    table(["cores", f"{settings.samples:.0e} samples", "ms", "of one call"], rows)


def run(measured: Callable[[Optional[Any]], None], count: int) -> None:
    if over_dask is None:
        measured(None)
        return
    with processes(count) as client:
        measured(client)


def weak_scaling(settings: argparse.Namespace) -> None:
    """The same number of samples for each process."""
    each = 3 * settings.samples
    zeroproof.set_num_threads(1)
    rows: list[list[str]] = []
    base = 0.0
    for count in range(1, settings.processes + 1):
        with processes(count) as client:
            contender = on_dask(each * count, client, -(-each // PART // 4) * PART)
            race({"Dask": contender}, settings.rounds)
            seconds = contender.least
        base = base or seconds
        rows.append(
            [str(count), f"{each * count:.1e}", f"{1e3 * seconds:.1f}", f"{base / seconds:.2f}"]
        )
    table(["processes", "samples", "ms", "efficiency"], rows)


def tasks(settings: argparse.Namespace) -> None:
    """What Dask takes for a task: parts of one leaf, beside the time that they compute."""
    x, t = data(500 * Partial.leaf_samples)
    zeroproof.set_num_threads(1)
    with processes(1) as client:
        contender = on_dask(len(x), client, Partial.leaf_samples)
        by_parts = Contender(lambda: parts(x, t, Partial.leaf_samples))
        race({"dask": contender, "parts": by_parts}, settings.rounds)
    micros = 1e6 * (contender.least - by_parts.least) / 500
    print(f"Dask takes {micros:.0f} µs more for a task than the part itself, merges included")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--samples", type=int, default=10**7)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    settings = parse(parser, samples=PART, processes=1, rounds=1)
    print(f"{processor()}, zeroproof {zeroproof.__version__}\n")
    sizes()
    overhead(settings)
    if over_dask is not None:
        with dask.config.set({"distributed.worker.multiprocessing-method": "spawn"}):
            weak_scaling(settings)
            tasks(settings)
