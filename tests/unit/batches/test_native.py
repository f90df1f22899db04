"""Native code of batched calls: turning it off, what it says of itself, and its results."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest

import zeroproof as zp
from zeroproof import TRNode, tr_vmap

RNG = np.random.default_rng(11)
SAMPLES = 40_000


@pytest.fixture(autouse=True)
def _native() -> Iterator[None]:
    yield
    zp.set_native(True)


def loss(x: TRNode, y: TRNode) -> TRNode:
    ratio = (1.0 + x * (0.5 - 0.3 * x)) / (y * y - 0.25)
    return zp.tr_where(zp.tr_less(x, y), ratio, zp.tr_exp(ratio * 1e-3)) ** 2


def run_in_new_process(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_no_result_depends_on_it() -> None:
    x, y = RNG.uniform(-1, 1, (2, SAMPLES))
    y[::97] = 0.5  # poles
    batched = tr_vmap(loss)
    results = []
    for on in (False, True):
        zp.set_native(on)
        value, gradients = batched.value_and_grad(x, y, argnums=(0, 1))
        results.append([np.asarray(value.to_ieee()), *map(np.asarray, gradients)])
    for interpreted, native in zip(*results):
        np.testing.assert_array_equal(interpreted, native)


def test_turned_off_and_on() -> None:
    zp.set_native(False)
    assert not zp.native_code()
    assert zp.native_code().vectors is None
    assert zp.native_code().reason == "it is turned off by set_native"
    zp.set_native(True)
    code = zp.native_code()
    assert (code.vectors is None) != (code.reason is None)
    assert code.vectors in (None, "AVX2", "AVX-512")


def test_only_a_bool_turns_it_on() -> None:
    with pytest.raises(TypeError):
        zp.set_native("no")  # type: ignore[arg-type]


def test_the_environment_turns_it_off() -> None:
    code = "import zeroproof as zp; print(zp.native_code().reason)"
    assert (
        run_in_new_process(code, ZEROPROOF_NATIVE="0") == "it is turned off by ZEROPROOF_NATIVE=0"
    )
    assert "ZEROPROOF_NATIVE" not in run_in_new_process(code, ZEROPROOF_NATIVE="1")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_it_runs_in_a_forked_process() -> None:
    code = """
import os
import numpy as np
import zeroproof as zp
f = zp.tr_vmap(lambda x: 1.0 / (x + 2.0))
x = np.linspace(-1, 1, 20_000)
zp.set_num_threads(2)
before = f(x).to_ieee()
child = os.fork()
if child == 0:
    os._exit(0 if np.array_equal(before, f(x).to_ieee()) else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert run_in_new_process(code) == "0"
