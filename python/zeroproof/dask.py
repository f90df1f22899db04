"""Batches over many processes and machines by Dask: the extra ``dask``.

Samples are rows of Dask arrays. Each chunk becomes a ``zeroproof.Partial`` where it lies, and parts
are merged in a tree, so only sums travel. Results have the bits of a single call on one machine,
whatever the chunks, the workers, and the workers that are lost on the way. Progress is shown by
Dask's own means, under the names ``zeroproof-partial`` and ``zeroproof-merge``.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import index
from threading import Lock
from typing import Any, Optional, SupportsIndex
from uuid import uuid4

import numpy as np

from ._native import ModeSnapshot
from ._trees import LEAF, Structure, broadcast, flatten, is_container
from .autodiff import BatchedFunction, GradientModeConfig, Partial
from .autodiff._batch_arguments import is_structure, real_numbers
from .autodiff._batch_layout import arguments_of
from .autodiff._leaves import cuts
from .autodiff._parameters import ArgNum, ArgNums, Key, argument_numbers, coordinate_number
from .autodiff.partial import check_total

try:
    import cloudpickle
    import dask.array as da
    import dask.config
    from dask.delayed import Delayed
    from dask.highlevelgraph import HighLevelGraph
except ImportError as error:
    raise ImportError(
        'zeroproof.dask needs Dask 2024.8 or later: pip install "zeroproof-autodiff[dask]"'
    ) from error

__all__ = ["partial", "value_and_grad"]

#: The samples of a chunk of arrays that Dask has not cut.
_CHUNK = 128 * Partial.leaf_samples
#: How many parts are merged by one task.
_FAN_IN = 8


def value_and_grad(
    batched: BatchedFunction,
    /,
    *args: Any,
    argnums: ArgNums = 0,
    reduce: str = "mean",
    with_status: bool = False,
    coordinate: Optional[ArgNum] = None,
    chunk_samples: Optional[int] = None,
    threads: int = 1,
    scheduler: Any = None,
    **keywords: Any,
) -> tuple[Any, ...]:
    """``batched.value_and_grad`` with a reduction, over Dask arrays.

    It is computed in the gradient mode that is current here, and the statistics of the calling
    thread or async task count every sample, as in a call without Dask.

    Args:
        batched: a function from ``tr_vmap``.
        *args: its arguments. Those with an axis of samples may be Dask arrays, others too, and
            structures may hold them.
        argnums: as for ``BatchedFunction.value_and_grad``.
        reduce: ``"mean"`` or ``"sum"``.
        with_status: as for ``BatchedFunction.value_and_grad``.
        coordinate: as for ``BatchedFunction.value_and_grad``.
        chunk_samples: how many samples a task has, a multiple of 8192; by default the chunks of the
            first Dask array, whose ends are moved to multiples of 8192.
        threads: how many threads a task uses.
        scheduler: as for ``dask.compute``: a client, ``"threads"`` or the like; by default the
            current client.
        **keywords: further arguments of the function.

    Returns:
        ``(value, gradients)``, then statuses if requested: NumPy arrays, bit for bit as
        ``BatchedFunction.value_and_grad`` returns them for the whole arrays.

    Raises:
        TypeError, ValueError: as ``BatchedFunction.value_and_grad``; a ValueError, too, for arrays
            whose chunks have unknown sizes.
    """
    check_total(reduce)
    part = partial(
        batched,
        *args,
        argnums=argnums,
        coordinate=coordinate,
        chunk_samples=chunk_samples,
        threads=threads,
        **keywords,
    )
    merged: Partial = part.compute(scheduler=scheduler)
    return merged.finish(reduce, with_status=with_status)


def partial(
    batched: BatchedFunction,
    /,
    *args: Any,
    argnums: ArgNums = 0,
    coordinate: Optional[ArgNum] = None,
    mode: Optional[ModeSnapshot] = None,
    chunk_samples: Optional[int] = None,
    threads: int = 1,
    **keywords: Any,
) -> Delayed:
    """The ``Partial`` of all samples of Dask arrays, not yet computed.

    For what :func:`value_and_grad` does step by step: ``client.compute(partial(...))`` gives a
    future, ``dask.distributed.progress`` shows it, and its result is to be finished.

    Args:
        batched: a function from ``tr_vmap``.
        *args: its arguments, as for :func:`value_and_grad`.
        argnums: as for :func:`value_and_grad`.
        coordinate: as for :func:`value_and_grad`.
        mode: the gradient mode, from ``GradientModeConfig.snapshot``; None for the one that is
            current now.
        chunk_samples: as for :func:`value_and_grad`.
        threads: as for :func:`value_and_grad`.
        **keywords: further arguments of the function.

    Returns:
        A ``dask.delayed.Delayed``.

    Raises:
        TypeError, ValueError: as :func:`value_and_grad`.
    """
    if not isinstance(batched, BatchedFunction):
        raise TypeError(
            f"batched must be a function from tr_vmap, not {type(batched).__name__}: "
            "tr_vmap(function) makes one"
        )
    threads = _thread_count(threads)
    if mode is not None and not isinstance(mode, ModeSnapshot):
        raise TypeError(
            "mode must be what GradientModeConfig.snapshot() returns or None, not "
            f"{type(mode).__name__}"
        )
    call, leaves = _call_of(batched, args, keywords, argnums, coordinate)
    samples = _samples(batched, call, leaves)
    own = [leaf for leaf, has_axis in zip(leaves, call.per_sample) if has_axis]
    slices = _slices(samples, own, chunk_samples)
    sizes = tuple([each.stop - each.start for each in slices])
    mode = GradientModeConfig.snapshot() if mode is None else mode
    token = uuid4().hex
    # What all tasks need is in the graph once.
    work = f"zeroproof-function-{token}"
    graph: dict[Any, Any] = {work: _Work(_Shipped(batched), call, mode, threads)}
    dependencies: list[Delayed] = []
    columns: list[list[Any]] = []
    for number, (leaf, has_axis) in enumerate(zip(leaves, call.per_sample)):
        if has_axis or isinstance(leaf, da.Array):
            blocks = _blocks(leaf, sizes if has_axis else None)
            # All blocks of an array have its whole graph.
            dependencies.append(blocks[0])
            keys = [block.key for block in blocks]
        else:
            keys = [f"zeroproof-argument-{token}-{number}"]
            graph[keys[0]] = leaf
        columns.append(keys if has_axis else keys * len(slices))
    parts: list[Any] = []
    for number, each in enumerate(slices):
        parts.append(f"zeroproof-partial-{token}-{number}")
        graph[parts[-1]] = (_computed, work, each.start, [column[number] for column in columns])
    while len(parts) > 1:
        groups = [parts[first : first + _FAN_IN] for first in range(0, len(parts), _FAN_IN)]
        parts = [f"zeroproof-merge-{token}-{len(graph) + k}" for k in range(len(groups))]
        graph.update({key: (Partial.merge, group) for key, group in zip(parts, groups)})
    layers = HighLevelGraph.from_collections(parts[0], graph, dependencies=dependencies)
    return Delayed(parts[0], layers)


@dataclass(frozen=True)
class _Call:
    """The arguments of a call without their arrays."""

    keys: tuple[Key, ...]
    structures: tuple[Structure, ...]
    names: tuple[str, ...]
    """One for each leaf."""
    per_sample: tuple[bool, ...]
    """One for each leaf."""
    argnums: Any
    coordinate: Any

    def arguments(self, leaves: Sequence[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Positional arguments and keywords that hold these leaves."""
        return arguments_of(self.keys, self.structures, leaves)


def _thread_count(threads: Any) -> int:
    """How many threads a task uses, at least 1."""
    try:
        count = index(threads)
    except TypeError:
        raise TypeError(f"threads must be an int, not {type(threads).__name__}") from None
    if count < 1:
        raise ValueError(f"threads must be at least 1, not {count}")
    return count


def _call_of(
    batched: BatchedFunction,
    args: tuple[Any, ...],
    keywords: Mapping[str, Any],
    argnums: ArgNums,
    coordinate: Optional[ArgNum],
) -> tuple[_Call, list[Any]]:
    """A call and the leaves of its arguments: Dask arrays, and NumPy arrays for all others."""
    parameters = batched._parameters
    unknown = parameters.unknown_keyword(keywords)
    if unknown is not None:
        raise TypeError(f"{parameters.label} got an unexpected keyword argument {unknown!r}")
    numbers = argument_numbers(argnums)
    coordinate = coordinate_number(coordinate, batched._settings[2])
    parameters.check_request(numbers, coordinate, args, keywords)
    axes = parameters.axes_of(args, keywords)
    leaves: list[Any] = []
    names: list[str] = []
    per_sample: list[bool] = []
    structures = []
    for key, axis in axes.items():
        argument = keywords[key] if isinstance(key, str) else args[key]
        name = parameters.name(key)
        own, structure = [argument], LEAF
        if (axis is not None and is_container(axis)) or _is_structure(argument):
            own, structure = flatten(argument, name)
        paths = structure.paths(name)
        described = [
            parameters.describe(key) if path == name else f"{path} of {parameters.label}"
            for path in paths
        ]
        structures.append(structure)
        names.extend(paths)
        per_sample.extend(entry is not None for entry in broadcast(axis, structure, name))
        leaves.extend(
            leaf if isinstance(leaf, da.Array) else real_numbers(leaf, what)
            for leaf, what in zip(own, described)
        )
    call = _Call(
        tuple(axes), tuple(structures), tuple(names), tuple(per_sample), numbers, coordinate
    )
    return call, leaves


def _is_structure(argument: Any) -> bool:
    """Whether an argument is a structure of arrays; a list that holds a Dask array is one."""
    if is_structure(argument):
        return True
    if not isinstance(argument, (list, tuple)):
        return False
    return any(isinstance(leaf, da.Array) for leaf in flatten(argument)[0])


def _samples(batched: BatchedFunction, call: _Call, leaves: Sequence[Any]) -> int:
    """The number of samples.

    Raises:
        ValueError: if it is unknown or differs, or no argument has an axis of samples.
    """
    label = batched._parameters.label
    for leaf, name, own in zip(leaves, call.names, call.per_sample):
        if isinstance(leaf, da.Array) and any(np.isnan(size) for size in leaf.shape):
            raise ValueError(
                f"the chunks of {name} of {label} have unknown sizes: call compute_chunk_sizes() "
                "on the array first"
            )
        if own and leaf.ndim == 0:
            raise ValueError(
                f"{name} of {label} is a single number, but its in_axes is 0: pass one for each "
                "sample, or make its in_axes None"
            )
    if not any(call.per_sample):
        raise ValueError(
            f"no argument of {label} has an axis of samples, so there is nothing to distribute: "
            "value_and_grad of the function itself computes the one sample"
        )
    return batched._parameters.samples(leaves, call.per_sample, call.names)


def _slices(samples: int, arrays: Sequence[Any], chunk_samples: Optional[int]) -> list[slice]:
    """The samples of each task."""
    leaf = Partial.leaf_samples
    if chunk_samples is not None:
        if (
            isinstance(chunk_samples, bool)
            or not isinstance(chunk_samples, SupportsIndex)
            or (chunk_samples.__index__() < 1 or chunk_samples.__index__() % leaf)
        ):
            raise ValueError(f"chunk_samples must be a multiple of {leaf}, not {chunk_samples!r}")
        step = chunk_samples.__index__()
        ends = [*range(step, samples, step), samples]
    else:
        cut = [array for array in arrays if isinstance(array, da.Array)]
        if not cut:
            return cuts(samples, max(1, samples // _CHUNK))
        ends = [round(end / leaf) * leaf for end in accumulate(cut[0].chunks[0])]
        ends = [*sorted({end for end in ends if 0 < end < samples}), samples]
    return [slice(first, end) for first, end in zip([0, *ends], ends)]


def _blocks(array: Any, sizes: Optional[tuple[int, ...]]) -> list[Delayed]:
    """The chunks of an array, cut along its first axis as ``sizes`` says; one without sizes."""
    if sizes is None:
        array = array.rechunk(-1)
    else:
        chunks = (sizes, *((size,) for size in array.shape[1:]))
        is_cut = isinstance(array, da.Array)
        array = array.rechunk(chunks) if is_cut else da.from_array(array, chunks=chunks)
    blocks: list[Delayed] = array.to_delayed().ravel().tolist()
    if blocks[0].key not in blocks[0].__dask_graph__():
        # Optimizing drops chunks that lie on the workers already.
        blocks = array.to_delayed(optimize_graph=False).ravel().tolist()
    return blocks


class _Shipped:
    """A batched function that a process unpickles once, so that it is traced there once."""

    def __init__(self, batched: BatchedFunction) -> None:
        self.batched = batched
        self.lock = Lock()

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        record = cloudpickle.dumps(self.batched)
        return _unpacked, (hashlib.sha256(record).digest(), record)


#: The functions that this process was sent, the last ones last.
_RECEIVED: OrderedDict[bytes, _Shipped] = OrderedDict()
_RECEIVED_LOCK = Lock()


def _most_received() -> int:
    """How many functions a worker keeps: the setting ``zeroproof.functions`` of Dask, or 64."""
    most = dask.config.get("zeroproof.functions", 64)
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise ValueError(f"zeroproof.functions must be an int of at least 1, not {most!r}")
    return most


def _unpacked(digest: bytes, record: bytes) -> _Shipped:
    """What was shipped; the one that was sent before if there is one."""
    with _RECEIVED_LOCK:
        known = _RECEIVED.get(digest)
        if known is not None:
            _RECEIVED.move_to_end(digest)
            return known
    new = _Shipped(cloudpickle.loads(record))
    most = _most_received()
    with _RECEIVED_LOCK:
        while len(_RECEIVED) >= most:
            _RECEIVED.popitem(last=False)
        return _RECEIVED.setdefault(digest, new)


@dataclass(frozen=True)
class _Work:
    """What all tasks of a call have in common."""

    shipped: _Shipped
    call: _Call
    mode: ModeSnapshot
    threads: int


def _computed(work: _Work, start: int, leaves: Sequence[Any]) -> Partial:
    """The part of a chunk, on a worker."""
    call, batched = work.call, work.shipped.batched
    args, keywords = call.arguments(leaves)
    with work.shipped.lock:
        batched.program(*args, **keywords)  # traced by one thread
    return batched._part(
        args, keywords, start, call.argnums, call.coordinate, work.mode, work.threads
    )
