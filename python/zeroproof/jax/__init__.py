"""Functions with poles inside of JAX programs: the extra ``jax``."""

try:
    import jax as _jax
except ImportError as error:
    raise ImportError('zeroproof.jax needs JAX: pip install "zeroproof-autodiff[jax]"') from error

from ._function import Function, function
from ._namespace import JaxNumpy

__all__ = ["Function", "JaxNumpy", "function"]

del _jax
