"""``backward()`` where its gradients may be asked for their derivative: right, or refused."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from zeroproof import (
    TRNode,
    gradient_tape,
    tr_grad,
    tr_hessian,
    tr_hvp,
    tr_jacobian,
    tr_jvp,
    tr_value_and_grad,
    tr_vjp,
    tr_vmap,
)
from zeroproof.autodiff import backward_pass, check_gradient
from zeroproof.optim import SGD

INSIDE = pytest.raises(NotImplementedError, match=r"being differentiated.*tr_grad.*detach\(\)")
OPEN = pytest.raises(NotImplementedError, match=r"gradient_tape is open.*tr_grad")


def cubic(u: Any) -> Any:
    """u³, by a backward pass: the gradient of p·u² by p is u²."""
    p = TRNode.parameter(0.5)
    (p * u * u).backward()
    assert p.gradient is not None
    return p.gradient * u


def cubic_by_seed(u: Any) -> Any:
    """u², by what is handed to a backward pass."""
    p = TRNode.parameter(0.5)
    (p * 1.0).backward(u)
    assert p.gradient is not None
    return p.gradient * u


def cubic_by_function(u: Any) -> Any:
    p = TRNode.parameter(0.5)
    backward_pass(p * u * u)
    assert p.gradient is not None
    return p.gradient * u


WAYS: dict[str, Callable[[Callable[[Any], Any]], Any]] = {
    "tr_grad": lambda f: tr_grad(f)(2.0),
    "by a node": lambda f: tr_grad(f)(TRNode.constant(2.0)),
    "by a parameter": lambda f: tr_grad(f)(TRNode.parameter(2.0)),
    "by an array": lambda f: tr_grad(lambda x: f(x[0]))(np.array([2.0])),
    "by a keyword": lambda f: tr_grad(lambda *, u: f(u), argnums="u")(u=2.0),
    "tr_value_and_grad": lambda f: tr_value_and_grad(f)(2.0),
    "tr_jvp": lambda f: tr_jvp(f, (2.0,), (1.0,)),
    "tr_vjp": lambda f: tr_vjp(f, 2.0),
    "tr_hvp": lambda f: tr_hvp(f, 2.0, 1.0),
    "tr_hessian": lambda f: tr_hessian(f)(2.0),
    "tr_jacobian": lambda f: tr_jacobian(f)(2.0),
    "nested": lambda f: tr_grad(tr_grad(f))(2.0),
    "in another function": lambda f: tr_grad(lambda u: tr_grad(lambda v: v * f(u))(1.0))(2.0),
    "check_gradient": lambda f: check_gradient(f, 2.0),
}
in_every_way = pytest.mark.parametrize("differentiate", WAYS.values(), ids=WAYS.keys())
by_every_pass = pytest.mark.parametrize("f", [cubic, cubic_by_seed, cubic_by_function])


@in_every_way
@by_every_pass
def test_what_depends_on_an_argument_is_refused(
    f: Callable[[Any], Any], differentiate: Callable[[Callable[[Any], Any]], Any]
) -> None:
    with INSIDE:
        differentiate(f)
    # The refusal ends with the call.
    assert cubic(2.0) == 8.0


def test_the_way_that_the_error_names() -> None:
    def named(u: Any) -> Any:
        return tr_grad(lambda p: p * u * u)(0.5) * u

    assert tr_grad(named)(2.0) == 12.0
    assert tr_grad(lambda u: cubic(u.detach()) * u)(2.0) == 8.0


def test_what_depends_on_nodes_from_outside_is_refused() -> None:
    w = TRNode.parameter(3.0)

    def f(u: Any) -> Any:
        p = TRNode.parameter(0.5)
        (p * w).backward()
        return p.gradient * u  # type: ignore[operator]

    with INSIDE:
        tr_grad(f)(2.0)
    w.value = 4.0  # a new version of the same parameter
    with INSIDE:
        tr_grad(f)(2.0)

    def assigns(u: Any) -> Any:
        w.value = 5.0
        return f(u)

    with INSIDE:
        tr_grad(assigns)(2.0)
    assert w.gradient is None


def test_training_inside_on_nothing_from_outside() -> None:
    """What the function itself makes has gradients that depend on nothing else."""

    def f(u: Any) -> Any:
        w = TRNode.parameter(0.0)
        optimizer = SGD([w], lr=0.25)
        for _ in range(60):
            w.zero_grad()
            ((w - 3.0) ** 2).backward()
            optimizer.step()
        return w.item() * u * u

    assert tr_grad(f)(2.0).item() == pytest.approx(12.0, rel=1e-12)

    def outer(v: Any) -> Any:
        own = TRNode.parameter(2.0)
        return tr_grad(lambda u: cubic(own) * u)(v)  # from outside of the inner function

    with INSIDE:
        tr_grad(outer)(1.0)


def test_an_open_tape_refuses() -> None:
    x = TRNode.parameter(2.0)
    with gradient_tape() as outer, OPEN:
        (x * x * x).backward()
    with OPEN, gradient_tape(), gradient_tape():
        cubic(x)
    assert x.gradient is None
    with gradient_tape() as outer:
        with gradient_tape() as inner:
            y = x * x * x
        loss = inner.gradient(y, x) * x
    loss.backward()
    assert x.gradient == outer.gradient(loss, x) == 36.0


def test_tapes_of_other_threads_and_tasks_do_not_matter() -> None:
    done: list[Any] = []

    def train() -> None:
        x = TRNode.parameter(2.0)
        (x * x).backward()
        done.append(x.gradient)

    with gradient_tape():
        thread = threading.Thread(target=train)
        thread.start()
        thread.join()
    assert done == [4.0]

    async def main() -> None:
        opened, trained = asyncio.Event(), asyncio.Event()

        async def with_tape() -> None:
            with gradient_tape():
                opened.set()
                await trained.wait()

        async def without() -> None:
            await opened.wait()
            train()
            trained.set()

        await asyncio.gather(with_tape(), without())

    asyncio.run(main())
    assert done == [4.0, 4.0]


def test_a_traced_function_takes_no_nodes_that_require_a_gradient() -> None:
    with pytest.raises(TypeError, match=r"cannot be a constant of a traced function"):
        tr_vmap(cubic)(np.array([2.0]))

    def own(u: Any) -> Any:
        p = TRNode.parameter(0.5)
        (p * p).backward()
        return p.gradient * u * u  # type: ignore[operator]

    assert tr_vmap(own).value_and_grad(np.array([2.0]))[1].tolist() == [4.0]
    with INSIDE:
        tr_grad(lambda u: cubic(u) + tr_vmap(own)(np.array([2.0])).item())(2.0)


def test_the_refusal_ends_with_an_exception_of_the_function() -> None:
    def fails(u: Any) -> Any:
        raise KeyError("no")

    with pytest.raises(KeyError):
        tr_grad(fails)(2.0)
    x = TRNode.parameter(2.0)
    (x * x).backward()
    assert x.gradient == 4.0


def in_a_thread(f: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(f).result()


def while_another_lasts(work: Callable[[], Any]) -> None:
    """In a thread, while a function is differentiated that has nothing to do with it."""

    def function(v: Any) -> Any:
        in_a_thread(work)
        return v

    tr_grad(function)(1.0)


@in_every_way
@by_every_pass
def test_a_thread_that_works_for_the_function_is_refused_too(
    f: Callable[[Any], Any], differentiate: Callable[[Callable[[Any], Any]], Any]
) -> None:
    with INSIDE:
        differentiate(lambda u: in_a_thread(lambda: f(u)))
    assert in_a_thread(lambda: cubic(2.0)) == 8.0


def test_a_thread_in_a_function_of_its_own() -> None:
    def outer(u: Any) -> Any:
        return in_a_thread(lambda: tr_grad(lambda v: v * v + cubic(u).detach())(1.0))

    with INSIDE:
        tr_grad(outer)(2.0)


def test_threads_that_have_nothing_to_do_with_the_function_train_on() -> None:
    shared = TRNode.parameter(3.0)

    def f(u: Any) -> Any:
        assert in_a_thread(lambda: cubic(2.0)) == 8.0
        in_a_thread((shared * 2.0).backward)
        assert in_a_thread(lambda: cubic(u.detach()).item()) == u.item() ** 3
        kept.append(u * u)
        return u * u * shared

    kept: list[TRNode] = []
    assert tr_grad(f)(2.0).item() == 12.0
    _, pull = tr_vjp(f, TRNode.parameter(2.0))
    assert shared.gradient == 4.0
    # When the call is over, its nodes are as any others, also while another one lasts.
    while_another_lasts((kept[-1] * TRNode.parameter(0.5)).backward)
    assert pull(1.0)


def test_an_argument_that_is_assigned_a_value_stays_one_until_the_call_is_over() -> None:
    kept: list[TRNode] = []

    def f(u: Any) -> Any:
        kept.append(u * 2.0)
        u.value = 3.0
        with INSIDE:
            in_a_thread(lambda: cubic(u))
        return u * u

    _, pull = tr_vjp(f, 2.0)
    while_another_lasts(kept[0].backward)
    assert pull(1.0)


def test_a_root_without_parameters_is_told_apart() -> None:
    with gradient_tape(), pytest.raises(RuntimeError, match="depends on no parameter"):
        TRNode.constant(1.0).backward()
