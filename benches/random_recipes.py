"""Random programs for benchmarks: lists of operations that any library can carry out."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any, Callable, Optional

import numpy as np
from batched_parties import Array

ELEMENTARY = ("exp", "log", "sqrt", "sin", "cos", "tanh")
ARITHMETIC = ("add", "sub", "mul", "div", "square")
TRIED = 64
"""Samples that say whether an operation of a new program stays in a decent range."""
LARGEST = 30.0
FARTHEST = 0.2
"""Denominators, and what logarithms and roots are taken of, are at least so far from 0 there."""


@dataclass
class Namespace:
    """The elementary functions of a library."""

    exp: Callable[[Any], Any]
    log: Callable[[Any], Any]
    sqrt: Callable[[Any], Any]
    sin: Callable[[Any], Any]
    cos: Callable[[Any], Any]
    tanh: Callable[[Any], Any]


@dataclass
class RandomProgram:
    """A list of operations, each on two of the values before it and a constant."""

    arguments: int
    operations: list[tuple[str, int, int, float]] = field(default_factory=list)

    @classmethod
    def of_seed(cls, seed: int, elementary: bool) -> RandomProgram:
        """The program of a seed, whose intermediate results are neither large nor lost."""
        rng = random.Random(seed)
        program = cls(arguments=rng.randint(2, 6))
        length = rng.randint(20, 300)
        values = list(sample_columns(program.arguments, TRIED, seed))
        unused = set(range(len(values)))
        # The values that nothing reads are added up at the end.
        while len(program.operations) + len(unused) - 1 < length or len(unused) < 2:
            name = rng.choice(ARITHMETIC + ELEMENTARY if elementary else ARITHMETIC)
            recent = range(max(0, len(values) - 12), len(values))
            a, b = rng.choice(recent), rng.randrange(len(values))
            if rng.random() < 0.5 and unused:
                a = rng.choice(sorted(unused))
            operation = (name, a, b, round(rng.uniform(-1.5, 1.5), 3))
            value = tried(operation, values)
            if value is not None:
                program.operations.append(operation)
                values.append(value)
                unused -= {a, b} if name in ("add", "sub", "mul", "div") else {a}
                unused.add(len(values) - 1)
        first, *rest = sorted(unused)
        for other in rest:
            program.operations.append(("add", first, other, 0.0))
            first = program.arguments + len(program.operations) - 1
        return program

    def function(self, of: Namespace) -> Callable[..., Any]:
        """The program with the functions of a library."""

        def value(*arguments: Any) -> Any:
            values = list(arguments)
            for operation in self.operations:
                values.append(apply(operation, values, of))
            return values[-1]

        return value


def sample_columns(arguments: int, samples: int, seed: int) -> Array:
    return np.random.default_rng(seed).uniform(-1.0, 1.0, (arguments, samples))


def apply(operation: tuple[str, int, int, float], values: list[Any], of: Namespace) -> Any:
    name, a, b, constant = operation
    x, y = values[a], values[b]
    if name == "add":
        return x + y
    if name == "sub":
        return x - constant * y
    if name == "mul":
        return x * y
    if name == "div":
        return x / y
    if name == "square":
        return x**2
    return getattr(of, name)(x)


def tried(operation: tuple[str, int, int, float], values: list[Array]) -> Optional[Array]:
    """Its value on the samples tried; None if that is not fit for a program."""
    name, a, b, _ = operation
    pole = {"div": values[b], "log": values[a], "sqrt": values[a]}.get(name)
    if pole is not None and np.abs(pole).min() < FARTHEST:
        return None
    if name in ("log", "sqrt") and values[a].min() < 0.0:
        return None
    of = Namespace(np.exp, np.log, np.sqrt, np.sin, np.cos, np.tanh)
    with np.errstate(over="ignore"):
        value: Array = apply(operation, list(values), of)
    return value if np.abs(value).max() < LARGEST and np.ptp(value) > 1e-3 else None
