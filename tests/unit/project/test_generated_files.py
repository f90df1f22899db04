"""What is made from the op table is up to date, and the check says what is not."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from support.ops import NAMES
from zeroproof import _native

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "python" / "generate.py"


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # The engine is loaded here: executed again, it would make its classes anew for all tests.
    module.__dict__["engine"] = lambda: _native
    return module


def test_the_files_are_up_to_date() -> None:
    command = [sys.executable, str(SCRIPT), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_every_operation_is_in_every_file() -> None:
    made = generator()
    files = made.surface(made.engine())
    names = [name for arity, group in NAMES.items() if arity != "leaf" for name in group]
    assert len(names) > 30
    assert len(files) == 5
    page = (ROOT / "docs" / "semantics.md").read_text(encoding="utf-8")
    for name in names:
        assert f"### `tr_{name}(" in page
        for path, text in files.items():
            assert (name.upper() if path.stem == "_op_type" else f"tr_{name}") in text, path


def test_a_stale_file_is_named_and_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = generator()
    stale = tmp_path / "python" / "_ops.py"
    stale.parent.mkdir()
    stale.write_text("", encoding="utf-8")
    monkeypatch.setattr(made, "ROOT", tmp_path)
    monkeypatch.setattr(made, "surface", lambda _: {stale: "made"})
    assert made.main(["--check"]) == 1
    assert capsys.readouterr().out == f"{stale.relative_to(tmp_path)}: stale\n"
    assert stale.read_text(encoding="utf-8") == ""
    assert made.stale({stale: "made"}, write=True) == [stale]
    assert made.stale({stale: "made"}, write=True) == []
    assert made.main(["--verify"]) == 2


def test_codes_are_only_appended_to(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = generator()
    codes = made.PACKAGE / "_op_type.py"
    now = codes.read_text(encoding="utf-8")
    assert made.changed_codes(now, now) == []
    assert made.changed_codes(now.replace("    LOG = 12\n", ""), now) == []
    renumbered = now.replace("    LOG = 12\n", "    LOG = 13\n").replace("    SUM = 31\n", "")
    assert made.changed_codes(now, renumbered) == ["LOG", "SUM"]
    monkeypatch.setattr(made, "surface", lambda _: {codes: renumbered})
    for arguments in (["--check"], []):
        assert made.main(arguments) == 1
        assert "never change: LOG, SUM" in capsys.readouterr().out
    assert codes.read_text(encoding="utf-8") == now
