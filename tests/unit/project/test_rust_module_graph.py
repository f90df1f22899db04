"""No circles among the modules of the Rust crates: each can be read on those below it."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.rust_modules import Crate, circles

RUST = Path(__file__).parents[3] / "rust"
CRATES = ["bindings/src", "core", "zeroproof"]


@pytest.mark.parametrize("sources", CRATES)
def test_there_are_no_circles(sources: str) -> None:
    crate = Crate(RUST / sources)
    assert len(crate.modules) > 30
    uses = crate.uses()
    assert sum(map(len, uses.values())) > 100
    assert circles(uses) == []


def crate(root: Path, files: dict[str, str]) -> Crate:
    for name, text in files.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return Crate(root)


TREE = {
    "lib.rs": "mod a;\nmod b;\nmod c;\npub use a::A;\n",
    "a.rs": "pub struct A;\n",
    "b.rs": "use crate::A;\nmod inner;\npub use inner::Inner;\n",
    "b/inner.rs": "// use crate::c::C;\nuse super::super::a;\npub struct Inner(a::A);\n",
    "c.rs": 'use crate::{a::A, b::{Inner as I}};\npub const TEXT: &str = "crate::c::TEXT";\n',
}


def test_uses_are_found(tmp_path: Path) -> None:
    assert crate(tmp_path, TREE).uses() == {
        (): set(),
        ("a",): set(),
        ("b",): {("a",)},
        ("b", "inner"): {("a",)},
        ("c",): {("a",), ("b", "inner")},
    }


@pytest.mark.parametrize(
    ("file", "line", "circle"),
    [
        ("a.rs", "use crate::c::TEXT;", ["a", "b::inner", "c"]),
        ("a.rs", "fn f() { crate::b::g() }", ["a", "b"]),
        ("a.rs", "use crate::{b::{Inner, g}};", ["a", "b", "b::inner"]),
        ("b/inner.rs", "fn f() -> super::Inner { super::super::c::TEXT }", ["b::inner", "c"]),
        ("b.rs", "fn f() { let x: Inner; }", None),
        ("a.rs", '// crate::c::TEXT\nconst X: &str = "crate::c::TEXT";', None),
        ("a.rs", "#[cfg(test)]\nmod tests {\n    use crate::c::TEXT;\n}", None),
        ("a.rs", "mod tests {\n    use super::super::c::TEXT;\n}", ["a", "b::inner", "c"]),
    ],
)
def test_a_seeded_circle_is_found(
    file: str, line: str, circle: list[str] | None, tmp_path: Path
) -> None:
    tree = {**TREE, file: f"{TREE[file]}{line}\n"}
    found = circles(crate(tmp_path, tree).uses())
    assert found == ([] if circle is None else [circle])
