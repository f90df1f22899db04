"""Inverse kinematics near singular poses: the tables of docs/robotics.md.

python benches/robotics.py [--arms 2R 3R] [--samples 4000] [--seeds 3] [--epochs 30]

Every method sees the same samples. Errors are against the targets without noise, on samples of
their own; entries are the median over the seeds and, in brackets, the range.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Optional

import numpy as np
from machine import processor
from robot_arms import ARMS, BOUNDS, DAMPING, Arm
from robot_learners import Network, best_guarded, guarded, smoothed

from zeroproof import RationalModel

NOISE = 0.01
TASKS = ("undamped", "damped")
MODES = ("mask-real", "saturating", "hybrid")
Array = Any


@dataclass(frozen=True)
class Task:
    """What is to be learned."""

    arm: Arm
    kind: str
    noise: float

    def targets(self, x: Array) -> Array:
        return self.arm.exact(x) if self.kind == "undamped" else self.arm.damped(x)

    def model(self, seed: int) -> RationalModel:
        """The rational model that contains the targets: see docs/robotics.md for the degrees."""
        joints = self.arm.joints
        return RationalModel(
            self.arm.inputs,
            joints,
            (3, 1) if self.kind == "undamped" else (4, 2),
            features=["trigonometric"] * joints + ["polynomial"] * joints,
            domain=[(-1.0, 1.0)] * self.arm.inputs,
            denominator_inputs=range(joints),
            seed=seed,
        )


@dataclass(frozen=True)
class Exact:
    """A method that learns nothing."""

    predict: Callable[[Array], Array]


def fitted(task: Task, samples: int, seed: int, epochs: int) -> Iterator[tuple[str, Any]]:
    """The methods by name, fitted."""
    rng = np.random.default_rng(1000 + seed)
    x = task.arm.samples(samples, seed=2 * seed)
    y = task.targets(x)
    y = y + task.noise * rng.normal(size=y.shape)
    split = int(0.8 * samples)
    training, validation = (x[:split], y[:split]), (x[split:], y[split:])

    yield "zero", Exact(lambda x: np.zeros((len(x), task.arm.joints)))
    yield "damped least squares", Exact(task.arm.damped)
    yield "undamped inverse", Exact(task.arm.inverse)
    start = task.model(seed)
    start.fit(*training, method="lm", epochs=0)
    for name, kind in [("ε-guarded P/Q", guarded), ("P·Q/(Q² + ε²)", smoothed)]:
        yield name, best_guarded(start, kind, training, validation, epochs)
    yield "network", Network(task.arm.joints, seed).fit(x, y, 10 * epochs)
    for mode in MODES:
        model = task.model(seed)
        model.fit(x, y, method="adam", mode=mode, epochs=3 * epochs, batch_size=128, seed=seed)
        yield f"RationalModel, Adam, {mode}", model
    for mode in MODES:
        model = task.model(seed)
        model.fit(x, y, method="lm", mode=mode, epochs=epochs, seed=seed)
        yield f"RationalModel, LM, {mode}", model


def errors(task: Task, method: Any, seed: int) -> list[float]:
    """The mean squared error in each bucket."""
    x = task.arm.samples(3000, seed=2 * seed + 1)
    squares = np.square(method.predict(x) - task.targets(x)).mean(axis=1)
    buckets = task.arm.buckets(x)
    return [float(squares[buckets == bucket].mean()) for bucket in range(len(BOUNDS) + 1)]


def pole_error(task: Task, method: Any) -> Optional[float]:
    """The largest distance of the zero of Q from θ₂ = 0, for several poses; inf without a zero."""
    if not hasattr(method, "denominator_at"):
        return None
    worst = 0.0
    elbow = np.sinh(np.linspace(-18, 18, 2002)) / np.sinh(18) * 0.3
    for shoulder in np.linspace(-3, 3, 7):
        x = np.full((len(elbow), task.arm.inputs), 0.05)
        x[:, 0], x[:, 1] = shoulder, elbow
        q = method.denominator_at(x)[:, 0]
        crossings = np.flatnonzero(np.sign(q[1:]) != np.sign(q[:-1]))
        if not len(crossings):
            return float("inf")
        at = elbow[crossings] - q[crossings] * np.diff(elbow)[crossings] / np.diff(q)[crossings]
        worst = max(worst, float(np.abs(at).min()))
    return worst


def signs(task: Task, method: Any, seed: int) -> float:
    """The share of outputs whose sign is right on both sides, θ₂ = ±δ with δ from 1e-6 to 1e-3."""
    x = task.arm.samples(1000, seed=3000 + seed)
    delta = np.exp(np.random.default_rng(seed).uniform(np.log(1e-6), np.log(1e-3), len(x)))
    right = []
    for side in (-delta, delta):
        x[:, 1] = side
        right.append(np.sign(method.predict(x)) == np.sign(task.targets(x)))
    return float((right[0] & right[1]).mean())


def worst_step(task: Task, method: Any) -> float:
    """The largest step of a joint, in radians, when the tip follows a path through the singularity.

    The path is that of the elbow moving from 0.3 to −0.3. The controller asks for the velocity of
    the path plus the error of the tip. A run ends at 10.
    """
    arm, steps, dt, worst = task.arm, 401, 0.03, 0.0
    time = np.linspace(0.0, 1.0, steps)
    path = np.full((steps, arm.joints), 0.4)
    path[:, 0], path[:, 1] = 0.3 + 0.2 * time, 0.3 - 0.6 * (time + 1e-4)
    tips = arm.tip(path)
    angles = path[:1].copy()
    for now, following in zip(tips, tips[1:]):
        velocity = (following - now) / dt + (now - arm.tip(angles)[0])
        rates = method.predict(np.concatenate([angles[0], velocity])[None])[0]
        step = float(np.abs(rates).max() * dt)
        if not step < 10.0:
            return 10.0
        worst = max(worst, step)
        angles = angles + rates * dt
    return worst


def entry(values: list[Optional[float]]) -> str:
    """The median and the range."""
    if any(value is None for value in values):
        return "–"
    if len({f"{value:.1e}" for value in values}) == 1:
        return f"{values[0]:.1e}"
    return f"{np.median(values):.1e} ({min(values):.0e} … {max(values):.0e})"


def table(task: Task, samples: int, seeds: int, epochs: int) -> None:
    """Prints the two tables of a task."""
    found: dict[str, dict[str, list[Any]]] = {}
    start = perf_counter()
    edges = ["0", *[f"{bound:g}" for bound in BOUNDS], "∞"]
    columns = [f"{low} to {high}" for low, high in zip(edges, edges[1:])]
    last = ["pole error", "signs right", "worst step"]
    for seed in range(seeds):
        for name, method in fitted(task, samples, seed, epochs):
            with np.errstate(all="ignore"):
                figures = [
                    *errors(task, method, seed),
                    pole_error(task, method),
                    signs(task, method, seed),
                    worst_step(task, method),
                ]
            for column, figure in zip([*columns, *last], figures):
                found.setdefault(name, {}).setdefault(column, []).append(figure)
    noise = f"noise {task.noise:g}" if task.noise else "no noise"
    print(f"\n### {task.arm.name}, {task.kind}, {noise}\n")
    for shown in (columns, last):
        first = "MSE by \\|det J\\|" if shown is columns else "method"
        print(f"| {first} | {' | '.join(shown)} |")
        print(f"| --- |{' --- |' * len(shown)}")
        for name, figures in found.items():
            print(f"| {name} | {' | '.join(entry(figures[column]) for column in shown)} |")
        print()
    print(f"<!-- {perf_counter() - start:.0f} s -->", flush=True)


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=["2R", "3R"])
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=TASKS)
    parser.add_argument("--samples", type=int, default=4000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=30)
    options = parser.parse_args()
    print(f"{processor()}, Python {sys.version.split()[0]}, NumPy {np.__version__}")
    print(
        f"{options.samples} samples, {options.seeds} seeds, {options.epochs} epochs, λ = {DAMPING}"
    )
    for name in options.arms:
        for kind in options.tasks:
            if (name, kind) == ("3R", "damped"):
                continue  # its exact form has too many terms
            for noise in (0.0, NOISE):
                table(Task(ARMS[name], kind, noise), options.samples, options.seeds, options.epochs)


if __name__ == "__main__":
    main()
