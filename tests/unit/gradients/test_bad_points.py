"""Where a function has no ordinary derivative: value, gradients and statuses, mode by mode.

Each point is tried on nodes and as samples of a batch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Callable

import numpy as np
import pytest

from support.gradients import DROPPED, EXACT, MASKED, SATURATED, Gradient, gradients, mode_block
from support.ops import NAMES, node_op
from support.values import INF, NAN, same
from zeroproof import _native
from zeroproof.autodiff.batched import tr_vmap
from zeroproof.autodiff.grad_mode import GradientMode

ZERO, DROP, MASK = (0.0, EXACT), (0.0, DROPPED), (0.0, MASKED)
SAT, SAT_DROP = (0.0, SATURATED), (0.0, SATURATED | DROPPED)
ONE = (1.0, EXACT)
SINGULAR = {name for name, *_, singular in _native.op_table() if singular}
HALF_PI = 1.5707963267948966

#: By op and operands: the value, and the gradients in Mask-REAL and Saturating mode with bound 1.
POINTS: list[tuple[str, Sequence[float], float, list[Gradient], list[Gradient]]] = [
    # Removed singularities, and limits at infinity: nothing is silenced.
    ("sinc", [0.0], 1.0, [ZERO], [ZERO]),
    ("sinc", [-0.0], 1.0, [ZERO], [ZERO]),
    ("sinc", [3.0], 0.0, [(-1.0 / 3.0, EXACT)], [(-1.0 / 3.0, EXACT)]),
    ("sinc", [-INF], 0.0, [ZERO], [ZERO]),
    ("expm1", [-INF], -1.0, [ZERO], [ZERO]),
    ("sigmoid", [-INF], 0.0, [ZERO], [ZERO]),
    ("sigmoid", [INF], 1.0, [ZERO], [ZERO]),
    ("softplus", [-INF], 0.0, [ZERO], [ZERO]),
    ("softplus", [INF], INF, [MASK], [ONE]),
    # Lengths: subgradients at the origin, a direction beside one infinite operand.
    ("hypot", [0.0, -0.0], 0.0, [ZERO, ZERO], [ZERO, ZERO]),
    ("hypot", [-INF, 2.0], INF, [MASK, MASK], [(-1.0, EXACT), ZERO]),
    ("hypot", [INF, -INF], INF, [MASK, MASK], [DROP, DROP]),
    ("hypot", [NAN, INF], NAN, [MASK, MASK], [MASK, MASK]),
    ("norm", [0.0, 0.0], 0.0, [ZERO, ZERO], [ZERO, ZERO]),
    ("norm", [1.0, INF], INF, [MASK, MASK], [ZERO, ONE]),
    ("norm", [INF, INF], INF, [MASK, MASK], [DROP, DROP]),
    ("norm", [NAN, INF], NAN, [MASK, MASK], [MASK, MASK]),
    # Angles: none at the origin.
    ("atan2", [0.0, 0.0], NAN, [MASK, MASK], [MASK, MASK]),
    ("atan2", [INF, -INF], NAN, [MASK, MASK], [MASK, MASK]),
    ("atan2", [1.0, INF], 0.0, [ZERO, ZERO], [SAT, SAT]),
    ("asin", [1.0], HALF_PI, [DROP], [SAT]),
    ("asin", [-1.0], -HALF_PI, [DROP], [SAT]),
    ("asin", [1.5], NAN, [MASK], [MASK]),
    ("acos", [-1.0], math.pi, [DROP], [SAT]),
    ("acos", [INF], NAN, [MASK], [MASK]),
    ("tan", [INF], NAN, [MASK], [MASK]),
    # Logarithms.
    ("log1p", [-1.0], NAN, [MASK], [MASK]),
    ("log1p", [INF], INF, [MASK], [SAT]),
    ("xlogy", [0.0, 0.0], 0.0, [DROP, ZERO], [SAT_DROP, SAT]),
    ("xlogy", [0.0, INF], 0.0, [DROP, ZERO], [SAT_DROP, SAT]),
    ("xlogy", [0.0, -1.0], NAN, [MASK, MASK], [MASK, MASK]),
    ("xlogy", [2.0, 0.0], NAN, [MASK, MASK], [MASK, MASK]),
    ("logsumexp", [-INF, 0.0], 0.0, [ZERO, ONE], [ZERO, ONE]),
    ("logsumexp", [-INF, -INF], -INF, [MASK, MASK], [ZERO, ZERO]),
    ("logsumexp", [INF, 1.0], INF, [MASK, MASK], [ONE, ZERO]),
    ("logsumexp", [INF, INF], INF, [MASK, MASK], [DROP, DROP]),
    # Powers.
    ("pow", [0.0, 0.5], 0.0, [DROP, ZERO], [SAT, SAT]),
    ("pow", [0.0, -1.0], INF, [MASK, MASK], [SAT, SAT_DROP]),
    ("pow", [0.0, 0.0], NAN, [MASK, MASK], [MASK, MASK]),
    ("pow", [0.0, 1.0], 0.0, [ONE, ZERO], [ONE, ZERO]),
    ("pow", [0.0, 2.0], 0.0, [ZERO, ZERO], [ZERO, ZERO]),
    ("pow", [-8.0, 2.0], 64.0, [(-16.0, EXACT), DROP], [(-16.0, EXACT), DROP]),
    ("pow", [-8.0, 0.5], NAN, [MASK, MASK], [MASK, MASK]),
    ("pow", [1.0, INF], NAN, [MASK, MASK], [MASK, MASK]),
    ("pow", [0.5, INF], 0.0, [DROP, ZERO], [DROP, ZERO]),
]


def function(name: str) -> Callable[..., Any]:
    op = node_op(name)
    return (lambda *xs: op(xs)) if name in NAMES["variadic"] else op


def by_batch(name: str, values: Sequence[float]) -> tuple[float, list[Gradient]]:
    """What the middle one of some ordinary samples comes to that has these operands."""
    columns = [np.array([0.25, 0.5, value, 0.75]) for value in values]
    batched = tr_vmap(function(name))
    y, found, statuses = batched.value_and_grad(
        *columns, argnums=tuple(range(len(values))), with_status=True
    )
    return float(np.asarray(y)[2]), [(float(g[2]), s[2]) for g, s in zip(found, statuses)]


@pytest.mark.parametrize(("name", "values", "value", "masked", "saturated"), POINTS)
def test_every_mode_on_both_paths(
    name: str,
    values: Sequence[float],
    value: float,
    masked: list[Gradient],
    saturated: list[Gradient],
) -> None:
    # A singular op without a REAL operand is not close to its pole.
    is_far = name in SINGULAR and any(math.isinf(x) for x in values)
    for mode, delta, expected in (
        (GradientMode.MASK_REAL, None, masked),
        (GradientMode.SATURATING, None, saturated),
        (GradientMode.HYBRID, None, masked),
        (GradientMode.HYBRID, 0.5, masked if is_far else saturated),
    ):
        found = gradients(function(name), values, mode=mode, bound=1.0, delta=delta)
        with mode_block(mode, 1.0, delta):
            y, batched = by_batch(name, values)
        assert same(y, value) or y == pytest.approx(value, rel=1e-15)
        for (gradient, status), (mine, mine_status), wanted in zip(found, batched, expected):
            assert gradient == pytest.approx(wanted[0], rel=1e-15), mode
            assert status == wanted[1], mode
            assert same(gradient, mine), mode
            assert status == mine_status, mode


def test_a_tangent_beside_its_pole() -> None:
    [(steep, status)] = gradients(function("tan"), [HALF_PI])
    assert steep == pytest.approx(1.0 / math.cos(HALF_PI) ** 2, rel=1e-15)
    assert status == EXACT
    for mode, delta in ((GradientMode.SATURATING, None), (GradientMode.HYBRID, 1e-3)):
        found = gradients(function("tan"), [HALF_PI], mode=mode, bound=0.5, delta=delta)
        assert found == [(4.0, SATURATED)]


def test_every_op_that_may_be_singular_has_a_bad_point() -> None:
    tried = {name for name, *_ in POINTS} | {"tan"}
    added = {*NAMES["unary"], *NAMES["binary"], *NAMES["variadic"]} - {
        *("add", "sub", "mul", "div", "minimum", "maximum", "neg", "abs", "sign", "log", "sqrt"),
        *("exp", "sin", "cos", "tanh", "sum", "mean"),  # test_modes.py has theirs
    }
    assert len(added) > 10
    assert added <= tried
