//! The one arena of an interpreter with a GIL.
//!
//! Nodes made on different threads meet in one expression, so all live in one arena. The GIL is held by every
//! caller, which makes a lock (12 ns twice per operation) superfluous.

use super::Arena;
use crate::guarded::{self, GilCell};
use pyo3::prelude::*;
use std::ops::{Deref, DerefMut};
use zeroproof::Error;
use zeroproof::graph::Handle;

/// A node.
pub(crate) type NodeRef = Handle;

static ARENA: GilCell<Arena> = GilCell::new(Arena::default);

/// Access to the arena.
pub(crate) struct Borrow<'py> {
    arena: guarded::Borrow<'py, Arena>,
    py: Python<'py>,
}

impl Deref for Borrow<'_> {
    type Target = Arena;

    #[inline(always)]
    fn deref(&self) -> &Arena {
        &self.arena
    }
}

impl DerefMut for Borrow<'_> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut Arena {
        &mut self.arena
    }
}

impl<'py> Borrow<'py> {
    /// That the GIL is held.
    pub(crate) fn py(&self) -> Python<'py> {
        self.py
    }

    /// The node that a new handle is on.
    #[inline(always)]
    pub(crate) fn node(&mut self, handle: Handle) -> NodeRef {
        handle
    }
}

/// The arena that this thread makes leaves in.
#[inline(always)]
pub(crate) fn own(py: Python<'_>) -> Borrow<'_> {
    Borrow { arena: ARENA.borrow(py), py }
}

/// The arena that a node is in, and its handle there.
#[inline(always)]
pub(crate) fn at(py: Python<'_>, node: NodeRef) -> (Borrow<'_>, Handle) {
    (own(py), node)
}

/// The arena that all these nodes are in, and their handles there.
///
/// # Errors
/// If there is no memory to bring them together.
#[inline(always)]
pub(crate) fn meet<'py, 'n>(
    py: Python<'py>,
    nodes: &'n [NodeRef],
) -> Result<(Borrow<'py>, &'n [Handle]), Error> {
    Ok((own(py), nodes))
}

/// The arena that `root` is in, its handle there, and that of the other node if it is there too.
pub(crate) fn apart(py: Python<'_>, root: NodeRef, other: NodeRef) -> (Borrow<'_>, Handle, Option<Handle>) {
    (own(py), root, Some(other))
}

/// Gives a node back.
#[inline(always)]
pub(crate) fn release(py: Python<'_>, node: NodeRef) {
    own(py).graph.release(node);
}

/// What a node is told from others by.
#[inline(always)]
pub(crate) fn identity(_py: Python<'_>, node: NodeRef) -> u64 {
    node.id().into()
}

/// The time of a call, as of which nodes are older or newer: the order of the arena tells that.
pub(crate) fn call_time() -> u64 {
    0
}

/// How many nodes are alive and how many bytes arenas occupy, after reclaiming all others.
///
/// # Errors
/// If there is no memory to find out.
pub(crate) fn usage(py: Python<'_>) -> Result<(usize, usize), Error> {
    let mut arena = own(py);
    arena.graph.try_collect()?;
    Ok((arena.graph.len(), arena.graph.allocated_bytes() + arena.scratch.allocated_bytes()))
}
