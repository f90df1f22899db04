"""The best coefficients so far, and when to stop."""

from __future__ import annotations

from typing import Optional

from ._problem import Point, Problem
from .history import FitHistory

__all__ = ["Progress"]


class Progress:
    """Keeps the history and the best point of a fit.

    Args:
        history: to be filled.
        apart: the loss on the samples kept apart; None to judge by the training loss.
        patience: how many epochs without a better point are too many; None for no limit.
    """

    best: Point

    def __init__(
        self, history: FitHistory, apart: Optional[Problem], patience: Optional[int]
    ) -> None:
        self.history = history
        self._apart = apart
        self._patience = patience
        self._least = (0, float("inf"))

    def add(self, point: Point, saturated: int) -> None:
        """Records the point that an epoch led to."""
        history = self.history
        history.loss.append(point.loss)
        history.masked.append(point.masked)
        history.saturated.append(saturated)
        judged = point
        if self._apart is not None:
            judged = self._apart.evaluate(point.numerator, point.denominator)
            history.validation_loss.append(judged.loss)
        # More masked samples are worse, whatever the loss on the others is.
        score = (judged.masked, judged.loss)
        if history.epochs == 0 or score < self._least:
            self._least, self.best = score, point
            history.best_epoch = history.epochs

    def is_exhausted(self) -> bool:
        """Whether the best point is too long ago."""
        history = self.history
        if self._patience is None or history.epochs - history.best_epoch < self._patience:
            return False
        history.stopped_by = "patience"
        return True
