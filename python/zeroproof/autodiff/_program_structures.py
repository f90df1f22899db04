"""The structures of a program's arguments and results: as JSON, and made without their classes."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator
from dataclasses import field, make_dataclass
from keyword import iskeyword
from math import isfinite
from typing import Any, Optional
from unicodedata import normalize

from .._trees import DEEPEST, LEAF, Kind, Structure

_KINDS = {
    Kind.NONE: "none",
    Kind.MAPPING: "mapping",
    Kind.NAMED_TUPLE: "named_tuple",
    Kind.DATACLASS: "dataclass",
}
#: The fields of each kind besides ``kind``.
_FIELDS = {
    "none": set[str](),
    "mapping": {"items"},
    "list": {"items"},
    "tuple": {"items"},
    "named_tuple": {"name", "items"},
    "dataclass": {"name", "items", "constants"},
}
_SIMPLE = (str, int, float, bool, type(None))


def to_json(structure: Structure, leaves: Iterator[dict[str, Any]], path: str) -> dict[str, Any]:
    """A structure as JSON.

    Args:
        structure: the structure.
        leaves: what stands for each leaf.
        path: its name, for errors.

    Raises:
        TypeError: for a key, or the value of a static field, that JSON does not have.
    """
    if structure.is_leaf:
        return {"kind": "leaf", **next(leaves)}
    container = structure.container
    if structure.kind is Kind.SEQUENCE:
        kind = "tuple" if container is not None and issubclass(container, tuple) else "list"
    else:
        kind = _KINDS[structure.kind]
    content: dict[str, Any] = {"kind": kind}
    if "name" in _FIELDS[kind] and container is not None:
        content["name"] = container.__name__
    if kind == "none":
        return content
    children = [
        to_json(child, leaves, path + structure.step(key))
        for key, child in zip(structure.keys, structure.children)
    ]
    if structure.kind is Kind.SEQUENCE:
        content["items"] = children
        return content
    for key in structure.keys:
        if type(key) not in (str, int):
            raise TypeError(
                f"a program whose {path} has the key {key!r} cannot be saved: the keys of mappings "
                "must be strings or ints"
            )
    content["items"] = [list(pair) for pair in zip(structure.keys, children)]
    if kind == "dataclass":
        for name, value in structure.constants:
            if not _is_simple(value):
                raise TypeError(
                    f"a program whose {path}.{name} is {value!r} cannot be saved: static fields "
                    "must be strings, finite numbers, bools or None"
                )
        content["constants"] = [list(pair) for pair in structure.constants]
    return content


def from_json(
    content: Any, place: str, leaf: Callable[[dict[str, Any], str], None], depth: int = 0
) -> Structure:
    """The structure of such JSON, with classes made for named tuples and dataclasses.

    Args:
        content: the JSON.
        place: where it stands, for errors.
        leaf: takes what stands for each leaf, and its place.
        depth: how deep it stands.

    Raises:
        ValueError: for anything else; the error names the place.
    """
    kind = expect(content, dict, place).get("kind")
    if depth > DEEPEST:
        raise ValueError(f"{place}: containers are nested more than {DEEPEST} deep")
    if kind == "leaf":
        leaf({key: value for key, value in content.items() if key != "kind"}, place)
        return LEAF
    if not isinstance(kind, str) or kind not in _FIELDS:
        raise ValueError(f"{place}: there is no kind {kind!r} of structure")
    expect_keys(content, {"kind", *_FIELDS[kind]}, place)
    if kind == "none":
        return Structure(Kind.NONE, count=0)
    items = expect(content["items"], list, f"{place}.items")
    if kind in ("list", "tuple"):
        keys: tuple[Any, ...] = tuple(range(len(items)))
    else:
        pairs = [_pair(item, f"{place}.items[{at}]") for at, item in enumerate(items)]
        keys, items = tuple([key for key, _ in pairs]), [item for _, item in pairs]
        if len(set(keys)) < len(keys):
            raise ValueError(f"{place}: a key stands there twice")
    children = tuple(
        [from_json(item, f"{place}.items[{at}]", leaf, depth + 1) for at, item in enumerate(items)]
    )
    count = sum(child.count for child in children)
    if kind in ("list", "tuple"):
        return Structure(
            Kind.SEQUENCE, list if kind == "list" else tuple, keys, children, count=count
        )
    if kind == "mapping":
        return Structure(Kind.MAPPING, dict, keys, children, count=count)
    name = _identifier(content["name"], f"{place}.name")
    for key in keys:
        _identifier(key, place)
    if kind == "named_tuple":
        made = _named_tuple(name, keys, place)
        return Structure(Kind.NAMED_TUPLE, made, keys, children, count=count)
    constants = [
        _pair(item, f"{place}.constants[{at}]")
        for at, item in enumerate(expect(content["constants"], list, f"{place}.constants"))
    ]
    for key, value in constants:
        _identifier(key, f"{place}.constants")
        if not _is_simple(value):
            raise ValueError(
                f"{place}.constants: {key} must be a string, finite number, bool or null"
            )
    static = tuple([key for key, _ in constants])
    if len({*keys, *static}) < len(keys) + len(static):
        raise ValueError(f"{place}: a field stands there twice")
    made = _dataclass(name, keys, static)
    return Structure(Kind.DATACLASS, made, keys, children, None, tuple(constants), count)


def stand_in(structure: Structure) -> Structure:
    """The same structure with containers that take anything."""
    if structure.is_leaf or structure.kind is Kind.NONE:
        return structure
    kind, keys, container = structure.kind, structure.keys, structure.container
    children = tuple(map(stand_in, structure.children))
    if kind is Kind.SEQUENCE:
        made: Optional[type] = tuple
    elif kind is Kind.MAPPING:
        made = dict
    elif kind is Kind.NAMED_TUPLE:
        made = container
    else:
        static = tuple([name for name, _ in structure.constants])
        made = _dataclass("StandIn", keys, static)
    return Structure(kind, made, keys, children, None, structure.constants, structure.count)


def difference(expected: Structure, given: Structure, path: str) -> Optional[str]:
    """How a structure differs from the one expected; None if it only has other classes.

    Lists and tuples may stand for each other.
    """
    if expected.kind is not given.kind:
        return f"{path} must be {expected.kind.value}, not {given.kind.value}"
    if expected.keys != given.keys:
        wanted, others = (", ".join(map(repr, each.keys)) or "none" for each in (expected, given))
        return f"{path} must have the items {wanted}, in this order, not {others}"
    if expected.constants != given.constants:
        return f"the static fields of {path} must be {dict(expected.constants)!r}"
    for key, wanted_child, child in zip(expected.keys, expected.children, given.children):
        found = difference(wanted_child, child, path + expected.step(key))
        if found is not None:
            return found
    return None


def expect(content: Any, kind: type, place: str) -> Any:
    """JSON that must be of this type.

    Raises:
        ValueError: if it is not.
    """
    if type(content) is not kind:
        names = {dict: "an object", list: "an array", str: "a string", bool: "true or false"}
        wanted = names.get(kind, "an integer")
        raise ValueError(f"{place}: expected {wanted}, not {_shown(content)}")
    return content


def expect_keys(content: dict[str, Any], wanted: set[str], place: str) -> None:
    """Raises ValueError unless an object has exactly these keys."""
    for key in sorted(wanted - content.keys()):
        raise ValueError(f"{place}: {key!r} is missing")
    for key in sorted(content.keys() - wanted):
        raise ValueError(f"{place}: {key!r} is not known here")


def _is_simple(value: Any) -> bool:
    return type(value) in _SIMPLE and (type(value) is not float or isfinite(value))


def _shown(content: Any) -> str:
    text = repr(content)
    return text if len(text) <= 40 else f"{text[:40]}…"


def _pair(content: Any, place: str) -> tuple[Any, Any]:
    pair = expect(content, list, place)
    if len(pair) != 2 or type(pair[0]) not in (str, int):
        raise ValueError(f"{place}: expected a string or an integer, and what belongs to it")
    return pair[0], pair[1]


def _identifier(name: Any, place: str) -> str:
    is_identifier = isinstance(name, str) and name.isidentifier() and not iskeyword(name)
    # Neither names such as __slots__, nor those that Python would read as another name.
    if not is_identifier or name.startswith("__") or normalize("NFKC", name) != name:
        raise ValueError(f"{place}: {_shown(name)} is no name of a class or field")
    return str(name)


def _named_tuple(name: str, keys: tuple[Any, ...], place: str) -> type:
    try:
        return namedtuple(name, keys)
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None


def _dataclass(name: str, keys: tuple[Any, ...], static: tuple[str, ...]) -> type:
    """A dataclass; its fields have no values of their own, so that none can be missing."""
    fields: list[Any] = [(key, Any) for key in keys]
    fields += [(key, Any, field(metadata={"static": True})) for key in static]
    return make_dataclass(name, fields, eq=False)
