//! A value that is only touched while the GIL is held, which makes a lock superfluous.

use pyo3::prelude::*;
use std::cell::{Cell, UnsafeCell};
use std::ops::{Deref, DerefMut};

/// A value that is only touched while the GIL is held.
pub(crate) struct GilCell<T> {
    borrowed: Cell<bool>,
    value: UnsafeCell<Option<T>>,
    initial: fn() -> T,
}

// SAFETY: `with` asks for a `Python` token, which proves that this thread holds the GIL, so no two
// threads are inside `with` at once unless one gives the GIL up there; `borrowed` catches that case
// as well as re-entry from the same thread.
unsafe impl<T: Send> Sync for GilCell<T> {}

/// Apart, so that what happens once is not in the way of every operation.
#[cold]
#[inline(never)]
fn begin<T>(value: &mut Option<T>, initial: fn() -> T) -> &mut T {
    value.insert(initial())
}

impl<T> GilCell<T> {
    pub(crate) const fn new(initial: fn() -> T) -> Self {
        Self { borrowed: Cell::new(false), value: UnsafeCell::new(None), initial }
    }

    /// Exclusive access to the value; nothing may call into Python while it lasts.
    #[inline(always)]
    pub(crate) fn borrow<'py>(&'py self, _gil: Python<'py>) -> Borrow<'py, T> {
        assert!(!self.borrowed.replace(true), "a value that the GIL guards was taken twice");
        let _release = Release(&self.borrowed);
        // SAFETY: `borrowed` was false, so no other reference to the value exists, and it stays true
        // until this one is gone.
        let value = match unsafe { &mut *self.value.get() } {
            Some(value) => value,
            none => begin(none, self.initial),
        };
        Borrow { value, _release }
    }
}

/// Exclusive access to a value. Code that works through it is compiled for its caller, where the op of
/// a recording is a constant; a closure might be compiled once for all of them.
pub(crate) struct Borrow<'a, T> {
    value: &'a mut T,
    _release: Release<'a>,
}

impl<T> Deref for Borrow<'_, T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        self.value
    }
}

impl<T> DerefMut for Borrow<'_, T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        self.value
    }
}

/// Ends a borrow, also when unwinding.
struct Release<'a>(&'a Cell<bool>);

impl Drop for Release<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.0.set(false);
    }
}
