"""Checks of what a model is made of and fitted to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from operator import index
from typing import Any, NamedTuple, Optional

import numpy as np
import numpy.typing as npt

from .._arrays import Array
from ..array import TRArray
from .basis import FAMILIES, Features

__all__ = [
    "Samples",
    "checked_choice",
    "checked_degree",
    "checked_domain",
    "checked_features",
    "checked_samples",
    "checked_share",
    "numbers",
    "whole",
]


def whole(value: Any, name: str, least: int) -> int:
    """A whole number of at least ``least``."""
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        result = index(value)
    except TypeError:
        raise TypeError(f"{name} must be a whole number, not {value!r}") from None
    if result < least:
        raise ValueError(f"{name} must be at least {least}, not {result}")
    return result


def checked_share(value: Any, name: str) -> float:
    """A share from 0 up to but not including 1."""
    try:
        result = float(value)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"{name} must be a number, not {value!r}") from None
    if not 0.0 <= result < 1.0:
        raise ValueError(f"{name} must be a share, at least 0 and below 1, not {value!r}")
    return result


def checked_choice(value: Any, name: str, choices: Sequence[str]) -> str:
    """One of some words."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, not {value!r}")
    return value


def checked_degree(degree: Any) -> tuple[int, int]:
    """The total degrees of numerator and denominator."""
    try:
        top, bottom = degree
    except (TypeError, ValueError):
        raise ValueError(
            "degree must be a pair, of the numerator and of the denominator, such as (3, 2), "
            f"not {degree!r}"
        ) from None
    return whole(top, "degree[0]", 0), whole(bottom, "degree[1]", 0)


def checked_features(features: Any, inputs: int) -> Features:
    """A family, one for each input, a function or a list of functions."""
    if isinstance(features, str):
        return checked_choice(features, "features", FAMILIES)
    if callable(features):
        return features  # type: ignore[no-any-return]
    try:
        items = list(features)
    except TypeError:
        raise TypeError(
            f"features must be one of {', '.join(map(repr, FAMILIES))}, one of these for each "
            f"input, a function, or a list of functions, not {type(features).__name__}"
        ) from None
    if items and all(isinstance(item, str) for item in items):
        if len(items) != inputs:
            raise ValueError(f"features has {len(items)} names for {inputs} inputs")
        return [
            checked_choice(item, f"features[{place}]", FAMILIES) for place, item in enumerate(items)
        ]
    if items and all(callable(item) for item in items):
        return items
    raise TypeError(
        "features must have a name for each input, or functions and nothing else, at least one"
    )


def checked_domain(domain: Any, inputs: int) -> Optional[tuple[tuple[float, float], ...]]:
    """An interval for each input."""
    if domain is None:
        return None
    try:
        pairs = tuple((float(low), float(high)) for low, high in domain)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(
            f"domain must have a pair (low, high) for each input, not {domain!r}"
        ) from None
    if len(pairs) != inputs:
        raise ValueError(f"domain has {len(pairs)} pairs for {inputs} inputs")
    for place, (low, high) in enumerate(pairs):
        if not (math.isfinite(high - low) and low < high):
            raise ValueError(
                f"domain[{place}] must be finite with low < high, not ({low!r}, {high!r})"
            )
    return pairs


def numbers(values: Any, name: str) -> Array:
    """An array of doubles."""
    if isinstance(values, np.ma.MaskedArray):
        raise TypeError(f"{name} must be real numbers, not a masked array")
    array = np.asarray(values.to_ieee() if isinstance(values, TRArray) else values)
    if array.dtype.kind == "O":
        with suppress(TypeError, ValueError):  # the dtype is reported below
            array = array.astype(np.float64)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must be real numbers, not {array.dtype}")
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(array, dtype=np.float64)


class Samples(NamedTuple):
    """What a model is fitted to, one row for each sample."""

    x: Array
    y: Array
    weights: Array
    """1/sigma, of the shape of y."""

    def rows(self, chosen: npt.NDArray[Any]) -> Samples:
        """Some of the samples."""
        return Samples(*(np.ascontiguousarray(array[chosen]) for array in self))


def checked_samples(x: Any, y: Any, sigma: Any, inputs: int, outputs: int) -> Samples:
    """The arrays of a fit.

    Raises:
        TypeError: for an argument that is not real numbers.
        ValueError: for arrays of another shape, x that is not finite, no sample whose y is finite
            and can be squared, or a sigma that is not positive and finite.
    """
    x, y = numbers(x, "x"), numbers(y, "y")
    if x.ndim == 1 and inputs == 1:
        x = x[:, None]
    if x.ndim != 2 or x.shape[1] != inputs:
        raise ValueError(f"x must have the shape (samples, {inputs}), not {x.shape}")
    if y.ndim == 1 and outputs == 1:
        y = y[:, None]
    if y.shape != (len(x), outputs):
        raise ValueError(
            f"y must have the shape ({len(x)}, {outputs}), a row for each of x, not {y.shape}"
        )
    if not np.isfinite(x).all():
        raise ValueError("x must be finite")
    if not np.isfinite(y).all(axis=1).any():
        raise ValueError("y has no row that is finite: there is nothing to fit")
    weights = np.ones_like(y)
    if sigma is not None:
        errors = numbers(sigma, "sigma")
        if errors.shape == (len(x),):
            errors = errors[:, None]
        try:
            errors = np.broadcast_to(errors, y.shape)
        except ValueError:
            raise ValueError(
                f"sigma must be a number, one for each sample or of the shape of y {y.shape}, "
                f"not of the shape {errors.shape}"
            ) from None
        with np.errstate(all="ignore"):
            weights = 1.0 / errors
        if not (np.isfinite(errors) & (errors > 0) & np.isfinite(weights)).all():
            raise ValueError("sigma must be positive and finite")
    with np.errstate(all="ignore"):
        is_small = np.isfinite(np.square(y * weights)).all(axis=1)
    if not is_small.any():
        raise ValueError("y is too large to be squared, in units of sigma: give it in another unit")
    return Samples(x, y, np.ascontiguousarray(weights))
