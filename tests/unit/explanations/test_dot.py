"""Graphs as DOT text: its syntax, the nodes and edges, and how they are marked."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass, field

import pytest

from support.gradients import mode_block
from zeroproof import HybridGradientContext, OpType, TRNode, TRTag, tr_sum
from zeroproof._colors import ORIGIN, STATUS_COLORS, TAG_COLORS
from zeroproof._op_facts import SIGNS
from zeroproof.autodiff._dot import to_dot
from zeroproof.autodiff.grad_mode import GradientMode
from zeroproof.autodiff.tr_node import GradientStatus
from zeroproof.autodiff.tr_ops_grad import tr_abs, tr_log, tr_sin, tr_sqrt
from zeroproof.core import ReductionMode

TOKEN = re.compile(
    r"""\s+
    | (?P<word>[A-Za-z_]\w*|\d+)
    | (?P<text>"(?:[^"\\]|\\.)*")
    | (?P<mark>->|[{}\[\]=,;])""",
    re.VERBOSE | re.DOTALL,
)

Attributes = dict[str, str]


@dataclass
class Graph:
    """What a DOT text says."""

    settings: Attributes = field(default_factory=dict)
    nodes: dict[str, Attributes] = field(default_factory=dict)
    edges: list[tuple[str, str, Attributes]] = field(default_factory=list)

    def between(self, source: str, target: str) -> Attributes:
        [found] = [marks for a, b, marks in self.edges if (a, b) == (source, target)]
        return found

    def labelled(self, label: str) -> str:
        [found] = [name for name, marks in self.nodes.items() if marks["label"] == label]
        return found


def tokens(text: str) -> list[str]:
    found, place = [], 0
    while place < len(text):
        match = TOKEN.match(text, place)
        assert match is not None, f"no DOT token: {text[place : place + 20]!r}"
        if match.lastgroup is not None:
            found.append(match[0])
        place = match.end()
    return found


def parse(text: str) -> Graph:
    """Reads the part of the DOT language that node, edge and attribute statements need."""
    rest = tokens(text)
    graph = Graph()

    def take(*expected: str) -> str:
        token = rest.pop(0)
        assert not expected or token in expected, (token, expected)
        return token

    def value() -> str:
        token = take()
        return token[1:-1] if token.startswith('"') else token

    def attributes() -> Attributes:
        found = {}
        if rest[0] == "[":
            take("[")
            while True:
                key = take()
                assert re.fullmatch(r"[a-z]+", key)
                take("=")
                found[key] = value()
                if take(",", "]") == "]":
                    break
        return found

    take("digraph")
    take("{")
    while rest[0] != "}":
        name = take()
        if rest[0] == "=":
            take("=")
            graph.settings[name] = value()
        elif rest[0] == "->":
            take("->")
            target = take()
            graph.edges.append((name, target, attributes()))
        else:
            assert name not in graph.nodes
            graph.nodes[name] = attributes()
        take(";")
    take("}")
    assert rest == []
    graph.nodes.pop("node")
    for source, target, _ in graph.edges:
        assert {source, target} <= set(graph.nodes)
    return graph


def drawn(node: TRNode, **options: object) -> Graph:
    text = to_dot(node, **options)  # type: ignore[arg-type]
    if shutil.which("dot"):
        subprocess.run(["dot", "-Tplain"], input=text.encode(), check=True, capture_output=True)
    return parse(text)


def test_nodes_show_op_value_and_name():
    x, y = TRNode.parameter(2.5, "speed"), TRNode.parameter(-1.0)
    graph = drawn(x * y + 1.0 / 3.0)
    labels = [marks["label"] for marks in graph.nodes.values()]
    assert labels == [r"+\n-2.16667", r"×\n-2.5", "0.333333", r"speed\n2.5", r"parameter\n-1"]
    assert list(graph.nodes) == ["n0", "n1", "n2", "n3", "n4"]
    assert [edge[:2] for edge in graph.edges] == [
        ("n1", "n0"),
        ("n2", "n0"),
        ("n3", "n1"),
        ("n4", "n1"),
    ]
    assert [marks.get("shape") for marks in graph.nodes.values()] == [None, None] + ["box"] * 3
    assert all(marks == {} for _, _, marks in graph.edges)


def test_ops_show_as_the_table_writes_them():
    x = TRNode.parameter(0.0)
    assert r"sin\n0" in to_dot(tr_sin(x))
    assert r"√\n0" in to_dot(tr_sqrt(x))
    assert r"−a\n-0" in to_dot(-x)
    others = {OpType.CONSTANT, OpType.PARAMETER, OpType.INPUT, OpType.WHERE}
    others |= {OpType.GRADIENT, OpType.GRADIENTS}
    assert set(OpType) - others == set(SIGNS)


def test_values_that_are_not_real_are_filled_by_tag():
    x = TRNode.parameter(0.0, "x")
    up, down = 1.0 / x, -1.0 / x
    graph = drawn(up + down)
    for label, tag in ((r"+\nΦ", TRTag.PHI), (r"÷\n+∞", TRTag.PINF), (r"÷\n−∞", TRTag.NINF)):
        assert graph.nodes[graph.labelled(label)]["fillcolor"] == TAG_COLORS[tag]
    assert "fillcolor" not in graph.nodes[graph.labelled(r"x\n0")]
    assert len(set(TAG_COLORS.values())) == len(TRTag)


def test_origins_are_outlined():
    x = TRNode.parameter(0.0, "x")
    graph = drawn((1.0 / x + 1.0) * TRNode.constant(float("nan")))
    outlined = {name for name, marks in graph.nodes.items() if marks.get("color") == ORIGIN}
    assert outlined == {graph.labelled(r"÷\n+∞"), graph.labelled("Φ")}
    for name in outlined:
        assert graph.nodes[name]["peripheries"] == "2"
        assert graph.nodes[name]["penwidth"] == "2"


def test_a_silenced_edge_is_dashed():
    x = TRNode.parameter(0.0, "x")
    graph = drawn(1.0 / x)
    marks = graph.between(graph.labelled(r"x\n0"), "n0")
    assert (marks["label"], marks["style"]) == ("masked", "dashed")
    assert marks["color"] == STATUS_COLORS[GradientStatus.MASKED]
    assert graph.between(graph.labelled("1"), "n0") == {}  # no gradient for it in any case
    assert graph.settings["label"] == "gradients: MASK_REAL"


def test_a_dropped_contribution_is_dotted():
    graph = drawn(tr_sqrt(TRNode.parameter(0.0)))
    marks = graph.between("n1", "n0")
    assert (marks["label"], marks["style"]) == ("dropped", "dotted")
    assert marks["color"] == STATUS_COLORS[GradientStatus.DROPPED]


def test_a_bounded_partial_is_blue():
    y = tr_log(TRNode.parameter(0.5))
    with mode_block(GradientMode.SATURATING):
        graph = drawn(y)
    marks = graph.between("n1", "n0")
    assert (marks["label"], marks["style"]) == ("saturated", "solid")
    assert marks["color"] == STATUS_COLORS[GradientStatus.SATURATED]
    assert drawn(y).between("n1", "n0") == {}


@pytest.mark.parametrize(("delta", "bounded"), [(0.25, True), (0.125, False), (None, False)])
def test_hybrid_is_judged_by_its_threshold(delta, bounded):
    x = TRNode.parameter(0.25)
    y = 1.0 / x
    with mode_block(GradientMode.HYBRID, delta=delta):
        graph = drawn(y)
    assert [marks.get("label") for _, _, marks in graph.edges] == [
        None,
        "saturated" if bounded else None,
    ]
    caption = "gradients: HYBRID" + ("" if delta is None else f" with δ = {delta}")
    assert graph.settings["label"] == caption


def test_an_edge_of_several_statuses_shows_them_all():
    x = TRNode.parameter(0.0, "x")
    y = TRNode.parameter(float("inf"), "y") / x
    with mode_block(GradientMode.SATURATING):
        graph = drawn(y)
    marks = graph.between(graph.labelled(r"x\n0"), "n0")
    assert (marks["label"], marks["style"]) == ("saturated, dropped", "dotted")


def test_inputs_that_a_sum_leaves_out_are_silenced():
    x = TRNode.parameter(0.0, "x")
    total = tr_sum([x, 1.0 / x], ReductionMode.DROP_NONREAL)
    graph = drawn(total)
    assert graph.between(graph.labelled(r"÷\n+∞"), "n0")["label"] == "masked"
    assert graph.between(graph.labelled(r"x\n0"), "n0") == {}


def test_without_gradients_edges_are_plain():
    graph = drawn(1.0 / TRNode.parameter(0.0), gradients=False)
    assert [marks for _, _, marks in graph.edges] == [{}, {}]
    assert "label" not in graph.settings


def test_shared_nodes_appear_once_and_operands_in_order():
    x = TRNode.parameter(3.0, "x")
    square = x * x
    graph = drawn(square - square / x)
    assert len(graph.nodes) == 4
    x_name, square_name = graph.labelled(r"x\n3"), graph.labelled(r"×\n9")
    assert [a for a, b, _ in graph.edges if b == square_name] == [x_name, x_name]
    assert [a for a, b, _ in graph.edges if b == "n0"] == [square_name, graph.labelled(r"÷\n3")]
    assert graph.settings["ordering"] == "in"


def test_the_same_graph_gives_the_same_text():
    def build() -> str:
        x = TRNode.parameter(2.0, "x")
        return to_dot(tr_abs(x) + x * 3.0)

    first = build()
    kept = [TRNode.parameter(float(k)) for k in range(10)]  # moves what comes next in the arena
    assert build() == first
    assert len(kept) == 10


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ('say "x"', r"say \"x\""),
        ("back\\slash", r"back\\slash"),
        ("end\\", r"end\\"),
        ("a&lt;b", "a&amp;lt;b"),
        ("two\nlines", r"two\nlines"),
        ("tab\tnul\0", r"tab\\tnul\\x00"),
        ("{[;->]}", "{[;->]}"),
        ("größe", "größe"),
        ("n" * 41, "n" * 39 + "…"),
    ],
)
def test_names_are_escaped(name, label):
    graph = drawn(TRNode.parameter(1.0, name) + 1.0)
    assert graph.nodes["n1"]["label"] == label + r"\n1"


def test_the_check_rejects_what_is_no_dot():
    for bad in ('digraph { n0 [label="a"b"]; }', "digraph { n0 -> ; }", "digraph { a & b; }"):
        with pytest.raises(AssertionError):
            parse(bad)


def test_a_large_graph_is_cut_and_says_so():
    x = TRNode.parameter(0.0, "x")
    total = x
    for _ in range(100):
        total = total + x
    graph = drawn(total, max_nodes=4)
    # The root, what is added to it, x, which every node shares, and one further node.
    assert list(graph.nodes) == ["n0", "n1", "n2", "n3", "more3"]
    assert graph.nodes["more3"]["label"] == "… 1 more"
    assert ("more3", "n3", {}) in graph.edges
    assert graph.settings["label"] == "gradients: MASK_REAL, cut: 4 of 101 nodes"
    whole = drawn(total, max_nodes=101)
    assert len(whole.nodes) == 101
    assert "cut" not in whole.settings["label"]


def test_a_placeholder_counts_nodes():
    x = TRNode.parameter(2.0)
    assert drawn(x * x, max_nodes=1).nodes["more0"]["label"] == "… 1 more"
    assert drawn(x * 3.0, max_nodes=1).nodes["more0"]["label"] == "… 2 more"


def test_a_deep_graph_needs_no_stack():
    node = TRNode.parameter(0.0)
    for _ in range(50_000):
        node = -node
    graph = drawn(node)
    assert len(graph.nodes) == 501
    assert "500 of 50001 nodes" in graph.settings["label"]


def test_nothing_is_recorded_or_counted():
    x = TRNode.parameter(0.0)
    y = 1.0 / x
    HybridGradientContext.reset_statistics()
    with mode_block(GradientMode.HYBRID, delta=0.1):
        to_dot(y)
    assert x.gradient is None
    assert HybridGradientContext.get_statistics()["total_gradient_calls"] == 0
    assert HybridGradientContext.get_q_min() is None


def test_a_leaf_is_a_graph():
    graph = drawn(TRNode.input(0.5, "u"))
    assert graph.nodes == {"n0": {"label": r"u\n0.5", "shape": "box"}}
    assert graph.edges == []


def test_bad_input():
    with pytest.raises(TypeError, match="TRNode, not of float"):
        to_dot(1.0)  # type: ignore[arg-type]
    x = TRNode.parameter(1.0)
    with pytest.raises(ValueError, match="max_nodes must be at least 1, not 0"):
        to_dot(x, max_nodes=0)
    with pytest.raises(TypeError):
        to_dot(x, max_nodes=2.5)  # type: ignore[arg-type]
