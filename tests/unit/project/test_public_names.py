"""Every public name: importable from the modules it belongs to, documented, and listed."""

from __future__ import annotations

import importlib
import inspect
import os
import subprocess
import sys
from enum import Enum
from typing import Any

import pytest

from support.op_cases import cases

ELEMENTWISE = " ".join(f"tr_{case.name}" for case in cases("unary", "binary", "power"))
REDUCTIONS = " ".join(f"tr_{case.name}" for case in cases("variadic"))

MODULES: dict[str, list[str]] = {
    name: names.split()
    for name, names in {
        "zeroproof.core": f"""TRScalar TRTag real pinf ninf phi is_real is_pinf is_ninf is_phi
            is_finite is_infinite {ELEMENTWISE} ReductionMode {REDUCTIONS} tr_clip tr_polyval""",
        "zeroproof.bridge": "from_ieee to_ieee",
        "zeroproof.array": "TRArray",
        "zeroproof.linear_algebra": "tr_det tr_inv tr_solve",
        "zeroproof.selection": "tr_take",
        "zeroproof.statistics": "tr_log_softmax tr_softmax tr_std tr_var",
        "zeroproof.threads": "get_num_threads set_num_threads",
        "zeroproof.autodiff.tr_node": "TRNode OpType GradientStatus",
        "zeroproof.autodiff.tr_ops_grad": f"{ELEMENTWISE} {REDUCTIONS}",
        "zeroproof.autodiff.conditions": """tr_where tr_less tr_less_equal tr_greater
            tr_greater_equal tr_equal tr_is_real tr_is_infinite tr_is_phi tr_and tr_or tr_not""",
        "zeroproof.autodiff.batched": "tr_vmap BatchedFunction Program",
        "zeroproof.autodiff.program": "Program load_program",
        "zeroproof.autodiff.partial": "MaskTotals Partial",
        "zeroproof.autodiff.gradient_tape": "gradient_tape TRGradientTape",
        "zeroproof.autodiff.grad_funcs": "check_gradient tr_grad tr_value_and_grad",
        "zeroproof.autodiff.second_order": "tr_hessian tr_hvp tr_jacobian tr_jvp tr_vjp",
        "zeroproof.autodiff.gradient_check": """check_gradient assert_gradient GradientCheck
            GradientRow Verdict""",
        "zeroproof.autodiff.grad_mode": """GradientMode GradientModeConfig ModeSnapshot
            gradient_mode use_mask_real use_saturating""",
        "zeroproof.autodiff.hybrid_gradient": """HybridGradientSchedule ScheduleType
            HybridGradientContext HybridStatistics create_default_schedule""",
        "zeroproof.autodiff.saturating_ops": """saturate_value saturating_reciprocal
            saturating_div_grad saturating_log_grad saturating_sqrt_grad saturating_pow_grad""",
        "zeroproof.autodiff.backward": "backward_pass compute_input_gradients topological_sort",
        "zeroproof.models": "FitHistory RationalModel",
        "zeroproof.fitting": "FitResult least_squares",
        "zeroproof.optim": "Adam Optimizer SGD StepReport",
        "zeroproof.plot": "history modes",
        "zeroproof.policy": "TRPolicy TRPolicyConfig",
        "zeroproof.rational": "Coefficients FitRecord Rational StandardErrors fit_rational",
    }.items()
}

MEMBERS: dict[str, list[str]] = {
    name: names.split()
    for name, names in {
        "zeroproof.core.TRScalar": "value tag",
        "zeroproof.array.TRArray": """values tags is_real to_ieee shape ndim size dtype item
            tolist T copy reshape ravel flatten transpose squeeze clip round sum prod mean min max
            norm var std cumsum cumprod argmin argmax any all dot""",
        "zeroproof.autodiff.program.Program": """name arguments steps outputs save to_c program
            value_and_grad jacobian value_and_jacobian jvp vjp hvp hessian""",
        "zeroproof.autodiff.batched.BatchedFunction": "value_and_grad jacobian partial program",
        "zeroproof.autodiff.partial.MaskTotals": "left_out",
        "zeroproof.autodiff.partial.Partial": """merge finish cuts start stop samples kept masks
            statistics mode nbytes dropped_contributions masked_nodes""",
        "zeroproof.autodiff.tr_node.TRNode": """parameter constant input value tag gradient
            gradient_status requires_grad is_leaf name op inputs backward zero_grad detach""",
        "zeroproof.autodiff.gradient_tape.TRGradientTape": "watch gradient reset",
        "zeroproof.autodiff.gradient_check.GradientCheck": "ok",
        "zeroproof.autodiff.gradient_check.GradientRow": "fails",
        "zeroproof.autodiff.grad_mode.GradientModeConfig": """set_mode get_mode
            set_saturation_bound get_saturation_bound set_local_threshold get_local_threshold
            is_mask_real is_saturating is_hybrid snapshot reset""",
        "zeroproof.autodiff.hybrid_gradient.HybridGradientSchedule": """apply get_delta is_warmup
            is_transitioning get_mode_description update_detected_poles
            get_exploration_regions""",
        "zeroproof.autodiff.hybrid_gradient.HybridGradientContext": """set_schedule get_schedule
            update_epoch should_use_saturating update_q_value get_statistics reset_statistics
            end_batch_policy_update detect_poles detected_poles get_q_min get_q_min_epoch
            set_exploration_regions measured merge reset""",
        "zeroproof.autodiff.hybrid_gradient.HybridStatistics": "figures detected_poles",
        "zeroproof.models.FitHistory": "epochs",
        "zeroproof.models.RationalModel": """apply batched denominator_at fit load normalize
            parameters predict save set_domain terms_at""",
        "zeroproof.fitting.FitResult": "residual_std summary",
        "zeroproof.optim.Optimizer": """lr steps last_step step zero_grad state_dict
            load_state_dict""",
        "zeroproof.rational.Rational": """standard_error derivative degree chebyshev coefficients
            covariance poles residues zeros real_poles stderr sse dof warnings summary plot save
            load to_python""",
        "zeroproof.rational.FitRecord": "dof",
        "zeroproof.policy.TRPolicyConfig": "set_policy get_policy",
    }.items()
}

NAMES = [(module, name) for module, names in MODULES.items() for name in names]


def public(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_importable_listed_and_documented(module: str, name: str) -> None:
    value = public(module, name)
    assert name in importlib.import_module(module).__all__
    assert (inspect.getdoc(value) or "").strip()
    inspect.signature(value) if not inspect.isclass(value) else None


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_offers_these_names_and_no_others(module: str) -> None:
    loaded = importlib.import_module(module)
    extra = {"ReductionMode"} if module.endswith("tr_ops_grad") else set()
    assert set(loaded.__all__) - extra == set(MODULES[module])
    assert (loaded.__doc__ or "").strip()


@pytest.mark.parametrize("owner", sorted(MEMBERS))
def test_members_are_documented(owner: str) -> None:
    module, name = owner.rsplit(".", 1)
    cls = public(module, name)
    for member in MEMBERS[owner]:
        assert (inspect.getdoc(getattr(cls, member)) or "").strip(), member
    for member, value in vars(cls).items():
        if not member.startswith("_") and (callable(value) or isinstance(value, property)):
            assert (inspect.getdoc(getattr(cls, member)) or "").strip(), member


def test_common_names_at_the_top() -> None:
    top, autodiff = (
        importlib.import_module("zeroproof"),
        importlib.import_module("zeroproof.autodiff"),
    )
    for name in MODULES["zeroproof.core"] + MODULES["zeroproof.bridge"]:
        assert getattr(top, name) is public(
            "zeroproof.core" if name in MODULES["zeroproof.core"] else "zeroproof.bridge", name
        )
    # The lifted operations are at home in their module alone.
    at_home = {"zeroproof.autodiff.tr_ops_grad"}
    for module in [m for m in MODULES if m.startswith("zeroproof.autodiff.") and m not in at_home]:
        for name in MODULES[module]:
            assert getattr(autodiff, name) is public(module, name), name
    for name in ("TRNode", "gradient_tape", "tr_grad", "GradientMode", "TRPolicy", "OpType"):
        assert name in top.__all__
    composed = ["zeroproof.linear_algebra", "zeroproof.selection", "zeroproof.statistics"]
    for module in [
        "zeroproof.array",
        "zeroproof.threads",
        "zeroproof.autodiff.conditions",
        *composed,
    ]:
        for name in MODULES[module]:
            assert getattr(top, name) is public(module, name), name
    assert top.tr_vmap is autodiff.tr_vmap
    for package in (top, autodiff):
        assert sorted(set(package.__all__)) == sorted(package.__all__)
        assert all(hasattr(package, name) for name in package.__all__)


@pytest.mark.parametrize(
    "owner", ["TRScalar", "TRNode", "HybridGradientSchedule", "HybridStatistics", "ModeSnapshot"]
)
def test_native_classes_name_their_public_module(owner: str) -> None:
    [module] = [m for m, names in MODULES.items() if owner in names]
    cls = public(module, owner)
    assert (cls.__module__, cls.__qualname__) == (module, owner)


def test_enumerations_are_enumerations() -> None:
    for module, name in NAMES:
        if name in ("TRTag", "OpType", "GradientStatus", "GradientMode", "ScheduleType"):
            value = public(module, name)
            assert issubclass(value, Enum)
            assert issubclass(value, int)


#: Imports each module that it is given in a fork of an interpreter that has but the package:
#: whichever is asked for first, the package itself comes before it. Names those that fail.
FIRST = """
import os, sys, zeroproof

for module in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            __import__(module)
            status = 0
        except BaseException as error:
            print(f"{module}: {error!r}", file=sys.stderr, flush=True)
        os._exit(status)
    if os.waitpid(child, 0)[1]:
        print(module, flush=True)
"""
FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no forks")


@FORKS
def test_each_module_imports_first() -> None:
    # An import cycle shows only in a fresh interpreter.
    command = [sys.executable, "-W", "error", "-c", FIRST, *sorted(MODULES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@FORKS
def test_a_module_that_cannot_be_imported_first_is_named() -> None:
    command = [sys.executable, "-c", FIRST, "zeroproof.bridge", "zeroproof.missing"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "zeroproof.missing\n"
    assert "ModuleNotFoundError" in done.stderr


def test_the_lifted_operations_come_with_the_package() -> None:
    command = [
        sys.executable,
        "-c",
        "import zeroproof as z; z.autodiff.tr_ops_grad.tr_log(z.pinf())",
    ]
    assert subprocess.run(command, check=False).returncode == 0
