//! Context variables of the interpreter.
//!
//! CPython's limited API has no functions for them, so a build for it (feature `abi3`) calls the methods of
//! the object instead. Only where a block was ever entered is a variable asked for its value.

use crate::locks::filled;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// A context variable of the interpreter.
pub(super) struct Variable {
    name: &'static str,
    variable: PyOnceLock<Py<PyAny>>,
}

impl Variable {
    pub(super) const fn new(name: &'static str) -> Self {
        Self { name, variable: PyOnceLock::new() }
    }

    fn variable<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, PyAny>> {
        let variable = filled(&self.variable, py, || {
            let class = py.import("contextvars")?.getattr("ContextVar")?;
            class.call1((self.name,)).map(Bound::unbind)
        })?;
        Ok(variable.bind(py))
    }

    /// The value in the current context; `None` if it is unset or Python's `None`.
    pub(super) fn get<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(get(self.variable(py)?)?.filter(|value| !value.is_none()))
    }

    pub(super) fn set(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        set(self.variable(value.py())?, value)
    }
}

#[cfg(feature = "abi3")]
fn get<'py>(variable: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = variable.py();
    variable.call_method1(pyo3::intern!(py, "get"), (py.None(),)).map(Some)
}

#[cfg(not(feature = "abi3"))]
fn get<'py>(variable: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = variable.py();
    let mut value = std::ptr::null_mut();
    // SAFETY: `variable` is a context variable; on success `value` is null or a new reference.
    unsafe {
        if pyo3::ffi::PyContextVar_Get(variable.as_ptr(), std::ptr::null_mut(), &mut value) < 0 {
            return Err(PyErr::fetch(py));
        }
        Ok(Bound::from_owned_ptr_or_opt(py, value))
    }
}

#[cfg(feature = "abi3")]
fn set(variable: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
    variable.call_method1(pyo3::intern!(variable.py(), "set"), (value,)).map(drop)
}

#[cfg(not(feature = "abi3"))]
fn set(variable: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
    // SAFETY: `variable` is a context variable; the token is a new reference, dropped here.
    unsafe {
        let token = pyo3::ffi::PyContextVar_Set(variable.as_ptr(), value.as_ptr());
        Bound::from_owned_ptr_or_err(variable.py(), token).map(drop)
    }
}
