//! The memory that a block is worked out in.

/// How many samples the loops of a kernel take at once. Every block is a multiple of it.
pub(super) const LANES: usize = 32;

/// Consecutive samples of one number.
pub(super) type Line = [f64; LANES];

const CACHE_LINE: usize = 64;

/// The numbers of a block, one a sample, aligned to cache lines.
#[derive(Debug, Default)]
pub(super) struct Slot {
    data: Vec<f64>,
    start: usize,
    len: usize,
}

impl Slot {
    /// Room for so many samples.
    pub fn new(samples: usize) -> Self {
        let data = vec![0.0; samples + CACHE_LINE / size_of::<f64>()];
        let start = data.as_ptr().align_offset(CACHE_LINE).min(CACHE_LINE / size_of::<f64>());
        Self { data, start, len: samples }
    }

    #[inline(always)]
    pub fn samples(&self) -> &[f64] {
        &self.data[self.start..self.start + self.len]
    }

    #[inline(always)]
    pub fn samples_mut(&mut self) -> &mut [f64] {
        &mut self.data[self.start..self.start + self.len]
    }

    #[inline(always)]
    pub fn lines(&self) -> &[Line] {
        self.samples().as_chunks().0
    }

    #[inline(always)]
    pub fn lines_mut(&mut self) -> &mut [Line] {
        self.samples_mut().as_chunks_mut().0
    }
}

/// What a block reads besides its slots.
#[derive(Debug)]
pub(super) struct BlockInputs<'a> {
    /// By argument, all its numbers: as lines if there is one a sample, else as rows.
    pub columns: &'a [&'a [Line]],
    pub rows: &'a [&'a [f64]],
    /// By argument: how many numbers a sample has.
    pub widths: &'a [usize],
    pub uniforms: &'a [f64],
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

    /// The rows of the block's samples; where the samples end, so do they.
    pub fn rows(&self, argument: usize) -> std::slice::ChunksExact<'a, f64> {
        let (rows, width) = (self.rows[argument], self.widths[argument]);
        let start = self.first_line * LANES * width;
        let end = rows.len().min(start + self.lines * LANES * width);
        rows[start..end].chunks_exact(width)
    }
}
