"""Nodes of the computation graph."""

from .._enums import GradientStatus, OpType
from .._native import TRNode

__all__ = ["GradientStatus", "OpType", "TRNode"]
