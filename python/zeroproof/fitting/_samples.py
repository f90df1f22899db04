"""The samples that a model is fitted to, checked."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .._arrays import Array
from ..array import TRArray

__all__ = ["Samples", "read_samples"]


class Samples(NamedTuple):
    """x with a first axis of samples, y, and sigma with an element for each sample."""

    x: Array
    y: Array
    sigma: Array


def read_samples(x: Any, y: Any, sigma: Any) -> Samples:
    """The arguments as arrays.

    Raises:
        TypeError: for values that are not real numbers.
        ValueError: for another shape, numbers of rows that differ, NaN, infinite values, and a
            sigma that is not positive.
    """
    rows, values = _array(x, "x"), _array(y, "y")
    if rows.ndim not in (1, 2):
        raise ValueError(
            f"x has the shape {rows.shape}: a number or a row for each sample, (n,) or (n, k)"
        )
    if values.ndim != 1:
        raise ValueError(f"y has the shape {values.shape}: a number for each sample, (n,)")
    if len(rows) != len(values):
        raise ValueError(f"x has {len(rows)} rows and y has {len(values)}: they must be as many")
    if not len(values):
        raise ValueError("x and y have no rows: there is nothing to fit")
    _refuse_nonfinite(rows, "x")
    _refuse_nonfinite(values, "y")
    noise = np.ones(len(values)) if sigma is None else _array(sigma, "sigma")
    if noise.ndim > 1 or (noise.ndim == 1 and len(noise) != len(values)):
        raise ValueError(
            f"sigma has the shape {noise.shape}: a number, or one for each of the {len(values)} "
            "samples"
        )
    noise = np.broadcast_to(noise, values.shape)
    bad = np.flatnonzero(~((noise > 0.0) & np.isfinite(noise)))
    if len(bad):
        raise ValueError(
            f"sigma must be positive and finite: it is {noise[bad[0]]:g} in row {bad[0]}"
        )
    with np.errstate(over="ignore"):
        _refuse_overflow(values / noise)
    return Samples(np.ascontiguousarray(rows), values, np.array(noise))


def _array(value: Any, name: str) -> Array:
    if isinstance(value, TRArray):
        value = value.to_ieee()
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{name} is a masked array: pass only the rows that are to be used")
    try:
        array: npt.NDArray[Any] = np.asarray(value)
        if array.dtype.kind not in "biufO":
            raise TypeError
        return array.astype(float)
    except (TypeError, ValueError):
        raise TypeError(f"{name} takes an array of real numbers") from None


def _refuse_nonfinite(array: Array, name: str) -> None:
    bad = np.flatnonzero(~np.isfinite(array.reshape(len(array), -1)).all(axis=1))
    if len(bad):
        row = int(bad[0])
        more = f", and so do {len(bad) - 1} more" if len(bad) > 1 else ""
        raise ValueError(
            f"{name} has {array[row]} in row {row}{more}: leave out rows without a finite number"
        )


def _refuse_overflow(scaled: Array) -> None:
    bad = np.flatnonzero(~np.isfinite(scaled))
    if len(bad):
        raise ValueError(
            f"y/sigma is beyond the range of doubles in row {bad[0]}: give a larger sigma, or "
            "y and sigma in another unit"
        )
