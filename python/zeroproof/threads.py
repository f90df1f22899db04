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
_default: Optional[int] = None

#: More threads than this are never of use, and count as this many.
_MOST = 1024


def set_num_threads(n: SupportsIndex) -> None:
    """Sets the largest number of threads of a batched call, for the whole process.

    Small batches use fewer.

    Args:
        n: at least 1; more than 1024 count as 1024.

    Raises:
        TypeError: if it is not an int.
        ValueError: if it is below 1.

    Examples:
        >>> from zeroproof import get_num_threads, set_num_threads
        >>> before = get_num_threads()
        >>> set_num_threads(1)
        >>> get_num_threads()
        1
        >>> set_num_threads(before)
    """
    global _threads
    count = index(n)
    if count < 1:
        raise ValueError(f"the number of threads must be at least 1, not {count}")
    _threads = min(count, _MOST)


def get_num_threads() -> int:
    """The largest number of threads of a batched call.

    The default is the value of the environment variable ``ZEROPROOF_NUM_THREADS`` when zeroproof
    was imported, else the number of cores available to the process; 1024 at most.

    Raises:
        ValueError: if the environment variable is not an int from 1 up.

    Examples:
        >>> from zeroproof import get_num_threads
        >>> get_num_threads() >= 1
        True
    """
    global _default
    threads = _threads
    if threads is not None:
        return threads
    if _default is None:  # apart, since another thread may set the number meanwhile
        count = _from_environment(_setting) if _setting else _native.available_cores()
        _default = min(count, _MOST)
    return _default


def _from_environment(setting: str) -> int:
    digits = setting.lstrip("0")
    if not (setting.isascii() and setting.isdigit() and digits):
        raise ValueError(
            f"the environment variable {_VARIABLE} must be an int from 1 up, not {setting!r}"
        )
    # Python reads no int of very many digits.
    return int(digits) if len(digits) <= len(str(_MOST)) else _MOST
