"""Models without a pole in a box.

Q is to be at least ``LEAST`` there, at norm 1, with one sign. Where the best fit is not, its
constant term is raised until the bound is proved; from there Levenberg–Marquardt with a penalty for
values below the bound goes on, and what it violates is raised again.
"""

from __future__ import annotations

from typing import Any, Optional

import numpy as np

from .._arrays import Array
from .._intervals import pairs_of_numbers
from ..autodiff.grad_mode import gradient_mode
from ..fitting._levenberg_marquardt import levenberg_marquardt
from ._bounds import least_value
from ._losses import slopes
from ._problem import MODES, Point, Problem

__all__ = ["box_of", "kept_free"]

LEAST = 1e-3
#: How close a lower bound is to the least value.
TOLERANCE = 1e-4
#: Points at which values below the bound are penalised, and the penalties in turn.
POINTS, PENALTIES = 2000, (1.0, 30.0, 1000.0)
STEPS = 50
#: How often weights of a robust loss are renewed.
ROUNDS = 5


def box_of(given: Any, model: Any) -> Optional[Array]:
    """The argument ``pole_free`` as intervals of the inputs, shape (inputs, 2).

    Raises:
        TypeError: for what is neither None nor True nor pairs of numbers.
        ValueError: for a box of another number of inputs, or an empty one, and for features that
            are functions, of which no range is known.
    """
    if given is None or given is False:
        return None
    if model._basis.families is None:
        raise ValueError(
            "pole_free takes features by name: the range of functions of your own is not known"
        )
    if given is True:
        pairs = [tuple(pair) for pair in model.domain]
    else:
        try:
            pairs = pairs_of_numbers(given)
        except (TypeError, ValueError):
            raise TypeError(
                "pole_free must be True, for the domain of the model, or a pair (low, high) for "
                f"each input, not {given!r}"
            ) from None
    if len(pairs) != model.inputs:
        raise ValueError(f"pole_free has {len(pairs)} pairs for {model.inputs} inputs")
    for low, high in pairs:
        if not (np.isfinite(high - low) and low < high):
            raise ValueError(f"pole_free must have finite low < high, not ({low!r}, {high!r})")
    return np.array(pairs, np.float64)


def _scaled(model: Any, box: Array) -> Array:
    """The box in scaled inputs, wider by their rounding errors."""
    scaled = np.array(
        [[model._scaled(end, place) for end in pair] for place, pair in enumerate(box.tolist())]
    )
    slack = 4.0 * float(np.finfo(np.float64).eps) * np.maximum(np.abs(scaled), 1.0)
    return np.column_stack([scaled[:, 0] - slack[:, 0], scaled[:, 1] + slack[:, 1]])


def kept_free(problem: Problem, point: Point, box: Array) -> tuple[Point, bool]:
    """The point, or if Q vanishes in the box the best that is found without; and whether it moved.

    Raises:
        ValueError: if none can be proved to have no pole there.
    """
    if _is_free(problem, point, box):
        return point, False
    if not np.isfinite(point.loss):
        raise ValueError("pole_free: the fit has no finite residual to start from")
    signs = _signs(problem, point, box)
    best = _raised(problem, point, box, signs)
    for penalty in PENALTIES if best is not None else ():
        assert best is not None
        moved = _descended(problem, best, box, signs, penalty)
        again = _raised(problem, moved, box, signs)
        if again is not None and again.loss < best.loss and again.masked <= best.masked:
            best = again
    if best is None or not _is_free(problem, best, box):
        raise ValueError(
            "pole_free: that Q has no zero there could not be proved: give a smaller box, a lower "
            "degree or fewer inputs"
        )
    return best, True


def _bound(problem: Problem, row: Array, box: Array) -> float:
    """A lower bound of the Q with these coefficients over the box."""
    model: Any = problem.model
    families, terms = model._basis.families, model._bottom
    return least_value(row, terms, families, _scaled(model, box), LEAST, TOLERANCE)


def _is_free(problem: Problem, point: Point, box: Array) -> bool:
    rows = np.atleast_2d(point.denominator)
    return all(_bound(problem, row, box) > 0.0 or _bound(problem, -row, box) > 0.0 for row in rows)


def _grid(problem: Problem, box: Array) -> Array:
    """The terms of Q at points of the box: a grid with the corners, for many inputs random ones."""
    low, length = box[:, 0], box[:, 1] - box[:, 0]
    many = int(POINTS ** (1.0 / len(box)))
    if many < 3:
        shares = np.random.default_rng(0).uniform(size=(POINTS, len(box)))
    else:
        places = (1.0 - np.cos(np.linspace(0.0, np.pi, many))) / 2.0
        axes = np.meshgrid(*[places] * len(box), indexing="ij")
        shares = np.stack(axes, axis=-1).reshape(-1, len(box))
    return problem.model.terms_at(low + length * shares)[1]


def _signs(problem: Problem, point: Point, box: Array) -> Array:
    """The sign that Q has in most of the box, for each Q."""
    values = _grid(problem, box) @ np.atleast_2d(point.denominator).T
    return np.where(np.median(values, axis=0) < 0.0, -1.0, 1.0)


def _raised(problem: Problem, point: Point, box: Array, signs: Array) -> Optional[Point]:
    """The point with constants added to Q so that it is proved to be large enough; P is the best.

    A constant that is added makes the norm larger and the bound in units of it smaller, at most by
    what is added. None if there is no bound.
    """
    rows = np.atleast_2d(point.denominator).copy()
    for row, sign in zip(rows, signs):
        bound = _bound(problem, sign * row, box)
        if not np.isfinite(bound):
            return None
        if bound < LEAST:
            row[0] += sign * (LEAST * (1.0 + LEAST) - bound)
    return _with_best_numerator(problem, rows.reshape(point.denominator.shape), point)


def _with_best_numerator(problem: Problem, denominator: Array, near: Point) -> Point:
    """The point with this Q and the P of least squares, with weights of the loss at ``near``."""
    model, samples = problem.model, problem.samples
    top, bottom = model.terms_at(samples.x)
    below = bottom @ np.atleast_2d(denominator).T
    numerator = near.numerator.copy()
    best = problem.evaluate(numerator, denominator)
    for _ in range(ROUNDS if problem.loss != "squared" else 1):
        factors = samples.weights * np.sqrt(slopes(best.residuals, problem.loss))
        for output in range(model.outputs):
            scale = factors[:, output] / below[:, output if below.shape[1] > 1 else 0]
            rows, right = top * scale[:, None], samples.y[:, output] * factors[:, output]
            kept = np.isfinite(rows).all(axis=1) & np.isfinite(right)
            numerator[output] = np.linalg.lstsq(rows[kept], right[kept], rcond=None)[0]
        found = problem.evaluate(numerator.copy(), denominator)
        if found.loss < best.loss:
            best = found
    return best


def _descended(problem: Problem, start: Point, box: Array, signs: Array, penalty: float) -> Point:
    """The minimum of the loss with a penalty, near to a start."""
    model = problem.model
    grid = _grid(problem, box)
    split, shape = start.numerator.size, start.denominator.shape
    size = float(np.sqrt(max(start.loss, np.finfo(np.float64).tiny) * start.residuals.size))
    strength = penalty * size / LEAST / np.sqrt(len(grid))

    def parts(theta: Array) -> tuple[Array, Array]:
        return theta[:split].reshape(start.numerator.shape), theta[split:].reshape(shape)

    def both(theta: Array) -> tuple[Array, Array]:
        numerator, denominator = parts(theta)
        x, y, weights = problem.samples
        with gradient_mode(MODES["mask-real"]):
            jacobian = model.batched.jacobian(numerator, denominator, x, argnums=(0, 1))
        values = np.asarray(model.batched(numerator, denominator, x).to_ieee())
        residuals = (values - y) * weights
        factors = np.sqrt(slopes(start.residuals, problem.loss))
        rows = [(jacobian * (factors * weights)[..., None]).reshape(-1, len(theta))]
        right = [(residuals * factors).ravel()]
        for k, (row, sign) in enumerate(zip(np.atleast_2d(denominator), signs)):
            places = slice(split + k * len(row), split + (k + 1) * len(row))
            lacking = 2.0 * LEAST - sign * (grid @ row)
            block = np.zeros((len(grid) + 1, len(theta)))
            block[:-1, places] = np.where(lacking > 0.0, -sign * strength, 0.0)[:, None] * grid
            block[-1, places] = 2.0 * size * row  # the norm of Q is to stay at one
            rows.append(block)
            right.append(np.maximum(lacking, 0.0) * strength)
            right.append(np.array([size * (float(row @ row) - 1.0)]))
        return np.concatenate(right), np.concatenate(rows)

    theta = np.concatenate([start.numerator.ravel(), start.denominator.ravel()])
    found = levenberg_marquardt(both, theta, max_iterations=STEPS)
    return problem.evaluate(*parts(found.params))
