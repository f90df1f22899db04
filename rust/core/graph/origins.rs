//! Where values that are not REAL began.
//!
//! Recording itself looks for nothing and notes nothing: a node that is not REAL although its operands
//! are is an origin by its structure. What the structure does not tell is the place in the user's program,
//! and what made a constant that records no operands. A caller that knows the place notes both, at
//! the event; the table follows its nodes.

use super::handle::Handle;
use crate::op::Op;
use crate::reduce::Reduction;

/// The most operands that an origin remembers.
pub const MOST_OPERANDS: usize = 8;

/// How a value that is not REAL came about, or a REAL one at a pole.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// The op, or the kind of the leaf.
    pub op: Op,
    /// The values of its first [`MOST_OPERANDS`] operands; behind the base of a power its exponent.
    pub operands: Box<[f64]>,
    /// The value that was made.
    pub value: f64,
    /// What the caller calls the place in the user's program.
    pub place: u32,
    /// Whether it was taken over by a constant that was computed from there.
    pub carried: bool,
}

/// An operand as its op was given it.
#[derive(Clone, Copy, Debug)]
pub struct Given {
    /// The value, or the exponent of a power.
    pub value: f64,
    /// The node; `None` for a number.
    pub node: Option<Handle>,
}

impl Given {
    /// Whether it is a number that is not REAL.
    pub(super) fn is_bare(&self) -> bool {
        self.node.is_none() && !self.value.is_finite()
    }
}

/// The origins of an arena, in recording order.
#[derive(Debug, Default)]
pub(super) struct Origins(Vec<(u32, Origin)>);

impl Origins {
    pub fn get(&self, node: u32) -> Option<&Origin> {
        let place = self.0.binary_search_by_key(&node, |entry| entry.0).ok()?;
        Some(&self.0[place].1)
    }

    pub fn get_mut(&mut self, node: u32) -> Option<&mut Origin> {
        let place = self.0.binary_search_by_key(&node, |entry| entry.0).ok()?;
        Some(&mut self.0[place].1)
    }

    /// Adds a node that is newer than all others noted.
    pub fn push(&mut self, node: u32, origin: Origin) {
        debug_assert!(self.end() <= node as usize);
        self.0.push((node, origin));
    }

    /// All of them, to be followed by those of another arena.
    pub fn entries(&mut self) -> &mut Vec<(u32, Origin)> {
        &mut self.0
    }

    /// How many are noted.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Forgets the nodes from `len` on.
    pub fn truncate(&mut self, len: usize) {
        self.0.truncate(self.0.partition_point(|entry| (entry.0 as usize) < len));
    }

    /// Behind the newest node noted.
    pub fn end(&self) -> usize {
        self.0.last().map_or(0, |last| last.0 as usize + 1)
    }

    /// Follows the live nodes, given in descending order, to where each is now.
    pub fn slide(&mut self, live: &[u32]) {
        let mut rest = live.iter().rev().zip(0..).peekable();
        self.0.retain_mut(|entry| {
            while rest.next_if(|(old, _)| **old < entry.0).is_some() {}
            let moved = rest.peek().filter(|(old, _)| **old == entry.0).map(|&(_, new)| new);
            entry.0 = moved.unwrap_or(entry.0);
            moved.is_some()
        });
    }

    pub fn shrink_to(&mut self, len: usize) {
        self.0.shrink_to(len);
    }

    pub fn allocated_bytes(&self) -> usize {
        self.0.capacity() * size_of::<(u32, Origin)>()
    }
}

/// Which operands, by their values, a node was computed from: those that it did not leave out.
pub(crate) fn kept(mode: Reduction, mut values: impl Iterator<Item = f64>) -> impl Fn(f64) -> bool {
    let nothing_but_phi = mode == Reduction::DropNull && values.all(f64::is_nan);
    move |value| nothing_but_phi || mode.keeps(value)
}

/// Whether an operand hands a value that is not REAL on to a result: Φ comes of Φ, unless it begins.
pub(super) fn hands_on(operand: f64, result: f64) -> bool {
    if result.is_nan() { operand.is_nan() } else { !operand.is_finite() }
}

/// Whether Φ was made from what is not Φ.
pub fn makes_phi(value: f64, operands: impl IntoIterator<Item = f64>) -> bool {
    value.is_nan() && !operands.into_iter().any(f64::is_nan)
}

/// The operands that an origin remembers.
pub(super) fn operands(given: &[Given]) -> Box<[f64]> {
    given.iter().take(MOST_OPERANDS).map(|given| given.value).collect()
}
