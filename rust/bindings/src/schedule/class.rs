//! What an object of the class holds.

use crate::context::shared_schedule::{ScheduleInForce, SharedSchedule};
use pyo3::prelude::*;
use std::sync::{Arc, MutexGuard};
use zeroproof::HybridSchedule;

/// The schedule δ(t) of Hybrid mode: warm-up, decay, adaptive δ and forced exploration.
///
/// Args:
///     warmup_epochs: epochs without δ at the beginning: Mask-REAL outside exploration regions.
///     transition_epochs: epochs over which δ decays after them.
///     delta_init: δ at the beginning of the decay, a distance to a pole; 0: only the pole itself is near.
///     delta_final: δ at its end, which may be 0 too.
///     schedule_type: the shape of the decay, a ``ScheduleType``. The exponential one goes to a
///         ``delta_final`` of 0, or from a ``delta_init`` of 0, right after the first epoch of the decay.
///     enable: False keeps δ, regions and policy out, which makes Hybrid Mask-REAL.
///     saturating_bound: the saturation bound in force under ``apply``.
///     force_pole_exploration: explore the poles that are detected.
///     pole_exploration_radius: half the width of an exploration region.
///     pole_exploration_epochs: for how many epochs a pole is explored.
///     pole_detection_threshold: the distance within which a decision counts as at a pole.
///     adaptive_delta: let δ grow when the epoch before came close to a pole.
///     min_delta: δ is never below this; a δ of 0 needs a ``min_delta`` of 0.
///
/// Raises:
///     ValueError: names the field that is out of its range.
///
/// Examples:
///     >>> from zeroproof.autodiff import GradientModeConfig, HybridGradientSchedule, TRNode
///     >>> schedule = HybridGradientSchedule(warmup_epochs=1, transition_epochs=2, adaptive_delta=False)
///     >>> schedule.is_warmup(0), schedule.is_transitioning(1), schedule.is_transitioning(9)
///     (True, True, False)
///     >>> schedule.get_delta(0), schedule.get_delta(1), schedule.get_delta(9)
///     (None, 0.01, 1e-06)
///     >>> print(schedule.get_mode_description(0))
///     warmup: no delta until epoch 1
///     >>> x = TRNode.input(0.001)
///     >>> with schedule.apply(epoch=1):
///     ...     (1.0 / x).backward()
///     ...     print(GradientModeConfig.get_local_threshold(), x.gradient_status.name)
///     0.01 SATURATED
///     >>> schedule.update_detected_poles([0.5], epoch=1)
///     >>> schedule.get_exploration_regions(2)
///     [(0.45, 0.55)]
#[pyclass(frozen, name = "HybridGradientSchedule", module = "zeroproof.autodiff.hybrid_gradient")]
pub(super) struct HybridGradientSchedule(Arc<SharedSchedule>);

impl HybridGradientSchedule {
    pub fn make(schedule: HybridSchedule) -> Self {
        Self(Arc::new(SharedSchedule::new(schedule)))
    }

    pub fn lock(&self) -> MutexGuard<'_, HybridSchedule> {
        self.0.lock()
    }

    pub fn snapshot(&self) -> HybridSchedule {
        self.lock().clone()
    }

    /// The schedule for the context.
    pub fn in_force(slf: &Bound<'_, Self>) -> ScheduleInForce {
        let object = Arc::new(slf.clone().into_any().unbind());
        ScheduleInForce { object, shared: slf.get().0.clone() }
    }
}
