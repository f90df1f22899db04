"""The enumerations that results are members of.

The native module makes members by code, so the codes here are those of the Rust enumerations; a
test compares the two.
"""

from enum import IntEnum, IntFlag

from . import _native
from ._op_type import OpType

__all__ = ["GradientMode", "GradientStatus", "OpType", "ReductionMode", "ScheduleType", "TRTag"]


class TRTag(IntEnum):
    """The class of a transreal value. The codes are stable.

    Examples:
        >>> from zeroproof import TRScalar, TRTag
        >>> TRScalar(1.0).tag is TRTag.REAL, (TRScalar(0.0) / 0.0).tag.name
        (True, 'PHI')
    """

    REAL = 0
    """A finite double."""
    PINF = 1
    """Positive infinity."""
    NINF = 2
    """Negative infinity."""
    PHI = 3
    """Nullity, the value of 0/0."""


class GradientStatus(IntFlag):
    """How a gradient came about; no flag means the classical gradient.

    Examples:
        >>> from zeroproof import GradientStatus, TRNode
        >>> x = TRNode.parameter(0.0)
        >>> (1.0 / x).backward()
        >>> print(x.gradient, x.gradient_status.name)
        0.0 MASKED
        >>> bool(x.gradient_status & GradientStatus.MASKED)
        True
    """

    EXACT = 0
    """The classical gradient."""
    MASKED = 1
    """A path was silenced by a non-REAL node."""
    DROPPED = 2
    """A contribution was not REAL and was left out."""
    SATURATED = 4
    """A bounded partial was used at a singular op."""


class GradientMode(IntEnum):
    """The policy for gradients at non-REAL nodes and singular ops.

    Examples:
        >>> from zeroproof import GradientMode, TRNode, gradient_mode
        >>> x = TRNode.parameter(0.0)
        >>> for mode in GradientMode:
        ...     x.zero_grad()
        ...     with gradient_mode(mode):
        ...         (1.0 / x).backward()
        ...     print(mode.name, x.gradient)
        MASK_REAL 0.0
        SATURATING -1.0
        HYBRID 0.0
    """

    MASK_REAL = 0
    """A non-REAL node passes exactly zero to its inputs."""
    SATURATING = 1
    """Singular ops use bounded partials."""
    HYBRID = 2
    """Each singular op chooses by its distance to the pole."""


class ScheduleType(IntEnum):
    """How δ decays, with p the share of the transition that is done.

    Examples:
        >>> from zeroproof.autodiff import HybridGradientSchedule, ScheduleType
        >>> for shape in ScheduleType:
        ...     schedule = HybridGradientSchedule(schedule_type=shape, transition_epochs=2)
        ...     print(shape.name, [f"{schedule.get_delta(epoch):.0e}" for epoch in range(3)])
        LINEAR ['1e-02', '5e-03', '1e-06']
        EXPONENTIAL ['1e-02', '1e-04', '1e-06']
        COSINE ['1e-02', '5e-03', '1e-06']
    """

    LINEAR = 0
    """δ₀ + (δ₁ − δ₀)·p"""
    EXPONENTIAL = 1
    """δ₀·(δ₁/δ₀)^p"""
    COSINE = 2
    """δ₁ + ½(δ₀ − δ₁)(1 + cos πp)"""


class ReductionMode(IntEnum):
    """Which values a sum, mean, norm, product, minimum or maximum keeps.

    Examples:
        >>> from zeroproof import ReductionMode, phi, pinf, tr_sum
        >>> for mode in ReductionMode:
        ...     print(mode.name, tr_sum([1.0, pinf(), phi()], mode))
        STRICT Φ
        DROP_NULL +∞
        DROP_NONREAL 1.0
    """

    STRICT = 0
    """Every value: the tag tables decide."""
    DROP_NULL = 1
    """All but Φ."""
    DROP_NONREAL = 2
    """The REAL values only."""


_native.set_enumerations(TRTag, GradientStatus, GradientMode, ScheduleType, ReductionMode, OpType)
