"""A function and its gradient through poles, in each gradient mode."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from operator import index
from typing import TYPE_CHECKING, Any, Optional, SupportsIndex

import numpy as np

from .._colors import STATUS_COLORS, TAG_COLORS, most_severe
from .._enums import GradientMode, GradientStatus, TRTag
from ..array import TRArray
from ..autodiff.grad_mode import GradientModeConfig
from ._figure import FloatArray, draw_line, edges, figure_or_new, runs, with_gaps
from ._sampling import Curve, Settings, sample

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["modes"]

TAG_LABELS = {TRTag.REAL: "REAL", TRTag.PINF: "+∞", TRTag.NINF: "−∞", TRTag.PHI: "Φ"}

#: A linear axis is used up to this ratio of the largest size to the upper quartile.
FLATTENS = 20.0
#: Axes cannot compute with sizes close to the largest and the smallest double.
LARGEST, SMALLEST = 1e300, 1e-300


def modes(
    f: Callable[[Any], Any],
    low: float,
    high: float,
    *,
    points: SupportsIndex = 801,
    delta: Optional[float] = None,
    bound: Optional[float] = None,
    modes: Iterable[GradientMode] = tuple(GradientMode),
    figure: Optional[Figure] = None,
) -> Figure:
    """Plots a function of one number and its gradient, a column for each gradient mode.

    Each column shows the value, with gaps where it is not REAL and a dashed line at each pole; a
    strip with the tag at each point; and the gradient, coloured by its status. Axes are
    symmetric-logarithmic if the range needs it. Where sampled values change sign, a pole between
    them is located by bisection. In Hybrid mode each operation decides by δ alone. The caller's
    statistics and gradient modes are unchanged.

    Args:
        f: takes a node and returns a node. It is traced as by ``tr_vmap`` if possible, and called
            for each point otherwise.
        low: the smallest argument of ``f``.
        high: the largest one.
        points: the number of evenly spaced points, at least 2. Round numbers in the range, and the
            poles that are found, are evaluated as well.
        delta: δ of Hybrid mode; by default the current one.
        bound: the saturation bound; by default the current one.
        modes: the gradient modes, from left to right.
        figure: the Figure to draw into; by default a new one.

    Returns:
        The Figure. Its last axes are, row by row, those of values, tags and gradients.

    Raises:
        ImportError: without matplotlib.
        TypeError: if ``f`` does not return a node, and for arguments of another type.
        ValueError: unless low < high, both within ±1e300; for fewer than 2 points, no modes, a
            bound that is not positive and finite, or δ that is negative or not finite.

    Examples:
        >>> import zeroproof.plot
        >>> figure = zeroproof.plot.modes(lambda x: 1.0 / x, -2.0, 2.0, delta=0.1)
        >>> len(figure.axes) >= 9  # values, tags and gradients of three modes
        True
    """
    if not callable(f):
        raise TypeError(f"f must be a function of one node, not {type(f).__name__}")
    low, high = _range(low, high)
    count = index(points)
    if count < 2:
        raise ValueError(f"points must be at least 2, not {count}")
    settings = _settings(modes, bound, delta)
    figure = figure_or_new(figure, (0.6 + 3.4 * len(settings), 6.0))
    x, poles, curves = sample(f, low, high, count, settings)
    rows = figure.subplots(
        3,
        len(settings),
        sharex="all",
        sharey="row",
        squeeze=False,
        gridspec_kw={"height_ratios": [10, 1, 10]},
    )
    # Before anything is drawn, so that the axes do not compute limits that overflow.
    rows[0, 0].set_xlim(low, high)
    _scale(rows[0, 0], np.concatenate([curve.values for curve in curves]))
    _scale(rows[2, 0], np.concatenate([curve.gradients for curve in curves]))
    for (above, strip, below), each, curve in zip(rows.T, settings, curves):
        above.set_title(_title(each), fontsize="medium")
        _draw_values(above, x, curve, poles)
        _draw_tags(strip, x, curve)
        _draw_gradients(below, x, curve, poles)
    rows[0, 0].legend(handles=list(rows[1, 0].collections), fontsize="small")
    rows[0, 0].set_ylabel("value")
    rows[1, 0].set_ylabel("tag", rotation=0, ha="right", va="center")
    rows[2, 0].set_ylabel("gradient")
    return figure


def _range(low: float, high: float) -> tuple[float, float]:
    low, high = float(low), float(high)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"low and high must be finite, low below high, not {low} and {high}")
    if max(-low, high) > LARGEST:
        raise ValueError(f"low and high must be within ±{LARGEST:g}, not {low} and {high}")
    return low, high


def _settings(
    modes: Iterable[GradientMode], bound: Optional[float], delta: Optional[float]
) -> Sequence[Settings]:
    if bound is None:
        bound = GradientModeConfig.get_saturation_bound()
    if delta is None:
        delta = GradientModeConfig.get_local_threshold()
    chosen = list(modes)
    if not chosen:
        raise ValueError("modes must name at least one GradientMode")
    for mode in chosen:
        if not isinstance(mode, GradientMode):
            raise TypeError(f"modes must be of GradientMode, not {mode!r}")
    return [Settings(mode, bound, delta) for mode in chosen]


def _title(settings: Settings) -> str:
    title = settings.mode.name
    if settings.mode is GradientMode.HYBRID:
        title += ", no δ" if settings.delta is None else f", δ = {settings.delta:.6g}"
    if settings.mode is not GradientMode.MASK_REAL:
        title += f", b = {settings.bound:.6g}"
    return title


def _draw_values(axes: Any, x: FloatArray, curve: Curve, poles: FloatArray) -> None:
    unsampled = np.setdiff1d(poles, x)
    draw_line(axes, *with_gaps(x, curve.values, unsampled), color="#222222", lw=1.4)
    _draw_background(axes, poles)


def _draw_background(axes: Any, poles: FloatArray) -> None:
    for pole in poles.tolist():
        axes.axvline(pole, color="#b0b0b0", lw=0.8, ls="--", zorder=1)
    axes.grid(alpha=0.25)


def _draw_tags(axes: Any, x: FloatArray, curve: Curve) -> None:
    """A cell for each point; those that are not REAL have an outline, to be visible singly."""
    tags = TRArray(curve.values).tags
    bounds = edges(x)
    for tag in TRTag:
        cells = [(bounds[i], bounds[j] - bounds[i]) for i, j in runs(tags == tag)]
        if cells:
            axes.broken_barh(
                cells,
                (0.0, 1.0),
                facecolors=TAG_COLORS[tag],
                edgecolors=TAG_COLORS[tag],
                lw=0.0 if tag is TRTag.REAL else 2.0,
                zorder=2 if tag is TRTag.REAL else 3,
                label=TAG_LABELS[tag],
            )
    axes.set(ylim=(0.0, 1.0), yticks=[])


def _draw_gradients(axes: Any, x: FloatArray, curve: Curve, poles: FloatArray) -> None:
    unsampled = np.setdiff1d(poles, x)
    for code in np.unique(curve.statuses).tolist():
        status = GradientStatus(code)
        flags = [flag for flag in STATUS_COLORS if flag & status] or [GradientStatus.EXACT]
        shown = np.where(curve.statuses == code, curve.gradients, np.nan)
        # Bounded gradients pass a pole without a jump.
        breaks = unsampled if status is GradientStatus.EXACT else unsampled[:0]
        draw_line(
            axes,
            *with_gaps(x, shown, breaks),
            color=STATUS_COLORS[most_severe(status)],
            lw=1.4,
            ls="-" if len(flags) == 1 else "--",
            label="|".join(str(flag.name) for flag in flags),
        )
    _draw_background(axes, poles)
    axes.legend(fontsize="small")
    axes.set_xlabel("x")


def _scale(axes: Any, heights: FloatArray) -> None:
    """Makes an axis symmetric-logarithmic if its range needs it."""
    heights = heights[np.isfinite(heights)]
    sizes = np.abs(heights[heights != 0.0])
    if not len(sizes):
        return
    middle, upper, largest = np.quantile(sizes, [0.5, 0.75, 1.0]).tolist()
    if largest / FLATTENS <= upper and largest <= LARGEST:
        return
    typical = min(max(middle, SMALLEST), LARGEST)
    threshold = 10.0 ** math.floor(math.log10(typical))
    low, high = np.clip([heights.min(), heights.max()], -LARGEST, LARGEST) * 2.0
    axes.set_yscale("symlog", linthresh=threshold)
    axes.set_ylim(min(low, -threshold / 5.0), max(high, threshold / 5.0))
