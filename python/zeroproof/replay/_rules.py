"""What a node does with its adjoint: the rule of the mode, and the contributions it leads to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Optional

from ..autodiff.grad_mode import GradientMode
from ._kit import Kit
from ._row import Fold, Row, nothing
from .mode import Mode
from .namespace import Elements

__all__ = ["Passed", "fold_contributions", "is_bounded", "kept_inputs", "row_contributions"]

Flags = Optional[Elements]


@dataclass
class Passed:
    """What a node passes on.

    Args:
        contributions: one for each operand; ±∞ or NaN for one that is dropped.
        silenced: where the node passes nothing.
        bounded: where it uses bounded partials, None for nowhere.
        kept: of a fold, where each input was kept; None for everywhere.
    """

    contributions: list[Elements]
    silenced: Elements
    bounded: Flags
    kept: Optional[list[Elements]] = None


def row_contributions(
    kit: Kit,
    mode: Mode,
    row: Row,
    g: Elements,
    operands: list[Elements],
    z: Elements,
    explored: Flags,
) -> Passed:
    """The step of a node of one or two operands, for a finite adjoint."""
    silenced, bounded = _rule(kit, mode, row, operands, z, explored)
    pole = row.pole
    if bounded is None or pole is None:
        found = _holding(kit, row, row.classical, row.holds, row.at, g, operands, z)
        return Passed(found, silenced, None)
    s = mode.bound

    def formula(kit: Kit, g: Elements, *rest: Any) -> tuple[Elements, ...]:
        return pole.bounded(kit, g, *rest, s)

    def at(kit: Kit, *operands: Elements) -> tuple[Any, ...]:
        if pole.at is nothing:
            return nothing(kit, *operands)
        return pole.at(kit, *operands, s)

    found = _holding(kit, row, formula, pole.holds, at, g, operands, z)
    if mode.mode is not GradientMode.SATURATING or pole.is_there is not None:
        classical = _holding(kit, row, row.classical, row.holds, row.at, g, operands, z)
        found = [kit.xp.where(bounded, mine, other) for mine, other in zip(found, classical)]
    return Passed(found, silenced, bounded & ~silenced)


def _rule(
    kit: Kit, mode: Mode, row: Row, operands: list[Elements], z: Elements, explored: Flags
) -> tuple[Elements, Flags]:
    """Where the node passes nothing, and where its partials are bounded."""
    xp = kit.xp
    is_phi, is_not_real = xp.isnan(z), ~xp.isfinite(z)
    pole = row.pole
    own = [xp.constant(operand) for operand in operands]
    if mode.mode is GradientMode.SATURATING:
        if pole is None:
            return is_phi, None
        there = ~xp.isnan(kit.zero(z)) if pole.is_there is None else pole.is_there(kit, *own)
        return is_phi, there
    if not mode.decides:
        return is_not_real, None
    without_pole = is_phi if mode.delta is not None else is_not_real
    if pole is None:
        return without_pole, None
    distance = xp.constant(pole.distance(kit, *own))
    near = xp.isfinite(distance)
    if not mode.saturates:
        chosen: Flags = explored
        if mode.delta is not None:
            is_close = xp.abs(distance) <= mode.delta
            chosen = is_close if chosen is None else chosen | is_close
        near = near & (~near if chosen is None else chosen)
    silenced = xp.where(near, is_phi, is_not_real)
    if pole.is_there is not None:
        there = pole.is_there(kit, *own)
        near = near & there
        silenced = xp.where(there, xp.where(near, is_phi, is_not_real), without_pole)
    return silenced, near


def is_bounded(
    kit: Kit, mode: Mode, row: Row, operands: list[Elements], z: Elements, explored: Flags
) -> Flags:
    """Where the partials of a node are bounded; None for nowhere."""
    return _rule(kit, mode, row, operands, z, explored)[1]


def _holding(
    kit: Kit,
    row: Row,
    formula: Callable[..., tuple[Elements, ...]],
    holds: Optional[Callable[..., Elements]],
    at: Callable[..., tuple[Any, ...]],
    g: Elements,
    operands: list[Elements],
    z: Elements,
) -> list[Elements]:
    """The contributions by a formula where it holds, elsewhere by what an adjoint is multiplied."""
    xp = kit.xp
    own = [xp.constant(operand) for operand in operands]
    ordinary = xp.isfinite(own[0])
    for operand in own[1:]:
        ordinary = ordinary & xp.isfinite(operand)
    if holds is not None:
        ordinary = ordinary & holds(kit, *own)
    inside = [xp.where(ordinary, x, safe) for x, safe in zip(operands, row.safe)]
    constants = [xp.constant(x) for x in inside]
    value = xp.where(ordinary, xp.constant(z), 1.0)
    results = formula(kit, xp.constant(g), *constants, value)

    def function(g: Elements, *operands: Elements) -> tuple[Elements, ...]:
        return formula(kit, g, *operands, row.value(kit, *operands))

    results = xp.local(tuple(results), function, (1.0, *row.safe), g, *inside)
    if at is nothing:
        return [xp.where(ordinary, result, 0.0) for result in results]
    found = []
    for result, factor in zip(results, at(kit, *own)):
        if callable(factor):
            elsewhere = factor(xp.constant(g))
        else:
            is_dropped = xp.isnan(factor)
            elsewhere = xp.where(is_dropped, float("nan"), g * xp.where(is_dropped, 0.0, factor))
        found.append(xp.where(ordinary, result, elsewhere))
    return found


def fold_contributions(
    kit: Kit, mode: Mode, fold: Fold, how: str, g: Elements, inputs: list[Elements], z: Elements
) -> Passed:
    """The step of a node of any number of inputs, for a finite adjoint."""
    xp = kit.xp
    follows_phi = mode.mode is GradientMode.SATURATING or (mode.decides and mode.delta is not None)
    silenced = xp.isnan(z) if follows_phi else ~xp.isfinite(z)
    own = [xp.constant(x) for x in inputs]
    masks = kept_inputs(kit, how, own)
    results = fold.shares(kit, xp.constant(g), own, masks, xp.constant(z))
    count = len(inputs)

    def function(g: Elements, *operands: Elements) -> tuple[Elements, ...]:
        inputs, keeps = list(operands[:count]), [keep > 0.5 for keep in operands[count:]]
        return tuple(fold.shares(kit, g, inputs, keeps, fold.value(kit, inputs, keeps)))

    finite = [xp.where(xp.isfinite(x), x, 1.0) for x in inputs]
    # As numbers, since a library's own functions of functions take no others.
    numbers = [xp.where(keep, 1.0, kit.zero(x)) for keep, x in zip(masks, own)]
    safe = (1.0,) * (1 + 2 * count)
    found = xp.local(tuple(results), function, safe, g, *finite, *numbers)
    return Passed(list(found), silenced, None, None if how == "strict" else masks)


def kept_inputs(kit: Kit, how: str, inputs: list[Elements]) -> list[Elements]:
    """Where a fold of this mode keeps each of its inputs."""
    xp = kit.xp
    if how == "strict":
        return [~xp.isnan(kit.zero(x)) for x in inputs]
    return [~xp.isnan(x) if how == "drop_null" else xp.isfinite(x) for x in inputs]
