"""A model as JSON text, and back."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, Optional, TypeVar

import numpy as np

from .basis import MOST_TERMS, Features

__all__ = ["model", "text"]

FORMAT, VERSION = "zeroproof.RationalModel", 1
M = TypeVar("M")


def text(model: Any) -> str:
    """The text of a model.

    Raises:
        ValueError: if a coefficient is not finite.
    """
    arrays = {name: array.tolist() for name, array in model.parameters().items()}
    if not all(np.isfinite(array).all() for array in model.parameters().values()):
        raise ValueError("a model whose coefficients are not all finite cannot be saved")
    named = isinstance(model.features, str) or all(
        isinstance(item, str) for item in _listed(model.features)
    )
    content = {
        "format": FORMAT,
        "version": VERSION,
        "inputs": model.inputs,
        "outputs": model.outputs,
        "degree": list(model.degree),
        "shared_denominator": model.shared_denominator,
        "features": model.features if named else None,
        "domain": model.domain,
        "denominator_inputs": model.denominator_inputs,
        **arrays,
    }
    return json.dumps(content, indent=1) + "\n"


def _listed(features: Any) -> list[Any]:
    return [features] if callable(features) else list(features)


def model(make: Callable[..., M], text: str, features: Optional[Features]) -> M:
    """The model of a text.

    Raises:
        ValueError: if it is none, of a newer version or damaged, or if it needs functions.
    """
    try:
        content = json.loads(text)
    except ValueError:
        raise ValueError("the file is not JSON, so it is not a saved RationalModel") from None
    except RecursionError:
        raise ValueError("the file is no saved RationalModel: it is nested too deep") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError("the file is JSON, but not a saved RationalModel")
    if content.get("version") != VERSION:
        raise ValueError(
            f"the file is of version {content.get('version')!r}, but this release reads version "
            f"{VERSION}: save the model again, or use the release that saved it"
        )
    saved = content.get("features")
    if saved is None and features is None:
        raise ValueError(
            "the model has features that are functions: pass them, load(path, features=…)"
        )
    if saved is not None and features is not None:
        raise ValueError(f"the model has the features {saved!r}: leave features out")
    try:
        _check_size(content)
        made: Any = make(
            content["inputs"],
            content["outputs"],
            tuple(content["degree"]),
            shared_denominator=content["shared_denominator"],
            features=features if saved is None else saved,
            domain=content["domain"],
            denominator_inputs=content["denominator_inputs"],
        )
        for name, array in made.parameters().items():
            values = np.array(content[name], dtype=object)
            if values.shape != array.shape or not all(map(_is_finite, values.flat)):
                raise ValueError(f"{name} should be finite, of the shape {array.shape}")
            array[...] = values
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"the file is a damaged RationalModel: {error}") from None
    result: M = made
    return result


def _check_size(content: dict[str, Any]) -> None:
    """Refuses a small file that asks for a large model."""
    inputs, rows = content["inputs"], content["numerator"]
    if type(inputs) is int and inputs > MOST_TERMS:
        raise ValueError(f"inputs should be at most {MOST_TERMS}")
    if type(rows) is not list or len(rows) != content["outputs"]:
        raise ValueError("numerator should have a row for each output")


def _is_finite(value: Any) -> bool:
    """Whether it is a number that a double holds; converting an int may overflow."""
    try:
        return type(value) in (int, float) and math.isfinite(value)
    except OverflowError:
        return False
