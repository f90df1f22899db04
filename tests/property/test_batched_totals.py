"""Sums and means over the samples of a batched call, against those of each sample."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.batches import Batch, Doubles
from support.gradients import DROPPED
from support.random_functions import batches
from support.sample_by_sample import (
    Request,
    Setting,
    assert_same_statistics,
    bits,
    requests,
    same,
    settings,
)
from support.values import INF, SMALLEST
from zeroproof import TRScalar, get_num_threads, set_num_threads

EPS = 2.0**-52
THREADS = (1, 2, 3, 8)
#: At the edges of a vector, of a block and of what a thread does at a time.
EDGES = [31, 32, 33, 255, 256, 257] * 4 + [8191, 8192, 8193]


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = get_num_threads()
    yield
    set_num_threads(before)


Totals = tuple[TRScalar, tuple[Doubles, ...], tuple[Any, ...]]


def fingerprint(totals: Totals) -> list[bytes]:
    """Values, gradients and statuses, in a form that compares bit for bit."""
    value, gradients, statuses = totals
    return [*(bits(x).tobytes() for x in (float(value), *gradients)), *map(bytes, statuses)]


def assert_total(found: float, terms: Doubles, divisor: int) -> None:
    """A sum of finite terms is as exact as any order of addition makes it."""
    with np.errstate(over="ignore"):
        size = float(np.abs(terms).sum())
    if size < INF:
        expected = math.fsum(terms) / divisor
        error = (len(terms) + 1) * EPS * size / divisor + SMALLEST
        assert abs(found - expected) <= error, (found, expected, error)


@given(
    reduce=st.sampled_from(["sum", "mean"]),
    batch=batches(samples=EDGES),
    setting=settings,
    data=st.data(),
)
def test_totals_are_those_of_the_samples_and_of_any_number_of_threads(
    reduce: str, batch: Batch, setting: Setting, data: st.DataObject
) -> None:
    function, arrays = batch.function, batch.arrays()
    request = data.draw(requests(function))
    batched = function.batched()

    def total() -> Totals:
        found: Totals = batched.value_and_grad(*arrays, reduce=reduce, **request.keywords(function))
        return found

    runs = []
    for threads in THREADS:
        set_num_threads(threads)
        runs.append(setting.measure(total))
    for run in runs[1:]:
        for (found, statistics), (expected, expected_statistics) in zip(run, runs[0]):
            assert fingerprint(found) == fingerprint(expected)
            assert_same_statistics(statistics, expected_statistics)

    # A total leaves out what is not REAL, as a reduction of nodes does.
    kept = function.returning(f"ops.tr_sum([{function.result}], mode.DROP_NONREAL)")
    of_kept = kept.batched()
    samples = setting.measure(lambda: request.of_batch(of_kept, kept, arrays))
    values = np.asarray(batched(*arrays))
    for of_total, of_samples in zip(runs[0], samples):
        check(request, batch, values, reduce == "mean", of_total, of_samples)


def check(
    request: Request, batch: Batch, values: Doubles, is_mean: bool, found: Any, expected: Any
) -> None:
    """The totals of an epoch against the derivatives of the samples."""
    (value, gradients, statuses), statistics = found
    (_, of_samples, status_of_samples), statistics_of_samples = expected
    kept = np.isfinite(values)
    count = int(kept.sum()) if is_mean else 1
    if is_mean and count == 0:
        assert math.isnan(float(value))
    else:
        assert_total(float(value), values[kept], count)

    start = left_out = 0
    for place, gradient, status in zip(request.places(batch.function), gradients, statuses):
        argument = batch.function.arguments[place]
        columns = slice(start, start := start + len(argument.elements))
        rows, flags = of_samples[:, 0, columns], status_of_samples[:, 0, columns]
        if argument.per_sample:
            assert same(gradient.reshape(rows.shape), rows / max(count, 1))
            assert np.array_equal(status.reshape(rows.shape), flags)
            continue
        for sum_, flag, terms, each in zip(gradient.ravel(), status.ravel(), rows.T, flags.T):
            is_infinite = kept & ~np.isfinite(terms)
            assert not math.isnan(sum_)
            assert_total(sum_, terms[kept & ~is_infinite], max(count, 1))
            union = np.bitwise_or.reduce(each) | (DROPPED if is_infinite.any() else 0)
            assert flag == union
            left_out += int(is_infinite.sum())
    dropped = statistics_of_samples["dropped_contributions"] + left_out
    assert_same_statistics(statistics, {**statistics_of_samples, "dropped_contributions": dropped})
