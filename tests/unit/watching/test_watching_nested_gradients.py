"""Logs of singularities: what is dropped where a gradient is differentiated once more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.gradients import mode_block
from support.nested import OPERATIONS, Step, function_of, steps
from zeroproof import (
    GradientMode,
    HybridGradientContext,
    SingularityError,
    TRNode,
    gradient_tape,
    tr_grad,
    tr_jacobian,
    tr_jvp,
    watch_singularities,
)


def dropped() -> int:
    count = HybridGradientContext.get_statistics()["dropped_contributions"]
    assert isinstance(count, int)
    return count


def reciprocal(x: Any) -> Any:
    return 1.0 / x


def nodes(x: Any) -> list[TRNode]:
    return [TRNode.parameter(value) for value in x]


def by_tape(penalty: Callable[[Any], Any], x: Any) -> None:
    leaves = nodes(x)
    with gradient_tape(persistent=True) as tape:
        tape.gradient(penalty(leaves), leaves)


#: Passes through the gradient of a function, by a function of that gradient.
PASSES: dict[str, Callable[[Any, Any, Any], Any]] = {
    "tr_grad": lambda f, penalty, x: tr_grad(penalty)(x),
    "backward": lambda f, penalty, x: penalty(nodes(x)).backward(),
    "a tape": lambda f, penalty, x: by_tape(penalty, x),
    "tr_jacobian": lambda f, penalty, x: tr_jacobian(tr_grad(f))(x),
    "tr_jvp": lambda f, penalty, x: tr_jvp(tr_grad(f), (x,), (np.ones(2),)),
}


@pytest.mark.parametrize("run", PASSES.values(), ids=PASSES)
def test_a_term_out_of_range_is_told(run: Callable[[Any, Any, Any], Any]) -> None:
    def f(x: Any) -> Any:
        return reciprocal(x[0]) + x[1]

    def slope(x: Any) -> Any:
        return tr_grad(f)(x)[0]

    x = np.array([1e-150, 1.0])
    HybridGradientContext.reset_statistics()
    with watch_singularities() as log:
        run(f, slope, x)
    assert log.counts["dropped"] == dropped() == 1
    (found,) = log.occurrences
    assert found.first.formula == "1.0 ÷ 1e-150 = 1e+150"
    line = reciprocal.__code__.co_firstlineno + 1
    assert str(found.location) == f"test_watching_nested_gradients.py:{line}"


def test_a_sum_out_of_range_is_told_at_what_was_differentiated() -> None:
    x = TRNode.parameter(0.0)
    slope = tr_grad(lambda v: v * v)(x)
    HybridGradientContext.reset_statistics()
    with watch_singularities() as log:
        (slope * 1.7e308).backward()  # twice that does not fit
    assert log.counts["dropped"] == dropped() == 1
    assert log.occurrences[0].first.formula == "0.0 × 0.0 = 0.0"


def test_weights_out_of_range_are_told() -> None:
    x = TRNode.parameter(0.0)
    slope = tr_grad(lambda v: v * v * 0.5)(x)
    HybridGradientContext.reset_statistics()
    with watch_singularities() as log:
        (slope * 1.7e308 + slope * 1.7e308).backward()
        assert str(log)
    assert log.counts["dropped"] == dropped() == 1


def test_raising_leaves_everything_as_it_was() -> None:
    x = TRNode.parameter(1e-150)
    slope = tr_grad(reciprocal)(x)
    HybridGradientContext.reset_statistics()
    with watch_singularities(raise_on="dropped"), pytest.raises(SingularityError):
        slope.backward()
    assert x.gradient is None
    assert dropped() == 0


OPS = [*OPERATIONS, lambda a, b: a * 1e308]


@settings(max_examples=150, deadline=None)
@given(
    steps=steps(OPS, longest=8, furthest=20),
    point=st.lists(st.sampled_from([-2.0, 0.0, 0.3, 1.0, 1e-150, 1e200]), min_size=2, max_size=2),
    mode=st.sampled_from([GradientMode.MASK_REAL, GradientMode.SATURATING]),
    name=st.sampled_from(sorted(PASSES)),
)
def test_as_many_are_told_as_are_counted(
    steps: list[Step], point: list[float], mode: GradientMode, name: str
) -> None:
    f = function_of(steps, OPS)

    def penalty(x: Any) -> Any:
        g = tr_grad(f)(x)
        return g[0] * 1.7e308 + g[1] * g[1] + g[0] * 1e300

    with mode_block(mode):
        HybridGradientContext.reset_statistics()
        with watch_singularities() as log:
            PASSES[name](f, penalty, np.array(point))
        assert log.counts["dropped"] == dropped()
