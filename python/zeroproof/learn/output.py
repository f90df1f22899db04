"""What the commands write: reports to stdout or a file, notes and progress to stderr."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Optional

from .text import InputError

__all__ = ["Progress", "check_writable", "note", "write"]

SECONDS_BEFORE, SECONDS_BETWEEN = 1.0, 0.2
WIDTH = 78


def note(text: str) -> None:
    """Writes a line to stderr, if the process has one."""
    if sys.stderr is not None:
        print(text, file=sys.stderr, flush=True)


def write(text: str, path: Optional[str] = None) -> None:
    """Writes to a file or to stdout, if the process has one, which may lack some characters.

    Raises:
        InputError: if the file cannot be written.
    """
    if path is not None:
        try:
            Path(path).write_text(text, encoding="utf-8")
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise InputError(f"--out {path}: cannot be written ({reason})") from None
        return
    if sys.stdout is None:
        return
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
    sys.stdout.flush()


def check_writable(option: str, path: str) -> None:
    """Raises InputError unless a file can be written to this path."""
    existed = os.path.lexists(path)
    try:
        with open(path, "ab"):
            pass
        if not existed:
            os.unlink(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{option} {path}: cannot be written ({reason})") from None


class Progress:
    """One line on stderr, where that is a terminal, for work that takes longer than a second."""

    def __init__(self) -> None:
        self._shown = sys.stderr is not None and sys.stderr.isatty()
        self._due = time.monotonic() + SECONDS_BEFORE
        self._written = False

    def __call__(self, text: str) -> None:
        """Shows these words in place of the last ones."""
        now = time.monotonic()
        if self._shown and now >= self._due:
            self._due = now + SECONDS_BETWEEN
            self._written = True
            print("\r" + text[:WIDTH].ljust(WIDTH), end="", file=sys.stderr, flush=True)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *error: object) -> None:
        if self._written:
            print("\r" + " " * WIDTH + "\r", end="", file=sys.stderr, flush=True)
