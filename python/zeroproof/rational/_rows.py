"""The rows of data: what is used of them, and the checks of what was given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

import numpy as np

from .._arrays import Array
from ..array import TRArray

__all__ = ["Rows", "read_rows"]


@dataclass(frozen=True)
class Rows:
    """The rows with a finite y, and where a pole was said to be.

    ``sigma`` is None, or has an element for each row that is used. ``left_out`` counts the rows
    with y = Φ, ``marks`` are the different x at which y is ±∞, and ``marked`` counts those rows.
    """

    x: Array
    y: Array
    sigma: Optional[Array]
    marks: Array
    marked: int
    left_out: int

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, chosen: Any) -> Rows:
        sigma = None if self.sigma is None else self.sigma[chosen]
        x, y = self.x[chosen], self.y[chosen]
        return Rows(x, y, sigma, self.marks, self.marked, self.left_out)


def _vector(values: Any, name: str) -> Array:
    if isinstance(values, TRArray):
        values = values.to_ieee()
    if isinstance(values, np.ma.MaskedArray):
        raise TypeError(
            f"{name} is a masked array: give its data, with NaN in y where it is masked"
        )
    try:
        array = np.asarray(values)
        if array.dtype.kind == "c":
            raise TypeError("complex numbers")
        array = np.asarray(array, np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must be an array of real numbers ({error})") from None
    if array.ndim != 1:
        raise ValueError(f"{name} must have one dimension, not the shape {array.shape}")
    return array


def read_rows(x: Any, y: Any, sigma: Any = None) -> Rows:
    """The rows of x, y and sigma.

    Raises:
        TypeError: for values that are no real numbers.
        ValueError: that names the argument, for lengths that differ, an x that is not finite, a
            sigma that is not positive, and data without different x.
    """
    given_x, given_y = _vector(x, "x"), _vector(y, "y")
    if len(given_x) != len(given_y):
        raise ValueError(f"x and y have different lengths, {len(given_x)} and {len(given_y)}")
    if not np.isfinite(given_x).all():
        place = int(np.flatnonzero(~np.isfinite(given_x))[0])
        raise ValueError(
            f"x[{place}] is {given_x[place]}, but x must be finite; leave this row out "
            "(only y may be ±inf, for a pole, or NaN, for an unknown value)"
        )
    finite, infinite = np.isfinite(given_y), np.isinf(given_y)
    given_sigma = None if sigma is None else _sigma(sigma, len(given_x), finite)
    used_x, used_y = given_x[finite], given_y[finite]
    if len(used_x) == 0:
        raise ValueError("y has no finite value: there is nothing to fit")
    if used_x.min() == used_x.max():
        raise ValueError("x is the same in all rows with a finite y: give rows at different x")
    return Rows(
        x=used_x,
        y=used_y,
        sigma=None if given_sigma is None else given_sigma[finite],
        marks=np.unique(given_x[infinite]),
        marked=int(np.count_nonzero(infinite)),
        left_out=int(np.count_nonzero(np.isnan(given_y))),
    )


def _sigma(sigma: Any, rows: int, finite: Any) -> Array:
    if np.ndim(sigma) == 0 and not isinstance(sigma, TRArray):
        sigma = [sigma] * rows
    given = _vector(sigma, "sigma")
    if len(given) != rows:
        raise ValueError(f"sigma has {len(given)} elements, but x has {rows}; or give one number")
    wrong = finite & ~((given > 0.0) & np.isfinite(given))
    if wrong.any():
        place = int(np.flatnonzero(wrong)[0])
        raise ValueError(
            f"sigma[{place}] is {given[place]}, but standard deviations must be positive and finite"
        )
    return given
