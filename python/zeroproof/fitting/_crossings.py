"""Poles of a model that move across samples on the way to a minimum.

Residuals and cost are finite on both sides of such a step, and the cost may fall, so the method
takes it. But the sample is then on the other side of the pole, where the fit may end in another
minimum than the one that the start was meant for.

A sample that a pole passes does not do what the linear model says, so only those that do not are
looked at. Their values along the step change sign at the pole, and grow towards it, which tells it
from a zero. Poles of even order, at which values keep their sign, are not seen, nor is a pole with
a zero right beside it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from .._arrays import Array

__all__ = ["crossed_poles", "is_bent"]

#: The share of the change that the linear model says by which a value must miss it.
BENT = 0.25
PARTS = 16
#: Values at a change of sign that are so many times larger or smaller say what is there.
CLEAR = 8.0
MOST_BISECTIONS = 40

#: So many samples are looked at for a step, out of more the same share everywhere.
MOST_ROWS = 1000

Values = Callable[[Array, npt.NDArray[np.intp]], Array]


def is_bent(before: Array, after: Array, predicted: Array) -> npt.NDArray[np.bool_]:
    """Which residuals change otherwise than the linear model predicts."""
    with np.errstate(all="ignore"):
        return np.asarray(np.abs(after - before - predicted) > BENT * np.abs(predicted))


def crossed_poles(
    values: Values, start: Array, end: Array, rows: npt.NDArray[np.intp]
) -> npt.NDArray[np.intp]:
    """Those of the samples whose value goes through a pole from start to end.

    Args:
        values: takes a row of parameters and the index of a sample for each value, and returns the
            values of the model, NaN where they are not REAL.
        start: the parameters before a step.
        end: those after it.
        rows: indices of samples.
    """
    if not len(rows):
        return rows
    if len(rows) > MOST_ROWS:
        rows = rows[np.linspace(0, len(rows) - 1, MOST_ROWS).astype(np.intp)]

    def along(shares: Array, some: npt.NDArray[np.intp]) -> Array:
        return values(start + shares[:, None] * (end - start), some)

    shares = np.linspace(0.0, 1.0, PARTS + 1)
    table = along(np.repeat(shares, len(rows)), np.tile(rows, len(shares)))
    table = table.reshape(len(shares), len(rows))
    is_pole: npt.NDArray[np.bool_] = np.any(~np.isfinite(table), axis=0)
    places, columns = np.nonzero(table[:-1] * np.sign(table[1:]) < 0.0)
    for place, column in zip(places.tolist(), columns.tolist()):
        row = rows[column : column + 1]
        if not is_pole[column]:
            is_pole[column] = _grows(
                along,
                row,
                (float(shares[place]), float(shares[place + 1])),
                (float(table[place, column]), float(table[place + 1, column])),
            )
    return rows[is_pole]


def _grows(
    along: Values,
    row: npt.NDArray[np.intp],
    between: tuple[float, float],
    ends: tuple[float, float],
) -> bool:
    """Whether a change of sign is at a pole: values are large there, not small."""
    low, high = between
    largest = max(abs(ends[0]), abs(ends[1]))
    smallest = min(abs(ends[0]), abs(ends[1]))
    for _ in range(MOST_BISECTIONS):
        middle = (low + high) / 2.0
        here = float(along(np.array([middle]), row)[0])
        if not np.isfinite(here) or abs(here) > CLEAR * largest:
            return True
        if abs(here) * CLEAR < smallest:
            return False
        if (here < 0.0) == (ends[0] < 0.0):
            low = middle
        else:
            high = middle
    return False
