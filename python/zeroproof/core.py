"""Transreal scalars: values, tags, arithmetic and reductions.

Every function is total: it takes TR scalars or numbers of any tag and returns a TR scalar, never
raises for a value and never warns. An elementwise function that is given a node returns a node.
"""

from collections.abc import Iterable
from typing import Any, Optional, overload

from . import _ops
from ._enums import ReductionMode, TRTag
from ._native import TRNode, TRScalar, ninf, phi, pinf, real
from ._ops import *
from .typing import Operand, Value

__all__ = [
    "ReductionMode",
    "TRScalar",
    "TRTag",
    "is_finite",
    "is_infinite",
    "is_ninf",
    "is_phi",
    "is_pinf",
    "is_real",
    "ninf",
    "phi",
    "pinf",
    "real",
    "tr_clip",
    "tr_polyval",
]
__all__ += _ops.__all__


def _tag(x: Operand) -> TRTag:
    return x.tag if isinstance(x, (TRNode, TRScalar)) else TRScalar(x).tag


def is_real(x: Operand) -> bool:
    """Whether the value is a finite number.

    Examples:
        >>> from zeroproof import is_real, pinf
        >>> is_real(1.5), is_real(pinf())
        (True, False)
    """
    return _tag(x) is TRTag.REAL


def is_pinf(x: Operand) -> bool:
    """Whether the value is +∞.

    Examples:
        >>> from zeroproof import is_pinf, real
        >>> is_pinf(real(1.0) / 0.0)
        True
    """
    return _tag(x) is TRTag.PINF


def is_ninf(x: Operand) -> bool:
    """Whether the value is −∞.

    Examples:
        >>> from zeroproof import is_ninf, real
        >>> is_ninf(real(1.0) / -0.0)
        True
    """
    return _tag(x) is TRTag.NINF


def is_phi(x: Operand) -> bool:
    """Whether the value is nullity.

    Examples:
        >>> from zeroproof import is_phi, real
        >>> is_phi(real(0.0) / 0.0)
        True
    """
    return _tag(x) is TRTag.PHI


def is_finite(x: Operand) -> bool:
    """Whether the value is a finite number; the same as :func:`is_real`.

    Examples:
        >>> from zeroproof import is_finite, phi
        >>> is_finite(1.5), is_finite(phi())
        (True, False)
    """
    return is_real(x)


def is_infinite(x: Operand) -> bool:
    """Whether the value is +∞ or −∞.

    Examples:
        >>> from zeroproof import is_infinite, ninf, phi
        >>> is_infinite(ninf()), is_infinite(phi())
        (True, False)
    """
    return _tag(x) in (TRTag.PINF, TRTag.NINF)


@overload
def tr_clip(a: TRNode, low: Optional[Operand] = None, high: Optional[Operand] = None) -> TRNode: ...
@overload
def tr_clip(a: Value, low: Optional[Value] = None, high: Optional[Value] = None) -> TRScalar: ...
@overload
def tr_clip(a: Any, low: Any = None, high: Any = None) -> Any: ...
def tr_clip(a: Any, low: Any = None, high: Any = None) -> Any:
    """``a`` between two bounds: ``low`` where it is smaller, ``high`` where it is larger.

    The gradient is that of ``a`` on the closed interval, and that of the bound outside. Where
    ``low`` is above ``high`` the value is ``high``, as in NumPy. Φ in any operand gives Φ.

    Args:
        a: a number, TR scalar, node or tracer, or an array of them.
        low: the lower bound, of the same kinds; None for none.
        high: the upper bound, likewise.

    Returns:
        What :func:`tr_clip_min` and :func:`tr_clip_max`, which it is made of, return.

    Raises:
        ValueError: without any bound.

    Examples:
        >>> from zeroproof import pinf, tr_clip
        >>> tr_clip(1.5, 0.0, 1.0), tr_clip(pinf(), high=2.0)
        (TRScalar(1.0), TRScalar(2.0))
    """
    if low is None and high is None:
        raise ValueError("tr_clip needs a bound: low, high or both")
    above = a if low is None else _ops.tr_clip_min(a, low)
    return above if high is None else _ops.tr_clip_max(above, high)


@overload
def tr_polyval(coefficients: Iterable[Operand], x: TRNode) -> TRNode: ...
@overload
def tr_polyval(coefficients: Iterable[Value], x: Value) -> TRScalar: ...
@overload
def tr_polyval(coefficients: Any, x: Any) -> Any: ...
def tr_polyval(coefficients: Any, x: Any) -> Any:
    """The polynomial ``c₀xⁿ + c₁xⁿ⁻¹ + … + cₙ``, by Horner's rule ``(c₀x + c₁)x + … + cₙ``.

    The value and the gradients, by ``x`` and by the coefficients, are those of these sums and
    products in this order. At ±∞ the value is the limit if ``c₀`` is not 0; a polynomial of degree
    0 is Φ there, as the operator ``x ** 0`` is.

    Args:
        coefficients: numbers, TR scalars, nodes or tracers, or arrays that broadcast with ``x``;
            that of the highest power first, as for ``numpy.polyval``. Without any, the polynomial
            is 0, as that of ``[0]`` is.
        x: a number, TR scalar, node or tracer, or an array of them.

    Returns:
        What :func:`tr_mul` and :func:`tr_add`, which it is made of, return for these operands.

    Raises:
        TypeError: if ``coefficients`` is not iterable, or an operand is none of these.

    Examples:
        >>> from zeroproof import pinf, tr_polyval
        >>> tr_polyval([1.0, 0.0, -2.0], 3.0), tr_polyval([1.0, 0.0, -2.0], pinf())
        (TRScalar(7.0), TRScalar(+∞))
    """
    first, *rest = [*coefficients] or [0.0]
    if not rest:
        return _ops.tr_mul(first, _ops.tr_unit(x))
    result = first
    for coefficient in rest:
        result = _ops.tr_add(_ops.tr_mul(result, x), coefficient)
    return result
