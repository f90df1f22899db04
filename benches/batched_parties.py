"""What ``batched.py`` compares: zeroproof, JAX, NumPy by hand, and a loop fused by hand in Rust.

A party offers a call for each workload that it takes part in. All calls work on the same numbers
and return the same, value first and then the gradients, so that they can be checked against each
other.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Optional

import numpy as np
import numpy.typing as npt

import zeroproof
from zeroproof.autodiff import BatchedFunction, tr_cos, tr_sin, tr_vmap

PER_SAMPLE = "rational, value and d/dx"
"""Of each sample; numerator and denominator have degree 3."""
MEAN = "rational, mean and 7 gradients"
ARM = "arm, value and 4 gradients"
"""Of each sample: the loss of a two-link arm, with five sines and cosines and a division."""

FOREARM = 0.8
DELTA = 1e-2
"""A sample is near its pole within this distance."""

Array = npt.NDArray[np.float64]
Call = Callable[[], Any]


def loss(theta: Any, phi: Any, x: Any, t: Any) -> Any:
    p = theta[0] + x * (theta[1] + x * (theta[2] + x * theta[3]))
    q = 1.0 + x * (phi[0] + x * (phi[1] + x * phi[2]))
    return (p / q - t) ** 2


def arm_loss(sin: Callable[[Any], Any], cos: Callable[[Any], Any]) -> Callable[..., Any]:
    """The squared distance of the arm's tip from a target over the sine of the elbow angle."""

    def loss_of_arm(a: Any, b: Any, tx: Any, ty: Any) -> Any:
        dx = cos(a) + FOREARM * cos(a + b) - tx
        dy = sin(a) + FOREARM * sin(a + b) - ty
        return (dx**2 + dy**2) / sin(b)

    return loss_of_arm


@dataclass
class Inputs:
    """The numbers that all parties work on."""

    theta: Array
    phi: Array
    x: Array
    t: Array
    arm: tuple[Array, Array, Array, Array]

    @property
    def rational(self) -> tuple[Array, Array, Array, Array]:
        return self.theta, self.phi, self.x, self.t


def make_inputs(samples: int, near: float = 0.0) -> Inputs:
    """Random inputs; a share ``near`` of the rational ones lies within δ of the pole at x = −1."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-0.9, 1.0, samples)
    chosen = rng.random(samples) < near
    # The denominator is (1 + x)(1 + x²/4).
    x[chosen] = -1.0 + 0.7 * DELTA * rng.uniform(0.1, 1.0, int(chosen.sum()))
    t, tx, ty = rng.uniform(0.0, 1.0, (3, samples))
    arm = (rng.uniform(-1.0, 1.0, samples), rng.uniform(0.2, 2.2, samples), tx, ty)
    return Inputs(np.array([1.0, 0.5, -0.3, 0.2]), np.array([1.0, 0.25, 0.25]), x, t, arm)


@dataclass
class Party:
    """A library, or a way to write the derivatives by hand."""

    name: str
    calls: dict[str, Call] = field(default_factory=dict)
    missing: str = ""
    """Why it does not take part."""


class Jax:
    """JAX with float64 on the processor; it uses the cores that are left to the process."""

    def __init__(self) -> None:
        import jax

        jax.config.update("jax_platforms", "cpu")
        jax.config.update("jax_enable_x64", True)
        self._jax = jax
        self.version: str = jax.__version__

    def functions(self) -> dict[str, Callable[..., Any]]:
        """The functions of the workloads, to be compiled."""
        jax, axes = self._jax, (None, None, 0, 0)
        batched = jax.vmap(loss, in_axes=axes)
        arm = arm_loss(jax.numpy.sin, jax.numpy.cos)

        def mean(*args: Any) -> Any:
            return batched(*args).mean()

        return {
            PER_SAMPLE: jax.jit(jax.vmap(jax.value_and_grad(loss, 2), in_axes=axes)),
            MEAN: jax.jit(jax.value_and_grad(mean, (0, 1))),
            ARM: jax.jit(jax.vmap(jax.value_and_grad(arm, (0, 1, 2, 3)))),
        }

    def party(self, inputs: Inputs) -> Party:
        """The compiled functions, on arrays that are on the device already."""
        jax, functions = self._jax, self.functions()
        rational, arm = (
            [jax.block_until_ready(jax.numpy.asarray(array)) for array in arrays]
            for arrays in (inputs.rational, inputs.arm)
        )

        def call(workload: str) -> Call:
            args = arm if workload == ARM else rational
            return lambda: jax.block_until_ready(functions[workload](*args))

        return Party(f"JAX {self.version}", {workload: call(workload) for workload in functions})

    def first_call(self, inputs: Inputs, workload: str) -> tuple[Call, Call]:
        """A preparation that forgets all compiled code, and a call that compiles and runs."""
        jax = self._jax
        args = [jax.numpy.asarray(array) for array in inputs.rational]
        return jax.clear_caches, lambda: jax.block_until_ready(self.functions()[workload](*args))


def numpy_party(inputs: Inputs) -> Party:
    """The derivatives written by hand, in whole-array operations."""
    theta, phi, x, t = inputs.rational

    def quotient() -> tuple[Array, Array, Array]:
        p = theta[0] + x * (theta[1] + x * (theta[2] + x * theta[3]))
        q = 1.0 + x * (phi[0] + x * (phi[1] + x * phi[2]))
        r = p / q
        return r, r - t, q

    def per_sample() -> Any:
        r, d, q = quotient()
        p_slope = theta[1] + x * (2.0 * theta[2] + x * (3.0 * theta[3]))
        q_slope = phi[0] + x * (2.0 * phi[1] + x * (3.0 * phi[2]))
        return d * d, 2.0 * d / q * (p_slope - r * q_slope)

    def mean() -> Any:
        r, d, q = quotient()
        to_p = 2.0 * d / q
        to_q = -to_p * r
        square = x * x
        cube = square * x
        by_theta = [to_p.mean(), *((to_p * power).mean() for power in (x, square, cube))]
        by_phi = [(to_q * power).mean() for power in (x, square, cube)]
        return (d * d).mean(), np.array(by_theta), np.array(by_phi)

    return Party(f"NumPy {np.__version__} by hand", {PER_SAMPLE: per_sample, MEAN: mean})


@dataclass
class HandFused:
    """The loops of ``hand_fused.rs``, compiled."""

    name: str
    library: Any = None
    missing: str = ""

    @classmethod
    def compiled(cls, name: str, directory: Path, *options: str) -> HandFused:
        """Compiled into the directory with these options, if there is a compiler."""
        if shutil.which("rustc") is None:
            return cls(name, missing="no rustc found")
        library = directory / f"{name}.so"
        source = Path(__file__).with_name("hand_fused.rs")
        command = ["rustc", "--edition", "2024", "--crate-type", "cdylib", *options]
        done = subprocess.run([*command, "-o", library, source], capture_output=True, text=True)
        if done.returncode != 0:
            return cls(name, missing="rustc failed: " + done.stderr.strip().partition("\n")[0])
        return cls(name, ctypes.CDLL(str(library)))

    def party(self, inputs: Inputs, threads: int) -> Party:
        """The loops on so many threads."""
        if self.missing:
            return Party(self.name, missing=self.missing)
        samples = len(inputs.x)
        value, derivative, sums = np.empty(samples), np.empty(samples), np.empty(8)

        def run(function: Any, *outputs: Array) -> None:
            arrays = (*inputs.rational, *outputs)
            pointers = [ctypes.c_void_p(array.ctypes.data) for array in arrays]
            function(ctypes.c_size_t(threads), ctypes.c_size_t(samples), *pointers)

        def per_sample() -> Any:
            run(self.library.rational_per_sample, value, derivative)
            return value, derivative

        def mean() -> Any:
            run(self.library.rational_sums, sums)
            return sums / samples

        return Party(self.name, {PER_SAMPLE: per_sample, MEAN: mean})


def rational() -> BatchedFunction:
    return tr_vmap(loss, in_axes=(None, None, 0, 0))


class Zeroproof:
    """The workloads on zeroproof, on given inputs."""

    def __init__(self, inputs: Inputs, coordinate: Optional[str] = None) -> None:
        self._inputs, self._coordinate = inputs, coordinate
        self._rational, self._arm = rational(), tr_vmap(arm_loss(tr_sin, tr_cos))
        self._out = [np.empty(len(inputs.x)) for _ in range(5)]

    def per_sample(self, out: Any = None) -> Any:
        args, coordinate = self._inputs.rational, self._coordinate
        return self._rational.value_and_grad(*args, argnums=2, out=out, coordinate=coordinate)

    def mean(self) -> Any:
        args, coordinate = self._inputs.rational, self._coordinate
        return self._rational.value_and_grad(
            *args, argnums=(0, 1), reduce="mean", coordinate=coordinate
        )

    def arm(self, out: Any = None) -> Any:
        return self._arm.value_and_grad(*self._inputs.arm, argnums=(0, 1, 2, 3), out=out)

    def parties(self) -> list[Party]:
        value, *gradients = self._out
        into_given = {
            PER_SAMPLE: lambda: self.per_sample((value, gradients[0])),
            ARM: lambda: self.arm((value, gradients)),
        }
        own = {PER_SAMPLE: self.per_sample, MEAN: self.mean, ARM: self.arm}
        return [Party("zeroproof", own), Party("zeroproof, out=", into_given)]


def numbers(result: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    """All numbers of a result, in order."""
    if isinstance(result, (tuple, list)):
        return np.concatenate([numbers(part) for part in result])
    if isinstance(result, zeroproof.TRScalar):
        result = result.value
    return np.asarray(result, dtype=np.float64).ravel()


def check(parties: list[Party], workload: str) -> None:
    """All parties must come to the same numbers before they are timed."""
    expected, *others = [
        (party.name, numbers(party.calls[workload]()))
        for party in parties
        if workload in party.calls
    ]
    scale = np.abs(expected[1]).max()
    for name, found in others:
        if not np.allclose(found, expected[1], rtol=1e-9, atol=1e-12 * scale):
            raise SystemExit(f"{name} disagrees with {expected[0]} on {workload}")
