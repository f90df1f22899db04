"""Hybrid mode: the schedule δ(t) and the statistics of its decisions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Optional

from .. import _native
from .._enums import ScheduleType
from .._native import HybridGradientSchedule, HybridStatistics

__all__ = [
    "HybridGradientContext",
    "HybridGradientSchedule",
    "HybridStatistics",
    "ScheduleType",
    "create_default_schedule",
]


def create_default_schedule(
    aggressive: bool = False, warmup_epochs: int = 0, force_exploration: bool = True
) -> HybridGradientSchedule:
    """A schedule with the defaults, or with aggressive ones.

    Args:
        aggressive: δ from 1e-1 to 1e-8, bound 0.1, exploration radius 0.1 over 10 epochs and
            min_delta 1e-10, for gradients closer to the classical ones.
        warmup_epochs: epochs without δ at the beginning.
        force_exploration: explore the poles that are detected.

    Examples:
        >>> from zeroproof.autodiff import create_default_schedule
        >>> schedule = create_default_schedule(aggressive=True, warmup_epochs=1)
        >>> print(schedule.get_delta(0), schedule.get_delta(1), schedule.get_delta(21))
        None 0.1 1e-08
    """
    common: dict[str, Any] = {
        "warmup_epochs": warmup_epochs,
        "force_pole_exploration": force_exploration,
    }
    if not aggressive:
        return HybridGradientSchedule(**common)
    return HybridGradientSchedule(
        delta_init=1e-1,
        delta_final=1e-8,
        saturating_bound=0.1,
        pole_exploration_radius=0.1,
        pole_exploration_epochs=10,
        min_delta=1e-10,
        **common,
    )


class HybridGradientContext:
    """Statistics and schedule of the current thread or async task.

    ``with schedule.apply(epoch):`` sets up an epoch. Without it, call ``set_schedule`` once,
    ``update_epoch`` at the start of each epoch and ``end_batch_policy_update`` after each batch.

    Examples:
        >>> from zeroproof.autodiff import HybridGradientContext, TRNode, create_default_schedule
        >>> HybridGradientContext.reset()
        >>> x = TRNode.input(1e-3)
        >>> with create_default_schedule().apply(epoch=0):
        ...     (1.0 / x).backward()
        ...     HybridGradientContext.end_batch_policy_update()
        >>> statistics = HybridGradientContext.get_statistics()
        >>> statistics["saturating_activations"], statistics["near_pole_ratio"]
        (1, 1.0)
        >>> HybridGradientContext.detected_poles()
        [0.001]
        >>> HybridGradientContext.reset()
        >>> HybridGradientContext.set_schedule(create_default_schedule())
        >>> HybridGradientContext.update_epoch(0)
        >>> HybridGradientContext.set_exploration_regions([(0.9, 1.1)])
        >>> decide = HybridGradientContext.should_use_saturating
        >>> decide(0.5), decide(0.5, x_value=1.0)
        (False, True)
        >>> HybridGradientContext.update_q_value(0.25)
        >>> HybridGradientContext.get_q_min(), HybridGradientContext.get_q_min_epoch()
        (0.25, 0.25)
        >>> HybridGradientContext.detect_poles(threshold=0.3)
        [2]
        >>> measured = HybridGradientContext.measured()
        >>> HybridGradientContext.reset_statistics()
        >>> HybridGradientContext.merge(measured)
        >>> HybridGradientContext.get_schedule().delta_init
        0.01
        >>> HybridGradientContext.reset()
    """

    @staticmethod
    def set_schedule(schedule: Optional[HybridGradientSchedule]) -> None:
        """Sets the schedule that ``update_epoch`` follows, like a mode: per process or block."""
        _native.set_schedule(schedule)

    @staticmethod
    def get_schedule() -> Optional[HybridGradientSchedule]:
        """The current schedule."""
        return _native.get_schedule()

    @staticmethod
    def update_epoch(epoch: int) -> None:
        """Begins an epoch: resets the epoch figures and reads the active policy's thresholds.

        If a schedule is set, its δ and exploration regions take effect; mode and bound are
        unchanged.
        """
        _native.update_epoch(epoch)

    @staticmethod
    def should_use_saturating(abs_q: float, x_value: Optional[float] = None) -> bool:
        """The Hybrid decision for a distance ``abs_q`` to a pole; it is counted.

        Args:
            abs_q: the distance, not negative.
            x_value: the coordinate, for exploration regions.

        Raises:
            ValueError: for a distance that is negative or not finite.
        """
        return _native.should_use_saturating(abs_q, x_value)

    @staticmethod
    def update_q_value(abs_q: float) -> None:
        """Adds a distance to the batch's statistics without a decision.

        Raises:
            ValueError: for a distance that is negative or not finite.
        """
        _native.update_q_value(abs_q)

    @staticmethod
    def end_batch_policy_update() -> None:
        """Ends a batch: updates the policy's state and resets the batch figures."""
        _native.end_batch()

    @staticmethod
    def get_statistics() -> dict[str, Any]:
        """All figures; None where there is no data.

        ``q`` are the distances to poles at the decisions of singular ops, ``g = 1/q``. Counts,
        ratios and ``q_min_epoch`` cover the epoch; the other q and g figures cover the batch, that
        is the time since ``reset_statistics`` or ``end_batch_policy_update``. Percentiles are exact
        up to 1024 decisions a batch and within 0.8 % beyond.
        """
        return _native.get_statistics()

    @staticmethod
    def measured() -> HybridStatistics:
        """A copy of what this thread or task measured since its epoch and batch began.

        It can be pickled, and merged where it is needed: a worker process returns it, the process
        that holds the schedule calls :meth:`merge`.
        """
        return _native.measured_statistics()

    @staticmethod
    def merge(*measured: HybridStatistics) -> None:
        """Adds what other processes measured, as if it had been measured here.

        The schedule takes it into account when the next epoch begins: δ adapts to the smallest
        distance, and the neighbourhoods of detected poles are explored. ``Partial.finish`` merges
        by itself.

        Args:
            *measured: what :meth:`measured` returned elsewhere, each once.
        """
        for each in measured:
            _native.merge_statistics(each)

    @staticmethod
    def reset_statistics() -> None:
        """Resets the counts and the batch figures, but not the epoch and policy state."""
        _native.reset_statistics()

    @staticmethod
    def get_q_min() -> Optional[float]:
        """The smallest distance of the batch."""
        return _native.get_q_min()

    @staticmethod
    def get_q_min_epoch() -> Optional[float]:
        """The smallest distance of the epoch."""
        return _native.get_q_min_epoch()

    @staticmethod
    def detect_poles(threshold: Optional[float] = None) -> list[int]:
        """The indices of the batch's distances that were within ``threshold``.

        Covers the first 1024 of the batch; for a batched call with several threads, those of the
        threads that finish first. The default threshold is the schedule's
        ``pole_detection_threshold``, or 0.1 without a schedule.
        """
        if threshold is None:
            schedule = _native.get_schedule()
            threshold = 0.1 if schedule is None else schedule.pole_detection_threshold
        return _native.near_decisions(threshold)

    @staticmethod
    def detected_poles() -> list[float]:
        """The coordinates of near-pole decisions of this epoch, one per neighbourhood.

        Coordinates are the values of ``TRNode.input`` nodes. A decision that depends on several
        different inputs has no coordinate. ``schedule.apply`` passes them on to the schedule when
        the next epoch begins.
        """
        return _native.detected_poles()

    @staticmethod
    def set_exploration_regions(regions: Iterable[tuple[float, float]]) -> None:
        """Sets the regions (low, high) in which singular ops saturate, like a mode.

        Raises:
            ValueError: for a region that is not finite or not in order.
        """
        _native.set_exploration_regions([(low, high) for low, high in regions])

    @staticmethod
    def reset() -> None:
        """Resets all statistics, and the current schedule, threshold and regions."""
        _native.forget_statistics()
        _native.set_schedule(None)
        _native.set_local_threshold(None)
        _native.set_exploration_regions([])
