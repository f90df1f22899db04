"""The operators of arrays of transreal values, and NumPy's functions of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Optional, SupportsIndex, TypeVar

import numpy as np

from . import _array_calls, _array_functions, _array_ufuncs
from ._array_ufuncs import Unknown, operand_of
from ._arrays import Array

__all__ = ["Operators", "numbers_of"]

Self = TypeVar("Self", bound="Operators")


class Operators:
    """What an array of doubles computes element by element, by the rules of TR values."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]  # as every mutable array

    _doubles: Array

    def __array_ufunc__(
        self,
        ufunc: np.ufunc,
        method: str,
        *inputs: Any,
        out: Optional[tuple[Any, ...]] = None,
        **keywords: Any,
    ) -> Any:
        """A universal function of NumPy, by the rules of TR values.

        Raises:
            TypeError: for a function without a transreal counterpart, a method or keyword that is
                not supported, and operands that are no numbers.
        """
        return _array_calls.universal(type(self), ufunc, method, inputs, out, keywords)

    def __array_function__(
        self,
        function: Callable[..., Any],
        types: Iterable[type],
        args: Sequence[Any],
        keywords: Mapping[str, Any],
    ) -> Any:
        """A function of NumPy: those that arrange elements give TRArrays, others take doubles."""
        return _array_functions.function(type(self), function, types, args, keywords)

    def __tr_function__(self, name: str, operands: Sequence[Any]) -> Any:
        """The function ``tr_NAME`` of operands with a TRArray among them."""
        return _array_calls.named(type(self), name, operands)

    def __add__(self, other: Any) -> Any:
        return _operator(np.add, self, other)

    def __radd__(self, other: Any) -> Any:
        return _operator(np.add, other, self)

    def __iadd__(self: Self, other: Any) -> Self:
        return self._assign(np.add, other)

    def __sub__(self, other: Any) -> Any:
        return _operator(np.subtract, self, other)

    def __rsub__(self, other: Any) -> Any:
        return _operator(np.subtract, other, self)

    def __isub__(self: Self, other: Any) -> Self:
        return self._assign(np.subtract, other)

    def __mul__(self, other: Any) -> Any:
        return _operator(np.multiply, self, other)

    def __rmul__(self, other: Any) -> Any:
        return _operator(np.multiply, other, self)

    def __imul__(self: Self, other: Any) -> Self:
        return self._assign(np.multiply, other)

    def __truediv__(self, other: Any) -> Any:
        return _operator(np.divide, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _operator(np.divide, other, self)

    def __itruediv__(self: Self, other: Any) -> Self:
        return self._assign(np.divide, other)

    def __mod__(self, other: Any) -> Any:
        return _operator(np.remainder, self, other)

    def __rmod__(self, other: Any) -> Any:
        return _operator(np.remainder, other, self)

    def __imod__(self: Self, other: Any) -> Self:
        return self._assign(np.remainder, other)

    def __pow__(self, other: Any) -> Any:
        """Powers; those of integers multiply out, as of scalars."""
        return _operator(np.power, self, other)

    def __rpow__(self, other: Any) -> Any:
        return _operator(np.power, other, self)

    def __ipow__(self: Self, other: Any) -> Self:
        return self._assign(np.power, other)

    def __matmul__(self, other: Any) -> Any:
        """The matrix product, each of its sums folded in order."""
        return _operator(np.matmul, self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return _operator(np.matmul, other, self)

    def __neg__(self) -> Any:
        return _operator(np.negative, self)

    def __pos__(self) -> Any:
        return _operator(np.positive, self)

    def __abs__(self) -> Any:
        return _operator(np.absolute, self)

    def __lt__(self, other: Any) -> Any:
        """Elementwise, in the order −∞ < REAL < +∞; false with Φ."""
        return _operator(np.less, self, other)

    def __le__(self, other: Any) -> Any:
        """Elementwise, in the order −∞ < REAL < +∞; false with Φ."""
        return _operator(np.less_equal, self, other)

    def __gt__(self, other: Any) -> Any:
        """Elementwise, in the order −∞ < REAL < +∞; false with Φ."""
        return _operator(np.greater, self, other)

    def __ge__(self, other: Any) -> Any:
        """Elementwise, in the order −∞ < REAL < +∞; false with Φ."""
        return _operator(np.greater_equal, self, other)

    def __eq__(self, other: object) -> Any:
        """Elementwise equality by tag, then by value: Φ equals Φ."""
        return _operator(np.equal, self, other)

    def __ne__(self, other: object) -> Any:
        """Elementwise inequality by tag or value."""
        return _operator(np.not_equal, self, other)

    def _assign(self: Self, ufunc: np.ufunc, other: Any) -> Self:
        """An operation in place."""
        result = _operator(ufunc, self, other)
        if result is NotImplemented:
            return result  # type: ignore[no-any-return]
        self._doubles[...] = numbers_of(result)
        return self

    def dot(self, other: Any) -> Any:
        """The matrix product, or the product by a number."""
        single = self._doubles.ndim == 0 or np.ndim(other) == 0
        return _operator(np.multiply if single else np.matmul, self, other)

    def clip(self, min: Any = None, max: Any = None, out: Any = None) -> Any:
        """The elements between bounds, as :func:`tr_clip` has it.

        Raises:
            ValueError: without any bound.
        """
        return _array_calls.clip(type(self), self, min, max, out)

    def round(self, decimals: SupportsIndex = 0, out: Any = None) -> Any:
        """The nearest integers, halves to the even one, or numbers with so many decimals."""
        return _array_calls.rounded(type(self), self, decimals, out)


def numbers_of(value: Any) -> Array:
    """What is to be written into an array of doubles.

    Raises:
        TypeError: for nodes, whose gradients would be lost, and for what is no number.
    """
    numbers = operand_of(value._doubles if isinstance(value, Operators) else value)
    if numbers.dtype.kind == "O":
        raise TypeError(
            "a node or tracer cannot be written into a TRArray, since its gradient would be lost: "
            "write its value, or keep nodes in an array of dtype=object"
        )
    return numbers


def _operator(ufunc: np.ufunc, *operands: Any) -> Any:
    """A universal function for an operator, which leaves unknown operands to their own classes."""
    (cls, *_) = [type(item) for item in operands if isinstance(item, Operators)]
    inputs = [item._doubles if isinstance(item, Operators) else item for item in operands]
    try:
        return _array_calls.wrapped(cls, _array_ufuncs.call(ufunc, inputs))
    except Unknown:
        return NotImplemented
