"""Draws the pictures of the guides: ``python docs/make_pictures.py``."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from zeroproof import GradientMode, GradientModeConfig, TRNode, gradient_mode

BOUND, DELTA = 0.2, 0.3


def gradient(x: float, mode: GradientMode) -> float:
    """d(1/x)/dx at one point."""
    leaf = TRNode.parameter(x)
    with gradient_mode(mode, saturation_bound=BOUND):
        GradientModeConfig.set_local_threshold(DELTA)
        (1.0 / leaf).backward()
    return float(leaf.gradient)


def main() -> None:
    """Writes docs/gradient_through_a_pole.png."""
    xs = np.linspace(-1.0, 1.0, 2001)
    xs[1000] = 0.0
    figure, axes = plt.subplots(1, 3, figsize=(10.5, 3.2), sharey=True, layout="constrained")
    for axis, mode in zip(axes, GradientMode):
        values = np.array([gradient(x, mode) for x in xs])
        classical = -1.0 / np.where(xs == 0.0, np.nan, xs) ** 2
        axis.plot(xs, classical, color="0.75", lw=4, label="classical")
        # Break the line where it jumps, and show the pole's own value as a point.
        jumps = np.abs(np.diff(values, prepend=values[0])) > 5.0
        axis.plot(xs, np.where(jumps | (xs == 0.0), np.nan, values), color="C0", lw=1.6)
        axis.plot(
            0.0, values[1000], "o", color="C3", ms=5, label=f"at the pole: {values[1000]:.3g}"
        )
        if mode is GradientMode.HYBRID:
            axis.axvspan(-DELTA, DELTA, color="C1", alpha=0.15, label=f"|x| ≤ δ = {DELTA}")
        axis.set(title=mode.name, xlabel="x", ylim=(-60, 5))
        axis.legend(loc="lower right", fontsize=8)
    axes[0].set_ylabel("gradient of 1/x")
    figure.savefig(Path(__file__).with_name("gradient_through_a_pole.png"), dpi=110)


if __name__ == "__main__":
    main()
