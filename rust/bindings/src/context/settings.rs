//! What is in force, one part at a time.

use super::shared_schedule::ScheduleInForce;
use super::state::GradientState;
use crate::enums;
use crate::errors::value_error;
use crate::number::Double;
use pyo3::prelude::*;
use zeroproof::{ModeState, Region};

/// A saturation bound that was given, checked, or the one in force.
pub(crate) fn bound_or_current(py: Python<'_>, bound: Option<Double>) -> PyResult<f64> {
    let Some(Double(bound)) = bound else {
        return Ok(GradientState::current(py)?.state.bound());
    };
    ModeState::saturating(bound).map_err(value_error)?;
    Ok(bound)
}

#[pyfunction]
fn get_mode(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    enums::mode(py, GradientState::current(py)?.state.mode)
}

#[pyfunction]
fn set_mode(mode: &Bound<'_, PyAny>) -> PyResult<()> {
    let code = enums::to_mode(mode)?;
    GradientState::change(mode.py(), |state| {
        state.mode = code;
        Ok(())
    })
}

#[pyfunction]
fn get_saturation_bound(py: Python<'_>) -> PyResult<f64> {
    Ok(GradientState::current(py)?.state.bound())
}

#[pyfunction]
fn set_saturation_bound(py: Python<'_>, bound: Double) -> PyResult<()> {
    GradientState::change(py, |state| state.set_bound(bound.0))
}

#[pyfunction]
fn get_local_threshold(py: Python<'_>) -> PyResult<Option<f64>> {
    Ok(GradientState::current(py)?.state.delta())
}

#[pyfunction]
#[pyo3(signature = (threshold))]
fn set_local_threshold(py: Python<'_>, threshold: Option<Double>) -> PyResult<()> {
    GradientState::change(py, |state| state.set_delta(threshold.map(|delta| delta.0)))
}

#[pyfunction]
fn set_exploration_regions(py: Python<'_>, regions: Vec<(Double, Double)>) -> PyResult<()> {
    let regions: Result<Vec<_>, _> =
        regions.into_iter().map(|(low, high)| Region::new(low.0, high.0)).collect();
    let regions = regions.map_err(value_error)?;
    GradientState::change(py, |state| {
        state.set_regions(&regions);
        Ok(())
    })
}

#[pyfunction]
fn get_schedule(py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
    Ok(GradientState::current(py)?.schedule.map(|schedule| schedule.object.clone_ref(py)))
}

/// Puts a schedule in force, or none.
pub(crate) fn set_schedule(py: Python<'_>, schedule: Option<ScheduleInForce>) -> PyResult<()> {
    GradientState::set_schedule(py, schedule)
}

/// Mask-REAL, bound 1, no threshold, no regions, no schedule.
#[pyfunction]
fn reset_state(py: Python<'_>) -> PyResult<()> {
    GradientState::initial().install(py)
}

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    for function in [
        wrap_pyfunction!(get_mode, module)?,
        wrap_pyfunction!(set_mode, module)?,
        wrap_pyfunction!(get_saturation_bound, module)?,
        wrap_pyfunction!(set_saturation_bound, module)?,
        wrap_pyfunction!(get_local_threshold, module)?,
        wrap_pyfunction!(set_local_threshold, module)?,
        wrap_pyfunction!(set_exploration_regions, module)?,
        wrap_pyfunction!(get_schedule, module)?,
        wrap_pyfunction!(reset_state, module)?,
    ] {
        module.add_function(function)?;
    }
    Ok(())
}
