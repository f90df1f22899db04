"""Arguments to differentiate with respect to, as structures of new leaves of the graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any, NamedTuple, Optional, Union

import numpy as np
import numpy.typing as npt

from .. import _native
from .._arrays import Shape, shaped
from .._enums import GradientStatus, TRTag
from .._native import Tracer, TRNode, TRScalar
from .._trees import LEAF, Structure, flatten
from ..array import TRArray

#: A gradient, a node where it is recorded, and its status; None where the value does not depend on
#: the leaf.
Found = Optional[tuple[Union[TRScalar, TRNode], GradientStatus]]

_NO_DEPENDENCE = (0.0, GradientStatus.EXACT)
#: What needs no closer look.
_SCALARS = frozenset({float, int, TRNode, TRScalar})


class _Leaf(NamedTuple):
    """A value of a structure."""

    shape: Optional[Shape]
    """None for what is no array."""
    is_numeric: bool
    """Whether it is an array without any node, whose gradient is an array of doubles."""

    @property
    def size(self) -> int:
        """The number of its elements."""
        return 1 if self.shape is None else prod(self.shape)


class GradArgument:
    """An argument made of new leaves, and its gradients in the structure of the argument."""

    __slots__ = ("_leaves", "_structure", "has_nodes", "nodes", "value")

    def __init__(self, given: Any, name: str) -> None:
        """Replaces each number of ``given`` by a node.

        Args:
            given: a number, TR scalar or node, an array of these, or a structure of all that.
            name: of the argument, for errors.

        Raises:
            TypeError: if it holds anything else. The error names the place.
        """
        self.nodes: list[TRNode] = []
        self.has_nodes = False  # whether the argument holds a node
        self._structure: Optional[Structure] = None  # that of a bare scalar
        self._leaves: list[_Leaf] = []
        self.value: Any
        if type(given) in _SCALARS:
            self.value = self._node(given)
            return
        values, structure = flatten(given, name)
        self._structure = structure
        made = []
        for place, value in enumerate(values):
            try:
                made.append(self._made(value))
            except TypeError as error:
                path = structure.paths(name)[place]
                if isinstance(value, Tracer):
                    raise TypeError(
                        f"{path} is a tracer, by which only the traced function as a whole is "
                        "differentiated: tr_vmap(f).value_and_grad gives the gradients of f"
                    ) from None
                raise TypeError(f"{path} cannot be differentiated by: {error}") from None
        self.value = structure.unflatten(made)

    @property
    def has_arrays(self) -> bool:
        """Whether the argument holds an array without nodes."""
        return any(leaf.is_numeric for leaf in self._leaves)

    @property
    def structure(self) -> Structure:
        """The structure of the argument."""
        return LEAF if self._structure is None else self._structure

    @property
    def shapes(self) -> tuple[Optional[Shape], ...]:
        """The shape of each leaf; None for what is no array."""
        if self._structure is None:
            return (None,)
        return tuple([leaf.shape for leaf in self._leaves])

    def gradients(self, found: Iterator[Found], depends: bool) -> Any:
        """The gradients.

        Args:
            found: an iterator over those by each node.
            depends: whether they may depend on nodes that are no arguments.
        """
        if self._structure is None:
            return node_of(next(found), depends)
        return self._structure.unflatten(
            [
                _gradient(leaf, [next(found) for _ in range(leaf.size)], depends)
                for leaf in self._leaves
            ]
        )

    def statuses(self, found: Iterator[Found]) -> Any:
        """The statuses, likewise."""
        if self._structure is None:
            return (next(found) or _NO_DEPENDENCE)[1]
        return self._structure.unflatten(
            [_status(leaf, [next(found) for _ in range(leaf.size)]) for leaf in self._leaves]
        )

    def _made(self, value: Any) -> Any:
        """A leaf made of nodes."""
        if isinstance(value, TRArray):
            value = value.to_ieee()
        if not isinstance(value, np.ndarray):
            self._leaves.append(_Leaf(None, False))
            return self._node(value)
        if isinstance(value, np.ma.MaskedArray):
            raise TypeError("a masked array would lose its mask; fill in what is masked")
        if value.dtype.kind not in "fiubO":
            raise TypeError(f"an array of {value.dtype} does not hold real numbers")
        elements = elements_of(value)
        is_numeric = not any(isinstance(element, TRNode) for element in elements)
        self._leaves.append(_Leaf(value.shape, is_numeric))
        nodes = [self._node(element) for element in elements]
        return shaped(nodes, value.shape)

    def _node(self, value: Any) -> TRNode:
        """A source of its own: the gradient is by the argument, however that was computed."""
        if isinstance(value, TRNode):
            self.has_nodes = True
            node = _native.alias(value)
        else:
            node = TRNode.parameter(value)
        self.nodes.append(node)
        return node


def elements_of(array: npt.NDArray[Any]) -> list[Any]:
    """The elements of an array in row-major order, those of a numeric one as floats."""
    if array.dtype.kind != "O":
        with np.errstate(all="ignore"):  # narrowing a long double may overflow to an infinity
            array = array.astype(np.float64)
    items: list[Any] = array.ravel().tolist()
    return items


def added(total: Found, more: Found) -> Found:
    """A sum of gradients with the union of their statuses."""
    if total is None or more is None:
        return total or more
    # An overflowed sum keeps its value, so that no gradient is ever Φ.
    value = total[0] + more[0] if total[0].tag is TRTag.REAL else total[0]
    return value, total[1] | more[1]


def recorded(
    root: TRNode, leaves: list[TRNode], found: Sequence[Any], adjoint: Any = None
) -> list[Found]:
    """The gradients of a root as nodes of the graph, which can be differentiated once more."""
    nodes = _native.record_gradients(root, leaves, found, adjoint)
    pairs = zip(found, nodes)
    return [None if node is None else (node, each[1]) for each, node in pairs]


def node_of(found: Found, depends: bool, bound: bool = True) -> TRNode:
    """A gradient as a node: a constant, unless it is recorded.

    A constant knows whether it may depend on other nodes. One that does is bound to the graph, as
    what requires a gradient is, unless nobody can have meant to differentiate it.
    """
    gradient, status = found or _NO_DEPENDENCE
    if isinstance(gradient, TRNode):
        if gradient.gradient_status != status:
            _native.note_status(gradient, status)
        return gradient
    return _native.gradient_node(gradient, status, depends and found is not None, bound)


def _gradient(leaf: _Leaf, found: list[Found], depends: bool) -> Any:
    # An array of numbers would lose the dependence without a word.
    if leaf.is_numeric and not depends:
        numbers = [0.0 if each is None else float(each[0]) for each in found]
        return np.array(numbers).reshape(leaf.shape or ())
    nodes = [node_of(each, depends) for each in found]
    return nodes[0] if leaf.shape is None else shaped(nodes, leaf.shape)


def _status(leaf: _Leaf, found: list[Found]) -> Any:
    statuses = [(each or _NO_DEPENDENCE)[1] for each in found]
    if leaf.shape is None:
        return statuses[0]
    return np.array(statuses, np.uint8).reshape(leaf.shape)
