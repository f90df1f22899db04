"""``zeroproof.jax.function``: a function of nodes as a function of JAX arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import update_wrapper
from math import prod
from typing import Any, Optional, Union

import jax
import jax.numpy as jnp

from .. import replay
from .._bridging import (
    PROGRAMS,
    check_settings,
    coordinate_leaf,
    have_samples,
    mode_of_call,
    nodes_of,
    put_together,
    recorded,
    shapes_of_one,
    taken_apart,
    traced,
)
from .._trees import Structure, flatten
from ..autodiff._batch_trace import Results
from ..autodiff.grad_mode import GradientMode
from ._core import Pull, Values, on_device, on_host
from ._host import Host

__all__ = ["Function", "function"]

#: The most modes that a program is kept compiled for: a schedule has one for each epoch.
MODES = 8


def function(
    f: Callable[..., Any],
    in_axes: Any = 0,
    *,
    mode: Union[replay.Mode, GradientMode, None] = None,
    device: bool = False,
    nan_policy: str = "tag",
    fill: float = 0.0,
    coordinate: Any = None,
) -> Function:
    """A function of nodes as a function of JAX arrays that ``jit``, ``vmap`` and ``grad`` take.

    It is traced when it is first called with arguments of some shapes, as by ``tr_vmap``, whose
    conditions hold here as well; backward passes call it no more. Gradients follow the rules of the
    gradient mode: what meets a pole is silenced, dropped or bounded, and never a NaN.

    Args:
        f: takes nodes, object arrays of nodes or structures of these, and returns a node, an object
            array of nodes or a structure of these.
        in_axes: 0 for arguments whose first axis is that of the samples, None for those that all
            samples share: one entry for all arguments, or a tuple with an entry or a structure of
            entries for each. At least one argument has an axis of samples.
        mode: the gradient mode, or a ``zeroproof.replay.Mode`` with its bound and δ. By default the
            one that is current when JAX traces the call, which a compiled function then keeps.
        device: False to have the engine compute on the host, called back by JAX: in float64, with
            the engine's bits, rounded once to the type of the arguments. True to replay the program
            in operations of ``jax.numpy`` where the arrays are, in their type: the numbers agree
            with the engine's to a few units in the last place.
        nan_policy: what the rest of the program sees of a value that is not REAL. ``"tag"``:
            ``fill`` in its place, and beside the values a mask that is True there. ``"fill"``:
            ``fill`` alone. ``"ieee"``: ±inf or NaN.
        fill: the number for that; adjoints of it go nowhere.
        coordinate: the argument that exploration regions refer to, as for ``tr_vmap``.

    Raises:
        TypeError: if ``f`` is not callable, ``device`` no bool, or for another type of ``mode``.
        ValueError: for another ``nan_policy``, or a fill that is not finite.
    """
    return Function(f, in_axes, mode, device, nan_policy, fill, coordinate)


class Function:
    """A function of JAX arrays; made by :func:`function`."""

    def __init__(
        self,
        f: Callable[..., Any],
        in_axes: Any,
        mode: Union[replay.Mode, GradientMode, None],
        device: bool,
        nan_policy: str,
        fill: float,
        coordinate: Any,
    ) -> None:
        if not callable(f):
            raise TypeError(f"zeroproof.jax.function takes a function, not {type(f).__name__}")
        if not isinstance(device, bool):
            raise TypeError(f"device must be True or False, not {device!r}")
        check_settings(nan_policy, fill, mode)
        self.__wrapped__ = f
        self._in_axes, self._mode, self._device = in_axes, mode, device
        self._policy, self._fill, self._coordinate = nan_policy, float(fill), coordinate
        self._traced: dict[Any, _Traced] = {}
        update_wrapper(self, f, updated=())  # its attributes could hide these

    def __call__(self, *args: Any) -> Any:
        """The values of all samples.

        Returns:
            An array with an element for each sample; for an array of nodes its axes behind; for a
            structure of results the same structure. With ``nan_policy="tag"`` a pair of that and
            masks, boolean arrays of the same shapes, True where the value is not REAL.

        Raises:
            TypeError: for arguments that are no arrays of real numbers.
            ValueError: if an argument has no axis of samples although ``in_axes`` says so, the
                numbers of samples differ, or no argument has any.
        """
        traced, arguments = self._prepared(args)
        values = traced.values(mode_of_call(self._mode))(arguments)
        if self._policy == "ieee":
            return traced.packed(values)
        masked = ~jnp.isfinite(values)
        filled = traced.packed(jnp.where(masked, jnp.asarray(self._fill, values.dtype), values))
        return filled if self._policy == "fill" else (filled, traced.packed(masked))

    def tags(self, *args: Any) -> Any:
        """The tags of the values, uint8 arrays in their structure: the codes of ``TRTag``."""
        traced, arguments = self._prepared(args)
        values = jax.lax.stop_gradient(traced.values(mode_of_call(self._mode))(arguments))
        infinite = jnp.where(values > 0, 1, 2)
        tags = jnp.where(jnp.isfinite(values), 0, jnp.where(jnp.isnan(values), 3, infinite))
        return traced.packed(tags.astype(jnp.uint8))

    def pullback(self, adjoints: Any, *args: Any) -> tuple[Any, Any]:
        """Gradients for given adjoints of the values, and how they came about.

        This is what ``jax.vjp`` does with these adjoints where a value is REAL, with the statuses
        beside the gradients.

        Args:
            adjoints: arrays in the structure and shapes of the values.
            *args: the arguments.

        Returns:
            ``(gradients, statuses)``: a tuple each with an item for each argument, in its structure
            and shape; statuses are uint8, the flags of ``GradientStatus``.

        Raises:
            TypeError, ValueError: as a call, and for adjoints of another structure or shape.
        """
        traced, arguments = self._prepared(args)
        columns = traced.gathered(adjoints, arguments)
        gradients, statuses = traced.pull(mode_of_call(self._mode))(arguments, columns)
        return traced.in_structure(gradients), traced.in_structure(statuses)

    def _prepared(self, args: tuple[Any, ...]) -> tuple[_Traced, tuple[Any, ...]]:
        """The arguments as arrays of one type, and the function traced for them."""
        structures, leaves, names = taken_apart(args)
        per_sample = have_samples(self._in_axes, structures)
        arrays = _real_arrays(leaves, names)
        shapes, samples = shapes_of_one([array.shape for array in arrays], per_sample, names)
        if samples is None:
            raise ValueError("no argument has an axis of samples: give in_axes 0 for one")
        key = (structures, shapes)
        traced = self._traced.get(key)
        if traced is None:
            while len(self._traced) >= PROGRAMS:
                self._traced.pop(next(iter(self._traced)), None)
            made = _Traced(self, structures, per_sample, shapes)
            traced = self._traced.setdefault(key, made)
        return traced, tuple(arrays)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_traced": {}}  # traced again when it is called

    def __repr__(self) -> str:
        where = "device" if self._device else "host"
        return f"zeroproof.jax.function({self.__wrapped__!r}, on the {where})"


def _real_arrays(leaves: Sequence[Any], names: Sequence[str]) -> list[Any]:
    """The leaves as JAX arrays of one floating-point type, float64 or float32."""
    if not leaves:
        raise TypeError("the function was called with no arrays")
    arrays = []
    for leaf, name in zip(leaves, names):
        try:
            array = jnp.asarray(leaf)
        except TypeError as error:
            raise TypeError(f"{name} must be an array of real numbers: {error}") from error
        if not (
            jnp.issubdtype(array.dtype, jnp.floating) or jnp.issubdtype(array.dtype, jnp.integer)
        ):
            raise TypeError(f"{name} must be an array of real numbers, not of {array.dtype}")
        arrays.append(array)
    kind = jnp.result_type(*arrays)
    if not jnp.issubdtype(kind, jnp.floating):
        kind = jnp.result_type(float)
    if kind not in (jnp.float32, jnp.float64):
        raise TypeError(f"the arguments must be of float32 or float64, not {kind.name}")
    return [array.astype(kind) for array in arrays]


class _Traced:
    """The function for arguments of these structures and shapes."""

    def __init__(
        self,
        owner: Function,
        structures: tuple[Structure, ...],
        per_sample: tuple[bool, ...],
        shapes: tuple[tuple[int, ...], ...],
    ) -> None:
        self._structures, self._per_sample, self._shapes = structures, per_sample, shapes
        self._owner = owner
        f = owner.__wrapped__

        def of_leaves(*leaves: Any) -> Any:
            return f(*put_together(structures, leaves))

        self._coordinate = coordinate_leaf(owner._coordinate, structures)
        program = traced(of_leaves, per_sample, shapes)
        self._results: Results = program.results
        self._program = program.program
        self._host: Optional[Host] = None
        if not owner._device:
            self._host = Host(
                lambda *leaves: nodes_of(of_leaves(*leaves)),
                recorded(program.program),
                per_sample,
                shapes,
                self._results.count,
                self._coordinate,
            )
        self._by_mode: dict[replay.Mode, tuple[Values, Pull]] = {}

    def values(self, mode: replay.Mode) -> Values:
        """The values in a mode."""
        return self._functions(mode)[0]

    def pull(self, mode: replay.Mode) -> Pull:
        """Gradients and statuses in a mode."""
        return self._functions(mode)[1]

    def packed(self, columns: Any) -> Any:
        """Columns in the structure of the results."""
        leaves, first = [], 0
        for shape in self._results.shapes:
            part = columns[:, first : first + prod(shape)]
            leaves.append(part.reshape(columns.shape[0], *shape))
            first += prod(shape)
        return self._results.structure.unflatten(leaves)

    def gathered(self, adjoints: Any, arguments: tuple[Any, ...]) -> Any:
        """Adjoints in the structure of the results as columns."""
        leaves, structure = flatten(adjoints, "adjoints")
        if structure != self._results.structure:
            raise ValueError("adjoints must have the structure of the values")
        samples = next(a.shape[0] for a, own in zip(arguments, self._per_sample) if own)
        columns = []
        for leaf, shape in zip(leaves, self._results.shapes):
            array = jnp.asarray(leaf, arguments[0].dtype)
            if array.shape != (samples, *shape):
                raise ValueError(
                    f"the adjoints must have the shape {(samples, *shape)}, not {array.shape}"
                )
            columns.append(array.reshape(samples, prod(shape)))
        return jnp.concatenate(columns, axis=1)

    def in_structure(self, leaves: Sequence[Any]) -> tuple[Any, ...]:
        """One array for each leaf of the arguments, in their structures."""
        return put_together(self._structures, leaves)

    def _functions(self, mode: replay.Mode) -> tuple[Values, Pull]:
        if mode not in self._by_mode:
            while len(self._by_mode) >= MODES:
                self._by_mode.pop(next(iter(self._by_mode)), None)
            if self._host is None:
                made = on_device(self._program, self._coordinate, mode, self._per_sample)
            else:
                made = on_host(self._host, mode)
            self._by_mode[mode] = made
        return self._by_mode[mode]
