"""Functions whose gradients are differentiated once more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import strategies as st

from zeroproof import TRNode, tr_exp, tr_log, tr_sin, tr_sqrt, tr_sum

Operation = Callable[[Any, Any], Any]
#: An operation by its place, and its operands, counted modulo what is there.
Step = tuple[int, int, int]

OPERATIONS: list[Operation] = [
    lambda a, b: a + b,
    lambda a, b: a - 2.0 * b,
    lambda a, b: a * b,
    lambda a, b: a / b,
    lambda a, b: tr_sin(a),
    lambda a, b: tr_exp(a),
    lambda a, b: tr_log(a),
    lambda a, b: tr_sqrt(b),
    lambda a, b: b**-1,
    lambda a, b: tr_sum([a, b, a]),
]


def cube(x: TRNode) -> TRNode:
    return x * x * x


def third_is_refused() -> Any:
    return pytest.raises(NotImplementedError, match=r"no third derivatives.*detach\(\)")


def steps(operations: Sequence[Operation], longest: int, furthest: int) -> Any:
    """A strategy: at most ``longest`` steps with operands up to ``furthest``."""
    operand = st.integers(0, furthest)
    step = st.tuples(st.integers(0, len(operations) - 1), operand, operand)
    return st.lists(step, min_size=1, max_size=longest)


def function_of(steps: Sequence[Step], operations: Sequence[Operation]) -> Callable[[Any], Any]:
    """The function of two numbers that these steps make."""

    def f(x: Any) -> Any:
        nodes = [x[0], x[1]]
        for place, a, b in steps:
            nodes.append(operations[place](nodes[a % len(nodes)], nodes[b % len(nodes)]))
        return nodes[-1]

    return f
