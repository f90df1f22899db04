"""Every operation as a function that answers in the kind of its operands.

Numbers and TR scalars give a TR scalar; if there is a node among them, a node; an array, list or
tuple an array of objects, element by element. Made by python/generate.py from the op table.
"""

from ._native import _op_abs as tr_abs
from ._native import _op_acos as tr_acos
from ._native import _op_acosh as tr_acosh
from ._native import _op_add as tr_add
from ._native import _op_asin as tr_asin
from ._native import _op_asinh as tr_asinh
from ._native import _op_atan as tr_atan
from ._native import _op_atan2 as tr_atan2
from ._native import _op_atanh as tr_atanh
from ._native import _op_cbrt as tr_cbrt
from ._native import _op_ceil as tr_ceil
from ._native import _op_clip_max as tr_clip_max
from ._native import _op_clip_min as tr_clip_min
from ._native import _op_copysign as tr_copysign
from ._native import _op_cos as tr_cos
from ._native import _op_cosc as tr_cosc
from ._native import _op_cosh as tr_cosh
from ._native import _op_div as tr_div
from ._native import _op_erf as tr_erf
from ._native import _op_erfc as tr_erfc
from ._native import _op_exp as tr_exp
from ._native import _op_expm1 as tr_expm1
from ._native import _op_exprel as tr_exprel
from ._native import _op_floor as tr_floor
from ._native import _op_hypot as tr_hypot
from ._native import _op_log as tr_log
from ._native import _op_log1p as tr_log1p
from ._native import _op_log1prel as tr_log1prel
from ._native import _op_log2 as tr_log2
from ._native import _op_log10 as tr_log10
from ._native import _op_log_ndtr as tr_log_ndtr
from ._native import _op_log_sigmoid as tr_log_sigmoid
from ._native import _op_logsumexp as tr_logsumexp
from ._native import _op_max as tr_max
from ._native import _op_maximum as tr_maximum
from ._native import _op_mean as tr_mean
from ._native import _op_min as tr_min
from ._native import _op_minimum as tr_minimum
from ._native import _op_mul as tr_mul
from ._native import _op_neg as tr_neg
from ._native import _op_norm as tr_norm
from ._native import _op_pow as tr_pow
from ._native import _op_pow_int as tr_pow_int
from ._native import _op_prod as tr_prod
from ._native import _op_remainder as tr_remainder
from ._native import _op_round as tr_round
from ._native import _op_sigmoid as tr_sigmoid
from ._native import _op_sign as tr_sign
from ._native import _op_sin as tr_sin
from ._native import _op_sinc as tr_sinc
from ._native import _op_sinh as tr_sinh
from ._native import _op_softplus as tr_softplus
from ._native import _op_sqrt as tr_sqrt
from ._native import _op_square as tr_square
from ._native import _op_sub as tr_sub
from ._native import _op_sum as tr_sum
from ._native import _op_tan as tr_tan
from ._native import _op_tanh as tr_tanh
from ._native import _op_unit as tr_unit
from ._native import _op_xlogy as tr_xlogy

__all__ = [
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
    "tr_unit",
    "tr_xlogy",
]
