//! The memory that a block is worked out in.

use crate::error::Error;
use crate::room;

/// How many samples the loops of a kernel take at once. Every block is a multiple of it.
pub(crate) const LANES: usize = 32;

/// Consecutive samples of one number.
pub(crate) type Line = [f64; LANES];

/// The alignment of lines that vector instructions read and write at full speed, in numbers.
const ALIGNED: usize = 64 / size_of::<f64>();

/// Lines in one piece, aligned to cache lines.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    data: Vec<f64>,
    start: usize,
    lines: usize,
}

impl Memory {
    /// Room for so many lines, all zeros.
    pub fn new(lines: usize) -> Result<Self, Error> {
        let numbers = lines.checked_mul(LANES).and_then(|numbers| numbers.checked_add(ALIGNED));
        let data = room::filled(numbers.ok_or(Error::OutOfMemory)?, 0.0)?;
        // Where there is no telling how data are aligned, results are the same.
        let start = data.as_ptr().align_offset(ALIGNED * size_of::<f64>()).min(ALIGNED);
        Ok(Self { data, start, lines })
    }

    /// One line of each number: what a uniform number looks like to a kernel.
    pub fn of_uniforms(numbers: &[f64]) -> Result<Self, Error> {
        let mut memory = Self::new(numbers.len())?;
        memory.lines_mut().iter_mut().zip(numbers).for_each(|(line, &number)| line.fill(number));
        Ok(memory)
    }

    #[inline(always)]
    pub fn lines(&self) -> &[Line] {
        self.data[self.start..self.start + self.lines * LANES].as_chunks().0
    }

    #[inline(always)]
    pub fn lines_mut(&mut self) -> &mut [Line] {
        self.data[self.start..self.start + self.lines * LANES].as_chunks_mut().0
    }
}

/// What a block reads besides its slots.
#[derive(Debug)]
pub(crate) struct BlockInputs<'a> {
    /// By argument, all its numbers: as lines if there is one a sample, else as rows.
    pub columns: &'a [&'a [Line]],
    pub rows: &'a [&'a [f64]],
    /// By argument: how many numbers a sample has.
    pub widths: &'a [usize],
    /// By uniform number: one line of it.
    pub uniforms: &'a [Line],
    /// The block: where it begins, and its length.
    pub first_line: usize,
    pub lines: usize,
}

impl<'a> BlockInputs<'a> {
    /// The block's part of a column.
    #[inline(always)]
    pub fn column(&self, argument: u32) -> &'a [Line] {
        &self.columns[argument as usize][self.first_line..self.first_line + self.lines]
    }

    /// The part of a column that the next block will read.
    #[inline(always)]
    pub fn next_of_column(&self, argument: usize) -> &'a [f64] {
        let column = self.columns[argument];
        let start = column.len().min(self.first_line + self.lines);
        column[start..column.len().min(start + self.lines)].as_flattened()
    }

    /// The rows of the block's samples; where the samples end, so do they.
    pub fn rows(&self, argument: usize) -> std::slice::ChunksExact<'a, f64> {
        let (rows, width) = (self.rows[argument], self.widths[argument]);
        let start = self.first_line * LANES * width;
        let end = rows.len().min(start + self.lines * LANES * width);
        rows[start..end].chunks_exact(width)
    }
}
