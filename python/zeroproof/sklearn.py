"""Rational models as estimators of scikit-learn: the extra ``sklearn``."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np

from ._arrays import Array
from .models import RationalModel
from .models._fit import fit
from .models.basis import Features

try:
    from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise ImportError(
        "zeroproof.sklearn needs scikit-learn 1.6 or later: "
        'pip install "zeroproof-autodiff[sklearn]"'
    ) from error

__all__ = ["RationalRegressor"]


class RationalRegressor(MultiOutputMixin, RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """A rational function P(x)/Q(x) as a regressor, for data with poles.

    The parameters are those of :class:`zeroproof.models.RationalModel` and its ``fit``; ``sigma``
    is a parameter of :meth:`fit`.

    Args:
        degree: the total degrees of P and of Q. The number of coefficients grows fast with the
            number of features.
        features: "polynomial", "chebyshev", "trigonometric", one of these for each input, or
            functions.
        shared_denominator: whether all targets have the same Q.
        domain: an interval for each input, to scale by; by default the range of the data.
        denominator_inputs: the places of the inputs that Q depends on; all by default.
        method: "lm", "adam" or "auto".
        loss: "squared", "huber", "soft_l1" or "cauchy".
        mode: the gradient mode.
        schedule: of Hybrid mode.
        validation: the share of samples that is kept apart.
        epochs: the most.
        patience: the epochs without a better one after which a fit ends.
        batch_size: of "adam".
        lr: of "adam".
        random_state: an int, a ``RandomState`` or None, as in scikit-learn.

    Attributes:
        model_: the fitted ``RationalModel``.
        history_: the ``FitHistory``.
        n_features_in_: the number of inputs.
        n_iter_: the number of epochs.
    """

    def __init__(
        self,
        degree: tuple[int, int] = (2, 1),
        *,
        features: Features = "polynomial",
        shared_denominator: bool = True,
        domain: Any = None,
        denominator_inputs: Any = None,
        method: str = "auto",
        loss: str = "squared",
        mode: Any = "hybrid",
        schedule: Any = None,
        validation: float = 0.2,
        epochs: Optional[int] = None,
        patience: Optional[int] = None,
        batch_size: int = 256,
        lr: Any = 1e-2,
        random_state: Any = None,
    ) -> None:
        self.degree = degree
        self.features = features
        self.shared_denominator = shared_denominator
        self.domain = domain
        self.denominator_inputs = denominator_inputs
        self.method = method
        self.loss = loss
        self.mode = mode
        self.schedule = schedule
        self.validation = validation
        self.epochs = epochs
        self.patience = patience
        self.batch_size = batch_size
        self.lr = lr
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sigma: Any = None) -> RationalRegressor:
        """Fits the model.

        Args:
            X: shape (samples, inputs).
            y: shape (samples,) or (samples, targets).
            sigma: the standard deviations of y: a number, one for each sample, or of the shape of
                y.

        Returns:
            The estimator itself.

        Raises:
            TypeError: for a parameter of another type.
            ValueError: for data or a parameter out of range; the message names it.
        """
        X, y = validate_data(self, X, y, dtype=np.float64, multi_output=True, y_numeric=True)
        self._is_single = y.ndim == 1
        rows = y.reshape(len(y), -1)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        self.model_ = RationalModel(
            X.shape[1],
            rows.shape[1],
            self.degree,
            shared_denominator=self.shared_denominator,
            features=self.features,
            domain=self.domain,
            denominator_inputs=self.denominator_inputs,
            seed=seed,
        )
        # Searches and pipelines may come with fewer rows than coefficients: the shortest solution.
        self.history_ = fit(
            self.model_,
            X,
            rows,
            sigma=sigma,
            method=self.method,
            loss=self.loss,
            mode=self.mode,
            schedule=self.schedule,
            validation=self.validation,
            epochs=self.epochs,
            patience=self.patience,
            batch_size=self.batch_size,
            lr=self.lr,
            seed=seed,
            start="auto",
            may_be_undetermined=True,
        )
        self.n_iter_ = self.history_.epochs
        return self

    def predict(self, X: Any) -> Array:
        """The values at X.

        Args:
            X: shape (samples, inputs).

        Returns:
            The shape of the y of the fit, (samples,) or (samples, targets); at poles ±inf or NaN.

        Raises:
            NotFittedError: before ``fit``.
            ValueError: if X has another number of inputs.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        values = self.model_.predict(X)
        return values[:, 0] if self._is_single else values
