"""Every operation on nodes: takes nodes, TR scalars or numbers and returns a node.

Made by python/generate.py from the op table.
"""

from .._enums import ReductionMode
from .._native import _node_abs as tr_abs
from .._native import _node_acos as tr_acos
from .._native import _node_acosh as tr_acosh
from .._native import _node_add as tr_add
from .._native import _node_asin as tr_asin
from .._native import _node_asinh as tr_asinh
from .._native import _node_atan as tr_atan
from .._native import _node_atan2 as tr_atan2
from .._native import _node_atanh as tr_atanh
from .._native import _node_cbrt as tr_cbrt
from .._native import _node_ceil as tr_ceil
from .._native import _node_clip_max as tr_clip_max
from .._native import _node_clip_min as tr_clip_min
from .._native import _node_copysign as tr_copysign
from .._native import _node_cos as tr_cos
from .._native import _node_cosc as tr_cosc
from .._native import _node_cosh as tr_cosh
from .._native import _node_div as tr_div
from .._native import _node_erf as tr_erf
from .._native import _node_erfc as tr_erfc
from .._native import _node_exp as tr_exp
from .._native import _node_expm1 as tr_expm1
from .._native import _node_exprel as tr_exprel
from .._native import _node_floor as tr_floor
from .._native import _node_hypot as tr_hypot
from .._native import _node_log as tr_log
from .._native import _node_log1p as tr_log1p
from .._native import _node_log1prel as tr_log1prel
from .._native import _node_log2 as tr_log2
from .._native import _node_log10 as tr_log10
from .._native import _node_log_ndtr as tr_log_ndtr
from .._native import _node_log_sigmoid as tr_log_sigmoid
from .._native import _node_logsumexp as tr_logsumexp
from .._native import _node_max as tr_max
from .._native import _node_maximum as tr_maximum
from .._native import _node_mean as tr_mean
from .._native import _node_min as tr_min
from .._native import _node_minimum as tr_minimum
from .._native import _node_mul as tr_mul
from .._native import _node_neg as tr_neg
from .._native import _node_norm as tr_norm
from .._native import _node_pow as tr_pow
from .._native import _node_pow_int as tr_pow_int
from .._native import _node_prod as tr_prod
from .._native import _node_remainder as tr_remainder
from .._native import _node_round as tr_round
from .._native import _node_sigmoid as tr_sigmoid
from .._native import _node_sign as tr_sign
from .._native import _node_sin as tr_sin
from .._native import _node_sinc as tr_sinc
from .._native import _node_sinh as tr_sinh
from .._native import _node_softplus as tr_softplus
from .._native import _node_sqrt as tr_sqrt
from .._native import _node_square as tr_square
from .._native import _node_sub as tr_sub
from .._native import _node_sum as tr_sum
from .._native import _node_tan as tr_tan
from .._native import _node_tanh as tr_tanh
from .._native import _node_xlogy as tr_xlogy

__all__ = [
    "ReductionMode",
    "tr_abs",
    "tr_acos",
    "tr_acosh",
    "tr_add",
    "tr_asin",
    "tr_asinh",
    "tr_atan",
    "tr_atan2",
    "tr_atanh",
    "tr_cbrt",
    "tr_ceil",
    "tr_clip_max",
    "tr_clip_min",
    "tr_copysign",
    "tr_cos",
    "tr_cosc",
    "tr_cosh",
    "tr_div",
    "tr_erf",
    "tr_erfc",
    "tr_exp",
    "tr_expm1",
    "tr_exprel",
    "tr_floor",
    "tr_hypot",
    "tr_log",
    "tr_log10",
    "tr_log1p",
    "tr_log1prel",
    "tr_log2",
    "tr_log_ndtr",
    "tr_log_sigmoid",
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
    "tr_remainder",
    "tr_round",
    "tr_sigmoid",
    "tr_sign",
    "tr_sin",
    "tr_sinc",
    "tr_sinh",
    "tr_softplus",
    "tr_sqrt",
    "tr_square",
    "tr_sub",
    "tr_sum",
    "tr_tan",
    "tr_tanh",
    "tr_xlogy",
]
