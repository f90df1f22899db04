//! The methods of a schedule.

use super::class::HybridGradientSchedule;
use super::fields::{FIELDS, assign, field};
use crate::context::blocks::GradientBlock;
use crate::context::settings;
use crate::errors::value_error;
use crate::flags;
use crate::number::{Double, expect_number};
use pyo3::exceptions::{PyAttributeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use zeroproof::{HybridSchedule, Region};

#[pymethods]
impl HybridGradientSchedule {
    #[new]
    #[pyo3(signature = (
        warmup_epochs=None, transition_epochs=None, delta_init=None, delta_final=None,
        schedule_type=None, enable=None, saturating_bound=None, force_pole_exploration=None,
        pole_exploration_radius=None, pole_exploration_epochs=None, pole_detection_threshold=None,
        adaptive_delta=None, min_delta=None
    ), text_signature = "(warmup_epochs=0, transition_epochs=20, delta_init=0.01, delta_final=1e-06, \
        schedule_type=ScheduleType.EXPONENTIAL, enable=True, saturating_bound=1.0, \
        force_pole_exploration=True, pole_exploration_radius=0.05, pole_exploration_epochs=5, \
        pole_detection_threshold=0.1, adaptive_delta=True, min_delta=1e-08)")]
    #[expect(clippy::too_many_arguments, reason = "the fields of the schedule")]
    fn new(
        warmup_epochs: Option<&Bound<'_, PyAny>>,
        transition_epochs: Option<&Bound<'_, PyAny>>,
        delta_init: Option<&Bound<'_, PyAny>>,
        delta_final: Option<&Bound<'_, PyAny>>,
        schedule_type: Option<&Bound<'_, PyAny>>,
        enable: Option<&Bound<'_, PyAny>>,
        saturating_bound: Option<&Bound<'_, PyAny>>,
        force_pole_exploration: Option<&Bound<'_, PyAny>>,
        pole_exploration_radius: Option<&Bound<'_, PyAny>>,
        pole_exploration_epochs: Option<&Bound<'_, PyAny>>,
        pole_detection_threshold: Option<&Bound<'_, PyAny>>,
        adaptive_delta: Option<&Bound<'_, PyAny>>,
        min_delta: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let mut schedule = HybridSchedule::default();
        let values = [
            warmup_epochs,
            transition_epochs,
            delta_init,
            delta_final,
            schedule_type,
            enable,
            saturating_bound,
            force_pole_exploration,
            pole_exploration_radius,
            pole_exploration_epochs,
            pole_detection_threshold,
            adaptive_delta,
            min_delta,
        ];
        for (field, value) in FIELDS.into_iter().zip(values) {
            if let Some(value) = value {
                assign(&mut schedule, field, value)?;
            }
        }
        schedule.validate().map_err(value_error)?;
        Ok(Self::make(schedule))
    }

    fn __getattr__<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        field(py, &self.snapshot(), name)?.ok_or_else(|| {
            PyAttributeError::new_err(format!("'HybridGradientSchedule' object has no attribute {name:?}"))
        })
    }

    /// Sets a field; an invalid value changes nothing.
    fn __setattr__(&self, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        // Converting the value may run Python code, so the lock is not held meanwhile; poles that are
        // added meanwhile stay.
        let mut changed = self.snapshot();
        assign(&mut changed, name, value)?;
        changed.validate().map_err(value_error)?;
        let mut schedule = self.lock();
        changed.known_poles = std::mem::take(&mut schedule.known_poles);
        changed.explorations = std::mem::take(&mut schedule.explorations);
        *schedule = changed;
        Ok(())
    }

    fn __delattr__(&self, name: &str) -> PyResult<()> {
        Err(PyAttributeError::new_err(format!("{name} cannot be deleted")))
    }

    fn __dir__(slf: &Bound<'_, Self>) -> PyResult<Vec<String>> {
        let mut names: Vec<String> = slf.get_type().dir()?.extract()?;
        names.extend(FIELDS.map(str::to_owned));
        Ok(names)
    }

    /// The poles known so far, as coordinates.
    #[getter]
    fn detected_poles(&self) -> Vec<f64> {
        self.lock().known_poles.clone()
    }

    /// δ in this epoch, None when disabled or in warm-up. A pure function.
    ///
    /// Args:
    ///     epoch: counted from 0.
    ///     q_min: the smallest distance of the epoch before, for adaptive δ.
    #[pyo3(signature = (epoch, q_min=None))]
    fn get_delta(&self, epoch: i64, q_min: Option<Double>) -> Option<f64> {
        flags::keeping(|| self.lock().delta(epoch, q_min.map(|q| q.0)))
    }

    /// Whether the epoch is in warm-up.
    fn is_warmup(&self, epoch: i64) -> bool {
        self.lock().is_warmup(epoch)
    }

    /// Whether δ is decaying in this epoch.
    fn is_transitioning(&self, epoch: i64) -> bool {
        self.lock().is_transitioning(epoch)
    }

    /// One line: "warmup …", "transitioning …", "converged …" or "disabled …".
    fn get_mode_description(&self, epoch: i64) -> String {
        flags::keeping(|| self.lock().describe(epoch))
    }

    /// Adds the poles that are not within a radius of a known one, and explores their neighbourhoods
    /// in the next ``pole_exploration_epochs`` epochs, as far as the transition lasts.
    fn update_detected_poles(&self, poles: &Bound<'_, PyAny>, epoch: i64) -> PyResult<()> {
        let poles = poles.try_iter()?.map(|pole| expect_number(&pole?)).collect::<PyResult<Vec<_>>>()?;
        flags::keeping(|| self.lock().update_detected_poles(&poles, epoch));
        Ok(())
    }

    /// The regions (low, high) to explore in this epoch.
    fn get_exploration_regions(&self, epoch: i64) -> Vec<(f64, f64)> {
        flags::keeping(|| self.lock().regions(epoch)).iter().map(|region| (region.low, region.high)).collect()
    }

    /// A ``with`` block for one epoch: sets Hybrid mode, bound, δ and regions, and on leaving puts
    /// back what was there. The statistics stay readable after it. Each entry begins an epoch, so
    /// enter it once an epoch, around all batches.
    fn apply(slf: &Bound<'_, Self>, epoch: i64) -> GradientBlock {
        GradientBlock::of_epoch(Self::in_force(slf), epoch)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let fields = FIELDS.iter().map(|field| {
            let value = slf.getattr(*field)?;
            if *field == "schedule_type" {
                return Ok(format!("{field}=ScheduleType.{}", value.getattr("name")?));
            }
            Ok(format!("{field}={}", value.repr()?))
        });
        Ok(format!("HybridGradientSchedule({})", fields.collect::<PyResult<Vec<_>>>()?.join(", ")))
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| self.snapshot() == other.get().snapshot())
    }

    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>, Bound<'py, PyDict>)> {
        let py = slf.py();
        let fields = FIELDS.iter().map(|field| slf.getattr(*field)).collect::<PyResult<Vec<_>>>()?;
        let state = PyDict::new(py);
        let schedule = slf.get().snapshot();
        let explorations = schedule.explorations.iter().map(|&(r, first, last)| (r.low, r.high, first, last));
        state.set_item("known_poles", schedule.known_poles.clone())?;
        state.set_item("explorations", explorations.collect::<Vec<_>>())?;
        Ok((slf.get_type().into_any(), PyTuple::new(py, fields)?, state))
    }

    fn __setstate__(&self, state: &Bound<'_, PyDict>) -> PyResult<()> {
        let missing = || PyValueError::new_err("not the state of a HybridGradientSchedule");
        let known_poles = state.get_item("known_poles")?.ok_or_else(missing)?.extract()?;
        let explorations: Vec<(f64, f64, i64, i64)> =
            state.get_item("explorations")?.ok_or_else(missing)?.extract()?;
        let explorations = explorations
            .into_iter()
            .map(|(low, high, first, last)| Ok((Region::new(low, high).map_err(value_error)?, first, last)));
        let explorations = explorations.collect::<PyResult<_>>()?;
        let mut schedule = self.lock();
        schedule.explorations = explorations;
        schedule.known_poles = known_poles;
        Ok(())
    }
}

/// Puts a schedule in force, or none.
#[pyfunction]
#[pyo3(signature = (schedule))]
pub(super) fn set_schedule(
    py: Python<'_>,
    schedule: Option<&Bound<'_, HybridGradientSchedule>>,
) -> PyResult<()> {
    settings::set_schedule(py, schedule.map(HybridGradientSchedule::in_force))
}
