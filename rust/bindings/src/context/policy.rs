//! The hysteresis policy of the process.

use crate::errors::value_error;
use crate::locks::lock;
use crate::number::Double;
use pyo3::prelude::*;
use std::sync::Mutex;
use zeroproof::HysteresisPolicy;

static POLICY: Mutex<Option<HysteresisPolicy>> = Mutex::new(None);

/// The active policy, if there is one.
pub(super) fn active() -> Option<HysteresisPolicy> {
    *lock(&POLICY)
}

/// Checks a policy's thresholds and, unless `None`, makes them the active ones.
#[pyfunction]
#[pyo3(signature = (thresholds))]
fn set_policy(thresholds: Option<Thresholds>) -> PyResult<()> {
    let policy = thresholds.map(policy).transpose()?;
    *lock(&POLICY) = policy;
    Ok(())
}

/// Raises ValueError unless the thresholds make a policy.
#[pyfunction]
fn check_policy(thresholds: Thresholds) -> PyResult<()> {
    policy(thresholds).map(drop)
}

/// `tau_Q_on`, `tau_Q_off`, `g_on`, `g_off`.
type Thresholds = (Double, Double, Option<Double>, Option<Double>);

fn policy((on, off, g_on, g_off): Thresholds) -> PyResult<HysteresisPolicy> {
    HysteresisPolicy::new(on.0, off.0, g_on.map(|g| g.0), g_off.map(|g| g.0)).map_err(value_error)
}

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(set_policy, module)?)?;
    module.add_function(wrap_pyfunction!(check_policy, module)?)
}
