//! The one arena of the interpreter, guarded by the GIL.
//!
//! Nodes made on different threads meet in one expression, so all live in one arena. The GIL is held
//! by every caller, which makes a lock (12 ns twice per operation) superfluous. The module declares
//! that it uses the GIL, so a free-threaded interpreter turns the GIL on for it.

use pyo3::prelude::*;
use std::cell::{Cell, UnsafeCell};
use zeroproof::backward::Scratch;
use zeroproof::graph::Graph;

/// The arena and what its backward passes work in.
pub(crate) struct Arena {
    pub graph: Graph,
    pub scratch: Scratch,
}

/// A value that is only touched while the GIL is held.
struct GilCell<T> {
    borrowed: Cell<bool>,
    value: UnsafeCell<Option<T>>,
}

// SAFETY: `with` asks for a `Python` token, which proves that this thread holds the GIL, so no two
// threads are inside `with` at once unless one gives the GIL up there; `borrowed` catches that case
// as well as re-entry from the same thread.
unsafe impl<T: Send> Sync for GilCell<T> {}

impl<T> GilCell<T> {
    #[inline(always)]
    fn with<R>(&self, _gil: Python<'_>, init: fn() -> T, f: impl FnOnce(&mut T) -> R) -> R {
        assert!(!self.borrowed.replace(true), "the arena is in use: an operation was re-entered");
        let _guard = Release(&self.borrowed);
        // SAFETY: `borrowed` was false, so no other reference to the value exists, and it stays true
        // until this one is gone.
        let value = unsafe { &mut *self.value.get() };
        f(value.get_or_insert_with(init))
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

static ARENA: GilCell<Arena> = GilCell { borrowed: Cell::new(false), value: UnsafeCell::new(None) };

/// Runs `f` on the interpreter's arena. `f` must not call into Python.
#[inline(always)]
pub(crate) fn with<R>(py: Python<'_>, f: impl FnOnce(&mut Arena) -> R) -> R {
    ARENA.with(py, || Arena { graph: Graph::new(), scratch: Scratch::default() }, f)
}
