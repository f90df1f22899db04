//! `HybridGradientSchedule`.
//!
//! ```text
//! class.rs     the class, without its methods
//! fields.rs    its fields by name
//! methods.rs   its methods, among them `apply`, which makes a block of the context
//! ```

mod class;
mod fields;
mod methods;

use pyo3::prelude::*;

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<class::HybridGradientSchedule>()?;
    module.add_function(wrap_pyfunction!(methods::set_schedule, module)?)
}
