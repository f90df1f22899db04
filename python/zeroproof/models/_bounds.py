"""Bounds of Q over a box, by intervals: a proof that a model has no pole there.

The range of each term over a cell contains the products of the ranges of its factors. Cells in
which the sum may be too small are divided, along the input that is widest, until none is left or
one shows that the bound does not hold.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .._arrays import Array
from .basis import Term

__all__ = ["least_value"]

#: More cells than this at a time are no proof.
MOST_CELLS = 20_000
MOST_ROUNDS = 200
#: Rounding errors of a bound, in units of the sizes of the terms.
ROUNDINGS = 64.0
EPS = float(np.finfo(np.float64).eps)

Range = tuple[Array, Array]


def least_value(
    coefficients: Array,
    terms: Sequence[Term],
    families: Sequence[str],
    box: Array,
    enough: float,
    tolerance: float,
) -> float:
    """A lower bound of Σ c·t over a box, rigorous with rounding errors.

    Args:
        coefficients: c.
        terms: t, products of functions of the inputs.
        families: what functions of each input these are.
        box: of scaled inputs, shape (inputs, 2).
        enough: a bound of that size needs not be any closer.
        tolerance: how close the bound is otherwise.

    Returns:
        The bound; −∞ if the box has too many cells to be told apart.
    """
    cells = np.asarray(box, np.float64)[None]
    bound = np.inf
    attained = np.inf
    for _ in range(MOST_ROUNDS):
        lowest = _lowest(coefficients, terms, families, cells)
        middles = np.repeat(cells.mean(axis=2)[:, :, None], 2, axis=2)
        attained = min(attained, float(_lowest(coefficients, terms, families, middles).min()))
        done = (lowest >= enough) | (lowest >= attained - tolerance)
        bound = min(bound, float(lowest[done].min(initial=np.inf)))
        cells = cells[~done]
        if not len(cells):
            return bound
        if len(cells) > MOST_CELLS:
            break
        cells = _halved(cells)
    return -np.inf


def _halved(cells: Array) -> Array:
    widest = np.argmax(cells[:, :, 1] - cells[:, :, 0], axis=1)
    rows = np.arange(len(cells))
    middle = cells[rows, widest].mean(axis=1)
    left, right = cells.copy(), cells.copy()
    left[rows, widest, 1] = middle
    right[rows, widest, 0] = middle
    return np.concatenate([left, right])


def _lowest(
    coefficients: Array, terms: Sequence[Term], families: Sequence[str], cells: Array
) -> Array:
    """A lower bound in each cell."""
    known: dict[tuple[int, int, int], Range] = {}
    total, size = np.zeros(len(cells)), np.zeros(len(cells))
    for c, term in zip(coefficients.tolist(), terms):
        low = high = np.ones(len(cells))
        for factor in term:
            if factor not in known:
                variable, degree, which = factor
                ends = cells[:, variable, 0], cells[:, variable, 1]
                known[factor] = _range(families[variable], degree, which, *ends)
            low, high = _product((low, high), known[factor])
        total += np.minimum(c * low, c * high)
        size += abs(c) * np.maximum(np.abs(low), np.abs(high))
    return np.asarray(total - ROUNDINGS * EPS * size, np.float64)


def _product(first: Range, second: Range) -> Range:
    corners = [a * b for a in first for b in second]
    return np.minimum.reduce(corners), np.maximum.reduce(corners)


def _range(family: str, degree: int, which: int, low: Array, high: Array) -> Range:
    """The range of a function of one input."""
    if family == "polynomial":
        ends = low**degree, high**degree
        least = np.minimum(*ends)
        if degree % 2 == 0:
            least = np.where((low <= 0.0) & (high >= 0.0), 0.0, least)
        return least, np.maximum(*ends)
    if family == "trigonometric":
        shift = 0.5 * np.pi if which else 0.0  # sin kx is cos(kx − π/2)
        return _cosine(degree * low - shift, degree * high - shift)
    return _chebyshev(degree, low, high)


def _cosine(low: Array, high: Array) -> Range:
    """The range of the cosine; of arguments that are rounded, so a little wider."""
    slack = 4.0 * EPS * (1.0 + np.maximum(np.abs(low), np.abs(high)))
    low, high = low - slack, high + slack
    ends = np.cos(low), np.cos(high)
    has_top = np.floor(high / (2.0 * np.pi)) >= np.ceil(low / (2.0 * np.pi))
    has_bottom = np.floor((high / np.pi - 1.0) / 2.0) >= np.ceil((low / np.pi - 1.0) / 2.0)
    least = np.where(has_bottom, -1.0, np.minimum(*ends))
    most = np.where(has_top, 1.0, np.maximum(*ends))
    return np.maximum(least - 4.0 * EPS, -1.0), np.minimum(most + 4.0 * EPS, 1.0)


def _chebyshev(degree: int, low: Array, high: Array) -> Range:
    """The range of T_k: a cosine within [−1, 1], monotone beyond."""
    inner_low, inner_high = np.clip(low, -1.0, 1.0), np.clip(high, -1.0, 1.0)
    least, most = _cosine(degree * np.arccos(inner_high), degree * np.arccos(inner_low))
    # The arccosine loses digits at ±1, where T_k has the slope k².
    wider = 8.0 * EPS * degree * degree
    least, most = least - wider, most + wider
    ends = _t(degree, low), _t(degree, high)
    is_beyond: npt.NDArray[np.bool_] = (low < -1.0) | (high > 1.0)
    least = np.where(is_beyond, np.minimum(least, np.minimum(*ends)), least)
    most = np.where(is_beyond, np.maximum(most, np.maximum(*ends)), most)
    is_outside = (high < -1.0) | (low > 1.0)
    least = np.where(is_outside, np.minimum(*ends), least)
    most = np.where(is_outside, np.maximum(*ends), most)
    return least, most


def _t(degree: int, u: Array) -> Array:
    before, here = np.ones_like(u), u
    for _ in range(degree - 1):
        before, here = here, 2.0 * u * here - before
    return here
