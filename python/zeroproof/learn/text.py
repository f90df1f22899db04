"""The text of a table: from a file, standard input or gzip, with errors of one line."""

from __future__ import annotations

import gzip
import sys
import zlib
from pathlib import Path
from typing import BinaryIO

__all__ = ["STDIN", "InputError", "content", "name_of", "text_of"]

MOST_BYTES = 256 * 2**20
GZIP = b"\x1f\x8b"
STDIN = "-"


class InputError(Exception):
    """Invalid input of the user; the text is one line with the remedy."""


def name_of(path: str) -> str:
    """What a path is called in reports."""
    return "standard input" if path == STDIN else path


def text_of(path: str) -> str:
    """The text of a file in UTF-8, or of standard input for ``-``, unpacked if it is gzip.

    Raises:
        InputError: with one line that names the file and what to do.
    """
    name = name_of(path)
    try:
        if path == STDIN:
            if sys.stdin is None:
                raise InputError("standard input is closed; give a file")
            raw = _read(sys.stdin.buffer)
        else:
            with Path(path).open("rb") as file:
                raw = _read(file)
    except IsADirectoryError:
        raise InputError(f"{name}: is a directory; give a CSV file") from None
    except FileNotFoundError:
        raise InputError(f"{name}: no such file") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{name}: is a damaged gzip file ({error})") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{name!r}: cannot be read ({reason})") from None
    if len(raw) > MOST_BYTES:
        raise InputError(
            f"{name}: is longer than {MOST_BYTES // 2**20} MiB; give a table with fewer rows"
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name}: is not text in UTF-8 (byte {error.start}); save the table as a UTF-8 CSV file"
        ) from None
    if "\0" in text:
        raise InputError(f"{name}: is a binary file; save the table as a UTF-8 CSV file")
    return text


def _read(file: BinaryIO) -> bytes:
    """The bytes, one more than allowed at most: a device may have no end."""
    raw = file.read(MOST_BYTES + 1)
    if not raw.startswith(GZIP):
        return raw
    unpacked = zlib.decompressobj(wbits=31)
    found = unpacked.decompress(raw, MOST_BYTES + 1)
    if not unpacked.eof and len(found) <= MOST_BYTES:
        raise EOFError("it ends too early")
    return found


def content(text: str) -> list[tuple[int, str]]:
    """The lines that are neither empty nor comments, with their numbers from 1."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
    return [
        (number, line)
        for number, line in enumerate(unified.split("\n"), start=1)
        if (stripped := line.strip()) and stripped[0] != "#"
    ]
