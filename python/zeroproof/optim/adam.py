"""Adam and AdamW."""

from __future__ import annotations

from typing import Any, Union

import numpy as np

from .._arrays import Array
from .base import LearningRate, Optimizer, number, pair

__all__ = ["Adam"]


class Adam(Optimizer):
    """Steps scaled by running means of the gradient and of its square.

    With the gradient g, the decay rates ``betas`` = (β₁, β₂) and the number t of updates, this one
    included, a step is

        m ← β₁·m + (1 − β₁)·g
        s ← β₂·s + (1 − β₂)·g²
        p ← p − lr·m̂ / (√ŝ + eps), m̂ = m/(1 − β₁ᵗ), ŝ = s/(1 − β₂ᵗ)

    from m = s = 0: Kingma and Ba, "Adam: a method for stochastic optimization" (ICLR 2015), as in
    ``torch.optim.Adam``. t counts the updates of each element by itself, so an element that was
    skipped is corrected for the updates that it had.

    Args:
        parameters: as for :class:`Optimizer`.
        lr: the learning rate, or a function of the number of steps done.
        betas: β₁ and β₂, from 0 up to but not including 1.
        eps: what is added to √ŝ; 0 or more. With 0, elements whose gradients were all 0 would move
            by 0/0, and are skipped.
        weight_decay: the factor of the parameter that is added to the gradient.
        decoupled: whether the weight decay is instead applied to the parameter, p ← p −
            lr·weight_decay·p, before the step: Loshchilov and Hutter, "Decoupled weight decay
            regularization" (ICLR 2019), as in ``torch.optim.AdamW``.
        masked: as for :class:`Optimizer`.

    Raises:
        TypeError: for parameters that cannot be updated, and settings of another type.
        ValueError: for settings out of range, and for a parameter that occurs twice.

    Examples:
        >>> from zeroproof import TRNode
        >>> from zeroproof.optim import Adam
        >>> w = TRNode.parameter(1.0)
        >>> optimizer = Adam(w, lr=0.1)
        >>> for _ in range(100):
        ...     optimizer.zero_grad()
        ...     ((w - 3.0) ** 2).backward()
        ...     report = optimizer.step()
        >>> print(round(w.item(), 1), report.updated)
        3.0 1
    """

    def __init__(
        self,
        parameters: Any,
        lr: LearningRate = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled: bool = False,
        masked: str = "apply",
    ) -> None:
        self._betas = pair(betas, "betas", below=1.0)
        self._eps = number(eps, "eps")
        self._weight_decay = number(weight_decay, "weight_decay")
        self._decoupled = bool(decoupled)
        super().__init__(parameters, lr, masked, ("mean", "square", "updates"))

    def _settings(self) -> dict[str, Any]:
        return {
            "betas": list(self._betas),
            "eps": self._eps,
            "weight_decay": self._weight_decay,
            "decoupled": self._decoupled,
        }

    def _rule(
        self, values: Array, gradients: Array, moments: list[Array], lr: float
    ) -> tuple[Array, list[Array]]:
        mean, square, updates = moments
        if self._decoupled:
            values = values - lr * self._weight_decay * values
        elif self._weight_decay:
            gradients = gradients + self._weight_decay * values
        first, second = self._betas
        mean = first * mean + (1.0 - first) * gradients
        square = second * square + (1.0 - second) * (gradients * gradients)
        updates = updates + 1.0
        corrected = mean / _correction(first, updates)
        scale = np.sqrt(square / _correction(second, updates)) + self._eps
        return values - lr * corrected / scale, [mean, square, updates]


def _correction(beta: float, updates: Array) -> Union[float, Array]:
    """``1 − βᵗ`` for each element, with Python's power, whatever NumPy's loops make of it."""
    first = float(updates[0])
    if (updates == first).all():  # no element was ever skipped
        return float(1.0 - beta**first)
    counts, places = np.unique(updates, return_inverse=True)
    corrections: Array = np.array([1.0 - beta**count for count in counts.tolist()])
    return corrections[places]
