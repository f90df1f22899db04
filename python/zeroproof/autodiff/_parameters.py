"""The parameters of a function, by place and by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Sequence
from operator import index
from typing import Any, Optional, SupportsIndex, Union

import numpy as np

#: An argument by its place or its name.
ArgNum = Union[SupportsIndex, str]
#: One of them or several.
ArgNums = Union[ArgNum, Sequence[ArgNum]]
#: Those that give a tuple, for type checkers. A string would be a sequence of strings as well.
Several = Union[
    tuple[Union[SupportsIndex, str], ...], list[int], list[str], list[Union[int, str]], range
]
#: ``argnums`` in Python's ints, which may be negative, and names.
Numbers = Union[int, str, tuple[Union[int, str], ...]]
#: An argument of a call: a place among the positional ones, or a keyword.
Key = Union[int, str]


class ParameterNames:
    """The names of a function's parameters that can be passed by position."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.label: str = getattr(function, "__name__", None) or repr(function)
        self._function = function
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        self._names = [each.name for each in _parameters(function) or () if each.kind in kinds]
        self._taken: frozenset[str] = frozenset()  # keywords that the function is known to take

    def name(self, key: Key) -> str:
        """The name of an argument; ``arg0`` and so on where the function has none."""
        if isinstance(key, str):
            return key
        return self._names[key] if key < len(self._names) else f"arg{key}"

    def describe(self, key: Key) -> str:
        """An argument in an error message."""
        if isinstance(key, str):
            return f"argument {key} of {self.label}"
        return f"argument {key} ({self.name(key)}) of {self.label}"

    def key(self, argument: ArgNum, count: int, keywords: Collection[str], role: str) -> Key:
        """The argument of a call that is meant by a name, or by a place that may be negative.

        Args:
            argument: the name or place. Negative places count from the last positional argument.
            count: the number of positional arguments.
            keywords: the names of the others.
            role: what it is to be, for errors.

        Raises:
            TypeError: if it is neither.
            ValueError: if there is no such argument.
        """
        if isinstance(argument, str):
            for place in range(count):
                if self.name(place) == argument:
                    return place
            if argument in keywords:
                return argument
            raise ValueError(f"{role} names no argument of {self.label}: {argument!r}")
        try:
            place = index(argument)
        except TypeError:
            raise TypeError(
                f"{role} must be the place or the name of an argument, not {argument!r}"
            ) from None
        if -count <= place < count:
            return place % count
        if 0 <= place < len(self._names) and self._names[place] in keywords:
            return self._names[place]
        raise ValueError(
            f"{role} names argument {place}, but {count} positional arguments were given"
        )

    def unknown_keyword(self, keywords: Collection[str]) -> Optional[str]:
        """The first of these keywords that the function does not take."""
        for keyword in keywords:
            if keyword not in self._taken:
                if not self._takes(keyword):
                    return keyword
                self._taken = self._taken | {keyword}
        return None

    def _takes(self, keyword: str) -> bool:
        """Whether the function can be called with this keyword; True if it does not say."""
        by_name = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        # A decorator may show the signature of what it decorates, and take more.
        for follows in (True, False):
            parameters = _parameters(self._function, follows)
            if parameters is None or any(
                each.kind is inspect.Parameter.VAR_KEYWORD
                or (each.name == keyword and each.kind in by_name)
                for each in parameters
            ):
                return True
        return False

    def keyword_place(self, keyword: str) -> Optional[int]:
        """The place of the parameter that a keyword names; None if it has no place."""
        return self._names.index(keyword) if keyword in self._names else None


def argument_numbers(argnums: ArgNums) -> Numbers:
    """``argnums`` in Python's ints and names: one, or those of a sequence or array."""
    given: Any = argnums
    if type(given) is int or isinstance(given, str):
        return given
    if isinstance(given, np.ndarray) and given.dtype.kind in "iu":
        given = given.tolist()
    try:
        if isinstance(given, Sequence):
            return tuple([each if isinstance(each, str) else _place(each) for each in given])
        return _place(given)
    except TypeError:
        raise TypeError(
            "argnums must be the place or the name of an argument, or a sequence of these, not "
            f"{argnums!r}"
        ) from None


def coordinate_number(coordinate: Optional[ArgNum], default: Optional[ArgNum]) -> Any:
    """The coordinate, or the default for None, in Python's ints and names."""
    if coordinate is None:
        coordinate = default
    if coordinate is None or isinstance(coordinate, str):
        return coordinate
    try:
        return _place(coordinate)
    except TypeError:
        raise TypeError(
            f"coordinate must be the place or the name of an argument, not {coordinate!r}"
        ) from None


def _parameters(
    function: Callable[..., Any], follows: bool = True
) -> Optional[list[inspect.Parameter]]:
    """The parameters of a function, or of what it decorates; None without a signature."""
    try:
        signature = inspect.signature(function, follow_wrapped=follows)
        return list(signature.parameters.values())
    except (TypeError, ValueError):  # a function without a signature
        return None


def _place(argument: Any) -> int:
    """A place; True and False are none."""
    if isinstance(argument, (bool, np.bool_)):
        raise TypeError("a truth value is no place")
    return index(argument)
