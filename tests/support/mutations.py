"""Files that are nearly right: JSON with something else at a place, and bytes that were changed."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

#: What any place of a JSON file may hold instead.
VALUES: list[Any] = [
    None,
    True,
    0,
    1,
    -1,
    7,
    2**31,
    2**40,
    10**30,
    1.5,
    -0.0,
    "inf",
    "nan",
    "x",
    "",
]
VALUES += [10**400, 1e308, 5e-324, -1e-310, 2**53 + 1, "1e400", "\ud800", "-Infinity"]
VALUES += [
    "add",
    "sum",
    "sin",
    "pow_int",
    "gradients",
    "less",
    "and",
    "strict",
    [],
    {},
    [0],
    [0, 1],
]
VALUES += [["op", "add", [0, 1]], ["constant", 1.0], ["select", [7, 0, 0]], [0, 2**31], [[0]]]
VALUES += [{"kind": "leaf"}, {"kind": "none"}, {"kind": "list", "items": []}]

#: What stands in tables and JSON, and what is nearly that.
TOKENS = [
    *(
        b",",
        b";",
        b"\t",
        b" ",
        b"\n",
        b"\r\n",
        b"\r",
        b"\0",
        b'"',
        b"'",
        b"#",
        b"\xef\xbb\xbf",
        b"\xff",
    ),
    *(
        b"nan",
        b"inf",
        b"-inf",
        b"1e400",
        b"-1e-400",
        b"0",
        b"-0.0",
        b"1_000",
        b"0x1p3",
        b"1,5",
        b"x",
    ),
    *(b"[", b"]", b"{", b"}", b":", b"null", b"true", b"NaN", b"Infinity", b"\\ud800", b"1" * 5000),
    *("١٢".encode(), "−1".encode(), "\u2028".encode(), b"\x0b", b"\x1c", b"\x85", b"[" * 2000),
]
#: No file of a target gets longer.
MOST_BYTES = 1 << 16


def places(content: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places in some JSON, from the outside in."""
    keys = content if isinstance(content, dict) else range(len(content))
    for key in keys:
        yield (*above, key)
        if isinstance(content[key], (dict, list)):
            yield from places(content[key], (*above, key))


def mutated(content: Any, chosen: random.Random) -> Any:
    """The content with something else at one place, or with one place more or less."""
    place = chosen.choice(list(places(content)))
    inner = content
    for key in place[:-1]:
        inner = inner[key]
    what = chosen.random()
    if what < 0.6:
        inner[place[-1]] = chosen.choice(VALUES)
    elif what < 0.8 and isinstance(inner[place[-1]], (int, float)):
        inner[place[-1]] = chosen.choice([chosen.randrange(20), chosen.uniform(-2.0, 2.0)])
    elif what < 0.9:
        del inner[place[-1]]
    elif isinstance(inner, list):
        inner.insert(place[-1], chosen.choice(inner))
    return json.loads(json.dumps(content))


def mutated_file(data: bytes, chosen: random.Random, others: Sequence[bytes] = ()) -> bytes:
    """Another file: by its structure if it is JSON, else by its bytes."""
    for _ in range(chosen.choice([1, 1, 2, 4])):
        changed = _by_structure(data, chosen) if chosen.random() < 0.7 else None
        data = changed if changed is not None else _by_bytes(data, chosen, others)
    return data[:MOST_BYTES]


def _by_structure(data: bytes, chosen: random.Random) -> Any:
    if data.lstrip()[:1] != b"{":
        return None
    try:
        content = json.loads(data)
        return json.dumps(mutated(content, chosen)).encode() if content else None
    except (ValueError, RecursionError):
        return None


def _by_bytes(data: bytes, chosen: random.Random, others: Sequence[bytes]) -> bytes:
    start = chosen.randrange(len(data) + 1)
    end = min(len(data), start + chosen.choice([1, 1, 2, 8, 64]))
    what = chosen.randrange(12)
    if what < 5:
        return data[:start] + chosen.choice(TOKENS) + data[start if what < 3 else end :]
    if what < 7:
        return data[:start] + data[end:]
    if what < 8:
        return data[:end] + data[start:]
    if what < 10:
        return data[:start] + bytes([chosen.randrange(256)]) + data[start + 1 :]
    if what < 11 and others:
        other = chosen.choice(others)
        return data[:start] + other[chosen.randrange(len(other) + 1) :]
    return gzip.compress(data, mtime=0) if chosen.random() < 0.2 else data[:start]
