"""Operations of the engine on whole arrays of doubles, by batches that are compiled once."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from ._arrays import Array
from ._native import BatchPlan, Trace
from .threads import get_num_threads

__all__ = ["elementwise", "on_rows"]

Shapes = tuple[tuple[int, ...], ...]


def _compile(
    function: Callable[..., Any], shapes: Shapes, per_sample: tuple[bool, ...]
) -> BatchPlan:
    """The batch of a function of tracers, one or a list for each operand."""
    arguments = [(f"arg{k}", shape, own) for k, (shape, own) in enumerate(zip(shapes, per_sample))]
    trace = Trace(arguments)
    try:
        tracers = [trace.elements(place) for place in range(len(shapes))]
        operands = [own if shape else own[0] for own, shape in zip(tracers, shapes)]
        return trace.finish([function(*operands)]).values()
    finally:
        trace.close()


_plan = lru_cache(maxsize=512)(_compile)
_plan_of_rows = lru_cache(maxsize=64)(_compile)  # a long row makes a large plan


def _ready(array: Array) -> Array:
    """As the engine reads arrays in place."""
    return np.require(array, np.float64, ["C", "A"])


def elementwise(function: Callable[..., Any], *operands: Array) -> Array:
    """A function of numbers on arrays that are broadcast.

    The function is kept with its compiled batch, so it must not be made anew for each call.

    Raises:
        ValueError: if the shapes do not go together.
    """
    shape = np.broadcast_shapes(*[operand.shape for operand in operands])
    result = np.empty(shape)
    samples = prod(shape)
    if samples == 0:
        return result
    per_sample = tuple([samples == 1 or operand.size > 1 for operand in operands])
    inputs = [
        _ready(np.broadcast_to(operand, shape) if own else operand).reshape(-1)
        for operand, own in zip(operands, per_sample)
    ]
    plan = _plan(function, ((),) * len(operands), per_sample)
    plan.run(samples, get_num_threads(), inputs, [result.reshape(-1)], [], [])
    return result


def on_rows(function: Callable[[list[Any]], Any], rows: Array) -> Array:
    """A function of a list of numbers on each row of a matrix; kept as for :func:`elementwise`."""
    samples, length = rows.shape
    result = np.empty(samples)
    if samples:
        plan = _plan_of_rows(function, ((length,),), (True,))
        plan.run(samples, get_num_threads(), [_ready(rows)], [result], [], [])
    return result
