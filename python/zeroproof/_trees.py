"""Structures of values: containers, nested in any way, whose leaves are the values.

Containers are mappings, lists, tuples, named tuples and instances of dataclasses. None is a
container without leaves, and everything else is a leaf, an array as a whole too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any, NamedTuple, Optional

__all__ = ["LEAF", "Kind", "Structure", "broadcast", "flatten", "is_container"]

#: Structures nested deeper are refused, before they overflow the interpreter's stack.
DEEPEST = 100


class Kind(Enum):
    """What a place of a structure is."""

    LEAF = "a single value"
    NONE = "None"
    MAPPING = "a mapping"
    SEQUENCE = "a list or tuple"
    NAMED_TUPLE = "a named tuple"
    DATACLASS = "a dataclass"


class _Container(NamedTuple):
    """A container taken apart."""

    kind: Kind
    keys: tuple[Any, ...]
    values: tuple[Any, ...]
    factory: Optional[Callable[[], Any]] = None
    constants: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Structure:
    """A structure without its leaves. Equal ones have the same containers with the same keys.

    Mappings are equal only if their keys have the same order, which is that of the leaves.
    """

    kind: Kind
    container: Optional[type] = None
    keys: tuple[Any, ...] = ()
    """Keys, indices or names of fields: one for each child."""
    children: tuple[Structure, ...] = ()
    factory: Optional[Callable[[], Any]] = None
    """That of a ``defaultdict``."""
    constants: tuple[tuple[str, Any], ...] = ()
    """The names and values of a dataclass's static fields."""
    count: int = 1
    """The number of leaves."""

    def __hash__(self) -> int:
        # Constants are compared only, since they need not be hashable.
        return hash((self.kind, self.container, self.keys, self.children))

    @property
    def is_leaf(self) -> bool:
        """Whether the structure is a single leaf."""
        return self.kind is Kind.LEAF

    def unflatten(self, leaves: Iterable[Any]) -> Any:
        """The structure with these leaves, as many as it has.

        Raises:
            TypeError: if a container cannot be made from its items.
            ValueError: if there are more or fewer leaves.
        """
        given = list(leaves)
        if len(given) != self.count:
            raise ValueError(f"a structure of {self.count} leaves was given {len(given)}")
        if self.is_leaf:
            return given[0]
        return self._filled(iter(given))

    def paths(self, root: str = "") -> list[str]:
        """Where each leaf stands, such as ``root['w'][0]`` or ``root.bias``."""
        if self.is_leaf:
            return [root]
        pairs = zip(self.keys, self.children)
        return [path for key, child in pairs for path in child.paths(root + self.step(key))]

    def step(self, key: Any) -> str:
        """What leads from the path of the structure to that of a child."""
        is_named = self.kind in (Kind.NAMED_TUPLE, Kind.DATACLASS)
        return f".{key}" if is_named else f"[{key!r}]"

    def _filled(self, leaves: Iterator[Any]) -> Any:
        if self.is_leaf:
            return next(leaves)
        items = [child._filled(leaves) for child in self.children]
        if self.container is None:
            return None
        try:
            return self._made(self.container, items)
        except Exception as error:
            name = self.container.__name__
            raise TypeError(f"{name} cannot be made from its items: {error}") from error

    def _made(self, container: Any, items: list[Any]) -> Any:
        if self.kind is Kind.SEQUENCE:
            return container(items)
        if self.kind is Kind.NAMED_TUPLE:
            return container._make(items)
        named = dict(zip(self.keys, items))
        if self.kind is Kind.DATACLASS:
            return container(**named, **dict(self.constants))
        if issubclass(container, defaultdict):
            return container(self.factory, named)
        return container(named)


LEAF = Structure(Kind.LEAF)
_WHOLE = "the structure"


def flatten(tree: Any, root: str = "") -> tuple[list[Any], Structure]:
    """The leaves of a structure, in order, and the structure without them.

    Mappings keep the order in which they iterate, and dataclasses that of their fields. Fields that
    ``__init__`` does not take are no children, nor are those with ``metadata={"static": True}``,
    which keep their value.

    Args:
        tree: a value, or containers of values.
        root: its name, for errors.

    Raises:
        ValueError: if a container contains itself, or containers are nested too deep.
    """
    leaves: list[Any] = []
    return leaves, _flatten(tree, root, leaves, {})


def is_container(tree: Any) -> bool:
    """Whether a value is a container, or None, and no leaf."""
    return _taken_apart(tree) is not None


def broadcast(prefix: Any, structure: Structure, root: str, what: str = "in_axes") -> list[Any]:
    """One entry of ``prefix`` for each leaf: an entry in place of a container holds for all of it.

    Args:
        prefix: the upper part of the structure, with entries instead of its lower part. None is an
            entry, too. Lists and tuples may stand for each other, and for named tuples.
        structure: that of the leaves.
        root: the name of the structure, for errors.
        what: the name of ``prefix``, for errors.

    Raises:
        ValueError: if ``prefix`` has a container where the structure has another or none, or
            other items than it. The error names the place.
    """
    container = None if prefix is None else _taken_apart(prefix)
    if container is None:
        return [prefix] * structure.count
    sequences = {Kind.SEQUENCE, Kind.NAMED_TUPLE}
    alike = container.kind is structure.kind
    if not alike and not {container.kind, structure.kind} <= sequences:
        raise ValueError(
            f"{what} has {container.kind.value} for {root or _WHOLE}, which is "
            f"{structure.kind.value}"
        )
    # Those that stand for each other do so item by item.
    keys = container.keys if alike else structure.keys
    entries = dict(zip(keys, container.values))
    if len(container.values) != len(structure.keys) or entries.keys() != set(structure.keys):
        raise ValueError(
            f"{what} has {_listed(container.keys)} for {root or _WHOLE}, whose items are "
            f"{_listed(structure.keys)}"
        )
    return [
        entry
        for key, child in zip(structure.keys, structure.children)
        for entry in broadcast(entries[key], child, root + structure.step(key), what)
    ]


def _flatten(tree: Any, path: str, leaves: list[Any], above: dict[int, str]) -> Structure:
    """The structure of a tree, whose leaves are appended; ``above`` has the containers around."""
    container = _taken_apart(tree)
    if container is None:
        leaves.append(tree)
        return LEAF
    if id(tree) in above:
        raise ValueError(f"{above[id(tree)] or _WHOLE} contains itself: it stands in {path}")
    if len(above) >= DEEPEST:
        raise ValueError(f"containers are nested more than {DEEPEST} deep: {path}")
    kind, keys, values, factory, constants = container
    above[id(tree)] = path
    start = len(leaves)
    bare = Structure(kind, None if tree is None else type(tree), keys)
    children = tuple(
        [_flatten(value, path + bare.step(key), leaves, above) for key, value in zip(keys, values)]
    )
    del above[id(tree)]
    return Structure(kind, bare.container, keys, children, factory, constants, len(leaves) - start)


def _taken_apart(tree: Any) -> Optional[_Container]:
    """A container's items; None for a leaf."""
    if tree is None:
        return _Container(Kind.NONE, (), ())
    if isinstance(tree, (list, tuple)):
        names = getattr(tree, "_fields", None) if isinstance(tree, tuple) else None
        if names is not None:
            return _Container(Kind.NAMED_TUPLE, tuple(names), tuple(tree))
        return _Container(Kind.SEQUENCE, tuple(range(len(tree))), tuple(tree))
    if isinstance(tree, Mapping):
        factory = tree.default_factory if isinstance(tree, defaultdict) else None
        items = tuple(tree.items())
        keys, values = zip(*items) if items else ((), ())
        return _Container(Kind.MAPPING, keys, values, factory)
    if hasattr(type(tree), "__dataclass_fields__"):
        children: list[tuple[str, Any]] = []
        constants: list[tuple[str, Any]] = []
        for field in fields(tree):
            if field.init:
                is_static = field.metadata.get("static")
                (constants if is_static else children).append(
                    (field.name, getattr(tree, field.name))
                )
        keys, values = zip(*children) if children else ((), ())
        return _Container(Kind.DATACLASS, keys, values, None, tuple(constants))
    return None


def _listed(keys: tuple[Any, ...]) -> str:
    return ", ".join(map(repr, keys)) or "none"
