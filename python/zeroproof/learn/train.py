"""Training: Levenberg-Marquardt on the per-sample gradients of the engine.

The loss is the mean of the squared residuals that are REAL. An epoch differentiates the residuals
of all samples in the gradient mode being trained (``samples.py``). Their gradients are the rows of
the Jacobian J, and the step solves ``min ‖J·s + r‖² + λ‖D·s‖²``, D the column norms of J
(``step.py``). A step that does not lower the loss is rejected and tried again with more damping
λ. Trials compute values only, so they make no decisions and do not change the statistics.

A first-order method is not used because the coefficients of a rational function are strongly
coupled: gradient descent needs thousands of epochs where this needs tens, and poles are to be found
to many digits. The damping handles the null direction (P and Q by the same factor), and modes whose
gradients are not those of the loss.

The loss has local minima, such as a pole of the model that P cancels. So a start that converges
is followed by another one, until the best loss has been found repeatedly or the epochs are used up.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Optional

import numpy as np

from ..autodiff.grad_mode import GradientMode, GradientModeConfig, gradient_mode
from ..autodiff.hybrid_gradient import HybridGradientContext, HybridGradientSchedule
from .data import Dataset, FloatArray
from .model import Frame, Rational
from .samples import Evaluation, Samples
from .step import LEAST_DAMPING, DampedSteps

__all__ = ["MODES", "Fit", "train"]

MODES = {
    "hybrid": GradientMode.HYBRID,
    "mask-real": GradientMode.MASK_REAL,
    "saturating": GradientMode.SATURATING,
}

# With Q at norm 1 the distances to poles are below about 1; partials bounded at a tenth of that
# stay close to the classical ones for most samples.
SATURATION_BOUND = 0.1

FIRST_DAMPING, MOST_DAMPING = 1e-2, 1e8
TRIALS_PER_EPOCH = 8
# A start has converged after this many epochs in which the loss fell by less than this share.
SETTLED_EPOCHS, SETTLED_FALL = 3, 1e-4
# Training ends when this many starts reached the best loss, or at a loss of rounding errors.
AGREEING_STARTS, AGREEMENT, ROUNDING = 4, 1e-3, 1e-24
# A start has its poles in this part of |u| < 1.
START_FROM, START_TO = 0.3, 0.95


@dataclass
class Fit:
    """The fit of one mode so far."""

    mode: str
    model: Rational
    loss: float
    start_poles: list[float]
    epochs: int = 0
    starts: int = 0
    best_start: int = 0
    seconds: float = 0.0
    stopped_by: str = "epochs"
    masked: int = 0
    saturated: int = 0
    recorded: int = 0
    schedule: Optional[str] = None
    statistics: Optional[dict[str, Any]] = None
    settled_losses: list[float] = field(default_factory=list)

    @property
    def agreeing(self) -> int:
        """The number of starts that converged to the best loss."""
        limit = self.loss * (1.0 + AGREEMENT) + ROUNDING
        return sum(loss <= limit for loss in self.settled_losses)

    @property
    def masked_share(self) -> float:
        """The share of samples, over all epochs, that the loss or the gradient mode masked."""
        return self.masked / max(1, self.recorded)

    @property
    def saturated_share(self) -> float:
        """The share of samples, over all epochs, with a bounded partial in their gradient."""
        return self.saturated / max(1, self.recorded)


Progress = Callable[[Fit, Optional[float]], None]


def train(
    data: Dataset,
    degree: tuple[int, int],
    mode: str,
    epochs: int,
    seed: int = 0,
    progress: Progress = lambda fit, delta: None,
) -> Fit:
    """Fits P/Q of this degree.

    Args:
        data: with at least as many usable rows as free coefficients.
        degree: of P and of Q.
        mode: a key of ``MODES``.
        epochs: the largest number to run, over all starts.
        seed: of the starts.
        progress: called with the fit and δ after every epoch.

    Returns:
        The best fit. On KeyboardInterrupt, the best so far with ``stopped_by`` "interrupt".
    """
    return _Training(data, degree, mode, epochs, seed, progress).run()


class _Training:
    def __init__(
        self,
        data: Dataset,
        degree: tuple[int, int],
        mode: str,
        epochs: int,
        seed: int,
        progress: Progress,
    ) -> None:
        self.degree, self.mode, self.epochs, self.progress = degree, mode, epochs, progress
        self.frame = Frame.of(data)
        self.samples = Samples(data, self.frame, degree)
        self.rng = np.random.default_rng(seed)
        self.next_start = self._draw_start()
        coefficients, poles = self.next_start
        first = self._evaluate(coefficients)
        self.fit = Fit(mode, self._model(first), first.loss, poles)

    def run(self) -> Fit:
        began = time.monotonic()
        fit = self.fit
        try:
            # The block restores the state of the process. A step may overflow, which gives no lower
            # loss.
            with gradient_mode(GradientMode.MASK_REAL), np.errstate(all="ignore"):
                while fit.epochs < self.epochs and not self._done():
                    self._descend(*self.next_start)
                    self.next_start = self._draw_start()
        except KeyboardInterrupt:
            fit.stopped_by = "interrupt"
        fit.seconds = time.monotonic() - began
        return fit

    def _done(self) -> bool:
        fit = self.fit
        if fit.loss <= ROUNDING:
            fit.stopped_by = "exact fit"
        elif fit.agreeing >= AGREEING_STARTS:
            fit.stopped_by = "agreement"
        return fit.stopped_by != "epochs"

    def _draw_start(self) -> tuple[FloatArray, list[float]]:
        """Random coefficients with real poles, and where these are in x."""
        top, bottom = self.degree
        roots = self.rng.uniform(START_FROM, START_TO, bottom) * self.rng.choice([-1, 1], bottom)
        denominator = np.atleast_1d(np.poly(roots))[::-1]
        # Of the size of Q, with random signs: a residue hardly changes its sign in training.
        numerator = self.rng.normal(size=top + 1) * np.linalg.norm(denominator) / np.sqrt(top + 1)
        poles = sorted(self.frame.to_x(root) for root in roots.tolist())
        return np.concatenate([numerator, denominator]), poles

    def _descend(self, coefficients: FloatArray, start_poles: list[float]) -> None:
        """One start, until it converges."""
        fit = self.fit
        fit.starts += 1
        HybridGradientContext.reset()
        schedule = _schedule()
        point, damping, idle, epoch = self._evaluate(coefficients), FIRST_DAMPING, 0, 0
        self._offer(point, start_poles)
        while fit.epochs < self.epochs and idle < SETTLED_EPOCHS:
            before = point.loss
            with self._mode_block(schedule, epoch):
                delta = GradientModeConfig.get_local_threshold()
                point, damping = self._improve(point, damping)
                self._offer(point, start_poles)
                if self.mode == "hybrid" and fit.best_start == fit.starts:
                    fit.statistics = HybridGradientContext.get_statistics()
                    fit.schedule = schedule.get_mode_description(epoch)
                HybridGradientContext.end_batch_policy_update()
            fit.epochs += 1
            self.progress(fit, delta)
            fell = point.loss < before * (1.0 - SETTLED_FALL)
            decaying = self.mode == "hybrid" and schedule.is_transitioning(epoch)
            idle = 0 if fell or decaying else idle + 1
            epoch += 1
            if point.loss <= ROUNDING:
                break
        if idle >= SETTLED_EPOCHS or point.loss <= ROUNDING:
            fit.settled_losses.append(point.loss)

    def _mode_block(
        self, schedule: HybridGradientSchedule, epoch: int
    ) -> AbstractContextManager[Any]:
        if self.mode == "hybrid":
            return schedule.apply(epoch)
        return gradient_mode(MODES[self.mode], saturation_bound=SATURATION_BOUND)

    def _improve(self, point: Evaluation, damping: float) -> tuple[Evaluation, float]:
        """An epoch: the first of a few steps, each more damped than the last, that lowers the loss.

        The gradients are in the current mode.
        """
        linear = self.samples.linearise(point)
        self.fit.masked += linear.masked
        self.fit.saturated += linear.saturated
        self.fit.recorded += len(point.residuals)
        try:
            steps = DampedSteps(linear.jacobian, linear.residuals)
        except np.linalg.LinAlgError:
            return point, min(damping * 4.0**TRIALS_PER_EPOCH, MOST_DAMPING)
        for _ in range(TRIALS_PER_EPOCH):
            tried = self._evaluate(point.coefficients + steps.step(damping))
            if tried.loss < point.loss:
                return tried, max(damping / 5.0, LEAST_DAMPING)
            damping = min(damping * 4.0, MOST_DAMPING)
        return point, damping

    def _evaluate(self, coefficients: FloatArray) -> Evaluation:
        """These coefficients with Q at norm 1."""
        denominator = coefficients[self.degree[0] + 1 :]
        norm = math.sqrt(denominator @ denominator)
        return self.samples.evaluate(coefficients / norm)

    def _offer(self, point: Evaluation, start_poles: list[float]) -> None:
        """Keeps these coefficients if they are the best so far."""
        fit = self.fit
        if point.loss < fit.loss:
            fit.model, fit.loss = self._model(point), point.loss
            fit.start_poles, fit.best_start = start_poles, fit.starts

    def _model(self, point: Evaluation) -> Rational:
        split = self.degree[0] + 1
        return Rational(point.coefficients[:split], point.coefficients[split:], self.frame)


def _schedule() -> HybridGradientSchedule:
    """δ from 1e-2 to 1e-6 over 20 epochs.

    It does not adapt: where many samples lie at a pole, as in the built-in problem, adaptive δ
    would keep its largest value.
    """
    return HybridGradientSchedule(
        saturating_bound=SATURATION_BOUND, pole_detection_threshold=0.01, adaptive_delta=False
    )
