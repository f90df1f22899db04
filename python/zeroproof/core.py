"""Transreal scalars: values, tags, arithmetic and reductions.

Every function is total: it takes TR scalars or numbers of any tag and returns a TR scalar, never
raises for a value and never warns. An elementwise function that is given a node returns a node.
"""

from ._enums import ReductionMode, TRTag
from ._native import (
    TRNode,
    TRScalar,
    ninf,
    phi,
    pinf,
    real,
)
from ._native import scalar_abs as tr_abs
from ._native import scalar_acos as tr_acos
from ._native import scalar_add as tr_add
from ._native import scalar_asin as tr_asin
from ._native import scalar_atan2 as tr_atan2
from ._native import scalar_cos as tr_cos
from ._native import scalar_div as tr_div
from ._native import scalar_exp as tr_exp
from ._native import scalar_expm1 as tr_expm1
from ._native import scalar_hypot as tr_hypot
from ._native import scalar_log as tr_log
from ._native import scalar_log1p as tr_log1p
from ._native import scalar_logsumexp as tr_logsumexp
from ._native import scalar_max as tr_max
from ._native import scalar_maximum as tr_maximum
from ._native import scalar_mean as tr_mean
from ._native import scalar_min as tr_min
from ._native import scalar_minimum as tr_minimum
from ._native import scalar_mul as tr_mul
from ._native import scalar_neg as tr_neg
from ._native import scalar_norm as tr_norm
from ._native import scalar_pow as tr_pow
from ._native import scalar_pow_int as tr_pow_int
from ._native import scalar_prod as tr_prod
from ._native import scalar_sigmoid as tr_sigmoid
from ._native import scalar_sign as tr_sign
from ._native import scalar_sin as tr_sin
from ._native import scalar_sinc as tr_sinc
from ._native import scalar_softplus as tr_softplus
from ._native import scalar_sqrt as tr_sqrt
from ._native import scalar_sub as tr_sub
from ._native import scalar_sum as tr_sum
from ._native import scalar_tan as tr_tan
from ._native import scalar_tanh as tr_tanh
from ._native import scalar_xlogy as tr_xlogy
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
    "tr_abs",
    "tr_acos",
    "tr_add",
    "tr_asin",
    "tr_atan2",
    "tr_cos",
    "tr_div",
    "tr_exp",
    "tr_expm1",
    "tr_hypot",
    "tr_log",
    "tr_log1p",
    "tr_logsumexp",
    "tr_max",
    "tr_maximum",
    "tr_mean",
    "tr_min",
    "tr_minimum",
    "tr_mul",
    "tr_neg",
    "tr_norm",
    "tr_pow",
    "tr_pow_int",
    "tr_prod",
    "tr_sigmoid",
    "tr_sign",
    "tr_sin",
    "tr_sinc",
    "tr_softplus",
    "tr_sqrt",
    "tr_sub",
    "tr_sum",
    "tr_tan",
    "tr_tanh",
    "tr_xlogy",
]


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
