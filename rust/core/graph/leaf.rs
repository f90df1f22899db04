//! What only a parameter or an input has.

use crate::status::Status;

/// A gradient and how it came about.
pub(crate) type Gradient = (f64, Status);

/// What only a parameter or an input has.
#[derive(Debug)]
pub(super) struct Leaf {
    pub gradient: Option<Gradient>,
    pub name: Option<Box<str>>,
    /// Where the first version stood, or would stand now: what was recorded before it is before this.
    pub first: u32,
    /// The oldest row that may still be referred to.
    pub oldest: u32,
    /// Where the newest version was recorded or is now; that row may be gone.
    pub newest: u32,
    /// The number of the newest version.
    pub version: u32,
}

impl Leaf {
    /// Of a first version at this row.
    pub fn new(row: u32, name: Option<&str>) -> Self {
        Self { gradient: None, name: name.map(Into::into), first: row, oldest: row, newest: row, version: 0 }
    }
}

/// Adds to a gradient. One that overflowed to an infinity stays there, so that no gradient is ever
/// `Φ`.
pub(crate) fn accumulate(sum: &mut Option<Gradient>, (gradient, status): Gradient) {
    *sum = Some(match *sum {
        None => (gradient, status),
        Some((before, was)) if before.is_infinite() => (before, was | status),
        Some((before, was)) => (before + gradient, was | status),
    });
}

/// The table of leaves, while a pass adds to their gradients.
#[derive(Debug)]
pub(crate) struct Leaves(pub(super) Vec<Leaf>);

impl Leaves {
    /// Adds to the gradient of the leaf at a place.
    #[inline]
    pub fn accumulate(&mut self, place: u32, gradient: Gradient) {
        accumulate(&mut self.0[place as usize].gradient, gradient);
    }
}

/// The rows of leaves that were assigned to, by the place of the leaf, the newest first.
#[derive(Debug, Default)]
pub(crate) struct Versions(pub(super) Vec<(u32, u32)>);

impl Versions {
    /// All the rows.
    pub fn rows(&self) -> impl Iterator<Item = u32> {
        self.0.iter().map(|&(_, row)| row)
    }
}
