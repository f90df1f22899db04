"""Models of data fitted by least squares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from .._arrays import Array
from ..array import TRArray
from ..autodiff import GradientMode, gradient_mode
from ..autodiff.batched import tr_vmap
from ..core import TRTag
from ._crossings import crossed_poles
from ._inference import inference
from ._levenberg_marquardt import Solution, levenberg_marquardt
from ._losses import check_loss
from ._parameters import Parameters
from ._result import FitResult
from ._samples import Samples, read_samples
from ._summary import Row
from ._units import exponent

__all__ = ["least_squares"]

EPS = float(np.finfo(np.float64).eps)


def least_squares(
    model: Callable[[Any, Any], Any],
    x: Any,
    y: Any,
    start: Any,
    *,
    sigma: Any = None,
    absolute_sigma: bool = False,
    bounds: Any = None,
    fixed: Any = (),
    loss: str = "linear",
    f_scale: float = 1.0,
    max_iterations: int = 2000,
) -> FitResult:
    """Fits a model to data: the parameters that minimize the sum of squares of (y − model)/sigma.

    Gradients are exact. Samples at which the model's value or gradient is not REAL, as at a pole,
    take no part, and are named in the result; steps that would take a further sample there are
    shortened. The fit ends when the digits of the parameters stop changing, not at a tolerance.

    Args:
        model: ``model(params, x)`` is the value at one sample, with ``params`` in the structure of
            ``start`` and ``x`` a number or a row, written with operations of zeroproof or NumPy.
            It is traced as by :func:`tr_vmap`, so its control flow must not depend on values.
        x: shape (samples,) for numbers or (samples, columns) for rows.
        y: shape (samples,).
        start: the parameters to start from: numbers and arrays, or a dict, list, tuple, named
            tuple or dataclass of these, nested in any way.
        sigma: the standard deviation of the noise, a number or one for each sample. None is 1.
        absolute_sigma: whether standard errors take ``sigma`` as it is. Else only its ratios count,
            and the size of the noise is estimated from the residuals, as SciPy's ``curve_fit``
            does.
        bounds: ``(lower, upper)``, each a number or in the structure of ``start``, or a dict of
            such pairs by the names of some parameters. None in place of a bound is none.
        fixed: names of parameters that keep the value of ``start``: keys, or paths such as
            ``"w[0]"`` and ``"layer.bias"``; a container's name holds for all that is in it. Indices
            count the elements in order.
        loss: ``"linear"``, ``"soft_l1"``, ``"huber"`` or ``"cauchy"``, as SciPy's
            ``least_squares`` defines them.
        f_scale: the residual, in units of sigma, from which on a loss counts it as an outlier.
        max_iterations: the most steps to try.

    Returns:
        The parameters, their covariance and the course of the fit. ``success`` is False if the fit
        did not converge; a warning is not given.

    Raises:
        TypeError: for arguments of another type, and a model that returns no node.
        ValueError: for data that are not finite or of different length, fewer samples than
            parameters, a sigma that is not positive, a start outside of its bounds, unknown names,
            and a model whose value is REAL at too few samples at the start.

    Examples:
        >>> import numpy as np
        >>> from zeroproof import least_squares
        >>> x = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
        >>> y = np.array([-0.5, -2.0, 77.0, 4.0, 2.5])
        >>> fit = least_squares(lambda p, x: p["a"] / x + p["b"], x, y, {"a": 1.0, "b": 0.0})
        >>> print({name: round(value, 6) for name, value in fit.params.items()}, fit.masked)
        {'a': 3.0, 'b': 1.0} [2]
    """
    if not callable(model):
        raise TypeError(f"model is a function of params and x, not {type(model).__name__}")
    if isinstance(max_iterations, bool) or not isinstance(max_iterations, (int, np.integer)):
        raise TypeError(f"max_iterations is an int, not {type(max_iterations).__name__}")
    if max_iterations < 1:
        raise ValueError(f"max_iterations is at least 1, not {max_iterations}")
    samples = read_samples(x, y, sigma)
    parameters = Parameters(start)
    varied = parameters.varied(fixed)
    lower, upper = parameters.bounds(bounds)
    chosen = check_loss(loss, f_scale)
    count = int(varied.sum())
    if len(samples.y) < count:
        raise ValueError(
            f"x and y have {len(samples.y)} rows, fewer than the {count} parameters to fit"
        )
    problem = _Problem(model, samples, parameters, varied)
    with gradient_mode(GradientMode.MASK_REAL):
        problem.check_start()
        solution = levenberg_marquardt(
            problem.residuals_and_jacobian,
            parameters.start[varied],
            residuals=problem.residuals,
            lower=None if lower is None else lower[varied],
            upper=None if upper is None else upper[varied],
            loss=chosen,
            roundoff=problem.roundoff(),
            max_iterations=int(max_iterations),
            watch=problem.watch,
        )
        incomplete = problem.incomplete(solution)
    used = solution.used
    jacobian = np.zeros((int(used.sum()), len(parameters)))
    jacobian[:, varied] = solution.jacobian[used]
    at_bound = np.zeros(len(parameters), bool)
    at_bound[varied] = solution.at_bound
    residuals = solution.residuals[used]
    found = inference(
        jacobian,
        residuals,
        varied=varied,
        at_bound=at_bound,
        loss=chosen,
        noise_is_known=absolute_sigma,
    )
    unit = int(exponent(residuals))
    norm = float(np.linalg.norm(np.ldexp(residuals, -unit)))
    with np.errstate(over="ignore", under="ignore"):
        sse = float(residuals @ residuals)
        norm = float(np.ldexp(norm, unit))
    message = solution.message
    if not np.isfinite(sse):
        message += "; the sum of squares is beyond the range of doubles, so sse and cost are inf"
    values = parameters.start.copy()
    values[varied] = solution.params
    notes = np.where(at_bound, "at bound", np.where(varied, "", "fixed"))
    notes = np.where(found.undetermined, "not determined", notes)
    names = np.array(parameters.names, object)
    return FitResult(
        params=parameters.unflatten(values),
        stderr=parameters.unflatten(found.stderr),
        names=tuple(parameters.names),
        covariance=found.covariance,
        correlation=found.correlation,
        sse=sse,
        cost=solution.cost,
        dof=len(residuals) - found.rank,
        residuals=np.where(used, 0.0 - solution.residuals * samples.sigma, np.nan),
        masked=np.flatnonzero(~used),
        incomplete=incomplete,
        crossed_pole=np.flatnonzero(problem.crossed),
        at_bound=tuple(names[at_bound]),
        undetermined=tuple(names[found.undetermined]),
        nfev=solution.nfev,
        njev=solution.njev,
        iterations=solution.iterations,
        success=solution.success,
        message=message,
        _rows=tuple(map(Row, parameters.names, values.tolist(), found.stderr.tolist(), notes)),
        _norm=norm,
    )


class _Problem:
    """The residuals of a model as a function of the vector of parameters that are not fixed."""

    def __init__(
        self,
        model: Callable[[Any, Any], Any],
        samples: Samples,
        parameters: Parameters,
        varied: npt.NDArray[np.bool_],
    ) -> None:
        self._samples = samples
        self._parameters = parameters
        self._start = parameters.start[varied]
        self._held = parameters.start[~varied]
        places = np.concatenate([np.flatnonzero(varied), np.flatnonzero(~varied)])
        order = np.argsort(places)

        def function(free: Any, held: Any, x: Any) -> Any:
            elements = [*free, *held]
            return model(parameters.unflatten([elements[place] for place in order]), x)

        name = getattr(model, "__name__", type(model).__name__)
        function.__name__ = function.__qualname__ = name
        self._batched = tr_vmap(function, in_axes=(None, None, 0))
        self._of_pairs = tr_vmap(function, in_axes=(0, None, 0))
        #: Which samples a pole of the model has passed.
        self.crossed = np.zeros(len(samples.y), bool)

    def roundoff(self) -> float:
        """The norm of the rounding errors that residuals have at least."""
        with np.errstate(all="ignore"):
            sizes = np.abs(self._samples.y) / self._samples.sigma
            return EPS * float(np.sqrt(len(sizes)) * np.max(sizes, initial=0.0))

    def residuals(self, free: Array) -> Array:
        """(model − y)/sigma; NaN where the model is not REAL."""
        values = self._batched(free, self._held, self._samples.x)
        return self._residuals(values)

    def residuals_and_jacobian(self, free: Array) -> tuple[Array, Array]:
        """The same with its derivatives; both NaN where a derivative overflows."""
        values, gradients = self._batched.value_and_grad(free, self._held, self._samples.x)
        residuals = self._residuals(values)
        jacobian = gradients / self._samples.sigma[:, None]
        lost = ~np.isfinite(jacobian).all(axis=1)
        if lost.any():
            residuals[lost] = np.nan
        return residuals, jacobian

    def watch(self, start: Array, end: Array, rows: npt.NDArray[np.intp]) -> None:
        """Marks those of some samples that a pole of the model passes in a step."""
        self.crossed[crossed_poles(self._values, start, end, rows)] = True

    def _values(self, free: Array, rows: npt.NDArray[np.intp]) -> Array:
        """The values of the model at pairs of parameters and a sample."""
        values = self._of_pairs(free, self._held, np.ascontiguousarray(self._samples.x[rows]))
        found: Array = values.to_ieee()
        return found

    def check_start(self) -> None:
        """Raises unless the model can be fitted from the start."""
        values = self._batched(self._start, self._held, self._samples.x)
        if not isinstance(values, TRArray) or values.ndim != 1:
            raise TypeError("model must return one node for a sample, but it returns several")
        with np.errstate(all="ignore"):
            residuals, jacobian = self.residuals_and_jacobian(self._start)
        used = int(np.isfinite(residuals).sum())
        size, samples = len(self._start), len(residuals)
        if used < size:
            raise ValueError(
                f"the value of model is REAL for {used} of {samples} samples at start, fewer than "
                f"the {size} parameters to fit: start from elsewhere"
            )
        if not jacobian[np.isfinite(residuals)].any():
            raise ValueError(
                "the gradient of model is zero at start for every sample: model does not depend on "
                "the parameters, or not near start"
            )

    def incomplete(self, solution: Solution) -> Any:
        """The indices of the samples whose gradient lacks a contribution that was dropped."""
        _, _, statuses = self._batched.value_and_grad(
            solution.params, self._held, self._samples.x, with_status=True
        )
        return np.flatnonzero(solution.used & statuses.any(axis=1))

    def _residuals(self, values: Any) -> Array:
        found: Array = (values.to_ieee() - self._samples.y) / self._samples.sigma
        found[np.asarray(values.tags) != TRTag.REAL] = np.nan
        return found
