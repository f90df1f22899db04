"""Batches over Dask: chunks, arguments, and the bits of one call on clusters of any size."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.slow import slow
from zeroproof import (
    GradientMode,
    GradientModeConfig,
    HybridGradientContext,
    HybridGradientSchedule,
    Partial,
    gradient_mode,
    tr_vmap,
)

cloudpickle = pytest.importorskip("cloudpickle")
dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed")

import zeroproof.dask as over_dask  # noqa: E402

# What Dask warns of is its own affair.
pytestmark = pytest.mark.filterwarnings("default")
# Workers cannot import this module.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

LEAF = Partial.leaf_samples
SAMPLES = 7 * LEAF + 500
W = np.array([0.5, -1.25, 2.0])


def rational(x: Any, w: Any) -> Any:
    return (w[0] + w[1] * x) / (1.0 + w[2] * x)


batched = tr_vmap(rational, (0, None))


def numbers(samples: int = SAMPLES) -> Any:
    x = np.random.default_rng(3).uniform(-1.0, 1.0, samples)
    x[::50] = -0.5  # poles of either sign
    x[7::1000] = np.nan
    return x


def bits(found: Any) -> list[bytes]:
    return [np.asarray(each, np.float64).tobytes() for each in found]


def block(mode: str) -> Any:
    if mode == "hybrid":
        return HybridGradientSchedule(saturating_bound=0.5).apply(0)
    return gradient_mode(GradientMode[mode])


def statistics() -> dict[str, Any]:
    return {**HybridGradientContext.get_statistics(), "at": HybridGradientContext.detected_poles()}


def assert_same_as_one_call(mode: str, reduce: str, x: Any, client: Any) -> None:
    keywords = {"argnums": "w", "reduce": reduce, "with_status": True, "coordinate": "x"}
    HybridGradientContext.reset()
    with block(mode):
        expected = batched.value_and_grad(numbers(len(x)), W, **keywords)
        measured = statistics()
    HybridGradientContext.reset()
    with block(mode):
        found = over_dask.value_and_grad(batched, x, W, scheduler=client, **keywords)
        assert bits(found) == bits(expected)
        seen = statistics()
    if mode == "hybrid":
        mean = measured["q_mean_batch"]
        measured["q_mean_batch"] = pytest.approx(mean, rel=1e-14)
        assert mean
    assert seen == measured


MODES = ["MASK_REAL", "SATURATING", "hybrid"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("reduce", ["sum", "mean"])
def test_bits_of_one_call(mode: str, reduce: str) -> None:
    for chunks in [SAMPLES, 5000, 2 * LEAF, (100, 3 * LEAF, SAMPLES - 3 * LEAF - 100)]:
        assert_same_as_one_call(mode, reduce, da.from_array(numbers(), (chunks,)), "threads")


def test_where_chunks_are_cut() -> None:
    def of(samples: int, chunks: Any, chunk_samples: Any = None) -> list[int]:
        array = da.ones(samples, chunks=(chunks,))
        slices = over_dask._slices(samples, [array], chunk_samples)
        assert [each.start for each in slices] == [0, *(each.stop for each in slices[:-1])]
        return [each.stop for each in slices]

    assert of(3 * LEAF, LEAF) == [LEAF, 2 * LEAF, 3 * LEAF]
    assert of(3 * LEAF + 1, LEAF) == [LEAF, 2 * LEAF, 3 * LEAF, 3 * LEAF + 1]
    assert of(3 * LEAF, 10_000) == [LEAF, 2 * LEAF, 3 * LEAF]
    assert of(100, 7) == [100]
    assert of(0, 0) == [0]
    assert of(5 * LEAF, LEAF, 4 * LEAF) == [4 * LEAF, 5 * LEAF]
    assert over_dask._slices(4, [np.ones(4)], None) == [slice(0, 4)]
    many = over_dask._slices(10**7, [np.ones(1)], None)
    assert len(many) == 9
    assert all(each.start % LEAF == 0 for each in many)


def test_tasks_have_names_for_progress() -> None:
    split = pytest.importorskip("dask.utils").key_split
    part = over_dask.partial(batched, da.ones(20 * LEAF, chunks=LEAF), W)
    names = [split(key) for key in part.__dask_graph__()]
    assert split(part.key) == "zeroproof-merge"
    assert names.count("zeroproof-partial") == 20
    # Three merges of eight parts at most, and one of these.
    assert names.count("zeroproof-merge") == 4


def weighted(data: Any, p: Any, *, power: Any) -> Any:
    return p["scale"] * data[0] / (data[1][0] * data[1][1] + p["offset"]) * power


def test_structures_shared_arrays_and_rows() -> None:
    f = tr_vmap(weighted, (0, None))
    x, y = numbers(), np.random.default_rng(4).normal(size=(SAMPLES, 2))
    p = {"scale": np.array(2.0), "offset": np.array(0.25)}
    request = {"argnums": ("p", "data"), "reduce": "mean", "with_status": True}
    value, (by_p, by_data), statuses = f.value_and_grad([x, y], p, power=x, **request)
    found = over_dask.value_and_grad(
        f,
        [da.from_array(x, 10_000), da.from_array(y, (LEAF, 1))],
        {"scale": p["scale"], "offset": da.from_array(p["offset"])},
        power=x,
        scheduler="threads",
        **request,
    )
    assert bits([found[0]]) == bits([value])
    assert bits(found[1][0].values()) == bits(by_p.values())
    assert bits(found[1][1]) == bits(by_data)
    assert bits(found[2][0].values()) == bits(statuses[0].values())


def test_no_samples_and_other_numbers() -> None:
    expected = batched.value_and_grad([], W, argnums="w", reduce="mean")
    empty = da.ones(0, chunks=0)
    found = over_dask.value_and_grad(batched, empty, W, argnums="w", scheduler="threads")
    assert bits(found) == bits(expected)
    x = np.arange(20_000, dtype=np.float32)
    expected = batched.value_and_grad(x, W, argnums="w", reduce="mean")
    given = da.from_array(x, 7000)
    found = over_dask.value_and_grad(batched, given, list(W), argnums="w", scheduler="threads")
    assert bits(found) == bits(expected)


@pytest.mark.parametrize(
    ("keywords", "error", "text"),
    [
        ({"reduce": None}, TypeError, "reduce must be 'mean' or 'sum', not None"),
        ({"reduce": "max"}, ValueError, "reduce must be 'mean' or 'sum', not 'max'"),
        ({"chunk_samples": 100}, ValueError, "chunk_samples must be a multiple of 8192, not 100"),
        ({"chunk_samples": 0}, ValueError, "chunk_samples must be a multiple of 8192, not 0"),
        ({"argnums": "z"}, ValueError, "argnums names no argument of rational: 'z'"),
        ({"z": 1.0}, TypeError, "rational got an unexpected keyword argument 'z'"),
        ({"coordinate": 7}, ValueError, "coordinate names argument 7"),
    ],
)
def test_arguments_that_are_refused(keywords: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        over_dask.value_and_grad(batched, da.ones(10), W, **keywords)


def test_arrays_that_are_refused() -> None:
    call = over_dask.value_and_grad
    x = da.ones(10, chunks=5)
    with pytest.raises(ValueError, match=r"x of rational have unknown sizes.*compute_chunk_sizes"):
        call(batched, x[x > 0], W)
    with pytest.raises(ValueError, match=r"different numbers of samples \(x: 10, w: 9\)"):
        call(tr_vmap(rational), x, da.ones((9, 3)))
    with pytest.raises(ValueError, match="no argument of rational has an axis of samples"):
        call(tr_vmap(rational, None), x, W)
    with pytest.raises(ValueError, match="x of rational is a single number, but its in_axes is 0"):
        call(batched, 1.0, W)
    with pytest.raises(TypeError, match="batched must be a function from tr_vmap, not function"):
        call(rational, x, W)
    with pytest.raises(TypeError, match="must hold real numbers"):
        call(batched, np.array(["a"]), W)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    dask = pytest.importorskip("dask")
    with dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}):
        local = distributed.LocalCluster(
            n_workers=1,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            silence_logs=50,
        )
        yield local
        # Dask's own end is not tested: on a busy machine it takes long, and after a worker was
        # killed it may look for that one.
        with suppress(TimeoutError, KeyError):
            local.close(timeout=60)


@pytest.fixture(scope="module")
def client(cluster: Any) -> Iterator[Any]:
    connected = distributed.Client(cluster)
    yield connected
    with suppress(TimeoutError, KeyError):
        connected.close(timeout=60)


def scale(cluster: Any, client: Any, processes: int) -> None:
    cluster.scale(processes)
    client.wait_for_workers(processes, timeout=60)
    ends = time.monotonic() + 60
    while len(cluster.scheduler.workers) != processes:  # some may still be leaving
        assert time.monotonic() < ends
        time.sleep(0.01)


@pytest.mark.parametrize("processes", [2, *slow(1, 5)])
def test_bits_of_one_call_on_a_cluster(processes: int, cluster: Any, client: Any) -> None:
    scale(cluster, client, processes)
    for mode in MODES:
        x = da.from_array(numbers(), chunks=LEAF)
        assert_same_as_one_call(mode, "mean", x, client)
    assert len(cluster.scheduler.workers) == processes


@pytest.mark.parametrize("chunk", [LEAF, 3 * LEAF + 7])
def test_arrays_that_lie_on_the_workers(chunk: int, cluster: Any, client: Any) -> None:
    scale(cluster, client, 2)
    given = da.from_array(numbers(), chunks=chunk).map_blocks(lambda x: x * 1.0)
    for array in [given, client.persist(given), client.persist(given + 0.0) * 1.0]:
        assert_same_as_one_call("MASK_REAL", "sum", array, client)


def test_a_process_traces_once(cluster: Any, client: Any, tmp_path: Path) -> None:
    scale(cluster, client, 5)

    def traced(x: Any, w: Any) -> Any:
        with open(tmp_path / str(os.getpid()), "a") as file:
            file.write("traced\n")
        return rational(x, w)

    f = tr_vmap(traced, (0, None))
    x = da.from_array(numbers(20 * LEAF), chunks=LEAF)
    for _ in range(2):
        over_dask.value_and_grad(f, x, W, argnums="w", scheduler=client)
    files = list(tmp_path.iterdir())
    assert 2 <= len(files) <= 5
    assert str(os.getpid()) not in {file.name for file in files}
    assert [file.read_text().count("traced") for file in files] == [1] * len(files)


def test_a_process_keeps_as_many_functions_as_the_setting_says() -> None:
    for most in (1, 3):
        with dask.config.set({"zeroproof.functions": most}):
            for k in range(5):
                over_dask._unpacked(bytes([most, k]), cloudpickle.dumps(tr_vmap(rational)))
        assert list(over_dask._RECEIVED)[-most:] == [bytes([most, k]) for k in range(5 - most, 5)]
        assert len(over_dask._RECEIVED) == most
    for wrong in (0, True, "many"):
        record = cloudpickle.dumps(tr_vmap(rational))
        expected = pytest.raises(ValueError, match=r"zeroproof\.functions must be an int")
        with dask.config.set({"zeroproof.functions": wrong}), expected:
            over_dask._unpacked(b"another", record)


def test_a_worker_is_lost(cluster: Any, client: Any, tmp_path: Path) -> None:
    scale(cluster, client, 2)
    x = numbers()

    def slow(chunk: Any) -> Any:
        (tmp_path / f"{os.getpid()}-{time.monotonic_ns()}").touch()
        time.sleep(0.2)
        return chunk

    given = da.from_array(x, chunks=LEAF).map_blocks(slow, meta=np.empty(0))
    part = over_dask.partial(batched, given, W, argnums="w")
    future = client.compute(part)
    before = {worker["pid"] for worker in client.run(_process).values()}
    while len(list(tmp_path.iterdir())) < 4:  # some chunks are done, others under way
        time.sleep(0.01)
        assert future.status == "pending"
    lost = int(next(tmp_path.iterdir()).name.partition("-")[0])
    assert lost in before
    os.kill(lost, signal.SIGKILL)
    found = future.result(timeout=60).finish("mean", with_status=True)
    expected = batched.value_and_grad(x, W, argnums="w", reduce="mean", with_status=True)
    assert bits(found) == bits(expected)
    # What the lost process held was computed again.
    assert len(list(tmp_path.iterdir())) > 8


def _process() -> dict[str, int]:
    return {"pid": os.getpid()}


def test_an_error_of_the_function_comes_back(client: Any) -> None:
    f = tr_vmap(lambda x: x if x else -x)
    with pytest.raises(TypeError, match="tr_where"):
        over_dask.value_and_grad(f, da.ones(10), scheduler=client)


def test_the_mode_is_that_of_the_call(client: Any) -> None:
    x = da.from_array(numbers(), chunks=LEAF)
    with gradient_mode(GradientMode.SATURATING, 0.25):
        mode = GradientModeConfig.snapshot()
        expected = batched.value_and_grad(numbers(), W, argnums="w", reduce="sum")
    part = client.compute(over_dask.partial(batched, x, W, argnums="w", mode=mode)).result()
    assert part.mode == mode
    assert bits(part.finish("sum")) == bits(expected)


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ({"threads": 0}, ValueError, "threads must be at least 1"),
        ({"threads": "2"}, TypeError, "threads must be an int"),
        ({"mode": "hybrid"}, TypeError, "mode must be what"),
    ],
)
def test_settings_are_checked_before_anything_runs(wrong: Any, error: Any, words: str) -> None:
    x = da.from_array(numbers(), chunks=LEAF)
    with pytest.raises(error, match=words):
        over_dask.value_and_grad(batched, x, W, **wrong)
