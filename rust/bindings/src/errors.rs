//! Errors of the core as Python exceptions.

use pyo3::PyErr;
use pyo3::exceptions::{
    PyAttributeError, PyMemoryError, PyNotImplementedError, PyRuntimeError, PyTypeError, PyValueError,
};
use zeroproof::{Error, Unreadable};

/// An argument that is out of its range.
pub(crate) fn value_error(error: Error) -> PyErr {
    memory_error(&error).unwrap_or_else(|| PyValueError::new_err(error.to_string()))
}

/// Bytes of another process that cannot be read.
pub(crate) fn unreadable(error: Unreadable) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// Appends an element, if there is memory for it.
pub(crate) fn push<T>(vec: &mut Vec<T>, element: T) -> Result<(), PyErr> {
    if vec.len() == vec.capacity() {
        let eighth = vec.len() / 8 + 1;
        let reserved = vec.try_reserve(1).or_else(|_| vec.try_reserve_exact(eighth));
        reserved.map_err(|_| value_error(Error::OutOfMemory))?;
    }
    vec.push(element);
    Ok(())
}

/// The exception for a lack of memory, whatever was asked for.
fn memory_error(error: &Error) -> Option<PyErr> {
    matches!(error, Error::OutOfMemory | Error::PlanTooLarge { .. })
        .then(|| PyMemoryError::new_err(error.to_string()))
}

/// An operation that this kind of object does not have.
pub(crate) fn type_error(error: Error) -> PyErr {
    memory_error(&error).unwrap_or_else(|| PyTypeError::new_err(error.to_string()))
}

/// An attribute that this kind of object does not let one set.
pub(crate) fn attribute_error(error: Error) -> PyErr {
    memory_error(&error).unwrap_or_else(|| PyAttributeError::new_err(error.to_string()))
}

/// Something that cannot be done as things are.
pub(crate) fn runtime_error(error: Error) -> PyErr {
    if matches!(error, Error::SecondDerivative) {
        return PyNotImplementedError::new_err(error.to_string());
    }
    memory_error(&error).unwrap_or_else(|| PyRuntimeError::new_err(error.to_string()))
}

/// An argument that is out of its range, or a derivative that is not available.
pub(crate) fn argument_error(error: Error) -> PyErr {
    match error {
        Error::Tangent(_) | Error::Tangents { .. } => value_error(error),
        _ => runtime_error(error),
    }
}
