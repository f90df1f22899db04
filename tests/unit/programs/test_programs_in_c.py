"""C sources of programs, compiled, against the engine."""

from __future__ import annotations

import itertools
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zeroproof as zp
from support.c_programs import (
    COMPILER,
    FLAGS,
    WITHOUT_COMPILER,
    Compiled,
    Doubles,
    of_engine,
    same_bits,
    tags,
)
from support.values import HUGE, INF, NAN, SMALLEST
from zeroproof import Program, _native, tr_vmap
from zeroproof.autodiff._c_names import HEADERS, check_name
from zeroproof.autodiff._c_ops import BINARY, FOLDS, UNARY

needs_compiler = pytest.mark.skipif(COMPILER is None, reason=WITHOUT_COMPILER)

TABLE = {row["name"]: row for row in _native.op_table()}
#: The operations that are exact or correctly rounded; the others are those of the C library.
EXACT = {
    *("neg", "abs", "sign", "sqrt", "square", "unit", "floor", "ceil", "round", "add", "sub"),
    *("mul", "div", "minimum", "maximum", "clip_min", "clip_max", "copysign", "sum", "mean"),
    *("max", "min", "prod"),
}
SPECIAL = [-INF, -1.0, -0.0, 0.0, 1.0, INF, NAN, SMALLEST, -SMALLEST, HUGE, -HUGE, 0.5, -2.0, 3.5]
SPECIAL += [1e-310, 1e-200, -1e-200, 1e155, 700.0, -700.0, 1e-9]
#: What the contract calls a few ulp.
FEW = 8.0


def unary(name: str) -> Program:
    function = getattr(zp, f"tr_{name}")
    return tr_vmap(lambda x: function(x)).program(np.zeros(1))


def binary(name: str) -> Program:
    function = getattr(zp, f"tr_{name}")
    return tr_vmap(lambda x, y: function(x, y)).program(*np.zeros((2, 1)))


def fold(name: str, mode: zp.ReductionMode) -> Program:
    function = getattr(zp, f"tr_{name}")
    return tr_vmap(lambda x, y, z: function([x, y, z], mode=mode)).program(*np.zeros((3, 1)))


def points(name: str, operands: int) -> Doubles:
    """Special operands, and ordinary ones."""
    special = SPECIAL if operands < 3 else SPECIAL[:12]
    low, high = TABLE[name]["smooth_on"]
    ordinary = np.random.default_rng(0).uniform(low, high, (1000, operands))
    return np.concatenate([np.array(list(itertools.product(special, repeat=operands))), ordinary])


CASES = [
    *((name, unary(name)) for name in UNARY),
    *((name, binary(name)) for name in BINARY),
    *((name, fold(name, mode)) for name in FOLDS for mode in zp.ReductionMode),
]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    if COMPILER is None:
        pytest.skip(WITHOUT_COMPILER)
    return Compiled([program for _, program in CASES], tmp_path_factory.mktemp("operations"))


def ulps(mine: Doubles, theirs: Doubles, scale: Doubles) -> Doubles:
    """Distances in units of the last place of the larger of ``theirs`` and a scale."""
    with np.errstate(all="ignore"):
        distance = np.abs(mine - theirs) / np.spacing(np.maximum(np.abs(theirs), scale))
        equal = (mine == theirs) | (np.isnan(mine) & np.isnan(theirs))
        return np.where(equal, 0.0, np.where(np.isfinite(distance), distance, INF))


@pytest.mark.parametrize("number", range(len(CASES)))
def test_operations(compiled: Compiled, number: int) -> None:
    name, program = CASES[number]
    rows = points(name, len(program.arguments()))
    values, gradients, statuses = compiled(number, rows)
    expected = of_engine(program, *np.ascontiguousarray(rows.T))
    assert np.array_equal(tags(values), tags(expected[0]))
    assert np.array_equal(statuses, expected[2])
    assert {0, 1} <= set(statuses.ravel().tolist())
    if name in EXACT:
        assert same_bits(values, expected[0]).all()
        assert same_bits(gradients, expected[1]).all()
        return
    # The terms of a sum of exponentials may cancel in its logarithm.
    terms = np.nanmax(np.where(np.isfinite(rows), np.abs(rows), 0.0), axis=1, keepdims=True)
    scale = terms if name == "logsumexp" else np.zeros_like(values)
    assert ulps(values, expected[0], scale).max() <= FEW
    # A subnormal value has lost the digits that its slope is made of.
    kept = (np.abs(expected[0][:, 0]) >= np.finfo(float).tiny) | (expected[0][:, 0] == 0.0)
    assert ulps(gradients, expected[1], np.zeros_like(gradients))[kept].max() <= FEW


def test_the_exact_operations_are_among_those_tested() -> None:
    assert {name for name, _ in CASES} >= EXACT
    assert len({name for name, _ in CASES}) > 40


def powers(x: Any, y: Any) -> list[Any]:
    exponents = [-5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 64, -301, 2**31 - 1, -(2**31 - 1)]
    return [y * zp.tr_pow_int(x, n) for n in exponents]


def product(x: Any, y: Any) -> Any:
    return zp.tr_prod([x, y, x, 1e-200, y, 1e200]) * zp.tr_prod([y, 3.0])


def conditions(x: Any, y: Any) -> list[Any]:
    tests = [
        *(zp.tr_less(x, y), zp.tr_less_equal(x, y), zp.tr_equal(x, y), zp.tr_greater(x, y)),
        *(zp.tr_is_real(x), zp.tr_is_infinite(x), zp.tr_is_phi(x)),
        *(zp.tr_and(zp.tr_is_real(x), zp.tr_is_real(y)), zp.tr_or(zp.tr_is_phi(x), True)),
        zp.tr_not(zp.tr_less(y, x)),
    ]
    return [zp.tr_where(test, x / y, y * y) for test in tests]


def nested_choices(x: Any, y: Any) -> list[Any]:
    inner = zp.tr_where(zp.tr_less(x, y), x, 2.5)
    outer = zp.tr_where(zp.tr_less(0.0, x), inner, zp.tr_where(zp.tr_is_real(y), y, inner))
    total = outer * outer + inner / outer - outer
    return [total, inner, outer, outer + outer, zp.tr_where(zp.tr_less(x, 0.0), 3.0, 4.0)]


def shared_parts(x: Any, y: Any) -> list[Any]:
    ratio = x / y
    back = 1.0 / (ratio + 1.0)
    return [back * ratio - x, zp.tr_sqrt(back) + ratio * ratio, ratio, x, x + x]


def overflowing_adjoints(x: Any, y: Any) -> list[Any]:
    large = x * HUGE + x * HUGE + x * HUGE
    return [large * 0.25, zp.tr_prod([y, large]), large**3 / y, -large - large]


def constants(x: Any, y: Any) -> list[Any]:
    return [x + number + 0.0 * y for number in (INF, -INF, NAN, -0.0, SMALLEST, HUGE, 0.1)]


FUNCTIONS: list[Callable[[Any, Any], Any]] = [
    *(powers, product, conditions, nested_choices, shared_parts, overflowing_adjoints, constants),
]


@needs_compiler
def test_functions_have_the_bits_of_the_engine(tmp_path: Path) -> None:
    programs = [tr_vmap(each).program(*np.zeros((2, 1))) for each in FUNCTIONS]
    functions = Compiled(programs, tmp_path)
    random = np.random.default_rng(1)
    wide = random.normal(size=(300, 2)) * 10.0 ** random.integers(-160, 160, (300, 2))
    rows = np.concatenate([np.array(list(itertools.product(SPECIAL, repeat=2))), wide])
    for number, program in enumerate(programs):
        values, gradients, statuses = functions(number, rows)
        expected = of_engine(program, *np.ascontiguousarray(rows.T))
        assert same_bits(values, expected[0]).all(), program
        assert same_bits(gradients, expected[1]).all(), program
        assert np.array_equal(statuses, expected[2]), program


@needs_compiler
@pytest.mark.slow
def test_a_long_function_is_cut_into_parts(tmp_path: Path) -> None:
    def function(x: Any, y: Any) -> list[Any]:
        total = x
        for step in range(300):
            ratio = y / (x - float(step))
            total = zp.tr_where(zp.tr_less(ratio, total), total + ratio, total * 0.5)
        return [total, x]

    program = tr_vmap(function).program(*np.zeros((2, 1)))
    assert "zp_f_adjoints_3(" in program.to_c("f")
    random = np.random.default_rng(2)
    rows = np.stack([random.integers(-20, 320, 100) * 1.0, random.normal(size=100)], axis=1)
    values, gradients, statuses = Compiled([program], tmp_path)(0, rows)
    expected = of_engine(program, *np.ascontiguousarray(rows.T))
    assert set(statuses.ravel().tolist()) >= {0, 1}
    assert same_bits(values, expected[0]).all()
    assert same_bits(gradients, expected[1]).all()
    assert np.array_equal(statuses, expected[2])


@needs_compiler
def test_results_that_are_not_asked_for_may_be_null(tmp_path: Path) -> None:
    program = tr_vmap(lambda x, y: [x / y, x * y]).program(*np.zeros((2, 1)))
    functions = Compiled([program], tmp_path)
    row = np.array([3.0, 0.0])
    values, gradients, statuses = ([INF, 0.0], [[0.0, 0.0], [0.0, 3.0]], [[1, 1], [0, 0]])
    expected = [values, gradients, statuses]
    untouched = [[7.0, 7.0], [[7.0, 7.0]] * 2, [[77, 77]] * 2]
    for missing in range(3):
        found = functions.call_without(0, row, missing)
        for place, array in enumerate(found):
            assert array.tolist() == (untouched if place == missing else expected)[place]


@needs_compiler
def test_elements_stand_in_the_order_of_the_arguments(tmp_path: Path) -> None:
    def function(x: Any, p: Any) -> Any:
        return x @ p["w"] + p["b"]

    parameters = {"w": np.array([2.0, 3.0]), "b": 0.5}
    program = tr_vmap(function, in_axes=(0, None)).program(np.ones((1, 2)), parameters)
    source = program.to_c("affine")
    for line in ["x[0] to x[1]: x, of the shape (2)", "x[2] to x[3]: p['w'], of", "x[4]: p['b']"]:
        assert line in source
    values, gradients, statuses = Compiled([program], tmp_path)(
        0, np.array([[5.0, 7.0, 2.0, 3.0, 0.5]])
    )
    assert values.tolist() == [[31.5]]
    assert gradients.tolist() == [[[2.0, 3.0, 5.0, 7.0, 1.0]]]
    assert not statuses.any()


UNAVAILABLE = [
    (name, row["arity"])
    for name, row in TABLE.items()
    if row["arity"] in ("unary", "binary") and name not in {**UNARY, **BINARY}
]


@pytest.mark.parametrize(("name", "arity"), UNAVAILABLE)
def test_what_is_not_available_is_named(name: str, arity: str) -> None:
    program = unary(name) if arity == "unary" else binary(name)
    with pytest.raises(NotImplementedError, match=f"the operation {name} is not available in C"):
        program.to_c()


def test_what_leads_nowhere_is_left_out() -> None:
    program = tr_vmap(lambda x: (zp.tr_sinc(x), x + 1.0)[1]).program(np.zeros(1))
    assert any(step[1] == "sinc" for step in program.steps())
    assert "sinc" not in program.to_c()


@pytest.mark.parametrize(
    ("name", "error"),
    [
        *((name, ValueError) for name in ("", "1f", "f-g", "_f", "double", "zp_f", "ZP_F", "fé")),
        *((name, ValueError) for name in ("f\n", "bool", "ZEROPROOF_RUNTIME", "zeroproof")),
        (None, TypeError),
    ],
)
def test_names_that_c_does_not_have(name: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="C function"):
        CASES[0][1].to_c(name)


@pytest.mark.parametrize(
    "name",
    [
        *("exp", "sinf", "hypotl", "nan", "lgamma", "j0", "isfinite", "NAN", "HUGE_VAL", "FP_NAN"),
        *("FLT_EVAL_METHOD", "DBL_MAX", "DECIMAL_DIG", "double_t", "NULL", "size_t", "offsetof"),
        *("int64_t", "uint_fast8_t", "UINTPTR_MAX", "INT32_C", "UINT64_MAX", "SIZE_MAX"),
        *("memset", "strlen", "M_PI"),
    ],
)
def test_names_of_the_headers(name: str) -> None:
    program = CASES[0][1]
    with pytest.raises(ValueError, match=r"belongs to one of the headers float\.h, math\.h"):
        program.to_c(name)
    assert f"void my_{name}(" in program.to_c(f"my_{name}")


@needs_compiler
def test_all_names_that_the_headers_define_are_refused() -> None:
    """The macros of the headers, and the functions that they declare."""
    assert COMPILER is not None
    text = "".join(f"#include <{header}>\n" for header in HEADERS)
    found: set[str] = set()
    for option, name in (("-dM", r"#define ([A-Za-z]\w*)"), ("-P", r"\b([A-Za-z]\w*) \(")):
        command = [COMPILER, "-std=c99", "-E", option, "-x", "c", "-"]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
        found.update(re.findall(name, done.stdout))
    assert len(found) > 200
    for name in sorted(found):
        with pytest.raises(ValueError, match="C function"):
            check_name(name)


@needs_compiler
@pytest.mark.parametrize("flag", ["-ffast-math", "-ffinite-math-only"])
def test_compilers_that_forget_infinities_are_stopped(flag: str, tmp_path: Path) -> None:
    assert COMPILER is not None
    source = tmp_path / "program.c"
    source.write_text(CASES[0][1].to_c(), encoding="utf-8")
    command = [COMPILER, "-std=c99", "-fsyntax-only", str(source)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    done = subprocess.run([*command, flag], capture_output=True, text=True, check=False)
    assert "infinities and NaN are values here" in done.stderr


def slope_points(name: str) -> Doubles:
    """Operands at which a slope is more than the product of its rounded factors."""
    if name in ("erf", "erfc"):
        return np.random.default_rng(3).uniform(-26.0, 26.0, 5000)
    random = np.random.default_rng(4)
    extremes = [HUGE, HUGE / 2.0, 2.0**-1022, 2.0**-1023, 3e-309, 6e-309, 1e-309, SMALLEST]
    return np.concatenate([extremes, 10.0 ** random.uniform(-309.0, -306.0, 1000)])


@pytest.mark.parametrize("name", ["erf", "erfc", "log2", "log10"])
def test_slopes_have_all_digits(compiled: Compiled, name: str) -> None:
    number = [name for name, _ in CASES].index(name)
    rows = slope_points(name)[:, None]
    gradients, statuses = compiled(number, rows)[1:]
    expected = of_engine(CASES[number][1], np.ascontiguousarray(rows[:, 0]))
    assert np.array_equal(statuses, expected[2])
    assert np.count_nonzero(expected[1]) > 500
    assert ulps(gradients, expected[1], np.zeros_like(gradients)).max() <= FEW


def test_operands_of_folds_and_outputs_count_too() -> None:
    def folds(x: Any) -> Any:
        return [zp.tr_sum([x] * 2**14) for _ in range(2)]

    program = tr_vmap(folds).program(np.zeros(1))
    with pytest.raises(NotImplementedError, match="at most 32768 nodes, operands of folds and"):
        program.to_c()
    program = tr_vmap(lambda x: [x] * 2**15).program(np.zeros(1))
    with pytest.raises(NotImplementedError, match="but the program has 32769"):
        program.to_c()


@needs_compiler
@pytest.mark.slow
def test_lists_of_folds_share_the_stack(tmp_path: Path) -> None:
    def function(x: Any) -> Any:
        for _ in range(40):
            x = zp.tr_max([x, *[0.5] * 100])
        return x

    program = tr_vmap(function).program(np.zeros(1))
    source = program.to_c("f")
    assert source.count("    {\n        const double list[101] = {") == 40
    (tmp_path / "f.c").write_text(source, encoding="utf-8")
    command = [str(COMPILER), *FLAGS, "-fstack-usage", "-c", "f.c"]
    subprocess.run(command, cwd=tmp_path, check=True)
    used = [int(line.split()[1]) for line in (tmp_path / "f.su").read_text("utf-8").splitlines()]
    assert max(used) < 8 * 101 * 20


def test_too_many_nodes() -> None:
    def function(x: Any) -> Any:
        for _ in range(2**14):
            x = x * 2.0
        return x

    program = tr_vmap(function).program(np.zeros(1))
    with pytest.raises(
        NotImplementedError, match=r"at most 32768 nodes.*, but the program has 32770"
    ):
        program.to_c()


def test_the_label_cannot_leave_the_comment() -> None:
    def function(x: Any) -> Any:
        return x

    function.__name__ = '*/ int evil; /* "\n'
    source = tr_vmap(function).program(np.zeros(1)).to_c()
    assert "evil" in source
    assert source.index("*/") == source.index("-ffast-math. */") + len("-ffast-math. ")


def test_infinite_and_undefined_constants() -> None:
    source = tr_vmap(constants).program(*np.zeros((2, 1))).to_c()
    for number in ("INFINITY", "(-INFINITY)", "NAN", "(-0x0.0p+0)", f"({SMALLEST.hex()})"):
        assert f"x[0] + {number};" in source
