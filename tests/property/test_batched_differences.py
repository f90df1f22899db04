"""Derivatives of random smooth functions, batched, against finite differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from support.batches import Argument, Batch, Doubles, Function
from support.random_functions import batches, functions

#: Smooth everywhere, and of moderate size whatever is put in.
SMOOTH = [
    *("(N + N) * 0.5", "0.7 * N - 0.3 * N", "N / (2.0 + N**2)", "N * core.tr_cos(N)", "-N"),
    *("core.tr_sin(N)", "ops.tr_tanh(N)", "core.tr_exp(-(N**2))", "core.tr_log(1.5 + N**2)"),
    *("ops.tr_sqrt(1.0 + N**4)", "(2.0 + core.tr_sin(N)) ** -3", "ops.tr_mean([N, N, 1.0])"),
    *("0.25 * core.tr_sum(V)", "0.25 * dot(V, V)", "tr_where(tr_is_real(N), core.tr_sin(N), N)"),
]
STEP = 1e-3


def differences(
    function: Function, arrays: list[Doubles], place: int, element: int
) -> tuple[Doubles, Doubles]:
    """Extrapolated central differences by an element of an argument, and their error."""
    batched = function.batched()
    slopes, largest = [], np.zeros(1)
    for step in (STEP, STEP / 2):
        values, given = [], []
        for sign in (-1.0, 1.0):
            moved = arrays[place].copy()
            rows = moved.reshape(-1, len(function.arguments[place].elements))
            rows[:, element] += sign * step
            given.append(rows[:, element].copy())
            values.append(np.asarray(batched(*[*arrays[:place], moved, *arrays[place + 1 :]])))
        largest = np.maximum(largest, np.abs(values).max(axis=0))
        slopes.append((values[1] - values[0]) / (given[1] - given[0]))
    slope = (4.0 * slopes[1] - slopes[0]) / 3.0
    return slope, np.abs(slope - slopes[1]) + 1e-10 * (1.0 + largest)


def agree(gradients: Doubles, slope: Doubles, error: Doubles) -> bool:
    """Whether gradients are the slopes, to within their error."""
    return bool((np.abs(gradients - slope) <= error).all())


@given(batch=batches(functions(SMOOTH, 8), samples=[1, 7, 33]), data=st.data())
def test_gradients_are_the_slopes(batch: Batch, data: st.DataObject) -> None:
    function = batch.function
    random = np.random.default_rng(batch.seed)
    arrays = [random.uniform(-1.5, 1.5, array.shape) for array in batch.arrays()]
    place = data.draw(st.integers(0, len(arrays) - 1))
    elements = len(function.arguments[place].elements)
    element = data.draw(st.integers(0, elements - 1))
    _, gradients, statuses = function.batched().value_and_grad(
        *arrays, argnums=place, with_status=True
    )
    assert not statuses.any()
    slope, error = differences(function, arrays, place, element)
    known = error <= 1e-4 * np.maximum(np.abs(slope), 1e-2)
    assume(known.any())
    gradient = gradients.reshape(batch.samples, elements)[:, element]
    assert agree(gradient[known], slope[known], error[known])


@pytest.mark.parametrize("result", ["core.tr_sin(x) * y[1]", "core.tr_exp(y[1] / (2.0 + x * x))"])
def test_a_gradient_that_is_wrong_by_little_is_no_slope(result: str) -> None:
    function = Function((Argument("x", (), True), Argument("y", (2,), False)), (), result)
    arrays = [np.linspace(0.5, 1.5, 20), np.array([0.0, 0.8])]
    for place, element in ((0, 0), (1, 1)):
        _, gradients = function.batched().value_and_grad(*arrays, argnums=place)
        gradient = gradients.reshape(20, -1)[:, element]
        slope, error = differences(function, arrays, place, element)
        assert agree(gradient, slope, error)
        assert not agree(gradient * 1.0005, slope, error)
