//! What a backward pass finds around it: the mode state of its block or of the process, and the
//! statistics of its thread or async task.
//!
//! ```text
//! variable.rs         context variables of the interpreter
//! shared_schedule.rs  a schedule as the context knows it
//! state.rs            the mode state in force
//! policy.rs           the hysteresis policy
//! statistics.rs       statistics: of the thread, or of the async task if one runs, since a context
//!                     may be copied
//! passes.rs           running in what is in force, and counting
//! measured.rs         statistics and modes as values, for other processes
//! blocks.rs           blocks and epochs
//! settings.rs         reading and setting the parts
//! ```

pub(crate) mod blocks;
pub(crate) mod measured;
pub(crate) mod passes;
pub(crate) mod settings;
pub(crate) mod shared_schedule;

mod policy;
mod state;
mod statistics;
mod variable;

use pyo3::prelude::*;

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    blocks::register(module)?;
    settings::register(module)?;
    policy::register(module)?;
    statistics::register(module)?;
    measured::register(module)
}
