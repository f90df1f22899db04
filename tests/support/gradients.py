"""Gradients with their statuses, in any mode."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Optional

from zeroproof.autodiff.grad_mode import GradientMode, GradientModeConfig, gradient_mode
from zeroproof.autodiff.tr_node import GradientStatus, TRNode

EXACT = GradientStatus.EXACT
MASKED = GradientStatus.MASKED
DROPPED = GradientStatus.DROPPED
SATURATED = GradientStatus.SATURATED


@contextmanager
def mode_block(
    mode: GradientMode, bound: Optional[float] = None, delta: Optional[float] = None
) -> Iterator[None]:
    """A block with this mode, bound and local threshold."""
    with gradient_mode(mode, bound):
        GradientModeConfig.set_local_threshold(delta)
        yield


Gradient = tuple[float, GradientStatus]


def gradient_of(node: TRNode) -> Gradient:
    """A node's gradient as a double, and its status."""
    assert node.gradient is not None
    return float(node.gradient), node.gradient_status


def gradients(
    f: Callable[..., TRNode],
    values: Sequence[float],
    seed: Optional[float] = None,
    mode: GradientMode = GradientMode.MASK_REAL,
    bound: Optional[float] = None,
    delta: Optional[float] = None,
) -> list[Gradient]:
    """Gradient and status of ``f`` with respect to each of these values, in a mode."""
    leaves = [TRNode.parameter(v) for v in values]
    with mode_block(mode, bound, delta):
        f(*leaves).backward(seed)
    return [gradient_of(leaf) for leaf in leaves]
