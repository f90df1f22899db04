"""Every operation as a function that answers in the kind of its operands.

Numbers and TR scalars give a TR scalar; if there is a node among them, a node; a NumPy array an
array of objects, element by element. Made by python/generate.py from the op table.
"""

from ._native import _op_abs as tr_abs
from ._native import _op_acos as tr_acos
from ._native import _op_add as tr_add
from ._native import _op_asin as tr_asin
from ._native import _op_atan2 as tr_atan2
from ._native import _op_cos as tr_cos
from ._native import _op_div as tr_div
from ._native import _op_exp as tr_exp
from ._native import _op_expm1 as tr_expm1
from ._native import _op_hypot as tr_hypot
from ._native import _op_log as tr_log
from ._native import _op_log1p as tr_log1p
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
from ._native import _op_sigmoid as tr_sigmoid
from ._native import _op_sign as tr_sign
from ._native import _op_sin as tr_sin
from ._native import _op_sinc as tr_sinc
from ._native import _op_softplus as tr_softplus
from ._native import _op_sqrt as tr_sqrt
from ._native import _op_sub as tr_sub
from ._native import _op_sum as tr_sum
from ._native import _op_tan as tr_tan
from ._native import _op_tanh as tr_tanh
from ._native import _op_xlogy as tr_xlogy

__all__ = [
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
