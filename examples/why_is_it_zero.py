"""Finds out why a gradient is zero.

At such points other libraries give NaN, or a zero that looks like any other. Here each gradient
has a status, a loss explains itself, and a block of code keeps a log of its singularities.

Run: python examples/why_is_it_zero.py
"""

import numpy as np

from zeroproof import (
    TRNode,
    tr_less,
    tr_log,
    tr_maximum,
    tr_norm,
    tr_sqrt,
    tr_vmap,
    tr_where,
    watch_singularities,
)
from zeroproof.optim import SGD


def norm_at_zero():
    """The slope of √ at 0 is infinite: the engine drops it, and keeps the rest of the loss."""
    x, y = TRNode.parameter(0.0), TRNode.parameter(0.0)
    length = tr_sqrt(x * x + y * y) + 2.0 * y
    length.backward()
    print(f"norm at zero: d/dx = {x.gradient} {x.gradient_status.name}, d/dy = {y.gradient}")
    print(length.explain())
    # The remedy is the operation that knows: its gradient at 0 is 0, and EXACT.
    x.zero_grad()
    tr_norm([x, y]).backward()
    print(f"with tr_norm: d/dx = {x.gradient} {x.gradient_status.name}")


def log_at_the_edge():
    """The cross entropy of a model that is sure: 0·log(0) is Φ, which masks the whole loss."""
    p, label = TRNode.parameter(1.0), 1.0
    loss = -(label * tr_log(p) + (1.0 - label) * tr_log(1.0 - p))
    loss.backward()
    print(f"log at the edge: loss {loss.value}, d/dp = {p.gradient} {p.gradient_status.name}")
    print(loss.explain())
    # An optimizer can leave such a parameter alone, and says so.
    print(SGD(p, masked="skip").step())


def branch_not_taken():
    """The branch that is not taken adds neither a gradient nor a status."""
    x = TRNode.parameter(-1.0)
    y = tr_where(tr_less(0.0, x), tr_sqrt(x), 3.0 * x)
    y.backward()
    print(f"where: d/dx = {x.gradient} {x.gradient_status.name}")


def true_zero():
    """Below its threshold this loss is constant. Nothing is wrong, and the status says so."""
    x = TRNode.parameter(0.5)
    tr_maximum(0.0, x - 1.0).backward()
    print(f"hinge: d/dx = {x.gradient} {x.gradient_status.name}")


def in_a_batch():
    """The log of a block names the operation, the line and the samples."""
    ratio = tr_vmap(lambda w, x: w / x, in_axes=(None, 0))
    x = np.array([1.0, 0.0, 2.0, 0.0])
    with watch_singularities() as log:
        _, gradient, mask = ratio.value_and_grad(3.0, x, reduce="mean", with_mask=True)
    print(f"batch: d/dw = {gradient} over the samples {np.flatnonzero(mask.kept)}")
    for found in log.occurrences:
        print(found.kind, found.first, "and in samples", found.samples[1:])
    print(mask.why(3))


if __name__ == "__main__":
    for example in norm_at_zero, log_at_the_edge, branch_not_taken, true_zero, in_a_batch:
        example()
        print()
