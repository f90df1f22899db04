"""``tr_clip``: values, and whose the gradient is, on every path."""

from __future__ import annotations

import math

import numpy as np
import pytest

import zeroproof as zp
from zeroproof import GradientStatus, TRNode, TRScalar, tr_clip, tr_vmap

INF, PHI = math.inf, math.nan
#: a, value and gradient by a, low and high, between the bounds 0 and 1.
CASES = [
    (-0.5, 0.0, (0.0, 1.0, 0.0)),
    (-0.0, -0.0, (1.0, 0.0, 0.0)),
    (0.0, 0.0, (1.0, 0.0, 0.0)),
    (0.25, 0.25, (1.0, 0.0, 0.0)),
    (1.0, 1.0, (1.0, 0.0, 0.0)),
    (1.5, 1.0, (0.0, 0.0, 1.0)),
]


@pytest.mark.parametrize(("a", "value", "gradients"), CASES)
def test_the_slope_is_one_on_the_closed_interval(
    a: float, value: float, gradients: tuple[float, float, float]
) -> None:
    assert tr_clip(a, 0.0, 1.0) == value
    assert isinstance(tr_clip(a, 0.0, 1.0), TRScalar)
    nodes = [TRNode.parameter(x) for x in (a, 0.0, 1.0)]
    z = tr_clip(*nodes)
    z.backward()
    assert z.value == value
    assert tuple(float(node.gradient) for node in nodes) == gradients
    assert {node.gradient_status for node in nodes} == {GradientStatus.EXACT}
    columns = [np.array([x]) for x in (a, 0.0, 1.0)]
    found, slopes = tr_vmap(tr_clip).value_and_grad(*columns, argnums=(0, 1, 2))
    assert np.asarray(found).tolist() == [value]
    assert tuple(float(slope[0]) for slope in slopes) == gradients


@pytest.mark.parametrize("phi_at", range(3))
def test_phi_absorbs(phi_at: int) -> None:
    operands = [0.5, 0.0, 1.0]
    operands[phi_at] = PHI
    assert zp.is_phi(tr_clip(*operands))
    node = TRNode.parameter(operands[0])
    assert zp.is_phi(tr_clip(node, *operands[1:]))


def test_bounds_may_be_missing_infinite_or_crossed() -> None:
    assert [float(tr_clip(a, 0.0)) for a in (-1.0, 2.0, INF)] == [0.0, 2.0, INF]
    assert [float(tr_clip(a, high=0.0)) for a in (-INF, -1.0, 2.0)] == [-INF, -1.0, 0.0]
    assert float(tr_clip(INF, 0.0, 1.0)) == 1.0
    assert float(tr_clip(0.5, 2.0, 1.0)) == float(np.clip(0.5, 2.0, 1.0))
    with pytest.raises(ValueError, match="needs a bound"):
        tr_clip(0.5)


def test_arrays_broadcast() -> None:
    x = TRNode.parameter(2.0)
    found = tr_clip(np.array([[-1.0, x, 0.5]], dtype=object), np.zeros((2, 1)), 1.0)
    assert found.shape == (2, 3)
    assert list(found[1]) == [0.0, 1.0, 0.5]
    assert isinstance(found[0, 1], TRNode)
