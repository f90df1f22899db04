"""Hypothesis strategies: random Python functions of nodes, and batches for them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Optional

from hypothesis import strategies as st

from support.batches import Argument, Batch, Function
from support.ops import NAMES
from support.values import HUGE, SMALLEST
from zeroproof.autodiff import tr_ops_grad

#: The exponents of powers: small ones, and some at which nearly everything leaves the range.
POWERS = [*range(-5, 10), -301, 64, 301]

# In a template N is a value computed before, X a value or a number, V a vector, C a condition.
ARITHMETIC = ["N + X", "X + N", "N - X", "X - N", "N * X", "X * N", "N / X", "X / N"]
VECTORS = [
    "reduce(lambda total, each: each + total * N, V, X)",
    "dot(V, V)",
    "(V / N).sum()",
    "dot(N - V, V)",
]
CONDITIONS = [
    *(f"tr_{name}(X, N)" for name in ("less", "less_equal", "greater", "greater_equal", "equal")),
    *(f"tr_is_{name}(N)" for name in ("real", "infinite", "phi")),
    *("tr_and(C, C)", "tr_or(C, C)", "tr_not(C)", "C & C", "C | C"),
]
CHOICES = [
    *("tr_where(C, N, N)", "tr_where(C, N, X)", "tr_where(C, X, X)"),
    *(f"tr_where({condition}, N, X)" for condition in CONDITIONS),
]


def _table() -> list[str]:
    """Every row of the op table, through both families of functions."""
    reductions = [f", mode.{reduction.name}" for reduction in tr_ops_grad.ReductionMode]
    found = []
    for family in ("core", "ops"):
        found += [f"{family}.tr_{name}(N)" for name in NAMES["unary"]]
        for name in NAMES["binary"]:
            found += [f"{family}.tr_{name}(N, X)", f"{family}.tr_{name}(X, N)"]
        for name in NAMES["power"]:
            found += [f"{family}.tr_{name}(N, {n})" for n in POWERS[::2]]
        for name in NAMES["variadic"]:
            found += [f"{family}.tr_{name}([N, X, X]{how})" for how in ["", *reductions]]
            found += [f"{family}.tr_{name}(V{how})" for how in ["", *reductions]]
    return [*found, "ops.tr_sum([])", "core.tr_sin(X)", "ops.tr_div(X, X)"]


REAL_POWERS = ["N**0.5", "N**-1.5", "N**-1.0", "2.0**N", "N**N", "X**N"]
OPERATORS = [*ARITHMETIC, "-N", "+N", "abs(N)", *(f"N**{n}" for n in POWERS), *REAL_POWERS]
POLES = ["X / N", "N / N", "core.tr_log(N)", "ops.tr_sqrt(N)", "N**-1", "N**-2", "1.0 / (N - X)"]
POLES += ["core.tr_log2(N)", "ops.tr_acosh(N)", "core.tr_atanh(N)", "ops.tr_log1prel(N)"]
POLES += ["ops.tr_atan2(N, X)", "core.tr_log1p(N)", "ops.tr_asin(N)", "core.tr_xlogy(X, N)"]
#: Operators, poles and selections come as often as the rest of the table.
TEMPLATES = [
    *ARITHMETIC * 6, *OPERATORS, *_table(), *VECTORS * 4, *POLES * 4, *CONDITIONS, *CHOICES * 2,
]  # fmt: skip

#: Numbers as they are written in a function.
NUMBERS = [
    *("2.0", "-1.5", "0.1", "3", "True", "np.float64(0.5)", "np.int64(-2)", "core.real(0.25)"),
    *("0.0", "-0.0", "inf", "-inf", "nan", "core.phi()", "core.pinf()", "node(-0.0)", "node(2.5)"),
    *(f"{HUGE}", f"-{SMALLEST}", "1e-310", "10**400", "-1e155", "node(1e-155)"),
]


#: Which of the values before an operand is, counted from the newest.
_NEWEST = (1, 1, 1, 1, 2, 2, 3, 5)


@dataclass
class _Writer:
    """A function as it is written line by line."""

    arguments: Sequence[Argument]
    values: list[str] = field(default_factory=list)
    conditions: list[str] = field(default_factory=lambda: ["True"])
    lines: list[str] = field(default_factory=list)

    def write(self, template: str, picks: Sequence[int]) -> None:
        """Appends a line; the picks say which operands stand in the places of the template."""
        given = iter(picks)
        text = re.sub(r"\b[NXVC]\b", lambda place: self._operand(place[0], next(given)), template)
        is_condition = template in CONDITIONS
        known = self.conditions if is_condition else self.values
        name = f"{'c' if is_condition else 't'}{len(self.lines)}"
        self.lines.append(f"{name} = {text}")
        known.append(name)

    def results(self) -> list[str]:
        """What the function may return: the newest value, or one that depends on all others."""
        if not self.values:
            return [self.arguments[0].elements[-1]]
        used = set(re.findall(r"\bt\d+", " ".join(line.split(" = ")[1] for line in self.lines)))
        ends = [value for value in self.values if value not in used] or self.values[-1:]
        joined = ", ".join(ends)
        return [
            ends[-1],
            " * ".join(ends[-3:]),
            f"core.tr_mean([{joined}])",
            f"ops.tr_sum([{joined}], mode.DROP_NONREAL)",
        ]

    def _operand(self, kind: str, pick: int) -> str:
        """Mostly one of the newest values, else an element of an argument."""
        if kind == "C":
            return self.conditions[-1 - pick % len(self.conditions)]
        if kind == "V":
            return self.arguments[pick % len(self.arguments)].vector
        which, place = pick % 8, pick // 8
        if kind == "X" and which == 7:
            return NUMBERS[place % len(NUMBERS)]
        newest = _NEWEST[place % len(_NEWEST)]
        if which < 5 and newest <= len(self.values):
            return self.values[-newest]
        elements = [e for argument in self.arguments for e in argument.elements]
        return elements[place % len(elements)]


@st.composite
def steps(draw: st.DrawFn, templates: Sequence[str]) -> tuple[str, list[int]]:
    """A template and the operands in its places."""
    template = draw(st.sampled_from(templates))
    places = len(re.findall(r"\b[NXVC]\b", template))
    return template, [draw(st.integers(0, 255)) for _ in range(places)]


_SHAPES: list[tuple[int, ...]] = [(), (), (), (1,), (2,), (3,), (2, 2)]
_ARGUMENT = st.tuples(st.sampled_from(_SHAPES), st.booleans())


@st.composite
def functions(
    draw: st.DrawFn, templates: Sequence[str] = TEMPLATES, max_steps: int = 16
) -> Function:
    """A function that returns one node; at least one argument runs over the samples."""
    kinds = [(draw(st.sampled_from(_SHAPES)), True), *draw(st.lists(_ARGUMENT, max_size=3))]
    arguments = tuple(Argument("xyzw"[k], *kind) for k, kind in enumerate(kinds))
    writer = _Writer(arguments)
    for template, picks in draw(st.lists(steps(templates), min_size=6, max_size=max_steps)):
        writer.write(template, picks)
    return Function(arguments, tuple(writer.lines), draw(st.sampled_from(writer.results())))


@st.composite
def with_results(draw: st.DrawFn, function: Function) -> tuple[Function, int]:
    """The function with one to four of its values as results, and how many it returns."""
    names = draw(st.lists(st.sampled_from(function.values[::-1]), min_size=1, max_size=4))
    form = draw(st.sampled_from(["({},)", "[{}]", "np.array([{}], dtype=object)"]))
    return function.returning(form.format(", ".join(names))), len(names)


#: How many samples: fewer than a vector has lanes, some vectors, and the edges between.
SAMPLES = [*range(1, 11), 31, 32, 33, 65, 257]


@st.composite
def batches(
    draw: st.DrawFn,
    of: Optional[st.SearchStrategy[Function]] = None,
    samples: Sequence[int] = tuple(SAMPLES),
) -> Batch:
    """A function and arguments for it."""
    return Batch(
        draw(functions() if of is None else of),
        draw(st.sampled_from(samples)),
        draw(st.integers(0, 2**32 - 1)),
        draw(st.sampled_from([0.0, 0.05, 0.5])),
    )
