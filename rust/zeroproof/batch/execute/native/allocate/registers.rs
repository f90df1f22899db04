//! Registers and the frame: what is where, and what makes room for what.

use super::super::encoder::{Address, Encoder, Index, LINE_BYTES, Operand, Order, Register};
use super::super::lanes::{Lanes, Rows};
use super::super::regions::{FRAME_VECTOR, Region, SECTION};
use super::super::steps::{Flags, Id, Place, Step};
use super::shape::is_invariant;
use super::{Allocator, Copy, NOWHERE};
use std::collections::HashMap;

/// Rows of so many numbers are brought to the cache beforehand, by so many bytes.
const LONG_ROW: u32 = 32;
const AHEAD: usize = 8 << 10;

impl<E: Encoder> Allocator<'_, E> {
    /// The regions that the loop reads or writes, the busiest first, and how many numbers the rows have of those
    /// that are written by rows.
    pub(super) fn busiest_regions(&mut self, pinned: &[Id]) -> Vec<(u32, Option<u32>)> {
        let mut count: HashMap<u32, usize> = HashMap::new();
        let mut widths: HashMap<u32, u32> = HashMap::new();
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
                Step::StoreInRow { rows, .. } => {
                    let region = self.region(Region::Output(rows.number));
                    widths.insert(region, rows.width);
                    region
                }
                Step::Flag { kind: Flags::Irregular, .. } => self.region(Region::Irregular),
                _ => continue,
            };
            *count.entry(region).or_default() += 1;
        }
        let mut regions: Vec<(u32, usize)> = count.into_iter().collect();
        regions.sort_unstable_by_key(|&(region, count)| (std::cmp::Reverse(count), region));
        regions.into_iter().map(|(region, _)| (region, widths.get(&region).copied())).collect()
    }

    /// A register for the whole loop, while there are many.
    pub(super) fn take_pinned(&mut self, class: usize) -> Register {
        let register = self.pools[class].free.pop().expect("a register that was counted as left over");
        self.pools[class].pinned[register as usize] = true;
        register
    }

    /// The invariants that are read most, so many at most.
    pub(super) fn worth_pinning(&self, most: usize) -> Vec<Id> {
        let mut invariants: Vec<Id> = (0..self.place.len() as Id)
            .filter(|&id| self.place[id as usize].is_some_and(is_invariant))
            .filter(|&id| !self.uses_of((id, 0)).is_empty())
            .collect();
        invariants.sort_by_key(|&id| (std::cmp::Reverse(self.uses_of((id, 0)).len()), id));
        invariants.truncate(most);
        invariants
    }

    /// Loads an invariant to a register of its own.
    pub(super) fn pin(&mut self, id: Id) {
        let register = self.take_pinned(0);
        self.load(register, (id, 0));
    }

    pub(super) fn region(&mut self, region: Region) -> u32 {
        if let Some(&known) = self.numbers.get(&region) {
            return known;
        }
        let number = self.regions.add();
        self.numbers.insert(region, number);
        self.kinds.push(region);
        number
    }

    pub(super) fn region_of(&mut self, place: Place) -> u32 {
        self.region(match place {
            Place::Column(argument) => Region::Column(argument),
            Place::Element(number) => Region::Element(number),
            Place::Slot(slot) => Region::Slot(slot),
            Place::Output(number) => Region::Output(number),
            Place::Uniform(_) => Region::Uniforms,
            Place::Constant(_) | Place::Bound | Place::Delta | Place::Low(_) | Place::High(_) => {
                Region::Frame
            }
        })
    }

    /// The copy of a value that a vector in flight uses.
    pub(super) fn copy_of(&self, id: Id, copy: u8) -> Copy {
        if self.place[id as usize].is_some_and(is_invariant) { (id, 0) } else { (id, copy) }
    }

    pub(super) fn uses_of(&self, value: Copy) -> &[u32] {
        &self.uses[self.at(value)]
    }

    pub(super) fn at(&self, (id, copy): Copy) -> usize {
        id as usize * self.turns.at_once + copy as usize
    }

    pub(super) fn class(&self, id: Id) -> usize {
        usize::from(self.steps.is_mask[id as usize] && self.encoder.masks() > 0)
    }

    /// The address of a vector of the block in a region of samples.
    pub(super) fn samples(&mut self, place: Place, copy: u8, writes: bool) -> Address {
        let region = self.region_of(place);
        let width = self.encoder.width();
        let offset = copy as usize * self.turns.stride(width);
        self.regions.address(region, Index::Samples, offset, width, writes)
    }

    /// The address of lanes of a vector in a row of results.
    pub(super) fn in_row(&mut self, rows: Rows, row: u8, column: u32, lanes: Lanes, copy: u8) -> Address {
        let region = self.region(Region::Output(rows.number));
        let width = self.encoder.width();
        let samples = copy as usize * self.turns.stride(width) / size_of::<f64>() + row as usize;
        let offset = (samples * rows.width as usize + column as usize) * size_of::<f64>();
        let bytes = lanes.count(width / size_of::<f64>()) * size_of::<f64>();
        self.regions.address(region, Index::Rows(rows.width), offset, bytes, true)
    }

    /// Where columns are not read as they lie, has those of the next section brought to the cache.
    pub(super) fn prefetch_columns(&mut self) {
        if self.turns.order == Order::Consecutive {
            return;
        }
        let steps = self.steps;
        for step in &steps.steps {
            let Step::Load { to, place: place @ Place::Column(_) } = *step else { continue };
            for copy in 0..self.turns.at_once as u8 {
                if !self.uses_of((to, copy)).is_empty() {
                    let at = self.samples(place, copy, false);
                    self.encoder.prefetch(Address { offset: at.offset + SECTION as i32, ..at });
                }
            }
        }
    }

    /// What is worth being brought to the cache when lanes are stored at an address: where later ones will be. Rows
    /// that are longer go through memory in jumps, which a processor does not foresee.
    pub(super) fn ahead(&self, rows: Rows, lanes: Lanes, address: Address) -> Option<Address> {
        let turn = self.turns.bytes(self.encoder.width()) * rows.width as usize;
        let offset = address.offset as usize + AHEAD.next_multiple_of(turn);
        let is_worth_it =
            rows.width >= LONG_ROW && lanes == Lanes::All && self.turns.order == Order::Consecutive;
        // A hint, for which memory need not be there.
        i32::try_from(offset).ok().filter(|_| is_worth_it).map(|offset| Address { offset, ..address })
    }

    pub(super) fn lanes(&mut self, total: usize, writes: bool) -> Address {
        let region = self.region(Region::Lanes);
        let width = self.encoder.width();
        self.regions.address(region, Index::Lanes, total * LINE_BYTES, width, writes)
    }

    pub(super) fn frame_address(&mut self, vector: usize, writes: bool) -> Address {
        let region = self.region(Region::Frame);
        let width = self.encoder.width();
        self.regions.address(region, Index::None, vector * FRAME_VECTOR, width, writes)
    }

    /// Where a value is in memory.
    pub(super) fn home(&mut self, value: Copy) -> Address {
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
            Some(Place::Constant(_) | Place::Bound | Place::Delta | Place::Low(_) | Place::High(_)) => {
                self.frame_address(self.constant[id as usize], false)
            }
            Some(place) => self.samples(place, copy, false),
            None => unreachable!("a value that is computed is in a register or in the frame"),
        }
    }

    /// A free register, which is locked. If there is none, the value that is read latest makes room.
    pub(super) fn take(&mut self, class: usize) -> Register {
        let register = match self.pools[class].free.pop() {
            Some(register) => register,
            None => self.evict(class),
        };
        self.locked.push((class, register));
        register
    }

    pub(super) fn evict(&mut self, class: usize) -> Register {
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
    pub(super) fn in_register(&mut self, value: Copy) -> Register {
        let class = self.class(value.0);
        let at = self.at(value);
        if self.register[at] != NOWHERE {
            self.locked.push((class, self.register[at]));
            return self.register[at];
        }
        let register = self.take(class);
        self.load(register, value);
        register
    }

    /// Loads a value that lies in memory.
    pub(super) fn load(&mut self, register: Register, value: Copy) {
        let (class, at, address) = (self.class(value.0), self.at(value), self.home(value));
        if class == 1 {
            self.encoder.load_mask(register, address);
        } else {
            self.encoder.load(register, address);
        }
        self.register[at] = register;
        self.pools[class].held[register as usize] = Some(value);
    }

    /// A value in a register, or in memory if it is read there once more or no register is free.
    pub(super) fn operand(&mut self, value: Copy) -> Operand {
        let resident = self.register[self.at(value)] != NOWHERE;
        let again = self.uses_of(value).len() > 1 && !self.place[value.0 as usize].is_some_and(is_invariant);
        if resident || (again && !self.pools[0].free.is_empty()) {
            return Operand::Register(self.in_register(value));
        }
        Operand::Memory(self.home(value))
    }

    /// Gives up a register whose value is not read after this step.
    pub(super) fn release(&mut self, value: Copy) {
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
    pub(super) fn target(&mut self, to: Id, copy: u8) -> Register {
        let class = self.class(to);
        let register = self.take(class);
        let at = self.at((to, copy));
        self.register[at] = register;
        self.pools[class].held[register as usize] = Some((to, copy));
        register
    }

    /// Two operands, the first of them in a register; turned round if that saves a load.
    pub(super) fn pair(&mut self, a: Copy, b: Copy, commutes: bool) -> (Register, Operand) {
        let resident = |value: Copy| self.register[self.at(value)] != NOWHERE;
        let (a, b) = if commutes && !resident(a) && resident(b) { (b, a) } else { (a, b) };
        let first = self.in_register(a);
        (first, self.operand(b))
    }

    /// The step has read its operands.
    pub(super) fn done_with(&mut self, reads: [Option<Copy>; 3], time: u32) {
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
