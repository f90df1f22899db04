"""A traced program as a C function of values and derivatives in Mask-REAL mode."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

from .._native import TracedProgram
from ._c_ops import BINARY, CONDITIONS, FOLDS, REDUCTIONS, UNARY
from ._c_runtime import RUNTIME

#: The most nodes of a function: its numbers stand on the stack.
MOST_NODES = 2**15
# fmt: off
_KEYWORDS = frozenset((
    "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else",
    "enum", "extern", "float", "for", "goto", "if", "inline", "int", "long", "main", "register",
    "restrict", "return", "short", "signed", "sizeof", "static", "struct", "switch", "typedef",
    "union", "unsigned", "void", "volatile", "while",
))
# fmt: on
Step = tuple[Any, ...]


def c_source(program: TracedProgram, label: str, name: str) -> str:
    """The source of the function.

    Args:
        program: the program.
        label: the name of the function that was traced, for the comment.
        name: that of the C function.

    Raises:
        NotImplementedError: for an operation that is not available in C, or too many nodes.
        TypeError, ValueError: if ``name`` is no C identifier.
    """
    if not isinstance(name, str):
        raise TypeError(f"the name of a C function is a string, not {type(name).__name__}")
    is_identifier = re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) is not None
    if not is_identifier or name in _KEYWORDS or name.lower().startswith("zp_"):
        raise ValueError(
            f"{name!r} cannot be the name of a C function: it must be letters, digits and "
            "underscores, begin with a letter, be no keyword, and not begin with zp_"
        )
    return _Source(program, label, name).text()


class _Source:
    """The parts of a source."""

    def __init__(self, program: TracedProgram, label: str, name: str) -> None:
        self.label, self.name = label, name
        self.arguments = program.arguments()
        self.outputs = program.outputs()
        self.elements = sum(math.prod(shape) for _, shape, _ in self.arguments)
        self.steps = _needed(list(enumerate(program.steps(), self.elements)), self.outputs)
        nodes = self.elements + len(self.steps)
        if nodes > MOST_NODES:
            raise NotImplementedError(
                f"a C function is made of at most {MOST_NODES} nodes, but the program has {nodes}: "
                "split the function"
            )
        #: By node that gradients flow to, where its adjoint is: a row, or a pointer to one.
        self.adjoints = {node: f"&r[{node}]" for node in range(self.elements)}
        self.rows = self.elements
        for node, step in self.steps:
            flows = step[0] != "condition" and any(each in self.adjoints for each in _sources(step))
            if flows and step[0] == "select":
                self.adjoints[node] = f"p{node}"
            elif flows:
                self.adjoints[node] = f"&r[{self.rows}]"
                self.rows += 1

    def text(self) -> str:
        n, m = self.elements, len(self.outputs)
        lines = [*self._comment(), RUNTIME.rstrip(), ""]
        signature = f"void {self.name}(const double *x, double *values, double *gradients,"
        lines += [signature, f"{' ' * (len(self.name) + 6)}unsigned char *statuses) {{"]
        lines += [f"    const double v{node} = x[{node}];" for node in range(n)]
        lines += [f"    {line}" for node, step in self.steps for line in _value(node, step)]
        lines += ["    if (values) {"]
        lines += [f"        values[{at}] = v{node};" for at, node in enumerate(self.outputs)]
        lines += ["    }", "    if (!gradients && !statuses) return;"]
        if n:
            lines += self._reverse(n, m)
        used = [f"(void)v{node};" for node in range(n)]
        lines += [f"    {' '.join(used[at : at + 8])}" for at in range(0, n, 8)]
        return "\n".join([*lines, "    (void)x;", "}", ""])

    def _comment(self) -> Iterator[str]:
        label = re.sub(r"[^A-Za-z0-9_.]", "?", self.label)
        yield f"/* {label}: values and derivatives in Mask-REAL mode, for one sample."
        yield ""
        yield f"   void {self.name}(const double *x, double *values, double *gradients,"
        yield f"   {' ' * (len(self.name) + 6)}unsigned char *statuses);"
        yield ""
        start = 0
        for name, shape, _ in self.arguments:
            count = math.prod(shape)
            shown = re.sub(r"[^A-Za-z0-9_.\[\]']", "?", name)
            extents = f", of the shape ({' x '.join(map(str, shape))})" if shape else ""
            if count:
                last = f" to x[{start + count - 1}]" if count > 1 else ""
                yield f"   x[{start}]{last}: {shown}{extents}"
            start += count
        m, n = len(self.outputs), self.elements
        yield f"   values: {m}"
        yield f"   gradients, statuses: {m} x {n}, a row for each value"
        yield "   status: 0 exact, 1 masked, 2 dropped, 3 both"
        yield ""
        yield "   Compile with -ffp-contract=off and without -ffast-math. */"

    def _reverse(self, n: int, m: int) -> Iterator[str]:
        yield f"    for (size_t output = 0; output < {m}; output++) {{"
        yield f"        zp_row r[{self.rows}];"
        yield "        memset(r, 0, sizeof r);"
        for node, (kind, *rest) in self.steps:
            if kind == "select" and node in self.adjoints:
                condition, a, b = rest[0]
                taken, other = (self.adjoints.get(each, "NULL") for each in (a, b))
                yield f"        zp_row *const p{node} = v{condition} != 0.0 ? {taken} : {other};"
                yield f"        (void)p{node};"
        roots = ", ".join(self.adjoints.get(node, "NULL") for node in self.outputs)
        yield f"        zp_row *const roots[{m}] = {{{roots}}};"
        yield "        zp_receive(roots[output], 1.0, 1.0, 0);"
        for node, step in reversed(self.steps):
            if node in self.adjoints and step[0] != "select":
                yield from (f"        {line}" for line in self._passed(node, step))
        yield f"        for (size_t i = 0; i < {n}; i++) {{"
        yield f"            if (gradients) gradients[output * {n} + i] = zp_adjoint(&r[i]);"
        yield f"            if (statuses) statuses[output * {n} + i] = r[i].status;"
        yield "        }"
        yield "    }"

    def _passed(self, node: int, step: Step) -> Iterator[str]:
        """What a node passes to its operands."""
        kind, operands = step[0], step[-1]
        row = self.adjoints[node][1:]
        to = [self.adjoints.get(operand, "NULL") for operand in operands]
        yield f"if ({row}.reached) {{ /* {_named(step)} */"
        yield f"    const unsigned char status = {row}.status;"
        yield f"    if (!isfinite(v{node})) {{"
        yield from (f"        zp_silence({each}, status);" for each in to if each != "NULL")
        yield "    } else {"
        values = f"a = v{operands[0]}, z = v{node}"
        if kind == "op" and len(operands) == 2:
            values = f"a = v{operands[0]}, b = v{operands[1]}, z = v{node}"
        if kind == "fold":
            op, mode = FOLDS[step[1]][1], REDUCTIONS[step[2]]
            count = len(operands)
            yield f"        zp_row *const to[{count}] = {{{', '.join(to)}}};"
            yield f"        zp_share({op}, {mode}, x{node}, to, {count}, v{node}, " + (
                f"zp_adjoint(&{row}), status);"
            )
        elif kind == "op" and len(operands) == 2:
            yield f"        const double g = zp_adjoint(&{row}), {values};"
            yield "        double to[2];"
            yield f"        {BINARY[step[1]].to}"
            yield "        (void)a; (void)b; (void)z;"
            for place, each in enumerate(to):
                if each != "NULL":
                    yield f"        zp_receive({each}, to[{place}], g, status);"
        else:
            is_power = kind == "power"
            share = f"zp_power_to(g, a, {step[1]})" if is_power else UNARY[step[1]].to_a
            yield f"        const double g = zp_adjoint(&{row}), {values};"
            yield "        (void)a; (void)z;"
            yield f"        zp_receive({to[0]}, {share}, g, status);"
        yield "    }"
        yield "}"


def _needed(steps: list[tuple[int, Step]], outputs: Sequence[int]) -> list[tuple[int, Step]]:
    """The steps that lead to an output."""
    needed = set(outputs)
    for node, step in reversed(steps):
        if node in needed and step[0] != "constant":
            needed.update(step[-1])
    return [(node, step) for node, step in steps if node in needed]


def _sources(step: Step) -> Sequence[int]:
    """The operands that gradients flow to."""
    kind = step[0]
    operands: tuple[int, ...] = step[-1]
    if kind == "constant":
        return ()
    return operands[1:] if kind == "select" else operands


def _named(step: Step) -> str:
    return f"power {step[1]}" if step[0] == "power" else str(step[1])


def _value(node: int, step: Step) -> Iterator[str]:
    """The value of a node."""
    kind, operands = step[0], step[-1]
    if kind == "constant":
        yield f"const double v{node} = {_number(step[1])};"
    elif kind == "power":
        yield f"const double v{node} = zp_power(v{operands[0]}, {step[1]});"
    elif kind == "select":
        condition, a, b = operands
        yield f"const double v{node} = v{condition} != 0.0 ? v{a} : v{b};"
    elif kind == "fold":
        if step[1] not in FOLDS:
            raise _unavailable(step[1])
        listed = ", ".join(f"v{each}" for each in operands)
        yield f"const double x{node}[{len(operands)}] = {{{listed}}};"
        function, mode = FOLDS[step[1]][0], REDUCTIONS[step[2]]
        yield f"const double v{node} = {function}({mode}, x{node}, {len(operands)});"
    elif kind == "condition":
        formula = _filled(CONDITIONS[step[1]], operands)
        yield f"const double v{node} = ({formula}) ? 1.0 : 0.0;"
    else:
        rows = UNARY if len(operands) == 1 else BINARY
        if step[1] not in rows:
            raise _unavailable(step[1])
        yield f"const double v{node} = {_filled(rows[step[1]].value, operands)};"


def _filled(formula: str, operands: Sequence[int]) -> str:
    """A formula of ``a`` and ``b`` with the names of the operands."""
    names = dict(zip("ab", operands))
    return re.sub(r"\b[ab]\b", lambda found: f"v{names[found.group()]}", formula)


def _number(value: float) -> str:
    """A double as C99 has it, exactly."""
    if math.isfinite(value):
        return value.hex()
    if math.isnan(value):
        return "NAN"
    return "INFINITY" if value > 0 else "-INFINITY"


def _unavailable(op: str) -> NotImplementedError:
    return NotImplementedError(
        f"the operation {op} is not available in C: available are "
        + ", ".join(sorted({*UNARY, *BINARY, *FOLDS, "pow_int"}))
    )
