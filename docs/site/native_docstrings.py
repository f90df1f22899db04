"""Docstrings of the native module: its stubs have the types, the module itself the text."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import griffe


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


class NativeDocstrings(griffe.Extension):
    """Completes ``zeroproof._native``, which griffe knows by its stubs."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Called when the package is loaded."""
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
            for member in known.members.values() if known.is_class else ():
                own = getattr(value, member.name, None)
                if not member.is_alias and member.docstring is None and own is not None:
                    member.docstring = described(own, member)
