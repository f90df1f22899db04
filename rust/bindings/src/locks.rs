//! Locks and cells, in which no Python code may run: a finalizer, a hook or a signal handler among it
//! might come back for the same one, and wait for itself.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The data of a mutex, which stays valid when a thread panics; nothing may call into Python while it is
/// locked.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The content of a cell, made by `make` if it is empty. That may call into Python; of several who make
/// it at once, the first to finish fills the cell.
pub(crate) fn filled<'c, T>(
    cell: &'c PyOnceLock<T>,
    py: Python<'_>,
    make: impl FnOnce() -> PyResult<T>,
) -> PyResult<&'c T> {
    if let Some(content) = cell.get(py) {
        return Ok(content);
    }
    let surplus = cell.set(py, make()?);
    drop(surplus); // outside the cell, since it may drop a Python object
    Ok(cell.get(py).expect("filled by one or the other"))
}
