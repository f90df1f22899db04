"""The reference of all operations, docs/semantics.md, which ``python python/generate.py`` writes.

Formulas, partials and reasons are those that stand in the rows of the table; the value tables are
made by calling the operations.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import zeroproof
from zeroproof import ReductionMode, TRScalar, _native

INTRODUCTION = """\
# Semantics: every operation, value by value

This page is made from the table that the engine itself is made from. The values below are what the
operations return, the formulas and bounded partials stand beside the code that computes them.

## Values

A transreal value is a finite double (REAL), +∞, −∞ or nullity Φ: the tag is the class of the float.
Every operation is total, and Φ absorbs: an operation on Φ is Φ. Where an operation has a limit, its
value is that limit; where the limit depends on the way, as for 0 ÷ 0, it is Φ. So it is at the end
of a domain where the limit is infinite, as for log 0. Elementary functions
are within 1 ulp, `+ − × ÷ √` rounded correctly. Reductions keep all inputs (`STRICT`), all but Φ
(`DROP_NULL`; of nothing but Φ they are Φ), or the REAL ones (`DROP_NONREAL`).

```python
from zeroproof import TRNode, tr_sinc, tr_xlogy

x = TRNode.parameter(0.0)
y = tr_sinc(x) + tr_xlogy(0.0, x)
y.backward()
print(y.value, x.gradient, x.gradient_status.name)
```

```text
1.0 0.0 EXACT
```

## Gradients

The *domain* of an operation is where REAL operands give a REAL value. ḡ is the adjoint that arrives
at a node. The *partials* below are what the node contributes to its operands, in their order, in
every mode; they are right wherever the true contribution is representable, also where a factor of
it is not. A contribution that is not REAL is dropped and counted. A node whose value is Φ
propagates nothing; in Mask-REAL mode neither does one that is ±∞.

*Singular* operations have a pole at a REAL operand, at the *distance* that is given. In Saturating
mode, and in Hybrid mode where the distance is at most δ, they contribute the *bounded* partials
instead: with the saturation bound s, `recip(y) = sign(y) ÷ √(y² + s²)`, which is 0 at ±0, ±∞ and Φ.
All other operations have their classical partials in every mode.

## Second derivatives

They are derivatives of the gradient that the mode computes. What it masks, drops or decides is a
constant: the winner of a comparison, the integer that was rounded to, the rule at a pole. The
*second partials* below are those of the value: of two operands by a twice, by both, and by b twice.
Where none are given they are 0, as at kinks and ties. Bounded partials have the derivatives of the
formulas given for them, with `recip′(y) = −|y| ÷ (y² + s²)^(3/2)`. The value of a node that is not
REAL does not change with anything, and the status of what would depend on it is MASKED.
"""

NUMBERS = [-math.inf, -1.0, -0.0, 0.0, 0.5, 1.0, 2.0, math.inf, math.nan]
EXPONENTS = [-2, -1, 0, 1, 2, 3]
LISTS = [
    [],
    [1.0, 2.0],
    [0.0, -0.0],
    [-math.inf, 1.0],
    [math.inf, 1.0],
    [math.inf, -math.inf],
    [math.nan, 1.0],
    [math.nan],
]


def shown(value: Any) -> str:
    """A value as the page writes it, to six digits."""
    x = float(value)
    if not math.isfinite(x):
        return str(TRScalar(x))
    return f"{x:.6g}".replace("-", "−")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def values(name: str, arity: str) -> list[str]:
    """The value table of an operation."""
    op = getattr(zeroproof, f"tr_{name}")
    if arity == "unary":
        return table(
            ["a", *map(shown, NUMBERS)], [[name, *(shown(op(TRScalar(a))) for a in NUMBERS)]]
        )
    if arity == "variadic":
        kinds = list(ReductionMode)
        return table(
            ["inputs", *(f"`{kind.name}`" for kind in kinds)],
            (
                [", ".join(map(shown, inputs)) or "none", *(shown(op(inputs, k)) for k in kinds)]
                for inputs in LISTS
            ),
        )
    seconds: Sequence[float] = EXPONENTS if arity == "power" else NUMBERS
    corner = "a \\ n" if arity == "power" else "a \\ b"
    return table(
        [corner, *map(shown, seconds)],
        ([f"**{shown(a)}**", *(shown(op(TRScalar(a), b)) for b in seconds)] for a in NUMBERS),
    )


SIGNATURES = {"unary": "a", "binary": "a, b", "power": "a, n", "variadic": "values, mode=None"}


def section(row: dict[str, Any]) -> list[str]:
    """All about one operation."""
    name, arity = row["name"], row["arity"]
    lines = [f"### `tr_{name}({SIGNATURES[arity]})`", "", f"{row['formula']}.", ""]
    lines += [*values(name, arity), "", f"- Domain: {row['domain']}."]
    if row["units"] is not None:
        lines += [f"- Units: {row['units']}."]
    lines += [f"- Partials: {row['partials']}."]
    if row["second_partials"] not in ("0", "0, 0, 0"):
        lines += [f"- Second partials: {row['second_partials']}."]
    if row["pole"] is not None:
        distance, bounded = row["pole"]["distance"], row["pole"]["bounded"]
        lines += [f"- Singular, at the distance {distance}. Bounded: {bounded}."]
    return [*lines, f"- Why: {row['reason']}", ""]


GROUPS = {
    "Operations on one or two values": ("unary", "binary", "power"),
    "Operations on many values": ("variadic",),
}


def page() -> str:
    """The text of the page."""
    lines = [INTRODUCTION]
    for title, arities in GROUPS.items():
        lines += [f"## {title}", ""]
        for row in _native.op_table():
            if row["arity"] in arities:
                lines += section(row)
    return "\n".join(lines).rstrip() + "\n"
