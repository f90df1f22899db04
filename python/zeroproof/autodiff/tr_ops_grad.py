"""Every operation on nodes: takes nodes, TR scalars or numbers and returns a node.

Made by python/generate.py from the op table.
"""

from .._enums import ReductionMode
from .._native import _node_abs as tr_abs
from .._native import _node_acos as tr_acos
from .._native import _node_add as tr_add
from .._native import _node_asin as tr_asin
from .._native import _node_atan2 as tr_atan2
from .._native import _node_cos as tr_cos
from .._native import _node_div as tr_div
from .._native import _node_exp as tr_exp
from .._native import _node_expm1 as tr_expm1
from .._native import _node_hypot as tr_hypot
from .._native import _node_log as tr_log
from .._native import _node_log1p as tr_log1p
from .._native import _node_logsumexp as tr_logsumexp
from .._native import _node_maximum as tr_maximum
from .._native import _node_mean as tr_mean
from .._native import _node_minimum as tr_minimum
from .._native import _node_mul as tr_mul
from .._native import _node_neg as tr_neg
from .._native import _node_norm as tr_norm
from .._native import _node_pow as tr_pow
from .._native import _node_pow_int as tr_pow_int
from .._native import _node_sigmoid as tr_sigmoid
from .._native import _node_sign as tr_sign
from .._native import _node_sin as tr_sin
from .._native import _node_sinc as tr_sinc
from .._native import _node_softplus as tr_softplus
from .._native import _node_sqrt as tr_sqrt
from .._native import _node_sub as tr_sub
from .._native import _node_sum as tr_sum
from .._native import _node_tan as tr_tan
from .._native import _node_tanh as tr_tanh
from .._native import _node_xlogy as tr_xlogy

__all__ = [
    "ReductionMode",
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
    "tr_maximum",
    "tr_mean",
    "tr_minimum",
    "tr_mul",
    "tr_neg",
    "tr_norm",
    "tr_pow",
    "tr_pow_int",
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
