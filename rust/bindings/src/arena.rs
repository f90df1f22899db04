//! Where nodes live, in two forms that the rest of the crate does not tell apart.
//!
//! ```text
//! arena/single.rs  an interpreter with a GIL: one arena for all threads, which the GIL guards
//! arena/many.rs    a free-threaded interpreter: an arena for each thread, and one for several whose nodes met
//! ```
//!
//! A [`NodeRef`] is what a Python object holds. Access to an arena is a [`Borrow`]: of the arena that a node is
//! in ([`at`]), of the one that several are in or are brought to ([`meet`]), or of the one that this thread makes
//! leaves in ([`own`]). Nothing may call into Python while it lasts, and nobody has two.

#[cfg(Py_GIL_DISABLED)]
mod many;
#[cfg(not(Py_GIL_DISABLED))]
mod single;

#[cfg(Py_GIL_DISABLED)]
pub(crate) use many::{Borrow, NodeRef, apart, at, call_time, identity, meet, own, release, usage};
#[cfg(Py_GIL_DISABLED)]
pub(crate) use many::{are_together, neighbours, number};
#[cfg(not(Py_GIL_DISABLED))]
pub(crate) use single::{Borrow, NodeRef, apart, at, call_time, identity, meet, own, release, usage};

use zeroproof::backward::Scratch;
use zeroproof::graph::Graph;

/// An arena and what its backward passes work in.
#[derive(Default)]
pub(crate) struct Arena {
    pub graph: Graph,
    pub scratch: Scratch,
}
