"""Random functions as programs: saved, loaded, mutated and compiled."""

from __future__ import annotations

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
from support.file_targets import MODES, use_program
from support.mutations import mutated
from support.random_functions import (
    ARITHMETIC,
    CHOICES,
    CONDITIONS,
    VECTORS,
    batches,
    functions,
    with_results,
)
from zeroproof import load_program


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
                use_program(program)


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
