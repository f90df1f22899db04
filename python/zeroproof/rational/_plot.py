"""The plot of a fit; matplotlib is needed here only."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from .._arrays import Array
from ..plot._figure import draw_line, draw_marks_at_edge, figure_or_new, with_gaps

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw"]

FIGURE_SIZE = (8.0, 6.0)
CURVE, DATA, POLE = "#0f62fe", "#525252", "#da1e28"
POINTS = 2000
MARGIN = 1.5
ROWS_DRAWN = 20000


def draw(
    function: Callable[[Array], Array],
    interval: tuple[float, float],
    poles: Array,
    data: Optional[tuple[Array, Array, Array]],
    residual: str,
    figure: Optional[Figure],
) -> Figure:
    """Data and function above, residuals below; without data the function alone."""
    figure = figure_or_new(figure, FIGURE_SIZE)
    if data is None:
        above: Any = figure.subplots()
        below: Any = None
    else:
        above, below = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [3, 1]})
    low, high = interval
    poles = np.unique(poles)
    poles = poles[(poles >= low) & (poles <= high)]
    x = np.setdiff1d(np.linspace(low, high, POINTS), poles)
    heights = function(x)
    if data is not None:
        some = slice(None, None, -(-len(data[0]) // ROWS_DRAWN))
        above.plot(data[0][some], data[1][some], ".", color=DATA, markersize=3, label="data")
    draw_line(above, *with_gaps(x, heights, poles), color=CURVE, label="fit")
    _bound(above, heights, data, poles)
    for place in poles:
        above.axvline(place, color=POLE, ls="--", lw=0.8)
    draw_marks_at_edge(above, poles, 0.0, marker="|", color=POLE, label="pole")
    above.set_ylabel("y")
    above.legend()
    last = above
    if below is not None and data is not None:
        below.axhline(0.0, color=CURVE, lw=0.8)
        below.plot(data[0][some], data[2][some], ".", color=DATA, markersize=3)
        below.set_ylabel(residual)
        last = below
    last.set_xlabel("x")
    return figure


def _bound(
    axes: Any, heights: Array, data: Optional[tuple[Array, Array, Array]], poles: Array
) -> None:
    """Limits that show the curve between poles; those of matplotlib without a pole."""
    if not len(poles):
        return
    shown = heights if data is None else data[1]
    shown = shown[np.isfinite(shown)]
    low, high = np.quantile(shown, [0.02, 0.98])
    middle, half = (low + high) / 2.0, (high - low) / 2.0 * MARGIN
    if half > 0.0:
        axes.set_ylim(middle - half, middle + half)
