"""Calls that the engine recognises and carries out without Python, with the same results."""

from __future__ import annotations

import asyncio
import gc
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import zeroproof as zp
from support.prepared import CALLS, B, inputs, make, ones, outcome, same
from zeroproof import TRArray, TRPolicyConfig, TRScalar, alarm, real, tr_vmap, watch_singularities
from zeroproof.autodiff import (
    BatchedFunction,
    GradientMode,
    GradientModeConfig,
    HybridGradientContext,
    HybridGradientSchedule,
    gradient_mode,
)
from zeroproof.policy import TRPolicy


@pytest.fixture(autouse=True)
def _settings() -> Iterator[None]:
    threads = zp.get_num_threads()
    yield
    zp.set_native(True)
    zp.set_num_threads(threads)
    GradientModeConfig.reset()
    HybridGradientContext.reset()


@pytest.fixture
def no_python(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Has calls fail from then on that are looked at in Python."""

    def fail(*_: Any) -> Any:
        raise AssertionError("the call was looked at in Python")

    return lambda: monkeypatch.setattr(BatchedFunction, "_prepare", fail)


@pytest.mark.parametrize("samples", [0, 1, 33, 300, 9000])
@pytest.mark.parametrize("name", CALLS)
def test_results_are_those_of_a_first_call(
    name: str, samples: int, no_python: Callable[[], None]
) -> None:
    call, first, other = CALLS[name], inputs(samples), inputs(samples + 5)
    expected = [call(make(), args) for args in (first, other)]
    apply = make()
    call(apply, first)
    no_python()
    for args, wanted in zip((first, other), expected):  # the number of samples may be another
        assert same(call(apply, args), wanted)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("mode", [GradientMode.SATURATING, GradientMode.HYBRID])
def test_modes_thresholds_and_bounds_are_those_of_the_call(name: str, mode: GradientMode) -> None:
    call, args, apply = CALLS[name], inputs(100), make()
    call(apply, args)
    for bound, delta in ((0.5, None), (2.0, 0.3)):
        with gradient_mode(mode, bound):
            GradientModeConfig.set_local_threshold(delta)
            assert same(call(apply, args), call(make(), args))
    assert same(call(apply, args), call(make(), args))


def test_results_do_depend_on_the_mode() -> None:
    args, apply = inputs(100), make()
    gradients = [apply.value_and_grad(*args, argnums=2)[1]]
    for bound in (0.5, 2.0):
        with gradient_mode(GradientMode.SATURATING, bound):
            gradients.append(apply.value_and_grad(*args, argnums=2)[1])
    gradients.append(apply.value_and_grad(*args, argnums=2)[1])
    assert len({each.tobytes() for each in gradients[:3]}) == 3
    assert gradients[0].tobytes() == gradients[3].tobytes()


def measured(call: Callable[[], Any]) -> tuple[Any, dict[str, Any]]:
    HybridGradientContext.reset_statistics()
    return call(), HybridGradientContext.get_statistics()


def test_schedules_and_their_regions_are_those_of_the_call() -> None:
    args, apply = inputs(200), make()
    schedule = HybridGradientSchedule(delta_init=0.5, delta_final=1e-3, transition_epochs=4)
    schedule.update_detected_poles([0.25], 0)
    seen = set()

    def call(f: BatchedFunction) -> Any:
        return f.value_and_grad(*args, argnums=2, coordinate="x")

    for epoch in range(5):
        with schedule.apply(epoch):
            results, counts = measured(lambda: call(apply))
            again, counts_again = measured(lambda: call(make()))
            assert same(results, again)
            assert counts == counts_again
            seen.add((results[1].tobytes(), counts["saturating_activations"]))
    assert len(seen) > 1


def test_the_policy_is_that_of_the_call() -> None:
    args, apply = inputs(200), make()

    def gradient(f: BatchedFunction) -> Any:
        return f.value_and_grad(*args, argnums=2)[1]

    with gradient_mode(GradientMode.HYBRID):
        GradientModeConfig.set_local_threshold(1e-9)
        before = gradient(apply)
        TRPolicyConfig.set_policy(TRPolicy(tau_Q_on=10.0, tau_Q_off=20.0))
        try:
            gradient(apply)
            HybridGradientContext.end_batch_policy_update()  # saturates from now on
            after = gradient(apply)
            assert same(after, gradient(make()))
            assert not same(after, before)
        finally:
            TRPolicyConfig.set_policy(None)


def test_native_code_and_threads_are_those_of_the_call(no_python: Callable[[], None]) -> None:
    args, apply = inputs(40_000), make()
    expected = apply.value_and_grad(*args, argnums=(0, 2))
    no_python()
    for on in (True, False):
        zp.set_native(on)
        for threads in (1, 3):
            zp.set_num_threads(threads)
            assert same(apply.value_and_grad(*args, argnums=(0, 2)), expected)


def test_blocks_that_watch_are_told() -> None:
    args, apply = inputs(50), make()
    expected = apply.value_and_grad(*args, argnums=2)
    with watch_singularities() as log:
        assert same(apply.value_and_grad(*args, argnums=2), expected)
        apply(*args)
    poles = int(np.count_nonzero(args[2] == 0.0))
    assert poles > 0
    assert log.counts["inf"] + log.counts["phi"] >= 2 * poles
    with pytest.raises(zp.SingularityError), watch_singularities(raise_on="inf"):
        apply.value_and_grad(*args, argnums=2)


@pytest.mark.parametrize("name", ["gradient", "mean", "jacobian", "jvp", "hvp", "hessian"])
def test_alarms_are_asked(name: str) -> None:
    apply, args = make(), inputs(50)
    CALLS[name](apply, args)

    def warned(f: BatchedFunction) -> list[str]:
        with warnings.catch_warnings(record=True) as caught, alarm(max_masked=0.01):
            warnings.simplefilter("always")
            CALLS[name](f, args)
        return [str(each.message) for each in caught]

    assert warned(apply) == warned(make())


def test_an_alarm_does_warn() -> None:
    apply, args = make(), inputs(50)
    apply.value_and_grad(*args)
    with pytest.warns(zp.MaskedSamplesWarning), alarm(max_masked=0.01):
        apply.value_and_grad(*args)


def test_statistics_are_those_of_the_thread_or_task() -> None:
    args, apply = inputs(64), make()

    def calls(times: int) -> int:
        for _ in range(times):
            apply.value_and_grad(*args, argnums=2)
        count: int = HybridGradientContext.get_statistics()["total_gradient_calls"]
        return count

    async def tasks() -> list[int]:
        async def task(times: int) -> int:
            return calls(times)

        return list(await asyncio.gather(task(1), task(2)))

    found: list[int] = []
    with gradient_mode(GradientMode.HYBRID):
        HybridGradientContext.reset()
        own = calls(1)
        assert own > 0
        assert asyncio.run(tasks()) == [own, 2 * own]

        def in_thread() -> None:
            with gradient_mode(GradientMode.HYBRID):
                found.append(calls(3))

        thread = threading.Thread(target=in_thread)
        thread.start()
        thread.join()
        assert found == [3 * own]
        assert calls(1) == 2 * own


def of_structures(p: Any, q: Any, x: Any) -> Any:
    return {"y": p["a"][0] * x / p["b"] + q[0] * q[1][0], "z": [x * p["b"], q[1][1]]}


P = {"a": np.array([1.0, 2.0]), "b": np.array(0.5)}
Q = (np.array(2.0), [np.array(3.0), np.array(4.0)])
X = np.array([0.5, 0.0, -2.0])
Z = np.array([2.0, 0.0, 0.0])


def structured() -> BatchedFunction:
    return tr_vmap(of_structures, in_axes=(None, None, 0))


def test_structures(no_python: Callable[[], None]) -> None:
    def calls(f: BatchedFunction) -> list[Any]:
        return [f(P, Q, X), f.jacobian(P, Q, X, argnums=(0, 2)), f.jvp((P, Q, X), (P, Q, X))]

    apply, expected = structured(), calls(structured())
    calls(apply)
    no_python()
    assert same(calls(apply), expected)


def test_arguments_by_keyword(no_python: Callable[[], None]) -> None:
    args = inputs(60)
    names = dict(zip("abxt", args))
    by_keyword: list[Callable[[BatchedFunction], Any]] = [
        lambda f: f(**names),
        lambda f: f(*args[:2], x=args[2], t=args[3]),
        lambda f: f(*args[:2], t=args[2], x=args[3]),
        lambda f: f.value_and_grad(*args[:2], t=args[3], x=args[2], argnums=-1),
        lambda f: f.value_and_grad(*args[:1], b=B, t=args[3], x=args[2], argnums=("t", 0)),
        lambda f: f.value_and_grad(**names, argnums=("x", "a"), reduce="mean"),
        lambda f: f.jacobian(*args[:3], t=args[3], argnums="t"),
        lambda f: f.hvp(args[:3], args[2] + 1.0, t=args[3], argnums=2),
        lambda f: f.jvp(args[:3], ones(args)[:3], t=args[3]),
    ]
    expected = [call(make()) for call in by_keyword]
    apply = make()
    for call in by_keyword:
        call(apply)
    no_python()
    for call, wanted in zip(by_keyword, expected):
        assert same(call(apply), wanted)


def test_other_keywords_are_told_apart() -> None:
    apply, args = make(), inputs(60)
    apply(*args[:2], x=args[2], t=args[3])

    def outcomes(f: BatchedFunction) -> list[str]:
        return [
            outcome(lambda: f(*args[:3], x=args[2])),
            outcome(lambda: f(*args[:2], x=args[2], s=args[3])),
            outcome(lambda: f(*args[:3], t=args[3])),
            outcome(lambda: f(*args)),
        ]

    assert outcomes(apply) == outcomes(make())


def test_gradients_by_structures(no_python: Callable[[], None]) -> None:
    def first(p: Any, q: Any, x: Any) -> Any:
        return of_structures(p, q, x)["y"]

    def calls(f: BatchedFunction) -> list[Any]:
        return [
            f.value_and_grad(P, Q, X, argnums=0),
            f.value_and_grad(P, Q, X, argnums=(1, 2), with_status=True),
            f.value_and_grad(P, Q, X, argnums=(0, 1), reduce="mean"),
            f.hvp((P, Q, X), (P, Q), argnums=(0, 1)),
        ]

    apply = tr_vmap(first, in_axes=(None, None, 0))
    expected = calls(apply)
    no_python()
    assert same(calls(apply), expected)


@pytest.mark.parametrize(
    "p",
    [
        {"b": P["b"], "a": P["a"]},
        OrderedDict(P),
        {**P, "c": np.array(1.0)},
        {"a": [np.array(1.0), np.array(2.0)], "b": P["b"]},
        {"a": [1.0, 2.0], "b": 0.5},
        {"a": P["a"].astype(np.float32), "b": 1},
    ],
)
def test_other_structures_are_told_apart(p: Any) -> None:
    apply = structured()
    apply(P, Q, X)
    assert same(apply(p, Q, X), structured()(p, Q, X))
    assert same(apply(P, Q, X), structured()(P, Q, X))


@pytest.mark.parametrize(
    "number", [2.0, 2, np.float64(2.0), real(2.0), np.array(2.0), TRArray(np.array(2.0))]
)
def test_numbers_that_samples_share(number: Any, no_python: Callable[[], None]) -> None:
    def scaled(a: Any, x: Any) -> Any:
        return a * x / (x - 1.0)

    x = TRArray(np.array([0.5, 1.0]))
    expected = tr_vmap(scaled, in_axes=(None, 0)).value_and_grad(number, x)
    apply = tr_vmap(scaled, in_axes=(None, 0))
    apply.value_and_grad(np.array(7.0), np.ones(1))
    no_python()
    assert same(apply.value_and_grad(number, x), expected)


@pytest.mark.parametrize("number", [True, np.float32(2.0), 10**400, "2", None])
def test_other_numbers_are_left_to_python(number: Any) -> None:
    def scaled(a: Any, x: Any) -> Any:
        return a * x

    apply = tr_vmap(scaled, in_axes=(None, 0))
    apply(np.array(7.0), X)
    assert outcome(lambda: apply(number, X)) == outcome(
        lambda: tr_vmap(scaled, in_axes=(None, 0))(number, X)
    )


def test_a_single_call(no_python: Callable[[], None]) -> None:
    def calls(f: BatchedFunction) -> list[Any]:
        return [f(2.0, 3.0), f.value_and_grad(2.0, 3.0, argnums=(0, 1)), f.hessian(2.0, 3.0)]

    expected = calls(tr_vmap(lambda x, y: x * x / y, in_axes=None))
    apply = tr_vmap(lambda x, y: x * x / y, in_axes=None)
    calls(apply)
    no_python()
    assert same(calls(apply), expected)


X300 = inputs(300)


class TestOut:
    def test_results_go_to_the_arrays(self, no_python: Callable[[], None]) -> None:
        apply = make()
        value, gradients = apply.value_and_grad(*X300, argnums=(2, 0))
        mean, shared = apply.value_and_grad(*X300, argnums=(0, 1), reduce="mean")
        product = apply.hvp(X300, ones(X300)[2], argnums=2)
        no_python()
        out = np.full(300, 7.0), [np.full(300, 7.0), np.full((300, 3), 7.0)]
        found, (by_x, by_a) = apply.value_and_grad(*X300, argnums=(2, 0), out=out)
        assert found.to_ieee() is out[0]
        assert by_x is out[1][0]
        assert by_a is out[1][1]
        assert same([found, (by_x, by_a)], [value, gradients])
        kept = (np.full(3, 7.0), np.full((2, 2), 7.0))
        again, summed = apply.value_and_grad(*X300, argnums=(0, 1), reduce="mean", out=kept)
        assert summed[0] is kept[0]
        assert same([again, summed], [mean, shared])
        one = np.full(300, 7.0)
        assert apply.hvp(X300, ones(X300)[2], argnums=2, out=one) is one
        assert same(one, product)

    def test_single_arrays_may_be_left_to_the_call(self) -> None:
        apply, gradient = make(), np.empty(300)
        expected = apply.value_and_grad(*X300, argnums=2)
        found = apply.value_and_grad(*X300, argnums=2, out=(None, gradient))
        assert found[1] is gradient
        assert same(found, expected)

    def test_arrays_that_overlap_stay_as_they_are(self) -> None:
        apply, memory = make(), np.arange(450.0)
        apply.value_and_grad(*X300, argnums=2)
        with pytest.raises(ValueError, match="shares memory"):
            apply.value_and_grad(*X300, argnums=2, out=(memory[:300], memory[150:]))
        assert same(memory, np.arange(450.0))


def test_more_calls_than_are_kept() -> None:
    apply = tr_vmap(lambda *args: sum(args[1:], args[0]) / args[0])
    args = [np.array([float(k + 1), 0.0]) for k in range(20)]
    for _ in range(2):
        for k in range(20):
            value, gradient = apply.value_and_grad(*args, argnums=k)
            fresh = tr_vmap(lambda *args: sum(args[1:], args[0]) / args[0])
            assert same((value, gradient), fresh.value_and_grad(*args, argnums=k))


def test_other_words_for_the_same_are_kept_too(no_python: Callable[[], None]) -> None:
    apply = tr_vmap(lambda x, y: x / y, coordinate="x")

    def calls() -> list[Any]:
        return [
            apply.jvp((X, Z), (X, Z), argnums=(0, 1)),
            apply.jvp((X, Z), (X, Z)),
            apply.value_and_grad(X, Z),
            apply.value_and_grad(X, Z, coordinate="x"),
        ]

    expected = calls()
    no_python()
    assert same(calls(), expected)


def test_finalizers_may_call_the_function() -> None:
    apply, seen = make(), []
    expected = apply.value_and_grad(*X300, argnums=2)
    other = inputs(20)
    of_other = make().value_and_grad(*other, argnums=(0, 3))

    class Caller:
        def __del__(self) -> None:
            seen.append(same(apply.value_and_grad(*other, argnums=(0, 3)), of_other))

    before = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for _ in range(50):
            each: Any = Caller()
            each.itself = each
            del each
            assert same(apply.value_and_grad(*X300, argnums=2), expected)
    finally:
        gc.set_threshold(*before)
    gc.collect()
    assert len(seen) == 50
    assert all(seen)


def test_threads_share_what_is_prepared() -> None:
    apply, wrong = make(), []
    cases = [(name, inputs(64 + k)) for k, name in enumerate(CALLS)]
    expected = [CALLS[name](make(), args) for name, args in cases]

    def work(first: int) -> None:
        for turn in range(2 * len(cases)):
            k = (first + turn) % len(cases)
            name, args = cases[k]
            if not same(CALLS[name](apply, args), expected[k]):
                wrong.append(name)

    threads = [threading.Thread(target=work, args=(4 * k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_results_belong_to_the_caller(no_python: Callable[[], None]) -> None:
    apply = make()
    first = apply.value_and_grad(*X300, argnums=(0, 1), reduce="mean")
    no_python()
    second = apply.value_and_grad(*X300, argnums=(0, 1), reduce="mean")
    kept = [each.copy() for each in second[1]]
    third = apply.value_and_grad(*X300, argnums=(0, 1), reduce="mean")
    third[1][0][...] = 0.0
    assert same(list(second[1]), kept)
    assert same(first, second)
    assert isinstance(second[0], TRScalar)


def test_what_is_forgotten_goes() -> None:
    import weakref

    class Function:
        def __call__(self, x: Any) -> Any:
            return x * x

    function = Function()
    gone = weakref.ref(function)
    apply = tr_vmap(function)
    apply(X)
    apply(X)
    del function, apply
    gc.collect()
    assert gone() is None
