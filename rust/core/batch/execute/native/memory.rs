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
//!    [`Regions::address`](super::regions::Regions::address). It calls nothing, keeps nothing on the stack but registers that it restores, and
//!    returns.
//! 3. A call checks each region's length against those notes, and that the processor has the vectors.

#![allow(unsafe_code, reason = "calling machine code is unsafe")]

use super::encoder::LINE_BYTES;
use super::regions::Allocated;
use super::switch;
use super::x86::Vectors;
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
        Call { function: self, table, block, regions: PhantomData }
    }
}

/// A call that is being made ready.
pub(crate) struct Call<'f, 'a> {
    function: &'f Function,
    table: &'f mut Vec<*mut u8>,
    block: usize,
    regions: PhantomData<&'a mut [f64]>,
}

impl<'a> Call<'_, 'a> {
    #[inline]
    fn push(&mut self, pointer: *mut u8, bytes: usize, may_write: bool) {
        let region = self.table.len();
        let Allocated { regions, turns, .. } = &self.function.allocated;
        let of_first = |block: usize| {
            let all = 0..regions.extents.len();
            (block, all.map(|region| regions.needed(region, block, *turns)).collect())
        };
        // All blocks of a run are alike.
        let (first, known) = self.function.needed.get_or_init(|| of_first(self.block));
        let needed = match *first == self.block {
            true => known[region],
            false => regions.needed(region, self.block, *turns),
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

    /// The next region, of bytes.
    #[inline]
    pub fn write_bytes(&mut self, bytes: &'a mut [u8]) {
        self.push(bytes.as_mut_ptr(), bytes.len(), true);
    }

    /// Makes the call.
    pub fn run(self) {
        assert!(self.table.len() == self.function.allocated.regions.extents.len(), "every region is given");
        // SAFETY: the memory holds a function of this type (invariant 2), which works on the regions only.
        // They are as long as it needs and, where it writes, borrowed as such for `'a`, which outlasts the
        // call. What it needs of the processor was there when it was made.
        unsafe {
            let entry = self.function.memory.as_ptr().add(self.function.start);
            let entry = std::mem::transmute::<*const u8, Entry>(entry);
            entry(self.table.as_ptr(), self.block);
        }
    }
}
