"""The state of an optimizer, checked before any of it is used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

import numpy as np

from .._arrays import Array

__all__ = ["checked_state"]


def checked_state(
    state: Any, expected: dict[str, Any], moments: tuple[str, ...]
) -> tuple[int, Optional[float], dict[str, Array]]:
    """The steps, the learning rate and the moments of a state.

    Args:
        state: the state to load.
        expected: the state of the optimizer that loads it.
        moments: the names of its moments.

    Raises:
        TypeError: if the state is no mapping.
        ValueError: if it does not belong to the optimizer, or is damaged.
    """
    if not isinstance(state, Mapping):
        raise TypeError(f"a state is a dict of state_dict(), not {type(state).__name__}")
    for name in expected:
        if name not in state and name != "lr":
            raise ValueError(
                f"the state has no {name!r}: it is not one of state_dict(), or damaged"
            )
    loaded = {
        name: state[name] if name in moments else _plain(state[name])
        for name in expected
        if name in state
    }
    if loaded["format"] != expected["format"]:
        raise ValueError(
            f"the state is of format {loaded['format']!r}, but this version reads format "
            f"{expected['format']}"
        )
    _compare_parameters(loaded["parameters"], expected["parameters"])
    for name, value in expected.items():
        if name in moments or name in ("format", "parameters", "steps", "lr"):
            continue
        if loaded[name] != value:
            raise ValueError(
                f"the state has {name}={loaded[name]!r}, but the optimizer {name}={value!r}"
            )
    steps = loaded["steps"]
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 0:
        raise ValueError(f"the number of steps in the state must be 0 or more, not {steps!r}")
    rate = loaded.get("lr")
    is_number = isinstance(rate, (int, float)) and not isinstance(rate, bool)
    if rate is not None and not (is_number and 0.0 <= rate < np.inf):
        raise ValueError(f"the lr of the state must be a finite number, at least 0, not {rate!r}")
    found = {name: _moment(loaded[name], name, len(expected[name])) for name in moments}
    return steps, None if rate is None else float(rate), found


def _plain(value: Any) -> Any:
    """Arrays, as ``numpy.load`` gives them for everything, as Python values."""
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value


def _compare_parameters(loaded: Any, expected: list[str]) -> None:
    if loaded == expected:
        return
    if not isinstance(loaded, list) or len(loaded) != len(expected):
        size = len(loaded) if isinstance(loaded, list) else repr(loaded)
        raise ValueError(
            f"the state is of other parameters: of {size} leaves, but the optimizer has "
            f"{len(expected)}"
        )
    before, now = next((a, b) for a, b in zip(loaded, expected) if a != b)
    raise ValueError(f"the state is of other parameters: of {before}, but the optimizer has {now}")


def _moment(value: Any, name: str, size: int) -> Array:
    try:
        vector = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name!r} of the state must be numbers") from None
    if vector.shape != (size,):
        raise ValueError(
            f"{name!r} of the state has the shape {vector.shape}, but there are {size} elements"
        )
    sound = np.isfinite(vector).all() and (name not in ("square", "updates") or vector.min() >= 0.0)
    if not sound or (name == "updates" and (vector != np.floor(vector)).any()):
        raise ValueError(f"{name!r} of the state has numbers out of range")
    return vector
