"""Arguments that cannot be fitted are refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from zeroproof import least_squares

X = np.arange(6.0)
Y = 1.0 + 2.0 * X
START = {"a": 0.5, "b": 0.5}


def line(p: Any, x: Any) -> Any:
    return p["a"] + p["b"] * x


def changed(values: Any, row: int, value: float) -> Any:
    values = values.copy()
    values[row] = value
    return values


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"model": 3}, TypeError, "model is a function"),
        ({"model": lambda p, x: 3.0}, ValueError, "gradient of model is zero"),
        ({"model": lambda p, x: "3"}, TypeError, "must return"),
        ({"model": lambda p, x: (p["a"], x)}, TypeError, "model must return one node"),
        ({"model": lambda p, x: p["a"] / (0.0 * x) + p["b"]}, ValueError, "REAL for 0 of 6"),
        ({"x": X[:1], "y": Y[:1]}, ValueError, "1 rows, fewer than the 2 parameters"),
        ({"x": [], "y": []}, ValueError, "x and y have no rows"),
        ({"x": X[:5]}, ValueError, "x has 5 rows and y has 6"),
        ({"x": changed(X, 2, np.nan)}, ValueError, "x has nan in row 2"),
        ({"y": changed(Y, 3, np.inf)}, ValueError, "y has inf in row 3"),
        ({"x": np.zeros((6, 1, 1))}, ValueError, r"x has the shape \(6, 1, 1\)"),
        ({"y": Y[:, None]}, ValueError, r"y has the shape \(6, 1\)"),
        ({"y": ["a"] * 6}, TypeError, "y takes an array of real numbers"),
        ({"x": X + 1j}, TypeError, "x takes an array of real numbers"),
        ({"y": np.ma.masked_array(Y, Y > 3)}, TypeError, "y is a masked array"),
        ({"sigma": 0.0}, ValueError, "sigma must be positive and finite: it is 0 in row 0"),
        ({"sigma": changed(Y, 4, -1.0)}, ValueError, "it is -1 in row 4"),
        ({"sigma": np.ones(5)}, ValueError, r"sigma has the shape \(5,\)"),
        ({"start": {}}, ValueError, "start has no parameters"),
        ({"start": {"a": 1.0, "b": np.nan}}, ValueError, "start: b is nan"),
        ({"start": {"a": 1.0, "b": "2"}}, TypeError, r"start\['b'\] is of type str"),
        ({"fixed": "c"}, ValueError, "fixed names 'c', but the parameters are a, b"),
        ({"fixed": ("a", "b")}, ValueError, "fixed holds every parameter"),
        ({"fixed": (2,)}, ValueError, "fixed has the index 2, but start has 2"),
        ({"fixed": (1.5,)}, TypeError, "fixed has 1.5"),
        ({"fixed": 1.5}, TypeError, "fixed takes names"),
        ({"bounds": {"c": (0, 1)}}, ValueError, "bounds names 'c'"),
        ({"bounds": {"a": 1.0}}, TypeError, r"bounds\['a'\] takes \(lower, upper\)"),
        ({"bounds": {"a": (2, 1)}}, ValueError, "lower bound 2 of a is not below"),
        ({"bounds": (1.0, 2.0)}, ValueError, "a = 0.5 is outside of its bounds 1 and 2"),
        ({"bounds": ({"a": 0.0}, 1.0)}, ValueError, "the lower bounds has 'a'"),
        ({"bounds": (0.0, np.nan)}, ValueError, "the upper bounds have NaN"),
        ({"bounds": 3.0}, TypeError, "bounds takes"),
        ({"loss": "l2"}, ValueError, "loss is one of 'linear'"),
        ({"loss": "huber", "f_scale": 0.0}, ValueError, "f_scale is positive"),
        ({"f_scale": "a"}, TypeError, "f_scale is a number"),
        ({"max_iterations": 0}, ValueError, "max_iterations is at least 1"),
        ({"max_iterations": 2.5}, TypeError, "max_iterations is an int"),
    ],
)
def test_refused(changes: dict[str, Any], error: type[Exception], says: str) -> None:
    arguments: dict[str, Any] = {"model": line, "x": X, "y": Y, "start": START, **changes}
    with pytest.raises(error, match=says):
        least_squares(**arguments)


def test_the_arguments_fit_as_they_are() -> None:
    fit = least_squares(line, X, Y, START)
    assert fit.params == pytest.approx({"a": 1.0, "b": 2.0})


def test_a_sigma_with_which_y_overflows():
    x = np.arange(5.0)
    with pytest.raises(ValueError, match=r"y/sigma is beyond the range of doubles in row 1"):
        least_squares(lambda p, x: p["a"] * x, x, 1e150 * x, {"a": 1.0}, sigma=1e-200)


def test_a_sum_of_squares_beyond_doubles_is_told():
    x = np.linspace(0.0, 1.0, 9)
    fit = least_squares(
        lambda p, x: p["a"] * x + p["b"], x, 1e200 * (1.0 + x * x), {"a": 1.0, "b": 1.0}
    )
    unit = least_squares(lambda p, x: p["a"] * x + p["b"], x, 1.0 + x * x, {"a": 1.0, "b": 1.0})
    assert fit.success
    assert fit.sse == fit.cost == np.inf
    assert (
        "the sum of squares is beyond the range of doubles, so sse and cost are inf" in fit.message
    )
    for name in ("a", "b"):
        assert fit.params[name] == pytest.approx(1e200 * unit.params[name], rel=1e-14)
        assert fit.stderr[name] == pytest.approx(1e200 * unit.stderr[name], rel=1e-12)
