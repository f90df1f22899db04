"""The gradient mode that a replay is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Optional

from ..autodiff.grad_mode import GradientMode, GradientModeConfig
from ..autodiff.hybrid_gradient import HybridGradientContext

__all__ = ["Mode"]


@dataclass(frozen=True)
class Mode:
    """A gradient mode and its numbers, none of which a compiled replay can change later.

    Args:
        mode: which one.
        bound: the saturation bound b.
        delta: δ of Hybrid mode; None in warm-up.
        regions: the exploration regions of Hybrid mode, as pairs of ends.
        saturates: whether the hysteresis policy of Hybrid mode is in state SAT.

    Raises:
        TypeError: for a mode that is no ``GradientMode``.
        ValueError: unless the bound is positive and finite, δ finite and not negative, and regions
            are pairs of numbers in order.
    """

    mode: GradientMode = GradientMode.MASK_REAL
    bound: float = 1.0
    delta: Optional[float] = None
    regions: Sequence[tuple[float, float]] = ()
    saturates: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.mode, GradientMode):
            raise TypeError(f"mode must be a GradientMode, not {type(self.mode).__name__}")
        if not (self.bound > 0 and isfinite(self.bound)):
            raise ValueError(f"the saturation bound must be positive and finite, not {self.bound}")
        if self.delta is not None and not (self.delta >= 0 and isfinite(self.delta)):
            raise ValueError(f"δ must be finite and not negative, not {self.delta}")
        regions = tuple(map(tuple, self.regions))
        for region in regions:
            if len(region) != 2 or not region[0] <= region[1]:
                raise ValueError(f"a region is a pair of numbers in order, not {region}")
        object.__setattr__(self, "regions", regions)

    @classmethod
    def current(cls) -> Mode:
        """That of the enclosing ``gradient_mode`` or ``schedule.apply`` block."""
        mode = GradientModeConfig.get_mode()
        bound = GradientModeConfig.get_saturation_bound()
        if mode is not GradientMode.HYBRID:
            return cls(mode, bound)
        statistics = HybridGradientContext.get_statistics()
        return cls(
            mode,
            bound,
            GradientModeConfig.get_local_threshold(),
            tuple(map(tuple, statistics["exploration_regions"] or ())),
            statistics["policy_mode"] == "SAT",
        )

    @property
    def decides(self) -> bool:
        """Whether singular operations look at their distance to the pole."""
        is_hybrid = self.mode is GradientMode.HYBRID
        return is_hybrid and (self.delta is not None or bool(self.regions) or self.saturates)
