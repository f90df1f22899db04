"""The graph below a node as text for Graphviz."""

from __future__ import annotations

from collections.abc import Iterator
from operator import index
from typing import SupportsIndex

from .. import _native
from .._colors import ORIGIN, STATUS_COLORS, TAG_COLORS, most_severe
from .._enums import GradientMode, GradientStatus, OpType, TRTag
from .._native import TRNode
from .._op_facts import SIGNS
from .grad_mode import GradientModeConfig

__all__ = ["to_dot"]

EDGES = {
    GradientStatus.SATURATED: ("saturated", "solid"),
    GradientStatus.MASKED: ("masked", "dashed"),
    GradientStatus.DROPPED: ("dropped", "dotted"),
}

LONGEST_NAME = 40


def to_dot(node: TRNode, *, gradients: bool = True, max_nodes: SupportsIndex = 500) -> str:
    """The graph below a node in the DOT language of Graphviz.

    Each node shows its operation or name, and its value. A node that is not REAL is filled by its
    tag, and has a double red outline if all of its inputs are REAL. Edges lead from an input to the
    node that uses it. Nothing is recorded or counted.

    Args:
        node: the root of the graph.
        gradients: whether edges show the effect of a backward pass in the current mode: dashed
            "masked", dotted "dropped" for a contribution that is not REAL, blue "saturated" for a
            bounded partial. Each node is evaluated separately, with an adjoint of 1; edges from
            constants, which take no gradient, are plain.
        max_nodes: the most nodes to show, those closest to the root. Where the graph is cut, a
            placeholder counts the inputs left out, and the caption counts the nodes.

    Returns:
        The text of a digraph, the same for the same graph.

    Raises:
        TypeError: if the root is not a node or ``max_nodes`` not an integer.
        ValueError: for ``max_nodes`` below 1.
    """
    if not isinstance(node, TRNode):
        raise TypeError(f"to_dot draws the graph of a TRNode, not of {type(node).__name__}")
    most = index(max_nodes)
    if most < 1:
        raise ValueError(f"max_nodes must be at least 1, not {most}")
    found = _walk(node)
    places = {key: place for place, key in zip(range(most), found)}
    lines = ["digraph {", *_settings(gradients, len(places), len(found))]
    for key, place in places.items():
        lines.append(f"  n{place} [{_node_attributes(found[key])}];")
    for key in places:
        lines.extend(f"  {line};" for line in _edges(found[key], places, gradients))
    return "\n".join([*lines, "}", ""])


def _walk(root: TRNode) -> dict[int, TRNode]:
    """Every node below the root once, closest first, by a key.

    The handles that are kept here keep the keys, the nodes' hashes, valid.
    """
    found = {hash(root): root}
    queue = [root]
    for node in queue:  # which grows during the loop
        for operand in node.inputs:
            if hash(operand) not in found:
                found[hash(operand)] = operand
                queue.append(operand)
    return found


def _settings(gradients: bool, shown: int, total: int) -> Iterator[str]:
    captions = []
    if gradients:
        captions.append(f"gradients: {_current_mode()}")
    if shown < total:
        captions.append(f"cut: {shown} of {total} nodes")
    if captions:
        yield f"  label={_quoted(', '.join(captions))};"
    yield "  ordering=in;"  # operands from left to right
    yield '  node [shape=ellipse, style=filled, fillcolor="#ffffff"];'


def _current_mode() -> str:
    mode, delta = GradientModeConfig.get_mode(), GradientModeConfig.get_local_threshold()
    shown = f" with δ = {delta:.6g}" if mode is GradientMode.HYBRID and delta is not None else ""
    return mode.name + shown


def _node_attributes(node: TRNode) -> str:
    attributes = [f"label={_quoted(_label(node))}"]
    if node.is_leaf:
        attributes.append("shape=box")
    if node.tag is not TRTag.REAL:
        attributes.append(f'fillcolor="{TAG_COLORS[node.tag]}"')
        if all(operand.tag is TRTag.REAL for operand in node.inputs):
            attributes.append(f'color="{ORIGIN}", penwidth=2, peripheries=2')
    return ", ".join(attributes)


def _label(node: TRNode) -> str:
    value = f"{node.value:.6g}"
    if node.name is not None:
        return f"{_shortened(node.name)}\n{value}"
    if node.op is OpType.CONSTANT:
        return value
    return f"{SIGNS.get(node.op, node.op.name.lower())}\n{value}"


def _edges(node: TRNode, places: dict[int, int], gradients: bool) -> Iterator[str]:
    """The edges into a node, and the placeholder of inputs that are not shown."""
    place = places[hash(node)]
    operands = node.inputs
    statuses = [GradientStatus.EXACT] * len(operands)
    if gradients:
        statuses = [status for _, status in _native.input_gradients(node, 1.0)]
    hidden = set()
    for operand, status in zip(operands, statuses):
        source = places.get(hash(operand))
        if source is None:
            hidden.add(hash(operand))
        else:
            marks = _edge_attributes(status) if operand.requires_grad else ""
            yield f"n{source} -> n{place}{marks}"
    if hidden:
        yield f'more{place} [label="… {len(hidden)} more", shape=plaintext, style=""]'
        yield f"more{place} -> n{place}"


def _edge_attributes(status: GradientStatus) -> str:
    if status is GradientStatus.EXACT:
        return ""
    flag = most_severe(status)
    words = ", ".join(word for each, (word, _) in EDGES.items() if status & each)
    color = STATUS_COLORS[flag]
    return f' [label="{words}", style={EDGES[flag][1]}, color="{color}", fontcolor="{color}"]'


def _shortened(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def _quoted(text: str) -> str:
    """A label that Graphviz shows as the text stands.

    It reads backslash escapes and HTML entities in labels; characters that cannot be printed show
    as Python writes them.
    """
    visible = "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode("ascii")
        for c in text
    )
    for character, escaped in ("\\", r"\\"), ('"', r"\""), ("&", "&amp;"), ("\n", r"\n"):
        visible = visible.replace(character, escaped)
    return f'"{visible}"'
