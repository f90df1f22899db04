"""The arguments of a batched function: their names, axes and numbers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from operator import index
from typing import Any, Optional, SupportsIndex, Union

import numpy as np

from .._arrays import Array
from .._native import TracedCondition, Tracer, TRNode, TRScalar
from ..array import TRArray

Shape = tuple[int, ...]
InAxes = Union[None, int, Sequence[Optional[int]]]
ArgNums = Union[SupportsIndex, Sequence[SupportsIndex]]
#: ``argnums`` in Python's ints, which may be negative.
Numbers = Union[int, tuple[int, ...]]

FLOAT64 = np.dtype(np.float64)


class Parameters:
    """The names and axes of the arguments of a function."""

    def __init__(self, function: Callable[..., Any], in_axes: InAxes) -> None:
        self.label = getattr(function, "__name__", None) or repr(function)
        self._names = _positional_names(function)
        if in_axes is None or not isinstance(in_axes, (Sequence, str)):
            self._axes: Optional[tuple[bool, ...]] = None
            _check_axis(in_axes)
            if in_axes is None:
                raise ValueError("in_axes must be 0 for at least one argument")
        else:
            self._axes = tuple(_check_axis(axis) for axis in in_axes)
            if not any(self._axes):
                raise ValueError(
                    f"in_axes must be 0 for at least one argument, not {tuple(in_axes)}"
                )

    def name(self, place: int) -> str:
        """The name of an argument; ``arg0`` and so on where the function has none."""
        return self._names[place] if place < len(self._names) else f"arg{place}"

    def describe(self, place: int) -> str:
        """An argument in an error message."""
        return f"argument {place} ({self.name(place)}) of {self.label}"

    def per_sample(self, count: int) -> tuple[bool, ...]:
        """For each of ``count`` arguments, whether it has an element for each sample."""
        if self._axes is None:
            if count == 0:
                raise TypeError(f"{self.label} needs at least one argument to be batched over")
            return (True,) * count
        if count != len(self._axes):
            raise TypeError(
                f"{self.label} takes {len(self._axes)} positional arguments by its in_axes, "
                f"but {count} were given"
            )
        return self._axes

    def place(self, argument: Union[SupportsIndex, str], count: int, role: str) -> int:
        """The index of an argument given by name, or by an index that may be negative."""
        if isinstance(argument, str):
            for place in range(count):
                if self.name(place) == argument:
                    return place
            raise ValueError(f"{role} names no argument of {self.label}: {argument!r}")
        try:
            place = index(argument)
        except TypeError:
            raise TypeError(
                f"{role} must be the place or the name of an argument, not {argument!r}"
            ) from None
        if not -count <= place < count:
            raise ValueError(
                f"{role} names argument {place}, but {count} positional arguments were given"
            )
        return place % count

    def samples(self, arrays: Sequence[Array], per_sample: Sequence[bool]) -> int:
        """The number of samples: the common length of the arguments with an axis of samples."""
        lengths: list[tuple[int, int]] = []
        for place, (array, own) in enumerate(zip(arrays, per_sample)):
            if own:
                if array.ndim == 0:
                    raise ValueError(
                        f"{self.describe(place)} is a single number, but its in_axes is 0: pass "
                        "one for each sample, or make its in_axes None"
                    )
                lengths.append((place, array.shape[0]))
        samples = lengths[0][1]
        if any(length != samples for _, length in lengths):
            listed = ", ".join(f"{self.name(place)}: {length}" for place, length in lengths)
            raise ValueError(f"{self.label} was given different numbers of samples ({listed})")
        return samples

    def doubles(self, argument: Any, place: int) -> Array:
        """An argument as a C-contiguous array of doubles, without a copy if it is one."""
        if isinstance(argument, TRArray):
            argument = argument.to_ieee()
        elif isinstance(argument, (TRScalar, int, float)):
            return np.array(float(TRScalar(argument)))
        elif isinstance(argument, TRNode):
            raise TypeError(
                f"{self.describe(place)} is a TRNode, whose gradient would be lost: pass its value"
            )
        elif isinstance(argument, np.ma.MaskedArray):
            raise TypeError(
                f"{self.describe(place)} is a masked array, whose mask would be lost: fill in what "
                "is masked, for instance with .filled(numpy.nan), which is Φ"
            )
        try:
            array = np.asarray(argument)
        except ValueError as error:
            raise ValueError(f"{self.describe(place)} is no array: {error}") from None
        if array.dtype.kind not in "fiub":
            if any(isinstance(item, (Tracer, TracedCondition)) for item in array.flat):
                raise TypeError(
                    f"{self.describe(place)} {'holds' if array.ndim else 'is'} a tracer: a batched "
                    "function cannot be called inside a traced function; call the function itself, "
                    "which is its __wrapped__"
                )
            hint = "; zeroproof.TRArray holds TR scalars" if array.dtype.kind == "O" else ""
            raise TypeError(
                f"{self.describe(place)} must hold real numbers, not {array.dtype}{hint}"
            )
        with np.errstate(all="ignore"):  # narrowing a long double may overflow to an infinity
            return np.require(array, FLOAT64, ["C", "A"])


def argument_numbers(argnums: ArgNums) -> Numbers:
    """``argnums`` in Python's ints: one, or those of a sequence or one-dimensional array."""
    if type(argnums) is int:
        return argnums
    given: Any = argnums
    if isinstance(given, np.ndarray) and given.dtype.kind in "iu":
        given = given.tolist()
    try:
        return tuple(map(index, given)) if isinstance(given, Sequence) else index(given)
    except TypeError:
        raise TypeError(
            f"argnums must be the place of an argument or a sequence of places, not {argnums!r}"
        ) from None


def is_ready(array: Any) -> bool:
    """Whether the engine can read the argument in place."""
    if type(array) is not np.ndarray or array.dtype is not FLOAT64:
        return False
    flags = array.flags
    return flags.c_contiguous and flags.aligned


def _check_axis(axis: Any) -> bool:
    """Whether an entry of ``in_axes`` gives an axis of samples."""
    if axis is None:
        return False
    try:
        place = index(axis)
    except TypeError:
        raise TypeError(f"in_axes must be 0, None or a sequence of these, not {axis!r}") from None
    if place != 0:
        raise ValueError(
            f"in_axes must be 0, None or a sequence of these, not {place}: samples lie along the "
            "first axis, where numpy.moveaxis can bring them"
        )
    return True


def _positional_names(function: Callable[..., Any]) -> list[str]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a function without a signature
        return []
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [parameter.name for parameter in parameters if parameter.kind in positional]
