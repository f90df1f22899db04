"""``Program.to_onnx``: the values of the engine, in ONNX's reference evaluator and in a runtime."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.batches import Batch
from support.ops import NAMES, node_op
from support.random_functions import (
    ARITHMETIC,
    CHOICES,
    CONDITIONS,
    VECTORS,
    batches,
    functions,
    with_results,
)
from support.replays import FEW_ULPS, operands_of_arities, tags, ulps
from support.values import SPECIALS
from zeroproof import load_program, tr_log, tr_vmap
from zeroproof.autodiff.tr_ops_grad import ReductionMode


def test_the_error_without_the_package_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['onnx'] = None\n"
        "import numpy as np; from zeroproof import tr_vmap\n"
        "tr_vmap(lambda x: x).program(np.ones(1)).to_onnx()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode != 0
    assert 'pip install "zeroproof-autodiff[onnx]"' in done.stderr


onnx = pytest.importorskip("onnx", reason="the package onnx is not installed")

from onnx.reference import ReferenceEvaluator  # noqa: E402

OPERANDS = operands_of_arities([*SPECIALS, 5e-324, 1e-310, 1e300, 750.0, -750.0, 2.0**53])
EXACT = [
    *ARITHMETIC * 6,
    *(f"ops.tr_{name}(N)" for name in ("abs", "sign", "sqrt", "square", "floor", "ceil", "neg")),
    *(f"ops.tr_{name}(N, X)" for name in ("minimum", "maximum", "clip_min", "clip_max")),
    *("ops.tr_copysign(N, X)", "ops.tr_round(N)", "N**-2", "N**3", "N**0", "ops.tr_unit(N)"),
    *(f"ops.tr_{name}([N, X, X])" for name in ("sum", "mean", "prod", "max", "min")),
    *(f"ops.tr_{name}(V, mode.DROP_NULL)" for name in ("sum", "mean", "prod", "max", "min")),
    *(f"ops.tr_{name}(V, mode.DROP_NONREAL)" for name in ("sum", "mean", "prod", "max", "min")),
    *(VECTORS + CONDITIONS + CHOICES * 3),
]


def in_reference(model: Any, feeds: dict[str, Any]) -> list[Any]:
    with np.errstate(all="ignore"):
        found: list[Any] = ReferenceEvaluator(model).run(None, feeds)
    return found


def in_runtime(model: Any, feeds: dict[str, Any]) -> list[Any]:
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    session = runtime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    found: list[Any] = session.run(None, feeds)
    return found


EVALUATOR = pytest.mark.parametrize("evaluate", [in_reference, in_runtime])


def check(
    function: Callable[..., Any],
    operands: list[Any],
    evaluate: Callable[..., Any],
    scale: float = 0.0,
) -> None:
    batched = tr_vmap(function)
    model = batched.program(*operands).to_onnx()
    feeds = {put.name: x for put, x in zip(model.graph.input, operands)}
    values, codes = evaluate(model, feeds)
    expected = batched(*operands)
    assert np.flatnonzero(codes != expected.tags).tolist() == []
    assert np.array_equal(tags(values), codes)
    error = ulps(values, expected.to_ieee(), scale)
    worst = int(error.argmax())
    assert error[worst] <= FEW_ULPS, [x[worst] for x in operands]


@EVALUATOR
@pytest.mark.parametrize("name", NAMES["unary"])
def test_operations_of_one_operand(name: str, evaluate: Callable[..., Any]) -> None:
    # A runtime may reduce angles less exactly: near a root of a sine few digits are left then.
    is_reduced = name in ("sin", "cos", "tan") and evaluate is in_runtime
    check(lambda a: node_op(name)(a), OPERANDS["unary"], evaluate, 1.0 if is_reduced else 0.0)


@EVALUATOR
@pytest.mark.parametrize("name", NAMES["binary"])
def test_operations_of_two_operands(name: str, evaluate: Callable[..., Any]) -> None:
    a, b = OPERANDS["binary"]
    if name == "pow" and evaluate is in_runtime:
        # The selections of onnxruntime take −0 for 0, on whose sign that of 1/0 depends.
        keep = ~((a == 0) & np.signbit(a) & (b < 0))
        a, b = a[keep], b[keep]
    check(lambda a, b: node_op(name)(a, b), [a, b], evaluate)


@EVALUATOR
@pytest.mark.parametrize("n", [-5, -2, -1, 0, 1, 2, 3, 7, 301])
def test_integer_powers(n: int, evaluate: Callable[..., Any]) -> None:
    check(lambda a: node_op("pow_int")(a, n), OPERANDS["power"], evaluate)


@EVALUATOR
@pytest.mark.parametrize("how", ReductionMode, ids=lambda how: how.name.lower())
@pytest.mark.parametrize("name", NAMES["variadic"])
def test_folds(name: str, how: ReductionMode, evaluate: Callable[..., Any]) -> None:
    check(lambda *given: node_op(name)([*given, 0.5], how), OPERANDS["variadic"], evaluate)


@given(batch=batches(functions(EXACT), samples=[7, 33]), data=st.data())
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_random_programs_of_exact_operations_have_the_bits_of_the_engine(
    batch: Batch, data: st.DataObject
) -> None:
    function, _ = data.draw(with_results(batch.function))
    function = function.returning(f"tuple({function.result})")
    batch = Batch(function, batch.samples, batch.seed, batch.specials)
    batched, arrays = batch.function.batched(), batch.arrays()
    model = batched.program(*arrays).to_onnx()
    feeds = {put.name: x for put, x in zip(model.graph.input, arrays)}
    found = in_reference(model, feeds)
    for value, codes, expected in zip(found[::2], found[1::2], batched(*arrays)):
        assert np.array_equal(value, expected.to_ieee(), equal_nan=True)
        assert np.array_equal(codes, expected.tags)


@dataclass
class Pose:
    x: Any
    y: Any


@EVALUATOR
def test_structures_shapes_and_names(evaluate: Callable[..., Any]) -> None:
    def function(p: Any, pose: Any, m: Any) -> dict[str, Any]:
        product = m @ np.array([pose.x, pose.y], dtype=object)
        return {"first": product, "second one": p["a b"] / pose.x, "a": np.empty((0, 2), object)}

    p, pose = {"a b": np.array(3.0)}, Pose(np.array([0.0, 2.0]), np.array([1.0, -1.0]))
    m = np.arange(6.0).reshape(3, 2)
    program = tr_vmap(function, (None, 0, None)).program(p, pose, m)
    model = program.to_onnx()
    inputs = [(put.name, put.doc_string) for put in model.graph.input]
    assert inputs == [
        ("p_a_b", "p['a b']"),
        ("pose_x", "pose.x"),
        ("pose_y", "pose.y"),
        ("m", "m"),
    ]
    names = [put.name for put in model.graph.output]
    assert names == [
        *("values_first", "tags_first", "values_second_one", "tags_second_one"),
        *("values_a", "tags_a"),
    ]
    feeds = {"p_a_b": p["a b"], "pose_x": pose.x, "pose_y": pose.y, "m": m}
    first, _, second, codes, empty, _ = evaluate(model, feeds)
    assert first.tolist() == [[1.0, 3.0, 5.0], [-1.0, 1.0, 3.0]]
    assert (second.tolist(), codes.tolist()) == ([math.inf, 1.5], [1, 0])
    assert empty.shape == (2, 0, 2)
    other = {**feeds, "pose_x": np.ones(5), "pose_y": np.zeros(5)}
    assert evaluate(model, other)[0].shape == (5, 3)
    none = {**feeds, "pose_x": np.ones(0), "pose_y": np.zeros(0)}
    assert evaluate(model, none)[0].shape == (0, 3)


@EVALUATOR
def test_arguments_that_are_all_shared_and_constants(evaluate: Callable[..., Any]) -> None:
    program = tr_vmap(lambda w: [w[0] / w[1], np.array([[1.0, np.inf]])], None).program(np.ones(2))
    value, code, constant, codes = evaluate(program.to_onnx(), {"w": np.array([1.0, 0.0])})
    assert (value.shape, value.item(), code.item()) == ((), math.inf, 1)
    assert (constant.tolist(), codes.tolist()) == ([[1.0, math.inf]], [[0, 1]])


def test_a_program_that_was_saved(tmp_path: Any) -> None:
    x = np.array([1.0, 0.0, -1.0])
    program = tr_vmap(lambda x: tr_log(x) / x).program(x)
    program.save(tmp_path / "program.json")
    loaded = load_program(tmp_path / "program.json").to_onnx()
    assert loaded == program.to_onnx()
    onnx.save(loaded, tmp_path / "model.onnx")
    model = onnx.load(tmp_path / "model.onnx")
    assert in_reference(model, {"x": x})[1].tolist() == [0, 3, 3]


def test_what_has_no_rule_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    program = tr_vmap(tr_log).program(np.ones(2))
    from zeroproof.replay import _program

    monkeypatch.delitem(_program.ROWS, "log")
    with pytest.raises(NotImplementedError, match="no rule for 'log'"):
        program.to_onnx()
