//! The module that Python loads. All of it is in the bindings.
//!
//! A crate that is linked waits for whole libraries, others for their interfaces only. So the compiler is at the
//! bindings while it is still at the engine, and the two cores of a small machine are busy.

use pyo3::prelude::*;

/// The native half of `zeroproof`. Import the public modules instead.
#[pymodule(gil_used = false)]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    zeroproof_bindings::register(module)
}
