"""Arrays of transreal values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Optional, Union

import numpy as np
import numpy.typing as npt

from ._enums import TRTag
from ._native import TRScalar, scalars_from_doubles
from .bridge import to_ieee

__all__ = ["TRArray"]

DoubleArray = npt.NDArray[np.float64]


class TRArray:
    """An array of TR values, stored as their IEEE doubles: the result of batched calls.

    Φ is NaN, +∞ is ``inf`` and −∞ is ``-inf``, so every array of doubles represents TR values. An
    array of float64 is wrapped without a copy. There is no arithmetic: use ``np.asarray(a)`` for
    NumPy's rules, or ``tr_vmap`` for those of TR values.

    Args:
        array: real numbers, or an object array of TR scalars, of any shape.

    Raises:
        TypeError: if the array does not hold real numbers.
    """

    __slots__ = ("_doubles",)
    __array_ufunc__ = None  # NumPy defers to the operators here, of which only == is defined
    __hash__ = None  # type: ignore[assignment]  # as every mutable array

    _doubles: DoubleArray

    def __init__(self, array: npt.ArrayLike) -> None:
        given = array._doubles if isinstance(array, TRArray) else np.asarray(array)
        self._doubles = given if given.dtype == np.float64 else to_ieee(given)

    @property
    def values(self) -> DoubleArray:
        """The numbers where the value is REAL, NaN elsewhere; float64.

        The array itself, without a copy, if every value is REAL. Computed at each access.
        """
        real = np.isfinite(self._doubles)
        return self._doubles if real.all() else np.where(real, self._doubles, np.nan)

    @property
    def tags(self) -> npt.NDArray[np.uint8]:
        """The codes of ``TRTag``: REAL 0, PINF 1, NINF 2, PHI 3. Computed at each access."""
        tags = np.zeros(self.shape, np.uint8)
        tags[self._doubles == np.inf] = TRTag.PINF
        tags[self._doubles == -np.inf] = TRTag.NINF
        tags[np.isnan(self._doubles)] = TRTag.PHI
        return tags

    @property
    def is_real(self) -> npt.NDArray[np.bool_]:
        """A mask of the elements whose value is a finite number."""
        return np.asarray(np.isfinite(self._doubles))

    def to_ieee(self) -> DoubleArray:
        """The IEEE doubles; the array itself, without a copy."""
        return self._doubles

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        return self._doubles.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._doubles.ndim

    @property
    def size(self) -> int:
        """The number of elements."""
        return self._doubles.size

    @property
    def dtype(self) -> np.dtype[np.float64]:
        """Float64, the storage type of the values."""
        return self._doubles.dtype

    def __array__(self, dtype: Optional[npt.DTypeLike] = None, copy: Optional[bool] = None) -> Any:
        return np.array(self._doubles, dtype=dtype, copy=copy)

    def __len__(self) -> int:
        return len(self._doubles)

    def __iter__(self) -> Iterator[Any]:
        if self.ndim == 1:
            return iter(scalars_from_doubles(self._doubles.tolist()))
        return (TRArray(row) for row in self._doubles)

    def __getitem__(self, index: Any) -> Union[TRScalar, TRArray]:
        found = self._doubles[index]
        return TRArray(found) if isinstance(found, np.ndarray) else TRScalar(found)

    def __eq__(self, other: object) -> Any:
        """Elementwise equality by tag, then by value: Φ equals Φ."""
        if isinstance(other, TRArray):
            theirs: Any = other._doubles
        elif isinstance(other, (TRScalar, int, float)):
            theirs = float(TRScalar(other))
        elif isinstance(other, (np.ndarray, np.generic, list, tuple)):
            theirs = to_ieee(np.asarray(other))
        else:
            return NotImplemented
        return (self._doubles == theirs) | (np.isnan(self._doubles) & np.isnan(theirs))

    def __ne__(self, other: object) -> Any:
        """Elementwise inequality by tag or value."""
        equal = self.__eq__(other)
        return equal if equal is NotImplemented else ~equal

    def __reduce__(self) -> tuple[Any, ...]:
        return TRArray, (self._doubles,)

    def __repr__(self) -> str:
        shown = np.array2string(
            self._doubles,
            separator=", ",
            prefix="TRArray(",
            suffix=")",
            formatter={"float_kind": lambda x: str(TRScalar(x))},
        )
        return f"TRArray({shown})"
