"""Helpers that the Python tests share: special values, bit comparison, gradients in a mode."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Optional

from zeroproof import _native
from zeroproof import core as tr_core
from zeroproof.autodiff import tr_ops_grad
from zeroproof.autodiff.grad_mode import GradientMode, GradientModeConfig, gradient_mode
from zeroproof.autodiff.tr_node import GradientStatus, TRNode

INF = math.inf
NAN = math.nan
SMALLEST = 5e-324
HUGE = 1.7e308

#: One of each kind of double; NaN stands for Φ.
SPECIALS = [-INF, -1.0, -0.0, 0.0, 1.0, INF, NAN, SMALLEST, HUGE]

EXACT = GradientStatus.EXACT
MASKED = GradientStatus.MASKED
DROPPED = GradientStatus.DROPPED
SATURATED = GradientStatus.SATURATED

#: The rows of the op table by arity, from the native module: the case lists of the tests.
NAMES: dict[str, list[str]] = {}
for _name, _arity, *_ in _native.op_table():
    NAMES.setdefault(_arity, []).append(_name)

#: Exponents on both sides of 0, with the edges of the multiplied-out powers.
EXPONENTS = [-301, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 301]


def scalar_op(name: str) -> Callable[..., Any]:
    """The function of ``zeroproof.core`` for a row of the op table."""
    return getattr(tr_core, f"tr_{name}")


def node_op(name: str) -> Callable[..., Any]:
    """The function of ``tr_ops_grad`` for a row of the op table."""
    return getattr(tr_ops_grad, f"tr_{name}")


def bits(x: Any) -> bytes:
    """The bits of a double; every NaN has the same."""
    value = float(x)
    return b"nan" if math.isnan(value) else struct.pack("<d", value)


def same(x: Any, y: Any) -> bool:
    """Whether two values have the same bits: tags, values and the sign of zero."""
    return bits(x) == bits(y)


def ulps(x: float, y: float) -> float:
    """The distance of two doubles in units of the last place of ``y``."""
    if x == y:
        return 0.0
    if not (math.isfinite(x) and math.isfinite(y)):
        return INF
    return abs(x - y) / math.ulp(y)


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
