"""The arguments of a batched call: which they are, and where their values stand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from .._arrays import Shape, shaped
from .._trees import Structure
from ._parameters import Key


def arguments_of(
    keys: Sequence[Key], structures: Sequence[Structure], leaves: Sequence[Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Positional arguments and keywords that hold these leaves."""
    given = iter(leaves)
    positional: list[Any] = []
    keywords: dict[str, Any] = {}
    for key, structure in zip(keys, structures):
        argument = structure.unflatten([next(given) for _ in range(structure.count)])
        if isinstance(key, str):
            keywords[key] = argument
        else:
            positional.append(argument)
    return tuple(positional), keywords


@dataclass(frozen=True)
class Layout:
    """The arguments that a function is traced for. Each leaf of their structures is an array."""

    keys: tuple[Key, ...]
    """The positional arguments, then those passed by keyword."""
    structures: tuple[Structure, ...]
    """One for each argument."""
    names: tuple[str, ...]
    """One for each leaf, such as ``p['w'][0]``."""
    shapes: tuple[Shape, ...]
    """One for each leaf, without the axis of samples."""
    per_sample: tuple[bool, ...]
    """One for each leaf: whether every sample has its own."""

    @property
    def is_single(self) -> bool:
        """Whether no leaf has an axis of samples, so that results have none either."""
        return not any(self.per_sample)

    @property
    def positional(self) -> int:
        """The number of positional arguments."""
        return sum([not isinstance(key, str) for key in self.keys])

    @property
    def keywords(self) -> list[str]:
        """The names of the other arguments."""
        return [key for key in self.keys if isinstance(key, str)]

    def leaves(self, key: Key) -> range:
        """The numbers of an argument's leaves."""
        place = self.keys.index(key)
        ends = list(accumulate(structure.count for structure in self.structures))
        return range(ends[place] - self.structures[place].count, ends[place])

    def structure(self, key: Key) -> Structure:
        """The structure of an argument."""
        return self.structures[self.keys.index(key)]

    def call(self, function: Callable[..., Any], elements: Sequence[Sequence[Any]]) -> Any:
        """Calls the function, given the elements of each leaf."""
        arrays = [shaped(each, shape) for each, shape in zip(elements, self.shapes)]
        positional, keywords = arguments_of(self.keys, self.structures, arrays)
        return function(*positional, **keywords)

    def only_leaf(self, key: Key, role: str) -> int:
        """The number of an argument's one leaf.

        Raises:
            ValueError: if it has none or several.
        """
        leaves = self.leaves(key)
        if len(leaves) != 1:
            listed = ", ".join([self.names[leaf] for leaf in leaves[:5]]) or "nothing"
            raise ValueError(
                f"{role} names an argument that holds {listed}: name one of its arrays by its path"
            )
        return leaves[0]
