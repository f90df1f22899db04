"""What the robotics table compares with: guarded denominators and a network, in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import numpy as np
import numpy.typing as npt

from zeroproof import RationalModel
from zeroproof.models._steps import DampedSteps

Array = npt.NDArray[np.float64]
#: g(Q), which stands for 1/Q, and its derivative.
Reciprocal = Callable[[Array], tuple[Array, Array]]

EPSILONS = (1e-4, 1e-3, 1e-2)


def guarded(epsilon: float) -> Reciprocal:
    """1/Q, but where |Q| < ε the denominator is ε with the sign of Q."""

    def reciprocal(q: Array) -> tuple[Array, Array]:
        kept = np.copysign(np.maximum(np.abs(q), epsilon), q)
        return 1 / kept, np.where(np.abs(q) > epsilon, -1 / kept**2, 0.0)

    return reciprocal


def smoothed(epsilon: float) -> Reciprocal:
    """Q/(Q² + ε²)."""

    def reciprocal(q: Array) -> tuple[Array, Array]:
        size = q * q + epsilon**2
        return q / size, (epsilon**2 - q * q) / size**2

    return reciprocal


class Guarded:
    """P·g(Q) with the terms of a rational model, its start, and Levenberg-Marquardt.

    Everything but the reciprocal is that of the model: only what the guard does is compared.
    """

    def __init__(self, model: RationalModel, reciprocal: Reciprocal) -> None:
        self.model, self.reciprocal = model, reciprocal

    def predict(self, x: Array) -> Array:
        top, bottom = self.model.terms_at(x)
        return self._values(top, bottom, self.model.numerator, self.model.denominator)[0]

    def denominator_at(self, x: Array) -> Array:
        return self.model.denominator_at(x)

    def _values(self, top: Array, bottom: Array, p: Array, q: Array) -> tuple[Array, ...]:
        factor, slope = self.reciprocal(bottom @ q)
        numerator = top @ p.T
        return numerator * factor[:, None], factor, numerator * slope[:, None]

    def fit(self, x: Array, y: Array, epochs: int) -> Guarded:
        """Descends from the coefficients of the model."""
        model = self.model
        top, bottom = model.terms_at(x)
        p, q, damping = model.numerator, model.denominator, 1e-4
        values, factor, slopes = self._values(top, bottom, p, q)
        outputs, terms = p.shape
        for _ in range(epochs):
            rows = np.zeros((len(x), outputs, p.size + q.size))
            for output in range(outputs):
                own = slice(output * terms, (output + 1) * terms)
                rows[:, output, own] = top * factor[:, None]
                rows[:, output, p.size :] = bottom * slopes[:, output, None]
            steps = DampedSteps(rows.reshape(-1, rows.shape[-1]), (values - y).ravel())
            loss, growth = np.square(values - y).mean(), 2.0
            for _ in range(16):
                step = steps.step(damping)
                tried_p, tried_q = p + step[: p.size].reshape(p.shape), q + step[p.size :]
                norm = np.linalg.norm(tried_q)
                tried = self._values(top, bottom, tried_p / norm, tried_q / norm)
                if np.square(tried[0] - y).mean() < loss:
                    break
                damping, growth = min(damping * growth, 1e8), growth * 2
            else:
                break
            p, q, (values, factor, slopes) = tried_p / norm, tried_q / norm, tried
            damping = max(damping / 10, 1e-30)
            if np.square(values - y).mean() > loss * (1 - 1e-4):
                break
        model.numerator[...], model.denominator[...] = p, q
        return self


def best_guarded(
    start: RationalModel,
    kind: Callable[[float], Reciprocal],
    training: tuple[Array, Array],
    validation: tuple[Array, Array],
    epochs: int,
) -> Guarded:
    """The fit of the ε that is best on the validation samples."""
    fits = [Guarded(deepcopy(start), kind(epsilon)).fit(*training, epochs) for epsilon in EPSILONS]
    x, y = validation
    return min(fits, key=lambda fit: float(np.square(fit.predict(x) - y).mean()))


class Network:
    """Two hidden layers of tanh, fitted by Adam to standardised targets."""

    def __init__(self, joints: int, seed: int, width: int = 64) -> None:
        self.joints, self.width = joints, width
        self.rng = np.random.default_rng(seed)

    def _inputs(self, x: Array) -> Array:
        angles, velocity = x[:, : self.joints], x[:, self.joints :]
        return np.concatenate([np.cos(angles), np.sin(angles), 10 * velocity], axis=1)

    def _layers(self, inputs: Array) -> list[Array]:
        values = [inputs]
        for weights, bias in self.parameters[:-1]:
            values.append(np.tanh(values[-1] @ weights + bias))
        weights, bias = self.parameters[-1]
        return [*values, values[-1] @ weights + bias]

    def predict(self, x: Array) -> Array:
        return self._layers(self._inputs(x))[-1] * self.scale

    def fit(self, x: Array, y: Array, epochs: int) -> Network:
        inputs, self.scale = self._inputs(x), y.std(axis=0)
        targets = y / self.scale
        sizes = [inputs.shape[1], self.width, self.width, y.shape[1]]
        self.parameters = [
            [self.rng.normal(size=(m, n)) / np.sqrt(m), np.zeros(n)]
            for m, n in zip(sizes, sizes[1:])
        ]
        flat = [array for layer in self.parameters for array in layer]
        moments = [[np.zeros_like(array), np.zeros_like(array)] for array in flat]
        step = 0
        for _ in range(epochs):
            order = self.rng.permutation(len(x))
            for first in range(0, len(order), 128):
                step += 1
                batch = order[first : first + 128]
                gradients = self._gradients(inputs[batch], targets[batch])
                for array, (mean, square), g in zip(flat, moments, gradients):
                    mean += 0.1 * (g - mean)
                    square += 0.001 * (g * g - square)
                    size = np.sqrt(square / (1 - 0.999**step)) + 1e-8
                    array -= 1e-3 * mean / (1 - 0.9**step) / size
        return self

    def _gradients(self, inputs: Array, targets: Array) -> list[Array]:
        values = self._layers(inputs)
        error = 2 * (values[-1] - targets) / targets.size
        gradients: list[Array] = []
        for (weights, _), value in zip(self.parameters[::-1], values[-2::-1]):
            gradients = [value.T @ error, error.sum(axis=0), *gradients]
            error = (error @ weights.T) * (1 - value * value)
        return gradients
