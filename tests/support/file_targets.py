"""What users' files meet: each target reads one, and uses what it was read as.

A target returns if the file is refused with the error that its reader promises, and raises whatever
else happens.
"""

from __future__ import annotations

import argparse
import atexit
import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Optional

import numpy as np

import zeroproof as zp
from zeroproof import Program, Rational, RationalModel, load_program
from zeroproof.autodiff._batch_layout import arguments_of
from zeroproof.learn.predict import predict
from zeroproof.learn.table import Choice, read_table
from zeroproof.learn.text import InputError


@dataclass(frozen=True)
class Target:
    """A reader of files, and files that it reads."""

    one: Callable[[bytes], bool]
    """Reads a file; False if it was refused."""
    seeds: Callable[[], list[bytes]]


#: One folder for all: to make one takes longer than to read a file.
FOLDER = Path(tempfile.mkdtemp())
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)


def through_file(read: Callable[[Path], Any], data: bytes) -> Any:
    path = FOLDER / f"file-{os.getpid()}"
    path.write_bytes(data)
    return read(path)


def written_by(*savers: Any) -> list[bytes]:
    """The files that these objects save."""
    return [
        through_file(lambda path, s=s: (s.save(path), path.read_bytes())[1], b"") for s in savers
    ]


# Tables

TABLES = [
    b"x,y\n0,1\n1,2.5\n2,inf\n",
    b"0 1\n1 nan\n",
    b"\xef\xbb\xbfa;b;c\r\n1,5;2;0,1\r\n3;4e3;0.2\r\n",
    b"# from a robot\n\nq1\tq2\tJ\tsigma\n0\t1\t-inf\t.5\n1\t2\t3\t1e-3\n",
    b'"q 1","J"\n"1.0","2"\n',
]
CHOICES = [
    Choice(),
    Choice(sigma="sigma"),
    Choice(x=["q1", "q2"], y=["J"]),
    Choice(x=["1"], y=["2"], sigma="3"),
    Choice(needs_y=False),
    Choice(needs_y=False, known=["x"]),
]


def read_as_table(data: bytes) -> bool:
    read = 0
    for choice in CHOICES:
        try:
            table = through_file(lambda path, choice=choice: read_table(str(path), choice), data)
        except InputError as error:
            text = str(error)
            assert text
            assert "\n" not in text
            continue
        read += 1
        rows = len(table.x)
        assert rows > 0
        assert table.x.shape == (rows, len(table.x_names))
        assert table.y.shape == (rows, len(table.y_names))
        assert np.isfinite(table.x).all()
        if table.sigma is not None:
            assert table.sigma.shape == (rows,)
            assert ((table.sigma > 0.0) & np.isfinite(table.sigma)).all()
    return read > 0


# Models

X = np.linspace(-1.0, 1.0, 30)


def rationals() -> list[bytes]:
    fitted = zp.fit_rational(X, (1.0 + X) / (X - 0.3) + 1e-3 * np.cos(50.0 * X), (1, 1))
    return written_by(
        fitted, fitted.derivative(), Rational([1.0, 2.0], [1.0, 0.5, 0.25], (0.0, 2.0))
    )


def read_as_rational(data: bytes) -> bool:
    try:
        found = through_file(Rational.load, data)
    except ValueError:
        return False
    for x in (0.25, X, zp.TRNode.parameter(0.5)):
        found(x)
    with contextlib.suppress(OverflowError):
        found.derivative()
    shape = found.standard_error(X).shape
    assert shape == X.shape
    assert (found.poles.ndim, found.zeros.ndim, found.residues.shape) == (1, 1, found.poles.shape)
    # A power of Q may leave the range of doubles.
    with contextlib.nullcontext() if found.order == 1 else contextlib.suppress(OverflowError):
        assert found.summary()
    assert found.to_python()
    [text] = written_by(found)
    assert written_by(through_file(Rational.load, text)) == [text]
    return True


def rational_models() -> list[bytes]:
    return written_by(
        RationalModel(1, 1, (2, 1)),
        RationalModel(2, 3, (1, 2), shared_denominator=False, features="chebyshev"),
        RationalModel(
            2, 1, (2, 2), features=["trigonometric", "polynomial"], denominator_inputs=[0]
        ),
    )


def read_as_rational_model(data: bytes) -> bool:
    try:
        found = through_file(RationalModel.load, data)
    except ValueError:
        return False
    assert found.predict(np.full((3, found.inputs), 0.25)).shape == (3, found.outputs)
    assert repr(found)
    [text] = written_by(found)
    assert written_by(through_file(RationalModel.load, text)) == [text]
    return True


# The command

ROWS = b"x,u,v\n0.25,0,1\n0.5,2,3\n"


def columned() -> list[bytes]:
    """Models with the names of their columns, as the command writes them."""
    return [
        json.dumps(
            {**json.loads(text), "columns": {"x": names[:inputs], "y": list("yzw")[:outputs]}}
        ).encode()
        for text, inputs, outputs, names in [
            (rationals()[0], 1, 1, ["x"]),
            (rational_models()[0], 1, 1, ["x"]),
            (rational_models()[1], 2, 3, ["u", "v"]),
        ]
    ]


def read_by_command(data: bytes) -> bool:
    files = [FOLDER / f"{name}-{os.getpid()}" for name in ("model", "rows", "out")]
    for path, content in zip(files, (data, ROWS, b"")):
        path.write_bytes(content)
    model, table, out = map(str, files)
    try:
        assert predict(argparse.Namespace(model=model, data=table, x=None, out=out)) == 0
    except InputError as error:
        said = str(error)
    else:
        assert len(files[2].read_text(encoding="utf-8").splitlines()) >= 3
        return True
    assert said
    assert "\n" not in said
    return False


# Programs

MODES = [zp.GradientMode.MASK_REAL, zp.GradientMode.SATURATING]


class Pair(NamedTuple):
    a: Any
    b: Any


def _structured(x: Any, p: Any) -> Any:
    total = zp.tr_sum([x, p.a, 0.5], mode=zp.ReductionMode.DROP_NULL)
    return {"y": [zp.tr_where(zp.tr_less(x, total), x**2, p.b[1] / x)]}


def programs() -> list[bytes]:
    polynomial = zp.tr_vmap(lambda x, c: zp.tr_polyval(c, x) / (x - 1.0), in_axes=(0, None))
    several = zp.tr_vmap(lambda x, y: [zp.tr_log(x) * zp.tr_sin(y), zp.tr_hypot(x, y) ** -3])
    structured = zp.tr_vmap(_structured, in_axes=(0, None))
    return written_by(
        polynomial.program(np.zeros(1), np.zeros(4)),
        several.program(np.zeros(1), np.zeros(1)),
        structured.program(np.zeros(1), Pair(1.0, np.zeros(2))),
    )


def use_program(program: Program) -> None:
    """Calls a program in all ways, for arguments that it takes."""
    layout = program._portable.traced.layout
    axes = zip(layout.shapes, layout.per_sample)
    arrays = [np.full((3, *shape) if own else shape, 0.5) for shape, own in axes]
    args, keywords = arguments_of(layout.keys, layout.structures, arrays)
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


def refusal(data: bytes) -> Optional[str]:
    """What is said of a file that is no program; one that is goes through all its uses."""
    try:
        program = through_file(lambda path: load_program(path, max_nodes=1000), data)
    except ValueError as error:
        return str(error)
    use_program(program)
    return None


def read_as_program(data: bytes) -> bool:
    said = refusal(data)
    assert said is None or "the file" in said
    return said is None


TARGETS = {
    "table": Target(read_as_table, lambda: TABLES),
    "rational": Target(read_as_rational, rationals),
    "rational_model": Target(read_as_rational_model, rational_models),
    "predict": Target(read_by_command, columned),
    "program": Target(read_as_program, programs),
}
