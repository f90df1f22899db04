"""Tracing: a function called once on tracers becomes a program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Optional

import numpy as np

from .. import _native
from .._native import TracedCondition, TracedProgram, Tracer, TRNode, TRScalar
from ._batch_arguments import Parameters, Shape


@dataclass(frozen=True)
class Structure:
    """The structure of a result: one array or node, or a tuple or list of them."""

    container: Optional[type]
    shapes: tuple[Shape, ...]

    @property
    def is_node(self) -> bool:
        """Whether it is one node."""
        return self.container is None and self.shapes == ((),)

    @property
    def count(self) -> int:
        """The number of nodes."""
        return sum(map(prod, self.shapes))

    def pack(self, results: list[Any]) -> Any:
        """The results as the function returns them."""
        return results[0] if self.container is None else self.container(results)


@dataclass(frozen=True)
class Traced:
    """A function as a program, for arguments of these shapes."""

    program: TracedProgram
    structure: Structure
    shapes: tuple[Shape, ...]
    per_sample: tuple[bool, ...]


def trace(
    function: Callable[..., Any],
    parameters: Parameters,
    shapes: Sequence[Shape],
    per_sample: Sequence[bool],
) -> Traced:
    """Calls the function on tracers: object arrays of them, and bare ones for shape ()."""
    names = [parameters.name(place) for place in range(len(shapes))]
    running = _native.Trace(list(zip(names, shapes, per_sample)))
    try:
        arguments = [_shaped(running.elements(place), shape) for place, shape in enumerate(shapes)]
        nodes, structure = _flatten(function(*arguments), parameters.label)
        program = running.finish(nodes)
    finally:
        running.close()
    return Traced(program, structure, tuple(shapes), tuple(per_sample))


def _shaped(elements: list[Tracer], shape: Shape) -> Any:
    if shape == ():
        return elements[0]
    array = np.empty(len(elements), dtype=object)
    array[:] = elements
    return array.reshape(shape)


def _flatten(result: Any, label: str) -> tuple[list[Any], Structure]:
    """The nodes of a result in order."""
    container = next((kind for kind in (tuple, list) if isinstance(result, kind)), None)
    items = [result] if container is None else list(result)
    nodes: list[Any] = []
    shapes: list[Shape] = []
    for place, item in enumerate(items):
        is_array = isinstance(item, np.ndarray) and item.dtype == object
        shapes.append(item.shape if is_array else ())
        for node in item.ravel().tolist() if is_array else [item]:
            if not isinstance(node, (Tracer, TRNode, TRScalar)):
                where = (
                    "" if container is None else f" at place {place} of its {container.__name__}"
                )
                hint = (
                    "; choose between numbers with tr_where(condition, a, b)"
                    if isinstance(node, TracedCondition)
                    else ""
                )
                raise TypeError(f"{label} must return nodes, not {_kind(node)}{where}{hint}")
            nodes.append(node)
    if not nodes:
        raise TypeError(f"{label} must return nodes, but returned none")
    return nodes, Structure(container, tuple(shapes))


def _kind(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype}"
    return "None" if value is None else type(value).__name__
