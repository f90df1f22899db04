"""The argument types of this package, for annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Union

if TYPE_CHECKING:
    import numpy as np

    from ._native import TRNode, TRScalar

__all__ = ["Number", "Operand", "Value"]

Number = Union[float, "np.number[Any]"]
"""A Python or NumPy number."""

Value = Union["TRScalar", float, "np.number[Any]"]
"""A TR scalar or a number."""

Operand = Union["TRNode", "TRScalar", float, "np.number[Any]"]
"""An operand: a node, a TR scalar or a number."""
