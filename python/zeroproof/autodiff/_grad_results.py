"""Results of differentiated functions: read as nodes, and given back to the caller."""

from __future__ import annotations

from typing import Any, Union

import numpy as np

from .. import _native
from .._arrays import drawn
from .._native import TRNode, TRScalar
from .._trees import flatten
from ..array import TRArray


def as_node(result: Any) -> TRNode:
    """What a function returned, a number as a constant.

    Raises:
        TypeError: if it is neither a node nor a number.
    """
    if isinstance(result, TRNode):
        return result
    is_element = isinstance(result, np.ndarray) and result.shape == () and result.dtype == object
    element = result.item() if is_element else result
    if isinstance(element, TRNode):
        return element
    if not isinstance(element, (bool, np.bool_)):
        try:
            return TRNode.constant(element)
        except TypeError:
            pass
    raise TypeError(
        f"the function must return a TRNode or a number, not {type(element).__name__}: compute "
        "with the nodes it is given, and return one"
    )


def separate_aux(result: Any) -> tuple[Any, Any]:
    """The value and the rest of what a function with ``has_aux`` returned.

    Raises:
        TypeError: if that is no pair.
    """
    if isinstance(result, tuple) and len(result) == 2:
        return result[0], result[1]
    given = f"a tuple of {len(result)}" if isinstance(result, tuple) else type(result).__name__
    raise TypeError(f"with has_aux the function must return (value, aux), not {given}")


class Outcome:
    """How results go back: as nodes if anything outside of the call depends on the graph."""

    def __init__(self, leaves: list[TRNode], keeps_graph: bool, has_arrays: bool) -> None:
        """Notes what belongs to the call.

        Args:
            leaves: those made for the call.
            keeps_graph: whether an argument was a node, so that results are nodes.
            has_arrays: whether an argument holds an array of numbers, so that values are arrays.
        """
        self._leaves = leaves
        self._keeps_graph = keeps_graph
        self._has_arrays = has_arrays

    def value(self, node: TRNode, depends: bool) -> Union[TRScalar, TRArray, TRNode]:
        """The node itself if it is to be connected with nodes outside, else its value.

        Args:
            node: what the function computed.
            depends: whether it depends on nodes that the function read beside its arguments.
        """
        if self._keeps_graph or depends:
            return node
        # NumPy and SciPy take an array for a number, and a TR scalar for an object.
        return TRArray(np.array(node.item())) if self._has_arrays else node.value

    def aux(self, aux: Any) -> Any:
        """Further results, nodes in them as :meth:`value` has it; everything else as it is."""
        leaves, structure = flatten(aux, "aux")
        returned = [self._leaf(leaf) for leaf in leaves]
        if all(new is old for new, old in zip(returned, leaves)):
            return aux
        return structure.unflatten(returned)

    def _leaf(self, leaf: Any) -> Any:
        if isinstance(leaf, TRNode):
            return self.value(leaf, _native.depends_on_others(leaf, self._leaves))
        if isinstance(leaf, np.ndarray) and leaf.dtype == object:
            return drawn(leaf.shape, map(self._element, leaf.ravel().tolist()))
        return leaf

    def _element(self, element: Any) -> Any:
        """An element of an array of objects."""
        if not isinstance(element, TRNode):
            return element
        keeps = self._keeps_graph or _native.depends_on_others(element, self._leaves)
        return element if keeps else element.value
