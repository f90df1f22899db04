//! The Python bindings: handles, conversions and registration. No rule lives here; see the core
//! crate for those.

#![deny(unsafe_op_in_unsafe_fn)]

mod arena;
mod context;
mod enums;
mod node;
mod number;
mod ops;
mod raw;
mod scalar;
mod schedule;

use pyo3::prelude::*;

/// The native half of `zeroproof`. Import the public modules instead.
#[pymodule(gil_used = true)]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    scalar::register(module)?;
    node::register(module)?;
    ops::register(module)?;
    context::register(module)?;
    schedule::register(module)
}
