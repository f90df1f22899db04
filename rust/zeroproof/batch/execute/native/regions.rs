//! The regions of memory that a function works on, and how far into each.

use super::encoder::{Address, Index, LINE_BYTES, Listed, Order, Turns};
use std::ops::RangeInclusive;

/// What a region of memory is; in this order a call gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Region {
    /// Constants, parameters and what registers do not hold.
    Frame,
    /// One line of each number that is the same for every sample.
    Uniforms,
    /// The lanes of the totals.
    Lanes,
    /// By vector, the samples that are irregular.
    Irregular,
    /// By [kind](Flags), whether there is any.
    Any,
    /// By vector, the samples in which the op of a site has bounded partials.
    Saturated(u32),
    /// By vector, the samples in which the fast form of those may not hold.
    Suspected(u32),
    Column(u32),
    Element(u32),
    Slot(u32),
    Output(u32),
}

/// What stands at the beginning of the frame, a vector of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Constant {
    Bits(u64),
    Bound,
    Delta,
    Low(u32),
    High(u32),
}

/// Vectors of the frame are as wide as the widest ones.
pub(crate) const FRAME_VECTOR: usize = 64;

/// Code, and what it works on. Made by [`allocate`] alone.
#[derive(Debug)]
pub(crate) struct Allocated {
    pub code: Vec<u8>,
    pub listing: Vec<Listed>,
    pub regions: Regions,
    pub turns: Turns,
    /// By number of the region.
    pub kinds: Vec<Region>,
    pub constants: Vec<Constant>,
    /// The vectors of the frame.
    pub frame: usize,
}

/// Rows of so many numbers go past the caches where an array has so many bytes, more than a common last-level cache
/// holds. Shorter ones a processor foresees; of longer ones a turn would not fit the first-level cache.
const STREAMED_ROWS: RangeInclusive<usize> = 32..=128;
const STREAMED: usize = 24 << 20;

/// The bytes of a column that code goes through lane by lane before it goes on: several columns of so many stay in the
/// first-level cache meanwhile.
pub(crate) const SECTION: usize = 4 << 10;

impl Allocated {
    /// The bytes of a column that a call takes, of a block of so many.
    pub fn section(&self, block: usize) -> usize {
        let can =
            SECTION.is_multiple_of(self.turns.bytes(self.regions.width)) && block.is_multiple_of(SECTION);
        if self.turns.order == Order::LanesByLanes && can { SECTION } else { block }
    }

    /// By region how many numbers its rows have, if it is one of rows and those of so many samples had better go past
    /// the caches.
    pub fn streamed(&self, samples: usize) -> impl Iterator<Item = Option<usize>> {
        let is_streamed = move |&row: &usize| {
            STREAMED_ROWS.contains(&row) && samples.saturating_mul(row * size_of::<f64>()) >= STREAMED
        };
        let in_order = self.turns.order == Order::Consecutive;
        self.regions.extents.iter().map(move |extent| extent.row.filter(is_streamed).filter(|_| in_order))
    }
}

/// What code may do with memory, and how far into it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Extent {
    /// The farthest byte, beyond what an index adds.
    fixed: usize,
    /// That of addresses that grow with the samples, lanes or vectors of a block.
    by_samples: Option<usize>,
    by_lanes: Option<usize>,
    by_vectors: Option<usize>,
    /// Those of rows of results, and how many a sample has.
    by_rows: Option<usize>,
    row: Option<usize>,
    pub is_written: bool,
}

impl Extent {
    /// How far it is to what the next section works on, after one of so many bytes a column.
    pub fn step(&self, section: usize, width: usize) -> usize {
        let by_samples = if self.by_samples.is_some() { section } else { 0 };
        let by_vectors = if self.by_vectors.is_some() { section / width } else { 0 };
        let by_rows = section * self.row.unwrap_or(0);
        by_samples + by_vectors + by_rows
    }
}

/// The regions of memory that a function works on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Regions {
    pub extents: Vec<Extent>,
    /// The bytes of a vector.
    pub width: usize,
    /// Whether an address was too far for an instruction.
    pub too_far: bool,
}

impl Regions {
    pub fn new(width: usize) -> Self {
        Self { width, ..Self::default() }
    }

    /// One region more; returns its number.
    pub fn add(&mut self) -> u32 {
        self.extents.push(Extent::default());
        self.extents.len() as u32 - 1
    }

    /// An address from which so many bytes are read, or written.
    pub fn address(
        &mut self,
        region: u32,
        index: Index,
        offset: usize,
        bytes: usize,
        writes: bool,
    ) -> Address {
        let extent = &mut self.extents[region as usize];
        let end = offset + bytes;
        let far = |extent: &mut Option<usize>| *extent = Some(extent.map_or(end, |known| known.max(end)));
        match index {
            Index::None => extent.fixed = extent.fixed.max(end),
            Index::Samples => far(&mut extent.by_samples),
            Index::Lanes => far(&mut extent.by_lanes),
            Index::Vectors => far(&mut extent.by_vectors),
            Index::Rows(width) => {
                far(&mut extent.by_rows);
                extent.row = Some(width as usize);
            }
        }
        extent.is_written |= writes;
        self.too_far |= i32::try_from(end).is_err();
        Address { region, index, offset: offset as i32 }
    }

    /// The bytes that a region must have for a block of so many bytes a column.
    pub fn needed(&self, region: usize, block: usize, turns: Turns) -> usize {
        let extent = &self.extents[region];
        let last_lanes = LINE_BYTES - self.width;
        let last_samples = match turns.order {
            Order::Consecutive => block - turns.bytes(self.width),
            Order::LanesByLanes => block - turns.bytes(self.width) + last_lanes,
        };
        let last_vector = block / self.width - turns.at_once;
        let by_samples = extent.by_samples.map_or(0, |end| last_samples + end);
        let by_lanes = extent.by_lanes.map_or(0, |end| last_lanes + end);
        let by_vectors = extent.by_vectors.map_or(0, |end| last_vector + end);
        let by_rows = extent.by_rows.map_or(0, |end| last_samples * extent.row.unwrap_or(0) + end);
        extent.fixed.max(by_samples).max(by_lanes).max(by_vectors).max(by_rows)
    }
}
