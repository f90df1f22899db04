//! `HybridGradientSchedule`.
//!
//! ```text
//! class.rs     the class, without its methods
//! fields.rs    its fields by name
//! methods.rs   its methods, among them `apply`, which makes a block of the context
//! ```

mod fields;
mod methods;

pub(crate) mod class;

use pyo3::prelude::*;

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<class::HybridGradientSchedule>()
}
