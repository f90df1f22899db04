"""Arrays of transreal values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Optional, SupportsIndex

import numpy as np
import numpy.typing as npt

from ._array_calls import wrapped
from ._array_html import table
from ._array_operators import Operators, numbers_of
from ._array_reductions import Reductions
from ._arrays import Array
from ._enums import TRTag
from ._folds import is_true
from ._native import TRScalar, scalars_from_doubles
from .bridge import from_ieee, to_ieee

__all__ = ["TRArray"]

Bools = npt.NDArray[np.bool_]


class TRArray(Operators, Reductions):
    """An array of TR values, stored as their IEEE doubles.

    Φ is NaN, +∞ is ``inf`` and −∞ is ``-inf``, so every array of doubles represents TR values. An
    array of float64 is wrapped without a copy. Operators, NumPy's universal functions and
    reductions follow the rules of TR scalars, to the bit, and never warn; with a node among the
    operands the result is an object array of nodes. ``np.asarray(a)`` gives the doubles, for
    NumPy's rules.

    Reductions fold the values along an axis in order, and for several axes in C order. ``mode`` is
    their ``ReductionMode``: STRICT, if None. A result without axes is a TRScalar.

    Args:
        array: real numbers, or an object array of TR scalars, of any shape.

    Raises:
        TypeError: if the array does not hold real numbers.

    Examples:
        >>> from zeroproof import TRArray
        >>> a = TRArray([1.0, 0.0, -1.0])
        >>> print(1.0 / a)
        TRArray([1.0, +∞, -1.0])
        >>> print((0.0 / a).sum())
        Φ
        >>> x = TRArray([[1.0, 4.0], [0.0, 9.0]])
        >>> x.shape, x.ndim, x.size, (1.0 / x).tags.tolist()
        ((2, 2), 2, 4, [[0, 0], [1, 0]])
        >>> x.sum(), x.mean(), x.prod(), x.min(), x.max()
        (TRScalar(14.0), TRScalar(3.5), TRScalar(0.0), TRScalar(0.0), TRScalar(9.0))
        >>> x.var(), x.std(), x[0, :1].norm(), x[0].dot(x[1])
        (TRScalar(12.25), TRScalar(3.5), TRScalar(1.0), TRScalar(36.0))
        >>> int(x.argmin()), int(x.argmax()), bool(x.any()), bool(x.all())
        (2, 3, True, False)
        >>> x.reshape(4)
        TRArray([1.0, 4.0, 0.0, 9.0])
        >>> x.ravel().cumsum(), x.flatten().cumprod()
        (TRArray([1.0, 5.0, 5.0, 14.0]), TRArray([1.0, 4.0, 0.0, 0.0]))
        >>> x[:1].squeeze(), x.copy().transpose()[0]
        (TRArray([1.0, 4.0]), TRArray([1.0, 0.0]))
        >>> x.clip(1.0, 4.0).to_ieee()
        array([[1., 4.],
               [1., 4.]])
        >>> x[0].round().tolist(), x[0, 1].item()
        ([TRScalar(1.0), TRScalar(4.0)], 4.0)
    """

    __slots__ = ("_doubles",)

    _doubles: Array

    def __init__(self, array: npt.ArrayLike) -> None:
        given = array._doubles if isinstance(array, TRArray) else np.asarray(array)
        self._doubles = given if given.dtype == np.float64 else to_ieee(given)

    # What it is

    @property
    def values(self) -> Array:
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
    def is_real(self) -> Bools:
        """A mask of the elements whose value is a finite number."""
        return np.asarray(np.isfinite(self._doubles))

    def to_ieee(self) -> Array:
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

    def item(self, *place: SupportsIndex) -> float:
        """The double of one element, of the only one without a place.

        Raises:
            ValueError: without a place, if there is not exactly one element.
        """
        return self._doubles.item(*place)

    def tolist(self) -> Any:
        """The TR scalars in nested lists; ``a.to_ieee().tolist()`` gives floats."""
        return np.asarray(from_ieee(self._doubles)).tolist()

    def __array__(self, dtype: Optional[npt.DTypeLike] = None, copy: Optional[bool] = None) -> Any:
        if copy is None:  # which NumPy 1 does not take
            return np.asarray(self._doubles, dtype)
        return np.array(self._doubles, dtype=dtype, copy=copy)

    @property
    def _data(self) -> Any:
        # Masked arrays take this of their operands, and would go on with NumPy's rules.
        raise TypeError("a masked array is no operand: take its data, or fill what is masked")

    def __float__(self) -> float:
        if self.ndim:
            raise TypeError(f"only an array without axes is a number, not one of {self.shape}")
        return float(self._doubles)

    def __bool__(self) -> bool:
        """The truth of the only element: Φ and 0 are false.

        Raises:
            ValueError: if there is not exactly one element.
        """
        if self.size != 1:
            raise ValueError(
                f"the truth of {self.size} elements is ambiguous: ask a.any() or a.all()"
            )
        return bool(is_true(self._doubles).item())

    # Its elements and its shape

    def __len__(self) -> int:
        return len(self._doubles)

    def __iter__(self) -> Iterator[Any]:
        if self.ndim == 1:
            return iter(scalars_from_doubles(self._doubles.tolist()))
        return (TRArray(row) for row in self._doubles)

    def __contains__(self, value: object) -> bool:
        found = self == value
        return bool(np.any(found))

    def __getitem__(self, index: Any) -> Any:
        """Elements, by any of NumPy's indices: a TRScalar, or a TRArray."""
        return wrapped(TRArray, self._doubles[index], keep_axes=True)

    def __setitem__(self, index: Any, value: Any) -> None:
        """Writes numbers, TR scalars or an array of them.

        Raises:
            TypeError: for nodes, whose gradients would be lost, and for what is no number.
        """
        self._doubles[index] = numbers_of(value)

    @property
    def T(self) -> TRArray:
        """The array with its axes in reverse order; a view."""
        return TRArray(self._doubles.T)

    def copy(self, order: Any = "C") -> TRArray:
        """A copy with memory of its own."""
        return TRArray(self._doubles.copy(order))

    __copy__ = copy

    def reshape(self, *shape: Any, order: Any = "C") -> TRArray:
        """The elements in another shape; a view where NumPy gives one."""
        return TRArray(self._doubles.reshape(*shape, order=order))

    def ravel(self, order: Any = "C") -> TRArray:
        """All elements along one axis; a view where NumPy gives one."""
        return TRArray(self._doubles.ravel(order))

    def flatten(self, order: Any = "C") -> TRArray:
        """All elements along one axis; a copy."""
        return TRArray(self._doubles.flatten(order))

    def transpose(self, *axes: Any) -> TRArray:
        """The axes in reverse or in the order given; a view."""
        return TRArray(self._doubles.transpose(*axes))

    def squeeze(self, axis: Any = None) -> TRArray:
        """Without the axes of length one; a view."""
        return TRArray(self._doubles.squeeze(axis))

    # How it is kept and shown

    def __reduce__(self) -> tuple[Any, ...]:
        return TRArray, (self._doubles,)

    def __repr__(self) -> str:
        return f"TRArray({self._shown('', 'TRArray(', ')')})"

    def __format__(self, specification: str) -> str:
        """As ``str``, or with a format of numbers for each element."""
        return self._shown(specification, "", "") if specification else str(self)

    def _shown(self, specification: str, prefix: str, suffix: str) -> str:
        return np.array2string(
            self._doubles,
            separator=", ",
            prefix=prefix,
            suffix=suffix,
            formatter={"float_kind": lambda x: format(TRScalar(x), specification)},
        )

    def _repr_html_(self) -> str:
        return table(self._doubles)
