"""The search for a degree.

Data without noise: the smallest degree that fits them up to rounding errors. Data with noise: the
degree with the smallest information criterion, among those whose poles the data establish. The
search goes along the diagonal (d, d), tries all small degrees, and then the neighbours of the best,
until none is better.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from ._chebyshev import roots, slope
from ._fixed_degree import Candidate, Fitter

__all__ = ["Search", "unsupported_poles"]

Degree = tuple[int, int]

#: So many rows must see a pole above the noise, which a pole between two rows does not reach.
SUPPORTING_ROWS = 3
ABOVE_NOISE = 3.0
PATIENCE = 4
SMALL = 3
STEPS = [(0, -1), (-1, 0), (-1, -1), (0, 1), (1, 0), (1, 1), (-1, 1), (1, -1), (0, 2), (2, 0)]


def unsupported_poles(candidate: Candidate) -> int:
    """How many poles within the data are not established by them.

    Such a pole and a zero next to it (a Froissart doublet) follow the noise of one row or two.
    """
    problem, point = candidate.problem, candidate.point
    samples = problem.samples
    q = problem.denominator(point.z)
    found = roots(q)
    if not len(found):
        return 0
    chebval = np.polynomial.chebyshev.chebval
    known = samples.marks
    noise = max(candidate.deviation, candidate.typical)
    count = 0
    with np.errstate(all="ignore"):
        residues = chebval(found, point.p) / chebval(found, slope(q))
        for pole, residue in zip(found, residues):
            if pole.imag < 0.0 or abs(pole.real) > 1.0:
                continue
            if len(known) and abs(pole - known).min() < 1e-9:
                continue
            share = np.abs(residue / (samples.u - pole)) * (2.0 if pole.imag else 1.0)
            seen = share * samples.weight > ABOVE_NOISE * noise
            count += int(np.count_nonzero(seen)) < SUPPORTING_ROWS
    return count


@dataclass
class Search:
    """The search, with what it tried."""

    fitter: Fitter
    criterion: str
    most: int
    most_parameters: int
    tried: dict[Degree, Candidate] = field(default_factory=dict)
    rejected: dict[Degree, int] = field(default_factory=dict)

    def score(self, degree: Degree) -> float:
        """The information criterion; infinite for a degree with poles that are not established."""
        if not self._allowed(degree):
            return np.inf
        candidate = self._candidate(degree)
        if degree in self.rejected:
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
        self._along_the_diagonal()
        return self._downhill()

    def _allowed(self, degree: Degree) -> bool:
        n, m = degree
        marks = len(self.fitter.samples.marks)
        if n < 0 or m < marks or max(n, m) > self.most:
            return False
        return n + m + 1 - marks <= self.most_parameters

    def _candidate(self, degree: Degree) -> Candidate:
        if degree in self.tried:
            return self.tried[degree]
        candidate = self.fitter.fit(degree)
        n, m = degree
        lower = [self.tried[d] for d in [(n - 1, m), (n, m - 1)] if d in self.tried]
        missed = [each for each in lower if each.surprise < candidate.surprise]
        if missed:  # a lower degree is a special case, so this is no minimum
            warm = [self.fitter.fit_from(degree, self.fitter.padded(m, degree)) for m in missed]
            candidate = min(candidate, *warm, key=lambda each: each.surprise)
        self.tried[degree] = candidate
        if unsupported_poles(candidate):
            self.rejected[degree] = unsupported_poles(candidate)
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

    def _exact(self) -> Candidate | None:
        """The smallest degree that leaves rounding errors alone."""
        for d in range(self.most + 1):
            if not self._allowed((d, d)):
                continue
            found = self.fitter.exact((d, d))
            if found is not None:
                return self._smaller(found)
        return None

    def _smaller(self, found: Candidate) -> Candidate:
        """The same with as few coefficients as possible."""
        while True:
            n, m = found.degree
            for degree in [(n - 1, m - 1), (n - 1, m), (n, m - 1)]:
                lower = self.fitter.exact(degree) if self._allowed(degree) else None
                if lower is not None:
                    found = lower
                    break
            else:
                return found
