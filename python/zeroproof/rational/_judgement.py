"""Whether a fit is good, in sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from .._arrays import Array
from ._candidate import Candidate
from ._estimates import lengths
from ._noise import MAD_OF_NORMAL
from ._rows import Rows

__all__ = ["judged"]

#: In standard deviations of what is tested: what chance alone does in one of a million fits.
SURE = 5.0
#: A deviation that is sure but smaller than this does not matter.
MATTERS = 1.2
FAR_OFF = 6.0
FEW_DIGITS = 1e-300
EPS = float(np.finfo(np.float64).eps)


def judged(
    rows: Rows,
    residuals: Array,
    candidate: Candidate,
    unsupported: int,
    is_largest: bool = False,
) -> tuple[str, ...]:
    """What is wrong with a fit.

    Args:
        rows: the data.
        residuals: data less fit, in σ where it was given.
        candidate: the fit.
        unsupported: how many of its poles no more than two rows see.
        is_largest: whether a search could try no higher degree.
    """
    return tuple(_judged(rows, residuals, candidate, unsupported, is_largest))


def _judged(
    rows: Rows, residuals: Array, candidate: Candidate, unsupported: int, is_largest: bool
) -> Iterator[str]:
    if unsupported:
        one = unsupported == 1
        cause = "rounding errors" if candidate.exact else "the noise of single rows"
        yield (
            f"{unsupported} pole{'' if one else 's'} within the data follow{'s' if one else ''} "
            f"{cause}: a lower degree is likely"
        )
    if candidate.problem.samples.interval.half < FEW_DIGITS:
        yield "x is so near to the smallest double that it has few digits: give x in another unit"
    if candidate.moved:
        errors = ", and has no standard errors: it is no minimum but for pole_free"
        yield (
            "the best fit has a pole in pole_free; this is the best found without"
            f"{errors if candidate.held else ''}"
        )
    dof = len(rows) - candidate.problem.free
    if dof <= 0:
        yield "there are as many parameters as rows, so nothing is known of the errors"
        return
    if rows.sigma is not None:
        below = rows.sigma < EPS * np.abs(rows.y)
        if below.any():
            yield (
                f"sigma is below the rounding errors of y in {np.count_nonzero(below)} rows, and "
                "counts as these"
            )
    if candidate.exact:
        off = int(np.count_nonzero(candidate.metric.weight == 0.0))
        if off:
            yield f"{off} row{' is' if off == 1 else 's are'} off and left to the loss as outliers"
        return
    size = spread = 0.0
    if rows.sigma is not None:
        size = float(lengths(residuals[None, :])[0]) / math.sqrt(dof)
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
    if is_largest and rows.sigma is not None and size < max(1.0 + SURE * spread, MATTERS):
        pass  # χ² says that it is high enough
    elif is_largest and dof <= 1:
        yield (
            f"{len(rows)} rows allow no higher degree, and do not tell whether this one is high "
            "enough: give more rows"
        )
    elif is_largest:
        yield "the degree is the highest that is tried: a higher one may be needed"
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
