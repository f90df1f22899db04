"""Rational functions as JSON text: stable, with a version, every double kept to the bit."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

__all__ = ["FORMAT", "VERSION", "dumped", "loaded"]

FORMAT = "zeroproof.Rational"
VERSION = 1


def _listed(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # which float() reads, and JSON has no number for
    if isinstance(value, dict):
        return {key: _listed(each) for key, each in value.items()}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, tuple):
        return list(value)
    return value


def dumped(fields: dict[str, Any]) -> str:
    """The text, with keys in their order; doubles as the shortest decimals that give them back."""
    content = {"format": FORMAT, "version": VERSION}
    content.update({key: _listed(value) for key, value in fields.items()})
    return json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def loaded(text: str, origin: str) -> dict[str, Any]:
    """The fields of a text.

    Raises:
        ValueError: if it is no such text, or of a later version.
    """
    try:
        content = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{origin} is not JSON: {error}") from None
    except RecursionError:
        raise ValueError(f"{origin} is no saved Rational: it is nested too deep") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"{origin} was not written by Rational.save: its format is not {FORMAT!r}")
    if content.get("version") != VERSION:
        raise ValueError(
            f"{origin} has version {content.get('version')!r} of the format, but this release "
            f"reads version {VERSION}; update zeroproof"
        )
    return {key: value for key, value in content.items() if key not in ("format", "version")}
