"""Gradients of Python functions, and their check by finite differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from operator import index
from typing import Any, SupportsIndex, Union

from .. import _native
from .._enums import GradientStatus, OpType
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
        constants that cannot be differentiated again; their ``gradient_status`` is their
        status.

    Raises:
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
            # A new leaf: the gradient is with respect to the argument, however that was computed.
            given = arguments[place]
            is_input = isinstance(given, TRNode) and given.op is OpType.INPUT
            arguments[place] = (TRNode.input if is_input else TRNode.parameter)(given)
        sources = [arguments[place] for place in places]
        value = f(*[_as_node(argument) for argument in arguments], **kwargs)
        if not isinstance(value, TRNode):
            raise TypeError(f"the function must return a TRNode, not {type(value).__name__}")
        gradients = tuple(
            _native.gradient_node(*(found or (0.0, GradientStatus.EXACT)))
            for found in _native.gradients_of(value, sources, None)
        )
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


def _as_node(argument: Any) -> Any:
    """TR scalars and numbers as constants; other arguments unchanged."""
    if isinstance(argument, TRNode):
        return argument
    try:
        return TRNode.constant(argument)
    except TypeError:
        return argument
