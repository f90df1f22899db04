"""Where a function has no ordinary derivative: value, gradients and statuses, mode by mode.

Each point is tried on nodes and as samples of a batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from support.gradients import SATURATED, Gradient, gradients, mode_block
from support.op_case import BadPoint, OpCase
from support.op_cases import CASES, cases
from support.values import same
from zeroproof.autodiff.batched import tr_vmap
from zeroproof.autodiff.grad_mode import GradientMode

POINTS = [
    pytest.param(case, point, id=f"{case.name}{point.operands}")
    for case in cases()
    for point in case.bad_points
]


def by_batch(function: Callable[..., Any], values: Sequence[float]) -> tuple[float, list[Gradient]]:
    """What the middle one of some ordinary samples comes to that has these operands."""
    columns = [np.array([0.25, 0.5, value, 0.75]) for value in values]
    batched = tr_vmap(function)
    y, found, statuses = batched.value_and_grad(
        *columns, argnums=tuple(range(len(values))), with_status=True
    )
    return float(np.asarray(y)[2]), [(float(g[2]), s[2]) for g, s in zip(found, statuses)]


@pytest.mark.parametrize(("case", "point"), POINTS)
def test_every_mode_on_both_paths(case: OpCase, point: BadPoint) -> None:
    function, values = case.on_nodes(point.operands)
    # A singular op without a REAL operand is not close to its pole.
    is_far = case.pole is not None and any(math.isinf(x) for x in values)
    for mode, delta, expected in (
        (GradientMode.MASK_REAL, None, point.mask_real),
        (GradientMode.SATURATING, None, point.saturating),
        (GradientMode.HYBRID, None, point.mask_real),
        (GradientMode.HYBRID, 0.5, point.mask_real if is_far else point.saturating),
    ):
        found = gradients(function, values, mode=mode, bound=1.0, delta=delta)
        with mode_block(mode, 1.0, delta):
            y, batched = by_batch(function, values)
        assert same(y, point.value) or y == pytest.approx(point.value, rel=1e-15)
        assert len(found) == len(batched) == len(expected)
        for (gradient, status), (mine, mine_status), wanted in zip(found, batched, expected):
            assert gradient == pytest.approx(wanted[0], rel=1e-15), mode
            assert status == wanted[1], mode
            assert same(gradient, mine), mode
            assert status == mine_status, mode


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_the_values_at_bad_points_are_those_of_the_tables(case: OpCase) -> None:
    for point in case.bad_points:
        assert case.value(*point.operands) == pytest.approx(point.value, rel=1e-15, nan_ok=True)


def test_a_tangent_beside_its_pole_is_bounded_by_the_bound() -> None:
    function, values = CASES["tan"].on_nodes(CASES["tan"].bad_points[0].operands)
    for mode, delta in ((GradientMode.SATURATING, None), (GradientMode.HYBRID, 1e-3)):
        found = gradients(function, values, mode=mode, bound=0.5, delta=delta)
        assert found == [(4.0, SATURATED)]
