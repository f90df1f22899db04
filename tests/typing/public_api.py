"""Uses the public API as a strictly typed program would; the type checker reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional, Union

import numpy as np
import numpy.typing as npt

from zeroproof import (
    Program,
    SampleMask,
    TRArray,
    TRNode,
    TRPolicy,
    TRPolicyConfig,
    TRScalar,
    TRTag,
    from_ieee,
    get_num_threads,
    load_program,
    real,
    set_num_threads,
    to_ieee,
    tr_inv,
    tr_log,
    tr_mul,
    tr_polyval,
    tr_pow_int,
    tr_softmax,
    tr_solve,
    tr_std,
    tr_take,
    tr_var,
)
from zeroproof.autodiff import (
    BatchedFunction,
    GradientCheck,
    GradientMode,
    GradientModeConfig,
    GradientRow,
    GradientStatus,
    HybridGradientContext,
    HybridGradientSchedule,
    HybridStatistics,
    OpType,
    Partial,
    ScheduleType,
    TRGradientTape,
    Verdict,
    assert_gradient,
    backward_pass,
    check_gradient,
    compute_input_gradients,
    create_default_schedule,
    gradient_mode,
    gradient_tape,
    saturate_value,
    saturating_div_grad,
    topological_sort,
    tr_and,
    tr_div,
    tr_grad,
    tr_is_real,
    tr_less,
    tr_not,
    tr_ops_grad,
    tr_sum,
    tr_value_and_grad,
    tr_vmap,
    tr_where,
    use_saturating,
)
from zeroproof.core import ReductionMode, tr_mean
from zeroproof.optim import SGD, Adam, Optimizer, StepReport

if TYPE_CHECKING:
    from typing_extensions import assert_type

Objects = npt.NDArray[np.object_]
Doubles = npt.NDArray[np.float64]
Flags = npt.NDArray[np.uint8]


def scalars() -> tuple[TRScalar, TRTag, float, bool]:
    """Scalars mix with numbers on either side."""
    a: TRScalar = 1 + real(2.0) * 3.0 / np.float64(4.0) - real(1)
    b: TRScalar = -((abs(a) ** 2) ** 0.5) + 2.0**a
    mean: TRScalar = tr_mean([a, b, 1.0], ReductionMode.DROP_NULL)
    return mean, a.tag, float(a), a <= b


def bridge() -> tuple[TRScalar, float]:
    """Arrays map to arrays, numbers to numbers."""
    array = from_ieee(np.array([1.0, np.inf]))
    doubles = to_ieee(array)
    return from_ieee(float(doubles[0])), to_ieee(real(1.0))


def nodes() -> tuple[Optional[TRScalar], GradientStatus, OpType, tuple[TRNode, ...]]:
    """Nodes and their gradients."""
    x: TRNode = TRNode.parameter(real(0.5), name="x")
    y: TRNode = 2 * x**3 + x**x - 2.0**x + tr_div(1.0, x) - tr_sum([x, 1.0, real(2.0)])
    y.backward()
    backward_pass(y, grad_output=2.0)
    steps: list[TRScalar] = compute_input_gradients(y, 1.0)
    order: list[TRNode] = topological_sort(y)
    assert len(steps) == len(order[0].inputs)
    return x.gradient, x.gradient_status, y.op, y.inputs


def operations() -> tuple[TRScalar, TRNode, Objects]:
    """One function per operation answers in the kind of its operands."""
    x: TRNode = TRNode.parameter(0.5)
    array = np.array([1.0, 2.0])
    scalar: TRScalar = tr_mul(tr_log(2), np.float64(0.5)) + tr_pow_int(real(2.0), 3)
    node: TRNode = tr_mul(tr_log(x), 2.0) + tr_mul(np.float32(2.0), x) + tr_pow_int(x, np.int64(2))
    objects: Objects = tr_mul(tr_log(array), x)
    objects = tr_mul(2.0, tr_pow_int(objects, np.array([1, 2])))
    objects = tr_mul(array, array.astype(np.int8))
    objects = tr_log([x, 2.0])
    scalar = real(7.0) % 2.0 + scalar.sin().clip(0.0, 1.0)
    node = x % 2.0 + 2.0 % x + x.sqrt().round(2) + np.float64(2.0) % x
    total: TRScalar = tr_sum([1.0, real(2.0)], mode=ReductionMode.STRICT)
    node_total: TRNode = tr_sum([x, x])
    polynomial: TRScalar = tr_polyval([1.0, real(2.0)], 3) + tr_polyval(array, 0.5)
    node_polynomial: TRNode = tr_polyval([1.0, x], x) + tr_polyval([1.0, real(2.0)], x)
    objects = tr_polyval([1.0, x], array)
    either: Union[TRScalar, TRNode] = tr_sum([x, 1.0])
    lifted: TRNode = tr_ops_grad.tr_log(1.0) + tr_ops_grad.tr_sum([1.0, x])
    assert isinstance(either, TRNode)
    return (
        scalar + total + polynomial,
        node + node_total + node_polynomial + either + lifted,
        objects,
    )


def composed() -> tuple[TRScalar, TRNode, TRArray, Objects]:
    """Functions that are made of operations."""
    x: TRNode = TRNode.parameter(0.5)
    spread: TRScalar = tr_var([1.0, real(2.0)], ddof=1) + tr_std(np.array([1.0, 2.0]))
    node: TRNode = tr_var([x, x]) + tr_take([x, 1.0], 0)
    weights: Objects = tr_softmax([x, 1.0])
    inverse: Objects = tr_inv([[x, 1.0], [0.0, 1.0]])
    array: TRArray = tr_inv(TRArray([[1.0]])) + tr_softmax(TRArray([1.0]))
    array[0] = real(1.0)
    array *= 2.0
    assert isinstance(tr_solve(array, [1.0]), TRArray)
    return spread, node, array, np.append(weights, inverse)


def functions() -> tuple[TRNode, Optional[float], Optional[float]]:
    """Gradients of functions and by a tape."""
    with gradient_tape(persistent=True) as tape:
        watched: TRGradientTape = tape
        watched.watch(TRNode.constant(1.0))
    value, gradient = tr_value_and_grad(lambda x: x * x)(3.0)
    assert gradient == tr_grad(lambda x: x * x)(3.0)
    print(value)
    assert_gradient(lambda x: 1.0 / x, 0.0, mode="hybrid", allow={Verdict.REMOVABLE})
    check: GradientCheck = check_gradient(lambda x: x * x, 3.0, mode=GradientMode.MASK_REAL)
    row: GradientRow = check.rows[0]
    assert check.ok
    analytical, numerical, relative_error = check
    agrees: bool = abs(analytical - numerical) <= relative_error * abs(numerical)
    assert agrees
    assert bool(check)
    return gradient, row.numerical, row.relative_error


def gradients_by_kind(number: float, array: Doubles, node: TRNode, objects: Objects) -> None:
    """Gradients have the kind of the first argument; those of structures are Any."""

    def f(x: Any, *rest: Any) -> Any:
        return x

    assert_type(tr_grad(f)(number), TRNode)
    assert_type(tr_grad(f)(node, number), TRNode)
    assert_type(tr_grad(f)(array), Doubles)
    assert_type(tr_grad(f)(objects), Objects)
    assert_type(tr_grad(f)({"a": number}), Any)
    assert_type(tr_grad(f, with_status=True)(real(number)), tuple[TRNode, GradientStatus])
    assert_type(tr_grad(f, with_status=True)(array), tuple[Doubles, Flags])
    assert_type(tr_grad(f, (0, "x"))(number), tuple[Any, ...])
    assert_type(tr_grad(f, "x", has_aux=True)(number), tuple[Any, Any])
    assert_type(tr_value_and_grad(f)(number), tuple[TRScalar, TRNode])
    assert_type(tr_value_and_grad(f)(node), tuple[TRNode, TRNode])
    assert_type(tr_value_and_grad(f)(array), tuple[TRArray, Doubles])
    value, gradient, status = tr_value_and_grad(f, with_status=True)(array)
    assert_type(value, TRArray)
    assert_type(gradient, Doubles)
    assert_type(status, Flags)
    any_value, by_name = tr_value_and_grad(f, "x")([number])
    assert_type(any_value, Union[TRScalar, TRArray, TRNode])
    assert_type(by_name, Any)
    _, several = tr_value_and_grad(f, argnums=[0, 1])(number, array)
    assert_type(several, tuple[Any, ...])
    (with_aux, aux), _ = tr_value_and_grad(f, has_aux=True)(number)
    assert_type(with_aux, Union[TRScalar, TRArray, TRNode])
    assert_type(aux, Any)


def gradients_of_batches(array: Doubles, reduce: Optional[str]) -> None:
    """The number and the types of the results follow from the request."""
    batched = tr_vmap(lambda x, p: x)
    assert_type(batched, BatchedFunction)
    vg = batched.value_and_grad
    assert_type(vg(array, 1.0), tuple[TRArray, Doubles])
    assert_type(vg(array, [1.0, 2.0], argnums="p"), tuple[TRArray, Doubles])
    assert_type(vg(array, p=array, argnums=(0, "p")), tuple[TRArray, tuple[Doubles, ...]])
    assert_type(vg(array, reduce="mean"), tuple[TRScalar, Doubles])
    assert_type(
        vg(array, argnums=[0, 1], reduce="sum", with_status=True),
        tuple[TRScalar, tuple[Doubles, ...], tuple[Flags, ...]],
    )
    assert_type(vg(array, with_status=True), tuple[TRArray, Doubles, Flags])
    assert_type(vg(array, with_mask=True), tuple[TRArray, Doubles, SampleMask])
    assert_type(
        vg(array, reduce="mean", with_status=True, with_mask=True),
        tuple[TRScalar, Doubles, Flags, SampleMask],
    )
    assert_type(vg(array, {"a": 1.0}, argnums=1), tuple[TRArray, Any])
    assert_type(vg(array, {"a": 1.0}, reduce="mean"), tuple[TRScalar, Any])
    unknown: npt.NDArray[Any] = np.array([1.0, 2.0])
    assert_type(vg(unknown, array, reduce="mean"), tuple[TRScalar, Doubles])
    assert_type(vg(unknown, with_status=True), tuple[TRArray, Doubles, Flags])
    assert_type(
        vg({"a": array}, reduce="mean", with_status=True, with_mask=True),
        tuple[TRScalar, Any, Any, SampleMask],
    )
    assert_type(vg(array, has_aux=True), tuple[tuple[TRArray, Any], Any])
    assert_type(vg(array, has_aux=True, reduce="sum"), tuple[tuple[TRScalar, Any], Any])
    assert_type(vg(array, reduce=reduce), tuple[Any, ...])
    assert_type(batched.jacobian(array, {"a": 1.0}), Doubles)
    assert_type(batched.jacobian(array, with_status=True), tuple[Doubles, Flags])


def parts_of_batches(array: Doubles) -> None:
    """Parts merge to parts, and are finished like a reduction."""
    part = tr_vmap(lambda x: x).partial(array, start=0, mode=GradientModeConfig.snapshot())
    assert_type(part, Partial)
    assert_type(part + part, Partial)
    assert_type(Partial.merge([part]), Partial)
    assert_type(part.finish("sum"), tuple[TRScalar, Any])
    assert_type(part.finish(with_status=True), tuple[TRScalar, Any, Any])
    assert_type(part.statistics + HybridGradientContext.measured(), HybridStatistics)


def modes() -> tuple[GradientMode, float, Optional[float], dict[str, Any]]:
    """Modes, schedules and statistics."""
    schedule: HybridGradientSchedule = create_default_schedule(aggressive=True, warmup_epochs=2)
    schedule.schedule_type = ScheduleType.COSINE
    TRPolicyConfig.set_policy(TRPolicy(tau_Q_on=0.1, tau_Q_off=0.2))
    with schedule.apply(3), gradient_mode(GradientMode.HYBRID, saturation_bound=0.5):
        delta: Optional[float] = schedule.get_delta(3, q_min=0.01)
        GradientModeConfig.set_local_threshold(delta)
    with use_saturating(0.1):
        bounded: tuple[TRScalar, TRScalar] = saturating_div_grad(1.0, 2.0, 1.0)
        squeezed: TRScalar = saturate_value(bounded[0])
        assert squeezed.tag is TRTag.REAL
    return (
        GradientModeConfig.get_mode(),
        GradientModeConfig.get_saturation_bound(),
        GradientModeConfig.get_local_threshold(),
        HybridGradientContext.get_statistics(),
    )


def batches() -> tuple[TRArray, int]:
    """A function on nodes, replayed over samples."""

    def capped(x: TRNode, limit: TRNode) -> TRNode:
        near = tr_and(tr_is_real(x), tr_not(tr_less(x, limit)))
        return tr_where(near, limit, x * x)

    chosen: TRScalar = tr_where(tr_less(1.0, real(2.0)), 1.0, real(2.0))
    assert chosen.tag is TRTag.REAL
    batched: BatchedFunction = tr_vmap(capped, in_axes=(0, None), coordinate="x")
    y: TRArray = batched(np.linspace(-1.0, 1.0, 5), 0.5)
    y, gradients = batched.value_and_grad(y, 0.5, argnums=(0, 1))
    total, row = batched.value_and_grad(y, 0.5, argnums=0, reduce="mean")
    assert y.tags.shape == y.values.shape == gradients[0].shape == row.shape
    assert isinstance(total, TRScalar)
    jacobian = batched.jacobian(y, 0.5, argnums=[0])
    program: Program = batched.program(y, 0.5)
    program.save("program.json")
    loaded: Program = load_program("program.json", max_nodes=100)
    steps: list[tuple[Any, ...]] = loaded.steps()
    source: str = loaded.to_c("evaluate")
    print(program, jacobian, loaded.value_and_grad(y, 0.5), steps, source, loaded.name)
    set_num_threads(2)
    return y, get_num_threads()


def training() -> tuple[StepReport, float, Optional[StepReport]]:
    """Optimizers of nodes, arrays and structures of them."""
    node: TRNode = TRNode.parameter(0.5)
    optimizers: list[Optimizer] = [
        SGD([node], lr=0.1, momentum=0.9, nesterov=True, masked="skip"),
        Adam({"p": np.zeros(3)}, lr=lambda step: 0.1 / (1 + step), betas=(0.9, 0.99)),
    ]
    (node * node).backward()
    total: StepReport = optimizers[0].step() + StepReport(updated=1)
    total += optimizers[1].step({"p": np.ones(3)}, GradientStatus.EXACT)
    optimizers[0].zero_grad()
    optimizers[0].lr = 0.5
    state: dict[str, Any] = optimizers[1].state_dict()
    optimizers[1].load_state_dict(state)
    count: int = total.updated + optimizers[0].steps
    assert count
    return total, optimizers[1].lr, optimizers[0].last_step


def universal(x: TRNode, a: TRScalar) -> tuple[TRNode, TRScalar]:
    """Universal functions of NumPy take what they compute with."""
    return np.sin(x), np.sqrt(a)
