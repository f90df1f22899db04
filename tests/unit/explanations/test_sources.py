"""What the source at a place tells: the operation and its operands, and nothing uncertain."""

from __future__ import annotations

import linecache
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, Optional

import pytest

import zeroproof
from zeroproof import Location, OpType, SingularEvent, TRNode
from zeroproof._sources import Expression, expression_at


class Case(NamedTuple):
    """A program whose ``out`` divides by ``z``, which is 0.

    Args:
        source: the program.
        text: the division as it is to be told.
        assigned_at: the line from which its denominator is told to come.
        plain: whether it is also found where columns are not known.
    """

    source: str
    text: str
    assigned_at: Optional[int] = None
    plain: bool = True


CASES = {
    "module": Case("q = z * 1.0\nout = 1.0 / q", "1.0 / q", 1),
    "no_variable": Case("out = 1.0 / (z + 0.0)", "1.0 / (z + 0.0)"),
    "local": Case(
        "def f(p):\n    q = p * 1.0\n    return 1.0 / q\nout = f(z)",
        "1.0 / q",
        2,
    ),
    "parameter": Case("def f(q):\n    return 1.0 / q\nout = f(z)", "1.0 / q"),
    "parameter_hides_global": Case("q = 1\ndef f(q):\n    return 1.0 / q\nout = f(z)", "1.0 / q"),
    "global": Case("q = z * 1.0\ndef f():\n    return 1.0 / q\nout = f()", "1.0 / q", 1),
    "assigned_twice": Case("q = z * 1.0\nq = q * 2.0\nout = 1.0 / q", "1.0 / q"),
    "assigned_by_another_function": Case(
        "q = z * 1.0\ndef f():\n    global q\n    q = 2.0\nout = 1.0 / q",
        "1.0 / q",
    ),
    "assigned_here": Case("q = z * 1.0; out = 1.0 / q", "1.0 / q"),
    "imported_and_assigned": Case(
        "try:\n    from nowhere import q\nexcept ImportError as e:\n    q = z * 1.0\nout = 1.0 / q",
        "1.0 / q",
    ),
    "closure": Case(
        "def f():\n    q = z * 1.0\n    def g():\n        return 1.0 / q\n    return g()\n"
        "out = f()",
        "1.0 / q",
        2,
    ),
    "lambda": Case("q = z * 1.0\nf = lambda p: p / q\nout = f(1.0)", "p / q", 1),
    "two_lambdas": Case(
        "f, g = lambda q: 1.0 / q, lambda q: 2.0 / q\nout = g(z)",
        "2.0 / q",
        plain=False,
    ),
    "two_on_a_line": Case("a, out = 1.0 / z, 2.0 / z", "2.0 / z", plain=False),
    "list_comprehension": Case("[out] = [p / z for p in [1.0]]", "p / z"),
    "loop_of_a_comprehension": Case("[out] = [\n    1.0 / q\n    for q in [z]\n]", "1.0 / q", 3),
    "first_loop_of_a_comprehension": Case("[out] = [p for p in [1.0 / z]]", "1.0 / z"),
    "set_comprehension": Case("[out] = {p / z for p in [1.0]}", "p / z"),
    "dict_comprehension": Case("out = {p: p / z for p in [1.0]}[1.0]", "p / z"),
    "generator": Case("[out] = (p / z for p in [1.0])", "p / z"),
    "nested_comprehension": Case("[[out]] = [[p / q for p in [1.0]] for q in [z]]", "p / q"),
    "generator_function": Case("def f():\n    yield 1.0 / z\n[out] = f()", "1.0 / z"),
    "lines": Case(
        "out = (\n    1.0  # above\n    / z  # below\n)",
        "1.0 / z",
    ),
    "arguments_on_lines": Case("out = tr_div(\n    1.0,\n    z,\n)", "tr_div(1.0, z)"),
    "augmented": Case("out = z * 0.0 + 1.0\nout /= z", "out /= z"),
    "augmented_item": Case("a = [z * 0.0 + 1.0]\na[0] /= z\nout = a[0]", "a[0] /= z"),
    "decorated": Case(
        "def twice(f):\n    return lambda: f()\n"
        "@twice\n@twice\ndef f():\n    return 1.0 / z\nout = f()",
        "1.0 / z",
    ),
    "decorator": Case(
        "def mark(y):\n    return lambda f: y\n@mark(1.0 / z)\ndef out():\n    pass",
        "1.0 / z",
    ),
    "default_value": Case("def f(p=1.0 / z):\n    return p\nout = f()", "1.0 / z"),
    "class_body": Case("class C:\n    q = z * 1.0\n    y = 1.0 / q\nout = C.y", "1.0 / q", 2),
    "method": Case(
        "q = z * 1.0\nclass C:\n    q = 7\n    def f(self):\n        return 1.0 / q\nout = C().f()",
        "1.0 / q",
        1,
    ),
    "async_function": Case(
        "import asyncio\nasync def f(p):\n    q = z * 1.0\n    return p / q\n"
        "out = asyncio.run(f(1.0))",
        "p / q",
        3,
    ),
    "walrus": Case("out = 1.0 / (q := z * 1.0)", "1.0 / (q := z * 1.0)"),
    "loop": Case("for q in [z]:\n    out = 1.0 / q", "1.0 / q", 1),
    "one_line_function": Case("def f(q): return 1.0 / q\nout = f(z)", "1.0 / q"),
    "same_name_twice": Case(
        "def f(q):\n    return q\ndef f(q):\n    return 1.0 / q\nout = f(z)",
        "1.0 / q",
    ),
    "attribute_call": Case("import zeroproof as zp\nout = zp.tr_div(1.0, z)", "zp.tr_div(1.0, z)"),
    "method_of_another_name": Case(
        "import operator\nout = operator.truediv(1.0, z)",
        "operator.truediv(1.0, z)",
        plain=False,
    ),
    "builtin_around_it": Case(
        "from functools import reduce\nfrom operator import truediv\n"
        "out = reduce(truediv, [1.0, z])",
        "reduce(truediv, [1.0, z])",
        plain=False,
    ),
    "not_ascii": Case("größe = z * 1.0\nout = 'é', 1.0 / größe\nout = out[1]", "1.0 / größe", 1),
    "long": Case(
        "out = (1.0 + 0.0 + 0.0 + 0.0 + 0.0 + 0.0 + 0.0 + 0.0 + 0.0 + 0.0 + 0.0) / z",
        "(1.0 + 0.0 + 0.0 + 0.0 + 0.0 + 0.0 + 0.0 + 0.0 + 0.0 + 0.0 …",
    ),
}


def origin_of(source: str, file: str) -> SingularEvent:
    """Runs a program and returns the origin behind its ``out``."""
    names = {"z": TRNode.parameter(0.0), "tr_div": zeroproof.tr_div, "__name__": "program"}
    exec(compile(source, file, "exec"), names)
    out: Any = names["out"]
    return out.explain().origins[0]


def in_file(source: str, directory: Path) -> SingularEvent:
    path = directory / "program.py"
    path.write_text(source, encoding="utf-8")
    linecache.checkcache(str(path))
    return origin_of(source, str(path))


#: Before CPython 3.11 a place is a line, so that of two operations on a line neither is told, and
#: a change within a line goes unnoticed.
KNOWS_COLUMNS = sys.version_info >= (3, 11)
needs_columns = pytest.mark.skipif(not KNOWS_COLUMNS, reason="places are lines")
AMBIGUOUS_LINES = ("two_lambdas", "two_on_a_line", "method_of_another_name", "builtin_around_it")


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=name, marks=needs_columns if name in AMBIGUOUS_LINES else ())
        for name, case in CASES.items()
    ],
)
def test_the_operation_and_its_denominator(case, tmp_path):
    event = in_file(case.source, tmp_path)
    assert event.location is not None
    found = event.expression
    assert found is not None
    assert found.text == case.text
    assert (found.assigned_at[1] if found.assigned_at else None) == case.assigned_at
    told = (
        f" (q from program.py:{case.assigned_at})"
        if "q" in found.names and case.assigned_at
        else ""
    )
    at = f"program.py:{event.location.line}"
    if "größe" not in case.text:
        assert str(event) == f"{case.text} at {at} gave {event.formula}{told}"
    without_columns = replace(event, location=replace(event.location, span=None))
    assert without_columns.expression == (found if case.plain else None)


@pytest.mark.parametrize(
    ("expression", "op"),
    [
        ("z ** -1", OpType.POW_INT),
        ("tr_div(z, z)", OpType.DIV),
        ("-(z + 1e308) - 1e308", OpType.SUB),
        ("(z - -1e308) + 1e308", OpType.ADD),
        ("(z + 1e308) * 1e308", OpType.MUL),
        ("zeroproof.tr_log(z - 1.0)", OpType.LOG),
        ("zeroproof.tr_sum([z + 1e308, 1e308])", OpType.SUM),
    ],
)
def test_ops_are_known_by_sign_and_name(expression, op, tmp_path):
    event = in_file(f"import zeroproof\nout = {expression}", tmp_path)
    assert event.op is op
    assert event.location is not None
    for location in (event.location, replace(event.location, span=None)):
        found = expression_at(location, op)
        assert found is not None
        assert found.text == expression


@needs_columns
def test_an_operand_given_by_an_alias_is_not_named(tmp_path):
    event = in_file("divide, q = tr_div, z * 1.0\nout = divide(1.0, q)", tmp_path)
    assert event.expression == Expression("divide(1.0, q)", (), ())
    assert str(event) == "divide(1.0, q) at program.py:2 gave 1.0 ÷ 0.0 = +∞"


def test_a_file_that_is_gone(tmp_path):
    event = in_file("out = 1.0 / z", tmp_path)
    (tmp_path / "program.py").unlink()
    linecache.checkcache(str(tmp_path / "program.py"))
    assert event.expression is None
    assert str(event) == "1.0 ÷ 0.0 = +∞ at program.py:1"


@pytest.mark.parametrize(
    "changed",
    [
        "",
        "\n\n\n",
        "def f(q):\n    return 1.0 * q",
        pytest.param("def f(q):\n    return  1.0 / q", marks=needs_columns),
        "def f(q):\n    return int(q)",
        "def g(q):\n    return 1.0 / q",
        "\ndef f(q):\n    return 1.0 / q",
        pytest.param("class f:\n    out = 1.0 / 3", marks=needs_columns),
        "def f(q): return (",
        "\0",
        "(" * 5000,
    ],
)
def test_a_file_that_has_changed(changed, tmp_path):
    event = in_file("def f(q):\n    return 1.0 / q\nout = f(z)", tmp_path)
    assert event.expression is not None
    path = tmp_path / "program.py"
    path.write_text(changed, encoding="utf-8")
    linecache.checkcache(str(path))
    assert event.expression is None
    assert str(event) == "1.0 ÷ 0.0 = +∞ at program.py:2"


def test_a_file_that_is_no_text(tmp_path):
    event = in_file("out = 1.0 / z", tmp_path)
    (tmp_path / "program.py").write_bytes(b"\xff\xfe\x00")
    linecache.checkcache(str(tmp_path / "program.py"))
    assert event.expression is None


@pytest.mark.parametrize("file", ["<string>", "<stdin>", "", "no such directory/p.py", "\udcff.py"])
def test_code_that_is_in_no_file(file):
    event = origin_of("out = 1.0 / z", file)
    assert event.expression is None
    assert event.formula in str(event)


@pytest.mark.parametrize("function", ["<module>", "<cell line: 2>"])
def test_the_cells_of_a_notebook(function):
    source, name = "q = z * 1.0\nout = 1.0 / q\n", "<ipython-input-1-0123456789ab>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    event = origin_of(source, name)
    assert event.location is not None
    event = replace(event, location=replace(event.location, function=function))
    assert str(event) == f"1.0 / q at {name}:2 gave 1.0 ÷ 0.0 = +∞ (q from {name}:1)"
    del linecache.cache[name]


def test_places_of_a_program(tmp_path):
    source = "class C:\n    def f(self):\n        return [\n            1.0 / z for _ in 'a'\n"
    event = in_file(f"{source}        ]\n[out] = C().f()", tmp_path)
    location = event.location
    assert isinstance(location, Location)
    assert location.file == str(tmp_path / "program.py")
    assert location.line == 4
    assert location.function.startswith("C.f") or location.function in ("f", "<listcomp>")
    assert str(location) == "program.py:4"


def test_an_event_in_a_thread():
    found = []
    x = TRNode.parameter(0.0)

    def work() -> None:
        found.append(1.0 / x)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    location = found[0].explain().origins[0].location
    assert (location.file, location.line) == (__file__, work.__code__.co_firstlineno + 1)
