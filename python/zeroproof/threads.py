"""The number of threads of batched calls. Results do not depend on it."""

from __future__ import annotations

import os
from operator import index
from typing import Optional, SupportsIndex

from . import _native

__all__ = ["get_num_threads", "set_num_threads"]

_VARIABLE = "ZEROPROOF_NUM_THREADS"
_setting = os.environ.get(_VARIABLE, "")
_threads: Optional[int] = None


def set_num_threads(n: SupportsIndex) -> None:
    """Sets the largest number of threads of a batched call, for the whole process.

    Small batches use fewer.

    Args:
        n: at least 1.

    Raises:
        TypeError: if it is not an int.
        ValueError: if it is below 1.
    """
    global _threads
    count = index(n)
    if count < 1:
        raise ValueError(f"the number of threads must be at least 1, not {count}")
    _threads = count


def get_num_threads() -> int:
    """The largest number of threads of a batched call.

    The default is the value of the environment variable ``ZEROPROOF_NUM_THREADS`` when zeroproof
    was imported, else the number of cores available to the process.

    Raises:
        ValueError: if the environment variable is not an int from 1 up.
    """
    global _threads
    if _threads is None:
        _threads = _from_environment(_setting) if _setting else _native.available_cores()
    return _threads


def _from_environment(setting: str) -> int:
    if not (setting.isascii() and setting.isdigit() and int(setting) >= 1):
        raise ValueError(
            f"the environment variable {_VARIABLE} must be an int from 1 up, not {setting!r}"
        )
    return int(setting)
