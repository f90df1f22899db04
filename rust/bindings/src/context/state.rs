//! The mode state in force: that of a block, or that of the process.
//!
//! The state hangs on a context variable. A block's state is an immutable object that knows the one
//! around it: setting a mode inside a block replaces the object in that context only, so a child task
//! never changes its parent's block, and leaving a block needs no memory of having entered it.

use super::shared_schedule::ScheduleInForce;
use super::variable::Variable;
use crate::errors::value_error;
use crate::guarded::Guarded;
use pyo3::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use zeroproof::{Error, ModeState};

/// The block that runs in a context.
pub(super) static BLOCK: Variable = Variable::new("zeroproof_gradient_state");

/// The mode state and the schedule it belongs to, as one immutable value.
#[pyclass(frozen, skip_from_py_object, module = "zeroproof._native")]
#[derive(Clone)]
pub(super) struct GradientState {
    pub state: Arc<ModeState>,
    pub schedule: Option<ScheduleInForce>,
    /// Of a block: what was in force around it, `None` if that was the process's.
    pub outer: Option<Arc<GradientState>>,
}

/// What is in force outside all blocks, in every thread.
static DEFAULT: Guarded<GradientState> = Guarded::new(GradientState::initial);

/// Whether any block was ever entered. Without one, no context needs to be asked.
pub(super) static BLOCKS: AtomicBool = AtomicBool::new(false);

impl GradientState {
    pub fn initial() -> Self {
        Self { state: Arc::default(), schedule: None, outer: None }
    }

    /// What is in force here.
    pub fn current(py: Python<'_>) -> PyResult<Self> {
        match Self::block(py)? {
            Some(block) => Ok(block),
            None => Ok(DEFAULT.read(py, |state| state.clone())),
        }
    }

    /// Runs `f`, which must not call into Python, on the mode state in force here.
    #[inline(always)]
    pub fn with_state<R>(py: Python<'_>, f: impl FnOnce(&Arc<ModeState>) -> R) -> PyResult<R> {
        match Self::block(py)? {
            Some(block) => Ok(f(&block.state)),
            None => Self::with_default(py, f),
        }
    }

    #[cfg(not(Py_GIL_DISABLED))]
    #[inline(always)]
    fn with_default<R>(py: Python<'_>, f: impl FnOnce(&Arc<ModeState>) -> R) -> PyResult<R> {
        Ok(DEFAULT.read(py, |current| f(&current.state)))
    }

    /// A long pass keeps nobody from setting a mode, and so nobody from beginning another pass.
    #[cfg(Py_GIL_DISABLED)]
    fn with_default<R>(py: Python<'_>, f: impl FnOnce(&Arc<ModeState>) -> R) -> PyResult<R> {
        let state = DEFAULT.read(py, |current| current.state.clone());
        Ok(f(&state))
    }

    /// The block that runs here.
    pub fn block(py: Python<'_>) -> PyResult<Option<Self>> {
        if !BLOCKS.load(Ordering::Relaxed) {
            return Ok(None);
        }
        BLOCK.get(py)?.map(|block| Ok(block.cast::<Self>()?.get().clone())).transpose()
    }

    /// Puts this in force: in the block if there is one, for the process otherwise.
    pub fn install(self, py: Python<'_>) -> PyResult<()> {
        if let Some(block) = Self::block(py)? {
            return BLOCK.set(Bound::new(py, Self { outer: block.outer, ..self })?.as_any());
        }
        let before = DEFAULT.write(py, |state| std::mem::replace(state, self));
        drop(before); // outside, since it may drop a Python object
        Ok(())
    }

    /// Changes what is in force, by a function that does not call into Python. What other threads change at the
    /// same time is not lost.
    pub fn change(py: Python<'_>, change: impl FnOnce(&mut ModeState) -> Result<(), Error>) -> PyResult<()> {
        if let Some(mut block) = Self::block(py)? {
            change(Arc::make_mut(&mut block.state)).map_err(value_error)?;
            return block.install(py);
        }
        let change_in = |current: &mut Self| {
            let mut state = (*current.state).clone();
            change(&mut state)?;
            current.state = Arc::new(state);
            Ok(())
        };
        DEFAULT.write(py, change_in).map_err(value_error)
    }

    /// Puts a schedule in force, or none.
    pub fn set_schedule(py: Python<'_>, schedule: Option<ScheduleInForce>) -> PyResult<()> {
        if let Some(block) = Self::block(py)? {
            return Self { schedule, ..block }.install(py);
        }
        let before = DEFAULT.write(py, |state| std::mem::replace(&mut state.schedule, schedule));
        drop(before); // outside, since it may drop a Python object
        Ok(())
    }
}
