"""The pages of the API reference: which subject a public name belongs to."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

MODULES = [
    "zeroproof",
    "zeroproof.autodiff",
    "zeroproof.optim",
    "zeroproof.models",
    "zeroproof.rational",
    "zeroproof.plot",
]


@dataclass(frozen=True)
class Subject:
    """A page: its file, its title, a sentence, and the names on it in reading order."""

    file: str
    title: str
    text: str
    names: str


SUBJECTS = [
    Subject(
        "values",
        "Values",
        "Transreal numbers, their tags, and the way to and from IEEE doubles.",
        """TRScalar TRTag real from_ieee to_ieee phi pinf ninf is_real is_finite is_infinite is_pinf
        is_ninf is_phi""",
    ),
    Subject(
        "nodes",
        "Nodes and tapes",
        "What is differentiated, and how its gradient came about.",
        """TRNode GradientStatus OpType gradient_tape TRGradientTape backward_pass
        compute_input_gradients topological_sort""",
    ),
    Subject(
        "derivatives",
        "Derivatives of functions",
        "Gradients, Jacobians, Hessians and products with them.",
        "tr_grad tr_value_and_grad tr_vjp tr_jvp tr_jacobian tr_hessian tr_hvp",
    ),
    Subject(
        "modes",
        "Gradient modes",
        "What happens to a gradient at a pole.",
        """gradient_mode GradientMode GradientModeConfig use_mask_real use_saturating
        HybridGradientSchedule ScheduleType create_default_schedule HybridGradientContext
        HybridStatistics ModeSnapshot TRPolicy
        TRPolicyConfig saturating_reciprocal saturate_value saturating_div_grad saturating_log_grad
        saturating_pow_grad saturating_sqrt_grad""",
    ),
    Subject(
        "batches",
        "Batches and selection",
        "One function over arrays of samples; conditions without a Python `if`.",
        """tr_vmap BatchedFunction tr_where tr_take tr_clip tr_polyval tr_and tr_or tr_not tr_equal
        tr_greater tr_greater_equal tr_less tr_less_equal tr_is_real tr_is_infinite tr_is_phi
        Program load_program Partial MaskTotals get_num_threads set_num_threads native_code
        NativeCode set_native""",
    ),
    Subject(
        "arrays",
        "Arrays, linear algebra, statistics",
        "Arrays of TR values, and functions of many values.",
        """TRArray ReductionMode tr_det tr_inv tr_solve tr_softmax tr_log_softmax tr_var tr_std""",
    ),
    Subject(
        "fits",
        "Fits and models",
        "Models of data, with their poles and standard errors.",
        """least_squares FitResult fit_rational Rational FitRecord Coefficients StandardErrors
        RationalModel FitHistory""",
    ),
    Subject(
        "training",
        "Training",
        "Optimizers that never write a value that is not REAL.",
        "Optimizer SGD Adam StepReport",
    ),
    Subject(
        "looking",
        "Explanations, logs, checks",
        "Where a value stopped being REAL, what was left out, and whether a gradient is right.",
        """Explanation SingularEvent Location Occurrence watch_singularities SingularityLog
        SingularityError SampleMask alarm MaskedSamplesWarning check_gradient assert_gradient
        GradientCheck GradientRow Verdict""",
    ),
    Subject("plots", "Plots", "Pictures; they need matplotlib, the extra `plot`.", "modes history"),
]
OPERATIONS = Subject(
    "operations",
    "Operations",
    "Every operation of the table, by name. [Operations](../semantics.md) has the special values.",
    "",
)
OTHERS = Subject("others", "Other names", "What belongs to no other page.", "")


def homes() -> dict[str, str]:
    """For each public name that is no operation the first public module that has it."""
    found: dict[str, str] = {}
    operations = set(importlib.import_module("zeroproof._ops").__all__)
    for module in MODULES:
        for name in importlib.import_module(module).__all__:
            if name not in operations:
                found.setdefault(name, module)
    return found


def path(module: str, name: str) -> str:
    """The dotted name by which griffe finds an object of a public module.

    Where a submodule has the name of the object, the submodule would be taken.
    """
    own = getattr(getattr(importlib.import_module(module), name), "__module__", None) or module
    return f"{own}.{name}" if own.rsplit(".", 1)[-1] == name else f"{module}.{name}"


def places() -> dict[str, str]:
    """The dotted names of everything that the reference shows, by public name."""
    operations = importlib.import_module("zeroproof._ops").__all__
    found = {name: f"zeroproof.{name}" for name in operations}
    return {**found, **{name: path(module, name) for name, module in homes().items()}}


def page(subject: Subject, paths: list[str]) -> str:
    """The text of a page: a heading and a block for each object."""
    blocks = "\n\n".join(f"::: {path}" for path in paths)
    return f"# {subject.title}\n\n{subject.text}\n\n{blocks}\n"


def pages() -> dict[str, str]:
    """The pages by file. Names that no subject lists are on a page of their own."""
    left = homes()
    made = {}
    for subject in SUBJECTS:
        paths = [path(left.pop(name), name) for name in subject.names.split() if name in left]
        made[f"reference/{subject.file}.md"] = page(subject, paths)
    if left:
        made[f"reference/{OTHERS.file}.md"] = page(
            OTHERS, [path(module, name) for name, module in sorted(left.items())]
        )
    operations = importlib.import_module("zeroproof._ops").__all__
    made[f"reference/{OPERATIONS.file}.md"] = page(
        OPERATIONS, [f"zeroproof.{name}" for name in operations]
    )
    return made
