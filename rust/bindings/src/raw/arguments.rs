//! The arguments of a fast call: where the interpreter left them, by position and by name.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use pyo3::{Borrowed, ffi};

/// The positional and keyword arguments of a fast call.
pub(crate) struct Arguments<'a, 'py> {
    positional: &'a [Borrowed<'a, 'py, PyAny>],
    keyword: &'a [Borrowed<'a, 'py, PyAny>],
    names: Option<Borrowed<'a, 'py, PyTuple>>,
}

impl<'a, 'py> Arguments<'a, 'py> {
    /// # Safety
    /// The pointers are those that the interpreter passed to a fast call.
    #[inline(always)]
    pub(crate) unsafe fn new(
        py: Python<'py>,
        args: *const *mut ffi::PyObject,
        count: ffi::Py_ssize_t,
        names: *mut ffi::PyObject,
    ) -> Self {
        // SAFETY: `args` holds `count` positional arguments and one more for each name, all alive
        // during the call. `Borrowed` is a transparent wrapper of the pointer.
        unsafe {
            let names = (!names.is_null()).then(|| Borrowed::from_ptr(py, names).cast_unchecked::<PyTuple>());
            let keywords = names.map_or(0, |names| names.len());
            let all: &[Borrowed<'a, 'py, PyAny>] = match count as usize + keywords {
                0 => &[],
                all => std::slice::from_raw_parts(args.cast(), all),
            };
            let (positional, keyword) = all.split_at(count as usize);
            Self { positional, keyword, names }
        }
    }

    /// The arguments if they are `N` positional ones and no keywords.
    #[inline(always)]
    pub(crate) fn positional<const N: usize>(&self) -> Option<&'a [Borrowed<'a, 'py, PyAny>; N]> {
        self.positional.try_into().ok().filter(|_| self.names.is_none())
    }

    /// All arguments, if there are no keywords.
    pub(crate) fn unnamed(&self) -> Option<&'a [Borrowed<'a, 'py, PyAny>]> {
        self.names.is_none().then_some(self.positional)
    }

    /// Calls a Python function with the receiver and all of them.
    pub(crate) fn forward(
        &self,
        function: &Bound<'py, PyAny>,
        receiver: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = function.py();
        let positional = receiver.into_iter().chain(self.positional.iter().map(|a| Bound::clone(a)));
        let keywords = PyDict::new(py);
        for (name, value) in self.names.iter().flat_map(|names| names.iter_borrowed()).zip(self.keyword) {
            keywords.set_item(name, value)?;
        }
        function.call(PyTuple::new(py, positional.collect::<Vec<_>>())?, Some(&keywords))
    }

    /// Exactly `N` positional arguments and no keywords.
    #[inline(always)]
    pub(crate) fn exactly<const N: usize>(
        &self,
        function: &str,
    ) -> PyResult<&'a [Borrowed<'a, 'py, PyAny>; N]> {
        self.positional().ok_or_else(|| self.wrong_count(function, N))
    }

    #[cold]
    fn wrong_count(&self, function: &str, expected: usize) -> PyErr {
        PyTypeError::new_err(match self.names {
            Some(_) => format!("{function}() takes no keyword arguments"),
            None => {
                let plural = if expected == 1 { "" } else { "s" };
                format!("{function}() takes {expected} argument{plural} ({} given)", self.positional.len())
            }
        })
    }

    /// The arguments by name, of which the first `required` must be given.
    #[inline(never)]
    pub(crate) fn named<const N: usize>(
        &self,
        function: &str,
        parameters: [&str; N],
        required: usize,
    ) -> PyResult<[Option<Borrowed<'a, 'py, PyAny>>; N]> {
        if self.positional.len() > N {
            let given = self.positional.len();
            let message = format!("{function}() takes at most {N} arguments ({given} given)");
            return Err(PyTypeError::new_err(message));
        }
        let mut found = [None; N];
        for (slot, argument) in found.iter_mut().zip(self.positional) {
            *slot = Some(*argument);
        }
        for (name, argument) in self.names.iter().flat_map(|names| names.iter_borrowed()).zip(self.keyword) {
            let name = name.extract::<String>()?;
            let Some(place) = parameters.iter().position(|parameter| *parameter == name) else {
                let message = format!("{function}() got an unexpected keyword argument '{name}'");
                return Err(PyTypeError::new_err(message));
            };
            if found[place].replace(*argument).is_some() {
                let message = format!("{function}() got multiple values for argument '{name}'");
                return Err(PyTypeError::new_err(message));
            }
        }
        match found[..required].iter().position(Option::is_none) {
            None => Ok(found),
            Some(missing) => Err(PyTypeError::new_err(format!(
                "{function}() missing required argument '{}'",
                parameters[missing]
            ))),
        }
    }
}
