//! What the register allocator asks of an instruction set.

use super::lanes::{Lanes, Shuffle};
use super::steps::{Arithmetic, Class, Comparison, Logic, Rounding};
use crate::batch::execute::slots::LANES;

/// A register of vectors or of masks, by number.
pub(crate) type Register = u8;

/// What grows from vector to vector and is added to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Index {
    /// Nothing.
    None,
    /// The bytes of a column before the vector at hand.
    Samples,
    /// The vectors before the one at hand.
    Vectors,
    /// The bytes before the lanes at hand, in a line.
    Lanes,
    /// The bytes before the rows of the vector at hand, of so many numbers each.
    Rows(u32),
}

/// A place in memory: a region, and where in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub region: u32,
    pub index: Index,
    pub offset: i32,
}

/// A vector in a register or in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operand {
    Register(Register),
    Memory(Address),
}

/// How the vectors of a block follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// As they lie.
    Consecutive,
    /// All of the first lanes of the lines, then all of the next ones, so that sums over lines stay in
    /// registers.
    LanesByLanes,
}

/// The bytes of a line of samples.
pub(crate) const LINE_BYTES: usize = LANES * size_of::<f64>();

/// The turns of the loop over the vectors of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turns {
    pub order: Order,
    /// How many vectors a turn takes.
    pub at_once: usize,
}

impl Turns {
    /// The bytes of a column between the vectors of a turn, of vectors with so many.
    pub fn stride(self, width: usize) -> usize {
        match self.order {
            Order::Consecutive => width,
            Order::LanesByLanes => LINE_BYTES,
        }
    }

    /// The bytes of a column from turn to turn.
    pub fn bytes(self, width: usize) -> usize {
        self.at_once * self.stride(width)
    }
}

/// A machine instruction as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub text: String,
    /// The instruction of the program it comes from, and the vector of the turn; `None` for what goes around the
    /// loop.
    pub origin: Option<(u32, u8)>,
}

/// What an encoder has written.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub code: Vec<u8>,
    /// Empty unless the encoder was made to keep it.
    pub listing: Vec<Listed>,
}

/// Writes instructions. Every method appends one operation, or what comes to it.
pub(crate) trait Encoder {
    /// The registers for vectors.
    fn vectors(&self) -> u8;
    /// Those for masks; 0 if masks are vectors.
    fn masks(&self) -> u8;
    /// The bytes of a vector.
    fn width(&self) -> usize;

    /// Says what the following comes from, for a listing.
    fn comes_from(&mut self, origin: Option<(u32, u8)>);

    fn load(&mut self, to: Register, from: Address);
    fn store(&mut self, to: Address, from: Register);
    fn store_lanes(&mut self, to: Address, from: Register, lanes: Lanes);
    /// Has a line of memory brought to the second-level cache, if there is one at the address.
    fn prefetch(&mut self, at: Address);
    fn load_mask(&mut self, to: Register, from: Address);
    fn store_mask(&mut self, to: Address, from: Register);
    /// Writes one bit for each sample.
    fn store_bits(&mut self, to: Address, mask: Register);
    /// Sets a bit for each sample in which the mask holds.
    fn set_bits(&mut self, of: Address, mask: Register);
    fn arithmetic(&mut self, kind: Arithmetic, to: Register, a: Register, b: Operand);
    /// Adds a number where the mask holds. Only asked where masks have registers of their own.
    fn add_where(&mut self, to: Register, mask: Register, a: Operand);
    fn shuffle(&mut self, kind: Shuffle, to: Register, a: Register, b: Operand);
    /// The smaller one of a number, which is not negative nor NaN, and a magnitude; NaN is passed over.
    fn least(&mut self, to: Register, a: Register);
    fn root(&mut self, to: Register, a: Operand);
    fn round(&mut self, rounding: Rounding, to: Register, a: Operand);
    fn compare(&mut self, comparison: Comparison, to: Register, a: Register, b: Operand);
    /// Only asked where the processor tells classes of numbers.
    fn classify(&mut self, class: Class, to: Register, a: Operand, within: Option<Register>);
    /// Sets no lane.
    fn clear_mask(&mut self, to: Register);
    fn combine(&mut self, logic: Logic, to: Register, a: Register, b: Register);
    fn not(&mut self, to: Register, a: Register);
    /// `a` where the mask holds, else `b`.
    fn choose(&mut self, to: Register, mask: Register, a: Operand, b: Register);

    /// Skips what follows, up to the landing, unless the mask holds for some sample.
    fn skip_unless(&mut self, mask: Register);
    fn land(&mut self);

    /// Begins the function; the pointers to these regions are used most. Of regions of rows it is said how many
    /// numbers these have.
    fn begin(&mut self, regions: &[(u32, Option<u32>)]);
    /// Begins the loop over the lanes of a line, a vector at a time, if there is one.
    fn begin_lanes(&mut self, turns: Turns);
    /// Begins the loop over the vectors of the block.
    fn begin_vectors(&mut self, turns: Turns);
    fn end_vectors(&mut self, turns: Turns);
    fn end_lanes(&mut self, turns: Turns);
    /// Ends the function.
    ///
    /// # Errors
    /// What could not be encoded.
    fn finish(self) -> Result<Encoded, String>;
}
