"""The result of a fit: the function with its statistics."""

from __future__ import annotations

import math
from typing import NamedTuple, Optional

import numpy as np

from .._arrays import Array
from ._candidate import Candidate
from ._established import unsupported_poles
from ._judgement import judged
from ._noise import Noise
from ._pole_free import Intervals, vanishes
from ._problem import Metric, Samples
from ._products import sum_of_squares
from ._record import FitRecord
from ._refine import linearise
from ._rows import Rows
from .model import Rational

__all__ = ["Choice", "result"]


class Choice(NamedTuple):
    """A fit, how its degree was chosen, by what criterion, and whether none higher was allowed."""

    candidate: Candidate
    text: str
    criterion: Optional[float] = None
    is_largest: bool = False
    refused: int = 0


def result(
    rows: Rows,
    samples: Samples,
    noise: Noise,
    choice: Choice,
    pole_free: Intervals,
) -> Rational:
    """The function that a fit found.

    Raises:
        ValueError: if it has values that are not finite at rows, or poles where there may be none.
    """
    candidate = choice.candidate
    problem, point = candidate.problem, candidate.point
    if not np.isfinite(point.sse):
        raise ValueError(
            f"no fit of degree {candidate.degree} has finite residuals: give another degree"
        )
    scale = samples.y_scale
    interval = samples.interval
    p, q = point.p * scale, problem.denominator(point.z)
    if q[np.argmax(np.abs(q))] < 0.0:
        p, q = -p, -q
    if vanishes(q, pole_free):
        raise ValueError(
            f"pole_free: no fit of degree {candidate.degree} without poles there was found; give "
            "another degree, or fewer or shorter intervals"
        )
    plain = Rational(p, q, interval.ends, _frame=interval)
    with np.errstate(all="ignore"):
        residuals = (rows.y - plain(rows.x)) / (1.0 if rows.sigma is None else rows.sigma)
        sse = sum_of_squares(residuals)
    unit = scale if rows.sigma is None else 1.0 / samples.sigma_scale
    robust_scale = noise.loss_scale(candidate.s) * unit if noise.robust else None
    record = FitRecord(
        rows=len(rows),
        left_out=rows.left_out,
        marked=rows.marked,
        parameters=problem.free,
        loss=noise.loss,
        loss_scale=robust_scale,
        sigma_given=rows.sigma is not None,
        sse=sse,
        scale=candidate.deviation * unit,
        exact=candidate.exact,
        choice=choice.text,
        criterion=choice.criterion,
        refused=choice.refused,
        warnings=judged(
            rows, residuals, candidate, unsupported_poles(candidate), choice.is_largest
        ),
    )
    spread = None if candidate.held else _spread(candidate, noise, samples)
    return Rational(
        p,
        q,
        interval.ends,
        spread=spread,
        record=record,
        _data=(rows.x, rows.y, residuals),
        _frame=interval,
    )


def _spread(candidate: Candidate, noise: Noise, samples: Samples) -> Optional[Array]:
    """The root of the covariance of the coefficients, those of P in the unit of y."""
    problem, point = candidate.problem, candidate.point
    dof = len(samples) - problem.free
    if dof <= 0 and noise.known is None:
        return None
    metric = candidate.metric
    if noise.robust:
        metric = Metric(metric.chordal, samples.weight)
    first_order = linearise(problem, problem.at(point.p, point.z, metric), metric)
    if not np.isfinite(first_order.part).all():
        return None
    s = first_order.singular
    inverse = np.where(s > s[0] * 1e-15, 1.0 / np.where(s > 0.0, s, 1.0), np.inf)
    if not np.isfinite(inverse).all():
        return None
    root = first_order.chart @ (first_order.across.T * inverse / first_order.size[:, None])
    tops = len(point.p)
    bottom = root[tops:] if problem.basis is None else problem.basis @ root[tops:]
    root = np.concatenate([root[:tops] * samples.y_scale, bottom])
    if candidate.exact:
        noise_size = math.sqrt(point.sse / dof)
    else:
        noise_size = noise.spread(candidate.residuals, candidate.s, problem.free)
    with np.errstate(over="ignore"):
        spread = np.asarray(root * noise_size, np.float64)
    return spread if np.isfinite(spread).all() else None
