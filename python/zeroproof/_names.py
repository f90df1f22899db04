"""The names of nodes in the code that requests an explanation."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from inspect import CO_OPTIMIZED
from types import FrameType
from typing import Any

from ._native import TRNode

#: Longer lists and dictionaries of nodes are not searched for names.
_LONGEST = 1000


def names_in(frame: FrameType) -> dict[int, str]:
    """The names of nodes, by hash, that stand in variables of a frame.

    Besides a variable itself, ``w[0]`` and ``w['a']`` name what stands in lists, tuples and
    dictionaries, and ``self.w`` an attribute.
    """
    names: dict[int, str] = {}
    for variables in (_locals_of(frame), list(frame.f_globals.items())):
        # Interpreters and test tools keep results in variables that no program could name, and
        # notebooks in some such as _3: a name that the user chose comes first.
        chosen = [item for item in variables if str(item[0]).isidentifier()]
        for name, value in sorted(chosen, key=lambda item: item[0].startswith("_")):
            for label, node in _labelled(name, value):
                names.setdefault(hash(node), label)
    return names


def _locals_of(frame: FrameType) -> list[tuple[str, Any]]:
    variables = frame.f_locals
    found = list(variables.items())
    # Before Python 3.13 those of a function are a copy that its frame keeps, which keeps alive
    # objects that the function has released. It is emptied, unless the program or a debugger uses
    # it too.
    is_copy = frame.f_code.co_flags & CO_OPTIMIZED and type(variables) is dict
    if is_copy and sys.getrefcount(variables) == 3 and sys.gettrace() is None:
        variables.clear()
    return found


def _labelled(name: str, value: Any) -> Iterator[tuple[str, TRNode]]:
    """The nodes in a variable. Only plain containers are searched, so no user code runs."""
    if isinstance(value, TRNode):
        yield name, value
        return
    items: Iterable[tuple[str, Any]] = ()
    if type(value) in (list, tuple) and len(value) <= _LONGEST:
        items = ((f"{name}[{place}]", item) for place, item in enumerate(value))
    elif type(value) is dict and len(value) <= _LONGEST:
        items = ((f"{name}[{key!r}]", item) for key, item in value.items() if type(key) is str)
    elif name == "self" and hasattr(value, "__dict__"):
        items = ((f"{name}.{key}", item) for key, item in vars(value).items())
    yield from ((label, item) for label, item in items if isinstance(item, TRNode))
