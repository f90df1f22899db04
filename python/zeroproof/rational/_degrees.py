"""The search for a degree.

Data without noise: the smallest degree that fits them up to rounding errors. Data with noise: the
degree with the smallest information criterion, among those whose poles the data establish. The
search goes along the diagonal (d, d), tries all small degrees, and then the neighbours of the best,
until none is better. Degrees that leave few degrees of freedom come last, and must be better by
more than chance.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from ._candidate import Candidate
from ._established import unsupported_poles
from ._fixed_degree import Fitter

__all__ = ["Search"]

Degree = tuple[int, int]

PATIENCE = 4
#: With so few rows every degree is tried.
FEW_ROWS = 16
NEAR_DIAGONAL = 2
#: How unlikely it must be that a degree beyond what criteria can judge follows the noise.
UNLIKELY = 1e-3
SMALL = 3
STEPS = [(0, -1), (-1, 0), (-1, -1), (0, 1), (1, 0), (1, 1), (-1, 1), (1, -1), (0, 2), (2, 0)]


@dataclass
class Search:
    """The search, with what it tried.

    ``rejected`` has the number of poles that are not established, by degree, and ``with_poles`` the
    criterion of degrees whose best fit has a pole where there may be none.
    """

    fitter: Fitter
    criterion: str
    most: int
    most_parameters: int
    comfortable: int
    tell: Callable[[str], None]
    tried: dict[Degree, Candidate] = field(default_factory=dict)
    rejected: dict[Degree, int] = field(default_factory=dict)
    with_poles: dict[Degree, float] = field(default_factory=dict)

    def score(self, degree: Degree) -> float:
        """The information criterion; infinite for a degree with poles that are not established."""
        if not self._allowed(degree):
            return np.inf
        candidate = self._candidate(degree)
        if degree in self.rejected or degree in self.with_poles:
            return np.inf
        return self.information(candidate)

    def information(self, candidate: Candidate) -> float:
        """−2·log likelihood and what the coefficients cost."""
        rows = len(self.fitter.samples)
        price = 2.0 if self.criterion == "aic" else float(np.log(rows))
        return candidate.surprise + price * candidate.problem.free

    def best(self) -> Candidate:
        """The fit of the degree chosen."""
        if self.fitter.may_be_exact:
            exact = self._exact()
            if exact is not None:
                return exact
        for degree in self._small():
            self.score(degree)
        if self.fitter.noise.known is not None and len(self.fitter.samples) <= FEW_ROWS:
            for count in range(1, self.comfortable + 1):
                for degree in self._with(count):
                    self.score(degree)
        self._along_the_diagonal()
        best = self._downhill()
        if self.fitter.noise.known is None:
            best = self._beyond(best)
        return self._without_poles(best) if self.with_poles else best

    def _without_poles(self, best: Candidate) -> Candidate:
        """The best, with degrees whose best fit has poles where there may be none.

        Without them it is no better, so degrees that are no better as they are need no fit.
        """
        least = np.inf if self.fitter.has_poles(best) else self.information(best)
        for degree, bound in sorted(self.with_poles.items(), key=lambda each: each[1]):
            if bound >= least:
                break
            self.tell(f"degree {degree[0]}/{degree[1]} without poles")
            found = self.fitter.without_poles(self.tried[degree])
            if found is None or unsupported_poles(found):
                continue
            self.rejected.pop(degree, None)
            if self.information(found) < least:
                best, least = found, self.information(found)
        return best

    def _allowed(self, degree: Degree) -> bool:
        return self._is_possible(degree) and self._parameters(degree) <= self.comfortable

    def _is_possible(self, degree: Degree) -> bool:
        n, m = degree
        if n < 0 or m < len(self.fitter.samples.marks) or max(n, m) > self.most:
            return False
        return self._parameters(degree) <= self.most_parameters

    def _parameters(self, degree: Degree) -> int:
        return degree[0] + degree[1] + 1 - len(self.fitter.samples.marks)

    def _candidate(self, degree: Degree) -> Candidate:
        if degree in self.tried:
            return self.tried[degree]
        n, m = degree
        self.tell(f"degree {n}/{m}, {len(self.tried)} tried")
        candidate = self.fitter.fit(degree)
        lower = [self.tried[d] for d in [(n - 1, m), (n, m - 1)] if d in self.tried]
        missed = [each for each in lower if each.surprise < candidate.surprise]
        if missed:  # a lower degree is a special case, so this is no minimum
            warm = [self.fitter.fit_from(degree, self.fitter.padded(m, degree)) for m in missed]
            candidate = min(candidate, *warm, key=lambda each: each.surprise)
        self.tried[degree] = candidate
        unsupported = unsupported_poles(candidate)
        if unsupported:
            self.rejected[degree] = unsupported
        if self.fitter.has_poles(candidate):
            self.with_poles[degree] = self.information(candidate)
        return candidate

    def _small(self) -> Iterator[Degree]:
        marks = len(self.fitter.samples.marks)
        for m in range(marks, marks + SMALL + 1):
            for n in range(SMALL + 1):
                yield n, m

    def _along_the_diagonal(self) -> None:
        best, since = np.inf, 0
        for d in range(len(self.fitter.samples.marks), self.most + 1):
            if not self._allowed((d, d)):
                break
            score = min(self.score((d, d)), self.score((d - 1, d)))
            best, since = (score, 0) if score < best else (best, since + 1)
            if since >= PATIENCE:
                break

    def _downhill(self) -> Candidate:
        done: set[Degree] = set()
        while True:
            known = {degree: self.score(degree) for degree in self.tried}
            best = min(known, key=lambda d: (known[d], sum(d)))
            if best in done or not np.isfinite(known[best]):
                return self.tried[best]
            done.add(best)
            for dn, dm in STEPS:
                self.score((best[0] + dn, best[1] + dm))

    def _beyond(self, best: Candidate) -> Candidate:
        """The best of the degrees with more parameters than criteria can judge, if one is better.

        With few degrees of freedom d an information criterion takes what follows the noise. Under
        the hypothesis that q more parameters follow the noise, the ratio of the sums of squares
        has a beta distribution with d/2 and q/2, which is what must be unlikely.
        """
        rows = len(self.fitter.samples)
        cost = 2 if self.fitter.noise.robust else 1  # rows a robust loss may leave to outliers
        last = self._parameters(best.degree)
        if last < self.comfortable - 2 and rows > FEW_ROWS:
            return best
        for count in range(self.comfortable + 1, self.most_parameters + 1):
            if count > max(last, self.comfortable) + PATIENCE and rows > FEW_ROWS:
                break
            dof = rows - cost * count
            degrees = list(self._with(count))
            found = [self._candidate(degree) for degree in degrees]
            refused = {*self.rejected, *self.with_poles}
            found = [each for each in found if each.degree not in refused]
            if dof < 1 or not found:
                continue
            candidate = min(found, key=lambda each: each.surprise)
            log_ratio = (candidate.surprise - best.surprise) / rows
            chance = _log_chance(log_ratio, dof, count - self._parameters(best.degree))
            if chance + math.log(len(degrees)) < math.log(UNLIKELY):
                best, last = candidate, count
        return best

    def _with(self, count: int) -> Iterator[Degree]:
        """The degrees with so many parameters; for more than a few rows those near the diagonal."""
        marks = len(self.fitter.samples.marks)
        total = count - 1 + marks
        few = len(self.fitter.samples) <= FEW_ROWS
        for m in range(marks, total + 1):
            n = total - m
            if self._is_possible((n, m)) and (few or m == marks or abs(n - m) <= NEAR_DIAGONAL):
                yield n, m

    def _exact(self) -> Candidate | None:
        """The smallest degree that leaves rounding errors alone."""
        diagonal = [(d, d) for d in range(self.most + 1) if self._is_possible((d, d))]
        for degree in [*diagonal, *self._largest_beyond(diagonal)]:
            found = self.fitter.exact(degree)
            if found is not None:
                found = self._smaller(found)
                if not unsupported_poles(found):
                    return found
        return None

    def _largest_beyond(self, diagonal: list[Degree]) -> Iterator[Degree]:
        """The largest degrees possible that are not contained in the largest of the diagonal."""
        d = diagonal[-1][0] if diagonal else -1
        marks = len(self.fitter.samples.marks)
        for m in range(marks, self.most + 1):
            n = min(self.most_parameters - 1 + marks - m, self.most)
            if max(n, m) > d and self._is_possible((n, m)):
                yield n, m

    def _smaller(self, found: Candidate) -> Candidate:
        """The same with as few coefficients as possible."""
        while True:
            n, m = found.degree
            for degree in [(n - 1, m - 1), (n - 1, m), (n, m - 1)]:
                lower = self.fitter.exact(degree) if self._is_possible(degree) else None
                if lower is not None:
                    found = lower
                    break
            else:
                return found


def _log_chance(log_ratio: float, dof: int, more: int) -> float:
    """The log of a bound of the chance that the ratio of two sums of squares is that small.

    Args:
        log_ratio: the log of the ratio.
        dof: the degrees of freedom of the smaller sum.
        more: how many parameters it has more.
    """
    a, b = 0.5 * dof, 0.5 * more
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    return a * log_ratio - math.log(a) - log_beta
