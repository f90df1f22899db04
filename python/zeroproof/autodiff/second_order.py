"""Derivatives along a direction, products with Hessians, Hessians and Jacobians of functions.

Second derivatives are those of the gradient that the mode computes: what it silences, leaves out or
decides is a constant. Where partials are bounded, in Saturating and Hybrid mode, the Jacobian J of
that gradient need not be symmetric.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from .. import _native
from .._native import TRNode
from ._grad_arguments import Found, GradArgument, added, recorded
from ._grad_matrices import Outputs, matrix, matrix_statuses, side_of
from ._grad_results import Outcome, as_node
from ._parameters import ParameterNames

__all__ = ["tr_hessian", "tr_hvp", "tr_jacobian", "tr_jvp", "tr_vjp"]


class _Call:
    """A function called with new leaves in place of its arguments' numbers."""

    def __init__(
        self, f: Callable[..., Any], primals: Sequence[Any], others: Sequence[Any]
    ) -> None:
        names = ParameterNames(f)
        self.label = names.label
        self.arguments = [
            GradArgument(given, names.name(place)) for place, given in enumerate(primals)
        ]
        self.leaves = [node for argument in self.arguments for node in argument.nodes]
        values = [argument.value for argument in self.arguments]
        self.result = _native.call_differentiated(f, (*values, *others), {}, self.leaves)
        has_node = any(argument.has_nodes for argument in self.arguments)
        has_node = has_node or any(isinstance(other, TRNode) for other in others)
        has_arrays = any(argument.has_arrays for argument in self.arguments)
        self._outcome = Outcome(self.leaves, has_node, has_arrays)

    def direction(self, given: Sequence[Any], what: str) -> list[float]:
        """The numbers of a direction, which has an item for each argument."""
        if len(given) != len(self.arguments):
            raise ValueError(
                f"{what} must have an item for each of {len(self.arguments)} primals, not "
                f"{len(given)}"
            )
        pairs = enumerate(zip(self.arguments, given))
        return [
            number
            for place, (argument, each) in pairs
            for number in side_of(argument).numbers(each, f"{what}[{place}]")
        ]

    def value(self) -> Any:
        """What the function returned, without the graph unless an argument belongs to one."""
        return self._outcome.aux(self.result)

    def gradients_of(self, node: TRNode, depends: bool, adjoint: Any = None) -> list[Found]:
        """The gradients of a result, recorded if they may depend on other nodes."""
        found = _native.gradients_of(node, self.leaves, adjoint)
        return recorded(node, self.leaves, found, adjoint) if depends else list(found)

    def depends(self, nodes: Sequence[TRNode]) -> bool:
        """Whether derivatives of these may depend on nodes that are no arguments."""
        return any(_native.depends_on_others(node, self.leaves) for node in nodes)


def _primals(given: Any, what: str) -> Sequence[Any]:
    if not isinstance(given, (tuple, list)):
        raise TypeError(f"{what} must be a tuple or list of arguments, not {type(given).__name__}")
    return given


def tr_jvp(
    f: Callable[..., Any], primals: Any, tangents: Any, *, with_status: bool = False
) -> tuple[Any, ...]:
    """The value of ``f`` and its derivative along a direction, in one walk forward.

    Args:
        f: takes nodes and returns a node or number, an array, or a structure of these.
        primals: a tuple or list of the arguments: numbers, TR scalars, nodes, arrays, or structures
            of these, as in :func:`tr_grad`.
        tangents: a finite number for each number of the primals, in the same structures.
        with_status: whether to return the statuses of the derivatives as well.

    Returns:
        ``(value, derivative)``, and the statuses with ``with_status``, each in the structure of
        what ``f`` returns. The derivative of a number is a constant node with its status as
        ``gradient_status``, that of an array a float64 array. It is what the gradients of the
        current mode give, multiplied by the tangents.

    Raises:
        NotImplementedError: if ``f`` uses gradients of gradients that depend on the primals.
        TypeError: if primals or tangents are no tuple or list, or hold anything else. The error
            names the place.
        ValueError: if a tangent is not finite, or the structures differ.

    Examples:
        >>> from zeroproof import tr_jvp
        >>> value, derivative = tr_jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 0.0))
        >>> print(value.item(), derivative.item())
        6.0 3.0
    """
    call = _Call(f, _primals(primals, "primals"), ())
    direction = call.direction(_primals(tangents, "tangents"), "tangents")
    outputs = Outputs(call.result)
    found = _native.jvp(outputs.nodes, call.leaves, direction)
    derivative = outputs.side.filled(found, call.depends(outputs.nodes))
    if with_status:
        return call.value(), derivative, outputs.side.statuses(found)
    return call.value(), derivative


def tr_vjp(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """The value of ``f``, and a function that pulls adjoints of it back to the arguments.

    Args:
        f: takes nodes and returns a node or number, an array, or a structure of these.
        primals: the arguments, as in :func:`tr_jvp`.

    Returns:
        ``(value, pullback)``. ``pullback(adjoints, with_status=False)`` takes a number for each
        number that ``f`` returned, in the same structure, and returns a tuple of gradients in the
        structures of the primals, as :func:`tr_grad` has them; with ``with_status`` a pair of that
        and their statuses. Each call is a backward pass in the mode that is then current.

    Raises:
        NotImplementedError: from ``pullback``, if ``f`` uses gradients of gradients that depend on
            the primals.
        TypeError: if a primal holds anything else. The error names the place.
        ValueError: from ``pullback``, if the structures differ.

    Examples:
        >>> from zeroproof import tr_vjp
        >>> value, pullback = tr_vjp(lambda x, y: [x * y, x / y], 2.0, 4.0)
        >>> print([gradient.item() for gradient in pullback([0.0, 1.0])])
        [0.25, -0.125]
    """
    call = _Call(f, primals, ())
    outputs = Outputs(call.result)

    def pullback(adjoints: Any, with_status: bool = False) -> Any:
        given = outputs.side.numbers(adjoints, "adjoints")
        totals: list[Found] = [None] * len(call.leaves)
        depends = call.depends(outputs.nodes)
        for node, adjoint in zip(outputs.nodes, given):
            row = call.gradients_of(node, depends, adjoint)
            for place, found in enumerate(row):
                if found is not None:
                    totals[place] = added(totals[place], found)
        left, again = iter(totals), iter(totals)
        gradients = tuple([argument.gradients(left, depends) for argument in call.arguments])
        if with_status:
            return gradients, tuple([argument.statuses(again) for argument in call.arguments])
        return gradients

    return call.value(), pullback


def tr_hvp(
    f: Callable[..., Any],
    x: Any,
    v: Any,
    *,
    transposed: bool = False,
    with_status: bool = False,
) -> Any:
    """The product of the Hessian of ``f`` at ``x`` with ``v``, at the cost of a few gradients.

    Args:
        f: takes a node, an array or a structure of nodes, and returns a node or number.
        x: the argument: a number, TR scalar, node or array, or a structure of these.
        v: a finite number for each number of ``x``, in the same structure.
        transposed: whether to multiply with the transposed matrix. The matrix is the Jacobian J of
            the gradient that the current mode computes: ``J·v`` says how that changes along ``v``,
            ``Jᵀ·v`` how its product with ``v`` changes with each number of ``x``. Both are the same
            where no partial is bounded.
        with_status: whether to return the statuses as well.

    Returns:
        The product in the structure of ``x``, as :func:`tr_grad` has gradients; with
        ``with_status`` a pair of that and the statuses.

    Raises:
        NotImplementedError: if ``f`` uses gradients that depend on ``x``: no third derivatives.
        TypeError: if ``x`` or ``v`` holds anything else, or ``f`` returns anything else.
        ValueError: if a number of ``v`` is not finite, or the structures differ.

    Examples:
        >>> from zeroproof import tr_hvp
        >>> product = tr_hvp(lambda x: x[0] ** 2 * x[1], [2.0, 3.0], [1.0, 0.0])
        >>> print([entry.item() for entry in product])
        [6.0, 4.0]
    """
    call = _Call(f, (x,), ())
    root = as_node(call.result)
    direction = side_of(call.arguments[0]).numbers(v, "v")
    _, found = _native.hvp(root, call.leaves, direction, transposed, None)
    product = call.arguments[0].gradients(iter(found), call.depends([root]))
    return (product, call.arguments[0].statuses(iter(found))) if with_status else product


def tr_hessian(f: Callable[..., Any], *, with_status: bool = False) -> Callable[..., Any]:
    """A function that returns the Hessian of ``f`` by its first argument.

    Args:
        f: takes nodes and returns a node or number.
        with_status: whether to return the statuses of the entries as well.

    Returns:
        A function of the same arguments. For a number it returns the second derivative as a
        constant node, for an array of shape ``s`` a float64 array of shape ``s + s``. For a
        structure it returns that structure with, in place of each leaf, the structure of the
        derivatives of its gradient. Entry ``[i, j]`` says how gradient i, in the current mode,
        changes with number j. Column j is ``J·eⱼ`` as in :func:`tr_hvp`, which the rows of
        ``tr_jacobian(tr_grad(f))`` are not: see :func:`tr_jacobian`.

    Raises:
        NotImplementedError, TypeError: from the returned function, as :func:`tr_hvp`.

    Examples:
        >>> from zeroproof import tr_hessian
        >>> import numpy as np
        >>> tr_hessian(lambda x: x[0] ** 2 * x[1])(np.array([2.0, 3.0]))
        array([[6., 4.],
               [4., 0.]])
    """

    @wraps(f)
    def hessian(x: Any, *args: Any) -> Any:
        call = _Call(f, (x,), args)
        root = as_node(call.result)
        _, columns = _native.hessian(root, call.leaves, None)
        rows = [[column[i] for column in columns] for i in range(len(call.leaves))]
        side = side_of(call.arguments[0])
        found = matrix(rows, side, side, call.depends([root]))
        return (found, matrix_statuses(rows, side, side)) if with_status else found

    return hessian


def tr_jacobian(f: Callable[..., Any], *, with_status: bool = False) -> Callable[..., Any]:
    """A function that returns the Jacobian of ``f`` by its first argument.

    It walks forward where the argument has fewer numbers than the result, and backward otherwise.

    Where ``f`` is ``tr_grad(g)``, row i is the gradient of gradient i, which is ``Jᵀ·eᵢ``: what
    :func:`tr_hvp` gives for ``g`` with ``transposed=True``, J being the Jacobian of the gradient
    that the mode computes and eᵢ a unit vector. :func:`tr_hessian` of ``g`` has the columns
    ``J·eⱼ``. The matrix is the same, also where partials are bounded or masked, to rounding. Only
    where first order drops a contribution that is not REAL do the two leave out different terms;
    entries that differ have the status ``DROPPED``.

    Args:
        f: takes nodes and returns a node or number, an array, or a structure of these.
        with_status: whether to return the statuses of the entries as well.

    Returns:
        A function of the same arguments. For an array of shape ``s`` as the argument and one of
        shape ``r`` as the result it returns a float64 array of shape ``r + s``. For structures it
        returns that of the result with, in place of each leaf, that of the argument.

    Raises:
        NotImplementedError, TypeError: from the returned function, as :func:`tr_jvp`.

    Examples:
        >>> import numpy as np
        >>> from zeroproof import tr_jacobian
        >>> jacobian = tr_jacobian(lambda x: [x[0] * x[1], x[0] / x[1]])([6.0, 2.0])
        >>> print(np.array(jacobian, dtype=float))
        [[ 2.   6. ]
         [ 0.5 -1.5]]
    """

    @wraps(f)
    def jacobian(x: Any, *args: Any) -> Any:
        call = _Call(f, (x,), args)
        outputs, leaves = Outputs(call.result), call.leaves
        rows: list[list[Found]]
        depends = call.depends(outputs.nodes)
        if len(leaves) < len(outputs.nodes) and not depends:
            columns = [
                _native.jvp(outputs.nodes, leaves, _unit(place, len(leaves)))
                for place in range(len(leaves))
            ]
            rows = [[column[i] for column in columns] for i in range(len(outputs.nodes))]
        else:
            rows = [call.gradients_of(node, depends) for node in outputs.nodes]
        side = side_of(call.arguments[0])
        found = matrix(rows, outputs.side, side, depends)
        return (found, matrix_statuses(rows, outputs.side, side)) if with_status else found

    return jacobian


def _unit(place: int, size: int) -> list[float]:
    return [float(k == place) for k in range(size)]
