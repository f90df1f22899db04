"""A short use of every public entry point, which suites of attacks run under their conditions.

An entry is the text of a program, which runs with all public names, ``np``, nodes ``x`` (0.5) and
``q`` (0.0), an array ``X`` with a pole at 0 and a folder. What it leaves in ``result`` must not
depend on what else happened in the process; entries that read such things leave nothing there.
"""

# ruff: noqa: E501

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import warnings
from collections.abc import Iterator
from enum import Enum
from functools import cache
from types import ModuleType
from typing import Any

import zeroproof
from support.op_cases import cases

#: Modules that need a package that may not be installed, and the parts of the bridges.
OTHERS = {
    "zeroproof.dask",
    "zeroproof.jax",
    "zeroproof.onnx",
    "zeroproof.sklearn",
    "zeroproof.torch",
    "zeroproof.replay",
}

ENTRIES: dict[str, str] = {}


def entry(names: str, text: str) -> None:
    """Enters a program for some names."""
    for name in names.split():
        assert name not in ENTRIES, name
        ENTRIES[name] = text


# Operations, in every kind: scalars, nodes, arrays of nodes, tracers.

for case in cases("unary", "binary", "power", "variadic"):
    name, operands = f"tr_{case.name}", {"unary": "{0}", "binary": "{0}, {0}", "power": "{0}, -2"}
    call = f"{name}({operands.get(case.arity, '[{0}, 1.0, {0}]')})"
    a, b = call.format("a"), call.format("x * q")
    entry(
        name,
        f"""
def f(a): return {a}
result = [f(real(0.5)), f(phi()), f(pinf()), f(x), f(q), {b}]
for y in result[3:]:
    if isinstance(y, TRNode) and y.requires_grad: y.backward()
result += [x.gradient, q.gradient, tr_vmap(f)(X), tr_vmap(f).jacobian(X)]
""",
    )

entry("real pinf ninf phi", "result = [real(2.0), pinf(), ninf(), phi()]")
entry(
    "is_real is_pinf is_ninf is_phi is_finite is_infinite",
    """
tests = is_real, is_pinf, is_ninf, is_phi, is_finite, is_infinite
result = [test(a) for test in tests for a in (1.0, real(1.0), x / q, 1.0 / q)]
""",
)
entry("from_ieee to_ieee", "result = [to_ieee(from_ieee(float('nan'))), to_ieee(ninf())]")
entry("tr_clip", "result = [tr_clip(a, 0.0, x) for a in (real(1.0), q, X)]")
entry("tr_polyval", "result = [tr_polyval([1.0, x, q], a) for a in (0.5, x, 1.0 / q)]")
entry("Number Operand Value", "result = [str(Number), str(Operand), str(Value)]")
entry("ReductionMode", "result = [tr_sum([1.0 / q, phi(), x], mode=m) for m in ReductionMode]")
entry("TRTag", "result = [(a.tag, TRTag(int(a.tag))) for a in (x, 1.0 / q, phi())]")
entry("OpType", "result = [(OpType(int(each)), each.name) for each in OpType]")
entry("GradientStatus", "(1.0 / q).backward(); result = [q.gradient_status, list(GradientStatus)]")
entry("GradientMode", "result = [GradientMode(int(mode)) for mode in GradientMode]")
entry(
    "ScheduleType",
    "result = [HybridGradientSchedule(schedule_type=t).get_delta(3) for t in ScheduleType]",
)
entry("Verdict", "result = list(Verdict)")

for kind in ("TRScalar", "TRNode"):
    made = {"TRScalar": "real(0.5), phi()", "TRNode": "x, 1.0 / q"}[kind]
    entry(
        kind,
        f"""
assert {kind}
result = []
for a in ({made}):
    result += [a.value, a.tag, a.item(), str(a), a + a, a * 2, 1 / a, -a, abs(a), a**2, a**-1, a == a, a < 1]
    result += [a.arccos(), a.arccosh(), a.arcsin(), a.arcsinh(), a.arctan(), a.arctan2(1.0), a.arctanh()]
    result += [a.cbrt(), a.ceil(), a.clip(0.0, 1.0), a.conjugate(), a.cos(), a.cosh(), a.deg2rad(), a.degrees()]
    result += [a.exp(), a.exp2(), a.expm1(), a.fabs(), a.floor(), a.hypot(1.0), a.log(), a.log10(), a.log1p()]
    result += [a.log2(), a.rad2deg(), a.radians(), a.rint(), a.round(), a.sin(), a.sinh(), a.sqrt(), a.square()]
    result += [a.tan(), a.tanh(), a.trunc(), np.log(a), np.add(a, X)]
"""
        + """
y = TRNode.input(2.0) * TRNode.constant(3.0) / TRNode.parameter(0.0, name="p")
y.backward()
result += [y.op, y.inputs, y.is_leaf, y.name, y.requires_grad, y.detach(), y.gradient, y.gradient_status]
result += [str(y.explain()).count("masked"), y.to_dot().count("->"), y.inputs[0].gradient]
y.zero_grad()
x.assign(2.0)
x.value = 3.0
result += [x.value, (x * x).value]
"""
        * (kind == "TRNode"),
    )
entry(
    "TRArray",
    """
a = TRArray([[0.0, 1.0, -2.0], [float("inf"), float("nan"), 3.0]])
b = TRArray([3.0, 1.0, 2.0])
result = [a.T, b.all(), b.any(), b.argmax(), b.argmin(), a.clip(0, 1), a.copy(), b.cumprod(), b.cumsum(), b.dot(b)]
result += [str(a.dtype), a.flatten(), a.is_real, b[0], TRArray(2.0).item(), a.max(), a.mean(), a.min(), a.ndim]
result += [b.norm(), a.prod(axis=0), a.ravel(), a.reshape(3, 2), a.round(), a.shape, a.size, a.squeeze(), b.std()]
result += [a.sum(axis=1), a.tags, a.to_ieee(), a.tolist(), a.transpose(), a.values, b.var(), a + b, a / b, repr(a)]
result += [np.exp(a), np.concatenate([b, b]), b @ b, a == a]
""",
)

# Composed functions

entry(
    "tr_det tr_inv tr_solve",
    "A = np.array([[x, 1.0], [q, 2.0]]); result = [tr_det(A), tr_inv(A), tr_solve(A, [1.0, x])]",
)
entry("tr_take", "result = [tr_take([1.0, x, q], i) for i in (0, real(1.0), TRNode.constant(2.0))]")
entry(
    "tr_log_softmax tr_softmax tr_std tr_var",
    "result = [f([x, q, 1.0]) for f in (tr_log_softmax, tr_softmax, tr_std, tr_var)]",
)
entry(
    "tr_where tr_less tr_less_equal tr_greater tr_greater_equal tr_equal tr_is_real tr_is_infinite "
    "tr_is_phi tr_and tr_or tr_not",
    """
def f(a):
    pairs = [test(a, 0.25) for test in (tr_less, tr_less_equal, tr_greater, tr_greater_equal, tr_equal)]
    tests = [tr_is_real(1.0 / a), tr_is_infinite(1.0 / a), tr_is_phi(a), tr_not(pairs[0])]
    return sum(tr_where(tr_or(tr_and(t, pairs[0]), t), 1.0 / a, a) for t in [*pairs, *tests])
y = f(x)
y.backward()
result = [y, x.gradient, f(q), tr_vmap(f).jacobian(X)]
""",
)

# Differentiation

entry("backward_pass", "backward_pass(x * x / q); result = [x.gradient, x.gradient_status]")
entry("compute_input_gradients", "result = compute_input_gradients(x / q, 1.0)")
entry("topological_sort", "result = [node.value for node in topological_sort(x * x + q)]")
entry(
    "gradient_tape TRGradientTape",
    """
with gradient_tape() as tape:
    assert isinstance(tape, TRGradientTape)
    c = tape.watch(TRNode.constant(2.0)) or TRNode.constant(2.0)
    y = x * x / (q + 1.0)
result = tape.gradient(y, [x, q])
tape.reset()
""",
)
entry(
    "tr_grad tr_value_and_grad",
    "result = [d(lambda a: 1.0 / a)(v) for d in (tr_grad, tr_value_and_grad) for v in (0.0, 2.0)]",
)
entry(
    "tr_jacobian tr_hessian",
    "result = [d(f)([0.5, 2.0]) for d, f in ((tr_jacobian, lambda v: [v[0] / v[1], v[1]]), (tr_hessian, lambda v: v[0] / v[1]))]",
)
entry("tr_hvp", "result = tr_hvp(lambda v: v[0] / v[1], [0.5, 2.0], [1.0, 0.0])")
entry(
    "tr_jvp tr_vjp",
    "result = [tr_jvp(lambda a: 1.0 / a, (2.0,), (1.0,)), tr_vjp(lambda a: 1.0 / a, 2.0)[1](1.0)]",
)
entry(
    "check_gradient assert_gradient GradientCheck GradientRow",
    """
check = check_gradient(lambda a: a[0] * a[1] / (a[0] + 3.0), [0.5, 2.0])
assert isinstance(check, GradientCheck) and all(isinstance(row, GradientRow) for row in check.rows)
assert_gradient(lambda a: a * a, 0.5)
result = [check.ok, [row.fails for row in check.rows], repr(check)]
""",
)
entry(
    "gradient_mode use_mask_real use_saturating",
    """
result = []
for block in (gradient_mode(GradientMode.HYBRID), use_mask_real(), use_saturating(0.5)):
    with block:
        x.zero_grad()
        (1.0 / (x * x)).backward()
        result.append(x.gradient)
""",
)
entry(
    "GradientModeConfig ModeSnapshot",
    """
G = GradientModeConfig
G.set_mode(GradientMode.HYBRID); G.set_saturation_bound(0.5); G.set_local_threshold(0.1)
shot = G.snapshot()
assert isinstance(shot, ModeSnapshot)
result = [G.get_mode(), G.get_saturation_bound(), G.get_local_threshold(), G.is_hybrid(), G.is_mask_real(), G.is_saturating()]
G.reset()
""",
)
SCHEDULE = """
s = HybridGradientSchedule(warmup_epochs=0, transition_epochs=4)
for epoch in range(5):
    with s.apply(epoch):
        (1.0 / (TRNode.input(0.01) * x)).backward()
    s.update_detected_poles([0.0], epoch)
"""
entry(
    "HybridGradientSchedule create_default_schedule",
    SCHEDULE
    + """
c = create_default_schedule(aggressive=True)
result = [s.get_delta(2), s.get_delta(2, 0.5), s.get_mode_description(1), s.is_transitioning(1), s.is_warmup(0)]
result += [s.detected_poles, c.get_delta(3)]
s.get_exploration_regions(1)
""",
)
entry(
    "HybridGradientContext HybridStatistics TRPolicy TRPolicyConfig",
    SCHEDULE
    + """
C = HybridGradientContext
C.set_schedule(s); C.update_epoch(1); C.update_q_value(0.5); C.should_use_saturating(0.5)
C.set_exploration_regions([(0.0, 1.0)])
TRPolicyConfig.set_policy(TRPolicy(0.1, 0.2)); TRPolicyConfig.get_policy()
(1.0 / x).backward()
C.end_batch_policy_update()
C.get_statistics(), C.get_schedule(), C.detect_poles(0.5), C.detected_poles(), C.get_q_min(), C.get_q_min_epoch()
measured = C.measured()
assert isinstance(measured, HybridStatistics) and measured.figures()
measured.detected_poles()
C.merge(measured)
C.reset_statistics(); C.reset(); TRPolicyConfig.set_policy(None)
""",
)
entry(
    "saturate_value saturating_reciprocal saturating_div_grad saturating_log_grad saturating_sqrt_grad saturating_pow_grad",
    """
result = [saturate_value(2.0, 0.5), saturating_reciprocal(0.5, 1.0), saturating_div_grad(1.0, 2.0, 0.5)]
result += [saturating_log_grad(1.0, 0.5), saturating_sqrt_grad(1.0, 0.5), saturating_pow_grad(0.5, -2, 1.0)]
""",
)

# Batches

entry(
    "tr_vmap BatchedFunction",
    """
f = tr_vmap(lambda a, p: tr_where(tr_less(a, p[0]), 1.0 / a, a * p[1]), in_axes=(0, None))
assert isinstance(f, BatchedFunction)
P = np.array([0.5, 2.0])
result = [f(X, P), f.value_and_grad(X, P, argnums=(0, 1), reduce="sum"), f.jacobian(X, P, with_status=True)]
result += [f.value_and_jacobian(X, P), f.hessian(X, P), f.hvp((X, P), X), f.vjp(X, P)[1](X)]
result += [f.jvp((X, P), (X, P)), f.partial(X, P, start=0).finish("sum"), str(f.program(X, P))]
""",
)
entry(
    "Program load_program",
    """
p = tr_vmap(lambda a: tr_log(a) / a).program(X)
assert isinstance(p, Program)
p.save(folder + "/p.json")
again = load_program(folder + "/p.json")
result = [p.name, p.arguments(), p.steps(), p.outputs(), len(p.to_c()), again(X), again.value_and_grad(X)]
result += [p.jacobian(X), p.value_and_jacobian(X), p.hessian(X), p.vjp(X)[1](X), p.hvp((X,), X), p.jvp((X,), (X,))]
result += [p.partial(X, start=0).finish("sum"), p.program(X) is p, callable(p.to_onnx)]
result += [p.native_listing() if native_code() else "", len(str(p.program(X, native=True))) > 0]
""",
)
entry(
    "Partial MaskTotals SampleMask",
    """
f, B = tr_vmap(lambda a: 1.0 / a), np.linspace(-1.0, 1.0, 20_001)
cuts = Partial.cuts(len(B), 2)
parts = [f.partial(B[cut], start=cut.start) for cut in cuts]
whole = Partial.merge(parts)
assert isinstance(whole.masks, MaskTotals)
whole.statistics, whole.nbytes, whole.mode
result = [whole.finish("mean"), whole.start, whole.stop, whole.samples, whole.kept, whole.leaf_samples]
result += [whole.dropped_contributions, whole.masked_nodes, whole.masks.left_out]
*values, mask = f.value_and_grad(B, reduce="mean", with_mask=True)
assert isinstance(mask, SampleMask)
result += [values, mask.left_out, mask.why(10_000)]
""",
)
entry(
    "get_num_threads set_num_threads",
    "set_num_threads(3); result = [get_num_threads(), tr_vmap(lambda a: 1.0 / a)(np.linspace(-1, 1, 30_001))]",
)
entry(
    "native_code set_native NativeCode",
    """
assert isinstance(native_code(), NativeCode)
set_native(False)
result = [tr_vmap(lambda a: 1.0 / a).jacobian(X)]
set_native(True)
result.append(tr_vmap(lambda a: 1.0 / a).jacobian(X))
""",
)

# What happened

entry(
    "Explanation Location SingularEvent",
    """
y = 1.0 / (x - 0.5) * 0.0 + x
e = y.explain()
assert isinstance(e, Explanation) and all(isinstance(each, SingularEvent) for each in e.origins)
[each.formula for each in e.origins], [each.expression for each in e.origins], e.births
result = [isinstance(each.location, Location) for each in e.origins], len(e.origins), str(e).count("masked")
""",
)
entry(
    "watch_singularities SingularityLog Occurrence",
    """
with watch_singularities() as log:
    1.0 / q
    tr_vmap(lambda a: 1.0 / a)(X)
assert isinstance(log, SingularityLog) and isinstance(log.occurrences[0], Occurrence)
log.counts, log.first, log.occurrences, str(log.summary), log.occurrences[0].location, log.occurrences[0].op, len(log)
""",
)
entry(
    "SingularityError",
    """
try:
    with watch_singularities(raise_on="birth"):
        1.0 / q
except (SingularityError, ValueError):
    pass
""",
)
entry(
    "alarm MaskedSamplesWarning",
    """
import warnings
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    with alarm(0.01):
        tr_vmap(lambda a: 1.0 / a).value_and_grad(np.zeros(3), reduce="mean")
assert any(issubclass(each.category, MaskedSamplesWarning) for each in said)
""",
)

# Training and fitting

OPTIMIZED = """
o = {rule}([x, q], lr=0.1)
assert isinstance(o, Optimizer)
result = []
for _ in range(3):
    ((x - 1.0) ** 2 + q * q + 1.0 / (q + 2.0)).backward()
    report = o.step()
    assert isinstance(report, StepReport) and o.last_step is not None
    o.zero_grad()
    o.lr = 0.05
    result += [x.value, q.value, o.steps]
o.load_state_dict(o.state_dict())
"""
entry("SGD Optimizer StepReport", OPTIMIZED.format(rule="SGD"))
entry("Adam", OPTIMIZED.format(rule="Adam"))
entry(
    "least_squares FitResult",
    """
t = np.linspace(0.1, 2.0, 12)
fit = least_squares(lambda p, t: p[0] / (t + p[1]), t, 2.0 / (t + 0.5) + 1e-3 * np.cos(9 * t), [1.0, 1.0])
assert isinstance(fit, FitResult)
result = [fit.params, fit.residual_std, fit.summary()]
""",
)
entry(
    "RationalModel FitHistory",
    """
t = np.linspace(-1.0, 1.0, 24)[:, None]
m = RationalModel(1, 1, (1, 1))
m.set_domain([(-2.0, 2.0)])
history = m.fit(t, (1.0 + t) / (t - 0.31), epochs=3, method="adam")
assert isinstance(history, FitHistory)
m.normalize()
m.save(folder + "/m.json")
result = [RationalModel.load(folder + "/m.json").predict(t), m.denominator_at(t), m.terms_at(t), history.epochs]
result += [m.apply(m.parameters(), t), m.batched(m.parameters()["numerator"], m.parameters()["denominator"], t)]
""",
)
entry(
    "Rational fit_rational Coefficients FitRecord StandardErrors",
    """
r = fit_rational(np.linspace(-1.0, 1.0, 16), (1.0 + np.linspace(-1, 1, 16) ** 2) / (np.linspace(-1, 1, 16) - 0.3), (2, 1))
assert isinstance(r.coefficients, Coefficients) and isinstance(r.stderr, StandardErrors) and isinstance(r.record, FitRecord)
r.save(folder + "/r.json")
again = Rational.load(folder + "/r.json")
result = [again(X), again(x), r.chebyshev, r.degree, r.derivative()(X), r.dof, r.poles, r.real_poles, r.residues]
result += [r.sse, r.standard_error(X), r.summary(), r.to_python(), r.warnings, r.zeros, r.covariance, r.record.dof, Rational.plot is not None]
""",
)
entry(
    "Dataset InputError read_csv",
    """
path = folder + "/t.csv"
open(path, "w").write("x,y\\n0,1\\n1,inf\\n2,3\\n")
data = read_csv(path)
assert isinstance(data, Dataset) and Dataset.of
data.require_rows(1)
result = [data.targets_by_tag(), data.usable]
try:
    read_csv(folder + "/none.csv")
except InputError as error:
    result.append("no such file" in str(error))
""",
)
entry(
    "train Fit two_link_arm",
    """
fit = train(two_link_arm(12), (1, 1), "hybrid", 2)
assert isinstance(fit, Fit)
result = [fit.agreeing, fit.masked_share, fit.saturated_share]
""",
)
entry(
    "history modes",
    """
try:
    import matplotlib
except ImportError:
    result = None
else:
    matplotlib.use("agg")
    modes(lambda a: 1.0 / a, -1.0, 1.0, points=9)
    history([HybridGradientContext.get_statistics()])
""",
)


def distinct() -> dict[str, str]:
    """Each program once, by all the names that it is entered for."""
    found: dict[str, list[str]] = {}
    for name, text in ENTRIES.items():
        found.setdefault(text, []).append(name)
    return {" ".join(names): text for text, names in found.items()}


# The names


def public_modules() -> list[ModuleType]:
    """The package, its subpackage for differentiation and what lies beside them, without bridges."""
    found = [zeroproof, zeroproof.autodiff]
    for package in tuple(found):
        for info in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
            if info.name not in OTHERS and not info.name.rsplit(".", 1)[1].startswith("_"):
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", DeprecationWarning)
                    found.append(importlib.import_module(info.name))
    return found


@cache
def public_names() -> dict[str, Any]:
    """Every public name once; the functions of ``zeroproof`` before those that always record a node."""
    found: dict[str, Any] = {}
    for module in public_modules():
        for name in module.__all__:
            found.setdefault(name, getattr(module, name))
    return found


def members(cls: type) -> Iterator[str]:
    """The public methods and properties of a class that are its own; fields come with its objects."""
    fields = {*getattr(cls, "__dataclass_fields__", ()), *getattr(cls, "_fields", ())}
    if issubclass(cls, (Enum, BaseException)):
        return
    for name in dir(cls):
        inherited = any(name in vars(base) for base in (tuple, dict, list, object))
        if not (name.startswith("_") or name in fields or inherited):
            yield name


def identifiers(text: str) -> set[str]:
    """The names and attributes in a program."""
    nodes = list(ast.walk(ast.parse(text)))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    return names | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def left_out() -> list[str]:
    """The public names and members that no entry uses."""
    found = []
    for name, value in public_names().items():
        used = identifiers(ENTRIES[name]) if name in ENTRIES else set()
        if name not in used:
            found.append(name)
        elif inspect.isclass(value):
            found += [f"{name}.{each}" for each in members(value) if each not in used]
    return found


def unknown() -> list[str]:
    """The names of entries that are not public."""
    return sorted(set(ENTRIES) - set(public_names()))
