"""Fits of rational functions to data."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, Optional, Union

import numpy as np

from .._arrays import Array
from ._candidate import Candidate
from ._chebyshev import Interval
from ._degrees import Search
from ._established import unsupported_poles
from ._fixed_degree import Fitter
from ._judgement import judged
from ._noise import NAMES, Noise
from ._problem import SMALLEST_SIGMA, Metric, Point, Samples
from ._products import sum_of_squares
from ._record import FitRecord
from ._refine import linearise
from ._rows import Rows, read_rows
from .model import Rational

__all__ = ["fit_rational", "fitted"]

MOST = 20
#: Degrees are compared on that many rows at most.
ROWS_OF_SEARCH = 5000
ROWS_OF_START = 20000
#: Criteria mean little with fewer rows for each parameter.
ROWS_PER_PARAMETER = 3
CRITERIA = ("bic", "aic")


def fit_rational(
    x: Any,
    y: Any,
    degree: Union[str, tuple[int, int]] = "auto",
    *,
    sigma: Any = None,
    loss: str = "linear",
    f_scale: Optional[float] = None,
    criterion: str = "bic",
    init: Optional[Rational] = None,
    seed: int = 0,
) -> Rational:
    """Fits a rational function ``P(x)/Q(x)`` to data, by least squares in the metric of the noise.

    No start is needed: starts are solutions of the linearised problem ``P − y·Q ≈ 0``, and random
    ones if these fail. Coefficients are found to all digits, in a basis that does not depend on
    the units of x and y.

    Args:
        x: the places, finite numbers.
        y: the values. ``inf`` and ``-inf`` mean a pole at exactly this x, of whatever sign; NaN (Φ)
            means that the value is unknown, and the row is left out.
        degree: ``(n, m)``, the degrees of P and Q, or "auto": the one with the smallest information
            criterion, or for data without noise the smallest that fits up to rounding errors.
        sigma: the standard deviation of y, a number or one for each row. Standard errors are then
            those for this noise; without it, those for the scatter found.
        loss: "linear", or one that outliers influence less: "soft_l1", "huber" and "cauchy" as
            SciPy defines them, or "chordal", the squares of
            ``(f − y)/√((1 + (f/s)²)(1 + (y/s)²))`` where s is the median of abs(y), in which values
            near poles count less.
        f_scale: the residual, in units of ``sigma`` if that is given, above which soft_l1, huber
            and cauchy count less; by default estimated from the residuals.
        criterion: "bic" or "aic".
        init: one more start, for a degree that is given: the best minimum found is the result.
        seed: of random starts and of the choice of rows where there are very many.

    Returns:
        The function with its statistics; ``print(result.summary())`` shows them.

    Raises:
        TypeError: for an argument of a wrong type; the text names it.
        ValueError: for one with a wrong value, and if there are too few rows for the degree.

    Examples:
        >>> import numpy as np
        >>> from zeroproof import fit_rational
        >>> x = np.linspace(-1.0, 1.0, 50)
        >>> fit = fit_rational(x, 1.0 / (x - 0.25))
        >>> print(fit.degree, fit.real_poles.round(9))
        (0, 1) [0.25]
    """
    return fitted(x, y, degree, sigma, loss, f_scale, criterion, init, seed)


def fitted(
    x: Any,
    y: Any,
    degree: Union[str, tuple[int, int]] = "auto",
    sigma: Any = None,
    loss: str = "linear",
    f_scale: Optional[float] = None,
    criterion: str = "bic",
    init: Optional[Rational] = None,
    seed: int = 0,
    tell: Callable[[str], None] = lambda text: None,
) -> Rational:
    """``fit_rational``; ``tell`` is called with a few words on each degree that is tried."""
    rows = read_rows(x, y, sigma)
    _check_loss(loss, f_scale)
    if criterion not in CRITERIA:
        raise ValueError(f"criterion must be one of {', '.join(CRITERIA)}, not {criterion!r}")
    rng = np.random.default_rng(seed)
    with np.errstate(all="ignore"):  # what overflows on the way is no better fit
        samples = Samples.of(rows, Interval.of(rows.x))
        noise = _noise(loss, f_scale, rows, samples)
        if isinstance(degree, str):
            if degree != "auto":
                raise ValueError(f'degree must be "auto" or a pair (n, m), not {degree!r}')
            if init is not None:
                raise ValueError("init is for a degree that is given: give degree=(n, m)")
            choice = _search(samples, noise, criterion, rng, tell)
        else:
            candidate = _fixed(samples, noise, _degree(degree, rows), init, rng)
            choice = _Choice(candidate, "degree given")
        return _result(rows, samples, noise, choice)


class _Choice(NamedTuple):
    """A fit, how its degree was chosen, by what criterion, and whether none higher was allowed."""

    candidate: Candidate
    text: str
    criterion: Optional[float] = None
    is_largest: bool = False
    refused: int = 0


def _check_loss(loss: str, f_scale: Optional[float]) -> None:
    if loss not in NAMES:
        raise ValueError(f"loss must be one of {', '.join(NAMES)}, not {loss!r}")
    if f_scale is not None:
        if not Noise(loss).robust:
            raise ValueError(f"f_scale has no meaning for loss={loss!r}")
        if not (np.isfinite(float(f_scale)) and float(f_scale) > 0.0):
            raise ValueError(f"f_scale must be a positive number, not {f_scale}")


def _noise(loss: str, f_scale: Optional[float], rows: Rows, samples: Samples) -> Noise:
    """The noise in the unit of the residuals of the samples."""
    known = None if rows.sigma is None or loss == "chordal" else samples.sigma_scale
    if f_scale is None:
        return Noise(loss, known)
    scale = float(f_scale) * samples.sigma_scale if known else float(f_scale) / samples.y_scale
    return Noise(loss, known, min(max(scale, SMALLEST_SIGMA), 1.0 / SMALLEST_SIGMA))


def _degree(degree: Any, rows: Rows) -> tuple[int, int]:
    try:
        n, m = (int(each) for each in degree)
        whole = (n, m) == tuple(degree)
    except (TypeError, ValueError):
        whole, n, m = False, 0, 0
    if not whole or n < 0 or m < 0:
        raise ValueError(
            f'degree must be "auto" or a pair (n, m) of whole numbers from 0, not {degree!r}'
        )
    marks = len(rows.marks)
    if m < marks:
        raise ValueError(
            f"degree ({n}, {m}) has {m} poles, but y is ±inf at {marks} different x: "
            f"give a denominator of degree {marks} or more, or NaN for values that are unknown"
        )
    distinct = len(np.unique(rows.x))
    if distinct < n + m + 1 - marks:
        raise ValueError(
            f"x has {distinct} different values with a finite y, but degree ({n}, {m}) has "
            f"{n + m + 1 - marks} parameters: give more rows or a lower degree"
        )
    return n, m


def _chosen(samples: Samples, most: int, rng: np.random.Generator) -> Samples:
    """That many of the samples, the same share of every part of the range."""
    if len(samples) <= most:
        return samples
    order = np.argsort(samples.u, kind="stable")
    edges = np.linspace(0, len(samples), most + 1).astype(np.int64)
    picked = edges[:-1] + (rng.random(most) * np.diff(edges)).astype(np.int64)
    return samples.some(np.asarray(order[picked], np.int64))


def _search(
    samples: Samples,
    noise: Noise,
    criterion: str,
    rng: np.random.Generator,
    tell: Callable[[str], None],
) -> _Choice:
    some = _chosen(samples, ROWS_OF_SEARCH, rng)
    distinct = len(np.unique(some.u))
    marks = len(samples.marks)
    most = min(MOST, distinct - 1)
    parameters = distinct - 1
    comfortable = max(distinct // ROWS_PER_PARAMETER, min(2, distinct - 1))
    if noise.robust:  # which explains fewer than half of the rows as outliers
        parameters = max(comfortable, (distinct - 1) // 2)
    elif noise.known is not None:
        comfortable = parameters
    if marks > most:
        raise ValueError(
            f"y is ±inf at {marks} different x, more poles than the {most} that a fit may have "
            "here: give NaN for values that are only unknown"
        )
    fitter = Fitter(some, noise, rng)
    search = Search(fitter, criterion, most, parameters, comfortable, tell)
    best = search.best()
    few = len(some) < len(samples)
    if few:
        tell(f"degree {best.degree[0]}/{best.degree[1]} on all {len(samples)} rows")
    final = _on_all(samples, noise, best, rng) if few else fitter.settled(best)
    if best.exact:
        return _Choice(final, "degree chosen: the smallest that fits up to rounding errors")
    among = f"the smallest {criterion.upper()} of {len(search.tried)} degrees tried"
    if search.rejected:
        among += f", of which {len(search.rejected)} had poles that follow the noise of single rows"
    if few:
        among += f", on {len(some)} of the rows"
    is_largest = best.problem.free == parameters or max(best.degree) == most
    refused = len(search.rejected)
    return _Choice(final, f"degree chosen: {among}", search.information(best), is_largest, refused)


def _fixed(
    samples: Samples,
    noise: Noise,
    degree: tuple[int, int],
    init: Optional[Rational],
    rng: np.random.Generator,
) -> Candidate:
    some = _chosen(samples, ROWS_OF_START, rng)
    fitter = Fitter(some, noise, rng)
    best = fitter.best_of_degree(degree, None if init is None else _start(init, fitter, degree))
    if len(some) < len(samples):
        return _on_all(samples, noise, best, rng)
    return fitter.settled(best)


def _on_all(samples: Samples, noise: Noise, best: Candidate, rng: np.random.Generator) -> Candidate:
    """The fit to all samples, from one to some of them."""
    fitter = Fitter(samples, noise, rng)
    if best.exact:
        exact = fitter.exact(best.degree)
        if exact is not None:
            return exact
    return fitter.settled_from(best.degree, best.point)


def _start(init: Any, fitter: Fitter, degree: tuple[int, int]) -> Point:
    if not isinstance(init, Rational):
        raise TypeError(f"init must be a Rational, not {type(init).__name__}")
    if init.order != 1 or init.degree[0] > degree[0] or init.degree[1] > degree[1]:
        raise ValueError(f"init has degree {init.degree}, which is more than {degree}")
    units, old = fitter.samples.interval, init._units

    def moved(coefficients: Array, length: int) -> Array:
        nodes = np.cos(np.pi * (np.arange(length) + 0.5) / length)
        values = np.polynomial.chebyshev.chebval(old.to_u(units.to_x(nodes)), coefficients)
        return np.asarray(np.polynomial.chebyshev.chebfit(nodes, values, length - 1), np.float64)

    problem = fitter.problem(degree)
    p = moved(init.numerator, degree[0] + 1) / fitter.samples.y_scale
    z = problem.coordinates(moved(init.denominator, degree[1] + 1))
    norm = float(np.linalg.norm(z))
    if norm == 0.0:
        raise ValueError("init has none of the poles that y = ±inf states")
    return problem.at(p / norm, z / norm, fitter.plain)


def _result(
    rows: Rows,
    samples: Samples,
    noise: Noise,
    choice: _Choice,
) -> Rational:
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
    spread = _spread(candidate, noise, samples)
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
