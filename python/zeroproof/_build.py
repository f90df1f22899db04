"""Facts about the installed build, for reports of bugs."""

from __future__ import annotations

import platform
import sys
import sysconfig

import numpy as np

from . import _native
from .native import native_code
from .threads import get_num_threads


def build_facts() -> dict[str, str]:
    """What a report of a bug should say about this process, by name."""
    native = native_code()
    free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    python = f"{platform.python_implementation()} {platform.python_version()}"
    try:
        threads = str(get_num_threads())
    except ValueError as error:  # of the environment variable
        threads = str(error)
    return {
        "engine": f"{_native.__version__}, {_native.__file__}",
        "native code": native.vectors or f"off: {native.reason}",
        "threads": threads,
        "Python": f"{python}{' without the GIL' if free_threaded else ''}, {sys.executable}",
        "NumPy": np.__version__,
        "platform": platform.platform(),
    }
