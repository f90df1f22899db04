"""What holds for every step, whatever the numbers and statuses are."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from support.values import HUGE, SPECIALS, bits
from zeroproof import TRNode
from zeroproof.optim import SGD, Adam, Optimizer, StepReport

NUMBERS = st.one_of(
    st.sampled_from([*SPECIALS, -HUGE, 1e160, -1e-160]), st.floats(), st.floats(-10.0, 10.0)
)
ROWS = st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS, st.integers(0, 7)), min_size=1, max_size=5)
RATES = st.one_of(st.floats(0.0, 1.0), st.floats(0.0, HUGE))


@st.composite
def settings(draw: Any) -> tuple[Any, dict[str, Any]]:
    """A rule and its settings."""
    common = {
        "lr": draw(RATES),
        "weight_decay": draw(st.sampled_from([0.0, 0.1, 1e300])),
        "masked": draw(st.sampled_from(["apply", "skip"])),
    }
    if draw(st.booleans()):
        momentum = draw(st.sampled_from([0.0, 0.9]))
        nesterov = bool(momentum) and draw(st.booleans())
        return SGD, {**common, "momentum": momentum, "nesterov": nesterov}
    betas = draw(st.tuples(st.floats(0.0, 0.999), st.floats(0.0, 0.999)))
    own = {"betas": betas, "eps": draw(st.sampled_from([0.0, 1e-8]))}
    return Adam, {**common, **own, "decoupled": draw(st.booleans())}


def moments(optimizer: Optimizer) -> list[Any]:
    state = optimizer.state_dict()
    names = [name for name in ("velocity", "mean", "square", "updates") if name in state]
    return [state[name] for name in names]


@given(rows=ROWS, rule=settings())
def test_a_step_is_total_and_counts_every_element(rows: Any, rule: Any) -> None:
    values, first, second, flags = (list(column) for column in zip(*rows))
    statuses = np.array(flags, dtype=np.uint8)
    make, given_settings = rule
    p = np.array(values)
    optimizer = make(p, **given_settings)
    with np.errstate(all="raise"):
        for gradients in (first, second):
            before, old = p.copy(), moments(optimizer)
            report = optimizer.step(np.array(gradients), statuses)
            assert report.updated + report.skipped == len(p)
            assert report.without_gradient == report.unknown_status == 0
            changed = [bits(a) != bits(b) for a, b in zip(before, p)]
            barred = ~np.isfinite(before) | ~np.isfinite(np.array(gradients))
            if given_settings["masked"] == "skip":
                barred |= (statuses & 3) != 0
            assert not (barred & changed).any()
            assert sum(changed) <= report.updated <= len(p) - int(barred.sum())
            assert np.isfinite(p[np.isfinite(before)]).all()
            for was, moment in zip(old, moments(optimizer)):
                assert np.isfinite(moment).all()
                assert (was[barred] == moment[barred]).all()


@given(rows=ROWS, rule=settings())
def test_nodes_and_arrays_have_the_same_bits(rows: Any, rule: Any) -> None:
    values, first, second, flags = (list(column) for column in zip(*rows))
    make, given_settings = rule
    p, nodes = np.array(values), [TRNode.parameter(value) for value in values]
    single = [TRNode.parameter(value) for value in values]
    by_array, by_nodes = make(p, **given_settings), make(nodes, **given_settings)
    one_by_one = [make(node, **given_settings) for node in single]
    for gradients in (first, second):
        report = by_array.step(np.array(gradients), np.array(flags, dtype=np.uint8))
        assert by_nodes.step(gradients, flags) == report
        steps = [each.step(g, s) for each, g, s in zip(one_by_one, gradients, flags)]
        assert sum(steps, StepReport()) == report
        expected = [bits(value) for value in p.tolist()]
        assert [bits(node) for node in nodes] == expected
        assert [bits(node) for node in single] == expected
