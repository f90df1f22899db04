"""The arguments of a program, which are fixed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Optional

from .._trees import flatten
from ._batch_arguments import Parameters
from ._batch_layout import Layout
from ._parameters import Key
from ._program_structures import difference, stand_in


class FixedParameters(Parameters):
    """The names and axes of the arguments that a function was traced for."""

    def __init__(self, label: str, names: Sequence[str], layout: Layout) -> None:
        # There is no function to ask.
        self.label = label
        self._names = list(names)
        self._layout = layout
        self._count = len(layout.keys)
        own = iter(layout.per_sample)
        flags = [[next(own) for _ in range(each.count)] for each in layout.structures]
        are_arrays = all(each.is_leaf for each in layout.structures) and not layout.keywords
        self._flat = tuple([flag for (flag,) in flags]) if are_arrays else None
        #: The entries of in_axes.
        self._entries = {
            key: stand_in(structure).unflatten([0 if flag else None for flag in each])
            for key, structure, each in zip(layout.keys, layout.structures, flags)
        }

    def flat_axes(self, count: int) -> Optional[tuple[bool, ...]]:
        """As ``Parameters``: None unless these are arrays by position, as many as there are."""
        return self._flat if count == self._count else None

    def axes_of(self, args: Sequence[Any], keywords: Mapping[str, Any]) -> dict[Key, Any]:
        """The entry of ``in_axes`` for each argument.

        Raises:
            TypeError: if other arguments are given.
            ValueError: if one has another structure.
        """
        layout = self._layout
        if len(args) != layout.positional or keywords.keys() != set(layout.keywords):
            raise TypeError(
                f"the program {self.label} takes {self._described(self._names, layout.keywords)}, "
                f"as when it was traced, not {self._described(range(len(args)), keywords)}"
            )
        for key, structure in zip(layout.keys, layout.structures):
            if not structure.is_leaf:
                given = flatten(keywords[key] if isinstance(key, str) else args[key])[1]
                found = difference(structure, given, self.name(key))
                if found is not None:
                    raise ValueError(f"in the arguments of the program {self.label}, {found}")
        return dict(self._entries)

    def unknown_keyword(self, keywords: Collection[str]) -> Optional[str]:
        """The first of these keywords that the program does not take."""
        known = {*self._layout.keywords, *self._names}
        return next((keyword for keyword in keywords if keyword not in known), None)

    def expect(self, layout: Layout) -> None:
        """Raises ValueError for arguments that the program is not for."""
        own = self._layout
        for key, wanted, given in zip(own.keys, own.structures, layout.structures):
            found = difference(wanted, given, self.name(key))
            if found is not None:
                raise ValueError(f"in the arguments of the program {self.label}, {found}")
        leaves = zip(own.names, own.shapes, own.per_sample, layout.shapes)
        for name, wanted_shape, per_sample, shape in leaves:
            if shape != wanted_shape:
                of = " for each sample" if per_sample else ""
                raise ValueError(
                    f"the program {self.label} takes {name} of the shape {wanted_shape}{of}, not "
                    f"{shape}: a program is for the shapes that its function was traced with"
                )

    @staticmethod
    def _described(positional: Sequence[Any], keywords: Collection[str]) -> str:
        count = len(positional)
        by_place = f"{count} argument{'' if count == 1 else 's'} by position"
        return f"{by_place} and {', '.join(sorted(keywords))} by keyword" if keywords else by_place
