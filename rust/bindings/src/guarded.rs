//! Values of the process that all threads use: guarded by the GIL, or by a lock where there is none.

use pyo3::prelude::*;

#[cfg(not(Py_GIL_DISABLED))]
mod gil_cell;

#[cfg(not(Py_GIL_DISABLED))]
pub(crate) use gil_cell::{Borrow, GilCell};

/// A value that is mostly read. Nothing may call into Python while it is looked at.
pub(crate) struct Guarded<T: 'static> {
    #[cfg(not(Py_GIL_DISABLED))]
    cell: GilCell<T>,
    #[cfg(Py_GIL_DISABLED)]
    cell: std::sync::RwLock<Option<T>>,
    #[cfg(Py_GIL_DISABLED)]
    initial: fn() -> T,
}

#[cfg(not(Py_GIL_DISABLED))]
impl<T> Guarded<T> {
    pub(crate) const fn new(initial: fn() -> T) -> Self {
        Self { cell: GilCell::new(initial) }
    }

    /// Runs `f`, which must not call into Python, on the value.
    #[inline(always)]
    pub(crate) fn read<R>(&self, py: Python<'_>, f: impl FnOnce(&T) -> R) -> R {
        f(&self.cell.borrow(py))
    }

    /// Runs `f`, which must not call into Python, on the value, to change it.
    #[inline(always)]
    pub(crate) fn write<R>(&self, py: Python<'_>, f: impl FnOnce(&mut T) -> R) -> R {
        f(&mut self.cell.borrow(py))
    }
}

#[cfg(Py_GIL_DISABLED)]
impl<T> Guarded<T> {
    pub(crate) const fn new(initial: fn() -> T) -> Self {
        Self { cell: std::sync::RwLock::new(None), initial }
    }

    /// Runs `f`, which must not call into Python, on the value. Those who read do not wait for each other.
    #[inline]
    pub(crate) fn read<R>(&self, py: Python<'_>, f: impl FnOnce(&T) -> R) -> R {
        let value = self.cell.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(value) = &*value {
            return f(value);
        }
        drop(value);
        self.write(py, |value| f(value))
    }

    /// Runs `f`, which must not call into Python, on the value, to change it.
    pub(crate) fn write<R>(&self, _py: Python<'_>, f: impl FnOnce(&mut T) -> R) -> R {
        let mut value = self.cell.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        f(value.get_or_insert_with(self.initial))
    }
}
