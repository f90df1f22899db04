"""Random functions as programs: saved, loaded, mutated and compiled."""

from __future__ import annotations

import contextlib
import json
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import zeroproof as zp
from support.batches import Batch
from support.c_programs import (
    COMPILER,
    WITHOUT_COMPILER,
    Compiled,
    of_engine,
    same_bits,
)
from support.random_functions import (
    ARITHMETIC,
    CHOICES,
    CONDITIONS,
    VECTORS,
    batches,
    functions,
    with_results,
)
from zeroproof import Program, load_program

MODES = [zp.GradientMode.MASK_REAL, zp.GradientMode.SATURATING]


def results(function: Any, arrays: list[Any]) -> Iterator[Any]:
    """The numbers of values, derivatives and statuses."""
    places = tuple(range(len(arrays)))
    values, pullback = function.vjp(*arrays, argnums=places)
    for value in values:
        yield value.to_ieee()
    yield from function.jacobian(*arrays, argnums=places, with_status=True)
    yield from pullback(values)


@given(batch=batches(samples=[1, 3, 33]), mode=st.sampled_from(MODES), data=st.data())
def test_a_saved_program_gives_the_same_bits(
    batch: Batch, mode: zp.GradientMode, data: st.DataObject
) -> None:
    function, _ = data.draw(with_results(batch.function))
    batched, arrays = function.batched(), batch.arrays()
    program = batched.program(*arrays)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "program.json"
        program.save(path)
        text = path.read_text(encoding="utf-8")
        loaded = load_program(path)
        loaded.save(path)
        assert path.read_text(encoding="utf-8") == text
    assert str(loaded) == str(program)
    with zp.gradient_mode(mode):
        pairs = list(zip(results(loaded, arrays), results(batched, arrays)))
    assert len(pairs) > 3
    for mine, theirs in pairs:
        if mine.dtype == np.uint8:
            assert np.array_equal(mine, theirs)
        else:
            assert same_bits(mine, theirs).all()


VALUES: list[Any] = [
    None,
    True,
    0,
    1,
    -1,
    7,
    2**31,
    2**40,
    10**30,
    1.5,
    -0.0,
    "inf",
    "nan",
    "x",
    "",
]
VALUES += [
    "add",
    "sum",
    "sin",
    "pow_int",
    "gradients",
    "less",
    "and",
    "strict",
    [],
    {},
    [0],
    [0, 1],
]
VALUES += [["op", "add", [0, 1]], ["constant", 1.0], ["select", [7, 0, 0]], [0, 2**31], [[0]]]
VALUES += [{"kind": "leaf"}, {"kind": "none"}, {"kind": "list", "items": []}]


def places(content: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places in some JSON, from the outside in."""
    keys = content if isinstance(content, dict) else range(len(content))
    for key in keys:
        yield (*above, key)
        if isinstance(content[key], (dict, list)):
            yield from places(content[key], (*above, key))


def mutated(content: Any, chosen: random.Random) -> Any:
    """The content with something else at one place, or with one place more or less."""
    place = chosen.choice(list(places(content)))
    inner = content
    for key in place[:-1]:
        inner = inner[key]
    what = chosen.random()
    if what < 0.6:
        inner[place[-1]] = chosen.choice(VALUES)
    elif what < 0.8 and isinstance(inner[place[-1]], int):
        inner[place[-1]] = chosen.randrange(20)
    elif what < 0.9:
        del inner[place[-1]]
    elif isinstance(inner, list):
        inner.insert(place[-1], chosen.choice(inner))
    return json.loads(json.dumps(content))


def use(program: Program) -> None:
    """Calls a program in all ways, for arguments that it takes."""
    layout = program._portable.traced.layout
    axes = zip(layout.shapes, layout.per_sample)
    arrays = iter([np.full((3, *shape) if own else shape, 0.5) for shape, own in axes])
    args: list[Any] = []
    keywords: dict[str, Any] = {}
    for key, structure in zip(layout.keys, layout.structures):
        argument = structure.unflatten([next(arrays) for _ in range(structure.count)])
        if isinstance(key, str):
            keywords[key] = argument
        else:
            args.append(argument)
    numbers = (*range(len(args)), *keywords)
    program(*args, **keywords)
    for mode in MODES:
        with zp.gradient_mode(mode):
            program.jacobian(*args, argnums=numbers, **keywords)
    if len(program.outputs()) == 1 and program._portable.traced.results.is_node:
        program.value_and_grad(*args, argnums=numbers, reduce="mean", **keywords)
        program.hessian(*args, argnums=numbers, **keywords)
    with contextlib.suppress(NotImplementedError):
        program.to_c()


@settings(max_examples=60)
@given(batch=batches(functions(max_steps=8), samples=[1]), data=st.data(), seed=st.integers(0))
def test_a_mutated_file_is_refused_or_is_a_program(
    batch: Batch, data: st.DataObject, seed: int
) -> None:
    function, _ = data.draw(with_results(batch.function))
    chosen = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "program.json"
        function.batched().program(*batch.arrays()).save(path)
        content = json.loads(path.read_text(encoding="utf-8"))
        for _ in range(20):
            changed = json.loads(json.dumps(content))
            for _ in range(chosen.choice([1, 1, 2])):
                changed = mutated(changed, chosen)
            path.write_text(json.dumps(changed), encoding="utf-8")
            program, message = None, ""
            try:
                program = load_program(path, max_nodes=1000)
            except ValueError as error:
                message = str(error)
            if program is None:
                assert "the file" in message
            else:
                use(program)


#: Operations that have the engine's bits in C.
EXACT = [
    *ARITHMETIC * 3, *VECTORS, *CONDITIONS, *CHOICES, "ops.tr_sqrt(N)", "abs(N)",
    "N**-2", "N**3", "N**9", "N**-301", "core.tr_minimum(N, X)", "core.tr_maximum(X, N)",
    "ops.tr_sum([N, X, X], mode.DROP_NULL)", "ops.tr_mean(V, mode.DROP_NONREAL)", "ops.tr_min(V)",
    "ops.tr_prod([N, X, N])", "ops.tr_max([N, X, X], mode.DROP_NONREAL)", "core.tr_clip_max(N, X)",
]  # fmt: skip


@st.composite
def compilable(draw: st.DrawFn) -> Batch:
    """A function of such operations, that returns one to four results."""
    batch = draw(batches(functions(EXACT), samples=[65]))
    function, _ = draw(with_results(batch.function))
    return Batch(function, batch.samples, batch.seed, batch.specials)


@pytest.mark.skipif(COMPILER is None, reason=WITHOUT_COMPILER)
@settings(max_examples=6, phases=[Phase.generate])  # a compiler takes too long to shrink with
@given(given=st.lists(compilable(), min_size=8, max_size=8))
def test_a_compiled_program_has_the_bits_of_the_engine(given: list[Batch]) -> None:
    programs = [batch.function.batched().program(*batch.arrays()) for batch in given]
    with tempfile.TemporaryDirectory() as folder:
        compiled = Compiled(programs, Path(folder))
        for number, batch in enumerate(given):
            samples, pairs = batch.samples, zip(batch.arrays(), batch.function.arguments)
            arrays = [np.broadcast_to(each, (samples, *of.shape)).copy() for each, of in pairs]
            rows = np.concatenate([each.reshape(samples, -1) for each in arrays], axis=1)
            values, gradients, statuses = compiled(number, rows)
            expected = of_engine(zp.tr_vmap(batch.function.call), *arrays)
            assert same_bits(values, expected[0]).all(), batch
            assert same_bits(gradients, expected[1]).all(), batch
            assert np.array_equal(statuses, expected[2]), batch
