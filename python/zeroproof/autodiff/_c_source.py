"""A traced program as a C function of values and derivatives in Mask-REAL mode."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

from .._native import TracedProgram
from ._c_names import check_name
from ._c_ops import BINARY, CONDITIONS, FOLDS, REDUCTIONS, UNARY
from ._c_runtime import RUNTIME

#: The most nodes, operands of folds and outputs of a function: they stand on the stack.
MOST_NODES = 2**15
#: The most steps of a part.
PART = 200
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
    check_name(name)
    return _Source(program, label, name).text()


class _Source:
    """The parts of a source.

    Steps are cut into functions of so many: a compiler takes much longer for one large function.
    """

    def __init__(self, program: TracedProgram, label: str, name: str) -> None:
        self.label, self.name = label, name
        self.arguments = program.arguments()
        self.outputs = program.outputs()
        self.elements = sum(math.prod(shape) for _, shape, _ in self.arguments)
        steps = _needed(list(enumerate(program.steps(), self.elements)), self.outputs)
        nodes = self.elements + len(steps) + len(self.outputs)
        nodes += sum(len(step[-1]) for _, step in steps if step[0] == "fold")
        if nodes > MOST_NODES:
            raise NotImplementedError(
                f"a C function is made of at most {MOST_NODES} nodes, operands of folds and "
                f"outputs, but the program has {nodes}: split the function"
            )
        #: By node the C expression for its value.
        self.values = {node: f"x[{node}]" for node in range(self.elements)}
        #: By node that gradients flow to, where its adjoint is: a row, or a pointer to one.
        self.adjoints = {node: f"&r[{node}]" for node in range(self.elements)}
        self.slots, self.rows, self.choices = 0, self.elements, 0
        for node, step in steps:
            if step[0] == "constant":
                self.values[node] = _number(step[1])
                continue
            self.values[node] = f"v[{self.slots}]"
            self.slots += 1
            if step[0] == "condition" or not any(o in self.adjoints for o in _sources(step)):
                continue
            if step[0] == "select":
                self.adjoints[node] = f"p[{self.choices}]"
                self.choices += 1
            else:
                self.adjoints[node] = f"&r[{self.rows}]"
                self.rows += 1
        self.steps = [(node, step) for node, step in steps if step[0] != "constant"]

    def text(self) -> str:
        n, m = self.elements, len(self.outputs)
        passed = [pair for pair in self.steps if pair[0] in self.adjoints]
        choices = [pair for pair in passed if pair[1][0] == "select"]
        others = [pair for pair in reversed(passed) if pair[1][0] != "select"]
        name, values, rows = (
            self.name,
            "const double *x, double *v",
            "const double *x, const double *v",
        )
        rows += ", zp_row *r, zp_row **p"
        lines = [*self._comment(), RUNTIME.rstrip(), ""]
        calls: dict[str, list[str]] = {}
        for what, parameters, steps, written in (
            ("values", values, self.steps, self._value),
            ("choices", rows, choices, self._choice),
            ("adjoints", rows, others, self._passed),
        ):
            given = ", ".join(re.findall(r"\w+(?=,|$)", parameters))
            calls[what] = []
            for part, first in enumerate(range(0, len(steps), PART)):
                head = f"zp_{name}_{what}_{part}"
                apart = "ZP_APART" if len(steps) > PART else "inline"
                lines.append(f"static {apart} void {head}({parameters}) {{")
                for node, step in steps[first : first + PART]:
                    lines += [f"    {line}" for line in written(node, step)]
                unused = " ".join(f"(void){each};" for each in given.split(", "))
                lines += [f"    {unused}", "}", ""]
                calls[what].append(f"{head}({given});")
        lines += [f"void {name}(const double *x, double *values, double *gradients,"]
        lines += [f"{' ' * (len(name) + 6)}unsigned char *statuses) {{"]
        lines += [f"    double v[{self.slots or 1}];", *[f"    {call}" for call in calls["values"]]]
        lines += ["    if (values) {"]
        results = map(self.values.__getitem__, self.outputs)
        lines += [f"        values[{at}] = {value};" for at, value in enumerate(results)]
        lines += ["    }", "    if (!gradients && !statuses) return;"]
        if n:
            roots = ", ".join(self.adjoints.get(node, "NULL") for node in self.outputs)
            lines += [
                f"    for (size_t output = 0; output < {m}; output++) {{",
                f"        zp_row r[{self.rows}], *p[{self.choices or 1}];",
                "        memset(r, 0, sizeof r);",
                *[f"        {call}" for call in calls["choices"]],
                f"        zp_row *const roots[{m}] = {{{roots}}};",
                "        zp_receive(roots[output], 1.0, 1.0, 0);",
                *[f"        {call}" for call in calls["adjoints"]],
                f"        for (size_t i = 0; i < {n}; i++) {{",
                f"            if (gradients) gradients[output * {n} + i] = zp_adjoint(&r[i]);",
                f"            if (statuses) statuses[output * {n} + i] = r[i].status;",
                "        }",
                "        (void)p;",
                "    }",
            ]
        return "\n".join([*lines, "    (void)x;", "    (void)v;", "}", ""])

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

    def _choice(self, node: int, step: Step) -> Iterator[str]:
        """Where that which arrives at a choice goes."""
        condition, a, b = step[1]
        taken, other = (self.adjoints.get(each, "NULL") for each in (a, b))
        yield f"{self.adjoints[node]} = {self.values[condition]} != 0.0 ? {taken} : {other};"

    def _value(self, node: int, step: Step) -> Iterator[str]:
        """The value of a node."""
        kind, to = step[0], self.values[node]
        given = [self.values[operand] for operand in step[-1]]
        if kind == "power":
            yield f"{to} = zp_power({given[0]}, {step[1]});"
        elif kind == "select":
            yield f"{to} = {given[0]} != 0.0 ? {given[1]} : {given[2]};"
        elif kind == "fold":
            if step[1] not in FOLDS:
                raise _unavailable(step[1])
            function, mode = FOLDS[step[1]][0], REDUCTIONS[step[2]]
            yield "{"  # lists of several folds may share their place on the stack
            yield f"    const double list[{len(given)}] = {{{', '.join(given)}}};"
            yield f"    {to} = {function}({mode}, list, {len(given)});"
            yield "}"
        elif kind == "condition":
            yield f"{to} = ({_filled(CONDITIONS[step[1]], given)}) ? 1.0 : 0.0;"
        else:
            rows = UNARY if len(given) == 1 else BINARY
            if step[1] not in rows:
                raise _unavailable(step[1])
            yield f"{to} = {_filled(rows[step[1]].value, given)};"

    def _passed(self, node: int, step: Step) -> Iterator[str]:
        """What a node passes to its operands."""
        kind, operands = step[0], step[-1]
        row = self.adjoints[node][1:]
        apart = "_apart" if len(self.steps) > PART else ""
        to = [self.adjoints.get(operand, "NULL") for operand in operands]
        yield f"if ({row}.reached) {{ /* {_named(step)} */"
        yield f"    const unsigned char status = {row}.status;"
        yield f"    if (!isfinite({self.values[node]})) {{"
        yield from (f"        zp_silence{apart}({each}, status);" for each in to if each != "NULL")
        yield "    } else {"
        given = [self.values[operand] for operand in operands]
        value = self.values[node]
        values = f"a = {given[0]}, z = {value}"
        if kind == "op" and len(operands) == 2:
            values = f"a = {given[0]}, b = {given[1]}, z = {value}"
        if kind == "fold":
            op, mode = FOLDS[step[1]][1], REDUCTIONS[step[2]]
            count = len(operands)
            yield f"        zp_row *const to[{count}] = {{{', '.join(to)}}};"
            yield f"        const double list[{count}] = {{{', '.join(given)}}};"
            yield f"        const double g = zp_adjoint(&{row});"
            yield f"        zp_share({op}, {mode}, list, to, {count}, {value}, g, status);"
        elif kind == "op" and len(operands) == 2:
            yield f"        const double g = zp_adjoint(&{row}), {values};"
            yield "        double to[2];"
            yield f"        {BINARY[step[1]].to}"
            yield "        (void)a; (void)b; (void)z;"
            for place, each in enumerate(to):
                if each != "NULL":
                    yield f"        zp_receive{apart}({each}, to[{place}], g, status);"
        else:
            is_power = kind == "power"
            share = f"zp_power_to(g, a, {step[1]})" if is_power else UNARY[step[1]].to_a
            yield f"        const double g = zp_adjoint(&{row}), {values};"
            yield "        (void)a; (void)z;"
            yield f"        zp_receive{apart}({to[0]}, {share}, g, status);"
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


def _filled(formula: str, given: Sequence[str]) -> str:
    """A formula of ``a`` and ``b`` with the expressions of the operands."""
    names = dict(zip("ab", given))
    return re.sub(r"\b[ab]\b", lambda found: names[found.group()], formula)


def _number(value: float) -> str:
    """A double as C99 has it, exactly."""
    if math.isfinite(value):
        return f"({value.hex()})"
    if math.isnan(value):
        return "NAN"
    return "INFINITY" if value > 0 else "(-INFINITY)"


def _unavailable(op: str) -> NotImplementedError:
    return NotImplementedError(
        f"the operation {op} is not available in C: available are "
        + ", ".join(sorted({*UNARY, *BINARY, *FOLDS, "pow_int"}))
    )
