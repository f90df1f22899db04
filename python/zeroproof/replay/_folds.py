"""Sum, mean, norm, product, extrema and logsumexp of the inputs that are kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._kit import Kit, Scaled
from ._order import larger, smaller
from ._powers import scaled_radius
from ._row import Fold
from .namespace import Elements

__all__ = ["EMPTY", "FOLDS"]

_NAN = float("nan")
Inputs = list[Elements]


def _in_order(
    kit: Kit, inputs: Inputs, kept: Inputs, join: Callable[..., Elements], empty: float
) -> Elements:
    """The inputs kept, joined in order; the first one stands by itself."""
    xp = kit.xp
    total, begun = inputs[0], kept[0]
    for x, keep in zip(inputs[1:], kept[1:]):
        total = xp.where(keep, xp.where(begun, join(total, x), x), total)
        begun = begun | keep
    return xp.where(begun, total, empty)


def _count(kit: Kit, kept: Inputs, like: Elements) -> Elements:
    count = kit.zero(like)
    for keep in kept:
        count = count + kit.xp.where(keep, 1.0, kit.zero(like))
    return count


def _like(inputs: Inputs) -> Elements:
    total = inputs[0]
    for x in inputs[1:]:
        total = total + x
    return total


def _sum(kit: Kit, inputs: Inputs, kept: Inputs) -> Elements:
    return _in_order(kit, inputs, kept, lambda a, b: a + b, 0.0)


def _product(kit: Kit, inputs: Inputs, kept: Inputs) -> Elements:
    return _in_order(kit, inputs, kept, lambda a, b: kit.xp.rounded(a * b), 1.0)


def _extremum(choose: Callable[..., Elements]) -> Fold:
    def value(kit: Kit, inputs: Inputs, kept: Inputs) -> Elements:
        return _in_order(kit, inputs, kept, lambda a, b: choose(kit, a, b), _NAN)

    def shares(kit: Kit, g: Elements, inputs: Inputs, kept: Inputs, z: Elements) -> Inputs:
        xp, z = kit.xp, kit.xp.constant(z)
        wins = [keep & (kit.xp.constant(x) == z) for x, keep in zip(inputs, kept)]
        count = _count(kit, wins, z)
        share = g / xp.where(count == 0, 1.0, count)
        return [xp.where(won, share, g * 0.0) for won in wins]

    return Fold(value, shares)


def _product_shares(kit: Kit, g: Elements, inputs: Inputs, kept: Inputs, z: Elements) -> Inputs:
    """ḡ times the product of the other inputs, in scaled numbers from both ends."""
    xp = kit.xp
    plain = [xp.where(keep & xp.isfinite(x), x, 1.0) for x, keep in zip(inputs, kept)]
    factors = [kit.split(x) for x in plain]
    one = kit.split(1.0 + kit.zero(plain[0]))
    before, after = [one], [one]
    for factor in factors[:-1]:
        before.append(_normal(kit, kit.combine([before[-1], factor])))
    for factor in factors[:0:-1]:
        after.append(_normal(kit, kit.combine([after[-1], factor])))
    adjoint = kit.split(g)
    found = [
        kit.join(kit.combine([adjoint, left, right]))
        for left, right in zip(before, reversed(after))
    ]
    infinite = [keep & kit.is_infinite(x) for x, keep in zip(inputs, kept)]
    count = _count(kit, infinite, plain[0])
    return [
        xp.where(xp.where(own, count > 1.0, count > 0.0), _NAN, share)
        for share, own in zip(found, infinite)
    ]


def _normal(kit: Kit, number: Scaled) -> Scaled:
    """The same with a mantissa in [1, 2) again."""
    mantissa, exponent = kit.split(number.mantissa)
    return Scaled(mantissa, exponent + number.exponent)


def _norm(kit: Kit, inputs: Inputs, kept: Inputs) -> Elements:
    xp = kit.xp
    chosen = [xp.where(keep, x, 0.0) for x, keep in zip(inputs, kept)]
    length = kit.join(scaled_radius(kit, [xp.where(xp.isfinite(x), x, 0.0) for x in chosen]))
    beyond = _like([xp.abs(xp.where(xp.isfinite(x), 0.0, x)) for x in chosen])
    return xp.where(beyond == 0, length, beyond)


def _norm_shares(kit: Kit, g: Elements, inputs: Inputs, kept: Inputs, z: Elements) -> Inputs:
    """A direction; only a single infinite input has one."""
    xp = kit.xp
    chosen = [xp.where(keep, x, 0.0) for x, keep in zip(inputs, kept)]
    infinite = [kit.is_infinite(x) for x in chosen]
    count = _count(kit, infinite, chosen[0])
    finite = [xp.where(own, 0.0, x) for x, own in zip(chosen, infinite)]
    length = scaled_radius(kit, finite)
    is_zero = xp.constant(length.mantissa) == 0
    length = Scaled(xp.where(is_zero, 1.0, length.mantissa), length.exponent)
    adjoint = kit.split(g)
    found = []
    for x in finite:
        along = kit.join(kit.combine([adjoint, kit.split(x)], [length]))
        found.append(xp.where(is_zero | (count > 0.0), g * 0.0, along))
    return [
        xp.where(own, xp.where(count == 1.0, g * kit.sign(x), _NAN), share)
        for share, own, x in zip(found, infinite, chosen)
    ]


def _largest(kit: Kit, inputs: Inputs, kept: Inputs) -> Elements:
    """−∞ of nothing."""
    xp, infinity = kit.xp, float("inf")
    chosen = [xp.where(keep, x, -infinity) for x, keep in zip(inputs, kept)]
    total = chosen[0]
    for x in chosen[1:]:
        total = larger(kit, total, x)
    return total


def _beside(kit: Kit, inputs: Inputs, kept: Inputs, m: Elements) -> Elements:
    """``Σe^(x−m)`` over all inputs but the first that is m."""
    xp = kit.xp
    total, found = kit.zero(m), xp.isnan(kit.zero(m))
    for x, keep in zip(inputs, kept):
        is_first = keep & (xp.constant(x) == xp.constant(m)) & ~found
        found = found | is_first
        counts = keep & ~is_first & (x >= -kit.format.largest)
        term = xp.exp(xp.where(counts, x - m, -1.0))
        total = total + xp.where(counts, term, 0.0)
    return total


def _logsumexp(kit: Kit, inputs: Inputs, kept: Inputs) -> Elements:
    xp = kit.xp
    largest = _largest(kit, inputs, kept)
    m = xp.where(xp.isfinite(largest), largest, 0.0)
    safe = [xp.where(xp.isfinite(largest), x, 0.0) for x in inputs]
    value = m + xp.log1p(_beside(kit, safe, kept, m))
    return xp.where(xp.isfinite(largest), value, largest)


def _softmax(kit: Kit, g: Elements, inputs: Inputs, kept: Inputs, z: Elements) -> Inputs:
    xp = kit.xp
    largest = xp.constant(_largest(kit, inputs, kept))
    is_real = xp.isfinite(largest)
    m = xp.where(is_real, largest, 0.0)
    # The derivative by m is 0: what it takes from each exponent it takes from the sum as well.
    total = kit.zero(m)
    for x, keep in zip(inputs, kept):
        counts = keep & is_real & xp.isfinite(x)
        total = total + xp.where(counts, xp.exp(xp.where(counts, x - m, -1.0)), 0.0)
    total = kit.split(xp.where(is_real, total, 1.0))
    tops = [keep & kit.is_infinite(x) & (x > 0) for x, keep in zip(inputs, kept)]
    count = _count(kit, tops, m)
    adjoint = kit.split(g)
    found = []
    for x, top in zip(inputs, tops):
        counts = is_real & xp.isfinite(x)
        d, rest = _difference(kit, xp.where(counts, x, -1.0), xp.where(counts, m, 0.0))
        d, rest = xp.where(d > 0, -1.0, d), xp.where(xp.isfinite(rest), rest, 0.0)
        d = xp.where(xp.isfinite(d), d, -kit.format.largest)
        share = kit.join(kit.combine([adjoint, kit.scaled_exp(d, rest)], [total]))
        share = xp.where(counts, share, g * 0.0)
        found.append(xp.where(top, xp.where(count == 1.0, g, _NAN), share))
    return found


def _difference(kit: Kit, x: Elements, m: Elements) -> tuple[Elements, Elements]:
    """``x − m`` and what rounding took from it."""
    own, other = kit.xp.constant(x), kit.xp.constant(m)
    d = own - other
    back = d - own
    return x - m, (own - (d - back)) + (-other - back)


FOLDS: dict[str, Fold] = {
    "sum": Fold(_sum, lambda kit, g, inputs, kept, z: [g for _ in inputs]),
    "mean": Fold(
        lambda kit, inputs, kept: kit.xp.divide(
            _sum(kit, inputs, kept), _count(kit, kept, _like(inputs))
        ),
        lambda kit, g, inputs, kept, z: [g / _count(kit, kept, _like(inputs)) for _ in inputs],
    ),
    "norm": Fold(_norm, _norm_shares),
    "prod": Fold(_product, _product_shares),
    "max": _extremum(larger),
    "min": _extremum(smaller),
    "logsumexp": Fold(_logsumexp, _softmax),
}

#: The value of a fold of no inputs.
EMPTY: dict[str, Any] = {
    "sum": 0.0,
    "mean": _NAN,
    "norm": 0.0,
    "prod": 1.0,
    "max": _NAN,
    "min": _NAN,
    "logsumexp": -float("inf"),
}
