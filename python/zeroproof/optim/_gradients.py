"""Gradients and their statuses, one for each element of the parameters."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .._arrays import Array
from .._enums import GradientStatus, OpType
from .._native import TRNode, TRScalar
from .._trees import Kind, Structure, flatten
from ._parameters import Leaf, Parameters

__all__ = ["Gradients", "gathered", "given"]

_SEQUENCES = {Kind.SEQUENCE, Kind.NAMED_TUPLE}
_ALL_FLAGS = int(GradientStatus.MASKED | GradientStatus.DROPPED | GradientStatus.SATURATED)


class Gradients(NamedTuple):
    """Vectors with one item for each element."""

    values: Array
    statuses: npt.NDArray[np.uint8]
    """Flags; 0 where they are not known."""
    known: npt.NDArray[np.bool_]
    """Whether the status is known."""
    missing: npt.NDArray[np.bool_]
    """Whether there is no gradient."""

    @classmethod
    def none(cls, size: int) -> Gradients:
        """No gradients yet."""
        return cls(
            np.zeros(size),
            np.zeros(size, np.uint8),
            np.zeros(size, np.bool_),
            np.ones(size, np.bool_),
        )


def gathered(parameters: Parameters) -> Gradients:
    """The gradients that the parameters themselves hold.

    Raises:
        TypeError: if a parameter is an array.
    """
    for leaf in parameters.leaves:
        if leaf.numbers is not None:
            raise TypeError(
                f"{leaf.path} is an array and holds no gradient: pass the gradients, as in "
                "optimizer.step(gradients, statuses)"
            )
    found = Gradients.none(parameters.size)
    gradients = [node.gradient for node in parameters.nodes]
    found.missing[:] = [gradient is None for gradient in gradients]
    found.values[:] = [0.0 if gradient is None else float(gradient) for gradient in gradients]
    found.statuses[:] = [node.gradient_status for node in parameters.nodes]
    found.known[:] = ~found.missing
    return found


def given(parameters: Parameters, gradients: Any, statuses: Any) -> Gradients:
    """Gradients in the structure of the parameters.

    Raises:
        TypeError: for another structure, or a leaf that is no number.
        ValueError: for arrays of another shape.
    """
    found = Gradients.none(parameters.size)
    entries = _entries(parameters, gradients, "gradients", one_for_all=False)
    nodes, places = [], []
    for leaf, entry in zip(parameters.leaves, entries):
        if isinstance(entry, TRNode) and not leaf.is_array:
            nodes.append(entry)
            places.append(leaf.elements.start)
        elif entry is not None:
            _put_gradient(found, leaf, entry)
    if nodes:
        _put_nodes(found, parameters, nodes, places)
    if statuses is not None:
        entries = _entries(parameters, statuses, "statuses", one_for_all=True)
        for leaf, entry in zip(parameters.leaves, entries):
            if entry is not None:
                _put_status(found, leaf, entry)
        found.statuses[found.missing] = 0
    return found


def _entries(parameters: Parameters, tree: Any, what: str, one_for_all: bool) -> list[Any]:
    """The item of ``tree`` for each leaf of the parameters; None for those that have none."""
    leaves, shape = flatten(tree, what)
    return _matched(parameters.structure, shape, leaves, what, one_for_all)


def _matched(
    target: Structure, shape: Structure, leaves: list[Any], path: str, one_for_all: bool
) -> list[Any]:
    if shape.kind is Kind.NONE:
        return [None] * target.count
    if target.is_leaf:
        return [shape.unflatten(leaves)]
    if shape.is_leaf:
        return _spread(target, leaves[0], path, one_for_all)
    alike = shape.kind is target.kind
    if not alike and not {shape.kind, target.kind} <= _SEQUENCES:
        raise TypeError(f"{path} is {shape.kind.value}, but the parameters are {target.kind.value}")
    # Lists, tuples and named tuples stand for each other item by item.
    keys = shape.keys if alike else target.keys
    if len(shape.keys) != len(target.keys) or set(keys) != set(target.keys):
        raise TypeError(
            f"{path} has the items {_listed(shape.keys)}, but those of the parameters are "
            f"{_listed(target.keys)}"
        )
    parts, start = {}, 0
    for key, child in zip(keys, shape.children):
        parts[key] = child, start
        start += child.count
    entries: list[Any] = []
    for key, child in zip(target.keys, target.children):
        part, start = parts[key]
        if child.is_leaf and part.is_leaf:
            entries.append(leaves[start])
        else:
            items = leaves[start : start + part.count]
            entries += _matched(child, part, items, path + target.step(key), one_for_all)
    return entries


def _spread(target: Structure, leaf: Any, path: str, one_for_all: bool) -> list[Any]:
    """A single leaf for a container of the parameters."""
    is_array = isinstance(leaf, np.ndarray) and leaf.ndim > 0
    if is_array and target.kind in _SEQUENCES:
        if len(leaf) != len(target.keys):
            raise ValueError(f"{path} has {len(leaf)} rows for {len(target.keys)} parameters")
        flat = [leaf[number, ...] for number in range(len(leaf))]
        return [
            entry
            for row, key, child in zip(flat, target.keys, target.children)
            for entry in (
                [row]
                if child.is_leaf
                else _spread(child, row, path + target.step(key), one_for_all)
            )
        ]
    if one_for_all and not is_array:
        return [leaf] * target.count
    raise TypeError(
        f"{path} is of type {type(leaf).__name__}, but the parameters are {target.kind.value}: "
        "gradients have the structure of the parameters"
    )


def _put_nodes(
    found: Gradients, parameters: Parameters, nodes: list[TRNode], places: list[int]
) -> None:
    """Gradients that are nodes, each for an element."""
    found.values[places] = [
        _value(node, parameters.name_of(place)) if node.requires_grad else node.item()
        for node, place in zip(nodes, places)
    ]
    found.statuses[places] = [node.gradient_status for node in nodes]
    found.known[places] = True
    found.missing[places] = False


def _put_gradient(found: Gradients, leaf: Leaf, entry: Any) -> None:
    where = leaf.elements
    found.missing[where] = False
    if not isinstance(entry, np.ndarray):
        entry = _as_array(entry)
    _check_shape(entry.shape, leaf, "gradient")
    if entry.dtype.kind == "O":
        items = entry.ravel().tolist()
        found.values[where] = [_value(item, leaf.path) for item in items]
        nodes = [isinstance(item, TRNode) for item in items]
        found.known[where] = nodes
        found.statuses[where] = [
            item.gradient_status if isinstance(item, TRNode) else 0 for item in items
        ]
    elif entry.dtype.kind in "fiu" and not isinstance(entry, np.ma.MaskedArray):
        with np.errstate(all="ignore"):
            found.values[where] = entry.ravel()
    else:
        kind = "a masked array" if isinstance(entry, np.ma.MaskedArray) else str(entry.dtype)
        raise TypeError(f"the gradient of {leaf.path} must be real numbers, not {kind}")


def _as_array(entry: Any) -> npt.NDArray[Any]:
    """A number, TR scalar or sequence as an array, of objects unless they are all numbers."""
    if isinstance(entry, (float, int)):
        return np.array(float(entry))
    if isinstance(entry, TRScalar):
        return np.array(float(entry))
    if isinstance(entry, (list, tuple)):
        return np.array(entry, dtype=object)
    return np.asarray(entry)


def _value(item: Any, name: str) -> float:
    if isinstance(item, TRNode):
        if item.op in (OpType.PARAMETER, OpType.INPUT):
            raise TypeError(
                f"the gradient of {name} is a {item.op.name.lower()}, not a gradient: to use "
                "the gradients that the parameters hold after backward(), call step() without any"
            )
        return item.item()
    if isinstance(item, (str, bytes)):
        raise TypeError(f"the gradient of {name} must be real numbers, not {item!r}")
    try:
        return float(item)
    except TypeError:
        raise TypeError(
            f"the gradient of {name} must be real numbers, not {type(item).__name__}"
        ) from None


def _put_status(found: Gradients, leaf: Leaf, entry: Any) -> None:
    array = np.asarray(entry)
    if array.ndim:
        _check_shape(array.shape, leaf, "status")
    if array.dtype.kind not in "iu":
        raise TypeError(
            f"the status of {leaf.path} must be GradientStatus flags, not {type(entry).__name__}"
            if array.dtype.kind == "O"
            else f"the status of {leaf.path} must be GradientStatus flags, not {array.dtype}"
        )
    if array.size and not ((array >= 0) & (array <= _ALL_FLAGS)).all():
        raise ValueError(f"the status of {leaf.path} has flags that GradientStatus does not")
    found.statuses[leaf.elements] = array.ravel() if array.ndim else array
    found.known[leaf.elements] = True


def _check_shape(shape: tuple[int, ...], leaf: Leaf, what: str) -> None:
    if shape != leaf.shape:
        hint = ""
        if shape[1:] == leaf.shape:
            hint = '; for gradients of a batch call value_and_grad(..., reduce="mean")'
        raise ValueError(
            f"the {what} of {leaf.path} has the shape {shape}, but the parameter {leaf.shape}{hint}"
        )


def _listed(keys: tuple[Any, ...]) -> str:
    return ", ".join(map(repr, keys)) or "none"
