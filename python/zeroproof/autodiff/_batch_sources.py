"""The arguments that a batched call differentiates with respect to."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from .._arrays import Array, Shape
from .._trees import Kind, Structure
from ._batch_layout import Layout
from ._batch_outputs import arrays_for
from ._parameters import Key


class Sources:
    """The arguments to differentiate with respect to: ``argnums`` resolved."""

    def __init__(self, layout: Layout, keys: Sequence[Key], single: bool) -> None:
        distinct = list(dict.fromkeys(keys))
        self.is_single = single
        self._order = [distinct.index(key) for key in keys]
        self._ranges = [layout.leaves(key) for key in distinct]
        self.structures = [layout.structure(key) for key in distinct]
        self.leaves = [leaf for leaves in self._ranges for leaf in leaves]
        """The numbers of their leaves, each once."""
        self.shapes = [layout.shapes[leaf] for leaf in self.leaves]
        self.is_leaf = single and self.structures[0].is_leaf
        """Whether there is one array, by itself."""
        self._are_leaves = all(structure.is_leaf for structure in self.structures)
        count, children = len(self.structures), tuple(self.structures)
        self.structure = (
            children[0]
            if single
            else Structure(
                Kind.SEQUENCE, tuple, tuple(range(count)), children, count=len(self.leaves)
            )
        )
        """That of ``argnums``, each argument once."""

    @property
    def repeats(self) -> bool:
        """Whether an argument is named twice."""
        return len(self._order) > len(self._ranges)

    def arrays(self, shapes: Sequence[Shape], out: Any, name: str) -> list[Array]:
        """An array of this shape for each leaf, those of ``out`` if given.

        Raises:
            ValueError: if ``out`` is given and an argument is named twice.
        """
        if out is None:
            return [np.empty(shape) for shape in shapes]
        self.refuse_repeats(out)
        return arrays_for(self.structure, shapes, out, name)

    def refuse_repeats(self, out: Any) -> None:
        """Raises if ``out`` is given and an argument is named twice."""
        if out is not None and self.repeats:
            raise ValueError("with out, argnums must not name an argument twice")

    def pack(self, results: Sequence[npt.NDArray[Any]]) -> Any:
        """The results of the leaves in the structure of ``argnums``."""
        if self.is_leaf:
            return results[0]
        if self._are_leaves and not self.is_single:
            return tuple([results[place] for place in self._order])
        given = iter(results)
        trees = [
            structure.unflatten([next(given) for _ in range(structure.count)])
            for structure in self.structures
        ]
        return trees[0] if self.is_single else tuple([trees[place] for place in self._order])

    def columns(self) -> list[int]:
        """The columns of a Jacobian of the leaves, in the order of ``argnums``."""
        sizes = iter([prod(shape) for shape in self.shapes])
        widths = [sum([next(sizes) for _ in leaves]) for leaves in self._ranges]
        starts = [sum(widths[:place]) for place in range(len(widths))]
        return [
            column
            for place in self._order
            for column in range(starts[place], starts[place] + widths[place])
        ]
