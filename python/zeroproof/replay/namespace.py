"""What the replay asks of an array library."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

__all__ = ["Concrete", "Elements", "Namespace", "Undifferentiated"]

#: An array of the library.
Elements = Any


class Namespace(Protocol):
    """An array library: functions of arrays, element by element, with IEEE's special values.

    The functions follow NumPy's broadcasting and the names of the array API standard. Arrays and
    Python numbers mix in operators; comparisons give arrays of booleans, which ``& | ~`` combine.
    A function may be off by a few units in the last place; ``sqrt`` and the operators are
    correctly rounded.
    """

    def where(self, condition: Elements, a: Any, b: Any) -> Elements:
        """``a`` where the condition holds, else ``b``; both may be Python numbers."""

    def isfinite(self, x: Elements) -> Elements:
        """Whether each element is a finite number."""

    def isnan(self, x: Elements) -> Elements:
        """Whether each element is a NaN."""

    def signbit(self, x: Elements) -> Elements:
        """Whether the sign of each element is negative; that of −0 is."""

    def abs(self, x: Elements) -> Elements:
        """The magnitude."""

    def sqrt(self, x: Elements) -> Elements:
        """The square root, correctly rounded."""

    def floor(self, x: Elements) -> Elements:
        """The largest integer below."""

    def ceil(self, x: Elements) -> Elements:
        """The smallest integer above."""

    def round(self, x: Elements) -> Elements:
        """The nearest integer; halves go to the even one."""

    def exp(self, x: Elements) -> Elements:
        """eˣ."""

    def expm1(self, x: Elements) -> Elements:
        """eˣ − 1."""

    def log(self, x: Elements) -> Elements:
        """Ln x."""

    def log1p(self, x: Elements) -> Elements:
        """ln(1 + x)."""

    def log2(self, x: Elements) -> Elements:
        """log₂ x."""

    def log10(self, x: Elements) -> Elements:
        """log₁₀ x."""

    def sin(self, x: Elements) -> Elements:
        """The sine."""

    def cos(self, x: Elements) -> Elements:
        """The cosine."""

    def tan(self, x: Elements) -> Elements:
        """The tangent."""

    def asin(self, x: Elements) -> Elements:
        """The arc sine."""

    def acos(self, x: Elements) -> Elements:
        """The arc cosine."""

    def atan(self, x: Elements) -> Elements:
        """The arc tangent."""

    def atan2(self, y: Elements, x: Elements) -> Elements:
        """The angle of the point (x, y)."""

    def tanh(self, x: Elements) -> Elements:
        """The hyperbolic tangent."""

    def asinh(self, x: Elements) -> Elements:
        """The inverse of sinh."""

    def acosh(self, x: Elements) -> Elements:
        """The inverse of cosh."""

    def pow(self, x: Elements, y: Elements) -> Elements:
        """``x`` to the power of ``y`` as in C99."""

    def fmod(self, x: Elements, y: Elements) -> Elements:
        """The rest of the division with the sign of ``x``, exact."""

    def exponent(self, x: Elements) -> Elements:
        """⌊log₂|x|⌋ of normal numbers, as a number of the same type; anything for others."""

    def power_of_two(self, n: Elements) -> Elements:
        """2ⁿ exactly, for integers n, given as such numbers, at which it is a normal number."""

    def constant(self, x: Elements) -> Elements:
        """The same numbers, through which the library differentiates nothing."""

    def rounded(self, x: Elements) -> Elements:
        """The same numbers, which the library must have rounded as they are.

        A compiler that fuses a product with a sum after it, or makes ``x`` of ``log(exp(x))``,
        changes where a difference is 0 or a value infinite, and so tags. Every node's value passes
        through here, which must keep it from that.
        """

    def divide(self, a: Elements, b: Elements) -> Elements:
        """The quotient, correctly rounded, also where ``b`` is known beforehand."""

    def zeros_like(self, x: Elements) -> Elements:
        """Zeros of the shape and type of x."""

    def broadcast_to(self, x: Elements, shape: tuple[int, ...]) -> Elements:
        """The same elements in a larger shape."""

    def stack(self, arrays: Sequence[Elements]) -> Elements:
        """Arrays of one shape side by side, along a new last axis."""

    def as_status(self, flags: Elements) -> Elements:
        """An array of booleans as uint8."""

    def full(self, like: Elements, value: float) -> Elements:
        """An array of shape () of the type and on the device of another one."""

    def numbers(self, like: Elements) -> str:
        """The type of the elements, ``"float64"`` or ``"float32"``; TypeError for another one."""

    def local(
        self,
        results: tuple[Elements, ...],
        function: Callable[..., tuple[Elements, ...]],
        safe: Sequence[float],
        *operands: Elements,
    ) -> tuple[Elements, ...]:
        """Results whose derivatives are those of a function of the operands.

        Where a result is not finite its derivatives are 0, and so they are where an operand is not.
        There the function is asked at the safe operands in the place of these, so that no NaN
        arises, by which a 0 would be multiplied.

        Args:
            results: what the function gives for the operands, with no derivatives of their own.
            function: the function, of which the library can differentiate every step.
            safe: operands at which function and derivatives are finite.
            *operands: the operands.
        """

    def node(
        self,
        value: Elements,
        partials: Callable[[], tuple[Elements, ...]],
        *operands: Elements,
    ) -> Elements:
        """A value whose derivatives by the operands are these finite numbers.

        Args:
            value: the value, with no derivatives of its own.
            partials: is called when derivatives are asked for, by which they are constants.
            *operands: the operands.
        """


@runtime_checkable
class Concrete(Namespace, Protocol):
    """A library whose numbers Python may look at: gradients then take a fraction of the work.

    The replay first computes all samples as if no number left the normal range, and then those of
    which it did once more. Arrays have boolean indices, which can be assigned to.
    """

    def is_concrete(self, arrays: Sequence[Elements]) -> bool:
        """Whether the numbers of these are known, and looking at them costs little.

        False where what is computed from them is to be differentiated or compiled.
        """

    def spoiled(self, total: Elements, x: Elements) -> Elements:
        """``total``, but NaN where x is not finite; the array itself may be changed."""

    def least(self, least: Elements, x: Elements) -> Elements:
        """The smaller of ``least`` and the magnitude of x; the array itself may be changed."""


class Undifferentiated:
    """The part of a library whose results nobody differentiates."""

    @staticmethod
    def local(
        results: tuple[Elements, ...],
        function: Callable[..., tuple[Elements, ...]],
        safe: Sequence[float],
        *operands: Elements,
    ) -> tuple[Elements, ...]:
        """The results."""
        return results

    @staticmethod
    def node(
        value: Elements, partials: Callable[[], tuple[Elements, ...]], *operands: Elements
    ) -> Elements:
        """The value."""
        return value
