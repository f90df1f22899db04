"""Softmax, variance and standard deviation of a list of values, with gradients.

The values are numbers, TR scalars, nodes or tracers in one list or 1-d array. The functions are
made of operations of the table, in an order that depends on the length alone, so that values,
gradients and statuses are the same on nodes and in a traced function, to the bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Optional, Union, overload

import numpy as np

from . import _ops
from ._enums import ReductionMode
from ._native import TRNode, TRScalar, tr_is_phi, tr_is_real, tr_not, tr_where
from ._object_arrays import Objects, in_kind, vector
from .array import TRArray
from .typing import Operand, Value

__all__ = ["tr_log_softmax", "tr_softmax", "tr_std", "tr_var"]


@overload
def tr_log_softmax(values: TRArray) -> TRArray: ...
@overload
def tr_log_softmax(values: Union[Objects, Sequence[Any]]) -> Objects: ...
@overload
def tr_log_softmax(values: Any) -> Any: ...
def tr_log_softmax(values: Any) -> Any:
    """The logarithms of :func:`tr_softmax`: ``xᵢ − log Σ exp xⱼ``, by :func:`tr_logsumexp`.

    Values of any size do not overflow. The error is a few ulp of the largest ``|xⱼ|``, as if the
    values had been rounded that much.

    Args:
        values: numbers, TR scalars, nodes or tracers in a list or 1-d array.

    Returns:
        An object array of the same length, or for a TRArray a TRArray. A −∞ among the values gives
        −∞ in its place and changes no other. A +∞ gives Φ in its place and −∞ at REAL values; a Φ,
        or nothing but −∞, gives Φ in all places.

    Raises:
        ValueError: for an array with more than one axis.
        TypeError: for values of other types.

    Examples:
        >>> from zeroproof import tr_log_softmax
        >>> print([f"{share.item():.2f}" for share in tr_log_softmax([0.0, 1000.0])])
        ['-1000.00', '0.00']
    """
    given = vector(values, "tr_log_softmax")
    return in_kind(_log_softmax(given), [given], [values])


@overload
def tr_softmax(values: TRArray) -> TRArray: ...
@overload
def tr_softmax(values: Union[Objects, Sequence[Any]]) -> Objects: ...
@overload
def tr_softmax(values: Any) -> Any: ...
def tr_softmax(values: Any) -> Any:
    """``exp xᵢ ÷ Σ exp xⱼ``, as the exponential of :func:`tr_log_softmax`.

    There is no division, so the partials are the classical ones in every mode.

    Args:
        values: numbers, TR scalars, nodes or tracers in a list or 1-d array.

    Returns:
        An object array of the same length, or for a TRArray a TRArray. A −∞ among the values gives
        0 in its place, masked, and changes no other. A +∞ gives Φ in its place and 0 at REAL
        values; a Φ, or nothing but −∞, gives Φ in all places.

    Raises:
        ValueError: for an array with more than one axis.
        TypeError: for values of other types.

    Examples:
        >>> from zeroproof import tr_softmax
        >>> print([f"{share.item():.2f}" for share in tr_softmax([0.0, 0.0, 1.0])])
        ['0.21', '0.21', '0.58']
    """
    given = vector(values, "tr_softmax")
    results = _log_softmax(given)
    for place, logarithm in enumerate(results):
        results[place] = _ops.tr_exp(logarithm)
    return in_kind(results, [given], [values])


@overload
def tr_var(
    values: Iterable[Value], ddof: float = 0, mode: Optional[ReductionMode] = None
) -> TRScalar: ...
@overload
def tr_var(
    values: Iterable[TRNode], ddof: float = 0, mode: Optional[ReductionMode] = None
) -> TRNode: ...
@overload
def tr_var(
    values: Iterable[Operand], ddof: float = 0, mode: Optional[ReductionMode] = None
) -> Union[TRScalar, TRNode]: ...
def tr_var(values: Any, ddof: float = 0, mode: Optional[ReductionMode] = None) -> Any:
    """The variance: the sum of the squared deviations from the mean, over their number − ``ddof``.

    Args:
        values: numbers, TR scalars, nodes or tracers in a list or 1-d array.
        ddof: what is subtracted from the number of values kept; 1 for the unbiased estimate. Where
            nothing is left, the divisor is 0.
        mode: which values are kept, as for :func:`tr_mean`: STRICT, if None.

    Returns:
        A node or tracer if there are any among the values, else a TR scalar. Without values it is
        Φ, as is the variance of values with a ±∞ among them.

    Raises:
        ValueError: for an array with more than one axis.
        TypeError: for values, a ``ddof`` or a mode of other types.

    Examples:
        >>> from zeroproof import tr_var
        >>> tr_var([1.0, 2.0, 3.0])
        TRScalar(0.6666666666666666)
    """
    given = vector(values, "tr_var")
    deviations, count = _deviations(given, ddof, mode)
    squares = _ops.tr_sum([_ops.tr_square(deviation) for deviation in deviations])
    return squares * (1.0 / count)


@overload
def tr_std(
    values: Iterable[Value], ddof: float = 0, mode: Optional[ReductionMode] = None
) -> TRScalar: ...
@overload
def tr_std(
    values: Iterable[TRNode], ddof: float = 0, mode: Optional[ReductionMode] = None
) -> TRNode: ...
@overload
def tr_std(
    values: Iterable[Operand], ddof: float = 0, mode: Optional[ReductionMode] = None
) -> Union[TRScalar, TRNode]: ...
def tr_std(values: Any, ddof: float = 0, mode: Optional[ReductionMode] = None) -> Any:
    """The standard deviation: the norm of the deviations from the mean, over √(number − ``ddof``).

    No square overflows or underflows on the way. Where all values are equal the gradient is that
    of :func:`tr_norm` at 0.

    Args:
        values: numbers, TR scalars, nodes or tracers in a list or 1-d array.
        ddof: as for :func:`tr_var`.
        mode: as for :func:`tr_var`.

    Returns:
        A node or tracer if there are any among the values, else a TR scalar; Φ where the variance
        is.

    Raises:
        ValueError: for an array with more than one axis.
        TypeError: for values, a ``ddof`` or a mode of other types.

    Examples:
        >>> from zeroproof import tr_std
        >>> tr_std([1.0, 3.0])
        TRScalar(1.0)
    """
    given = vector(values, "tr_std")
    deviations, count = _deviations(given, ddof, mode)
    return _ops.tr_norm(deviations) * (1.0 / _ops.tr_sqrt(count))


def _log_softmax(values: Objects) -> Objects:
    total = _ops.tr_logsumexp(values)
    results = np.empty(len(values), object)
    results[:] = [value - total for value in values]
    return results


def _deviations(
    values: Objects, ddof: float, mode: Optional[ReductionMode]
) -> tuple[list[Any], Any]:
    """The deviations from the mean, 0 for values left out, and the divisor of their squares.

    The number of values kept may differ from sample to sample. No gradient flows to it, so the
    division by it is the same in every mode.
    """
    mean = _ops.tr_mean(values, mode)
    deviations = [value - mean for value in values]
    if mode is None or mode is ReductionMode.STRICT:
        count: Any = TRScalar(len(values))
    else:
        dropped = mode is ReductionMode.DROP_NONREAL
        kept = [tr_is_real(value) if dropped else tr_not(tr_is_phi(value)) for value in values]
        deviations = [tr_where(keep, each, 0.0) for keep, each in zip(kept, deviations)]
        count = _ops.tr_sum([tr_where(keep, 1.0, 0.0) for keep in kept])
    return deviations, _ops.tr_maximum(count - TRScalar(ddof), 0.0)
