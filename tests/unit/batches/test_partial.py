"""Parts of a batch: what they hold, what they refuse, and how they travel."""

from __future__ import annotations

import copy
import pickle
import re
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from zeroproof import (
    GradientMode,
    GradientModeConfig,
    HybridGradientContext,
    HybridGradientSchedule,
    HybridStatistics,
    MaskedSamplesWarning,
    Partial,
    TRPolicy,
    TRPolicyConfig,
    alarm,
    gradient_mode,
    tr_sqrt,
    tr_vmap,
    watch_singularities,
)
from zeroproof.autodiff import MaskTotals
from zeroproof.autodiff.partial import _restored

LEAF = Partial.leaf_samples
SAMPLES = 3 * LEAF + 100


def rational(x: Any, w: Any) -> Any:
    return (w[0] + w[1] * x) / (1.0 + w[2] * x)


batched = tr_vmap(rational, (0, None))
W = np.array([0.5, -1.25, 2.0])


def numbers(samples: int = SAMPLES) -> Any:
    x = np.random.default_rng(3).uniform(-1.0, 1.0, samples)
    x[::50] = -0.5  # poles of either sign
    x[7::1000] = np.nan
    return x


def part(start: int, stop: int, x: Any = None, **keywords: Any) -> Partial:
    x = numbers() if x is None else x
    return batched.partial(x[start:stop], W, start=start, argnums="w", **keywords)


def parts(x: Any = None, **keywords: Any) -> list[Partial]:
    samples = SAMPLES if x is None else len(x)
    cuts = [*range(0, samples, LEAF), samples]
    return [part(*each, x=x, **keywords) for each in zip(cuts, cuts[1:])]


def same(found: Any, expected: Any) -> bool:
    return all(
        np.asarray(a, np.float64).tobytes() == np.asarray(b, np.float64).tobytes()
        for a, b in zip(found, expected)
    )


@pytest.mark.parametrize("reduce", ["sum", "mean"])
def test_any_order_and_grouping(reduce: str) -> None:
    a, b, c, d = parts()
    expected = batched.value_and_grad(numbers(), W, argnums="w", reduce=reduce, with_status=True)
    for whole in [
        Partial.merge([c, a, d, b]),
        (a + b) + (c + d),
        d + (c + (b + a)),
        sum([a, b, c, d]),
        Partial.merge(part for part in [a + b, d + c]),
    ]:
        found = whole.finish(reduce, with_status=True)
        assert same(found, expected)
        assert found[2].dtype == np.uint8
    assert same(part(0, SAMPLES).finish(reduce), expected[:2])


def test_the_parts_say_what_they_hold() -> None:
    x = numbers()
    whole = sum(parts())
    assert (whole.start, whole.stop, whole.samples) == (0, SAMPLES, SAMPLES)
    _, _, mask = batched.value_and_grad(x, W, argnums="w", reduce="sum", with_mask=True)
    tags = np.bincount(mask.tags, minlength=4)
    incomplete = int(mask.dropped.sum())
    assert whole.masks == MaskTotals(SAMPLES, *map(int, tags), incomplete)
    assert whole.masks.left_out == len(mask.left_out) > 0
    assert whole.kept == mask.kept.sum()
    HybridGradientContext.reset()
    batched.value_and_grad(x, W, argnums="w", reduce="sum")
    figures = HybridGradientContext.get_statistics()
    assert whole.masked_nodes == figures["masked_nodes"] > 0
    assert whole.dropped_contributions == figures["dropped_contributions"]
    assert repr(part(LEAF, 2 * LEAF)).startswith("<Partial of rational: samples 8192 to 16383, ")
    assert "no samples, at 8192" in repr(part(LEAF, LEAF))


def test_a_dropped_contribution_makes_a_sample_incomplete() -> None:
    f = tr_vmap(lambda x, w: tr_sqrt(w * x) + w * x * x, (0, None))
    x = np.array([1.0, 0.0, 2.0, -1.0, 1e200, -0.0])
    for argnums in ["w", ("x", "w")]:
        *_, mask = f.value_and_grad(x, 1e-200, argnums=argnums, reduce="sum", with_mask=True)
        found = f.partial(x, 1e-200, start=0, argnums=argnums)
        assert found.masks.incomplete == int(mask.dropped.sum()) == 3
        assert found.masks.kept == 5
    # A derivative whose contributions are REAL and whose sum is not.
    g = tr_vmap(lambda x, w: w * x + w * x, (0, None))
    found = g.partial([1.0, 1.7e308], 1e-10, start=0, argnums="w")
    assert (found.masks.incomplete, found.dropped_contributions) == (1, 1)


@pytest.mark.parametrize("reduce", ["sum", "mean"])
def test_gradients_by_arguments_of_samples_are_kept_by_row(reduce: str) -> None:
    x = numbers()
    argnums = (1, "x", 0)
    expected = batched.value_and_grad(x, W, argnums=argnums, reduce=reduce, with_status=True)
    given = [
        batched.partial(x[c], W, start=c.start, argnums=argnums) for c in Partial.cuts(SAMPLES, 3)
    ]
    value, gradients, statuses = Partial.merge(reversed(given)).finish(reduce, with_status=True)
    assert same([value, *gradients, *statuses], [expected[0], *expected[1], *expected[2]])
    assert given[0].nbytes > 8 * given[0].samples


@dataclass
class Parameters:
    scale: Any
    offsets: list[Any]


def of_structure(data: Any, p: Parameters) -> Any:
    return p.scale * data["x"] / (data["y"] + p.offsets[0] + p.offsets[1])


def test_structures_and_keywords() -> None:
    f = tr_vmap(of_structure, (0, None))
    x = numbers()
    p = Parameters(np.array(2.0), [np.array(0.25), np.array(0.0)])
    expected = f.value_and_grad({"x": x, "y": -x}, p=p, argnums="p", reduce="mean")
    given = [
        f.partial({"x": x[c], "y": -x[c]}, p=p, start=c.start, argnums="p")
        for c in Partial.cuts(SAMPLES, 2)
    ]
    value, gradient = sum(map(pickle.loads, map(pickle.dumps, given))).finish()
    assert isinstance(gradient, Parameters)
    assert same(
        [value, gradient.scale, *gradient.offsets],
        [expected[0], expected[1].scale, *expected[1].offsets],
    )


def test_no_samples() -> None:
    for reduce in ["sum", "mean"]:
        expected = batched.value_and_grad([], W, argnums="w", reduce=reduce)
        assert same(batched.partial([], W, start=0, argnums="w").finish(reduce), expected)
    a, b = part(0, LEAF), part(LEAF, LEAF)
    for whole in [b + a + b, part(0, 0) + a, part(0, SAMPLES) + b, b + part(0, SAMPLES)]:
        assert whole.start == 0
        assert same(whole.finish(), (part(0, SAMPLES) if whole.samples == SAMPLES else a).finish())


def test_it_can_be_pickled_and_copied() -> None:
    whole = sum(map(pickle.loads, map(pickle.dumps, parts())))
    expected = batched.value_and_grad(numbers(), W, argnums="w", reduce="mean")
    for each in [whole, copy.copy(whole), copy.deepcopy(whole)]:
        assert same(each.finish(), expected)


def test_it_is_small_whatever_the_number_of_samples() -> None:
    sizes = {}
    for leaves in [1, 4, 64]:
        x = numbers(leaves * LEAF)
        one = batched.partial(x, W, start=0, argnums="w")
        # The engine's record, and in a pickle what names the function and its arguments.
        assert one.nbytes < 120 + 8 * (1 + len(W))
        sizes[leaves] = len(pickle.dumps(one))
    assert max(sizes.values()) <= min(sizes.values()) + 8
    uneven = batched.partial(numbers(63 * LEAF), W, start=LEAF, argnums="w")
    assert uneven.nbytes < 120 + 6 * 8 * (1 + len(W)) * 2


def test_another_version_is_refused() -> None:
    restore, arguments, state = part(0, LEAF).__reduce__()
    assert restore(*arguments) is not None
    with pytest.raises(
        ValueError, match=r"version 2 of its format.*reads version 1.*install the same"
    ):
        _restored(2)
    record = bytearray(state[0])
    record[3] += 1
    with pytest.raises(ValueError, match="of version 2 of its format"):
        restore(*arguments).__setstate__((bytes(record), *state[1:]))
    with pytest.raises(ValueError, match="damaged: send or compute it again"):
        restore(*arguments).__setstate__((state[0][:-1], *state[1:]))
    with pytest.raises(ValueError, match="no such record"):
        HybridStatistics(b"what is this")


def test_parts_of_other_engines_are_refused() -> None:
    restore, arguments, (record, *rest) = part(LEAF, 2 * LEAF).__reduce__()
    version = re.search(rb"\d+\.\d+\.\d+", record)
    assert version is not None
    other = restore(*arguments)
    other.__setstate__((record.replace(version[0], b"9" + version[0][1:], 1), *rest))
    with pytest.raises(ValueError, match=r"different versions of zeroproof, .* and 9\."):
        part(0, LEAF) + other


def test_gaps_overlaps_and_ends_within_a_leaf_are_refused() -> None:
    a, b, c, d = parts()
    with pytest.raises(ValueError, match="samples 8192 to 16383 are missing between two parts"):
        a + c
    with pytest.raises(ValueError, match="samples 8192 to 16383 are missing between two parts"):
        Partial.merge([c, a])
    with pytest.raises(ValueError, match="samples 8192 to 16383 are in both parts"):
        (a + b) + (b + c)
    with pytest.raises(ValueError, match="samples 0 to 8191 are in both parts"):
        a + a
    with pytest.raises(
        ValueError,
        match="before sample 100, which is no multiple of 8192, so it can only be the last",
    ):
        Partial.merge([b, part(0, 100)])
    with pytest.raises(
        ValueError, match="samples 0 to 8191 are missing: only a part that begins at sample 0"
    ):
        (b + c + d).finish()


def test_other_functions_shapes_and_requests_are_refused() -> None:
    a, x = part(0, LEAF), numbers()[LEAF : 2 * LEAF]
    other = tr_vmap(lambda x, w: (w[0] - w[1] * x) / (1.0 + w[2] * x), (0, None))
    with pytest.raises(ValueError, match=r"rational\(x: \(samples\), w: \(3\)\) and <lambda>\("):
        a + other.partial(x, W, start=LEAF, argnums="w")
    with pytest.raises(ValueError, match=r"w: \(3\)\) and rational\(x: \(samples\), w: \(4\)\)"):
        a + batched.partial(x, np.ones(4), start=LEAF, argnums="w")
    for request in [{"argnums": "x"}, {"argnums": ("w", "x")}, {"argnums": "w", "coordinate": "x"}]:
        with pytest.raises(ValueError, match="with other operations, argnums or coordinates"):
            a + batched.partial(x, W, start=LEAF, **request)
    # Names do not count where the operations are the same.
    same_one = tr_vmap(lambda x, w: (w[0] + w[1] * x) / (1.0 + w[2] * x), (0, None))
    assert (a + same_one.partial(x, W, start=LEAF, argnums="w")).samples == 2 * LEAF


def test_other_modes_are_refused() -> None:
    a = part(0, LEAF)
    with gradient_mode(GradientMode.SATURATING, 0.5):
        b = part(LEAF, 2 * LEAF)
    with pytest.raises(
        ValueError, match=r"Mask-REAL and Saturating \(bound 0.5\); take one .*snapshot"
    ):
        a + b
    with gradient_mode(GradientMode.HYBRID):
        GradientModeConfig.set_local_threshold(0.25)
        HybridGradientContext.set_exploration_regions([(-1.0, 0.5)])
        c = part(LEAF, 2 * LEAF)
        assert part(0, LEAF).mode == c.mode == GradientModeConfig.snapshot()
    with pytest.raises(
        ValueError, match=r"threshold 0.25, regions -1..0.5, policy does not saturate"
    ):
        a + c


@pytest.mark.parametrize(
    ("keywords", "error", "text"),
    [
        ({"start": 100}, ValueError, "start must be a multiple of 8192, not 100.*at 0 or 8192"),
        ({"start": -8192}, ValueError, "start must be a multiple of 8192, not -8192"),
        ({"start": 1 << 62}, ValueError, "start must be a multiple of 8192"),
        ({"start": 0.0}, TypeError, "start must be the number of a sample, not 0.0"),
        ({"start": True}, TypeError, "start must be the number of a sample, not True"),
        ({"start": 0, "mode": "HYBRID"}, TypeError, r"GradientModeConfig.snapshot\(\) returns"),
        ({"start": 0, "argnums": 5}, ValueError, "argnums names argument 5"),
        ({"start": 0, "reduce": "sum"}, TypeError, "unexpected keyword argument 'reduce'"),
        ({}, TypeError, "start"),
    ],
)
def test_arguments_that_are_refused(keywords: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        batched.partial(numbers(10), W, **keywords)


def test_what_has_no_parts() -> None:
    with pytest.raises(ValueError, match="no argument of rational has an axis of samples"):
        tr_vmap(rational, None).partial(1.0, W, start=0)
    with pytest.raises(TypeError, match="partial needs a function that returns one node"):
        tr_vmap(lambda x: (x, x)).partial([1.0], start=0)
    with pytest.raises(ValueError, match="there are no parts"):
        Partial.merge([])
    with pytest.raises(TypeError, match="parts must be Partials, not float"):
        Partial.merge([part(0, LEAF), 1.0])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="unsupported operand"):
        part(0, LEAF) + 1.0  # type: ignore[operator]
    with pytest.raises(TypeError, match="unsupported operand"):
        1.0 + part(0, LEAF)
    with pytest.raises(TypeError, match="made by the method partial"):
        Partial()
    with pytest.raises(ValueError, match="reduce must be 'mean' or 'sum', not 'max'"):
        part(0, LEAF).finish("max")
    with pytest.raises(TypeError, match="reduce must be 'mean' or 'sum', not None"):
        part(0, LEAF).finish(None)  # type: ignore[arg-type]


def test_cuts() -> None:
    for samples in [0, 1, LEAF, LEAF + 1, 10 * LEAF, 10 * LEAF + 1]:
        for count in [1, 3, 40]:
            slices = Partial.cuts(samples, count)
            assert slices[0].start == 0
            assert slices[-1].stop == samples
            assert all(a.stop == b.start for a, b in zip(slices, slices[1:]))
            assert all(each.start % LEAF == 0 for each in slices)
            assert len(slices) == max(1, min(count, -(-samples // LEAF)))
            sizes = [each.stop - each.start for each in slices]
            assert max(sizes) - min(sizes[:-1] or sizes) <= 2 * LEAF
    with pytest.raises(ValueError, match="not be negative"):
        Partial.cuts(-1, 2)
    with pytest.raises(ValueError, match="at least 1, not 0"):
        Partial.cuts(1, 0)


def figures() -> dict[str, Any]:
    return {**HybridGradientContext.get_statistics(), "at": HybridGradientContext.detected_poles()}


def test_statistics_are_counted_where_a_part_is_finished() -> None:
    with gradient_mode(GradientMode.HYBRID):
        GradientModeConfig.set_local_threshold(0.1)
        given = parts(coordinate="x")
        assert figures()["total_gradient_calls"] == 0
        whole = Partial.merge(given)
        whole.finish("sum")
        found = figures()
        HybridGradientContext.reset_statistics()
        HybridGradientContext.update_epoch(0)
        batched.value_and_grad(numbers(), W, argnums="w", reduce="sum", coordinate="x")
        expected = figures()
        for name in [
            "total_gradient_calls",
            "saturating_activations",
            "q_min_batch",
            "q_p10",
            "at",
        ]:
            assert found[name] == expected[name], name
        assert found["at"]
        of_part = whole.statistics.figures()
        assert of_part["total_gradient_calls"] == expected["total_gradient_calls"]
        assert "policy_mode" not in of_part
        assert whole.statistics.detected_poles() == expected["at"]


def test_statistics_of_workers_merge_and_drive_the_schedule() -> None:
    schedule = HybridGradientSchedule(transition_epochs=10)
    one = HybridGradientSchedule(transition_epochs=10)
    halves = [numbers()[:LEAF], numbers()[LEAF:]]

    def epochs(schedule: HybridGradientSchedule, merges: bool) -> list[dict[str, Any]]:
        HybridGradientContext.reset()
        seen = []
        for epoch in range(3):
            with schedule.apply(epoch):
                mode = GradientModeConfig.snapshot()
                measured = []
                for half in halves:
                    if merges:  # as in processes of their own
                        found = batched.partial(
                            half, W, start=0, argnums="w", coordinate="x", mode=mode
                        )
                        measured.append(pickle.loads(pickle.dumps(found.statistics)))
                    else:
                        batched.value_and_grad(half, W, argnums="w", coordinate="x", reduce="mean")
                HybridGradientContext.merge(*measured)
                seen.append({**figures(), "delta": GradientModeConfig.get_local_threshold()})
        return seen

    found, expected = epochs(schedule, True), epochs(one, False)
    for a, b in zip(found, expected):
        b["q_mean_batch"] = pytest.approx(b["q_mean_batch"], rel=1e-14)
        assert a == b
    assert schedule == one
    assert schedule.detected_poles
    assert found[1]["delta"] != HybridGradientSchedule(transition_epochs=10).get_delta(1)
    assert found[1]["exploration_regions"]


def test_statistics_of_scalar_passes_merge_as_well() -> None:
    HybridGradientContext.update_q_value(0.25)
    HybridGradientContext.should_use_saturating(0.5, 1.0)
    first = HybridGradientContext.measured()
    HybridGradientContext.reset()
    HybridGradientContext.update_q_value(0.125)
    both = pickle.loads(pickle.dumps(first)) + HybridGradientContext.measured()
    HybridGradientContext.merge(first)
    assert HybridGradientContext.get_q_min() == 0.125
    mine = HybridGradientContext.get_statistics()
    assert {name: mine[name] for name in both.figures()} == both.figures()
    assert mine["q_median_batch"] == 0.25
    assert repr(both) == "<HybridStatistics: 1 decisions, q_min_epoch=0.125>"
    with pytest.raises(TypeError):
        HybridGradientContext.merge({"q_min": 1.0})  # type: ignore[arg-type]


def test_a_policy_that_saturates_goes_with_the_snapshot() -> None:
    TRPolicyConfig.set_policy(TRPolicy(10.0, 20.0))
    with gradient_mode(GradientMode.HYBRID):
        HybridGradientContext.update_q_value(0.0)
        HybridGradientContext.end_batch_policy_update()
        assert HybridGradientContext.get_statistics()["policy_mode"] == "SAT"
        expected = batched.value_and_grad(numbers(), W, argnums="w", reduce="sum", with_status=True)
        mode = pickle.loads(pickle.dumps(GradientModeConfig.snapshot()))
    HybridGradientContext.reset()
    found = Partial.merge(parts(mode=mode)).finish("sum", with_status=True)
    assert same(found, expected)
    assert "Hybrid" in repr(mode)
    assert "policy saturates" in repr(mode)


def test_alarms_are_raised_where_a_part_is_finished() -> None:
    whole = Partial.merge(parts())
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with alarm(0.001):
            part(0, LEAF)
            assert not seen
            whole.finish()
    assert [each.category for each in seen] == [MaskedSamplesWarning]
    assert f"of {SAMPLES} samples" in str(seen[0].message)
    assert seen[0].filename == __file__


def test_logs_watch_the_computation_of_a_part() -> None:
    with watch_singularities() as log:
        part(0, LEAF)
    assert log.counts["inf"] > 0


def test_parts_of_different_values_of_a_shared_argument_do_not_merge() -> None:
    model = tr_vmap(lambda w, x: w * x, in_axes=(None, 0))
    x, w = np.linspace(0.0, 1.0, 16384), np.array(2.0)
    first = model.partial(w, x[:8192], start=0)
    for other in 2.0 * w, -w:
        later = model.partial(other, x[8192:], start=8192)
        with pytest.raises(ValueError, match="with different values of w, which all samples share"):
            first + later
    assert (first + model.partial(w, x[8192:], start=8192)).samples == 16384


def test_samples_are_numbered_up_to_a_limit() -> None:
    model = tr_vmap(lambda x: x * x)
    with pytest.raises(ValueError, match="start is too large"):
        model.partial(np.ones(40000), start=2**62 - 8192)
