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
mod guarded;
mod located;
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

use pyo3::prelude::*;

#[global_allocator]
static ALLOCATOR: reserve::Reserving = reserve::Reserving;

/// Fills the module that Python loads.
///
/// # Errors
/// What Python raises.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
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
