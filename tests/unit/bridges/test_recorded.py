"""Programs recorded anew: what bridges make gradients of outputs and second derivatives of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.batches import Batch
from support.ops import NAMES, node_op
from support.random_functions import TEMPLATES, batches, functions, with_results
from zeroproof import tr_and, tr_is_real, tr_less, tr_not, tr_or, tr_vmap, tr_where
from zeroproof._bridging import recorded
from zeroproof.autodiff.tr_ops_grad import ReductionMode


@given(batch=batches(functions(TEMPLATES, max_steps=8), samples=[7, 33]), data=st.data())
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_bits_are_those_of_the_function(batch: Batch, data: st.DataObject) -> None:
    function, outputs = data.draw(with_results(batch.function))
    function = function.returning(f"tuple({function.result})")
    batch = Batch(function, batch.samples, batch.seed, batch.specials)
    batched, arrays = function.batched(), batch.arrays()
    axes = tuple(0 if each.per_sample else None for each in function.arguments)
    again = tr_vmap(recorded(batched.program(*arrays)), axes)
    for own, other in zip(batched(*arrays), again(*arrays)):
        assert np.array_equal(own.to_ieee(), other.to_ieee(), equal_nan=True)
    seeds = tuple(np.full(batch.samples, 1.0 + k) for k in range(outputs))
    expected = batched.vjp(*arrays)[1](seeds, with_status=True)
    found = again.vjp(*arrays)[1](list(seeds), with_status=True)
    for own, other in zip([*expected[0], *expected[1]], [*found[0], *found[1]]):
        assert np.array_equal(own, other, equal_nan=True)


@pytest.mark.parametrize(
    "condition",
    [
        lambda x: tr_and(tr_is_real(x), True),
        lambda x: tr_or(False, tr_is_real(x)),
        lambda x: tr_not(tr_and(True, tr_less(x, 2.0))),
        lambda x: tr_or(tr_less(x, 2.0), tr_not(False)),
        lambda x: tr_and(True, False),
    ],
)
def test_conditions_that_are_known(condition: Callable[[Any], Any]) -> None:
    batched = tr_vmap(lambda x: tr_where(condition(x), x * x, 1.0 / x))
    x = np.array([0.0, 1.0, 2.0, np.inf])
    again = tr_vmap(recorded(batched.program(x)))
    assert np.array_equal(batched(x).to_ieee(), again(x)[0].to_ieee())


@pytest.mark.parametrize("arity", ["unary", "binary", "power", "variadic"])
def test_every_operation_is_the_same_step(arity: str) -> None:
    for name in NAMES[arity]:
        operation = node_op(name)
        hows = ReductionMode if arity == "variadic" else [None]
        for how in hows:
            if arity == "variadic":
                program = tr_vmap(lambda a, b, how=how, f=operation: f([a, b], how)).program(
                    np.ones(2), np.ones(2)
                )
            elif arity == "power":
                program = tr_vmap(lambda a, f=operation: f(a, -3)).program(np.ones(2))
            elif arity == "binary":
                program = tr_vmap(lambda a, b, f=operation: f(a, b)).program(np.ones(2), np.ones(2))
            else:
                program = tr_vmap(lambda a, f=operation: f(a)).program(np.ones(2))
            again = tr_vmap(recorded(program)).program(*[np.ones(2)] * len(program.arguments()))
            assert (again.steps(), again.outputs()) == (program.steps(), program.outputs())
