"""What the functions of this package accept, for annotations."""

from typing import TYPE_CHECKING, SupportsFloat, SupportsIndex, Union

if TYPE_CHECKING:
    from ._native import TRNode, TRScalar

__all__ = ["Number", "Operand", "Value"]

Number = Union[SupportsFloat, SupportsIndex]
"""A Python or NumPy number."""

Value = Union["TRScalar", SupportsFloat, SupportsIndex]
"""A TR scalar or a number."""

Operand = Union["TRNode", "TRScalar", SupportsFloat, SupportsIndex]
"""Whatever an operation takes: a node, a TR scalar or a number."""
