//! What carries out the instructions of a plan on a block of samples.

use super::block::{Block, TaskOutputs};
use super::dispatch::Width;
use super::kernels::NotReal;
use super::lines::Lines;
use super::slots::{BlockInputs, Line};
use crate::batch::compile::code::{Code, Source};
use crate::batch::compile::plan::Summand;
use crate::mode::ModeState;
use std::slice::IterMut;

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

/// The caller's arrays for a task, where a back end may write the results of a full block itself.
pub(crate) struct Destination<'a, 'o> {
    pub outputs: &'a mut TaskOutputs<'o>,
    pub at: Block,
}

impl<'o> Destination<'_, 'o> {
    /// The arrays, to be taken one by one.
    pub fn arrays(&mut self) -> Arrays<'_, 'o> {
        let TaskOutputs { samples, values, gradients, .. } = &mut *self.outputs;
        Arrays {
            values: values.iter_mut(),
            gradients: gradients.iter_mut(),
            taken: [0; 2],
            samples: *samples,
            at: self.at,
        }
    }
}

/// The caller's arrays, to be taken in order.
pub(crate) struct Arrays<'a, 'o> {
    values: IterMut<'a, &'o mut [f64]>,
    gradients: IterMut<'a, &'o mut [f64]>,
    /// How many outputs, and arrays of derivatives, are gone.
    taken: [usize; 2],
    samples: usize,
    at: Block,
}

impl<'a> Arrays<'a, '_> {
    /// The block's part of the array whose first output or derivative this is. They are numbered in this
    /// order, and asked for in ascending order.
    pub fn next(&mut self, code: &Code, number: usize) -> Option<&'a mut [f64]> {
        let array = match number.checked_sub(code.values.len()) {
            None => loop {
                let array = self.values.next()?;
                let first = self.taken[0];
                self.taken[0] += array.len() / self.samples;
                if first == number {
                    break array;
                }
            },
            Some(derivative) => {
                let array = code.derivatives[derivative].array;
                let skipped = array - self.taken[1];
                self.taken[1] = array + 1;
                self.gradients.nth(skipped)?
            }
        };
        let width = array.len() / self.samples;
        array.get_mut(self.at.place * width..(self.at.place + self.at.samples) * width)
    }
}

/// A block to be replayed and added up.
pub(crate) struct Replay<'a, 'o> {
    pub code: &'a Code,
    pub inputs: &'a BlockInputs<'a>,
    pub partials: Partials<'a>,
    pub checks: &'a [Source],
    /// What is added to the lanes. A sum that is not REAL may have a summand that is not.
    pub totals: &'a [Summand],
    pub lanes: &'a mut [Line],
    /// Where results may be written, of a full block.
    pub destination: Option<Destination<'a, 'o>>,
}

impl<'a> Replay<'a, '_> {
    /// A block with all its results in slots, where nothing is added up.
    pub fn in_slots(code: &'a Code, inputs: &'a BlockInputs<'a>, partials: Partials<'a>) -> Self {
        Self { code, inputs, partials, checks: &code.checks, totals: &[], lanes: &mut [], destination: None }
    }
}

/// A back end: the block interpreter, [`Machine`](super::machine::Machine), and
/// [native code](super::native).
pub(crate) trait Backend {
    /// Replays a block. Returns whether any of its samples may be irregular.
    fn replay(&mut self, block: Replay<'_, '_>) -> bool;

    /// Whether it has written an output or derivative to the caller's array, of the last block.
    fn has_written(&self, _number: usize) -> bool {
        false
    }

    /// Whether the totals of the last block are added up although some samples are irregular: without these.
    fn has_added_regular(&self) -> bool {
        false
    }

    /// Says whether irregular samples of the last block have values that belong to the totals; then those of the
    /// next one are likely to.
    fn expect_values(&mut self, _are_expected: bool) {}

    /// Marks the samples of the last block that are irregular, by a bit for each lane of each line.
    fn find_irregular(&self, inputs: &BlockInputs<'_>, checks: &[Source], found: &mut [u32]) {
        for &check in checks {
            Width::widest().run(NotReal { numbers: self.lines(inputs, check), lanes: found });
        }
    }

    /// What the last block left in a source.
    fn lines<'s>(&'s self, inputs: &'s BlockInputs<'_>, source: Source) -> Lines<'s>;

    /// By line of the last block, the samples in which Hybrid mode decided for bounded partials of the op of a site, by
    /// a bit each. Empty if there are none.
    fn saturated(&self, site: usize) -> &[u32];
}
