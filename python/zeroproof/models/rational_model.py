"""P/Q in several inputs and outputs, with coefficients that can be trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np

from .._arrays import Array
from .._native import TRScalar
from ..array import TRArray
from ..autodiff.batched import BatchedFunction, tr_vmap
from ..autodiff.hybrid_gradient import HybridGradientSchedule
from . import _json
from ._arguments import (
    checked_degree,
    checked_domain,
    checked_features,
    numbers,
    whole,
)
from ._fit import fit
from .basis import Basis, Features
from .history import FitHistory

__all__ = ["RationalModel"]

Domain = Sequence[tuple[float, float]]


class RationalModel:
    """A rational function of several inputs with several outputs, P(x)/Q(x), to be trained.

    P and Q are linear in their coefficients. Their terms are all products of functions of the
    inputs up to a total degree:

    - ``"polynomial"``: the powers u, u², … of a scaled input;
    - ``"chebyshev"``: the Chebyshev polynomials T₁(u), T₂(u), … of a scaled input;
    - ``"trigonometric"``: cos x and sin x of degree 1, cos kx and sin kx of degree k. The input, an
      angle in radians, is not scaled;
    - functions of your own, which take all inputs as nodes: one that returns a sequence of
      features, or a list of functions that return one each. The terms are products of powers of
      the features, and inputs are not scaled.

    Scaled inputs are u = (x − center)/half_range with the interval of ``domain``, in [−1, 1].

    P/Q does not change if both are multiplied by the same number. So ``fit`` and ``normalize`` keep
    the coefficients of each Q at Euclidean norm 1, the largest of them positive. This excludes no
    pole, as a constant term fixed at 1 would exclude one at 0, and |Q|, the distance to the pole in
    Hybrid mode, has the same scale for all data. A training loop of your own may leave the norm
    free and call ``normalize`` now and then.

    Args:
        inputs: how many.
        outputs: how many.
        degree: the total degrees of P and of Q.
        shared_denominator: whether all outputs have the same Q, or each its own.
        features: a name from above for all inputs, one for each input, a function, or a list of
            functions.
        domain: an interval (low, high) for each input, to scale by; by default those of the data in
            the first ``fit``, and [−1, 1] before.
        denominator_inputs: the places of the inputs, with functions of your own of the features,
            that Q depends on; all by default.
        seed: of the first coefficients: those of P are normal, those of Q small but for the
            constant term, so that there is no pole nearby.

    Raises:
        TypeError: for an argument of another type.
        ValueError: for one out of range; the message names it.

    Examples:
        >>> import numpy as np
        >>> from zeroproof import RationalModel
        >>> x = np.linspace(-1.0, 1.0, 40)[:, None]
        >>> model = RationalModel(inputs=1, outputs=1, degree=(1, 1))
        >>> history = model.fit(x, (1.0 + x) / (x - 0.3), epochs=10)
        >>> print(model.predict([[0.8]]).round(6))
        [[3.6]]
        >>> print(abs(model.denominator_at([[0.3]])).round(6))
        [[0.]]
        >>> p, q = model.terms_at([[0.5]])
        >>> p.shape, q.shape
        ((1, 2), (1, 2))
        >>> model.normalize()
        >>> sorted(model.parameters())
        ['denominator', 'numerator']
        >>> float(np.linalg.norm(model.denominator).round(6))
        1.0
        >>> model.apply(model.parameters(), [0.8]).shape
        (1,)
        >>> model.set_domain([(-2.0, 2.0)])
        >>> print(model.predict([[1.6]]).round(6))
        [[3.6]]
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     model.save(Path(folder, "model.json"))
        ...     same = RationalModel.load(Path(folder, "model.json"))
        >>> print(same.predict([[1.6]]).round(6))
        [[3.6]]
    """

    def __init__(
        self,
        inputs: int,
        outputs: int = 1,
        degree: tuple[int, int] = (3, 2),
        *,
        shared_denominator: bool = True,
        features: Features = "polynomial",
        domain: Optional[Domain] = None,
        denominator_inputs: Optional[Sequence[int]] = None,
        seed: int = 0,
    ) -> None:
        self.inputs = whole(inputs, "inputs", 1)
        self.outputs = whole(outputs, "outputs", 1)
        self.degree = checked_degree(degree)
        if not isinstance(shared_denominator, (bool, np.bool_)):
            raise TypeError(f"shared_denominator must be a bool, not {shared_denominator!r}")
        self.shared_denominator = bool(shared_denominator)
        self.features = checked_features(features, self.inputs)
        self.domain = checked_domain(domain, self.inputs)
        self._basis = Basis(self.inputs, self.features)
        self.denominator_inputs = self._places(denominator_inputs)
        variables = range(self._basis.variables)
        self._top = self._basis.terms(self.degree[0], variables)
        self._bottom = self._basis.terms(self.degree[1], self.denominator_inputs or variables)
        self.numerator, self.denominator = self._drawn(whole(seed, "seed", 0))

    def _places(self, places: Optional[Sequence[int]]) -> Optional[tuple[int, ...]]:
        if places is None:
            return None
        found = tuple(whole(place, "an item of denominator_inputs", 0) for place in places)
        count = self._basis.variables
        if not found or len(set(found)) < len(found) or max(found) >= count:
            raise ValueError(
                f"denominator_inputs must be different places below {count}, at least one, "
                f"not {places!r}"
            )
        return tuple(sorted(found))

    def _drawn(self, seed: int) -> tuple[Array, Array]:
        """The first coefficients."""
        rng = np.random.default_rng(seed)
        top, bottom = len(self._top), len(self._bottom)
        rows = () if self.shared_denominator else (self.outputs,)
        numerator = rng.normal(size=(self.outputs, top)) / np.sqrt(top)
        denominator = rng.normal(size=(*rows, bottom)) * 0.1 / np.sqrt(bottom)
        denominator[..., 0] = 1.0
        return numerator, denominator / np.linalg.norm(denominator, axis=-1, keepdims=True)

    def parameters(self) -> dict[str, Array]:
        """The coefficients as ``zeroproof.optim`` takes them, to be updated in place.

        Returns:
            ``{"numerator": …, "denominator": …}``: the arrays of the model itself, of shape
            (outputs, terms of P) and (terms of Q,), with a Q for each output (outputs, terms of Q).
        """
        return {"numerator": self.numerator, "denominator": self.denominator}

    def apply(self, parameters: Mapping[str, Any], x: Any) -> Any:
        """The function with coefficients that are given, which may be nodes or tracers.

        This is the function to differentiate with respect to the coefficients, as in
        ``tr_vmap(lambda p, x, y: tr_sum((model.apply(p, x) - y) ** 2), in_axes=(None, 0, 0))``.

        Args:
            parameters: in the structure of :meth:`parameters`.
            x: an array of shape (…, inputs) of numbers, nodes or tracers, or a sequence.

        Returns:
            An object array of shape (…, outputs).

        Raises:
            ValueError: if the last axis of x is not that of the inputs.
        """
        x = np.asarray(x, dtype=object)
        if x.ndim == 0 or x.shape[-1] != self.inputs:
            raise ValueError(f"x must have the shape (…, {self.inputs}), not {x.shape}")
        scaled = [self._scaled(x[..., place], place) for place in range(self.inputs)]
        variables = self._basis.variables_at(scaled)
        terms = list(dict.fromkeys([*self._top, *self._bottom]))
        values = dict(zip(terms, self._basis.values(terms, variables)))
        top = [values[term] for term in self._top]
        bottom = [values[term] for term in self._bottom]
        rows = parameters["denominator"]
        denominators = [
            _combination(row, bottom)
            for row in ([rows] if self.shared_denominator else [rows[i] for i in range(len(rows))])
        ]
        results = [
            _combination(parameters["numerator"][output], top)
            / denominators[0 if self.shared_denominator else output]
            for output in range(self.outputs)
        ]
        result = np.empty((*x.shape[:-1], self.outputs), dtype=object)
        for output, value in enumerate(results):
            result[..., output] = value
        return result

    def _scaled(self, value: Any, place: int) -> Any:
        families = self._basis.families
        if self.domain is None or families is None or families[place] == "trigonometric":
            return value
        low, high = self.domain[place]
        center, half_range = low / 2 + high / 2, high / 2 - low / 2
        if center == 0.0 and half_range == 1.0:
            return value
        return (value - center) / half_range

    def __call__(self, x: Any) -> Any:
        """The function at x, with the coefficients as constants.

        Args:
            x: numbers of shape (…, inputs), or an array or sequence of nodes or tracers.

        Returns:
            For numbers a TRArray of shape (…, outputs), not REAL at poles; else an object array.

        Raises:
            TypeError: for anything that is neither real numbers nor nodes.
            ValueError: if the last axis of x is not that of the inputs.
        """
        if not isinstance(x, TRArray):
            array = np.asarray(x)
            if array.dtype.kind == "O" and not _all_numbers(array):
                return self.apply(self.parameters(), array)
        array = numbers(x, "x")
        if array.ndim == 0 or array.shape[-1] != self.inputs:
            raise ValueError(f"x must have the shape (…, {self.inputs}), not {array.shape}")
        rows = array.reshape(-1, self.inputs)
        values = self.batched(self.numerator, self.denominator, rows)
        return values.reshape((*array.shape[:-1], self.outputs))

    def predict(self, x: Any) -> Array:
        """The function at x as an array of doubles.

        Args:
            x: of shape (samples, inputs).

        Returns:
            Shape (samples, outputs); at poles ±inf, and NaN where the value is Φ.

        Raises:
            TypeError: if x is not real numbers.
            ValueError: if x has another shape.
        """
        array = numbers(x, "x")
        if array.ndim == 1 and self.inputs == 1:
            array = array[:, None]
        if array.ndim != 2:
            raise ValueError(f"x must have the shape (samples, {self.inputs}), not {array.shape}")
        return np.asarray(self(array).to_ieee(), dtype=np.float64)

    def denominator_at(self, x: Any) -> Array:
        """Q at x, which vanishes at poles and changes its sign across simple ones.

        Args:
            x: of shape (samples, inputs).

        Returns:
            Shape (samples, 1), with a Q for each output (samples, outputs).

        Raises:
            TypeError: if x is not real numbers.
            ValueError: if x has another shape.
        """
        terms = self.terms_at(x)[1]
        with np.errstate(all="ignore"):
            return terms @ np.atleast_2d(self.denominator).T

    def terms_at(self, x: Any) -> tuple[Array, Array]:
        """The terms of P and of Q at x, of shape (samples, inputs).

        Returns:
            Arrays (samples, terms), for linear problems in the coefficients.

        Raises:
            TypeError: if x is not real numbers.
            ValueError: if x has another shape.
        """
        array = numbers(x, "x")
        if array.ndim != 2 or array.shape[1] != self.inputs:
            raise ValueError(f"x must have the shape (samples, {self.inputs}), not {array.shape}")
        top, bottom = self._terms_of_batch(array)
        return np.asarray(top.to_ieee()), np.asarray(bottom.to_ieee())

    @cached_property
    def _terms_of_batch(self) -> BatchedFunction:
        def both(x: Any) -> Any:
            scaled = [self._scaled(x[place], place) for place in range(self.inputs)]
            variables = self._basis.variables_at(scaled)
            zero = scaled[0] * 0.0  # a term may be a number, but results are nodes
            return tuple(
                np.array([zero + value for value in self._basis.values(terms, variables)])
                for terms in (self._top, self._bottom)
            )

        return tr_vmap(both)

    @cached_property
    def batched(self) -> BatchedFunction:
        """The function of (numerator, denominator, x) over the rows of x."""

        def function(numerator: Any, denominator: Any, x: Any) -> Any:
            return self.apply({"numerator": numerator, "denominator": denominator}, x)

        return tr_vmap(function, in_axes=(None, None, 0))

    def normalize(self) -> None:
        """Gives each Q norm 1 and its largest coefficient a positive sign; P/Q stays the same.

        A Q whose coefficients are all 0 is left as it is.
        """
        largest = np.take_along_axis(
            self.denominator, np.abs(self.denominator).argmax(-1)[..., None], -1
        )
        norms = np.linalg.norm(self.denominator, axis=-1, keepdims=True)
        divisor = np.where(norms > 0, np.copysign(norms, largest), 1.0)
        self.denominator /= divisor
        self.numerator /= divisor if divisor.ndim == 2 else divisor[0]

    def set_domain(self, domain: Domain) -> None:
        """Changes what inputs are scaled by; the coefficients stay, and so the function changes.

        Raises:
            ValueError: unless it has a finite interval for each input.
        """
        self.domain = checked_domain(domain, self.inputs)
        for name in ("batched", "_terms_of_batch"):
            self.__dict__.pop(name, None)  # they have been traced with the scaling

    def fit(
        self,
        x: Any,
        y: Any,
        *,
        method: str = "auto",
        start: str = "auto",
        sigma: Any = None,
        loss: str = "squared",
        validation: float = 0.2,
        epochs: Optional[int] = None,
        patience: Optional[int] = None,
        mode: Any = "hybrid",
        schedule: Optional[HybridGradientSchedule] = None,
        batch_size: int = 256,
        lr: Any = 1e-2,
        seed: int = 0,
        pole_free: Any = None,
    ) -> FitHistory:
        """Fits the coefficients to data, which may have poles.

        ``"lm"`` is Levenberg-Marquardt on the Jacobian of all residuals; ``"adam"`` steps on
        minibatches. ``"auto"`` takes the first if its Jacobian is small enough, of 20 million
        numbers at most. Samples whose residual is not REAL, at a pole of the model, are masked.

        The linearised start solves the least squares problem P − y·Q = 0 with ‖Q‖ = 1, by QR and
        SVD, a few times with the last |Q| as weight (the iteration of Sanathanan and Koerner). It
        uses rows whose y is ±∞ as well, where it asks for Q = 0; nothing else does. Rows with NaN
        are left out of everything.

        Args:
            x: shape (samples, inputs), finite.
            y: shape (samples, outputs), or (samples,) for one output.
            method: "lm", "adam" or "auto".
            start: "linearised", or "current" for the coefficients as they are; "auto" linearises
                for "lm" only.
            sigma: the standard deviations of y: a number, one for each sample, or of the shape of
                y. The loss is of residuals in this unit.
            loss: of a residual r: "squared" r²; "huber", r² up to 1 and 2|r| − 1 beyond; "soft_l1",
                2(√(1 + r²) − 1); "cauchy", log(1 + r²). The last three limit the weight of
                outliers. They have more local minima, and next to a pole one sample decides.
            validation: the share of samples that is kept apart; the coefficients of the epoch with
                the least loss on them are the result. With 0, it is the training loss.
            epochs: the most; by default 100 for "lm", 200 for "adam".
            patience: stop after so many epochs without a lower validation loss; by default 10 for
                "lm", never for "adam".
            mode: of the gradients: "mask-real", "saturating", "hybrid" or a ``GradientMode``. The
                bound of the last two is that of the schedule.
            schedule: of Hybrid mode; by default δ decays from 1e-2 to 1e-6 within the first tenth
                of the epochs for "lm" and two thirds for "adam", with bound 0.1. With one input it
                explores poles that were detected.
            batch_size: samples in each step of "adam".
            lr: the learning rate of "adam", or a function of the number of steps done.
            seed: of the split and of the minibatches.
            pole_free: a box without poles, a pair (low, high) for each input, or True for the
                domain. If the best fit has a Q that vanishes there, or is below 1e-3 of its norm,
                Levenberg-Marquardt with a penalty goes on from the nearest that does not, on all
                training rows. That Q has no zero there is proved by intervals.

        Returns:
            The history of the fit. The model has the coefficients of its best epoch, normalised.

        Raises:
            TypeError: for an argument of another type.
            ValueError: for one of another shape or out of range, and for fewer rows than
                coefficients, in all or left by ``validation``; if no fit is proved to have no pole
                in ``pole_free``. The message names it.
        """
        return fit(
            self,
            x,
            y,
            method=method,
            start=start,
            sigma=sigma,
            loss=loss,
            validation=validation,
            epochs=epochs,
            patience=patience,
            mode=mode,
            schedule=schedule,
            batch_size=batch_size,
            lr=lr,
            seed=seed,
            pole_free=pole_free,
        )

    def save(self, path: Union[str, PathLike[str]]) -> None:
        """Writes the model to a JSON file, all digits included.

        Features that are functions are not written; pass them to :meth:`load` again.

        Raises:
            ValueError: if a coefficient is not finite.
            OSError: if the file cannot be written.
        """
        text = _json.text(self)
        Path(path).write_text(text, encoding="utf-8")

    @classmethod
    def load(
        cls, path: Union[str, PathLike[str]], *, features: Optional[Features] = None
    ) -> RationalModel:
        """A model from a file of :meth:`save`.

        Args:
            path: the file.
            features: the functions, if the model was made with any.

        Raises:
            ValueError: if the file is no such model, of a newer version or damaged, or without the
                functions that it needs.
            OSError: if the file cannot be read.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise ValueError("the file is not text, so it is not a saved RationalModel") from None
        return _json.model(cls, text, features)

    def __getstate__(self) -> dict[str, Any]:
        traced = ("batched", "_terms_of_batch")  # traced again when they are needed
        return {name: value for name, value in self.__dict__.items() if name not in traced}

    def __repr__(self) -> str:
        features = self.features if self._basis.families is not None else "functions"
        shared = "" if self.shared_denominator else ", shared_denominator=False"
        return (
            f"RationalModel(inputs={self.inputs}, outputs={self.outputs}, degree={self.degree}, "
            f"features={features!r}{shared}): "
            f"{self.numerator.size + self.denominator.size} coefficients"
        )


def _combination(coefficients: Any, terms: Sequence[Any]) -> Any:
    """Σ c·t, constant term first."""
    value = coefficients[0]
    for place in range(1, len(terms)):
        value = value + coefficients[place] * terms[place]
    return value


def _all_numbers(array: Any) -> bool:
    return all(isinstance(item, (int, float, np.number, TRScalar)) for item in array.flat)
