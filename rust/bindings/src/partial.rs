//! What some samples of a batch come to, as a Python object that goes from process to process.

use crate::context::measured::{HybridStatistics, ModeSnapshot};
use crate::context::passes;
use crate::errors::unreadable;
use crate::flags;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyType};
use zeroproof::batch::{Finished, Misfit, Partial, Total};

/// The engine's half of a ``Partial``: sums, counts, statuses and statistics of samples in a row.
#[pyclass(frozen, module = "zeroproof._native")]
pub(crate) struct PartialTotals(pub Partial);

fn misfit(misfit: Misfit) -> PyErr {
    PyValueError::new_err(misfit.to_string())
}

#[pymethods]
impl PartialTotals {
    #[new]
    fn new(record: &[u8]) -> PyResult<Self> {
        Partial::from_bytes(record).map(Self).map_err(unreadable)
    }

    /// As bytes for another process.
    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.to_bytes())
    }

    /// Of what it was computed: operations, shapes and request.
    #[getter]
    fn fingerprint(&self) -> u128 {
        self.0.fingerprint()
    }

    /// Its first sample, and the one behind its last.
    #[getter]
    fn samples(&self) -> (usize, usize) {
        let samples = self.0.samples();
        (samples.start, samples.end)
    }

    /// How many samples have a REAL value.
    #[getter]
    fn kept(&self) -> u64 {
        self.0.kept()
    }

    /// How many samples have the value +∞, −∞ and Φ, and how many an incomplete gradient.
    #[getter]
    fn left_out(&self) -> (u64, u64, u64, u64) {
        let left_out = self.0.left_out();
        let [pinf, ninf, phi] = left_out.by_tag;
        (pinf, ninf, phi, left_out.incomplete)
    }

    /// How many contributions were dropped, and how many nodes masked.
    #[getter]
    fn counts(&self) -> (u64, u64) {
        let statistics = self.0.statistics();
        (statistics.dropped_contributions(), statistics.masked_nodes())
    }

    /// What the samples measured.
    #[getter]
    fn statistics(&self) -> HybridStatistics {
        HybridStatistics(self.0.statistics().measured())
    }

    /// The gradient mode that they were computed in.
    #[getter]
    fn mode(&self) -> ModeSnapshot {
        ModeSnapshot(self.0.mode().clone())
    }

    /// How many sums wait for their neighbours.
    #[getter]
    fn waiting(&self) -> usize {
        self.0.waiting()
    }

    /// Both, if they are neighbours of the same call.
    fn merged(&self, other: &Self) -> PyResult<Self> {
        flags::keeping(|| {
            let mut merged = self.0.clone();
            merged.merge(other.0.clone()).map(|()| Self(merged))
        })
        .map_err(misfit)
    }

    /// All of them in one, in this order.
    #[staticmethod]
    fn merged_all(parts: Vec<Bound<'_, Self>>) -> PyResult<Self> {
        let [first, rest @ ..] = &parts[..] else {
            return Err(PyValueError::new_err("there are no parts to merge"));
        };
        flags::keeping(|| {
            let mut merged = first.get().0.clone();
            rest.iter().try_for_each(|part| merged.merge(part.get().0.clone())).map(|()| Self(merged))
        })
        .map_err(misfit)
    }

    /// The value over all samples, as ``"sum"`` or ``"mean"``, the gradients of shared arguments, one behind
    /// the other, and the bytes of their statuses. Counts in the statistics of this thread or task.
    fn finish<'py>(&self, py: Python<'py>, reduce: &str) -> PyResult<(f64, Vec<f64>, Bound<'py, PyBytes>)> {
        let total = match reduce {
            "sum" => Total::Sum,
            "mean" => Total::Mean,
            other => {
                return Err(PyValueError::new_err(format!("reduce must be 'mean' or 'sum', not {other:?}")));
            }
        };
        let Finished { value, gradients, statuses } =
            flags::keeping(|| self.0.finish(total)).map_err(misfit)?;
        let statuses: Vec<u8> = statuses.iter().map(|status| status.bits()).collect();
        passes::count_batch(py, self.0.statistics())?;
        Ok((value, gradients, PyBytes::new(py, &statuses)))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> (Bound<'py, PyType>, (Bound<'py, PyBytes>,)) {
        (slf.get_type(), (slf.get().to_bytes(slf.py()),))
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PartialTotals>()
}
