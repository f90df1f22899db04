"""``tr_where`` on nodes against the same function with ``if``: values, gradients, counts."""

from __future__ import annotations

from typing import Any, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.batches import Batch, Function
from support.random_functions import batches
from support.sample_by_sample import Sample, Setting, assert_same_statistics, bits, rows, settings
from zeroproof.autodiff.conditions import tr_where
from zeroproof.autodiff.tr_node import GradientStatus, TRNode

Found = tuple[Any, list[Optional[tuple[int, GradientStatus]]], list[bool]]


def by_if(condition: Any, a: Any, b: Any) -> Any:
    """The operand chosen, and nothing of the other one."""
    if not (isinstance(a, TRNode) or isinstance(b, TRNode)):
        return tr_where(condition, a, b)
    chosen = a if condition else b
    return chosen if isinstance(chosen, TRNode) else TRNode.constant(chosen)


def leaves_below(root: TRNode) -> set[int]:
    """The hashes of all leaves that a node depends on, whatever was chosen."""
    seen, stack = {hash(root): root}, [root]
    while stack:
        for operand in stack.pop().inputs:
            if hash(operand) not in seen:
                seen[hash(operand)] = operand
                stack.append(operand)
    return {key for key, node in seen.items() if node.is_leaf and node.requires_grad}


def differentiated(
    function: Function, numbers: list[float], kinds: list[str], before: Any
) -> Found:
    """The value, and of each argument gradient and status, and whether the value depends on it."""
    nodes = [getattr(TRNode, kind)(number) for kind, number in zip(kinds, numbers)]
    for node in nodes:
        if before is not None and node.requires_grad:
            node.backward(before)
    root = Sample(function).outputs(*nodes)[0]
    below = leaves_below(root)
    if root.requires_grad:
        root.backward()
    found = [
        None if node.gradient is None else (bits(float(node.gradient)).item(), node.gradient_status)
        for node in nodes
    ]
    return bits(root.item()).item(), found, [hash(node) in below for node in nodes]


@pytest.mark.parametrize("before", [None, -0.0], ids=["fresh", "with gradients"])
@given(batch=batches(samples=[3]), setting=settings, data=st.data())
def test_the_branch_taken_is_differentiated_and_the_other_one_gets_zero(
    before: Optional[float], batch: Batch, setting: Setting, data: st.DataObject
) -> None:
    function = batch.function
    plain = function.with_names(tr_where=by_if)
    count = sum(len(argument.elements) for argument in function.arguments)
    kind = st.sampled_from(["parameter", "parameter", "input", "constant"])
    kinds = data.draw(st.lists(kind, min_size=count, max_size=count))
    for numbers in rows(batch).tolist():
        found = setting.measure(lambda n=numbers: differentiated(function, n, kinds, before))
        expected = setting.measure(lambda n=numbers: differentiated(plain, n, kinds, before))
        for (mine, counted), (theirs, expected_counts) in zip(found, expected):
            assert mine[0] == theirs[0]
            for gradient, taken, depends in zip(mine[1], theirs[1], mine[2]):
                # The gradient of what only the other branch depends on is 0, on every path.
                empty = (0, GradientStatus.EXACT) if depends else None
                assert gradient == (empty if taken is None else taken)
            assert_same_statistics(counted, expected_counts)
