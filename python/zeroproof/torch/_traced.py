"""A function traced for arguments of one structure, and how it is computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, Optional, Union

import torch

from .. import replay
from .._bridging import coordinate_leaf, nodes_of, put_together, recorded, traced
from .._trees import Structure, flatten
from ..autodiff._batch_trace import Results
from ..autodiff._batch_trace import Traced as Program
from ._autograd import Own
from ._host import Host
from ._namespace import Torch
from ._replayed import Replayed

__all__ = ["Traced"]


class Traced:
    """The function for arguments of these structures and shapes.

    Args:
        function: the function of nodes.
        structures: those of the arguments.
        names: a name for each of their arrays.
        shapes: the shape of each that one sample sees.
        coordinate: the place of the argument that exploration regions refer to.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        structures: tuple[Structure, ...],
        names: Sequence[str],
        shapes: tuple[tuple[int, ...], ...],
        coordinate: Optional[int],
    ) -> None:
        self._structures, self._shapes = structures, shapes
        self._coordinate = coordinate_leaf(coordinate, structures)

        def of_leaves(*leaves: Any) -> Any:
            return function(*self.in_structure(leaves))

        self._of_leaves = of_leaves
        first = self._program((True,) * len(shapes))
        self._results: Results = first.results
        self._recorded = recorded(first.program)
        self._engines: dict[str, Union[Host, Replayed]] = {}

    def engine(self, where: str) -> Union[Host, Replayed]:
        """What computes it: ``"host"`` or ``"replay"``."""
        engine = self._engines.get(where)
        if engine is None:
            made: Union[Host, Replayed]
            if where == "host":
                of_leaves = self._of_leaves
                made = Host(
                    lambda *leaves: nodes_of(of_leaves(*leaves)),
                    self._recorded,
                    self._results.count,
                    self._coordinate,
                )
            else:
                made = Replayed(self._replay)
            engine = self._engines.setdefault(where, made)
        return engine

    @property
    def outputs(self) -> int:
        """How many values a sample has."""
        return self._results.count

    def packed(self, columns: torch.Tensor, is_single: bool) -> Any:
        """Columns in the structure of the results."""
        leaves, first = [], 0
        for shape in self._results.shapes:
            part = columns[:, first : first + prod(shape)]
            leaves.append(part.reshape(shape if is_single else (columns.shape[0], *shape)))
            first += prod(shape)
        return self._results.structure.unflatten(leaves)

    def gathered(self, cotangents: Any, own: Own, tensors: Sequence[torch.Tensor]) -> torch.Tensor:
        """Cotangents in the structure of the results as columns."""
        leaves, structure = flatten(cotangents, "cotangents")
        if structure != self._results.structure:
            raise ValueError("cotangents must have the structure of the values")
        samples = next((t.shape[0] for t, each in zip(tensors, own) if each), None)
        columns = []
        for leaf, shape in zip(leaves, self._results.shapes):
            tensor = torch.as_tensor(leaf, dtype=tensors[0].dtype, device=tensors[0].device)
            expected = shape if samples is None else (samples, *shape)
            if tuple(tensor.shape) != expected:
                raise ValueError(
                    f"the cotangents must have the shape {expected}, not {tuple(tensor.shape)}"
                )
            columns.append(tensor.reshape(1 if samples is None else samples, prod(shape)))
        return torch.cat(columns, dim=1)

    def in_structure(self, leaves: Sequence[Any]) -> tuple[Any, ...]:
        """One item for each array of the arguments, in their structures."""
        return put_together(self._structures, leaves)

    def _program(self, own: Own) -> Program:
        return traced(self._of_leaves, own, self._shapes)

    def _replay(self, own: Own) -> replay.Replay:
        return replay.compile(self._program(own).program, Torch(), self._coordinate)
