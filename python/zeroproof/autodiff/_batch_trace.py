"""Tracing: a function called once on tracers becomes a program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from .. import _native
from .._arrays import Shape
from .._native import LastUse, TracedCondition, TracedProgram, Tracer, TRNode, TRScalar
from .._trees import Structure, flatten
from ..array import TRArray
from ._batch_layout import Layout
from ._grad_arguments import elements_of


@dataclass(frozen=True)
class Results:
    """What a function returns: a structure whose leaves are nodes or arrays of nodes."""

    structure: Structure
    shapes: tuple[Shape, ...]
    """One for each leaf."""

    @property
    def is_node(self) -> bool:
        """Whether it is one node."""
        return self.structure.is_leaf and self.shapes == ((),)

    @property
    def count(self) -> int:
        """The number of nodes."""
        return sum(map(prod, self.shapes))


@dataclass(frozen=True)
class Traced:
    """A function as a program, for arguments of these shapes."""

    program: TracedProgram
    results: Results
    layout: Layout
    last_use: LastUse = field(default_factory=LastUse, compare=False)
    """When it was last asked for, prepared calls included."""


def trace(
    function: Callable[..., Any],
    layout: Layout,
    label: str,
    select: Callable[[Any], Any] = lambda result: result,
) -> Traced:
    """Calls the function on tracers: object arrays of them, and bare ones for shape ().

    Args:
        function: the function.
        layout: its arguments.
        label: its name, for errors.
        select: takes what the program is to compute from what the function returns.
    """
    leaves = list(zip(layout.names, layout.shapes, layout.per_sample))
    running = _native.Trace(leaves)
    try:
        elements = [running.elements(leaf) for leaf in range(len(leaves))]
        try:
            result = layout.call(function, elements)
        except IndexError as error:
            if not _is_about_the_index(error):
                raise
            raise IndexError(
                f"{error}. If {label} indexes an array with a number that depends on the samples, "
                "use tr_take(array, index)"
            ) from error
        nodes, results = _flatten(select(result), label)
        program = running.finish(nodes)
    finally:
        running.close()
    return Traced(program, results, layout)


def _is_about_the_index(error: IndexError) -> bool:
    """Whether NumPy refused an index for its type, as it refuses tracers."""
    return "valid indices" in str(error) or "used as indices" in str(error)


def _flatten(result: Any, label: str) -> tuple[list[Any], Results]:
    """The nodes of a result in order; numbers as TR scalars."""
    leaves, structure = flatten(result, "its result")
    nodes: list[Any] = []
    shapes: list[Shape] = []
    for place, leaf in enumerate(leaves):
        value = leaf.to_ieee() if isinstance(leaf, TRArray) else leaf
        is_array = isinstance(value, np.ndarray) and value.dtype.kind in "Ofiu"
        shapes.append(value.shape if is_array else ())
        for item in elements_of(value) if is_array else [value]:
            node = _node(item)
            if node is None:
                where = "" if structure.is_leaf else f" at {structure.paths('result')[place]}"
                raise TypeError(
                    f"{label} must return nodes or numbers, not {_kind(item)}{where}{_hint(item)}"
                )
            nodes.append(node)
    if not nodes:
        raise TypeError(f"{label} must return nodes, but returned none")
    return nodes, Results(structure, tuple(shapes))


def _node(item: Any) -> Any:
    """What the engine takes as an output; None for what is neither a node nor a number."""
    if isinstance(item, (Tracer, TRNode, TRScalar)):
        return item
    if isinstance(item, (bool, np.bool_)):
        return None
    try:
        return TRScalar(item)
    except TypeError:
        return None


def _hint(item: Any) -> str:
    if isinstance(item, (TracedCondition, bool, np.bool_)):
        return "; choose between numbers with tr_where(condition, a, b)"
    return ""


def _kind(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype}"
    return "None" if value is None else type(value).__name__
