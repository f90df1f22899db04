"""``explain()`` through gradients: what the pass did whose gradients are differentiated."""

from __future__ import annotations

from os.path import basename
from typing import Any

import numpy as np
import pytest

from support.gradients import mode_block
from zeroproof import (
    GradientMode,
    GradientStatus,
    HybridGradientContext,
    TRNode,
    gradient_tape,
    tr_exp,
    tr_grad,
    tr_sqrt,
    tr_vjp,
)

FILE = basename(__file__)


def model(v):
    r = 1 / v
    return 1 / (r + 1)  # REAL at the pole of r


POLE = f"1 / v at {FILE}:{model.__code__.co_firstlineno + 1} gave 1.0 ÷ 0.0 = +∞"


def by_tapes(x: TRNode) -> Any:
    with gradient_tape(), gradient_tape() as tape:
        return tape.gradient(model(x), x)


@pytest.mark.parametrize(
    "gradient", [tr_grad(model), by_tapes, lambda x: tr_vjp(model, x)[1](1.0)[0]]
)
def test_a_masked_second_derivative(gradient):
    x = TRNode.parameter(0.0)
    slope = gradient(x)
    inner = (
        "through the gradient of the value 0.0, computed in MASK_REAL mode:\n"
        f"  the gradient to x is masked at +∞ + 1.0 = +∞, because {POLE}"
    )
    assert str(slope.explain()) == f"slope is 0.0\nit is a gradient [MASKED]\n{inner}"
    assert str(slope.explain(wrt=x)) == f"slope is 0.0\n{inner}"
    slope.backward()
    assert (x.gradient, x.gradient_status) == (0.0, GradientStatus.MASKED)
    assert str(x.explain()) == f"x is 0.0\nits gradient is 0.0 [MASKED]\n{inner}"
    del slope
    assert x.explain().inner == ()  # the pass is gone


def test_the_fields_of_the_inner_pass():
    x, w = TRNode.parameter(0.0), TRNode.parameter(2.0)
    with mode_block(GradientMode.SATURATING, 0.5):
        slope = tr_grad(lambda v: w / v)(x)
    found = (slope * w).explain()
    assert (found.mode, found.saturated_at, found.masked_at) == (GradientMode.MASK_REAL, (), ())
    (inner,) = found.inner
    assert (inner.mode, inner.value.tag.name, inner.root.op.name) == (
        GradientMode.SATURATING,
        "PINF",
        "DIV",
    )
    (saturated,) = inner.saturated_at
    assert saturated.formula == "2.0 ÷ 0.0 = +∞"
    assert [hash(leaf) for leaf in saturated.leaves] == [hash(x)]
    assert inner.counts == {"origins": 1, "masked_at": 0, "dropped_at": 0, "saturated_at": 1}
    assert (inner.inner, inner.gradient, inner.wrt, inner.depends) == ((), None, None, True)
    heading = "through the gradient of the value +∞, computed in SATURATING mode:"
    assert f"{heading}\n  it is" in str(found)


def test_a_term_of_second_order_that_is_dropped():
    x = TRNode.parameter(1e-150)
    slope = tr_grad(lambda v: 1 / v)(x)
    slope.backward()
    assert (x.gradient, x.gradient_status) == (0.0, GradientStatus.DROPPED)
    found = slope.explain(wrt=x)
    (dropped,) = found.dropped_at
    assert (dropped.formula, dropped.input) == ("1.0 ÷ 1e-150 = 1e+150", None)
    assert [hash(leaf) for leaf in dropped.leaves] == [hash(x)]
    assert [node.op.name for node in dropped.path] == ["GRADIENTS", "GRADIENT"]
    assert str(found).endswith(
        "the gradient to x has a dropped contribution at 1.0 ÷ 1e-150 = 1e+150"
    )
    # First order dropped nothing.
    assert found.inner[0].counts["dropped_at"] == 0


def test_several_dropped_terms_of_a_node_are_one_event():
    x = TRNode.parameter(0.0)
    slope = tr_grad(tr_sqrt)(x)
    for found in (slope.explain(), slope.explain(wrt=x)):
        assert found.counts["dropped_at"] == len(found.dropped_at) == 1
        assert found.inner[0].counts["dropped_at"] == 1


def test_what_the_inner_pass_did_not_do_is_not_told():
    x = TRNode.parameter(2.0)
    slope = tr_grad(tr_exp)(x)
    assert str((slope * x).explain()) == "the node is " + str((slope * x).value)
    assert len((slope * x).explain().inner) == 1
    assert (x * x).explain().inner == ()


def test_gradients_on_the_way_alone_are_explained():
    x, y = TRNode.parameter(0.0), TRNode.parameter(0.0)
    first, second = tr_grad(model)(x), tr_grad(model)(y)
    total = first + second * 2.0
    assert len(total.explain().inner) == 2
    assert len(total.explain(wrt=x).inner) == 1
    assert len(total.explain(limit=1).inner) == 1
    # Nothing arrives at a gradient behind a node that is masked.
    blocked = 1 / ((first + 1.0) * 0.0)
    assert blocked.explain().inner == ()


def test_several_gradients_of_one_call_are_one_pass():
    x, y = TRNode.parameter(3.0), TRNode.parameter(0.0)
    slopes = tr_grad(lambda p: p[0] * model(p[1]))(np.array([x, y], dtype=object))
    found = (slopes[0] + slopes[1]).explain()
    (inner,) = found.inner
    assert "the gradient to y is masked" in str(inner)


def test_nothing_changes_and_nothing_is_counted():
    x = TRNode.parameter(0.0)
    slope = tr_grad(model)(x)
    HybridGradientContext.reset_statistics()
    before = HybridGradientContext.get_statistics()
    str(slope.explain())
    assert HybridGradientContext.get_statistics() == before
    assert (x.gradient, slope.gradient_status) == (None, GradientStatus.MASKED)


def test_the_decisions_of_hybrid_mode_are_those_of_the_gradient():
    x = TRNode.parameter(0.01)
    with mode_block(GradientMode.HYBRID, 1.0, 0.1):
        slope = tr_grad(lambda v: 1 / v)(x)
    (inner,) = slope.explain().inner
    assert (inner.mode, inner.counts["saturated_at"]) == (GradientMode.HYBRID, 1)


def test_inside_of_a_function_its_argument_is_named():
    told = []

    def f(u):
        slope = tr_grad(model)(u)
        told.append(str(slope.explain(wrt=u)))
        return slope

    tr_grad(f)(0.0)
    assert "the gradient to u is masked" in told[0]
