//! Statistics and mode states as values, which go from process to process.

use super::state::GradientState;
use super::statistics::{measured_figures, with_statistics};
use crate::errors::unreadable;
use crate::flags;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use std::sync::Arc;
use zeroproof::Statistics;
use zeroproof::batch::PartMode;

/// What backward passes and batched calls measured, as a value: made by
/// ``HybridGradientContext.measured``, or taken from a ``Partial``.
///
/// It can be pickled, and ``a + b`` is what one process would have measured: counts, minima and maxima
/// exactly, percentiles exactly up to 1024 decisions and within 0.8 % beyond. Epoch and policy are not
/// part of it.
///
/// Args:
///     record: the bytes of a pickled one.
///
/// Raises:
///     ValueError: for bytes that are no such record, or of another version of the format.
///
/// Examples:
///     >>> from zeroproof.autodiff import HybridGradientContext, TRNode, create_default_schedule
///     >>> HybridGradientContext.reset()
///     >>> x = TRNode.input(0.001)
///     >>> with create_default_schedule().apply(epoch=0):
///     ...     (1.0 / x).backward()
///     >>> measured = HybridGradientContext.measured()
///     >>> twice = measured + measured
///     >>> twice.figures()["saturating_activations"], twice.detected_poles()
///     (2, [0.001])
///     >>> HybridGradientContext.reset()
#[pyclass(frozen, name = "HybridStatistics", module = "zeroproof.autodiff.hybrid_gradient")]
pub(crate) struct HybridStatistics(pub Statistics);

#[pymethods]
impl HybridStatistics {
    #[new]
    fn new(record: &[u8]) -> PyResult<Self> {
        Statistics::from_bytes(record).map(Self).map_err(unreadable)
    }

    /// The figures under the names of ``HybridGradientContext.get_statistics``; None where there is no
    /// data.
    fn figures<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let fields = flags::keeping(|| self.0.summary(&zeroproof::ModeState::default()).fields());
        measured_figures(py, fields)
    }

    /// The coordinates of near-pole decisions, one per neighbourhood.
    fn detected_poles(&self) -> Vec<f64> {
        flags::keeping(|| self.0.detected_poles())
    }

    fn __add__(&self, other: &Self) -> Self {
        let mut sum = self.0.clone();
        flags::keeping(|| sum.merge(&other.0));
        Self(sum)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> (Bound<'py, pyo3::types::PyType>, (Bound<'py, PyBytes>,)) {
        (slf.get_type(), (PyBytes::new(slf.py(), &slf.get().0.to_bytes()),))
    }

    fn __repr__(&self) -> String {
        let summary = flags::keeping(|| self.0.summary(&zeroproof::ModeState::default()));
        let q_min = summary.q_min_epoch.map_or("None".into(), |q| format!("{q:?}"));
        format!("<HybridStatistics: {} decisions, q_min_epoch={q_min}>", summary.total_gradient_calls)
    }
}

/// The gradient mode in force where it was made, as a value: mode, bound, threshold, exploration
/// regions and the state of the policy.
///
/// ``GradientModeConfig.snapshot`` makes one; it can be pickled, and ``BatchedFunction.partial`` takes it
/// as ``mode``, so that workers compute in the mode of the process that they work for.
///
/// Args:
///     record: the bytes of a pickled one.
///
/// Raises:
///     ValueError: for bytes that are no such record, or of another version of the format.
///
/// Examples:
///     >>> import pickle
///     >>> from zeroproof.autodiff import GradientMode, GradientModeConfig, gradient_mode
///     >>> with gradient_mode(GradientMode.SATURATING, 0.5):
///     ...     snapshot = GradientModeConfig.snapshot()
///     >>> pickle.loads(pickle.dumps(snapshot)) == snapshot
///     True
#[pyclass(frozen, eq, name = "ModeSnapshot", module = "zeroproof.autodiff.grad_mode")]
#[derive(PartialEq)]
pub(crate) struct ModeSnapshot(pub PartMode);

#[pymethods]
impl ModeSnapshot {
    #[new]
    fn new(record: &[u8]) -> PyResult<Self> {
        PartMode::from_bytes(record).map(Self).map_err(unreadable)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> (Bound<'py, pyo3::types::PyType>, (Bound<'py, PyBytes>,)) {
        (slf.get_type(), (PyBytes::new(slf.py(), &slf.get().0.to_bytes()),))
    }

    fn __repr__(&self) -> String {
        format!("<ModeSnapshot: {}>", self.0)
    }
}

/// The mode in force here, as a value.
#[pyfunction]
fn mode_snapshot(py: Python<'_>) -> PyResult<ModeSnapshot> {
    let state = GradientState::with_state(py, |state| state.as_ref().clone())?;
    let settings = with_statistics(py, |statistics| statistics.settings())?;
    Ok(ModeSnapshot(PartMode { state, settings }))
}

impl ModeSnapshot {
    /// What a batch needs of it, as [`for_batch`](super::passes::for_batch) gives it.
    pub(crate) fn for_batch(&self) -> (Arc<zeroproof::ModeState>, Statistics) {
        (Arc::new(self.0.state.clone()), Statistics::with_settings(self.0.settings))
    }
}

/// A copy of what this thread or task measured.
#[pyfunction]
fn measured_statistics(py: Python<'_>) -> PyResult<HybridStatistics> {
    Ok(HybridStatistics(with_statistics(py, |statistics| statistics.measured())?))
}

/// Adds what was measured elsewhere to the statistics of this thread or task.
#[pyfunction]
fn merge_statistics(py: Python<'_>, measured: &Bound<'_, HybridStatistics>) -> PyResult<()> {
    with_statistics(py, |statistics| statistics.merge(&measured.get().0))
}

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<HybridStatistics>()?;
    module.add_class::<ModeSnapshot>()?;
    module.add_function(wrap_pyfunction!(mode_snapshot, module)?)?;
    module.add_function(wrap_pyfunction!(measured_statistics, module)?)?;
    module.add_function(wrap_pyfunction!(merge_statistics, module)?)
}
