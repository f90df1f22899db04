"""A traced program, replayed in the operations of an array library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Optional

import numpy as np

from ..autodiff.tr_node import GradientStatus
from ._forward import Forward
from ._kit import Kit
from ._program import Argument, Program, Source
from ._regular import Doubts, PlainKit, Regular, has_regular_samples
from ._reverse import Adjoint, either, reverse
from .mode import Mode
from .namespace import Concrete, Elements, Namespace
from .numpy_namespace import NumPy

__all__ = ["Pulled", "Replay", "compile"]


@dataclass(frozen=True)
class Pulled:
    """Gradients and how they came about.

    Args:
        gradients: an array for each argument asked for: the axes of the samples, then the
            argument's own. Arguments that all samples share have a gradient for each sample too.
        statuses: uint8 arrays of the same shapes, the flags of ``GradientStatus``.
    """

    gradients: list[Elements]
    statuses: list[Elements]


class Replay:
    """A program as functions of arrays of one library.

    An argument that every sample has its own of is an array whose first axes are the samples', and
    may be any number of axes; one that all samples share has its own shape. All have one type,
    float64 or float32, in which everything is computed.

    Values and gradients agree with the engine's to a few units in the last place, tags and statuses
    are equal, as far as the library computes with subnormal numbers and in float64. Nothing is
    counted or logged.
    """

    def __init__(
        self, source: Source, namespace: Namespace, coordinate: Optional[int] = None
    ) -> None:
        self._program = Program(source)
        self._namespace = namespace
        self._concrete = namespace if isinstance(namespace, Concrete) else None
        if coordinate is not None and not 0 <= coordinate < len(self._program.arguments):
            raise ValueError(f"there is no argument {coordinate} to be the coordinate")
        self._coordinate = coordinate

    @property
    def arguments(self) -> list[Argument]:
        """Names, shapes and kinds of the arguments."""
        return list(self._program.arguments)

    @property
    def outputs(self) -> int:
        """How many values the program has."""
        return len(self._program.outputs)

    def forward(self, inputs: Sequence[Elements]) -> Elements:
        """The values, with one more axis at the end, along which the outputs lie.

        Raises:
            TypeError: for numbers of another type than float64 and float32, or of several types.
            ValueError: for another number of arguments, or another shape.
        """
        kit, batch = self._prepared(inputs)
        with np.errstate(all="ignore"):
            values = Forward(kit, self._program, inputs).values
            return self._outputs(values, batch, inputs[0].dtype)

    def vjp(
        self,
        inputs: Sequence[Elements],
        cotangents: Elements,
        mode: Optional[Mode] = None,
        argnums: Optional[Sequence[int]] = None,
        *,
        with_status: bool = True,
    ) -> Pulled:
        """The gradients of the outputs, each multiplied by its cotangent and added up.

        A cotangent that is not finite is left out, and the status says DROPPED; one that meets a
        value that is not REAL goes by the rule of the mode.

        Args:
            inputs: the arguments.
            cotangents: an array of the shape of the values.
            mode: the gradient mode; by default the current one.
            argnums: the arguments to differentiate by; by default all.
            with_status: False to leave ``statuses`` empty, which takes less time.

        Raises:
            TypeError: as ``forward``.
            ValueError: as ``forward``, and for cotangents of another shape.
        """
        kit, batch = self._prepared(inputs)
        expected = (*batch, self.outputs)
        if tuple(cotangents.shape) != expected:
            raise ValueError(
                f"the cotangents must have the shape {expected}, not {tuple(cotangents.shape)}"
            )
        with np.errstate(all="ignore"):
            return self._pulled(kit, batch, inputs, cotangents, mode, argnums, with_status)[1]

    def value_and_vjp(
        self,
        inputs: Sequence[Elements],
        cotangents: Optional[Elements] = None,
        mode: Optional[Mode] = None,
        argnums: Optional[Sequence[int]] = None,
    ) -> tuple[Elements, Pulled]:
        """What ``forward`` gives and what ``vjp`` gives; by default the adjoints are 1."""
        kit, batch = self._prepared(inputs)
        with np.errstate(all="ignore"):
            return self._pulled(kit, batch, inputs, cotangents, mode, argnums)

    def _prepared(self, inputs: Sequence[Elements]) -> tuple[Kit, tuple[int, ...]]:
        """The functions for these numbers, and the axes of the samples."""
        arguments = self._program.arguments
        if len(inputs) != len(arguments) or not inputs:
            raise ValueError(
                f"the program takes {len(arguments)} arguments, but {len(inputs)} were given"
            )
        batch: Optional[tuple[int, ...]] = None
        formats = {self._namespace.numbers(array) for array in inputs}
        if len(formats) > 1:
            raise TypeError(
                f"all arguments must have one type, not {' and '.join(sorted(formats))}"
            )
        for argument, array in zip(arguments, inputs):
            shape, own = tuple(array.shape), argument.shape
            leading = shape[: len(shape) - len(own)]
            expected: tuple[Any, ...] = own
            if argument.per_sample:
                batch = leading if batch is None else batch
                expected = (*batch, *own)
            if shape != expected:
                raise ValueError(f"{argument.name} must have the shape {expected}, not {shape}")
        return Kit(self._namespace, formats.pop()), batch or ()

    def _outputs(self, values: list[Elements], batch: tuple[int, ...], kind: Any) -> Elements:
        xp = self._namespace
        found = xp.stack([xp.broadcast_to(values[o], batch) for o in self._program.outputs])
        return _of_type(found, kind)

    def _pulled(
        self,
        kit: Kit,
        batch: tuple[int, ...],
        inputs: Sequence[Elements],
        cotangents: Optional[Elements],
        mode: Optional[Mode],
        argnums: Optional[Sequence[int]],
        with_status: bool = True,
    ) -> tuple[Elements, Pulled]:
        program = self._program
        mode = Mode.current() if mode is None else mode
        asked = range(len(program.arguments)) if argnums is None else argnums
        sources = [program.arguments[number] for number in asked]
        work = _Work(self, kit, batch, inputs, cotangents, mode, sources, with_status)
        given = inputs if cotangents is None else [*inputs, cotangents]
        xp = self._concrete
        if xp is not None and has_regular_samples(program, mode) and xp.is_concrete(given):
            return self._regularly(work, xp)
        return work.carefully()

    def _regularly(self, work: _Work, xp: Concrete) -> tuple[Elements, Pulled]:
        """All samples by the regular pass, then the doubtful ones once more by the careful one."""
        values, pulled, doubtful = work.regularly(xp)
        if not doubtful.any():
            return values, pulled
        if doubtful.all():
            return work.carefully()
        few = [
            x[doubtful] if argument.per_sample else x
            for x, argument in zip(work.inputs, self._program.arguments)
        ]
        seeds = None if work.cotangents is None else work.cotangents[doubtful]
        count = (int(doubtful.sum()),)
        again = replace(work, batch=count, inputs=few, cotangents=seeds)
        _, found = again.carefully()
        for own, more in zip(pulled.gradients, found.gradients):
            own[doubtful] = more
        for own, more in zip(pulled.statuses, found.statuses):
            own[doubtful] = more
        return values, pulled


@dataclass(frozen=True)
class _Work:
    """What one call asks for."""

    replay: Replay
    kit: Kit
    batch: tuple[int, ...]
    inputs: Sequence[Elements]
    cotangents: Optional[Elements]
    mode: Mode
    sources: Sequence[Argument]
    with_status: bool

    def regularly(self, xp: Concrete) -> tuple[Elements, Pulled, Elements]:
        """What is right for regular samples, and where samples are doubtful."""
        kit, program = self.kit, self.replay._program
        forward, values = self._forward()
        zero = self._zero(values)
        doubts = Doubts(xp, zero, kit.format.smallest_normal)
        forward.kit = PlainKit(kit.xp, xp.numbers(self.inputs[0]), doubts)
        passes = Regular(forward, self.mode, self._active())
        for place, root in enumerate(program.outputs):
            passes.run(root, self._seed(values, place))
        flag = int(GradientStatus.SATURATED)
        none = xp.as_status(zero != zero)
        gradients, statuses = [], []
        for source in self.sources:
            found = [passes.adjoints.get(node, zero) for node in source.nodes]
            gradients.append(self._gathered(source, found, zero))
            if self.with_status:
                flags = [none + flag * (node in passes.saturated) for node in source.nodes]
                statuses.append(self._gathered(source, flags, none))
        return values, Pulled(gradients, statuses), doubts.samples()

    def carefully(self) -> tuple[Elements, Pulled]:
        """What is right for all samples."""
        kit, program, active = self.kit, self.replay._program, self._active()
        forward, values = self._forward()
        total: dict[int, Adjoint] = {}
        for place, root in enumerate(program.outputs):
            if root not in active:
                continue
            seed = self._seed(values, place)
            for node, found in reverse(forward, self.mode, active, root, seed).items():
                total[node] = found if node not in total else _added(kit, total[node], found)
        gradients, statuses = [], []
        zero = self._zero(values)
        none = kit.xp.as_status(zero != zero)
        for source in self.sources:
            adjoints = [total.get(node, Adjoint(zero)) for node in source.nodes]
            found_values = [adjoint.value for adjoint in adjoints]
            gradients.append(self._gathered(source, found_values, zero))
            if self.with_status:
                flags = [_status(kit, each, none) for each in adjoints]
                statuses.append(self._gathered(source, flags, none))
        return values, Pulled(gradients, statuses)

    def _active(self) -> set[int]:
        """The nodes that lead to what is asked for."""
        elements = {node for source in self.sources for node in source.nodes}
        return self.replay._program.leading_to(elements)

    def _forward(self) -> tuple[Forward, Elements]:
        replay = self.replay
        forward = Forward(self.kit, replay._program, self.inputs, self.mode, replay._coordinate)
        return forward, replay._outputs(forward.values, self.batch, self.inputs[0].dtype)

    def _seed(self, values: Elements, place: int) -> Elements:
        if self.cotangents is not None:
            return self.cotangents[..., place]
        return 1.0 + self.kit.xp.zeros_like(values[..., place])

    def _zero(self, values: Elements) -> Elements:
        return self.kit.zero(values[..., 0] if self.batch else self.inputs[0].reshape(-1)[0])

    def _gathered(self, source: Argument, found: list[Elements], zero: Elements) -> Elements:
        """What the elements of an argument have, in its shape behind the axes of the samples."""
        xp, shape = self.kit.xp, (*self.batch, *source.shape)
        if not found:
            return xp.broadcast_to(zero.reshape(-1)[:1], (1,)).reshape(-1)[:0].reshape(shape)
        stacked = xp.stack([xp.broadcast_to(each, self.batch) for each in found])
        return _of_type(stacked.reshape(shape), zero.dtype)


def _of_type(array: Elements, kind: Any) -> Elements:
    """NumPy 1 computes with arrays of shape () and Python numbers in float64."""
    return array.astype(kind) if isinstance(array, np.ndarray) and array.dtype != kind else array


def _added(kit: Kit, a: Adjoint, b: Adjoint) -> Adjoint:
    """The sum over outputs; an overflowed one keeps its value."""
    total = kit.xp.where(kit.xp.isfinite(a.value), a.value + b.value, a.value)
    return Adjoint(
        total,
        either(a.masked, b.masked),
        either(a.dropped, b.dropped),
        either(a.saturated, b.saturated),
    )


def _status(kit: Kit, adjoint: Adjoint, none: Elements) -> Elements:
    xp, total = kit.xp, none
    for bit, flags in enumerate((adjoint.masked, adjoint.dropped, adjoint.saturated)):
        if flags is not None:
            total = total + xp.as_status(flags) * (1 << bit)
    return total


def compile(
    program: Source, namespace: Optional[Namespace] = None, coordinate: Optional[int] = None
) -> Replay:
    """The program as functions of arrays of a library.

    Args:
        program: a ``TracedProgram``, as ``BatchedFunction.program`` gives it, or anything that
            tells its arguments, steps and outputs as plain data in the same way.
        namespace: the functions of the library; NumPy's by default.
        coordinate: the place of the argument that exploration regions refer to.

    Raises:
        NotImplementedError: if the replay has no rule for an operation of the program; it says for
            which.
        ValueError: if there is no such argument.
    """
    return Replay(program, NumPy() if namespace is None else namespace, coordinate)
