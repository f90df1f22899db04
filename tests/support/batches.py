"""Python functions of nodes by their source text, and batches of arguments for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, Optional

import numpy as np
import numpy.typing as npt

from support.values import HUGE, INF, NAN, SMALLEST, SPECIALS
from zeroproof import core
from zeroproof.autodiff import conditions, tr_ops_grad
from zeroproof.autodiff.batched import BatchedFunction, tr_vmap
from zeroproof.autodiff.tr_node import TRNode

Doubles = npt.NDArray[np.float64]


def _dot(a: Any, b: Any) -> Any:
    """The scalar product of what two vectors have both."""
    count = min(len(a), len(b))
    return a[:count] @ b[:count]


#: What the source text of a function may name.
_GLOBALS = {
    "core": core,
    "ops": tr_ops_grad,
    "mode": tr_ops_grad.ReductionMode,
    "node": TRNode.constant,
    "np": np,
    "dot": _dot,
    "reduce": reduce,
    "inf": INF,
    "nan": NAN,
    **{name: getattr(conditions, name) for name in conditions.__all__},
}


@dataclass(frozen=True)
class Argument:
    """An argument of a function: the shape that one sample sees."""

    name: str
    shape: tuple[int, ...]
    per_sample: bool

    @property
    def elements(self) -> list[str]:
        """The elements as they are written in a function."""
        places = np.ndindex(self.shape)
        return [f"{self.name}[{', '.join(map(str, p))}]" if p else self.name for p in places]

    @property
    def vector(self) -> str:
        """All elements as one vector."""
        return f"{self.name}.ravel()" if self.shape else f"np.array([{self.name}])"


@dataclass(frozen=True)
class Function:
    """A function of nodes, by its source text."""

    arguments: tuple[Argument, ...]
    lines: tuple[str, ...]
    result: str
    call: Callable[..., Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._define(_GLOBALS)

    def _define(self, known: dict[str, Any]) -> None:
        names: dict[str, Any] = {}
        exec(str(self), known, names)
        object.__setattr__(self, "call", names["function"])

    def with_names(self, **meanings: Any) -> Function:
        """The same text, in which these names mean something else."""
        function = Function(self.arguments, self.lines, self.result)
        function._define({**_GLOBALS, **meanings})
        return function

    def __str__(self) -> str:
        parameters = ", ".join(argument.name for argument in self.arguments)
        body = "".join(f"    {line}\n" for line in (*self.lines, f"return {self.result}"))
        return f"def function({parameters}):\n{body}"

    @property
    def values(self) -> list[str]:
        """What holds a value: the elements of the arguments, and what was computed, in order."""
        elements = [element for argument in self.arguments for element in argument.elements]
        return [*elements, *self._assigned("t")]

    @property
    def conditions(self) -> list[str]:
        """What holds a condition."""
        return ["True", *self._assigned("c")]

    def _assigned(self, letter: str) -> list[str]:
        return [line.split(" = ")[0] for line in self.lines if line.startswith(letter)]

    def returning(self, result: str) -> Function:
        """The same function with another result."""
        return Function(self.arguments, self.lines, result)

    @property
    def in_axes(self) -> tuple[Optional[int], ...]:
        """0 for the arguments that every sample has its own of."""
        return tuple(0 if argument.per_sample else None for argument in self.arguments)

    def batched(self) -> BatchedFunction:
        """The function on batches."""
        return tr_vmap(self.call, self.in_axes)


@dataclass(frozen=True)
class Batch:
    """Arguments for so many samples, from a seed."""

    function: Function
    samples: int
    seed: int
    specials: float

    def __str__(self) -> str:
        numbers = f"{self.samples} samples of seed {self.seed}, specials {self.specials}"
        shapes = "".join(
            f"# {argument.name}: {argument.shape}"
            f" {'per sample' if argument.per_sample else 'shared'}\n"
            for argument in self.function.arguments
        )
        return f"# {numbers}\n{shapes}{self.function}"

    __repr__ = __str__

    def arrays(self) -> list[Doubles]:
        """The arguments of the batched function."""
        random = np.random.default_rng(self.seed)
        return [
            numbers(
                random,
                (self.samples, *argument.shape) if argument.per_sample else argument.shape,
                self.specials,
            )
            for argument in self.function.arguments
        ]


def numbers(random: np.random.Generator, shape: tuple[int, ...], specials: float) -> Doubles:
    """Doubles of moderate size, small integers, other magnitudes, and specials at a rate."""
    x = random.uniform(-4.0, 4.0, shape)
    kind = random.integers(0, 8, shape)
    x = np.where(kind == 0, np.round(x), x)
    x = np.where(kind == 1, x * 1e-2, x)
    x = np.where(kind == 2, x * 10.0 ** random.integers(-20, 21, shape), x)
    odd = [*SPECIALS, 1e155, -1e155, 1e-155, -1e-155, -SMALLEST, 1e-310, -HUGE]
    return np.where(random.random(shape) < specials, random.choice(odd, shape), x)
