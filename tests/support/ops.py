"""The ops of the native table by arity, and the functions that compute them."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from zeroproof import _native
from zeroproof import core as tr_core
from zeroproof.autodiff import tr_ops_grad

#: The rows of the op table by arity, from the native module: the case lists of the tests.
NAMES: dict[str, list[str]] = {}
for _row in _native.op_table():
    NAMES.setdefault(_row["arity"], []).append(_row["name"])

#: Exponents on both sides of 0, with the edges of the multiplied-out powers.
EXPONENTS = [-301, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 301]


class _Functions:
    """A module's functions, and those of the native module that it does not offer yet."""

    def __init__(self, module: ModuleType, prefix: str) -> None:
        self._module, self._prefix = module, prefix

    def __getattr__(self, name: str) -> Any:
        if hasattr(self._module, name):
            return getattr(self._module, name)
        return getattr(_native, name.replace("tr_", self._prefix, 1))


#: What a program names as ``core`` and as ``ops``.
SCALAR_FUNCTIONS, NODE_FUNCTIONS = _Functions(tr_core, "scalar_"), _Functions(tr_ops_grad, "node_")


def scalar_op(name: str) -> Callable[..., Any]:
    """The function of ``zeroproof.core`` for a row of the op table."""
    return getattr(SCALAR_FUNCTIONS, f"tr_{name}")


def node_op(name: str) -> Callable[..., Any]:
    """The function of ``tr_ops_grad`` for a row of the op table."""
    return getattr(NODE_FUNCTIONS, f"tr_{name}")
