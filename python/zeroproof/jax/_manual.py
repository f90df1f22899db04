"""Arrays inside of ``jax.shard_map``: over which axes of the mesh devices have their own numbers.

JAX asks that a gradient varies over the same axes as the argument that it is of. Older versions do
not ask; there nothing here does anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
from jax import lax

__all__ = ["gradients_like", "varying_as"]

Axes = frozenset[Any]


def varying_as(found: Any, given: Sequence[Any]) -> Any:
    """What a callback returned, which varies as what it was given does."""
    axes: Axes = frozenset().union(*map(_axes, given))
    return jax.tree.map(lambda array: _varying(array, axes), found)


def gradients_like(gradients: Sequence[Any], arguments: Sequence[Any]) -> tuple[Any, ...]:
    """The gradients, those of what all devices share added up over the devices."""
    found = []
    for gradient, argument in zip(gradients, arguments):
        axes = _axes(argument)
        extra = _axes(gradient) - axes
        summed = lax.psum(gradient, tuple(extra)) if extra else gradient
        found.append(_varying(summed, axes))
    return tuple(found)


def _axes(array: Any) -> Axes:
    if not hasattr(jax, "typeof"):
        return frozenset()
    kind = jax.typeof(array)
    manual = getattr(kind, "manual_axis_type", None)
    axes: Axes = getattr(kind, "vma", frozenset()) if manual is None else manual.varying
    return axes


def _varying(array: Any, axes: Axes) -> Any:
    missing = tuple(axes - _axes(array))
    if not missing:
        return array
    if hasattr(lax, "pcast"):
        return lax.pcast(array, missing, to="varying")
    return lax.pvary(array, missing)
