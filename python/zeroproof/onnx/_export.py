"""The forward pass of a program as an ONNX model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import prod
from typing import Any, Optional

import numpy as np
from onnx import ModelProto, TensorProto, checker, helper

from ..autodiff._batch_trace import Results
from ..autodiff.batched import Program
from ..replay._forward import Forward
from ..replay._kit import Kit
from ..replay._program import Program as Nodes
from ._graph import Graph, Numbers, Value

__all__ = ["OPSET", "model_of"]

#: The version of ONNX's operators.
OPSET = 18
#: That of the file format: the first with these operators.
_FORMAT = 8
_SAMPLES = "samples"


def model_of(program: Program) -> ModelProto:
    """The model; see ``Program.to_onnx``.

    Raises:
        NotImplementedError: for an operation that has no rule; it names it.
    """
    traced = program._portable.traced
    graph = Graph()
    numbers = Numbers(graph)
    nodes = Nodes(traced.program)
    names = _identifiers([argument.name for argument in nodes.arguments], "x")
    inputs = []
    arguments = []
    samples: Optional[Value] = None
    for name, argument in zip(names, nodes.arguments):
        shape = [*([_SAMPLES] if argument.per_sample else []), *argument.shape]
        inputs.append(helper.make_tensor_value_info(name, TensorProto.DOUBLE, shape, argument.name))
        arguments.append(_Argument(Value(graph, name), argument.shape, argument.per_sample))
        if argument.per_sample and samples is None:
            extents = graph.node("Shape", Value(graph, name), start=0, end=1)
            samples = extents
    kit = Kit(numbers, "float64")  # type: ignore[arg-type]  # it has what values are made of
    values = Forward(kit, nodes, arguments).values
    outputs = _outputs(numbers, traced.results, [values[o] for o in nodes.outputs], samples)
    model = helper.make_model(
        helper.make_graph(
            graph.nodes, _identifiers([program.name], "f")[0], inputs, outputs, graph.constants
        ),
        producer_name="zeroproof",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=_FORMAT,
    )
    checker.check_model(model, full_check=True)
    return model


class _Argument:
    """An argument whose elements are taken by their index."""

    def __init__(self, value: Value, shape: tuple[int, ...], per_sample: bool) -> None:
        self._value, self._shape, self._per_sample = value, shape, per_sample

    def __getitem__(self, index: tuple[Any, ...]) -> Value:
        if not self._shape:
            return self._value
        graph, place = self._value.graph, index[1:]
        flat = graph.constant(np.array([0, -1] if self._per_sample else [-1]))
        rows = graph.node("Reshape", self._value, flat)
        number = graph.constant(np.int64(np.ravel_multi_index(place, self._shape)))
        return graph.node("Gather", rows, number, axis=1 if self._per_sample else 0)


def _outputs(
    numbers: Numbers, results: Results, values: Sequence[Value], samples: Optional[Value]
) -> list[Any]:
    """Values and tags of each array of the results."""
    graph = numbers.graph
    none = graph.constant(np.zeros(0, np.int64))
    leading = none if samples is None else samples
    found, first = [], 0
    labels = _identifiers(results.structure.paths("values"), "values")
    for label, shape in zip(labels, results.shapes):
        some = values[first : first + prod(shape)]
        first += prod(shape)
        whole = graph.node("Concat", leading, graph.constant(np.array(shape, np.int64)), axis=0)
        if some:
            joined = graph.node("Reshape", numbers.stacked(some, leading), whole)
        else:
            zero = helper.make_tensor("", TensorProto.DOUBLE, [1], [0.0])
            joined = graph.node("ConstantOfShape", whole, value=zero)
        is_infinite = numbers.where(joined > 0.0, 1.0, 2.0)
        tags = numbers.where(
            numbers.isfinite(joined),
            0.0,
            numbers.where(numbers.isnan(joined), 3.0, is_infinite),
        )
        as_bytes = graph.node("Cast", tags, to=TensorProto.UINT8)
        axes = [*([] if samples is None else [_SAMPLES]), *shape]
        for name, value, kind in (
            (label, joined, TensorProto.DOUBLE),
            (label.replace("values", "tags", 1), as_bytes, TensorProto.UINT8),
        ):
            graph.nodes.append(helper.make_node("Identity", [value.name], [name]))
            found.append(helper.make_tensor_value_info(name, kind, axes))
    return found


def _identifiers(names: Sequence[str], otherwise: str) -> list[str]:
    """The names as ONNX wants them, all different: ``p['a']`` becomes ``p_a``."""
    found: list[str] = []
    for name in names:
        plain = re.sub(r"[^0-9A-Za-z]+", "_", name).strip("_") or otherwise
        plain = f"_{plain}" if plain[0].isdigit() else plain
        number, unique = 1, plain
        while unique in found:
            number += 1
            unique = f"{plain}_{number}"
        found.append(unique)
    return found
