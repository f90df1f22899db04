"""Second order by the textbook: the Jacobian of a program's gradient, from the partials of its ops.

Values are those that the program computed; partials and their slopes come from the op cases, in
many digits, and so do all sums and products.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple, Optional

import mpmath
from mpmath import mpf

from support.op_case import DIGITS, exact
from support.op_cases import CASES
from support.random_programs import Program
from support.second_partials import second_partials
from zeroproof.autodiff.tr_node import TRNode

#: Partials and entries beyond this may leave the range of a double when they are multiplied.
_LARGEST = mpf(10) ** 60


class Entry(NamedTuple):
    """An entry of the Jacobian, and the sum of the sizes of the terms that it is made of."""

    number: Any
    size: Any


class _Step(NamedTuple):
    """What a node passes: the classical partials, those of the mode, and the slopes of these."""

    inputs: tuple[int, ...]
    classical: list[Any]
    partials: list[Any]
    slopes: list[list[Any]]


def jacobian(program: Program, bound: Optional[float] = None) -> Optional[list[list[Entry]]]:
    """How the gradient by leaf i changes with leaf j: classical and masked, or saturating.

    None where an op stands at an edge of its domain, or numbers are large.
    """
    nodes = program.run([TRNode.constant(x) for x in program.values])
    values = [node.item() for node in nodes]
    leaves = len(program.values)
    with mpmath.workdps(DIGITS):
        steps: dict[int, _Step] = {}
        for k, step in enumerate(program.steps, leaves):
            if math.isnan(values[k]) or (bound is None and math.isinf(values[k])):
                continue  # silenced
            operands = [values[i] for i in step.operands]
            if not all(map(math.isfinite, [values[k], *operands])):
                return None
            found = _step(step.op, step.operands, operands, step.extra, bound)
            if found is None:
                return None
            steps[k] = found
        adjoints = _adjoints(steps, len(values))
        columns = [_column(steps, adjoints, len(values), leaves, j) for j in range(leaves)]
    return [[column[i] for column in columns] for i in range(leaves)]


def _step(
    op: str, inputs: tuple[int, ...], operands: list[float], extra: Any, bound: Optional[float]
) -> Optional[_Step]:
    case = CASES[op]
    given = (*operands, extra) if case.arity == "power" else tuple(operands)
    limit = bound if bound is not None and case.is_singular(*given) else None
    slopes = second_partials(case, given, limit)
    if slopes is None:
        return None
    numbers = [exact(x) for x in given]
    classical = partials = list(case.partials(*numbers))
    if limit is not None:
        assert case.pole is not None
        partials = list(case.pole.bounded(limit, *numbers))
    sizes = [*classical, *partials, *(entry for row in slopes for entry in row)]
    if not all(abs(size) < _LARGEST for size in sizes):
        return None
    return _Step(inputs, classical, partials, slopes)


def _adjoints(steps: dict[int, _Step], count: int) -> list[Entry]:
    found = [[mpf(0), mpf(0)] for _ in range(count)]
    found[-1] = [mpf(1), mpf(1)]
    for k in sorted(steps, reverse=True):
        for i, p in zip(steps[k].inputs, steps[k].partials):
            found[i][0] += found[k][0] * p
            found[i][1] += found[k][1] * abs(p)
    return [Entry(*each) for each in found]


def _column(
    steps: dict[int, _Step], adjoints: list[Entry], count: int, leaves: int, j: int
) -> list[Entry]:
    """How all gradients change with leaf j."""
    tangents = [[mpf(0), mpf(0)] for _ in range(count)]
    tangents[j] = [mpf(1), mpf(1)]
    for k in sorted(steps):
        for i, f in zip(steps[k].inputs, steps[k].classical):
            tangents[k][0] += f * tangents[i][0]
            tangents[k][1] += abs(f) * tangents[i][1]
    changes = [[mpf(0), mpf(0)] for _ in range(count)]
    for k in sorted(steps, reverse=True):
        step, (g, g_size), (change, size) = steps[k], adjoints[k], changes[k]
        for i, p, row in zip(step.inputs, step.partials, step.slopes):
            changes[i][0] += p * change
            changes[i][1] += abs(p) * size
            for other, slope in zip(step.inputs, row):
                changes[i][0] += g * slope * tangents[other][0]
                changes[i][1] += g_size * abs(slope) * tangents[other][1]
    return [Entry(*changes[i]) for i in range(leaves)]
