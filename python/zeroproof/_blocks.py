"""The active ``with`` blocks of a thread or async task: a stack in a context variable."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TypeVar

_Block = TypeVar("_Block")


def enter(stack: ContextVar[tuple[_Block, ...]], block: _Block) -> None:
    """Pushes a block."""
    stack.set((*stack.get(), block))


def leave(stack: ContextVar[tuple[_Block, ...]], block: _Block) -> None:
    """Removes the innermost entry of a block, which need not be on top.

    There is none if a generator that entered it is closed in another context.
    """
    inside_out = list(reversed(stack.get()))
    if block in inside_out:
        inside_out.remove(block)
        stack.set(tuple(reversed(inside_out)))
