"""The plot of a fit; matplotlib is optional and only needed here."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..plot._figure import draw_marks_at_edge, figure_or_new, with_gaps
from ..rational import Rational as FittedRational
from .data import Dataset, FloatArray, InputError
from .output import check_writable
from .report import distances, reference_poles, relative_errors
from .train import Fit

__all__ = ["check", "draw", "draw_fit"]

COLORS = {"hybrid": "#0f62fe", "mask-real": "#da1e28", "saturating": "#198038"}
STYLES = {"hybrid": "-", "mask-real": "--", "saturating": ":"}
# Different shapes, so that equal errors of two modes are both visible.
MARKERS = {
    "hybrid": {"marker": "o", "ms": 6, "mfc": "none"},
    "mask-real": {"marker": ".", "ms": 4},
    "saturating": {"marker": "+", "ms": 5},
}
GRID_POINTS = 4001
FIGURE_SIZE = (8.5, 8.5)


def check(path: str) -> None:
    """Raises InputError unless a plot can be drawn and written to this path."""
    try:
        figure = figure_or_new(None, FIGURE_SIZE)
    except ImportError as error:
        raise InputError(f"--plot: {error}, or leave --plot out") from None
    known = figure.canvas.get_supported_filetypes()
    ending = Path(path).suffix.lower().lstrip(".")
    if ending not in known:
        raise InputError(
            f"--plot {path}: the name must end in .png (or {', '.join(sorted(known))})"
        )
    check_writable("--plot", path)


def draw_fit(path: str, data: Dataset, model: FittedRational) -> None:
    """Writes the plot of a fit: data, function and residuals."""
    figure = model.plot(figure=figure_or_new(None, FIGURE_SIZE))
    name = Path(data.name).name.replace("$", r"\$")  # not a formula
    figure.suptitle(f"{name}: {data.y_name} = P({data.x_name})/Q({data.x_name})")
    _save(path, figure)


def draw(path: str, data: Dataset, fits: Sequence[Fit]) -> None:
    """Writes the plot: data and fits above, errors by distance to the pole below."""
    figure = figure_or_new(None, FIGURE_SIZE)
    above, below = figure.subplots(2, 1, gridspec_kw={"height_ratios": [3, 2]})
    _draw_fits(above, data, fits)
    _draw_errors(below, data, fits)
    _save(path, figure)


def _save(path: str, figure: Any) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", UserWarning
            )  # characters of a file name without a glyph
            figure.savefig(path, dpi=150)
    except OSError as error:
        raise InputError(f"--plot {path}: cannot be written ({error.strerror})") from None


def _draw_fits(axes: Any, data: Dataset, fits: Sequence[Fit]) -> None:
    usable = data.usable
    x, y = data.x[usable], data.y[usable]
    poles = reference_poles(data, fits)
    axes.plot(x, y, "o", ms=3.5, color="#8d8d8d", alpha=0.7, label="samples", zorder=2)
    grid = np.linspace(data.x.min(), data.x.max(), GRID_POINTS)
    for fit in fits:
        axes.plot(
            *_broken_at_poles(grid, fit),
            STYLES[fit.mode],
            color=COLORS[fit.mode],
            lw=1.6,
            label=f"P/Q, {fit.mode}",
            zorder=3,
        )
    for k, pole in enumerate(poles):
        kind = "true pole" if data.true_poles else "learned pole"
        axes.axvline(
            pole, color="#161616", lw=0.8, ls="-.", label=kind if k == 0 else None, zorder=1
        )
    # The range is limited to a few times the typical size, which a pole exceeds.
    height = 3.0 * float(np.quantile(np.abs(y), 0.75)) or 1.0
    low, high = max(-height, float(y.min())), min(height, float(y.max()))
    margin = 0.08 * (high - low) or 1.0
    axes.set_ylim(low - margin, high + margin)
    _draw_kept_out(axes, data)
    name = Path(data.name).name.replace("$", r"\$")  # not a formula
    axes.set(xlabel="x", ylabel="y", title=f"{name}: y = P(x)/Q(x)")
    axes.legend(loc="upper right", fontsize=9)
    axes.grid(alpha=0.25)


def _draw_kept_out(axes: Any, data: Dataset) -> None:
    """Targets that are not REAL: ±∞ at the upper and lower edge, Φ as crosses at the lower one."""
    for rows, height, marker, name in (
        (data.y == np.inf, 0.985, "^", "target +∞"),
        (data.y == -np.inf, 0.015, "v", "target −∞"),
        (np.isnan(data.y), 0.015, "x", "target Φ"),
    ):
        draw_marks_at_edge(
            axes, data.x[rows], height, marker=marker, color="#f1620e", ms=8, label=name
        )


def _broken_at_poles(grid: FloatArray, fit: Fit) -> tuple[FloatArray, FloatArray]:
    """The curve on the grid, with a gap at each pole."""
    poles = np.sort([pole.x for pole in fit.model.poles() if not pole.cancelled])
    inside = (grid[0] < poles) & (poles < grid[-1])
    return with_gaps(grid, fit.model(grid), poles[inside])


def _draw_errors(axes: Any, data: Dataset, fits: Sequence[Fit]) -> None:
    gap = distances(data.x[data.usable], reference_poles(data, fits))
    has_poles = bool(np.isfinite(gap).any())
    along = gap if has_poles else data.x[data.usable]
    for fit in fits:
        errors = relative_errors(data, fit)
        shown = np.isfinite(errors) & (along > 0 if has_poles else np.isfinite(along))
        axes.plot(
            along[shown],
            np.maximum(errors[shown], 1e-17),
            ls="none",
            color=COLORS[fit.mode],
            alpha=0.7,
            label=fit.mode,
            **MARKERS[fit.mode],
        )
    axes.set_yscale("log")
    if has_poles:
        axes.set_xscale("log")
    axes.set(
        xlabel="distance to the nearest pole" if has_poles else "x",
        ylabel=f"|P/Q − y| / max(|y|, {fits[0].model.frame.y_scale:.3g})",
        title="Error of each sample",
    )
    axes.legend(loc="best", fontsize=9)
    axes.grid(alpha=0.25)
