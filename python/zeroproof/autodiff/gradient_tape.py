"""A gradient tape with the interface of TensorFlow's.

Operations are recorded with and without a tape; the tape holds the watched constants, and restricts
the number of ``gradient`` calls unless it is persistent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Optional, Union

from .. import _native
from .._enums import GradientStatus, TRTag
from .._native import TRNode, TRScalar
from ..typing import Operand

__all__ = ["TRGradientTape", "gradient_tape"]


class TRGradientTape:
    """Computes gradients with respect to parameters, inputs and watched constants.

    Args:
        persistent: whether ``gradient`` may be called more than once.
    """

    def __init__(self, persistent: bool = False) -> None:
        self._persistent = persistent
        self._used = False
        self._watched: list[TRNode] = []

    def __enter__(self) -> TRGradientTape:
        return self

    def __exit__(
        self,
        exc_type: Optional[type[BaseException]],
        exc: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        """Exits the tape; ``gradient`` is usually called after that."""

    def watch(self, node: Union[TRNode, Iterable[TRNode]]) -> None:
        """Makes a constant a source for the operations recorded from now on.

        Parameters and inputs are always sources. A constant stays watched after the tape is exited.

        Raises:
            TypeError: if it is not a node or nodes.
        """
        for each in [node] if isinstance(node, TRNode) else list(node):
            if not isinstance(each, TRNode):
                raise TypeError(f"watch takes TRNodes, not {type(each).__name__}")
            _native.watch(each)
            self._watched.append(each)

    def gradient(
        self,
        target: Union[TRNode, Sequence[TRNode]],
        sources: Any,
        output_gradients: Any = None,
    ) -> Any:
        """The gradients of ``target`` with respect to ``sources``.

        Args:
            target: a node, or several whose gradients are added.
            sources: a node, or a nested structure of lists, tuples and dicts of nodes.
            output_gradients: the adjoint of the target, by default 1; for several targets a list.

        Returns:
            Constants in the structure of ``sources``. A source that the target does not depend on
            gives REAL 0 if it requires a gradient or is watched, and None otherwise. Each has its
            status as ``gradient_status``. No node's ``gradient`` changes.

        Raises:
            NotImplementedError: if a target was computed from a gradient that may depend on a
                source: there are no second derivatives yet. ``gradient.detach()`` makes it a
                constant.
            RuntimeError: at the second call, unless the tape is persistent.
        """
        if self._used and not self._persistent:
            raise RuntimeError(
                "this tape has been used; make it with gradient_tape(persistent=True) to call "
                "gradient more than once"
            )
        targets: list[Any] = list(target) if isinstance(target, (list, tuple)) else [target]
        adjoints = _adjoints(output_gradients, len(targets))
        nodes = list(_flatten(sources))
        for node in [*targets, *nodes]:
            if not isinstance(node, TRNode):
                raise TypeError(f"gradient takes TRNodes, not {type(node).__name__}")
        self._used = True
        totals: list[Optional[TRNode]] = [None] * len(nodes)
        for each, adjoint in zip(targets, adjoints):
            for k, found in enumerate(_native.gradients_of(each, nodes, adjoint)):
                if found is not None and self._is_source(nodes[k]):
                    totals[k] = _add(totals[k], *found)
        results = iter(
            TRNode.constant(0.0) if total is None and self._is_source(node) else total
            for node, total in zip(nodes, totals)
        )
        return _like(sources, results)

    def _is_source(self, node: TRNode) -> bool:
        # Nodes compare by value and hash by identity.
        return node.requires_grad or hash(node) in map(hash, self._watched)

    def reset(self) -> None:
        """Resets the tape: nothing is watched, and ``gradient`` may be called again."""
        self._watched = []
        self._used = False


def gradient_tape(persistent: bool = False) -> TRGradientTape:
    """Creates a tape, to be used as a ``with`` block."""
    return TRGradientTape(persistent)


def _add(total: Optional[TRNode], gradient: TRScalar, status: GradientStatus) -> TRNode:
    """A sum of gradients with the union of their statuses."""
    if total is None:
        return _native.gradient_node(gradient, status, True)
    # An overflowed sum keeps its value, so that no gradient is ever Φ.
    value = total.value + gradient if total.tag is TRTag.REAL else total.value
    return _native.gradient_node(value, total.gradient_status | status, True)


def _adjoints(output_gradients: Any, count: int) -> list[Optional[Operand]]:
    if output_gradients is None:
        return [None] * count
    given = output_gradients if isinstance(output_gradients, (list, tuple)) else [output_gradients]
    if len(given) != count:
        raise ValueError(f"{count} targets need as many output gradients, not {len(given)}")
    return list(given)


def _flatten(structure: Any) -> Iterable[Any]:
    if isinstance(structure, Mapping):
        structure = structure.values()
    elif not isinstance(structure, (list, tuple)):
        yield structure
        return
    for item in structure:
        yield from _flatten(item)


def _like(structure: Any, results: Any) -> Any:
    """The results, taken one by one, in the structure of the sources."""
    if isinstance(structure, Mapping):
        return {key: _like(item, results) for key, item in structure.items()}
    if isinstance(structure, (list, tuple)):
        items = [_like(item, results) for item in structure]
        is_named = hasattr(structure, "_fields")
        return type(structure)(*items) if is_named else type(structure)(items)
    return next(results)
