"""A fit of fixed degree: starts, the robust stage, least squares in the metric of the noise."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from ..fitting._losses import Loss
from ._candidate import ROUNDINGS, Candidate
from ._chebyshev import clenshaw
from ._noise import Noise
from ._pole_free import Intervals, has_poles
from ._problem import Metric, Point, Problem, Samples
from ._products import sum_of_squares
from ._refine import refine
from ._starts import linearised, random_start
from ._without_poles import without_poles

__all__ = ["Fitter"]

#: How much larger rounding errors may be in another order.
REORDERED = 4.0
#: A start that is that many times off may lead to rounding errors.
NEARLY = 1e4
#: The least share of rows that are no outliers.
MOST_ROWS = 0.75
EPS = float(np.finfo(np.float64).eps)
ROBUST_STEPS = 100
RANDOM_STARTS = 8
#: Where degrees are compared: rounds and steps, and the change of a criterion that does not matter.
FIRST_ROBUST_STEPS, ROUGH_ROBUST_STEPS, ROUGH_STEPS, ROUGH = 5, 20, 40, 1e-3
#: Steps without poles, and how often the scale of a loss is estimated anew and by how much.
FREE_STEPS, FREE_ROUNDS, FREE_CHANGE = 100, 4, 1e-3


@dataclass
class Fitter:
    """Fits of different degrees to the same samples."""

    samples: Samples
    noise: Noise
    rng: np.random.Generator
    pole_free: Intervals = ()
    _problems: dict[tuple[int, int], Problem] = field(default_factory=dict)

    @property
    def plain(self) -> Metric:
        """Differences, or chords if that is the loss, without robust weights."""
        return Metric(self.noise.loss == "chordal", self.samples.weight)

    @property
    def may_be_exact(self) -> bool:
        """Whether data without noise may be taken as such.

        Where they are fitted to their rounding errors every loss has its minimum.
        """
        return self.noise.known is None or self.samples.sigma_is_rounding

    def problem(self, degree: tuple[int, int]) -> Problem:
        """The problem of this degree."""
        if degree not in self._problems:
            self._problems[degree] = Problem(self.samples, degree)
        return self._problems[degree]

    def exact(self, degree: tuple[int, int], near: Point | None = None) -> Candidate | None:
        """The fit to data without noise, None if they have more than rounding errors.

        ``near`` is one that has found the outliers of a robust loss.
        """
        problem = self.problem(degree)
        if len(self.samples) < problem.free + 1:
            return None
        metric = Metric(True, np.ones(len(self.samples)))
        start = linearised(problem, metric)
        few = ROUNDINGS * EPS * np.sqrt(len(self.samples))
        if (
            not np.sqrt(start.sse) <= NEARLY * few
            and self.noise.robust
            and self.noise.f_scale is None
        ):
            near = self._reweighted(problem, start, metric) if near is None else near
            start, metric = self._without_outliers(problem, near, metric)
        if not np.sqrt(start.sse) <= NEARLY * few:
            return None
        point = refine(problem, start, metric)
        if not np.sqrt(point.sse) <= few or not self._is_reproduced(problem, point, metric, few):
            return None
        if has_poles(problem.denominator(point.z), self.pole_free):
            return None
        return replace(self._judged(problem, point, metric), exact=True)

    def _without_outliers(
        self, problem: Problem, point: Point, metric: Metric
    ) -> tuple[Point, Metric]:
        """The point with weights 0 for rows far off and 1 for the others, if these are most."""
        residuals = np.abs(problem.at(point.p, point.z, metric).residuals)
        kept = residuals <= NEARLY * ROUNDINGS * EPS
        if np.count_nonzero(kept) < max(MOST_ROWS * len(kept), 2 * problem.free + 1):
            return problem.at(point.p, point.z, metric), metric
        metric = Metric(True, kept.astype(np.float64))
        return problem.at(point.p, point.z, metric), metric

    def _is_reproduced(self, problem: Problem, point: Point, metric: Metric, few: float) -> bool:
        """Whether values computed in another order are those of the data as well.

        Where P and Q are both zero up to rounding errors, the quotient is any number.
        """
        with np.errstate(all="ignore"):
            q = problem.denominator(point.z)
            f = clenshaw(point.p, self.samples.u) / clenshaw(q, self.samples.u)
            chords = (f - self.samples.v) / np.hypot(1.0, f) * self.samples.chord * metric.weight
        return bool(np.sqrt(sum_of_squares(chords)) <= REORDERED * few)

    def fit(self, degree: tuple[int, int]) -> Candidate:
        """The best of the fits from linearised starts, good enough to compare degrees."""
        problem = self.problem(degree)
        starts = self._starts(problem)
        if self.noise.robust:  # the rounds converge slowly, so only the best goes through all
            few = [self._descend_robustly(problem, each, FIRST_ROBUST_STEPS) for each in starts]
            best = min(few, key=lambda each: each.surprise)
            return self._descend(problem, problem.at(best.point.p, best.point.z, self.plain))
        found = [self._descend(problem, start) for start in starts]
        return min(found, key=lambda each: each.surprise)

    def has_poles(self, candidate: Candidate) -> bool:
        """Whether it has poles where there may be none."""
        return has_poles(candidate.problem.denominator(candidate.point.z), self.pole_free)

    def without_poles(self, candidate: Candidate) -> Candidate | None:
        """The best fit of the degree without poles where there may be none; None if none is found.

        Args:
            candidate: the best fit, or one without poles to go on from.
        """
        problem, plain, noise = candidate.problem, self.plain, self.noise
        point, s, found = candidate.point, candidate.s, None
        for _ in range(FREE_ROUNDS if noise.robust else 1):
            loss = Loss(noise.loss, noise.loss_scale(s)) if noise.robust else Loss()
            free = without_poles(problem, point, plain, loss, self.pole_free, FREE_STEPS)
            if free is None:
                break
            found, point, before = self._judged(problem, free, plain), free, s
            s = found.s
            if abs(s - before) <= FREE_CHANGE * s:
                break
        if found is None:
            return None
        # A minimum of its own needs no condition, and is found to all digits.
        settled = self.settled_from(candidate.degree, point, moved=True)
        if not self.has_poles(settled) and settled.surprise <= found.surprise + ROUGH:
            return settled
        metric = Metric(
            plain.chordal, plain.weight * np.sqrt(noise.weights(found.residuals, found.s))
        )
        return replace(
            found, metric=metric, point=problem.at(point.p, point.z, metric), moved=True, held=True
        )

    def fit_from(self, degree: tuple[int, int], start: Point) -> Candidate:
        """The fit from a start."""
        return self._descend(self.problem(degree), start)

    def best_of_degree(self, degree: tuple[int, int], start: Point | None = None) -> Candidate:
        """The best fit of a degree, to which lower degrees are compared.

        A lower degree is a special case. If one of them is better, the minimum was missed: it is
        sought from there and from random starts. ``start`` is one more start.
        """
        if self.may_be_exact:
            exact = self.exact(degree)
            if exact is not None:
                return exact
        best = self.fit(degree)
        if start is not None:
            best = min(best, self.fit_from(degree, start), key=lambda each: each.surprise)
        n, m = degree
        marks = len(self.samples.marks)
        lower = [d for d in [(n - 1, m), (n, m - 1)] if d[0] >= 0 and d[1] >= marks]
        fits = [self.fit(each) for each in lower]
        missed = [each for each in fits if each.surprise < best.surprise - ROUGH]
        if missed or not np.isfinite(best.surprise):
            others = [self.fit_from(degree, self.padded(each, degree)) for each in missed]
            others.append(self.fit_from_random(degree))
            best = min(best, *others, key=lambda each: each.surprise)
        return best

    def settled(self, candidate: Candidate) -> Candidate:
        """The same minimum, to all digits."""
        if candidate.exact or candidate.held:
            return candidate
        return self.settled_from(candidate.degree, candidate.point, candidate.moved)

    def settled_from(self, degree: tuple[int, int], point: Point, moved: bool = False) -> Candidate:
        """The minimum next to a point, to all digits."""
        problem = self.problem(degree)
        start = problem.at(point.p, point.z, self.plain)
        return replace(self._descend(problem, start, thorough=True), moved=moved)

    def fit_from_random(self, degree: tuple[int, int]) -> Candidate:
        """The best fit found from random starts."""
        problem = self.problem(degree)
        found = []
        for _ in range(RANDOM_STARTS):
            start = random_start(problem, self._start_metric(), self.rng)
            if np.isfinite(start.sse):
                found.append(self._descend(problem, start))
        if not found:
            return self.fit(degree)
        return min(found, key=lambda each: each.surprise)

    def padded(self, candidate: Candidate, degree: tuple[int, int]) -> Point:
        """The same function as a point of a higher degree."""
        problem = self.problem(degree)
        p = np.zeros(problem.A.shape[1])
        p[: len(candidate.point.p)] = candidate.point.p
        q = np.zeros(degree[1] + 1)
        old = candidate.problem.denominator(candidate.point.z)
        q[: len(old)] = old
        z = problem.coordinates(q)
        norm = np.linalg.norm(z)
        return problem.at(p / norm, z / norm, self.plain)

    def _start_metric(self) -> Metric:
        return Metric(False, self.samples.weight)

    def _starts(self, problem: Problem) -> list[Point]:
        chords = Metric(True, np.ones(len(self.samples)))
        by_chords = linearised(problem, chords)
        if self.noise.robust:
            by_chords = self._reweighted(problem, by_chords, chords)
        starts = [by_chords]
        if self.noise.loss != "chordal":
            differences = self._start_metric()
            by_differences = linearised(problem, differences, by_chords)
            if self.noise.robust:
                by_differences = self._reweighted(problem, by_chords, differences)
            starts.append(by_differences)
        return starts

    def _reweighted(self, problem: Problem, point: Point, metric: Metric) -> Point:
        """The linearised problem with weights that outliers do not have."""
        robust = Noise("cauchy")
        for _ in range(6):
            plain = problem.at(point.p, point.z, metric)
            s = robust.scale(plain.residuals)
            weights = np.sqrt(robust.weights(plain.residuals, s))
            changed = Metric(metric.chordal, metric.weight * weights)
            point = linearised(problem, changed, plain, steps=3)
        return point

    def _descend(self, problem: Problem, start: Point, thorough: bool = False) -> Candidate:
        metric = self.plain
        if self.noise.robust:
            most = ROBUST_STEPS if thorough else ROUGH_ROBUST_STEPS
            return self._descend_robustly(problem, start, most, thorough)
        if thorough:
            point = refine(problem, start, metric)
        else:
            point = refine(problem, start, metric, ROUGH_STEPS, ROUGH / len(self.samples))
        return self._judged(problem, point, metric)

    def _descend_robustly(
        self, problem: Problem, start: Point, rounds: int, thorough: bool = False
    ) -> Candidate:
        """Least squares with the weights of the loss, renewed until they stop changing.

        Each round makes the data more likely, since the loss is concave in the squares.
        """
        plain = self.plain
        point = problem.at(start.p, start.z, plain)
        weights, last, surprise = np.ones(len(self.samples)), np.inf, np.inf
        for k in range(rounds):
            if not np.isfinite(point.residuals).all():
                break
            s = self.noise.scale(point.residuals)
            new_surprise = self.noise.surprise(point.residuals, s)
            if not thorough and k > 3 and new_surprise > surprise - ROUGH:
                break
            surprise = new_surprise
            new = self.noise.weights(point.residuals, s)
            change = float(np.abs(new - weights).max())
            if k and (change <= 1e-14 or (change < 1e-10 and change >= last)):
                break
            weights, last = new, change
            metric = Metric(plain.chordal, plain.weight * np.sqrt(weights))
            inner = refine(problem, point, metric, steps=8 if thorough else 3)
            point = problem.at(inner.p, inner.z, plain)
        metric = Metric(plain.chordal, plain.weight * np.sqrt(weights))
        return self._judged(problem, problem.at(point.p, point.z, metric), metric)

    def _judged(self, problem: Problem, point: Point, metric: Metric) -> Candidate:
        residuals = problem.at(point.p, point.z, self.plain).residuals
        if not np.isfinite(residuals).all():
            return Candidate(problem, point, metric, residuals, np.inf, np.inf, np.inf)
        s = self.noise.scale(residuals)
        surprise = self.noise.surprise(residuals, s)
        return Candidate(problem, point, metric, residuals, s, self.noise.deviation(s), surprise)
