//! What a handle is.

/// A node, by the index of a handle slot, which stays put while nodes slide. Each handle given out must be
/// released once; [`Var`](crate::Var) does so on drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Handle(pub(super) u32);

impl Handle {
    /// A number that no other node alive has.
    pub const fn id(self) -> u32 {
        self.0
    }
}

/// No handle points here.
pub(super) const UNOWNED: u32 = u32::MAX;

/// Where a handle points, and how often it was given out.
#[derive(Debug)]
pub(super) struct HandleSlot {
    pub node: u32,
    pub count: u32,
}
