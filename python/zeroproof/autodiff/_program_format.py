"""A traced function with all that a call needs, as JSON text and back: see docs/programs.md."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod
from typing import Any, Optional, Union

from .._arrays import Shape
from .._native import TracedProgram
from .._trees import Structure
from ._batch_layout import Layout
from ._batch_trace import Results, Traced
from ._program_parameters import FixedParameters
from ._program_structures import expect, expect_keys, from_json, to_json

FORMAT, VERSION = "zeroproof.Program", 1
_KEYS = {"format", "version", "name", "coordinate", "arguments", "steps", "results"}
#: NumPy's limit, less the axis of samples.
_MOST_AXES = 31
#: Ints of more digits are not read: converting them takes long.
_MOST_DIGITS = 20
_MOST_EXTENT = 2**31
#: The characters in the paths of all arrays: each path repeats the keys above it.
_MOST_TEXT = 2**26
_SPECIAL = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}


@dataclass(frozen=True)
class Portable:
    """What a program is made of."""

    name: str
    """That of the function."""
    names: tuple[str, ...]
    """Those of its positional arguments."""
    coordinate: Union[int, str, None]
    """The argument whose value exploration regions refer to."""
    traced: Traced

    @property
    def parameters(self) -> FixedParameters:
        """Its arguments, as a batched function has them."""
        return FixedParameters(self.name, self.names, self.traced.layout)


def to_text(portable: Portable) -> str:
    """The text of a program: one line for each step.

    Raises:
        TypeError: for structures that JSON does not have.
    """
    traced, layout = portable.traced, portable.traced.layout
    axes = iter(zip(layout.shapes, layout.per_sample))
    leaves = ({"shape": list(shape), "axis": 0 if own else None} for shape, own in axes)
    arguments = []
    for key, structure in zip(layout.keys, layout.structures):
        name = key if isinstance(key, str) else portable.names[key]
        content = to_json(structure, leaves, name)
        arguments.append({"name": name, "by_keyword": isinstance(key, str), "structure": content})
    results = to_json(
        traced.results.structure, _result_leaves(traced), f"the result of {portable.name}"
    )
    parts = {
        "format": json.dumps(FORMAT),
        "version": json.dumps(VERSION),
        "name": json.dumps(portable.name),
        "coordinate": json.dumps(portable.coordinate),
        "arguments": _lines(arguments),
        "steps": _lines(map(_written, traced.program.steps())),
        "results": json.dumps(results),
    }
    listed = ",\n ".join([f"{json.dumps(key)}: {text}" for key, text in parts.items()])
    return f"{{\n {listed}\n}}\n"


def _lines(items: Iterable[Any]) -> str:
    """An array with a line for each item."""
    lines = ",\n  ".join(map(json.dumps, items))
    return f"[\n  {lines}\n ]" if lines else "[]"


def _result_leaves(traced: Traced) -> Iterator[dict[str, Any]]:
    nodes = iter(traced.program.outputs())
    for shape in traced.results.shapes:
        yield {"shape": list(shape), "nodes": [next(nodes) for _ in range(prod(shape))]}


def _written(step: tuple[Any, ...]) -> tuple[Any, ...]:
    """A step whose numbers JSON has."""
    if step[0] == "constant" and not math.isfinite(step[1]):
        return ("constant", str(step[1]))
    return step


def from_text(text: str, max_nodes: int) -> Portable:
    """The program of a text.

    Raises:
        ValueError: if it is none, of another version, damaged or too large.
    """
    try:
        content = json.loads(
            text,
            parse_int=_integer,
            parse_constant=_refuse_constant,
            object_pairs_hook=_without_repeats,
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"the file is not JSON, so it is no saved program: {error}") from None
    except RecursionError:
        raise ValueError("the file is no saved program: it is nested too deep") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError("the file is JSON, but no saved program")
    version = content.get("version")
    if type(version) is not int or version != VERSION:
        raise ValueError(
            f"the file is of version {version!r}, but this release reads version {VERSION}: save "
            "the program again, or use the release that saved it"
        )
    try:
        return _Reader(max_nodes).portable(content)
    except RecursionError:
        raise ValueError("the file is a damaged program: it is nested too deep") from None
    except ValueError as error:
        raise ValueError(f"the file is a damaged program: {error}") from None


class _Reader:
    """Reads a program, and counts its nodes."""

    def __init__(self, max_nodes: int) -> None:
        self._max_nodes = max_nodes
        self._left = max_nodes
        self._text_left = _MOST_TEXT

    def portable(self, content: dict[str, Any]) -> Portable:
        expect_keys(content, _KEYS, "the file")
        name = expect(content["name"], str, "name")
        layout, names = self._layout(expect(content["arguments"], list, "arguments"))
        steps = expect(content["steps"], list, "steps")
        self._count(len(steps), "steps")
        shapes: list[Shape] = []
        outputs: list[int] = []

        def leaf(content: dict[str, Any], place: str) -> None:
            expect_keys(content, {"shape", "nodes"}, place)
            shapes.append(_shape(content["shape"], f"{place}.shape"))
            nodes = expect(content["nodes"], list, f"{place}.nodes")
            if len(nodes) != prod(shapes[-1]):
                raise ValueError(
                    f"{place}: an array of the shape {shapes[-1]} does not have {len(nodes)} nodes"
                )
            self._count(len(nodes), f"{place}.nodes")
            outputs.extend(nodes)

        structure = from_json(content["results"], "results", leaf)
        if not outputs:
            raise ValueError("results: there is no node")
        arguments = list(zip(layout.names, layout.shapes, layout.per_sample))
        program = TracedProgram.from_data(
            arguments, [_read(step, place) for place, step in enumerate(steps)], outputs
        )
        traced = Traced(program, Results(structure, tuple(shapes)), layout)
        coordinate = content["coordinate"]
        if coordinate is not None and type(coordinate) not in (int, str):
            raise ValueError("coordinate: expected the place or the name of an argument, or null")
        portable = Portable(name, names, coordinate, traced)
        portable.parameters.coordinate(layout, coordinate)
        return portable

    def _layout(self, arguments: list[Any]) -> tuple[Layout, tuple[str, ...]]:
        keys: list[Union[int, str]] = []
        names: list[str] = []
        structures: list[Structure] = []
        paths: list[str] = []
        shapes: list[Shape] = []
        per_sample: list[bool] = []

        def leaf(content: dict[str, Any], place: str) -> None:
            expect_keys(content, {"shape", "axis"}, place)
            shapes.append(_shape(content["shape"], f"{place}.shape"))
            axis = content["axis"]
            if axis is not None and (type(axis) is not int or axis != 0):
                raise ValueError(f"{place}.axis: expected 0 or null")
            per_sample.append(axis is not None)
            self._count(prod(shapes[-1]), f"{place}.shape")

        for number, argument in enumerate(arguments):
            place = f"arguments[{number}]"
            expect_keys(expect(argument, dict, place), {"name", "by_keyword", "structure"}, place)
            name = expect(argument["name"], str, f"{place}.name")
            by_keyword = expect(argument["by_keyword"], bool, f"{place}.by_keyword")
            keywords = keys[len(names) :]
            if not by_keyword and keywords:
                raise ValueError(f"{place}: arguments by position come before those by keyword")
            if by_keyword and (name in names or (keywords and str(keywords[-1]) >= name)):
                raise ValueError(f"{place}: keywords come in order, and each name once")
            keys.append(name if by_keyword else number)
            if not by_keyword:
                names.append(name)
            structures.append(from_json(argument["structure"], f"{place}.structure", leaf))
            self._text_left -= _text_of_paths(structures[-1], len(name))
            if self._text_left < 0:
                raise ValueError(f"{place}: the names of its arrays are too long")
            paths.extend(structures[-1].paths(name))
        if not keys:
            raise ValueError("arguments: there is none")
        layout = Layout(
            tuple(keys), tuple(structures), tuple(paths), tuple(shapes), tuple(per_sample)
        )
        return layout, tuple(names)

    def _count(self, nodes: int, place: str) -> None:
        self._left -= nodes
        if self._left < 0:
            raise ValueError(
                f"{place}: the program has more than {self._max_nodes} numbers and steps; load it "
                "with a larger max_nodes if you trust the file"
            )


def _text_of_paths(structure: Structure, above: int) -> int:
    """How many characters the paths of the leaves have, ``above`` of them before the structure."""
    if structure.is_leaf:
        return above
    return sum(
        _text_of_paths(child, above + len(structure.step(key)))
        for key, child in zip(structure.keys, structure.children)
    )


def _shape(content: Any, place: str) -> Shape:
    extents = expect(content, list, place)
    if len(extents) > _MOST_AXES:
        raise ValueError(f"{place}: an array has at most {_MOST_AXES} axes")
    shape = tuple([expect(extent, int, place) for extent in extents])
    if any(extent < 0 for extent in shape) or prod(filter(None, shape)) >= _MOST_EXTENT:
        raise ValueError(f"{place}: {list(shape)} is no shape that an argument or result has")
    return shape


def _read(step: Any, place: int) -> Any:
    """A step whose constant is a double."""
    if type(step) is list and len(step) == 2 and step[0] == "constant":
        value = step[1]
        if isinstance(value, str):
            found: Optional[float] = _SPECIAL.get(value)
        elif type(value) is int:
            found = float(value) if abs(value) <= 2**53 else None
        else:
            found = value if type(value) is float and math.isfinite(value) else None
        if found is None:
            raise ValueError(
                f"steps[{place}]: expected a number that a double holds, 'inf', '-inf' or 'nan'"
            )
        return ("constant", found)
    return step


def _integer(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError("the file is a damaged program: an integer has too many digits")
    return int(digits)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"the file is a damaged program: {name} is no number of JSON")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("the file is a damaged program: an object has a key twice")
    return found
