"""The ops of the native table by arity, and the functions that compute them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zeroproof import _native
from zeroproof import core as tr_core
from zeroproof.autodiff import tr_ops_grad

#: The rows of the op table by arity, from the native module: the case lists of the tests. An alias
#: computes nothing; ``tr_where`` has tests of its own.
NAMES: dict[str, list[str]] = {}
for _row in _native.op_table():
    if _row["arity"] not in ("alias", "gradient", "gradients"):
        NAMES.setdefault(_row["arity"], []).append(_row["name"])

#: Exponents on both sides of 0, with the edges of the multiplied-out powers.
EXPONENTS = [-301, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 301]


def scalar_op(name: str) -> Callable[..., Any]:
    """The function of ``zeroproof.core`` for a row of the op table."""
    return getattr(tr_core, f"tr_{name}")


def node_op(name: str) -> Callable[..., Any]:
    """The function of ``tr_ops_grad`` for a row of the op table."""
    return getattr(tr_ops_grad, f"tr_{name}")
