//! Tracing: what a function works with while it is recorded as a program for batches.
//!
//! A [`Trace`](objects::Trace) holds the program under construction. A [`Tracer`](objects::Tracer) stands
//! for one number of each sample, a [`TracedCondition`](objects::TracedCondition) for one decision: both
//! are a trace and the place of a node in it. Operations on them append nodes and know no values. The
//! functions of the op table come here when an operand is neither a node nor a number, so that scalar
//! operations do not pay for tracing.
//!
//! ```text
//! objects.rs      the classes, without their methods
//! recording.rs    appending to the program
//! conditions.rs   total conditions, and the choice by one
//! operators.rs    the operators of the classes
//! ```

pub(crate) mod objects;
pub(crate) mod recording;

mod conditions;
mod operators;

use pyo3::prelude::*;

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<objects::Trace>()?;
    module.add_class::<objects::Tracer>()?;
    module.add_class::<objects::TracedCondition>()?;
    conditions::register(module)
}
