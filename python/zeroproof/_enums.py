"""The enumerations that results are members of.

The native module makes members by code, so the codes here are those of the Rust enumerations; a
test compares the two.
"""

from enum import IntEnum, IntFlag

from . import _native
from ._op_type import OpType

__all__ = ["GradientMode", "GradientStatus", "OpType", "ReductionMode", "ScheduleType", "TRTag"]


class TRTag(IntEnum):
    """The class of a transreal value. The codes are stable."""

    REAL = 0
    """A finite double."""
    PINF = 1
    """Positive infinity."""
    NINF = 2
    """Negative infinity."""
    PHI = 3
    """Nullity, the value of 0/0."""


class GradientStatus(IntFlag):
    """How a gradient came about; no flag means the classical gradient."""

    EXACT = 0
    """The classical gradient."""
    MASKED = 1
    """A path was silenced by a non-REAL node."""
    DROPPED = 2
    """A contribution was not REAL and was left out."""
    SATURATED = 4
    """A bounded partial was used at a singular op."""


class GradientMode(IntEnum):
    """The policy for gradients at non-REAL nodes and singular ops."""

    MASK_REAL = 0
    """A non-REAL node passes exactly zero to its inputs."""
    SATURATING = 1
    """Singular ops use bounded partials."""
    HYBRID = 2
    """Each singular op chooses by its distance to the pole."""


class ScheduleType(IntEnum):
    """How δ decays, with p the share of the transition that is done."""

    LINEAR = 0
    """δ₀ + (δ₁ − δ₀)·p"""
    EXPONENTIAL = 1
    """δ₀·(δ₁/δ₀)^p"""
    COSINE = 2
    """δ₁ + ½(δ₀ − δ₁)(1 + cos πp)"""


class ReductionMode(IntEnum):
    """Which values a sum, mean, norm, product, minimum or maximum keeps."""

    STRICT = 0
    """Every value: the tag tables decide."""
    DROP_NULL = 1
    """All but Φ."""
    DROP_NONREAL = 2
    """The REAL values only."""


_native.set_enumerations(TRTag, GradientStatus, GradientMode, ScheduleType, ReductionMode, OpType)
