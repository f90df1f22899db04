//! A schedule as the context knows it: that of the core, shared with the Python object that is one.

use crate::locks::lock;
use pyo3::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use zeroproof::HybridSchedule;

/// The schedule behind a Python object.
pub(crate) struct SharedSchedule {
    schedule: Mutex<HybridSchedule>,
    id: u64,
}

impl SharedSchedule {
    pub(crate) fn new(schedule: HybridSchedule) -> Self {
        static MADE: AtomicU64 = AtomicU64::new(1);
        Self { schedule: Mutex::new(schedule), id: MADE.fetch_add(1, Ordering::Relaxed) }
    }

    /// A number that no other schedule of the process has.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, HybridSchedule> {
        lock(&self.schedule)
    }
}

/// A schedule that is in force, or to be put in force.
#[derive(Clone)]
pub(crate) struct ScheduleInForce {
    /// The Python object.
    pub object: Arc<Py<PyAny>>,
    /// What is behind it.
    pub shared: Arc<SharedSchedule>,
}
