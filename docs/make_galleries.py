"""Draws the pictures of the galleries: ``python docs/make_galleries.py``.

What is drawn is what the examples of the pages compute: the block above a picture is run, and its
variables are plotted.
"""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

HERE = Path(__file__).parent
BLOCK = re.compile(r"```python\n(.*?)```\n+```text\n.*?```\n+!\[[^\]]*\]\((\w+\.png)\)", re.DOTALL)
BLUE, ORANGE, GREY = "#0072b2", "#e69f00", "#8c8c8c"


def with_gaps(x: Any, y: Any, largest: float) -> Any:
    """Values with a gap where they leave the picture, so that no line joins the sides of a pole."""
    return np.where(np.abs(y) < largest, y, np.nan)


def poles(axes: Axes, got: SimpleNamespace) -> None:
    """Noisy data, the function that was found, and its poles."""
    at = np.linspace(-2.0, 2.0, 2001)
    axes.plot(got.x, got.y, ".", color=GREY, label="samples")
    axes.plot(at, with_gaps(at, got.fit(at), 40.0), color=BLUE, label="fit")
    for pole in got.fit.real_poles:
        axes.axvline(pole, color=ORANGE, linestyle="--", label=f"pole at {pole:.4f}")
    axes.set(xlabel="x", ylabel="y", ylim=(-40, 40))


def resonance(axes: Axes, got: SimpleNamespace) -> None:
    """Eight samples and the fitted pole between two of them."""
    at = np.linspace(0.3, 4.2, 2001)
    values = np.array([got.resonance(got.fit.params, point) for point in at])
    axes.plot(got.x, got.y, "o", color=GREY, label="samples")
    axes.plot(at, with_gaps(at, values, 60.0), color=BLUE, label="fit")
    pole = 1.0 / got.fit.params["k"]
    axes.axvline(pole, color=ORANGE, linestyle="--", label=f"pole at {pole:.3f}")
    axes.set(xlabel="x", ylabel="y", ylim=(-60, 60))


def outliers(axes: Axes, got: SimpleNamespace) -> None:
    """Two lines through samples of which three are wrong."""
    axes.plot(got.x, got.y, ".", color=GREY, label="samples")
    axes.plot(got.x, got.line(got.plain.params, got.x), color=ORANGE, label="sum of squares")
    axes.plot(got.x, got.line(got.robust.params, got.x), color=BLUE, label="loss of Cauchy")
    axes.set(xlabel="x", ylabel="y")


def training(axes: Axes, got: SimpleNamespace) -> None:
    """Where the pole of the model is after each epoch."""
    for (name, run), color in zip(got.runs.items(), (BLUE, ORANGE)):
        axes.plot(run, color=color, label=name)
    axes.axhline(0.4, color=GREY, linestyle="--", label="pole of the data")
    axes.set(xlabel="epoch", ylabel="pole of the model", ylim=(0.3, 1.0))


def inverse(axes: Axes, got: SimpleNamespace) -> None:
    """The rate of the elbow across its singular pose."""
    rates = {"exact": got.exact, "learned": got.learned, "damped": np.array(got.guarded)}
    for (name, rate), style in zip(rates.items(), ("-", "--", "-")):
        color = {"exact": GREY, "learned": BLUE, "damped": ORANGE}[name]
        width = 5.0 if name == "exact" else 1.8
        line = with_gaps(got.angles, rate, 12.0)
        axes.plot(got.angles, line, style, color=color, linewidth=width, label=name)
    axes.axvline(0.0, color=GREY, linestyle=":", label="stretched")
    axes.set(xlabel="elbow θ₂ (rad)", ylabel="rate of the elbow (rad/s)", ylim=(-12, 12))


def path(axes: Axes, got: SimpleNamespace) -> None:
    """The largest step of a joint along the path."""
    for (name, steps), color in zip(got.speeds.items(), (ORANGE, BLUE)):
        axes.semilogy(got.t[1:], steps, color=color, label=name)
    outside = got.t[got.radius > 2.0]
    axes.axvspan(outside[0], outside[-1], color=GREY, alpha=0.2, label="goal out of reach")
    axes.set(xlabel="time", ylabel="largest joint step (rad)")


PICTURES: dict[str, Callable[[Axes, SimpleNamespace], None]] = {
    "gallery_fit_poles.png": poles,
    "gallery_fit_resonance.png": resonance,
    "gallery_fit_outliers.png": outliers,
    "gallery_fit_training.png": training,
    "gallery_robot_inverse.png": inverse,
    "gallery_robot_path.png": path,
}


def main() -> None:
    """Draws the picture below each block of the two pages."""
    drawn = set()
    for page in sorted(HERE.glob("gallery_*.md")):
        for code, picture in BLOCK.findall(page.read_text(encoding="utf-8")):
            variables: dict[str, Any] = {"__name__": "example"}
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(code, picture, "exec"), variables)
            figure = Figure(figsize=(7.5, 4.0), layout="constrained")
            axes = figure.add_subplot()
            PICTURES[picture](axes, SimpleNamespace(**variables))
            axes.grid(alpha=0.3)
            axes.legend(fontsize="small")
            figure.savefig(HERE / picture, dpi=110)
            drawn.add(picture)
    if missing := set(PICTURES) - drawn:
        raise SystemExit(f"no page shows {sorted(missing)}")


if __name__ == "__main__":
    main()
