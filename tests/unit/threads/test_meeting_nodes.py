"""Nodes of different threads in one expression, with and without a GIL."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from support.running import run_all
from support.values import bits
from zeroproof import TRNode, _native, gradient_tape, tr_grad, tr_sum, tr_vmap, tr_where
from zeroproof.autodiff import tr_node
from zeroproof.autodiff.grad_mode import GradientModeConfig
from zeroproof.autodiff.tr_ops_grad import tr_exp, tr_sin, tr_tanh

THREADS = 4
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


def in_thread(work: Callable[[], Any]) -> Any:
    """What ``work`` returns in a thread of its own, which is over then."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


class Expression:
    """A node with the function of leaves' values that it stands for."""

    def __init__(self, node: TRNode, formula: Callable[[dict[int, float]], float]) -> None:
        self.node = node
        self.formula = formula


def combined(series: random.Random, a: Expression, b: Expression) -> Expression:
    """One of a few operations, none of which leaves the REAL numbers."""
    f, g = a.formula, b.formula
    kind = series.randrange(5)
    if kind == 0:
        return Expression(a.node + b.node, lambda v: f(v) + g(v))
    if kind == 1:
        return Expression(a.node * tr_tanh(b.node), lambda v: f(v) * np.tanh(g(v)))
    if kind == 2:
        return Expression(tr_sin(a.node) - b.node, lambda v: np.sin(f(v)) - g(v))
    if kind == 3:
        return Expression(tr_sum([a.node, 0.5, b.node]), lambda v: f(v) + 0.5 + g(v))
    return Expression(tr_where(True, a.node, b.node), f)


def test_random_expressions_over_the_nodes_of_all_threads() -> None:
    before = _native.arena_usage()[0]
    leaves = [0.3 + 0.1 * k for k in range(THREADS)]
    pool: list[Expression] = []
    results: list[tuple[Expression, list[float]]] = []
    nodes = [in_thread(lambda value=value: TRNode.parameter(value)) for value in leaves]
    for number, node in enumerate(nodes):
        pool.append(Expression(node, lambda v, number=number: v[number]))

    def work(number: int) -> None:
        series = random.Random(number)
        own = pool[number]
        for _ in range(200):
            # Shallow ones, so that the formula is cheap.
            other = series.choice(pool[:THREADS] + pool[-8:])
            made = combined(series, own, other) if series.random() < 0.5 else other
            if made is not other:
                if series.random() < 0.3:
                    pool.append(made)
                found = _native.gradients_of(made.node, list(nodes), None)
                slopes = [0.0 if each is None else float(each[0]) for each in found]
                results.append((made, slopes))

    run_all(work, THREADS)
    values = dict(enumerate(leaves))
    assert len(results) > 200
    for made, gradients in results[:: max(1, len(results) // 150)]:
        assert float(made.node.value) == pytest.approx(made.formula(values), rel=1e-12)
        for number, gradient in enumerate(gradients):
            step = 1e-6
            above, below = dict(values), dict(values)
            above[number] += step
            below[number] -= step
            slope = (made.formula(above) - made.formula(below)) / (2 * step)
            assert gradient == pytest.approx(slope, abs=1e-6, rel=1e-6)
    assert [float(node.value) for node in nodes] == leaves
    del pool[:], results[:], nodes[:], node, made
    assert _native.arena_usage()[0] == before


def test_a_thread_that_works_by_itself_gets_what_it_gets_alone() -> None:
    def series(number: int) -> list[Any]:
        w = TRNode.parameter(0.1 * number)
        found = []
        for k in range(300):
            x = TRNode.input(0.01 * k)
            y = tr_exp(w * x) / (x - 1.0) + tr_sin(w)
            y.backward()
            w.assign(float(w.value) - 1e-3)
            found.append((bits(y.value), bits(w.gradient), x.gradient_status))
        return found

    alone = [series(number) for number in range(THREADS)]
    together: list[Any] = [None] * THREADS

    def work(number: int) -> None:
        together[number] = series(number)

    run_all(work, THREADS)
    assert together == alone


def test_threads_that_met_part_again() -> None:
    """What is made after a meeting depends on nothing that was made before."""
    w = TRNode.parameter(2.0)
    w.zero_grad()

    def work(number: int) -> None:
        for k in range(200):
            x = TRNode.parameter(float(k))
            product = w * x
            product.backward()
            assert x.gradient == 2.0
            y = TRNode.parameter(3.0)
            (y * y).backward()
            assert y.gradient == 6.0

    run_all(work, THREADS)
    assert w.gradient == THREADS * sum(range(200))


def test_a_node_keeps_its_hash_and_its_place_in_a_dict() -> None:
    w = TRNode.parameter(1.5, name="w")
    strangers = [in_thread(lambda k=k: TRNode.parameter(2.0 + k)) for k in range(3)]
    known = {node: number for number, node in enumerate([w, *strangers])}
    hashes = [hash(node) for node in known]
    y = w * strangers[0] + strangers[1] * strangers[2]
    assert [hash(node) for node in known] == hashes
    assert [known[leaf] for product in y.inputs for leaf in product.inputs] == [0, 1, 2, 3]


def test_nodes_are_dropped_by_other_threads_while_they_are_used() -> None:
    before = _native.arena_usage()[0]
    shared: list[TRNode] = [TRNode.parameter(1.0) for _ in range(THREADS)]

    def work(number: int) -> None:
        series = random.Random(number)
        for _ in range(1500):
            place = series.randrange(THREADS)
            node = shared[place]
            shared[series.randrange(THREADS)] = tr_tanh(node * 0.5 + shared[number])
            if series.random() < 0.05:
                shared[place] = TRNode.parameter(series.random())
            if series.random() < 0.05 and node.requires_grad:
                node.backward()

    run_all(work, THREADS)
    assert all(node.tag.name == "REAL" for node in shared)
    del shared[:]
    assert _native.arena_usage()[0] == before


def test_second_derivatives_by_nodes_of_two_threads() -> None:
    def by_x(y: TRNode) -> TRNode:
        return tr_grad(lambda x: in_thread(lambda: x * x * y))(0.5)

    assert tr_grad(by_x)(in_thread(lambda: TRNode.parameter(2.0))) == 1.0


def test_a_tape_of_one_thread_sees_what_another_records() -> None:
    with gradient_tape() as tape:
        x = TRNode.parameter(3.0)
        tape.watch(x)
        y = in_thread(lambda: x * x)
    assert tape.gradient(y, x) == 6.0


def test_backward_in_a_function_is_refused_for_nodes_of_other_threads() -> None:
    weights = [in_thread(lambda: TRNode.parameter(2.0)) for _ in range(2)]

    def outer(depends: bool) -> Callable[[TRNode], TRNode]:
        def function(u: TRNode) -> TRNode:
            p = TRNode.parameter(0.5)
            inner = p * p
            (inner * weights[0] if depends else inner).backward()
            return u * p.gradient

        return function

    assert tr_grad(outer(False))(2.0) == 1.0
    with pytest.raises(NotImplementedError, match="tr_grad"):
        tr_grad(outer(True))(2.0)

    def meets_first(u: TRNode) -> TRNode:
        product = u * weights[1]
        p = TRNode.parameter(0.5)
        (p * p).backward()
        return product * p.gradient

    assert tr_grad(meets_first)(2.0) == 2.0


def test_origins_of_both_threads_are_told() -> None:
    infinite = in_thread(lambda: 1.0 / TRNode.parameter(0.0, name="q"))
    y = TRNode.parameter(2.0) * infinite
    assert "q" in str(y.explain()) or "1.0 / TRNode" in str(y.explain())
    copy = infinite.detach()
    assert (copy * 2.0).tag is tr_node.TRNode.constant(float("inf")).tag


def test_settings_of_the_process_are_changed_together() -> None:
    def work(number: int) -> None:
        for k in range(2000):
            if number == 0:
                GradientModeConfig.set_saturation_bound(1.0 + k)
            elif number == 1:
                GradientModeConfig.set_local_threshold(1.0 + k)
            else:
                (TRNode.parameter(1.0) * 2.0).backward()

    try:
        run_all(work, THREADS)
        assert GradientModeConfig.get_saturation_bound() == 2000.0
        assert GradientModeConfig.get_local_threshold() == 2000.0
    finally:
        GradientModeConfig.reset()


def test_one_batched_function_for_all_threads() -> None:
    function = tr_vmap(lambda x, w: tr_sin(x * w) / (x - 0.5))
    w = np.array(1.5)
    inputs = [np.linspace(0.0, 1.0, 11 + 3 * k) for k in range(THREADS)]
    function = tr_vmap(function.__wrapped__, in_axes=(0, None))
    want = [np.asarray(function(x, w).to_ieee()).tobytes() for x in inputs]
    fresh = tr_vmap(function.__wrapped__, in_axes=(0, None))

    def work(number: int) -> None:
        for _ in range(50):
            assert np.asarray(fresh(inputs[number], w).to_ieee()).tobytes() == want[number]

    run_all(work, THREADS)


@pytest.mark.skipif(not FREE_THREADED, reason="an interpreter with a GIL")
def test_the_package_leaves_the_gil_off() -> None:
    program = "import sys, zeroproof; print(sys._is_gil_enabled())"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHON_GIL"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "False\n", done.stderr
