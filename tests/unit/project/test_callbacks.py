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


def run(program: str) -> tuple[int, str, str]:
    """Exit status and output of a program of its own."""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_nobody_is_told_while_the_interpreter_ends() -> None:
    assert run(LATE) == (0, "TRNode(+∞, PINF, op=div, gradient=1.0)", "")


LATEST = """
import {imports}
from zeroproof import GradientMode, GradientModeConfig, TRNode

GradientModeConfig.set_mode(GradientMode.{mode})
GradientModeConfig.set_local_threshold(0.1)

class Late:
    def __init__(self):
        self.x = TRNode.parameter(0.0)

    def __del__(self, write=os.write):
        (1.0 / self.x + self.x ** 0 + 3.0 * self.x).backward()
        write(1, repr(self.x).encode())

{owner}.late = Late()
"""


@pytest.mark.parametrize("owner", ["builtins", "sys"])
@pytest.mark.parametrize("imports", ["builtins, os, sys", "asyncio, builtins, os, sys"])
@pytest.mark.parametrize(
    ("mode", "gradient"),
    # By 1/x the bounded partial is −1.
    [
        ("MASK_REAL", "0.0 [MASKED])"),
        ("SATURATING", "2.0 [SATURATED])"),
        ("HYBRID", "2.0 [SATURATED])"),
    ],
)
def test_a_backward_pass_when_nothing_can_be_imported(
    owner: str, imports: str, mode: str, gradient: str
) -> None:
    status, printed, errors = run(LATEST.format(owner=owner, imports=imports, mode=mode))
    assert (status, errors) == (0, "")
    assert printed.endswith(f"gradient={gradient}")
