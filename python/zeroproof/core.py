"""Transreal scalars: values, tags, arithmetic and reductions.

Every function is total: it takes TR scalars or numbers of any tag and returns a TR scalar, never
raises for a value and never warns. An elementwise function that is given a node returns a node.
"""

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
]
__all__ += _ops.__all__


def _tag(x: Operand) -> TRTag:
    return x.tag if isinstance(x, (TRNode, TRScalar)) else TRScalar(x).tag


def is_real(x: Operand) -> bool:
    """Whether the value is a finite number."""
    return _tag(x) is TRTag.REAL


def is_pinf(x: Operand) -> bool:
    """Whether the value is +∞."""
    return _tag(x) is TRTag.PINF


def is_ninf(x: Operand) -> bool:
    """Whether the value is −∞."""
    return _tag(x) is TRTag.NINF


def is_phi(x: Operand) -> bool:
    """Whether the value is nullity."""
    return _tag(x) is TRTag.PHI


def is_finite(x: Operand) -> bool:
    """Whether the value is a finite number; the same as :func:`is_real`."""
    return is_real(x)


def is_infinite(x: Operand) -> bool:
    """Whether the value is +∞ or −∞."""
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
    """
    if low is None and high is None:
        raise ValueError("tr_clip needs a bound: low, high or both")
    above = a if low is None else _ops.tr_clip_min(a, low)
    return above if high is None else _ops.tr_clip_max(above, high)
