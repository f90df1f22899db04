"""Gradients of Python functions, and their check by finite differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from operator import index
from typing import Any, SupportsIndex, Union

from .. import _native
from .._enums import GradientStatus
from .._native import TRNode
from .gradient_check import check_gradient

__all__ = ["check_gradient", "tr_grad", "tr_value_and_grad"]

ArgNums = Union[SupportsIndex, Sequence[SupportsIndex]]


def tr_value_and_grad(
    f: Callable[..., Any], argnums: ArgNums = 0
) -> Callable[..., tuple[TRNode, Any]]:
    """A function that returns the value of ``f`` and its gradient.

    Args:
        f: takes nodes and returns a node.
        argnums: the argument to differentiate with respect to, or several.

    Returns:
        A function of the same arguments, each a node, a TR scalar or a number. It returns the value
        and, for one argnum, the gradient as a node; for several, a tuple of nodes. Gradients are in
        the gradient mode that is current at the call. No node's ``gradient`` changes. Gradients are
        constants; their ``gradient_status`` is their status. The value depends on the nodes that
        were given.

    Raises:
        NotImplementedError: where what was computed from a gradient is differentiated, unless the
            gradient depends on nothing but the numbers given here; ``detach()`` makes it a
            constant. Also from the returned function, if ``f`` itself uses such a gradient.
        TypeError: from the returned function, if ``f`` returns no node or an argument is no number.
        ValueError: from the returned function, if an argnum is out of range.
    """
    several = isinstance(argnums, Sequence)
    numbers = [index(n) for n in (argnums if isinstance(argnums, Sequence) else [argnums])]

    @wraps(f)
    def value_and_grad(*args: Any, **kwargs: Any) -> tuple[TRNode, Any]:
        arguments = list(args)
        places = [_place(number, len(args)) for number in numbers]
        for place in set(places):
            arguments[place] = _as_source(arguments[place])
        sources = [arguments[place] for place in places]
        value = f(*[_as_node(argument) for argument in arguments], **kwargs)
        if not isinstance(value, TRNode):
            raise TypeError(f"the function must return a TRNode, not {type(value).__name__}")
        gradients = _gradients(value, sources)
        return value, gradients if several else gradients[0]

    return value_and_grad


def tr_grad(f: Callable[..., Any], argnums: ArgNums = 0) -> Callable[..., Any]:
    """A function that returns the gradient of ``f``; see :func:`tr_value_and_grad`."""
    value_and_grad = tr_value_and_grad(f, argnums)

    @wraps(f)
    def grad(*args: Any, **kwargs: Any) -> Any:
        return value_and_grad(*args, **kwargs)[1]

    return grad


def _place(number: int, count: int) -> int:
    """The place of an argument that may be counted from the end."""
    if not -count <= number < count:
        raise ValueError(
            f"argnums names argument {number}, but {count} positional arguments were given"
        )
    return number % count


def _as_source(argument: Any) -> TRNode:
    """A source of its own: the gradient is with respect to the argument, however computed."""
    if isinstance(argument, TRNode):
        return _native.alias(argument)
    return TRNode.parameter(argument)


def _gradients(value: TRNode, sources: list[TRNode]) -> tuple[TRNode, ...]:
    """The gradients of a value as constants, which know whether they depend on other nodes."""
    found = _native.gradients_of(value, sources, None)
    depend = _native.depends_on_others(value, sources)
    nothing = (0.0, GradientStatus.EXACT, False)
    return tuple(_native.gradient_node(*((*each, depend) if each else nothing)) for each in found)


def _as_node(argument: Any) -> Any:
    """TR scalars and numbers as constants; other arguments unchanged."""
    if isinstance(argument, TRNode):
        return argument
    try:
        return TRNode.constant(argument)
    except TypeError:
        return argument
