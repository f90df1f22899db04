"""The hysteresis policy of Hybrid mode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Optional

from . import _native

__all__ = ["TRPolicy", "TRPolicyConfig"]


@dataclass(frozen=True)
class TRPolicy:
    """Thresholds that switch Hybrid mode between Mask-REAL and Saturating.

    After each batch, with ``q`` the distances to poles and ``g = 1/q``, the policy enters the
    saturating state if ``q_p10 <= tau_Q_on`` or ``g_p90 >= g_on``, and leaves it if
    ``q_p10 >= tau_Q_off`` and not ``g_p90 > g_off``.

    Attributes:
        tau_Q_on: the saturating state begins at this tenth percentile of q or below.
        tau_Q_off: it ends at this tenth percentile of q or above; larger than ``tau_Q_on``.
        g_on: the saturating state begins at this ninetieth percentile of g or above; None for none.
        g_off: it does not end above this ninetieth percentile of g; None for none; at most
            ``g_on``.

    Raises:
        ValueError: if the thresholds are out of order or not positive.

    Examples:
        >>> from zeroproof import TRPolicy
        >>> TRPolicy(tau_Q_on=1e-3, tau_Q_off=1e-2)
        TRPolicy(tau_Q_on=0.001, tau_Q_off=0.01, g_on=None, g_off=None)
    """

    tau_Q_on: float
    tau_Q_off: float
    g_on: Optional[float] = None
    g_off: Optional[float] = None

    def __post_init__(self) -> None:
        _native.check_policy(self._thresholds())

    def _thresholds(self) -> tuple[float, float, Optional[float], Optional[float]]:
        return self.tau_Q_on, self.tau_Q_off, self.g_on, self.g_off


class TRPolicyConfig:
    """The active policy of the process.

    Examples:
        >>> from zeroproof import TRPolicy, TRPolicyConfig
        >>> TRPolicyConfig.set_policy(TRPolicy(tau_Q_on=1e-3, tau_Q_off=1e-2))
        >>> TRPolicyConfig.get_policy()
        TRPolicy(tau_Q_on=0.001, tau_Q_off=0.01, g_on=None, g_off=None)
        >>> TRPolicyConfig.set_policy(None)
    """

    _policy: ClassVar[Optional[TRPolicy]] = None

    @classmethod
    def set_policy(cls, policy: Optional[TRPolicy]) -> None:
        """Sets the active policy; None removes it.

        Its thresholds take effect at the next ``HybridGradientContext.update_epoch`` or
        ``schedule.apply``.
        """
        if policy is not None and not isinstance(policy, TRPolicy):
            raise TypeError(f"expected a TRPolicy or None, not {type(policy).__name__}")
        _native.set_policy(None if policy is None else policy._thresholds())
        cls._policy = policy

    @classmethod
    def get_policy(cls) -> Optional[TRPolicy]:
        """The active policy."""
        return cls._policy
