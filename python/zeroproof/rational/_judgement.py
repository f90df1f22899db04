"""Whether a fit is good, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .._arrays import Array
from ._fixed_degree import Candidate
from ._noise import MAD_OF_NORMAL
from ._rows import Rows

__all__ = ["judged"]

#: In standard deviations of what is tested: what chance alone does in one of a million fits.
SURE = 5.0
#: A deviation that is sure but smaller than this does not matter.
MATTERS = 1.2
FAR_OFF = 6.0


def judged(rows: Rows, residuals: Array, candidate: Candidate, unsupported: int) -> tuple[str, ...]:
    """What is wrong with a fit.

    Args:
        rows: the data.
        residuals: data less fit, in σ where it was given.
        candidate: the fit.
        unsupported: how many of its poles no more than two rows see.
    """
    return tuple(_judged(rows, residuals, candidate, unsupported))


def _judged(rows: Rows, residuals: Array, candidate: Candidate, unsupported: int) -> Iterator[str]:
    if unsupported and not candidate.exact:
        one = unsupported == 1
        yield (
            f"{unsupported} pole{'' if one else 's'} within the data follow{'s' if one else ''} "
            "the noise of single rows: a lower degree is likely"
        )
    dof = len(rows) - candidate.problem.free
    if dof <= 0:
        yield "there are as many parameters as rows, so nothing is known of the errors"
        return
    if candidate.exact:
        return
    if rows.sigma is not None:
        size = float(np.sqrt(np.mean(residuals * residuals) * len(rows) / dof))
        if (
            candidate.metric.chordal
            or (candidate.metric.weight != candidate.problem.samples.weight).any()
        ):
            size = float(np.median(np.abs(residuals))) / MAD_OF_NORMAL  # outliers are as they are
        spread = np.sqrt(0.5 / dof)
        if size > max(1.0 + SURE * spread, MATTERS):
            yield f"residuals are {size:.2g}× σ: a higher degree is likely, or sigma is too small"
        elif size < min(1.0 - SURE * spread, 1.0 / MATTERS):
            yield f"residuals are {size:.2g}× σ: sigma is too large, or the degree too high"
    if _alike(rows.x, residuals):
        yield "residuals of neighbouring rows have the same sign: a higher degree is likely"
    if not candidate.metric.chordal:
        yield from _outliers(residuals, candidate)


def _alike(x: Array, residuals: Array) -> bool:
    """Whether signs in the order of x change less often than chance does (a test of runs)."""
    signs = (residuals[np.argsort(x, kind="stable")] > 0.0).astype(np.int8)
    plus = float(np.count_nonzero(signs))
    minus = len(signs) - plus
    if min(plus, minus) < 2.0:
        return False
    total = plus + minus
    expected = 1.0 + 2.0 * plus * minus / total
    variance = (expected - 1.0) * (expected - 2.0) / (total - 1.0)
    found = 1 + np.count_nonzero(np.diff(signs))
    return bool(variance > 0.0 and found < expected - SURE * np.sqrt(variance))


def _outliers(residuals: Array, candidate: Candidate) -> Iterator[str]:
    """Rows far from the fit, if each counts as much as any other."""
    weights = candidate.metric.weight
    if (weights != candidate.problem.samples.weight).any():
        return
    middle = float(np.median(np.abs(residuals))) / MAD_OF_NORMAL
    far = int(np.count_nonzero(np.abs(residuals) > FAR_OFF * middle))
    if middle > 0.0 and far:
        yield (
            f"{far} row{'' if far == 1 else 's'} lie{'s' if far == 1 else ''} more than "
            f'{FAR_OFF:g} standard deviations off: loss="cauchy" reduces the influence of outliers'
        )
