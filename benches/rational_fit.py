"""Fits of noisy data with poles: `fit_rational` with default settings against SciPy's AAA.

For each data set both see the same rows, and errors are taken at other points, without noise. AAA
gets the best of 25 tolerances, chosen by the error at these test points, which no user could do;
`fit_rational` chooses its degree from the data. Errors are relative to the larger of abs(y) and its
median, as the root of the mean square.

Run with ``python benches/rational_fit.py [seeds]``; needs SciPy ≥ 1.15.
"""

from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass
from time import perf_counter
from typing import Callable

import numpy as np
import numpy.typing as npt
from machine import processor
from scipy.interpolate import AAA
from scipy.special import gamma

from zeroproof import fit_rational

Array = npt.NDArray[np.float64]

TOLERANCES = 10.0 ** np.linspace(-13.0, -1.0, 25)
TEST_POINTS = 2000


@dataclass(frozen=True)
class DataSet:
    """A function with its range, its real poles there, and the noise."""

    name: str
    function: Callable[[Array], Array]
    low: float
    high: float
    poles: tuple[float, ...]
    sigma: float
    rows: int = 400
    outliers: float = 0.0

    def draw(self, seed: int) -> tuple[Array, Array]:
        """Random rows."""
        rng = np.random.default_rng([seed, *self.name.encode()])
        x = np.sort(rng.uniform(self.low, self.high, self.rows))
        y = self.function(x) + rng.normal(0.0, self.sigma, self.rows)
        wrong = rng.random(self.rows) < self.outliers
        return x, y + wrong * rng.normal(0.0, 5.0, self.rows)

    def test(self, seed: int) -> tuple[Array, Array]:
        """Other points, and the function there."""
        rng = np.random.default_rng([seed + 1000, *self.name.encode()])
        x = rng.uniform(self.low, self.high, TEST_POINTS)
        return x, self.function(x)


def arm(elbow: Array) -> Array:
    """An entry of the inverse Jacobian of an arm with two links."""
    return np.cos(0.7 + elbow) / np.sin(elbow)


def damped_arm(elbow: Array) -> Array:
    """The same of the damped inverse: the pole is a pair next to the real axis."""
    return np.cos(0.7 + elbow) * np.sin(elbow) / (np.sin(elbow) ** 2 + 0.05**2)


def resonances(x: Array) -> Array:
    """Two resonances on a slope."""
    first = 1.0 / ((x - 1.0) ** 2 + 0.05**2)
    return 0.01 * first + 0.02 / ((x - 1.6) ** 2 + 0.1**2) + 0.3 * x


TAN_POLES = (-np.pi / 2.0, np.pi / 2.0)
SETS = [
    DataSet("simple pole", lambda x: 1.0 / (x - 0.3), -1.0, 1.0, (0.3,), 1e-3),
    DataSet("tan", np.tan, -4.0, 4.0, TAN_POLES, 1e-3),
    DataSet("gamma", gamma, -3.5, 3.5, (-3.0, -2.0, -1.0, 0.0), 1e-3),
    DataSet("arm", arm, -0.6, 0.6, (0.0,), 1e-3, rows=300),
    DataSet("damped arm", damped_arm, -0.6, 0.6, (), 1e-2, rows=300),
    DataSet("resonances", resonances, 0.0, 3.0, (), 1e-2),
    DataSet("outliers", lambda x: 1.0 / (x - 0.3), -1.0, 1.0, (0.3,), 1e-3, outliers=0.05),
    DataSet("coth", lambda x: 1.0 / np.tanh(5.0 * x), -1.0, 1.0, (0.0,), 1e-2),
    DataSet("runge", lambda x: 1.0 / (1.0 + 25.0 * x**2), -1.0, 1.0, (), 1e-2, rows=200),
]


def error(found: Array, true: Array) -> float:
    """The relative error."""
    size = np.maximum(np.abs(true), np.median(np.abs(true)))
    return float(np.sqrt(np.mean(((found - true) / size) ** 2)))


def best_of_aaa(x: Array, y: Array, at: Array, true: Array) -> tuple[float, int, float]:
    """The smallest error, and of that fit the real poles within the data; seconds a fit."""
    found, start = [], perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for tolerance in TOLERANCES:
            fit = AAA(x, y, rtol=tolerance)
            poles = fit.poles()
            inside = (np.abs(poles.imag) < 1e-9) & (poles.real > x[0]) & (poles.real < x[-1])
            found.append((error(fit(at), true), int(np.count_nonzero(inside))))
    seconds = (perf_counter() - start) / len(TOLERANCES)
    best = min(found)
    return best[0], best[1], seconds


def main(seeds: int) -> None:
    """Prints a line for each data set and seed."""
    print(processor())
    print(
        f"{'':14}{'degree':>8}{'error':>10}{'AAA best':>10}{'poles':>7}{'AAA':>5}"
        f"{'true':>5}{'pole error':>12}{'seconds':>9}"
    )
    lost = 0
    for data in SETS:
        for seed in range(seeds):
            x, y = data.draw(seed)
            at, true = data.test(seed)
            start = perf_counter()
            fit = fit_rational(x, y)
            seconds = perf_counter() - start
            mine = error(fit(at), true)
            theirs, their_poles, _ = best_of_aaa(x, y, at, true)
            inside = fit.real_poles[(fit.real_poles > x[0]) & (fit.real_poles < x[-1])]
            missed = len(inside) != len(data.poles)
            away = np.nan
            if len(inside) and not missed:
                away = float(np.abs(inside - np.array(data.poles)).max())
            worse = mine > theirs or missed
            lost += worse
            degree = f"{fit.degree[0]}/{fit.degree[1]}"
            print(
                f"{data.name:14}{degree:>8}{mine:10.1e}{theirs:10.1e}{len(inside):7}"
                f"{their_poles:5}{len(data.poles):5}{away:12.1e}{seconds:9.2f}"
                f"{'  worse' if worse else ''}"
            )
    print(f"worse than AAA, or with other poles, in {lost} of {len(SETS) * seeds}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
