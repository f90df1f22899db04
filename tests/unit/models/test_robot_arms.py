"""Inverse kinematics near singular poses, with the arms and samples of the benchmark."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from zeroproof import RationalModel

BENCHES = Path(__file__).parents[3] / "benches"


def load(name: str) -> ModuleType:
    found = importlib.util.spec_from_file_location(name, BENCHES / f"{name}.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module  # dataclasses look there
    found.loader.exec_module(module)
    return module


ARMS: Any = load("robot_arms").ARMS


@pytest.mark.parametrize("arm", ARMS.values(), ids=ARMS)
class TestArms:
    def test_the_jacobian_is_that_of_the_tip(self, arm: Any) -> None:
        angles = arm.samples(200, seed=0)[:, : arm.joints]
        jacobian = arm.jacobian(angles)
        for joint in range(arm.joints):
            step = np.zeros(arm.joints)
            step[joint] = 1e-6
            slope = (arm.tip(angles + step) - arm.tip(angles - step)) / 2e-6
            np.testing.assert_allclose(jacobian[:, :, joint], slope, atol=1e-8)
        np.testing.assert_allclose(
            np.linalg.det(jacobian), arm.determinant(angles), rtol=1e-9, atol=1e-15
        )

    def test_the_closed_form_inverts_it(self, arm: Any) -> None:
        x = arm.samples(200, seed=0)
        x = x[arm.buckets(x) == 4]
        rates, velocity = arm.exact(x), x[:, arm.joints :]
        back = np.einsum("nij,nj->ni", arm.jacobian(x[:, : arm.joints]), rates)
        np.testing.assert_allclose(back, velocity, atol=1e-12)
        np.testing.assert_allclose(arm.inverse(x), rates, rtol=1e-9, atol=1e-12)

    def test_each_bucket_has_its_share(self, arm: Any) -> None:
        x = arm.samples(1000, seed=0)
        counts = np.bincount(arm.buckets(x))
        assert len(counts) == 5
        assert (np.abs(counts - 200) < 60).all()
        assert np.abs(arm.determinant(x)).min() >= 1e-6


@pytest.mark.parametrize(("noise", "limit"), [(0.0, 0.0), (0.01, 1e-5)])
def test_the_inverse_jacobian_is_found_at_all_distances(noise: float, limit: float) -> None:
    arm = ARMS["2R"]
    x, unseen = arm.samples(4000, seed=0), arm.samples(3000, seed=1)
    y = arm.exact(x) + noise * np.random.default_rng(1000).normal(size=(4000, 2))
    model = RationalModel(
        4,
        2,
        (3, 1),
        features=["trigonometric"] * 2 + ["polynomial"] * 2,
        domain=[(-1, 1)] * 4,
        denominator_inputs=[0, 1],
    )
    model.fit(x, y, epochs=20)
    squares = np.square(model.predict(unseen) - arm.exact(unseen)).mean(axis=1)
    buckets = arm.buckets(unseen)
    # Without noise nothing is left but the rounding of the largest values, of 2e5 near the pole.
    rounding = (8 * np.finfo(float).eps * np.abs(y).max()) ** 2
    assert max(squares[buckets == bucket].mean() for bucket in range(5)) < limit + rounding
    elbow = np.array([-1e-6, 1e-6])
    pose = np.stack([np.full(2, 0.7), elbow, np.full(2, 0.05), np.full(2, 0.05)], axis=1)
    assert np.prod(model.denominator_at(pose)) < 0
