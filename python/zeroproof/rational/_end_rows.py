"""Degrees that follow the first or the last row alone.

A row between others that is far off needs a pole and a zero next to it, which are refused as not
established. At an end of the data a polynomial can follow it, of a degree that grows with the
number of rows. So does no function that the other rows show: without the row a much lower degree is
chosen.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ._candidate import Candidate
from ._fixed_degree import Fitter
from ._noise import MAD_OF_NORMAL
from ._problem import Samples
from ._refine import linearise

__all__ = ["without_end_row"]

#: A fit goes through a row of that leverage whatever its value is.
FOLLOWED = 0.9
#: How many parameters a single row must have made necessary, and what share of all.
MORE, SHARE = 4, 0.5
FAR_OFF = 6.0


def without_end_row(
    best: Candidate, fitter: Fitter, search: Callable[[Samples], Candidate]
) -> Candidate:
    """The fit of the degree that the data show without an end row, if the best follows that row.

    Args:
        best: of all rows.
        fitter: of all rows.
        search: gives the best of other samples.
    """
    u = fitter.samples.u
    for row in (int(np.argmin(u)), int(np.argmax(u))):
        if best.problem.free < MORE + 1 or not _leverage(best, row) > FOLLOWED:
            continue
        others = np.delete(np.arange(len(u)), row)
        lower = search(fitter.samples.some(others))
        fewer = best.problem.free - lower.problem.free
        if fewer < max(MORE, SHARE * best.problem.free):
            continue
        typical = float(np.median(np.abs(lower.residuals))) / MAD_OF_NORMAL
        whole = fitter.fit_from(lower.degree, fitter.padded(lower, lower.degree))
        if abs(whole.residuals[row]) > FAR_OFF * typical:
            best = whole
    return best


def _leverage(candidate: Candidate, row: int) -> float:
    """By how much the value fitted at a row moves with its y."""
    problem, metric = candidate.problem, candidate.metric
    weight = np.zeros(len(problem.samples))
    weight[row] = metric.weight[row]
    whole = linearise(problem, candidate.point, metric)
    alone = linearise(problem, candidate.point, type(metric)(metric.chordal, weight))
    if not (np.isfinite(whole.singular).all() and np.isfinite(alone.singular).all()):
        return 0.0
    slopes = (alone.singular[:, None] * alone.across) * alone.size
    kept = whole.singular > whole.singular[0] * 1e-14
    inverse = np.where(kept, 1.0 / np.where(kept, whole.singular, 1.0), 0.0)
    root = (whole.across.T * inverse) / whole.size[:, None]
    return float(np.sum((slopes @ root) ** 2))
