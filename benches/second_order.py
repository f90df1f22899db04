"""Derivatives forward and second derivatives: what they cost beside values and gradients, and JAX.

python benches/second_order.py [--samples N] [--rounds N] [--threads N]

Prints a table for each function and at the end whether the goals are met. All in float64 and one
process, contenders interleaved round by round; times are medians and minima over the rounds. What
is compared is computed by the same function at the same numbers, and looked at before it is timed.

The functions are the loss of a rational function of degree 3/3, by its seven coefficients or by its
variable, and the loss of a two-link arm, by its four numbers. Batches write to given arrays, as a
loop that calls them again and again would. JAX is compiled beforehand, its arrays are on the device
and its results waited for; without JAX the rest runs.
"""

from __future__ import annotations

import argparse
import platform
from collections.abc import Iterator
from typing import Any, Callable

import numpy as np
from batched_parties import Call, Inputs, arm_loss, loss, make_inputs, numbers
from machine import processor
from racing import Contender, Goal, race, ratio
from settings import confine, parse

import zeroproof
from zeroproof import tr_cos, tr_grad, tr_hessian, tr_hvp, tr_jvp, tr_sin, tr_vmap

Calls = dict[str, Call]

RATIONAL = "rational loss, 7 coefficients"
VARIABLE = "rational loss, variable"
MEAN = "mean of the rational loss, 7 coefficients"
ARM = "loss of the arm, 4 numbers"


def directions(inputs: Inputs) -> tuple[Any, ...]:
    """A direction for the coefficients, for the variable, and for the numbers of the arm."""
    rng = np.random.default_rng(1)
    coefficients = (rng.normal(size=4), rng.normal(size=3))
    arm = tuple(rng.normal(size=len(inputs.x)) for _ in range(4))
    return coefficients, rng.normal(size=len(inputs.x)), arm


def zeroproof_calls(inputs: Inputs) -> dict[str, Calls]:
    """The calls on zeroproof's batches, by function and by what is computed."""
    rational = tr_vmap(loss, in_axes=(None, None, 0, 0))
    arm = tr_vmap(arm_loss(tr_sin, tr_cos))
    coefficients, variable, numbers_of_arm = directions(inputs)
    n = len(inputs.x)

    def calls(
        batched: Any, args: tuple[Any, ...], argnums: Any, v: Any, gradients: Any, size: int
    ) -> Calls:
        value, derivative = np.empty(n), np.empty(n)
        products: Any = (
            tuple(np.empty_like(each) for each in gradients)
            if isinstance(gradients, tuple)
            else np.empty_like(gradients)
        )
        hessian = np.empty((n, size, size))
        return {
            "value": lambda: batched(*args, out=value),
            "jvp": lambda: batched.jvp(args, v, argnums=argnums, out=(value, derivative)),
            "gradient": lambda: batched.value_and_grad(
                *args, argnums=argnums, out=(value, gradients)
            ),
            "hvp": lambda: batched.hvp(args, v, argnums=argnums, out=products),
            "Hessian": lambda: batched.hessian(*args, argnums=argnums, out=hessian),
        }

    args = inputs.rational
    of_arm = tuple(np.empty(n) for _ in range(4))
    return {
        RATIONAL: calls(
            rational, args, (0, 1), coefficients, (np.empty((n, 4)), np.empty((n, 3))), 7
        ),
        VARIABLE: calls(rational, args, 2, variable, np.empty(n), 1),
        MEAN: {
            "gradient": lambda: rational.value_and_grad(*args, argnums=(0, 1), reduce="mean"),
            "hvp": lambda: rational.hvp(args, coefficients, argnums=(0, 1), reduce="mean"),
            "Hessian": lambda: rational.hessian(*args, argnums=(0, 1), reduce="mean"),
        },
        ARM: calls(arm, inputs.arm, (0, 1, 2, 3), numbers_of_arm, of_arm, 4),
    }


def jax_calls(inputs: Inputs) -> dict[str, Calls]:
    """The same on JAX, compiled.

    Raises:
        ImportError: if there is none.
    """
    import jax

    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)
    coefficients, variable, numbers_of_arm = directions(inputs)
    arm = arm_loss(jax.numpy.sin, jax.numpy.cos)

    def of_all(c: Any, x: Any, t: Any) -> Any:
        return loss(c[:4], c[4:], x, t)

    def mean(c: Any, x: Any, t: Any) -> Any:
        return jax.vmap(of_all, (None, 0, 0))(c, x, t).mean()

    def of_numbers(numbers: Any) -> Any:
        return arm(*numbers)

    def jvp(f: Callable[..., Any], primals: Any, tangents: Any) -> Any:
        return jax.jvp(f, primals, tangents)

    def call(f: Callable[..., Any], *args: Any) -> Call:
        compiled = jax.jit(f)
        given = [jax.block_until_ready(jax.numpy.asarray(each)) for each in args]
        return lambda: jax.block_until_ready(compiled(*given))

    theta, phi, x, t = inputs.rational
    c, v = np.concatenate([theta, phi]), np.concatenate(coefficients)
    rows, row_directions = np.stack(inputs.arm, axis=1), np.stack(numbers_of_arm, axis=1)

    def along(f: Callable[..., Any], which: int) -> Callable[..., Any]:
        def derivative(c: Any, x: Any, t: Any, v: Any) -> Any:
            args = [c, x, t]

            def of_one(one: Any) -> Any:
                return f(*args[:which], one, *args[which + 1 :])

            return jvp(of_one, (args[which],), (v,))

        return derivative

    def product(f: Callable[..., Any], which: int) -> Callable[..., Any]:
        gradient = along(jax.grad(f, which), which)
        return lambda *args: gradient(*args)[1]

    shared, own = (None, 0, 0, None), (None, 0, 0, 0)
    return {
        RATIONAL: {
            "value": call(jax.vmap(of_all, (None, 0, 0)), c, x, t),
            "jvp": call(jax.vmap(along(of_all, 0), shared), c, x, t, v),
            "gradient": call(jax.vmap(jax.value_and_grad(of_all), (None, 0, 0)), c, x, t),
            "hvp": call(jax.vmap(product(of_all, 0), shared), c, x, t, v),
            "Hessian": call(jax.vmap(jax.hessian(of_all), (None, 0, 0)), c, x, t),
        },
        VARIABLE: {
            "value": call(jax.vmap(of_all, (None, 0, 0)), c, x, t),
            "jvp": call(jax.vmap(along(of_all, 1), own), c, x, t, variable),
            "gradient": call(jax.vmap(jax.value_and_grad(of_all, 1), (None, 0, 0)), c, x, t),
            "hvp": call(jax.vmap(product(of_all, 1), own), c, x, t, variable),
            "Hessian": call(jax.vmap(jax.hessian(of_all, 1), (None, 0, 0)), c, x, t),
        },
        MEAN: {
            "gradient": call(jax.value_and_grad(mean), c, x, t),
            "hvp": call(product(mean, 0), c, x, t, v),
            "Hessian": call(jax.hessian(mean), c, x, t),
        },
        ARM: {
            "value": call(jax.vmap(arm), *inputs.arm),
            "jvp": call(
                jax.vmap(lambda row, v: jvp(of_numbers, (row,), (v,))), rows, row_directions
            ),
            "gradient": call(jax.vmap(jax.value_and_grad(of_numbers)), rows),
            "hvp": call(
                jax.vmap(lambda row, v: jvp(jax.grad(of_numbers), (row,), (v,))[1]),
                rows,
                row_directions,
            ),
            "Hessian": call(jax.vmap(jax.hessian(of_numbers)), rows),
        },
    }


def check(own: Call, jax: Call, what: str) -> None:
    """Refuses to time what differs."""
    a, b = (np.sort(numbers(call())) for call in (own, jax))
    np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6 * np.abs(b).max(), err_msg=what)


def show(title: str, racers: dict[str, Contender], unit: float, name: str) -> None:
    print(f"\n{title}")
    for label, racer in racers.items():
        times = f"{racer.median * unit:10.2f} {name} median {racer.least * unit:10.2f} least"
        print(f"  {label:28} {times}")


def batches(settings: argparse.Namespace) -> Iterator[Goal]:
    """Batches beside each other and JAX."""
    inputs = make_inputs(settings.samples)
    own = zeroproof_calls(inputs)
    try:
        jax = jax_calls(inputs)
    except ImportError:
        jax = {}
    sizes = {RATIONAL: 7, VARIABLE: 1, MEAN: 7, ARM: 4}
    for function, calls in own.items():
        racers = {f"zeroproof {what}": Contender(call) for what, call in calls.items()}
        for what, call in jax.get(function, {}).items():
            if what in ("hvp", "Hessian"):
                check(calls[what], call, f"{what}, {function}")
            racers[f"JAX {what}"] = Contender(call)
        race(racers, settings.rounds)
        show(f"{function}, {settings.samples:,} samples", racers, 1e3, "ms")

        def goal(a: str, b: str, limit: float, at_least: bool = False) -> Goal:
            measured = ratio(racers.get(a), racers.get(b))  # noqa: B023 - called in this round
            return Goal(f"{function}: {a} / {b}", measured, limit, at_least)  # noqa: B023

        if "jvp" in calls:
            yield goal("zeroproof jvp", "zeroproof value", 2.5)
            yield goal("JAX jvp", "zeroproof jvp", 1, True)
        yield goal("zeroproof hvp", "zeroproof gradient", 4)
        yield goal("zeroproof Hessian", "zeroproof gradient", sizes[function] + 3)
        yield goal("JAX hvp", "zeroproof hvp", 1, True)
        yield goal("JAX Hessian", "zeroproof Hessian", 1, True)


def scalars(settings: argparse.Namespace) -> Iterator[Goal]:
    """Single calls: derivatives beside a gradient of the same function."""
    point = np.array([1.0, 0.5, -0.3, 0.2, 1.0, 0.25, 0.25, 0.4])
    v = np.random.default_rng(2).normal(size=point.size)

    def f(p: Any) -> Any:
        return loss(p[:4], p[4:7], p[7], 0.3)

    racers = {
        "tr_grad": Contender(lambda: tr_grad(f)(point), repeats=200),
        "tr_jvp": Contender(lambda: tr_jvp(f, (point,), (v,)), repeats=200),
        "tr_hvp": Contender(lambda: tr_hvp(f, point, v), repeats=200),
        "tr_hessian": Contender(lambda: tr_hessian(f)(point), repeats=200),
    }
    race(racers, settings.rounds)
    show("rational loss by 8 numbers, single calls", racers, 1e6, "µs")
    for name, limit in (("tr_jvp", 2.5), ("tr_hvp", 4), ("tr_hessian", point.size + 3)):
        measured = ratio(racers[name], racers["tr_grad"])
        yield Goal(f"single calls: {name} / tr_grad", measured, limit, False)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=1)
    return parse(parser, samples=1, rounds=9, threads=1)


def main() -> None:
    settings = arguments()
    confine(settings)
    versions = f"zeroproof {zeroproof.__version__}, Python {platform.python_version()}"
    print(f"{versions}, {processor()}; threads: {settings.threads}, {settings.rounds} rounds")
    goals = [*batches(settings), *scalars(settings)]
    print("\ngoals")
    for goal in goals:
        print(goal)


if __name__ == "__main__":
    main()
