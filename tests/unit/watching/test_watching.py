"""Logs of singularities: what a block is told by scalar operations and backward passes."""

from __future__ import annotations

import asyncio
import contextvars
import copy
import gc
import io
import pickle
import threading
import time
from collections.abc import Callable, Generator
from typing import Any

import pytest

import zeroproof as zp
from support.gradients import gradient_of, mode_block
from support.values import HUGE, INF, NAN, SMALLEST
from zeroproof import (
    Occurrence,
    SingularityError,
    SingularityLog,
    TRNode,
    _native,
    tr_vmap,
    watch_singularities,
)
from zeroproof.autodiff import (
    GradientMode,
    HybridGradientContext,
    gradient_tape,
    tr_grad,
    tr_ops_grad,
)
from zeroproof.autodiff.backward import backward_pass


def reciprocal(x: Any) -> Any:
    return 1.0 / x


def root_of(x: Any) -> Any:
    return zp.tr_sqrt(x)


def logarithm(x: Any) -> Any:
    return zp.tr_log(x)


def place(function: Callable[..., Any], below: int = 1) -> str:
    """The line in a function of this file, as a log shows it."""
    return f"test_watching.py:{function.__code__.co_firstlineno + below}"


def counts(phi: int = 0, inf: int = 0, dropped: int = 0) -> dict[str, int]:
    return {"phi": phi, "inf": inf, "dropped": dropped}


class TestOrigins:
    def test_each_kind_is_logged_where_it_happens(self) -> None:
        zero, minus = TRNode.parameter(0.0), TRNode.parameter(-2.0)
        with watch_singularities() as log:
            reciprocal(zero)
            logarithm(minus)
            reciprocal(-zero)
        assert log.counts == counts(phi=1, inf=2)
        assert len(log) == 3
        first, second = log.occurrences
        assert (first.kind, first.count, first.distance, first.samples) == ("inf", 2, 0.0, ())
        assert (second.kind, second.count, second.distance) == ("phi", 1, 2.0)
        assert (first.op, second.op) == (zp.OpType.DIV, zp.OpType.LOG)
        assert str(first.location) == place(reciprocal)
        assert first.location is not None
        assert first.location.function == "reciprocal"
        assert log.first == first.first

    @pytest.mark.parametrize(
        ("compute", "expected"),
        [
            (lambda x: x / x, counts(phi=1)),
            (lambda x: zp.tr_sqrt(x - 1.0), counts(phi=1)),
            (lambda x: zp.tr_log(x), counts(inf=0, phi=1)),
            (lambda x: zp.tr_pow_int(x, 0), counts(phi=1)),
            (lambda x: x**0, counts()),
            (lambda x: x**-2, counts(inf=1)),
            (lambda x: zp.tr_exp(x + 1000.0), counts(inf=1)),
            (lambda x: (x + HUGE) * 2.0, counts(inf=1)),
            (lambda x: 1.0 / x - 1.0 / x, counts(inf=2, phi=1)),
            (lambda x: (1.0 / x) * x, counts(inf=1, phi=1)),
            (lambda x: tr_ops_grad.tr_sum([x + HUGE, x + HUGE]), counts(inf=1)),
            # What carries on is no origin.
            (lambda x: 1.0 / x + 1.0, counts(inf=1)),
            (lambda x: zp.tr_sin(1.0 / x) + 1.0, counts(inf=1, phi=1)),
            (lambda x: tr_ops_grad.tr_mean([x / x], zp.ReductionMode.DROP_NULL), counts(phi=1)),
            (lambda x: tr_ops_grad.tr_mean([]), counts(phi=1)),
            (lambda x: x + INF, counts()),
            (lambda x: x * NAN, counts()),
            (lambda x: x + TRNode.constant(-INF), counts()),
            # Computed numbers are none of a node's.
            (lambda x: x + zp.real(1.0) / zp.real(0.0), counts()),
            (lambda x: x + 1.0, counts()),
        ],
    )
    def test_what_counts(self, compute: Any, expected: dict[str, int]) -> None:
        with watch_singularities() as log:
            compute(TRNode.parameter(0.0))
        assert log.counts == expected

    def test_constants_count_too(self) -> None:
        with watch_singularities() as log:
            TRNode.constant(1.0) / TRNode.constant(0.0)
        assert log.counts == counts(inf=1)

    def test_both_operands_of_a_choice_are_computed(self) -> None:
        x = TRNode.parameter(0.0)
        with watch_singularities() as log:
            y = zp.tr_where(zp.tr_equal(x, 0.0), 1.0, reciprocal(x))
        assert float(y.value.value) == 1.0
        assert log.counts == counts(inf=1)

    def test_the_least_distance_is_kept(self) -> None:
        with watch_singularities() as log:
            for d in (1e-309, SMALLEST, 2e-309):
                reciprocal(TRNode.parameter(d))
        (found,) = log.occurrences
        assert (found.distance, found.count) == (SMALLEST, 3)
        assert float(found.first.operands[1]) == 1e-309

    def test_outside_blocks_nothing_is_told(self) -> None:
        x = TRNode.parameter(0.0)
        with watch_singularities() as log:
            pass
        reciprocal(x)
        assert len(log) == 0
        assert not _native.is_watching()


class TestTables:
    def test_a_log_prints_its_table(self, capsys: pytest.CaptureFixture[str]) -> None:
        x, y = TRNode.parameter(0.0), TRNode.parameter(-4.0)
        with watch_singularities() as log:
            for _ in range(12):
                reciprocal(x)
            logarithm(y)
        assert capsys.readouterr().out == ""
        log.summary()
        one, two = place(reciprocal), place(logarithm)
        table = (
            f"count  kind  place{' ' * (len(one) - 5)}  operation     first           distance\n"
            f"   12  inf   {one}  1.0 / x       1.0 ÷ 0.0 = +∞         0\n"
            f"    1  phi   {two}  zp.tr_log(x)  log(-4.0) = Φ          4\n"
        )
        assert capsys.readouterr().out == table
        file = io.StringIO()
        log.summary(file)
        assert file.getvalue() == f"{log}\n" == table

    def test_an_empty_log(self) -> None:
        log = watch_singularities()
        assert str(log) == "no singularities"
        assert repr(log) == "SingularityLog(phi=0, inf=0, dropped=0, places=0)"
        assert (log.first, log.occurrences, len(log)) == (None, (), 0)

    def test_operations_without_a_pole_or_a_place(self) -> None:
        code = compile("def f(x): return x * 1e308 * 10", "nowhere.py", "exec")
        scope: dict[str, Any] = {}
        exec(code, scope)
        with watch_singularities() as log:
            scope["f"](TRNode.parameter(1.0))
        assert str(log).splitlines() == [
            "count  kind  place         operation  first",
            "    1  inf   nowhere.py:1  mul        1e+308 × 10.0 = +∞",
        ]

    def test_the_limit_bounds_the_table_and_not_the_counts(self) -> None:
        x = TRNode.parameter(0.0)
        with watch_singularities(limit=1) as log:
            reciprocal(x)
            logarithm(x - 1.0)
            logarithm(x - 1.0)
            reciprocal(x)
        assert [found.count for found in log.occurrences] == [2]
        assert log.counts == counts(inf=2, phi=2)
        assert str(log).splitlines()[-1] == "and 2 more at other places"

    def test_a_limit_of_none_at_all_still_counts(self) -> None:
        with watch_singularities(limit=0) as log:
            reciprocal(TRNode.parameter(0.0))
        assert (log.occurrences, len(log)) == ((), 1)
        assert log.first is not None
        assert log.first.formula == "1.0 ÷ 0.0 = +∞"

    def test_occurrences_are_values(self) -> None:
        x = TRNode.parameter(0.0)
        with watch_singularities() as log:
            reciprocal(x)
            (before,) = log.occurrences
            reciprocal(x)
        (after,) = log.occurrences
        assert (before.count, after.count) == (1, 2)
        with pytest.raises(AttributeError, match="cannot assign"):
            before.count = 5  # type: ignore[misc]
        assert hash(before) == hash(copy.deepcopy(before))
        assert pickle.loads(pickle.dumps(after)) == after
        where = place(reciprocal)
        assert str(after) == f"2 × 1.0 / x at {where} gave 1.0 ÷ 0.0 = +∞"

    def test_many_origins_stay_few_lines(self) -> None:
        x = TRNode.parameter(0.0)
        begin = time.perf_counter()
        with watch_singularities() as log:
            for _ in range(100_000):
                reciprocal(x)
        # A few µs each on any machine; the bound is for one that is busy.
        assert time.perf_counter() - begin < 10.0
        assert len(log) == 100_000
        assert len(log.occurrences) == 1
        assert len(pickle.dumps(log.occurrences)) < 2000


class TestDropped:
    def test_a_backward_pass_tells_what_it_leaves_out(self) -> None:
        x = TRNode.parameter(0.0)
        with watch_singularities() as log:
            root_of(x).backward()
        (found,) = log.occurrences
        assert (found.kind, found.count, found.distance) == ("dropped", 1, 0.0)
        assert str(found.location) == place(root_of)
        assert (found.first.what, found.first.input) == ("dropped", 0)
        assert log.counts == counts(dropped=1)
        assert gradient_of(x) == (0.0, zp.GradientStatus.DROPPED)

    def test_every_kind_of_pass_tells(self) -> None:
        x = TRNode.parameter(0.0)
        with watch_singularities() as log:
            backward_pass(root_of(x))
            assert len(log) == 1
            tr_grad(root_of)(0.0)
            assert len(log) == 2
            with gradient_tape() as tape:
                y = root_of(x)
            tape.gradient(y, [x, x])
            assert log.counts == counts(dropped=3)
            assert HybridGradientContext.get_statistics()["dropped_contributions"] == 3

    def test_each_node_counts_once_for_several_sources(self) -> None:
        x, y = TRNode.parameter(0.0), TRNode.parameter(0.0)
        with watch_singularities() as log:
            with gradient_tape() as tape:
                z = root_of(x * y)
            tape.gradient(z, [x, y])
        assert log.counts == counts(dropped=1)

    def test_only_the_sources_asked_for_count(self) -> None:
        x, y = TRNode.parameter(0.0), TRNode.parameter(4.0)
        with watch_singularities() as log:
            with gradient_tape(persistent=True) as tape:
                z = root_of(x) + root_of(y)
            tape.gradient(z, [y])
            assert len(log) == 0
            tape.gradient(z, [x])
            assert len(log) == 1

    @pytest.mark.parametrize(("adjoint", "dropped"), [(0.0, 0), (1.0, 0), (HUGE, 1), (-HUGE, 1)])
    def test_the_adjoint_given_counts(self, adjoint: float, dropped: int) -> None:
        x = TRNode.parameter(1e-3)
        with watch_singularities() as log:
            zp.tr_log(x).backward(adjoint)
        assert log.counts["dropped"] == dropped
        found = HybridGradientContext.get_statistics()["dropped_contributions"]
        assert found == dropped

    @pytest.mark.parametrize(
        ("mode", "delta", "dropped"),
        [
            (GradientMode.MASK_REAL, None, 1),
            (GradientMode.SATURATING, None, 0),
            (GradientMode.HYBRID, None, 1),
            (GradientMode.HYBRID, 0.1, 0),
        ],
    )
    def test_every_mode_has_its_own(self, mode: Any, delta: Any, dropped: int) -> None:
        x = TRNode.parameter(0.0)
        with mode_block(mode, 1.0, delta), watch_singularities() as log:
            root_of(x).backward()
            statistics = HybridGradientContext.get_statistics()
        assert log.counts == counts(dropped=dropped)
        assert statistics["dropped_contributions"] == dropped
        # Looking is not counted: one decision was made.
        assert statistics["total_gradient_calls"] == (1 if mode is GradientMode.HYBRID else 0)

    def test_long_graphs_take_linear_time(self) -> None:
        x = TRNode.parameter(0.0)
        y = x
        for _ in range(20_000):
            y = y + root_of(x)
        with watch_singularities() as log:
            begin = time.perf_counter()
            y.backward()
        assert time.perf_counter() - begin < 5.0
        assert log.counts == counts(dropped=20_000)

    def test_a_node_recorded_before_the_block_has_its_place_if_it_stands_at_the_pole(self) -> None:
        x = TRNode.parameter(0.0)
        y = root_of(x)
        with watch_singularities() as log:
            y.backward()
        assert str(log.occurrences[0].location) == place(root_of)


class TestRaising:
    def test_the_operation_raises_with_the_explanation(self) -> None:
        x = TRNode.parameter(0.0)
        where = place(reciprocal)
        with pytest.raises(SingularityError) as caught, watch_singularities(raise_on="inf"):
            reciprocal(x)
        assert str(caught.value) == f"1.0 / x at {where} gave 1.0 ÷ 0.0 = +∞"
        assert isinstance(caught.value, ArithmeticError)
        assert (caught.value.event.what, caught.value.event.node) == ("born", None)
        assert not _native.is_watching()

    @pytest.mark.parametrize("raise_on", ["phi", ("phi",), ["dropped", "phi"], {"phi"}])
    def test_other_kinds_pass(self, raise_on: Any) -> None:
        x = TRNode.parameter(0.0)
        with watch_singularities(raise_on=raise_on) as log:
            reciprocal(x)
            with pytest.raises(SingularityError, match="= Φ"):
                x / x
            reciprocal(x)
        assert log.counts == counts(phi=1, inf=2)

    def test_the_node_is_given_back(self) -> None:
        x = TRNode.parameter(0.0)
        with watch_singularities(raise_on=("phi", "inf", "dropped")):
            gc.collect()
            before = _native.arena_usage()[0]
            for compute in (reciprocal, lambda x: x / x, lambda x: logarithm(x - 1.0)):
                with pytest.raises(SingularityError):
                    compute(x)
            gc.collect()
            assert _native.arena_usage()[0] == before

    def test_a_pass_that_raises_changes_no_gradient_and_counts_nothing(self) -> None:
        x, y = TRNode.parameter(0.0), TRNode.parameter(3.0)
        z = root_of(x) + 2.0 * y
        y.backward()
        before = HybridGradientContext.get_statistics()
        with watch_singularities(raise_on="dropped") as log:
            with pytest.raises(SingularityError) as caught:
                z.backward()
            with pytest.raises(SingularityError):
                tr_grad(root_of)(0.0)
        assert str(caught.value) == f"zp.tr_sqrt(x) at {place(root_of)} gave sqrt(0.0) = 0.0"
        assert x.gradient is None
        assert gradient_of(y) == (1.0, zp.GradientStatus.EXACT)
        assert HybridGradientContext.get_statistics() == before
        assert log.counts == counts(dropped=2)
        z.backward()
        assert gradient_of(y)[0] == 3.0

    def test_the_error_pickles_and_copies(self) -> None:
        with pytest.raises(SingularityError) as caught, watch_singularities(raise_on="inf"):
            reciprocal(TRNode.parameter(0.0))
        error = caught.value
        error.__dict__["hint"] = "mind the pole"
        for other in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
            assert type(other) is SingularityError
            assert (str(other), vars(other)) == (str(error), vars(error))

    @pytest.mark.parametrize(
        ("wrong", "kind", "message"),
        [
            ({"raise_on": "nan"}, ValueError, "raise_on takes 'phi', 'inf', 'dropped', not 'nan'"),
            ({"raise_on": ["phi", 3]}, ValueError, "raise_on takes .* not 3"),
            ({"raise_on": [["phi"]]}, ValueError, r"raise_on takes .* not \['phi'\]"),
            ({"raise_on": None}, TypeError, "raise_on takes any of .* not None"),
            ({"limit": -1}, ValueError, "limit must not be negative, not -1"),
            ({"limit": 2.5}, TypeError, "limit must be an integer, not 2.5"),
        ],
    )
    def test_settings_are_checked(self, wrong: Any, kind: Any, message: str) -> None:
        with pytest.raises(kind, match=message):
            watch_singularities(**wrong)


class TestBlocks:
    def test_nested_blocks_are_all_told(self) -> None:
        x = TRNode.parameter(0.0)
        with watch_singularities() as outer:
            reciprocal(x)
            with watch_singularities() as inner:
                reciprocal(x)
            reciprocal(x)
        assert (len(outer), len(inner)) == (3, 1)

    def test_an_outer_block_raises_inside_an_inner_one(self) -> None:
        with watch_singularities(raise_on="inf"), watch_singularities() as inner:
            with pytest.raises(SingularityError):
                reciprocal(TRNode.parameter(0.0))
            assert len(inner) == 1

    def test_a_log_that_is_entered_again_goes_on(self) -> None:
        x = TRNode.parameter(0.0)
        log = watch_singularities()
        with log:
            reciprocal(x)
        reciprocal(x)
        with log:
            reciprocal(x)
            with log:
                reciprocal(x)
            reciprocal(x)
        assert len(log) == 4
        assert not _native.is_watching()

    def test_an_exception_ends_the_block(self) -> None:
        x = TRNode.parameter(0.0)
        log = watch_singularities()

        def fail() -> None:
            with log:
                reciprocal(x)
                raise KeyError("other")

        with pytest.raises(KeyError):
            fail()
        reciprocal(x)
        assert len(log) == 1

    def test_leaving_too_often_is_an_error(self) -> None:
        with pytest.raises(RuntimeError, match="exited more often than it was entered"):
            watch_singularities().__exit__(None, None, None)
        assert not _native.is_watching()

    def test_a_log_keeps_no_graph_alive(self) -> None:
        gc.collect()
        before = _native.arena_usage()[0]
        with watch_singularities() as log:
            y = reciprocal(TRNode.parameter(0.0)) + root_of(TRNode.parameter(0.0))
            root_of(TRNode.parameter(0.0)).backward()
            del y
        gc.collect()
        assert len(log.occurrences) == 2
        assert _native.arena_usage()[0] == before

    def test_a_generator_may_be_left_in_any_order(self) -> None:
        x = TRNode.parameter(0.0)

        def watching(log: SingularityLog) -> Generator[None, None, None]:
            with log:
                reciprocal(x)
                yield
                reciprocal(x)

        first, second = watch_singularities(), watch_singularities()
        steps = [watching(first), watching(second)]
        for step in steps:
            next(step)
        steps[0].close()
        assert list(steps[1]) == []
        assert (len(first), len(second)) == (2, 2)
        assert not _native.is_watching()

    def test_a_generator_closed_in_another_context_leaves_nothing_behind(self) -> None:
        x = TRNode.parameter(0.0)
        log = watch_singularities()

        def watching() -> Generator[None, None, None]:
            with log:
                yield

        step = watching()
        next(step)
        contextvars.Context().run(step.close)
        with watch_singularities() as other:
            reciprocal(x)
        assert (len(log), len(other)) == (0, 1)


class TestThreadsAndTasks:
    def test_a_block_watches_its_own_thread(self) -> None:
        logs: list[SingularityLog] = []

        def work(origins: int) -> None:
            with watch_singularities() as log:
                for _ in range(origins):
                    reciprocal(TRNode.parameter(0.0))
            logs.append(log)

        def unwatched() -> None:
            reciprocal(TRNode.parameter(0.0))
            root_of(TRNode.parameter(0.0)).backward()

        threads = [threading.Thread(target=work, args=(n,)) for n in (10, 200, 3000)]
        with watch_singularities(raise_on=("inf", "dropped")) as here:
            threads.append(threading.Thread(target=unwatched))
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert sorted(map(len, logs)) == [10, 200, 3000]
        assert len(here) == 0

    def test_threads_that_share_a_context_lose_nothing(self) -> None:
        with watch_singularities() as log:
            threads = [
                threading.Thread(
                    target=contextvars.copy_context().run,
                    args=(lambda: [reciprocal(TRNode.parameter(0.0)) for _ in range(2000)],),
                )
                for _ in range(4)
            ]
            for thread in threads:
                thread.start()
            for _ in range(50):
                str(log)
            for thread in threads:
                thread.join()
        assert log.counts == counts(inf=8000)

    def test_tasks_have_blocks_of_their_own(self) -> None:
        async def work(origins: int) -> int:
            with watch_singularities() as log:
                for _ in range(origins):
                    await asyncio.sleep(0)
                    reciprocal(TRNode.parameter(0.0))
            return len(log)

        async def main() -> list[int]:
            return list(await asyncio.gather(*map(work, (1, 5, 20))))

        assert asyncio.run(main()) == [1, 5, 20]

    def test_a_task_that_outlives_the_block_is_no_longer_watched(self) -> None:
        async def main() -> tuple[int, int]:
            go = asyncio.Event()

            async def late() -> None:
                reciprocal(TRNode.parameter(0.0))
                await go.wait()
                reciprocal(TRNode.parameter(0.0))

            with watch_singularities(raise_on="phi") as log:
                task = asyncio.create_task(late())
                await asyncio.sleep(0)
            with watch_singularities() as other:
                go.set()
                await task
            return len(log), len(other)

        assert asyncio.run(main()) == (1, 0)

    def test_what_a_finalizer_computes_is_told(self) -> None:
        class Last:
            def __del__(self) -> None:
                reciprocal(TRNode.parameter(0.0))

        with watch_singularities() as log:
            last: Any = Last()
            del last
            gc.collect()
        assert len(log) == 1


class TestTracing:
    def test_a_block_in_a_traced_function_sees_the_trace_alone(self) -> None:
        logs = []

        def traced(x: Any) -> Any:
            with watch_singularities(raise_on=("phi", "inf", "dropped")) as log:
                y = 1.0 / x
            logs.append(log)
            return y

        apply = tr_vmap(traced)
        with watch_singularities() as outside:
            apply([0.0, 1.0])
            apply([0.0, 0.0])
        assert [len(log) for log in logs] == [0]
        assert outside.counts == counts(inf=3)
        assert not _native.is_watching()

    def test_constants_of_a_traced_function_raise_while_it_is_traced(self) -> None:
        def traced(x: Any) -> Any:
            return x + TRNode.constant(1.0) / TRNode.constant(0.0)

        apply = tr_vmap(traced)
        with watch_singularities(raise_on="inf"), pytest.raises(SingularityError):
            apply([1.0])
        assert apply([1.0]).tags.tolist() == [1]


def test_public_types() -> None:
    with watch_singularities() as log:
        reciprocal(TRNode.parameter(0.0))
    assert isinstance(log, SingularityLog)
    assert isinstance(log.occurrences[0], Occurrence)
    assert isinstance(log.first, zp.SingularEvent)
