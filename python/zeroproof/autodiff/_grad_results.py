"""Results of differentiated functions: read as nodes, and given back to the caller."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Union

import numpy as np

from .. import _native
from .._native import TRNode, TRScalar
from .._trees import flatten

__all__ = ["Outcome", "as_node", "separate_aux"]


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

    def __init__(self, leaves: Collection[TRNode], keeps_graph: bool) -> None:
        """Notes what belongs to the call.

        Args:
            leaves: those made for the call.
            keeps_graph: whether an argument was a node, so that results are nodes.
        """
        self._leaves = leaves
        self._keeps_graph = keeps_graph

    def value(self, node: TRNode) -> Union[TRScalar, TRNode]:
        """The value itself, unless it is to be connected with nodes outside."""
        return node if self._is_connected(node) else node.value

    def aux(self, aux: Any) -> Any:
        """Further results, nodes in them as :meth:`value` has it; everything else as it is."""
        leaves, structure = flatten(aux, "aux")
        returned = [self._leaf(leaf) for leaf in leaves]
        if all(new is old for new, old in zip(returned, leaves)):
            return aux
        return structure.unflatten(returned)

    def _leaf(self, leaf: Any) -> Any:
        if isinstance(leaf, TRNode):
            return self.value(leaf)
        if isinstance(leaf, np.ndarray) and leaf.dtype == object:
            array = np.empty(leaf.shape, dtype=object)
            array.ravel()[:] = [self._leaf(element) for element in leaf.ravel().tolist()]
            return array
        return leaf

    def _is_connected(self, node: TRNode) -> bool:
        if self._keeps_graph or not node.requires_grad:
            return self._keeps_graph
        own = set(map(hash, self._leaves))  # the hash of a node is its identity
        for below in _native.topological_order(node):
            if below.is_leaf and hash(below) not in own:
                return True
        return False
