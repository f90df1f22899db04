"""What all plots share: matplotlib, figures, and lines with gaps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Optional

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_line", "draw_marks_at_edge", "edges", "figure_or_new", "runs", "with_gaps"]

FloatArray = npt.NDArray[np.float64]


def figure_or_new(figure: Optional[Figure], size: tuple[float, float]) -> Figure:
    """The figure given, or a new one of this size in inches.

    Raises:
        ImportError: without matplotlib; the message says how to install it.
        TypeError: if it is not a Figure.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            "drawing needs matplotlib, which cannot be imported; "
            "install it with: pip install 'zeroproof-autodiff[plot]'"
        ) from error
    if figure is None:
        return Figure(figsize=size, layout="constrained")
    if not isinstance(figure, Figure):
        raise TypeError(f"figure must be a matplotlib Figure, not {type(figure).__name__}")
    return figure


def with_gaps(x: FloatArray, y: FloatArray, at: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The points of a line that breaks at some places, and where ``y`` is not finite.

    Args:
        x: in increasing order.
        y: as many.
        at: the places, in increasing order.
    """
    places = np.searchsorted(x, at)
    heights = np.where(np.isfinite(y), y, np.nan)
    return np.insert(x, places, at), np.insert(heights, places, np.nan)


def draw_line(axes: Any, x: FloatArray, y: FloatArray, **style: Any) -> None:
    """A line with gaps where ``y`` is NaN; points between two gaps show as dots."""
    drawn = np.concatenate([[False], np.isfinite(y), [False]])
    alone = drawn[1:-1] & ~drawn[:-2] & ~drawn[2:]
    axes.plot(x, y, marker="o", markersize=4, markevery=np.flatnonzero(alone).tolist(), **style)


def draw_marks_at_edge(axes: Any, x: FloatArray, height: float, **style: Any) -> None:
    """Marks for values that the axis cannot show, at a fraction of the axes' height.

    Without places nothing is drawn, nor added to a legend.
    """
    if len(x):
        transform = axes.get_xaxis_transform()
        heights = np.full(len(x), height)
        axes.plot(x, heights, ls="none", transform=transform, clip_on=False, zorder=4, **style)


def runs(flags: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """The half-open ranges of indices in which a flag is set throughout."""
    changes = np.diff(np.concatenate([[0], flags.astype(np.int8), [0]]))
    starts, stops = np.flatnonzero(changes == 1), np.flatnonzero(changes == -1)
    yield from zip(starts.tolist(), stops.tolist())


def edges(x: FloatArray) -> FloatArray:
    """The edges of cells around the points: half-way between neighbours."""
    if len(x) == 1:
        return np.array([x[0] - 0.5, x[0] + 0.5])
    half = np.diff(x) / 2.0
    return np.concatenate([[x[0] - half[0]], x[:-1] + half, [x[-1] + half[-1]]])
