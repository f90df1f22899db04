"""Without memory there is a MemoryError, everything is as before, and the process goes on.

Each case has an interpreter of its own, whose address space is limited.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

if not sys.platform.startswith("linux"):
    pytest.skip("address spaces are limited on Linux only", allow_module_level=True)

PROLOGUE = """
import resource

import numpy as np

from zeroproof import _native, tr_where
from zeroproof.autodiff import tr_vmap
from zeroproof.autodiff.gradient_tape import gradient_tape
from zeroproof.autodiff.tr_node import TRNode
from zeroproof.autodiff.tr_ops_grad import tr_sin, tr_sum
from zeroproof.threads import set_num_threads


def limit(mebibytes):
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + (mebibytes << 20), resource.RLIM_INFINITY))


def refused(work):
    try:
        work()
    except MemoryError as error:
        return str(error)
    raise AssertionError("it was not refused")


def slopes(function, points):
    return function.value_and_grad(points)[1]


def check_arena():
    x = TRNode.parameter(3.0)
    y = tr_sum([x * x, 1.0 / x, x.detach()])
    y.backward()
    assert x.gradient == 6.0 - 1.0 / 9.0
    assert gradient_tape().gradient(y, x) == x.gradient
    dead = TRNode.parameter(1.0)
    chosen = tr_where(True, x * x, dead)
    (chosen * chosen).backward()
    assert x.gradient == 114.0 - 1.0 / 9.0 and dead.gradient == 0.0
    x.value = 2.0
    assert (x * x).value == 4.0


def check_batch():
    points = np.linspace(-2.0, 2.0, 20_001)
    assert np.array_equal(tr_vmap(lambda x: x * x)(points).to_ieee(), points * points)
    gradient = slopes(tr_vmap(lambda x: 1.0 / x), points)
    assert np.allclose(gradient[points != 0.0], -1.0 / points[points != 0.0] ** 2, rtol=1e-15)


check_batch()
"""


def run(work: str) -> str:
    """What a program prints, in its own interpreter."""
    program = PROLOGUE + textwrap.dedent(work)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_a_graph_that_grows() -> None:
    run(
        """
        limit(150)
        x = TRNode.parameter(0.5)
        tail = [x]

        def grow():
            while True:
                tail[0] = tail[0] * x

        told = refused(grow)
        assert told.startswith("there is no memory for more nodes")
        assert refused(lambda: tail[0] * x) == told
        whole = tail[0]
        assert whole.value == 0.0 and whole.inputs[1].value == 0.5
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert _native.arena_usage()[0] > 1_000_000
        del whole
        tail.clear()
        check_arena()
        """
    )


def test_handles_and_leaves() -> None:
    run(
        """
        limit(100)
        for make in (TRNode.constant, TRNode.parameter):
            kept = []

            def grow():
                while True:
                    kept.append(make(1.0))

            refused(grow)
            assert len(kept) > 100_000 and kept[-1].value == 1.0
            kept.clear()
            check_arena()
        """
    )


def test_passes() -> None:
    run(
        """
        x = TRNode.parameter(0.5)
        y = x
        for _ in range(2_000_000):
            y = y + x
        limit(8)
        refused(y.backward)
        assert x.gradient is None
        refused(lambda: gradient_tape().gradient(y, x))
        refused(y.explain)
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert gradient_tape().gradient(y, x) == 2_000_001.0
        y.backward()
        assert x.gradient == 2_000_001.0
        check_arena()
        """
    )


NEW_NODES = {
    "a choice of a node": "tr_where(True, x, q)",
    "a choice of a number": "tr_where(False, q, 1.0)",
    "a choice among gradients": "tr_where(True, gradient, 1.0)",
    "an alias": "_native.alias(x)",
    "a gradient": "_native.gradient_node(1.0, 0, True, True)",
    "a gradient that was masked": "_native.gradient_node(1.0, 1, True, False)",
    "of a gradient": "gradient * 2.0",
    "what is watched": "_native.watch(TRNode.constant(1.0))",
}


@pytest.mark.parametrize("node", NEW_NODES.values(), ids=NEW_NODES.keys())
def test_nodes_of_other_kinds(node: str) -> None:
    """The arena is full to the last row, so that each of them meets the refusal."""
    run(
        f"""
        x, q = TRNode.parameter(0.5), TRNode.parameter(2.0)
        gradient = _native.gradient_node(3.0, 0, True, True)
        limit(24)
        tail = [x]

        def grow():
            while True:
                tail[0] = tail[0] * x

        told = refused(grow)

        def made():
            kept = []
            while True:
                kept.append({node})

        # A row or two may be left for nodes that take less.
        assert refused(made) == told
        assert refused(made) == told
        assert (x.value, q.value, gradient.value) == (0.5, 2.0, 3.0)
        assert x.gradient is None and q.gradient is None
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        made = {node}
        y = tail[0] * 0.0 + x * 3.0
        y.backward()
        assert x.gradient == 3.0 and q.gradient is None
        del y
        tail.clear()
        check_arena()
        """
    )


def test_chains_of_choices() -> None:
    run(
        """
        x, q = TRNode.parameter(0.5), TRNode.parameter(2.0)
        limit(100)
        tail = [x, q]

        def grow():
            while True:
                tail[1] = tail[1] * q
                tail[0] = tr_where(True, tail[0], tail[1])

        told = refused(grow)
        assert told.startswith("there is no memory for more nodes")
        y = tail[0]
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert _native.arena_usage()[0] > 500_000
        tail.clear()
        limit(2)
        refused(y.backward)
        assert x.gradient is None and q.gradient is None
        refused(lambda: _native.gradients_of(y, [x, q], None))
        refused(y.explain)
        refused(lambda: y.explain(wrt=q))
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert _native.gradients_of(y, [x, q], None) == [(1.0, 0), (0.0, 0)]
        y.backward()
        assert x.gradient == 1.0 and q.gradient == 0.0
        assert y.explain(wrt=q).depends
        check_arena()
        """
    )


def test_a_sum_of_many() -> None:
    run(
        """
        x = TRNode.parameter(0.5)
        many = [x] * 4_000_000
        limit(40)
        refused(lambda: tr_sum(many))
        check_arena()
        assert tr_sum(many[:1000]).value == 500.0
        """
    )


def test_a_program_that_grows() -> None:
    run(
        """
        limit(100)
        length = [0]

        def endless(x):
            y = x
            while True:
                y = y * x
                length[0] += 1

        refused(lambda: tr_vmap(endless)(np.ones(3)))
        assert length[0] > 100_000
        check_batch()
        """
    )


def test_an_argument_of_many_numbers() -> None:
    run(
        """
        numbers = np.ones((1, 20_000_000))
        limit(200)
        refused(lambda: tr_vmap(lambda x: x[0])(numbers))
        check_batch()
        """
    )


def test_compiling_a_long_program() -> None:
    run(
        """
        def chain(x):
            y = x
            for _ in range(200_000):
                y = tr_sin(y) * x
            return y

        function = tr_vmap(chain)
        function(np.ones(3))
        limit(60)
        refused(lambda: slopes(function, np.ones(3)))
        check_batch()
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert np.all(np.isfinite(slopes(function, np.ones(3))))
        """
    )


CHAINED = """
def chained(x):
    outputs = []
    for _ in range({outputs}):
        x = x * 1.0001 + x * x
        outputs.append(x)
    return outputs
"""


def test_a_jacobian_of_chained_outputs_has_a_budget() -> None:
    told = run(
        CHAINED.format(outputs=3000)
        + textwrap.dedent(
            """
            limit(1100)
            function = tr_vmap(chained)
            print(refused(lambda: function.jacobian(np.zeros(3))))
            check_batch()
            fewer = tr_vmap(lambda x: chained(x)[:200])
            assert fewer.jacobian(np.zeros(3)).shape == (3, 200, 1)
            """
        )
    )
    assert "the derivatives of 3000 outputs do not fit the 512 MiB" in told
    assert "return fewer outputs per call" in told


def test_a_jacobian_that_memory_is_too_small_for() -> None:
    run(
        CHAINED.format(outputs=1000)
        + textwrap.dedent(
            """
            function = tr_vmap(chained)
            function(np.zeros(3))
            limit(60)
            refused(lambda: function.jacobian(np.zeros(3)))
            check_batch()
            """
        )
    )


def test_a_batch_on_many_threads() -> None:
    run(
        """
        set_num_threads(64)

        def wide(x):
            terms = [tr_sin(x * float(k)) for k in range(3000)]
            return sum(terms[1:], terms[0]) + sum((1.0 / t for t in terms), terms[0])

        function, points = tr_vmap(wide), np.linspace(0.1, 0.2, 64 * 8192)
        few = points[:100]
        expected, expected_slopes = function(few).to_ieee(), slopes(function, few)
        limit(20)
        try:
            found = slopes(function, points)
        except MemoryError:
            pass
        else:
            assert np.array_equal(found[:100], expected_slopes)
        check_batch()
        assert np.array_equal(function(few).to_ieee(), expected)
        """
    )
