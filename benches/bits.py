"""Hashes of what every op computes, to compare two builds bit by bit.

``python benches/bits.py`` prints a line for each op, mode and path: a hash over the values,
gradients and statuses at all combinations of special values. Redirect the output of two builds to
files and compare them with ``diff``; an op that was added is a line more.
"""

from __future__ import annotations

import hashlib
import itertools
import struct
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import zeroproof as zp
from zeroproof import _native
from zeroproof.autodiff import tr_ops_grad

VALUES = [
    *(float("-inf"), -1.7976931348623157e308, -1e160, -1e8, -2.5, -1.0, -0.999, -0.3, -1e-160),
    *(-1e-310, -5e-324, -0.0, 0.0, 5e-324, 1e-310, 1e-160, 1e-8, 0.3, 0.5, 0.999, 1.0, 1.5707963),
    *(2.0, 3.7, 36.0, 700.0, 710.0, 1e8, 1e160, 1.7976931348623157e308, float("inf"), float("nan")),
]
SEEDS = [1.0, -0.3, 0.0, 1e-300, 1e300, float("inf")]
EXPONENTS = [-7, -2, -1, 0, 1, 2, 3, 5, 64]
OF_MANY = [-2.0, -0.0, 0.0, 1e-310, 1.0, 1e160, float("inf"), float("-inf"), float("nan")]


def modes() -> Iterator[tuple[str, Any]]:
    """Each mode, by name, as a context manager."""
    yield "mask_real", zp.gradient_mode(zp.GradientMode.MASK_REAL)
    for bound in (1.0, 1e-3):
        yield f"saturating_{bound}", zp.gradient_mode(zp.GradientMode.SATURATING, bound)
    schedule = zp.HybridGradientSchedule(delta_init=0.4, delta_final=0.4, transition_epochs=0)
    yield "hybrid", schedule.apply(epoch=1)


def cases(arity: str, name: str) -> list[tuple[Callable[..., Any], list[tuple[float, ...]]]]:
    """Functions that record the op, and where."""
    op = getattr(tr_ops_grad, f"tr_{name}")
    if arity == "unary":
        return [(op, [(a,) for a in VALUES])]
    if arity == "binary":
        return [(op, list(itertools.product(VALUES, repeat=2)))]
    if arity == "power":
        return [(lambda a, n=n: op(a, n), [(a,) for a in VALUES]) for n in EXPONENTS]
    kinds = list(zp.ReductionMode)
    points = list(itertools.product(OF_MANY, repeat=3))
    return [(lambda *x, kind=kind: op(list(x), kind), points) for kind in kinds]


def scalar(f: Callable[..., Any], points: list[tuple[float, ...]]) -> Iterator[float]:
    """Values, gradients and statuses on the scalar path."""
    for point in points:
        for seed in SEEDS:
            nodes = [zp.TRNode.parameter(x) for x in point]
            z = f(*nodes)
            z.backward(seed)
            yield float(z.value)
            for node in nodes:
                yield from (float(node.gradient), float(node.gradient_status))


def batched(f: Callable[..., Any], points: list[tuple[float, ...]]) -> Iterator[float]:
    """The same of a batch, by way of a product with the seed."""
    columns = [np.array(column) for column in zip(*points)]
    for seed in SEEDS[:-1]:
        value, gradients, statuses = zp.tr_vmap(lambda *x, seed=seed: f(*x) * seed).value_and_grad(
            *columns, argnums=tuple(range(len(columns))), with_status=True
        )
        yield from np.asarray(value).tolist()
        for column in (*gradients, *statuses):
            yield from np.asarray(column, dtype=float).tolist()


def digest(numbers: Iterator[float]) -> str:
    """A hash of doubles, all NaN alike."""
    code = hashlib.sha256()
    for x in numbers:
        code.update(struct.pack("<d", x) if x == x else b"Phi")
    return code.hexdigest()[:16]


def main() -> None:
    """Prints the hashes."""
    for row in _native.op_table():
        name, arity = row["name"], row["arity"]
        if row["domain"] is None:
            continue
        for mode, block in modes():
            for path in (scalar, batched):
                with block:
                    found = [digest(path(f, points)) for f, points in cases(arity, name)]
                joined = digest(float(int(part, 16)) for part in found)
                print(name, mode, path.__name__, joined)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
