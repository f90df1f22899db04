"""Fits of a degree that is given or sought, to some of the rows and then to all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Optional

import numpy as np

from ._arguments import start_of
from ._candidate import Candidate
from ._degrees import Search
from ._end_rows import without_end_row
from ._fixed_degree import Fitter
from ._noise import Noise
from ._pole_free import Intervals
from ._problem import Samples
from ._result import Choice
from .model import Rational

__all__ = ["fixed", "searched"]

MOST = 20
#: Degrees are compared on that many rows at most.
ROWS_OF_SEARCH = 5000
ROWS_OF_START = 20000
#: Criteria mean little with fewer rows for each parameter.
ROWS_PER_PARAMETER = 3


def _chosen(samples: Samples, most: int, rng: np.random.Generator) -> Samples:
    """That many of the samples, the same share of every part of the range."""
    if len(samples) <= most:
        return samples
    order = np.argsort(samples.u, kind="stable")
    edges = np.linspace(0, len(samples), most + 1).astype(np.int64)
    picked = edges[:-1] + (rng.random(most) * np.diff(edges)).astype(np.int64)
    return samples.some(np.asarray(order[picked], np.int64))


def searched(
    samples: Samples,
    noise: Noise,
    criterion: str,
    rng: np.random.Generator,
    pole_free: Intervals,
    tell: Callable[[str], None],
) -> Choice:
    """The fit with the best of all degrees.

    Raises:
        ValueError: if the data state more poles than a fit may have.
    """
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
    fitter = Fitter(some, noise, rng, pole_free)

    def others(rest: Samples) -> Candidate:
        return Search(
            Fitter(rest, noise, rng, pole_free), criterion, most, parameters, comfortable, tell
        ).best()

    search = Search(fitter, criterion, most, parameters, comfortable, tell)
    best = search.best()
    if noise.known is None and not noise.robust and not best.exact:
        best = without_end_row(best, fitter, others)
    if noise.robust and fitter.may_be_exact and not best.exact:
        best = fitter.exact(best.degree, best.point) or best
    few = len(some) < len(samples)
    if few:
        tell(f"degree {best.degree[0]}/{best.degree[1]} on all {len(samples)} rows")
    final = fitter.settled(best)
    if few:
        final = _on_all(samples, noise, final, rng, pole_free)
    elif fitter.has_poles(final):
        final = _without_poles(fitter, final)
    if best.exact:
        of = f" {len(some)} of the rows" if few and not final.exact else ""
        return Choice(final, f"degree chosen: the smallest that fits{of} up to rounding errors")
    among = f"the smallest {criterion.upper()} of {len(search.tried)} degrees tried"
    if search.rejected:
        among += f", of which {len(search.rejected)} had poles that follow the noise of single rows"
    if search.with_poles:
        among += f"; {len(search.with_poles)} had their best fit with a pole in pole_free"
    if few:
        among += f", on {len(some)} of the rows"
    is_largest = best.problem.free == parameters or max(best.degree) == most
    refused = len(search.rejected)
    return Choice(final, f"degree chosen: {among}", search.information(best), is_largest, refused)


def fixed(
    samples: Samples,
    noise: Noise,
    degree: tuple[int, int],
    init: Optional[Rational],
    rng: np.random.Generator,
    pole_free: Intervals,
) -> Candidate:
    """The fit of a degree.

    Raises:
        ValueError: for an ``init`` of a higher degree, or without the poles that the data state.
    """
    some = _chosen(samples, ROWS_OF_START, rng)
    fitter = Fitter(some, noise, rng, pole_free)
    best = fitter.best_of_degree(degree, None if init is None else start_of(init, fitter, degree))
    best = fitter.settled(best)
    if fitter.has_poles(best):
        best = _without_poles(fitter, best)
    if len(some) < len(samples):
        return _on_all(samples, noise, best, rng, pole_free)
    return best


def _without_poles(fitter: Fitter, best: Candidate) -> Candidate:
    found = fitter.without_poles(best)
    if found is None:
        n, m = best.degree
        raise ValueError(
            f"pole_free: no fit of degree ({n}, {m}) without poles there was found; give another "
            "degree, or fewer or shorter intervals"
        )
    return found


def _on_all(
    samples: Samples,
    noise: Noise,
    best: Candidate,
    rng: np.random.Generator,
    pole_free: Intervals,
) -> Candidate:
    """The fit to all samples, from one to some of them."""
    fitter = Fitter(samples, noise, rng, pole_free)
    if best.exact:
        exact = fitter.exact(best.degree)
        if exact is not None:
            return exact
    found = fitter.settled_from(best.degree, best.point, best.moved)
    if best.held or fitter.has_poles(found):
        return _without_poles(fitter, replace(found, point=best.point))
    return found
