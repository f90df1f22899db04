"""What a fit did, epoch by epoch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional

__all__ = ["FitHistory"]


@dataclass
class FitHistory:
    """The record of a fit.

    The lists have an item for each epoch; epoch 0 is the start. A loss is the mean over the
    residuals that are REAL.

    Args:
        method: "lm" or "adam".
        mode: the gradient mode.
        loss: of the training samples.
        validation_loss: of those kept apart; empty without any.
        masked: how many training residuals were not REAL, at poles of the model or of the data, and
            so left out.
        saturated: how many residuals (of "lm") or batches (of "adam") had a gradient with a bounded
            partial.
        best_epoch: the one whose coefficients the model has, if ``moved`` is False.
        moved: whether the best epoch had a pole in ``pole_free``, so that the fit was moved out of
            the poles and the model has other coefficients.
        final_loss: of the coefficients that the model has, on the training samples: that of the
            best epoch, unless the fit was moved.
        final_validation_loss: the same on the samples kept apart; None without any.
        stopped_by: "epochs", "patience", or "converged": no step lowers the loss any more.

    Examples:
        >>> import numpy as np
        >>> from zeroproof import RationalModel
        >>> x = np.linspace(-1.0, 1.0, 40)[:, None]
        >>> history = RationalModel(1, 1, degree=(1, 1)).fit(x, (1.0 + x) / (x - 0.3), epochs=10)
        >>> history.method, history.epochs <= 10, history.final_loss < history.loss[0]
        ('lm', True, True)
    """

    method: str
    mode: str
    loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    masked: list[int] = field(default_factory=list)
    saturated: list[int] = field(default_factory=list)
    best_epoch: int = 0
    stopped_by: str = "epochs"
    moved: bool = False
    final_loss: float = float("nan")
    final_validation_loss: Optional[float] = None

    @property
    def epochs(self) -> int:
        """The number of epochs after the start."""
        return len(self.loss) - 1

    def __str__(self) -> str:
        held_out = (
            f", validation {self.validation_loss[self.best_epoch]:.3g}"
            if self.validation_loss
            else ""
        )
        text = (
            f"{self.method} in {self.mode} mode: {self.epochs} epochs, stopped by "
            f"{self.stopped_by}; best in epoch {self.best_epoch}: loss "
            f"{self.loss[self.best_epoch]:.3g}{held_out}, {self.masked[self.best_epoch]} masked"
        )
        if self.moved:
            text += f"; moved out of pole_free: loss {self.final_loss:.3g}"
            if self.final_validation_loss is not None:
                text += f", validation {self.final_validation_loss:.3g}"
        return text
