"""The bounded partials of Saturating mode as functions: the rules of the backward pass.

With ``b`` the saturation bound, ``recip(y) = sign(y)/√(y² + b²)`` replaces 1/y. Gradient functions
use the current bound, accept values of any tag and return REAL values: a contribution that is not
REAL is dropped, and an operation whose value is Φ is masked; both give 0.
"""

from __future__ import annotations

from operator import index
from typing import Optional, SupportsIndex

from .. import _native
from .._native import TRNode, TRScalar
from ..typing import Operand, Value

__all__ = [
    "saturate_value",
    "saturating_div_grad",
    "saturating_log_grad",
    "saturating_pow_grad",
    "saturating_reciprocal",
    "saturating_sqrt_grad",
]


def _value(x: Operand) -> Value:
    return x.value if isinstance(x, TRNode) else x


def saturate_value(x: Operand, bound: Optional[float] = None) -> TRScalar:
    """``x/(|x| + b)``, which maps every value into [−1, 1]: ±∞ → ±1, Φ → 0.

    Examples:
        >>> from zeroproof.autodiff import saturate_value
        >>> saturate_value(3.0), saturate_value(float("inf"))
        (TRScalar(0.75), TRScalar(1.0))
    """
    return _native.saturate_value(_value(x), bound)


def saturating_reciprocal(x: Operand, bound: Optional[float] = None) -> TRScalar:
    """``sign(x)/√(x² + b²)``: at most 1/b in magnitude; 0 for ±0, ±∞ and Φ.

    Examples:
        >>> from zeroproof.autodiff import saturating_reciprocal
        >>> saturating_reciprocal(0.75), saturating_reciprocal(0.0)
        (TRScalar(0.8), TRScalar(0.0))
        >>> saturating_reciprocal(0.0075, bound=0.01)
        TRScalar(80.0)
    """
    return _native.saturating_reciprocal(_value(x), bound)


def saturating_div_grad(x: Operand, y: Operand, grad_output: Operand) -> tuple[TRScalar, TRScalar]:
    """The contributions of ``x / y`` to x and y: ``ḡ·recip(y)`` and ``−ḡ·x/(y² + b²)``.

    Examples:
        >>> from zeroproof.autodiff import saturating_div_grad
        >>> saturating_div_grad(2.0, 0.0, 1.0)
        (TRScalar(0.0), TRScalar(-2.0))
    """
    return _contributions("div", grad_output, x, y)


def saturating_log_grad(x: Operand, grad_output: Operand) -> TRScalar:
    """The contribution of ``log x`` to x: ``ḡ·recip(x)``.

    Examples:
        >>> from zeroproof.autodiff import saturating_log_grad
        >>> saturating_log_grad(0.75, 1.0)
        TRScalar(0.8)
    """
    return _contributions("log", grad_output, x)[0]


def saturating_sqrt_grad(x: Operand, grad_output: Operand) -> TRScalar:
    """The contribution of ``√x`` to x: ``ḡ·recip(2√x)``.

    Examples:
        >>> from zeroproof.autodiff import saturating_sqrt_grad
        >>> saturating_sqrt_grad(0.0, 1.0)
        TRScalar(0.0)
    """
    return _contributions("sqrt", grad_output, x)[0]


def saturating_pow_grad(x: Operand, n: SupportsIndex, grad_output: Operand) -> TRScalar:
    """The contribution of ``xⁿ`` to x: ``ḡ·n·recip(x^(1−n))`` for n < 0, else the classical one.

    Examples:
        >>> from zeroproof.autodiff import saturating_pow_grad
        >>> saturating_pow_grad(0.5, -1, 1.0), saturating_pow_grad(0.5, 2, 1.0)
        (TRScalar(-0.9701425001453319), TRScalar(1.0))
    """
    exponent = index(n)
    if not -(2**31) < exponent < 2**31:
        raise OverflowError("the exponent must lie between -2147483647 and 2147483647")
    return _contributions("pow_int", grad_output, x, exponent)[0]


def _contributions(
    op: str, grad_output: Operand, a: Operand, b: Operand = 0.0
) -> tuple[TRScalar, TRScalar]:
    return _native.saturating_contributions(op, _value(grad_output), _value(a), _value(b), None)
