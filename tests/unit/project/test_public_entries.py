"""Every public entry point in a process of its own: while Python code comes back into the engine
from hooks, finalizers and signal handlers, and with hardly any memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.public_entries import distinct, left_out, unknown
from support.slow import slow
from support.slowdown import SLOWDOWN

TESTS = Path(__file__).parents[2]
SECONDS = 600.0 * SLOWDOWN
#: Mebibytes to spare; more of them where there is time.
ROOM = os.environ.get("ENTRY_ROOM", "0 4").split()

LINUX = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="forks and address spaces as Linux has them"
)


def test_every_public_name_and_member_has_an_entry() -> None:
    assert left_out() == []
    assert unknown() == []
    assert len(distinct()) > 100


def run(*arguments: str) -> dict[str, Any]:
    """What the processes report, by condition."""
    paths = os.pathsep.join([str(TESTS), *sys.path])
    done = subprocess.run(
        [sys.executable, "-m", "support.entry_processes", *arguments],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@LINUX
@pytest.mark.parametrize("condition", ["finalizers", *slow("profile", "handler")])
def test_python_code_may_come_back_while_any_of_them_works(condition: str) -> None:
    counts = run(condition)[condition]
    assert counts["failed"] == {}
    assert counts["runs"] == len(distinct())
    assert counts["seen"] > 2 * counts["runs"]


@LINUX
def test_without_memory_there_is_an_error_and_the_process_goes_on() -> None:
    counts = run("memory", *ROOM)["memory"]
    assert counts["failed"] == {}
    # Two are left out: they start threads of Python's, or draw.
    assert counts["runs"] == len(ROOM) * (len(distinct()) - 2)
    # Enough of them met the limit.
    assert counts["seen"] > 10
