//! The samples in which something holds.

use super::code::Source;

/// The samples in which something holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mask {
    Never,
    Always,
    /// Those in which this condition does.
    When(Source),
}
