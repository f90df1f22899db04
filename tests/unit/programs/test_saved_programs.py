"""Programs by themselves: the results of the batched function, also after a file."""

from __future__ import annotations

import math
import pickle
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import zeroproof as zp
from support.values import HUGE, SMALLEST, same
from zeroproof import Program, load_program, tr_vmap
from zeroproof.autodiff import BatchedFunction


class Params(NamedTuple):
    w: Any
    b: Any


@dataclass
class Settings:
    scale: Any
    degree: int = field(default=3, metadata={"static": True})
    name: str = field(default="s", metadata={"static": True})


def model(x: Any, p: Any, settings: Any, *, k: Any) -> Any:
    ratio = x**settings.degree / (p.w[0] - x)
    y = zp.tr_where(zp.tr_less(x, 0.5) & True, ratio, zp.tr_sum([x, p.b, k["q"][1]]))
    return y * settings.scale


X = np.array([-1.0, 0.25, 0.0, 2.0, math.inf, math.nan, -0.0])
CALL: dict[str, Any] = {"k": {"q": [X, X[::-1].copy()]}}
ARGS = (X, Params(np.array([0.25, 2.0]), 3.0), Settings(0.5))
MODEL = tr_vmap(model, in_axes=(0, None, None))
SMOOTH = tr_vmap(lambda x, p: zp.tr_sqrt(x) / (p[0] + p[1] * x), in_axes=(0, None))
POINTS = (np.array([0.0, -1.0, 2.0, 3.0]), np.array([1.0, -0.5]))


def saved(program: Program, folder: Path) -> Program:
    path = folder / "program.json"
    program.save(path)
    return load_program(path)


def by_pickle(program: Program, _folder: Path) -> Program:
    return pickle.loads(pickle.dumps(program))


def itself(program: Program, _folder: Path) -> Program:
    return program


Way = Callable[[Program, Path], Program]
WAYS = pytest.mark.parametrize("way", [itself, saved, by_pickle])


def assert_same(mine: Any, theirs: Any) -> None:
    """The same structures of the same bits."""
    if isinstance(theirs, dict):
        assert list(mine) == list(theirs)
        for key, item in theirs.items():
            assert_same(mine[key], item)
    elif isinstance(theirs, (tuple, list)):
        assert isinstance(mine, tuple) == isinstance(theirs, tuple)
        assert len(mine) == len(theirs)
        for item, other in zip(mine, theirs):
            assert_same(item, other)
    elif isinstance(theirs, Settings):
        assert_same(mine.scale, theirs.scale)
    else:
        assert np.shape(mine) == np.shape(theirs)
        pairs = zip(np.asarray(mine).ravel().tolist(), np.asarray(theirs).ravel().tolist())
        assert all(same(each, other) for each, other in pairs), (mine, theirs)


@WAYS
def test_calls_and_gradients_by_structures(way: Way, tmp_path: Path) -> None:
    program = way(MODEL.program(*ARGS, **CALL), tmp_path)
    assert isinstance(program, BatchedFunction)
    assert program.name == "model"
    assert_same(program(*ARGS, **CALL), MODEL(*ARGS, **CALL))
    for request in (
        {"argnums": ("p", 0, "k", "settings")},
        {"argnums": "p", "reduce": "mean"},
        {"argnums": -1, "reduce": "sum"},
    ):
        found = program.value_and_grad(*ARGS, **CALL, with_status=True, **request)
        assert_same(found, MODEL.value_and_grad(*ARGS, **CALL, with_status=True, **request))


@WAYS
def test_gradients_have_the_classes_of_the_arguments(way: Way, tmp_path: Path) -> None:
    program = way(MODEL.program(*ARGS, **CALL), tmp_path)
    _, (p, k) = program.value_and_grad(*ARGS, **CALL, argnums=(1, "k"))
    assert isinstance(p, Params)
    assert isinstance(k, dict)
    _, settings = program.value_and_grad(*ARGS, **CALL, argnums=2)
    assert isinstance(settings, Settings)


@WAYS
@pytest.mark.parametrize("mode", [zp.GradientMode.MASK_REAL, zp.GradientMode.SATURATING])
def test_every_method(way: Way, mode: zp.GradientMode, tmp_path: Path) -> None:
    program = way(SMOOTH.program(*POINTS), tmp_path)
    tangents = (np.ones(4), np.array([0.5, 2.0]))
    with zp.gradient_mode(mode):
        for found, expected in [
            (
                each.jacobian(*POINTS, argnums=(0, 1), with_status=True)
                for each in (program, SMOOTH)
            ),
            (each.value_and_jacobian(*POINTS) for each in (program, SMOOTH)),
            (each.jvp(POINTS, tangents, with_status=True) for each in (program, SMOOTH)),
            (each.hvp(POINTS, tangents[1], argnums=1) for each in (program, SMOOTH)),
            (each.hessian(*POINTS, argnums=(0, 1), with_status=True) for each in (program, SMOOTH)),
            (each.hessian(*POINTS, argnums=1, reduce="mean") for each in (program, SMOOTH)),
            (each.vjp(*POINTS)[1](np.arange(4.0), with_status=True) for each in (program, SMOOTH)),
        ]:
            assert_same(found, expected)


@WAYS
def test_has_aux_and_masks(way: Way, tmp_path: Path) -> None:
    batched = tr_vmap(lambda x: (1.0 / x, {"square": x * x}))
    program = way(batched.program(X), tmp_path)
    found = program.value_and_grad(X, has_aux=True, with_status=True)
    assert_same(found, batched.value_and_grad(X, has_aux=True, with_status=True))
    with pytest.raises(TypeError, match="one node"):
        program.value_and_grad(X)
    single = tr_vmap(lambda x: 1.0 / x)
    *_, mask = way(single.program(X), tmp_path).value_and_grad(X, with_mask=True)
    expected_mask = single.value_and_grad(X, with_mask=True)[2]
    assert mask.left_out.tolist() == expected_mask.left_out.tolist() == [2, 5, 6]
    with pytest.raises(TypeError, match="must return"):
        way(single.program(X), tmp_path).value_and_grad(X, has_aux=True)


@WAYS
def test_results_keep_their_structure(way: Way, tmp_path: Path) -> None:
    def function(x: Any) -> Any:
        pair = Params(np.array([x, 2.0 * x]), x)
        return {"pair": pair, 3: [x, (1.0 / x,)], "settings": Settings(x, 5, "t")}

    program = way(tr_vmap(function).program(X), tmp_path)
    found, expected = program(X), tr_vmap(function)(X)
    assert list(found) == ["pair", 3, "settings"]
    assert type(found["pair"])._fields == ("w", "b")
    assert type(found["pair"]).__name__ == "Params"
    assert type(found["settings"]).__name__ == "Settings"
    assert (found["settings"].degree, found["settings"].name) == (5, "t")
    assert_same(found["pair"], expected["pair"])
    assert_same(found[3], expected[3])
    assert_same(found["settings"].scale, expected["settings"].scale)
    # Adjoints have the structure of the values, which is that of the program's own classes.
    (gradient,) = program.vjp(X)[1](found)
    (other,) = tr_vmap(function).vjp(X)[1](expected)
    assert_same(gradient, other)


def test_every_double_survives(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    numbers = random.integers(0, 2**64, 500, dtype=np.uint64).view(np.float64).tolist()
    numbers += [0.0, -0.0, 0.1, 1e22, 2.0**53, SMALLEST, -SMALLEST, HUGE, math.inf, -math.inf]

    def function(x: Any) -> Any:
        return [x * number for number in numbers]

    program = tr_vmap(function).program(np.ones(1))
    again = saved(program, tmp_path)
    constants = [step[1] for step in again.steps() if step[0] == "constant"]
    assert len(constants) == len(numbers)
    assert all(map(same, constants, numbers))


@WAYS
def test_what_is_shown(way: Way, tmp_path: Path) -> None:
    first = MODEL.program(*ARGS, **CALL)
    program = way(first, tmp_path)
    assert str(program) == str(first)
    assert "where(" in str(program)
    assert repr(program) == f"<Program model of {7 + len(first.steps())} nodes and 1 outputs>"
    assert program.steps() == first.steps()
    assert program.outputs() == first.outputs()
    assert (
        program.arguments()
        == first.arguments()
        == [
            ("x", (), True),
            ("p.w", (2,), False),
            ("p.b", (), False),
            ("settings.scale", (), False),
            ("k['q'][0]", (), True),
            ("k['q'][1]", (), True),
        ]
    )
    assert program.program(*ARGS, **CALL) is program


def test_the_steps_of_a_program() -> None:
    def function(x: Any, p: Any) -> Any:
        near = zp.tr_less(x, 0.5) & True
        mean = zp.tr_mean([x, p[1]], mode=zp.ReductionMode.DROP_NULL)
        return zp.tr_where(near, x**3 / p[0], mean)

    program = tr_vmap(function, in_axes=(0, None)).program(np.zeros(1), np.zeros(2))
    assert program.steps() == [
        ("constant", 0.5),
        ("condition", "less", (0, 3)),
        ("constant", 1.0),
        ("condition", "and", (4, 5)),
        ("fold", "mean", "drop_null", (0, 2)),
        ("power", 3, (0,)),
        ("op", "div", (8, 1)),
        ("select", (6, 9, 7)),
    ]
    assert program.outputs() == (10,)


@WAYS
def test_the_coordinate_is_kept(way: Way, tmp_path: Path) -> None:
    batched = tr_vmap(lambda x, p: p / x, in_axes=(0, None), coordinate="x")
    arguments = (np.array([0.3, 2.0]), 1.0)
    program = way(batched.program(*arguments), tmp_path)
    schedule = zp.create_default_schedule()
    schedule.update_detected_poles([0.3], 0)
    with schedule.apply(1):
        found = program.value_and_grad(*arguments, with_status=True)
        expected = batched.value_and_grad(*arguments, with_status=True)
        plain = tr_vmap(lambda x, p: p / x, in_axes=(0, None))
        without = plain.value_and_grad(*arguments, with_status=True)
    assert_same(found, expected)
    assert found[2].tolist() != without[2].tolist()


@WAYS
def test_other_classes_with_the_same_fields_may_be_passed(way: Way, tmp_path: Path) -> None:
    class Other(NamedTuple):
        w: Any
        b: Any

    program = way(MODEL.program(*ARGS, **CALL), tmp_path)
    x, p, settings = ARGS
    ordered = {"k": OrderedDict(q=tuple(CALL["k"]["q"]))}
    found = program.value_and_grad(x, Other(*p), settings, argnums=1, **ordered)
    assert isinstance(found[1], Other)
    assert_same(found, MODEL.value_and_grad(*ARGS, argnums=1, **CALL))


@WAYS
@pytest.mark.parametrize(
    ("args", "keywords", "error", "message"),
    [
        (ARGS[:2], CALL, TypeError, "takes 3 arguments by position and k by keyword"),
        ((*ARGS, X), CALL, TypeError, "not 4 arguments by position"),
        (ARGS, {}, TypeError, "takes 3 arguments by position and k by keyword"),
        (ARGS, {**CALL, "z": X}, TypeError, "unexpected keyword argument 'z'"),
        ((X, X, ARGS[2]), CALL, ValueError, "p must be a named tuple, not a single value"),
        ((X, Params(np.ones(3), 1.0), ARGS[2]), CALL, ValueError, r"p\.w of the shape \(2,\), not"),
        ((X, Params(1.0, 1.0), ARGS[2]), CALL, ValueError, r"p\.w of the shape \(2,\), not \(\)"),
        ((X[:, None], *ARGS[1:]), CALL, ValueError, r"x of the shape \(\) for each sample, not"),
        ((*ARGS[:2], Settings(1.0, 4)), CALL, ValueError, "static fields of settings must be"),
        (ARGS, {"k": {"q": [X]}}, ValueError, r"k\['q'\] must have the items 0, 1, in this order"),
        (ARGS, {"k": {"r": [X, X]}}, ValueError, "k must have the items 'q', in this order"),
        ((X[:2], *ARGS[1:]), CALL, ValueError, "different numbers of samples"),
        ((0.5, *ARGS[1:]), CALL, ValueError, "is a single number, but its in_axes is 0"),
    ],
)
def test_other_arguments_are_refused(
    way: Way,
    args: tuple[Any, ...],
    keywords: dict[str, Any],
    error: type[Exception],
    message: str,
    tmp_path: Path,
) -> None:
    program = way(MODEL.program(*ARGS, **CALL), tmp_path)
    with pytest.raises(error, match=message):
        program(*args, **keywords)
    with pytest.raises(error, match=message):
        program.value_and_grad(*args, **keywords)


@WAYS
def test_arrays_of_another_shape_are_refused(way: Way, tmp_path: Path) -> None:
    program = way(SMOOTH.program(*POINTS), tmp_path)
    with pytest.raises(ValueError, match=r"p of the shape \(2,\), not \(3,\)"):
        program(POINTS[0], np.ones(3))
    with pytest.raises(ValueError, match="argnums names"):
        program.value_and_grad(*POINTS, argnums=2)
    assert program(np.empty(0), POINTS[1]).shape == (0,)
    assert program(POINTS[0].tolist(), POINTS[1].tolist()).shape == (4,)


@pytest.mark.parametrize(
    ("function", "argument", "message"),
    [
        (lambda p: p[1, 2], {(1, 2): X}, r"whose p has the key \(1, 2\)"),
        (lambda p: p[True], {True: X}, "whose p has the key True"),
        (lambda p: p.scale, Settings(X, 3, math.nan), "whose p.name is nan"),
        (lambda p: p.scale, Settings(X, 3, [1]), r"whose p.name is \[1\]"),
    ],
)
def test_what_json_does_not_have_is_refused(
    function: Any, argument: Any, message: str, tmp_path: Path
) -> None:
    program = tr_vmap(function).program(argument)
    path = tmp_path / "program.json"
    path.write_text("before", encoding="utf-8")
    with pytest.raises(TypeError, match=message):
        program.save(path)
    assert path.read_text(encoding="utf-8") == "before"


def test_a_program_is_an_attribute_like_any_other() -> None:
    class Holder:
        program = SMOOTH.program(*POINTS)

    assert Holder().program is Holder.program
