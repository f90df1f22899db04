//! Sources as the loops of kernels read them.

use super::slots::Line;

/// A source as lines: a slot or column has one for each line of the block, a uniform number just one.
#[derive(Clone, Copy)]
pub(crate) struct Lines<'a> {
    pub lines: &'a [Line],
    pub is_uniform: bool,
}

/// The numbers of a source: one for each sample, or one for all.
pub(crate) enum Samples<'a> {
    Each(&'a [f64]),
    All(f64),
}

impl<'a> Lines<'a> {
    #[inline(always)]
    pub fn at(self, line: usize) -> &'a Line {
        &self.lines[if self.is_uniform { 0 } else { line }]
    }

    /// Of so many samples. That every slice has the same length saves a check for each number.
    #[inline(always)]
    pub fn samples(self, count: usize) -> Samples<'a> {
        match self.is_uniform {
            true => Samples::All(self.lines[0][0]),
            false => Samples::Each(&self.lines.as_flattened()[..count]),
        }
    }
}
