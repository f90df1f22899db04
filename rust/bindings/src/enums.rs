//! The Python enumerations that results are members of: ordinary `enum` classes, whose values count
//! from 0. The module that defines them registers them, and their members are fetched then.

use crate::guarded::Guarded;
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use zeroproof::{GradientMode, Op, Reduction, ScheduleType, Status, TrTag};

/// The members of an enumeration by code, empty until it is registered.
struct Members {
    class: &'static str,
    count: usize,
    members: Guarded<Vec<Py<PyAny>>>,
}

impl Members {
    const fn new(class: &'static str, count: usize) -> Self {
        Self { class, count, members: Guarded::new(Vec::new) }
    }

    /// Fetches the members of the class anew.
    fn set(&self, class: &Bound<'_, PyAny>) -> PyResult<()> {
        let fetched = (0..self.count).map(|code| Ok(class.call1((code,))?.unbind()));
        let fetched = fetched.collect::<PyResult<Vec<_>>>()?;
        let before = self.members.write(class.py(), |members| std::mem::replace(members, fetched));
        drop(before); // outside the cell, since it drops Python objects
        Ok(())
    }

    fn get<'py>(&self, py: Python<'py>, code: usize) -> PyResult<Bound<'py, PyAny>> {
        let found = self.members.read(py, |members| members.get(code).map(|member| member.bind(py).clone()));
        found.ok_or_else(|| {
            PyRuntimeError::new_err(format!("no {} is registered: import zeroproof", self.class))
        })
    }

    /// The code of a member of this enumeration.
    fn code(&self, member: &Bound<'_, PyAny>) -> PyResult<usize> {
        let py = member.py();
        let found = self.members.read(py, |members| members.iter().position(|m| m.is(member)));
        found.ok_or_else(|| {
            let shown = member.repr().map(|repr| repr.to_string()).unwrap_or_default();
            PyTypeError::new_err(format!("expected a {}, not {shown}", self.class))
        })
    }
}

static TAGS: Members = Members::new("TRTag", 4);
static STATUSES: Members = Members::new("GradientStatus", 8);
static MODES: Members = Members::new("GradientMode", 3);
static SCHEDULES: Members = Members::new("ScheduleType", 3);
static REDUCTIONS: Members = Members::new("ReductionMode", 3);
static OPS: Members = Members::new("OpType", Op::ALL.len());

pub(crate) fn tag(py: Python<'_>, tag: TrTag) -> PyResult<Bound<'_, PyAny>> {
    TAGS.get(py, tag as usize)
}

pub(crate) fn status(py: Python<'_>, status: Status) -> PyResult<Bound<'_, PyAny>> {
    STATUSES.get(py, status.bits() as usize)
}

pub(crate) fn op(py: Python<'_>, op: Op) -> PyResult<Bound<'_, PyAny>> {
    OPS.get(py, op as usize)
}

const MODE_CODES: [GradientMode; 3] =
    [GradientMode::MaskReal, GradientMode::Saturating, GradientMode::Hybrid];

pub(crate) fn mode(py: Python<'_>, mode: GradientMode) -> PyResult<Bound<'_, PyAny>> {
    MODES.get(py, mode as usize)
}

pub(crate) fn to_mode(member: &Bound<'_, PyAny>) -> PyResult<GradientMode> {
    Ok(MODE_CODES[MODES.code(member)?])
}

const SCHEDULE_CODES: [ScheduleType; 3] =
    [ScheduleType::Linear, ScheduleType::Exponential, ScheduleType::Cosine];

pub(crate) fn schedule_type(py: Python<'_>, schedule: ScheduleType) -> PyResult<Bound<'_, PyAny>> {
    SCHEDULES.get(py, schedule as usize)
}

pub(crate) fn to_schedule_type(member: &Bound<'_, PyAny>) -> PyResult<ScheduleType> {
    Ok(SCHEDULE_CODES[SCHEDULES.code(member)?])
}

pub(crate) fn to_reduction(member: &Bound<'_, PyAny>) -> PyResult<Reduction> {
    Ok(Reduction::ALL[REDUCTIONS.code(member)?])
}

pub(crate) fn to_op(member: &Bound<'_, PyAny>) -> PyResult<Op> {
    Ok(Op::ALL[OPS.code(member)?])
}

/// Registers the enumerations that results are members of.
///
/// Raises:
///     ValueError: if one of them lacks a member.
#[pyfunction]
fn set_enumerations(
    tag: &Bound<'_, PyAny>,
    status: &Bound<'_, PyAny>,
    mode: &Bound<'_, PyAny>,
    schedule_type: &Bound<'_, PyAny>,
    reduction: &Bound<'_, PyAny>,
    op: &Bound<'_, PyAny>,
) -> PyResult<()> {
    TAGS.set(tag)?;
    STATUSES.set(status)?;
    MODES.set(mode)?;
    SCHEDULES.set(schedule_type)?;
    REDUCTIONS.set(reduction)?;
    OPS.set(op)
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(set_enumerations, module)?)
}
