"""Every operation on nodes: takes nodes, TR scalars or numbers and returns a node."""

from .._enums import ReductionMode
from .._native import node_abs as tr_abs
from .._native import node_add as tr_add
from .._native import node_cos as tr_cos
from .._native import node_div as tr_div
from .._native import node_exp as tr_exp
from .._native import node_log as tr_log
from .._native import node_maximum as tr_maximum
from .._native import node_mean as tr_mean
from .._native import node_minimum as tr_minimum
from .._native import node_mul as tr_mul
from .._native import node_neg as tr_neg
from .._native import node_pow_int as tr_pow_int
from .._native import node_sign as tr_sign
from .._native import node_sin as tr_sin
from .._native import node_sqrt as tr_sqrt
from .._native import node_sub as tr_sub
from .._native import node_sum as tr_sum
from .._native import node_tanh as tr_tanh

__all__ = [
    "ReductionMode",
    "tr_abs",
    "tr_add",
    "tr_cos",
    "tr_div",
    "tr_exp",
    "tr_log",
    "tr_maximum",
    "tr_mean",
    "tr_minimum",
    "tr_mul",
    "tr_neg",
    "tr_pow_int",
    "tr_sign",
    "tr_sin",
    "tr_sqrt",
    "tr_sub",
    "tr_sum",
    "tr_tanh",
]
