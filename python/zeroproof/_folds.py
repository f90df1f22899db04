"""Reductions of arrays of doubles by the rules of transreal values.

Each takes the array with the axis to reduce in front and answers with what :func:`tr_sum` and its
like give for every column, to the bit: values are folded in order, the first one first.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Optional

import numpy as np
import numpy.typing as npt

from . import _ops
from ._arrays import Array
from ._elementwise import on_rows
from ._enums import ReductionMode

__all__ = ["FOLDS", "Fold", "arg_extreme", "is_true", "std", "var"]

Fold = Callable[[Array, ReductionMode], Array]
Mask = npt.NDArray[np.bool_]

#: About as many numbers are copied at once.
BLOCK = 1 << 15
#: Longer columns are handed to the engine one by one instead of being compiled.
LONGEST_ROW = 1024


def _kept(x: Array, mode: ReductionMode) -> Optional[Mask]:
    """The values that a mode keeps; None for all of them."""
    if mode is ReductionMode.STRICT:
        return None
    kept = np.isfinite(x) if mode is ReductionMode.DROP_NONREAL else ~np.isnan(x)
    return None if kept.all() else kept


def _count(x: Array, kept: Optional[Mask]) -> Array:
    """The number of values kept in each column."""
    if kept is None:
        return np.full(x.shape[1:], float(len(x)))
    return np.asarray(kept.sum(axis=0), np.float64)


def _in_order(operation: np.ufunc, x: Array, empty: float) -> Array:
    """The fold in order; NumPy's own reductions add in pairs."""
    if len(x) == 0:
        return np.full(x.shape[1:], empty)
    total = np.array(x[0])
    rows = max(1, BLOCK // max(1, total.size))
    for start in range(1, len(x), rows):
        block = np.concatenate([total[np.newaxis], x[start : start + rows]])
        total = operation.accumulate(block, axis=0)[-1]
    return np.array(total)


def _masked_fold(operation: np.ufunc, neutral: float, empty: float) -> Fold:
    """A sum or product: what is left out is replaced by a number that changes nothing."""

    def fold(x: Array, mode: ReductionMode) -> Array:
        kept = _kept(x, mode)
        if kept is None:
            return _in_order(operation, x, empty)
        total = _in_order(operation, np.where(kept, x, neutral), empty)
        nothing = np.nan if mode is ReductionMode.DROP_NULL else empty
        return np.where(kept.any(axis=0), total, nothing)

    return fold


_sum = _masked_fold(np.add, -0.0, 0.0)  # −0 is what changes no sum, also not one of −0
_prod = _masked_fold(np.multiply, 1.0, 1.0)


def _mean(x: Array, mode: ReductionMode) -> Array:
    return np.asarray(_sum(x, mode) / _count(x, _kept(x, mode)))


def arg_extreme(x: Array, largest: bool) -> npt.NDArray[np.intp]:
    """Where the first of the smallest or largest is, or the first Φ if there is one."""
    return np.asarray((np.argmax if largest else np.argmin)(x, axis=0))


def _extreme(largest: bool) -> Fold:
    def fold(x: Array, mode: ReductionMode) -> Array:
        if len(x) == 0:
            return np.full(x.shape[1:], np.nan)
        kept = _kept(x, mode)
        if kept is not None:
            # Of several zeros the first counts, whatever its sign, so places are compared.
            x = np.where(kept, x, -np.inf if largest else np.inf)
        places = arg_extreme(x, largest)[np.newaxis]
        found = np.take_along_axis(x, places, axis=0)[0]
        return found if kept is None else np.where(kept.any(axis=0), found, np.nan)

    return fold


@cache
def _reduction(name: str, mode: ReductionMode) -> Callable[[list[Any]], Any]:
    """A reduction of the op table, always the same object for these arguments."""
    function = getattr(_ops, f"tr_{name}")
    return lambda values: function(values, mode)


def _by_the_engine(name: str) -> Fold:
    def fold(x: Array, mode: ReductionMode) -> Array:
        reduction = _reduction(name, mode)
        shape = x.shape[1:]
        rows = x.reshape(len(x), -1).T if x.size else np.empty((int(np.prod(shape)), len(x)))
        if 0 < len(x) <= LONGEST_ROW and len(rows) > 1:
            found = on_rows(reduction, rows)
        else:
            found = np.array([float(reduction(row.tolist())) for row in rows], np.float64)
        return found.reshape(shape)

    return fold


#: By the name of the op.
FOLDS: dict[str, Fold] = {
    "sum": _sum,
    "mean": _mean,
    "prod": _prod,
    "min": _extreme(largest=False),
    "max": _extreme(largest=True),
    "norm": _by_the_engine("norm"),
    "logsumexp": _by_the_engine("logsumexp"),
}


def _deviations(x: Array, mode: ReductionMode) -> tuple[Array, Array]:
    """The deviations from the mean, 0 for what is left out, and the number of values kept."""
    kept = _kept(x, mode)
    deviations = x - _mean(x, mode)
    return (deviations if kept is None else np.where(kept, deviations, 0.0)), _count(x, kept)


def var(x: Array, mode: ReductionMode, ddof: float) -> Array:
    """The variance, as of :func:`tr_var`."""
    deviations, count = _deviations(x, mode)
    squares = _sum(deviations * deviations, ReductionMode.STRICT)
    return np.asarray(squares * (1.0 / np.maximum(count - float(ddof), 0.0)))


def std(x: Array, mode: ReductionMode, ddof: float) -> Array:
    """The standard deviation, as of :func:`tr_std`."""
    deviations, count = _deviations(x, mode)
    length = FOLDS["norm"](deviations, ReductionMode.STRICT)
    return np.asarray(length * (1.0 / np.sqrt(np.maximum(count - float(ddof), 0.0))))


def is_true(x: Array) -> Mask:
    """The truth of transreal values: Φ and 0 are false."""
    return np.asarray((x != 0.0) & ~np.isnan(x))
