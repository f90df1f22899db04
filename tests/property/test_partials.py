"""Parts of a batch, cut and merged at random, against one call: the same bits."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from support.batches import Batch
from support.random_functions import batches
from support.sample_by_sample import (
    Setting,
    assert_same_statistics,
    bits,
    requests,
    settings,
)
from zeroproof import GradientModeConfig, Partial

LEAF = Partial.leaf_samples
#: Whole leaves, nothing, and a last leaf that is not full.
SAMPLES = [0, 1, LEAF, 2 * LEAF, 3 * LEAF + 33, 5 * LEAF - 1, 6 * LEAF]


def fingerprint(found: tuple[Any, ...]) -> list[bytes]:
    value, gradients, statuses = found
    assert all(status.dtype == np.uint8 for status in statuses)
    arrays = [np.array(float(value)), *gradients]
    shapes = [repr(np.shape(array)).encode() for array in [*gradients, *statuses]]
    return [*(bits(array).tobytes() for array in arrays), *map(bytes, statuses), *shapes]


def merged(parts: list[Partial], data: st.DataObject) -> Partial:
    """All parts in one: neighbours in any grouping, or all at once in any order."""
    if data.draw(st.booleans(), "at once"):
        return Partial.merge(data.draw(st.permutations(parts)))
    while len(parts) > 1:
        place = data.draw(st.integers(0, len(parts) - 2))
        a, b = parts[place : place + 2]
        parts[place : place + 2] = [a + b if data.draw(st.booleans()) else b + a]
    return parts[0]


@given(
    reduce=st.sampled_from(["sum", "mean"]),
    batch=batches(samples=SAMPLES),
    setting=settings,
    data=st.data(),
)
def test_parts_are_merged_to_one_call(
    reduce: str, batch: Batch, setting: Setting, data: st.DataObject
) -> None:
    function, arrays = batch.function, batch.arrays()
    assume(any(argument.per_sample for argument in function.arguments))
    keywords = data.draw(requests(function)).keywords(function)
    batched, elsewhere = function.batched(), function.batched()
    leaves = -(-batch.samples // LEAF)
    cuts = data.draw(st.sets(st.integers(1, leaves - 1)) if leaves > 1 else st.just(set()), "cuts")
    ends = [0, *(LEAF * cut for cut in sorted(cuts)), batch.samples]
    of_part = {key: value for key, value in keywords.items() if key != "with_status"}
    by_snapshot = data.draw(st.booleans(), "in the mode of a snapshot")

    def part(start: int, stop: int) -> Partial:
        chunk = [
            array[start:stop] if argument.per_sample else array
            for argument, array in zip(function.arguments, arrays)
        ]
        mode = pickle.loads(pickle.dumps(GradientModeConfig.snapshot())) if by_snapshot else None
        found = elsewhere.partial(*chunk, start=start, mode=mode, **of_part)
        assert (found.start, found.stop, found.samples) == (start, stop, stop - start)
        # The structure of the function cannot be pickled here, but what a process sends can.
        totals = pickle.loads(pickle.dumps(found._totals))
        return Partial._of(totals, found._computed, pickle.loads(pickle.dumps(found._rows)))

    def in_parts() -> Any:
        whole = merged([part(*each) for each in zip(ends, ends[1:])], data)
        return whole.finish(reduce, with_status=True)

    expected = setting.measure(lambda: batched.value_and_grad(*arrays, reduce=reduce, **keywords))
    for one, other in zip(setting.measure(in_parts), expected):
        assert fingerprint(one[0]) == fingerprint(other[0])
        assert_same_statistics(one[1], other[1])
