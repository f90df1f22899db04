"""NumPy as an array library of the replay: the one that the others are held to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .namespace import Elements, Undifferentiated

__all__ = ["NumPy"]


class NumPy(Undifferentiated):
    """NumPy's functions. Nothing here differentiates; callers silence NumPy's warnings."""

    where = staticmethod(np.where)
    isfinite = staticmethod(np.isfinite)
    isnan = staticmethod(np.isnan)
    signbit = staticmethod(np.signbit)
    abs = staticmethod(np.abs)
    sqrt = staticmethod(np.sqrt)
    floor = staticmethod(np.floor)
    ceil = staticmethod(np.ceil)
    round = staticmethod(np.rint)
    exp = staticmethod(np.exp)
    expm1 = staticmethod(np.expm1)
    log = staticmethod(np.log)
    log1p = staticmethod(np.log1p)
    log2 = staticmethod(np.log2)
    log10 = staticmethod(np.log10)
    sin = staticmethod(np.sin)
    cos = staticmethod(np.cos)
    tan = staticmethod(np.tan)
    asin = staticmethod(np.arcsin)
    acos = staticmethod(np.arccos)
    atan = staticmethod(np.arctan)
    atan2 = staticmethod(np.arctan2)
    tanh = staticmethod(np.tanh)
    asinh = staticmethod(np.arcsinh)
    acosh = staticmethod(np.arccosh)
    pow = staticmethod(np.power)
    fmod = staticmethod(np.fmod)
    divide = staticmethod(np.divide)
    zeros_like = staticmethod(np.zeros_like)
    broadcast_to = staticmethod(np.broadcast_to)

    @staticmethod
    def is_concrete(arrays: Sequence[Elements]) -> bool:
        """Yes."""
        return True

    @staticmethod
    def spoiled(total: Elements, x: Elements) -> Elements:
        """The total, NaN where x is not finite."""
        return total + x * 0.0

    @staticmethod
    def least(least: Elements, x: Elements) -> Elements:
        """The smaller magnitude."""
        return np.minimum(least, np.abs(x))

    @staticmethod
    def exponent(x: Elements) -> Elements:
        """⌊log₂|x|⌋ of normal numbers."""
        return (np.frexp(x)[1] - 1).astype(np.result_type(x))

    @staticmethod
    def power_of_two(n: Elements) -> Elements:
        """2ⁿ."""
        n = np.asarray(n)
        return np.ldexp(n.dtype.type(1), n.astype(np.int32))

    @staticmethod
    def constant(x: Elements) -> Elements:
        """The same numbers."""
        return x

    @staticmethod
    def rounded(x: Elements) -> Elements:
        """The same numbers, which NumPy rounds."""
        return x

    @staticmethod
    def stack(arrays: Sequence[Elements]) -> Elements:
        """Arrays side by side."""
        return np.stack(arrays, axis=-1)

    @staticmethod
    def as_status(flags: Elements) -> Elements:
        """Booleans as uint8."""
        return np.asarray(flags).astype(np.uint8)

    @staticmethod
    def full(like: Elements, value: float) -> Elements:
        """A number of the type of an array."""
        return np.asarray(value, np.result_type(like))

    @staticmethod
    def numbers(like: Elements) -> str:
        """The type of the elements."""
        name = np.result_type(like).name
        if name not in ("float64", "float32"):
            raise TypeError(f"the replay takes arrays of float64 or float32, not {name}")
        return name
