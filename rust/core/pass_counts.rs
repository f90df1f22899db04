//! What one pass counts.

/// What a sweep counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PassCounts {
    /// Contributions that were not REAL and left out although ḡ was not 0.
    pub dropped: u64,
    /// Nodes that were silenced.
    pub masked: u64,
}
