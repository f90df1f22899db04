"""Gradient modes: the gradients at singular operations.

``GradientModeConfig`` and the ``use_…`` functions set the default of the process, which every
thread sees; inside a ``with gradient_mode(...)`` or ``with schedule.apply(...)`` block they set
that block's value. Blocks are local to a thread or async task. A backward pass reads mode, bound,
threshold and regions once, at its start.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Optional, TypeVar, cast

from .. import _native
from .._enums import GradientMode
from .._native import ModeSnapshot

__all__ = [
    "GradientMode",
    "GradientModeConfig",
    "ModeSnapshot",
    "gradient_mode",
    "use_mask_real",
    "use_saturating",
]


F = TypeVar("F", bound=Callable[..., Any])


class GradientModeConfig:
    """The current gradient mode, its saturation bound and its local threshold.

    Examples:
        >>> from zeroproof.autodiff import GradientMode, GradientModeConfig, gradient_mode
        >>> GradientModeConfig.get_mode().name, GradientModeConfig.is_mask_real()
        ('MASK_REAL', True)
        >>> with gradient_mode(GradientMode.SATURATING):
        ...     GradientModeConfig.set_saturation_bound(0.5)
        ...     print(GradientModeConfig.is_saturating(), GradientModeConfig.get_saturation_bound())
        ...     GradientModeConfig.set_mode(GradientMode.HYBRID)
        ...     GradientModeConfig.set_local_threshold(1e-3)
        ...     print(GradientModeConfig.is_hybrid(), GradientModeConfig.get_local_threshold())
        ...     kept = GradientModeConfig.snapshot()
        True 0.5
        True 0.001
        >>> type(kept).__name__
        'ModeSnapshot'
        >>> GradientModeConfig.reset()
    """

    @staticmethod
    def set_mode(mode: GradientMode) -> None:
        """Sets the mode."""
        _native.set_mode(mode)

    @staticmethod
    def get_mode() -> GradientMode:
        """The current mode."""
        return _native.get_mode()

    @staticmethod
    def set_saturation_bound(bound: float) -> None:
        """Sets the saturation bound b: bounded partials are at most 1/b.

        Raises:
            ValueError: unless it is a positive finite number.
        """
        _native.set_saturation_bound(bound)

    @staticmethod
    def get_saturation_bound() -> float:
        """The current saturation bound, 1 by default."""
        return _native.get_saturation_bound()

    @staticmethod
    def set_local_threshold(threshold: Optional[float]) -> None:
        """Sets δ of Hybrid mode: singular ops within δ of their pole saturate; None for never.

        Raises:
            ValueError: for a threshold that is negative or not finite.
        """
        _native.set_local_threshold(threshold)

    @staticmethod
    def get_local_threshold() -> Optional[float]:
        """The current δ, None by default."""
        return _native.get_local_threshold()

    @staticmethod
    def is_mask_real() -> bool:
        """Whether the mode is Mask-REAL."""
        return _native.get_mode() is GradientMode.MASK_REAL

    @staticmethod
    def is_saturating() -> bool:
        """Whether the mode is Saturating."""
        return _native.get_mode() is GradientMode.SATURATING

    @staticmethod
    def is_hybrid() -> bool:
        """Whether the mode is Hybrid."""
        return _native.get_mode() is GradientMode.HYBRID

    @staticmethod
    def snapshot() -> ModeSnapshot:
        """Mode, bound, threshold, exploration regions and the policy's state, as they are now.

        It can be pickled: pass it to ``BatchedFunction.partial`` in other processes.
        """
        return _native.mode_snapshot()

    @staticmethod
    def reset() -> None:
        """Mask-REAL, bound 1, no threshold, no exploration regions, no schedule."""
        _native.reset_state()


def _in_block(block: _native.GradientBlock, function: F) -> F:
    """The function, run in the block at each call."""

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        with block:
            return function(*args, **kwargs)

    return cast(F, run)


_native.set_decorator(_in_block)


def gradient_mode(
    mode: GradientMode, saturation_bound: Optional[float] = None
) -> _native.GradientBlock:
    """A ``with`` block, or a decorator, that sets the gradient mode.

    Args:
        mode: the gradient mode.
        saturation_bound: its bound; by default that of the enclosing block.

    Raises:
        ValueError: unless the bound is a positive finite number.

    Examples:
        >>> from zeroproof import GradientMode, TRNode, gradient_mode
        >>> x = TRNode.parameter(0.0)
        >>> with gradient_mode(GradientMode.SATURATING):
        ...     (1.0 / x).backward()
        >>> print(x.gradient, x.gradient_status.name)
        -1.0 SATURATED
    """
    return _native.gradient_block(mode, saturation_bound)


def use_mask_real() -> _native.GradientRestorer:
    """Sets Mask-REAL; as a ``with`` block, restores the previous mode on exit.

    Examples:
        >>> from zeroproof.autodiff import GradientModeConfig, use_mask_real
        >>> with use_mask_real():
        ...     print(GradientModeConfig.is_mask_real())
        True
    """
    return _native.use_mode(GradientMode.MASK_REAL)


def use_saturating(bound: float = 1.0) -> _native.GradientRestorer:
    """Sets Saturating and its bound; as a ``with`` block, restores both on exit.

    Raises:
        ValueError: unless the bound is a positive finite number.

    Examples:
        >>> from zeroproof.autodiff import TRNode, use_saturating
        >>> x = TRNode.parameter(0.0)
        >>> with use_saturating(bound=0.5):
        ...     (1.0 / x).backward()
        >>> print(x.gradient, x.gradient_status.name)
        -4.0 SATURATED
    """
    return _native.use_mode(GradientMode.SATURATING, bound)
