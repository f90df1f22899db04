"""Programs that were saved."""

from __future__ import annotations

import os
from operator import index
from typing import SupportsIndex, Union

from ._program_format import from_text
from .batched import Program

__all__ = ["Program", "load_program"]


def load_program(
    path: Union[str, os.PathLike[str]], *, max_nodes: SupportsIndex = 2**22
) -> Program:
    """The program that ``Program.save`` wrote to a file. No code of the file is run.

    Everything in the file is checked, so it need not be trusted. Named tuples and dataclasses
    among the results are of classes made for them, with the names and fields of those that the
    function returned; arguments may be of any class with the same fields.

    Args:
        path: the file.
        max_nodes: the most numbers in the arguments, steps and results that the program may have;
            a small file can ask for large arguments.

    Raises:
        ValueError: if the file is no saved program, of another version, damaged or too large; the
            error names the place.
        OSError: if it cannot be read.

    Examples:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from zeroproof import tr_vmap
        >>> from zeroproof.autodiff import load_program
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder, "recip.json")
        ...     tr_vmap(lambda x: 1.0 / x).program([2.0]).save(path)
        ...     program = load_program(path)
        >>> program([4.0, 0.0])
        TRArray([0.25, +∞])
    """
    most = index(max_nodes)
    with open(path, encoding="utf-8") as file:
        try:
            text = file.read()
        except UnicodeDecodeError:
            raise ValueError("the file is not text, so it is no saved program") from None
    return Program(from_text(text, most))
