"""``zeroproof.torch.Rational``: a rational function as a layer."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Optional, Union

import torch

from .. import replay
from ..autodiff.grad_mode import GradientMode
from ..autodiff.hybrid_gradient import HybridGradientContext, HybridGradientSchedule
from ..models.basis import Features
from ..models.rational_model import RationalModel
from ._function import Function

__all__ = ["Rational"]


class Rational(torch.nn.Module):
    """P(x)/Q(x) with trainable coefficients, of several inputs and outputs, as a layer.

    The terms of P and Q are those of :class:`zeroproof.models.RationalModel`. Samples on a pole are
    filled in, are marked in ``masked``, and add no gradient that is not a number.

    Args:
        in_features: how many inputs.
        out_features: how many outputs.
        degree: the total degrees of P and of Q.
        shared_denominator: whether all outputs have the same Q, or each its own.
        features: ``"polynomial"``, ``"chebyshev"`` or ``"trigonometric"``, one of these for each
            input, or functions of nodes, as for ``RationalModel``.
        domain: an interval (low, high) for each input, to scale it by to [−1, 1]; by default inputs
            are taken as they are.
        mode: the gradient mode; by default the current one.
        schedule: a schedule of Hybrid mode instead, which :meth:`step_epoch` moves on. The layer
            keeps an epoch of its own, 0 at first.
        nan_policy: ``"fill"`` or ``"ieee"``, as for :func:`zeroproof.torch.function`.
        fill: the value at poles.
        execution: where it is computed: ``device`` of :func:`zeroproof.torch.function`.
        seed: of the first coefficients; by default drawn from PyTorch's generator. Those of P are
            normal, Q is nearly constant, so that there is no pole nearby.
        device: that of the parameters.
        dtype: that of the parameters, float64 or float32; by default PyTorch's.

    Shape: (…, in_features) to (…, out_features).

    Raises:
        TypeError: for an argument of another type, and for mode and schedule together.
        ValueError: for one out of range; the message names it.
    """

    numerator: torch.nn.Parameter
    denominator: torch.nn.Parameter

    def __init__(
        self,
        in_features: int,
        out_features: int = 1,
        degree: tuple[int, int] = (3, 2),
        *,
        shared_denominator: bool = True,
        features: Features = "polynomial",
        domain: Optional[Sequence[tuple[float, float]]] = None,
        mode: Union[replay.Mode, GradientMode, None] = None,
        schedule: Optional[HybridGradientSchedule] = None,
        nan_policy: str = "fill",
        fill: float = 0.0,
        execution: str = "auto",
        seed: Optional[int] = None,
        device: Any = None,
        dtype: Optional[torch.dtype] = None,
    ) -> None:
        super().__init__()
        if mode is not None and schedule is not None:
            raise TypeError("a schedule sets the gradient mode: pass mode or schedule, not both")
        if nan_policy not in ("fill", "ieee"):
            raise ValueError(f"nan_policy must be fill or ieee for a layer, not {nan_policy!r}")
        dtype = torch.get_default_dtype() if dtype is None else dtype
        if dtype not in (torch.float64, torch.float32):
            raise TypeError(f"dtype must be float64 or float32, not {dtype}")
        if seed is None:
            seed = int(torch.randint(0, 2**31 - 1, ()).item())
        model = RationalModel(
            in_features,
            out_features,
            degree,
            shared_denominator=shared_denominator,
            features=features,
            domain=domain,
            seed=seed,
        )
        self.in_features, self.out_features = model.inputs, model.outputs
        self._model, self.schedule, self.epoch = model, schedule, 0
        for name, array in model.parameters().items():
            tensor = torch.tensor(array, dtype=dtype, device=device)
            self.register_parameter(name, torch.nn.Parameter(tensor))
        coordinate = 2 if model.inputs == 1 else None
        self._function = Function(
            self._of_nodes, (None, None, 0), mode, coordinate, nan_policy, fill, execution
        )
        self._execution = execution
        self._q_min: Optional[float] = None
        self.masked: Optional[torch.Tensor] = None
        self._set_mode()

    def _of_nodes(self, numerator: Any, denominator: Any, x: Any) -> Any:
        return self._model.apply({"numerator": numerator, "denominator": denominator}, x)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The function at x.

        Args:
            x: a tensor (…, in_features).

        Raises:
            ValueError: for another last axis.
        """
        if x.ndim == 0 or x.shape[-1] != self.in_features:
            raise ValueError(f"x must have the shape (…, {self.in_features}), not {tuple(x.shape)}")
        rows = x.reshape(-1, self.in_features)
        values: torch.Tensor = self._function(self.numerator, self.denominator, rows)
        shape = (*x.shape[:-1], self.out_features)
        masked = self._function.masked
        self.masked = None if masked is None else masked.reshape(shape)
        return values.reshape(shape)

    @property
    def mode(self) -> Union[replay.Mode, GradientMode, None]:
        """The gradient mode, with a schedule that of the epoch; None for the current one."""
        return self._function.mode

    def step_epoch(self) -> None:
        """Moves the schedule on; call it once at the end of each epoch.

        What the thread's ``HybridGradientContext`` has seen since the last call decides as in
        ``schedule.apply``: the smallest distance adapts δ, and poles that were met are explored.
        The epoch figures begin anew: they are those of all that the thread computes, so of several
        layers with a schedule the first that steps takes them. A replay counts nothing, and
        what PyTorch differentiates on a thread of its own, as for tensors on another device, is
        counted there: the schedule goes by the epoch alone then.

        Raises:
            RuntimeError: without a schedule.

        Warns:
            RuntimeWarning: if the schedule adapts δ or explores poles and nothing can be counted.
        """
        if self.schedule is None:
            raise RuntimeError("step_epoch needs a schedule: Rational(..., schedule=...)")
        if not self._is_counted() and (
            self.schedule.adaptive_delta or self.schedule.force_pole_exploration
        ):
            warnings.warn(
                "nothing is counted where this layer is computed, so its schedule neither adapts δ "
                "nor explores poles: keep the layer on the CPU with execution='host', or make the "
                "schedule with adaptive_delta=False and force_pole_exploration=False",
                RuntimeWarning,
                stacklevel=2,
            )
        self._q_min = HybridGradientContext.get_q_min_epoch()
        self.schedule.update_detected_poles(HybridGradientContext.detected_poles(), self.epoch)
        self.epoch += 1
        HybridGradientContext.update_epoch(self.epoch)
        self._set_mode()

    def _is_counted(self) -> bool:
        return self._execution != "replay" and self.denominator.device.type == "cpu"

    def _set_mode(self) -> None:
        schedule = self.schedule
        if schedule is None:
            return
        self._function.mode = replay.Mode(
            GradientMode.HYBRID,
            schedule.saturating_bound,
            schedule.get_delta(self.epoch, self._q_min),
            schedule.get_exploration_regions(self.epoch) if self.in_features == 1 else (),
        )

    @torch.no_grad()
    def normalize(self) -> None:
        """Gives each Q norm 1 and its largest coefficient a positive sign; P/Q stays the same.

        P/Q does not change if both are multiplied by a number, so an optimiser may leave the norm
        free; call this now and then.
        """
        q = self.denominator
        largest = q.gather(-1, q.abs().argmax(-1, keepdim=True))
        norms = torch.linalg.vector_norm(q, dim=-1, keepdim=True)
        divisor = torch.where(norms > 0, torch.copysign(norms, largest), 1.0)
        self.denominator.div_(divisor)
        self.numerator.div_(divisor)

    def get_extra_state(self) -> dict[str, Any]:
        """The epoch, and what the schedule goes by."""
        poles = [] if self.schedule is None else list(self.schedule.detected_poles)
        return {"epoch": self.epoch, "q_min": self._q_min, "poles": poles}

    def set_extra_state(self, state: Mapping[str, Any]) -> None:
        """Continues at that epoch; poles that were met are explored once more."""
        self.epoch, self._q_min = int(state["epoch"]), state["q_min"]
        if self.schedule is not None:
            # As at the end of the epoch before: they are explored from this one on.
            self.schedule.update_detected_poles(state["poles"], self.epoch - 1)
        self._set_mode()

    def extra_repr(self) -> str:
        """What ``print`` shows."""
        model = self._model
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"degree={model.degree}"
        )
