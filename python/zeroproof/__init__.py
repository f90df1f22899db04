"""zeroproof: automatic differentiation for functions with poles.

Values are transreal numbers: ``1/0`` is +∞, ``0/0`` is nullity Φ, and every operation is total.
The gradient at a pole follows a mode (``GradientMode``), and the status of each gradient
distinguishes a true zero from a masked one.

The functions of operations (``tr_add`` and the rest) answer in the kind of their operands: numbers
and TR scalars give a TR scalar, nodes a node, arrays an array of objects.
"""

from . import _native, _ops
from . import _ufuncs as _ufuncs
from . import models as models
from . import optim as optim
from ._ops import *
from .array import TRArray
from .autodiff import (
    GradientCheck,
    GradientMode,
    GradientModeConfig,
    GradientRow,
    GradientStatus,
    HybridGradientContext,
    HybridGradientSchedule,
    HybridStatistics,
    ModeSnapshot,
    OpType,
    Partial,
    Program,
    ScheduleType,
    TRGradientTape,
    TRNode,
    Verdict,
    assert_gradient,
    check_gradient,
    create_default_schedule,
    gradient_mode,
    gradient_tape,
    load_program,
    tr_and,
    tr_equal,
    tr_grad,
    tr_greater,
    tr_greater_equal,
    tr_hessian,
    tr_hvp,
    tr_is_infinite,
    tr_is_phi,
    tr_is_real,
    tr_jacobian,
    tr_jvp,
    tr_less,
    tr_less_equal,
    tr_not,
    tr_or,
    tr_value_and_grad,
    tr_vjp,
    tr_vmap,
    tr_where,
    use_mask_real,
    use_saturating,
)
from .bridge import from_ieee, to_ieee
from .core import (
    ReductionMode,
    TRScalar,
    TRTag,
    is_finite,
    is_infinite,
    is_ninf,
    is_phi,
    is_pinf,
    is_real,
    ninf,
    phi,
    pinf,
    real,
    tr_clip,
    tr_polyval,
)
from .explanation import Explanation, Location, SingularEvent
from .fitting import FitResult, least_squares
from .linear_algebra import tr_det, tr_inv, tr_solve
from .models import RationalModel
from .native import NativeCode, native_code, set_native
from .policy import TRPolicy, TRPolicyConfig
from .rational import Rational, fit_rational
from .sample_mask import MaskedSamplesWarning, SampleMask, alarm
from .selection import tr_take
from .statistics import tr_log_softmax, tr_softmax, tr_std, tr_var
from .threads import get_num_threads, set_num_threads
from .watching import Occurrence, SingularityError, SingularityLog, watch_singularities

__version__ = _native.__version__

__all__ = [
    "tr_hvp",
    "tr_hessian",
    "Explanation",
    "FitResult",
    "GradientCheck",
    "GradientMode",
    "GradientModeConfig",
    "GradientRow",
    "GradientStatus",
    "HybridGradientContext",
    "HybridGradientSchedule",
    "HybridStatistics",
    "Location",
    "MaskedSamplesWarning",
    "ModeSnapshot",
    "NativeCode",
    "Occurrence",
    "OpType",
    "Program",
    "Partial",
    "RationalModel",
    "Rational",
    "ReductionMode",
    "SampleMask",
    "ScheduleType",
    "SingularEvent",
    "SingularityError",
    "SingularityLog",
    "TRArray",
    "TRGradientTape",
    "TRNode",
    "TRPolicy",
    "TRPolicyConfig",
    "TRScalar",
    "TRTag",
    "Verdict",
    "alarm",
    "assert_gradient",
    "check_gradient",
    "create_default_schedule",
    "fit_rational",
    "from_ieee",
    "get_num_threads",
    "gradient_mode",
    "gradient_tape",
    "is_finite",
    "is_infinite",
    "is_ninf",
    "is_phi",
    "is_pinf",
    "is_real",
    "least_squares",
    "load_program",
    "native_code",
    "ninf",
    "phi",
    "pinf",
    "real",
    "set_native",
    "set_num_threads",
    "to_ieee",
    "tr_and",
    "tr_clip",
    "tr_det",
    "tr_equal",
    "tr_grad",
    "tr_greater",
    "tr_greater_equal",
    "tr_inv",
    "tr_is_infinite",
    "tr_is_phi",
    "tr_is_real",
    "tr_jacobian",
    "tr_jvp",
    "tr_less",
    "tr_less_equal",
    "tr_log_softmax",
    "tr_not",
    "tr_or",
    "tr_polyval",
    "tr_softmax",
    "tr_solve",
    "tr_std",
    "tr_take",
    "tr_value_and_grad",
    "tr_var",
    "tr_vjp",
    "tr_vmap",
    "tr_where",
    "use_mask_real",
    "use_saturating",
    "watch_singularities",
]
__all__ += _ops.__all__
