//! What one pass counts.

/// What a sweep counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PassCounts {
    /// Contributions that were not REAL and left out although ḡ was not 0.
    pub dropped: u64,
    /// Nodes that were silenced.
    pub masked: u64,
}

impl PassCounts {
    /// Counts what another pass counted as well.
    pub(crate) fn add(&mut self, more: Self) {
        self.dropped += more.dropped;
        self.masked += more.masked;
    }
}
