"""Pictures: what is drawn, where lines break, and what is refused."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from support.gradients import EXACT, MASKED, SATURATED, mode_block
from zeroproof import (
    GradientMode,
    GradientModeConfig,
    GradientStatus,
    HybridGradientContext,
    HybridGradientSchedule,
    TRNode,
    TRTag,
    plot,
    real,
    tr_where,
)
from zeroproof._colors import STATUS_COLORS, TAG_COLORS, most_severe
from zeroproof.autodiff.tr_ops_grad import tr_cos, tr_exp, tr_log, tr_sign, tr_sin, tr_tanh

pytest.importorskip("matplotlib")
from matplotlib.colors import same_color, to_rgba
from matplotlib.figure import Figure


def reciprocal(x: Any) -> Any:
    return 1.0 / x


def grid_of(figure: Figure, columns: int = 3) -> np.ndarray:
    """The axes of ``plot.modes``: rows of values, tags and gradients."""
    assert len(figure.axes) == 3 * columns
    return np.array(figure.axes, dtype=object).reshape(3, columns)


def curve(axes: Any, label: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The data of the line with this label, or of the first one, which is drawn before marks."""
    lines = [line for line in axes.lines if label in (None, line.get_label())]
    return np.asarray(lines[0].get_xdata()), np.asarray(lines[0].get_ydata())


def labels(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def asymptotes(axes: Any) -> list[float]:
    """Where vertical lines are drawn."""
    found = [line.get_xdata() for line in axes.lines if line.get_linestyle() == "--"]
    return [x[0] for x in found if len(x) == 2 and x[0] == x[1]]


def drawn_tags(axes: Any) -> dict[str, list[tuple[float, float]]]:
    """The cells (from, to) of a strip by label, whose colours must be the tags'."""
    found = {}
    for cells in axes.collections:
        spans = [path.get_extents() for path in cells.get_paths()]
        found[cells.get_label()] = [(span.x0, span.x1) for span in spans]
    return found


# --- modes: the columns ---


def test_a_column_for_each_mode():
    figure = plot.modes(reciprocal, -1.0, 1.0, delta=0.3, bound=0.2)
    assert isinstance(figure, Figure)
    axes = grid_of(figure)
    titles = [above.get_title() for above in axes[0]]
    assert titles == ["MASK_REAL", "SATURATING, b = 0.2", "HYBRID, δ = 0.3, b = 0.2"]
    assert [row[0].get_ylabel() for row in axes] == ["value", "tag", "gradient"]
    assert [below.get_xlabel() for below in axes[2]] == ["x"] * 3
    assert all(each.get_xlim() == (-1.0, 1.0) for each in figure.axes)
    assert all(strip.get_yticks().tolist() == [] for strip in axes[1])


def test_modes_are_drawn_in_the_order_given():
    chosen = [GradientMode.HYBRID, GradientMode.MASK_REAL]
    axes = grid_of(plot.modes(reciprocal, -1.0, 1.0, modes=chosen), columns=2)
    assert [above.get_title() for above in axes[0]] == ["HYBRID, no δ, b = 1", "MASK_REAL"]


def test_bound_and_threshold_in_force_are_the_defaults():
    with mode_block(GradientMode.SATURATING, bound=0.5, delta=0.25):
        figure = plot.modes(reciprocal, -1.0, 1.0)
    titles = [above.get_title() for above in grid_of(figure)[0]]
    assert titles == ["MASK_REAL", "SATURATING, b = 0.5", "HYBRID, δ = 0.25, b = 0.5"]


def test_a_figure_given_is_drawn_into_and_returned():
    figure = Figure(layout="constrained")
    assert plot.modes(reciprocal, -1.0, 1.0, figure=figure) is figure
    grid_of(figure)
    assert plot.history([statistics()], figure=figure) is figure
    assert len(figure.axes) == 9 + 4


# --- modes: values ---


def test_the_line_of_values_breaks_at_the_pole():
    axes = grid_of(plot.modes(reciprocal, -1.0, 1.0, points=11))
    for above in axes[0]:
        x, y = curve(above)
        assert np.isnan(y[x == 0.0]).all()
        assert (x == 0.0).any()
        off = x != 0.0
        np.testing.assert_array_equal(y[off], 1.0 / x[off])
        assert asymptotes(above) == [0.0]
    # Eleven points, and the round numbers between as they are typed.
    x, _ = curve(axes[0, 0])
    assert x.tolist() == [k / 10 for k in range(-10, 11)]


def test_a_pole_between_the_samples_is_found():
    third = 1.0 / 3.0
    axes = grid_of(plot.modes(lambda x: 1.0 / (x - third), 0.0, 1.0, points=10))
    assert asymptotes(axes[0, 0]) == [third]
    [(start, stop)] = drawn_tags(axes[1, 0])["+∞"]
    assert start < third < stop


def test_a_pole_at_no_double_breaks_the_line_as_well():
    axes = grid_of(plot.modes(lambda x: x / (x * x - 2.0), -2.0, 2.0))
    assert asymptotes(axes[0, 0]) == pytest.approx([-math.sqrt(2.0), math.sqrt(2.0)], rel=1e-15)
    assert list(drawn_tags(axes[1, 0])) == ["REAL"]
    x, y = curve(axes[0, 0])
    for pole in asymptotes(axes[0, 0]):
        assert np.isnan(y[x == pole]).all()
        assert (x == pole).any()


@pytest.mark.parametrize(
    ("f", "poles"),
    [
        (lambda x: 1.0 / (x * x), [0.0]),
        (lambda x: x / (x * x), [0.0]),  # Φ at the pole itself
        (lambda x: x / (x * x * x), [0.0]),
        (lambda x: tr_sin(x) / x, []),  # Φ, with a limit
        (lambda x: tr_sin(x) / tr_cos(x), [-math.pi / 2, math.pi / 2]),
        (lambda x: tr_sign(x) + 0.5, []),
        (lambda x: tr_where(x < real(0.1), real(-1.0), x), []),
        (lambda x: tr_tanh((x - 0.123) * 1e7), []),  # a steep root
        (tr_log, []),
        (tr_exp, []),
    ],
)
def test_what_is_a_pole(f, poles):
    axes = grid_of(plot.modes(f, -2.0, 2.0))
    for row in axes[0], axes[2]:
        for each in row:
            assert asymptotes(each) == pytest.approx(poles, abs=1e-12)


def test_a_region_that_is_not_real_is_a_gap():
    axes = grid_of(plot.modes(tr_log, -1.0, 1.0))
    x, y = curve(axes[0, 0])
    assert np.isnan(y[x <= 0.0]).all()
    np.testing.assert_allclose(y[x > 0.0], np.log(x[x > 0.0]), rtol=1e-15)


def test_a_pole_makes_the_axis_logarithmic_and_nothing_else_does():
    axes = grid_of(plot.modes(reciprocal, -1.0, 1.0))
    assert {each.get_yscale() for each in [*axes[0], *axes[2]]} == {"symlog"}
    low, high = axes[0, 0].get_ylim()
    assert low < -400.0
    assert high > 400.0
    axes = grid_of(plot.modes(tr_sin, -3.0, 3.0))
    assert {each.get_yscale() for each in [*axes[0], *axes[2]]} == {"linear"}


@pytest.mark.parametrize(
    "f",
    [
        lambda x: tr_exp(x * 700.0),
        lambda x: x * 1.7e308,
        lambda x: x * 1e-310,
        lambda x: 1.7e308 * tr_sign(x - 0.01),
        lambda x: x * 0.0,
        lambda x: x / 0.0,
        lambda x: 0.0 / (x * 0.0),
        lambda x: TRNode.constant(2.0),
    ],
)
def test_any_values_can_be_drawn(f, tmp_path):
    plot.modes(f, -1.0, 1.0, points=21).savefig(tmp_path / "picture.png")


@pytest.mark.parametrize(
    ("low", "high"),
    [(1e16, 1e16 + 4), (0.0, 5e-324), (1.0, 1.0 + 1e-15), (-1e300, 1e300), (0.99, 1e5)],
)
def test_any_range_can_be_drawn(low, high, tmp_path):
    figure = plot.modes(lambda x: 1.0 / (x - 1.0), low, high, points=21)
    x, _ = curve(figure.axes[0])
    assert x[0] >= low
    assert x[-1] <= high
    assert (np.diff(x) >= 0.0).all()
    figure.savefig(tmp_path / "picture.png")


# --- modes: tags ---


def test_the_strip_shows_the_tag_at_each_point():
    def f(x: Any) -> Any:  # −∞ at -0.5, Φ at 0, +∞ at 0.5
        return x / x * tr_where(x < 0.0, -1.0, 1.0) / ((x - 0.5) * (x + 0.5)) ** 2

    axes = grid_of(plot.modes(f, -1.0, 1.0, points=201))
    for strip in axes[1]:
        tags = drawn_tags(strip)
        assert list(tags) == ["REAL", "+∞", "−∞", "Φ"]
        assert len(tags["REAL"]) == 4
        for label, place in (("+∞", 0.5), ("−∞", -0.5), ("Φ", 0.0)):
            [(start, stop)] = tags[label]
            assert start < place < stop
            assert stop - start < 0.02
        for cells, tag in zip(strip.collections, TRTag):
            assert same_color(cells.get_facecolor()[0], TAG_COLORS[tag])
            # A point must be wide enough to be seen.
            assert (cells.get_linewidth()[0] > 0.0) == (tag is not TRTag.REAL)
    assert labels(axes[0, 0]) == ["REAL", "+∞", "−∞", "Φ"]


def test_the_legend_names_the_tags_that_occur():
    axes = grid_of(plot.modes(tr_log, -1.0, 1.0))
    assert labels(axes[0, 0]) == ["REAL", "Φ"]
    patches = axes[0, 0].get_legend().get_patches()
    colors = [TAG_COLORS[tag] for tag in (TRTag.REAL, TRTag.PHI)]
    assert [patch.get_facecolor() for patch in patches] == [to_rgba(color) for color in colors]


# --- modes: gradients ---


def test_gradients_are_coloured_by_status():
    axes = grid_of(plot.modes(reciprocal, -1.0, 1.0, delta=0.25, bound=0.5))
    masked, saturating, hybrid = axes[2]

    assert labels(masked) == ["EXACT", "MASKED"]
    x, y = curve(masked, "MASKED")
    assert (x[~np.isnan(y)].tolist(), y[~np.isnan(y)].tolist()) == ([0.0], [0.0])
    x, y = curve(masked, "EXACT")
    shown = ~np.isnan(y)
    assert shown.tolist() == (x != 0.0).tolist()
    np.testing.assert_allclose(y[shown], -1.0 / x[shown] ** 2, rtol=1e-14)

    assert labels(saturating) == ["SATURATED"]
    x, y = curve(saturating, "SATURATED")
    np.testing.assert_allclose(y, -1.0 / (x * x + 0.25), rtol=1e-14)

    assert labels(hybrid) == ["EXACT", "SATURATED"]
    x, y = curve(hybrid, "SATURATED")
    assert ((np.abs(x) <= 0.25) == ~np.isnan(y)).all()
    x, y = curve(hybrid, "EXACT")
    assert ((np.abs(x) > 0.25) == ~np.isnan(y)).all()

    for below in axes[2]:
        for line in below.lines:
            if line.get_label() in GradientStatus.__members__:
                assert line.get_color() == STATUS_COLORS[GradientStatus[line.get_label()]]


def test_a_single_point_shows_as_a_dot():
    masked = grid_of(plot.modes(reciprocal, -1.0, 1.0))[2, 0]
    [dots] = [line for line in masked.lines if line.get_label() == "MASKED"]
    x, _ = curve(masked, "MASKED")
    assert [x[place] for place in dots.get_markevery()] == [0.0]
    [line] = [line for line in masked.lines if line.get_label() == "EXACT"]
    assert line.get_markevery() == []


def test_a_bounded_gradient_passes_a_pole_and_an_exact_one_breaks():
    axes = grid_of(plot.modes(lambda x: x / (x * x - 2.0), 0.0, 2.0, points=101))
    [pole] = asymptotes(axes[2, 0])
    x, y = curve(axes[2, 0], "EXACT")
    assert np.isnan(y[x == pole]).all()
    assert (x == pole).any()
    x, y = curve(axes[2, 1], "SATURATED")
    assert pole not in x
    assert np.isfinite(y).all()


def test_the_most_severe_flag_gives_the_colour():
    assert most_severe(EXACT) is EXACT
    assert most_severe(SATURATED | MASKED) is MASKED
    assert most_severe(SATURATED | MASKED | GradientStatus.DROPPED) is GradientStatus.DROPPED


def test_a_mixed_status_is_dashed():
    axes = grid_of(plot.modes(lambda x: 1.0 / x / (x + 2.0), -1.0, 1.0))
    [line] = [line for line in axes[2, 1].lines if "|" in str(line.get_label())]
    assert line.get_label() == "SATURATED|DROPPED"
    assert line.get_linestyle() == "--"
    assert line.get_color() == STATUS_COLORS[GradientStatus.DROPPED]


# --- modes: the function ---


def test_functions_that_cannot_be_traced_are_called():
    def branches(x: Any) -> Any:
        return 1.0 / (x * x) if x > 0.0 else tr_exp(x)

    def selects(x: Any) -> Any:
        return tr_where(x > 0.0, 1.0 / (x * x), tr_exp(x))

    called = plot.modes(branches, -1.0, 1.0, points=101, delta=0.25)
    traced = plot.modes(selects, -1.0, 1.0, points=101, delta=0.25)
    for one, other in zip(called.axes, traced.axes):
        assert [line.get_label() for line in one.lines] == [
            line.get_label() for line in other.lines
        ]
        for a, b in zip(one.lines, other.lines):
            np.testing.assert_array_equal(a.get_xydata(), b.get_xydata())
        assert drawn_tags(one) == drawn_tags(other)


def test_a_traceable_function_is_called_once():
    calls = []

    def f(x: Any) -> Any:
        calls.append(x)
        return 1.0 / x

    plot.modes(f, -1.0, 1.0)
    assert len(calls) == 1


def test_the_callers_modes_and_statistics_stay():
    with HybridGradientSchedule(delta_init=0.1).apply(0):
        x = TRNode.parameter(0.5)
        (1.0 / x).backward()
        before = HybridGradientContext.get_statistics()
        assert before["total_gradient_calls"] == 1
        plot.modes(reciprocal, -1.0, 1.0, delta=0.3, bound=0.2)
        plot.modes(lambda x: 1.0 / x if x > 0 else -x, -1.0, 1.0, delta=0.3, points=11)
        assert HybridGradientContext.get_statistics() == before
        assert GradientModeConfig.get_mode() is GradientMode.HYBRID
        assert GradientModeConfig.get_local_threshold() == 0.1
        assert GradientModeConfig.get_saturation_bound() == 1.0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((1.0, 1.0), ValueError, "low below high, not 1.0 and 1.0"),
        ((2.0, 1.0), ValueError, "low below high"),
        ((math.nan, 1.0), ValueError, "must be finite"),
        ((0.0, math.inf), ValueError, "must be finite"),
        ((-1e301, 0.0), ValueError, "within ±1e\\+300"),
    ],
)
def test_bad_ranges(arguments, error, message):
    with pytest.raises(error, match=message):
        plot.modes(reciprocal, *arguments)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"points": 1}, ValueError, "points must be at least 2, not 1"),
        ({"points": 2.5}, TypeError, "integer"),
        ({"modes": []}, ValueError, "at least one GradientMode"),
        ({"modes": ["HYBRID"]}, TypeError, "must be of GradientMode, not 'HYBRID'"),
        ({"bound": 0.0}, ValueError, "bound"),
        ({"delta": -1.0}, ValueError, "threshold"),
        ({"figure": "picture.png"}, TypeError, "must be a matplotlib Figure, not str"),
    ],
)
def test_bad_options(options, error, message):
    with pytest.raises(error, match=message):
        plot.modes(reciprocal, -1.0, 1.0, **options)


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (3.0, "f must be a function of one node, not float"),
        (lambda x: None, "must return a TRNode or a number, not NoneType"),
        (lambda x: (x, x), "must return a TRNode or a number, not tuple"),
    ],
)
def test_what_is_no_function_of_a_node(f, message):
    with pytest.raises(TypeError, match=message):
        plot.modes(f, -1.0, 1.0)


def test_an_error_of_the_function_reaches_the_caller():
    def f(x: Any) -> Any:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        plot.modes(f, -1.0, 1.0)


# --- history ---


def statistics(**figures: Any) -> dict[str, Any]:
    """What get_statistics returns before anything happens, with these figures."""
    HybridGradientContext.reset()
    return {**HybridGradientContext.get_statistics(), **figures}


def test_history_draws_every_figure():
    records = [
        statistics(
            current_epoch=epoch,
            local_threshold=0.1**epoch,
            q_min_epoch=0.01 + epoch,
            q_p10=0.1 + epoch,
            q_p50=0.5 + epoch,
            q_p90=0.9 + epoch,
            saturating_ratio=0.2 * epoch,
            near_pole_ratio=0.1 * epoch,
            masked_nodes=epoch,
            dropped_contributions=2 * epoch,
        )
        for epoch in range(4)
    ]
    figure = plot.history(records)
    threshold, distances, shares, counts = figure.axes
    titles = [axes.get_ylabel() for axes in figure.axes]
    assert titles == ["threshold δ", "distance to the pole", "share of decisions", "count"]
    assert [axes.get_yscale() for axes in figure.axes] == ["log", "log", "linear", "linear"]
    assert counts.get_xlabel() == "epoch"
    for axes, label, key in (
        (threshold, "δ", "local_threshold"),
        (distances, "smallest", "q_min_epoch"),
        (distances, "10 %", "q_p10"),
        (distances, "median", "q_p50"),
        (distances, "90 %", "q_p90"),
        (shares, "saturating", "saturating_ratio"),
        (shares, "within δ", "near_pole_ratio"),
        (counts, "masked nodes", "masked_nodes"),
        (counts, "dropped contributions", "dropped_contributions"),
    ):
        assert label in labels(axes)
        x, y = curve(axes, label)
        assert x.tolist() == [0, 1, 2, 3]
        assert y.tolist() == [record[key] for record in records]
    assert shares.get_ylim() == (-0.05, 1.05)


def test_history_of_a_schedule():
    schedule = HybridGradientSchedule(warmup_epochs=2, delta_init=0.5, adaptive_delta=False)
    records = []
    for epoch in range(5):
        with schedule.apply(epoch):
            (1.0 / TRNode.parameter(0.25)).backward()
            records.append(HybridGradientContext.get_statistics())
    threshold, distances, shares, _ = plot.history(iter(records)).axes
    _, y = curve(threshold, "δ")
    np.testing.assert_array_equal(y, [math.nan, math.nan, *map(schedule.get_delta, (2, 3, 4))])
    assert schedule.get_delta(4) < 0.25 < schedule.get_delta(3)
    assert curve(distances, "smallest")[1].tolist() == [0.25] * 5
    assert curve(shares, "saturating")[1].tolist() == [0.0, 0.0, 1.0, 1.0, 0.0]


def test_none_leaves_a_gap_and_a_point_between_gaps_a_dot():
    thresholds = [0.5, None, 0.25, None, 0.1, 0.1]
    figure = plot.history([statistics(local_threshold=each) for each in thresholds])
    [line] = figure.axes[0].lines
    assert np.isnan(line.get_ydata()).tolist() == [each is None for each in thresholds]
    assert line.get_markevery() == [0, 2]


def test_a_zero_is_marked_at_the_edge_of_a_logarithmic_axis():
    records = [statistics(q_min_epoch=each, q_p10=each) for each in (0.5, 0.0, 0.25)]
    distances = plot.history(records).axes[1]
    assert np.isnan(curve(distances, "smallest")[1]).tolist() == [False, True, False]
    marks = [line for line in distances.lines if line.get_marker() == "v"]
    assert [line.get_xdata().tolist() for line in marks] == [[1.0], [1.0]]
    assert labels(distances).count("is 0") == 1


def test_figures_without_data():
    threshold, distances, shares, counts = plot.history([statistics(), statistics()]).axes
    for axes in threshold, distances, shares:
        assert [text.get_text() for text in axes.texts] == ["no data"]
        assert axes.get_legend() is None
    assert labels(counts) == ["masked nodes", "dropped contributions"]
    assert list(counts.texts) == []


def test_epochs_in_state_sat_are_shaded():
    states = ["MR", "SAT", "SAT", "MR", None, "SAT"]
    records = [
        statistics(current_epoch=2 * place, policy_mode=state, local_threshold=0.1)
        for place, state in enumerate(states)
    ]
    for axes in plot.history(records).axes:
        spans = [
            patch.get_extents().transformed(axes.transData.inverted()) for patch in axes.patches
        ]
        assert [(span.x0, span.x1) for span in spans] == [
            (pytest.approx(1.0), pytest.approx(5.0)),
            (pytest.approx(9.0), pytest.approx(11.0)),
        ]
    assert labels(axes).count("policy in SAT") == 1


@pytest.mark.parametrize("epochs", [[0, 1, 0, 1], [0, None, 1, 2], [3, 2, 1, 0]])
def test_epochs_that_do_not_increase_give_way_to_the_number_of_the_record(epochs):
    records = [statistics(current_epoch=epoch, local_threshold=0.1) for epoch in epochs]
    figure = plot.history(records)
    assert figure.axes[-1].get_xlabel() == "record"
    assert curve(figure.axes[0])[0].tolist() == [0, 1, 2, 3]


def test_what_learn_records():
    from zeroproof.learn import train, two_link_arm

    fit = train(two_link_arm(), (1, 1), "hybrid", 3)
    assert fit.statistics is not None
    for given in (fit, fit.statistics, [fit]):
        figure = plot.history(given)
        assert curve(figure.axes[0], "δ")[1].tolist() == [fit.statistics["local_threshold"]]
    masked = train(two_link_arm(), (1, 1), "mask-real", 1)
    with pytest.raises(ValueError, match="record 0 has no statistics: training in Hybrid mode"):
        plot.history(masked)


@pytest.mark.parametrize(
    ("records", "error", "message"),
    [
        ([], ValueError, "the history is empty"),
        ([{}], ValueError, "record 0 has no 'local_threshold'"),
        ([3.0], TypeError, "record 0 must be a dictionary .* not float"),
        (
            [{**dict.fromkeys(("local_threshold", "q_p90")), "q_p50": "much"}],
            TypeError,
            "'q_p50' of record 0 must be a number or None, not 'much'",
        ),
    ],
)
def test_bad_histories(records, error, message):
    with pytest.raises(error, match=message):
        plot.history(records)


# --- matplotlib ---


def test_without_matplotlib_only_drawing_fails():
    code = """
import sys
sys.modules["matplotlib"] = None
import zeroproof, zeroproof.plot, zeroproof.learn
for draw in (
    lambda: zeroproof.plot.modes(lambda x: 1.0 / x, -1.0, 1.0),
    lambda: zeroproof.plot.history(zeroproof.HybridGradientContext.get_statistics()),
):
    try:
        draw()
    except ImportError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    assert all(line.endswith("pip install 'zeroproof-autodiff[plot]'") for line in lines)


def test_drawing_leaves_pyplot_and_settings_alone():
    code = """
import sys, zeroproof, zeroproof.plot
assert "matplotlib" not in sys.modules

def draw():
    zeroproof.plot.modes(lambda x: 1.0 / x, -1.0, 1.0, points=11)
    zeroproof.plot.history(zeroproof.HybridGradientContext.get_statistics())

draw()
assert "matplotlib.pyplot" not in sys.modules
import matplotlib
before = dict(matplotlib.rcParams)  # which imports pyplot, to choose a backend
draw()
assert dict(matplotlib.rcParams) == before
assert matplotlib.pyplot.get_fignums() == []
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
