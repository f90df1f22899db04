//! The fields of a schedule by name.

use crate::enums;
use crate::number::expect_number;
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::{PyAttributeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use zeroproof::HybridSchedule;

/// A number of epochs: an int from 0 up.
fn epochs(field: &str, value: &Bound<'_, PyAny>) -> PyResult<u32> {
    value.extract::<u32>().map_err(|_| {
        let shown = value.repr().map(|r| r.to_string()).unwrap_or_default();
        let message = format!("{field} must be an int from 0 to {}, not {shown}", u32::MAX);
        if value.extract::<i128>().is_ok() {
            PyValueError::new_err(message)
        } else {
            PyTypeError::new_err(message)
        }
    })
}

/// Every field by name, in the order of the constructor.
pub(super) const FIELDS: [&str; 13] = [
    "warmup_epochs",
    "transition_epochs",
    "delta_init",
    "delta_final",
    "schedule_type",
    "enable",
    "saturating_bound",
    "force_pole_exploration",
    "pole_exploration_radius",
    "pole_exploration_epochs",
    "pole_detection_threshold",
    "adaptive_delta",
    "min_delta",
];

/// Sets a field by name on a copy that is still to be validated.
pub(super) fn assign(s: &mut HybridSchedule, field: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
    match field {
        "warmup_epochs" => s.warmup_epochs = epochs(field, value)?,
        "transition_epochs" => s.transition_epochs = epochs(field, value)?,
        "delta_init" => s.delta_init = expect_number(value)?,
        "delta_final" => s.delta_final = expect_number(value)?,
        "schedule_type" => s.schedule_type = enums::to_schedule_type(value)?,
        "enable" => s.enable = value.extract()?,
        "saturating_bound" => s.saturating_bound = expect_number(value)?,
        "force_pole_exploration" => s.force_pole_exploration = value.extract()?,
        "pole_exploration_radius" => s.pole_exploration_radius = expect_number(value)?,
        "pole_exploration_epochs" => s.pole_exploration_epochs = epochs(field, value)?,
        "pole_detection_threshold" => s.pole_detection_threshold = expect_number(value)?,
        "adaptive_delta" => s.adaptive_delta = value.extract()?,
        "min_delta" => s.min_delta = expect_number(value)?,
        _ => {
            return Err(PyAttributeError::new_err(format!(
                "HybridGradientSchedule has no field {field:?}; its fields are {}",
                FIELDS.join(", ")
            )));
        }
    }
    Ok(())
}

/// A field by name.
pub(super) fn field<'py>(
    py: Python<'py>,
    s: &HybridSchedule,
    field: &str,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let value = match field {
        "warmup_epochs" => s.warmup_epochs.into_bound_py_any(py)?,
        "transition_epochs" => s.transition_epochs.into_bound_py_any(py)?,
        "delta_init" => s.delta_init.into_bound_py_any(py)?,
        "delta_final" => s.delta_final.into_bound_py_any(py)?,
        "schedule_type" => enums::schedule_type(py, s.schedule_type)?,
        "enable" => s.enable.into_bound_py_any(py)?,
        "saturating_bound" => s.saturating_bound.into_bound_py_any(py)?,
        "force_pole_exploration" => s.force_pole_exploration.into_bound_py_any(py)?,
        "pole_exploration_radius" => s.pole_exploration_radius.into_bound_py_any(py)?,
        "pole_exploration_epochs" => s.pole_exploration_epochs.into_bound_py_any(py)?,
        "pole_detection_threshold" => s.pole_detection_threshold.into_bound_py_any(py)?,
        "adaptive_delta" => s.adaptive_delta.into_bound_py_any(py)?,
        "min_delta" => s.min_delta.into_bound_py_any(py)?,
        _ => return Ok(None),
    };
    Ok(Some(value))
}
