"""A row of a check of gradients: what was found for one input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from .._enums import GradientStatus
from ._check_verdicts import Verdict

__all__ = ["GradientRow"]

_FAILING = frozenset({Verdict.WRONG, Verdict.REMOVABLE})


@dataclass(frozen=True)
class GradientRow:
    """What a check found for one input.

    Examples:
        >>> from zeroproof.autodiff import check_gradient
        >>> [row] = check_gradient(lambda x: x * x, 3.0).rows
        >>> print(row.fails, row.verdict.name)
        False OK
    """

    name: str
    """The name of the parameter, with an index for an element of an array: ``w[0, 1]``. For a
    second derivative that of the gradient's input and that of the one varied: ``(w[0], b)``."""
    x: float
    """The value of the input that is varied."""
    gradient: float
    """zeroproof's gradient, or second derivative."""
    numerical: Optional[float]
    """The slope by finite differences; None if there is none or it does not converge."""
    error_estimate: Optional[float]
    """The estimated error of ``numerical``."""
    relative_error: Optional[float]
    """The difference of the two over the larger of them, 0 if both are 0."""
    status: GradientStatus
    """The status of the gradient."""
    verdict: Verdict
    note: str
    """Further information, or an empty string."""

    @property
    def fails(self) -> bool:
        """Whether the gradient is wrong, or masked although the function is smooth."""
        return self.verdict in _FAILING
