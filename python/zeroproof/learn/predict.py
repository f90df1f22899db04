"""The command ``zeroproof predict``: values of a model that ``learn --out`` wrote."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np

from ..models import RationalModel, _json
from ..rational import Rational
from .arguments import columns as columns_of
from .output import write
from .table import Choice, FloatArray, Table, read_table
from .text import InputError

__all__ = ["add_arguments", "predict", "save"]

DESCRIPTION = """\
Computes the values of a model at the rows of a table, and writes them as CSV: the columns x, the
values y, and for a model of one x and one y the standard error of each value. At a pole a value is
inf, -inf or nan.

The columns x are those with the names that the model was learned from, or, in a table without
names or without other columns, the first ones; --x chooses others.

Exit codes: 0 done, 2 bad input, 130 ended by Ctrl-C.
"""
Model = Union[Rational, RationalModel]
#: By format: what makes the model of a text and its path.
FORMATS: dict[str, Callable[[str, str], Model]] = {
    "zeroproof.Rational": Rational._of_json,
    "zeroproof.RationalModel": lambda text, path: _json.model(RationalModel, text, None),
}


def add_arguments(parser: Any) -> None:
    """Adds the arguments of ``predict``."""
    parser.description = DESCRIPTION
    parser.add_argument("model", metavar="MODEL.json", help="what learn --out wrote")
    parser.add_argument("data", metavar="DATA.csv", help="the table, or - for standard input")
    parser.add_argument(
        "--x",
        nargs="+",
        action="append",
        metavar="COLUMN",
        help="names or numbers of the columns x",
    )
    parser.add_argument("--out", metavar="FILE", help="write there instead of to stdout")


def save(model: Model, path: str, x: Sequence[str], y: Sequence[str]) -> None:
    """Writes a model with the names of its columns.

    Raises:
        InputError: if the file cannot be written.
    """
    content = json.loads(model._as_json() if isinstance(model, Rational) else _json.text(model))
    content["columns"] = {"x": list(x), "y": list(y)}
    text = json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False)
    write(text + "\n", path)


def predict(arguments: Any) -> int:
    """Runs the command and returns its exit code.

    Raises:
        InputError: for invalid input.
    """
    model, columns = _loaded(arguments.model)
    inputs = 1 if isinstance(model, Rational) else model.inputs
    given = columns_of(arguments.x)
    if given is not None and len(given) != inputs:
        raise InputError(f"--x: {len(given)} columns given, but the model has {inputs} inputs")
    table = read_table(
        arguments.data, Choice(given, needs_y=False, known=columns.get("x"), inputs=inputs)
    )
    write(_csv(model, table, columns.get("y")), arguments.out)
    return 0


def _loaded(path: str) -> tuple[Model, dict[str, list[str]]]:
    try:
        text = Path(path).read_text(encoding="utf-8")
        content = json.loads(text)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError):
        raise InputError(
            f"{path}: is not JSON; give a model that learn --out wrote, and the table after it"
        ) from None
    format_name = content.get("format") if isinstance(content, dict) else None
    make = FORMATS.get(format_name) if isinstance(format_name, str) else None
    if make is None:
        raise InputError(f"{path}: is no model; give one that learn --out wrote")
    try:
        model = make(text, path)
    except ValueError as error:
        message = str(error)
        raise InputError(message if path in message else f"{path}: {message}") from None
    return model, _columns(model, content.get("columns"), path)


def _columns(model: Model, content: Any, path: str) -> dict[str, list[str]]:
    """The names of the columns x and y, if the file has any."""
    if content is None:
        return {}
    inputs, outputs = (1, 1) if isinstance(model, Rational) else (model.inputs, model.outputs)
    wanted = {"x": inputs, "y": outputs}
    found = content if isinstance(content, dict) else {}
    for axis, count in wanted.items():
        names = found.get(axis)
        if (
            not isinstance(names, list)
            or len(names) != count
            or not all(isinstance(name, str) for name in names)
        ):
            raise InputError(
                f"{path}: the model is damaged: columns.{axis} should be {count} names"
            )
    return {axis: found[axis] for axis in wanted}


def _csv(model: Model, table: Table, y_names: Optional[Sequence[str]]) -> str:
    columns: list[FloatArray]
    if isinstance(model, Rational):
        x = table.x[:, 0]
        columns, names = [x, model(x)], list(y_names or ["y"])
        if model.spread is not None:
            columns.append(model.standard_error(x))
            names.append(f"{names[0]}_stderr")
    else:
        values = model.predict(table.x)
        columns = [*table.x.T, *values.T]
        names = list(y_names or [f"y{k + 1}" for k in range(values.shape[1])])
    lists = [np.asarray(column).tolist() for column in columns]
    lines = [",".join(_cell(name) for name in [*table.x_names, *names])]
    lines += [",".join(map(repr, row)) for row in zip(*lists)]
    return "\n".join(lines) + "\n"


def _cell(name: str) -> str:
    """A header cell; quoted if it must be."""
    if any(c in name for c in ',"\n;'):
        return '"' + name.replace('"', '""') + '"'
    return name
