"""What is left out of gradients, in any array library: a module with ``where`` and ``isfinite``."""

from __future__ import annotations

from typing import Any

from .namespace import Elements

__all__ = ["finite", "sum_of_samples"]


def finite(library: Any, x: Elements) -> Elements:
    """The numbers, 0 for those that are not finite: an infinity would meet a 0."""
    return library.where(library.isfinite(x), x, 0.0)


def sum_of_samples(library: Any, rows: Elements) -> Elements:
    """The sum over the first axis, infinite only if it is too large itself."""
    total = rows.sum(0)
    scaled = (rows * 2.0**-40).sum(0) * 2.0**40
    return library.where(library.isfinite(total), total, scaled)
