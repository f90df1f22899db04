//! What an object of the class holds.

use crate::locks::lock;
use pyo3::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use zeroproof::HybridSchedule;

/// The schedule δ(t) of Hybrid mode: warm-up, decay, adaptive δ and forced exploration.
///
/// Args:
///     warmup_epochs: epochs without δ at the beginning: Mask-REAL outside exploration regions.
///     transition_epochs: epochs over which δ decays after them.
///     delta_init: δ at the beginning of the decay, a distance to a pole.
///     delta_final: δ at its end.
///     schedule_type: the shape of the decay, a ``ScheduleType``.
///     enable: False keeps δ, regions and policy out, which makes Hybrid Mask-REAL.
///     saturating_bound: the saturation bound in force under ``apply``.
///     force_pole_exploration: explore the poles that are detected.
///     pole_exploration_radius: half the width of an exploration region.
///     pole_exploration_epochs: for how many epochs a pole is explored.
///     pole_detection_threshold: the distance within which a decision counts as at a pole.
///     adaptive_delta: let δ grow when the epoch before came close to a pole.
///     min_delta: δ is never below this.
///
/// Raises:
///     ValueError: names the field that is out of its range.
#[pyclass(frozen, name = "HybridGradientSchedule", module = "zeroproof.autodiff.hybrid_gradient")]
pub(crate) struct HybridGradientSchedule {
    schedule: Mutex<HybridSchedule>,
    id: u64,
}

impl HybridGradientSchedule {
    pub(crate) fn make(schedule: HybridSchedule) -> Self {
        static MADE: AtomicU64 = AtomicU64::new(1);
        Self { schedule: Mutex::new(schedule), id: MADE.fetch_add(1, Ordering::Relaxed) }
    }

    /// A number that no other schedule of the process has.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, HybridSchedule> {
        lock(&self.schedule)
    }

    pub(crate) fn snapshot(&self) -> HybridSchedule {
        self.lock().clone()
    }
}
