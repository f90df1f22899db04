"""Levenberg and Marquardt's method as a trust region, on arrays.

The radius is measured in parameters scaled by the column norms of the Jacobian so far, of which
earlier ones count less and less (after J. J. Moré, The Levenberg–Marquardt algorithm, Lecture Notes
in Mathematics 630, 1978, who keeps the largest), and a step follows the curve of constant velocity
in the space of residuals to second order (M. K. Transtrum, J. P. Sethna, arXiv:1201.5885).
Residuals and Jacobian are reduced to a small triangle by QR; the normal equations, which square the
condition number, are not formed.

Close to the minimum the sum of squares is flat to rounding, with half of the digits of the
parameters still to come. There steps are judged by the norm of the gradient, until that stops
falling.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Optional

import numpy as np
import numpy.typing as npt

from .._arrays import Array
from ._crossings import is_bent
from ._losses import Loss, middle, takes_all_as_outliers
from ._points import Point, Problem, Residuals, ResidualsAndJacobian
from ._polish import FLAT, polish
from ._trust_region import Step
from ._units import Units

__all__ = ["Solution", "levenberg_marquardt"]

Watch = Callable[[Array, Array, npt.NDArray[np.intp]], None]
EPS = float(np.finfo(np.float64).eps)
#: The first radius, as a multiple of the norm of the scaled start.
FIRST_RADIUS = 10.0
#: By how much a radius grows in which no step shows in the cost.
GROWTH = 1e4
#: The greatest ratio of second to first order that a step may have.
MOST_BENT = 1.5
#: The share of the step at which the second order is measured.
PROBE = 0.1
#: How fast scales may fall, per step.
DECAY = 0.5
#: The least share of the predicted fall of the cost with which a step is taken.
LEAST_GAIN = 1e-4
#: Residuals below this in their unit get another one.
SMALL = 1e-60
#: Robust losses start wide where half of the residuals are that many times the loss scale.
FAR = 100.0
STEPS_WHILE_WIDE = 50
CONVERGED = "converged: the digits of the parameters stopped changing"
STUCK = (
    "no step lowers the cost further, but its gradient is not zero: a pole or the edge of the "
    "domain of the model may be in the way"
)
ALL_OUTLIERS = (
    "half of the residuals are {ratio:.0e} times f_scale = {scale:g} or more, so that most samples "
    "count as outliers, and there are no standard errors: give an f_scale of about the noise of y, "
    "in units of sigma"
)


@dataclass(frozen=True)
class Solution:
    """Where the method ended.

    Args:
        params: the parameters, shape (parameters,).
        residuals: there, shape (samples,); not finite for samples that take no part.
        jacobian: of the residuals, shape (samples, parameters).
        cost: half the sum of squares, or of the losses.
        at_bound: which parameters a bound holds.
        nfev: how often residuals were computed, with those that came with a Jacobian.
        njev: how often the Jacobian was computed.
        iterations: the number of steps that were taken.
        success: whether the digits stopped changing.
        message: why it ended.
    """

    params: Array
    residuals: Array
    jacobian: Array
    cost: float
    at_bound: npt.NDArray[np.bool_]
    nfev: int
    njev: int
    iterations: int
    success: bool
    message: str

    @property
    def used(self) -> npt.NDArray[np.bool_]:
        """Which samples take part."""
        return np.isfinite(self.residuals)


def levenberg_marquardt(
    residuals_and_jacobian: ResidualsAndJacobian,
    start: Array,
    *,
    residuals: Optional[Residuals] = None,
    lower: Optional[Array] = None,
    upper: Optional[Array] = None,
    loss: Loss = Loss(),  # noqa: B008 - immutable
    roundoff: float = 0.0,
    max_iterations: int = 1000,
    accelerate: bool = True,
    watch: Optional[Watch] = None,
) -> Solution:
    """Minimizes half the sum of squares, or of losses, from a start.

    A sample whose residual is not finite takes no part. A step to where a sample drops out that
    took part is shortened instead; a sample may come in. Robust losses hardly feel residuals that
    are far beyond their scale, so from such a start the scale is that of the residuals first, and
    follows them down.

    Args:
        residuals_and_jacobian: takes parameters of shape (parameters,) and returns residuals of
            shape (samples,) and their Jacobian, shape (samples, parameters).
        start: the parameters to start from, within the bounds.
        residuals: the residuals alone, if that costs less.
        lower: bounds, or None.
        upper: bounds, or None.
        loss: the loss function.
        roundoff: the norm of the residuals' rounding errors. A cost below its square is zero.
        max_iterations: the most steps to try.
        accelerate: whether steps have a second order.
        watch: is called for each step that is taken, with the parameters before and after it and
            the indices of the samples that do not do what the linear model says.
    """
    params = np.array(start, float)
    nfev = njev = iterations = 0
    with np.errstate(all="ignore"):
        wide = 0.0
        if loss.name != "linear":
            wide = _middle(residuals_and_jacobian(params)[0])
            nfev, njev = 1, 1
        while wide > FAR * loss.scale and iterations < max_iterations:
            found = levenberg_marquardt(
                residuals_and_jacobian,
                params,
                residuals=residuals,
                lower=lower,
                upper=upper,
                loss=Loss(loss.name, wide),
                roundoff=roundoff,
                max_iterations=min(STEPS_WHILE_WIDE, max_iterations - iterations),
                accelerate=accelerate,
                watch=watch,
            )
            params = found.params
            nfev, njev = nfev + found.nfev, njev + found.njev
            iterations += found.iterations
            before, wide = wide, _middle(found.residuals)
            if not wide < 0.5 * before:
                break
        while True:
            units = Units.of(*residuals_and_jacobian(params))
            problem = Problem(
                _both_in(units, residuals_and_jacobian),
                None if residuals is None else _alone_in(units, residuals),
                None if lower is None else units.inner(lower),
                None if upper is None else units.inner(upper),
                Loss(loss.name, float(np.ldexp(loss.scale, -units.residual))),
                float(np.ldexp(roundoff, -units.residual)),
                len(params),
            )
            origin = problem.point(units.inner(params))
            search = _Search(problem, origin, accelerate)
            if watch is not None:
                search.watch = _watch_in(units, watch)
            success, message = search.run(max_iterations - iterations)
            steps, point = search.iterations, search.point
            if message == STUCK and accelerate:
                # Bent steps may have jumped to where the model is flat: straight ones go elsewhere.
                straight = _Search(problem, origin, accelerate=False)
                straight.watch = search.watch
                arrived, reason = straight.run(max_iterations - iterations - steps)
                steps += straight.iterations
                if arrived or straight.point.cost < point.cost:
                    success, message, point = arrived, reason, straight.point
            params = units.outer(point.params)
            nfev, njev = nfev + problem.nfev + 1, njev + problem.njev + 1
            iterations += steps
            # Residuals that fell by many orders of magnitude need another unit.
            if not 0.0 < _largest(point) < SMALL or not steps:
                break
            if iterations >= max_iterations:
                break
        final, jacobian = residuals_and_jacobian(params)
        cost = loss.cost(final[np.isfinite(final)])
        low, high = problem.limits(point)
        if takes_all_as_outliers(loss, final):
            ratio = _middle(final) / loss.scale
            success, message = False, ALL_OUTLIERS.format(ratio=ratio, scale=loss.scale)
    pressed = ((low == 0.0) & (point.gradient > 0.0)) | ((high == 0.0) & (point.gradient < 0.0))
    return Solution(
        params,
        final,
        jacobian,
        cost,
        pressed,
        nfev + 1,
        njev + 1,
        iterations,
        success,
        message,
    )


def _both_in(units: Units, function: ResidualsAndJacobian) -> ResidualsAndJacobian:
    def scaled(params: Array) -> tuple[Array, Array]:
        residuals, jacobian = function(units.outer(params))
        return units.residuals(residuals), units.jacobian(jacobian)

    return scaled


def _alone_in(units: Units, function: Residuals) -> Residuals:
    return lambda params: units.residuals(function(units.outer(params)))


def _watch_in(units: Units, watch: Watch) -> Callable[[Point, Point], None]:
    def watched(before: Point, after: Point) -> None:
        predicted = before.jacobian @ (after.params - before.params)
        bent = is_bent(before.residuals, after.residuals, predicted)
        watch(units.outer(before.params), units.outer(after.params), np.flatnonzero(bent))

    return watched


def _middle(residuals: Array) -> float:
    """The median of the sizes of the finite residuals."""
    return middle(residuals[np.isfinite(residuals)])


def _largest(point: Point) -> float:
    return float(np.max(np.abs(point.residuals[point.used]), initial=0.0))


class _Search:
    """The state of one search."""

    def __init__(self, problem: Problem, point: Point, accelerate: bool) -> None:
        self._problem = problem
        self._accelerate = accelerate
        self.point = point
        self.scale = self._largest = np.where(point.norms > 0.0, point.norms, 1.0)
        self.iterations = 0
        self.watch: Optional[Callable[[Point, Point], None]] = None

    def run(self, max_iterations: int) -> tuple[bool, str]:
        """Moves ``point`` to the minimum; returns whether it is one, and why the search ended."""
        radius = FIRST_RADIUS * (self._norm(self.point.params) or 1.0)
        has_failed = False
        for _ in range(max_iterations):
            point = self.point
            step = self._problem.step(point, self.scale, radius)
            predicted = point.predicted(step.change)
            is_flat = not predicted > max(FLAT * point.cost, self._problem.floor)
            if is_flat and (step.damping == 0.0 or not predicted > 0.0):
                return self._polished()
            change, bent = self._bent(step) if self._accelerate else (step.change, 0.0)
            trial = self._problem.trial(point, change) if bent <= MOST_BENT else None
            gain = 0.0 if trial is None else self._gain(trial, predicted)
            length = self._norm(step.change)
            if not has_failed and trial is not None and trial.cost == point.cost:
                radius *= GROWTH  # the start says nothing of the size of the parameters
                continue
            has_failed = has_failed or gain <= LEAST_GAIN
            if gain < 0.25:
                radius = min(radius, length) * (0.25 if gain <= 0.0 else 0.5)
            elif gain > 0.75 or step.damping == 0.0:
                radius = max(radius, 2.0 * length)
            if trial is not None and gain > LEAST_GAIN:
                if self.watch is not None:
                    self.watch(point, trial)
                self.point = trial
                self._rescale(trial.norms)
                self.iterations += 1
            elif not radius > EPS * self._norm(point.params):
                return self._polished()
        return False, f"the limit of {max_iterations} iterations was reached"

    def _rescale(self, norms: Array) -> None:
        """Scales follow the column norms up at once, and down gradually but not to zero."""
        self._largest = np.maximum(self._largest, norms)
        self.scale = np.maximum(np.maximum(DECAY * self.scale, norms), EPS * self._largest)

    def _norm(self, params: Array) -> float:
        return float(np.linalg.norm(self.scale * params))

    def _polished(self) -> tuple[bool, str]:
        self.point, steps, is_minimum = polish(self._problem, self.point)
        self.iterations += steps
        return is_minimum, CONVERGED if is_minimum else STUCK

    def _bent(self, step: Step) -> tuple[Array, float]:
        """The step with its second order, and the ratio of the two orders."""
        point, change = self.point, step.change
        probed = self._problem.residuals(point.params + PROBE * change)[point.used]
        if not step.free.any() or not np.isfinite(probed).all():
            return change, 0.0
        slope = (probed - point.residuals[point.used]) / PROBE
        second = (2.0 / PROBE) * (slope * point.weights - point.rows @ change)
        bend = np.zeros(len(change))
        bend[step.free] = step.model.response((point.rows.T @ second)[step.free], step.damping)
        first = self._norm(change)
        low, high = self._problem.limits(point)
        bent = np.clip(change + 0.5 * bend, low, high)
        if not np.isfinite(bent).all():
            return change, np.inf
        return bent, 2.0 * self._norm(bend) / first if first else 0.0

    def _gain(self, trial: Point, predicted: float) -> float:
        """The fall of the cost over that of the model, for the samples that took part before."""
        cost = self._problem.loss.cost(trial.residuals[self.point.used])
        return (self.point.cost - cost) / predicted if predicted > 0.0 else 0.0
