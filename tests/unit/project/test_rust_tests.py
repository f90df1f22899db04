"""Cargo runs the Rust tests that `tests/Cargo.toml` lists, and looks for no others."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[2]


def test_every_program_is_listed_under_its_name() -> None:
    manifest = (TESTS / "Cargo.toml").read_text(encoding="utf-8")
    listed = re.findall(r'^\[\[test\]\]\nname = "(.*)"\npath = "(.*)"$', manifest, re.MULTILINE)
    programs = {(path.stem, path.name) for path in TESTS.glob("*.rs") if path.name != "lib.rs"}
    folders = {path.parent.name for path in TESTS.glob("*/main.rs")}
    programs |= {(folder, f"{folder}/main.rs") for folder in folders}
    assert sorted(listed) == sorted(programs)
