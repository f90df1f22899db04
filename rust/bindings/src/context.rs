//! What a backward pass finds around it: the mode state of its block or of the process, and the
//! statistics of its thread or async task.
//!
//! The state hangs on a context variable. A block's state is an immutable object that knows the one
//! around it: setting a mode inside a block replaces the object in that context only, so a child task
//! never changes its parent's block, and leaving a block needs no memory of having entered it.
//! Statistics hang on the thread, or on the async task if one runs, since a context may be copied.

mod statistics;
mod variable;

use crate::arena::{self, Arena, GilCell};
use crate::enums;
use crate::number::Double;
use crate::schedule::HybridGradientSchedule;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use statistics::with_statistics;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use variable::Variable;
use zeroproof::backward::PassCounts;
use zeroproof::{Error, GradientMode, HysteresisPolicy, ModeState, Region, Statistics};

static BLOCK: Variable = Variable::new(c"zeroproof_gradient_state");
static POLICY: Mutex<Option<HysteresisPolicy>> = Mutex::new(None);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The mode state and the schedule it belongs to, as one immutable value.
#[pyclass(frozen, skip_from_py_object, module = "zeroproof._native")]
#[derive(Clone)]
struct GradientState {
    state: Arc<ModeState>,
    schedule: Option<Arc<Py<HybridGradientSchedule>>>,
    /// Of a block: what was in force around it, `None` if that was the process's.
    outer: Option<Arc<GradientState>>,
}

/// What is in force outside all blocks, in every thread.
static DEFAULT: GilCell<GradientState> = GilCell::new(GradientState::initial);

/// Whether any block was ever entered. Without one, no context needs to be asked.
static BLOCKS: AtomicBool = AtomicBool::new(false);

impl GradientState {
    fn initial() -> Self {
        Self { state: Arc::default(), schedule: None, outer: None }
    }

    /// What is in force here.
    fn current(py: Python<'_>) -> PyResult<Self> {
        match Self::block(py)? {
            Some(block) => Ok(block),
            None => Ok(DEFAULT.with(py, |state| state.clone())),
        }
    }

    /// Runs `f`, which must not call into Python, on the mode state in force here.
    #[inline(always)]
    fn with_state<R>(py: Python<'_>, f: impl FnOnce(&Arc<ModeState>) -> R) -> PyResult<R> {
        match Self::block(py)? {
            Some(block) => Ok(f(&block.state)),
            None => Ok(DEFAULT.with(py, |current| f(&current.state))),
        }
    }

    /// The block that runs here.
    fn block(py: Python<'_>) -> PyResult<Option<Self>> {
        if !BLOCKS.load(Ordering::Relaxed) {
            return Ok(None);
        }
        BLOCK.get(py)?.map(|block| Ok(block.cast::<Self>()?.get().clone())).transpose()
    }

    /// Puts this in force: in the block if there is one, for the process otherwise.
    fn install(self, py: Python<'_>) -> PyResult<()> {
        if let Some(block) = Self::block(py)? {
            return BLOCK.set(Bound::new(py, Self { outer: block.outer, ..self })?.as_any());
        }
        let before = DEFAULT.with(py, |state| std::mem::replace(state, self));
        drop(before); // outside, since it may drop a Python object
        Ok(())
    }

    /// Changes what is in force.
    fn change(py: Python<'_>, change: impl FnOnce(&mut ModeState) -> Result<(), Error>) -> PyResult<()> {
        let mut current = Self::current(py)?;
        change(Arc::make_mut(&mut current.state)).map_err(value_error)?;
        current.install(py)
    }
}

pub(crate) fn value_error(error: Error) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// Runs a backward pass in what is in force here, and counts it.
pub(crate) fn run_pass(
    py: Python<'_>,
    pass: impl FnOnce(&mut Arena, &ModeState, Option<&mut Statistics>) -> Result<PassCounts, Error>,
) -> PyResult<Result<(), Error>> {
    let mut pass = Some(pass);
    let mut pass_in = move |arena: &mut Arena, state: &ModeState, statistics: Option<&mut Statistics>| {
        pass.take().expect("a pass runs once")(arena, state, statistics)
    };
    // Only Hybrid mode needs the statistics during the pass.
    let done = GradientState::with_state(py, |state| match state.mode {
        GradientMode::Hybrid => Err(state.clone()),
        _ => Ok(arena::with(py, |arena| pass_in(arena, state, None))),
    })?;
    match done {
        Ok(Ok(counts)) if counts == PassCounts::default() => Ok(Ok(())),
        Ok(Ok(counts)) => with_statistics(py, |statistics| statistics.add_pass(counts)).map(Ok),
        Ok(Err(error)) => Ok(Err(error)),
        Err(state) => with_statistics(py, |statistics| {
            let counts = arena::with(py, |arena| pass_in(arena, &state, Some(statistics)))?;
            statistics.add_pass(counts);
            Ok(())
        }),
    }
}

/// What a batch needs of what is in force here: the mode state, and statistics to count in while the
/// GIL is released, which [`count_batch`] adds.
pub(crate) fn for_batch(py: Python<'_>) -> PyResult<(Arc<ModeState>, Statistics)> {
    let state = GradientState::with_state(py, Arc::clone)?;
    Ok((state, with_statistics(py, |statistics| statistics.worker())?))
}

/// Adds what a batch counted.
pub(crate) fn count_batch(py: Python<'_>, counted: &Statistics) -> PyResult<()> {
    with_statistics(py, |statistics| statistics.merge(counted))
}

/// Looks at the arena with what is in force here, counting nothing.
pub(crate) fn read<R>(
    py: Python<'_>,
    f: impl FnOnce(&mut Arena, &ModeState, &Statistics) -> R,
) -> PyResult<R> {
    let current = GradientState::current(py)?;
    with_statistics(py, |statistics| arena::with(py, |arena| f(arena, &current.state, statistics)))
}

/// A `with` block that puts a gradient state in force and on leaving puts back what was there.
#[pyclass(frozen, name = "GradientBlock", module = "zeroproof._native")]
pub(crate) struct GradientBlock(Entry);

/// What a block puts in force.
enum Entry {
    Mode(GradientMode, Option<f64>),
    Schedule(Py<HybridGradientSchedule>, i64),
}

impl GradientBlock {
    /// One epoch of a schedule.
    pub(crate) fn of_epoch(schedule: Py<HybridGradientSchedule>, epoch: i64) -> Self {
        Self(Entry::Schedule(schedule, epoch))
    }
}

/// What `use_mode` returns: as a `with` block, puts back on leaving what was there before the call.
#[pyclass(frozen, name = "GradientRestorer", module = "zeroproof._native")]
struct GradientRestorer(GradientState);

/// Begins an epoch of a schedule: rolls the statistics over, passes the poles of the epoch before on
/// to the schedule, and returns the state of this one.
fn begin_epoch(py: Python<'_>, schedule: &Py<HybridGradientSchedule>, epoch: i64) -> PyResult<GradientState> {
    let policy = *lock(&POLICY);
    let state = with_statistics(py, |statistics| {
        // Poles and distances that another schedule's epochs met are none of this one's.
        statistics.begin_run(schedule.get().id());
        let mut schedule = schedule.get().lock();
        schedule.validate()?;
        let policy = policy.filter(|_| schedule.enable);
        let (q_min, poles) = statistics.begin_epoch(epoch, Some(&schedule), policy);
        schedule.update_detected_poles(&poles, epoch.saturating_sub(1));
        let state = schedule.state(epoch, q_min)?;
        statistics.set_epoch_state(state.clone());
        Ok(state)
    })?;
    let state = state.map_err(value_error)?;
    Ok(GradientState {
        state: Arc::new(state),
        schedule: Some(Arc::new(schedule.clone_ref(py))),
        outer: None,
    })
}

#[pymethods]
impl GradientBlock {
    /// Decorates a function: each call runs in the block.
    fn __call__<'py>(slf: &Bound<'py, Self>, function: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let decorate = slf.py().import("zeroproof.autodiff.grad_mode")?.getattr("_in_block")?;
        decorate.call1((slf, function))
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
                (begin_epoch(py, schedule, *epoch)?, Some(schedule.bind(py).clone().into_any()))
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
fn get_schedule(py: Python<'_>) -> PyResult<Option<Py<HybridGradientSchedule>>> {
    Ok(GradientState::current(py)?.schedule.map(|schedule| schedule.clone_ref(py)))
}

#[pyfunction]
#[pyo3(signature = (schedule))]
fn set_schedule(py: Python<'_>, schedule: Option<Py<HybridGradientSchedule>>) -> PyResult<()> {
    let current = GradientState::current(py)?;
    GradientState { schedule: schedule.map(Arc::new), ..current }.install(py)
}

/// Mask-REAL, bound 1, no threshold, no regions, no schedule.
#[pyfunction]
fn reset_state(py: Python<'_>) -> PyResult<()> {
    GradientState::initial().install(py)
}

/// Begins an epoch by hand: statistics roll over; with a schedule set, its δ and its regions are put
/// in force.
#[pyfunction]
fn update_epoch(py: Python<'_>, epoch: i64) -> PyResult<()> {
    let current = GradientState::current(py)?;
    let Some(schedule) = current.schedule else {
        let policy = *lock(&POLICY);
        return with_statistics(py, |statistics| statistics.begin_epoch(epoch, None, policy)).map(drop);
    };
    let begun = begin_epoch(py, &schedule, epoch)?.state;
    GradientState::change(py, |state| {
        state.set_regions(begun.regions());
        state.set_delta(begun.delta())
    })
}

/// Checks a policy's thresholds and, unless `None`, makes them the active ones.
#[pyfunction]
#[pyo3(signature = (thresholds))]
fn set_policy(thresholds: Option<Thresholds>) -> PyResult<()> {
    *lock(&POLICY) = thresholds.map(policy).transpose()?;
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

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<GradientBlock>()?;
    module.add_class::<GradientRestorer>()?;
    for function in [
        wrap_pyfunction!(gradient_block, module)?,
        wrap_pyfunction!(use_mode, module)?,
        wrap_pyfunction!(get_mode, module)?,
        wrap_pyfunction!(set_mode, module)?,
        wrap_pyfunction!(get_saturation_bound, module)?,
        wrap_pyfunction!(set_saturation_bound, module)?,
        wrap_pyfunction!(get_local_threshold, module)?,
        wrap_pyfunction!(set_local_threshold, module)?,
        wrap_pyfunction!(set_exploration_regions, module)?,
        wrap_pyfunction!(get_schedule, module)?,
        wrap_pyfunction!(set_schedule, module)?,
        wrap_pyfunction!(reset_state, module)?,
        wrap_pyfunction!(update_epoch, module)?,
        wrap_pyfunction!(set_policy, module)?,
        wrap_pyfunction!(check_policy, module)?,
    ] {
        module.add_function(function)?;
    }
    statistics::register(module)
}
