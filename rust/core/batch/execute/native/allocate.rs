//! Registers: a linear scan over the steps of a vector, which writes them out as it goes.
//!
//! The code is straight, so each value's next use is known. Where registers run out, the one is given up
//! whose value is read latest: to the frame, or, if it lies in memory anyway, just so. Numbers that are the
//! same for every sample stay in the registers that are left over; the others are read in place.

use super::encoder::{Address, Encoder, Index, LINE_BYTES, Operand, Order, Register, Turns};
use super::regions::{Allocated, Constant, FRAME_VECTOR, Region, Regions};
use super::steps::{Arithmetic, Flags, Id, Logic, Place, Step, Steps};
use std::collections::HashMap;

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

/// How the steps of the vectors of a turn are put together, and how many sums there are.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    turns: Turns,
    totals: usize,
    /// Step and vector, in order.
    order: Vec<(u32, u8)>,
    /// The most values that are alive at once and not in memory: vectors and masks.
    pressure: [usize; 2],
}

/// By step: the end of the guard that it begins, or itself if it is behind one; `None` if neither.
fn guards(steps: &Steps) -> Vec<Option<usize>> {
    let (mut guards, mut begin) = (vec![None; steps.steps.len()], None);
    for (number, step) in steps.steps.iter().enumerate() {
        if let Step::Guard { .. } = step {
            begin = Some(number);
        }
        if let Some(first) = begin {
            guards[number] = Some(number);
            if let Step::GuardEnd = step {
                guards[first] = Some(number);
                begin = None;
            }
        }
    }
    guards
}

/// So many vectors, each behind the one before by a number of steps: while the one waits for its last
/// results, the next one begins.
fn interleaved(steps: &Steps, at_once: usize, behind: usize) -> Vec<(u32, u8)> {
    let (guards, mut order) = (guards(steps), vec![]);
    for time in 0..steps.steps.len() + (at_once - 1) * behind {
        for copy in 0..at_once {
            if let Some(step) = time.checked_sub(copy * behind)
                && step < steps.steps.len()
                && !matches!(steps.steps[step], Step::Load { .. })
            {
                match guards[step] {
                    None => order.push((step as u32, copy as u8)),
                    // All that is behind a guard happens at once.
                    Some(end) if end > step => {
                        order.extend((step..=end).map(|step| (step as u32, copy as u8)));
                    }
                    Some(_) => {}
                }
            }
        }
    }
    order
}

/// The values that are alive at once and not in memory, at most.
fn pressure(steps: &Steps, order: &[(u32, u8)], at_once: usize) -> [usize; 2] {
    let mut last = vec![0; steps.is_mask.len() * at_once];
    let at = |id: Id, copy: u8| id as usize * at_once + copy as usize;
    for (time, &(step, copy)) in order.iter().enumerate() {
        let reads = steps.steps[step as usize].values().0;
        reads.into_iter().flatten().for_each(|id| last[at(id, copy)] = time);
    }
    let mut in_memory = vec![false; steps.is_mask.len()];
    for step in &steps.steps {
        if let Step::Load { to, .. } = *step {
            in_memory[to as usize] = true;
        }
    }
    // What is behind a guard makes room for itself.
    let guards = guards(steps);
    for (step, guard) in steps.steps.iter().zip(&guards) {
        if let (Some(to), Some(_)) = (step.values().1, guard) {
            in_memory[to as usize] = true;
        }
    }
    let (mut alive, mut most) = ([0usize; 2], [0usize; 2]);
    for (time, &(step, copy)) in order.iter().enumerate() {
        let (reads, written) = steps.steps[step as usize].values();
        for (place, id) in reads.iter().enumerate() {
            if let &Some(id) = id
                && !reads[..place].contains(&Some(id))
                && last[at(id, copy)] == time
                && !in_memory[id as usize]
            {
                alive[usize::from(steps.is_mask[id as usize])] -= 1;
            }
        }
        if let Some(to) = written
            && guards[step as usize].is_none()
        {
            alive[usize::from(steps.is_mask[to as usize])] += 1;
        }
        most = [most[0].max(alive[0]), most[1].max(alive[1])];
    }
    most
}

fn is_invariant(place: Place) -> bool {
    matches!(place, Place::Uniform(_) | Place::Constant(_) | Place::Bound | Place::Delta)
}

/// The kinds of flags that are set.
fn flags_of(steps: &Steps) -> Vec<Flags> {
    let kinds = [Flags::Irregular, Flags::Suspect];
    let sets =
        |of: Flags| steps.steps.iter().any(|step| matches!(step, Step::Flag { kind, .. } if *kind == of));
    kinds.into_iter().filter(|&kind| sets(kind)).collect()
}

fn output_of(step: &Step) -> Option<u32> {
    if let Step::Store { place: Place::Output(number), .. } = *step { Some(number) } else { None }
}

/// Values read from columns and slots take a register now and then.
const FOR_LOADS: usize = 3;

impl Shape {
    /// As many vectors of these steps at once as the registers allow.
    pub fn fitting(order: Order, steps: &Steps, encoder: &impl Encoder, totals: usize) -> Self {
        let flags = flags_of(steps).len();
        let has_masks = encoder.masks() > 0;
        // A few stores to the frame cost less than waiting does.
        let most_vectors = encoder.vectors() as usize * 3 / 2;
        // The scheduler of a processor holds the steps of two or three vectors. So the next one begins when
        // the one before is through with a quarter of its steps, which keeps both kinds of units busy.
        let quarter = steps.steps.len() / 4;
        let candidates = [(4, quarter), (2, quarter), (2, 0), (1, 0)];
        for (at_once, behind) in candidates {
            let order_of_steps = interleaved(steps, at_once, behind);
            let [vectors, masks] = pressure(steps, &order_of_steps, at_once);
            let (vectors, masks) = if has_masks { (vectors, masks) } else { (vectors + masks, 0) };
            let (of_vectors, of_masks) = if has_masks { (totals, flags) } else { (totals + flags, 0) };
            let fits = vectors + of_vectors + FOR_LOADS <= most_vectors
                && masks + of_masks <= encoder.masks() as usize;
            if fits || at_once == 1 {
                let (turns, pressure) = (Turns { order, at_once }, [vectors, masks]);
                return Self { turns, totals, order: order_of_steps, pressure };
            }
        }
        unreachable!("one vector at a time is always possible")
    }
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
                _ => continue,
            };
            constant[to as usize] = constants.len();
            constants.push(kind);
        }
    }
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
        guarded: None,
    };
    allocator.run(&shape);
    let Allocator { encoder, regions, turns, kinds, constants, frame, .. } = allocator;
    let code = encoder.finish()?;
    Ok(Allocated { code, regions, turns, kinds, frame: constants.len() + frame as usize, constants })
}

impl<E: Encoder> Allocator<'_, E> {
    fn run(&mut self, shape: &Shape) {
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
        self.encoder.begin_lanes(turns);
        for total in 0..totals {
            if let Some(register) = self.accumulators[total] {
                let address = self.lanes(total, false);
                self.encoder.load(register, address);
            }
        }
        self.encoder.begin_vectors(turns);
        for (time, &(step, copy)) in shape.order.iter().enumerate() {
            self.step(self.steps.steps[step as usize], copy, time as u32);
        }
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
                self.encoder.store_bits(address, register);
            }
        }
    }

    /// The regions that the loop reads or writes, the busiest first.
    fn busiest_regions(&mut self, pinned: &[Id]) -> Vec<u32> {
        let mut count: HashMap<u32, usize> = HashMap::new();
        for time in 0..self.steps.steps.len() {
            let region = match self.steps.steps[time] {
                Step::Load { to, .. } if pinned.contains(&to) => continue,
                Step::Load { to, place } => {
                    let uses = self.uses_of((to, 0)).len();
                    let region = self.region_of(place);
                    *count.entry(region).or_default() += if is_invariant(place) { uses } else { uses.min(2) };
                    continue;
                }
                Step::Store { place, .. } => self.region_of(place),
                Step::Flag { kind: Flags::Irregular, .. } => self.region(Region::Irregular),
                _ => continue,
            };
            *count.entry(region).or_default() += 1;
        }
        let mut regions: Vec<(u32, usize)> = count.into_iter().collect();
        regions.sort_unstable_by_key(|&(region, count)| (std::cmp::Reverse(count), region));
        regions.into_iter().map(|(region, _)| region).collect()
    }

    /// A register for the whole loop, while there are many.
    fn take_pinned(&mut self, class: usize) -> Register {
        let register = self.pools[class].free.pop().expect("a register that was counted as left over");
        self.pools[class].pinned[register as usize] = true;
        register
    }

    /// The invariants that are read most, so many at most.
    fn worth_pinning(&self, most: usize) -> Vec<Id> {
        let mut invariants: Vec<Id> = (0..self.place.len() as Id)
            .filter(|&id| self.place[id as usize].is_some_and(is_invariant))
            .filter(|&id| !self.uses_of((id, 0)).is_empty())
            .collect();
        invariants.sort_by_key(|&id| (std::cmp::Reverse(self.uses_of((id, 0)).len()), id));
        invariants.truncate(most);
        invariants
    }

    /// Loads an invariant to a register of its own.
    fn pin(&mut self, id: Id) {
        let register = self.take_pinned(0);
        self.pools[0].held[register as usize] = Some((id, 0));
        let address = self.home((id, 0));
        self.encoder.load(register, address);
        let at = self.at((id, 0));
        self.register[at] = register;
    }

    fn region(&mut self, region: Region) -> u32 {
        if let Some(&known) = self.numbers.get(&region) {
            return known;
        }
        let number = self.regions.add();
        self.numbers.insert(region, number);
        self.kinds.push(region);
        number
    }

    fn region_of(&mut self, place: Place) -> u32 {
        self.region(match place {
            Place::Column(argument) => Region::Column(argument),
            Place::Element(number) => Region::Element(number),
            Place::Slot(slot) => Region::Slot(slot),
            Place::Output(number) => Region::Output(number),
            Place::Uniform(_) => Region::Uniforms,
            Place::Constant(_) | Place::Bound | Place::Delta => Region::Frame,
        })
    }

    /// The copy of a value that a vector in flight uses.
    fn copy_of(&self, id: Id, copy: u8) -> Copy {
        if self.place[id as usize].is_some_and(is_invariant) { (id, 0) } else { (id, copy) }
    }

    fn uses_of(&self, value: Copy) -> &[u32] {
        &self.uses[self.at(value)]
    }

    fn at(&self, (id, copy): Copy) -> usize {
        id as usize * self.turns.at_once + copy as usize
    }

    fn class(&self, id: Id) -> usize {
        usize::from(self.steps.is_mask[id as usize] && self.encoder.masks() > 0)
    }

    /// The address of a vector of the block in a region of samples.
    fn samples(&mut self, place: Place, copy: u8, writes: bool) -> Address {
        let region = self.region_of(place);
        let width = self.encoder.width();
        let offset = copy as usize * self.turns.stride(width);
        self.regions.address(region, Index::Samples, offset, width, writes)
    }

    fn lanes(&mut self, total: usize, writes: bool) -> Address {
        let region = self.region(Region::Lanes);
        let width = self.encoder.width();
        self.regions.address(region, Index::Lanes, total * LINE_BYTES, width, writes)
    }

    fn frame_address(&mut self, vector: usize, writes: bool) -> Address {
        let region = self.region(Region::Frame);
        let width = self.encoder.width();
        self.regions.address(region, Index::None, vector * FRAME_VECTOR, width, writes)
    }

    /// Where a value is in memory.
    fn home(&mut self, value: Copy) -> Address {
        let (id, copy) = value;
        if let Some(vector) = self.spilled[self.at(value)] {
            return self.frame_address(self.constants.len() + vector as usize, false);
        }
        let width = self.encoder.width();
        match self.place[id as usize] {
            Some(Place::Uniform(number)) => {
                let region = self.region(Region::Uniforms);
                self.regions.address(region, Index::None, number as usize * LINE_BYTES, width, false)
            }
            Some(Place::Constant(_) | Place::Bound | Place::Delta) => {
                self.frame_address(self.constant[id as usize], false)
            }
            Some(place) => self.samples(place, copy, false),
            None => unreachable!("a value that is computed is in a register or in the frame"),
        }
    }

    /// A free register, which is locked. If there is none, the value that is read latest makes room.
    fn take(&mut self, class: usize) -> Register {
        let register = match self.pools[class].free.pop() {
            Some(register) => register,
            None => self.evict(class),
        };
        self.locked.push((class, register));
        register
    }

    fn evict(&mut self, class: usize) -> Register {
        let next_use = |value: Copy| self.uses_of(value).last().copied().unwrap_or(u32::MAX);
        let pool = &self.pools[class];
        let candidates = (0..pool.held.len()).filter_map(|register| {
            let value = pool.held[register]?;
            let this = (class, register as Register);
            let amended = self.guarded.as_ref().is_some_and(|guarded| guarded.amended.contains(&this));
            let locked = amended || self.locked.contains(&this);
            (!pool.pinned[register] && !locked).then_some((register, value))
        });
        // What lies in memory anyway is given up first.
        let (register, value) = candidates
            .max_by_key(|&(register, value)| {
                let is_saved =
                    self.place[value.0 as usize].is_some() || self.spilled[self.at(value)].is_some();
                (next_use(value), is_saved, register)
            })
            .expect("a step reads fewer values than there are registers");
        let (register, at) = (register as Register, self.at(value));
        if self.place[value.0 as usize].is_none() && self.spilled[at].is_none() {
            let vector = self.free_frame.pop().unwrap_or_else(|| {
                self.frame += 1;
                self.frame - 1
            });
            self.spilled[at] = Some(vector);
            if let Some(guarded) = &mut self.guarded {
                guarded.spilled.push(value);
            }
            let address = self.frame_address(self.constants.len() + vector as usize, true);
            if class == 1 {
                self.encoder.store_mask(address, register);
            } else {
                self.encoder.store(address, register);
            }
        }
        self.register[at] = NOWHERE;
        self.pools[class].held[register as usize] = None;
        register
    }

    /// A value in a register, which is locked.
    fn in_register(&mut self, value: Copy) -> Register {
        let class = self.class(value.0);
        let at = self.at(value);
        if self.register[at] != NOWHERE {
            self.locked.push((class, self.register[at]));
            return self.register[at];
        }
        let register = self.take(class);
        let address = self.home(value);
        if class == 1 {
            self.encoder.load_mask(register, address);
        } else {
            self.encoder.load(register, address);
        }
        self.register[at] = register;
        self.pools[class].held[register as usize] = Some(value);
        register
    }

    /// A value in a register, or in memory if it is read there once more or no register is free.
    fn operand(&mut self, value: Copy) -> Operand {
        let resident = self.register[self.at(value)] != NOWHERE;
        let again =
            self.uses[value.0 as usize].len() > 1 && !self.place[value.0 as usize].is_some_and(is_invariant);
        if resident || (again && !self.pools[0].free.is_empty()) {
            return Operand::Register(self.in_register(value));
        }
        Operand::Memory(self.home(value))
    }

    /// Gives up a register whose value is not read after this step.
    fn release(&mut self, value: Copy) {
        let (at, class) = (self.at(value), self.class(value.0));
        if self.uses[at].len() > 1 {
            return;
        }
        self.dying_frame.extend(self.spilled[at].take());
        let register = self.register[at];
        if register != NOWHERE && !self.pools[class].pinned[register as usize] {
            self.register[at] = NOWHERE;
            self.pools[class].held[register as usize] = None;
            self.pools[class].free.push(register);
        }
    }

    /// The register that a step writes, once its operands are read.
    fn target(&mut self, to: Id, copy: u8) -> Register {
        let class = self.class(to);
        let register = self.take(class);
        let at = self.at((to, copy));
        self.register[at] = register;
        self.pools[class].held[register as usize] = Some((to, copy));
        register
    }

    /// Two operands, the first of them in a register; turned round if that saves a load.
    fn pair(&mut self, a: Copy, b: Copy, commutes: bool) -> (Register, Operand) {
        let resident = |value: Copy| self.register[self.at(value)] != NOWHERE;
        let (a, b) = if commutes && !resident(a) && resident(b) { (b, a) } else { (a, b) };
        let first = self.in_register(a);
        (first, self.operand(b))
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
            Step::Saturated { site, .. } => {
                let mask = self.in_register(value(a));
                let region = self.region(Region::Saturated(site));
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
            Step::Accumulate { total, .. } => {
                match self.accumulators[total as usize] {
                    Some(register) => {
                        let a = self.operand(value(a));
                        self.encoder.arithmetic(Arithmetic::Add, register, register, a);
                    }
                    None => {
                        let (from, to) =
                            (self.lanes(total as usize, false), self.lanes(total as usize, true));
                        let a = self.in_register(value(a));
                        let sum = self.take(0);
                        self.encoder.arithmetic(Arithmetic::Add, sum, a, Operand::Memory(from));
                        self.encoder.store(to, sum);
                        self.pools[0].free.push(sum);
                    }
                }
                self.done_with(reads, time);
            }
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
                let (register, address, at) = (register as Register, self.home(value), self.at(value));
                self.pools[class].free.retain(|&free| free != register);
                if class == 1 {
                    self.encoder.load_mask(register, address);
                } else {
                    self.encoder.load(register, address);
                }
                self.register[at] = register;
                self.pools[class].held[register as usize] = Some(value);
            }
        }
        for value in spilled {
            let at = self.at(value);
            self.free_frame.extend(self.spilled[at].take());
        }
        self.encoder.land();
    }

    /// The step has read its operands.
    fn done_with(&mut self, reads: [Option<Copy>; 3], time: u32) {
        for (place, value) in reads.iter().enumerate() {
            let Some(value) = *value else { continue };
            if !reads[..place].contains(&Some(value)) {
                let at = self.at(value);
                debug_assert_eq!(self.uses[at].last(), Some(&time));
                self.release(value);
                self.uses[at].pop();
            }
        }
    }
}
