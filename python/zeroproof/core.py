"""Transreal scalars: values, tags, arithmetic and reductions.

Every function is total: it takes TR scalars or numbers of any tag and returns a TR scalar, never
raises for a value and never warns. An elementwise function that is given a node returns a node.
"""

from . import _ops
from ._enums import ReductionMode, TRTag
from ._native import TRNode, TRScalar, ninf, phi, pinf, real
from ._ops import *
from .typing import Operand

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
