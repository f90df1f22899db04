"""The modules of a Rust crate and which of them use which, by the paths in their sources.

A path leads to the module that defines what it names: what a module only hands on (``pub use``) is
looked up where it comes from. Unit tests do not count, nor do ``mod`` declarations and what a
module hands on without using it itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

Path_ = tuple[str, ...]

NOISE = re.compile(
    r"""//[^\n]*
    | /\*.*?\*/
    | b?r(?P<marks>\#*)".*?"(?P=marks)
    | b?"(?:[^"\\]|\\.)*"
    | b?'(?:[^'\\\n]|\\[^\n]+?)'""",
    re.VERBOSE | re.DOTALL,
)
TEST_MODULE = re.compile(r"#\[cfg\((?:all\()?test\b[^\]]*\]\s*(?:pub\s+)?mod\s+\w+\s*\{")
INNER_MODULE = re.compile(r"\bmod\s+\w+\s*\{")
#: The first step of a path out of an inner module; the next, if that leads up as well.
UP = re.compile(r"(?<![\w:])super\s*::\s*(super\b)?")
USE = re.compile(r"\b(?P<public>pub(?:\([^)]*\))?\s+)?use\s+(?P<tree>[^;]+);")
PATH = re.compile(r"(?<![\w:])\$?(\w+)((?:\s*::\s*\w+)+)")


@dataclass
class Module:
    """A module: its own names for things elsewhere, and the paths that it uses itself."""

    names: dict[str, Path_] = field(default_factory=dict)
    paths: set[Path_] = field(default_factory=set)


def end_of_block(text: str, start: int) -> int:
    """Behind the brace that closes a block, given where its inside starts."""
    depth = 1
    while depth:
        depth += {"{": 1, "}": -1}.get(text[start], 0)
        start += 1
    return start


def plain(text: str) -> str:
    """Sources less comments, literals and unit tests; modules in them count as part of the file."""
    text = NOISE.sub(" ", text)
    while found := TEST_MODULE.search(text):
        text = text[: found.start()] + text[end_of_block(text, found.end()) :]
    while found := INNER_MODULE.search(text):
        end = end_of_block(text, found.end())
        inside = UP.sub(lambda up: up[1] or "self::", text[found.end() : end - 1])
        text = text[: found.start()] + inside + text[end:]
    return text


def leaves(tree: str, before: Path_ = ()) -> Iterator[tuple[str, Path_]]:
    """The names that a ``use`` brings in, each with its path."""
    tree = tree.strip()
    if tree.endswith("}"):
        head, _, group = tree.partition("{")
        prefix = before + tuple(part.strip() for part in head.split("::") if part.strip())
        depth, start, group = 0, 0, group[:-1] + ","
        for place, character in enumerate(group):
            depth += {"{": 1, "}": -1}.get(character, 0)
            if character == "," and depth == 0:
                if group[start:place].strip():
                    yield from leaves(group[start:place], prefix)
                start = place + 1
        return
    path, _, alias = re.sub(r"\s+", " ", tree).partition(" as ")
    parts = before + tuple(part.strip() for part in path.split("::") if part.strip())
    if parts[-1] == "self":
        parts = parts[:-1]
    yield alias.strip() or parts[-1], parts


class Crate:
    """The modules below a directory that holds ``lib.rs``."""

    def __init__(self, root: Path) -> None:
        files = {self._name(path.relative_to(root)): path for path in sorted(root.rglob("*.rs"))}
        self.modules = {name: Module() for name in files}
        for name, path in files.items():
            text = plain(path.read_text(encoding="utf-8"))
            body = USE.sub(" ", text)
            for found in USE.finditer(text):
                for known_as, target in leaves(found["tree"]):
                    absolute = self._absolute(name, target)
                    if absolute is not None:
                        used = re.search(rf"\b{re.escape(known_as)}\b", body) is not None
                        if used or not found["public"]:
                            self.modules[name].paths.add(absolute)
                        if known_as != "*":
                            self.modules[name].names[known_as] = absolute
            for found in PATH.finditer(body):
                parts = (found[1], *re.findall(r"\w+", found[2]))
                absolute = self._absolute(name, parts)
                if absolute is not None:
                    self.modules[name].paths.add(absolute)

    @staticmethod
    def _name(path: Path) -> Path_:
        parts = path.with_suffix("").parts
        return () if parts == ("lib",) else parts

    def _absolute(self, home: Path_, path: Path_) -> Path_ | None:
        """The path from the root of the crate; None for what another crate holds."""
        head, rest = path[0], path[1:]
        if head == "crate":
            return rest
        if head == "self":
            return home + rest
        if head == "super":
            while rest[:1] == ("super",):
                home, rest = home[:-1], rest[1:]
            return home[:-1] + rest
        return home + path if (*home, head) in self.modules else None

    def home_of(self, path: Path_) -> Path_:
        """The module that defines what a path leads to."""
        for _ in range(20):
            size = len(path)
            while path[:size] not in self.modules:
                size -= 1
            module, rest = path[:size], path[size:]
            if not rest or rest[0] not in self.modules[module].names:
                return module
            path = self.modules[module].names[rest[0]] + rest[1:]
        raise ValueError(f"{'::'.join(path)} leads nowhere")

    def uses(self) -> dict[Path_, set[Path_]]:
        """By module the others that it uses."""
        return {
            name: {self.home_of(path) for path in module.paths} - {name}
            for name, module in self.modules.items()
        }


def circles(uses: dict[Path_, set[Path_]]) -> list[list[str]]:
    """The groups of modules each of which uses all others in the end (Tarjan)."""
    order: dict[Path_, int] = {}
    low: dict[Path_, int] = {}
    stack: list[Path_] = []
    found: list[list[str]] = []

    def visit(name: Path_) -> None:
        order[name] = low[name] = len(order)
        stack.append(name)
        for used in sorted(uses[name]):
            if used not in order:
                visit(used)
                low[name] = min(low[name], low[used])
            elif used in stack:
                low[name] = min(low[name], order[used])
        if low[name] == order[name]:
            group = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(group) > 1:
                found.append(sorted("::".join(each) or "crate" for each in group))

    for name in sorted(uses):
        if name not in order:
            visit(name)
    return found
