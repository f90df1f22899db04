"""Fits of rational functions to data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional, Union

import numpy as np

from ._arguments import check_loss, checked_degree, noise_of
from ._chebyshev import Interval
from ._pole_free import intervals_of
from ._problem import Samples
from ._result import Choice, result
from ._rows import read_rows
from ._search import fixed, searched
from .model import Rational

__all__ = ["fit_rational", "fitted"]

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
    pole_free: Any = None,
    seed: int = 0,
) -> Rational:
    """Fits a rational function ``P(x)/Q(x)`` to data, by least squares in the metric of the noise.

    No start is needed: starts are solutions of the linearised problem ``P − y·Q ≈ 0``, and random
    ones if these fail. Coefficients are found to all digits, in a basis that does not depend on
    the units of x and y.

    There is no gradient mode to choose. Steps follow the exact derivatives of residuals that are
    finite, which are those of Mask-REAL mode; derivatives that are bounded next to a pole, as in
    Saturating mode, would end the fit beside the minimum.

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
        pole_free: True, for no real pole within the range of the data, or intervals
            ``[(low, high), …]`` in which there is none. It holds at every point, not only at the
            rows: Q is a sum of squares with positive weights there, and Sturm's theorem in exact
            arithmetic confirms it. If the best fit has a pole there the result is the best found
            without, which ``warnings`` tells; it has no standard errors if it is no minimum but for
            this condition. None is no condition.
        seed: of random starts and of the choice of rows where there are very many.

    Returns:
        The function with its statistics; ``print(result.summary())`` shows them.

    Raises:
        TypeError: for an argument of a wrong type; the text names it.
        ValueError: for one with a wrong value, if there are too few rows for the degree, and if no
            fit without poles in ``pole_free`` is found.

    Examples:
        >>> import numpy as np
        >>> from zeroproof import fit_rational
        >>> x = np.linspace(-1.0, 1.0, 50)
        >>> fit = fit_rational(x, 1.0 / (x - 0.25))
        >>> print(fit.degree, fit.real_poles.round(9))
        (0, 1) [0.25]
    """
    return fitted(x, y, degree, sigma, loss, f_scale, criterion, init, pole_free, seed)


def fitted(
    x: Any,
    y: Any,
    degree: Union[str, tuple[int, int]] = "auto",
    sigma: Any = None,
    loss: str = "linear",
    f_scale: Optional[float] = None,
    criterion: str = "bic",
    init: Optional[Rational] = None,
    pole_free: Any = None,
    seed: int = 0,
    tell: Callable[[str], None] = lambda text: None,
) -> Rational:
    """``fit_rational``; ``tell`` is called with a few words on each degree that is tried."""
    rows = read_rows(x, y, sigma)
    check_loss(loss, f_scale)
    if criterion not in CRITERIA:
        raise ValueError(f"criterion must be one of {', '.join(CRITERIA)}, not {criterion!r}")
    rng = np.random.default_rng(seed)
    with np.errstate(all="ignore"):  # what overflows on the way is no better fit
        samples = Samples.of(rows, Interval.of(rows.x))
        noise = noise_of(loss, f_scale, rows, samples)
        free = intervals_of(pole_free, samples)
        if isinstance(degree, str):
            if degree != "auto":
                raise ValueError(f'degree must be "auto" or a pair (n, m), not {degree!r}')
            if init is not None:
                raise ValueError("init is for a degree that is given: give degree=(n, m)")
            choice = searched(samples, noise, criterion, rng, free, tell)
        else:
            given = checked_degree(degree, rows)
            choice = Choice(fixed(samples, noise, given, init, rng, free), "degree given")
        return result(rows, samples, noise, choice, free)
