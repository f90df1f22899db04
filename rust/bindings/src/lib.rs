//! The Python bindings: handles, conversions and registration. No rule lives here; see the core
//! crate for those.
//!
//! The modules lie in layers, which `docs/architecture.md` lists; a test keeps circles out.

#![deny(unsafe_op_in_unsafe_fn)]

mod arena;
mod arrays;
mod batch;
mod callbacks;
mod context;
mod differentiating;
mod docs;
mod enums;
mod errors;
mod examples;
mod flags;
mod gradients;
mod locks;
mod node;
mod number;
mod numpy;
mod operand;
mod ops;
mod origins;
mod partial;
mod places;
mod portable;
mod prepared;
mod raw;
mod record;
mod reserve;
mod saturating;
mod scalar;
mod schedule;
mod second_order;
mod table;
mod tracer;
mod ufuncs;
mod values;

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;

#[global_allocator]
static ALLOCATOR: reserve::Reserving = reserve::Reserving;

/// The native half of `zeroproof`. Import the public modules instead.
#[pymodule(gil_used = true)]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    // The arena relies on the GIL. The module turns it on unless the user forbids that.
    if let Some(is_enabled) = py.import("sys")?.getattr_opt("_is_gil_enabled")?
        && !is_enabled.call0()?.is_truthy()?
    {
        return Err(PyImportError::new_err("zeroproof needs the GIL: unset PYTHON_GIL=0 or -X gil=0"));
    }
    reserve::fill();
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    callbacks::register(module)?;
    enums::register(module)?;
    scalar::register(module)?;
    node::register(module)?;
    differentiating::register(module)?;
    gradients::register(module)?;
    second_order::register(module)?;
    saturating::register(module)?;
    ops::register(module)?;
    table::register(module)?;
    origins::register(module)?;
    places::register(module)?;
    context::register(module)?;
    schedule::register(module)?;
    tracer::register(module)?;
    partial::register(module)?;
    batch::register(module)?;
    prepared::register(module)?;
    ufuncs::register(module)
}
