"""Hypothesis strategies: doubles of every kind, and random programs over the op table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Optional

from hypothesis import strategies as st

from support.gradients import EXACT, Gradient, gradient_of, mode_block
from support.ops import NAMES, node_op
from support.values import SPECIALS
from zeroproof.autodiff.grad_mode import GradientMode
from zeroproof.autodiff.tr_node import TRNode
from zeroproof.autodiff.tr_ops_grad import ReductionMode

#: Every double, the special ones often.
doubles = st.one_of(st.sampled_from(SPECIALS), st.floats(allow_subnormal=True))
#: Finite doubles over the whole range, by exponent rather than by hypothesis's taste for 0 and 1.
finite = st.one_of(
    st.builds(
        lambda mantissa, exponent, sign: sign * mantissa * 2.0**exponent,
        st.floats(1.0, 2.0, exclude_max=True),
        st.integers(-1074, 1023),
        st.sampled_from([-1.0, 1.0]),
    ),
    st.floats(allow_nan=False, allow_infinity=False),
)
#: Doubles that stay REAL through a few operations.
moderate = st.floats(-4.0, 4.0).filter(lambda x: x == 0 or abs(x) > 1e-3)
exponents = st.one_of(st.integers(-6, 6), st.integers(-400, 400))

#: Every op of the table that takes operands.
OPERATIONS = [*NAMES["binary"], *NAMES["unary"], *NAMES["power"], *NAMES["variadic"]]
_ARITY = {name: arity for arity, names in NAMES.items() for name in names}


@dataclass(frozen=True)
class Step:
    """One operation of a program; operands are numbers of earlier values."""

    op: str
    operands: tuple[int, ...]
    extra: Any = None


@dataclass(frozen=True)
class Program:
    """Leaf values and the operations over them; the last value is the root."""

    values: tuple[float, ...]
    steps: tuple[Step, ...]

    def run(
        self,
        leaves: Sequence[TRNode],
        substitute: Optional[Callable[[int, TRNode], TRNode]] = None,
    ) -> list[TRNode]:
        """Records the program; ``substitute`` may put another node in the place of each."""
        nodes = list(leaves)
        for step in self.steps:
            node = self._apply(step, nodes)
            nodes.append(node if substitute is None else substitute(len(nodes), node))
        return nodes

    @staticmethod
    def _apply(step: Step, nodes: Sequence[TRNode]) -> TRNode:
        operands = [nodes[k] for k in step.operands]
        arity = _ARITY[step.op]
        if arity == "variadic":
            return node_op(step.op)(operands, step.extra)
        if arity == "power":
            return node_op(step.op)(operands[0], step.extra)
        return node_op(step.op)(*operands)

    def root(self, *leaves: TRNode) -> TRNode:
        """The last node, for leaves given one by one; it depends on the first leaf."""
        return self.run(leaves)[-1]

    def gradients(
        self,
        seed: Optional[float] = None,
        mode: GradientMode = GradientMode.MASK_REAL,
        bound: Optional[float] = None,
        delta: Optional[float] = None,
    ) -> list[Gradient]:
        """Gradient and status of the root by each leaf; an exact 0 for a leaf it does not use."""
        leaves = [TRNode.parameter(v) for v in self.values]
        with mode_block(mode, bound, delta):
            self.root(*leaves).backward(seed)
        return [(0.0, EXACT) if x.gradient is None else gradient_of(x) for x in leaves]


@st.composite
def programs(
    draw: st.DrawFn,
    values: st.SearchStrategy[float] = doubles,
    operations: Sequence[str] = tuple(OPERATIONS),
    max_steps: int = 12,
) -> Program:
    """A program whose last step joins the first leaf, so that its root depends on one."""
    leaves = draw(st.lists(values, min_size=1, max_size=3))
    steps: list[Step] = []
    for _ in range(draw(st.integers(1, max_steps))):
        count = len(leaves) + len(steps)
        name = draw(st.sampled_from(list(operations)))
        index = st.integers(0, count - 1)
        arity = _ARITY[name]
        size = {"unary": 1, "power": 1, "binary": 2}.get(arity) or draw(st.integers(1, 4))
        operands = tuple(draw(index) for _ in range(size))
        extra = None
        if arity == "power":
            extra = draw(st.integers(-4, 4))
        elif arity == "variadic":
            extra = draw(st.sampled_from(list(ReductionMode)))
        steps.append(Step(name, operands, extra))
    steps.append(Step("add", (len(leaves) + len(steps) - 1, 0)))
    return Program(tuple(leaves), tuple(steps))
