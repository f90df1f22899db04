"""The reductions of arrays of transreal values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional, SupportsIndex, Union

import numpy as np
import numpy.typing as npt

from . import _array_calls, _folds
from ._arrays import Array
from ._enums import ReductionMode

__all__ = ["Reductions"]

Axis = Union[SupportsIndex, Sequence[SupportsIndex], None]


class Reductions:
    """What an array of doubles computes along its axes, by the rules of TR values."""

    __slots__ = ()

    _doubles: Array

    def sum(
        self,
        axis: Axis = None,
        dtype: Optional[npt.DTypeLike] = None,
        out: Any = None,
        keepdims: bool = False,
        *,
        mode: Optional[ReductionMode] = None,
    ) -> Any:
        """The sums along an axis, as of :func:`tr_sum`."""
        return self._reduce("sum", axis, dtype, out, keepdims, mode)

    def prod(
        self,
        axis: Axis = None,
        dtype: Optional[npt.DTypeLike] = None,
        out: Any = None,
        keepdims: bool = False,
        *,
        mode: Optional[ReductionMode] = None,
    ) -> Any:
        """The products along an axis, as of :func:`tr_prod`."""
        return self._reduce("prod", axis, dtype, out, keepdims, mode)

    def mean(
        self,
        axis: Axis = None,
        dtype: Optional[npt.DTypeLike] = None,
        out: Any = None,
        keepdims: bool = False,
        *,
        mode: Optional[ReductionMode] = None,
    ) -> Any:
        """The means along an axis, as of :func:`tr_mean`: divided by the number of values kept."""
        return self._reduce("mean", axis, dtype, out, keepdims, mode)

    def min(
        self,
        axis: Axis = None,
        out: Any = None,
        keepdims: bool = False,
        *,
        mode: Optional[ReductionMode] = None,
    ) -> Any:
        """The smallest values along an axis, as of :func:`tr_min`."""
        return self._reduce("min", axis, None, out, keepdims, mode)

    def max(
        self,
        axis: Axis = None,
        out: Any = None,
        keepdims: bool = False,
        *,
        mode: Optional[ReductionMode] = None,
    ) -> Any:
        """The largest values along an axis, as of :func:`tr_max`."""
        return self._reduce("max", axis, None, out, keepdims, mode)

    def norm(
        self,
        axis: Axis = None,
        out: Any = None,
        keepdims: bool = False,
        *,
        mode: Optional[ReductionMode] = None,
    ) -> Any:
        """The Euclidean norms along an axis, as of :func:`tr_norm`."""
        return self._reduce("norm", axis, None, out, keepdims, mode)

    def var(
        self,
        axis: Axis = None,
        dtype: Optional[npt.DTypeLike] = None,
        out: Any = None,
        ddof: float = 0,
        keepdims: bool = False,
        *,
        mode: Optional[ReductionMode] = None,
    ) -> Any:
        """The variances along an axis, as of :func:`tr_var`."""

        def fold(x: Array, mode: ReductionMode) -> Array:
            return _folds.var(x, mode, ddof)

        return self._reduce(fold, axis, dtype, out, keepdims, mode)

    def std(
        self,
        axis: Axis = None,
        dtype: Optional[npt.DTypeLike] = None,
        out: Any = None,
        ddof: float = 0,
        keepdims: bool = False,
        *,
        mode: Optional[ReductionMode] = None,
    ) -> Any:
        """The standard deviations along an axis, as of :func:`tr_std`."""

        def fold(x: Array, mode: ReductionMode) -> Array:
            return _folds.std(x, mode, ddof)

        return self._reduce(fold, axis, dtype, out, keepdims, mode)

    def cumsum(self, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
        """The sums of all values up to each, along an axis or of all elements."""
        return _array_calls.accumulate(type(self), np.add, self, axis, dtype, out)

    def cumprod(self, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
        """The products of all values up to each, along an axis or of all elements."""
        return _array_calls.accumulate(type(self), np.multiply, self, axis, dtype, out)

    def argmin(self, axis: Any = None, out: Any = None, *, keepdims: bool = False) -> Any:
        """Where the smallest value is, the first of several; the first Φ if there is one."""
        return self._doubles.argmin(axis, out, keepdims=keepdims)

    def argmax(self, axis: Any = None, out: Any = None, *, keepdims: bool = False) -> Any:
        """Where the largest value is, the first of several; the first Φ if there is one."""
        return self._doubles.argmax(axis, out, keepdims=keepdims)

    def any(self, axis: Any = None, out: Any = None, keepdims: bool = False) -> Any:
        """Whether an element is true: Φ and 0 are not."""
        return _folds.is_true(self._doubles).any(axis, out, keepdims=keepdims)

    def all(self, axis: Any = None, out: Any = None, keepdims: bool = False) -> Any:
        """Whether all elements are true: Φ and 0 are not."""
        return _folds.is_true(self._doubles).all(axis, out, keepdims=keepdims)

    def _reduce(
        self,
        fold: Union[str, _folds.Fold],
        axis: Axis,
        dtype: Any,
        out: Any,
        keepdims: bool,
        mode: Optional[ReductionMode],
    ) -> Any:
        _array_calls.check_dtype(dtype)
        if mode is None:
            mode = ReductionMode.STRICT
        elif not isinstance(mode, ReductionMode):
            raise TypeError(f"the mode must be a ReductionMode or None, not {mode!r}")
        chosen = _folds.FOLDS[fold] if isinstance(fold, str) else fold
        found = _array_calls.reduce(self._doubles, chosen, axis, keepdims, mode)
        return _array_calls.into(out, _array_calls.wrapped(type(self), found))
