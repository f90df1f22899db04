"""What no file of the project may hold."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
FOLDERS = ["rust", "python", "tests", "benches", "docs", "examples"]
KINDS = {".rs", ".py", ".pyi", ".md", ".toml", ".sh"}


def test_no_merge_was_left_unfinished() -> None:
    files = [f for folder in FOLDERS for f in (ROOT / folder).rglob("*") if f.suffix in KINDS]
    files += [f for f in ROOT.glob("*") if f.suffix in KINDS]
    assert len(files) > 200
    marker = re.compile(r"^(<{7}|>{7}) ", re.MULTILINE)
    assert [f for f in files if marker.search(f.read_text(encoding="utf-8"))] == []
