"""The update rules against a reference in Python floats, operation by operation."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from support.values import bits
from zeroproof import TRNode
from zeroproof.optim import SGD, Adam, Optimizer

STEPS = 25
STARTS = [0.5, -1.25, 3.0, 1e-3]


def gradient(values: list[float], step: int) -> list[float]:
    """Gradients of all sizes and both signs, the last one often 0."""
    return [
        math.sin(3.0 * p + step) * 10.0 ** ((step + place) % 5 - 2) if place < 3 else step % 2 * p
        for place, p in enumerate(values)
    ]


def sgd(
    lr: float, momentum: float = 0.0, nesterov: bool = False, weight_decay: float = 0.0
) -> Iterator[list[float]]:
    """The documented rule of torch.optim.SGD, with dampening 0."""
    values, buffer = [*STARTS], [0.0] * len(STARTS)
    for step in range(STEPS):
        gradients = gradient(values, step)
        for place, (p, g) in enumerate(zip(values, gradients)):
            if weight_decay:
                g = g + weight_decay * p
            if momentum:
                buffer[place] = momentum * buffer[place] + g if step else g
                g = g + momentum * buffer[place] if nesterov else buffer[place]
            values[place] = p - lr * g
        yield [*values]


def adam(
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    decoupled: bool = False,
) -> Iterator[list[float]]:
    """Algorithm 1 of Kingma and Ba, with the two kinds of weight decay."""
    values, m, v = [*STARTS], [0.0] * len(STARTS), [0.0] * len(STARTS)
    for step in range(STEPS):
        gradients, t = gradient(values, step), step + 1
        for place, (p, g) in enumerate(zip(values, gradients)):
            if decoupled:
                p = p - lr * weight_decay * p
            elif weight_decay:
                g = g + weight_decay * p
            m[place] = betas[0] * m[place] + (1.0 - betas[0]) * g
            v[place] = betas[1] * v[place] + (1.0 - betas[1]) * (g * g)
            m_hat = m[place] / (1.0 - betas[0] ** t)
            v_hat = v[place] / (1.0 - betas[1] ** t)
            values[place] = p - lr * m_hat / (math.sqrt(v_hat) + eps)
        yield [*values]


CASES: list[Any] = [
    (SGD, sgd, {"lr": 0.01}),
    (SGD, sgd, {"lr": 0.01, "weight_decay": 0.1}),
    (SGD, sgd, {"lr": 0.01, "momentum": 0.9}),
    (SGD, sgd, {"lr": 0.003, "momentum": 0.5, "nesterov": True, "weight_decay": 1e-3}),
    (Adam, adam, {"lr": 0.01}),
    (Adam, adam, {"lr": 0.1, "betas": (0.5, 0.75), "eps": 1e-3}),
    (Adam, adam, {"lr": 0.01, "betas": (0.0, 0.9), "weight_decay": 0.1}),
    (Adam, adam, {"lr": 0.01, "weight_decay": 0.1, "decoupled": True}),
]


@pytest.mark.parametrize(("rule", "reference", "settings"), CASES)
def test_arrays_to_the_last_bit(rule: Any, reference: Any, settings: dict[str, Any]) -> None:
    p = np.array(STARTS)
    optimizer: Optimizer = rule(p, **settings)
    for step, expected in enumerate(reference(**settings)):
        report = optimizer.step(np.array(gradient(p.tolist(), step)))
        assert report.updated == len(STARTS)
        assert [bits(x) for x in p.tolist()] == [bits(x) for x in expected]


@pytest.mark.parametrize(("rule", "reference", "settings"), CASES)
def test_nodes_to_the_last_bit(rule: Any, reference: Any, settings: dict[str, Any]) -> None:
    nodes = [TRNode.parameter(value) for value in STARTS]
    optimizer: Optimizer = rule(nodes, **settings)
    for step, expected in enumerate(reference(**settings)):
        optimizer.step(gradient([node.item() for node in nodes], step))
        assert [bits(node) for node in nodes] == [bits(x) for x in expected]


@pytest.mark.parametrize(("rule", "settings"), [(SGD, {"momentum": 0.9}), (Adam, {})])
def test_an_element_does_not_depend_on_how_many_there_are(
    rule: Any, settings: dict[str, Any]
) -> None:
    """More elements than are updated at a time, against each one of a few alone."""
    rng = np.random.default_rng(5)
    starts, gradients = rng.normal(size=40_000), rng.normal(size=(4, 40_000))
    p = starts.copy()
    optimizer = rule(p, lr=0.1, **settings)
    for g in gradients:
        optimizer.step(g)
    for place in (0, 16_383, 16_384, 32_768, 39_999):
        alone = starts[place : place + 1].copy()
        single = rule(alone, lr=0.1, **settings)
        for g in gradients:
            single.step(g[place : place + 1])
        assert bits(alone[0]) == bits(p[place])


def test_adam_first_moves_by_the_rate_whatever_the_size_of_the_gradient() -> None:
    """m̂/√ŝ is ±1 in the first step (section 2.1 of the paper)."""
    p = np.zeros(4)
    Adam(p, lr=0.25, eps=0.0).step(np.array([1e-100, -3.0, 1e100, -1e-3]))
    # Four roundings of numbers of that size.
    assert p == pytest.approx([-0.25, 0.25, -0.25, 0.25], rel=4 * 2.0**-52)


def test_backward_and_given_gradients_are_the_same_step() -> None:
    for rule in (SGD, Adam):
        a, b = TRNode.parameter(0.5), TRNode.parameter(0.5)
        one, other = rule(a, lr=0.1), rule(b, lr=0.1)
        for _ in range(3):
            one.zero_grad()
            (a * a + 1.0 / a).backward()
            b.zero_grad()
            (b * b + 1.0 / b).backward()
            assert b.gradient is not None
            assert one.step() == other.step(b.gradient, b.gradient_status)
            assert bits(a) == bits(b)


@pytest.mark.parametrize("decoupled", [False, True])
def test_weight_decay_pulls_towards_zero(decoupled: bool) -> None:
    p = np.array([2.0, -2.0])
    optimizer = Adam(p, lr=0.01, weight_decay=0.5, decoupled=decoupled)
    for _ in range(50):
        optimizer.step(np.zeros(2))
    # Decoupled, each step multiplies by 1 − lr·weight_decay; otherwise it moves by lr or less.
    expected = 2.0 * (1.0 - 0.005) ** 50 if decoupled else 2.0 - 50 * 0.01
    assert np.abs(p) == pytest.approx(expected, rel=1e-12 if decoupled else 0.02)


def test_the_rate_may_change_between_steps() -> None:
    p = np.array([1.0])
    optimizer = SGD(p, lr=0.5)
    optimizer.step(np.array([1.0]))
    optimizer.lr = 0.25
    optimizer.step(np.array([1.0]))
    assert p.tolist() == [0.25]
    optimizer.lr = lambda step: 2.0 ** -(step + 1)
    assert optimizer.lr == 0.125  # two steps are done
    optimizer.step(np.array([1.0]))
    assert (p.tolist(), optimizer.lr, optimizer.steps) == ([0.125], 0.0625, 3)
