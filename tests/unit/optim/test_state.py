"""States: saved, loaded, and refused where they do not belong."""

from __future__ import annotations

import io
import json
import pickle
from typing import Any

import numpy as np
import pytest

from zeroproof import TRNode
from zeroproof.optim import SGD, Adam, Optimizer


def by_pickle(state: dict[str, Any]) -> Any:
    return pickle.loads(pickle.dumps(state))


def by_json(state: dict[str, Any]) -> Any:
    return json.loads(json.dumps(state, default=np.ndarray.tolist))


def by_numpy(state: dict[str, Any]) -> Any:
    file = io.BytesIO()
    np.savez(file, **state)
    file.seek(0)
    return np.load(file, allow_pickle=False)


OPTIMIZERS: list[Any] = [
    lambda p: SGD(p, lr=0.1),
    lambda p: SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    lambda p: Adam(p, lr=0.1, betas=(0.8, 0.9), weight_decay=0.01, decoupled=True),
]


def trained(make: Any, steps: int = 3) -> tuple[dict[str, Any], Optimizer]:
    p = {"w": np.ones((2, 2)), "b": np.ones(())}
    optimizer: Optimizer = make(p)
    for _ in range(steps):
        optimizer.step({"w": 2.0 * p["w"] + np.eye(2), "b": p["b"] / 3.0})
    return p, optimizer


@pytest.mark.parametrize("make", OPTIMIZERS)
@pytest.mark.parametrize("carry", [by_pickle, by_json, by_numpy])
def test_training_goes_on_to_the_same_bits(make: Any, carry: Any) -> None:
    p, optimizer = trained(make)
    copy = {name: value.copy() for name, value in p.items()}
    resumed = make(copy)
    resumed.load_state_dict(carry(optimizer.state_dict()))
    assert (resumed.steps, resumed.lr) == (3, 0.1)
    for parameters, each in ((p, optimizer), (copy, resumed)):
        for _ in range(3):
            each.step({"w": parameters["w"] - 0.7, "b": parameters["b"] / 3.0})
    assert np.array_equal(p["w"], copy["w"])
    assert p["b"] == copy["b"]


def test_a_state_is_a_copy() -> None:
    p, optimizer = trained(OPTIMIZERS[2])
    state = optimizer.state_dict()
    before = state["mean"].copy()
    optimizer.step({"w": p["w"], "b": p["b"]})
    assert np.array_equal(state["mean"], before)
    optimizer.load_state_dict(state)
    state["mean"][:] = optimizer.state_dict()["mean"][:] = 7.0
    assert np.array_equal(optimizer.state_dict()["mean"], before)


def test_the_rate_is_loaded_unless_it_is_a_function() -> None:
    p = np.ones(1)
    saved = SGD(p, lr=0.5)
    saved.step([1.0])
    scheduled = SGD(p, lr=lambda step: 1.0 / (1 + step))
    scheduled.load_state_dict(saved.state_dict())
    assert (scheduled.steps, scheduled.lr) == (1, 0.5)
    scheduled.step([1.0])
    state = scheduled.state_dict()
    assert "lr" not in state
    saved.load_state_dict(state)
    assert (saved.steps, saved.lr) == (2, 0.5)


def test_nodes_and_the_rule_for_masked_gradients() -> None:
    first = Adam([TRNode.parameter(1.0), TRNode.parameter(2.0)])
    first.step([1.0, 2.0])
    second = Adam([TRNode.parameter(1.0), TRNode.parameter(2.0)], masked="skip")
    second.load_state_dict(first.state_dict())
    assert second.state_dict()["mean"].tolist() == first.state_dict()["mean"].tolist()


def edited(**changes: Any) -> Any:
    return lambda state: {**state, **changes}


def without(name: str) -> Any:
    return lambda state: {key: value for key, value in state.items() if key != name}


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (without("mean"), "no 'mean'"),
        (without("parameters"), "no 'parameters'"),
        (edited(format=2), "format 2, but this version reads format 1"),
        (edited(optimizer="SGD"), "optimizer='SGD', but the optimizer optimizer='Adam'"),
        (edited(eps=1e-3), "eps=0.001, but the optimizer eps=1e-08"),
        (edited(betas=[0.5, 0.9]), r"betas=\[0.5, 0.9\], but"),
        (edited(parameters=["node at parameters"]), "of 1 leaves, but the optimizer has 2"),
        (edited(parameters="w"), "of other parameters"),
        (
            edited(parameters=["array (4,) at parameters['w']", "array () at parameters['b']"]),
            r"of array \(4,\) at parameters\['w'\], but the optimizer has array \(2, 2\) at",
        ),
        (edited(steps=-1), "number of steps in the state must be 0 or more, not -1"),
        (edited(steps=1.5), "number of steps"),
        (edited(steps=True), "number of steps"),
        (edited(lr=-1.0), "the lr of the state"),
        (edited(lr="fast"), "the lr of the state"),
        (edited(mean=np.zeros(4)), r"'mean' of the state has the shape \(4,\), but there are 5"),
        (edited(mean=["a"] * 5), "'mean' of the state must be numbers"),
        (edited(mean=[0.0, [1.0]]), "'mean' of the state must be numbers"),
        (edited(mean=np.full(5, np.nan)), "'mean' of the state has numbers out of range"),
        (edited(square=np.full(5, -1.0)), "'square' of the state has numbers out of range"),
        (edited(updates=np.array([1.0, 1.0, -1.0, 1.0, 1.0])), "'updates' of the state"),
        (edited(updates=np.full(5, 0.5)), "'updates' of the state"),
    ],
)
def test_a_state_that_does_not_belong_changes_nothing(edit: Any, message: str) -> None:
    _, optimizer = trained(OPTIMIZERS[2])
    before = optimizer.state_dict()
    with pytest.raises(ValueError, match=message):
        optimizer.load_state_dict(edit(optimizer.state_dict()))
    after = optimizer.state_dict()
    assert before.keys() == after.keys()
    for name, value in before.items():
        assert np.array_equal(after[name], value), name


def test_a_state_is_a_mapping() -> None:
    with pytest.raises(TypeError, match="not list"):
        SGD(np.ones(1)).load_state_dict([1, 2])  # type: ignore[arg-type]


def test_the_repr_shows_the_settings() -> None:
    assert repr(SGD(np.ones(3), lr=0.5)) == (
        "SGD(3 elements, lr=0.5, momentum=0.0, nesterov=False, weight_decay=0.0, masked='apply')"
    )
