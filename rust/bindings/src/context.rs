//! What a backward pass finds around it: the mode state of its block or of the process, and the
//! statistics of its thread or async task.
//!
//! Both hang on context variables. A block's state is an immutable object: setting a mode inside a
//! block replaces the object in that context only, so a child task never changes its parent's block.
//! Statistics carry the thread and task that they belong to; a context that was copied to another
//! thread or task finds an owner that is not itself there and begins its own.

use crate::arena::{self, Arena};
use crate::enums;
use crate::schedule::HybridGradientSchedule;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;
use zeroproof::backward::PassCounts;
use zeroproof::stats::SummaryValue;
use zeroproof::{Error, HysteresisPolicy, ModeState, Region, Statistics};

/// A context variable of the interpreter.
struct Variable {
    name: &'static std::ffi::CStr,
    variable: PyOnceLock<Py<PyAny>>,
}

impl Variable {
    const fn new(name: &'static std::ffi::CStr) -> Self {
        Self { name, variable: PyOnceLock::new() }
    }

    fn variable<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, PyAny>> {
        let variable = self.variable.get_or_try_init(py, || {
            // SAFETY: the name is a C string, no default is given, and the new reference is owned.
            unsafe {
                let new = pyo3::ffi::PyContextVar_New(self.name.as_ptr(), std::ptr::null_mut());
                Bound::from_owned_ptr_or_err(py, new).map(Bound::unbind)
            }
        })?;
        Ok(variable.bind(py))
    }

    /// The value in the current context; `None` if it is unset or Python's `None`.
    fn get<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let variable = self.variable(py)?;
        let mut value = std::ptr::null_mut();
        // SAFETY: `variable` is a context variable; on success `value` is null or a new reference.
        let found = unsafe {
            if pyo3::ffi::PyContextVar_Get(variable.as_ptr(), std::ptr::null_mut(), &mut value) < 0 {
                return Err(PyErr::fetch(py));
            }
            Bound::from_owned_ptr_or_opt(py, value)
        };
        Ok(found.filter(|value| !value.is_none()))
    }

    fn set(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = value.py();
        let variable = self.variable(py)?;
        // SAFETY: `variable` is a context variable; the token is a new reference, dropped here.
        unsafe {
            let token = pyo3::ffi::PyContextVar_Set(variable.as_ptr(), value.as_ptr());
            Bound::from_owned_ptr_or_err(py, token).map(drop)
        }
    }
}

static BLOCK: Variable = Variable::new(c"zeroproof_gradient_state");
static STATISTICS: Variable = Variable::new(c"zeroproof_statistics");
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
}

/// What is in force outside all blocks, in every thread.
static DEFAULT: Mutex<Option<GradientState>> = Mutex::new(None);

impl GradientState {
    fn initial() -> Self {
        Self { state: Arc::default(), schedule: None }
    }

    /// What is in force here.
    fn current(py: Python<'_>) -> PyResult<Self> {
        match BLOCK.get(py)? {
            Some(block) => Ok(block.cast::<Self>()?.get().clone()),
            None => Ok(lock(&DEFAULT).clone().unwrap_or_else(Self::initial)),
        }
    }

    /// Puts this in force: in the block if there is one, for the process otherwise.
    fn install(self, py: Python<'_>) -> PyResult<()> {
        if BLOCK.get(py)?.is_some() {
            return BLOCK.set(Bound::new(py, self)?.as_any());
        }
        let before = lock(&DEFAULT).replace(self);
        drop(before); // outside the lock
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

/// The statistics of one thread or async task.
#[pyclass(frozen, module = "zeroproof._native")]
struct StatisticsCell {
    thread: ThreadId,
    task: Option<Py<PyAny>>,
    statistics: Mutex<Statistics>,
}

/// The async task that is running on this thread, if any.
fn current_task(py: Python<'_>) -> PyResult<Option<Bound<'_, PyAny>>> {
    static MODULES: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    let modules = MODULES.get_or_try_init(py, || -> PyResult<_> {
        Ok(py.import("sys")?.getattr("modules")?.cast_into::<PyDict>()?.unbind())
    })?;
    let Some(asyncio) = modules.bind(py).get_item(pyo3::intern!(py, "asyncio"))? else {
        return Ok(None);
    };
    if asyncio.getattr(pyo3::intern!(py, "_get_running_loop"))?.call0()?.is_none() {
        return Ok(None);
    }
    let task = asyncio.getattr(pyo3::intern!(py, "current_task"))?.call0()?;
    Ok((!task.is_none()).then_some(task))
}

thread_local!(static THREAD: ThreadId = std::thread::current().id());

/// The statistics that this thread or task owns.
fn statistics_cell(py: Python<'_>) -> PyResult<Bound<'_, StatisticsCell>> {
    let (thread, task) = (THREAD.with(|id| *id), current_task(py)?);
    if let Some(found) = STATISTICS.get(py)? {
        let cell = found.cast_into::<StatisticsCell>()?;
        let owner = cell.get().task.as_ref().map(|task| task.as_ptr());
        if cell.get().thread == thread && owner == task.as_ref().map(|task| task.as_ptr()) {
            return Ok(cell);
        }
    }
    let cell = StatisticsCell { thread, task: task.map(Bound::unbind), statistics: Mutex::default() };
    let cell = Bound::new(py, cell)?;
    STATISTICS.set(cell.as_any())?;
    Ok(cell)
}

/// Runs `f`, which must not call into Python, on the statistics that this thread or task owns.
fn with_statistics<R>(py: Python<'_>, f: impl FnOnce(&mut Statistics) -> R) -> PyResult<R> {
    let cell = statistics_cell(py)?;
    let mut statistics = lock(&cell.get().statistics);
    Ok(f(&mut statistics))
}

/// Runs a backward pass in what is in force here, and counts it.
pub(crate) fn run_pass(
    py: Python<'_>,
    pass: impl FnOnce(&mut Arena, &ModeState, Option<&mut Statistics>) -> Result<PassCounts, Error>,
) -> PyResult<Result<(), Error>> {
    let state = &*GradientState::current(py)?.state;
    if state.mode == zeroproof::GradientMode::Hybrid {
        return with_statistics(py, |statistics| {
            let counts = arena::with(py, |arena| pass(arena, state, Some(statistics)))?;
            statistics.add_pass(counts);
            Ok(())
        });
    }
    match arena::with(py, |arena| pass(arena, state, None)) {
        Ok(counts) if counts != PassCounts::default() => {
            with_statistics(py, |statistics| statistics.add_pass(counts)).map(Ok)
        }
        result => Ok(result.map(|_| ())),
    }
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
pub(crate) struct GradientBlock {
    kind: Kind,
    /// What was in force when each entry happened that has not been left yet.
    outer: Mutex<Vec<Option<Py<PyAny>>>>,
}

enum Kind {
    Mode(ModeState),
    Schedule(Py<HybridGradientSchedule>, i64),
    /// Puts nothing in force on entry, and this on leaving.
    Restore(GradientState),
}

impl GradientBlock {
    pub(crate) fn of_schedule(schedule: Py<HybridGradientSchedule>, epoch: i64) -> Self {
        Self { kind: Kind::Schedule(schedule, epoch), outer: Mutex::default() }
    }
}

#[pymethods]
impl GradientBlock {
    fn __enter__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let outer = BLOCK.get(py)?.map(Bound::unbind);
        let (state, result) = match &self.kind {
            Kind::Mode(state) => {
                let inherited = GradientState::current(py)?;
                let mut state = state.clone();
                state.set_regions(inherited.state.regions());
                (GradientState { state: Arc::new(state), ..inherited }, None)
            }
            Kind::Schedule(schedule, epoch) => {
                (begin_epoch(py, schedule, *epoch)?, Some(schedule.bind(py).clone().into_any()))
            }
            Kind::Restore(_) => return Ok(None),
        };
        BLOCK.set(Bound::new(py, state)?.as_any())?;
        lock(&self.outer).push(outer);
        Ok(result)
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, pyo3::types::PyTuple>) -> PyResult<()> {
        if let Kind::Restore(state) = &self.kind {
            return state.clone().install(py);
        }
        match lock(&self.outer).pop() {
            Some(Some(outer)) => BLOCK.set(outer.bind(py)),
            Some(None) => BLOCK.set(py.None().bind(py)),
            None => Err(PyValueError::new_err("the block was left without having been entered")),
        }
    }
}

/// Begins an epoch of a schedule: rolls the statistics over, passes the poles of the epoch before on
/// to the schedule, and returns the state of this one.
fn begin_epoch(py: Python<'_>, schedule: &Py<HybridGradientSchedule>, epoch: i64) -> PyResult<GradientState> {
    let policy = *lock(&POLICY);
    let state = with_statistics(py, |statistics| {
        let mut schedule = schedule.get().lock();
        schedule.validate()?;
        let (q_min, poles) = statistics.begin_epoch(epoch, Some(&schedule), policy);
        schedule.update_detected_poles(&poles, epoch.saturating_sub(1));
        let state = schedule.state(epoch, q_min)?;
        statistics.set_epoch_state(state.clone());
        Ok(state)
    })?;
    let state = state.map_err(value_error)?;
    Ok(GradientState { state: Arc::new(state), schedule: Some(Arc::new(schedule.clone_ref(py))) })
}

/// A block in which `mode` is in force, with this saturation bound or the one in force around it.
#[pyfunction]
#[pyo3(signature = (mode, saturation_bound=None))]
fn gradient_block(
    py: Python<'_>,
    mode: &Bound<'_, PyAny>,
    saturation_bound: Option<f64>,
) -> PyResult<GradientBlock> {
    let mut state = (*GradientState::current(py)?.state).clone();
    state.mode = enums::to_mode(mode)?;
    if let Some(bound) = saturation_bound {
        state.set_bound(bound).map_err(value_error)?;
    }
    Ok(GradientBlock { kind: Kind::Mode(state), outer: Mutex::default() })
}

/// Sets mode and bound at once; as a `with` block, puts back on leaving what was there before.
#[pyfunction]
#[pyo3(signature = (mode, saturation_bound=None))]
fn use_mode(
    py: Python<'_>,
    mode: &Bound<'_, PyAny>,
    saturation_bound: Option<f64>,
) -> PyResult<GradientBlock> {
    let before = GradientState::current(py)?;
    let mode = enums::to_mode(mode)?;
    GradientState::change(py, |state| {
        saturation_bound.map_or(Ok(()), |bound| state.set_bound(bound))?;
        state.mode = mode;
        Ok(())
    })?;
    Ok(GradientBlock { kind: Kind::Restore(before), outer: Mutex::default() })
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
fn set_saturation_bound(py: Python<'_>, bound: f64) -> PyResult<()> {
    GradientState::change(py, |state| state.set_bound(bound))
}

#[pyfunction]
fn get_local_threshold(py: Python<'_>) -> PyResult<Option<f64>> {
    Ok(GradientState::current(py)?.state.delta())
}

#[pyfunction]
#[pyo3(signature = (threshold))]
fn set_local_threshold(py: Python<'_>, threshold: Option<f64>) -> PyResult<()> {
    GradientState::change(py, |state| state.set_delta(threshold))
}

#[pyfunction]
fn set_exploration_regions(py: Python<'_>, regions: Vec<(f64, f64)>) -> PyResult<()> {
    let regions: Result<Vec<_>, _> = regions.into_iter().map(|(low, high)| Region::new(low, high)).collect();
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
fn set_policy(thresholds: Option<(f64, f64, Option<f64>, Option<f64>)>) -> PyResult<()> {
    *lock(&POLICY) = thresholds.map(policy).transpose()?;
    Ok(())
}

/// Raises ValueError unless the thresholds make a policy.
#[pyfunction]
fn check_policy(thresholds: (f64, f64, Option<f64>, Option<f64>)) -> PyResult<()> {
    policy(thresholds).map(drop)
}

fn policy((on, off, g_on, g_off): (f64, f64, Option<f64>, Option<f64>)) -> PyResult<HysteresisPolicy> {
    HysteresisPolicy::new(on, off, g_on, g_off).map_err(value_error)
}

#[pyfunction]
#[pyo3(signature = (abs_q, x_value=None))]
fn should_use_saturating(py: Python<'_>, abs_q: f64, x_value: Option<f64>) -> PyResult<bool> {
    let current = GradientState::current(py)?;
    with_statistics(py, |statistics| statistics.decide_at(&current.state, abs_q, x_value))?
        .map_err(value_error)
}

#[pyfunction]
fn update_q_value(py: Python<'_>, abs_q: f64) -> PyResult<()> {
    with_statistics(py, |statistics| statistics.add_distance(abs_q))?.map_err(value_error)
}

#[pyfunction]
fn end_batch(py: Python<'_>) -> PyResult<()> {
    let policy = *lock(&POLICY);
    with_statistics(py, |statistics| {
        if statistics.policy().is_none() {
            statistics.set_policy(policy);
        }
        statistics.end_batch();
    })
}

#[pyfunction]
fn reset_statistics(py: Python<'_>) -> PyResult<()> {
    with_statistics(py, Statistics::reset)
}

/// Forgets everything measured, the epoch and the policy's state too.
#[pyfunction]
fn forget_statistics(py: Python<'_>) -> PyResult<()> {
    with_statistics(py, |statistics| *statistics = Statistics::new())
}

#[pyfunction]
fn get_q_min(py: Python<'_>) -> PyResult<Option<f64>> {
    with_statistics(py, |statistics| statistics.q_min_batch())
}

#[pyfunction]
fn get_q_min_epoch(py: Python<'_>) -> PyResult<Option<f64>> {
    with_statistics(py, |statistics| statistics.q_min_epoch())
}

#[pyfunction]
fn detected_poles(py: Python<'_>) -> PyResult<Vec<f64>> {
    with_statistics(py, |statistics| statistics.detected_poles())
}

#[pyfunction]
fn near_decisions(py: Python<'_>, threshold: f64) -> PyResult<Vec<usize>> {
    with_statistics(py, |statistics| statistics.near_decisions(threshold))
}

#[pyfunction]
fn get_statistics(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let current = GradientState::current(py)?;
    let summary = with_statistics(py, |statistics| statistics.summary(&current.state))?;
    let result = PyDict::new(py);
    for (key, value) in summary.fields() {
        match value {
            SummaryValue::Nothing => result.set_item(key, py.None())?,
            SummaryValue::Integer(value) => result.set_item(key, value)?,
            SummaryValue::Number(value) => result.set_item(key, value)?,
            SummaryValue::Text(value) => result.set_item(key, value)?,
            SummaryValue::Regions(regions) => {
                result.set_item(key, PyList::new(py, regions.iter().map(|r| (r.low, r.high)))?)?;
            }
        }
    }
    Ok(result)
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<GradientBlock>()?;
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
        wrap_pyfunction!(should_use_saturating, module)?,
        wrap_pyfunction!(update_q_value, module)?,
        wrap_pyfunction!(end_batch, module)?,
        wrap_pyfunction!(reset_statistics, module)?,
        wrap_pyfunction!(forget_statistics, module)?,
        wrap_pyfunction!(get_q_min, module)?,
        wrap_pyfunction!(get_q_min_epoch, module)?,
        wrap_pyfunction!(detected_poles, module)?,
        wrap_pyfunction!(near_decisions, module)?,
        wrap_pyfunction!(get_statistics, module)?,
    ] {
        module.add_function(function)?;
    }
    Ok(())
}
