"""A traced program replayed in the operations of an array library, forward and in reverse."""

from .mode import Mode
from .namespace import Namespace
from .numpy_namespace import NumPy
from .replay import Pulled, Replay, compile

__all__ = ["Mode", "Namespace", "NumPy", "Pulled", "Replay", "compile"]
