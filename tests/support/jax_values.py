"""JAX for tests: with 64 bits, and off again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def with_64_bits(on: bool = True) -> Iterator[None]:
    """A block in which JAX has float64, or has not."""
    import jax

    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", on)
    try:
        yield
    finally:
        jax.config.update("jax_enable_x64", before)
