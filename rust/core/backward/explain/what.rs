//! The kinds of events.

/// The most nodes of a path, and the most leaves, that an event names.
pub const MOST_NAMED: usize = 32;

/// What happened at a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A value that is not REAL was made from REAL ones, Φ from infinities, or came in from outside.
    Born,
    /// The node passed nothing to its inputs, or to one that it left out, although an adjoint arrived.
    Masked,
    /// The contribution to an input was not REAL and was left out.
    Dropped,
    /// The node passed on bounded contributions.
    Saturated,
}

impl What {
    /// Every kind, in the order of [`Explanation::counts`](super::Explanation::counts).
    pub const ALL: [Self; 4] = [Self::Born, Self::Masked, Self::Dropped, Self::Saturated];

    /// The name, in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Born => "born",
            Self::Masked => "masked",
            Self::Dropped => "dropped",
            Self::Saturated => "saturated",
        }
    }
}
