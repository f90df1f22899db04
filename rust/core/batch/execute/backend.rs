//! What carries out the instructions of a plan on a block of samples.

use super::lines::Lines;
use super::slots::{BlockInputs, Line};
use crate::batch::compile::code::{Code, Source};
use crate::batch::compile::plan::Summand;
use crate::mode::ModeState;

/// How the singular ops of a pass are differentiated in regular samples.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Partials<'a> {
    /// Classical partials.
    Classical,
    /// Bounded partials with this bound: Saturating mode, or a policy of Hybrid mode that saturates.
    Bounded(f64),
    /// What Hybrid mode decides from distances and exploration regions.
    Deciding(&'a ModeState),
}

/// A block to be replayed and added up.
pub(crate) struct Replay<'a> {
    pub code: &'a Code,
    pub inputs: &'a BlockInputs<'a>,
    pub partials: Partials<'a>,
    pub checks: &'a [Source],
    /// What is added to the lanes. A sum that is not REAL may have a summand that is not.
    pub totals: &'a [Summand],
    pub lanes: &'a mut [Line],
}

/// A back end: the block interpreter, [`Machine`](super::machine::Machine), is one.
pub(crate) trait Backend {
    /// Replays a block. Returns whether any of its samples may be irregular.
    fn replay(&mut self, block: Replay<'_>) -> bool;

    /// What the last block left in a source.
    fn lines<'s>(&'s self, inputs: &'s BlockInputs<'_>, source: Source) -> Lines<'s>;

    /// Site and lane of every bounded partial that Hybrid mode decided for in the last block.
    fn saturated(&self) -> &[(u32, u32)];
}
