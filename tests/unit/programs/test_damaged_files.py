"""Files that are no saved programs: errors that name the place, and nothing worse."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import zeroproof as zp
from zeroproof import load_program, tr_vmap
from zeroproof._native import TracedProgram


class Pair(NamedTuple):
    a: Any
    b: Any


def function(x: Any, p: Any) -> Any:
    total = zp.tr_sum([x, p.a, 0.5], mode=zp.ReductionMode.DROP_NULL)
    return {"y": [zp.tr_where(zp.tr_less(x, total), x**2, p.b[1] / x)]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "program.json"
    arguments = (np.zeros(1), Pair(1.0, np.zeros(2)))
    tr_vmap(function, in_axes=(0, None)).program(*arguments).save(path)
    return path


def at(content: Any, place: tuple[Any, ...], value: Any) -> Any:
    """The content with another value at a place; DELETE takes it out."""
    content = deepcopy(content)
    inner = content
    for key in place[:-1]:
        inner = inner[key]
    if value is DELETE:
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    return content


DELETE = object()
STRUCTURE = ("arguments", 1, "structure")
DEEP: dict[str, Any] = {"kind": "leaf", "shape": [], "axis": None}
for _ in range(150):
    DEEP = {"kind": "list", "items": [DEEP]}


def test_the_file_is_as_the_guide_says(path: Path) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content == {
        "format": "zeroproof.Program",
        "version": 1,
        "name": "function",
        "coordinate": None,
        "arguments": [
            {
                "name": "x",
                "by_keyword": False,
                "structure": {"kind": "leaf", "shape": [], "axis": 0},
            },
            {
                "name": "p",
                "by_keyword": False,
                "structure": {
                    "kind": "named_tuple",
                    "name": "Pair",
                    "items": [
                        ["a", {"kind": "leaf", "shape": [], "axis": None}],
                        ["b", {"kind": "leaf", "shape": [2], "axis": None}],
                    ],
                },
            },
        ],
        "steps": [
            ["constant", 0.5],
            ["fold", "sum", "drop_null", [0, 1, 4]],
            ["condition", "less", [0, 5]],
            ["power", 2, [0]],
            ["op", "div", [3, 0]],
            ["select", [6, 7, 8]],
        ],
        "results": {
            "kind": "mapping",
            "items": [
                ["y", {"kind": "list", "items": [{"kind": "leaf", "shape": [], "nodes": [9]}]}]
            ],
        },
    }


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("format",), "zeroproof.RationalModel", "is JSON, but no saved program"),
        (("version",), 2, "is of version 2, but this release reads version 1"),
        (("version",), True, "is of version True"),
        (("version",), DELETE, "is of version None"),
        (("more",), 1, "the file: 'more' is not known here"),
        (("steps",), DELETE, "the file: 'steps' is missing"),
        (("name",), 3, "name: expected a string, not 3"),
        (("coordinate",), 1.5, "coordinate: expected the place or the name"),
        (("coordinate",), True, "coordinate: expected the place or the name"),
        (("coordinate",), "z", "coordinate names no argument of function: 'z'"),
        (("coordinate",), 2, "coordinate names argument 2"),
        (("coordinate",), "p", "coordinate names an argument that holds"),
        (("arguments",), [], "arguments: there is none"),
        (("arguments",), {}, r"arguments: expected an array, not \{\}"),
        (("arguments", 0), 1, r"arguments\[0\]: expected an object, not 1"),
        (("arguments", 0, "name"), None, r"arguments\[0\]\.name: expected a string, not None"),
        (("arguments", 0, "by_keyword"), 0, r"arguments\[0\]\.by_keyword: expected true or false"),
        (("arguments", 0, "by_keyword"), True, r"arguments\[1\]: arguments by position come"),
        (("arguments", 0, "structure", "axis"), 1, r"structure\.axis: expected 0 or null"),
        (("arguments", 0, "structure", "axis"), False, r"structure\.axis: expected 0 or null"),
        (("arguments", 0, "structure", "shape"), [-1], r"\[-1\] is no shape"),
        (("arguments", 0, "structure", "shape"), [True], "expected an integer, not True"),
        (("arguments", 0, "structure", "shape"), [1] * 32, "at most 31 axes"),
        (("arguments", 0, "structure", "shape"), [0, 2**31], r"is no shape"),
        (("arguments", 0, "structure", "shape"), [2**31 - 1], "has more than 4194304 numbers"),
        (("arguments", 0, "structure", "shape"), [2**22], "has more than 4194304 numbers"),
        ((*STRUCTURE, "kind"), "set", r"arguments\[1\]\.structure: there is no kind 'set'"),
        ((*STRUCTURE, "kind"), ["list"], r"there is no kind \['list'\]"),
        ((*STRUCTURE, "kind"), "dataclass", r"structure: 'constants' is missing"),
        ((*STRUCTURE, "kind"), "mapping", "structure: 'name' is not known here"),
        ((*STRUCTURE, "name"), "not a name", "'not a name' is no name of a class or field"),
        ((*STRUCTURE, "name"), "class", "'class' is no name of a class or field"),
        ((*STRUCTURE, "name"), "ﬁt", "'ﬁt' is no name of a class or field"),
        ((*STRUCTURE, "items", 0, 0), "ﬁt", "'ﬁt' is no name of a class or field"),
        ((*STRUCTURE, "items", 0, 0), "𝐝𝐞𝐟", "'𝐝𝐞𝐟' is no name of a class or field"),
        ((*STRUCTURE, "items", 0, 0), "__import__('os')", "is no name of a class or field"),
        ((*STRUCTURE, "items", 0, 0), "__slots__", "'__slots__' is no name of a class or field"),
        ((*STRUCTURE, "items", 0, 0), "_a", "[Ff]ield names cannot start with an underscore"),
        ((*STRUCTURE, "items", 0, 0), "b", "a key stands there twice"),
        ((*STRUCTURE, "items", 0, 0), None, "expected a string or an integer, and what belongs"),
        ((*STRUCTURE, "items", 0), ["a"], "expected a string or an integer, and what belongs"),
        (STRUCTURE, DEEP, "containers are nested more than 100 deep"),
        (("steps", 0), ["constant", "infinity"], r"steps\[0\]: expected a number that a double"),
        (("steps", 0), ["constant", 2**53 + 1], r"steps\[0\]: expected a number that a double"),
        (("steps", 0), ["constant", None], r"steps\[0\]: expected a number that a double"),
        (("steps", 0), ["constant"], r"steps\[0\]: a step constant does not have 0 entries"),
        (("steps", 0), ["number", 1.0], r'steps\[0\]: there is no step "number"'),
        (("steps", 0), [], r"steps\[0\]: a step has a kind"),
        (("steps", 0), {}, r"steps\[0\]: a step: expected a list, not dict"),
        (("steps", 0, 0), 1, r"steps\[0\]: a name: expected a string, not int"),
        (("steps", 1, 1), "add", r"steps\[1\]: add is no operation of this kind of step"),
        (("steps", 1, 2), "keep", r'steps\[1\]: there is no reduction "keep"'),
        (("steps", 1, 3), [], r"steps\[1\]: it takes at least one operand, not 0"),
        (("steps", 2, 1), "greater", r'steps\[2\]: there is no condition "greater"'),
        (("steps", 2, 2), [0], r"steps\[2\]: it takes 2 operands, not 1"),
        (("steps", 3, 1), 2**31, r"steps\[3\]: an int is out of range"),
        (("steps", 3, 1), -(2**31), r"steps\[3\]: the exponent -2147483648 is not between"),
        (("steps", 3, 1), 2.0, r"steps\[3\]: a number: expected an int, not float"),
        (("steps", 3, 1), True, r"steps\[3\]: a number: expected an int, not bool"),
        (("steps", 3, 2), 0, r"steps\[3\]: operands: expected a list, not int"),
        (("steps", 4, 1), "pow_int", r"steps\[4\]: pow_int is no operation of this kind"),
        (("steps", 4, 1), "parameter", r"steps\[4\]: parameter is no operation of this kind"),
        (("steps", 4, 1), "quotient", r'steps\[4\]: there is no operation "quotient"'),
        (("steps", 4, 1), "\ud800", r"steps\[4\]: .*surrogates not allowed"),
        (("steps", 4, 2), [3], r"steps\[4\]: it takes 2 operands, not 1"),
        (("steps", 4, 2), [3, 8], r"steps\[4\]: there is no node 8 before it"),
        (("steps", 4, 2), [3, -1], r"steps\[4\]: an int is out of range"),
        (("steps", 4, 2), [3, 2**70], "an integer has too many digits"),
        (("steps", 4, 2), [3, 6], r"steps\[4\]: node 6 is a condition, where a number is expected"),
        (("steps", 5, 1), [0, 7, 8], r"steps\[5\]: node 0 is a number, where a condition is"),
        (("results",), {"kind": "list", "items": []}, "results: there is no node"),
        (("results", "items", 0, 1, "items", 0, "shape"), [2], "does not have 1 nodes"),
        (("results", "items", 0, 1, "items", 0, "nodes"), [10], r"outputs\[0\]: there is no node"),
        (("results", "items", 0, 1, "items", 0, "nodes"), [6], r"outputs\[0\]: node 6 is a cond"),
        (("results", "items", 0, 1, "items", 0, "nodes"), ["y"], "outputs: a number: expected"),
        (("results", "items", 0, 1, "items", 0, "more"), 1, "'more' is not known here"),
    ],
)
def test_damages_are_named(path: Path, place: tuple[Any, ...], value: Any, message: str) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(at(content, place, value)), encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        load_program(path)


@pytest.mark.parametrize(
    ("name", "constants", "message"),
    [
        ("__init__", [], "'__init__' is no name of a class or field"),
        ("a", [["__slots__", 1]], "'__slots__' is no name of a class or field"),
        ("𝐝𝐞𝐟", [], "'𝐝𝐞𝐟' is no name of a class or field"),
        ("a", [["ﬁt", 1]], "'ﬁt' is no name of a class or field"),
        ("a", [["a", 1]], "a field stands there twice"),
        ("a", [["c", [1]]], "c must be a string, finite number, bool or null"),
        ("a", [["c"]], "expected a string or an integer, and what belongs to it"),
        ("a", {}, "expected an array, not"),
    ],
)
def test_damaged_dataclasses(path: Path, name: str, constants: Any, message: str) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    structure = {**content["arguments"][1]["structure"], "kind": "dataclass"}
    structure["items"][0][0], structure["constants"] = name, constants
    path.write_text(json.dumps(at(content, STRUCTURE, structure)), encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        load_program(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not JSON, so it is no saved program"),
        ("{", "is not JSON, so it is no saved program"),
        ("[]", "is JSON, but no saved program"),
        ("null", "is JSON, but no saved program"),
        ("[" * 100_000, "nested too deep"),
        ('{"a":' * 100_000, "nested too deep"),
        ('{"format": NaN}', "NaN is no number of JSON"),
        ('{"format": 1, "format": 2}', "an object has a key twice"),
        ("1" * 1_000_000, "an integer has too many digits"),
    ],
)
def test_other_texts_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "program.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        load_program(path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "program.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="is not text, so it is no saved program"):
        load_program(path)
    with pytest.raises(FileNotFoundError):
        load_program(tmp_path / "none.json")


def long_key(long: str, leaves: int) -> dict[str, Any]:
    """Arrays below a key, which each of their paths repeats."""
    leaf: dict[str, Any] = {"kind": "leaf", "shape": [], "axis": None}
    return {"kind": "mapping", "items": [[long, {"kind": "list", "items": [leaf] * leaves}]]}


def test_the_names_of_arrays_cannot_fill_the_memory(path: Path) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    first = ("arguments", 0, "structure")
    too_many = at(content, first, long_key("k" * 2**12, 2**14))
    too_long = at(content, ("arguments", 0, "name"), "k" * 2**12)
    too_long["arguments"][0]["structure"] = long_key("", 2**14)
    for damaged in (too_many, too_long):
        path.write_text(json.dumps(damaged), encoding="utf-8")
        with pytest.raises(
            ValueError, match=r"arguments\[0\]: the names of its arrays are too long"
        ):
            load_program(path)
    # All arguments count together.
    halves = at(
        at(content, first, long_key("k" * 2**12, 2**13)), STRUCTURE, long_key("k" * 2**12, 2**13)
    )
    path.write_text(json.dumps(halves), encoding="utf-8")
    with pytest.raises(ValueError, match=r"arguments\[1\]: the names of its arrays are too long"):
        load_program(path)


def test_max_nodes(path: Path) -> None:
    # 4 numbers, 6 steps and one result.
    assert load_program(path, max_nodes=11).name == "function"
    with pytest.raises(ValueError, match="more than 10 numbers and steps; load it with a larger"):
        load_program(path, max_nodes=10)
    with pytest.raises(TypeError):
        load_program(path, max_nodes=1.5)  # type: ignore[arg-type]


def test_numbers_may_be_written_as_integers(path: Path) -> None:
    content = at(json.loads(path.read_text(encoding="utf-8")), ("steps", 0), ["constant", -3])
    path.write_text(json.dumps(content), encoding="utf-8")
    assert load_program(path).steps()[0] == ("constant", -3.0)


@pytest.mark.parametrize(
    ("arguments", "steps", "outputs", "message"),
    [
        ([("x", (), True)], [("constant", 1)], [0], r"steps\[0\]: a constant: expected a float"),
        ([("x", (), 1)], [], [0], r"arguments\[0\]: expected a bool, not int"),
        ([("x", ())], [], [0], r"arguments\[0\]: expected a name, a shape and a bool"),
        ([("x", (2**40, 2**40), True)], [], [0], r"arguments\[0\]: a program takes fewer than"),
        ([("x", (2**31,), True)], [], [0], r"arguments\[0\]: a program takes fewer than"),
        ([("x", (-1,), True)], [], [0], r"arguments\[0\]: an int is out of range"),
        ([("x", (), True)], "steps", [0], "steps: expected a list, not str"),
        ([("x", (), True)], [], [True], "outputs: a number: expected an int, not bool"),
    ],
)
def test_the_engine_checks_for_itself(
    arguments: Any, steps: Any, outputs: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        TracedProgram.from_data(arguments, steps, outputs)
