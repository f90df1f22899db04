"""Softmax, variance and standard deviation of a list."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Optional

import mpmath
import numpy as np
import pytest

from support.every_path import assert_same_on_every_path
from support.gradients import DROPPED, EXACT, MASKED
from support.values import INF, NAN, same, ulps
from zeroproof import (
    GradientMode,
    ReductionMode,
    TRArray,
    TRNode,
    TRScalar,
    gradient_mode,
    phi,
    tr_log_softmax,
    tr_mean,
    tr_norm,
    tr_softmax,
    tr_std,
    tr_sum,
    tr_var,
    tr_vmap,
)

EPS = 2.0**-52
RANDOM = np.random.default_rng(7)
STRICT, DROP_NULL, DROP_NONREAL = ReductionMode


def parameters(values: Sequence[float]) -> list[TRNode]:
    return [TRNode.parameter(float(v)) for v in values]


def softmax(values: Sequence[float]) -> list[Any]:
    with mpmath.workdps(60):
        exponentials = [mpmath.exp(mpmath.mpf(float(v))) for v in values]
        return [e / mpmath.fsum(exponentials) for e in exponentials]


LISTS = [
    [0.0],
    [1.0, 2.0, 3.0],
    [-745.0, 0.0, 3.0],
    [1e6, 1e6 + 1, 1e6 - 7.25],
    [-1e12, -1e12 + 0.5],
    [0.5] * 7,
    list(RANDOM.normal(scale=5, size=20)),
]


class TestSoftmax:
    @pytest.mark.parametrize("values", LISTS, ids=range(len(LISTS)))
    def test_values(self, values: list[float]) -> None:
        found, logarithms = tr_softmax(values), tr_log_softmax(values)
        # The logarithm of the sum is within an ulp, and the difference is rounded once.
        error = 2 * EPS * (max(map(abs, values)) + math.log(len(values)))
        for p, log_p, expected in zip(found, logarithms, softmax(values)):
            assert abs(float(p) - expected) <= (error * math.exp(error) + EPS) * expected + 5e-324
            with mpmath.workdps(60):
                assert abs(float(log_p) - mpmath.log(expected)) <= error

    def test_gradients(self) -> None:
        values, w = RANDOM.normal(size=6), RANDOM.normal(size=6)
        p = np.array([float(x) for x in softmax(values)])
        nodes = parameters(values)
        tr_sum(tr_softmax(nodes) * w).backward()
        expected = p * (w - p @ w)
        found = [float(node.gradient) for node in nodes]
        np.testing.assert_allclose(found, expected, atol=20 * EPS * np.abs(w).max())
        assert {node.gradient_status for node in nodes} == {EXACT}
        nodes = parameters(values)
        tr_sum(tr_log_softmax(nodes) * w).backward()
        found = [float(node.gradient) for node in nodes]
        np.testing.assert_allclose(found, w - p * w.sum(), atol=40 * EPS * np.abs(w).max())

    def test_the_partials_are_the_classical_ones_in_every_mode(self) -> None:
        found = []
        for mode in GradientMode:
            nodes = parameters([1.0, 2.0, 0.5])
            with gradient_mode(mode):
                tr_softmax(nodes)[0].backward()
            found.append([(float(node.gradient), node.gradient_status) for node in nodes])
        assert found[0] == found[1] == found[2]

    def test_a_logit_of_minus_infinity_is_left_out(self) -> None:
        nodes = parameters([1.0, -INF, 2.0])
        results = tr_softmax(nodes)
        assert [x.item() for x in results] == [
            tr_softmax([1.0, 2.0])[0].value,
            0.0,
            tr_softmax([1.0, 2.0])[1].value,
        ]
        results[0].backward()
        pair = parameters([1.0, 2.0])
        tr_softmax(pair)[0].backward()
        assert [node.gradient for node in nodes] == [pair[0].gradient, 0.0, pair[1].gradient]
        assert [node.gradient_status for node in nodes] == [EXACT] * 3
        nodes = parameters([1.0, -INF, 2.0])
        tr_softmax(nodes)[1].backward()
        assert [node.gradient_status for node in nodes] == [MASKED] * 3
        assert tr_softmax([-1e300, 1e300]).tolist() == [0.0, 1.0]
        assert tr_log_softmax([1.0, -INF])[1] == -INF

    def test_a_logit_of_plus_infinity(self) -> None:
        nodes = parameters([1.0, INF, 2.0])
        assert [same(x, y) for x, y in zip(tr_softmax(nodes), [0.0, NAN, 0.0])] == [True] * 3
        assert tr_log_softmax(nodes)[0].value == -INF
        tr_softmax(nodes)[0].backward()
        assert [node.gradient_status for node in nodes] == [MASKED] * 3

    @pytest.mark.parametrize("values", [[NAN, 1.0], [-INF, -INF], [INF, INF]])
    def test_what_has_no_largest_value_is_nullity(self, values: list[float]) -> None:
        for function in tr_softmax, tr_log_softmax:
            assert function(values).tolist() == [phi()] * 2
            nodes = parameters(values)
            function(nodes)[1].backward()
            assert [node.gradient_status for node in nodes] == [MASKED] * 2

    def test_kinds(self) -> None:
        assert tr_softmax([]).shape == tr_log_softmax(()).shape == (0,)
        assert isinstance(tr_softmax(TRArray([1.0, 2.0])), TRArray)
        assert {type(x) for x in tr_softmax(np.ones(2))} == {TRScalar}
        assert {type(x) for x in tr_softmax(iter([1, TRNode.parameter(1.0)]))} == {TRNode}


def reference(values: Sequence[float], ddof: float) -> Any:
    with mpmath.workdps(60):
        exact = [mpmath.mpf(float(v)) for v in values]
        mean = mpmath.fsum(exact) / len(exact)
        return mpmath.fsum([(v - mean) ** 2 for v in exact]) / (len(exact) - ddof)


SPREADS = [
    [1.0, 2.0, 3.0, 4.0],
    [1e9, 1e9 + 1, 1e9 + 2.5],
    [-3.0, 3.0],
    list(RANDOM.normal(size=30)),
    list(RANDOM.normal(size=12) * 1e-3 + 5),
]


class TestVarianceAndDeviation:
    @pytest.mark.parametrize("ddof", [0, 1, 0.5])
    @pytest.mark.parametrize("values", SPREADS, ids=len)
    def test_values(self, values: list[float], ddof: float) -> None:
        n = len(values)
        expected = reference(values, ddof)
        # The mean is off by at most n ε of the largest value, a deviation by that; squared and
        # summed, and two more roundings.
        largest = max(map(abs, values))
        off = n * EPS * largest
        error = n * off * (off + 2 * math.sqrt(EPS) * EPS) / (n - ddof)
        tolerance = float(error + (n + 6) * EPS * expected + 4 * off * EPS * largest)
        assert abs(float(tr_var(values, ddof)) - expected) <= tolerance
        with mpmath.workdps(60):
            root = mpmath.sqrt(expected)
        assert abs(float(tr_std(values, ddof)) - root) <= tolerance / root + 4 * EPS * root

    def test_there_is_no_cancellation(self) -> None:
        assert tr_var([1e8, 1e8 + 1, 1e8 + 2]) == tr_var([0.0, 1.0, 2.0])
        assert tr_var([0.1] * 10) <= (10 * EPS) ** 2

    def test_the_deviation_does_not_overflow(self) -> None:
        assert tr_std([1e200, -1e200]) == 1e200
        assert ulps(float(tr_std([1e-200, -1e-200])), 1e-200) <= 2
        assert tr_var([1e200, -1e200]) == INF

    @pytest.mark.parametrize("ddof", [0, 1])
    def test_gradients(self, ddof: int) -> None:
        values = RANDOM.normal(size=9)
        nodes = parameters(values)
        tr_var(nodes, ddof).backward()
        deviations = values - values.mean()
        expected = 2 * deviations / (9 - ddof)
        np.testing.assert_allclose(
            [float(node.gradient) for node in nodes], expected, atol=20 * EPS
        )
        nodes = parameters(values)
        tr_std(nodes, ddof).backward()
        expected = deviations / (9 - ddof) / np.std(values, ddof=ddof)
        np.testing.assert_allclose(
            [float(node.gradient) for node in nodes], expected, atol=20 * EPS
        )
        assert {node.gradient_status for node in nodes} == {EXACT}

    def test_without_a_spread_the_gradient_is_that_of_a_norm(self) -> None:
        nodes, zeros = parameters([2.0, 2.0]), parameters([0.0, 0.0])
        tr_std(nodes).backward()
        tr_norm(zeros).backward()
        for node, zero in zip(nodes, zeros):
            assert (node.gradient, node.gradient_status) == (0.0, zero.gradient_status)

    def test_the_mode_does_not_bound_the_partials(self) -> None:
        found = []
        for mode in GradientMode:
            for reduction in ReductionMode:
                nodes = parameters([1.0, 2.0, 4.0])
                with gradient_mode(mode):
                    tr_std(nodes, 1, reduction).backward()
                found.append([(float(node.gradient), node.gradient_status) for node in nodes])
        assert all(each == found[0] for each in found)

    @pytest.mark.parametrize("function", [tr_var, tr_std])
    @pytest.mark.parametrize(
        ("values", "ddof", "mode", "same_as"),
        [
            ([1.0, NAN, 4.0], 0, DROP_NULL, [1.0, 4.0]),
            ([1.0, NAN, 4.0], 1, DROP_NONREAL, [1.0, 4.0]),
            ([INF, 1.0, NAN, 4.0, -INF], 1, DROP_NONREAL, [1.0, 4.0]),
            ([1.0, 4.0, 2.0], 1, DROP_NULL, [1.0, 4.0, 2.0]),
        ],
    )
    def test_values_left_out(
        self,
        function: Callable[..., Any],
        values: list[float],
        ddof: int,
        mode: ReductionMode,
        same_as: list[float],
    ) -> None:
        assert same(function(values, ddof, mode), function(same_as, ddof))
        nodes, others = parameters(values), parameters(same_as)
        function(nodes, ddof, mode).backward()
        function(others, ddof).backward()
        kept = [node for node in nodes if node.item() in same_as]
        assert [node.gradient for node in kept] == [node.gradient for node in others]
        left_out = {node.gradient_status for node in nodes if node not in kept}
        assert left_out <= {MASKED}

    def test_an_overflow_is_not_left_out(self) -> None:
        # The square is infinite although every value is REAL.
        assert tr_var([1e200, -1e200, 0.0], 0, DROP_NONREAL) == INF

    @pytest.mark.parametrize("function", [tr_var, tr_std])
    @pytest.mark.parametrize("mode", [None, *ReductionMode])
    def test_nothing_to_divide_by(
        self, function: Callable[..., Any], mode: Optional[ReductionMode]
    ) -> None:
        assert function([], 0, mode) == phi()
        assert function([1.0], 1, mode) == phi()
        assert function([1.0], 2, mode) == phi()
        assert function([1.0, 2.0], 2, mode) == INF
        assert function([NAN], 0, mode) == phi()
        assert function([INF, 1.0], 0, STRICT) == phi()
        assert function([INF, 1.0], 0, DROP_NULL) == phi()

    def test_kinds(self) -> None:
        assert type(tr_var(TRArray([1.0, 2.0]))) is TRScalar
        assert type(tr_std([1, TRNode.parameter(2.0)])) is TRNode
        for bad in (0, "strict"):
            with pytest.raises(TypeError, match="ReductionMode"):
                tr_var([1.0], 0, bad)  # type: ignore[arg-type]
        for ddof in (None, "1", TRNode.parameter(1.0)):
            with pytest.raises(TypeError):
                tr_std([1.0, 2.0], ddof)  # type: ignore[arg-type]


def rows() -> Any:
    found = RANDOM.normal(size=(40, 3)) * 3
    found[0] = 2.0
    found[1] = [1e6, 1e6, 0.0]
    odd = [INF, -INF, NAN, 0.0, -0.0, 1e300, -1e300, 710.0, 5e-324]
    for row in found[2:32]:
        row[: RANDOM.integers(1, 4)] = RANDOM.choice(odd)
    found[32:36] = RANDOM.choice(odd, size=(4, 3))
    return found


@pytest.mark.parametrize("function", [tr_softmax, tr_log_softmax])
def test_softmax_is_the_same_on_every_path(function: Callable[..., Any]) -> None:
    assert_same_on_every_path(function, rows())


@pytest.mark.parametrize("function", [tr_var, tr_std])
@pytest.mark.parametrize("mode", ReductionMode)
@pytest.mark.parametrize("ddof", [0, 1])
def test_spreads_are_the_same_on_every_path(
    function: Callable[..., Any], mode: ReductionMode, ddof: int
) -> None:
    assert_same_on_every_path(lambda x: function(x, ddof, mode), rows())


@pytest.mark.parametrize("function", [tr_softmax, tr_log_softmax, tr_var, tr_std])
def test_several_axes_are_refused(function: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match=rf"shape \(2, 3\).*\[{function.__name__}\(row\) for row"):
        function(np.ones((2, 3)))
    with pytest.raises(TypeError):
        function(["a"])
    with pytest.raises(TypeError, match="not float"):
        function(1.0)


def test_variance_is_a_mean_of_squares_of_numbers_that_divide_exactly() -> None:
    values = [1.0, 3.0, 5.0, 7.0]
    assert tr_var(values) == tr_mean([(v - 4.0) ** 2 for v in values])
    assert tr_vmap(tr_var)(np.array([values]))[0] == 5.0


def test_a_dropped_contribution_is_said_so() -> None:
    nodes = parameters([1e200, -1e200])
    tr_var(nodes).backward()
    assert {node.gradient_status for node in nodes} <= {MASKED, DROPPED, MASKED | DROPPED}
