"""The old name of :mod:`zeroproof.sample_mask`, deprecated."""

from ._deprecation import warn_renamed
from .sample_mask import MaskedSamplesWarning, SampleMask, alarm

__all__ = ["MaskedSamplesWarning", "SampleMask", "alarm"]

warn_renamed("zeroproof.quarantine", "zeroproof.sample_mask")
