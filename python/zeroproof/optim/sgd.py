"""Stochastic gradient descent."""

from __future__ import annotations

from typing import Any

from .._arrays import Array
from .base import LearningRate, Optimizer, number

__all__ = ["SGD"]


class SGD(Optimizer):
    """Gradient descent with momentum.

    With the gradient g, to which ``weight_decay``·p is added, and the momentum μ, a step is

        v ← μ·v + g
        p ← p − lr·v, with ``nesterov`` p ← p − lr·(g + μ·v)

    from v = 0. Without momentum it is p ← p − lr·g. Nesterov's momentum is in the form of
    Sutskever, Martens, Dahl and Hinton, "On the importance of initialization and momentum in deep
    learning" (ICML 2013), with the gradient taken at the point reached, as in ``torch.optim.SGD``.

    Args:
        parameters: as for :class:`Optimizer`.
        lr: the learning rate, or a function of the number of steps done.
        momentum: μ, from 0 up to but not including 1.
        nesterov: whether to use Nesterov's momentum.
        weight_decay: the factor of the parameter that is added to the gradient.
        masked: as for :class:`Optimizer`.

    Raises:
        TypeError: for parameters that cannot be updated, and settings of another type.
        ValueError: for settings out of range, for ``nesterov`` without momentum, and for a
            parameter that occurs twice.

    Examples:
        >>> from zeroproof import TRNode
        >>> from zeroproof.optim import SGD
        >>> w = TRNode.parameter(1.0)
        >>> optimizer = SGD([w], lr=0.1)
        >>> (w * w).backward()
        >>> print(optimizer.step(), w.item())
        1 updated 0.8
    """

    def __init__(
        self,
        parameters: Any,
        lr: LearningRate = 1e-3,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        masked: str = "apply",
    ) -> None:
        self._momentum = number(momentum, "momentum", below=1.0)
        self._nesterov = bool(nesterov)
        self._weight_decay = number(weight_decay, "weight_decay")
        if self._nesterov and not self._momentum:
            raise ValueError("nesterov=True needs a momentum above 0")
        super().__init__(parameters, lr, masked, ("velocity",) if self._momentum else ())

    def _settings(self) -> dict[str, Any]:
        return {
            "momentum": self._momentum,
            "nesterov": self._nesterov,
            "weight_decay": self._weight_decay,
        }

    def _rule(
        self, values: Array, gradients: Array, moments: list[Array], lr: float
    ) -> tuple[Array, list[Array]]:
        if self._weight_decay:
            gradients = gradients + self._weight_decay * values
        if not self._momentum:
            return values - lr * gradients, []
        velocity = self._momentum * moments[0] + gradients
        direction = gradients + self._momentum * velocity if self._nesterov else velocity
        return values - lr * direction, [velocity]
