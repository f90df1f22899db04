"""Sums, means, products, minima and maxima over many values, by reduction mode."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from support.op_case import OpCase
from support.op_cases import CASES, cases
from support.ops import scalar_op
from support.values import INF, NAN, SPECIALS, same
from zeroproof.autodiff.tr_node import TRNode
from zeroproof.core import (
    ReductionMode,
    TRScalar,
    phi,
    real,
    tr_max,
    tr_mean,
    tr_min,
    tr_prod,
    tr_sum,
)

STRICT, DROP_NULL, DROP_NONREAL = ReductionMode


def kept(values: Sequence[float], mode: ReductionMode) -> list[float]:
    if mode is DROP_NULL:
        return [v for v in values if not math.isnan(v)]
    return [v for v in values if mode is STRICT or math.isfinite(v)]


def folded(values: Sequence[float], mode: ReductionMode, op: str, empty: float) -> float:
    chosen = kept(values, mode)
    if mode is DROP_NULL and values and not chosen:
        return NAN
    if not chosen:
        return empty
    result = chosen[0]
    for value in chosen[1:]:
        result = CASES[op].value(result, value)
    return result


LISTS = [
    list(values)
    for length in range(4)
    for values in itertools.product([-INF, -1.0, 0.0, 1e308, INF, NAN], repeat=length)
] + [SPECIALS, [0.1] * 10, [1e308, 1e308, -1e308]]


@pytest.mark.parametrize("mode", list(ReductionMode))
@pytest.mark.parametrize("case", cases("variadic"), ids=lambda case: case.name)
def test_every_reduction_of_the_table(case: OpCase, mode: ReductionMode) -> None:
    for values in LISTS:
        chosen = kept(values, mode)
        found = scalar_op(case.name)([TRScalar(v) for v in values], mode)
        if mode is DROP_NULL and values and not chosen:
            assert found == phi()
        else:
            case.assert_value(found, *chosen)


@pytest.mark.parametrize("mode", list(ReductionMode))
def test_products_and_extrema_are_folds(mode: ReductionMode) -> None:
    for values in LISTS:
        scalars = [TRScalar(v) for v in values]
        assert same(tr_prod(scalars, mode), folded(values, mode, "mul", 1.0)), values
        # An empty minimum has no value: Φ.
        assert same(tr_min(scalars, mode), folded(values, mode, "minimum", NAN)), values
        assert same(tr_max(scalars, mode), folded(values, mode, "maximum", NAN)), values


def test_strict_is_the_default() -> None:
    assert tr_sum([1.0, NAN]) == tr_mean([1.0, NAN]) == tr_prod([NAN]) == phi()
    assert tr_min([1.0, NAN]) == tr_max([NAN, 1.0]) == phi()


def test_empty_reductions() -> None:
    for mode in ReductionMode:
        assert same(tr_sum([], mode), 0.0)
        assert same(tr_prod([], mode), 1.0)
        assert tr_mean([], mode) == phi()
    assert same(tr_sum([INF, NAN], DROP_NONREAL), 0.0)
    assert tr_mean([INF, NAN], DROP_NONREAL) == phi()
    assert tr_sum([NAN, NAN], DROP_NULL) == phi()


def test_any_iterable_of_numbers() -> None:
    assert tr_sum(iter([1, real(2.0), np.float32(3)])) == 6.0
    assert tr_mean(np.array([1.0, 2.0])) == 1.5
    assert tr_prod(range(1, 6)) == 120.0
    for bad in (3.0, None, ["1"], [None]):
        with pytest.raises(TypeError):
            tr_sum(bad)  # type: ignore[arg-type]


def test_the_mode_is_a_reduction_mode() -> None:
    for bad in (0, "strict"):
        with pytest.raises(TypeError, match="ReductionMode"):
            tr_sum([1.0], bad)  # type: ignore[arg-type]


def test_a_node_is_never_reduced_to_its_value() -> None:
    # That would cut the graph without a word: a node in, a node out.
    nodes = [TRNode.parameter(1.0), TRNode.parameter(3.0)]
    expected = ((tr_sum, 4.0), (tr_mean, 2.0), (tr_prod, 3.0), (tr_min, 1.0), (tr_max, 3.0))
    for reduce, value in expected:
        result: Any = reduce(nodes)
        assert isinstance(result, TRNode)
        assert result.requires_grad
        assert result.value == value
