"""Gradients of Python functions, and their check by finite differences."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Literal, overload

from .. import _native
from .._arrays import shaped
from .._native import TRNode
from ..array import TRArray
from ._grad_arguments import Found, GradArgument, elements_of, recorded
from ._grad_results import Outcome, as_node, separate_aux
from ._grad_types import AnyValue, Grad, GradAndStatus, ValueAndGrad, ValueGradAndStatus
from ._parameters import ArgNum, ArgNums, Key, ParameterNames, Several, argument_numbers
from .gradient_check import check_gradient

__all__ = ["check_gradient", "tr_grad", "tr_value_and_grad"]


@overload
def tr_value_and_grad(
    f: Callable[..., Any],
    argnums: Literal[0] = 0,
    *,
    has_aux: Literal[False] = False,
    with_status: Literal[False] = False,
) -> ValueAndGrad: ...
@overload
def tr_value_and_grad(
    f: Callable[..., Any],
    argnums: Literal[0] = 0,
    *,
    has_aux: Literal[False] = False,
    with_status: Literal[True],
) -> ValueGradAndStatus: ...
@overload
def tr_value_and_grad(
    f: Callable[..., Any],
    argnums: ArgNum,
    *,
    has_aux: Literal[False] = False,
    with_status: Literal[False] = False,
) -> Callable[..., tuple[AnyValue, Any]]: ...
@overload
def tr_value_and_grad(
    f: Callable[..., Any],
    argnums: ArgNum,
    *,
    has_aux: Literal[False] = False,
    with_status: Literal[True],
) -> Callable[..., tuple[AnyValue, Any, Any]]: ...
@overload
def tr_value_and_grad(
    f: Callable[..., Any],
    argnums: Several,
    *,
    has_aux: Literal[False] = False,
    with_status: Literal[False] = False,
) -> Callable[..., tuple[AnyValue, tuple[Any, ...]]]: ...
@overload
def tr_value_and_grad(
    f: Callable[..., Any],
    argnums: Several,
    *,
    has_aux: Literal[False] = False,
    with_status: Literal[True],
) -> Callable[..., tuple[AnyValue, tuple[Any, ...], tuple[Any, ...]]]: ...
@overload
def tr_value_and_grad(
    f: Callable[..., Any],
    argnums: ArgNums = 0,
    *,
    has_aux: Literal[True],
    with_status: Literal[False] = False,
) -> Callable[..., tuple[tuple[AnyValue, Any], Any]]: ...
@overload
def tr_value_and_grad(
    f: Callable[..., Any],
    argnums: ArgNums = 0,
    *,
    has_aux: Literal[True],
    with_status: Literal[True],
) -> Callable[..., tuple[tuple[AnyValue, Any], Any, Any]]: ...
@overload
def tr_value_and_grad(
    f: Callable[..., Any],
    argnums: ArgNums = 0,
    *,
    has_aux: bool = False,
    with_status: bool = False,
) -> Callable[..., tuple[Any, ...]]: ...
def tr_value_and_grad(
    f: Callable[..., Any],
    argnums: ArgNums = 0,
    *,
    has_aux: bool = False,
    with_status: bool = False,
) -> Any:
    """A function that returns the value of ``f`` and its gradient.

    The arguments in ``argnums`` are structures of parameters: dicts, lists, tuples, named tuples
    and dataclasses, nested in any way, of numbers, TR scalars, nodes and arrays of these. ``f``
    gets the same structure with a node in place of each number, and an object array of nodes in
    place of each array. Other arguments reach it as they are, numbers as constant nodes.

    Args:
        f: takes nodes and returns a node or a number.
        argnums: the argument to differentiate with respect to, by its place or its name, or several
            of them. Arguments passed by keyword are named.
        has_aux: whether ``f`` returns ``(value, aux)``, of which only the value is differentiated.
        with_status: whether to return the statuses of the gradients as well.

    Returns:
        A function of the same arguments that returns ``(value, gradient)``; with ``has_aux``
        ``((value, aux), gradient)``; with ``with_status`` the statuses after that.

        The value is a TR scalar, or a TRArray of shape () if an argument in ``argnums`` holds an
        array of numbers. Where nodes outside of the call are involved, it is a node connected with
        these: if an argument is a node, or ``f`` reads one that gradients flow to. Nodes in ``aux``
        likewise.

        The gradient is in the structure of the argument; for several ``argnums`` a tuple of them.
        That of a number or node is a node with its status as ``gradient_status``; that of an array
        a float64 array of the same shape, of an array of nodes, or where it depends on nodes
        outside of the call, an object array of nodes. A gradient that depends on nodes outside of
        the call can be differentiated once more, and keeps the graph that it was computed on;
        ``detach()`` makes it a constant. Statuses are
        ``GradientStatus`` flags, for arrays uint8 arrays. Gradients are in the gradient mode that
        is current at the call. No node's ``gradient`` changes. Where ``f`` returns a number, the
        gradient is 0, with status EXACT.

    Raises:
        NotImplementedError: where a third derivative would be needed: ``tr_grad(tr_grad(f))`` is
            differentiated, or what was computed from it.
        TypeError: if ``argnums`` is neither place nor name; from the returned function, if ``f``
            returns anything else, or an argument in ``argnums`` holds anything else. The error
            names the place.
        ValueError: from the returned function, if ``argnums`` names no argument.

    Examples:
        >>> from zeroproof import tr_value_and_grad
        >>> value, gradient = tr_value_and_grad(lambda p: p["a"] * p["b"])({"a": 2.0, "b": 3.0})
        >>> print(value.item(), gradient["a"].item(), gradient["b"].item())
        6.0 3.0 2.0
    """
    differentiate = _Differentiation(f, argnums, has_aux)

    @wraps(f)
    def value_and_grad(*args: Any, **kwargs: Any) -> Any:
        answer = differentiate(args, kwargs)
        value = (answer.value, answer.aux) if has_aux else answer.value
        if with_status:
            return value, answer.gradients(), answer.statuses()
        return value, answer.gradients()

    return value_and_grad


@overload
def tr_grad(
    f: Callable[..., Any],
    argnums: Literal[0] = 0,
    *,
    has_aux: Literal[False] = False,
    with_status: Literal[False] = False,
) -> Grad: ...
@overload
def tr_grad(
    f: Callable[..., Any],
    argnums: Literal[0] = 0,
    *,
    has_aux: Literal[False] = False,
    with_status: Literal[True],
) -> GradAndStatus: ...
@overload
def tr_grad(
    f: Callable[..., Any],
    argnums: ArgNum,
    *,
    has_aux: Literal[False] = False,
    with_status: Literal[False] = False,
) -> Callable[..., Any]: ...
@overload
def tr_grad(
    f: Callable[..., Any],
    argnums: ArgNum,
    *,
    has_aux: Literal[False] = False,
    with_status: Literal[True],
) -> Callable[..., tuple[Any, Any]]: ...
@overload
def tr_grad(
    f: Callable[..., Any],
    argnums: Several,
    *,
    has_aux: Literal[False] = False,
    with_status: Literal[False] = False,
) -> Callable[..., tuple[Any, ...]]: ...
@overload
def tr_grad(
    f: Callable[..., Any],
    argnums: Several,
    *,
    has_aux: Literal[False] = False,
    with_status: Literal[True],
) -> Callable[..., tuple[tuple[Any, ...], tuple[Any, ...]]]: ...
@overload
def tr_grad(
    f: Callable[..., Any],
    argnums: ArgNums = 0,
    *,
    has_aux: Literal[True],
    with_status: Literal[False] = False,
) -> Callable[..., tuple[Any, Any]]: ...
@overload
def tr_grad(
    f: Callable[..., Any],
    argnums: ArgNums = 0,
    *,
    has_aux: Literal[True],
    with_status: Literal[True],
) -> Callable[..., tuple[Any, Any, Any]]: ...
@overload
def tr_grad(
    f: Callable[..., Any],
    argnums: ArgNums = 0,
    *,
    has_aux: bool = False,
    with_status: bool = False,
) -> Callable[..., Any]: ...
def tr_grad(
    f: Callable[..., Any],
    argnums: ArgNums = 0,
    *,
    has_aux: bool = False,
    with_status: bool = False,
) -> Any:
    """A function that returns the gradient of ``f``.

    Arguments, gradients and errors are those of :func:`tr_value_and_grad`.

    Args:
        f: takes nodes and returns a node or a number.
        argnums: the argument to differentiate with respect to, by its place or its name, or several
            of them.
        has_aux: whether ``f`` returns ``(value, aux)``, of which only the value is differentiated.
        with_status: whether to return the statuses of the gradients as well.

    Returns:
        A function of the same arguments that returns the gradient; then ``aux`` with ``has_aux``;
        then the statuses with ``with_status``; as a tuple if there is more than the gradient.

    Examples:
        >>> from zeroproof import tr_grad
        >>> print(tr_grad(lambda x: 1.0 / x)(2.0).item())
        -0.25
    """
    differentiate = _Differentiation(f, argnums, has_aux)

    @wraps(f)
    def grad(*args: Any, **kwargs: Any) -> Any:
        answer = differentiate(args, kwargs)
        if not has_aux and not with_status:
            return answer.gradients()
        results = [answer.gradients()]
        if has_aux:
            results.append(answer.aux)
        if with_status:
            results.append(answer.statuses())
        return tuple(results)

    return grad


class _Answer:
    """What a differentiated call found."""

    __slots__ = ("_depends", "_found", "_single", "_sources", "aux", "value")

    def __init__(
        self,
        value: Any,
        aux: Any,
        sources: list[GradArgument],
        single: bool,
        found: list[Found],
        depends: bool,
    ) -> None:
        self.value = value
        self.aux = aux
        self._sources = sources
        self._single = single
        self._found = found
        self._depends = depends

    def gradients(self) -> Any:
        """The gradients in the structure of ``argnums``."""
        found = iter(self._found)
        if self._single:
            return self._sources[0].gradients(found, self._depends)
        # An argument named twice has its gradient twice.
        distinct = dict.fromkeys(self._sources)
        parts = {source: source.gradients(found, self._depends) for source in distinct}
        return tuple([parts[source] for source in self._sources])

    def statuses(self) -> Any:
        """Their statuses."""
        found = iter(self._found)
        if self._single:
            return self._sources[0].statuses(found)
        parts = {source: source.statuses(found) for source in dict.fromkeys(self._sources)}
        return tuple([parts[source] for source in self._sources])


class _Differentiation:
    """A function and what to differentiate it with respect to."""

    def __init__(self, f: Callable[..., Any], argnums: ArgNums, has_aux: bool) -> None:
        self._function = f
        self._has_aux = has_aux
        self._names = ParameterNames(f)
        numbers = argument_numbers(argnums)
        self._single = not isinstance(numbers, tuple)
        self._numbers = numbers if isinstance(numbers, tuple) else (numbers,)

    def __call__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Answer:
        """Calls the function on nodes, and differentiates what it returns."""
        names = self._names
        sources: dict[Key, GradArgument] = {}
        order = []
        for number in self._numbers:
            key = names.key(number, len(args), kwargs, "argnums")
            if key not in sources:
                given = kwargs[key] if isinstance(key, str) else args[key]
                sources[key] = GradArgument(given, names.name(key))
            order.append(sources[key])
        positional = [
            sources[place].value if place in sources else _as_operand(argument)
            for place, argument in enumerate(args)
        ]
        named = {
            name: sources[name].value if name in sources else argument
            for name, argument in kwargs.items()
        }
        leaves = [node for source in sources.values() for node in source.nodes]
        result = _native.call_differentiated(self._function, tuple(positional), named, leaves)
        returned, aux = separate_aux(result) if self._has_aux else (result, None)
        value = as_node(returned)
        found: list[Found] = list(_native.gradients_of(value, leaves, None))
        depends = _native.depends_on_others(value, leaves)
        if depends:
            found = recorded(value, leaves, found)
        has_arrays = any(source.has_arrays for source in sources.values())
        outcome = Outcome(leaves, _has_node(args, kwargs, sources), has_arrays)
        if self._has_aux:
            aux = outcome.aux(aux)
        returned = outcome.value(value, depends)
        return _Answer(returned, aux, order, self._single, found, depends)


def _has_node(
    args: tuple[Any, ...], kwargs: dict[str, Any], sources: dict[Key, GradArgument]
) -> bool:
    """Whether an argument is a node, or one to differentiate with respect to holds one."""
    for source in sources.values():
        if source.has_nodes:
            return True
    return any(type(each) is TRNode for each in (*args, *kwargs.values()))


def _as_operand(argument: Any) -> Any:
    """Numbers, TR scalars and elements of a TRArray as constants; other arguments unchanged."""
    if isinstance(argument, TRNode):
        return argument
    if isinstance(argument, TRArray):
        elements = [TRNode.constant(number) for number in elements_of(argument.to_ieee())]
        return shaped(elements, argument.shape)
    try:
        return TRNode.constant(argument)
    except TypeError:
        return argument
