"""Random Python functions as batched calls, against the same functions called sample by sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.batches import Argument, Batch, Function
from support.ops import NAMES
from support.random_functions import TEMPLATES, batches, with_results
from support.sample_by_sample import (
    Request,
    Results,
    Setting,
    assert_same_statistics,
    by_hand,
    mask_real,
    requests,
    same,
    saturating,
    scheduled,
    settings,
    values_one_by_one,
)
from zeroproof.array import TRArray
from zeroproof.autodiff import conditions


def assert_same_results(found: Results, expected: Results) -> None:
    """Values, gradients and statuses are the same, bit for bit."""
    for mine, theirs in zip(found[:2], expected[:2]):
        assert same(mine, theirs), (mine, theirs)
    assert np.array_equal(found[2], expected[2]), (found[2], expected[2])


def assert_same_measures(found: list[Any], expected: list[Any]) -> None:
    """Results and statistics are the same in every epoch."""
    assert len(found) == len(expected) > 0
    for (results, statistics), (expected_results, expected_statistics) in zip(found, expected):
        assert_same_results(results, expected_results)
        assert_same_statistics(statistics, expected_statistics)


def test_the_functions_hold_every_operation_and_condition() -> None:
    text = "\n".join(TEMPLATES)
    names = [name for arity, group in NAMES.items() if arity != "leaf" for name in group]
    assert len(names) > 15
    for name in names:
        for family in ("core", "ops"):
            assert f"{family}.tr_{name}(" in text
    for name in conditions.__all__:
        assert f"{name}(" in text


@given(batch=batches(), data=st.data())
def test_values_and_tags(batch: Batch, data: st.DataObject) -> None:
    function, outputs = data.draw(with_results(batch.function))
    expected = values_one_by_one(Batch(function, batch.samples, batch.seed, batch.specials))
    found = function.batched()(*batch.arrays())
    joined = isinstance(found, TRArray)
    columns = list(map(TRArray, np.asarray(found).T)) if joined else list(found)
    assert len(columns) == outputs
    for column, values in zip(columns, expected.T):
        assert same(column, values), (column, values)
        assert column.tags.tolist() == TRArray(values).tags.tolist()


FAMILIES = {
    "mask_real": mask_real,
    "saturating": saturating,
    "by_hand": by_hand,
    "scheduled": scheduled,
}


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
@given(batch=batches(), data=st.data())
def test_gradients_and_statistics(
    family: st.SearchStrategy[Setting], batch: Batch, data: st.DataObject
) -> None:
    function = batch.function
    request, setting = data.draw(requests(function)), data.draw(family)
    expected = setting.measure(lambda: request.of_samples(batch))
    batched, arrays = function.batched(), batch.arrays()
    found = setting.measure(lambda: request.of_batch(batched, function, arrays))
    assert_same_measures(found, expected)


@given(batch=batches(), setting=settings, data=st.data())
def test_jacobians(batch: Batch, setting: Setting, data: st.DataObject) -> None:
    function, outputs = data.draw(with_results(batch.function))
    several = Batch(function, batch.samples, batch.seed, batch.specials)
    request = data.draw(requests(function))
    batched, arrays = function.batched(), batch.arrays()
    values = values_one_by_one(several)

    def jacobian() -> Results:
        found, status = batched.jacobian(*arrays, **request.keywords(function))
        return values, found, status

    expected = setting.measure(lambda: request.of_samples(several, outputs))
    assert_same_measures(setting.measure(jacobian), expected)


@given(batch=batches(samples=[1, 5, 33, 100, 300]), setting=settings, data=st.data())
def test_a_selection_is_the_branch_taken(
    batch: Batch, setting: Setting, data: st.DataObject
) -> None:
    function, arrays = batch.function, batch.arrays()
    elements = [e for argument in function.arguments for e in argument.elements]
    known = [f"tr_less({e}, 0.5)" for e in elements] + [f"tr_is_real({e})" for e in elements]
    condition = data.draw(st.sampled_from([*known, *function.conditions]))
    branches = [data.draw(st.sampled_from(function.values[::-1])) for _ in range(2)]
    request = data.draw(requests(function))

    chosen = function.returning(f"tr_where({condition}, {', '.join(branches)})")
    decide = function.returning(f"tr_where({condition}, 1.0, 0.0)").batched()
    holds = np.asarray(decide(*arrays)) == 1.0
    parts = [(function.returning(branches[0]), holds), (function.returning(branches[1]), ~holds)]
    programs = [(branch, branch.batched(), rows) for branch, rows in parts]

    def by_branch() -> Results:
        found = []
        for branch, batched, rows in programs:
            taken = [a[rows] if axis == 0 else a for a, axis in zip(arrays, branch.in_axes)]
            found.append(request.of_batch(batched, branch, taken))
        order = np.argsort(np.concatenate([np.flatnonzero(rows) for _, rows in parts]))
        joined: list[Any] = [np.concatenate(pair)[order] for pair in zip(*found)]
        return joined[0], joined[1], joined[2]

    batched = chosen.batched()
    expected = setting.measure(by_branch)
    assert_same_measures(
        setting.measure(lambda: request.of_batch(batched, chosen, arrays)), expected
    )


#: Each has a pole at some of the points below, or is not REAL there.
SINGULAR = ["1.0 / x", "core.tr_log(x)", "core.tr_sqrt(x) / x", "x**-2", "a / core.tr_log(abs(x))"]
POLES = [0.0, -0.0, 5e-324, -5e-324, -1.0]


@pytest.mark.parametrize("singular", SINGULAR)
@given(setting=settings, others=st.lists(st.floats(-4.0, 0.5), max_size=60), a=st.floats(-2.0, 2.0))
def test_the_branch_not_taken_contributes_nothing_at_its_poles(
    singular: str, setting: Setting, others: list[float], a: float
) -> None:
    arguments = (Argument("x", (), True), Argument("a", (), False))
    smooth = Function(arguments, (), "core.tr_sin(x) * a")
    chosen = smooth.returning(f"tr_where(tr_greater(x, 0.5), {singular}, core.tr_sin(x) * a)")
    arrays = [np.array([*POLES, *others]), np.array(a)]
    request = Request((0, 1), 0)
    batched = chosen.batched()
    measured = setting.measure(lambda: request.of_batch(batched, chosen, arrays))
    for results, statistics in measured:
        assert_same_results(results, request.of_batch(smooth.batched(), smooth, arrays))
        assert not results[2].any()
        for count in ("total_gradient_calls", "masked_nodes", "dropped_contributions"):
            assert statistics[count] == 0
