"""A function of one list of nodes: the same bits on nodes and in batches, in every mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from support.sample_by_sample import Setting, assert_same_statistics, same
from zeroproof import TRNode, TRScalar, tr_vmap
from zeroproof.autodiff.grad_funcs import tr_value_and_grad
from zeroproof.autodiff.grad_mode import GradientMode

Doubles = npt.NDArray[np.float64]
Function = Callable[[Any], Any]

SETTINGS = [
    Setting(),
    Setting(mode=GradientMode.SATURATING, bound=0.5),
    Setting(mode=GradientMode.HYBRID, delta=0.25),
]


def nodes_of(function: Function, nodes: tuple[TRNode, ...]) -> list[TRNode]:
    """All results of the function, TR scalars as constants."""
    given = np.empty(len(nodes), object)
    given[:] = nodes
    results = np.ravel(np.asarray(function(given), object)).tolist()
    return [r if isinstance(r, TRNode) else TRNode.constant(r) for r in results]


def on_nodes(function: Function, rows: Doubles) -> tuple[Doubles, Doubles, Doubles]:
    """Values (samples, outputs), gradients and statuses (samples, outputs, inputs)."""
    values, gradients, statuses = [], [], []
    for row in rows.tolist():
        places = range(len(row))
        count = len(nodes_of(function, tuple(map(TRNode.constant, row))))
        for k in range(count):
            value, found = tr_value_and_grad(
                lambda *nodes, k=k: nodes_of(function, nodes)[k], argnums=places
            )(*row)
            values.append(value.item())
            gradients.append([float(gradient) for gradient in found])
            statuses.append([gradient.gradient_status for gradient in found])
    shape = (len(rows), -1)
    return (
        np.array(values).reshape(shape),
        np.array(gradients).reshape(*shape, rows.shape[1]),
        np.array(statuses, np.uint8).reshape(*shape, rows.shape[1]),
    )


def assert_same_on_every_path(function: Function, rows: Doubles) -> None:
    """Values, gradients, statuses and statistics agree to the bit, and scalars give the values."""
    batched = tr_vmap(lambda x: np.asarray(function(x), object))
    values = np.asarray(batched(rows)).reshape(len(rows), -1)
    scalars = [np.ravel(np.asarray(function(row), object)) for row in rows.tolist()]
    assert all(type(item) is TRScalar for row in scalars for item in row)
    assert same([[float(item) for item in row] for row in scalars], values)
    for setting in SETTINGS:
        [(found, counted)] = setting.measure(lambda: batched.jacobian(rows, with_status=True))
        [(expected, expected_counts)] = setting.measure(lambda: on_nodes(function, rows))
        assert same(values, expected[0])
        assert same(found[0], expected[1]), setting
        np.testing.assert_array_equal(found[1], expected[2])
        assert_same_statistics(counted, expected_counts)
