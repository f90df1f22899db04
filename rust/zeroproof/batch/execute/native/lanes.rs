//! Where the lanes of vectors go, which turns columns to rows.

/// A vector made of lanes of two. Two neighbouring lanes, 128 bits, are a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Shuffle {
    /// By pair the first lanes of both operands.
    Firsts,
    /// By pair the second lanes of both operands.
    Seconds,
    /// The pairs of even number, those of the first operand first.
    EvenPairs,
    /// The pairs of odd number, those of the first operand first.
    OddPairs,
    /// A pair of the first operand comes to the beginning.
    Pair(u8),
}

/// Which lanes of a vector are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Lanes {
    All,
    /// Four of eight.
    Half(u8),
    Pair(u8),
    /// The first one.
    First,
    /// The second one.
    Second,
}

impl Lanes {
    /// How many they are, of so many.
    pub fn count(self, all: usize) -> usize {
        match self {
            Self::All => all,
            Self::Half(_) => 4,
            Self::Pair(_) => 2,
            Self::First | Self::Second => 1,
        }
    }
}

/// An array of results by rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rows {
    /// The first of its results, by number among all.
    pub number: u32,
    /// How many results a row has.
    pub width: u32,
}
