"""What functions of other libraries' arrays share: arguments, modes and results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from sys import float_info
from typing import Any, Optional, Union

import numpy as np
import numpy.typing as npt

from . import _ops, replay
from ._enums import ReductionMode
from ._native import TracedCondition
from ._trees import Structure, broadcast, flatten
from .autodiff import conditions
from .autodiff._batch_trace import Traced
from .autodiff.batched import tr_vmap
from .autodiff.grad_mode import GradientMode, GradientModeConfig, gradient_mode
from .autodiff.hybrid_gradient import HybridGradientContext
from .autodiff.tr_node import GradientStatus
from .bridge import from_ieee
from .replay._forward import LOGICAL
from .replay._program import Source
from .replay.finite import sum_of_samples

#: What the rest of a program may see of a value that is not REAL.
POLICIES = ("tag", "fill", "ieee")
#: The most programs that a function keeps.
PROGRAMS = 64

Mode = Union[replay.Mode, GradientMode, None]


def check_settings(nan_policy: str, fill: float, mode: Mode) -> None:
    """Refuses what is no policy, no finite fill, or no mode."""
    if nan_policy not in POLICIES:
        raise ValueError(f"nan_policy must be one of {', '.join(POLICIES)}, not {nan_policy!r}")
    if not np.isfinite(fill):
        raise ValueError(f"fill must be a finite number, not {fill}: ieee shows what it is")
    if mode is not None and not isinstance(mode, (replay.Mode, GradientMode)):
        raise TypeError(f"mode must be a GradientMode or a replay.Mode, not {type(mode).__name__}")


def check_fill(fill: float, largest: Any, kind: Any) -> None:
    """Refuses a fill that arrays of this type do not hold: it would be an infinity."""
    if abs(fill) > float(largest):
        raise ValueError(f"fill={fill!r} is too large for {kind}")


def mode_of_call(mode: Mode) -> replay.Mode:
    """The mode of a call: the one given, with the bound and δ in force, or the one in force."""
    if isinstance(mode, replay.Mode):
        return mode
    if mode is None or mode is GradientModeConfig.get_mode():
        return replay.Mode.current()
    with gradient_mode(mode, GradientModeConfig.get_saturation_bound()):
        return replay.Mode.current()


@contextmanager
def engine_in(mode: replay.Mode, on_device: str) -> Iterator[None]:
    """A block in which the engine's mode is this one, whatever thread it runs on.

    Raises:
        NotImplementedError: for a policy in state SAT without δ, on another thread than its own,
            and in a mode without it on a thread that has one; the text names ``on_device``, what to
            ask for instead.
    """
    is_hybrid = mode.mode is GradientMode.HYBRID
    if is_hybrid and mode == replay.Mode.current():
        yield  # as it is, the policy's state included
        return
    with gradient_mode(mode.mode, mode.bound):
        if is_hybrid:
            delta = mode.delta
            if mode.saturates:
                if delta is None:
                    raise NotImplementedError(
                        "a policy in state SAT needs δ where the engine runs on another thread: "
                        f"set a local threshold, or use {on_device}"
                    )
                delta = float_info.max  # within which everything saturates
            elif replay.Mode.current().saturates:
                raise NotImplementedError(
                    "the hysteresis policy of this thread is in state SAT, which the mode of the "
                    f"call is not: leave mode to the block in force, or use {on_device}"
                )
            GradientModeConfig.set_local_threshold(delta)
            HybridGradientContext.set_exploration_regions(mode.regions)
        yield


def taken_apart(args: Sequence[Any]) -> tuple[tuple[Structure, ...], list[Any], list[str]]:
    """The structures of arguments, their leaves, and a name for each leaf."""
    structures: list[Structure] = []
    leaves: list[Any] = []
    names: list[str] = []
    for place, arg in enumerate(args):
        found, structure = flatten(arg, f"argument {place}")
        leaves += found
        structures.append(structure)
        names += structure.paths(f"argument {place}")
    return tuple(structures), leaves, names


def have_samples(in_axes: Any, structures: Sequence[Structure]) -> tuple[bool, ...]:
    """Of each leaf whether its first axis is that of the samples."""
    given = in_axes if isinstance(in_axes, (tuple, list)) else [in_axes] * len(structures)
    if len(given) != len(structures):
        raise ValueError(f"in_axes has {len(given)} entries for {len(structures)} arguments")
    axes = [
        axis
        for place, (entry, structure) in enumerate(zip(given, structures))
        for axis in broadcast(entry, structure, f"argument {place}")
    ]
    for axis in axes:
        if axis is not None and (isinstance(axis, bool) or axis != 0):
            raise ValueError(f"in_axes takes 0 and None, not {axis!r}")
    return tuple(axis is not None for axis in axes)


def shapes_of_one(
    shapes: Sequence[tuple[int, ...]], own: Sequence[bool], names: Sequence[str]
) -> tuple[tuple[tuple[int, ...], ...], Optional[int]]:
    """What one sample sees of each leaf, and how many samples there are, None without any axis."""
    samples = None  # sizes are compared, not hashed: those of a graph may stand for any number
    for shape, each, name in zip(shapes, own, names):
        if each:
            if not shape:
                raise ValueError(f"{name} has no axis of samples; in_axes says 0 for it")
            if samples is None:
                samples = shape[0]
            elif samples != shape[0]:
                sizes = sorted({samples, shape[0]})
                raise ValueError(f"the arguments have different numbers of samples: {sizes}")
    of_one = tuple(
        tuple([int(extent) for extent in (shape[1:] if each else shape)])
        for shape, each in zip(shapes, own)
    )
    return of_one, samples


def put_together(structures: Sequence[Structure], leaves: Sequence[Any]) -> tuple[Any, ...]:
    """The leaves of arguments in their structures."""
    given = iter(leaves)
    return tuple(each.unflatten([next(given) for _ in range(each.count)]) for each in structures)


def coordinate_leaf(coordinate: Any, structures: Sequence[Structure]) -> Optional[int]:
    """The leaf that an argument's place names."""
    if coordinate is None:
        return None
    counts = [structure.count for structure in structures]
    is_place = isinstance(coordinate, int) and not isinstance(coordinate, bool)
    if not is_place or not 0 <= coordinate < len(counts) or counts[coordinate] != 1:
        raise ValueError(
            f"coordinate must be the place of an argument that is one array, not {coordinate!r}"
        )
    return sum(counts[:coordinate])


def traced(
    of_leaves: Callable[..., Any], own: Sequence[bool], shapes: Sequence[tuple[int, ...]]
) -> Traced:
    """A function of leaves as a program."""
    batched = tr_vmap(of_leaves, tuple(0 if each else None for each in own))
    examples = [np.zeros((1, *shape) if each else shape) for shape, each in zip(shapes, own)]
    found: Traced = batched._prepare("program", tuple(examples), {})[2].traced
    return found


def recorded(source: Source) -> Callable[..., list[Any]]:
    """A program as a function of an array of nodes for each argument, which calls nothing else.

    What is made of a function later, such as the gradient of one of its outputs, is made of this:
    whatever the function read may have changed by then.
    """
    steps, outputs = list(source.steps()), list(source.outputs())

    def of_leaves(*leaves: Any) -> list[Any]:
        nodes: list[Any] = []
        for leaf in leaves:
            nodes += list(leaf.reshape(-1)) if isinstance(leaf, np.ndarray) else [leaf]
        for step in steps:
            nodes.append(_computed(step, nodes))
        return [nodes[output] for output in outputs]

    return of_leaves


def _computed(step: tuple[Any, ...], nodes: Sequence[Any]) -> Any:
    """The node of a step."""
    kind = step[0]
    if kind == "constant":
        return from_ieee(step[1])
    operands = [nodes[operand] for operand in step[-1]]
    if kind == "power":
        return _ops.tr_pow_int(operands[0], step[1])
    if kind == "fold":
        return getattr(_ops, f"tr_{step[1]}")(operands, ReductionMode[step[2].upper()])
    if kind == "select":
        return conditions.tr_where(_condition(operands[0]), *operands[1:])
    if kind == "condition":
        if step[1] in LOGICAL:
            operands = [_condition(operand) for operand in operands]
        return getattr(conditions, f"tr_{step[1]}")(*operands)
    return getattr(_ops, f"tr_{step[1]}")(*operands)


def _condition(node: Any) -> Any:
    """A node that is used as a condition: programs hold True and False as numbers."""
    return node if isinstance(node, TracedCondition) else bool(node)


def nodes_of(result: Any) -> list[Any]:
    """The nodes of a result, in order."""
    found: list[Any] = []
    for leaf in flatten(result)[0]:
        found += list(leaf.reshape(-1)) if isinstance(leaf, np.ndarray) else [leaf]
    return found


def rounded(numbers: Any, kind: Any) -> npt.NDArray[Any]:
    """Doubles rounded once, to the type of the arrays."""
    with np.errstate(all="ignore"):
        return np.asarray(numbers).astype(kind)


def held(numbers: Any, kind: Any) -> npt.NDArray[Any]:
    """The same, 0 for what the type does not hold."""
    found = rounded(numbers, kind)
    return np.where(np.isfinite(found), found, found.dtype.type(0))


def representable(
    gradient: npt.NDArray[Any], status: npt.NDArray[Any], kind: Any
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """A gradient rounded once; one that is too large for the type is dropped, and flagged."""
    found = rounded(gradient, kind)
    overflows = np.isfinite(gradient) & ~np.isfinite(found)
    if overflows.any():
        found = np.where(overflows, found.dtype.type(0), found)
        dropped = np.uint8(GradientStatus.DROPPED)
        status = np.where(overflows, status | dropped, status)
    return found, status


def sum_of_rows(rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The sum over the samples on the host."""
    with np.errstate(all="ignore"):
        return np.asarray(sum_of_samples(np, rows))
