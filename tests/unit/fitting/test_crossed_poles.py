"""Poles that pass samples on the way to a minimum."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from zeroproof import least_squares
from zeroproof.fitting._crossings import crossed_poles

X = np.arange(10.0)


def pole(p: Any, x: Any) -> Any:
    return p[1] / (x - p[0]) + p[2]


def test_a_pole_that_passes_samples_is_told() -> None:
    fit = least_squares(pole, X, pole([4.1, 1.0, 0.3], X), [-3.43, 0.1, 0.0])
    assert fit.success  # a minimum, but not that of the data
    assert fit.sse > 1.0
    assert fit.params[0] == pytest.approx(2.5336, abs=1e-3)
    assert fit.crossed_pole.tolist() == [0, 1, 2]
    assert "a pole of the model passed 3 samples (0, 1, 2)" in fit.summary()


def test_one_that_does_not_is_not() -> None:
    fit = least_squares(pole, X, pole([4.1, 1.0, 0.3], X), [4.3, 0.5, 0.0])
    assert fit.params == pytest.approx([4.1, 1.0, 0.3], abs=1e-12)
    assert fit.crossed_pole.tolist() == []
    assert "a pole of the model passed" not in fit.summary()


def test_values_that_pass_zero_are_no_pole() -> None:
    fit = least_squares(lambda p, x: p[0] * x**3 - p[1], X, 5.0 - X**3, [300.0, 1e4])
    assert fit.params == pytest.approx([-1.0, -5.0])
    assert fit.crossed_pole.tolist() == []


def test_signs_along_a_step() -> None:
    def values(params: Any, rows: Any) -> Any:
        return np.choose(
            rows,
            [
                1.0 / (params[:, 0] - 0.3),  # a pole
                params[:, 0] - 0.3,  # a zero
                1.0 / (params[:, 0] - 2.0),  # neither
                (params[:, 0] - 0.2) / (params[:, 0] - 0.7),  # both
                np.where(params[:, 0] < 0.3, -1.0, 1.0),  # a jump
            ],
        )

    found = crossed_poles(values, np.zeros(1), np.ones(1), np.arange(5))
    assert found.tolist() == [0, 3]
