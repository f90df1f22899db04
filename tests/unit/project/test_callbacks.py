"""What the engine calls in Python: by no names, and not while the interpreter ends."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from zeroproof import TRNode, _native, watch_singularities, watching

BINDINGS = Path(__file__).parents[3] / "rust" / "bindings" / "src"


def test_the_engine_looks_up_no_private_names() -> None:
    sources = {path.name: path.read_text(encoding="utf-8") for path in BINDINGS.rglob("*.rs")}
    assert len(sources) > 30
    found = {
        (name, module)
        for name, text in sources.items()
        for module in re.findall(r'import\("(zeroproof[^"]*)"\)', text)
    }
    # Its own function that brings pickled leaves back, and where the package lies.
    assert found == {("node.rs", "zeroproof._native"), ("places.rs", "zeroproof")}


@pytest.fixture
def told() -> Iterator[list[Any]]:
    """Registers listeners of the test, which are called in place of the package's."""
    events: list[Any] = []
    _native.set_watcher(lambda: True, lambda *event: events.append(event), events.append)
    yield events
    _native.set_watcher(watching._watches_here, watching._origin, watching._left_out)


def test_who_is_registered_is_told(told: list[Any]) -> None:
    x = TRNode.parameter(0.0)
    with watch_singularities():
        1.0 / x
        (x**0.5).backward()
    (op, operands, value, _, distance), [left_out] = told
    assert (op.name, [float(a) for a in operands], str(value)) == ("DIV", [1.0, 0.0], "+∞")
    assert distance == 0.0
    assert left_out[0].name == "POW"


def test_a_listener_may_use_the_engine(told: list[Any]) -> None:
    def listen(*_: Any) -> None:
        y = TRNode.parameter(2.0)
        (y * y).backward()
        told.append(y.gradient)

    _native.set_watcher(lambda: True, listen, told.append)
    with watch_singularities():
        1.0 / TRNode.parameter(0.0)
    assert told == [4.0]


LATE = """
import os
import sys
from zeroproof import TRNode, watch_singularities

class Late:
    def __init__(self):
        self.x = TRNode.parameter(0.0)

    def __del__(self, write=os.write):
        y = 1.0 / self.x
        y.backward()
        (self.x ** 0.5).backward()
        write(1, repr(y).encode())

block = watch_singularities(raise_on=("inf", "dropped"))
block.__enter__()
late = Late()
"""


def test_nobody_is_told_while_the_interpreter_ends() -> None:
    command = [sys.executable, "-c", LATE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        "TRNode(+∞, PINF, op=div, gradient=1.0)",
        "",
    )
