//! The back end of native code, with the block interpreter for the rest.

use super::encoder::{LINE_BYTES, Order};
use super::memory::Call;
use super::program::{Kernel, NativeProgram, Part, Piece, Results, Tells};
use super::regions::{Allocated, Constant, FRAME_VECTOR, Region};
use super::steps::Flags;
use super::switch;
use crate::batch::compile::code::{Code, Source};
use crate::batch::compile::plan::Plan;
use crate::batch::execute::backend::{Arrays, Backend, Destination, Partials, Replay};
use crate::batch::execute::dispatch::Width;
use crate::batch::execute::kernels::HasNonReal;
use crate::batch::execute::lines::Lines;
use crate::batch::execute::machine::Machine;
use crate::batch::execute::slots::{BlockInputs, LANES, Line, Memory};
use crate::error::Error;
use std::sync::atomic::Ordering;

/// Blocks with suspect samples in a row after which a worker leaves the task to the interpreter.
const PATIENCE: u32 = 8;

/// How many samples the block interpreter replays in the time that one takes by itself, as it is interpreted or recorded.
const INTERPRETED: usize = 16;
const RECORDED: usize = 512;

/// Where the code notes a doubt.
const DOUBT: usize = 2;

/// Blocks with a doubt in a row after which code tells at once which samples are not regular, and blocks without such
/// samples after which it does no longer.
const TRUST: u32 = 2;

/// What one worker needs to run a program.
pub(crate) struct NativeBackend<'m> {
    machine: Machine<'m>,
    program: Option<(&'m Plan, &'m NativeProgram)>,
    /// The samples of the run.
    samples: usize,
    /// The kernel that made the results of the last block; `None` if the interpreter did.
    last: Option<&'m Kernel>,
    /// The kernel whose frames are there.
    framed: Option<&'m Kernel>,
    /// Blocks in a row that the interpreter had to replay.
    replayed: u32,
    /// Blocks in a row that had to be replayed to tell which samples are not regular.
    doubted: u32,
    /// Blocks in a row without such samples since it is asked at once.
    regular: u32,
    /// Whether the totals of the last block are added up but for its irregular samples.
    has_added: bool,
    /// Whether an irregular sample of the last blocks had a REAL value, which belongs to the totals.
    adds_irregular: bool,
    /// Blocks that native code replayed.
    blocks: u64,
    buffers: Buffers<'m>,
}

#[derive(Default)]
struct Buffers<'m> {
    table: Vec<*mut u8>,
    slots: Vec<(u32, &'m mut [Line])>,
    /// By piece of the kernel at hand: constants and parameters, and what registers do not hold.
    frames: Vec<Memory>,
    /// By loaded element: its column.
    elements: Vec<Memory>,
    /// By native part, a byte for each vector: its samples that are irregular.
    irregular: Vec<u8>,
    /// By site, a byte for each vector: its samples with bounded partials.
    saturated: Vec<Vec<u8>>,
    /// By site, a byte for each vector: its samples whose bounded partials are suspect.
    suspected: Vec<Vec<u8>>,
    /// By kind of flags, then for doubts: whether there is any in the part at hand.
    any: [u8; 3],
    lanes: Vec<Line>,
    /// By array whose rows go past the caches: those of a line of samples.
    rows: Vec<Memory>,
}

impl<'m> NativeBackend<'m> {
    /// With the slots of a block interpreter, and a program if native code is to run.
    pub fn new(machine: Machine<'m>, program: Option<(&'m Plan, &'m NativeProgram)>, samples: usize) -> Self {
        let doubted = program.map_or(0, |(_, program)| program.doubted.load(Ordering::Relaxed));
        Self {
            machine,
            program,
            samples,
            last: None,
            framed: None,
            replayed: 0,
            doubted,
            regular: 0,
            has_added: false,
            adds_irregular: false,
            blocks: 0,
            buffers: Buffers::default(),
        }
    }

    fn kernel(&self, results: Results, tells: Tells) -> Option<&'m Kernel> {
        let (plan, program) = self.program?;
        program.kernel(plan, results, tells).ok()
    }

    /// Runs a kernel. Returns whether the results hold, and whether some sample may be irregular.
    fn run(&mut self, kernel: &'m Kernel, block: &mut Replay<'_, '_>) -> (bool, bool) {
        let vectors = block.inputs.lines * LINE_BYTES / self.vector_bytes();
        let pieces = kernel.pieces().count();
        self.buffers.irregular.clear();
        self.buffers.irregular.resize(vectors * pieces, 0);
        let mut irregular = false;
        if self.prepare(kernel, block.inputs, block.partials).is_err() {
            return (false, true); // the interpreter has its memory already
        }
        self.machine.begin();
        let mut number = 0;
        for part in &kernel.parts {
            match part {
                Part::Interpreted(range) => {
                    self.machine.carry_out_some(range.clone(), block.code, block.inputs, block.partials);
                }
                Part::Native(piece) => {
                    self.call(piece, number, vectors, block);
                    number += 1;
                    let Buffers { any, irregular: bits, .. } = &self.buffers;
                    let bits = &bits[(number - 1) * vectors..number * vectors];
                    let suspect = any[Flags::Suspect as usize] != 0;
                    if any[DOUBT] != 0 || suspect && (kernel.tells == Tells::Whether || are_many(bits, block))
                    {
                        return (false, true);
                    }
                    irregular |= suspect || any[Flags::Irregular as usize] != 0;
                }
            }
        }
        self.last = Some(kernel);
        self.blocks += 1;
        (true, irregular)
    }

    fn vector_bytes(&self) -> usize {
        self.program.map_or(FRAME_VECTOR, |(_, program)| program.key.vectors.bytes())
    }

    /// Copies the elements of rows to columns, and makes the frames of the kernel's pieces and room for
    /// streamed rows unless they are there.
    fn prepare(
        &mut self,
        kernel: &'m Kernel,
        inputs: &BlockInputs<'_>,
        partials: Partials<'_>,
    ) -> Result<(), Error> {
        let Buffers { elements, frames, rows, .. } = &mut self.buffers;
        while elements.len() < kernel.elements.len() {
            elements.push(Memory::new(inputs.lines)?);
        }
        if !self.framed.is_some_and(|framed| std::ptr::eq(framed, kernel)) {
            self.framed = None; // also if there is no memory for all of them
            frames.clear();
            for piece in kernel.pieces() {
                let allocated = piece.function.allocated();
                let mut frame = Memory::unset((allocated.frame * FRAME_NUMBERS).div_ceil(LANES))?;
                fill_frame(&mut frame, allocated, partials);
                frames.push(frame);
            }
            self.framed = Some(kernel);
        }
        for part in &kernel.parts {
            let Part::Native(piece) = part else { continue };
            for (number, row) in piece.function.allocated().streamed(self.samples).flatten().enumerate() {
                if rows.len() == number {
                    rows.push(Memory::default());
                }
                // As many lines of numbers as a row has numbers, and room for what is left of the turn before.
                if rows[number].lines().len() <= row {
                    rows[number] = Memory::new(row + 1)?;
                }
            }
        }
        for (&(argument, element), column) in kernel.elements.iter().zip(elements) {
            let column = column.lines_mut().as_flattened_mut();
            for (sample, row) in column.iter_mut().zip(inputs.rows(argument as usize)) {
                *sample = row[element as usize];
            }
        }
        Ok(())
    }

    /// Calls a piece of code.
    fn call(&mut self, piece: &Piece, number: usize, vectors: usize, block: &mut Replay<'_, '_>) {
        let allocated = piece.function.allocated();
        let Buffers { table, slots, frames, elements, irregular, any, saturated, suspected, rows, .. } =
            &mut self.buffers;
        *any = [0; 3];
        let (mut of_saturated, mut of_suspected) = (0, 0);
        let cleared = |all: &mut Vec<Vec<u8>>, site: &mut usize| {
            if all.len() == *site {
                all.push(vec![]);
            }
            all[*site].clear();
            all[*site].resize(vectors, 0);
            *site += 1;
        };
        for region in &allocated.kinds {
            match *region {
                Region::Slot(slot) => slots.push((slot, self.machine.take(slot))),
                Region::Saturated(_) => cleared(saturated, &mut of_saturated),
                Region::Suspected(_) => cleared(suspected, &mut of_suspected),
                _ => {}
            }
        }
        let mut of_block = Given {
            code: block.code,
            inputs: block.inputs,
            slots: slots.iter_mut(),
            elements,
            frame: frames.get_mut(number),
            lanes: Some(block.lanes),
            irregular: Some(&mut irregular[number * vectors..][..vectors]),
            any: Some(any),
            saturated: saturated.iter_mut(),
            suspected: suspected.iter_mut(),
            outputs: block.destination.as_mut().map(Destination::arrays),
            rows: rows.iter_mut(),
        };
        let mut call = piece.function.call(table, block.inputs.lines * LINE_BYTES);
        for (&region, row) in allocated.kinds.iter().zip(allocated.streamed(self.samples)) {
            of_block.give(region, row.is_some(), &mut call);
        }
        call.run();
        for (slot, lines) in slots.drain(..) {
            self.machine.put(slot, lines);
        }
        if any[Flags::Suspect as usize] != 0 {
            for bits in &suspected[..of_suspected] {
                let irregular = irregular[number * vectors..].iter_mut();
                irregular.zip(bits).for_each(|(irregular, &bits)| *irregular |= bits);
            }
        }
        let mut of_sites = saturated.iter();
        let place = Place::of(allocated, block.inputs.lines, vectors);
        for region in &allocated.kinds {
            if let Region::Saturated(site) = *region
                && let Some(bits) = of_sites.next()
            {
                // No lines where there are none.
                let lines = self.machine.saturated_mut(site);
                if bits.iter().any(|&bits| bits != 0) {
                    lines.resize(block.inputs.lines, 0);
                    place.add_to_lines(bits, lines);
                }
            }
        }
    }
}

/// Whether the block interpreter takes less time than computing these samples one by one.
fn are_many(bits: &[u8], block: &Replay<'_, '_>) -> bool {
    let found: usize = bits.iter().map(|bits| bits.count_ones() as usize).sum();
    let by_itself = if block.code.is_directional { RECORDED } else { INTERPRETED };
    found * by_itself > block.inputs.lines * LANES
}

/// Where vectors of so many lanes are in a block, by the order of the code's loop over the lines of a section.
#[derive(Clone, Copy)]
struct Place {
    order: Order,
    section: usize,
    lanes: usize,
}

impl Place {
    /// Of the vectors of a piece of code, so many in a block of these lines.
    fn of(allocated: &Allocated, lines: usize, vectors: usize) -> Self {
        let section = allocated.section(lines * LINE_BYTES) / LINE_BYTES;
        Self { order: allocated.turns.order, section, lanes: lines * LANES / vectors }
    }

    /// Sets the samples of a byte for each vector in the lines of a block, of a bit for each sample.
    fn add_to_lines(self, bits: &[u8], found: &mut [u32]) {
        let Self { order, section, lanes } = self;
        let parts = LANES / lanes;
        match order {
            Order::Consecutive => {
                for (line, bits) in found.iter_mut().zip(bits.chunks_exact(parts)) {
                    let parts = bits.iter().enumerate();
                    *line |= parts.fold(0, |all, (part, &bits)| all | u32::from(bits) << (part * lanes));
                }
            }
            Order::LanesByLanes => {
                for (found, bits) in found.chunks_exact_mut(section).zip(bits.chunks_exact(section * parts)) {
                    for (part, bits) in bits.chunks_exact(section).enumerate() {
                        let lines = found.iter_mut().zip(bits);
                        lines.for_each(|(line, &bits)| *line |= u32::from(bits) << (part * lanes));
                    }
                }
            }
        }
    }
}

/// The regions of a block, each given once.
struct Given<'a, 'm, 'o> {
    code: &'a Code,
    inputs: &'a BlockInputs<'a>,
    slots: std::slice::IterMut<'a, (u32, &'m mut [Line])>,
    elements: &'a [Memory],
    frame: Option<&'a mut Memory>,
    lanes: Option<&'a mut [Line]>,
    irregular: Option<&'a mut [u8]>,
    any: Option<&'a mut [u8]>,
    saturated: std::slice::IterMut<'a, Vec<u8>>,
    suspected: std::slice::IterMut<'a, Vec<u8>>,
    outputs: Option<Arrays<'a, 'o>>,
    rows: std::slice::IterMut<'a, Memory>,
}

impl<'a> Given<'a, '_, '_> {
    /// Gives a region; of rows it is said whether they go past the caches.
    fn give(&mut self, region: Region, is_streamed: bool, call: &mut Call<'_, 'a>) {
        match region {
            Region::Frame => {
                call.write(self.frame.take().map_or(&mut [], |frame| frame.lines_mut().as_flattened_mut()));
            }
            Region::Uniforms => call.read(self.inputs.uniforms.as_flattened()),
            Region::Lanes => call.write(self.lanes.take().map_or(&mut [], |l| l.as_flattened_mut())),
            Region::Irregular => call.write_bytes(self.irregular.take().unwrap_or_default()),
            Region::Saturated(_) => {
                call.write_bytes(self.saturated.next().map_or(&mut [], |bits| &mut bits[..]));
            }
            Region::Suspected(_) => {
                call.write_bytes(self.suspected.next().map_or(&mut [], |bits| &mut bits[..]));
            }
            Region::Any => call.write_bytes(self.any.take().unwrap_or_default()),
            Region::Column(argument) => call.read(self.inputs.column(argument).as_flattened()),
            Region::Element(element) => call.read(self.elements[element as usize].lines().as_flattened()),
            Region::Slot(_) => {
                call.write(self.slots.next().map_or(&mut [], |(_, lines)| lines.as_flattened_mut()));
            }
            Region::Output(number) => {
                let array =
                    self.outputs.as_mut().and_then(|outputs| outputs.next(self.code, number as usize));
                let array = array.unwrap_or_default();
                match if is_streamed { self.rows.next() } else { None } {
                    Some(line) => call.stream(array, line.lines_mut().as_flattened_mut()),
                    None => call.write(array),
                }
            }
        }
    }
}

/// The numbers of a vector of the frame.
const FRAME_NUMBERS: usize = FRAME_VECTOR / size_of::<f64>();

/// Puts constants and parameters into the frame.
fn fill_frame(frame: &mut Memory, allocated: &Allocated, partials: Partials<'_>) {
    let bound = match partials {
        Partials::Bounded(bound) => bound,
        Partials::Deciding(state) => state.bound(),
        Partials::Classical => f64::NAN,
    };
    let (delta, regions) = match partials {
        Partials::Deciding(state) => (state.delta(), state.regions()),
        _ => (None, &[][..]),
    };
    // Those that the code has beyond the regions there are contain nothing.
    let region = |number: u32| regions.get(number as usize);
    let vectors = frame.lines_mut().as_flattened_mut().chunks_exact_mut(FRAME_NUMBERS);
    for (vector, constant) in vectors.zip(&allocated.constants) {
        vector.fill(match *constant {
            Constant::Bits(bits) => f64::from_bits(bits),
            Constant::Bound => bound,
            Constant::Delta => delta.unwrap_or(-1.0),
            Constant::Low(number) => region(number).map_or(f64::INFINITY, |region| region.low),
            Constant::High(number) => region(number).map_or(f64::NEG_INFINITY, |region| region.high),
        });
    }
}

impl Backend for NativeBackend<'_> {
    fn replay(&mut self, mut block: Replay<'_, '_>) -> bool {
        (self.last, self.has_added) = (None, false);
        let sums = !block.totals.is_empty();
        let results = match (&block.destination, sums) {
            (None, _) => Results::InSlots,
            (Some(_), false) => Results::Written,
            (Some(_), true) => Results::AddedUp,
        };
        if self.replayed >= PATIENCE || (sums && results != Results::AddedUp) {
            return self.machine.replay(block);
        }
        if self.doubted < TRUST
            && let Some(kernel) = self.fitting(results, Tells::Whether, &block)
        {
            match self.run_once(kernel, &mut block) {
                (true, false) => {
                    self.doubted = 0;
                    return self.held(false);
                }
                _ => self.doubted += 1,
            }
        }
        // Where an irregular sample has a REAL value, the block is added up from slots.
        let from_slots = sums && self.adds_irregular;
        let results = if from_slots { Results::InSlots } else { results };
        let Some(kernel) = self.fitting(results, Tells::Which, &block) else {
            return self.machine.replay(block);
        };
        let (holds, irregular) = if from_slots {
            self.run(kernel, &mut Replay::in_slots(block.code, block.inputs, block.partials))
        } else {
            self.run_once(kernel, &mut block)
        };
        self.regular = if holds && !irregular { self.regular + 1 } else { 0 };
        if self.doubted >= TRUST && self.regular >= 8 * TRUST {
            (self.doubted, self.regular) = (0, 0);
        }
        if !holds {
            return self.interpret(block);
        }
        self.has_added = sums && !from_slots;
        // If nothing but a sum is not REAL, no irregular sample is found.
        self.held(irregular || from_slots || sums && Width::widest().run(HasNonReal(block.lanes)))
    }

    fn lines<'s>(&'s self, inputs: &'s BlockInputs<'_>, source: Source) -> Lines<'s> {
        self.machine.lines(inputs, source)
    }

    fn has_written(&self, number: usize) -> bool {
        self.last.is_some_and(|kernel| kernel.written[number])
    }

    fn has_added_regular(&self) -> bool {
        self.has_added
    }

    fn expect_values(&mut self, are_expected: bool) {
        self.adds_irregular = are_expected;
    }

    fn find_irregular(&self, inputs: &BlockInputs<'_>, checks: &[Source], found: &mut [u32]) {
        let Some(kernel) = self.last else {
            return self.machine.find_irregular(inputs, checks, found);
        };
        let vectors = inputs.lines * LINE_BYTES / self.vector_bytes();
        let places =
            kernel.pieces().map(|piece| Place::of(piece.function.allocated(), inputs.lines, vectors));
        for (bits, place) in self.buffers.irregular.chunks_exact(vectors).zip(places) {
            place.add_to_lines(bits, found);
        }
    }

    fn saturated(&self, site: usize) -> &[u32] {
        self.machine.saturated(site)
    }
}

impl Drop for NativeBackend<'_> {
    fn drop(&mut self) {
        switch::count_blocks(self.blocks);
        if let Some((_, program)) = self.program {
            program.doubted.store(self.doubted, Ordering::Relaxed);
        }
    }
}

impl<'m> NativeBackend<'m> {
    /// The kernel for a block, if there is one.
    fn fitting(&self, results: Results, tells: Tells, block: &Replay<'_, '_>) -> Option<&'m Kernel> {
        self.kernel(results, tells).filter(|kernel| kernel.fits(block.inputs.lines * LINE_BYTES))
    }

    /// Runs a kernel, which adds to totals only if its results hold. Returns the same as `run`. One that does not
    /// tell which samples are irregular adds nothing if some may be; a total that is not REAL is a sign of that.
    fn run_once(&mut self, kernel: &'m Kernel, block: &mut Replay<'_, '_>) -> (bool, bool) {
        if block.totals.is_empty() {
            return self.run(kernel, block);
        }
        self.buffers.lanes.clear();
        self.buffers.lanes.extend_from_slice(block.lanes);
        let (holds, irregular) = self.run(kernel, block);
        let irregular =
            irregular || kernel.tells == Tells::Whether && Width::widest().run(HasNonReal(block.lanes));
        if !holds || irregular && kernel.tells == Tells::Whether {
            block.lanes.copy_from_slice(&self.buffers.lanes);
        } else {
            for (summand, lanes) in block.totals.iter().zip(&mut *block.lanes) {
                if summand.source.is_none() {
                    lanes[0] += 0.0;
                }
            }
        }
        (holds, irregular)
    }

    /// The last block's results hold.
    fn held(&mut self, irregular: bool) -> bool {
        self.replayed = 0;
        irregular
    }

    /// Has the interpreter replay a block with suspect samples.
    fn interpret(&mut self, block: Replay<'_, '_>) -> bool {
        self.replayed += 1;
        self.last = None;
        self.machine.replay(block)
    }
}
