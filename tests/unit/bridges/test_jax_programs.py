"""``zeroproof.jax.function`` inside of what JAX programs are made of."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax", reason="JAX is not installed")

import jax.numpy as jnp  # noqa: E402

from zeroproof import jax as bridge  # noqa: E402

DEVICE = pytest.mark.parametrize("device", [False, True], ids=["host", "device"])
X = np.array([0.0, 1.0, 2.0, 4.0])
#: Of 2/x, the first sample on the pole.
VALUES, SLOPES = [0.0, 2.0, 1.0, 0.5], [0.0, -2.0, -0.5, -0.125]


def ratio(x: Any, p: Any) -> Any:
    return p["w"] / x


def function(device: bool) -> Any:
    return bridge.function(ratio, (0, None), device=device, nan_policy="fill")


@DEVICE
def test_jit_of_vmap_of_grad_and_dictionaries(device: bool) -> None:
    fn = function(device)
    each = jax.grad(lambda x, p: fn(x[None], p)[0], argnums=(0, 1))
    by_x, by_p = jax.jit(jax.vmap(each, (0, None)))(X, {"w": 2.0})
    assert by_x.tolist() == SLOPES
    assert by_p["w"].tolist() == [0.0, 1.0, 0.5, 0.25]


@DEVICE
def test_checkpoints_scans_and_branches(device: bool) -> None:
    fn, p = function(device), {"w": 2.0}

    def scanned(x: Any) -> Any:
        return jax.lax.scan(lambda total, x: (total + fn(x[None], p)[0], total), 0.0, x)[0]

    assert jax.jit(jax.grad(scanned))(jnp.asarray(X)).tolist() == SLOPES
    kept = jax.grad(lambda p: jax.checkpoint(lambda p: fn(X, p).sum())(p))(p)
    assert float(kept["w"]) == 1.75
    chosen = jax.grad(lambda x: jax.lax.cond(True, lambda x: fn(x, p).sum(), lambda x: x.sum(), x))(
        jnp.asarray(X)
    )
    assert chosen.tolist() == SLOPES


@DEVICE
def test_copies_and_pickles_are_traced_anew(device: bool) -> None:
    fn = function(device)
    fn(X, {"w": 2.0})
    for other in (copy.deepcopy(fn), pickle.loads(pickle.dumps(fn))):
        assert other(X, {"w": 2.0}).tolist() == VALUES


ON_TWO_DEVICES = """
import jax, jax.numpy as jnp, numpy as np
from jax.sharding import Mesh, PartitionSpec as P
from zeroproof import jax as bridge

shard_map = getattr(jax, "shard_map", None)
if shard_map is None:
    from jax.experimental.shard_map import shard_map
mesh = Mesh(np.array(jax.devices()), ("s",))
assert mesh.size == 2
x = jnp.array([0.0, 1.0, 2.0, 4.0])
for device in False, True:
    fn = bridge.function(lambda x, p: p["w"] / x, (0, None), device=device, nan_policy="fill")
    p, shards = {"w": 2.0}, dict(mesh=mesh, in_specs=(P(), P("s")), out_specs=P("s"))
    sharded = shard_map(lambda p, x: fn(x, p), **shards)
    print(sharded(p, x).tolist(), float(jax.jit(jax.grad(lambda p: sharded(p, x).sum()))(p)["w"]))
    slopes = shard_map(lambda p, x: jax.grad(lambda x: fn(x, p).sum())(x), **shards)
    print(slopes(p, x).tolist(), float(jax.grad(lambda p: (slopes(p, x) ** 2).sum())(p)["w"]))
    print(jax.pmap(lambda x: fn(x, p))(x.reshape(2, 2)).tolist())
"""


@pytest.mark.slow
def test_arrays_in_shards_on_two_devices() -> None:
    """By w: Σ 1/x, and of Σ slopes² = w²·Σ 1/x⁴, which is 2w·Σ 1/x⁴."""
    done = subprocess.run(
        [sys.executable, "-c", "import os\n" + FLAGS + ON_TWO_DEVICES],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    lines = [f"{VALUES} 1.75", f"{SLOPES} 4.265625", f"{[VALUES[:2], VALUES[2:]]}"]
    assert done.stdout.splitlines() == lines * 2


FLAGS = """
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"
"""
