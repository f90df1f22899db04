"""The reference page of the operations is what the op table says."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from support.ops import NAMES

DOCS = Path(__file__).parents[3] / "docs"


def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_semantics", DOCS / "make_semantics.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date() -> None:
    found = (DOCS / "semantics.md").read_text(encoding="utf-8")
    assert found == maker().page(), "run python docs/make_semantics.py"


def test_every_operation_has_a_section() -> None:
    page = maker().page()
    names = [name for arity, group in NAMES.items() if arity != "leaf" for name in group]
    assert len(names) > 30
    assert [name for name in names if f"### `tr_{name}(" not in page] == []
