"""The fit of a model: arguments, split, method."""

from __future__ import annotations

from typing import Any, Optional, Protocol

import numpy as np
import numpy.typing as npt

from .._arrays import Array
from .._enums import GradientMode
from ..autodiff.hybrid_gradient import HybridGradientSchedule
from ._arguments import Samples, checked_choice, checked_samples, checked_share, whole
from ._levenberg_marquardt import descend
from ._losses import LOSSES
from ._minibatches import train
from ._pole_free import box_of, kept_free
from ._problem import MODES, Model, Modes, Problem
from ._progress import Progress
from ._start import linearised
from .history import FitHistory

__all__ = ["fit", "kept_apart"]

METHODS = ("auto", "lm", "adam")
STARTS = ("auto", "linearised", "current")

#: The largest Jacobian, in numbers, that "auto" computes: 160 MB.
LARGEST_JACOBIAN = 20_000_000


class _Scaled(Model, Protocol):
    domain: Any
    features: Any

    def set_domain(self, domain: Any) -> None:
        """Changes what inputs are scaled by."""


def fit(
    model: _Scaled,
    x: Any,
    y: Any,
    *,
    method: str,
    start: str,
    sigma: Any,
    loss: str,
    validation: float,
    epochs: Optional[int],
    patience: Optional[int],
    mode: Any,
    schedule: Optional[HybridGradientSchedule],
    batch_size: int,
    lr: Any,
    seed: int,
    pole_free: Any = None,
    may_be_undetermined: bool = False,
) -> FitHistory:
    """``RationalModel.fit``.

    ``may_be_undetermined``: fewer rows than coefficients are no error.
    """
    method = checked_choice(method, "method", METHODS)
    start = checked_choice(start, "start", STARTS)
    loss = checked_choice(loss, "loss", LOSSES)
    mode = _checked_mode(mode)
    share = checked_share(validation, "validation")
    batch_size = whole(batch_size, "batch_size", 1)
    epochs = None if epochs is None else whole(epochs, "epochs", 0)
    patience = None if patience is None else whole(patience, "patience", 1)
    if schedule is not None and not isinstance(schedule, HybridGradientSchedule):
        raise TypeError(f"schedule must be a HybridGradientSchedule, not {type(schedule).__name__}")
    samples = checked_samples(x, y, sigma, model.inputs, model.outputs)
    rng = np.random.default_rng(whole(seed, "seed", 0))
    training, held_out = _split(samples, share, rng)
    if not may_be_undetermined:
        _check_rows(model, samples, training, share)
    if model.domain is None:
        model.set_domain(_box(samples))
    box = box_of(pole_free, model)
    if method == "auto":
        size = training.y.size * (model.numerator.size + model.denominator.size)
        method = "lm" if size <= LARGEST_JACOBIAN else "adam"
    problem = Problem(model, training, loss)
    apart = Problem(model, held_out, loss) if len(held_out.x) else None
    if start == "linearised" or (start == "auto" and method == "lm"):
        with np.errstate(all="ignore"):  # what overflows gives no lower loss
            linearised(problem).written_to(model)
    if method == "lm":
        epochs = 100 if epochs is None else epochs
        modes = Modes(mode, schedule, max(1, epochs // 10))
        progress = Progress(FitHistory("lm", mode), apart, 10 if patience is None else patience)
        with np.errstate(all="ignore"):
            descend(problem, modes, epochs, progress)
    else:
        epochs = 200 if epochs is None else epochs
        modes = Modes(mode, schedule, max(1, 2 * epochs // 3))
        progress = Progress(FitHistory("adam", mode), apart, patience)
        train(problem, modes, epochs, batch_size, lr, rng, progress)
    best, history = progress.best, progress.history
    history.final_loss = history.loss[history.best_epoch]
    if apart is not None:
        history.final_validation_loss = history.validation_loss[history.best_epoch]
    if box is not None:
        with np.errstate(all="ignore"):
            best, history.moved = kept_free(problem, best, box)
            if history.moved:
                history.final_loss = best.loss
                if apart is not None:
                    judged = apart.evaluate(best.numerator, best.denominator)
                    history.final_validation_loss = judged.loss
    best.written_to(model)
    model.normalize()
    return history


def _checked_mode(mode: Any) -> str:
    for name, code in MODES.items():
        if isinstance(mode, GradientMode) and mode is code:
            return name
    return checked_choice(mode, "mode", tuple(MODES))


def _split(samples: Samples, share: float, rng: np.random.Generator) -> tuple[Samples, Samples]:
    """The training and the validation samples. Rows without a finite y are for training."""
    apart = kept_apart(samples.y, share, rng)
    return samples.rows(~apart), samples.rows(apart)


def kept_apart(y: Array, share: float, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Which rows of y, of shape (samples, outputs), are for validation."""
    usable = np.flatnonzero(np.isfinite(y).all(axis=1))
    apart = np.zeros(len(y), bool)
    apart[rng.permutation(usable)[: int(share * len(usable))]] = True
    return apart


def _check_rows(model: Model, samples: Samples, training: Samples, share: float) -> None:
    """Raises ValueError if there are fewer rows than coefficients to determine."""
    usable, left = (
        int(np.count_nonzero(np.isfinite(some.y).all(axis=1))) for some in (samples, training)
    )
    per_output = model.numerator.shape[-1]
    free = model.numerator.size + model.denominator.size - len(np.atleast_2d(model.denominator))
    needed = max(per_output, -(-free // model.outputs))
    if usable < needed:
        raise ValueError(
            f"x and y have {usable} rows with a finite y, but the model needs at least {needed} "
            f"for its {free} coefficients: give more rows or a lower degree"
        )
    if left < needed:
        raise ValueError(
            f"validation={share:g} leaves {left} of {usable} rows to fit, but the model needs at "
            f"least {needed} for its {free} coefficients: give a smaller validation, such as 0"
        )


def _box(samples: Samples) -> list[tuple[float, float]]:
    """The intervals that the data fill; a point is widened, so that it can be divided by."""
    box = []
    for low, high in zip(samples.x.min(axis=0).tolist(), samples.x.max(axis=0).tolist()):
        if not low < high:
            low, high = low - 1.0, high + 1.0
        if not (np.isfinite(high - low) and low < high):
            raise ValueError("x is too large to be scaled: give a domain, or x in another unit")
        box.append((low, high))
    return box
