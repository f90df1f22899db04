"""Adam on minibatches."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._enums import GradientStatus
from ..autodiff.batched import BatchedFunction, tr_vmap
from ..optim import Adam
from ._arguments import Samples
from ._losses import loss_of
from ._problem import Model, Modes, Problem
from ._progress import Progress

__all__ = ["train"]


def train(
    problem: Problem,
    modes: Modes,
    epochs: int,
    batch_size: int,
    lr: Any,
    rng: np.random.Generator,
    progress: Progress,
) -> None:
    """Epochs of Adam from the model's coefficients, each over all samples in a new order.

    The gradient of a batch is that of the mean loss over its samples whose loss is REAL. After an
    epoch Q is brought back to norm 1: steps are orthogonal to the scale, so it only grows.
    """
    model, samples = problem.model, _usable(problem.samples)
    batched = _loss(model, problem.loss)
    # P and Q of the optimizer are those of the model, which steps update in place.
    optimizer = Adam({"numerator": model.numerator, "denominator": model.denominator}, lr=lr)
    progress.add(problem.evaluate(model.numerator, model.denominator), 0)
    for epoch in range(epochs):
        order, saturated = rng.permutation(len(samples.x)), 0
        with modes.block(epoch):
            for first in range(0, len(order), batch_size):
                batch = samples.rows(order[first : first + batch_size])
                _, gradients, statuses = batched.value_and_grad(
                    model.numerator,
                    model.denominator,
                    *batch,
                    argnums=(0, 1),
                    reduce="mean",
                    with_status=True,
                    coordinate=2 if model.inputs == 1 else None,
                )
                named = dict(zip(("numerator", "denominator"), gradients))
                optimizer.step(named, dict(zip(named, statuses)))
                saturated += _is_saturated(statuses)
        point = problem.evaluate(model.numerator, model.denominator)
        point.written_to(model)
        progress.add(point, saturated)
        if progress.is_exhausted():
            return


def _loss(model: Model, loss: str) -> BatchedFunction:
    """The mean over the outputs of a sample."""

    def of_sample(numerator: Any, denominator: Any, x: Any, y: Any, weights: Any) -> Any:
        values = model.apply({"numerator": numerator, "denominator": denominator}, x)
        each = [loss_of(r, loss) for r in (values - y) * weights]
        return sum(each[1:], each[0]) / float(len(each))

    return tr_vmap(of_sample, in_axes=(None, None, 0, 0, 0))


def _usable(samples: Samples) -> Samples:
    """The samples with finite targets; the others would be masked in every step."""
    return samples.rows(np.flatnonzero(np.isfinite(samples.y).all(axis=1)))


def _is_saturated(statuses: tuple[npt.NDArray[Any], ...]) -> bool:
    flag = int(GradientStatus.SATURATED)
    return any(bool((status & flag).any()) for status in statuses)
