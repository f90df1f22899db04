"""Logs of singularities: what a block is told by second derivatives and derivatives forward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import zeroproof as zp
from support.gradients import mode_block
from zeroproof import (
    GradientMode,
    HybridGradientContext,
    SingularityError,
    tr_hessian,
    tr_hvp,
    tr_jacobian,
    tr_jvp,
    tr_vjp,
    watch_singularities,
)


def root_of(x: Any) -> Any:
    return zp.tr_sqrt(x)


def reciprocal(x: Any) -> Any:
    return 1.0 / x


def place(function: Callable[..., Any]) -> str:
    """The line in a function of this file, as a log shows it."""
    return f"test_watching_second_order.py:{function.__code__.co_firstlineno + 1}"


#: Every pass, of a function of one number.
PASSES: dict[str, Callable[[Any, float], Any]] = {
    "tr_hvp": lambda f, x: tr_hvp(f, x, 1.0),
    "tr_hvp transposed": lambda f, x: tr_hvp(f, x, 1.0, transposed=True),
    "tr_hessian": lambda f, x: tr_hessian(f)(x),
    "tr_jvp": lambda f, x: tr_jvp(f, (x,), (1.0,)),
    "tr_vjp": lambda f, x: tr_vjp(f, x)[1](1.0),
    "tr_jacobian": lambda f, x: tr_jacobian(f)(x),
    "tr_jacobian forward": lambda f, x: tr_jacobian(lambda x: [f(x), 2.0])(x),
}
each_pass = pytest.mark.parametrize("run", PASSES.values(), ids=PASSES)


@each_pass
def test_origins(run: Callable[[Any, float], Any]) -> None:
    with watch_singularities() as log:
        run(reciprocal, 0.0)
    (found,) = log.occurrences
    assert (found.kind, found.count, str(found.location)) == ("inf", 1, place(reciprocal))


@each_pass
def test_what_is_dropped_is_told_and_counted(run: Callable[[Any, float], Any]) -> None:
    with watch_singularities() as log:
        run(root_of, 0.0)
    (found,) = log.occurrences
    assert (found.kind, found.distance, str(found.location)) == ("dropped", 0.0, place(root_of))
    dropped = HybridGradientContext.get_statistics()["dropped_contributions"]
    assert found.count == log.counts["dropped"] == dropped > 0


@pytest.mark.parametrize("name", ["tr_hvp", "tr_hvp transposed", "tr_hessian"])
def test_a_second_derivative_out_of_range(name: str) -> None:
    with watch_singularities() as log:
        PASSES[name](reciprocal, 1e-150)
    assert log.counts == {"phi": 0, "inf": 0, "dropped": 1}
    assert log.occurrences[0].first.formula == "1.0 ÷ 1e-150 = 1e+150"
    with watch_singularities() as log:
        zp.tr_grad(reciprocal)(1e-150)
        PASSES[name](reciprocal, 1e-100)
    assert len(log) == 0


def test_several_columns_tell_what_they_count() -> None:
    def f(x: Any) -> Any:
        total = root_of(x[0])
        for each in x[1:]:
            total = total + root_of(x[0] * each) + reciprocal(each)
        return total

    x = np.array([0.0, *[1e-150] * 8])  # more columns than are worked out at once
    for v in (None, np.ones(9)):
        HybridGradientContext.reset_statistics()
        with watch_singularities() as log:
            tr_hessian(f)(x) if v is None else tr_hvp(f, x, v)
        dropped = HybridGradientContext.get_statistics()["dropped_contributions"]
        assert log.counts["dropped"] == dropped > 8


@each_pass
def test_what_raises_has_no_effect(run: Callable[[Any, float], Any]) -> None:
    HybridGradientContext.reset_statistics()
    with mode_block(GradientMode.HYBRID), watch_singularities(raise_on="dropped") as log:
        with pytest.raises(SingularityError, match=r"tr_sqrt\(x\)"):
            run(root_of, 0.0)
        statistics = HybridGradientContext.get_statistics()
    assert statistics["total_gradient_calls"] == statistics["dropped_contributions"] == 0
    assert len(log) > 0


@each_pass
def test_looking_is_not_counted(run: Callable[[Any, float], Any]) -> None:
    counted = []
    for watched in (False, True):
        HybridGradientContext.reset_statistics()
        with mode_block(GradientMode.HYBRID, 1.0, 0.1):
            if watched:
                with watch_singularities() as log:
                    run(reciprocal, 0.05)
                assert len(log) == 0
            else:
                run(reciprocal, 0.05)
        counted.append(HybridGradientContext.get_statistics())
    assert counted[0] == counted[1]
    assert counted[0]["total_gradient_calls"] == 1


def test_errors_are_those_without_a_block() -> None:
    with watch_singularities() as log:
        with pytest.raises(ValueError, match="finite"):
            tr_hvp(root_of, 0.0, np.inf)
        with pytest.raises(ValueError, match="finite"):
            tr_jvp(root_of, (0.0,), (np.nan,))
        assert len(log) == 0
        tr_hvp(root_of, 0.0, 1.0)
        told = len(log)
        assert told > 0
    tr_hvp(root_of, 0.0, 1.0)
    assert len(log) == told
