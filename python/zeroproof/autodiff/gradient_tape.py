"""A gradient tape with the interface of TensorFlow's.

Operations are recorded with and without a tape; the tape holds the watched constants, and restricts
the number of ``gradient`` calls unless it is persistent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Optional

import numpy as np

from .. import _native
from .._arrays import Shape, drawn
from .._native import TRNode
from .._trees import flatten, is_container
from ..typing import Operand
from ._grad_arguments import Found, added, elements_of, node_of, recorded

__all__ = ["TRGradientTape", "gradient_tape"]


#: How many tapes a thread or async task is in: gradients that are computed there are recorded.
_open_tapes: ContextVar[int] = ContextVar("open_tapes", default=0)


class TRGradientTape:
    """Computes gradients with respect to parameters, inputs and watched constants.

    Args:
        persistent: whether ``gradient`` may be called more than once.

    Examples:
        >>> from zeroproof import TRNode, TRGradientTape
        >>> x, c = TRNode.parameter(2.0), TRNode.constant(3.0)
        >>> with TRGradientTape() as tape:
        ...     tape.watch(c)
        ...     y = x * c
        >>> print(tape.gradient(y, [x, c]))
        [TRNode(3.0, REAL, op=constant), TRNode(2.0, REAL, op=constant)]
        >>> tape.reset()
    """

    def __init__(self, persistent: bool = False) -> None:
        self._persistent = persistent
        self._used = False
        self._watched: list[TRNode] = []

    def __enter__(self) -> TRGradientTape:
        _open_tapes.set(_open_tapes.get() + 1)
        _native.begin_tape()
        return self

    def __exit__(
        self,
        exc_type: Optional[type[BaseException]],
        exc: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        """Exits the tape; ``gradient`` is usually called after that."""
        _open_tapes.set(_open_tapes.get() - 1)
        _native.end_tape()

    def watch(self, node: Any) -> None:
        """Makes constants sources for the operations recorded from now on.

        Parameters and inputs are always sources. A constant stays watched after the tape is exited.

        Args:
            node: a node, an iterable of nodes, or a structure of nodes and object arrays of nodes.

        Raises:
            TypeError: if anything else is in it. Then nothing is watched.
        """
        is_iterable = isinstance(node, Iterable) and not isinstance(node, (str, bytes, np.ndarray))
        # A set or a generator is no structure.
        given = list(node) if is_iterable and not is_container(node) else node
        nodes = _Nodes(given, "watch", "node").nodes
        for each in nodes:
            _native.watch(each)
        self._watched.extend(nodes)

    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
    ) -> Any:
        """The gradients of ``target`` with respect to ``sources``.

        Args:
            target: a node, or several whose gradients are added: an object array or a structure of
                nodes.
            sources: a node, or a structure of nodes and object arrays of nodes: dicts, lists,
                tuples, named tuples and dataclasses, nested in any way.
            output_gradients: the adjoint of the target, by default 1; for several targets as many,
                in a list, an array or the structure of the targets.

        Returns:
            Nodes in the structure of ``sources``, in object arrays where these are: constants,
            unless a tape is open around the call, or a function is being differentiated; then they
            can be differentiated once more. A source
            that the target does not depend on gives REAL 0 if it requires a gradient or is watched,
            and None otherwise. Each has its status as ``gradient_status``. No node's ``gradient``
            changes.

        Raises:
            NotImplementedError: if a target was computed from a gradient that may depend on a
                source, and that is a constant since no tape was open, or a gradient of a gradient.
                ``gradient.detach()`` treats it as a constant.
            RuntimeError: at the second call, unless the tape is persistent.
            TypeError: if a target or a source is no node. The error names its place.
            ValueError: for another number of output gradients than of targets.
        """
        if self._used and not self._persistent:
            raise RuntimeError(
                "this tape has been used; make it with gradient_tape(persistent=True) to call "
                "gradient more than once"
            )
        targets = _Nodes(target, "gradient", "target").nodes
        if not targets:
            raise TypeError("gradient takes at least one target")
        adjoints = _adjoints(output_gradients, len(targets))
        wanted = _Nodes(sources, "gradient", "sources")
        nodes = wanted.nodes
        self._used = True
        asked = [self._is_source(node) for node in nodes]
        totals: list[Found] = [None] * len(nodes)
        records = _is_open() or _native.is_differentiating()
        for each, adjoint in zip(targets, adjoints):
            row: list[Found] = list(_native.gradients_of(each, nodes, adjoint))
            # A recorded gradient does not know how it depends on an adjoint.
            if records and not (isinstance(adjoint, TRNode) and adjoint.requires_grad):
                row = recorded(each, nodes, row, adjoint)
            for k, found in enumerate(row):
                if asked[k]:
                    totals[k] = added(totals[k], found)
        return wanted.filled(
            [
                node_of(total, True, bound=records) if is_asked else None
                for total, is_asked in zip(totals, asked)
            ]
        )

    def _is_source(self, node: TRNode) -> bool:
        # Nodes compare by value and hash by identity.
        return node.requires_grad or hash(node) in map(hash, self._watched)

    def reset(self) -> None:
        """Resets the tape: nothing is watched, and ``gradient`` may be called again."""
        self._watched = []
        self._used = False


def gradient_tape(persistent: bool = False) -> TRGradientTape:
    """Creates a tape, to be used as a ``with`` block.

    Examples:
        >>> from zeroproof import TRNode, gradient_tape
        >>> x = TRNode.parameter(3.0)
        >>> with gradient_tape() as tape:
        ...     y = x * x
        >>> print(tape.gradient(y, x).item())
        6.0
    """
    return TRGradientTape(persistent)


def _is_open() -> bool:
    """Whether a tape is open in this thread or async task."""
    return _open_tapes.get() > 0


def _adjoints(output_gradients: Any, count: int) -> list[Optional[Operand]]:
    """The adjoint of each target."""
    if output_gradients is None:
        return [None] * count
    leaves = flatten(output_gradients, "output_gradients")[0]
    given = [
        element
        for leaf in leaves
        for element in (elements_of(leaf) if isinstance(leaf, np.ndarray) else [leaf])
    ]
    if len(given) != count:
        raise ValueError(f"{count} targets need as many output gradients, not {len(given)}")
    return given


class _Nodes:
    """The nodes of a structure, and what else may stand in their places."""

    def __init__(self, tree: Any, method: str, name: str) -> None:
        """Takes the structure apart.

        Args:
            tree: nodes, object arrays of nodes, or a structure of these.
            method: the method that takes it, for errors.
            name: its name, for errors.

        Raises:
            TypeError: if it holds anything else.
        """
        if tree is None:
            raise TypeError(f"{method} takes TRNodes, not None")
        leaves, self._structure = flatten(tree, name)
        self._shapes: list[Optional[Shape]] = []
        self.nodes: list[TRNode] = []
        for place, leaf in enumerate(leaves):
            is_array = isinstance(leaf, np.ndarray) and leaf.dtype == object
            self._shapes.append(leaf.shape if is_array else None)
            for element in leaf.ravel().tolist() if is_array else [leaf]:
                if not isinstance(element, TRNode):
                    where = self._structure.paths(name)[place]
                    at = "" if where == name else f" at {where}"
                    raise TypeError(f"{method} takes TRNodes, not {type(element).__name__}{at}")
                self.nodes.append(element)

    def filled(self, results: Sequence[Any]) -> Any:
        """The structure with a result in place of each node."""
        given = iter(results)
        return self._structure.unflatten([drawn(shape, given) for shape in self._shapes])


_native.set_in_tape(_is_open)
