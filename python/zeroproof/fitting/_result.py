"""What a fit returns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._arrays import Array
from ._summary import Row, table

__all__ = ["FitResult"]


@dataclass(frozen=True, eq=False, repr=False)
class FitResult:
    """A fitted model, the result of :func:`least_squares`.

    Rows and columns of ``covariance`` and ``correlation`` follow ``names``.

    Args:
        params: the parameters, in the structure of ``start``.
        stderr: their standard errors, in the structure of ``start``: 0 for fixed ones, inf for
            those that the samples do not determine, NaN for those at a bound, and for all if there
            are no degrees of freedom to estimate the noise from, or if the loss takes most samples
            as outliers.
        names: what the parameters are called, in order.
        covariance: shape (parameters, parameters).
        correlation: the same divided by the standard errors; NaN where these are 0 or not finite.
        sse: the sum of squares of residual/sigma, whatever the loss; inf or 0 where that is beyond
            the range of doubles, which ``summary`` tells.
        cost: half of that, or the sum of the losses, which was minimized.
        dof: samples that took part minus parameters, or combinations of them, that they determine;
            fixed parameters and those at a bound do not count.
        residuals: y minus the model, shape (samples,); NaN for masked samples.
        masked: indices of the samples that were left out since the model's value or gradient there
            is not REAL.
        incomplete: indices of the samples whose gradient lacks a contribution that was dropped.
        crossed_pole: indices of the samples that a pole of the model, of odd order, passed on the
            way from the start. The minimum may then be another than the one nearest to the start.
        at_bound: names of the parameters that a bound holds.
        undetermined: names of the parameters that the samples do not determine.
        nfev: how often the model was evaluated on all samples, gradients or not.
        njev: how often its gradients were.
        iterations: the number of steps that were taken.
        success: whether the digits of the parameters stopped changing.
        message: why the search ended.

    Examples:
        >>> import numpy as np
        >>> from zeroproof import least_squares
        >>> x = np.linspace(1.0, 2.0, 20)
        >>> y = 2.0 / (x - 0.5)
        >>> fit = least_squares(lambda p, x: p["a"] / (x - p["b"]), x, y, {"a": 1.0, "b": 0.0})
        >>> print({name: round(value, 6) for name, value in fit.params.items()}, fit.dof)
        {'a': 2.0, 'b': 0.5} 18
        >>> fit.names, fit.covariance.shape
        (('a', 'b'), (2, 2))
        >>> "standard error" in fit.summary()
        True
    """

    params: Any
    stderr: Any
    names: tuple[str, ...]
    covariance: Array
    correlation: Array
    sse: float
    cost: float
    dof: int
    residuals: Array
    masked: npt.NDArray[np.intp]
    incomplete: npt.NDArray[np.intp]
    crossed_pole: npt.NDArray[np.intp]
    at_bound: tuple[str, ...]
    undetermined: tuple[str, ...]
    nfev: int
    njev: int
    iterations: int
    success: bool
    message: str
    _rows: tuple[Row, ...]
    _norm: float

    @property
    def residual_std(self) -> float:
        """The residual standard deviation √(sse/dof); NaN without degrees of freedom."""
        return self._norm / math.sqrt(self.dof) if self.dof > 0 else float("nan")

    def summary(self) -> str:
        """A table of the parameters with standard errors, and how good the fit is.

        Standard errors have two digits and values end at the same place.
        """
        samples = len(self.residuals)
        lines = [table(self._rows), "", self._spread()]
        lines.append(f"{samples - len(self.masked)} of {samples} samples{self._left_out()}")
        if len(self.crossed_pole):
            lines.append(
                f"a pole of the model passed {_counted(self.crossed_pole)} on the way from the "
                "start: another start may lead to a smaller sum of squares"
            )
        strong = self._strongest()
        if strong:
            lines.append(strong)
        if self.undetermined:
            lines.append(f"not determined by the samples: {', '.join(self.undetermined)}")
        outcome = "" if self.success else "NOT CONVERGED: "
        lines.append(f"{outcome}{self.message} ({self.iterations} iterations)")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<FitResult\n{self.summary()}\n>"

    def _spread(self) -> str:
        """How large the residuals are."""
        if self.dof <= 0:
            return (
                f"sum of squares {self.sse:.6g}; no degrees of freedom, so the residuals say "
                "nothing about the noise"
            )
        squares = f"{self.sse:.6g}"
        if not np.isfinite(self.sse) or (self.sse == 0.0 and self._norm > 0.0):
            squares = "beyond the range of doubles"
        return (
            f"residual standard deviation {self.residual_std:.6g} with {self.dof} degrees of "
            f"freedom, sum of squares {squares}"
        )

    def _left_out(self) -> str:
        text = ""
        if len(self.masked):
            text += f"; masked: {_listed(self.masked)}"
        if len(self.incomplete):
            text += f"; {len(self.incomplete)} with an incomplete gradient"
        return text

    def _strongest(self) -> str:
        """The strongest correlation, in words."""
        off = np.abs(np.tril(np.nan_to_num(self.correlation), -1))
        if len(self.names) < 2 or not off.max() > 0.0:
            return ""
        row, column = np.unravel_index(int(np.argmax(off)), off.shape)
        value = self.correlation[row, column]
        first, second = self.names[int(column)], self.names[int(row)]
        return f"strongest correlation {value:+.4f}, of {first} and {second}"


def _listed(samples: npt.NDArray[np.intp]) -> str:
    return ", ".join(map(str, samples[:5])) + (", …" if len(samples) > 5 else "")


def _counted(samples: npt.NDArray[np.intp]) -> str:
    count = len(samples)
    return f"{count} sample{'' if count == 1 else 's'} ({_listed(samples)})"
