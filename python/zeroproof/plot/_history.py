"""The statistics of a training run in Hybrid mode."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Optional, Protocol, Union

import numpy as np

from ._figure import FloatArray, draw_line, draw_marks_at_edge, edges, figure_or_new, runs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["history"]

Statistics = Mapping[str, Any]


class Recorded(Protocol):
    """An object with statistics, like the ``Fit`` of ``zeroproof.learn``."""

    @property
    def statistics(self) -> Optional[Statistics]:
        """The figures, None if there are none."""


Record = Union[Statistics, Recorded]

#: The label of the marks at the lower edge of a logarithmic axis.
ZERO = "is 0"

#: Title, whether the axis is logarithmic, and the figures shown with their labels and colours.
Panel = tuple[str, bool, Sequence[tuple[str, str, str]]]

PANELS: Sequence[Panel] = [
    ("threshold δ", True, [("local_threshold", "δ", "#222222")]),
    (
        "distance to the pole",
        True,
        [
            ("q_p90", "90 %", "#56b4e9"),
            ("q_p50", "median", "#0072b2"),
            ("q_p10", "10 %", "#009e73"),
            ("q_min_epoch", "smallest", "#d55e00"),
        ],
    ),
    (
        "share of decisions",
        False,
        [
            ("saturating_ratio", "saturating", "#0072b2"),
            ("near_pole_ratio", "within δ", "#e69f00"),
        ],
    ),
    (
        "count",
        False,
        [
            ("masked_nodes", "masked nodes", "#8c8c8c"),
            ("dropped_contributions", "dropped contributions", "#d55e00"),
        ],
    ),
]


def history(history: Union[Iterable[Record], Record], *, figure: Optional[Figure] = None) -> Figure:
    """Plots δ, distances to poles, decisions and counts over a training run.

    Four axes, one below the other: δ; the smallest distance of each epoch and the percentiles of
    its last batch; the shares of decisions that saturated and that came within δ; and the counts of
    masked nodes and dropped contributions. None leaves a gap. A 0, which a logarithmic axis
    cannot show, is marked at the lower edge. Epochs with the policy in state SAT are shaded.

    Args:
        history: the results of ``HybridGradientContext.get_statistics()``, one for each epoch,
            taken before ``end_batch_policy_update``, which resets the percentiles; or objects with
            such ``statistics``, like the ``Fit`` that ``zeroproof.learn.train`` returns for mode
            ``"hybrid"``; or a single one of these.
        figure: the Figure to draw into; by default a new one.

    Returns:
        The Figure. The horizontal axis is ``current_epoch`` if it increases throughout, and
        otherwise the index of the record.

    Raises:
        ImportError: without matplotlib.
        TypeError: for records of another type, or figures that are not numbers.
        ValueError: for an empty history, and for records without statistics or without one of the
            figures.

    Examples:
        >>> import zeroproof.plot
        >>> from zeroproof.autodiff import HybridGradientContext, TRNode, create_default_schedule
        >>> schedule, x, records = create_default_schedule(), TRNode.input(0.1), []
        >>> for epoch in range(3):
        ...     with schedule.apply(epoch):
        ...         (1.0 / x).backward()
        ...         records.append(HybridGradientContext.get_statistics())
        >>> figure = zeroproof.plot.history(records)
        >>> len(figure.axes)
        4
    """
    records = _records(history)
    columns = {key: _column(records, key) for _, _, lines in PANELS for key, _, _ in lines}
    x, x_label = _places(records)
    saturating = np.array([_figure_of(records, k, "policy_mode") == "SAT" for k in range(len(x))])
    figure = figure_or_new(figure, (8.0, 8.5))
    rows = figure.subplots(len(PANELS), 1, sharex="all", squeeze=False)[:, 0]
    for axes, (title, is_log, lines) in zip(rows, PANELS):
        for key, label, color in lines:
            _draw(axes, x, columns[key], is_log, label=label, color=color)
        _shade(axes, x, saturating)
        _finish(axes, title, is_log)
    rows[2].set_ylim(-0.05, 1.05)
    rows[-1].set_xlabel(x_label)
    return figure


def _records(history: Union[Iterable[Record], Record]) -> list[Statistics]:
    is_one = isinstance(history, Mapping) or hasattr(history, "statistics")
    items: list[Any] = [history] if is_one else list(history)  # type: ignore[arg-type]
    if not items:
        raise ValueError("the history is empty: there must be statistics of at least one epoch")
    records = []
    for place, item in enumerate(items):
        statistics = getattr(item, "statistics", item)
        if statistics is None:
            raise ValueError(f"record {place} has no statistics: training in Hybrid mode has them")
        if not isinstance(statistics, Mapping):
            raise TypeError(
                f"record {place} must be a dictionary as HybridGradientContext.get_statistics() "
                f"returns, not {type(statistics).__name__}"
            )
        records.append(statistics)
    return records


def _figure_of(records: Sequence[Statistics], place: int, key: str) -> Any:
    try:
        return records[place][key]
    except KeyError:
        raise ValueError(
            f"record {place} has no {key!r}: a record is all that "
            "HybridGradientContext.get_statistics() returns"
        ) from None


def _column(records: Sequence[Statistics], key: str) -> FloatArray:
    """A figure over all records, NaN for None."""
    column = np.full(len(records), np.nan)
    for place in range(len(records)):
        found = _figure_of(records, place, key)
        if found is not None:
            try:
                column[place] = found
            except (TypeError, ValueError):
                raise TypeError(
                    f"{key!r} of record {place} must be a number or None, not {found!r}"
                ) from None
    return column


def _places(records: Sequence[Statistics]) -> tuple[FloatArray, str]:
    epochs = _column(records, "current_epoch")
    if np.isfinite(epochs).all() and (np.diff(epochs) > 0.0).all():
        return epochs, "epoch"
    return np.arange(float(len(records))), "record"


def _draw(axes: Any, x: FloatArray, y: FloatArray, is_log: bool, label: str, color: str) -> None:
    if is_log:
        known = any(line.get_label() == ZERO for line in axes.lines)
        label_of_zero = None if known else ZERO
        draw_marks_at_edge(axes, x[y == 0.0], 0.03, marker="v", color=color, label=label_of_zero)
        y = np.where(y > 0.0, y, np.nan)
    if np.isfinite(y).any():
        draw_line(axes, x, y, label=label, color=color, lw=1.4)


def _shade(axes: Any, x: FloatArray, saturating: Any) -> None:
    bounds = edges(x)
    for number, (start, stop) in enumerate(runs(saturating)):
        label = "policy in SAT" if number == 0 else None
        axes.axvspan(bounds[start], bounds[stop], color="#f0e442", alpha=0.4, lw=0, label=label)


def _finish(axes: Any, title: str, is_log: bool) -> None:
    if is_log:
        axes.set_yscale("log")
    if axes.lines:
        axes.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1.0, 1.0))
    else:
        axes.text(0.5, 0.5, "no data", transform=axes.transAxes, ha="center", va="center")
    axes.set_ylabel(title)
    axes.grid(alpha=0.25)
