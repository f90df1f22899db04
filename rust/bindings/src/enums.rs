//! The Python enumerations that results are members of. They are ordinary `enum` classes, defined
//! in `zeroproof._enums`; their members are fetched once.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use zeroproof::{GradientMode, Op, Reduction, ScheduleType, Status, TrTag};

/// The members of an enumeration by code.
struct Members {
    class: &'static str,
    members: PyOnceLock<Vec<Py<PyAny>>>,
}

impl Members {
    const fn new(class: &'static str) -> Self {
        Self { class, members: PyOnceLock::new() }
    }

    /// The member whose value is `codes[index]`.
    fn get<'py>(&self, py: Python<'py>, codes: &[u8], index: usize) -> PyResult<Bound<'py, PyAny>> {
        let members = self.members.get_or_try_init(py, || -> PyResult<_> {
            let class = py.import("zeroproof._enums")?.getattr(self.class)?;
            codes.iter().map(|code| Ok(class.call1((*code,))?.unbind())).collect()
        })?;
        Ok(members[index].bind(py).clone())
    }

    /// The code of a member of this enumeration.
    fn code(&self, member: &Bound<'_, PyAny>) -> PyResult<usize> {
        let class = member.py().import("zeroproof._enums")?.getattr(self.class)?;
        if !member.is_instance(&class)? {
            let message = format!("expected a {}, not {}", self.class, member.repr()?);
            return Err(pyo3::exceptions::PyTypeError::new_err(message));
        }
        member.getattr("value")?.extract()
    }
}

static TAGS: Members = Members::new("TRTag");
static STATUSES: Members = Members::new("GradientStatus");
static MODES: Members = Members::new("GradientMode");
static SCHEDULES: Members = Members::new("ScheduleType");
static REDUCTIONS: Members = Members::new("ReductionMode");
static OPS: Members = Members::new("OpType");

pub(crate) fn tag(py: Python<'_>, tag: TrTag) -> PyResult<Bound<'_, PyAny>> {
    TAGS.get(py, &[0, 1, 2, 3], tag as usize)
}

pub(crate) fn status(py: Python<'_>, status: Status) -> PyResult<Bound<'_, PyAny>> {
    STATUSES.get(py, &[0, 1, 2, 3, 4, 5, 6, 7], status.bits() as usize)
}

pub(crate) fn op(py: Python<'_>, op: Op) -> PyResult<Bound<'_, PyAny>> {
    let codes: Vec<u8> = (0..Op::ALL.len() as u8).collect();
    OPS.get(py, &codes, op as usize)
}

const MODE_CODES: [GradientMode; 3] =
    [GradientMode::MaskReal, GradientMode::Saturating, GradientMode::Hybrid];

pub(crate) fn mode(py: Python<'_>, mode: GradientMode) -> PyResult<Bound<'_, PyAny>> {
    MODES.get(py, &[0, 1, 2], mode as usize)
}

pub(crate) fn to_mode(member: &Bound<'_, PyAny>) -> PyResult<GradientMode> {
    Ok(MODE_CODES[MODES.code(member)?])
}

const SCHEDULE_CODES: [ScheduleType; 3] =
    [ScheduleType::Linear, ScheduleType::Exponential, ScheduleType::Cosine];

pub(crate) fn schedule_type(py: Python<'_>, schedule: ScheduleType) -> PyResult<Bound<'_, PyAny>> {
    SCHEDULES.get(py, &[0, 1, 2], schedule as usize)
}

pub(crate) fn to_schedule_type(member: &Bound<'_, PyAny>) -> PyResult<ScheduleType> {
    Ok(SCHEDULE_CODES[SCHEDULES.code(member)?])
}

pub(crate) fn to_reduction(member: &Bound<'_, PyAny>) -> PyResult<Reduction> {
    Ok(Reduction::ALL[REDUCTIONS.code(member)?])
}
