//! The Python enumerations that results are members of. They are ordinary `enum` classes, defined
//! in `zeroproof._enums`, whose values count from 0; their members are fetched once.

use crate::arena::GilCell;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use zeroproof::{GradientMode, Op, Reduction, ScheduleType, Status, TrTag};

/// The members of an enumeration by code, empty until they are asked for.
struct Members {
    class: &'static str,
    count: usize,
    members: GilCell<Vec<Py<PyAny>>>,
}

impl Members {
    const fn new(class: &'static str, count: usize) -> Self {
        Self { class, count, members: GilCell::new(Vec::new) }
    }

    fn get<'py>(&self, py: Python<'py>, code: usize) -> PyResult<Bound<'py, PyAny>> {
        let member = |members: &mut Vec<Py<PyAny>>| members.get(code).map(|m| m.bind(py).clone());
        if let Some(found) = self.members.with(py, member) {
            return Ok(found);
        }
        let class = py.import("zeroproof._enums")?.getattr(self.class)?;
        let fetched: Vec<_> =
            (0..self.count).map(|code| Ok(class.call1((code,))?.unbind())).collect::<PyResult<_>>()?;
        let member = fetched[code].bind(py).clone();
        self.members.with(py, |members| *members = fetched);
        Ok(member)
    }

    /// The code of a member of this enumeration.
    fn code(&self, member: &Bound<'_, PyAny>) -> PyResult<usize> {
        let py = member.py();
        self.get(py, 0)?;
        let found = self.members.with(py, |members| members.iter().position(|m| m.is(member)));
        found.ok_or_else(|| {
            let shown = member.repr().map(|repr| repr.to_string()).unwrap_or_default();
            PyTypeError::new_err(format!("expected a {}, not {shown}", self.class))
        })
    }

    /// Has the members fetched anew, after the package was imported again.
    fn forget(&self, py: Python<'_>) {
        let before = self.members.with(py, std::mem::take);
        drop(before); // outside the cell, since it drops Python objects
    }
}

/// Forgets all members, when the module is initialised.
pub(crate) fn forget(py: Python<'_>) {
    [&TAGS, &STATUSES, &MODES, &SCHEDULES, &REDUCTIONS, &OPS].into_iter().for_each(|m| m.forget(py));
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
