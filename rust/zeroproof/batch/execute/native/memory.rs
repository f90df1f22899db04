//! Executable memory, and calls of what is in it. The one module of native code that is unsafe.
//!
//! Invariants:
//!
//! 1. Memory is written before it is executable, and never both at once. It is private to the process,
//!    nobody else holds a reference to it, and it is given back when the last [`Function`] is dropped. After
//!    a `fork` the child has a copy of its own.
//! 2. A function is made by the register allocator alone, through an encoder: nobody else makes an
//!    [`Allocated`]. It reads and writes memory only through the pointers it is given, and in each region only
//!    within the bytes that [`Regions`](super::regions::Regions) has noted: every address that is encoded goes through
//!    [`Regions::address`](super::regions::Regions::address). Only hints what to bring to the cache lead beyond, and
//!    read nothing. It calls nothing, keeps nothing on the stack but registers that it restores, and returns.
//! 3. A call checks each region's length against those notes, and that the processor has the vectors.

#![allow(unsafe_code, reason = "calling machine code is unsafe")]

use super::encoder::{LINE_BYTES, Order};
use super::regions::Allocated;
use super::switch;
use super::vectors::Vectors;
use crate::batch::execute::dispatch::{self, CACHE_LINE};
use memmap2::{Mmap, MmapMut};
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};

/// Machine code that may be called.
#[derive(Debug)]
pub(crate) struct Function {
    /// Shared by the functions of a program.
    memory: Arc<Mmap>,
    /// Where in it the function begins.
    start: usize,
    allocated: Allocated,
    /// The bytes of a column of the block in the first call, and those that each region must have then.
    needed: OnceLock<(usize, Vec<usize>)>,
}

/// Functions begin at a line of the instruction cache; between them is what stops the processor.
const ALIGNED: usize = 64;
const TRAP: u8 = 0xcc;

fn executable(code: &[u8]) -> std::io::Result<Mmap> {
    if switch::refuses() {
        return Err(std::io::Error::other("simulated"));
    }
    let mut memory = MmapMut::map_anon(code.len())?;
    memory.copy_from_slice(code);
    memory.make_exec()
}

/// A pointer to a table of pointers to regions, and the bytes of a column of the block.
type Entry = unsafe extern "sysv64" fn(*const *mut u8, usize);

impl Function {
    /// Puts the functions of a program where they can be called.
    ///
    /// # Errors
    /// Why the system refuses the memory.
    pub fn all(functions: Vec<Allocated>, vectors: Vectors) -> Result<Vec<Self>, String> {
        assert!(vectors.are_available(), "the processor has {vectors:?}");
        if functions.is_empty() {
            return Ok(vec![]);
        }
        let (mut code, mut starts) = (vec![], vec![]);
        for function in &functions {
            if function.regions.too_far {
                return Err("the program takes more than 2 GiB of memory".to_owned());
            }
            code.resize(code.len().next_multiple_of(ALIGNED), TRAP);
            starts.push(code.len());
            code.extend_from_slice(&function.code);
        }
        let memory = executable(&code).map_err(|error| {
            let reason = format!("the system refuses executable memory: {error}");
            switch::note_refusal(&reason);
            reason
        })?;
        let memory = Arc::new(memory);
        let place = |(allocated, start)| {
            let memory = Arc::clone(&memory);
            Self { memory, start, allocated, needed: OnceLock::new() }
        };
        Ok(functions.into_iter().zip(starts).map(place).collect())
    }

    /// What the code works on.
    pub fn allocated(&self) -> &Allocated {
        &self.allocated
    }

    /// Whether a block with columns of so many bytes can be taken in whole turns.
    pub fn fits(&self, block: usize) -> bool {
        let turn = self.allocated.turns.bytes(self.allocated.regions.width);
        block > 0 && block.is_multiple_of(LINE_BYTES) && block.is_multiple_of(turn)
    }

    /// A call to be filled with the regions in order, on a block with columns of so many bytes.
    #[inline]
    pub fn call<'f, 'a>(&'f self, table: &'f mut Vec<*mut u8>, block: usize) -> Call<'f, 'a> {
        assert!(self.fits(block), "the block is taken in whole turns");
        table.clear();
        Call { function: self, table, block, streams: vec![], regions: PhantomData }
    }
}

/// A call that is being made ready.
pub(crate) struct Call<'f, 'a> {
    function: &'f Function,
    table: &'f mut Vec<*mut u8>,
    block: usize,
    streams: Vec<Stream<'a>>,
    regions: PhantomData<&'a mut [f64]>,
}

/// A region of rows that go past the caches: code writes those of a turn elsewhere, behind what is left of the one
/// before.
struct Stream<'a> {
    region: usize,
    to: &'a mut [f64],
    turn: *mut f64,
    /// How many numbers a turn has.
    numbers: usize,
    /// How many are left, less than a line of the caches.
    left: usize,
}

impl Stream<'_> {
    /// Writes the lines of the caches that are complete after a turn, or all that is left after the last one.
    fn advance(&mut self, is_last: bool) {
        let there = self.left + self.numbers;
        // SAFETY: so many numbers are there, as `Call::stream` made sure, and while code does not run nobody else uses
        // them.
        let turn = unsafe { std::slice::from_raw_parts_mut(self.turn, there) };
        let to = std::mem::take(&mut self.to);
        let begun = to.as_ptr().align_offset(CACHE_LINE * size_of::<f64>()).min(there);
        let whole = if is_last { there } else { begun + (there - begun) / CACHE_LINE * CACHE_LINE };
        let (written, rest) = to.split_at_mut(whole);
        dispatch::stream(written, &turn[..whole]);
        turn.copy_within(whole.., 0);
        (self.to, self.left) = (rest, there - whole);
    }
}

impl<'a> Call<'_, 'a> {
    #[inline]
    fn push(&mut self, pointer: *mut u8, bytes: usize, may_write: bool) {
        self.push_for(pointer, bytes, may_write, self.block);
    }

    /// The next region, as long as code needs it for so many bytes of a column.
    fn push_for(&mut self, pointer: *mut u8, bytes: usize, may_write: bool, block: usize) {
        let region = self.table.len();
        let Allocated { regions, turns, .. } = &self.function.allocated;
        let of_first = |block: usize| {
            let all = 0..regions.extents.len();
            (block, all.map(|region| regions.needed(region, block, *turns)).collect())
        };
        // All blocks of a run are alike.
        let (first, known) = self.function.needed.get_or_init(|| of_first(block));
        let needed = match *first == block {
            true => known[region],
            false => regions.needed(region, block, *turns),
        };
        assert!(bytes >= needed, "region {region} has {bytes} bytes of {needed}");
        assert!(may_write || !regions.extents[region].is_written, "region {region} is written");
        self.table.push(pointer);
    }

    /// The next region, which is only read.
    #[inline]
    pub fn read(&mut self, numbers: &'a [f64]) {
        self.push(numbers.as_ptr().cast_mut().cast(), size_of_val(numbers), false);
    }

    /// The next region, which may be written.
    #[inline]
    pub fn write(&mut self, numbers: &'a mut [f64]) {
        self.push(numbers.as_mut_ptr().cast(), size_of_val(numbers), true);
    }

    /// The next region, of rows that go past the caches. Those of a turn are put together in `turn` first.
    pub fn stream(&mut self, rows: &'a mut [f64], turn: &'a mut [f64]) {
        let Allocated { regions, turns, .. } = &self.function.allocated;
        let (region, bytes) = (self.table.len(), turns.bytes(regions.width));
        assert!(size_of_val(rows) >= regions.needed(region, self.block, *turns), "the rows of the block");
        let numbers = rows.len() / (self.block / bytes);
        assert!(
            turn.len() >= numbers + CACHE_LINE && turns.order == Order::Consecutive,
            "turns come one by one"
        );
        self.push_for(turn.as_mut_ptr().cast(), size_of_val(turn), true, bytes);
        self.streams.push(Stream { region, to: rows, turn: turn.as_mut_ptr(), numbers, left: 0 });
    }

    /// The next region, of bytes.
    #[inline]
    pub fn write_bytes(&mut self, bytes: &'a mut [u8]) {
        self.push(bytes.as_mut_ptr(), bytes.len(), true);
    }

    /// Makes the call, section by section of the block.
    pub fn run(self) {
        let Self { function, table, block, mut streams, .. } = self;
        let Allocated { regions, .. } = &function.allocated;
        assert!(table.len() == regions.extents.len(), "every region is given");
        let section = match streams.is_empty() {
            true => function.allocated.section(block),
            false => function.allocated.turns.bytes(regions.width),
        };
        // SAFETY: the memory holds a function of this type (invariant 2).
        let entry = unsafe {
            let entry = function.memory.as_ptr().add(function.start);
            std::mem::transmute::<*const u8, Entry>(entry)
        };
        for number in 0..block / section {
            if number > 0 {
                for (region, pointer) in table.iter_mut().enumerate() {
                    if !streams.iter().any(|stream| stream.region == region) {
                        // Within the region, since a section follows.
                        *pointer = pointer.wrapping_add(regions.extents[region].step(section, regions.width));
                    }
                }
            }
            // SAFETY: it works on the regions only. They are as long as it needs for the block, so from here on for
            // the section, and, where it writes, borrowed as such for `'a`, which outlasts the call. What it needs
            // of the processor was there when it was made.
            unsafe { entry(table.as_ptr(), section) };
            for stream in &mut streams {
                stream.advance((number + 1) * section == block);
                table[stream.region] = stream.turn.wrapping_add(stream.left).cast();
            }
        }
        if !streams.is_empty() {
            dispatch::settle();
        }
    }
}
