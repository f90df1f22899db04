//! The memory that a block is worked out in.

use crate::error::Error;
use crate::room;
use std::cell::RefCell;

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

/// A thread keeps so many memories from run to run, of so many numbers each at most and at least: taking and clearing
/// them anew would take longer than a run of few samples does. Smaller ones the allocator keeps by itself.
const MOST_SPARE: usize = 6;
const LARGEST_SPARE: usize = (512 << 10) / size_of::<f64>();
const SMALLEST_SPARE: usize = (1 << 10) / size_of::<f64>();

thread_local!(static SPARE: RefCell<Vec<Vec<f64>>> = const { RefCell::new(vec![]) });

impl Memory {
    /// Room for so many lines, all zeros.
    pub fn new(lines: usize) -> Result<Self, Error> {
        Ok(Self::of(room::filled(Self::numbers(lines)?, 0.0)?, lines))
    }

    /// Room for so many lines of any numbers, to be written before they are read.
    pub fn unset(lines: usize) -> Result<Self, Error> {
        let numbers = Self::numbers(lines)?;
        let spare = (numbers >= SMALLEST_SPARE).then(|| SPARE.with_borrow_mut(|spare| take(spare, numbers)));
        match spare.flatten() {
            Some(data) => Ok(Self::of(data, lines)),
            None => Self::new(lines),
        }
    }

    fn numbers(lines: usize) -> Result<usize, Error> {
        let numbers = lines.checked_mul(LANES).and_then(|numbers| numbers.checked_add(ALIGNED));
        numbers.ok_or(Error::OutOfMemory)
    }

    fn of(data: Vec<f64>, lines: usize) -> Self {
        // Where there is no telling how data are aligned, results are the same.
        let start = data.as_ptr().align_offset(ALIGNED * size_of::<f64>()).min(ALIGNED);
        Self { data, start, lines }
    }

    /// One line of each number: what a uniform number looks like to a kernel.
    pub fn of_uniforms(numbers: &[f64]) -> Result<Self, Error> {
        let mut memory = Self::unset(numbers.len())?;
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

impl Drop for Memory {
    /// Keeps it for the thread's next runs.
    fn drop(&mut self) {
        let data = std::mem::take(&mut self.data);
        if (SMALLEST_SPARE..=LARGEST_SPARE).contains(&data.len()) {
            // Where the thread ends there are no next runs.
            let _ = SPARE.try_with(|spare| keep(&mut spare.borrow_mut(), data));
        }
    }
}

/// The smallest of the spare memories that is large enough.
fn take(spare: &mut Vec<Vec<f64>>, numbers: usize) -> Option<Vec<f64>> {
    let fitting = spare.iter().enumerate().filter(|(_, data)| data.len() >= numbers);
    let (place, _) = fitting.min_by_key(|(_, data)| data.len())?;
    Some(spare.swap_remove(place))
}

/// Keeps a memory, in place of the smallest if there are too many.
fn keep(spare: &mut Vec<Vec<f64>>, data: Vec<f64>) {
    if spare.len() < MOST_SPARE {
        return spare.push(data);
    }
    if let Some(smallest) = spare.iter_mut().min_by_key(|data| data.len())
        && smallest.len() < data.len()
    {
        *smallest = data;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths() -> Vec<usize> {
        let mut lengths = SPARE.with_borrow(|spare| spare.iter().map(Vec::len).collect::<Vec<_>>());
        lengths.sort_unstable();
        lengths
    }

    #[test]
    fn the_smallest_that_is_large_enough_is_used_again() {
        let of_lines = |lines: usize| lines * LANES + ALIGNED;
        SPARE.with_borrow_mut(Vec::clear);
        let memories = [10, 40, 20].map(|lines| Memory::unset(lines).unwrap());
        drop(memories);
        assert_eq!(lengths(), [10, 20, 40].map(of_lines));
        let mut memory = Memory::unset(15).unwrap();
        assert_eq!(lengths(), [10, 40].map(of_lines));
        assert_eq!(memory.lines_mut().len(), 15);
        assert!(memory.lines().as_ptr().addr().is_multiple_of(64) || cfg!(miri));
        memory.lines_mut().fill([1.0; LANES]);
        drop(memory);
        assert_eq!(lengths(), [10, 20, 40].map(of_lines));
        assert_eq!(Memory::new(15).unwrap().lines(), [[0.0; LANES]; 15]);
    }

    #[test]
    fn few_are_kept_and_the_larger_ones() {
        let of_lines = |lines: usize| lines * LANES + ALIGNED;
        SPARE.with_borrow_mut(Vec::clear);
        drop((1..=3 * MOST_SPARE).map(|k| Memory::unset(10 * k).unwrap()).collect::<Vec<_>>());
        let largest = (2 * MOST_SPARE + 1..=3 * MOST_SPARE).map(|k| of_lines(10 * k)).collect::<Vec<_>>();
        assert_eq!(lengths(), largest);
        drop(Memory::unset(LARGEST_SPARE / LANES + 1).unwrap());
        drop(Memory::unset(1).unwrap());
        assert_eq!(lengths(), largest);
    }
}
