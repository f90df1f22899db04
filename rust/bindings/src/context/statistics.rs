//! Statistics of the thread, or of the async task that runs on it.

use super::policy;
use super::state::GradientState;
use crate::errors::value_error;
use crate::flags;
use crate::locks::{filled, lock};
use crate::number::Double;
use pyo3::PyTypeInfo;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyTuple};
use std::cell::RefCell;
use std::sync::Mutex;
use zeroproof::Statistics;
use zeroproof::stats::SummaryValue;

thread_local!(static THREAD: RefCell<Statistics> = RefCell::default());

/// The statistics of an async task.
#[pyclass(frozen, module = "zeroproof._native")]
struct TaskStatistics(Mutex<Statistics>);

/// The async task that is running on this thread, if any.
fn current_task(py: Python<'_>) -> PyResult<Option<Bound<'_, PyAny>>> {
    static MODULES: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    let modules =
        filled(&MODULES, py, || Ok(py.import("sys")?.getattr("modules")?.cast_into::<PyDict>()?.unbind()));
    // While the interpreter ends nothing can be imported, and no task runs.
    let Ok(modules) = modules else { return Ok(None) };
    let (modules, name) = (modules.bind(py), pyo3::intern!(py, "asyncio"));
    if !modules.contains(name)? {
        return Ok(None); // no task runs before asyncio is imported
    }
    let Some(asyncio) = modules.get_item(name)? else { return Ok(None) };
    // A half-imported asyncio runs no task.
    let Some(running_loop) = asyncio.getattr_opt(pyo3::intern!(py, "_get_running_loop"))? else {
        return Ok(None);
    };
    if running_loop.call0()?.is_none() {
        return Ok(None);
    }
    let task = asyncio.getattr(pyo3::intern!(py, "current_task"))?.call0()?;
    Ok((!task.is_none()).then_some(task))
}

/// The statistics of a task. They go when it goes.
fn task_statistics<'py>(task: &Bound<'py, PyAny>) -> PyResult<Bound<'py, TaskStatistics>> {
    static TASKS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = task.py();
    let tasks =
        filled(&TASKS, py, || Ok(py.import("weakref")?.getattr("WeakKeyDictionary")?.call0()?.unbind()))?;
    let tasks = tasks.bind(py);
    if let Ok(found) = tasks.get_item(task) {
        return Ok(found.cast_into::<TaskStatistics>()?);
    }
    let new = Bound::new(py, TaskStatistics(Mutex::default()))?;
    // What runs meanwhile, a finalizer or a hook, may have counted in the same task.
    Ok(tasks.call_method1("setdefault", (task, new))?.cast_into::<TaskStatistics>()?)
}

/// Runs `f`, which must not call into Python, on the statistics that this thread or task owns.
pub(super) fn with_statistics<R>(py: Python<'_>, f: impl FnOnce(&mut Statistics) -> R) -> PyResult<R> {
    match current_task(py)? {
        None => Ok(flags::keeping(|| THREAD.with_borrow_mut(f))),
        Some(task) => {
            let statistics = task_statistics(&task)?;
            Ok(flags::keeping(|| f(&mut lock(&statistics.get().0))))
        }
    }
}

#[pyfunction]
#[pyo3(signature = (abs_q, x_value=None))]
fn should_use_saturating(py: Python<'_>, abs_q: Double, x_value: Option<Double>) -> PyResult<bool> {
    let (current, coordinate) = (GradientState::current(py)?, x_value.map(|x| x.0));
    with_statistics(py, |statistics| statistics.decide_at(&current.state, abs_q.0, coordinate))?
        .map_err(value_error)
}

#[pyfunction]
fn update_q_value(py: Python<'_>, abs_q: Double) -> PyResult<()> {
    with_statistics(py, |statistics| statistics.add_distance(abs_q.0))?.map_err(value_error)
}

#[pyfunction]
fn end_batch(py: Python<'_>) -> PyResult<()> {
    let policy = policy::active();
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

/// Calls a function, and puts the statistics back as they were before.
#[pyfunction]
#[pyo3(signature = (function, *arguments))]
fn call_uncounted<'py>(
    function: &Bound<'py, PyAny>,
    arguments: &Bound<'py, PyTuple>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = function.py();
    let before = with_statistics(py, |statistics| statistics.clone())?;
    let result = function.call1(arguments);
    with_statistics(py, |statistics| *statistics = before)?;
    result
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
fn near_decisions(py: Python<'_>, threshold: Double) -> PyResult<Vec<usize>> {
    with_statistics(py, |statistics| statistics.near_decisions(threshold.0))
}

#[pyfunction]
fn get_statistics(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let current = GradientState::current(py)?;
    let summary = with_statistics(py, |statistics| statistics.summary(&current.state))?;
    figures(py, summary.fields())
}

/// Figures by name that do not depend on epoch, schedule and policy.
pub(super) fn measured_figures<'py>(
    py: Python<'py>,
    fields: Vec<(&'static str, SummaryValue)>,
) -> PyResult<Bound<'py, PyDict>> {
    const OTHERS: [&str; 8] = [
        "current_epoch",
        "local_threshold",
        "exploration_regions",
        "policy_mode",
        "tau_q_on",
        "tau_q_off",
        "policy_flip_count",
        "flip_rate",
    ];
    figures(py, fields.into_iter().filter(|(key, _)| !OTHERS.contains(key)).collect())
}

fn figures<'py>(py: Python<'py>, fields: Vec<(&'static str, SummaryValue)>) -> PyResult<Bound<'py, PyDict>> {
    let result = PyDict::new(py);
    for (key, value) in fields {
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

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    // Built now: a class is otherwise built inside a cell, at its first use.
    TaskStatistics::type_object(module.py());
    GradientState::type_object(module.py());
    for function in [
        wrap_pyfunction!(should_use_saturating, module)?,
        wrap_pyfunction!(update_q_value, module)?,
        wrap_pyfunction!(end_batch, module)?,
        wrap_pyfunction!(reset_statistics, module)?,
        wrap_pyfunction!(forget_statistics, module)?,
        wrap_pyfunction!(call_uncounted, module)?,
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
