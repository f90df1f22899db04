"""Parameters of tests that run with ``--slow`` only."""

from __future__ import annotations

from typing import Any

import pytest

__all__ = ["slow"]


def slow(*values: Any) -> list[Any]:
    """The values, marked slow: ``[1, *slow(2, 3)]``. A tuple is one set of parameters."""
    return [
        pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=pytest.mark.slow)
        for value in values
    ]
