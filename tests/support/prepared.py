"""Calls of a batched function, of all methods, and the comparison of their results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from zeroproof import TRArray, tr_vmap
from zeroproof.autodiff import BatchedFunction

RNG = np.random.default_rng(5)
A, B = RNG.uniform(0.5, 1.5, 3), RNG.uniform(0.5, 1.5, (2, 2))


def loss(a: Any, b: Any, x: Any, t: Any) -> Any:
    """Of a vector and a matrix that the samples share, and two numbers of each."""
    return (a[0] + x * (a[1] + x * a[2])) / (x - b[0, 0] * b[1, 1]) * b[0, 1] - t / x


def make() -> BatchedFunction:
    return tr_vmap(loss, in_axes=(None, None, 0, 0))


def inputs(samples: int) -> tuple[Any, ...]:
    x, t = RNG.uniform(-1.0, 1.0, (2, samples))
    x[::7] = 0.0  # a pole
    return A, B, x, t


def same(one: Any, other: Any) -> bool:
    """Whether results have the same types, structures and bits."""
    if type(one) is not type(other):
        return False
    if isinstance(one, TRArray):
        return same(one.to_ieee(), other.to_ieee())
    if isinstance(one, np.ndarray):
        is_alike = one.dtype == other.dtype and one.shape == other.shape
        return is_alike and one.tobytes() == other.tobytes()
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (tuple, list)):
        return len(one) == len(other) and all(map(same, one, other))
    return repr(one) == repr(other)


Call = Callable[[BatchedFunction, tuple[Any, ...]], Any]


def ones(args: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple([np.linspace(0.5, 1.5, each.size).reshape(each.shape) for each in args])


CALLS: dict[str, Call] = {
    "values": lambda f, args: f(*args),
    "gradient": lambda f, args: f.value_and_grad(*args, argnums=2),
    "of a negative number": lambda f, args: f.value_and_grad(*args, argnums=-2),
    "of a name": lambda f, args: f.value_and_grad(*args, argnums="x"),
    "of a tuple": lambda f, args: f.value_and_grad(*args, argnums=(2, "a", 3)),
    "of a list": lambda f, args: f.value_and_grad(*args, argnums=[0, 2]),
    "of an empty tuple": lambda f, args: f.value_and_grad(*args, argnums=()),
    "sum": lambda f, args: f.value_and_grad(*args, argnums=(0, 1), reduce="sum"),
    "mean": lambda f, args: f.value_and_grad(*args, argnums=(1, 2), reduce="mean"),
    "statuses": lambda f, args: f.value_and_grad(*args, argnums=(0, 2), with_status=True),
    "statuses of a mean": lambda f, args: f.value_and_grad(
        *args, argnums=(0, 2), reduce="mean", with_status=True
    ),
    "coordinate": lambda f, args: f.value_and_grad(*args, argnums=2, coordinate="x"),
    "jacobian": lambda f, args: f.jacobian(*args, argnums=(0, 2)),
    "jacobian, statuses": lambda f, args: f.jacobian(*args, argnums=2, with_status=True),
    "values and jacobian": lambda f, args: f.value_and_jacobian(*args, argnums=1),
    "jvp": lambda f, args: f.jvp(args, ones(args)),
    "jvp of one": lambda f, args: f.jvp(args, ones(args)[2], argnums=2, with_status=True),
    "jvp, mean": lambda f, args: f.jvp(args, ones(args)[:2], argnums=(0, 1), reduce="mean"),
    "hvp": lambda f, args: f.hvp(args, ones(args)[2], argnums=2),
    "hvp, transposed": lambda f, args: f.hvp(
        args, [ones(args)[0], ones(args)[3]], argnums=(0, 3), transposed=True, with_status=True
    ),
    "hvp, sum": lambda f, args: f.hvp(args, ones(args)[0], reduce="sum"),
    "hessian": lambda f, args: f.hessian(*args, argnums=(0, 2)),
    "hessian, mean": lambda f, args: f.hessian(*args, argnums=1, reduce="mean", with_status=True),
}


def outcome(call: Callable[[], Any]) -> str:
    """The result as text, or the error."""
    try:
        return repr(call())
    except Exception as error:  # whatever it is, it must be the same
        return f"{type(error).__name__}: {error}"
