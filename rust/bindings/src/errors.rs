//! Errors of the core as Python exceptions.

use pyo3::PyErr;
use pyo3::exceptions::{PyAttributeError, PyNotImplementedError, PyRuntimeError, PyTypeError, PyValueError};
use zeroproof::Error;

/// An argument that is out of its range.
pub(crate) fn value_error(error: Error) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// An operation that this kind of object does not have.
pub(crate) fn type_error(error: Error) -> PyErr {
    PyTypeError::new_err(error.to_string())
}

/// An attribute that this kind of object does not let one set.
pub(crate) fn attribute_error(error: Error) -> PyErr {
    PyAttributeError::new_err(error.to_string())
}

/// Something that cannot be done as things are.
pub(crate) fn runtime_error(error: Error) -> PyErr {
    match error {
        Error::SecondDerivative => PyNotImplementedError::new_err(error.to_string()),
        _ => PyRuntimeError::new_err(error.to_string()),
    }
}

/// An argument that is out of its range, or a derivative that is not available.
pub(crate) fn argument_error(error: Error) -> PyErr {
    match error {
        Error::SecondDerivative => runtime_error(error),
        _ => value_error(error),
    }
}
