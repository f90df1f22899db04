"""One traced function as JAX sees it: values and gradients, differentiable once more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy.typing as npt

from .._bridging import held, representable, rounded
from ..replay import Mode, Replay
from ..replay import compile as compile_replay
from ..replay.finite import finite, sum_of_samples
from ._host import Host
from ._manual import gradients_like, varying_as
from ._namespace import JaxNumpy, Plain

__all__ = ["Pull", "Values", "on_device", "on_host"]

Arrays = tuple[Any, ...]
#: Arguments to an array of values, a column for each output.
Values = Callable[[Arrays], Any]
#: Arguments and adjoints to gradients and statuses.
Pull = Callable[[Arrays, Any], tuple[Arrays, Arrays]]


def on_device(source: Any, coordinate: Any, mode: Mode, own: Sequence[bool]) -> tuple[Values, Pull]:
    """The function replayed in operations of ``jax.numpy``.

    Args:
        source: the program.
        coordinate: the place of the argument that exploration regions refer to, or None.
        mode: the gradient mode.
        own: whether each argument has an axis of samples.
    """
    # Most gradients are not differentiated: these cost a fraction to compile.
    plain = compile_replay(source, Plain(), coordinate)
    differentiable = compile_replay(source, JaxNumpy(), coordinate)

    def pull(arguments: Arrays, adjoints: Any, replay: Replay = plain) -> tuple[Arrays, Arrays]:
        pulled = replay.vjp(arguments, adjoints, mode)
        gradients, statuses = [], []
        for gradient, status, each in zip(pulled.gradients, pulled.statuses, own):
            gradients.append(gradient if each else sum_of_samples(jnp, gradient))
            statuses.append(status if each else jnp.bitwise_or.reduce(status, axis=0))
        return tuple(gradients), tuple(statuses)

    def second(arguments: Arrays, adjoints: Any, weights: Arrays) -> tuple[Arrays, Any]:
        def gradients(arguments: Arrays, adjoints: Any) -> Arrays:
            return pull(arguments, adjoints, differentiable)[0]

        # Each device adds up its own samples: scales differ between devices.
        given = (arguments, adjoints, weights)
        arguments, adjoints, weights = varying_as(given, jax.tree.leaves(given))
        scale = _scale(weights)
        small = tuple(finite(jnp, weight) / scale for weight in weights)
        found = jax.vjp(gradients, arguments, adjoints)[1](small)
        by_arguments, by_adjoints = found
        products = tuple(finite(jnp, each * scale) for each in by_arguments)
        return products, finite(jnp, by_adjoints * scale)

    compiled = jax.jit(pull)
    gradients = _once_more(lambda *given: compiled(*given)[0], jax.jit(second))
    return _differentiable(jax.jit(plain.forward), gradients), compiled


def on_host(host: Host, mode: Mode) -> tuple[Values, Pull]:
    """The function called back by JAX on the host, in float64."""

    def forward(arguments: Arrays) -> Any:
        kind = jnp.result_type(*arguments)
        shape = jax.ShapeDtypeStruct(_columns(host, arguments), kind)

        def call(*arrays: Any) -> npt.NDArray[Any]:
            return rounded(host.values(*arrays), kind)

        values = jax.pure_callback(call, shape, *arguments, vmap_method="expand_dims")
        return varying_as(values, arguments)

    def pull(arguments: Arrays, adjoints: Any) -> tuple[Arrays, Arrays]:
        shapes = (
            tuple(jax.ShapeDtypeStruct(each.shape, each.dtype) for each in arguments),
            tuple(jax.ShapeDtypeStruct(each.shape, jnp.uint8) for each in arguments),
        )

        def call(*arrays: Any) -> tuple[Any, Any]:
            gradients, statuses = host.pulled(mode, *arrays)
            found = [
                representable(gradient, status, each.dtype)
                for gradient, status, each in zip(gradients, statuses, arguments)
            ]
            return tuple(g for g, _ in found), tuple(s for _, s in found)

        found: tuple[Arrays, Arrays] = varying_as(
            jax.pure_callback(call, shapes, *arguments, adjoints, vmap_method="expand_dims"),
            [*arguments, adjoints],
        )
        return found

    def second(arguments: Arrays, adjoints: Any, weights: Arrays) -> tuple[Arrays, Any]:
        shapes = (
            tuple(jax.ShapeDtypeStruct(each.shape, each.dtype) for each in arguments),
            jax.ShapeDtypeStruct(adjoints.shape, adjoints.dtype),
        )

        def call(*arrays: Any) -> tuple[Any, Any]:
            by_arguments, by_adjoints = host.products(mode, *arrays)
            kinds = [each.dtype for each in arguments]
            found = tuple(map(held, by_arguments, kinds))
            return found, held(by_adjoints, adjoints.dtype)

        given = [*arguments, adjoints, *weights]
        products: tuple[Arrays, Any] = varying_as(
            jax.pure_callback(call, shapes, *given, vmap_method="expand_dims"), given
        )
        return products

    gradients = _once_more(lambda *given: pull(*given)[0], second)
    return _differentiable(forward, gradients), pull


def _once_more(
    gradients: Callable[[Arrays, Any], Arrays],
    second: Callable[[Arrays, Any, Arrays], tuple[Arrays, Any]],
) -> Callable[[Arrays, Any], Arrays]:
    """Gradients with their derivatives as rule, and no others."""
    products: Any = jax.custom_vjp(second)

    def refuse(*given: Any) -> Any:
        raise NotImplementedError(
            "zeroproof.jax has first and second derivatives; this asks for a third one"
        )

    products.defvjp(refuse, refuse)
    found: Any = jax.custom_vjp(gradients)

    def keep(arguments: Arrays, adjoints: Any) -> tuple[Arrays, tuple[Arrays, Any]]:
        # Through the rule, as below.
        return found(arguments, adjoints), (arguments, adjoints)

    def back(kept: tuple[Arrays, Any], weights: Arrays) -> Any:
        arguments, adjoints = kept
        by_arguments, by_adjoints = products(arguments, adjoints, weights)
        (by_adjoints,) = gradients_like([by_adjoints], [adjoints])
        return gradients_like(by_arguments, arguments), by_adjoints

    found.defvjp(keep, back)
    made: Callable[[Arrays, Any], Arrays] = found
    return made


def _differentiable(forward: Values, gradients: Callable[[Arrays, Any], Arrays]) -> Values:
    """The values with their gradients as rule."""
    values: Any = jax.custom_vjp(forward)

    def keep(arguments: Arrays) -> tuple[Any, Arrays]:
        # Through the rule, so that what is computed from them can be differentiated once more.
        return values(arguments), arguments

    def back(arguments: Arrays, adjoints: Any) -> tuple[Arrays]:
        return (gradients_like(gradients(arguments, adjoints), arguments),)

    values.defvjp(keep, back)
    found: Values = values
    return found


def _columns(host: Host, arguments: Arrays) -> tuple[int, int]:
    samples = next(array.shape[0] for array, own in zip(arguments, host.per_sample) if own)
    return samples, host.outputs


def _scale(weights: Arrays) -> Any:
    """A power of 2 by which weights become at most 1, so that no product on the way overflows."""
    largest = jnp.stack([jnp.max(jnp.abs(finite(jnp, weight)), initial=0.0) for weight in weights])
    exponent = jnp.frexp(jnp.max(largest))[1]
    return jnp.ldexp(jnp.ones((), largest.dtype), jnp.maximum(exponent, 0))
