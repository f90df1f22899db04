//! Python functions that the engine calls. The modules that define them register them when they are
//! imported, so that nothing here knows their names.
//!
//! A callback is taken out of its cell before it is called: no cell or lock is borrowed meanwhile.

use crate::guarded::Guarded;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// A Python function, if one is registered.
pub(crate) struct Callback {
    function: Guarded<Option<Py<PyAny>>>,
    /// What it does, for the error of a call without one.
    purpose: &'static str,
}

impl Callback {
    const fn new(purpose: &'static str) -> Self {
        Self { function: Guarded::new(|| None), purpose }
    }

    pub(crate) fn set(&self, function: Bound<'_, PyAny>) {
        let py = function.py();
        let before = self.function.write(py, |current| current.replace(function.unbind()));
        drop(before); // outside the cell, since it drops a Python object
    }

    fn get<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.function.read(py, |function| function.as_ref().map(|function| function.bind(py).clone()))
    }

    /// The function to tell of an event; none if nobody is there to be told, or no longer: the globals
    /// of Python functions go when the interpreter ends.
    pub(crate) fn listener<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.get(py).filter(|_| !is_finalizing(py))
    }

    /// The function that a method leaves its work to.
    ///
    /// # Errors
    /// `RuntimeError` if none is registered.
    pub(crate) fn required<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.get(py).ok_or_else(|| {
            PyRuntimeError::new_err(format!("nothing is registered that {}: import zeroproof", self.purpose))
        })
    }
}

/// Whether the interpreter is ending.
fn is_finalizing(py: Python<'_>) -> bool {
    let asked = || py.import("sys")?.call_method0("is_finalizing")?.is_truthy();
    asked().unwrap_or(true) // without its modules nothing can be called
}

/// Whether a watching block runs in this thread or async task.
pub(crate) static WATCHES_HERE: Callback = Callback::new("watches");
/// Whether a tape is open in this thread or async task.
pub(crate) static IN_TAPE: Callback = Callback::new("knows of tapes");
/// Told of the origin of a value that is not REAL.
pub(crate) static ORIGIN: Callback = Callback::new("watches");
/// Told of the contributions that a backward pass is about to leave out.
pub(crate) static LEFT_OUT: Callback = Callback::new("watches");
/// `TRNode.explain`.
pub(crate) static EXPLAIN: Callback = Callback::new("explains nodes");
/// `TRNode.to_dot`.
pub(crate) static DRAW: Callback = Callback::new("draws graphs");
/// Makes a function run in a block.
pub(crate) static DECORATE: Callback = Callback::new("decorates functions");
/// What `__array_ufunc__` leaves to Python.
pub(crate) static UFUNC: Callback = Callback::new("answers NumPy's functions");

/// Registers who is told of singularities.
#[pyfunction]
fn set_watcher(watches_here: Bound<'_, PyAny>, origin: Bound<'_, PyAny>, left_out: Bound<'_, PyAny>) {
    WATCHES_HERE.set(watches_here);
    ORIGIN.set(origin);
    LEFT_OUT.set(left_out);
}

/// Registers what says whether a tape is open here.
#[pyfunction]
fn set_in_tape(in_tape: Bound<'_, PyAny>) {
    IN_TAPE.set(in_tape);
}

/// Registers what ``TRNode.explain`` calls.
#[pyfunction]
fn set_explainer(explain: Bound<'_, PyAny>) {
    EXPLAIN.set(explain);
}

/// Registers what ``TRNode.to_dot`` calls.
#[pyfunction]
fn set_drawer(to_dot: Bound<'_, PyAny>) {
    DRAW.set(to_dot);
}

/// Registers what makes a function run in a block: called with the block and the function.
#[pyfunction]
fn set_decorator(in_block: Bound<'_, PyAny>) {
    DECORATE.set(in_block);
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(set_watcher, module)?)?;
    module.add_function(wrap_pyfunction!(set_in_tape, module)?)?;
    module.add_function(wrap_pyfunction!(set_explainer, module)?)?;
    module.add_function(wrap_pyfunction!(set_drawer, module)?)?;
    module.add_function(wrap_pyfunction!(set_decorator, module)?)
}
