"""The linearised start: P − y·Q = 0 in the least squares sense.

With weights 1/|Q| of the solution before it is the method of C. K. Sanathanan and J. Koerner,
"Transfer function synthesis as a ratio of two complex polynomials" (IEEE Transactions on Automatic
Control 8, 1963). Two things are different here.

**Normalisation.** An error of y enters P − y·Q times Q, so with a fixed coefficient, or with norm
1, a Q that is small wherever there are data looks good. Here the sum of the squared residuals is
divided by that of the squared values of Q, with the same weights: errors of y add a constant.

**Cancellation.** Two Q may fit equally well, of which one is the small difference of large terms,
such as 1 − cos x next to sin x; rounding errors spoil it next to the pole. A ridge, the residuals
that errors in the terms of Q would make, decides between them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._arrays import Array

__all__ = ["Linear", "solve"]


class Linear(NamedTuple):
    """The linear problem of the outputs that share a denominator.

    Args:
        top: the terms of P, shape (samples, terms).
        bottom: the terms of Q, likewise.
        y: the targets, (samples, outputs); NaN is left out, ±∞ asks for Q = 0.
        weights: 1/sigma, of that shape.
    """

    top: Array
    bottom: Array
    y: Array
    weights: Array


def solve(problem: Linear, distances: Array, ridge: float = 0.0) -> tuple[Array, Array]:
    """The coefficients of P, a row for each output, and of Q.

    Args:
        problem: the terms and targets.
        distances: what to divide the rows by, of the shape of y: the size of Q that is expected.
        ridge: the size of the errors in the terms of Q.

    Raises:
        LinAlgError: if the decomposition does not converge.
    """
    # Q is what P leaves of y·Q: P is eliminated by a projection for each output.
    left, sizes, solvers, total = [], [], [], 0.0
    for output in range(problem.y.shape[1]):
        y = problem.y[:, output]
        kept = ~np.isnan(y)
        at_pole = np.isinf(y[kept])
        weights = problem.weights[kept, output] / distances[kept, output]
        wide = problem.top[kept] * np.where(at_pole, 0.0, weights)[:, None]
        target = np.where(at_pole, 1.0, y[kept]) * weights
        tall = problem.bottom[kept] * target[:, None]
        span, inverse = _span(wide)
        # Twice, since one projection leaves rounding errors of the size of what it removes.
        rest = tall - span @ (span.T @ tall)
        left.append(np.linalg.qr(rest - span @ (span.T @ rest), mode="r"))
        noise = problem.bottom[kept] * np.where(at_pole, 0.0, weights)[:, None]
        sizes.append(np.linalg.qr(noise, mode="r"))
        total += float(target @ target)
        solvers.append((inverse, span.T @ tall))
    left.append(ridge * np.sqrt(total) * np.eye(problem.bottom.shape[1]))
    inverse = _span(np.concatenate(sizes))[1]
    smallest = np.linalg.svd(np.concatenate(left) @ inverse)[2][-1]
    denominator = inverse @ smallest
    denominator /= np.linalg.norm(denominator)
    numerator = np.array([inverse @ (right @ denominator) for inverse, right in solvers])
    return numerator, denominator


def _span(wide: Array) -> tuple[Array, Array]:
    """An orthonormal basis of the columns, and the map from it to their coefficients."""
    norms = np.linalg.norm(wide, axis=0)
    norms[norms == 0.0] = 1.0
    basis, triangle = np.linalg.qr(wide / norms)
    left, sizes, right = np.linalg.svd(triangle)
    rank = int(np.count_nonzero(sizes > sizes[0] * len(wide) * np.finfo(np.float64).eps))
    inverse = right[:rank].T / sizes[:rank] / norms[:, None]
    return basis @ left[:, :rank], inverse
