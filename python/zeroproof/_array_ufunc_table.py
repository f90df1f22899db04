"""What stands for NumPy's universal functions in arrays of transreal values.

The functions are those of nodes; here they are sorted by who computes them.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ._ufunc_table import FUNCTIONS, SPECIAL

__all__ = ["CLASSES", "COMPARISONS", "ENGINE", "IEEE", "LOGICAL", "SPECIAL"]


def _of(*names: str) -> dict[np.ufunc, Callable[..., Any]]:
    return {getattr(np, name): FUNCTIONS[name] for name in names}


#: These are one IEEE operation each, so NumPy's own loops give the bits of the engine.
IEEE = _of(
    *("add", "subtract", "multiply", "divide", "sqrt"),
    *("negative", "positive", "conjugate", "absolute", "fabs"),
)

#: Of two numbers each; ``!=`` of doubles is not that of tags.
COMPARISONS: dict[np.ufunc, Callable[[Any, Any], Any]] = {
    np.less: operator.lt,
    np.less_equal: operator.le,
    np.greater: operator.gt,
    np.greater_equal: operator.ge,
    np.equal: operator.eq,
    np.not_equal: operator.ne,
}

#: Questions to the doubles, whose class is the tag.
CLASSES = {np.isnan, np.isinf, np.isfinite, np.signbit}

LOGICAL = {np.logical_and, np.logical_or, np.logical_xor, np.logical_not}

#: Functions that a class computes by another rule, or not at all.
_ELSEWHERE = {"power", "clip", "bitwise_and", "bitwise_or", "bitwise_xor", "invert"}

#: These are computed by the engine.
ENGINE = {
    ufunc: function
    for ufunc, function in _of(*(FUNCTIONS.keys() - _ELSEWHERE)).items()
    if ufunc not in {*IEEE, *COMPARISONS, *CLASSES, *LOGICAL}
}
