//! Errors of the core as Python exceptions.

use pyo3::PyErr;
use pyo3::exceptions::{PyNotImplementedError, PyRuntimeError, PyValueError};
use zeroproof::Error;

/// An argument that is out of its range.
pub(crate) fn value_error(error: Error) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// Something that cannot be done as things are.
pub(crate) fn runtime_error(error: Error) -> PyErr {
    match error {
        Error::SecondDerivative => PyNotImplementedError::new_err(error.to_string()),
        _ => PyRuntimeError::new_err(error.to_string()),
    }
}
