"""The parameters of a model: a structure of numbers and arrays as one vector with names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Optional, Union

import numpy as np
import numpy.typing as npt

from .._arrays import Array
from .._native import TRNode
from .._trees import Kind, broadcast, flatten

__all__ = ["Parameters"]


class Parameters:
    """The structure of ``start``, and what its elements are called.

    An element is called by its key or path without the name of the whole: ``b1`` for a key,
    ``w[0]`` for an element of an array, ``layer.bias`` for a field of a field. Elements of a bare
    array or list are ``p[0]`` and so on.

    Args:
        start: numbers and arrays, or a structure of them.

    Raises:
        TypeError: for a leaf that is no real number or array of them.
        ValueError: without any element, for elements that are not finite or called alike.
    """

    def __init__(self, start: Any) -> None:
        leaves, self.structure = flatten(start, "start")
        paths = self.structure.paths("")
        is_bare = self.structure.kind in (Kind.LEAF, Kind.SEQUENCE)
        self._shapes: list[tuple[int, ...]] = []
        self.names: list[str] = []
        #: The elements that a name stands for: its own, or all below it.
        self._elements: dict[str, list[int]] = {}
        values: list[float] = []
        for leaf, path in zip(leaves, paths):
            array = _numbers(leaf, f"start{path}")
            self._shapes.append(array.shape)
            above = list(_ancestors(path, is_bare))
            for place in np.ndindex(array.shape):
                inner = "[" + ", ".join(map(str, place)) + "]" if place else ""
                name = (above[-1] if above else "p") + inner
                for known in {*above, name}:
                    self._elements.setdefault(known, []).append(len(self.names))
                self.names.append(name)
            values += array.ravel().tolist()
        self.start = np.array(values, float)
        self._check()

    def __len__(self) -> int:
        return len(self.names)

    def unflatten(self, elements: Union[npt.NDArray[Any], list[Any]]) -> Any:
        """The structure with these elements; numbers for numbers, arrays for arrays."""
        leaves: list[Any] = []
        start = 0
        for shape in self._shapes:
            size = int(np.prod(shape))
            part = elements[start : start + size]
            start += size
            if shape:
                leaves.append(np.array(part, getattr(elements, "dtype", object)).reshape(shape))
            else:
                item = part[0]
                leaves.append(float(item) if isinstance(item, np.floating) else item)
        return self.structure.unflatten(leaves)

    def varied(self, fixed: Any) -> npt.NDArray[np.bool_]:
        """Which elements are not fixed.

        Args:
            fixed: names or indices of elements, or one of these.

        Raises:
            TypeError: for another type.
            ValueError: for a name that is unknown, or if all are fixed.
        """
        if isinstance(fixed, (str, int, np.integer)) and not isinstance(fixed, bool):
            fixed = (fixed,)
        if not isinstance(fixed, Iterable):
            raise TypeError(f"fixed takes names of parameters, not {type(fixed).__name__}")
        varied = np.ones(len(self), bool)
        for item in fixed:
            varied[self._found(item, "fixed")] = False
        if not varied.any():
            raise ValueError("fixed holds every parameter: nothing is left to fit")
        return varied

    def bounds(self, bounds: Any) -> tuple[Optional[Array], Optional[Array]]:
        """The least and greatest value of each element.

        Args:
            bounds: None, ``(lower, upper)`` with each a number or in the structure of ``start``, or
                a dict of ``(lower, upper)`` by name. None in place of a bound is none.

        Raises:
            TypeError: for another type.
            ValueError: for an unknown name, a lower bound that is not below the upper one, NaN, or
                a start outside.
        """
        if bounds is None:
            return None, None
        lower, upper = np.full(len(self), -np.inf), np.full(len(self), np.inf)
        if isinstance(bounds, Mapping):
            for name, pair in bounds.items():
                low, high = _pair(pair, f"bounds[{name!r}]")
                for place in self._found(name, "bounds"):
                    lower[place] = -np.inf if low is None else _number(low, f"bounds[{name!r}]")
                    upper[place] = np.inf if high is None else _number(high, f"bounds[{name!r}]")
        else:
            low, high = _pair(bounds, "bounds")
            lower = self._spread(low, -np.inf, "the lower bounds")
            upper = self._spread(high, np.inf, "the upper bounds")
        for name, low, value, high in zip(self.names, lower, self.start, upper):
            if not low < high:
                raise ValueError(
                    f"bounds: the lower bound {low:g} of {name} is not below the upper bound "
                    f"{high:g}; list a parameter in fixed to keep its value"
                )
            if not low <= value <= high:
                raise ValueError(
                    f"start: {name} = {value:g} is outside of its bounds {low:g} and {high:g}"
                )
        return lower, upper

    def _found(self, item: Any, argument: str) -> list[int]:
        if isinstance(item, (int, np.integer)) and not isinstance(item, bool):
            if not -len(self) <= item < len(self):
                raise ValueError(
                    f"{argument} has the index {item}, but start has {len(self)} parameters"
                )
            return [int(item) % len(self)]
        if not isinstance(item, str):
            raise TypeError(
                f"{argument} has {item!r}: name a parameter, or give its index as an int"
            )
        found = self._elements.get(item)
        if found is None:
            known = ", ".join(self.names[:12]) + (", …" if len(self) > 12 else "")
            raise ValueError(f"{argument} names {item!r}, but the parameters are {known}")
        return found

    def _spread(self, bound: Any, missing: float, what: str) -> Array:
        """One bound for each element."""
        if bound is not None and not self.structure.is_leaf:
            # An array stands for a list or tuple of numbers.
            if isinstance(bound, np.ndarray) and bound.ndim:
                bound = bound.tolist()
            entries = broadcast(bound, self.structure, "start", what)
        else:
            entries = [bound]
        parts = []
        for entry, shape in zip(entries, self._shapes):
            value = np.asarray(missing) if entry is None else _numbers(entry, what, finite=False)
            try:
                parts.append(np.broadcast_to(value, shape).ravel())
            except ValueError:
                raise ValueError(
                    f"{what} have the shape {value.shape} where start has {shape}"
                ) from None
        return np.concatenate(parts).astype(float)

    def _check(self) -> None:
        if not len(self):
            raise ValueError("start has no parameters")
        for name, value in zip(self.names, self.start):
            if not np.isfinite(value):
                raise ValueError(f"start: {name} is {value}, a start must be finite")
        if len(set(self.names)) < len(self):
            twice = next(name for name in self.names if self.names.count(name) > 1)
            raise ValueError(f"start: two parameters would be called {twice}; rename a key")


def _ancestors(path: str, is_bare: bool) -> Iterator[str]:
    """The names of the containers that a path runs through, and of the leaf."""
    if not path:
        return
    steps = []
    rest = path
    while rest:
        end = 1
        quote = ""
        while end < len(rest) and (quote or rest[end] not in "[."):
            if quote:
                quote = "" if rest[end] == quote else quote
            elif rest[end] in "'\"":
                quote = rest[end]
            end += 1
        steps.append(rest[:end])
        rest = rest[end:]
    name = "p" if is_bare else ""
    for number, step in enumerate(steps):
        if number == 0 and not is_bare:
            inner = step[1:-1] if step[0] == "[" else step[1:]
            is_key = step[0] == "[" and inner[:1] in "'\""
            name = inner[1:-1] if is_key else inner
        else:
            name += step
        yield name


def _numbers(value: Any, what: str, finite: bool = True) -> Array:
    if isinstance(value, TRNode):
        raise TypeError(f"{what} is a node: give its value, a number")
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "biuf":
            raise TypeError
        found = array.astype(float)
    except (TypeError, ValueError):
        raise TypeError(
            f"{what} is of type {type(value).__name__}, but takes real numbers and arrays of them"
        ) from None
    if not finite and np.isnan(found).any():
        raise ValueError(f"{what} have NaN")
    return found


def _number(value: Any, what: str) -> float:
    array = _numbers(value, what, finite=False)
    if array.ndim:
        raise ValueError(f"{what} takes two numbers")
    return float(array)


def _pair(value: Any, what: str) -> tuple[Any, Any]:
    if not isinstance(value, (tuple, list, np.ndarray)):
        raise TypeError(f"{what} takes (lower, upper), not {type(value).__name__}")
    if len(value) != 2:
        raise ValueError(f"{what} takes (lower, upper), but has {len(value)} items")
    return value[0], value[1]
