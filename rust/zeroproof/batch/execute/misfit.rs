//! Why parts of a batch cannot be put together.

use super::totals::TASK;
use std::fmt;
use std::ops::Range;

/// Why two parts do not fit together, or a part says nothing of all samples.
#[derive(Clone, Debug, PartialEq)]
pub enum Misfit {
    /// The samples between two parts are missing.
    Gap(Range<usize>),
    /// These samples are in both parts.
    Overlap(Range<usize>),
    /// A part ends within a leaf of the tree, and another one begins behind it.
    EndsWithinLeaf {
        /// Where the first one ends.
        end: usize,
        /// Where the other begins.
        start: usize,
    },
    /// The samples before the first one of the part are missing.
    Beginning(usize),
    /// They are of other functions, shapes or requests.
    Function,
    /// They were computed in other gradient modes.
    Mode(String, String),
    /// They were computed by other versions of the engine.
    Engine(String, String),
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gap(samples) => write!(
                f,
                "samples {} to {} are missing between two parts: merge neighbours, or all parts at once",
                samples.start,
                samples.end - 1
            ),
            Self::Overlap(samples) => write!(
                f,
                "samples {} to {} are in both parts: each sample belongs to one",
                samples.start,
                samples.end - 1
            ),
            Self::EndsWithinLeaf { end, start } => write!(
                f,
                "a part ends before sample {end}, which is no multiple of {TASK}, so it can only be the last one, \
                 but another part begins at sample {start}"
            ),
            Self::Beginning(start) => write!(
                f,
                "samples 0 to {} are missing: only a part that begins at sample 0 can be finished",
                start - 1
            ),
            Self::Function => f.write_str(
                "the parts are of different functions, argument shapes, argnums or coordinates, which cannot be \
                 added",
            ),
            Self::Mode(a, b) => write!(
                f,
                "the parts were computed in different gradient modes: {a} and {b}; take one \
                 GradientModeConfig.snapshot() and pass it to every part as mode"
            ),
            Self::Engine(a, b) => write!(
                f,
                "the parts were computed by different versions of zeroproof, {a} and {b}, whose bits may differ: \
                 install the same one in every process"
            ),
        }
    }
}

impl std::error::Error for Misfit {}
