"""What import-linter cannot see of the imports within the package."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import zeroproof

PACKAGE = Path(zeroproof.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def from_the_package_itself(path: Path) -> Iterator[str]:
    """The names that a module takes from ``zeroproof/__init__.py``."""
    to_the_top = len(path.relative_to(PACKAGE).parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            of_the_top = node.level == to_the_top and node.module is None
            if of_the_top or (node.level == 0 and node.module == "zeroproof"):
                yield from (alias.name for alias in node.names)


def deferred(path: Path) -> Iterator[str]:
    """The modules that are imported when a function runs."""
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(function, FUNCTIONS):
            for node in ast.walk(function):
                if isinstance(node, ast.Import):
                    yield from (alias.name for alias in node.names)
                elif isinstance(node, ast.ImportFrom):
                    yield "." * node.level + (node.module or "")


def test_only_the_engine_is_taken_from_the_package_itself() -> None:
    found = {(path.name, name) for path in MODULES for name in from_the_package_itself(path)}
    assert ("explanation.py", "_native") in found
    modules = {path.stem for path in PACKAGE.glob("*.py")}  # which import-linter sees
    modules |= {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    others = {(module, name) for module, name in found if name not in {"_native", *modules}}
    assert others == {("__main__.py", "__version__")}


def test_only_what_need_not_be_installed_is_imported_late() -> None:
    assert {name for path in MODULES for name in deferred(path)} == {"matplotlib.figure", "shtab"}
