"""``jax.numpy`` as an array library of the replay.

XLA computes with ordinary reals in mind: it fuses products with sums, makes ``x`` of
``log(exp(x))`` and a product of a quotient whose divisor it knows. Each of these changes tags. What
keeps it from that here is a selection that changes nothing: ``where(isnan(x), NaN, x)``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ..replay.finite import finite
from ..replay.namespace import Elements, Undifferentiated

__all__ = ["JaxNumpy", "Plain"]

_FORMATS = {"float64": (jnp.int64, 52, 1023), "float32": (jnp.int32, 23, 127)}


class JaxNumpy:
    """The functions of ``jax.numpy``, for arrays of float64 and float32."""

    where = staticmethod(jnp.where)
    isfinite = staticmethod(jnp.isfinite)
    isnan = staticmethod(jnp.isnan)
    signbit = staticmethod(jnp.signbit)
    abs = staticmethod(jnp.abs)
    sqrt = staticmethod(jnp.sqrt)
    floor = staticmethod(jnp.floor)
    ceil = staticmethod(jnp.ceil)
    round = staticmethod(jnp.rint)
    exp = staticmethod(jnp.exp)
    expm1 = staticmethod(jnp.expm1)
    log = staticmethod(jnp.log)
    log2 = staticmethod(jnp.log2)
    log10 = staticmethod(jnp.log10)
    sin = staticmethod(jnp.sin)
    cos = staticmethod(jnp.cos)
    tan = staticmethod(jnp.tan)
    asin = staticmethod(jnp.arcsin)
    acos = staticmethod(jnp.arccos)
    atan = staticmethod(jnp.arctan)
    atan2 = staticmethod(jnp.arctan2)
    tanh = staticmethod(jnp.tanh)
    asinh = staticmethod(jnp.arcsinh)
    acosh = staticmethod(jnp.arccosh)
    pow = staticmethod(jnp.power)
    fmod = staticmethod(jnp.fmod)
    zeros_like = staticmethod(jnp.zeros_like)
    broadcast_to = staticmethod(jnp.broadcast_to)
    constant = staticmethod(lax.stop_gradient)

    @staticmethod
    def log1p(x: Elements) -> Elements:
        """ln(1 + x); that of ``jax.numpy`` is off by up to 128 ulp near −0.4."""
        found: Elements = _log1p(x)
        return found

    @staticmethod
    def exponent(x: Elements) -> Elements:
        """⌊log₂|x|⌋ of normal numbers, from their bits."""
        integer, digits, bias = _FORMATS[x.dtype.name]
        bits = lax.bitcast_convert_type(lax.stop_gradient(x), integer)
        mask = (1 << (8 if digits == 23 else 11)) - 1
        return (((bits >> digits) & mask) - bias).astype(x.dtype)

    @staticmethod
    def power_of_two(n: Elements) -> Elements:
        """2ⁿ, from its bits."""
        integer, digits, bias = _FORMATS[n.dtype.name]
        bits = (lax.stop_gradient(n).astype(integer) + bias) << digits
        return lax.bitcast_convert_type(bits, n.dtype)

    @staticmethod
    def rounded(x: Elements) -> Elements:
        """The same numbers, between which and what follows XLA simplifies nothing."""
        return jnp.where(jnp.isnan(x), jnp.nan, x)

    @staticmethod
    def divide(a: Elements, b: Elements) -> Elements:
        """The quotient by a divisor that XLA does not know."""
        return a / jnp.where(jnp.isnan(a), jnp.nan, b)

    @staticmethod
    def stack(arrays: Sequence[Elements]) -> Elements:
        """Arrays side by side."""
        return jnp.stack(arrays, axis=-1)

    @staticmethod
    def as_status(flags: Elements) -> Elements:
        """Booleans as uint8."""
        return flags.astype(jnp.uint8)

    @staticmethod
    def full(like: Elements, value: float) -> Elements:
        """A number of the type of an array."""
        return jnp.asarray(value, like.dtype)

    @staticmethod
    def numbers(like: Elements) -> str:
        """The type of the elements."""
        name = str(np.dtype(like.dtype).name)
        if name not in _FORMATS:
            raise TypeError(f"the replay takes arrays of float64 or float32, not {name}")
        return name

    @staticmethod
    def local(
        results: tuple[Elements, ...],
        function: Callable[..., tuple[Elements, ...]],
        safe: Sequence[float],
        *operands: Elements,
    ) -> tuple[Elements, ...]:
        """Results whose derivatives are those of a function of the operands."""
        given: Any = jax.custom_vjp(lambda results, operands: results)

        def keep(results: Any, operands: Any) -> Any:
            return results, (results, operands)

        def back(kept: Any, adjoints: Any) -> Any:
            results, operands = kept
            is_safe = _all_finite([*results, *operands])
            inside = [jnp.where(is_safe, x, other) for x, other in zip(operands, safe)]
            along = [jnp.where(is_safe, finite(jnp, g), 0.0) for g in adjoints]
            if len(inside) <= 3:
                totals = []
                for place in range(len(inside)):
                    ones = [jnp.ones_like(x) * (k == place) for k, x in enumerate(inside)]
                    partials = jax.jvp(function, inside, ones)[1]
                    terms = [finite(jnp, finite(jnp, p) * g) for p, g in zip(partials, along)]
                    totals.append(sum(terms[1:], terms[0]))
            else:
                found = jax.vjp(function, *inside)[1](tuple(along))
                totals = [finite(jnp, each) for each in found]
            summed = tuple(_summed_to(t, x.shape) for t, x in zip(totals, operands))
            return tuple(map(jnp.zeros_like, results)), summed

        given.defvjp(keep, back)
        constants = tuple(lax.stop_gradient(result) for result in results)
        found: tuple[Elements, ...] = given(constants, operands)
        return found

    @staticmethod
    def node(
        value: Elements, partials: Callable[[], tuple[Elements, ...]], *operands: Elements
    ) -> Elements:
        """A value whose derivatives by the operands are given."""
        given: Any = jax.custom_vjp(lambda value, factors, operands: value)

        def keep(value: Any, factors: Any, operands: Any) -> Any:
            return value, (value, factors, operands)

        def back(kept: Any, adjoint: Any) -> Any:
            value, factors, operands = kept
            # What is not finite is left out, here and above: an infinity would meet a 0.
            g = finite(jnp, adjoint)
            found = tuple(
                _summed_to(finite(jnp, factor * g), x.shape) for factor, x in zip(factors, operands)
            )
            return jnp.zeros_like(value), tuple(map(jnp.zeros_like, factors)), found

        given.defvjp(keep, back)
        factors = tuple(lax.stop_gradient(factor) for factor in partials())
        found: Elements = given(lax.stop_gradient(value), factors, operands)
        return found


class Plain(Undifferentiated, JaxNumpy):
    """The same functions for results that nobody differentiates."""


def _log1p_value(x: Elements) -> Elements:
    """With what rounding took from 1 + x made good by the ratio of x to what is left of it."""
    u = JaxNumpy.rounded(1.0 + x)
    # Far out the ratio is 1.
    is_plain = (u == 1.0) | (jnp.abs(x) > 1e9) | ~(x > -1.0)
    ratio = jnp.where(is_plain, 1.0, x / jnp.where(is_plain, 1.0, u - 1.0))
    return jnp.where(u == 1.0, x, jnp.log(u) * ratio)


_log1p = jax.custom_jvp(_log1p_value)
_log1p.defjvps(lambda tangent, _, x: tangent / (1.0 + x))


def _all_finite(arrays: Sequence[Elements]) -> Elements:
    found = jnp.isfinite(arrays[0])
    for array in arrays[1:]:
        found = found & jnp.isfinite(array)
    return found


def _summed_to(g: Elements, shape: tuple[int, ...]) -> Elements:
    """An adjoint of what was broadcast, summed to this shape."""
    g = jnp.broadcast_to(g, jnp.broadcast_shapes(g.shape, shape))
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    wide = tuple(k for k, extent in enumerate(shape) if extent == 1 and g.shape[k] != 1)
    return g.sum(axis=wide, keepdims=True) if wide else g
