//! Blocks that put a gradient state in force, and the epochs of a schedule.

use super::policy;
use super::shared_schedule::ScheduleInForce;
use super::state::{BLOCK, BLOCKS, GradientState};
use super::statistics::with_statistics;
use crate::callbacks;
use crate::enums;
use crate::errors::value_error;
use crate::number::Double;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use zeroproof::{GradientMode, ModeState};

/// A `with` block that puts a gradient state in force and on leaving puts back what was there.
#[pyclass(frozen, name = "GradientBlock", module = "zeroproof._native")]
pub(crate) struct GradientBlock(Entry);

/// What a block puts in force.
enum Entry {
    Mode(GradientMode, Option<f64>),
    Schedule(ScheduleInForce, i64),
}

impl GradientBlock {
    /// One epoch of a schedule.
    pub(crate) fn of_epoch(schedule: ScheduleInForce, epoch: i64) -> Self {
        Self(Entry::Schedule(schedule, epoch))
    }
}

/// What `use_mode` returns: as a `with` block, puts back on leaving what was there before the call.
#[pyclass(frozen, name = "GradientRestorer", module = "zeroproof._native")]
struct GradientRestorer(GradientState);

/// Begins an epoch of a schedule: rolls the statistics over, passes the poles of the epoch before on
/// to the schedule, and returns the state of this one.
fn begin_epoch(py: Python<'_>, schedule: &ScheduleInForce, epoch: i64) -> PyResult<GradientState> {
    let policy = policy::active();
    let state = with_statistics(py, |statistics| {
        // Poles and distances that another schedule's epochs met are none of this one's.
        statistics.begin_run(schedule.shared.id());
        let mut schedule = schedule.shared.lock();
        schedule.validate()?;
        let policy = policy.filter(|_| schedule.enable);
        let (q_min, poles) = statistics.begin_epoch(epoch, Some(&schedule), policy);
        schedule.update_detected_poles(&poles, epoch.saturating_sub(1));
        let state = schedule.state(epoch, q_min)?;
        statistics.set_epoch_state(state.clone());
        Ok(state)
    })?;
    let state = state.map_err(value_error)?;
    Ok(GradientState { state: Arc::new(state), schedule: Some(schedule.clone()), outer: None })
}

#[pymethods]
impl GradientBlock {
    /// Decorates a function: each call runs in the block.
    fn __call__<'py>(slf: &Bound<'py, Self>, function: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        callbacks::DECORATE.required(slf.py())?.call1((slf, function))
    }

    fn __enter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = slf.py();
        let outer = GradientState::block(py)?.map(Arc::new);
        let (inner, result) = match &slf.get().0 {
            Entry::Mode(mode, bound) => {
                let mut inner = GradientState::current(py)?;
                let state = Arc::make_mut(&mut inner.state);
                state.mode = *mode;
                bound.map_or(Ok(()), |bound| state.set_bound(bound)).map_err(value_error)?;
                (inner, None)
            }
            Entry::Schedule(schedule, epoch) => {
                (begin_epoch(py, schedule, *epoch)?, Some(schedule.object.bind(py).clone()))
            }
        };
        BLOCKS.store(true, Ordering::Relaxed);
        BLOCK.set(Bound::new(py, GradientState { outer, ..inner })?.as_any())?;
        Ok(result)
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        let inner = GradientState::block(py)?
            .ok_or_else(|| PyValueError::new_err("the block was left without having been entered"))?;
        match inner.outer {
            Some(outer) => BLOCK.set(Bound::new(py, (*outer).clone())?.as_any()),
            None => BLOCK.set(py.None().bind(py)),
        }
    }
}

#[pymethods]
impl GradientRestorer {
    fn __enter__(&self) {}

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.0.clone().install(py)
    }
}

/// A block in which `mode` is in force, with this saturation bound or the one in force around it.
#[pyfunction]
#[pyo3(signature = (mode, saturation_bound=None))]
fn gradient_block(mode: &Bound<'_, PyAny>, saturation_bound: Option<Double>) -> PyResult<GradientBlock> {
    let (mode, bound) = (enums::to_mode(mode)?, saturation_bound.map(|bound| bound.0));
    bound.map_or(Ok(()), |bound| ModeState::saturating(bound).map(drop)).map_err(value_error)?;
    Ok(GradientBlock(Entry::Mode(mode, bound)))
}

/// Sets mode and bound at once; as a `with` block, puts back on leaving what was there before.
#[pyfunction]
#[pyo3(signature = (mode, saturation_bound=None))]
fn use_mode(
    py: Python<'_>,
    mode: &Bound<'_, PyAny>,
    saturation_bound: Option<Double>,
) -> PyResult<GradientRestorer> {
    let before = GradientState::current(py)?;
    let mode = enums::to_mode(mode)?;
    GradientState::change(py, |state| {
        saturation_bound.map_or(Ok(()), |bound| state.set_bound(bound.0))?;
        state.mode = mode;
        Ok(())
    })?;
    Ok(GradientRestorer(before))
}

/// Begins an epoch by hand: statistics roll over; with a schedule set, its δ and its regions are put
/// in force.
#[pyfunction]
fn update_epoch(py: Python<'_>, epoch: i64) -> PyResult<()> {
    let current = GradientState::current(py)?;
    let Some(schedule) = current.schedule else {
        let policy = policy::active();
        return with_statistics(py, |statistics| statistics.begin_epoch(epoch, None, policy)).map(drop);
    };
    let begun = begin_epoch(py, &schedule, epoch)?.state;
    GradientState::change(py, |state| {
        state.set_regions(begun.regions());
        state.set_delta(begun.delta())
    })
}

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<GradientBlock>()?;
    module.add_class::<GradientRestorer>()?;
    module.add_function(wrap_pyfunction!(gradient_block, module)?)?;
    module.add_function(wrap_pyfunction!(use_mode, module)?)?;
    module.add_function(wrap_pyfunction!(update_epoch, module)?)
}
