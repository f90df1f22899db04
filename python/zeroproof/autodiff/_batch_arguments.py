"""The arguments of a batched function: their axes, and their conversion to arrays."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from operator import index
from typing import Any, NamedTuple, Optional, Union

import numpy as np
import numpy.typing as npt

from .._arrays import Array, Shape
from .._native import TracedCondition, Tracer, TRNode, TRScalar
from .._trees import LEAF, broadcast, flatten, is_container
from ..array import TRArray
from ._batch_layout import Layout
from ._parameters import ArgNum, Key, Numbers, ParameterNames

#: For each argument 0, None or a structure of these; or one of them for all.
InAxes = Union[None, int, Sequence[Any]]

FLOAT64 = np.dtype(np.float64)
#: What needs no closer look.
_NUMBERS = frozenset({float, int, TRScalar})
#: Lists nested deeper make no array, as NumPy has it.
_MOST_AXES = 64


class Unconverted(NamedTuple):
    """Arrays of real numbers that are yet to be brought into the form that the engine reads."""

    arrays: list[npt.NDArray[Any]]

    def converted(self) -> list[Array]:
        """C-contiguous arrays of doubles, without a copy of those that are."""
        with np.errstate(all="ignore"):  # narrowing a long double may overflow to an infinity
            return [
                array if is_ready(array) else np.require(array, FLOAT64, ["C", "A"])
                for array in self.arrays
            ]


Inputs = Union[Sequence[Array], Unconverted]


class Parameters(ParameterNames):
    """The names and axes of the arguments of a function."""

    def __init__(self, function: Callable[..., Any], in_axes: InAxes) -> None:
        super().__init__(function)
        self._axes: Optional[tuple[Any, ...]] = None
        self._for_all = in_axes
        if in_axes is None or not isinstance(in_axes, (Sequence, str)):
            _check_axis(in_axes)
        else:
            self._axes = tuple(in_axes)
            for axes in self._axes:
                for axis in flatten(axes, "in_axes")[0]:
                    _check_axis(axis)
        flat = self._axes is not None and not any(map(_is_structured, self._axes))
        #: For each argument whether it has an axis of samples, if no entry is a structure.
        self._flat = tuple([axis is not None for axis in self._axes or ()]) if flat else None

    def flat_axes(self, count: int) -> Optional[tuple[bool, ...]]:
        """For each of ``count`` positional arguments, whether it has an axis of samples.

        None if that takes a closer look: entries that are structures, or another number of
        arguments.
        """
        if self._axes is None:
            return (self._for_all is not None,) * count if count else None
        return self._flat if count == len(self._axes) else None

    def axes_of(self, args: Sequence[Any], keywords: Mapping[str, Any]) -> dict[Key, Any]:
        """The entry of ``in_axes`` for each argument.

        Raises:
            TypeError: if there are more arguments than entries, or fewer.
        """
        found: dict[Key, Any] = {}
        if self._axes is None:
            found = dict.fromkeys([*range(len(args)), *sorted(keywords)], self._for_all)
            if not found:
                raise TypeError(f"{self.label} needs at least one argument to be batched over")
            return found
        places = {self.keyword_place(keyword): keyword for keyword in keywords}
        covered = [place < len(args) or place in places for place in range(len(self._axes))]
        if len(args) > len(self._axes) or not all(covered):
            raise TypeError(
                f"{self.label} takes {len(self._axes)} positional arguments by its in_axes, "
                f"but {len(args)} were given"
            )
        found = dict(enumerate(self._axes[: len(args)]))
        for keyword in sorted(keywords):
            place = self.keyword_place(keyword)
            by_place = place is not None and place < len(self._axes)
            found[keyword] = self._axes[place] if place is not None and by_place else 0
        return found

    def check_request(
        self,
        numbers: Numbers,
        coordinate: Optional[ArgNum],
        args: Sequence[Any],
        keywords: Mapping[str, Any],
    ) -> None:
        """Raises if one of ``argnums`` or the coordinate names no argument of a call."""
        self.keys_of(numbers, len(args), keywords)
        # A path names an array of a structure, which is not yet known.
        if coordinate is not None and not (
            isinstance(coordinate, str) and not coordinate.isidentifier()
        ):
            self.key(coordinate, len(args), keywords, "coordinate")

    def keys_of(self, numbers: Numbers, count: int, keywords: Collection[str]) -> list[Key]:
        """The arguments of a call that ``argnums`` names."""
        several = numbers if isinstance(numbers, tuple) else (numbers,)
        return [self.key(number, count, keywords, "argnums") for number in several]

    def coordinate(self, layout: Layout, coordinate: Optional[ArgNum]) -> Optional[int]:
        """The leaf that is named as the coordinate, by its argument or its path.

        Raises:
            TypeError: if it is neither place nor name.
            ValueError: if there is none of this name, or the argument has several.
        """
        if coordinate is None:
            return None
        if isinstance(coordinate, str) and layout.names.count(coordinate) == 1:
            return layout.names.index(coordinate)
        key = self.key(coordinate, layout.positional, layout.keywords, "coordinate")
        return layout.only_leaf(key, "coordinate")

    def plain(self, args: Sequence[Any]) -> Optional[Inputs]:
        """Positional arguments as arrays; None if one is a structure of arrays.

        Raises:
            TypeError: if one is no array of real numbers.
        """
        arrays: list[npt.NDArray[Any]] = []
        ready = True
        for place, argument in enumerate(args):
            if is_ready(argument):
                arrays.append(argument)
            elif type(argument) in _NUMBERS:
                arrays.append(np.array(float(TRScalar(argument))))
            elif type(argument) is np.ndarray and argument.dtype.kind in "fiub":
                arrays.append(argument)
                ready = False
            elif is_structure(argument):
                return None
            else:
                arrays.append(real_numbers(argument, self.describe(place)))
                ready = ready and is_ready(arrays[-1])
        return arrays if ready else Unconverted(arrays)

    def laid_out(
        self, args: Sequence[Any], keywords: Mapping[str, Any]
    ) -> tuple[Unconverted, Layout]:
        """The leaves of all arguments as arrays, and where they stand.

        Raises:
            TypeError: if one is no array of real numbers.
            ValueError: for a leaf without an axis of samples that ``in_axes`` says has one.
        """
        arrays, structures, names, per_sample = [], [], [], []
        axes = self.axes_of(args, keywords)
        for key, axis in axes.items():
            argument = keywords[key] if isinstance(key, str) else args[key]
            name = self.name(key)
            leaves, structure = [argument], LEAF
            if _is_structured(axis) or is_structure(argument):
                leaves, structure = flatten(argument, name)
            paths = structure.paths(name)
            own = [entry is not None for entry in broadcast(axis, structure, name)]
            for leaf, path, has_axis in zip(leaves, paths, own):
                described = self.describe(key) if path == name else f"{path} of {self.label}"
                array = real_numbers(leaf, described)
                if has_axis and array.ndim == 0:
                    raise ValueError(
                        f"{described} is a single number, but its in_axes is 0: pass one for each "
                        "sample, or make its in_axes None"
                    )
                arrays.append(array)
            structures.append(structure)
            names.extend(paths)
            per_sample.extend(own)
        shapes = [
            array.shape[1:] if has_axis else array.shape
            for array, has_axis in zip(arrays, per_sample)
        ]
        layout = Layout(
            tuple(axes), tuple(structures), tuple(names), tuple(shapes), tuple(per_sample)
        )
        return Unconverted(arrays), layout

    def flat_layout(self, shapes: tuple[Shape, ...], per_sample: tuple[bool, ...]) -> Layout:
        """That of positional arguments, each one array."""
        count = len(shapes)
        names = tuple([self.name(place) for place in range(count)])
        return Layout(tuple(range(count)), (LEAF,) * count, names, shapes, per_sample)

    def samples(
        self, arrays: Sequence[npt.NDArray[Any]], per_sample: Sequence[bool], names: Sequence[str]
    ) -> int:
        """The number of samples.

        Raises:
            ValueError: if arrays have different lengths.
        """
        samples = common_length(arrays, per_sample)
        if samples is None:
            owners = [pair for *pair, own in zip(names, arrays, per_sample) if own]
            listed = ", ".join([f"{name}: {len(array)}" for name, array in owners])
            raise ValueError(f"{self.label} was given different numbers of samples ({listed})")
        return samples


def common_length(arrays: Sequence[npt.NDArray[Any]], per_sample: Sequence[bool]) -> Optional[int]:
    """The length of the axes of samples; 1 without any, None if they differ or one is missing."""
    samples = None
    for array, own in zip(arrays, per_sample):
        if own:
            if array.ndim == 0:
                return None
            if samples is None:
                samples = array.shape[0]
            elif array.shape[0] != samples:
                return None
    return 1 if samples is None else samples


def real_numbers(argument: Any, described: str) -> npt.NDArray[Any]:
    """An argument as an array of real numbers of any type, without a copy if it is one.

    Raises:
        TypeError: if it is none. The error begins with ``described``.
        ValueError: if it is a list of rows of different lengths.
    """
    if isinstance(argument, TRArray):
        return argument.to_ieee()
    if isinstance(argument, (TRScalar, int, float)):
        return np.array(float(TRScalar(argument)))
    if isinstance(argument, TRNode):
        raise TypeError(
            f"{described} is a TRNode, whose gradient would be lost: pass its value, node.item()"
        )
    if isinstance(argument, np.ma.MaskedArray):
        raise TypeError(
            f"{described} is a masked array, whose mask would be lost: fill in what is masked, for "
            "instance with .filled(numpy.nan), which is Φ"
        )
    try:
        array = np.asarray(argument)
    except ValueError as error:
        raise ValueError(f"{described} is no array: {error}") from None
    if array.dtype.kind not in "fiub":
        if any(isinstance(item, (Tracer, TracedCondition)) for item in array.flat):
            raise TypeError(
                f"{described} {'holds' if array.ndim else 'is'} a tracer: a batched function "
                "cannot be called inside a traced function; call the function itself, which is its "
                "__wrapped__"
            )
        if any(isinstance(item, TRNode) for item in array.flat):
            raise TypeError(
                f"{described} holds TRNodes, whose gradients would be lost: pass their values, "
                "node.item() of each"
            )
        hint = "; zeroproof.TRArray holds TR scalars" if array.dtype.kind == "O" else ""
        raise TypeError(f"{described} must hold real numbers, not {array.dtype}{hint}")
    return array


def is_ready(array: Any) -> bool:
    """Whether the engine can read the argument in place."""
    if type(array) is not np.ndarray or array.dtype is not FLOAT64:
        return False
    flags = array.flags
    return flags.c_contiguous and flags.aligned


def _is_structured(axes: Any) -> bool:
    """Whether an entry of ``in_axes`` is a structure of entries."""
    return axes is not None and is_container(axes)


def is_structure(argument: Any) -> bool:
    """Whether an argument is a structure of arrays.

    A list or tuple is an array, unless it holds an array or a container other than such lists.
    """
    if isinstance(argument, (list, tuple)) and not hasattr(argument, "_fields"):
        return not _is_nested_list(argument, 0)
    return is_container(argument)


def _is_nested_list(items: Any, depth: int) -> bool:
    """Whether a list holds no array or container other than such lists."""
    kinds = set(map(type, items))
    if not any(issubclass(kind, (list, tuple)) for kind in kinds):
        return not any(_makes_structures(kind) for kind in kinds)
    return depth < _MOST_AXES and all(
        _is_nested_list(item, depth + 1)
        if isinstance(item, (list, tuple)) and not hasattr(item, "_fields")
        else not _makes_structures(type(item))
        for item in items
    )


def _makes_structures(kind: type) -> bool:
    return (
        kind is type(None)
        or issubclass(kind, (np.ndarray, TRArray, Mapping, list, tuple))
        or hasattr(kind, "__dataclass_fields__")
    )


def _check_axis(axis: Any) -> None:
    """Raises if an entry of ``in_axes`` is neither 0 nor None."""
    if axis is None:
        return
    try:
        place = index(axis)
    except TypeError:
        raise TypeError(
            f"in_axes must be 0, None or a sequence of these or structures of these, not {axis!r}"
        ) from None
    if place != 0:
        raise ValueError(
            f"in_axes must be 0, None or a sequence of these, not {place}: samples lie along the "
            "first axis, where numpy.moveaxis can bring them"
        )
