"""Warnings about old names, which work for one release more."""

from __future__ import annotations

import warnings

__all__ = ["warn_renamed"]


def warn_renamed(old: str, new: str) -> None:
    """Warns that a name has changed, at the line that calls the caller.

    Args:
        old: the name used.
        new: the name to use.
    """
    message = f"{old} is now {new}; the old name will be removed in the next release"
    warnings.warn(message, DeprecationWarning, stacklevel=3)
