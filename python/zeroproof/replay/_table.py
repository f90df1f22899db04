"""All operations that the replay knows, by their names in the op table."""

from __future__ import annotations

from . import _arithmetic, _exponentials, _logarithms, _order, _powers, _special, _trigonometric
from ._folds import FOLDS
from ._row import Row

__all__ = ["FOLDS", "ROWS"]

ROWS: dict[str, Row] = {
    **_arithmetic.ROWS,
    **_exponentials.ROWS,
    **_logarithms.ROWS,
    **_order.ROWS,
    **_powers.ROWS,
    **_special.ROWS,
    **_trigonometric.ROWS,
}
