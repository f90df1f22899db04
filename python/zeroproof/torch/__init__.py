"""Functions with poles inside of PyTorch models: the extra ``torch``."""

try:
    import torch as _torch
except ImportError as error:
    raise ImportError(
        'zeroproof.torch needs PyTorch: pip install "zeroproof-autodiff[torch]"'
    ) from error

from ._function import Function, function
from ._namespace import Torch
from ._rational import Rational

__all__ = ["Function", "Rational", "Torch", "function"]

del _torch
