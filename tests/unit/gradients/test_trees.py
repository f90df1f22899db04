"""Structures of values: flattened, named, filled again."""

from __future__ import annotations

import dataclasses
from collections import ChainMap, Counter, OrderedDict, UserDict, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pytest

from zeroproof import TRArray, TRNode, real
from zeroproof._trees import DEEPEST, Structure, broadcast, flatten


class Pair(NamedTuple):
    first: Any
    second: Any


@dataclass
class Layer:
    weights: Any
    bias: Any = 0.0


@dataclass(frozen=True)
class Model:
    layers: list[Any]
    degree: int = field(default=1, metadata={"static": True})
    size: int = field(init=False, default=0)


class Row(list):  # type: ignore[type-arg]
    """A list of a class of its own."""


TREES: list[tuple[Any, list[str]]] = [
    (1.0, ["p"]),
    (None, []),
    ([], []),
    ({}, []),
    ([1.0, (2.0, None, [3.0])], ["p[0]", "p[1][0]", "p[1][2][0]"]),
    ({"w": [1.0, 2.0], 3: 4.0, "none": None}, ["p['w'][0]", "p['w'][1]", "p[3]"]),
    (OrderedDict(b=1.0, a=2.0), ["p['b']", "p['a']"]),
    (MappingProxyType({"a": 1.0}), ["p['a']"]),
    (Counter(a=2), ["p['a']"]),
    (Pair(1.0, {"a": 2.0}), ["p.first", "p.second['a']"]),
    (Layer([1.0], 2.0), ["p.weights[0]", "p.bias"]),
    (
        Model([Layer(1.0), Layer(2.0, 3.0)], degree=4),
        [
            *("p.layers[0].weights", "p.layers[0].bias"),
            *("p.layers[1].weights", "p.layers[1].bias"),
        ],
    ),
    (Row([1.0, 2.0]), ["p[0]", "p[1]"]),
]


@pytest.mark.parametrize(("tree", "paths"), TREES, ids=[repr(tree) for tree, _ in TREES])
class TestEveryContainer:
    def test_paths(self, tree: Any, paths: list[str]) -> None:
        leaves, structure = flatten(tree)
        assert structure.paths("p") == paths
        assert structure.count == len(leaves) == len(paths)

    def test_it_is_made_again_in_kind(self, tree: Any, paths: list[str]) -> None:
        leaves, structure = flatten(tree)
        again = structure.unflatten(leaves)
        assert type(again) is type(tree)
        assert again == tree
        assert structure.unflatten([10.0 * leaf for leaf in leaves]) == _times_ten(tree)

    def test_structures_compare_without_their_leaves(self, tree: Any, paths: list[str]) -> None:
        leaves, structure = flatten(tree)
        other = flatten(structure.unflatten(map(str, leaves)))[1]
        assert (other, hash(other)) == (structure, hash(structure))
        assert flatten([tree])[1] != structure


def _times_ten(tree: Any) -> Any:
    """Written per class, without flatten."""
    if tree is None:
        return None
    if isinstance(tree, Pair):
        return Pair(*map(_times_ten, tree))
    if isinstance(tree, (list, tuple)):
        return type(tree)(map(_times_ten, tree))
    if isinstance(tree, Mapping):
        return type(tree)({key: _times_ten(item) for key, item in tree.items()})  # type: ignore
    if isinstance(tree, Layer):
        return Layer(_times_ten(tree.weights), _times_ten(tree.bias))
    if isinstance(tree, Model):
        return Model(_times_ten(tree.layers), tree.degree)
    return 10.0 * tree


@pytest.mark.parametrize(
    "leaf",
    [
        *(1.0, 2, "w", b"w", real(1.0), TRNode.parameter(1.0), TRArray([1.0]), object(), {1.0}),
        *(np.zeros(3), np.float64(1.0), np.array([real(1.0)], dtype=object), Layer, range(3)),
        np.zeros(2, [("a", float)])[0],
    ],
    ids=lambda leaf: type(leaf).__name__,
)
def test_everything_else_is_a_leaf(leaf: Any) -> None:
    [found], structure = flatten(leaf)
    assert found is leaf
    assert structure.is_leaf
    assert structure.unflatten(["other"]) == "other"


def test_a_default_dictionary_keeps_its_factory() -> None:
    tree: dict[str, Any] = defaultdict(list, a=1.0)
    again = flatten(tree)[1].unflatten([2.0])
    assert again == {"a": 2.0}
    assert again["b"] == []


def test_mappings_that_are_no_dicts() -> None:
    for tree in (UserDict(a=1.0, b=2.0), ChainMap({"a": 1.0}, {"b": 2.0})):
        leaves, structure = flatten(tree)
        again = structure.unflatten(leaves)
        assert type(again) is type(tree)
        assert dict(again) == {"a": 1.0, "b": 2.0}


def test_the_order_of_keys_is_part_of_the_structure() -> None:
    assert flatten({"a": 1.0, "b": 2.0})[1] != flatten({"b": 1.0, "a": 2.0})[1]
    assert flatten([1.0])[1] != flatten((1.0,))[1]
    assert flatten(Model([], degree=1))[1] != flatten(Model([], degree=2))[1]


def test_static_fields_need_not_be_hashable() -> None:
    first, second = (flatten(Model([1.0], degree=[2]))[1] for _ in range(2))  # type: ignore
    assert (first, hash(first)) == (second, hash(second))


def test_the_leaves_have_to_be_as_many() -> None:
    structure = flatten([1.0, {"a": 2.0}])[1]
    for leaves in ([], [1.0], [1.0, 2.0, 3.0]):
        with pytest.raises(ValueError, match=f"of 2 leaves was given {len(leaves)}"):
            structure.unflatten(leaves)


def test_a_container_that_cannot_be_made_again() -> None:
    class Odd(list):  # type: ignore[type-arg]
        def __init__(self, first: float, second: float) -> None:
            super().__init__([first, second])

    @dataclass
    class Needy:
        x: float
        extra: dataclasses.InitVar[int]

    class Table(Mapping[str, float]):
        def __init__(self, a: float, b: float) -> None:
            self.items_of_it = {"a": a, "b": b}

        def __getitem__(self, key: str) -> float:
            return self.items_of_it[key]

        def __iter__(self) -> Iterator[str]:
            return iter(self.items_of_it)

        def __len__(self) -> int:
            return 2

    for tree in (Odd(1.0, 2.0), Needy(1.0, 2), Table(1.0, 2.0)):
        leaves, structure = flatten({"a": tree})
        with pytest.raises(TypeError, match=f"{type(tree).__name__} cannot be made from its items"):
            structure.unflatten(leaves)


class TestNesting:
    def test_a_cycle_is_named(self) -> None:
        tree: dict[str, Any] = {"a": [1.0]}
        tree["a"].append({"b": tree["a"]})
        with pytest.raises(ValueError, match=r"p\['a'\] contains itself.*p\['a'\]\[1\]\['b'\]"):
            flatten(tree, "p")
        layer = Layer(1.0)
        layer.bias = layer
        with pytest.raises(ValueError, match=r"the structure contains itself.*\.bias"):
            flatten(layer)

    def test_the_same_container_twice_is_no_cycle(self) -> None:
        shared = [1.0, None, ()]
        leaves, structure = flatten([shared, shared, [shared]])
        assert leaves == [1.0] * 3
        assert structure.unflatten(leaves) == [shared, shared, [shared]]

    def test_depth(self) -> None:
        tree: Any = 1.0
        for _ in range(DEEPEST):
            tree = [tree]
        leaves, structure = flatten(tree)
        assert structure.unflatten(leaves) == tree
        for _ in range(100_000 - DEEPEST):
            tree = [tree]
        with pytest.raises(ValueError, match=f"nested more than {DEEPEST} deep"):
            flatten(tree)


NESTED: Structure = flatten({"w": [1.0, (2.0, 3.0)], "b": Layer(4.0, None), "p": Pair(5.0, 6.0)})[1]


class TestBroadcast:
    @pytest.mark.parametrize(
        ("prefix", "entries"),
        [
            (0, [0] * 6),
            (None, [None] * 6),
            ({"w": 0, "b": None, "p": 1}, [0, 0, 0, None, 1, 1]),
            ({"b": None, "p": None, "w": [0, None]}, [0, None, None, None, None, None]),
            ({"w": (0, [None, 2]), "b": Layer(3, 9), "p": (4, 5)}, [0, None, 2, 3, 4, 5]),
            ({"w": [0, 1], "b": 2, "p": Pair(None, 3)}, [0, 1, 1, 2, None, 3]),
        ],
    )
    def test_an_entry_holds_for_all_below(self, prefix: Any, entries: list[Any]) -> None:
        assert broadcast(prefix, NESTED, "p") == entries

    @pytest.mark.parametrize(
        ("prefix", "message"),
        [
            ([0, 0, 0], r"in_axes has a list or tuple for p, which is a mapping"),
            ({"w": 0, "b": 0}, r"in_axes has 'w', 'b' for p, whose items are 'w', 'b', 'p'"),
            ({"w": 0, "b": 0, "q": 0}, r"has 'w', 'b', 'q' for p, whose items are 'w', 'b', 'p'"),
            ({"w": [0], "b": 0, "p": 0}, r"has 0 for p\['w'\], whose items are 0, 1"),
            ({"w": [[0], 0], "b": 0, "p": 0}, r"for p\['w'\]\[0\], which is a single value"),
            (
                {"w": [0, {}], "b": 0, "p": 0},
                r"mapping for p\['w'\]\[1\], which is a list or tuple",
            ),
            ({"w": 0, "b": Layer(0, [0]), "p": 0}, r"tuple for p\['b'\]\.bias, which is None"),
            ({"w": 0, "b": [0, 0], "p": 0}, r"tuple for p\['b'\], which is a dataclass"),
            ({"w": 0, "b": 0, "p": [0]}, r"has 0 for p\['p'\], whose items are 'first', 'second'"),
        ],
    )
    def test_errors_name_the_place(self, prefix: Any, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            broadcast(prefix, NESTED, "p")
