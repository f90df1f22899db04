"""Automatic differentiation over transreal numbers."""

from .. import _native, _ops
from .._ops import *
from . import tr_ops_grad as tr_ops_grad
from ._dot import to_dot as _to_dot
from .backward import backward_pass, compute_input_gradients, topological_sort
from .batched import BatchedFunction, tr_vmap
from .conditions import (
    tr_and,
    tr_equal,
    tr_greater,
    tr_greater_equal,
    tr_is_infinite,
    tr_is_phi,
    tr_is_real,
    tr_less,
    tr_less_equal,
    tr_not,
    tr_or,
    tr_where,
)
from .grad_funcs import tr_grad, tr_value_and_grad
from .grad_mode import (
    GradientMode,
    GradientModeConfig,
    ModeSnapshot,
    gradient_mode,
    use_mask_real,
    use_saturating,
)
from .gradient_check import (
    GradientCheck,
    GradientRow,
    Verdict,
    assert_gradient,
    check_gradient,
)
from .gradient_tape import TRGradientTape, gradient_tape
from .hybrid_gradient import (
    HybridGradientContext,
    HybridGradientSchedule,
    HybridStatistics,
    ScheduleType,
    create_default_schedule,
)
from .partial import MaskTotals, Partial
from .program import Program, load_program
from .saturating_ops import (
    saturate_value,
    saturating_div_grad,
    saturating_log_grad,
    saturating_pow_grad,
    saturating_reciprocal,
    saturating_sqrt_grad,
)
from .second_order import tr_hessian, tr_hvp, tr_jacobian, tr_jvp, tr_vjp
from .tr_node import GradientStatus, OpType, TRNode

__all__ = [
    "BatchedFunction",
    "GradientCheck",
    "GradientMode",
    "GradientModeConfig",
    "GradientRow",
    "GradientStatus",
    "HybridGradientContext",
    "HybridGradientSchedule",
    "HybridStatistics",
    "MaskTotals",
    "ModeSnapshot",
    "OpType",
    "Program",
    "Partial",
    "ScheduleType",
    "TRGradientTape",
    "TRNode",
    "Verdict",
    "assert_gradient",
    "backward_pass",
    "check_gradient",
    "compute_input_gradients",
    "create_default_schedule",
    "gradient_mode",
    "gradient_tape",
    "load_program",
    "saturate_value",
    "saturating_div_grad",
    "saturating_log_grad",
    "saturating_pow_grad",
    "saturating_reciprocal",
    "saturating_sqrt_grad",
    "topological_sort",
    "tr_and",
    "tr_equal",
    "tr_grad",
    "tr_greater",
    "tr_greater_equal",
    "tr_hessian",
    "tr_hvp",
    "tr_is_infinite",
    "tr_is_phi",
    "tr_is_real",
    "tr_jacobian",
    "tr_jvp",
    "tr_less",
    "tr_less_equal",
    "tr_not",
    "tr_or",
    "tr_value_and_grad",
    "tr_vjp",
    "tr_vmap",
    "tr_where",
    "use_mask_real",
    "use_saturating",
]
__all__ += _ops.__all__

_native.set_drawer(_to_dot)
