"""Samples of x and y."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

import numpy as np
import numpy.typing as npt

from ..array import TRArray
from ..core import TRTag
from .table import Choice, FloatArray, Table, read_table
from .text import InputError

__all__ = ["Dataset", "FloatArray", "InputError", "read_csv"]


@dataclass(frozen=True)
class Dataset:
    """Samples of a function with poles.

    ``y`` holds the IEEE image of the targets: ``inf``, ``-inf`` and ``nan`` stand for +∞, −∞ and Φ.
    ``sigma`` has the standard deviations of y, if they are known.
    """

    name: str
    x: FloatArray
    y: FloatArray
    true_poles: tuple[float, ...] = ()
    sigma: Optional[FloatArray] = None
    x_name: str = "x"
    y_name: str = "y"

    @classmethod
    def of(cls, table: Table) -> Dataset:
        """The samples of a table with one x and one y."""
        return cls(
            table.name,
            table.x[:, 0],
            table.y[:, 0],
            sigma=table.sigma,
            x_name=table.x_names[0],
            y_name=table.y_names[0],
        )

    @property
    def usable(self) -> npt.NDArray[np.bool_]:
        """Which rows have a REAL target."""
        return np.isfinite(self.y)

    def targets_by_tag(self) -> dict[str, int]:
        """How many targets have each tag."""
        tags = TRArray(self.y).tags
        return {tag.name: int(np.count_nonzero(tags == tag)) for tag in TRTag}

    def require_rows(self, coefficients: int) -> None:
        """Raises InputError if the usable rows cannot determine this number of coefficients."""
        distinct = len(np.unique(self.x[self.usable]))
        if distinct < coefficients:
            raise InputError(
                f"{self.name}: {distinct} usable rows with different x, but this degree has "
                f"{coefficients} free coefficients; give more rows or a lower --degree"
            )


def read_csv(path: str) -> Dataset:
    """Reads a table of two columns, as :func:`read_table` does.

    Raises:
        InputError: with one line that names the file, the line and what to do.
    """
    return Dataset.of(read_table(path, Choice()))
