//! Context variables of the interpreter.

use crate::locks::filled;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// A context variable of the interpreter.
pub(super) struct Variable {
    name: &'static std::ffi::CStr,
    variable: PyOnceLock<Py<PyAny>>,
}

impl Variable {
    pub(super) const fn new(name: &'static std::ffi::CStr) -> Self {
        Self { name, variable: PyOnceLock::new() }
    }

    fn variable<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, PyAny>> {
        let variable = filled(&self.variable, py, || {
            // SAFETY: the name is a C string, no default is given, and the new reference is owned.
            unsafe {
                let new = pyo3::ffi::PyContextVar_New(self.name.as_ptr(), std::ptr::null_mut());
                Bound::from_owned_ptr_or_err(py, new).map(Bound::unbind)
            }
        })?;
        Ok(variable.bind(py))
    }

    /// The value in the current context; `None` if it is unset or Python's `None`.
    pub(super) fn get<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let variable = self.variable(py)?;
        let mut value = std::ptr::null_mut();
        // SAFETY: `variable` is a context variable; on success `value` is null or a new reference.
        let found = unsafe {
            if pyo3::ffi::PyContextVar_Get(variable.as_ptr(), std::ptr::null_mut(), &mut value) < 0 {
                return Err(PyErr::fetch(py));
            }
            Bound::from_owned_ptr_or_opt(py, value)
        };
        Ok(found.filter(|value| !value.is_none()))
    }

    pub(super) fn set(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = value.py();
        let variable = self.variable(py)?;
        // SAFETY: `variable` is a context variable; the token is a new reference, dropped here.
        unsafe {
            let token = pyo3::ffi::PyContextVar_Set(variable.as_ptr(), value.as_ptr());
            Bound::from_owned_ptr_or_err(py, token).map(drop)
        }
    }
}
