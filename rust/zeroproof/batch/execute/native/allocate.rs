//! Registers: a linear scan over the steps of a vector, which writes them out as it goes.
//!
//! The code is straight, so each value's next use is known. Where registers run out, the one is given up
//! whose value is read latest: to the frame, or, if it lies in memory anyway, just so. Numbers that are the
//! same for every sample stay in the registers that are left over; the others are read in place.

mod registers;
mod shape;

use super::encoder::{Encoded, Encoder, Index, Operand, Register, Turns};
use super::regions::{Allocated, Constant, Region, Regions};
use super::steps::{Arithmetic, Comparison, Doubt, Flags, Id, Logic, Place, Step, Steps};
use shape::{FOR_LOADS, doubts_of, flags_of, is_invariant, output_of};
use std::collections::HashMap;

pub(crate) use shape::Shape;

/// One of the vectors that are in flight at once, of a value; invariants have just one.
type Copy = (Id, u8);

const NOWHERE: Register = Register::MAX;

/// A class of registers.
#[derive(Debug, Default)]
struct Pool {
    /// What each register holds.
    held: Vec<Option<Copy>>,
    /// Whether its value stays in the whole loop.
    pinned: Vec<bool>,
    free: Vec<Register>,
}

impl Pool {
    fn new(registers: u8) -> Self {
        let count = registers as usize;
        Self { held: vec![None; count], pinned: vec![false; count], free: (0..registers).rev().collect() }
    }
}

struct Allocator<'s, E> {
    steps: &'s Steps,
    encoder: E,
    regions: Regions,
    numbers: HashMap<Region, u32>,
    kinds: Vec<Region>,
    constants: Vec<Constant>,
    /// By value: which constant it is, if it is one.
    constant: Vec<usize>,
    turns: Turns,
    /// Vectors, and masks where they have registers of their own.
    pools: [Pool; 2],
    /// By value and vector in flight: the register that holds it.
    register: Vec<Register>,
    /// By the same: where in the frame it is.
    spilled: Vec<Option<u32>>,
    frame: u32,
    free_frame: Vec<u32>,
    /// Vectors of the frame that the step at hand may still read.
    dying_frame: Vec<u32>,
    /// By value and vector in flight: when it is read, the last time first.
    uses: Vec<Vec<u32>>,
    /// By value: where it lies, if it is a load.
    place: Vec<Option<Place>>,
    /// Registers that the step at hand reads.
    locked: Vec<(usize, Register)>,
    accumulators: Vec<Option<Register>>,
    /// By kind of flags: the register of masks that gathers them.
    flags: [Option<Register>; 2],
    /// By kind of doubts: the register of vectors that gathers them.
    doubts: [Option<Register>; 2],
    guarded: Option<Guarded>,
}

/// What holds where the code behind a guard begins, and again where it ends.
struct Guarded {
    held: [Vec<Option<Copy>>; 2],
    /// Registers that are amended, which stay where they are.
    amended: Vec<(usize, Register)>,
    /// Values that only this code has put into the frame.
    spilled: Vec<Copy>,
}

/// Writes code for steps.
///
/// # Errors
/// What could not be encoded.
pub(crate) fn allocate<E: Encoder>(steps: &Steps, encoder: E, shape: Shape) -> Result<Allocated, String> {
    let copies = shape.turns.at_once;
    let values = steps.is_mask.len();
    let (mut place, mut constants, mut constant) = (vec![None; values], vec![], vec![0; values]);
    for step in &steps.steps {
        if let Step::Load { to, place: of } = *step {
            place[to as usize] = Some(of);
            // All constants are known before anything is spilled, and come first in the frame.
            let kind = match of {
                Place::Constant(bits) => Constant::Bits(bits),
                Place::Bound => Constant::Bound,
                Place::Delta => Constant::Delta,
                Place::Low(region) => Constant::Low(region),
                Place::High(region) => Constant::High(region),
                _ => continue,
            };
            constant[to as usize] = constants.len();
            constants.push(kind);
        }
    }
    let limits = constants.len();
    constants.extend([f64::INFINITY, f64::MIN_POSITIVE].map(|limit| Constant::Bits(limit.to_bits())));
    let mut uses = vec![vec![]; values * copies];
    for (time, &(step, copy)) in shape.order.iter().enumerate().rev() {
        for id in steps.steps[step as usize].values().0.into_iter().flatten() {
            let copy = if place[id as usize].is_some_and(is_invariant) { 0 } else { copy };
            let uses = &mut uses[id as usize * copies + copy as usize];
            if uses.last() != Some(&(time as u32)) {
                uses.push(time as u32);
            }
        }
    }
    let (width, pools) = (encoder.width(), [encoder.vectors(), encoder.masks()].map(Pool::new));
    let mut allocator = Allocator {
        steps,
        encoder,
        regions: Regions::new(width),
        numbers: HashMap::new(),
        kinds: vec![],
        constants,
        constant,
        turns: shape.turns,
        pools,
        register: vec![NOWHERE; values * copies],
        spilled: vec![None; values * copies],
        frame: 0,
        free_frame: vec![],
        dying_frame: vec![],
        uses,
        place,
        locked: vec![],
        accumulators: vec![None; shape.totals],
        flags: [None; 2],
        doubts: [None; 2],
        guarded: None,
    };
    allocator.run(&shape, limits);
    let Allocator { encoder, regions, turns, kinds, constants, frame, .. } = allocator;
    let Encoded { code, listing } = encoder.finish()?;
    Ok(Allocated { code, listing, regions, turns, kinds, frame: constants.len() + frame as usize, constants })
}

impl<E: Encoder> Allocator<'_, E> {
    /// Infinity and the least normal number are the constants at `limits`.
    fn run(&mut self, shape: &Shape, limits: usize) {
        let turns = self.turns;
        // A call gives outputs in order.
        let mut outputs: Vec<_> = self.steps.steps.iter().filter_map(output_of).collect();
        outputs.sort_unstable();
        for number in outputs {
            self.region(Region::Output(number));
        }
        let totals = self.accumulators.len();
        let class = usize::from(self.encoder.masks() > 0);
        for kind in flags_of(self.steps) {
            self.flags[kind as usize] = Some(self.take_pinned(class));
        }
        for kind in doubts_of(self.steps) {
            self.doubts[kind as usize] = Some(self.take_pinned(0));
        }
        let mut left = self.pools[0].free.len().saturating_sub(shape.pressure[0] + FOR_LOADS);
        for total in 0..totals.min(left) {
            self.accumulators[total] = Some(self.take_pinned(0));
            left -= 1;
        }
        let pinned = self.worth_pinning(left);
        let busiest = self.busiest_regions(&pinned);
        self.encoder.begin(&busiest);
        for register in self.flags.into_iter().flatten() {
            self.encoder.clear_mask(register);
        }
        for id in pinned {
            self.pin(id);
        }
        if let Some(sum) = self.doubts[Doubt::NotReal as usize] {
            self.encoder.arithmetic(Arithmetic::Xor, sum, sum, Operand::Register(sum));
        }
        if let Some(least) = self.doubts[Doubt::Tiny as usize] {
            let infinite = self.frame_address(limits, false);
            self.encoder.load(least, infinite);
        }
        self.encoder.begin_lanes(turns);
        for total in 0..totals {
            if let Some(register) = self.accumulators[total] {
                let address = self.lanes(total, false);
                self.encoder.load(register, address);
            }
        }
        self.encoder.begin_vectors(turns);
        self.prefetch_columns();
        for (time, &(step, copy)) in shape.order.iter().enumerate() {
            let step = self.steps.steps[step as usize];
            self.encoder.comes_from(Some((self.steps.origin_of(&step), copy)));
            self.step(step, copy, time as u32);
        }
        self.encoder.comes_from(None);
        self.encoder.end_vectors(turns);
        for total in 0..totals {
            if let Some(register) = self.accumulators[total] {
                let address = self.lanes(total, true);
                self.encoder.store(address, register);
            }
        }
        self.encoder.end_lanes(turns);
        for (kind, register) in self.flags.into_iter().enumerate() {
            if let Some(register) = register {
                let region = self.region(Region::Any);
                let address = self.regions.address(region, Index::None, kind, 1, true);
                self.encoder.set_bits(address, register);
            }
        }
        self.end_doubts(limits);
    }

    /// Looks at what was gathered in the block.
    fn end_doubts(&mut self, limits: usize) {
        // Nothing in the loop is needed any more but what is pinned.
        let has_masks = self.encoder.masks() > 0;
        let pinned = &self.pools[1].pinned;
        let mut free = (0..pinned.len()).filter(|&mask| !pinned[mask]).map(|mask| mask as Register);
        let mut mask_for = |register| if has_masks { free.next().unwrap_or_default() } else { register };
        let masks = self.doubts.map(|register| register.map(|register| (register, mask_for(register))));
        let mut found = None;
        for (kind, pair) in masks.into_iter().enumerate() {
            let Some((register, mask)) = pair else { continue };
            if kind == Doubt::Tiny as usize {
                let limit = self.frame_address(limits + 1, false);
                self.encoder.compare(Comparison::Less, mask, register, Operand::Memory(limit));
            } else {
                self.encoder.compare(Comparison::Unordered, mask, register, Operand::Register(register));
            }
            if let Some(other) = found {
                self.encoder.combine(Logic::Or, mask, mask, other);
            }
            found = Some(mask);
        }
        if let Some(mask) = found {
            let region = self.region(Region::Any);
            let address = self.regions.address(region, Index::None, self.flags.len(), 1, true);
            self.encoder.set_bits(address, mask);
        }
    }

    fn step(&mut self, step: Step, copy: u8, time: u32) {
        self.locked.clear();
        self.free_frame.append(&mut self.dying_frame);
        let of = |id: Id| self.copy_of(id, copy);
        let (reads, _) = step.values();
        let reads = reads.map(|read| read.map(of));
        let [a, b, c] = reads;
        let value = |read: Option<Copy>| read.unwrap_or((0, 0));
        match step {
            Step::Load { .. } => {}
            Step::Arithmetic { kind, to, .. } => {
                let (a, b) = self.pair(value(a), value(b), kind.commutes());
                self.done_with(reads, time);
                let to = self.target(to, copy);
                self.encoder.arithmetic(kind, to, a, b);
            }
            Step::Shuffle { kind, to, .. } => {
                let (a, b) = self.pair(value(a), value(b), false);
                self.done_with(reads, time);
                let to = self.target(to, copy);
                self.encoder.shuffle(kind, to, a, b);
            }
            Step::Root { to, .. } => {
                let a = self.operand(value(a));
                self.done_with(reads, time);
                let to = self.target(to, copy);
                self.encoder.root(to, a);
            }
            Step::Round { rounding, to, .. } => {
                let a = self.operand(value(a));
                self.done_with(reads, time);
                let to = self.target(to, copy);
                self.encoder.round(rounding, to, a);
            }
            Step::Compare { comparison, to, .. } => {
                let (a, b) = self.pair(value(a), value(b), false);
                self.done_with(reads, time);
                let to = self.target(to, copy);
                self.encoder.compare(comparison, to, a, b);
            }
            Step::Classify { class, to, .. } => {
                let within = b.map(|within| self.in_register(within));
                let a = self.operand(value(a));
                self.done_with(reads, time);
                let to = self.target(to, copy);
                self.encoder.classify(class, to, a, within);
            }
            Step::Combine { logic, to, .. } => {
                let (a, b) = (self.in_register(value(a)), self.in_register(value(b)));
                self.done_with(reads, time);
                let to = self.target(to, copy);
                self.encoder.combine(logic, to, a, b);
            }
            Step::Not { to, .. } => {
                let a = self.in_register(value(a));
                self.done_with(reads, time);
                let to = self.target(to, copy);
                self.encoder.not(to, a);
            }
            Step::Choose { to, .. } => {
                let (mask, otherwise) = (self.in_register(value(a)), self.in_register(value(c)));
                let taken = self.operand(value(b));
                self.done_with(reads, time);
                let to = self.target(to, copy);
                self.encoder.choose(to, mask, taken, otherwise);
            }
            Step::Store { place, .. } => {
                let a = self.in_register(value(a));
                let address = self.samples(place, copy, true);
                self.encoder.store(address, a);
                self.done_with(reads, time);
            }
            Step::StoreInRow { rows, row, column, lanes, .. } => {
                let a = self.in_register(value(a));
                let address = self.in_row(rows, row, column, lanes, copy);
                if let Some(ahead) = self.ahead(rows, lanes, address) {
                    self.encoder.prefetch(ahead);
                }
                self.encoder.store_lanes(address, a, lanes);
                self.done_with(reads, time);
            }
            Step::Flag { kind, .. } => {
                let mask = self.in_register(value(a));
                if let Some(all) = self.flags[kind as usize] {
                    self.encoder.combine(Logic::Or, all, all, mask);
                }
                if kind == Flags::Irregular {
                    let region = self.region(Region::Irregular);
                    let address = self.regions.address(region, Index::Vectors, copy as usize, 1, true);
                    self.encoder.store_bits(address, mask);
                }
                self.done_with(reads, time);
            }
            Step::Saturated { site, .. } | Step::Suspected { site, .. } => {
                let mask = self.in_register(value(a));
                let region = self.region(match step {
                    Step::Suspected { .. } => Region::Suspected(site),
                    _ => Region::Saturated(site),
                });
                let address = self.regions.address(region, Index::Vectors, copy as usize, 1, true);
                self.encoder.store_bits(address, mask);
                self.done_with(reads, time);
            }
            Step::Guard { .. } => {
                let mask = self.in_register(value(a));
                let mut amended = vec![];
                for value in [b, c].into_iter().flatten() {
                    amended.push((self.class(value.0), self.in_register(value)));
                    // What the frame has of it will not be right any more.
                    let at = self.at(value);
                    self.free_frame.extend(self.spilled[at].take());
                }
                self.encoder.skip_unless(mask);
                self.done_with(reads, time);
                let held = [0, 1].map(|class| self.pools[class].held.clone());
                self.guarded = Some(Guarded { held, amended, spilled: vec![] });
            }
            Step::Amend { .. } => {
                let (mask, amended) = (self.in_register(value(a)), self.in_register(value(c)));
                let by = self.operand(value(b));
                self.encoder.choose(amended, mask, by, amended);
                self.done_with(reads, time);
            }
            Step::GuardEnd => self.end_guard(),
            Step::Doubt { kind, .. } => {
                let a = self.in_register(value(a));
                if let Some(all) = self.doubts[kind as usize] {
                    match kind {
                        Doubt::NotReal => {
                            self.encoder.arithmetic(Arithmetic::Or, all, all, Operand::Register(a));
                        }
                        Doubt::Tiny => self.encoder.least(all, a),
                    }
                }
                self.done_with(reads, time);
            }
            Step::Accumulate { total, .. } => {
                let kept = b.map(|kept| self.in_register(kept));
                match self.accumulators[total as usize] {
                    Some(register) => {
                        let a = self.operand(value(a));
                        self.add(register, kept, a);
                    }
                    None => {
                        let (from, to) =
                            (self.lanes(total as usize, false), self.lanes(total as usize, true));
                        let a = self.in_register(value(a));
                        let sum = self.take(0);
                        self.encoder.load(sum, from);
                        self.add(sum, kept, Operand::Register(a));
                        self.encoder.store(to, sum);
                        self.pools[0].free.push(sum);
                    }
                }
                self.done_with(reads, time);
            }
        }
    }

    /// Adds a number to a register, where the mask holds if there is one.
    fn add(&mut self, to: Register, kept: Option<Register>, a: Operand) {
        match kept {
            Some(mask) => self.encoder.add_where(to, mask, a),
            None => self.encoder.arithmetic(Arithmetic::Add, to, to, a),
        }
    }

    /// Puts back what was in the registers before the code behind a guard.
    fn end_guard(&mut self) {
        let Some(Guarded { held, spilled, .. }) = self.guarded.take() else { return };
        for (class, before) in held.iter().enumerate() {
            for (register, before) in before.iter().enumerate() {
                if let Some(now) = self.pools[class].held[register]
                    && Some(now) != *before
                {
                    let at = self.at(now);
                    self.register[at] = NOWHERE;
                    self.pools[class].held[register] = None;
                    self.pools[class].free.push(register as Register);
                }
            }
        }
        for (class, before) in held.iter().enumerate() {
            for (register, before) in before.iter().enumerate() {
                let Some(value) = *before else { continue };
                if self.pools[class].held[register].is_some() || self.uses_of(value).is_empty() {
                    continue;
                }
                let register = register as Register;
                self.pools[class].free.retain(|&free| free != register);
                self.load(register, value);
            }
        }
        for value in spilled {
            let at = self.at(value);
            self.free_frame.extend(self.spilled[at].take());
        }
        self.encoder.land();
    }
}
