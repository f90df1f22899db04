"""No operation leaves a floating-point flag of the processor behind.

NumPy looks at the flags after each loop over objects. Under ``errstate(all="raise")`` it raises if
one of overflow, underflow, division by zero and invalid operation is set, and loses the results.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import zeroproof
from zeroproof import (
    GradientMode,
    HybridGradientSchedule,
    OpType,
    ReductionMode,
    TRNode,
    TRScalar,
    from_ieee,
    gradient_mode,
    tr_vmap,
    watch_singularities,
)
from zeroproof.autodiff import conditions, saturating_ops, tr_ops_grad

LEAST = 2.2250738585072014e-308
VALUES = [0.0, -0.0, 5e-324, LEAST, -1e-200, 0.3, 1.0, -2.0, 800.0, 1e200, np.inf, -np.inf, np.nan]
KINDS: dict[str, Callable[[float], Any]] = {"scalars": TRScalar, "nodes": TRNode.parameter}
OPERATORS = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.truediv,
    operator.pow,
    operator.mod,
]
COMPARISONS = [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]


@pytest.fixture(autouse=True)
def raising() -> Iterator[None]:
    """NumPy raises for every flag."""
    with np.errstate(all="raise"):
        yield


def array(kind: str, values: list[float]) -> Any:
    made = np.empty(len(values), dtype=object)
    made[:] = [KINDS[kind](value) for value in values]
    return made


def each(function: Callable[..., Any], *arrays: Any) -> Any:
    """What a function makes of every combination of elements, in a loop of NumPy."""
    return np.frompyfunc(function, len(arrays), 1)(*np.meshgrid(*arrays))


@pytest.mark.parametrize(
    "flag", [lambda x: x * 1e308 * 10.0, lambda x: x * 1e-308 * 1e-3, lambda x: x * np.inf * 0.0]
)
def test_numpy_would_see_a_flag(flag: Callable[[float], float]) -> None:
    with pytest.raises(FloatingPointError):
        each(flag, np.array([1.0 + 1e-15], dtype=object))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("apply", [*OPERATORS, *COMPARISONS])
def test_operators(apply: Callable[..., Any], kind: str) -> None:
    a, b = array(kind, VALUES), array(kind, VALUES)
    pairs = np.meshgrid(a, b)
    assert apply(*pairs).shape == pairs[0].shape
    for value in VALUES:
        apply(value, a), apply(a, value), apply(TRScalar(value), a), apply(a, TRScalar(value))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("exponent", [-3, -1, 0, 1, 2, 7])
def test_powers(kind: str, exponent: int) -> None:
    a = array(kind, VALUES)
    assert (a**exponent).shape == a.shape
    each(lambda x: zeroproof.tr_pow_int(x, exponent), a)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "op", [op for op in OpType if hasattr(tr_ops_grad, f"tr_{op.name.lower()}")]
)
def test_functions_and_their_derivatives(op: OpType, kind: str) -> None:
    name = f"tr_{op.name.lower()}"
    for function in getattr(zeroproof, name), getattr(tr_ops_grad, name):
        a = array(kind, VALUES)
        try:
            function(TRNode.constant(1.0))
        except TypeError:
            try:
                function(TRNode.constant(1.0), TRNode.constant(1.0))
            except TypeError:
                continue  # takes an int or an iterable, as tested elsewhere here
            results = each(function, a, a)
        else:
            results = each(function, a)
        nodes = [node for node in results.flat if isinstance(node, TRNode) and node.requires_grad]
        for mode in GradientMode:
            with gradient_mode(mode):
                each(lambda node: node.backward(), np.array(nodes, dtype=object))


def test_all_functions_were_met() -> None:
    names = {f"tr_{op.name.lower()}" for op in OpType}
    assert len([name for name in names if hasattr(zeroproof, name)]) > 30


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ReductionMode)
@pytest.mark.parametrize("name", ["tr_sum", "tr_prod", "tr_mean", "tr_norm", "tr_logsumexp"])
def test_reductions(name: str, mode: ReductionMode, kind: str) -> None:
    function, values = getattr(zeroproof, name), array(kind, VALUES)
    huge, tiny = array(kind, [1e300] * 9), array(kind, [1e-300] * 9)

    def reduce(least: int) -> Any:
        for given in values[least:], huge, tiny:
            result = function(list(given), mode=mode)
            if isinstance(result, TRNode):
                result.backward()

    each(reduce, np.arange(len(VALUES)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["tr_less", "tr_less_equal", "tr_equal"])
def test_conditions(name: str, kind: str) -> None:
    a = array(kind, VALUES)
    each(getattr(conditions, name), a, a)
    each(conditions.tr_is_real, a)


@pytest.mark.parametrize("mode", GradientMode)
def test_batches(mode: GradientMode) -> None:
    f = tr_vmap(lambda x: zeroproof.tr_exp(x) / (x * x) + zeroproof.tr_log(x))

    def replay(_: Any) -> None:
        f.value_and_grad(np.array(VALUES))
        f.value_and_grad(np.array(VALUES * 1000), reduce="sum")
        f.jacobian(np.array(VALUES))

    with gradient_mode(mode):
        each(replay, np.arange(2))


def test_what_is_asked_of_a_graph() -> None:
    def ask(x: TRNode) -> None:
        y = x * 1e200 / (x - x) + zeroproof.tr_exp(x)
        str(y.explain())
        y.to_dot()
        y.detach()

    each(ask, array("nodes", VALUES))
    with watch_singularities():
        each(ask, array("nodes", VALUES))


def test_the_schedule_and_the_bounded_rules() -> None:
    schedule = HybridGradientSchedule(delta_init=1e-2, delta_final=1e-300, min_delta=0.0)
    each(lambda epoch: schedule.get_delta(epoch, 1e-320), np.arange(40))
    each(saturating_ops.saturate_value, array("scalars", VALUES))

    def train(epoch: int) -> None:
        with schedule.apply(epoch):
            x = TRNode.input(1e-160)
            (1.0 / (x * x)).backward()
            zeroproof.HybridGradientContext.get_statistics()

    each(train, np.arange(3))


def test_flags_of_others_stay() -> None:
    def overflow(x: Any) -> Any:
        float(x) * 1e308 * 10.0
        y = TRNode.parameter(2.0)
        (y * y).backward()
        return y

    with pytest.raises(FloatingPointError):
        each(overflow, np.array([1.0]))


def test_arrays_of_values_and_of_floats_meet() -> None:
    with np.errstate(all="warn"):
        x = TRNode.parameter(0.0)
        quotients = np.array([1.0, 0.0]) / from_ieee(np.array([0.0, 0.0]))
        assert [str(q) for q in quotients] == ["+∞", "Φ"]
        assert [str(q.value) for q in np.array([1.0, 0.0]) / x] == ["+∞", "Φ"]
