"""Where batches are cut: at the leaves of the tree of sums."""

from __future__ import annotations

from operator import index
from typing import Any, SupportsIndex

import numpy as np

#: The samples of a leaf.
LEAF = 8192
#: The most samples of all parts together.
MOST = 1 << 62


def first_sample(start: Any) -> int:
    """The number of a part's first sample.

    Raises:
        TypeError: if it is no integer.
        ValueError: if no part may begin there.
    """
    if isinstance(start, (bool, np.bool_)):
        raise TypeError(f"start must be the number of a sample, not {start!r}")
    try:
        first = index(start)
    except TypeError:
        raise TypeError(f"start must be the number of a sample, not {start!r}") from None
    if first % LEAF or not 0 <= first < MOST:
        below = max(first, 0) // LEAF * LEAF
        raise ValueError(
            f"start must be a multiple of {LEAF}, not {first}: sums over samples can be cut there "
            f"alone, for instance at {below} or {below + LEAF}"
        )
    return first


def cuts(samples: SupportsIndex, parts: SupportsIndex) -> list[slice]:
    """Slices of about the same size that begin at leaves; see ``Partial.cuts``."""
    count, most = index(samples), index(parts)
    if count < 0:
        raise ValueError(f"the number of samples must not be negative, not {count}")
    if most < 1:
        raise ValueError(f"the number of parts must be at least 1, not {most}")
    leaves = -(-count // LEAF)
    most = max(1, min(most, leaves))
    ends = [leaves * part // most * LEAF for part in range(most + 1)]
    return [slice(first, min(end, count)) for first, end in zip(ends, ends[1:])]
