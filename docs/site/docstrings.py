"""Docstrings for the reference.

Of the native module the stubs have the types, the module itself has the text. In all docstrings
roles become links, and the facts of an operation stand on lines of their own.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import griffe

sys.path.insert(0, str(Path(__file__).parent))

import reference

ROLE = re.compile(r":\w+:`([^`]+)`")
FACT = re.compile(r"\n(?=(?:Domain|Units|Partials|Singular)\b)")


def described(value: Any, parent: griffe.Module) -> griffe.Docstring:
    """The docstring of a native object."""
    return griffe.Docstring(inspect.getdoc(value) or "", parent=parent, lineno=1)


def operation(name: str, value: Any, parent: griffe.Module) -> griffe.Function:
    """A function that the stubs do not name, since the package gives it another name."""
    kinds = {
        inspect.Parameter.POSITIONAL_ONLY: griffe.ParameterKind.positional_only,
        inspect.Parameter.POSITIONAL_OR_KEYWORD: griffe.ParameterKind.positional_or_keyword,
        inspect.Parameter.KEYWORD_ONLY: griffe.ParameterKind.keyword_only,
    }
    parameters = [
        griffe.Parameter(
            parameter.name,
            kind=kinds[parameter.kind],
            default=None if parameter.default is parameter.empty else repr(parameter.default),
        )
        for parameter in inspect.signature(value).parameters.values()
    ]
    return griffe.Function(
        name,
        parameters=griffe.Parameters(*parameters),
        docstring=described(value, parent),
        parent=parent,
        lineno=1,
        endlineno=1,
    )


def as_constructor(new: griffe.Function, parent: griffe.Class) -> griffe.Function:
    """``__new__`` of a native class as the ``__init__`` that the reference shows."""
    parameters = [parameter for parameter in new.parameters if parameter.name != "cls"]
    own = griffe.Parameter("self", kind=griffe.ParameterKind.positional_or_keyword)
    return griffe.Function(
        "__init__",
        parameters=griffe.Parameters(own, *parameters),
        parent=parent,
        lineno=1,
        endlineno=1,
    )


def documented(parent: griffe.Object) -> Iterator[griffe.Object]:
    """An object and all below it."""
    yield parent
    for member in parent.members.values():
        if not member.is_alias:
            yield from documented(member)


def linked(text: str, places: dict[str, str]) -> str:
    """A docstring with links for roles, and a break before each fact of an operation."""

    def link(match: re.Match[str]) -> str:
        name = match[1].rsplit(".", 1)[-1]
        return f"[`{match[1]}`][{places[name]}]" if name in places else f"`{match[1]}`"

    return FACT.sub("  \n", ROLE.sub(link, text))


class Docstrings(griffe.Extension):
    """Completes and rewrites docstrings once the package is loaded."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Called when a package is loaded."""
        if pkg.name != "zeroproof":
            return
        native = importlib.import_module("zeroproof._native")
        module = pkg["_native"]
        for name, value in vars(native).items():
            if name not in module.members:
                if inspect.isbuiltin(value):
                    module.set_member(name, operation(name, value, module))
                continue
            known = module.members[name]
            if known.is_alias:
                continue
            if known.docstring is None:
                known.docstring = described(value, known)
            if known.is_class and "__new__" in known.members and "__init__" not in known.members:
                known.set_member("__init__", as_constructor(known.members["__new__"], known))
            for member in known.members.values() if known.is_class else ():
                own = getattr(value, member.name, None)
                if not member.is_alias and member.docstring is None and own is not None:
                    member.docstring = described(own, member)
        places = reference.places()
        for each in documented(pkg):
            if each.docstring is not None:
                each.docstring.value = linked(each.docstring.value, places)
