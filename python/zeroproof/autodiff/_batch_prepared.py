"""Calls that the engine carries out without Python, described once for each kind of call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Optional

from .._arrays import Shape
from .._native import BatchPlan, PreparedCall
from .._trees import Kind, Structure
from ._batch_sources import Sources
from ._batch_trace import Traced


class Written(NamedTuple):
    """Arrays that a call makes."""

    structure: Structure
    shapes: Sequence[Shape]
    """Without the axis of samples."""
    have_samples: Sequence[bool]
    """Whether they have that axis."""


class _Unsuited(Exception):
    """A structure that only Python can take apart."""


def call_of(
    method: str, args: tuple[Any, ...], keywords: Mapping[str, Any]
) -> tuple[Any, tuple[Any, ...]]:
    """What tells the calls of a method apart, and the arguments, those by keyword at the end."""
    if not keywords:
        return method, args
    names = sorted(keywords)
    return (method, len(args), *names), (*args, *[keywords[name] for name in names])


def prepared(
    plan: BatchPlan,
    traced: Traced,
    values: Optional[Written] = None,
    derivatives: Optional[Written] = None,
    direction: Optional[Sources] = None,
    has_total: bool = False,
) -> Optional[PreparedCall]:
    """The call for arguments like those that the function was traced for.

    Args:
        plan: what is run.
        traced: the function.
        values: the values that are returned; None if there are none.
        derivatives: the derivatives that are returned; None if there are none.
        direction: what a direction is given for; None if there is none.
        has_total: whether the total of the values is returned.

    Returns:
        None if there are containers that are neither lists, tuples nor dicts of strings.
    """
    layout = traced.layout
    try:
        given = None
        if direction is not None:
            items = list(map(_described, direction.structures))
            given = (items, direction.is_single, direction.leaves)
        return PreparedCall(
            plan,
            traced.last_use,
            list(map(_described, layout.structures)),
            list(zip(layout.shapes, layout.per_sample)),
            given,
            has_total,
            _arrays(values),
            _arrays(derivatives),
        )
    except (_Unsuited, ValueError):  # ValueError: for arrays of very many dimensions
        return None


def _arrays(written: Optional[Written]) -> Optional[tuple[Any, list[tuple[Shape, bool]]]]:
    if written is None:
        return None
    return _described(written.structure), list(zip(written.shapes, written.have_samples))


def _described(structure: Structure) -> Any:
    """A structure as the engine reads it.

    Raises:
        _Unsuited: if the engine knows no such container.
    """
    if structure.is_leaf:
        return None
    container, keys = structure.container, structure.keys
    children = list(map(_described, structure.children))
    if structure.kind is Kind.SEQUENCE and container in (list, tuple):
        return container, children
    if structure.kind is Kind.MAPPING and container is dict and all(type(k) is str for k in keys):
        return dict, list(zip(keys, children))
    raise _Unsuited
