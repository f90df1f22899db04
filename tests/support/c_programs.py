"""C sources of programs, compiled and called."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

import numpy as np
import numpy.typing as npt

from zeroproof import Program
from zeroproof.autodiff import BatchedFunction

Doubles = npt.NDArray[np.float64]
Results = tuple[Doubles, Doubles, npt.NDArray[np.uint8]]

COMPILER: Optional[str] = shutil.which("cc")
WITHOUT_COMPILER = "there is no C compiler: cc was not found"
FLAGS = [
    "-std=c99",
    "-pedantic",
    "-Wall",
    "-Wextra",
    "-Wno-unused-function",
    "-Werror",
    "-O2",
    "-ffp-contract=off",
]


class Compiled:
    """The functions of several programs in one library."""

    def __init__(self, programs: Sequence[Program], folder: Path) -> None:
        source, library = folder / "programs.c", folder / "programs.so"
        texts = [program.to_c(f"f{number}") for number, program in enumerate(programs)]
        source.write_text("\n".join(texts), encoding="utf-8")
        assert COMPILER is not None
        command = [COMPILER, *FLAGS, "-fPIC", "-shared", str(source), "-o", str(library), "-lm"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        self._library = ctypes.CDLL(str(library))
        self._programs = programs

    def __call__(self, number: int, rows: Doubles) -> Results:
        """Values, derivatives and statuses of a program; a row holds the elements of a sample."""
        outputs, elements = len(self._programs[number].outputs()), rows.shape[1]
        values = np.full((len(rows), outputs), 7.0)
        gradients = np.full((len(rows), outputs, elements), 7.0)
        statuses = np.full((len(rows), outputs, elements), 77, np.uint8)
        function = getattr(self._library, f"f{number}")
        function.restype = None
        for row in range(len(rows)):
            arrays: list[npt.NDArray[Any]] = [rows[row], values[row], gradients[row], statuses[row]]
            function(*[ctypes.c_void_p(array.ctypes.data) for array in map(_contiguous, arrays)])
        return values, gradients, statuses

    def call_without(self, number: int, row: Doubles, missing: int) -> list[npt.NDArray[Any]]:
        """The results of one sample, one of which (0, 1, 2) is not asked for."""
        outputs, elements = len(self._programs[number].outputs()), len(row)
        arrays: list[npt.NDArray[Any]] = [
            np.full(outputs, 7.0),
            np.full((outputs, elements), 7.0),
            np.full((outputs, elements), 77, np.uint8),
        ]
        pointers = [ctypes.c_void_p(array.ctypes.data) for array in arrays]
        pointers[missing] = ctypes.c_void_p(None)
        function = getattr(self._library, f"f{number}")
        function(ctypes.c_void_p(row.ctypes.data), *pointers)
        return arrays


def _contiguous(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    assert array.flags.c_contiguous
    return array


def of_engine(program: BatchedFunction, *arguments: Doubles) -> Results:
    """The same of the engine, for arguments that each sample has its own of."""
    result = program(*arguments)
    leaves = list(result) if isinstance(result, (tuple, list)) else [result]
    samples = len(arguments[0])
    values = np.concatenate([leaf.to_ieee().reshape(samples, -1) for leaf in leaves], axis=1)
    places = tuple(range(len(arguments)))
    jacobian, statuses = program.jacobian(*arguments, argnums=places, with_status=True)
    return values, jacobian, statuses


def same_bits(mine: Doubles, theirs: Doubles) -> npt.NDArray[np.bool_]:
    """By element whether the bits are the same; every NaN has the same."""
    both_nan = np.isnan(mine) & np.isnan(theirs)
    return (mine.view(np.uint64) == theirs.view(np.uint64)) | both_nan


def tags(values: Doubles) -> npt.NDArray[Any]:
    """What is REAL, +∞, −∞ and Φ."""
    return np.where(np.isnan(values), 3, np.where(np.isinf(values), np.sign(values), 0))
