"""Training: Levenberg-Marquardt on the per-sample gradients of the engine.

Each epoch records the graph of every sample with the coefficients as parameters. The loss is the
mean of the squared residuals with ``DROP_NONREAL``, so a sample at a pole does not silence the
others. One backward pass for each sample gives a row of the Jacobian J, and the step solves
``min ‖J·s + r‖² + λ‖D·s‖²``, D the column norms of J.

The chain is cut at the quotients f = P/Q. What comes after them has no pole and is differentiated
classically; its derivative is the adjoint with which the backward pass of each quotient begins, in
the gradient mode being trained. So each sample makes exactly one decision in Hybrid mode, and the
statistics are those of the distances |Q|.

Why this and not a first-order method: the coefficients of a rational function are so strongly
coupled that gradient descent needs thousands of epochs where this needs tens, and a pole is only
worth reporting with many digits. The damping copes with the one direction in which nothing changes
(P and Q by the same factor), and with a mode whose gradients are not those of the loss.

The loss has local minima, such as a pole of the model that P cancels. So a start that settles is
followed by another one, until the best loss has been found repeatedly or the epochs are used up.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Optional

import numpy as np

from ..autodiff.grad_mode import GradientMode, gradient_mode
from ..autodiff.hybrid_gradient import HybridGradientContext, HybridGradientSchedule
from ..autodiff.tr_node import GradientStatus, TRNode
from ..autodiff.tr_ops_grad import tr_mean, tr_sum
from ..core import ReductionMode, TRTag
from .data import Dataset, FloatArray
from .model import Frame, Rational, Samples

__all__ = ["MODES", "Fit", "train"]

MODES = {
    "hybrid": GradientMode.HYBRID,
    "mask-real": GradientMode.MASK_REAL,
    "saturating": GradientMode.SATURATING,
}

# With Q at norm 1 the distances to poles are below about 1; partials bounded at a tenth of that
# stay close to the classical ones for most samples.
SATURATION_BOUND = 0.1

FIRST_DAMPING, LEAST_DAMPING, MOST_DAMPING = 1e-2, 1e-12, 1e8
TRIALS_PER_EPOCH = 8
# A start has settled after so many epochs in which the loss fell by less than this share.
SETTLED_EPOCHS, SETTLED_FALL = 3, 1e-4
# Training ends when so many starts came to the best loss, or at once at a loss that is rounding.
AGREEING_STARTS, AGREEMENT, ROUNDING = 4, 1e-3, 1e-24
# A start has its poles in this part of |u| < 1.
START_FROM, START_TO = 0.3, 0.95


@dataclass
class Fit:
    """What one mode has learned so far."""

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
        """How many starts settled at the best loss."""
        limit = self.loss * (1.0 + AGREEMENT) + ROUNDING
        return sum(loss <= limit for loss in self.settled_losses)

    @property
    def masked_share(self) -> float:
        """The share of samples, over all epochs, that the loss or the gradient mode silenced."""
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
        epochs: the most to run, over all starts.
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
        self.samples = Samples.of(data, self.frame)
        self.rng = np.random.default_rng(seed)
        self.next_start = self._draw_start()
        model, poles = self._model(self.next_start[0]), self.next_start[1]
        loss = self._loss(self.samples.residuals(model.numerator, model.denominator))
        self.fit = Fit(mode, model, loss, poles)

    def run(self) -> Fit:
        began = time.monotonic()
        fit = self.fit
        try:
            # The block keeps what training sets apart from the state of the process.
            with gradient_mode(GradientMode.MASK_REAL):
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
        return self._normalised(np.concatenate([numerator, denominator])), poles

    def _descend(self, coefficients: FloatArray, start_poles: list[float]) -> None:
        """One start, until it settles."""
        fit = self.fit
        fit.starts += 1
        HybridGradientContext.reset()
        schedule = _schedule()
        damping, loss, idle, epoch = FIRST_DAMPING, np.inf, 0, 0
        while fit.epochs < self.epochs and idle < SETTLED_EPOCHS:
            with self._mode_block(schedule, epoch):
                jacobian, residuals, loss = self._differentiate(coefficients)
                statistics = HybridGradientContext.get_statistics()
                HybridGradientContext.end_batch_policy_update()
            self._offer(coefficients, loss, start_poles)
            before = loss
            coefficients, loss, damping = self._step(
                coefficients, loss, damping, jacobian, residuals
            )
            self._offer(coefficients, loss, start_poles)
            fit.epochs += 1
            if self.mode == "hybrid" and fit.best_start == fit.starts:
                fit.statistics = statistics
                fit.schedule = schedule.get_mode_description(epoch)
            self.progress(fit, statistics["local_threshold"])
            fell = loss < before * (1.0 - SETTLED_FALL)
            decaying = self.mode == "hybrid" and schedule.is_transitioning(epoch)
            idle = 0 if fell or decaying else idle + 1
            epoch += 1
            if loss <= ROUNDING:
                break
        if idle >= SETTLED_EPOCHS or loss <= ROUNDING:
            fit.settled_losses.append(loss)

    def _mode_block(
        self, schedule: HybridGradientSchedule, epoch: int
    ) -> AbstractContextManager[Any]:
        if self.mode == "hybrid":
            return schedule.apply(epoch)
        return gradient_mode(MODES[self.mode], saturation_bound=SATURATION_BOUND)

    def _differentiate(self, coefficients: FloatArray) -> tuple[FloatArray, FloatArray, float]:
        """The engine's part of an epoch: Jacobian, residuals and loss in the mode in force."""
        parameters = [TRNode.parameter(value) for value in coefficients.tolist()]
        split = self.degree[0] + 1
        quotients = self.samples.record_quotients(parameters[:split], parameters[split:])
        outer = [TRNode.parameter(quotient.value) for quotient in quotients]
        residuals = self.samples.record_residuals(outer)
        loss = tr_mean([r * r for r in residuals], ReductionMode.DROP_NONREAL)
        with gradient_mode(GradientMode.MASK_REAL):
            # A sum passes each residual the adjoint 1: the gradients are those of the residuals.
            tr_sum(residuals, ReductionMode.DROP_NONREAL).backward()
        rows, kept = [], []
        for quotient, f, residual in zip(quotients, outer, residuals):
            if residual.tag is not TRTag.REAL:
                self.fit.masked += 1
                continue
            for parameter in parameters:
                parameter.zero_grad()
            quotient.backward(_gradient(f))
            rows.append([_gradient(parameter) for parameter in parameters])
            kept.append(float(residual))
            status = GradientStatus.EXACT
            for parameter in parameters:
                status |= parameter.gradient_status
            self.fit.masked += GradientStatus.MASKED in status
            self.fit.saturated += GradientStatus.SATURATED in status
        self.fit.recorded += len(residuals)
        value = float(loss) if loss.tag is TRTag.REAL else np.inf
        return np.array(rows).reshape(len(kept), len(parameters)), np.array(kept), value

    def _step(
        self,
        coefficients: FloatArray,
        loss: float,
        damping: float,
        jacobian: FloatArray,
        residuals: FloatArray,
    ) -> tuple[FloatArray, float, float]:
        """The first of a few steps, each more damped than the last, that lowers the loss."""
        finite = np.isfinite(jacobian).all(axis=1)
        jacobian, residuals = jacobian[finite], residuals[finite]
        for _ in range(TRIALS_PER_EPOCH):
            step = _damped_step(jacobian, residuals, damping)
            if step is not None:
                moved = self._normalised(coefficients + step)
                split = self.degree[0] + 1
                tried = self._loss(self.samples.residuals(moved[:split], moved[split:]))
                if tried < loss:
                    return moved, tried, max(damping / 5.0, LEAST_DAMPING)
            damping = min(damping * 4.0, MOST_DAMPING)
        return coefficients, loss, damping

    @staticmethod
    def _loss(residuals: FloatArray) -> float:
        """What tr_mean computes, for steps that may be taken back."""
        kept = residuals[np.isfinite(residuals)]
        return float(np.mean(kept * kept)) if len(kept) else np.inf

    def _normalised(self, coefficients: FloatArray) -> FloatArray:
        with np.errstate(all="ignore"):
            return coefficients / np.linalg.norm(coefficients[self.degree[0] + 1 :])

    def _offer(self, coefficients: FloatArray, loss: float, start_poles: list[float]) -> None:
        """Keeps these coefficients if they are the best so far."""
        fit = self.fit
        if loss < fit.loss:
            fit.model, fit.loss = self._model(coefficients), loss
            fit.start_poles, fit.best_start = start_poles, fit.starts

    def _model(self, coefficients: FloatArray) -> Rational:
        split = self.degree[0] + 1
        return Rational(coefficients[:split], coefficients[split:], self.frame)


def _schedule() -> HybridGradientSchedule:
    """δ from 1e-2 to 1e-6 over 20 epochs.

    It does not adapt: where many samples lie at a pole, as in the built-in problem, adaptive δ
    would stay at its widest for good.
    """
    return HybridGradientSchedule(
        saturating_bound=SATURATION_BOUND, pole_detection_threshold=0.01, adaptive_delta=False
    )


def _gradient(leaf: TRNode) -> float:
    """The gradient of a leaf; 0 if no pass has reached it."""
    return 0.0 if leaf.gradient is None else float(leaf.gradient)


def _damped_step(jacobian: FloatArray, residuals: FloatArray, damping: float) -> Any:
    """The Levenberg-Marquardt step, None where there is none in the range of doubles."""
    with np.errstate(all="ignore"):
        norms = np.linalg.norm(jacobian, axis=0)
        ridge = np.diag(np.sqrt(damping) * np.where(norms > 0.0, norms, 1.0))
        matrix = np.vstack([jacobian, ridge])
        target = np.concatenate([-residuals, np.zeros(len(norms))])
        try:
            step = np.linalg.lstsq(matrix, target, rcond=None)[0]
        except (np.linalg.LinAlgError, ValueError):
            return None
    return step if np.isfinite(step).all() else None
