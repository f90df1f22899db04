"""A function at a point: its values nearby, and its gradients in the required modes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Optional

import numpy as np
import numpy.typing as npt

from .. import _native
from .._arrays import Shape, drawn
from .._enums import GradientMode, GradientStatus, OpType
from .._native import TRNode, TRScalar
from .._op_facts import PERIODIC
from .._trees import LEAF, Structure, flatten
from ..array import TRArray
from ._batch_arguments import is_structure
from ._differences import EPSILON
from ._grad_results import as_node
from ._parameters import ParameterNames

_SMALLEST = 2.0**-1074
#: A saturation bound at which bounded partials are the classical ones, but at a pole.
_NO_BOUND = _SMALLEST
#: How many roundings a partial and the products and sums it goes into may take.
_ROUNDINGS = 16.0
#: Beyond this operand of a periodic operation, the step sizes do not resolve a period.
_LARGEST_PHASE = 2.0**40

Gradient = tuple[float, GradientStatus]


class Graph(NamedTuple):
    """Properties of the graph that limit the accuracy of the check."""

    noise: float
    """A bound on the rounding error of the value, to first order."""
    kinked: bool
    """Whether an operation has a kink here."""
    unresolved: bool
    """Whether a partial leaves the range of a double, or doubles near the operand of a sine are
    too far apart for its waves."""


class Gradients(NamedTuple):
    """The gradients by every input, in three ways."""

    value: TRScalar
    in_mode: list[Gradient]
    """In the checked mode."""
    unbounded: list[float]
    """In the checked mode with a bound near 0."""
    classical: list[Gradient]
    """In Mask-REAL mode."""
    graph: Graph
    rounding: list[float]
    """Bounds on the rounding errors of the gradients."""


class Point:
    """A function and the arguments to check it at, flattened."""

    def __init__(self, f: Callable[..., Any], xs: Sequence[Any]) -> None:
        """Flattens the arguments.

        Raises:
            TypeError: if an argument is not a number.
            ValueError: if one is not finite, or there is none.
        """
        parameters = ParameterNames(f)
        self._f = f
        self._structures: list[Structure] = []
        self._shapes: list[Optional[Shape]] = []  # of each leaf of the structures
        self.names: list[str] = []
        self.values: list[float] = []
        self._kinds: list[Callable[[float], TRNode]] = []
        for place, x in enumerate(xs):
            name = parameters.name(place)
            leaves, structure = flatten(x, name) if is_structure(x) else ([x], LEAF)
            self._structures.append(structure)
            for leaf, path in zip(leaves, structure.paths(name)):
                array = _as_array(leaf)
                self._shapes.append(None if array is None else array.shape)
                for where, element in _elements(leaf, array):
                    self._add(path + where, element)
        if not self.values:
            raise ValueError("there is nothing to check: pass the point, a number for each input")
        self._constants = [TRNode.constant(value) for value in self.values]

    def near(self, place: int) -> Callable[[float], float]:
        """The function of one input alone, as IEEE doubles."""

        def value(x: float) -> float:
            nodes = list(self._constants)
            nodes[place] = TRNode.constant(x)
            return as_node(self._f(*self._arguments(nodes))).item()

        return value

    def gradients(self) -> Gradients:
        """The gradients at the point, in the current mode."""
        sources = [kind(value) for kind, value in zip(self._kinds, self.values)]
        root = self._call(sources)
        with _native.gradient_block(GradientMode.MASK_REAL):
            classical = gradients_by(root, sources)
            graph, sizes = examine(root)
        mode = _native.get_mode()
        in_mode = classical if mode is GradientMode.MASK_REAL else gradients_by(root, sources)
        unbounded = in_mode
        if any(status & GradientStatus.SATURATED for _, status in in_mode):
            with _native.gradient_block(mode, _NO_BOUND):
                unbounded = gradients_by(root, sources)
        return Gradients(
            value=root.value,
            in_mode=in_mode,
            unbounded=[gradient for gradient, _ in unbounded],
            classical=classical,
            graph=graph,
            rounding=[_ROUNDINGS * EPSILON * sizes.get(hash(source), 0.0) for source in sources],
        )

    def _call(self, sources: list[TRNode]) -> TRNode:
        """The value at these leaves, one for each input, to be differentiated."""
        arguments = self._arguments(sources)
        return as_node(_native.call_differentiated(self._f, arguments, {}, sources))

    def _arguments(self, nodes: Sequence[TRNode]) -> tuple[Any, ...]:
        """The arguments made of these nodes, as many as there are inputs."""
        given = iter(nodes)
        leaves = iter([drawn(shape, given) for shape in self._shapes])
        return tuple(
            [
                structure.unflatten([next(leaves) for _ in range(structure.count)])
                for structure in self._structures
            ]
        )

    def _add(self, name: str, element: Any) -> None:
        is_input = isinstance(element, TRNode) and element.op is OpType.INPUT
        try:
            is_node = isinstance(element, TRNode)
            value = element.item() if is_node else float(TRScalar(element))
        except TypeError:
            raise TypeError(
                f"{name} must be a number, a TRScalar or a TRNode, not {type(element).__name__}"
            ) from None
        if not math.isfinite(value):
            raise ValueError(
                f"{name} is {value}, and a gradient is checked where its inputs are REAL: pass a "
                "finite number"
            )
        self.names.append(name)
        self.values.append(value)
        self._kinds.append(TRNode.input if is_input else TRNode.parameter)


def _as_array(x: Any) -> Optional[npt.NDArray[Any]]:
    """An argument with elements; None for a single value."""
    if isinstance(x, TRArray):
        x = x.to_ieee()
    if isinstance(x, (list, tuple, np.ndarray)):
        array = np.asarray(x, dtype=object)
        return array if array.ndim else None
    return None


def _elements(x: Any, array: Optional[npt.NDArray[Any]]) -> Iterator[tuple[str, Any]]:
    """The values of an argument, and where each stands in it."""
    if array is None:
        yield "", x.item() if isinstance(x, np.ndarray) else x
    else:
        for index in np.ndindex(array.shape):
            yield f"[{', '.join(map(str, index))}]", array[index]


def gradients_by(root: TRNode, sources: list[TRNode]) -> list[Gradient]:
    """The gradients by these nodes, a true 0 for one that no path leads to.

    The statistics do not count the pass.
    """
    return [
        (0.0, GradientStatus.EXACT) if found is None else (float(found[0]), found[1])
        for found in _native.call_uncounted(_native.gradients_of, root, sources, None)
    ]


def examine(root: TRNode) -> tuple[Graph, dict[int, float]]:
    """Examines the graph, in the current mode.

    Returns:
        What was found, and for each node, by its hash (which is its identity), the sum of the sizes
        of all terms of its adjoint. Partials that cancel in the adjoint do not cancel in this sum,
        as their rounding errors do not.
    """
    sizes = {hash(root): 1.0}
    noise, kinked, unresolved = 0.0, False, False
    for node in _native.topological_order(root):
        size = sizes.get(hash(node), 0.0)
        if node.is_leaf or size == 0.0:
            continue
        operands = [source.item() for source in node.inputs]
        kinked |= _native.is_at_kink(node.op, operands)
        unresolved |= node.op in PERIODIC and abs(operands[0]) > _LARGEST_PHASE
        value = abs(node.item())
        if math.isfinite(value):
            noise += size * (EPSILON * value + _SMALLEST)
        for source, (partial, status) in zip(node.inputs, _native.input_gradients(node, 1.0)):
            passed = size * abs(float(partial))
            if status & GradientStatus.DROPPED or not math.isfinite(passed):
                unresolved = True
            else:
                sizes[hash(source)] = sizes.get(hash(source), 0.0) + passed
    return Graph(noise, kinked, unresolved), sizes
